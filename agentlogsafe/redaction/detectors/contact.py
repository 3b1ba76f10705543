"""Contact data with a shape: e-mail addresses and telephone numbers."""

from __future__ import annotations

from agentlogsafe.redaction.detectors.base import Detector

CONTACT: tuple[Detector, ...] = (
    Detector(
        "email", "EMAIL", "contact",
        r"(?<![\w.+-])[\w!#$%&'*+/=?^`{|}~-](?:[\w!#$%&'*+/=?^`{|}~.-]{0,62}[\w!#$%&'*+/=?^`{|}~-])?@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_][\w-]{0,60}[^\W_]",
        ("@",),
    ),
    Detector("phone-e164", "PHONE", "contact", r"(?<![\w+.])\+[1-9]\d?(?:[ .()/-]{0,2}\d){6,13}(?![\w])", ("+",)),
    Detector("phone-us", "PHONE", "contact", r"(?<![\w.+-])(?:1[ .-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[ .-])[2-9]\d\d[ .-]\d{4}(?![\w-])"),
)  # fmt: skip
