"""What becomes of a text that would take too long to redact."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

UNREDACTABLE = "[UNREDACTABLE]"
BLOCK = 512
"""So many characters are judged together, at least."""


def whole(counts: dict[str, int]) -> str:
    """Return what stands for a text of which nothing stays, and count it."""
    counts["UNREDACTABLE"] = counts.get("UNREDACTABLE", 0) + 1
    return UNREDACTABLE


def withheld(text: str, suspicious: Callable[[str], bool], counts: dict[str, int]) -> str:
    """Return *text* without all lines that are *suspicious*, and those behind them.

    They are asked about some at a time. A value can stand in the line behind its name.
    """
    out: list[str] = []
    size = 0
    block: list[str] = []
    before = False
    for line in (*text.split("\n"), None):
        if line is not None:
            block.append(line)
            size += len(line)
            if size < BLOCK:
                continue
        joined = "\n".join(block)
        dirty = bool(joined) and suspicious(joined)
        if not dirty and not before:
            out += block
        elif not out or out[-1] != UNREDACTABLE:
            out.append(whole(counts))
        before = dirty
        block = []
        size = 0
    return "\n".join(out)
