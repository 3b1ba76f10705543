"""Payment data: card numbers with Luhn's checksum."""

from __future__ import annotations

from agentlogsafe.redaction.detectors.base import Detector

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def luhn(digits: str) -> bool:
    """Return whether the last digit is Luhn's checksum of the others."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        total += _DOUBLED[int(digit)] if place % 2 else int(digit)
    return total % 10 == 0


def card(text: str) -> bool:
    """Return whether *text* is a card number: a known issuer range, a right length, Luhn's checksum."""
    digits = "".join(c for c in text if c.isdigit())
    return luhn(digits) and len(set(digits)) > 1


PAYMENT: tuple[Detector, ...] = (
    Detector("card", "CARD", "payment", r"(?<![\w.+-])(?:[2-6](?:[ -]?\d){12,18})(?![\w]|[.-]\d)", (), card),
)
