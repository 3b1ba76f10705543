"""Everything that is recognised by its shape, as tables."""

from __future__ import annotations

from agentlogsafe.redaction.detectors.base import Detector, Number
from agentlogsafe.redaction.detectors.contact import EMAIL, PHONES
from agentlogsafe.redaction.detectors.credentials import CREDENTIALS
from agentlogsafe.redaction.detectors.national import NUMBERS
from agentlogsafe.redaction.detectors.network import IPV4, IPV6, MAC, WALLETS
from agentlogsafe.redaction.detectors.providers import PROVIDERS

DETECTORS: tuple[Detector, ...] = (*PROVIDERS, *CREDENTIALS, EMAIL, *PHONES, IPV4, IPV6, MAC, *WALLETS)
"""All detectors that are patterns."""


def _index() -> dict[str, tuple[Detector, ...]]:
    index: dict[str, tuple[Detector, ...]] = {}
    for detector in (*PROVIDERS, *CREDENTIALS):
        for start in detector.starts:
            head = start[:3]
            if detector not in index.get(head, ()):
                index[head] = (*index.get(head, ()), detector)
    return index


STARTS = _index()
"""The first three (or two) characters of a token → the detectors that it could belong to."""

GATED: tuple[Detector, ...] = tuple(detector for detector in CREDENTIALS if not detector.starts and not detector.within)
"""Detectors of credentials that are looked for where one of their literals is."""

WITHIN: tuple[tuple[int, str, Detector], ...] = tuple(
    sorted(((detector.least, literal, detector) for detector in (*CREDENTIALS, *WALLETS) if detector.within for literal in detector.gate), key=lambda row: row[0])
)
"""Detectors that are looked for inside long tokens: the least length, a literal that must be in it, the detector; shortest first."""

__all__ = ["DETECTORS", "GATED", "NUMBERS", "STARTS", "WITHIN", "Detector", "Number"]
