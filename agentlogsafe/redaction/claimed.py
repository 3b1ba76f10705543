"""What need not be looked at: values that are tokens anyway, and names whose values are masked already."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST = 128
_QUOTES = ('"', "'")
_ENDS = " \n\r\t\"'`<>|"
# What `assignments` takes for granted before a mask and behind it, as it mostly is; and where a mask may end a name.
_LEADS = frozenset(("", " ", '"', "'", ' "', " '", " Bearer ", " Basic ", " Token "))
_CLOSINGS = " \n\r\t,;&)]}"
_BESIDE = re.compile(
    r"\][^\W\d_]{0,4}[0-9]{0,6}[ \t\"'`\\*_:=?!|\-)\]}>.+~]{0,8}[ \t]{0,48}(?:[=:>]|,\s?[\"'`]|\([\"'`])"
)


def token_at(text: str, start: int, name: str, tokens: Mapping[int, int]) -> tuple[int, int] | None:
    """Return where the token is that is all of the value at *start*."""
    if text[start : start + 1] == " ":
        bearer = text[start : start + 8] == " Bearer " and name.endswith(("authorization", "auth"))
        start += 8 if bearer else 1
    quote = text[start : start + 1]
    if quote in _QUOTES:
        start += 1
    end = tokens.get(start, 0)
    after = text[end : end + 1]
    if not end:
        return None
    if quote in _QUOTES:
        return (start, end) if after == quote else None
    if after in _ENDS or (after in ",;" and end - start < _LONGEST and text[end + 1 : end + 2] in _ENDS):
        return start, end
    return None


def settled(text: str, masked: str, values: list[tuple[int, int, int]], spans: Mapping[int, int]) -> bool:
    """Return whether no name is left in *text* once it is *masked*, without looking.

    So it is when all of its names have *values*, which are *spans* and nothing more, so that what is masked stands for
    done, and when no mask is followed by what can make a name of it.
    """
    for after, start, end in values:
        if spans.get(start) != end or text[after:start] not in _LEADS or end in spans:
            return False
        closing = text[end : end + 1]
        if closing in _QUOTES:
            closing = "" if end + 1 in spans else text[end + 1 : end + 2]
        if closing not in _CLOSINGS:
            return False
    return not _BESIDE.search(masked)
