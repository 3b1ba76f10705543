"""Use a Presidio analyzer as one more detector.

The analyzer is the application's own, and nothing of it is imported here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from agentlogsafe.redaction.custom import CustomDetector

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class Result(Protocol):
    """One finding of an analyzer."""

    entity_type: str
    start: int
    end: int
    score: float


class Analyzer(Protocol):
    """What is used of a ``presidio_analyzer.AnalyzerEngine``, or of one recognizer behind such a function."""

    def analyze(self, text: str, language: str, **options: object) -> Sequence[Result]:
        """Return the findings in *text*."""


CATEGORIES: Mapping[str, str] = {
    "PERSON": "NAME",
    "EMAIL_ADDRESS": "EMAIL",
    "PHONE_NUMBER": "PHONE",
    "CREDIT_CARD": "CARD",
    "IBAN_CODE": "IBAN",
    "IP_ADDRESS": "IP",
    "MAC_ADDRESS": "MAC",
    "LOCATION": "ADDRESS",
    "CRYPTO": "WALLET",
    "MEDICAL_LICENSE": "LICENSE",
    "DATE_TIME": "DATE",
    "UUID": "ID",
}
"""Presidio's entity types → categories of this package; those of one country, ``US_PASSPORT``, go by how they end."""
_ENDINGS = {"PASSPORT": "PASSPORT", "LICENSE": "LICENSE", "BANK_NUMBER": "BANK"}
# A date, a link or an id is nobody's in itself: a log without timestamps and ids is of no use.
_ON_REQUEST = frozenset(("DATE_TIME", "URL", "UUID"))


def category(entity: str) -> str:
    """Return the category of this package for one of Presidio's entity types."""
    known = CATEGORIES.get(entity)
    if known is not None:
        return known
    if entity[2:3] != "_":
        return "PERSONAL"
    return next((found for ending, found in _ENDINGS.items() if entity.endswith(ending)), "NATIONAL_ID")


def presidio(
    analyzer: Analyzer,
    *,
    language: str = "en",
    threshold: float = 0.5,
    entities: Sequence[str] = (),
    keywords: Sequence[str] = (),
) -> CustomDetector:
    """Return a detector that asks *analyzer*, for the ``detectors`` of a policy made in code.

    A language model takes milliseconds a text, where the detectors of this package take microseconds: name the
    *entities* that you need, and *keywords* if only some texts are worth asking about. Dates, links and UUIDs are left
    alone unless they are among the *entities*.
    """

    def find(text: str) -> Iterable[tuple[int, int, str]]:
        options: dict[str, object] = {"entities": list(entities)} if entities else {}
        for result in analyzer.analyze(text=text, language=language, **options):
            kind = result.entity_type
            if result.score >= threshold and (kind not in _ON_REQUEST or kind in entities):
                yield result.start, result.end, category(kind)

    return CustomDetector(name="presidio", category="PERSONAL", keywords=tuple(keywords), find=find)
