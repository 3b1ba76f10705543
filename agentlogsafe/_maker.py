"""The making of one event out of one call: normalize → redact → limit. What a `Chain` is underneath its entries."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import TYPE_CHECKING, Any

import orjson

from agentlogsafe import _records as records
from agentlogsafe._records import Audited, Call
from agentlogsafe._views import View, Views, merged
from agentlogsafe.context import Stamp, trace_of
from agentlogsafe.events import BASE_FIELDS, SCHEMA_VERSION, new_id, normalize, timestamp
from agentlogsafe.limits import WIDER, fit, written_wide
from agentlogsafe.redaction import Report, RunMemory
from agentlogsafe.redaction.plain import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agentlogsafe.redaction import Redactor
    from agentlogsafe.settings import Settings

UNREADABLE = "[UNREDACTABLE]"
observers: list[Callable[[Audited], None]] = []
"""Told of every event that any chain makes; for tests."""


_LEAST_LINE = 1_024
_REST = 2_048  # bytes of what the library itself adds to an event, the logger's name among it
_OTEL = "opentelemetry.trace"
_NO_RUN = "run: the event is outside any run"
_AFTER_END = "run: the event came after the run's end"


class Maker:
    """Makes unsealed events under one set of settings.

    Args:
        settings: checked settings.
        redactor: their policy, compiled.
        write: makes the JSON of a finished event.
        room: bytes that a line has to keep free for what is added to it.
    """

    def __init__(
        self,
        settings: Settings,
        redactor: Redactor,
        write: Callable[[Any], bytes] = orjson.dumps,
        room: int = 0,
    ) -> None:
        self.settings, self.redactor = settings, redactor
        limits, policy = settings.limits, settings.policy
        self.policy = {"name": policy.name, "version": policy.version, "digest": policy.digest}
        self._write = write
        self._line, self._string = max(_LEAST_LINE, limits.line - room), limits.string
        self._views = Views(settings, self.redactor)
        self.name, self.names, self.level = self._views.name, self._views.names, self._views.level
        self._levels = self._views.levels

    def safe_event(self, event_type: str, fields: Mapping[Any, object], call: Call) -> Audited:
        """Return the event of a call that no handler asked for, unsealed: it has no place in a stream. Never raises."""
        try:
            return self._event(event_type, fields, call)
        except Exception as error:  # noqa: BLE001 -- fail closed, as above
            return self._unreadable(call.stamp, call.level, call.logger, error)

    def ids(self, stamp: Stamp) -> dict[str, str]:
        """Return the ids that tie an ordinary line to its run."""
        frame = stamp.frame
        if frame is None or not frame.run.run_id:
            return {}
        ids = {"run_id": self._views.of(frame.run, stamp.defaults).template["run_id"]}
        if frame.parent:
            ids["parent_event_id"] = frame.parent
        return ids

    def _event(self, event_type: str | None, fields: Mapping[Any, object], call: Call) -> Audited:
        stamp, created, level, logger, exc_info, stack_info, message, positional, known, rendered = call
        problems = list(known)
        found = normalize(fields, problems)
        payload = found["payload"]
        if event_type is None or "event_type" in found:
            event_type = found.pop("event_type", event_type) or "custom"
        if message is not None:
            payload.setdefault("message", message)
        if positional is not None:
            payload["positional_args"] = positional
            problems.append("args: positional arguments have no place in an event; kept in payload")
        if (exc_info is not None and exc_info is not False) or event_type == "error":
            _add_exception(payload, exc_info)
        if stack_info is not None:
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
        # The template has the fields in their order, and what settings and run say of them.
        event = Audited(view.template)
        event.update(clean)
        event["event_id"] = event_id = str.__str__(stamp)
        event["event_type"] = event_type
        try:
            event["timestamp"] = timestamp(created)
        except Exception:  # noqa: BLE001 -- a record can be made by anyone, with anything as its time
            problems.append("timestamp: the record's time is no time; the present is used")
            created = time.time()
            event["timestamp"] = timestamp(created)
        # Those of the template are nobody's to keep: a handler may change its event.
        if view.risk is not None:
            event["risk"] = merged(view.risk, clean.get("risk"))
        elif "risk" not in clean:
            event["risk"] = {}
        if view.metadata is not None:
            event["metadata"] = merged(view.metadata, clean.get("metadata"))
        elif "metadata" not in clean:
            event["metadata"] = {}
        if run is None:
            if event["run_id"] is None:
                problems.append(_NO_RUN)
        elif run.ended is not None and created > run.ended:  # a queue's thread may make the event after the run
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
            event["level"] = self._levels.get(level) or self.level(level)
        if logger is not None:
            event["logger"] = self.name(logger)
        if _OTEL in sys.modules or (frame is not None and frame.trace is not None):
            _add_trace(event, stamp.trace or trace_of(frame))
        self._finish(event, report, view, problems, stamp)
        event.odd = report.odd or view.odd
        if rendered and self._is_short(event, report, view):
            event.line = None
        else:
            event.line = fit(event, self._line, self._string, report.size, self._write)
            if rendered and len(event.line) * WIDER > self._line:
                fit(event, self._line, self._string, report.size, written_wide)
                event.line = None
        for observe in observers:
            observe(event)
        return event

    def _finish(self, event: Audited, report: Report, view: View, problems: list[str], stamp: Stamp) -> None:
        """Add what the library itself has to say."""
        redactions = report.counts
        if view.redactions:
            redactions = {
                k: redactions.get(k, 0) + view.redactions.get(k, 0) for k in {**view.redactions, **redactions}
            }
        if redactions:
            event["redactions"] = redactions
        event["policy"] = dict(self.policy)
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

    def _is_short(self, event: Audited, report: Report, view: View) -> bool:
        """Return whether an event fits its line by far, so that it need not be written only to be measured."""
        return (
            view.most + self.redactor.most_bytes(report) + _REST <= self._line
            and report.size <= self._string
            and not (report.counts or report.truncated or "problems" in event)
            and self._write is orjson.dumps
        )

    def _unreadable(self, stamp: object, level: object, logger: object, error: Exception) -> Audited:
        """Return an event that says that the call could not be read, when all else failed."""
        if type(stamp) is not Stamp:
            stamp = Stamp.of(new_id(), None)
        event = Audited(dict.fromkeys(BASE_FIELDS))
        event.update(
            schema_version=SCHEMA_VERSION,
            event_id=str.__str__(stamp),
            event_type="custom",
            timestamp=timestamp(time.time()),
            agent_name=self._views.base.template["agent_name"],
            workflow_name=self._views.base.template["workflow_name"],
            payload={"message": UNREADABLE},
            risk={},
            metadata={},
            policy=dict(self.policy),
            problems=[f"event: the call could not be read ({kind_of(error)}); its fields are left out"],
        )
        with contextlib.suppress(Exception):
            event.update(self.ids(stamp))
        for name, value, find in (("level", level, self.level), ("logger", logger, self.name)):
            if type(value) is str:
                with contextlib.suppress(Exception):  # what broke the call can break this, too
                    event[name] = find(value)
        event.line, event.odd = None, True
        return event


def _add_exception(payload: dict[Any, object], exc_info: object) -> None:
    """Put the exception of a call under ``exception``; an ``error`` event may bring it as a field."""
    error = records.exception_of(exc_info)
    if error is None:
        for name in ("error", "exception"):
            if issubclass(type(payload.get(name)), BaseException):
                error = records.exception_of(payload.pop(name))
                break
    found: dict[str, str] | None = None
    if error is not None:
        found = records.exception_fields(error)
    elif type(exc_info) is str:
        found = {"stacktrace": exc_info}  # of a record that comes from elsewhere
    if found is not None:
        payload["exception" if "exception" not in payload else "exc_info"] = found


def _add_trace(event: dict[str, Any], trace: tuple[str, str] | None) -> None:
    if trace is not None:
        event.setdefault("trace_id", trace[0])
        event.setdefault("span_id", trace[1])
