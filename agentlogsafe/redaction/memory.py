"""Values that a run has shown under sensitive keys, so that they are recognised again in its free text."""

from __future__ import annotations

import re
from functools import lru_cache

_SHORTEST = 4
_LONGEST = 200
_COMMON = frozenset(
    """none null true false yes no unknown test user admin name email phone address john smith main street home work other default example
    value string male female north south east west january february march april june july august september october november december
    monday tuesday wednesday thursday friday saturday sunday american united states economy business first last will mark grace hope rose may
    usa john""".split()  # noqa: E501 - one row of a table
)


@lru_cache(maxsize=256)
def _pattern(values: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, values)) + r")(?!\w)", re.IGNORECASE)


_REMEMBERED = frozenset(
    "NAME PASSWORD SECRET TOKEN API_KEY EMAIL PHONE ADDRESS BIRTH_DATE NATIONAL_ID PASSPORT LICENSE CARD IBAN BANK COOKIE POSTAL_CODE".split()  # noqa: E501 - one row of a table
)


class RunMemory:
    """A bounded memory of one run's sensitive values; adding and reading are safe from several threads.

    Short and common words are not remembered: replacing every ``Main`` because somebody lives in Main Street would do
    more harm than good.
    """

    __slots__ = ("_characters", "_name", "_values", "limit")

    def __init__(self, limit: int = 256, characters: int = 16_384) -> None:
        """Remember at most *limit* values, and at most *characters* characters of them."""
        self.limit = limit
        self._characters = characters
        self._values: dict[str, str] = {}
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
        low = value.lower()
        if low in self._values or category not in _REMEMBERED or not _SHORTEST <= len(value) <= _LONGEST:
            return
        if category == "ADDRESS" and not (any(c.isdigit() for c in value) and any(c.isalpha() for c in value)):
            return  # a street and its number; the name of a city is said of flights and offices, too
        if (
            low in _COMMON
            or "\n" in value
            or not any(c.isalnum() for c in value)
            or (value.isdigit() and len(value) < 6)  # noqa: PLR2004 - a length, and what it is of stands beside it
        ):
            return
        # A new dict in one assignment, and no lock, which a forked child would find locked for ever. Two threads at
        # the same moment may lose one value.
        values = {**self._values, low: category}
        if len(values) <= self.limit and sum(map(len, values)) <= self._characters:
            self._values = values

    def known(self, text: str) -> re.Pattern[str] | None:
        """Return the pattern of the remembered values that are in *text*, or None when none is.

        Looking for each value on its own costs 0.25 µs in 440 characters; one pattern of all of them costs more
        from the second value on.
        """
        values = self._values
        if not values:
            return None
        low = text.lower()
        found = [value for value in values if value in low]
        return _pattern(tuple(sorted(found, key=len, reverse=True))) if found else None

    def category(self, value: str) -> str:
        """Return the category under which *value* was seen."""
        return self._values.get(value.lower(), "PERSONAL")
