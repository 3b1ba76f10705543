"""What stands in the place of a value.

A mask, its last four characters, a hash, a keyed token, nothing, or what a function says.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Replacement: TypeAlias = "Callable[[str, str], str]"
"""Called with the category and the value; returns what stands for the value."""

STRATEGIES = ("drop", "hash", "mask", "partial", "token")
MASKED = re.compile(r"\[[A-Z][A-Z0-9_]{1,23}(?:#[0-9a-f]{16}|\*[0-9A-Za-z]{4})?\]")
"""What a replacement looks like; text of this form is not redacted again."""

_SHOWN = 4
_LONG_ENOUGH = 9
_MOST = 256
_UNSAFE = re.compile(r"[^\w.@+-]+")


def masked(by_category: Mapping[str, object]) -> re.Pattern[str]:
    """Return the pattern of what a policy's strategies make.

    The free text of functions counts only for the categories that have one: otherwise any ``[INFO:password=…]`` would
    pass for redacted.
    """
    called_for = "|".join(re.escape(category) for category, how in by_category.items() if callable(how))
    return re.compile(rf"{MASKED.pattern}|\[(?:{called_for}):[\w.@+-]{{1,64}}\]") if called_for else MASKED


class _Brackets(dict[str, str]):
    """The masks of all categories, each made once."""

    def __missing__(self, category: str) -> str:
        made = f"[{category}]"
        if len(self) < _MOST:  # a policy's function can answer any category
            self[category] = made
        return made


BRACKETS = _Brackets()
"""What `mask` answers, for who asks it for every value: half of the time."""


def mask(category: str, value: str) -> str:  # noqa: ARG001 - every strategy is called the same way
    """Return the category in brackets: ``[EMAIL]``."""
    return f"[{category}]"


def partial(category: str, value: str) -> str:
    """Return the category and the last four characters, ``[CARD*1111]``.

    Only where the value is long enough to keep the rest secret.
    """
    shown = "".join(c for c in value if c.isascii() and c.isalnum())
    return f"[{category}*{shown[-_SHOWN:]}]" if len(shown) >= _LONG_ENOUGH else f"[{category}]"


def hashed(category: str, value: str) -> str:
    """Return the category and the start of the SHA-256 of the value.

    Anyone can compute it, so values that can be guessed are not hidden.
    """
    return f"[{category}#{hashlib.sha256(value.encode('utf-8', 'replace')).hexdigest()[:16]}]"


def token(key: bytes) -> Replacement:
    """Return the strategy that gives equal values equal tokens under one *key*.

    They can be joined on, but not guessed without the key.
    """

    def replace(category: str, value: str) -> str:
        digest = hmac.new(key, f"{category}\0{value}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()
        return f"[{category}#{digest[:16]}]"

    return replace


def called(function: Callable[[str, str], object]) -> Replacement:
    """Return the strategy that asks *function*.

    What it answers is kept in brackets so that it is not redacted again.
    """

    def replace(category: str, value: str) -> str:
        try:
            answer = _UNSAFE.sub("-", str(function(category, value)))[:64].strip("-")
        except Exception:  # noqa: BLE001 - what cannot be redacted is withheld
            return f"[{category}]"
        return f"[{category}:{answer}]" if answer and value not in answer else f"[{category}]"

    return replace


def replacer(by_category: Mapping[str, object], default: str, key: bytes) -> Replacement:
    """Return one function for all categories, each with its strategy.

    Dropping is the walk's business; in text it leaves the mask.
    """
    if not by_category and default in ("mask", "drop"):
        return mask
    named: dict[str, Replacement] = {
        "mask": mask,
        "drop": mask,
        "partial": partial,
        "hash": hashed,
        "token": token(key),
    }
    table = {category: called(how) if callable(how) else named[str(how)] for category, how in by_category.items()}
    otherwise = named[default]

    def replace(category: str, value: str) -> str:
        return table.get(category, otherwise)(category, value)

    return replace
