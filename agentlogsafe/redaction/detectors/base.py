"""The table type: one `Detector` is one way of recognising one kind of value in text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

Validator = Callable[[str], bool]
"""Is this candidate really one? Given the matched text; a raised exception counts as no."""


@dataclass(frozen=True, slots=True)
class Detector:
    """How to recognise one kind of value; adding a provider is adding one of these.

    The *gate* saves time: unless one of its literals is in the text (compared in lower case), the pattern is not tried. The group named
    ``v`` of the *pattern*, or else the whole match, is what gets replaced. *yes* and *no* are examples, and are run as tests.
    """

    name: str
    category: str
    group: str
    pattern: str
    gate: tuple[str, ...] = ()
    valid: Validator | None = None
    confidence: float = 0.9
    flags: int = 0
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()
    note: str = ""
    compiled: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile the pattern once, when the table is made."""
        object.__setattr__(self, "compiled", re.compile(self.pattern, self.flags))
