"""Numbers in text: cards, IBANs and national numbers, told by outline, checksum and the words around them.

All runs of letters and digits that hold a digit are found once; neighbours that one separator joins are tried together; a candidate costs one
slice of the text's outline and one dict lookup, however many kinds of number there are.
"""  # noqa: E501 - a pattern or a table row reads as one line

from __future__ import annotations

import importlib
import re
import string
from collections.abc import Callable
from typing import TYPE_CHECKING

from agentlogsafe.redaction.detectors.checks import IBAN_LENGTHS, card, iban
from agentlogsafe.redaction.detectors.contact import PHONES, spoken
from agentlogsafe.redaction.detectors.national import NUMBERS

if TYPE_CHECKING:
    from agentlogsafe.redaction.detectors.base import Detector, Number

Span = tuple[int, int, str]
INTERNATIONAL, AMERICAN, NATIONAL, SPOKEN = PHONES
_CALLED = re.compile(r"\(?\d(?:[ ().-]{0,2}\d){5,14}(?![\w-]|[.:]\d)")
Check = Callable[[str], bool]

_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)?")
_OUTLINE = {**{ord(c): "9" for c in string.digits}, **{ord(c): "A" for c in string.ascii_letters}}
_JOINTS = frozenset((" ", "-", ".", "/", ":", "_", "+", ""))
_WINDOW = 7
_CARD_GROUP = 4
_CARD_LEAST = 12
_CLOSE = 12
_LONGEST_PLAIN = 24
_SHORTEST_MIXED = 7
_CARD_CONTEXT = frozenset(
    (
        "card",
        "cards",
        "credit",
        "debit",
        "visa",
        "mastercard",
        "amex",
        "maestro",
        "discover",
        "cc",
        "karte",
        "carte",
        "tarjeta",
        "carta",
    )
)
_IBAN_LONGEST = 42
_ZERO = ord("0")
_LETTER = ord("a")
_DOUBLED = bytes.maketrans(b"0123456789", bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))
_CLASSES = bytes(
    48 if chr(code) in string.digits else 97 if chr(code) in string.ascii_letters else 32 for code in range(256)
)
_FLOATING = re.compile(r"\d+\.\d+$")


def _stdnum(name: str) -> Check | None:
    """Return the check of a python-stdnum module, or None where this release has none."""
    try:
        module = importlib.import_module(f"stdnum.{name}")
    except ImportError:
        return None
    check: Check = module.is_valid
    return check


