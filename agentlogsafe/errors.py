"""What can go wrong at configuration time; nothing here is ever raised by a log call."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class AgentLogSafeError(Exception):
    """Base class of every exception this package raises."""


class ConfigurationError(AgentLogSafeError, ValueError):
    """A setting is wrong: the message names the key, the value and what was expected."""


class MissingExtraError(AgentLogSafeError, ImportError):
    """A feature needs an optional dependency: the message carries the ``pip`` command."""


def nearest(name: str, valid: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"``, or an empty string where nothing is near."""
    close = difflib.get_close_matches(name, list(valid), n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def check_keys(where: str, given: Iterable[object], valid: Iterable[str]) -> None:
    """Refuse keys that are not in *valid*.

    Raises:
        ConfigurationError: naming the first unknown key, the nearest valid one and all valid ones.
    """
    known = sorted(valid)
    for key in given:
        if key not in known:
            hint = nearest(str(key), known)
            msg = f"{where}: unknown setting {key!r}{hint} (valid: {', '.join(known)})"
            raise ConfigurationError(msg)


def check_choice(where: str, value: object, valid: Iterable[str]) -> None:
    """Refuse a *value* that is not one of the names in *valid*.

    Raises:
        ConfigurationError: naming the key, the value, the valid names and the nearest one.
    """
    known = sorted(valid)
    if value not in known:
        hint = nearest(str(value), known)
        msg = f"{where}: {value!r} is not one of {', '.join(map(repr, known))}{hint}"
        raise ConfigurationError(msg)


def check_type(where: str, value: object, kinds: type | tuple[type, ...], expected: str) -> None:
    """Refuse a *value* of another type.

    Raises:
        ConfigurationError: naming the key, the value's type and what was *expected*.
    """
    if not isinstance(value, kinds):
        msg = f"{where}: expected {expected}, got {type(value).__name__}"
        raise ConfigurationError(msg)
