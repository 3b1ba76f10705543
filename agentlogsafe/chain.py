"""The one path of a log call: normalize → redact → limit.

Formatter, handler and processors all call a `Chain`. It never raises, never changes what it is given, and makes one
event of one call however many handlers ask for it. Equal settings share one chain.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from agentlogsafe import _records as records
from agentlogsafe.context import RUN, STAMP, Defaults, Frame, RunState, Stamp, active_trace, current
from agentlogsafe.events import BASE_FIELDS, EVENT_TYPES, SCHEMA_VERSION, Event, new_id, normalize, timestamp
from agentlogsafe.limits import fit
from agentlogsafe.redaction import Report, RunMemory, compile_policy
from agentlogsafe.settings import Settings

if TYPE_CHECKING:
    import logging

UNREADABLE = "[UNREDACTABLE]"
_OTEL = "opentelemetry.trace"
_METHOD_LEVELS = {"warn": "warning", "exception": "error", "fatal": "critical", "msg": "info"}
_NO_RUN = "run: the event is outside any run"
_AFTER_END = "run: the event came after the run's end"


class Audited(dict[str, Any]):
    """An event that has been through a chain; the type is what says so.

    Renderers of structlog that ask for the message under ``event`` get the event type.
    """

    def pop(self, key: str, *default: Any) -> Any:
        """Remove and return a field, as a dict does."""
        if key == "event" and key not in self:
            return self["event_type"]
        return super().pop(key, *default)


class Call(NamedTuple):
    """What an entry knows of one log call, besides its fields."""

    stamp: Stamp
    created: float
    level: str | None
    logger: str | None
    exc_info: object = None
    stack_info: object = None
    message: str | None = None
    positional: object = None
    problems: tuple[str, ...] = ()


class _View(NamedTuple):
    """What settings, logger object and run say of an event, merged and redacted once."""

    agent_name: str | None
    workflow_name: str | None
    agent_version: str | None
    session_id: str | None
    actor: Any
    parent_run_id: str | None
    risk: bytes | None
    metadata: bytes | None
    redactions: dict[str, int]
    problems: list[str]


class Chain:
    """Turns log calls into audit events under one set of settings.

    Args:
        settings: checked settings; compiled here, once.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        limits = settings.limits
        self.redactor = compile_policy(settings.policy, depth=limits.depth, items=limits.items)
        policy = settings.policy
        self._policy = {"name": policy.name, "version": policy.version, "digest": policy.digest}
        self._line, self._string = limits.line, limits.string
        self._base = self._make_view(None, None)

    def record(self, record: logging.LogRecord) -> Audited | logging.LogRecord | None:
        """Return what becomes of a LogRecord: an event, an ordinary record that is redacted, or None (dropped)."""
        attributes = record.__dict__
        stamp = attributes.get(STAMP)
        if type(stamp) is Stamp:
            if stamp.final is not None:
                return stamp.final  # type: ignore[no-any-return]
            if self in stamp.events:
                return stamp.events[self]  # type: ignore[no-any-return]
        elif type(record.msg) is Audited:
            return record.msg
        else:
            # Calls of this package bring a stamp along with their fields.
            stamp = getattr(record.args, "stamp", None)
            if type(stamp) is not Stamp:
                frame = attributes.get(RUN)
                stamp = Stamp.of(new_id(), frame if type(frame) is Frame else current())
            attributes[STAMP] = stamp
        try:
            made = self._from_record(record, stamp)
        except Exception as error:  # noqa: BLE001 -- fail closed: the event goes out, without what broke it
            made = self._broken(stamp, record.__dict__.get("levelname"), record.__dict__.get("name"), error)
        stamp.events[self] = made
        return made

    def _from_record(self, record: logging.LogRecord, stamp: Stamp) -> Audited | logging.LogRecord | None:
        attributes = record.__dict__
        message: Any = record.msg
        given = records.mapping_argument(record.args) if record.args else None
        positional = record.args if record.args and given is None else None
        fields: Mapping[Any, object] = records.extras(record)
        if given:
            fields = {**fields, **given} if fields else given
        problems: list[str] = []
        if type(message) is not str or message not in EVENT_TYPES or positional is not None:
            if isinstance(message, Mapping) and "event" in message:
                fields = {**fields, **message}
                message = fields.pop("event")
            if type(message) is not str or message not in EVENT_TYPES:
                message = records.message_of(record, problems) if message is record.msg else records.text_of(message)
                positional = None
        call = Call(
            stamp=stamp,
            created=attributes["created"],
            level=str(attributes["levelname"]).lower(),
            logger=attributes["name"],
            exc_info=attributes["exc_info"],
            stack_info=attributes["stack_info"],
            message=message,
            positional=positional,
            problems=tuple(problems),
        )
        if message in EVENT_TYPES:
            return self.event(message, fields, call._replace(message=None))
        if fields.get("event_type") is not None or self.settings.others == "custom":
            return self.event(None, fields, call)
        if self.settings.others == "drop":
            return None
        return self._ordinary_record(record, message, fields, stamp)

    def broken(self, record: logging.LogRecord, error: Exception) -> Audited:
        """Return the event that stands for a record which could not be formatted."""
        attributes = record.__dict__
        return self._broken(attributes.get(STAMP), attributes.get("levelname"), attributes.get("name"), error)

    def event_dict(self, logger: object, method: str, given: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return what becomes of a structlog event dict: an event, a redacted event dict, or None (dropped)."""
        if type(given) is Audited:
            return given
        stamp: Any = None
        level = _METHOD_LEVELS.get(method, method)
        name: object = None
        try:
            fields = dict(given)
            stamp = fields.pop(STAMP, None)
            if type(stamp) is not Stamp:
                stamp = Stamp.of(new_id(), current())
            message = fields.pop("event", None)
            if fields.get("level") in (level, method) or method == "log":
                level = str(fields.pop("level", level))
            name = fields.pop("logger") if type(fields.get("logger")) is str else getattr(logger, "name", None)
            is_event = type(message) is str and message in EVENT_TYPES
            if not is_event and fields.get("event_type") is None and self.settings.others != "custom":
                if self.settings.others == "drop":
                    return None
                return self._ordinary_dict(given, stamp)
            call = Call(
                stamp=stamp,
                created=time.time(),
                level=level,
                logger=name if type(name) is str else None,
                exc_info=fields.pop("exc_info", None),
                stack_info=fields.pop("stack", None),
                message=None if is_event else records.text_of(message),
                positional=fields.pop("positional_args", None),
            )
            event = self.event(message if is_event else None, fields, call)
        except Exception as error:  # noqa: BLE001 -- fail closed, as above
            event = self._broken(stamp, level, name, error)
        if type(stamp) is Stamp:
            stamp.events[self] = event
        return event

    def safe_event(self, event_type: str, fields: Mapping[Any, object], call: Call) -> Audited:
        """Return the finished event of a call that no handler asked for. Never raises."""
        try:
            return self.event(event_type, fields, call)
        except Exception as error:  # noqa: BLE001 -- fail closed, as above
            return self._broken(call.stamp, call.level, call.logger, error)

    def event(self, event_type: str | None, fields: Mapping[Any, object], call: Call) -> Audited:
        """Return the finished event of one call.

        Args:
            event_type: None where the message names none: the ``event_type`` field does, else it is ``custom``.
            fields: the caller's fields, left as they are.
            call: where and when the call was made.
        """
        problems = list(call.problems)
        found = normalize(fields, problems)
        payload = found["payload"]
        named = found.pop("event_type", None)
        if event_type is None or named is not None:
            event_type = named or event_type or "custom"
        if call.message is not None:
            payload.setdefault("message", call.message)
        if call.positional is not None:
            payload["positional_args"] = call.positional
            problems.append("args: positional arguments have no place in an event; kept in payload")
        if call.exc_info or event_type == "error":
            _add_exception(payload, call.exc_info)
        if call.stack_info:
            payload["stack_info"] = call.stack_info

        stamp = call.stamp
        frame = stamp.frame
        run = frame.run if frame is not None and frame.run.run_id else None
        report = Report()
        memory: RunMemory | None = None
        if run is not None:
            memory = run.memory
            if memory is None:
                memory = run.memory = RunMemory()
        clean: dict[str, Any] = self.redactor.event(event_type, found, report, memory)
        for name in ("payload", "risk", "metadata", "actor"):
            if name in clean and type(clean[name]) is not dict:
                clean[name] = {"value": clean[name]}  # the redactor withheld it whole

        view = self._view(run, stamp.defaults)
        get = clean.get
        run_id = get("run_id")
        if run_id is None:
            if run is None:
                problems.append(_NO_RUN)
            else:
                run_id = run.run_id
                if run.ended:
                    problems.append(_AFTER_END)
        tool_call_id = get("tool_call_id")
        parent = get("parent_event_id")
        if parent is None and frame is not None:
            parent = frame.parent
            if tool_call_id is not None and run is not None:
                if event_type == "tool_call":
                    run.remember_call(tool_call_id, str.__str__(stamp))
                else:
                    parent = run.calls.get(tool_call_id, parent)
        event = Audited(
            schema_version=SCHEMA_VERSION,
            event_id=str.__str__(stamp),
            run_id=run_id,
            event_type=event_type,
            timestamp=_time(call.created, problems),
            agent_name=get("agent_name") or view.agent_name,
            workflow_name=get("workflow_name") or view.workflow_name,
            parent_event_id=parent,
            provider=get("provider"),
            model=get("model"),
            tool_name=get("tool_name"),
            status=get("status"),
            payload=clean["payload"],
            risk=_merged(view.risk, get("risk")),
            metadata=_merged(view.metadata, get("metadata")),
        )
        for name, value in (
            ("parent_run_id", get("parent_run_id") or view.parent_run_id),
            ("session_id", get("session_id") or view.session_id),
            ("agent_version", get("agent_version") or view.agent_version),
            ("tool_call_id", tool_call_id),
            ("actor", get("actor") or view.actor),
            ("duration_ms", get("duration_ms")),
            ("level", call.level),
            ("logger", call.logger),
        ):
            if value is not None:
                event[name] = value
        if "trace_id" in clean:
            event["trace_id"] = clean["trace_id"]
        if "span_id" in clean:
            event["span_id"] = clean["span_id"]
        if frame is not None or _OTEL in sys.modules:
            _add_trace(event, frame)
        return self._finish(event, report, view, problems, stamp)

    def _finish(self, event: Audited, report: Report, view: _View, problems: list[str], stamp: Stamp) -> Audited:
        """Add what the library itself has to say, and keep the event within its limits."""
        redactions = report.counts
        if view.redactions:
            redactions = {k: redactions.get(k, 0) + view.redactions.get(k, 0) for k in {**view.redactions, **redactions}}
        if redactions:
            event["redactions"] = redactions
        event["policy"] = dict(self._policy)
        if report.truncated:
            event["truncated"] = report.truncated
        if stamp.problem is not None:
            problems.append(stamp.problem)
        if report.problems or view.problems:
            problems = [*problems, *view.problems, *report.problems]
        if problems:
            event["problems"] = problems
        fit(event, self._line, self._string, report.size)
        return event

    def _broken(self, stamp: object, level: object, logger: object, error: Exception) -> Audited:
        """Return an event that says that the call could not be read, when all else failed."""
        if type(stamp) is not Stamp:
            stamp = Stamp.of(new_id(), None)
        frame = stamp.frame
        event = Audited(dict.fromkeys(BASE_FIELDS))
        event.update(
            schema_version=SCHEMA_VERSION,
            event_id=str.__str__(stamp),
            run_id=(frame.run.run_id or None) if frame is not None else None,
            event_type="custom",
            timestamp=timestamp(time.time()),
            agent_name=self._base.agent_name,
            workflow_name=self._base.workflow_name,
            parent_event_id=frame.parent if frame is not None else None,
            payload={"message": UNREADABLE},
            risk={},
            metadata={},
            policy=dict(self._policy),
            problems=[f"event: the call could not be read ({type(error).__name__}); its fields are left out"],
        )
        for name, value in (("level", level), ("logger", logger)):
            if type(value) is str:
                event[name] = value
        return event

    def _ordinary_record(
        self, record: logging.LogRecord, message: str, fields: Mapping[Any, object], stamp: Stamp
    ) -> logging.LogRecord:
        """Return a redacted copy of a record whose message is no event type."""
        attributes = record.__dict__
        error = records.exception_of(attributes["exc_info"])
        parts = {
            "message": message,
            "stacktrace": records.exception_fields(error)["stacktrace"] if error else attributes["exc_text"],
            "stack": attributes["stack_info"],
            "names": [attributes.get(name) for name in records.NAMES],
            "fields": fields,
        }
        clean: Any = self.redactor.copy(parts, Report(), memory=stamp.frame.run.memory if stamp.frame else None)
        made = {name: value for name, value in attributes.items() if name in records.STANDARD and name not in (STAMP, RUN)}
        made.pop("message", None)
        made.update((name, text) for name, text in zip(records.NAMES, clean["names"], strict=True) if name in made)
        made.update(
            msg=clean["message"], args=None, exc_info=None, exc_text=clean["stacktrace"], stack_info=clean["stack"]
        )
        safe = clean["fields"] if type(clean["fields"]) is dict else {"fields": clean["fields"]}
        made.update((f"{name}_" if name in records.STANDARD else name, value) for name, value in safe.items())
        for name, value in _ids(stamp.frame).items():
            made.setdefault(name, value)
        return records.make(made)

    def _ordinary_dict(self, given: Mapping[str, Any], stamp: Stamp) -> dict[str, Any]:
        """Return a redacted copy of an event dict whose message is no event type."""
        fields = dict(given)
        fields.pop(STAMP, None)
        own = {name: fields.pop(name) for name in ("_record", "_from_structlog") if name in fields}
        error = records.exception_of(fields.pop("exc_info", None))
        if error is not None:
            fields["exception"] = records.exception_fields(error)["stacktrace"]
        memory = stamp.frame.run.memory if stamp.frame else None
        clean: Any = self.redactor.copy(fields, Report(), memory=memory)
        if type(clean) is not dict:
            clean = {"event": UNREADABLE}
        for name, value in _ids(stamp.frame).items():
            clean.setdefault(name, value)
        clean.update(own)
        return clean  # type: ignore[no-any-return]

    def _view(self, run: RunState | None, defaults: Defaults | None) -> _View:
        if run is not None:
            views, key = run.views, (self, defaults)
        elif defaults is not None:
            views, key = defaults.views, (self, None)
        else:
            return self._base
        view = views.get(key)
        if view is None:
            view = views[key] = self._make_view(run, defaults)
        return view  # type: ignore[no-any-return]

    def _make_view(self, run: RunState | None, defaults: Defaults | None) -> _View:
        settings = self.settings
        own: Mapping[str, Any] = defaults.values if defaults is not None else {}
        found: dict[str, Any] = {
            "metadata": {**settings.metadata, **(own.get("metadata") or {}), **(run.metadata if run else {})},
            "risk": {**settings.default_risk, **(own.get("default_risk") or {}), **(run.risk if run else {})},
            "payload": {},
        }
        for name in ("agent_name", "workflow_name", "agent_version"):
            found[name] = own.get(name) or getattr(run, name, None) or getattr(settings, name)
        problems: list[str] = []
        if run is not None:
            found |= {"session_id": run.session_id, "actor": run.actor, "parent_run_id": run.parent_run_id}
        report = Report()
        clean: dict[str, Any] = self.redactor.event("custom", normalize(found, problems), report)
        return _View(
            clean.get("agent_name"),
            clean.get("workflow_name"),
            clean.get("agent_version"),
            clean.get("session_id"),
            clean.get("actor"),
            clean.get("parent_run_id"),
            orjson.dumps(clean["risk"]) if clean.get("risk") else None,
            orjson.dumps(clean["metadata"]) if clean.get("metadata") else None,
            report.counts,
            problems + report.problems,
        )


def _add_exception(payload: dict[Any, object], exc_info: object) -> None:
    """Put the exception of a call under ``exception``; an ``error`` event may bring it as a field."""
    error = records.exception_of(exc_info)
    if error is None:
        for name in ("error", "exception"):
            if isinstance(payload.get(name), BaseException):
                error = records.exception_of(payload.pop(name))
                break
    if error is not None:
        payload["exception" if "exception" not in payload else "exc_info"] = records.exception_fields(error)


def _add_trace(event: dict[str, Any], frame: Frame | None) -> None:
    trace = active_trace(frame)
    if trace is not None:
        event.setdefault("trace_id", trace[0])
        event.setdefault("span_id", trace[1])


def _merged(base: bytes | None, given: dict[str, Any] | None) -> dict[str, Any]:
    # Loaded anew for every event: what one handler does to its event must not show in the next.
    if base is None:
        return {} if given is None else given
    merged: dict[str, Any] = orjson.loads(base)
    if given:
        merged.update(given)
    return merged


def _time(created: Any, problems: list[str]) -> str:
    try:
        return timestamp(created)
    except Exception:  # noqa: BLE001 -- a record can be made by anyone, with anything as its time
        problems.append("timestamp: the record's time is no time; the present is used")
        return timestamp(time.time())


def _ids(frame: Frame | None) -> dict[str, str]:
    """Return the ids that tie an ordinary line to its run."""
    if frame is None or not frame.run.run_id:
        return {}
    ids = {"run_id": frame.run.run_id}
    if frame.parent:
        ids["parent_event_id"] = frame.parent
    return ids


@lru_cache(maxsize=64)
def _chain(key: bytes, settings: _Unhashed) -> Chain:  # noqa: ARG001 -- the key stands for the settings
    return Chain(settings.value)


class _Unhashed(NamedTuple):
    value: Settings

    def __hash__(self) -> int:
        return 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Unhashed)


def chain_for(where: str, given: Mapping[str, Any]) -> Chain:
    """Return the chain for these settings; equal settings, equal chain.

    Raises:
        ConfigurationError: for a setting that does not fit; *where* names its place.
    """
    settings = Settings.load(where, given)
    try:
        key = orjson.dumps(
            [
                settings.agent_name,
                settings.workflow_name,
                settings.agent_version,
                settings.metadata,
                settings.default_risk,
                settings.policy.digest,
                settings.limits,
                settings.seal,
                settings.others,
            ]
        )
    except TypeError:
        return Chain(settings)  # metadata of odd objects: a chain of its own
    return _chain(key, _Unhashed(settings))
