"""What a policy does to sample payloads, field by field: for ``agentlogsafe policy test`` and for test suites."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from agentlogsafe.redaction import RedactionPolicy, Report, RunMemory, compile_policy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    Source = RedactionPolicy | Mapping[str, Any] | str | Path | None

ABSENT = object()


class Field(NamedTuple):
    """What became of one field of a sample.

    ``path`` is dotted, with ``[]`` for the entries of a list; ``outcome`` is ``kept``, ``redacted``, ``digested`` or
    ``omitted``; ``rule`` says by which rule; ``before`` and ``after`` are the values.
    """

    path: str
    outcome: str
    rule: str
    before: Any
    after: Any


def explain(policy: Source, payload: Mapping[str, Any], event_type: str = "custom") -> list[Field]:
    """Return what *policy* makes of each field of *payload*, were it logged as an event of *event_type*.

    Args:
        policy: as for `RedactionPolicy.load`.
        payload: a sample of the application's own.
        event_type: which content rules apply.

    Raises:
        ConfigurationError: where *policy* is not one.
    """
    redactor = compile_policy(policy)
    report = Report()
    made: Any = redactor.event(event_type, {"payload": dict(payload)}, report, RunMemory())
    after = made["payload"]
    found = []
    for parts, value in _leaves(payload, ()):
        result = _at(after, parts)
        rule = report.content.get(str(parts[0]), {}).get("mode")
        found.append(_field(redactor, parts, value, result, rule))
    return found


def _field(redactor: Any, parts: tuple[Any, ...], value: Any, result: Any, content_rule: str | None) -> Field:
    path = _path(parts)
    if content_rule in ("omit", "digest"):
        outcome = "omitted" if result is ABSENT else "digested"
        return Field(path, outcome, f"content rule {content_rule!r}", value, None if result is ABSENT else result)
    if isinstance(result, dict) and set(result) == {"length", "digest"} and not isinstance(value, dict):
        return Field(path, "digested", "unknown text", value, result)
    if result is ABSENT:
        return Field(path, "redacted", "a rule for what is around it", value, None)
    if result == value or (isinstance(value, float) and orjson.dumps(result) == orjson.dumps(value)):
        return Field(path, "kept", "", value, result)
    key = next((part for part in reversed(parts) if isinstance(part, str)), "")
    by_text, by_key = Report(), Report()
    redactor.copy(value, by_text)
    redactor.copy(value, by_key, key=key)
    if by_text.counts:
        rule = f"detector {', '.join(sorted(by_text.counts))}"
    elif by_key.counts:
        rule = f"key {key!r}: {', '.join(sorted(by_key.counts))}"
    else:
        rule = "seen under a sensitive key, or inside one"
    return Field(path, "redacted", rule, value, result)


def _leaves(value: Any, parts: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(item, (*parts, key))
    elif isinstance(value, list) and value:
        for number, item in enumerate(value):
            yield from _leaves(item, (*parts, number))
    else:
        yield parts, value


def _at(value: Any, parts: tuple[Any, ...]) -> Any:
    try:
        for part in parts:
            value = value[part]
    except (KeyError, IndexError, TypeError):
        return ABSENT
    return value


def _path(parts: tuple[Any, ...]) -> str:
    return "".join("[]" if isinstance(part, int) else f".{part}" for part in parts).lstrip(".")


def leaks(fields: list[Field], forbidden: list[str] | tuple[str, ...]) -> list[Field]:
    """Return the fields that were kept although *forbidden* names them.

    Args:
        fields: from `explain`.
        forbidden: dotted paths, or the last parts of one; ``*`` stands for any part, ``[]`` for a list's entries.
    """
    patterns = [_pattern(name) for name in forbidden]
    kept = [item for item in fields if item.outcome == "kept"]
    return [item for item in kept if any(pattern.fullmatch(item.path) for pattern in patterns)]


def _pattern(name: str) -> re.Pattern[str]:
    parts = "[^.]*".join(re.escape(part) for part in name.split("*"))
    return re.compile(rf"(?:.*\.)?{parts}(?:\[\])*(?:\..*)?")
