"""Text that hides a value from patterns.

That is zero-width characters, other scripts' digits, percent-encoding, entities, escapes, base64.

A disguised text is unfolded into plain characters together with the place where each came from, so that what is
found in the plain form is cut out of the original.
"""

from __future__ import annotations

import binascii
import html
import re
import string
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentlogsafe.redaction.work import Work

_ODD_BYTES = (
    b"\xe2\x80",
    b"\xe2\x81",
    b"\xe2\x90",
    b"\xef",
    b"\xc2\xad",
    b"\xc2\xa0",
    b"\xcd\x8f",
    b"\xd9",
    b"\xdb",
    b"\xdf",
    b"\xe0",
    b"\xe1",
    b"\xe3",
    b"\xea",
    b"\xf0",
)
# The signs for control characters are among them: text in UTF-16 that was read as something else has a NUL between two.
_ZERO = "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2400-\u2421\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e01ef"  # noqa: E501 - one row of a table
ODD = re.compile(
    f"[{_ZERO}\u00a0\u2007\u2010-\u2012\u2024\u202f\u2212\u3000\u3002\ufe52\ufe63\ufe6b\uff01-\uff5e\uff61\U0001d400-\U0001d7ff]|(?![0-9])\\d"
)
_ZERO_WIDTH = re.compile(f"[{_ZERO}]")
_ESCAPE = r"%[2-7][0-9A-Fa-f]|&#(?:\d{2,3}|[xX][0-9A-Fa-f]{2});|&(?:amp|quot|apos|commat|period|colon|equals|lowbar|hyphen|num|plus);|\\u00[2-7][0-9A-Fa-f]|\\x[2-7][0-9A-Fa-f]"  # noqa: E501 - one pattern
_ESCAPES = re.compile(rf"{_ESCAPE}|\\[nrt]")
ESCAPE = rf"{_ESCAPE}|\\[nrt](?:[0-9]|[A-Za-z0-9_-]{{16}}|[\w.-]{{1,60}}[\"'` ]{{0,3}}[:=]|(?i:pass|secret|born|dob|tel|call))"  # noqa: E501 - one pattern
"""What percent-encoding, entities and escapes look like, the end of a line only where something begins behind it."""
ESCAPED = re.compile(ESCAPE)
"""The same, compiled."""
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{20,20000}={0,2}(?![A-Za-z0-9+/_=-])")
_BASE64_LEAST = 20
_BASE64_RUN = re.compile(r"[A-Za-z0-9+/_=-]{20,}")
_LOW_BYTES = frozenset(string.ascii_uppercase + "abcdef")  # every fourth character, where no byte is beyond ASCII
_PRINTABLE = bytes(range(32, 127)) + b"\t\n\r" + bytes(range(128, 256))
_PLAIN = {
    "\u00a0": " ",
    "\u2007": " ",
    "\u202f": " ",
    "\u3000": " ",
    "\u2010": "-",
    "\u2011": "-",
    "\u2012": "-",
    "\u2212": "-",
    "\u3002": ".",
    "\uff61": ".",
}

Unfolded = tuple[str, list[int]]


class Runs:
    """The longest runs of at least *least* of some ASCII *characters* in a text.

    They are found without a pattern, ten times as fast as with one.
    """

    __slots__ = ("_run", "_table")

    def __init__(self, characters: str, least: int) -> None:
        """Make the table that tells the characters from all others."""
        self._table = bytes(ord("a" if chr(code) in characters else " ") for code in range(256))
        self._run = b"a" * least

    def find(self, text: str) -> list[tuple[int, int]]:
        """Return where each run starts and ends."""
        raw = text.encode("ascii", "replace").translate(self._table) + b" "
        run, find = self._run, raw.find
        out: list[tuple[int, int]] = []
        start = find(run)
        while start >= 0:
            end = find(b" ", start)
            out.append((start, end))
            start = find(run, end)
        return out


