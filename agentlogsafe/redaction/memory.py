"""Values that a run has shown under sensitive keys, so that they are recognised again in its free text."""

from __future__ import annotations

import threading

_SHORTEST = 4


class RunMemory:
    """A bounded memory of one run's sensitive values; adding and reading are safe from several threads."""

    __slots__ = ("_limit", "_lock", "values")

    def __init__(self, limit: int = 256) -> None:
        """Remember at most *limit* values."""
        self._limit = limit
        self._lock = threading.Lock()
        self.values: dict[str, str] = {}

    def add(self, value: str, category: str) -> None:
        """Remember *value* as being of *category*, unless it is too short to be recognised safely or the memory is full."""
        if _SHORTEST <= len(value) <= 256 and len(self.values) < self._limit:  # noqa: PLR2004
            with self._lock:
                self.values = {**self.values, value: category}
