"""`run`, `step` and `extract`: blocks that bind context and log their own beginning and end.

Each is a context manager, an asynchronous one, and a decorator for functions, coroutines and generators.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import signal
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from agentlogsafe import context
from agentlogsafe._carrier import read_carrier
from agentlogsafe._scope import Block, Scope, default_logger, log
from agentlogsafe.context import Frame, RunState, Stamp
from agentlogsafe.errors import ConfigurationError
from agentlogsafe.events import known_type, new_id

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from typing_extensions import Self


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


def _cancellations() -> tuple[type[BaseException], ...]:
    """Return what asyncio, and trio where it is loaded, raise in a task that is cancelled."""
    trio = sys.modules.get("trio")
    return (asyncio.CancelledError,) if trio is None else (asyncio.CancelledError, trio.Cancelled)


def _status(error: BaseException | None) -> str:
    """Return how a block ended: an interruption is no error of the work."""
    if error is None:
        return "success"
    with contextlib.suppress(Exception):  # anything can be its code, and be anything when it is compared
        if isinstance(error, SystemExit) and error.code in (None, 0):
            return "success"
    if isinstance(error, (KeyboardInterrupt, GeneratorExit, Terminated, *_cancellations())):
        return "cancelled"
    return "error"


def _own_id(given: object, problems: list[str]) -> str | None:
    """Return an id that a caller made: any object (a ULID, an ObjectId) is one, by its text."""
    with contextlib.suppress(Exception):
        given = str(given)
    return context.id_text("run_id", given, problems)


class run(Scope):  # noqa: N801 -- used like a function
    """Bind a run and log its ``run_start`` and ``run_end``.

    ``with run(...)``, ``async with run(...)`` or ``@run(...)``. Events inside carry the run's id, names, session,
    actor, metadata and risk, and the event they happened in as parent. A run inside a run records the outer one as
    its parent and takes over what it is not given. An exception is logged as an ``error`` event before ``run_end``
    and raised again.

    Args:
        agent_name: who acts. *workflow_name*: as part of what. *agent_version*: which build of it.
        input: what the run was asked; goes to the payload of ``run_start``, redacted like all content.
        run_id: an id of your own instead of a new UUIDv7, at most 256 characters as text.
        session_id: the conversation that several runs belong to: text, a number or a UUID.
        actor: who asked: an id, or a mapping of ``id`` and ``type``.
        metadata, risk: merged into those of every event inside; a risk that is a text is its ``level``.
        logger: a stdlib or structlog logger; the default is ``logging.getLogger("agentlogsafe")``.
        **fields: more payload of ``run_start``.

    Entering the same object again, as a notebook's cell does when run twice, starts a new run. A bare ``@run`` is
    ``@run()``.
    """

    def __new__(cls, agent_name: object = None, *args: object, **given: object) -> Self:  # noqa: ARG004 -- for __init__
        """Return a run, or what a function becomes that is decorated with ``@run`` itself."""
        if inspect.isroutine(agent_name):
            return cls()(agent_name)  # type: ignore[return-value]
        return super().__new__(cls)

    def __init__(
        self,
        agent_name: str | None = None,
        workflow_name: str | None = None,
        *,
        input: object = None,  # noqa: A002
        run_id: object = None,
        session_id: str | int | UUID | None = None,
        agent_version: str | None = None,
        actor: str | Mapping[str, str] | None = None,
        metadata: Mapping[str, object] | None = None,
        risk: Mapping[str, object] | str | None = None,
        logger: Any = None,
        **fields: object,
    ) -> None:
        super().__init__()
        fields |= self._take_logger(logger)
        self._given: dict[str, Any] = {
            "agent_name": agent_name,
            "workflow_name": workflow_name,
            "session_id": session_id,
            "agent_version": agent_version,
            "actor": actor,
            "metadata": metadata,
            "risk": risk,
        }
        self._own_id = run_id
        self._fields = {**fields, **({} if input is None else {"input": input})}

    @property
    def run_id(self) -> str | None:
        """The id of the run; None before it is entered."""
        block = self._block()
        return None if block is None or block.frame is None else block.frame.run.run_id

    def result(self, value: object = None, **fields: object) -> None:
        """Set what ``run_end`` reports: *value* as ``output``, and any other fields."""
        block = self._block()
        if block is not None:
            block.fields.update(fields if value is None else {"output": value, **fields})

    def _open(self) -> Block:
        outer = context.current()
        problems: list[str] = []
        run_id = None if self._own_id is None else _own_id(self._own_id, problems)
        state = RunState(
            run_id or new_id(), outer.run if outer is not None else None, logger=self._logger, **self._given
        )
        state.problems += problems
        before = Frame.of(state, outer.parent if outer is not None else None, outer=outer)
        start = Stamp.of(new_id(), before, self._defaults)
        return Block(Frame.of(state, str.__str__(start), outer=outer), start)

    def _opened(self, block: Block) -> None:
        self._log(block, "run_start", self._fields, block.stamp)

    def _close(self, block: Block, error: BaseException | None) -> None:
        status = _status(error)
        if status == "error":
            self._log(block, "error", {}, error=error, level=logging.ERROR)
        fields: dict[str, object] = {**block.fields, "status": status, "duration_ms": block.duration_ms()}
        self._log(block, "run_end", fields, level=logging.INFO if status == "success" else logging.WARNING)
        if block.frame is not None:
            block.frame.run.ended = time.time()

    def _log(
        self,
        block: Block,
        event_type: str,
        fields: Mapping[Any, object],
        stamp: Stamp | None = None,
        *,
        level: int = logging.INFO,
        error: BaseException | None = None,
    ) -> None:
        if stamp is None:
            problem = block.problem if event_type == "run_end" else None
            stamp = Stamp.of(new_id(), block.frame, self._defaults, problem)
        logger = block.frame.run.logger if block.frame is not None else None
        log(
            default_logger() if logger is None else logger, event_type, fields, level=level, stamp=stamp, exc_info=error
        )


class _Kind(NamedTuple):
    """How a step ends: the type of its second event, None for the same again, and the payload field of its result."""

    end: str | None
    result: str


STEPS = {
    "tool_call": _Kind("tool_result", "result"),
    "model_call": _Kind("model_response", "response"),
    "retrieval_query": _Kind("retrieval_result", "results"),
    "human_approval": _Kind(None, "decision"),
}
"""The steps with an end of their own; a step of any other type begins and ends with that type."""

_ANY_KIND = _Kind(None, "result")

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

    Raises:
        ConfigurationError: for a bare ``@step``, which names no type.
    """

    def __init__(self, event_type: str, *, logger: Any = None, **fields: object) -> None:
        given: object = event_type
        if inspect.isroutine(given):
            msg = 'step: expected the type of its first event, as in @agentlogsafe.step("tool_call"); got a function'
            raise ConfigurationError(msg)
        super().__init__()
        self._fields = fields | self._take_logger(logger)
        self._type = event_type
        self._kind = STEPS.get(known_type(event_type) or "", _ANY_KIND)
        self._asks = self._kind is STEPS["human_approval"]

    @property
    def event_id(self) -> str | None:
        """The id of the first event; None before the step is entered."""
        block = self._block()
        return None if block is None else str(block.stamp)

    def result(self, value: object = None, *, status: object = None, **fields: object) -> None:
        """Set what the second event reports."""
        block = self._block()
        if block is None:
            return
        if value is not None:
            block.fields[self._kind.result] = value
        block.fields.update(fields)
        if status is not None:
            block.ended = status

    def fail(self, reason: object = None, **fields: object) -> None:
        """Report the step as failed without raising."""
        self.result(status="error", **({} if reason is None else {"reason": reason}), **fields)

    def approve(self, **fields: object) -> None:
        """Report a human approval as given, with who and why as fields."""
        self.result(status="approved", **fields)

    def reject(self, **fields: object) -> None:
        """Report a human approval as refused, with who and why as fields."""
        self.result(status="rejected", **fields)

    def _open(self) -> Block:
        outer = context.current()
        stamp = Stamp.of(new_id(), outer, self._defaults)
        run = outer.run if outer is not None else context.NO_RUN
        return Block(Frame.of(run, str.__str__(stamp), outer=outer, is_step=True), stamp)

    def _opened(self, block: Block) -> None:
        fields = dict(self._fields)
        if self._kind.end is None:
            fields.setdefault("status", "requested" if self._asks else "started")
        self._emit(self._type, fields, block.stamp, logging.INFO)

    def _close(self, block: Block, error: BaseException | None) -> None:
        status: object = (how := _status(error))
        if how == "success" and block.ended is not None:
            status = block.ended
        elif how == "success" and self._asks:
            return  # still waiting: no second event is what says so
        fields = {name: self._fields[name] for name in _IDENTITY if name in self._fields}
        fields |= {**block.fields, "status": status, "duration_ms": block.duration_ms()}
        level = logging.WARNING if is_bad(status) else logging.INFO
        stamp = Stamp.of(new_id(), block.frame, self._defaults, block.problem)
        self._emit(self._kind.end or self._type, fields, stamp, level, error if how == "error" else None)

    def _emit(
        self,
        event_type: str,
        fields: dict[str, object],
        stamp: Stamp | None,
        level: int,
        error: BaseException | None = None,
    ) -> None:
        known = known_type(event_type)
        if known is None:
            fields = {**fields, "event_type": event_type}  # kept in the payload of a custom event, and named
        if stamp is None:
            stamp = Stamp.of(new_id(), None)
        logger = self._logger
        if logger is None and stamp.frame is not None:
            logger = stamp.frame.run.logger
        if logger is None:
            logger = default_logger()
        log(logger, known or "custom", fields, level=level, stamp=stamp, exc_info=error)


BAD_STATUS = frozenset(("error", "failed", "failure", "denied", "rejected", "blocked", "timeout", "cancelled"))
"""What makes an event a warning, where the caller does not say otherwise."""


def is_bad(status: object) -> bool:
    """Return whether a status, which may be any object, makes an event a warning."""
    return issubclass(type(status), str) and str.__str__(status) in BAD_STATUS


class extract(Scope):  # noqa: N801 -- used like a function
    """Bind the run that `inject` wrote into *carrier*, in another process or behind a queue.

    A context manager and a decorator like `run`, but it logs nothing itself: the run began elsewhere and ends there.
    W3C ``traceparent`` fills the trace ids. With a carrier that has no run, or a damaged one, the block is outside any
    run, whatever the process was doing before; then the object is false.
    """

    def __init__(self, carrier: Mapping[Any, Any]) -> None:
        super().__init__()
        self._carrier = carrier

    def _open(self) -> Block:
        frame = read_carrier(self._carrier)
        frame.outer = context.current()
        return Block(frame)

    def __bool__(self) -> bool:
        block = self._block()
        frame = block.frame if block is not None else None
        return frame is not None and (frame.run is not context.NO_RUN or frame.trace is not None)
