"""What stands where a secret could, and is none: ``${TOKEN}``, ``your-key``, ``null``."""

from __future__ import annotations

import re

from agentlogsafe.redaction.detectors.base import either

_FILLED = "your my the some enter insert replace change example sample dummy fake todo tbd n/a redacted masked hidden removed placeholder".split()  # noqa: E501 - one row of a table
_NOTHING = "none null nil true false undefined nan empty string str text int integer number bool boolean bytes object any optional required missing invalid expired unknown default yes no on off ok error failed success successful incorrect wrong valid disabled enabled not is was has and or self cls this var let const env request response function async await return new get set input output prompt read auto basic bearer".split()  # noqa: E501 - one row of a table
# In lower case: to ignore case costs four times as much, and only what is beyond ASCII needs it.
_PLACEHOLDERS = (
    r"[\"'\\]*(?:\$\{|\$\(|\{\{|<|%\(|%[sd]\b|\$[a-z_]{2,}\b|\{[a-z_.]+\}|\*{3}|x{4}|\.{3}|…|#\{|@[a-z_.]+@|%[a-z_]+%"
    r"|[a-z_ -]{1,40}[_ -]here\b|![a-z][a-z.:!-]*$)"
    rf"|{either(_FILLED, whole=True)}(?:[_ -]|\b|$)|{either(_NOTHING, whole=True)}\W*$"
)
_PLACEHOLDER = re.compile(_PLACEHOLDERS)
_PLACEHOLDER_ANY_CASE = re.compile(_PLACEHOLDERS, re.IGNORECASE)
_DIGITS = "0123456789"
STOCK = frozenset(
    "test password passwd pass token secret user username admin example string key value foo bar foobar mypassword mytoken mysecret".split()  # noqa: E501 - one row of a table
)
"""Values of examples."""


def placeholder(value: str) -> bool:
    """Return whether *value* stands for a secret, or says that there is none: ``${TOKEN}``, ``your-key``, ``null``."""
    if value.isascii():
        return value[:1] not in _DIGITS and _PLACEHOLDER.match(value.lower()) is not None
    return _PLACEHOLDER_ANY_CASE.match(value) is not None
