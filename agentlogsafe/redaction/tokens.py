"""Tokens that are told by their shape: what they start with, what is in them, what stands beside them."""

from __future__ import annotations

import re
import string
from operator import itemgetter
from typing import TYPE_CHECKING, TypeAlias

from agentlogsafe.redaction import disguise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentlogsafe.redaction.detectors import Tables
    from agentlogsafe.redaction.detectors.base import Detector
    from agentlogsafe.redaction.work import Work

Span = tuple[int, int, str]
Row: TypeAlias = "tuple[str, Detector]"

_NEAR = 2010
_SHORTEST = 16
_RUNS = disguise.Runs(string.ascii_letters + string.digits + "_.+/=%:!~$|-", _SHORTEST)
_COLOUR = re.compile("[0-9]{1,3}m")  # how a sequence for terminals ends, where its escape is written out
_SIGNS = "\"'=+_-."
_FIRST = itemgetter(0)


class Tokens:
    """The token tables of one policy, ready to be applied to text."""

    __slots__ = ("_every", "_gated", "_rows", "_tables")

    def __init__(self, tables: Tables) -> None:
        """Sort what is looked for by its literals by a sign in them."""
        self._tables = tables
        signs: dict[str, list[Row]] = {}
        for _, detector in self._tables.gated:
            for literal in detector.gate:
                signs.setdefault(_sign(literal), []).append((literal, detector))
        self._gated = tuple((sign, tuple(found)) for sign, found in signs.items())
        self._rows = tuple(row for _, rows in self._gated for row in rows)
        self._every = (1 << len(self._rows)) - 1

    @property
    def literals(self) -> list[str]:
        """Return all that is looked for by its literals."""
        return [literal for literal, _ in self._rows]

    def find(self, text: str, work: Work, spans: list[Span], held: int | None = None) -> None:
        """Look at each long run of token characters: by what it starts with, and by what it holds.

        Where it is known which of the `literals` the text has, *held* is their bits, and perhaps others behind them.
        """
        low = text.lower()
        work.runs = runs = _RUNS.find(text)
        if runs:
            self._runs(text, runs, work, spans)
        for literal, detector in self._held(low) if held is None else _of_bits(self._rows, held & self._every):
            at = low.find(literal)
            if at >= 0:
                self._at_literal(text, low, at, literal, detector, work, spans)

    def _held(self, low: str) -> Iterator[Row]:
        """Yield what *low* may have the literal of."""
        for sign, rows in self._gated:
            if sign in low:
                yield from rows

    def _runs(self, text: str, runs: list[tuple[int, int]], work: Work, spans: list[Span]) -> None:
        tokens = [text[begin:end] for begin, end in runs]
        joined = "\n".join(tokens).lower()
        within = [row for sign, rows in self._tables.within if sign in joined for row in rows if row[2] in joined]
        within.sort(key=_FIRST)
        start, firsts = self._tables.start.match, self._tables.firsts
        opening = self._tables.opening["%" in joined].finditer
        taken = -1
        work.spend(2 * len(runs))
        for (begin, end), token in zip(runs, tokens, strict=True):
            found = self._start(text, begin) if begin >= taken and token[0] in firsts and start(text, begin) else None
            if found is None and begin and text[begin - 1] in "[;":
                coloured = _COLOUR.match(text, begin)
                found = self._start(text, coloured.end()) if coloured else None
            if found:
                spans.append(found)
                taken = found[1]
            if not token.encode().isalnum():  # in a third of the time
                for match in opening(text, begin, end - _SHORTEST + 3):
                    work.spend(1)
                    found = self._start(text, match.end()) if match.end() >= taken else None
                    if found:
                        spans.append(found)
                        taken = found[1]
            size = end - begin
            low = ""
            for _, least, literal, detector in within:
                if least > size:
                    break
                low = low or token.lower()
                if literal in low:
                    work.spend(2 + (size >> 6))
                    spans.extend(
                        (*inner.span(detector.part), detector.category)
                        for inner in detector.compiled.finditer(text, begin, end)
                        if holds(detector, inner[detector.part])
                    )

    @staticmethod
    def _at_literal(  # noqa: PLR0917 - one place, called from one
        text: str, low: str, at: int, literal: str, detector: Detector, work: Work, spans: list[Span]
    ) -> None:
        """Look for *detector* in a *text* that has its literal; an anchored one only where that stands."""
        if not detector.anchored or len(low) != len(text):
            search(detector, text, work, spans)
            return
        match, part, category = detector.compiled.match, detector.part, detector.category
        tried = 0
        while at >= 0:
            tried += 1
            here = match(text, at)
            if here and holds(detector, here[part]):
                start, end = here.span(part)
                spans.append((start, end, category))
                at = here.end() - 1
            at = low.find(literal, at + 1)
        work.spend(tried)

    def _start(self, text: str, at: int) -> Span | None:
        """Return the span of the provider token that starts at *at*."""
        starts = self._tables.starts
        for size in (3, 2, 1):
            for detector in starts.get(text[at : at + size], ()):
                if detector.needs and text.find(detector.needs, at, at + _NEAR) < 0:
                    continue
                found = detector.compiled.match(text, at)
                if found and holds(detector, found[detector.part]):
                    return (*found.span(detector.part), detector.category)
        return None


def _of_bits(rows: tuple[Row, ...], bits: int) -> Iterator[Row]:
    while bits:
        yield rows[(bits & -bits).bit_length() - 1]
        bits &= bits - 1


def _sign(literal: str) -> str:
    """Return a sign that is in *literal*: looking for one character is ten times as fast as for several."""
    return next((sign for sign in _SIGNS if sign in literal), "")


def holds(detector: Detector, value: str) -> bool:
    """Return whether *value* passes the detector's own check, if it has one."""
    if detector.valid is None:
        return True
    try:
        return detector.valid(value)
    except Exception:  # noqa: BLE001 - a validator that stumbles over a value does not know it
        return False


def search(detector: Detector, text: str, work: Work, spans: list[Span]) -> None:
    """Add the spans of all that *detector* matches in *text*."""
    for match in detector.compiled.finditer(text):
        work.spend(2)
        if holds(detector, match[detector.part]):
            spans.append((*match.span(detector.part), detector.category))
