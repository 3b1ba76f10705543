"""The fallback file: where events wait that no target took."""

from __future__ import annotations

import errno
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentlogsafe.errors import ConfigurationError, check_keys, check_type

if TYPE_CHECKING:
    from collections.abc import Mapping

_OPTIONS = {"path": None, "max_bytes": 100_000_000, "backups": 3, "fsync": False}
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


class FallbackFullError(OSError):
    """The fallback has reached its size; what it holds is kept, and what comes is declared lost."""


class FallbackFile(logging.Handler):
    """Keeps lines that no target took: an append-only file that only its owner can read.

    Every line is written with one call and handed to the operating system at once. When the file is full it becomes
    ``PATH.1``, and so on; when all of them are full, nothing more is taken, since what is there already is the
    beginning of the trouble.

    Args:
        path: the file. It is created when first needed, with mode 0600; a symbolic link is refused.
        max_bytes: the size of one file. *backups*: how many full ones there may be beside it.
        fsync: whether each line is forced to the disk.

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
    ) -> None:
        super().__init__()
        self.path = Path(path).absolute()
        problem = None
        if not self.path.parent.is_dir():
            problem = "its folder does not exist"
        elif self.path.is_dir():
            problem = "it is a folder"
        elif self.path.is_symlink():
            problem = "it is a symbolic link"
        if problem:
            msg = f"fallback: {str(path)!r} cannot be used, {problem} (expected a file in an existing folder)"
            raise ConfigurationError(msg)
        numbers: tuple[tuple[str, object, int], ...] = (("max_bytes", max_bytes, 1_024), ("backups", backups, 0))
        for name, value, least in numbers:
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                msg = f"fallback.{name}: expected an integer of at least {least}, got {value!r}"
                raise ConfigurationError(msg)
        self.max_bytes, self.backups, self.fsync = max_bytes, backups, fsync
        self._torn = False

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
            descriptor = os.open(self.path, _FLAGS, 0o600)
            try:
                if os.fstat(descriptor).st_size + len(line) > self.max_bytes:
                    os.close(descriptor)
                    descriptor = -1
                    self._rotate()
                    descriptor = os.open(self.path, _FLAGS, 0o600)
                line = b"\n" + line if self._torn else line
                self._torn = os.write(descriptor, line) < len(line)
                if self._torn:  # a full disk took a part of the line: the next one must not continue it
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                if self.fsync:
                    os.fsync(descriptor)
            finally:
                if descriptor >= 0:
                    os.close(descriptor)
        except Exception:  # noqa: BLE001 -- logging's contract: report, do not raise
            self.handleError(record)

    def _rotate(self) -> None:
        """Give the full file the next free number."""
        for number in range(1, self.backups + 1):
            backup = self.path.with_name(f"{self.path.name}.{number}")
            if not backup.exists():
                self.path.rename(backup)
                return
        raise FallbackFullError(errno.ENOSPC, os.strerror(errno.ENOSPC))
