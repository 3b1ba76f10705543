"""The one path of a log call: normalize → redact → limit → seal.

Formatter, handler and processors all call a `Chain`. It never raises, never changes what it is given, and makes one
event of one call however many handlers ask for it. Equal settings share one chain.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from agentlogsafe import _ordinary as ordinary
from agentlogsafe import _records as records
from agentlogsafe import delivery
from agentlogsafe._records import Audited, Call
from agentlogsafe._stream import ROOM, Sealer
from agentlogsafe._targets import members
from agentlogsafe._views import View, Views, merged
from agentlogsafe.context import RUN, STAMP, Frame, Stamp, current, trace_of
from agentlogsafe.events import BASE_FIELDS, EVENT_TYPES, SCHEMA_VERSION, new_id, normalize, timestamp
from agentlogsafe.limits import fit
from agentlogsafe.redaction import Redactor, Report, RunMemory, compile_policy
from agentlogsafe.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

UNREADABLE = "[UNREDACTABLE]"
observers: list[Callable[[Audited], None]] = []
"""Told of every event that any chain makes; for tests."""

_call = tuple.__new__  # a third of the cost of Call(...), which every event has to pay
_LEAST_LINE = 1_024
_OTEL = "opentelemetry.trace"
_METHOD_LEVELS = {"warn": "warning", "exception": "error", "fatal": "critical", "msg": "info"}
_NO_RUN = "run: the event is outside any run"
_AFTER_END = "run: the event came after the run's end"


class Chain:
    """Turns log calls into audit events under one set of settings.

    Args:
        settings: checked settings.
        redactor: their policy, compiled.
    """

    def __init__(self, settings: Settings, redactor: Redactor) -> None:
        self.settings, self.redactor = settings, redactor
        limits = settings.limits
        policy = settings.policy
        self._policy = {"name": policy.name, "version": policy.version, "digest": policy.digest}
        self._line, self._string = limits.line, limits.string
        self._views = Views(settings, self.redactor)
        self.name, self.names = self._views.name, self._views.names
        self.sealer: Sealer | None = None
        self._write: Callable[[dict[str, Any]], bytes] = orjson.dumps
        if settings.seal is not None:
            self._write = _to_be_sealed
            self.sealer = Sealer("seal", settings.seal, self._policy, self.end_stream)
            self._line = max(_LEAST_LINE, self._line - ROOM)

    def record(self, record: logging.LogRecord, *, sealed: bool = True) -> Audited | logging.LogRecord | None:
        """Return what becomes of a LogRecord: an event, an ordinary record that is redacted, or None (dropped).

        Args:
            record: left as it is.
            sealed: False where the event goes nowhere: it has no place in the stream, but its run learns from it.
        """
        if type(record) is records.AuditRecord:
            return record.audited_event  # type: ignore[return-value]
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
        captured = attributes.get(RUN)
        if type(captured) is Frame and captured.exact:
            stamp.trace = captured.trace
        try:
            made = self._from_record(record, stamp, self.event if sealed else self._event)
        except Exception as error:  # noqa: BLE001 -- fail closed: the event goes out, without what broke it
            made = self._broken(stamp, attributes.get("levelname"), attributes.get("name"), error, sealed=sealed)
        if sealed:
            stamp.events[self] = made
        return made

    def _from_record(
        self, record: logging.LogRecord, stamp: Stamp, make: Callable[[str | None, Mapping[Any, object], Call], Audited]
    ) -> Audited | logging.LogRecord | None:
        attributes = record.__dict__
        message: Any = record.msg
        given = records.mapping_argument(record.args) if record.args else stamp.fields
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
                if given and type(message) is str and "%(" in message:
                    fields = records.extras(record)  # the mapping is what the format string asks for
                message = records.message_of(record, problems) if message is record.msg else records.text_of(message)
                positional = None
        is_event = message in EVENT_TYPES
        call = _call(
            Call,
            (
                stamp,
                attributes["created"],
                _level_name(attributes["levelname"]),
                attributes["name"],
                attributes["exc_info"],
                attributes["stack_info"],
                None if is_event else message,
                positional,
                problems,
            ),
        )
        if is_event:
            return make(message, fields, call)
        if fields.get("event_type") is not None or self.settings.others == "custom":
            return make(None, fields, call)
        if self.settings.others == "drop":
            return None
        return ordinary.redacted_record(self.redactor, record, message, fields, stamp.frame)

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
            elif stamp.final is not None:
                return stamp.final  # type: ignore[no-any-return]
            message = fields.pop("event", None)
            if fields.get("level") in (level, method) or method == "log":
                level = str(fields.pop("level", level))
            name = fields.pop("logger") if type(fields.get("logger")) is str else getattr(logger, "name", None)
            is_event = type(message) is str and message in EVENT_TYPES
            if not is_event and fields.get("event_type") is None and self.settings.others != "custom":
                if self.settings.others == "drop":
                    return None
                return ordinary.redacted_dict(self.redactor, given, stamp.frame)
            call = _call(
                Call,
                (
                    stamp,
                    time.time(),
                    level,
                    name if type(name) is str else None,
                    fields.pop("exc_info", None),
                    fields.pop("stack", None),
                    None if is_event else records.text_of(message),
                    fields.pop("positional_args", None),
                    (),
                ),
            )
            event = self.event(message if is_event else None, fields, call)
        except Exception as error:  # noqa: BLE001 -- fail closed, as above
            event = self._broken(stamp, level, name, error)
        if type(stamp) is Stamp:
            stamp.events[self] = event
        event.line = None  # later processors may change the event
        return event

    def safe_event(self, event_type: str, fields: Mapping[Any, object], call: Call) -> Audited:
        """Return the event of a call that no handler asked for, unsealed: it has no place in a stream. Never raises."""
        try:
            return self._event(event_type, fields, call)
        except Exception as error:  # noqa: BLE001 -- fail closed, as above
            return self._unreadable(call.stamp, call.level, call.logger, error)

    def own_event(
        self,
        payload: Mapping[str, object],
        record: logging.LogRecord,
        closing: Mapping[str, int] | None = None,
    ) -> Audited:
        """Return an event that the library itself has to log, which no run is the cause of.

        Args:
            payload: what it says.
            record: what it is handed on as.
            closing: counts, where it closes the stream.
        """
        call = Call(Stamp.of(new_id(), None), record.created, _level_name(record.levelname), record.name)
        made = self.safe_event("custom", payload, call)
        if made.pop("problems", None):
            made.line = None
        if self.sealer is not None:
            self.sealer.seal(made, closing)
        return made

    def end_stream(self) -> None:
        """Seal a closing event and deliver it wherever events of the stream went. Never raises."""
        sealer = self.sealer
        if sealer is None:
            return
        try:
            ways = members(sealer.ways)
            counts: dict[str, int] = {}
            for way in ways:  # before the lock is taken: a queue is emptied by a thread that may need it
                for name, number in way.counts().items():
                    counts[name] = counts.get(name, 0) + number
            labels = sorted({label for way in ways if (label := getattr(way, "label", None))})
            payload = {"kind": "delivery_report" if counts else "stream_close", "state": "closed", **counts}
            if labels:
                payload["handler"] = ", ".join(labels)
            record = logging.LogRecord("agentlogsafe", logging.INFO, __file__, 0, "custom", None, None)
            locked = sealer.acquire()
            try:
                event = self.own_event(payload, record, counts)
                for way in ways:
                    way.send(event, last=True)
            finally:
                if locked:
                    sealer.lock.release()
        except Exception as error:  # noqa: BLE001 -- this happens at exit, where nobody can catch it
            delivery.report("seal", f"the stream could not be closed ({type(error).__name__})")

    def event(self, event_type: str | None, fields: Mapping[Any, object], call: Call) -> Audited:
        """Return the finished, sealed event of one call.

        Args:
            event_type: None where the message names none: the ``event_type`` field does, else it is ``custom``.
            fields: the caller's fields, left as they are.
            call: where and when the call was made.
        """
        made = self._event(event_type, fields, call)
        if self.sealer is not None:
            self.sealer.seal(made)
        return made

    def _event(self, event_type: str | None, fields: Mapping[Any, object], call: Call) -> Audited:
        stamp, created, level, logger, exc_info, stack_info, message, positional, known = call
        problems = list(known)
        found = normalize(fields, problems)
        payload = found["payload"]
        named = found.pop("event_type", None)
        if event_type is None or named is not None:
            event_type = named or event_type or "custom"
        if message is not None:
            payload.setdefault("message", message)
        if positional is not None:
            payload["positional_args"] = positional
            problems.append("args: positional arguments have no place in an event; kept in payload")
        if exc_info or event_type == "error":
            _add_exception(payload, exc_info)
        if stack_info:
            payload["stack_info"] = stack_info

        frame = stamp.frame
        run = frame.run if frame is not None and frame.run.run_id else None
        report = Report()
        memory: RunMemory | None = None
        if run is not None:
            memory = run.memory
            if memory is None:
                memory = run.memory = RunMemory()
        clean: dict[str, Any] = self.redactor.event(event_type, found, report, memory)
        if report.problems:
            for name in ("payload", "risk", "metadata", "actor"):
                if name in clean and type(clean[name]) is not dict:
                    clean[name] = {"value": clean[name]}  # the redactor withheld it whole

        view = self._views.of(run, stamp.defaults)
        risk, metadata = clean.pop("risk", None), clean.pop("metadata", None)
        # The template has the fields in their order, and what settings and run say of them.
        event = Audited(view.template)
        event.update(clean)
        event["event_id"] = event_id = str.__str__(stamp)
        event["event_type"] = event_type
        try:
            event["timestamp"] = timestamp(created)
        except Exception:  # noqa: BLE001 -- a record can be made by anyone, with anything as its time
            problems.append("timestamp: the record's time is no time; the present is used")
            event["timestamp"] = timestamp(time.time())
        event["risk"] = risk or {} if view.risk is None else merged(view.risk, risk)
        event["metadata"] = metadata or {} if view.metadata is None else merged(view.metadata, metadata)
        if run is None:
            if event["run_id"] is None:
                problems.append(_NO_RUN)
        elif run.ended:
            problems.append(_AFTER_END)
        if frame is not None:
            # Looked up by the first chain that asks, which is the nearest to the call, and kept for the others.
            parent = stamp.parent
            if parent is None:
                parent = frame.parent
                if run is not None and "tool_call_id" in event:
                    if event_type == "tool_call":
                        run.remember_call(event["tool_call_id"], event_id)
                    else:
                        parent = run.calls.get(event["tool_call_id"], parent)
                stamp.parent = parent
            if event["parent_event_id"] is None:
                event["parent_event_id"] = parent
        if level is not None:
            event["level"] = level
        if logger is not None:
            event["logger"] = self.name(logger)
        if _OTEL in sys.modules or (frame is not None and frame.trace is not None):
            _add_trace(event, stamp.trace or trace_of(frame))
        return self._finish(event, report, view, problems, stamp)

    def _finish(self, event: Audited, report: Report, view: View, problems: list[str], stamp: Stamp) -> Audited:
        """Add what the library itself has to say, and keep the event within its limits."""
        redactions = report.counts
        if view.redactions:
            redactions = {
                k: redactions.get(k, 0) + view.redactions.get(k, 0) for k in {**view.redactions, **redactions}
            }
        if redactions:
            event["redactions"] = redactions
        event["policy"] = dict(self._policy)
        if report.content:
            event["policy"]["content"] = report.content
        if report.truncated:
            event["truncated"] = report.truncated
        if stamp.problem is not None:
            problems.append(stamp.problem)
        if report.problems or view.problems:
            problems = [*problems, *view.problems, *report.problems]
        if problems:
            event["problems"] = problems
        event.line = fit(event, self._line, self._string, report.size, self._write)
        for observe in observers:
            observe(event)
        return event

    def _broken(
        self, stamp: object, level: object, logger: object, error: Exception, *, sealed: bool = True
    ) -> Audited:
        """Return `_unreadable`, sealed."""
        event = self._unreadable(stamp, level, logger, error)
        if self.sealer is not None and sealed:
            with contextlib.suppress(Exception):  # it goes out without a seal, then
                self.sealer.seal(event)
        return event

    def _unreadable(self, stamp: object, level: object, logger: object, error: Exception) -> Audited:
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
            agent_name=self._views.base.template["agent_name"],
            workflow_name=self._views.base.template["workflow_name"],
            parent_event_id=frame.parent if frame is not None else None,
            payload={"message": UNREADABLE},
            risk={},
            metadata={},
            policy=dict(self._policy),
            problems=[f"event: the call could not be read ({type(error).__name__}); its fields are left out"],
        )
        for name, value in (("level", level), ("logger", logger)):
            if type(value) is str:
                with contextlib.suppress(Exception):  # what broke the call can break this, too
                    event[name] = self.name(value)
        event.line = None
        return event


def _to_be_sealed(event: dict[str, Any]) -> bytes:
    return orjson.dumps(
        {name: value for name, value in event.items() if value is not None}, option=orjson.OPT_SORT_KEYS
    )


@lru_cache(maxsize=64)
def _level_name(name: str) -> str:
    return str(name).lower()


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


def _add_trace(event: dict[str, Any], trace: tuple[str, str] | None) -> None:
    if trace is not None:
        event.setdefault("trace_id", trace[0])
        event.setdefault("span_id", trace[1])


@lru_cache(maxsize=64)
def _chain(key: bytes, redactor: Redactor, settings: _Unhashed) -> Chain:  # noqa: ARG001 -- it stands for the settings
    return Chain(settings.value, redactor)


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
    limits = settings.limits
    redactor = compile_policy(settings.policy, depth=limits.depth, items=limits.items)
    try:
        key = orjson.dumps(
            [
                settings.agent_name,
                settings.workflow_name,
                settings.agent_version,
                settings.metadata,
                settings.default_risk,
                limits,
                settings.seal and settings.seal.identity(),
                settings.others,
            ]
        )
    except TypeError:
        return Chain(settings, redactor)  # metadata of odd objects: a chain of its own
    return _chain(key, redactor, _Unhashed(settings))
