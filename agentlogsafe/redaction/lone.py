"""A number that is all of a text, or an integer: timestamps in milliseconds, ids, and now and then a card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentlogsafe.redaction.context import mentions, words_in
from agentlogsafe.redaction.detectors.checks import issued, luhn
from agentlogsafe.redaction.numbers import CARD_CONTEXT, CARD_LENGTHS

if TYPE_CHECKING:
    from agentlogsafe.redaction.numbers import Numbers

_LONGEST = 20
_FIRST = frozenset("123456789")
_ENOUGH = 1024  # names that are remembered


class Lone:
    """What `Numbers.find` would say of a text of nothing but digits, in a tenth of the time."""

    __slots__ = ("_kinds", "_quiet", "_words")

    def __init__(self, numbers: Numbers) -> None:
        """Sort out what can be known of *numbers* without a word beside them."""
        self._kinds = {
            len(shape): tuple((kind.shape, kind.check) for kind in kinds if kind.alone)
            for shape, kinds in numbers.rows.items()
            if not shape.strip(b"9")
        }
        self._words = tuple(
            {word for kinds in numbers.rows.values() for kind in kinds for word in kind.words} | CARD_CONTEXT
        )
        self._quiet: dict[frozenset[str], bool] = {}

    def innocent(self, text: str, context: str) -> bool:
        """Return whether *text*, which is digits, is certainly none of the numbers; *context* is the name above it."""
        size = len(text)
        if size > _LONGEST or text[0] not in _FIRST or not text.isascii() or (context and not self._silent(context)):
            return False
        if size in CARD_LENGTHS and size in issued(text[:4]) and luhn(text):
            return False
        for shape, check in self._kinds.get(size, ()):
            if shape is not None and not shape.match(text):
                continue
            try:
                if check is None or check(text):
                    return False
            except Exception:  # noqa: BLE001, S112 - a checksum that stumbles over a number does not know it
                continue
        return True

    def _silent(self, context: str) -> bool:
        """Return whether a name says nothing about a number."""
        words = frozenset(words_in(context, context.lower()))
        silent = self._quiet.get(words)
        if silent is None:
            if len(self._quiet) >= _ENOUGH:
                self._quiet.clear()
            silent = self._quiet[words] = not mentions(words, self._words)
        return silent
