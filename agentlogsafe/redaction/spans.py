"""What is found in a text, as spans: where it starts, where it ends, and what it is."""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import islice

Span = tuple[int, int, str]

NUMERIC = frozenset(("PHONE", "NATIONAL_ID", "TAX_ID", "CARD", "BANK", "PASSPORT", "LICENSE"))
"""The categories of what is written in digits."""
_RUN_OF_DIGITS = re.compile(r"[\d ().+/_:-]*")
_RUN_OF_SIGNS = re.compile(r"[\w+/=.~-]*")
_JOINING = " ().+/_:=~-"


def unmasked(text: str, spans: list[Span], masked: re.Pattern[str]) -> list[Span]:
    """Return *spans* without what is *masked* already in *text*, and without those of which nothing is left."""
    masks = [match.span() for match in masked.finditer(text)]
    if not masks:
        return spans
    ends = [high for _, high in masks]
    kept: list[Span] = []
    for start, end, category in spans:
        at = start
        for low, high in islice(masks, bisect_right(ends, start), None):
            if low >= end:
                break
            if any(map(str.isalnum, text[at:low])):
                kept.append((at, low, category))
            at = high
        if at < end and any(map(str.isalnum, text[at:end])):
            kept.append((at, end, category))
    return kept


def grown(text: str, spans: list[Span]) -> list[Span]:
    """Return *spans* with what they run on from and into.

    That is digits and what groups them, or unbroken rows of token characters.
    """
    out: list[Span] = []
    reached = 0
    for start, end, category in sorted(spans):
        if end <= reached:
            continue
        run = _RUN_OF_DIGITS if category in NUMERIC else _RUN_OF_SIGNS
        begin = max(start, reached)
        before = run.match(text[reached:begin][::-1])
        after = run.match(text, end)
        begin -= len(before[0].rstrip(_JOINING)) if before else 0
        reached = end + (len(after[0].rstrip(_JOINING)) if after else 0)
        out.append((begin, reached, category))
    return out