class Numbers:
    """The number table, compiled: outline → what it can be."""

    __slots__ = ("_by_outline", "_checks", "_heads", "_phones")

    def __init__(self, disabled: frozenset[str] = frozenset()) -> None:
        """Resolve every validator now, so that nothing is imported while logging."""
        self._phones = not disabled & {"PHONE", "contact"}
        self._by_outline: dict[str, list[Number]] = {}
        self._checks: dict[str, Check | None] = {}
        for number in NUMBERS:
            if disabled & {number.name, number.category, "national"}:
                continue
            check = number.valid
            if isinstance(check, str):
                check = _stdnum(check)
                if check is None and number.valid != "sg.nric":
                    continue
                check = check or _singapore
            self._checks[number.name] = check
            for outline in number.outlines:
                self._by_outline.setdefault(outline, []).append(number)
        self._heads = frozenset(outline[:4] for outline in self._by_outline)
        for rows in self._by_outline.values():
            rows.sort(key=lambda row: not row.alone)

    def find(self, text: str, context: str = "") -> list[Span]:
        """Return the spans of numbers in *text*; *context* is the name that the text stood under."""
        chunks = _chunks(text)
        if not chunks:
            return []
        spans: list[Span] = []
        outline = text.translate(_OUTLINE)
        at = 0
        while at < len(chunks):
            start, end = chunks[at]
            size = end - start
            first = text[start]
            if size > _LONGEST_PLAIN and first.isdigit():
                found = None
            elif first.isdigit():
                found = (_phone_at(text, start, spans) if self._phones else None) or self._at(
                    text, outline, chunks, at, context
                )
                if found is None and self._phones:
                    found = _spoken_at(text, start)
            elif (
                size < _SHORTEST_MIXED
                and (at + 1 == len(chunks) or text[end : chunks[at + 1][0]] not in _JOINTS)
                and outline[end : end + 2] not in (" A", "-A")
            ):
                found = None
            else:
                found = self._at(text, outline, chunks, at, context)
            if found is None:
                at += 1
                continue
            spans.append(found)
            while at < len(chunks) and chunks[at][0] < found[1]:
                at += 1
        return spans

    def _at(self, text: str, outline: str, chunks: list[tuple[int, int]], at: int, context: str) -> Span | None:
        start, end = chunks[at]
        if outline[start : start + 2] == "AA" and outline[start + 2 : start + 4] == "99":
            found = _iban_at(text, start)
            if found:
                return found
        spaced = start > 2 and outline[start - 3 : start - 1] == "AA" and text[start - 1] == " "  # noqa: PLR2004 - ``AB 12 34 56 C``
        if (
            outline[start : start + 4] not in self._heads
            and not spaced
            and end - start != _CARD_GROUP
            and end - start < _CARD_LEAST
        ):
            return None
        last = at
        while last + 1 < len(chunks) and last - at < _WINDOW - 1 and text[end : chunks[last + 1][0]] in _JOINTS:
            last += 1
            end = chunks[last][1]
        follow = outline[end : end + 2]
        if last == at and end - start < 6 and follow not in (" A", "-A"):  # noqa: PLR2004 - said beside it, or a plain length
            return None
        begin = start - 3 if start >= 3 and outline[start - 3 : start - 1] == "AA" and text[start - 1] == " " else start  # noqa: PLR2004 - said beside it, or a plain length
        outlines = self._by_outline
        issued = "2" <= text[start] <= "9" or text.startswith("1800", start)
        for end_chunk in range(last, at - 1, -1):
            end = chunks[end_chunk][1]
            size = end - start
            if size < 6:  # noqa: PLR2004 - said beside it, or a plain length
                break
            if size > 64:  # noqa: PLR2004 - said beside it, or a plain length
                continue
            found = self._kind(text, outline, start, end, context) if outline[start:end] in outlines else None
            if found is None and issued and 12 <= size <= 23:  # noqa: PLR2004 - said beside it, or a plain length
                found = self._card(text, start, end, context)
            follow = outline[end : end + 2]
            if found is None and follow in (" A", "-A") and outline[end + 2 : end + 3] != "A":
                found = self._kind(text, outline, begin, end + 2, context)
            if found is None and follow[:1] == "(":
                found = self._kind(text, outline, start, end + 3, context)
            if found:
                return found
        return None

    def _card(self, text: str, start: int, end: int, context: str) -> Span | None:
        value = text[start:end]
        digits = value.replace(" ", "").replace("-", "")
        if not digits.isdigit() or not digits.isascii() or not 12 <= len(digits) <= 19:  # noqa: PLR2004 - said beside it, or a plain length
            return None
        if value != digits and (value[4] not in " -" or not value[:4].isdigit()):
            return None
        if not _luhn(digits) or not _bounded(text, start, end):
            return None
        if card(digits) or (len(set(digits)) > 2 and _CARD_CONTEXT & _around(text, start, end, context)):  # noqa: PLR2004 - said beside it, or a plain length
            return start, end, "CARD"
        return None

    def _kind(self, text: str, outline: str, start: int, end: int, context: str) -> Span | None:
        rows = self._by_outline.get(outline[start:end])
        if rows is None or not _bounded(text, start, end):
            return None
        value = text[start:end].upper()
        compact = "".join(filter(str.isalnum, value))
        whole = start == 0 and end == len(text)
        words: set[str] | None = None
        for row in rows:
            if not row.alone or (row.valid is None and not whole):
                words = _around(text, start, end, context) if words is None else words
                if not _mentions(words, row.context):
                    continue
            check = self._checks[row.name]
            try:
                if check is None or check(compact):
                    return start, end, row.category
            except Exception:  # noqa: BLE001, S112 - fail closed, whatever it was
                continue
        return None


def _chunks(text: str) -> list[tuple[int, int]]:
    """Return the spans of runs of ASCII letters and digits that hold a digit, with at most eight letters before the first."""  # noqa: E501 - a pattern or a table row reads as one line
    out: list[tuple[int, int]] = []
    raw = text.encode("ascii", "replace").translate(_CLASSES) + b" "
    end = 0
    size = len(text)
    while (start := raw.find(b"0", end)) >= 0:
        end = raw.find(b" ", start)
        if start and raw[start - 1] == _LETTER:
            least = max(start - 9, 0)
            start = least + len(raw[least:start].rstrip(b"a"))
        if start and text[start - 1].isalnum() or end < size and text[end].isalnum() or end - start > 64:  # noqa: PLR2004, RUF021 - said beside it, or a plain length
            continue
        out.append((start, end))
    return out


