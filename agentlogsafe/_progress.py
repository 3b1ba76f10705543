"""How far `agentlogsafe deliver` has come, kept beside the fallback."""

from __future__ import annotations

import hashlib
import json
import os
from typing import IO, TYPE_CHECKING, Any

from agentlogsafe.errors import AgentLogSafeError
from agentlogsafe.fallback import WRITE, fcntl, is_at, lock, open_own

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from typing_extensions import Self

_HEAD = 4_096
_SLOT = 1_024


class UnusableError(AgentLogSafeError):
    """The fallback file cannot be read, or is being delivered already."""


class Progress:
    """How far each file has been delivered: ``PATH.progress``, on the disk after every line.

    A file is known by its beginning, since it is renamed when it is full. Each has two slots that are written in turn,
    so that a power cut spoils one of them at most.

    Raises:
        UnusableError: when another process holds it.
        OSError: when it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.with_name(f"{path.name}.progress")
        self._descriptor = open_own(self.path, WRITE)
        if (fcntl is not None and not lock(self._descriptor)) or not is_at(self._descriptor, self.path):
            os.close(self._descriptor)
            msg = f"{str(path)!r} is being delivered by another process"
            raise UnusableError(msg)
        raw = os.read(self._descriptor, os.fstat(self._descriptor).st_size)
        self._slots: dict[int, dict[str, Any]] = {}
        for place in range(0, len(raw), _SLOT):
            entry = _entry(raw[place : place + _SLOT])
            if entry is not None:
                self._slots[place // _SLOT] = entry
        self._used: set[int] = set()
        self._heads: dict[int, str] = {}

    def find(self, source: IO[bytes]) -> tuple[int, int, set[str]]:
        """Return the number for `note`, the offset to go on at, and which targets have the line there already."""
        size = os.fstat(source.fileno()).st_size
        found = [
            (entry["offset"], entry["turn"], slot)
            for slot, entry in self._slots.items()
            if 0 < entry["reach"] <= size and entry["digest"] == _digest(source, entry["reach"])
        ]
        if found:
            offset, _, slot = max(found)
            number, taken = slot // 2, set(self._slots[slot]["taken"])
        else:
            number, offset, taken = 0, 0, set()
            while number in self._used or self._turn(number):
                number += 1
        self._used.add(number)
        return number, offset, taken

    def note(self, number: int, source: IO[bytes], offset: int, taken: Iterable[str] = (), line: bytes = b"") -> None:
        """Write down that a file is delivered up to *offset*, and that some targets have *taken* the *line* there."""
        reach = offset + len(line)
        digest = self._heads.get(number)
        if digest is None:
            digest = _digest(source, reach)
            if reach >= _HEAD:
                self._heads[number] = digest
        turn = self._turn(number) + 1
        entry = {"offset": offset, "reach": reach, "digest": digest, "taken": sorted(taken), "turn": turn}
        written = json.dumps({**entry, "sum": _sum(entry)}).encode()
        slot = number * 2 + turn % 2
        os.lseek(self._descriptor, slot * _SLOT, os.SEEK_SET)
        os.write(self._descriptor, written[: _SLOT - 1].ljust(_SLOT - 1) + b"\n")
        os.fsync(self._descriptor)
        self._slots[slot] = entry

    def _turn(self, number: int) -> int:
        return max(self._slots[slot]["turn"] if slot in self._slots else 0 for slot in (number * 2, number * 2 + 1))

    def remove(self) -> None:
        """Forget everything, since nothing is left to remember."""
        self.path.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def _entry(raw: bytes) -> dict[str, Any] | None:
    try:
        entry: dict[str, Any] = json.loads(raw)
        found = entry.pop("sum")
    except (ValueError, AttributeError, KeyError):
        return None
    return entry if found == _sum(entry) else None


def _sum(entry: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(entry).encode()).hexdigest()[:16]


def _digest(source: IO[bytes], reach: int) -> str:
    place = source.tell()
    source.seek(0)
    head = source.read(min(reach, _HEAD))
    source.seek(place)
    return hashlib.sha256(head).hexdigest()[:32]
