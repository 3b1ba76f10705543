"""Keep an event within its line, after redaction, and say what was cut."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Leaf = tuple[int, str, Any, Any]

BOXES = ("payload", "metadata", "risk")
"""What an event can do without, whole, where nothing else makes it short enough."""

_HEAD = 200
_LAST_HEADS = (64, 12)
_ROUNDS = 64
_WIDEST = 12  # bytes of a character, escaped
_SHARE = 8
_LONGEST_PROBLEM = 300
_WHOLE = frozenset(
    ("schema_version", "event_id", "event_type", "timestamp", "redactions", "policy", "truncated", "problems", "seal")
)
"""What the library itself says of an event, and is short."""


def fit(
    event: dict[str, Any],
    line: int,
    string: int,
    size: int,
    write: Callable[[dict[str, Any]], bytes],
    *,
    boxes: tuple[str, ...] = BOXES,
) -> bytes:
    """Cut *event*, in place, until no string is longer than *string* and its JSON no longer than *line* bytes.

    What is cut leaves its beginning; its path, full length and SHA-256 go to ``truncated``. All of it is text that
    was redacted before, so neither what stays nor the digest tells anything that redaction took away.

    Args:
        event: the finished event.
        line: bytes.
        string: characters.
        size: characters of text in the event; where that is small, no string needs to be measured.
        write: makes JSON of an event.
        boxes: the fields whose containers may go whole.

    Returns:
        What *write* makes of it.
    """
    # Serializing is what shows the length, and is not done in vain: the formatter writes the very same bytes.
    written = write(event)
    if size <= string and len(written) <= line:
        return written
    if "problems" in event:
        said = [text[:_LONGEST_PROBLEM] for text in event["problems"]]
        event["problems"] = _first(said, line // _SHARE, lambda more: f"and {more:,} more")
    notes: list[dict[str, Any]] = event.pop("truncated", [])[:]
    whole: list[dict[str, Any]] = []

    def excess() -> int:
        told = [*_first(notes, line // _SHARE, _more), *whole]
        if told:
            event["truncated"] = told
        return len(write(event)) - line

    leaves = list(_leaves(event, "", _WHOLE))
    for length, path, box, key in leaves:
        if length > string:
            notes.append(_cut(path, box, key, string))
    over = excess()
    longest = sorted(leaves, key=lambda leaf: leaf[0], reverse=True)[:_ROUNDS]
    hopeless = over > _WIDEST * sum(leaf[0] for leaf in longest)  # then it would only take time
    for _, path, box, key in longest:
        if over <= 0 or hopeless:
            break
        keep = max(_HEAD, len(box[key]) - over - _HEAD)
        if keep < len(box[key]):
            notes.append(_cut(path, box, key, keep))
            over = excess()
    policy = event.get("policy", {})
    for owner, prefix, name in (*((event, "", name) for name in boxes), (policy, "policy.", "content")):
        if over > 0 and isinstance(owner.get(name), (dict, list)) and owner[name]:
            text = orjson.dumps(owner[name])
            owner[name] = type(owner[name])()
            whole.append(_note(prefix + name, "line", len(text), text))
            over = excess()
    for keep in _LAST_HEADS:
        if over > 0:
            notes += [
                _cut(path, box, key, keep) for length, path, box, key in _leaves(event, "", _WHOLE) if length > keep
            ]
            over = excess()
    return write(event)


WIDER = 3
"""How many times as long `written_wide` can be as the shortest JSON."""


def written_wide(event: dict[str, Any]) -> bytes:
    """Return *event* as the standard library writes JSON: with spaces, and all but ASCII escaped."""
    return json.dumps(event).encode()


def _first(items: list[Any], room: int, rest: Callable[[int], Any]) -> list[Any]:
    """Return as many of the *items* as fit into *room* bytes of JSON, and what says how many more there are."""
    for at, item in enumerate(items):
        room -= len(orjson.dumps(item)) + 1
        if room < 0:
            return [*items[:at], rest(len(items) - at)]
    return items


def _more(number: int) -> dict[str, Any]:
    return {"path": "", "reason": "more", "length": number}


def _leaves(value: Any, path: str, without: frozenset[str] = frozenset()) -> Iterator[Leaf]:
    """Yield (length, path, container, key) of every string below *value*."""
    for key, item in list(value.items() if isinstance(value, dict) else enumerate(value)):
        if isinstance(item, str):
            if key not in without:
                yield len(item), f"{path}{key}", value, key
        elif isinstance(item, (dict, list)) and key not in without:
            yield from _leaves(item, f"{path}{key}.")


def _cut(path: str, box: Any, key: Any, keep: int) -> dict[str, Any]:
    text = box[key]
    box[key] = f"{text[:keep]}[cut {len(text) - keep}]"
    return _note(path, "string", len(text), text.encode())


def _note(path: str, reason: str, length: int, raw: bytes) -> dict[str, Any]:
    return {"path": path[:200], "reason": reason, "length": length, "sha256": hashlib.sha256(raw).hexdigest()}
