"""Values that a run has shown under sensitive keys, so that they are recognised again in its free text."""

from __future__ import annotations

import re
import threading

_SHORTEST = 4
_LONGEST = 200
_COMMON = frozenset(
    """none null true false yes no unknown test user admin name email phone address john smith main street home work other default example
    value string male female north south east west january february march april june july august september october november december
    monday tuesday wednesday thursday friday saturday sunday american united states economy business first last will mark grace hope rose may
    usa john""".split()  # noqa: E501 - a pattern or a table row reads as one line
)
_REMEMBERED = frozenset(
    "NAME PASSWORD SECRET TOKEN API_KEY EMAIL PHONE ADDRESS BIRTH_DATE NATIONAL_ID PASSPORT LICENSE CARD IBAN BANK COOKIE POSTAL_CODE".split()  # noqa: E501 - a pattern or a table row reads as one line
)


class RunMemory:
    """A bounded memory of one run's sensitive values; adding and reading are safe from several threads.

    Short and common words are not remembered: replacing every ``Main`` because somebody lives in Main Street would do more harm than good.
    """  # noqa: E501 - a pattern or a table row reads as one line

    __slots__ = ("_characters", "_lock", "_name", "_pattern", "_values", "limit")

    def __init__(self, limit: int = 256, characters: int = 16_384) -> None:
        """Remember at most *limit* values, and at most *characters* characters of them."""
        self.limit = limit
        self._characters = characters
        self._lock = threading.Lock()
        self._values: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None
        self._name = ""

    def __len__(self) -> int:
        """Return how many values are remembered."""
        return len(self._values)

    def add(self, value: str, category: str) -> None:
        """Remember *value* as being of *category*, if it can be recognised without doing harm."""
        value = value.strip()
        if category == "NAME":
            self._name, before = value, self._name
            if before and " " not in before and " " not in value and before != value:
                self._add(f"{before} {value}", category)  # ``first_name`` and ``last_name``: the two are said together
        self._add(value, category)

    def _add(self, value: str, category: str) -> None:
        low = value.casefold()
        if low in self._values or category not in _REMEMBERED or not _SHORTEST <= len(value) <= _LONGEST:
            return
        if (
            low in _COMMON
            or "\n" in value
            or not any(c.isalnum() for c in value)
            or (value.isdigit() and len(value) < 6)  # noqa: PLR2004 - said beside it, or a plain length
        ):
            return
        with self._lock:
            if len(self._values) < self.limit and self._characters >= len(value):
                self._characters -= len(value)
                self._values = {**self._values, low: category}
                self._pattern = None

    def known(self) -> re.Pattern[str] | None:
        """Return the pattern of all remembered values, or None when there are none."""
        pattern = self._pattern
        if pattern is None and self._values:
            values = sorted(self._values, key=len, reverse=True)
            pattern = self._pattern = re.compile(
                r"(?<!\w)(?:" + "|".join(map(re.escape, values)) + r")(?!\w)", re.IGNORECASE
            )
        return pattern

    def category(self, value: str) -> str:
        """Return the category under which *value* was seen."""
        return self._values.get(value.casefold(), "PERSONAL")
