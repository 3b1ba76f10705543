"""JSON inside a string."""

from __future__ import annotations

import json

import orjson

_ODD = ("\t:", "\n:", "\r:", "  :")


def parsed(text: str) -> object:
    """Return the value of a JSON *text*, or None where it is none or a bare scalar."""
    try:
        value = orjson.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict | list | str) else None


def repeated(text: str, keys: int) -> bool:
    """Return whether a key stands twice in an object of the JSON *text*, of which a parser sees only the last.

    It saw *keys* of them. Only where there are more colons behind quotes is the text read once more.
    """
    if text.count('":') + text.count('" :') <= keys and not any(odd in text for odd in _ODD):
        return False
    try:
        json.loads(text, object_pairs_hook=_once, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return True
    return False


def _once(pairs: list[tuple[str, object]]) -> None:
    if len(dict(pairs)) < len(pairs):
        raise ValueError
