"""How much work one text may cost, and all texts of one call: in proportion to their length, whatever is in them.

A unit is about a microsecond of Python: a candidate looked at, a checksum tried, a value judged. Text full of values
takes 0.15 to 0.5 units a character, a column of nothing but secrets 0.6, a table of nothing but numbers that have to be
checked 0.3 to 1.1. What is above the allowance was made to be slow, or comes close to that, and is withheld.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentlogsafe.redaction.detectors.base import Validator

_FREE = 1_500
_EVERY = 1.25  # so many units a character
_CALL = 4_000
_TOGETHER = 1  # so many units a character of texts that are not clean at first sight
_EACH = 28  # units that each of them brings along besides: a short one costs more for its length


class ExhaustedError(Exception):
    """A text has cost what it may; it never leaves the scanner."""


class Work:
    """What is left of a text's allowance, and how far its redaction has come."""

    __slots__ = (
        "_before",
        "_known",
        "_past",
        "_saved",
        "again",
        "called",
        "clean",
        "left",
        "names",
        "runs",
        "said",
        "text",
        "values",
    )

    def __init__(self, text: str, names: list[tuple[int, int]] | None = None, most: int | None = None) -> None:
        """Start with the allowance of *text*, or with *most*; *names* are its `separators`, where they are known."""
        self.text = text
        self.clean = False
        """Whether what became of the text is clean at first sight."""
        self.names = names or []
        self.runs: list[tuple[int, int]] = []
        """Where the tokens of what was read last are."""
        self.values: list[tuple[int, int, int]] | None = None
        """Where the text's separators and their values are, when all have one."""
        self.said: int | None = None
        self.called: int | None = None
        """Which words of sentences, and for calling, are in the text, as bits, where they are known."""
        self.left = allowance(text)
        if most is not None and most < self.left:
            self.left = most
        self._before = self.left
        self._past = 0
        self._known: dict[tuple[Validator, str], bool] = {}
        self._saved = 0
        self.again = 0
        """What the text costs at most when it is redacted again."""

    def spend(self, units: int) -> None:
        """Take *units* off what is left.

        Raises:
            ExhaustedError: when there is nothing left.
        """
        self.left -= units
        if self.left < 0:
            raise ExhaustedError

    def known(self, check: Validator, number: str, units: int) -> bool:
        """Return whether *number* passes *check*, which costs *units* when it was not asked in an earlier round."""
        found = self._known.get((check, number))
        if found is not None:
            self._saved += units
            return found
        self.spend(units)
        try:
            found = check(number)
        except Exception:  # noqa: BLE001 - a checksum that stumbles over a number does not know it
            found = False
        self._known[check, number] = found
        return found

    def refuted(self, check: Validator | None, number: str) -> bool:
        """Return whether *number* is known to fail *check*."""
        return check is not None and self._known.get((check, number)) is False

    def round(self, text: str) -> None:
        """Start another round, over *text*, with what is left, but never with more than it would get by itself.

        So a redacted text that is redacted again is not withheld for what its last round did cost.
        """
        self.text = text
        self.names = []
        self.values = self.said = self.called = None
        self._past += self._before - self.left
        self.left = self._before = min(self.left, allowance(text))
        self._saved = 0

    def whole(self) -> None:
        """Note what a round over the whole text has cost, and would cost when it is redacted again.

        Raises:
            ExhaustedError: when that is more than it may.
        """
        self.again = self._before - self.left + self._saved
        if self.again > allowance(self.text):
            raise ExhaustedError

    @property
    def spent(self) -> int:
        """Return what all rounds have cost."""
        return self._past + self._before - self.left

    @property
    def calm(self) -> bool:
        """Return whether another round over the whole of the text would not exhaust it.

        Where it might, that has to be known, and not only what is near the last masks.
        """
        return self.again * 2 < allowance(self.text)


class Budget:
    """What the texts of one call may cost together: the allowance of each would be no help against very many.

    It is kept twice: for this time, and for the next, when what was made of the texts is redacted again. Where that
    would not do, the text in question is withheld now.
    """

    __slots__ = ("_again", "_room", "left")

    def __init__(self, most: int | None = None) -> None:
        """Start with what a call has at least; with *most*, it never gets more than so many units besides."""
        self.left = self._again = _CALL
        self._room = most

    def begin(self, text: str) -> int:
        """Add what *text* brings along, and return how much that is."""
        gain = _brought(len(text))
        room = self._room
        if room is not None:
            gain = min(gain, room)
            self._room = room - gain
        self.left += gain
        return gain

    def end(self, work: Work, text: str, gain: int, *, once: bool) -> bool:
        """Take what a *text*, as it was given, did cost; return whether what became of it can be redacted again.

        What is looked at *once* may be remembered until then, and bring nothing along.
        """
        self.left -= work.spent
        if work.clean:
            return True
        rest = min(_brought(len(work.text)), gain) - work.again
        if once or work.text is not text:  # what was changed may be clean at first sight, and bring nothing along
            rest = min(rest, 0)
        self._again += rest
        if self._again >= 0:
            return True
        self._again -= rest
        return False


def _brought(size: int) -> int:
    """Return the units that a text of some *size* brings along: a long one, what it may cost by itself."""
    return max(_EACH + size * _TOGETHER, int(size * _EVERY))


def allowance(text: str) -> int:
    """Return the units that *text* may cost."""
    return _FREE + int(len(text) * _EVERY)
