"""The event: its vocabulary, its envelope, and how the fields of a log call find their place in it.

Event types, envelope fields and aliases are tables; `normalize` is the one function that reads them. It
sorts fields and never redacts: what it returns still holds the caller's objects.
"""

from __future__ import annotations

import math
import re
import sys
import time
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson

from agentlogsafe.errors import ConfigurationError
from agentlogsafe.redaction.plain import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable

if sys.version_info >= (3, 14):  # pragma: no cover
    from uuid import uuid7
else:
    # Twenty times faster than a pure Python UUIDv7, and it reseeds itself in a forked child.
    from uuid_utils import uuid7

SCHEMA_VERSION = "1.0"

Event = dict[str, Any]
"""One audit event: a plain dict that ``json.dumps`` and ``orjson.dumps`` accept as it is."""

BASE_FIELDS = (
    "schema_version",
    "event_id",
    "run_id",
    "event_type",
    "timestamp",
    "agent_name",
    "workflow_name",
    "parent_event_id",
    "provider",
    "model",
    "tool_name",
    "status",
    "payload",
    "risk",
    "metadata",
)
"""Always present in an event, in this order; null where unknown."""

OPTIONAL_FIELDS = (
    "parent_run_id",
    "session_id",
    "agent_version",
    "tool_call_id",
    "actor",
    "duration_ms",
    "trace_id",
    "span_id",
    "level",
    "logger",
    "redactions",
    "policy",
    "truncated",
    "problems",
    "seal",
)
"""Present only when known, in this order, after the base fields."""

_BUILT_IN_TYPES = (
    "run_start",
    "run_end",
    "user_message",
    "system_instruction",
    "model_call",
    "model_response",
    "tool_call",
    "tool_result",
    "retrieval_query",
    "retrieval_result",
    "policy_check",
    "human_approval",
    "decision",
    "error",
    "custom",
)

EVENT_TYPES: set[str] = set(_BUILT_IN_TYPES)
"""Every event type known now: the built-in ones and those an application registered."""

_TYPE_LENGTH = 64
_TYPE_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")


def register_event_type(name: str) -> str:
    """Make *name* an event type of this process, so that ``logger.info(name, ...)`` becomes an event.

    Registering a name twice is harmless. Returns the name, so that it can be kept as a constant.

    Raises:
        ConfigurationError: when *name* is not lower-case words joined by underscores, at most 64 characters.
    """
    if not _TYPE_NAME.fullmatch(str(name)) or len(name) > _TYPE_LENGTH:
        msg = f"event type: {name!r} is not lower-case words joined by underscores (such as 'trade_executed')"
        raise ConfigurationError(msg)
    EVENT_TYPES.add(name)
    return name


def known_type(name: object) -> str | None:
    """Return *name* as text where it is an event type, else None; whatever object it is, it is not asked anything."""
    text = str.__str__(name) if issubclass(type(name), str) else ""
    return text if text in EVENT_TYPES else None


def new_id() -> str:
    """Return a new UUIDv7 (RFC 9562) in its usual text form; ids made later sort later."""
    return str(uuid7())


_second: tuple[float, str] = (math.inf, "")
_YEARS = (-30_610_224_000, 253_402_300_800)  # from 1000 to 9999: RFC 3339 has four digits
_DIGITS = [f"{number:03d}" for number in range(1000)]


def timestamp(seconds: float) -> str:
    """Return *seconds* since the epoch as RFC 3339 in UTC, with microseconds and ``Z``.

    Raises:
        Exception: for what is no time, or one that RFC 3339 cannot say.
    """
    # The text of the current second is kept: formatting it anew costs more than the rest of the call. One tuple,
    # replaced whole, so that threads never see half of an update. To look digits up costs half of formatting them.
    global _second  # noqa: PLW0603
    whole, text = _second
    if not 0 <= seconds - whole < 1:
        if not _YEARS[0] <= seconds < _YEARS[1]:
            msg = "no time of a year of four digits"
            raise ValueError(msg)
        whole = math.floor(seconds)
        text = time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(whole))
        _second = (whole, text)
    micro = int((seconds - whole) * 1_000_000)
    return f"{text}{_DIGITS[micro // 1000]}{_DIGITS[micro % 1000]}Z"


