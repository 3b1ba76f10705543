"""Everything that is recognised by its shape, as tables."""

from __future__ import annotations

from agentlogsafe.redaction.detectors.base import Detector
from agentlogsafe.redaction.detectors.contact import CONTACT
from agentlogsafe.redaction.detectors.credentials import CREDENTIALS
from agentlogsafe.redaction.detectors.payment import PAYMENT

DETECTORS: tuple[Detector, ...] = (*CREDENTIALS, *CONTACT, *PAYMENT)

__all__ = ["DETECTORS", "Detector"]
