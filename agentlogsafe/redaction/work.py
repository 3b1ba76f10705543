"""How much work one text may cost: in proportion to its length, whatever is in it.

A unit is about a microsecond of Python: a candidate looked at, a checksum tried, a value judged. Text full of values
takes some 0.1 to 0.35 units a character, so what is above the allowance was made to be slow (or is a table of nothing
but numbers that nearly are something), and is withheld instead.
"""

from __future__ import annotations

_FREE = 400
_EVERY = 2  # so many units a character


class ExhaustedError(Exception):
    """A text has cost what it may; it never leaves the scanner."""


class Work:
    """What is left of a text's allowance, and how far its redaction has come."""

    __slots__ = ("left", "text")

    def __init__(self, text: str) -> None:
        """Start with the allowance of *text*."""
        self.text = text
        self.left = allowance(text)

    def spend(self, units: int) -> None:
        """Take *units* off what is left.

        Raises:
            ExhaustedError: when there is nothing left.
        """
        self.left -= units
        if self.left < 0:
            raise ExhaustedError

    def round(self, text: str) -> None:
        """Start another round, over *text*, with what is left, but never with more than it would get by itself.

        So a redacted text that is redacted again is not withheld for what its last round did cost.
        """
        self.text = text
        self.left = min(self.left, allowance(text))


def allowance(text: str) -> int:
    """Return the units that *text* may cost."""
    return _FREE + len(text) * _EVERY