_FRACTION = re.compile(r"(?<=:[0-9]{2})\.([0-9]{1,6})[0-9]*")


def parse_time(text: str) -> datetime:
    """Return the time that an RFC 3339 text, or another form of ISO 8601, says; without a zone where that has none.

    Raises:
        ValueError: for what is none.
    """
    # Until 3.11, fromisoformat does not know "Z", nor fractions of other than three or six digits.
    text = _FRACTION.sub(lambda match: f".{match[1]:0<6}", text)
    return datetime.fromisoformat(f"{text[:-1]}+00:00" if text[-1:] in "Zz" else text)


_TEXT = "text"
_NUMBER = "number"
_MERGED = "merged"
_ACTOR = "actor"
_TYPE = "type"
_RESERVED = "reserved"

# What becomes of a field of a log call, by its name; anything else goes to the payload. Names with a dot are
# OpenTelemetry's semantic conventions for generative AI.
_FIELDS: dict[str, tuple[str, str]] = {
    **{
        name: (_TEXT, name)
        for name in (
            "run_id",
            "agent_name",
            "workflow_name",
            "parent_event_id",
            "provider",
            "model",
            "tool_name",
            "status",
            "parent_run_id",
            "session_id",
            "agent_version",
            "tool_call_id",
            "trace_id",
            "span_id",
        )
    },
    **{
        name: (_RESERVED, name)
        for name in (
            "schema_version",
            "event_id",
            "timestamp",
            "level",
            "logger",
            "redactions",
            "policy",
            "truncated",
            "problems",
            "seal",
        )
    },
    "event_type": (_TYPE, "event_type"),
    "duration_ms": (_NUMBER, "duration_ms"),
    "actor": (_ACTOR, "actor"),
    "payload": (_MERGED, "payload"),
    "metadata": (_MERGED, "metadata"),
    "risk": (_MERGED, "risk"),
    "gen_ai.tool.name": (_TEXT, "tool_name"),
    "gen_ai.tool.call.id": (_TEXT, "tool_call_id"),
    "gen_ai.request.model": (_TEXT, "model"),
    "gen_ai.response.model": (_TEXT, "model"),
    "gen_ai.provider.name": (_TEXT, "provider"),
    "gen_ai.system": (_TEXT, "provider"),
    "gen_ai.agent.name": (_TEXT, "agent_name"),
    "gen_ai.agent.version": (_TEXT, "agent_version"),
    "gen_ai.workflow.name": (_TEXT, "workflow_name"),
    "gen_ai.conversation.id": (_TEXT, "session_id"),
}

_OWN_TEXTS = frozenset(key for key, (kind, name) in _FIELDS.items() if kind == _TEXT and key == name)

_PAYLOAD_ALIASES = {
    "gen_ai.tool.call.arguments": "args",
    "gen_ai.tool.call.result": "result",
    "gen_ai.usage.input_tokens": "input_tokens",
    "gen_ai.usage.output_tokens": "output_tokens",
    "gen_ai.input.messages": "messages",
    "gen_ai.output.messages": "response",
    "gen_ai.system_instructions": "instructions",
    "error.type": "error_type",
}

_ID_LENGTH = 256


def normalize(fields: Mapping[Any, object], problems: list[str]) -> dict[str, Any]:
    """Sort the fields of one log call into envelope and payload.

    What does not fit its envelope field is kept in the payload and named in *problems*; names that only the
    library may set (``event_id``, ``timestamp``, …) are kept in the payload too. Objects are moved, not copied.

    Returns:
        A dict with ``payload`` and those envelope fields that the call gave.
    """
    out: dict[str, Any] = {}
    payload: dict[Any, object] = {}
    renamed: dict[Any, object] = {}
    for key, value in fields.items():
        if type(value) is str and type(key) is str and key in _OWN_TEXTS:
            out[key] = value  # the usual envelope field
            continue
        place = _FIELDS.get(key) if type(key) is str else None
        if place is None:
            if type(key) is str and key in _PAYLOAD_ALIASES:
                renamed[_PAYLOAD_ALIASES[key]] = value
            else:
                payload[key] = value
            continue
        if value is None:
            continue
        kind, name = place
        if kind is _TEXT and type(value) is str:
            if name not in out or key == name:
                out[name] = value
            else:
                payload[key] = value
        else:
            try:
                _PLACERS[kind](out, payload, name, value, problems)
            except Exception as error:  # noqa: BLE001 -- one object that cannot be read does not cost the event
                payload[name] = value
                problems.append(f"{name}: could not be read ({kind_of(error)}); kept in payload")
    if renamed:  # a call can bring both names of a field
        payload = _merge_payload(renamed, payload, problems)
    given = out.pop("payload", None)
    if given is not None:
        payload = _merge_payload(given, payload, problems)
    out["payload"] = payload
    return out


