"""The fallback file: where events wait that no target took."""

from __future__ import annotations

import errno
import logging
import os
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from agentlogsafe.errors import ConfigurationError, check_keys, check_type
from agentlogsafe.redaction import redact

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # pragma: no cover -- Windows
    fcntl = None

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

_OPTIONS = {"path": None, "max_bytes": 100_000_000, "backups": 3, "fsync": False}
# O_NONBLOCK is for what is no file at all: a named pipe would be waited for.
_SAFELY = ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY")
WRITE = os.O_RDWR | os.O_CREAT | sum(getattr(os, name, 0) for name in _SAFELY)
_PRIVATE = 0o600
_ATTEMPTS = 20

MISSED = "_undelivered_to"  # an attribute of a record; formatters for JSON leave out what begins so
_FIELD = b',"undelivered_to":'


class FallbackFullError(OSError):
    """The fallback has reached its size; what it holds is kept, and what comes is declared lost."""


class NoRegularFileError(OSError):
    """There is a pipe, a device or the like in the place of the file."""


class ForeignFileError(OSError):
    """The file belongs to another user, who can read what is written to it."""


class LinkedFileError(OSError):
    """The file has another name, a hard link, and may be somebody's who expects something else in it."""


class FallbackFile(logging.Handler):
    """Keeps lines that no target took: an append-only file that only its owner can read.

    Every line is written with one call and handed to the operating system at once. When the file is full it becomes
    ``PATH.1``, and so on; when all of them are full, nothing more is taken, since what is there already is the
    beginning of the trouble. Several processes can share one file.

    Args:
        path: the file. It is created when first needed, with mode 0600, which one that is there already gets, too. A
            link, symbolic or hard, a file of another user and anything but a file is refused.
        max_bytes: the size of one file. *backups*: how many full ones there may be beside it.
        fsync: whether each line is forced to the disk.
        setting: what messages call it.

    Raises:
        ConfigurationError: when the folder does not exist, or what is at the path is refused, or a number is too
            small.
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
        problem = _problem(self.path)
        if problem:
            msg = f"{setting}: {str(path)!r} cannot be used, {problem} (expected a file in an existing folder)"
            raise ConfigurationError(msg)
        numbers: tuple[tuple[str, object, int], ...] = (("max_bytes", max_bytes, 1_024), ("backups", backups, 0))
        for name, value, least in numbers:
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                msg = f"{setting}.{name}: expected an integer of at least {least}, got {value!r}"
                raise ConfigurationError(msg)
        check_type(f"{setting}.fsync", fsync, bool, "true or false")
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
            line = self.format(record).encode("utf-8", "backslashreplace")
            missed = record.__dict__.get(MISSED)
            line = (line if missed is None else _addressed(line, missed)) + b"\n"
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
            descriptor = open_own(self.path, WRITE | os.O_APPEND)
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


def _problem(path: Path) -> str | None:
    """Return why *path* cannot be a fallback, as far as that can be seen before anything is written."""
    try:
        if not stat.S_ISDIR(path.parent.stat().st_mode):
            return "its folder is none"
        found = path.lstat() if os.path.lexists(path) else None
    except FileNotFoundError:
        return "its folder does not exist"
    except OSError as error:
        return str(error.strerror).lower()
    if found is None:
        return None
    if stat.S_ISLNK(found.st_mode):
        return "it is a symbolic link"
    if stat.S_ISDIR(found.st_mode):
        return "it is a folder"
    objection = _objection(found)
    return None if objection is None else str(objection.strerror)


def open_own(path: Path, flags: int) -> int:
    """Open a file that is this user's alone, or make it; one that others may read is taken from them.

    Raises:
        OSError: where it cannot be opened, or is not this user's alone.
    """
    descriptor = os.open(path, flags, _PRIVATE)
    objection: OSError | None = None
    try:
        found = os.fstat(descriptor)
        objection = _objection(found)
        if objection is None and hasattr(os, "fchmod") and stat.S_IMODE(found.st_mode) & ~_PRIVATE:
            os.fchmod(descriptor, _PRIVATE)
    except OSError as error:
        objection = error
    if objection is not None:
        os.close(descriptor)
        raise objection
    return descriptor


def _objection(found: os.stat_result) -> OSError | None:
    """Return what is to be said against writing to a file of this kind."""
    if not stat.S_ISREG(found.st_mode):
        return NoRegularFileError(errno.EINVAL, "it is no regular file")
    if hasattr(os, "geteuid") and found.st_uid != os.geteuid():
        return ForeignFileError(errno.EPERM, "it belongs to another user")
    if found.st_nlink > 1:
        return LinkedFileError(errno.EMLINK, "it has another name, a hard link")
    return None


def name_of(handler: logging.Handler) -> str:
    """Return the name under which a line of the fallback knows a handler."""
    return str(redact(handler.name or type(handler).__name__))


def _addressed(line: bytes, names: list[str]) -> bytes:
    """Return a line of JSON with the names of the targets that do not have it, where others do."""
    return line[:-1] + _FIELD + orjson.dumps(names) + b"}" if line[:1] + line[-1:] == b"{}" else line


def addressees(line: bytes) -> tuple[bytes, list[str]]:
    """Return a stored line as it was before `FallbackFile` put names into it, and those, which may be none."""
    head, found, tail = line.rpartition(_FIELD)
    try:
        names = orjson.loads(tail.strip()[:-1]) if found else None
    except orjson.JSONDecodeError:
        names = None
    return (head + b"}\n", names) if isinstance(names, list) else (line, [])


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
