"""A command as a list of words, as programs are started: ``["curl", "-u", "bob:…"]``, ``["x", "--password", "…"]``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agentlogsafe.redaction.withheld import UNREDACTABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MOST, _LONGEST, _WORD = 500, 20_000, 400
_BLANK = re.compile(r"\s")
_OPTION = re.compile(r"--?[A-Za-z]\S*\Z")
_MASK = re.compile(r"\[([A-Z][A-Z0-9_]*)")


def secrets(words: list[object], scanned: Callable[[str], str]) -> Iterator[tuple[int, str]]:
    """Yield place and category of the *words* that are secrets on the command line that they are together.

    What is one by itself is none of them. *scanned* is how a text is redacted.
    """
    if not 1 < len(words) <= _MOST or not any(type(word) is str and _OPTION.match(word) for word in words):
        return
    # A blank in a word would part it in two, which nothing in the line tells. A long word is a prompt or a script.
    line = [_BLANK.sub("_", word) if type(word) is str and 0 < len(word) <= _WORD else "_" for word in words]
    joined = " ".join(line)
    if len(joined) > _LONGEST:
        return
    now = scanned(joined)
    if now == UNREDACTABLE:  # it could not be looked at: none of its words is known to be clean
        yield from ((place, "UNREDACTABLE") for place, word in enumerate(words) if place and type(word) is str)
        return
    found = now.split(" ")
    if len(found) != len(line):
        return
    for place, (word, out) in enumerate(zip(line, found, strict=True)):
        mask = _MASK.search(out) if out != word else None
        if mask is not None and scanned(word) == word:
            yield place, mask[1]
