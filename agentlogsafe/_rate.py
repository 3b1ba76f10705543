"""A bound on floods: so many records a second of each event type, the rest counted."""

from __future__ import annotations

import os
import sys
import threading
import time
import weakref
from collections.abc import Mapping

from agentlogsafe._targets import members
from agentlogsafe.errors import ConfigurationError, check_keys, check_type
from agentlogsafe.events import EVENT_TYPES

OTHER = "other"
"""Stands for ordinary lines; ``*`` for every type without a number of its own, but for `_SPARED`."""

_SPARED = frozenset(("run_start", "run_end", "error"))
"""Held back only where they are named: without its end, a run looks as if it had been killed."""


class RateLimit:
    """Lets so many records of a type pass in any second, and remembers how many it held back.

    Args:
        limits: whole records per second, by event type, ``other`` or ``*``; below one, such as 0.1, one record in as
            many seconds as it takes.

    Raises:
        ConfigurationError: for an unknown event type, or a rate that is no positive, finite number.
    """

    def __init__(self, limits: Mapping[str, float]) -> None:
        check_type("rate_limit", limits, Mapping, "a mapping such as {'tool_call': 100, '*': 1000}")
        check_keys("rate_limit", limits, {*EVENT_TYPES, OTHER, "*"})
        given: Mapping[str, object] = limits
        for name, rate in given.items():
            if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 < rate <= sys.float_info.max:
                msg = f"rate_limit.{name}: expected a positive number of records a second, got {rate!r}"
                raise ConfigurationError(msg)
        self._rates = dict(limits)
        self._lock = threading.RLock()
        self._windows: dict[str, list[float]] = {}  # type → [begin of its present window, passed, held back]
        _limits.add(self)

    def renew_lock(self) -> None:
        """Replace the lock, in a forked child: its holder did not come along."""
        self._lock = threading.RLock()

    def passes(self, name: str) -> tuple[bool, int]:
        """Return whether a record of type *name* may pass, and how many were held back in the window that ended."""
        rate = self._rates.get(name)
        if rate is None and name not in _SPARED:
            rate = self._rates.get("*")
        if rate is None:
            return True, 0
        now = time.monotonic()
        with self._lock:
            window = self._windows.setdefault(name, [now, 0, 0])
            held = 0
            if now - window[0] >= max(1.0, 1.0 / rate):
                held = int(window[2])
                window[:] = [now, 0, 0]
            if window[1] < max(int(rate), 1):
                window[1] += 1
                return True, held
            window[2] += 1
            return False, held

    def held_back(self) -> dict[str, int]:
        """Return, and forget, what was held back and not declared yet."""
        with self._lock:
            held = {name: int(window[2]) for name, window in self._windows.items() if window[2]}
            for window in self._windows.values():
                window[2] = 0
            return held


_limits: weakref.WeakSet[RateLimit] = weakref.WeakSet()


def _renew_after_fork() -> None:
    for limit in members(_limits):
        limit.renew_lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_after_fork)
