"""Telephone numbers, at a place in a text where one can start."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agentlogsafe.redaction.detectors.contact import _CALLING, CALLING_WORDS, PHONES, international, spoken

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentlogsafe.redaction.detectors.base import Detector

Span = tuple[int, int, str]
INTERNATIONAL, AMERICAN, NATIONAL, SPOKEN = PHONES
_SIGNED = INTERNATIONAL.compiled.match

_CALLED = re.compile(r"\(?\d(?:[ ().-]{0,2}\d){5,14}(?![\w-]|[.:]\d)")
# Where one of these starts, one of the words may: ``tel`` stands for ``telephone``, too.
_WORDS = CALLING_WORDS.split("|")
_STARTS = [word for word in _WORDS if not any(word != start and word.startswith(start) for start in _WORDS)]
WORDS = tuple([word for word in _STARTS if word.isascii()])
"""Those of ASCII text."""
_FARTHEST = 56
_CLOSE = 12
_BETWEEN = ("(", " ")
_AREA = 3


def phone_at(text: str, start: int, size: int, ended: int) -> Span | None:
    """Return the number whose first *size* digits are at *start*; *ended* is where the number before it does.

    A digit and a space before it make it a part of a longer number, unless they belong to the one that was just
    found.
    """
    before = text[start - 1 : start]
    signed = before == "+" or (before in _BETWEEN and text[start - 2 : start - 1] == "+")
    # Nothing else can be a number's first group: this spares most groups the patterns.
    if not (
        signed
        or text[start] == "0"
        or before == "("
        or (size == _AREA if text[start] > "1" else size in (1, _AREA + 1))
    ):
        return None
    if 0 < start - ended <= 2:  # noqa: PLR2004 - a separator, perhaps a parenthesis
        found = _phone(text[ended : start + 40], start - ended)
        return (found[0] + ended, found[1] + ended, "PHONE") if found else None
    if signed:
        begin = start - (1 if before == "+" else 2)
        match = _SIGNED(text, begin)
        if match is None:
            return None
        # What is certain about its first digits spares most numbers the check: the pattern has counted the rest.
        certain = text[start] in "17" or text[start : start + 2] in _CALLING or text[start : start + 3] in _CALLING
        number = match[0]
        if not (certain and number.isascii()) and not international(number):
            return None
        return begin, match.end(), "PHONE"
    found = _phone(text, start)
    return (*found, "PHONE") if found else None


def _phone(text: str, start: int) -> tuple[int, int] | None:
    first = text[start]
    before = text[start - 1 : start] if start else ""
    if before == "+":
        return _shaped(INTERNATIONAL, text, start - 1)
    if before in ("(", " ") and start > 1 and text[start - 2] == "+":
        return _shaped(INTERNATIONAL, text, start - 2)
    if before == "(":
        found = _shaped(AMERICAN, text, start - 1) or _shaped(NATIONAL, text, start - 1)
        if found:
            return found
    if first == "0":
        return (
            _shaped(NATIONAL, text, start)
            or (_shaped(INTERNATIONAL, text, start) if text.startswith("00", start) else None)
            or (_shaped(AMERICAN, text, start) if text.startswith("001", start) else None)
        )
    return _shaped(AMERICAN, text, start)


def _shaped(detector: Detector, text: str, start: int) -> tuple[int, int] | None:
    match = detector.compiled.match(text, start)
    return match.span() if match and detector.valid is not None and detector.valid(match[0]) else None


def calling_words(text: str, held: int | None = None) -> tuple[str, ...]:
    """Return which of the words for calling are in *text*; *held* are the bits of the `WORDS` where they are known."""
    if held is not None:
        return tuple([word for place, word in enumerate(WORDS) if held >> place & 1])
    low = text.lower()
    return tuple([word for word in (WORDS if low.isascii() else _STARTS) if word in low])


def spoken_at(text: str, start: int, words: Callable[[], tuple[str, ...]]) -> Span | None:
    """Return the number at *start* when one of *words* before it says that it is for calling.

    ``call me on 5551234567``. To find the words costs most, and is left to the end.
    """
    if text[start - 1 : start] == "(":
        start -= 1
    said = start - 1
    while said > start - _CLOSE and said >= 0 and not text[said].isalnum():
        said -= 1
    if said < 0 or not text[said].isalpha():
        return None  # what says that it is for calling is a word
    match = _CALLED.match(text, start)
    if not match or not spoken(match[0]):
        return None
    before = text[max(0, start - _FARTHEST) : start]
    low = before.lower()
    before += "5550100"
    for word in words():
        at = low.find(word)
        while at >= 0:
            spoke = SPOKEN.compiled.match(before, at)
            if spoke and spoke.end() == len(before):
                return (*match.span(), "PHONE")
            at = low.find(word, at + 1)
    return None
