"""Where a sensitive name and its value are parted: ``password=…``, ``"api_key": "…"``, ``put("token", "…")``."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from agentlogsafe.redaction import vocabulary as v
from agentlogsafe.redaction.detectors.base import either

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ALIGNED = " " * 8
"""What parts names from signs that stand below each other, as in settings files."""
_DROPPED = " \t\"'`\\*_:=?!|-)]}>.+~"
_DIGITS = "0123456789"
_WHOLE = 4
_QUOTES = ('"', "'", "`")
# A comma parts a name from a value where the name is quoted or a CONSTANT, and the value quoted. The patterns are of
# the reversed text, where what the sign stands behind comes after it.
_SIGNS = (
    ("=", "="),
    (":", ":"),
    (">", r">(?:(?=[^-= <])|(?=-)(?<=[\"'`]\s>))"),
    (",", r",(?:(?<=[\"'`],)|(?<=[\"'`]\s,))"),
    ("(", r"\((?:(?<=[\"'`]\()|(?<=[\"'`][bB@]\())"),
)


_DIRECTIVE = re.compile(r"(?:#define|\b(?:ENV|setx|env add))[ \t]{1,8}([A-Za-z][\w.-]{1,63})[ \t]{1,8}(?=\S)")
"""What sets a name to a value with no sign between them: ``#define API_KEY "…"``, ``ENV DB_PASSWORD …``."""


_CELL = re.compile(
    r"\|[ \t]{1,8}[`*]{0,2}([A-Za-z][\w.-]{1,63})[`*]{0,2}[ \t]{1,40}\|[ \t]{1,8}`?(?=[^\s|`]{0,64}[0-9])"
)
"""A row of a table: ``| DB_PASSWORD | … |``, when its value has a digit."""
_ARROW = re.compile(r"(?<![\w.$-])([A-Za-z][\w.]{1,63})[ \t]{1,8}<-[ \t]{1,8}(?=[\"'])")
"""How R assigns."""


def endings(more: Iterable[str] = ()) -> frozenset[str]:
    """Return how the words end that can end a sensitive name: four letters, or the whole of a short word."""
    names = {
        *v.SECRET_WORDS,
        *v.SECRET_PHRASES,
        *v.PERSONAL_PHRASES,
        *"key keys token tokens secret password authorization value text string str header env var".split(),
        *"old new current confirm hash hashed raw plain plaintext field base64 b64 name number code".split(),
        *"passwd passphrase".split(),
        *(login + tail for login in v.LOGINS for tail in ("pwd", "pw")),
        *"l_id l-id x_id x-id t-api t_api no nr".split(),
        "l id",
        "x id",  # a national or tax id: ``_id`` alone ends too many names
        *more,
    }
    return frozenset(name[-4:] for name in names)


ENDINGS = endings()


@lru_cache(maxsize=64)
def _patterns(endings_: frozenset[str], *, aligned: bool) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return the pattern of each sign, behind something that ends as one of *endings_* does, in lower case.

    They let through a little too much, and spare what is no name a dozen steps of Python.
    """
    gap = "(?:[ \\t]{8,48}(?![ \\t]))?" if aligned else ""
    whole = either(ending[::-1] for ending in endings_ if len(ending) == _WHOLE)
    any_of_them = either(ending[::-1] for ending in endings_)
    # Four letters with no counter behind them are certain, and take part as a group.
    name = f"{gap}[{re.escape(_DROPPED)}]{{0,8}}()(?:({whole})|[0-9]{{0,6}}{any_of_them})"
    return tuple((sign, re.compile(f"{pattern}(?={name})")) for sign, pattern in _SIGNS)


def separators(text: str, endings_: frozenset[str] = ENDINGS) -> Iterator[tuple[int, int]]:
    """Yield where the name ends and the value may start, for each separator behind a sensitive ending."""
    if ("#" in text and "#define" in text) or ("_" in text and ("ENV" in text or "setx" in text or "env add" in text)):
        for directive in _DIRECTIVE.finditer(text):
            if _sensitive(text[max(0, directive.end(1) - 6) : directive.end(1)], endings_):
                yield directive.end(1), directive.end()
    if "|" in text and "| " in text:
        for cell in _CELL.finditer(text):
            if _sensitive(text[max(0, cell.end(1) - 6) : cell.end(1)], endings_):
                yield cell.end(1), cell.end()
    if "<" in text and "<-" in text:
        for arrow in _ARROW.finditer(text):
            if _sensitive(text[max(0, arrow.end(1) - 6) : arrow.end(1)], endings_):
                yield arrow.end(1), arrow.end()
    quoted = ("," in text or "(" in text) and ('"' in text or "'" in text or "`" in text)
    if not (quoted or "=" in text or ":" in text or ">" in text):
        return
    patterns = _patterns(endings_, aligned=ALIGNED in text)
    back = text.replace("\u0130", "i").lower()[::-1]  # in lower case that letter alone would be two
    size = len(text)
    plain = text.isascii()
    for sign, pattern in patterns if quoted else patterns[:3]:
        if sign not in text:
            continue
        certain = plain and sign != ","
        for place in pattern.finditer(back):
            end = size - place.end(1)
            if certain and place.lastindex == 2:  # noqa: PLR2004 - the group of four letters
                yield end, size - place.start()
                continue
            at = size - place.end()
            if sign == ",":
                before = text[at - 2 if text[at - 1] == " " else at - 1]
                if before not in _QUOTES and not before.isupper():
                    continue
            if _sensitive(text[end - 6 if end > 6 else 0 : end], endings_):  # noqa: PLR2004 - an ending and a counter
                yield end, at + 1


def _sensitive(name: str, endings_: frozenset[str]) -> bool:
    """Return whether *name*, the last six characters of one, ends as one of *endings_* does."""
    word = name.rstrip(_DIGITS)[-4:]
    ending = word.lower()
    return (
        ending in endings_
        or (ending[-3:] in endings_ and not (word[:1].islower() and word[1:2].islower()))
        or (ending[-2:] in endings_ and not (word[1:2].isalpha() and word.isascii()))
    )
