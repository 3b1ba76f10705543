"""Following a file as it grows, through both ways in which log files are rotated."""

from __future__ import annotations

import os
import stat
import time
from typing import IO, TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from typing_extensions import Self

_BLOCK = 1 << 20
_LONGEST = 16_000_000
_TAIL = 64
_LINGER = 60.0
_KEPT = 8


class Appended(NamedTuple):
    """One line: its bytes without the line break, the file it was read as, its number there, and whether it is whole.

    A line that is not whole was the last of a file that was rotated or truncated, or longer than 16 MB.
    """

    raw: bytes
    file: str
    number: int
    whole: bool


class Follower:
    """Yields the lines of a file, and from then on those that are appended. Memory stays bounded.

    A file that is *moved* is read to its end, and watched for a minute more, since its writer may not have noticed
    yet; then the file at the old place goes on. A file that is *truncated* in place, as ``copytruncate`` does, is read
    from its beginning; what was appended between the last look and the truncation is read from the copy, where one
    lies beside it. The file need not be there yet.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._files: list[_File] = []  # the last one is the file at the path, the others have been moved
        # What was rotated away before, or has been read: by key, with the time of its last change. The key alone will
        # not do, since a new file may get the number of one that was removed.
        self._done = {key: changed for key, changed, found in self._siblings() if found != path}

    def poll(self) -> Iterator[Appended]:
        """Yield what was appended since the last time.

        Raises:
            OSError: when the file is there and cannot be read.
        """
        self._look()
        for file in list(self._files):
            copy = file.cut_off()
            if copy is not None:
                yield from self._from_copy(file, copy)
            yield from file.lines()
        now = time.monotonic()
        for file in self._files[:-1]:
            if now - file.active > _LINGER or len(self._files) > _KEPT:
                yield from file.rest()
                self._done[file.key] = file.changed()
                file.close()
                self._files.remove(file)

    def _look(self) -> None:
        """Open the file that is at the path now, and those that were there since the last look."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return
        key = (found.st_dev, found.st_ino)
        if self._files and self._files[-1].key == key:
            return
        if self._files:
            beside = self._siblings()
            self._done = {item: changed for item, changed, _ in beside if self._done.get(item) == changed}
            known = {key, *self._done, *(file.key for file in self._files)}
            missed = [item for item in beside if item[0] not in known]
            for _, _, path in sorted(missed, key=lambda item: item[1]):
                self._open(path)
        self._open(self.path)

    def _open(self, path: Path) -> None:
        try:
            self._files.append(_File(path))
        except FileNotFoundError:  # moved just now; the next look finds what is there then
            return

    def _siblings(self) -> list[tuple[tuple[int, int], int, Path]]:
        """Return (key, time, path) of the files that rotation may have left beside this one."""
        found = []
        try:
            with os.scandir(self.path.parent) as entries:
                for entry in entries:
                    if entry.name.startswith(self.path.name) and entry.is_file(follow_symlinks=False):
                        about = entry.stat(follow_symlinks=False)
                        found.append(((about.st_dev, about.st_ino), about.st_mtime_ns, self.path.with_name(entry.name)))
        except OSError:
            return []
        return found

    def _from_copy(self, file: _File, before: _Place) -> Iterator[Appended]:
        """Yield what a copy has of the lines that were appended before the truncation, and not read."""
        for _, _, path in sorted(self._siblings(), key=lambda item: item[1], reverse=True):
            if path == self.path or path.suffix in {".gz", ".zst", ".bz2", ".xz"}:
                continue
            try:
                with _File(path) as copy:
                    if copy.key == file.key or not copy.has(before):
                        continue
                    copy.go_on_at(before)
                    yield from copy.lines()
                    yield from copy.rest()
                    return
            except OSError:
                continue
        if before.partial:
            yield Appended(before.partial, str(file.path), before.number + 1, whole=False)

    def close(self) -> None:
        """Close all files."""
        for file in self._files:
            file.close()
        self._files.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Place(NamedTuple):
    """How far a file was read: the offset, the bytes before it, the number of lines, and the line begun."""

    offset: int
    tail: bytes
    number: int
    partial: bytes


class _File:
    """An open file, and how far it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # Not to hang in the place of the file if that is a pipe now.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            os.close(descriptor)
            raise OSError(0, "it is no file", str(path))
        self._source: IO[bytes] = os.fdopen(descriptor, "rb", buffering=0)
        self.key = (about.st_dev, about.st_ino)
        self.active = time.monotonic()
        self._place = _Place(0, b"", 0, b"")
        self._skips = False

    def cut_off(self) -> _Place | None:
        """Begin anew where the file was truncated; return how far it had been read, or None."""
        place = self._place
        if self.has(place):
            return None
        self._place = _Place(0, b"", 0, b"")
        self._skips = False
        return place

    def has(self, place: _Place) -> bool:
        """Return whether what was read up to *place* is, as far as can be told, what this file has there."""
        size = os.fstat(self._source.fileno()).st_size
        if size < place.offset:
            return False
        self._source.seek(place.offset - len(place.tail))
        return self._source.read(len(place.tail)) == place.tail

    def go_on_at(self, place: _Place) -> None:
        """Read on from *place*."""
        self._place = place

    def lines(self) -> Iterator[Appended]:
        """Yield the whole lines up to the present end."""
        while True:
            offset, tail, number, partial = self._place
            self._source.seek(offset)
            block = self._source.read(_BLOCK)
            if not block:
                return
            self.active = time.monotonic()
            *whole, rest = block.split(b"\n")
            if whole:
                whole[0] = partial + whole[0]
            else:
                rest = partial + rest
            # Noted first: whoever stops in between has these lines.
            self._place = _Place(offset + len(block), (tail + block)[-_TAIL:], number + len(whole), rest)
            for at, raw in enumerate(whole, number + 1):
                if self._skips:
                    self._skips = False
                    yield Appended(b"", str(self.path), at, whole=False)
                else:
                    yield Appended(raw, str(self.path), at, whole=True)
            if len(rest) > _LONGEST:
                self._skips = True
            if self._skips:
                self._place = self._place._replace(partial=b"")

    def rest(self) -> Iterator[Appended]:
        """Yield what is left behind the last line break: nobody will write its end."""
        if self._place.partial:
            yield Appended(self._place.partial, str(self.path), self._place.number + 1, whole=False)
            self._place = self._place._replace(partial=b"")

    def changed(self) -> int:
        """Return the time of the last change."""
        return os.fstat(self._source.fileno()).st_mtime_ns

    def close(self) -> None:
        """Close it."""
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
