"""Patterns that are tried only where a word stands that their matches start with.

To look for a word costs a twentieth of what the search for such a pattern does; where google-re2 has said already which
of the words a text has, it costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Iterator, Mapping

    from agentlogsafe.redaction.work import Work

Rows: TypeAlias = "Mapping[re.Pattern[str], tuple[tuple[str, ...], tuple[str, ...]]]"
_Bits: TypeAlias = "tuple[int, tuple[tuple[int, str], ...]]"

# In most texts: to be told that they are there helps little, and costs 50 ns each.
_COMMON = frozenset(
    (*"account b card code date enter f id my n nat one the type use user your".split(), *"\t | | as| by| is| your|code |user ".split("|"))  # noqa: E501 - one row of a table
)  # fmt: skip


class Worded:
    """A table of patterns: in lower case, a match has one of its row's first words, and starts with one of the rest."""

    __slots__ = ("_always", "_bits", "_held", "_more", "_rows", "words")

    def __init__(self, rows: Rows, more: Iterable[str]) -> None:
        """Take the rows of the table, and *more* words to know of."""
        self._rows = rows
        more = frozenset(more)
        every = more.union(*(words for row in rows.values() for words in row))
        self.words = tuple(sorted(word for word in every - _COMMON if word.isascii()))
        """The words that are looked for in ASCII text, in lower case, but those that are in most texts."""
        self._bits = {word: 1 << place for place, word in enumerate(self.words)}
        self._bits |= {word: 0 for word in every if not word.isascii()}
        self._always = 1 << len(self.words)
        self._more = self._of(tuple(more))[0]
        self._held = {pattern: (self._of(needed), self._of(starts)) for pattern, (needed, starts) in rows.items()}

    def _of(self, words: tuple[str, ...]) -> _Bits:
        """Return the bits of all *words*, and of each."""
        bits = {word: self._bits.get(word, self._always) for word in words}
        return sum(set(bits.values())), tuple((bit, word) for word, bit in bits.items())

    def may_have_more(self, text: str, work: Work) -> bool:
        """Return whether *text* may have one of the other words."""
        return work.said is None or text is not work.text or (work.said | self._always) & self._more != 0

    def matches(self, pattern: re.Pattern[str], text: str, low: str, work: Work) -> Iterable[re.Match[str]]:
        """Return what ``pattern.finditer(text)`` would; *low* is *text* in lower case, each character in its place."""
        needed, starts = self._rows[pattern]
        if work.said is not None and text is work.text:
            held = work.said | self._always
            (any_needed, _), (any_start, bits) = self._held[pattern]
            if not held & any_needed or not held & any_start:
                return ()
            starts = tuple([word for bit, word in bits if held & bit])
        for part in needed:
            if part in low:
                return _tried(pattern, text, low, starts, work)
        return ()


def _tried(
    pattern: re.Pattern[str], text: str, low: str, starts: tuple[str, ...], work: Work
) -> Iterator[re.Match[str]]:
    places: list[int] = []
    for word in starts:
        at = low.find(word)
        while at >= 0:
            places.append(at)
            at = low.find(word, at + 1)
    if not places:
        return
    places.sort()
    work.spend(len(places))
    last = 0
    for at in places:
        found = pattern.match(text, at) if at >= last else None
        if found:
            work.spend(1)
            yield found
            last = found.end()
