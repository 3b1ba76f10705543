"""Use a Presidio analyzer as one more detector; the analyzer is the application's own, and nothing of it is imported here."""  # noqa: E501 - a pattern or a table row reads as one line

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
    """What is used of a ``presidio_analyzer.AnalyzerEngine``, or of one recognizer behind a function of the same shape."""  # noqa: E501 - a pattern or a table row reads as one line

    def analyze(self, text: str, language: str, **options: object) -> Sequence[Result]:
        """Return the findings in *text*."""


CATEGORIES: Mapping[str, str] = {
    "PERSON": "NAME", "EMAIL_ADDRESS": "EMAIL", "PHONE_NUMBER": "PHONE", "CREDIT_CARD": "CARD", "IBAN_CODE": "IBAN", "IP_ADDRESS": "IP", "LOCATION": "ADDRESS",  # noqa: E501 - a pattern or a table row reads as one line
    "CRYPTO": "WALLET", "US_SSN": "NATIONAL_ID", "US_BANK_NUMBER": "BANK", "US_PASSPORT": "PASSPORT", "US_DRIVER_LICENSE": "LICENSE", "DATE_TIME": "BIRTH_DATE",  # noqa: E501 - a pattern or a table row reads as one line
}  # fmt: skip


def presidio(
    analyzer: Analyzer,
    *,
    language: str = "en",
    threshold: float = 0.5,
    entities: Sequence[str] = (),
    keywords: Sequence[str] = (),
) -> CustomDetector:
    """Return a detector that asks *analyzer*, for the ``detectors`` of a policy made in code.

    A language model takes milliseconds a text, where the detectors of this package take microseconds: name the *entities* that you need, and *keywords* if
    only some texts are worth asking about.
    """  # noqa: E501 - a pattern or a table row reads as one line

    def find(text: str) -> Iterable[tuple[int, int, str]]:
        options: dict[str, object] = {"entities": list(entities)} if entities else {}
        for result in analyzer.analyze(text=text, language=language, **options):
            if result.score >= threshold:
                yield result.start, result.end, CATEGORIES.get(result.entity_type, "PERSONAL")

    return CustomDetector(name="presidio", category="PERSONAL", keywords=tuple(keywords), find=find)
