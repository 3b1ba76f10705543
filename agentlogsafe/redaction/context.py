"""The words around a number, which say what it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)?")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WHOLE_WORD = 4  # so long a context word must stand by itself


def words_in(near: str, low: str) -> set[str]:
    """Return the words in *near*, which is *low* in lower case."""
    words = set(_WORD.findall(low.replace("_", " ")))
    parted = near if low == near else _HUMP.sub(" ", near)
    if parted != near:
        words.update(_WORD.findall(parted.lower().replace("_", " ")))
    return words


def mentions(words: AbstractSet[str], context: tuple[str, ...]) -> bool:
    """Return whether one of the *context* words is among *words*; longer ones match compounds too."""
    for word in context:
        if word in words:
            return True
        if (len(word) > _WHOLE_WORD or not word.isascii()) and any(word in other for other in words):
            return True
    return False