def odd(text: str, raw: bytes) -> bool:
    """Return whether non-ASCII *text* (and *raw*, its UTF-8) has any character that `unfold` would change."""
    return any(start in raw for start in _ODD_BYTES) and ODD.search(text) is not None


def unfold(text: str, work: Work) -> Unfolded:
    """Return *text* in plain characters, and for each of them the place in *text* that it came from (and the end)."""
    plain: list[str] = []
    places: list[int] = []
    at = 0
    work.spend(len(text) >> 3)
    for match in ODD.finditer(text):
        work.spend(1)
        place = match.start()
        plain.append(text[at:place])
        places.extend(range(at, place))
        at = place + 1
        character = match[0]
        if _ZERO_WIDTH.match(character):
            continue
        value = unicodedata.decimal(character, None)
        folded = str(value) if value is not None else _PLAIN.get(character) or unicodedata.normalize("NFKC", character)
        plain.append(folded if len(folded) == 1 else character)
        places.append(place)
    plain.append(text[at:])
    places.extend(range(at, len(text) + 1))
    return "".join(plain), places


def escaped(text: str) -> bool:
    """Return whether *text* has percent-encoding, entities or escapes."""
    return ("%" in text or "&" in text or "\\" in text) and ESCAPED.search(text) is not None


def unescape(text: str, work: Work) -> Unfolded:
    """Return *text* with percent-encoding, entities and escapes decoded, and the places as `unfold` does."""
    plain: list[str] = []
    places: list[int] = []
    at = 0
    work.spend(len(text) >> 4)
    for match in _ESCAPES.finditer(text):
        work.spend(1)
        start, end = match.span()
        plain.append(text[at:start])
        places.extend(range(at, start))
        code = match[0]
        if code[0] == "%":
            plain.append(chr(int(code[1:], 16)))
        elif code[0] == "\\" and len(code) == 2:  # noqa: PLR2004 - a line's end, or a tab, as code writes it
            plain.append("\t" if code[1] == "t" else "\n")
        elif code[0] == "\\":
            plain.append(chr(int(code[2:], 16)))  # noqa: FURB166 - no prefix that Python knows
        else:
            plain.append(html.unescape(code)[:1])
        places.append(start)
        at = end
    plain.append(text[at:])
    places.extend(range(at, len(text) + 1))
    return "".join(plain), places


def encoded(text: str, runs: list[tuple[int, int]], work: Work) -> list[tuple[int, int, str]]:
    """Return the spans of *text* that are base64 of readable text, with that text.

    The *runs* of signs that tokens are made of have all the signs of base64 in them.
    """
    out: list[tuple[int, int, str]] = []
    tried = 0
    for begin, until in runs:
        if until - begin < _BASE64_LEAST:
            continue
        whole = text[begin:until].encode().isalnum()  # in a third of the time
        for start, end in ((begin, until),) if whole else (m.span() for m in _BASE64_RUN.finditer(text, begin, until)):
            tried += 1 + (end - start >> 6)
            if not _LOW_BYTES.issuperset(text[start : start + _BASE64_LEAST : 4]):
                continue
            match = _BASE64.match(text, start) if _readable(text[start : start + _BASE64_LEAST]) else None
            decoded = _decode(match[0]) if match else None
            if match and decoded is not None:
                out.append((*match.span(), decoded))
    work.spend(tried)
    return out


def _readable(head: str) -> bool:
    """Return whether the first twenty characters of a token, *head*, are base64 of readable text."""
    try:
        first = binascii.a2b_base64(head.replace("-", "+").replace("_", "/"))
    except (binascii.Error, ValueError):
        return False
    return first.isascii() and _printable(first)


def _decode(token: str) -> str | None:
    try:
        whole = token.rstrip("=").replace("-", "+").replace("_", "/")
        decoded = binascii.a2b_base64(whole + "=" * (-len(whole) % 4)).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
    return decoded if _printable(decoded.encode()) else None


def _printable(raw: bytes) -> bool:
    return not raw.translate(None, _PRINTABLE)
