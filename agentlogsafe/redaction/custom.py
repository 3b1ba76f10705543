"""Detectors that users bring: patterns that cannot be made slow, and functions in code."""

from __future__ import annotations

import importlib
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from agentlogsafe.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# The standard library's own parser of regular expressions; it moved in 3.11.
_NEW = sys.version_info >= (3, 11)
_parser: Any = importlib.import_module("re._parser" if _NEW else "sre_parse")
_sre: Any = importlib.import_module("re._constants" if _NEW else "sre_constants")

Finder: TypeAlias = "Callable[[str], Iterable[tuple[int, int, str]]]"
_CATEGORY = re.compile(r"[A-Z][A-Z0-9_]{1,23}\Z")
_DEAREST = 4096


@dataclass(frozen=True)
class CustomDetector:
    """A detector of an application's own: employee numbers, project names, internal tokens.

    Either *pattern* (its group ``v``, or the whole match, is replaced) or, in code, *find*, a function that returns
    ``(start, end, category)`` for a text. With *keywords*, only text that has one of them (in any case) is looked
    at, which saves time.
    """

    name: str
    category: str = "CUSTOM"
    pattern: str = ""
    keywords: tuple[str, ...] = ()
    ignore_case: bool = False
    find: Finder | None = None

    def __post_init__(self) -> None:
        """Refuse what is incomplete or could be slow.

        Raises:
            ConfigurationError: naming the detector, what is wrong with it and what to write instead.
        """
        where = f"policy.detectors.custom.{self.name}"
        if not _CATEGORY.match(self.category):
            msg = f"{where}.category: expected capitals, digits and underscores such as 'EMPLOYEE_ID', got {self.category!r}"  # noqa: E501 - one row of a table
            raise ConfigurationError(msg)
        if bool(self.pattern) == (self.find is not None):
            msg = f"{where}: expected either a pattern or a find function"
            raise ConfigurationError(msg)
        if self.pattern:
            self.compiled()

    def compiled(self) -> re.Pattern[str]:
        """Return the compiled pattern.

        Raises:
            ConfigurationError: where it is no regular expression, or one whose time could grow faster than the text.
        """
        where = f"policy.detectors.custom.{self.name}.pattern"
        try:
            compiled = re.compile(self.pattern, re.IGNORECASE if self.ignore_case else 0)
            reason = slow(self.pattern)
        except (re.error, RecursionError, OverflowError) as error:
            msg = f"{where}: {self.pattern!r} is no regular expression: {error}"
            raise ConfigurationError(msg) from error
        if reason is None and compiled.match(""):
            reason = "it matches the empty text"
        if reason is not None:
            msg = f"{where}: {self.pattern!r} is refused: {reason}"
            raise ConfigurationError(msg)
        return compiled


def slow(pattern: str) -> str | None:
    """Return why *pattern* could be slow on some text, or None when it cannot.

    It cannot when its time is bounded by the text's length times a small constant.

    The check is the same whether google-re2 is installed or not, so that a policy works everywhere or nowhere.
    """
    try:
        return _cost(_parser.parse(pattern))[1]
    except (re.error, RecursionError) as error:
        return f"it cannot be parsed: {error}"


def _cost(tree: Iterable[tuple[object, Any]]) -> tuple[int, str | None]:
    """Return how many ways a pattern can try to match at one place, and the reason to refuse it."""
    ways = 1
    for operation, argument in tree:
        found, reason = _one(operation, argument)
        if reason is not None:
            return ways, reason
        ways *= found
        if ways > _DEAREST:
            return ways, f"it has more than {_DEAREST} ways to match at one place; narrow its repeats"
    return ways, None


def _one(operation: object, argument: Any) -> tuple[int, str | None]:
    if operation in (_sre.GROUPREF, _sre.GROUPREF_EXISTS):
        return 1, "it has a back-reference, which no linear-time engine can follow"
    if operation in (_sre.MAX_REPEAT, _sre.MIN_REPEAT) or str(operation) == "POSSESSIVE_REPEAT":
        least, most, body = argument
        if most == _sre.MAXREPEAT:
            return 1, "it has a repeat without a bound; write one, such as {1,64}"
        inner, reason = _cost(body)
        if reason is None and most > 1 and inner > 1:
            reason = "it has a repeat inside a repeat; write it without"
        return (int(most) - int(least) + 1) * max(inner, 1), reason
    if operation is _sre.SUBPATTERN or str(operation) == "ATOMIC_GROUP":
        return _cost(argument[-1] if isinstance(argument, tuple) else argument)
    if operation is _sre.BRANCH:
        total = 0
        for branch in argument[1]:
            inner, reason = _cost(branch)
            if reason is not None:
                return total, reason
            total += inner
        return total, None
    if operation in (_sre.ASSERT, _sre.ASSERT_NOT):
        return _cost(argument[1])
    return 1, None