def _phone_at(text: str, start: int, spans: list[Span]) -> Span | None:
    """Return the telephone number whose first digit is at *start*, whatever stands before it.

    A digit and a space before it make it a part of a longer number, unless they belong to the number that was just found.
    """  # noqa: E501 - a pattern or a table row reads as one line
    offset = 0
    if spans and 0 < start - spans[-1][1] <= 2:  # noqa: PLR2004 - a separator, perhaps a parenthesis
        offset = spans[-1][1]
        text = text[offset : start + 40]
        start -= offset
    found = _phone(text, start)
    return (found[0] + offset, found[1] + offset, "PHONE") if found else None


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
            or _shaped(INTERNATIONAL, text, start)
            or (_shaped(AMERICAN, text, start) if text.startswith("001", start) else None)
        )
    return _shaped(AMERICAN, text, start) if first in "123456789" else None


def _shaped(detector: Detector, text: str, start: int) -> tuple[int, int] | None:
    match = detector.compiled.match(text, start)
    return match.span() if match and detector.valid is not None and detector.valid(match[0]) else None


def _spoken_at(text: str, start: int) -> Span | None:
    """Return the number at *start* when the words before it say that it is for calling."""
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
    before = text[max(0, start - 56) : start]
    spoke = SPOKEN.compiled.search(before + "5550100")
    return (*match.span(), "PHONE") if spoke and spoke.end() == len(before) + 7 else None


def _bounded(text: str, start: int, end: int) -> bool:
    """Return whether the candidate is not a part of a longer number, an identifier or a decimal fraction."""
    before = text[start - 1 : start]
    after = text[end : end + 2]
    if before in (".", "-", "_", "+", "/", "$") and (start < 2 or text[start - 2].isalnum() or before in ("+", "$")):  # noqa: PLR2004 - said beside it, or a plain length
        return False
    if after[:1] in (".", "-", "_", ":", "/") and len(after) > 1 and after[1].isalnum():
        return False
    return not _FLOATING.match(text, start, end)


def _around(text: str, start: int, end: int, context: str) -> set[str]:
    """Return the words before and after a candidate, and those of the name that the text stood under."""
    near = f"{context} {text[max(0, start - 64) : start]} {text[end : end + 40]}"
    near = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", near).lower()
    return set(_WORD.findall(near.replace("_", " ")))


def _mentions(words: set[str], context: str) -> bool:
    """Return whether one of the *context* words is among *words*; longer ones match compounds too."""
    for word in context.split():
        if word in words or (len(word) > 4 and any(word in other for other in words)):  # noqa: PLR2004 - said beside it, or a plain length
            return True
        if not word.isascii() and any(word in other for other in words):
            return True
    return False


def _luhn(digits: str) -> bool:
    """Return whether the last of the ASCII *digits* is Luhn's checksum of the others."""
    raw = digits.encode()
    return (sum(raw[-1::-2]) - _ZERO * ((len(raw) + 1) // 2) + sum(raw[-2::-2].translate(_DOUBLED))) % 10 == 0


def _iban_at(text: str, start: int) -> Span | None:
    """Return the IBAN that starts at *start*, written with or without spaces, with whatever follows it left alone."""
    length = IBAN_LENGTHS.get(text[start : start + 2].upper())
    if length is None:
        return None
    taken: list[str] = []
    at = start
    stop = min(len(text), start + _IBAN_LONGEST + 6)
    while at < stop and len(taken) < length:
        c = text[at]
        if c.isalnum():
            taken.append(c)
        elif c not in " -":
            return None
        at += 1
    if at < len(text) and text[at].isalnum():
        return None
    value = "".join(taken)
    return (
        (start, at, "IBAN")
        if len(value) == length and (value.isupper() or value.islower()) and iban(value.upper())
        else None
    )


def _singapore(text: str) -> bool:
    """Return whether *text* is a Singapore NRIC or FIN: the letter's checksum for its series."""
    total = sum(int(d) * w for d, w in zip(text[1:8], (2, 7, 6, 5, 4, 3, 2), strict=True))
    series = text[0]
    if series in "ST":
        return "JZIHGFEDCBA"[(total + (4 if series == "T" else 0)) % 11] == text[8]
    if series in "FG":
        return "XWUTRQPNMLK"[(total + (4 if series == "G" else 0)) % 11] == text[8]
    return series == "M" and "KLJNPQRTUWX"[10 - (total + 3) % 11] == text[8]
