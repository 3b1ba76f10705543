"""The parts of a long text that are worth another look: what is near some places in it.

A later round looks near the masks of the round before, and a reading in plain characters near those that are not. What
is far from all of them has been looked at already, and is no different.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Span = tuple[int, int, str]

SHORTEST = 2_000
"""A shorter text is looked at as a whole."""
WIDE, NARROW = 448, 256
"""How far windows go on each side; narrow ones are enough for numbers, which few words around them decide about."""
# No detector looks farther to decide about a value than so far before the end of a window; what is found beyond would
# have been found before, or is there only because the window ends.
_EDGE = 128
_BREAK = "\n.\n"  # nothing goes on behind it
_FIRST, _SECOND = itemgetter(0), itemgetter(1)


class Windows:
    """The windows of one text, joined to be looked at together."""

    __slots__ = ("_near", "_pieces", "_places", "joined")

    def __init__(self, text: str, places: list[tuple[int, int]], wide: int) -> None:
        """Take what is near *places*, which are in order."""
        self._places = places
        self._near = wide - _EDGE
        pieces: list[tuple[int, int]] = []
        for start, end in places:
            begin, until = max(start - wide, 0), min(end + wide, len(text))
            if pieces and begin <= pieces[-1][1]:
                begin = pieces.pop()[0]
            pieces.append((begin, until))
        self.joined = _BREAK.join([text[begin:until] for begin, until in pieces])
        self._pieces: list[tuple[int, int, int]] = []
        at = 0
        for begin, until in pieces:
            self._pieces.append((at, begin, until if until < len(text) else until + 1))
            at += until - begin + len(_BREAK)

    def back(self, spans: list[Span]) -> list[Span] | None:
        """Return *spans* of the joined windows as spans of the text, or None where a window is too small for one."""
        out: list[Span] = []
        for low, high, category in spans:
            at, begin, until = self._pieces[bisect_right(self._pieces, low, key=_FIRST) - 1]
            start, end = low - at + begin, high - at + begin
            place = bisect_right(self._places, start - self._near, key=_SECOND)
            if place == len(self._places) or self._places[place][0] > end + self._near:
                continue
            if end >= until or (start == begin and begin):
                return None
            out.append((start, end, category))
        return out


def windows(text: str, places: Iterable[tuple[int, int]], wide: int = WIDE) -> Windows | None:
    """Return the windows around *places*, which are in order, or None when they are most of a text, or it is short."""
    most = len(text) // wide
    first = list(islice(places, most + 1)) if len(text) > SHORTEST else []
    if not first or len(first) > most:
        return None
    found = Windows(text, first, wide)
    return found if len(found.joined) * 2 < len(text) else None


def masks(out: list[str]) -> Iterator[tuple[int, int]]:
    """Yield where the masks are in what is joined from *out*: a part of the text, a mask, a part, a mask."""
    at = 0
    for part, mask in zip(out[::2], out[1::2], strict=False):
        at += len(part)
        yield at, at + len(mask)
        at += len(mask)
