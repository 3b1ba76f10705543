"""Long files in which every line is as we write it: DuckDB reads them as they are, while processes verify their lines.

That spares the processes to copy them. Of such a file, the row of a line says by its place in the table which line it
is; lines that are not usual (`blocks`) are taken out, and their rows made as those of any other file. Where a line is
no JSON, or too many are unusual, or something about a usual one is odd, the file is read in the other way.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from agentlogsafe.review.columns import Columns
    from agentlogsafe.review.reading import Outcome
    from agentlogsafe.review.sources import Source

SHORT = 32 * 2**20
"""Bytes of a file for which it does not pay off."""

_LOOK = 2**16  # bytes at both ends
_MARK = b',"seal":{"'
_PATTERN = frozenset("*?[{")


def eligible(source: Source) -> bool:
    """Return whether a file looks as if all of it were sealed lines, as we write them."""
    if source.form != "plain" or source.size < SHORT or "://" in source.path or _PATTERN & set(source.path):
        return False
    try:
        with open(source.path, "rb") as file:  # noqa: PTH123 -- as text, since the text is what findings show
            head = file.read(_LOOK)
            file.seek(max(0, source.size - _LOOK))
            tail = file.read()
    except OSError:  # it is gone: to say so is up to who reads it
        return False
    lines = [*head.splitlines(keepends=True)[:-1], *tail.splitlines(keepends=True)[1:]]
    return bool(lines) and all(line.startswith(b"{") and line.endswith(b"}\n") and _MARK in line for line in lines)


class Wholes:
    """The files that DuckDB reads as they are.

    Args:
        sources: the files.
        spool: a folder.
    """

    def __init__(self, sources: Sequence[Source], spool: Path) -> None:
        self._sources, self._head = sources, spool / "head.json"
        self._columns: Columns | None = None
        self._cursor: Any = None
        self._states = [_state(source) for source in sources]
        self.names = [source.name for source in sources]
        self.paths = {source.path for source in sources}
        self.refused: set[str] = set()
        """The paths of those that have to be read in the other way."""

    def start(self, columns: Columns) -> Callable[[], None]:
        """Return what has DuckDB read them; their rows go to *columns*."""
        self._columns, self._cursor = columns, columns.open_whole()

        def take() -> None:
            for number, source in enumerate(self._sources):
                if source.path not in self.refused and not self._taken(columns, number, source.path):
                    self.refused.add(source.path)

        return take

    def _taken(self, columns: Columns, number: int, path: str) -> bool:
        try:
            with open(path, "rb") as file:  # noqa: PTH123 -- as above
                self._head.write_bytes(file.read(_LOOK).rpartition(b"\n")[0])
        except OSError:
            return False
        columns.learn(self._head)
        return columns.whole(self._cursor, number, os.path.abspath(path))  # noqa: PTH100 -- as above

    def refuse(self, path: str) -> None:
        """Have a file read in the other way."""
        if path not in self.refused:
            self.refused.add(path)
            if self._cursor is not None:
                self._cursor.interrupt()

    def settle(self, outcomes: dict[str, list[Outcome]]) -> None:
        """Take out what is not usual; *outcomes* are those of each file's parts, in order."""
        assert self._columns is not None  # noqa: S101 -- `start` comes first
        for number, (source, state) in enumerate(zip(self._sources, self._states, strict=True)):
            apart, before = [], 0
            for outcome in outcomes[source.path]:
                apart += [before + line for line in outcome.apart]
                before += outcome.lines
            if source.path in self.refused:
                self._columns.forget_whole(number)
            # A file that was written to, in the meantime, may not be what was verified.
            elif state != _state(source) or not self._columns.settle(number, before, apart):
                self.forget({source.path})
        self._columns.close_whole()

    def forget(self, paths: set[str]) -> None:
        """Have files read in the other way after all."""
        for number, source in enumerate(self._sources):
            if self._columns is not None and source.path in paths - self.refused:
                self.refused.add(source.path)
                self._columns.forget_whole(number)

    def stop(self) -> None:
        """End it, wherever it is."""
        if self._cursor is not None:
            self.refused |= self.paths
            self._cursor.interrupt()


def _state(source: Source) -> tuple[int, ...] | None:
    try:
        found = os.stat(source.path)  # noqa: PTH116 -- as above
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_ctime_ns