_TWICE = "payload: a field is given twice; the second is kept under 'extra'"


def _merge_payload(given: dict[Any, object], loose: dict[Any, object], problems: list[str]) -> dict[Any, object]:
    """Add fields given beside ``payload=`` to it; a name in both keeps both values."""
    merged = dict(given)
    for key, value in loose.items():
        if key in merged:
            if _TWICE not in problems:
                problems.append(_TWICE)
            extra = merged.setdefault("extra", {})
            merged["extra"] = {**(extra if isinstance(extra, dict) else {"extra": extra}), key: value}
        else:
            merged[key] = value
    return merged


def _refuse(payload: dict[Any, object], name: str, value: object, expected: str, problems: list[str]) -> None:
    payload[name] = value
    problems.append(f"{name}: expected {expected}, got {kind_of(value)}; kept in payload")


def _place_text(out: Event, payload: dict[Any, object], name: str, value: Any, problems: list[str]) -> None:
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, (str, int, UUID)) and not isinstance(value, bool):
        text = str.__str__(value) if isinstance(value, str) else str(value)
        if len(text) <= _ID_LENGTH:
            out.setdefault(name, text)
            return
    _refuse(payload, name, value, "a string", problems)


def _place_number(out: Event, payload: dict[Any, object], name: str, value: object, problems: list[str]) -> None:
    if type(value) in (int, float) and 0 <= value < 2**53:  # type: ignore[operator]
        out[name] = value
    else:
        _refuse(payload, name, value, "a number of milliseconds", problems)


def _place_merged(out: Event, payload: dict[Any, object], name: str, value: object, problems: list[str]) -> None:
    if isinstance(value, Mapping):
        out[name] = dict(value)
    elif name == "risk" and isinstance(value, str):
        out[name] = {"level": value}
    elif name == "payload":
        out[name] = {"value": value}
    else:
        _refuse(payload, name, value, "a mapping", problems)


def _place_actor(out: Event, payload: dict[Any, object], name: str, value: object, problems: list[str]) -> None:
    if isinstance(value, str):
        out[name] = {"id": value}
    elif isinstance(value, Mapping) and value and all(k in ("id", "type") for k in value):
        out[name] = {k: v if isinstance(v, str) else str(v) for k, v in value.items()}
    else:
        _refuse(payload, name, value, "a string or a mapping of id and type", problems)


def _place_type(out: Event, payload: dict[Any, object], name: str, value: object, problems: list[str]) -> None:
    known = known_type(value)
    if known is not None:
        out[name] = known
    else:
        payload[name] = value
        problems.append("event_type: not a registered event type; kept in payload")


def _place_reserved(_: Event, payload: dict[Any, object], name: str, value: object, __: list[str]) -> None:
    payload[name] = value


_PLACERS: dict[str, Callable[[Event, dict[Any, object], str, Any, list[str]], None]] = {
    _TEXT: _place_text,
    _NUMBER: _place_number,
    _MERGED: _place_merged,
    _ACTOR: _place_actor,
    _TYPE: _place_type,
    _RESERVED: _place_reserved,
}


@lru_cache(maxsize=1)
def _schema_text() -> bytes:
    from importlib import resources  # noqa: PLC0415 -- it costs 4 ms, and few programs ask for the schema

    return resources.files("agentlogsafe").joinpath("schemas/event.schema.json").read_bytes()


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of an event, with the event types registered in this process."""
    schema: dict[str, Any] = orjson.loads(_schema_text())
    own = sorted(EVENT_TYPES.difference(_BUILT_IN_TYPES))
    schema["properties"]["event_type"]["enum"] = [*_BUILT_IN_TYPES, *own]
    return schema
