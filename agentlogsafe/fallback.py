"""The fallback file: where events wait that no target took."""

from __future__ import annotations

import errno
import logging
import os
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentlogsafe.errors import ConfigurationError, check_keys, check_type

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # pragma: no cover -- Windows
    fcntl = None

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

_OPTIONS = {"path": None, "max_bytes": 100_000_000, "backups": 3, "fsync": False}
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_FLAGS |= getattr(os, "O_BINARY", 0)
_ATTEMPTS = 20


class FallbackFullError(OSError):
    """The fallback has reached its size; what it holds is kept, and what comes is declared lost."""


class FallbackFile(logging.Handler):
    """Keeps lines that no target took: an append-only file that only its owner can read.

    Every line is written with one call and handed to the operating system at once. When the file is full it becomes
    ``PATH.1``, and so on; when all of them are full, nothing more is taken, since what is there already is the
    beginning of the trouble. Several processes can share one file.

    Args:
        path: the file. It is created when first needed, with mode 0600; a symbolic link is refused.
        max_bytes: the size of one file. *backups*: how many full ones there may be beside it.
        fsync: whether each line is forced to the disk.
        setting: what messages call it.

    Raises:
        ConfigurationError: when the folder does not exist, or the path is a folder or a symbolic link, or a number is
            too small.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        max_bytes: int = 100_000_000,
        backups: int = 3,
        fsync: bool = False,
        setting: str = "fallback",
    ) -> None:
        super().__init__()
        self.path = Path(path).absolute()
        problem = None
        try:
            if not stat.S_ISDIR(self.path.parent.stat().st_mode):
                problem = "its folder is none"
            elif self.path.is_symlink():
                problem = "it is a symbolic link"
            elif self.path.is_dir():
                problem = "it is a folder"
        except FileNotFoundError:
            problem = "its folder does not exist"
        except OSError as error:
            problem = str(error.strerror).lower()
        if problem:
            msg = f"{setting}: {str(path)!r} cannot be used, {problem} (expected a file in an existing folder)"
            raise ConfigurationError(msg)
        numbers: tuple[tuple[str, object, int], ...] = (("max_bytes", max_bytes, 1_024), ("backups", backups, 0))
        for name, value, least in numbers:
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                msg = f"{setting}.{name}: expected an integer of at least {least}, got {value!r}"
                raise ConfigurationError(msg)
        self.max_bytes, self.backups, self.fsync = max_bytes, backups, fsync

    @classmethod
    def load(cls, source: str | os.PathLike[str] | Mapping[str, Any]) -> FallbackFile:
        """Return the file for a path, or for a mapping of the arguments, as a dictConfig holds them."""
        if isinstance(source, (str, os.PathLike)):
            return cls(source)
        check_keys("fallback", source, _OPTIONS)
        check_type("fallback.path", source.get("path"), (str, os.PathLike), "the path of a file")
        return cls(**source)

    def emit(self, record: logging.LogRecord) -> None:
        """Append the record's message; an error is for the one who delivers to hear."""
        try:
            line = self.format(record).encode("utf-8", "backslashreplace") + b"\n"
            descriptor = self._open(len(line))
            try:
                size = os.fstat(descriptor).st_size
                if size and not ends_a_line(descriptor, size):
                    line = b"\n" + line
                if os.write(descriptor, line) < len(line):  # a full disk took a part; the next line begins anew
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                if self.fsync:
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except Exception:  # noqa: BLE001 -- logging's contract: report, do not raise
            self.handleError(record)

    def _open(self, room: int) -> int:
        """Return the file, locked, with room for so many bytes; another process may rotate it or take it away."""
        for _ in range(_ATTEMPTS):
            descriptor = os.open(self.path, _FLAGS, 0o600)
            try:
                lock(descriptor)
                size = os.fstat(descriptor).st_size
                if is_at(descriptor, self.path):
                    if not size or size + room <= self.max_bytes:
                        done, descriptor = descriptor, -1
                        return done
                    if fcntl is None:  # pragma: no cover -- Windows renames no open file
                        os.close(descriptor)
                        descriptor = -1
                    self._rotate()
            finally:
                if descriptor >= 0:
                    os.close(descriptor)
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))

    def _rotate(self) -> None:
        """Give the full file the next free number."""
        for number in range(1, self.backups + 1):
            backup = self.path.with_name(f"{self.path.name}.{number}")
            if not backup.exists():
                self.path.rename(backup)
                return
        raise FallbackFullError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def ends_a_line(descriptor: int, size: int) -> bool:
    """Return whether the file ends with a line break, and not with a line that a kill or a full disk has torn."""
    os.lseek(descriptor, size - 1, os.SEEK_SET)  # where it is written to, O_APPEND says
    return os.read(descriptor, 1) == b"\n"


def is_at(descriptor: int, path: Path) -> bool:
    """Return whether the open file is the one at *path*."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat(follow_symlinks=False))
    except OSError:
        return False


def lock(descriptor: int) -> bool:
    """Lock an open file against other processes, which hold it for the time of one write.

    Returns:
        Whether it is locked. One who holds the lock and has been stopped must not stop everyone else, so after some
        20 milliseconds it is done without: `O_APPEND` keeps lines apart, and the lock is about rotation.
    """
    if fcntl is None:  # pragma: no cover -- Windows
        return False
    for _ in range(_ATTEMPTS):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # noqa: PERF203 -- trying again is the point
            time.sleep(0.001)
        else:
            return True
    return False
