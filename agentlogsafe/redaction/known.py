"""Exact values that the application itself names as secret, process-wide: `register_secret`, and the environment's."""

from __future__ import annotations

import os
import re
import threading

from agentlogsafe.errors import ConfigurationError
from agentlogsafe.redaction.keys import classify
from agentlogsafe.redaction.vocabulary import PERSONAL

_SHORTEST = 6
_MOST = 1000


class KnownValues:
    """The registered values; reading is lock-free, and costs nothing while there are none."""

    __slots__ = ("_lock", "_pattern", "values")

    def __init__(self) -> None:
        """Start empty."""
        self._lock = threading.RLock()
        self.values: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None

    def add(self, value: str, category: str = "SECRET") -> None:
        """Register one value."""
        with self._lock:
            if value not in self.values and len(self.values) < _MOST:
                self.values = {**self.values, value: category}
                self._pattern = None

    def clear(self) -> None:
        """Forget all values; for tests."""
        with self._lock:
            self.values = {}
            self._pattern = None

    def pattern(self) -> re.Pattern[str] | None:
        """Return the pattern of all registered values, longest first, or None."""
        if self._pattern is None and self.values:
            self._pattern = re.compile(
                "|".join(re.escape(value) for value in sorted(self.values, key=len, reverse=True))
            )
        return self._pattern


KNOWN = KnownValues()


def register_secret(value: object, category: str = "SECRET") -> None:
    """Redact this exact value wherever it appears from now on, in every policy of this process.

    Use it for secrets that have no shape and no name beside them: the database password that the application has
    just read from its vault.

    Raises:
        ConfigurationError: when the value is shorter than six characters, which would redact ordinary text; the
            message does not quote it.
    """
    if not isinstance(value, str) or len(value.strip()) < _SHORTEST:
        msg = f"register_secret: expected a text of at least {_SHORTEST} characters, got {type(value).__name__} of {len(value) if isinstance(value, str) else 0}"  # noqa: E501 - one row of a table
        raise ConfigurationError(msg)
    KNOWN.add(value.strip(), category)


def register_environment() -> int:
    """Register the values of environment variables whose names announce a secret; return how many there were."""
    found = 0
    for name, value in os.environ.items():
        category = classify(name)
        if (
            category is not None
            and category not in PERSONAL
            and not category.endswith("?")
            and len(value) >= _SHORTEST + 2
            and not value.startswith(("/", "~"))
            and len(set(value)) > 4  # noqa: PLR2004 - a length, and what it is of stands beside it
        ):
            KNOWN.add(value, category)
            found += 1
    return found
