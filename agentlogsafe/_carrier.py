"""How a run crosses processes: what `inject` writes into headers or a message, and what is read from them."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from agentlogsafe.context import NO_RUN, Frame, RunState, current, trace_of
from agentlogsafe.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

_CARRIER = "agentlogsafe-context"
_CARRIED = ("run_id", "parent_event_id", "parent_run_id", "session_id", "agent_name", "workflow_name", "agent_version")
# W3C Trace Context, section 3.2: version ff and ids of zeros are invalid.
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?")
_SAFE = re.compile(r"[\w.@:/ +-]{1,256}")
_EVENT_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def inject(carrier: MutableMapping[str, str]) -> MutableMapping[str, str]:
    """Write the ids of the current run into *carrier* (HTTP headers, message attributes, a job's arguments).

    Two keys at most: ``agentlogsafe-context`` and, where a trace is known and the carrier has none, W3C
    ``traceparent``. Only ids and names travel, never metadata or payload, and only those in which the standard policy
    finds nothing to redact. Returns the carrier, unchanged outside any run.
    """
    frame = current()
    if frame is None:
        return carrier
    run = frame.run
    if run.run_id:
        values = {name: value for name in _CARRIED if (value := getattr(run, name, None))}
        if frame.parent:
            values["parent_event_id"] = frame.parent
        # A header can be logged by whatever it passes.
        safe = {name: value for name, value in values.items() if _is_clean(value)}
        if "run_id" in safe:
            carrier[_CARRIER] = ",".join(f"{name}={quote(value, safe='')}" for name, value in safe.items())
    trace = trace_of(frame)
    if trace and "traceparent" not in carrier:
        carrier["traceparent"] = f"00-{trace[0]}-{trace[1]}-01"
    return carrier


def _is_clean(text: str) -> bool:
    return redact(text) == text


def _header(carrier: Mapping[Any, Any], name: str) -> str:
    """Return a header whatever its case, also from ASGI's bytes or WSGI's environ; empty where there is none."""
    wsgi = "HTTP_" + name.upper().replace("-", "_")
    for key in (name, name.title(), name.upper(), wsgi, name.encode()):
        value = None
        with suppress(Exception):  # header objects of frameworks take text only
            value = carrier.get(key)
        if value is not None:
            return value.decode("latin-1") if isinstance(value, bytes) else str(value)
    return ""


def read_carrier(carrier: Mapping[Any, Any]) -> Frame:
    """Return the frame that `inject` wrote into *carrier*; one outside any run where there is none. Never raises.

    What arrives from outside is not trusted: a value that is not a plain id or name, or that would have to be
    redacted, is left out.
    """
    try:
        pairs = (part.partition("=") for part in _header(carrier, _CARRIER)[:4096].split(","))
        given = {name.strip(): unquote(value) for name, _, value in pairs}
        given = {name: text for name in _CARRIED if _SAFE.fullmatch(text := given.get(name, "")) and _is_clean(text)}
        if not _EVENT_ID.fullmatch(given.get("parent_event_id", "")):
            given.pop("parent_event_id", None)
        traced = _TRACEPARENT.fullmatch(_header(carrier, "traceparent").strip())
    except Exception:  # noqa: BLE001 -- a hostile carrier is no carrier
        return Frame.of(NO_RUN, None)
    trace = (traced[1], traced[2]) if traced else None
    if "run_id" not in given:
        return Frame.of(NO_RUN, None, trace=trace)
    run = RunState(given.pop("run_id"), None, **given)
    run.parent_run_id = given.get("parent_run_id")
    return Frame.of(run, given.get("parent_event_id"), trace=trace)
