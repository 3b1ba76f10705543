"""`run`, `step` and `extract`: blocks that bind context and log their own beginning and end.

Each is a context manager, an asynchronous one, and a decorator for functions, coroutines and generators.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from agentlogsafe import context
from agentlogsafe._scope import Scope, default_logger, log
from agentlogsafe.context import Defaults, Frame, RunState, Stamp
from agentlogsafe.events import EVENT_TYPES, new_id


class Terminated(SystemExit):
    """What `end_on_sigterm` raises: the work was cancelled from outside."""


def end_on_sigterm() -> None:
    """End this process on SIGTERM as it would end by itself. Call it in the main thread.

    Without it SIGTERM ends a process at once: runs stay open, and what is in queues is gone. With it, blocks are left
    one by one, runs end as ``cancelled``, and handlers are closed. The exit status is 143, as without it. A handler
    for SIGTERM that was there before is called first.
    """
    before = signal.getsignal(signal.SIGTERM)

    def terminate(number: int, frame: Any) -> None:
        if callable(before):
            before(number, frame)
        raise Terminated(128 + number)

    signal.signal(signal.SIGTERM, terminate)


def _status(error: BaseException | None) -> str:
    """Return how a block ended: an interruption is no error of the work."""
    if error is None or (isinstance(error, SystemExit) and error.code in (None, 0)):
        return "success"
    if isinstance(error, (KeyboardInterrupt, GeneratorExit, Terminated, asyncio.CancelledError)):
        return "cancelled"
    return "error"


class run(Scope):  # noqa: N801 -- used like a function
    """Bind a run and log its ``run_start`` and ``run_end``.

    ``with run(...)``, ``async with run(...)`` or ``@run(...)``. Events inside carry the run's id, names, session,
    actor, metadata and risk, and the event they happened in as parent. A run inside a run records the outer one as
    its parent and takes over what it is not given. An exception is logged as an ``error`` event before ``run_end``
    and raised again.

    Args:
        agent_name: who acts. *workflow_name*: as part of what. *agent_version*: which build of it.
        input: what the run was asked; goes to the payload of ``run_start``, redacted like all content.
        run_id: an id of your own instead of a new UUIDv7.
        session_id: the conversation that several runs belong to.
        actor: who asked: an id, or a mapping of ``id`` and ``type``.
        metadata, risk: merged into those of every event inside.
        logger: a stdlib or structlog logger; the default is ``logging.getLogger("agentlogsafe")``.
        **fields: more payload of ``run_start``.

    Entering the same object again, as a notebook's cell does when run twice, starts a new run.
    """

    def __init__(
        self,
        agent_name: str | None = None,
        workflow_name: str | None = None,
        *,
        input: object = None,  # noqa: A002
        run_id: str | None = None,
        session_id: str | None = None,
        agent_version: str | None = None,
        actor: str | Mapping[str, str] | None = None,
        metadata: Mapping[str, object] | None = None,
        risk: Mapping[str, object] | None = None,
        logger: Any = None,
        defaults: Defaults | None = None,
        **fields: object,
    ) -> None:
        super().__init__()
        self._defaults = defaults
        self._given: dict[str, Any] = {
            "agent_name": agent_name,
            "workflow_name": workflow_name,
            "session_id": session_id,
            "agent_version": agent_version,
            "actor": actor,
            "metadata": metadata if isinstance(metadata, Mapping) else None,
            "risk": risk if isinstance(risk, Mapping) else None,
            "logger": logger,
        }
        self._own_id = run_id
        self._fields = {**fields, **({} if input is None else {"input": input})}
        self._output: dict[str, object] = {}
        self._state: RunState | None = None
        self._problem: str | None = None

    def _fresh(self) -> run:
        fresh = run(run_id=self._own_id, defaults=self._defaults)
        fresh._given, fresh._fields = self._given, self._fields
        return fresh

    @property
    def run_id(self) -> str | None:
        """The id of the run; None before it is entered."""
        return self._state.run_id if self._state else None

    def result(self, value: object = None, **fields: object) -> None:
        """Set what ``run_end`` reports: *value* as ``output``, and any other fields."""
        self._output.update(fields if value is None else {"output": value, **fields})

    def _open(self) -> Frame:
        outer = context.current()
        trace, parent = (outer.trace, outer.parent) if outer is not None else (None, None)
        self._output, self._problem, self._began = {}, None, time.perf_counter()
        run_id = new_id() if self._own_id is None else str(self._own_id)
        self._state = RunState(run_id, outer.run if outer is not None else None, **self._given)
        self._start = Stamp.of(new_id(), Frame.of(self._state, parent, trace), self._defaults)
        return Frame.of(self._state, str(self._start), trace)

    def _opened(self) -> None:
        self._log("run_start", self._fields, self._start)

    def _misplaced(self) -> None:
        self._problem = "run: ended in another context than it began in"

    def _close(self, error: BaseException | None) -> None:
        status = _status(error)
        frame = self._frame
        if status == "error":
            self._log("error", {}, Stamp.of(new_id(), frame, self._defaults), error=error, level=logging.ERROR)
        duration = round((time.perf_counter() - self._began) * 1000, 3)
        fields: dict[str, object] = {**self._output, "status": status, "duration_ms": duration}
        level = logging.INFO if status == "success" else logging.WARNING
        self._log("run_end", fields, Stamp.of(new_id(), frame, self._defaults, problem=self._problem), level=level)
        if self._state is not None:
            self._state.ended = True

    def _log(
        self,
        event_type: str,
        fields: Mapping[Any, object],
        stamp: Stamp,
        *,
        level: int = logging.INFO,
        error: BaseException | None = None,
    ) -> None:
        logger = getattr(self._state, "logger", None) or default_logger()
        log(logger, event_type, fields, level=level, stamp=stamp, exc_info=error)


class _Kind(NamedTuple):
    """How a step ends: the type of its second event, and the payload field of its result."""

    end: str
    result: str


STEPS = {
    "tool_call": _Kind("tool_result", "result"),
    "model_call": _Kind("model_response", "response"),
    "retrieval_query": _Kind("retrieval_result", "results"),
    "human_approval": _Kind("human_approval", "decision"),
}
"""The steps with an end of their own; a step of any other type begins and ends with that type."""

_IDENTITY = ("tool_name", "tool_call_id", "provider", "model", "agent_name", "workflow_name")


class step(Scope):  # noqa: N801 -- used like a function
    """Log a pair of events around a block: a call and its result.

    ``tool_call`` … ``tool_result``, ``model_call`` … ``model_response``, ``retrieval_query`` …
    ``retrieval_result``, ``human_approval`` requested … approved or rejected. The second event has the first as
    parent and carries ``duration_ms`` and ``status``; so do events in between have the first as parent.
    An exception makes the status ``error`` and is raised again.

    Args:
        event_type: the first event's type.
        logger: a stdlib or structlog logger; the default is the run's.
        **fields: the first event's fields.
    """

    def __init__(
        self, event_type: str, *, logger: Any = None, defaults: Defaults | None = None, **fields: object
    ) -> None:
        super().__init__()
        self._type, self._logger, self._fields = event_type, logger, fields
        self._result: dict[str, object] = {}
        self._ended: str | None = None
        self._kind = STEPS.get(event_type, _Kind(event_type, "result"))
        self._defaults = defaults

    def _fresh(self) -> step:
        return step(self._type, logger=self._logger, defaults=self._defaults, **self._fields)

    @property
    def event_id(self) -> str | None:
        """The id of the first event; None before the step is entered."""
        return str(self._stamp) if self._frame is not None else None

    def result(self, value: object = None, *, status: str | None = None, **fields: object) -> None:
        """Set what the second event reports."""
        if value is not None:
            self._result[self._kind.result] = value
        self._result.update(fields)
        self._ended = status or self._ended

    def fail(self, reason: object = None, **fields: object) -> None:
        """Report the step as failed without raising."""
        self.result(status="error", **({} if reason is None else {"reason": reason}), **fields)

    def approve(self, **fields: object) -> None:
        """Report a human approval as given, with who and why as fields."""
        self.result(status="approved", **fields)

    def reject(self, **fields: object) -> None:
        """Report a human approval as refused, with who and why as fields."""
        self.result(status="rejected", **fields)

    def _open(self) -> Frame:
        outer = context.current()
        self._result, self._ended = {}, None
        self._began = time.perf_counter()
        if self._logger is None and outer is not None:
            self._logger = outer.run.logger
        self._stamp = Stamp.of(new_id(), outer, self._defaults)
        state = outer.run if outer is not None else RunState("")
        return Frame.of(state, str(self._stamp), outer.trace if outer is not None else None)

    def _opened(self) -> None:
        fields = dict(self._fields)
        if self._kind.end == self._type:
            fields.setdefault("status", "requested" if self._type == "human_approval" else "started")
        self._emit(self._type, fields, self._stamp, logging.INFO)

    def _close(self, error: BaseException | None) -> None:
        status = _status(error)
        if status == "success":
            if self._type == "human_approval" and self._ended is None:
                return  # still waiting: no second event is what says so
            status = self._ended or status
        fields = {name: self._fields[name] for name in _IDENTITY if name in self._fields}
        fields |= {**self._result, "status": status}
        fields["duration_ms"] = round((time.perf_counter() - self._began) * 1000, 3)
        level = logging.INFO if status not in BAD_STATUS else logging.WARNING
        stamp = Stamp.of(new_id(), self._frame, self._defaults)
        self._emit(self._kind.end, fields, stamp, level, error if status == "error" else None)

    def _emit(
        self,
        event_type: str,
        fields: dict[str, object],
        stamp: Stamp,
        level: int,
        error: BaseException | None = None,
    ) -> None:
        if event_type not in EVENT_TYPES:
            fields = {**fields, "event_type": event_type}  # kept in the payload of a custom event, and named
            event_type = "custom"
        log(self._logger or default_logger(), event_type, fields, level=level, stamp=stamp, exc_info=error)


BAD_STATUS = frozenset(("error", "failed", "failure", "denied", "rejected", "blocked", "timeout", "cancelled"))
"""What makes an event a warning, where the caller does not say otherwise."""


class extract(Scope):  # noqa: N801 -- used like a function
    """Bind the run that `inject` wrote into *carrier*, in another process or behind a queue.

    A context manager and a decorator like `run`, but it logs nothing itself: the run began elsewhere and ends there.
    W3C ``traceparent`` fills the trace ids. A carrier without a run, or with a damaged one, binds nothing.
    """

    def __init__(self, carrier: Mapping[Any, Any]) -> None:
        super().__init__()
        self._carrier = carrier

    def _fresh(self) -> extract:
        return extract(self._carrier)

    def _open(self) -> Frame | None:
        return context.read_carrier(self._carrier)

    def __bool__(self) -> bool:
        return self._frame is not None
