"""Whether what stands where a secret could is one: no placeholder, type, expression, path or word of a sentence."""

from __future__ import annotations

import re

from agentlogsafe.redaction.keys import classify
from agentlogsafe.redaction.placeholders import STOCK, placeholder
from agentlogsafe.redaction.strategies import MASKED

_NAMES_INCODE = re.compile(r"[a-z]+(?:_[a-z]+)+|[A-Z]+(?:_[A-Z]+)+")
CODE = re.compile(
    r"[A-Za-z_$][\w$]*(?:(?:\.|->|::|\?\.)[A-Za-z_$][\w$]*){1,8}(?:\(.*|\[.*)?$|[A-Za-z_$][\w$.]*\(|[A-Za-z_$][\w$.]*\[[\"']?\w|\w+://"
)
_LONGEST_NAME = 64
_CAMEL = re.compile(r"(?:[A-Z][a-z]{2,}){2,}|[A-Z][a-z]+")
_FILE = re.compile(r"[\w@-][\w.@-]*(?:/[\w.@-]+)+\.[A-Za-z][A-Za-z0-9]{1,4}")
DOTTED = re.compile(r"[\^~<>=]{0,2}\d+(?:\.\d+){2,}")
PINNED = re.compile(r"sha(?:1|256|384|512)-|@?[\w.-]{1,100}(?:/[\w.-]{1,100})?@[0-9]+\.[0-9]+\.[0-9]")
"""A package and its version, or what it hashes to: lock files have them behind the package's name."""
_FOLDERS = frozenset(("pwd", "oldpwd"))  # where a shell is
_SHORTEST = {"PASSWORD": 4, "CARD_CODE": 3}


def chosen(text: str) -> bool:
    """Return whether *text*, which stands where a secret does, is more than an example, a name or a placeholder."""
    return (
        any(map(str.isdigit, text))
        and any(map(str.isalpha, text))
        and len(set(text)) > 4  # noqa: PLR2004 - a filler has fewer
        and "://" not in text
        and text.lower() not in STOCK
        and not placeholder(text)
        and not MASKED.search(text)
    )


def secretive(value: str, category: str, name: str, *, quoted: bool, tight: bool) -> bool:
    """Return whether *value* can be a secret: no placeholder, type, expression or word of the sentence."""
    if "[" in value:
        value = MASKED.sub("", value)
    if not value or value.lower() in STOCK or len(value) < _SHORTEST.get(category, 6) or placeholder(value):
        return False
    if "@" in value and PINNED.match(value):
        return False
    if category == "CARD_CODE" or name == "pin" or name.endswith("_pin"):
        return value.isdigit()
    if len(set(value)) < (3 if category == "PASSWORD" else 5):
        return False
    digits = any(map(str.isdigit, value))
    if (name in _FOLDERS and value[0] in "/.~") or (category != "PASSWORD" and _FILE.fullmatch(value)):
        return False
    if (
        name == "pass"
        and not (quoted or tight)
        and (("_" in value or "/" in value) if not digits else not any(map(str.isalpha, value)))
    ):
        return False  # a test passed
    if not quoted and not tight and category != "PASSWORD" and _NAMES_INCODE.fullmatch(value):
        return False
    if not quoted and CODE.match(value) and not (tight and digits and "(" not in value and "[" not in value):
        return False
    if not digits and len(value) <= _LONGEST_NAME and classify(value) is not None:
        return False
    if value[-1] in "[(" or DOTTED.fullmatch(value) or not any(map(str.isalnum, value)):
        return False
    if quoted:
        if value.count(" ") > 1 and not digits:
            return False
        return digits or category == "PASSWORD" or len(value) >= 12 and " " not in value  # noqa: PLR2004, RUF021 - lengths; `and` binds first
    if digits or not value.isalpha():
        return category == "PASSWORD" or len(value) >= 8 and (digits or len(value) >= 12)  # noqa: PLR2004, RUF021 - lengths; `and` binds first
    if _CAMEL.fullmatch(value):
        return False  # the name of a type
    return tight or (value != value.lower() and not value.istitle()) or len(value) >= 20  # noqa: PLR2004 - a length, and what it is of stands beside it
