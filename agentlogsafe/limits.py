"""Keep an event within its line, after redaction, and say what was cut."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable

_HEAD = 200
_ROUNDS = 64


def fit(event: dict[str, Any], line: int, string: int, size: int, write: Callable[[dict[str, Any]], bytes]) -> bytes:
    """Cut *event*, in place, until no string is longer than *string* and its JSON no longer than *line* bytes.

    What is cut leaves its beginning; its path, full length and SHA-256 go to ``truncated``. All of it is text that
    was redacted before, so neither what stays nor the digest tells anything that redaction took away.

    Args:
        event: the finished event.
        line: bytes.
        string: characters.
        size: characters of text in the event; where that is small, no string needs to be measured.
        write: makes JSON of an event.

    Returns:
        What *write* makes of it.
    """
    # Serializing is what shows the length, and is not done in vain: the formatter writes the very same bytes.
    written = write(event)
    if size <= string and len(written) <= line:
        return written
    leaves: list[tuple[int, str, Any, Any]] = []
    _leaves(event, "", leaves)
    cut: list[dict[str, Any]] = list(event.get("truncated", ()))
    for length, path, box, key in leaves:
        if length > string:
            cut.append(_cut(path, box, key, string))
    leaves.sort(key=lambda leaf: leaf[0], reverse=True)
    excess = _excess(event, cut, line)
    for _, path, box, key in leaves[:_ROUNDS]:
        if excess <= 0:
            break
        keep = max(_HEAD, len(box[key]) - excess - 200)
        if keep < len(box[key]):
            cut.append(_cut(path, box, key, keep))
            excess = _excess(event, cut, line)
    for name in ("payload", "metadata", "risk"):
        if excess > 0 and event[name]:
            text = orjson.dumps(event[name])
            event[name] = {}
            cut.append(_note(name, "line", len(text), text))
            excess = _excess(event, cut, line)
    if cut:
        event["truncated"] = cut[:100]
    return write(event)


def _excess(event: dict[str, Any], cut: list[dict[str, Any]], line: int) -> int:
    """Return by how many bytes the event, with its notes, is too long."""
    return len(orjson.dumps(event)) + (len(orjson.dumps(cut[:100])) + 20 if cut else 0) - line


def _leaves(value: Any, path: str, found: list[tuple[int, str, Any, Any]]) -> None:
    """Collect (length, path, container, key) of every string below *value*."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in pairs:
        if isinstance(item, str):
            found.append((len(item), f"{path}{key}", value, key))
        elif isinstance(item, (dict, list)):
            _leaves(item, f"{path}{key}.", found)


def _cut(path: str, box: Any, key: Any, keep: int) -> dict[str, Any]:
    text = box[key]
    box[key] = f"{text[:keep]}[cut {len(text) - keep}]"
    return _note(path, "string", len(text), text.encode())


def _note(path: str, reason: str, length: int, raw: bytes) -> dict[str, Any]:
    return {"path": path[:200], "reason": reason, "length": length, "sha256": hashlib.sha256(raw).hexdigest()}
