"""The bound run: what every event inside it shares, and how it crosses threads, processes and queues.

One `contextvars.ContextVar` holds the current `Frame`: the run, and the event inside which new events happen.
It follows ``await``, tasks and ``asyncio.to_thread`` by itself; `carry` takes it to other threads. What takes it to
other processes is in `_carrier`.
"""

from __future__ import annotations

import contextvars
import functools
import inspect
import logging
import sys
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast
from uuid import UUID

from agentlogsafe.redaction.plain import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

P = ParamSpec("P")
T = TypeVar("T")

STAMP = "_agentlogsafe"
RUN = "_agentlogsafe_run"
"""Attributes of a LogRecord (the first also a key of an event dict). Their values are text for whoever prints or
pickles them, and recognised by type, which no caller's field can forge by accident."""

_MAX_CALLS = 4096
_ID_LENGTH = 256
_OTEL = "opentelemetry.trace"


def id_text(name: str, value: object, problems: list[str]) -> str | None:
    """Return an id or a name as text, None where it is empty; what is none is left out and named in *problems*.

    A run's names are asked for by every event in it, so that the caller's object, which can do anything when it is
    asked, is looked at here and never again.
    """
    if value is None:
        return None
    try:
        if isinstance(value, Enum):
            value = value.value
        if isinstance(value, (str, int, UUID)) and not isinstance(value, bool):
            text = str.__str__(value) if isinstance(value, str) else str(value)
            if len(text) <= _ID_LENGTH:
                return text or None
    except Exception:  # noqa: BLE001, S110 -- then it is no id
        pass
    problems.append(f"{name}: expected a string of at most {_ID_LENGTH} characters, got {_kind(value)}; left out")
    return None


def _kind(value: object) -> str:
    return f"one of {len(value):,}" if type(value) is str else kind_of(value)


def _mapping(name: str, value: object, problems: list[str]) -> dict[Any, object]:
    """Return a copy of the metadata or risk of a run; a text is the level of a risk, as it is in an event."""
    if value is None:
        return {}
    try:
        if isinstance(value, Mapping):
            return dict(value.items())
        if name == "risk" and isinstance(value, str):
            return {"level": value}
        problems.append(f"{name}: expected a mapping, got {kind_of(value)}; kept as 'value'")
    except Exception as error:  # noqa: BLE001 -- a mapping of the caller's can do anything
        problems.append(f"{name}: could not be read ({kind_of(error)}); left out")
        return {}
    return {"value": value}


_NAMES = ("agent_name", "workflow_name", "agent_version", "session_id")


class RunState:
    """What all events of one run share."""

    __slots__ = (
        "actor",
        "agent_name",
        "agent_version",
        "calls",
        "ended",
        "logger",
        "memory",
        "metadata",
        "parent_run_id",
        "problems",
        "risk",
        "run_id",
        "session_id",
        "views",
        "workflow_name",
    )

    def __init__(self, run_id: str, outer: RunState | None = None, **given: Any) -> None:
        problems: list[str] = []

        def inherited(name: str) -> Any:
            return named[name] if named[name] is not None else getattr(outer, name, None)

        named = {name: id_text(name, given.get(name), problems) for name in _NAMES}
        named |= {name: given.get(name) for name in ("actor", "logger")}
        if type(named["actor"]) in (str, dict) and not named["actor"]:
            named["actor"] = None
        self.run_id = run_id
        self.parent_run_id: str | None = getattr(outer, "run_id", None) or None
        self.agent_name: str | None = inherited("agent_name")
        self.workflow_name: str | None = inherited("workflow_name")
        # Another agent's version says nothing of this one.
        same_agent = self.agent_name == getattr(outer, "agent_name", None)
        self.agent_version: str | None = inherited("agent_version") if same_agent else named["agent_version"]
        self.session_id: str | None = inherited("session_id")
        self.actor: object = inherited("actor")
        self.metadata: dict[Any, object] = {
            **getattr(outer, "metadata", {}),
            **_mapping("metadata", given.get("metadata"), problems),
        }
        self.risk: dict[Any, object] = {**getattr(outer, "risk", {}), **_mapping("risk", given.get("risk"), problems)}
        self.problems: list[str] = problems  # what of all this could not be used
        self.logger: Any = inherited("logger")
        self.ended: float | None = None  # when; an event can be made long after its call
        self.calls: dict[str, str] = {}  # tool_call_id → event_id of the call, so that a result finds its parent
        self.views: dict[object, Any] = {}  # per chain: the fields above, redacted once under that chain's policy
        self.memory: Any = None  # what the redactor has learned in this run

    def remember_call(self, tool_call_id: str, event_id: str) -> None:
        """Note which event announced a tool call; the oldest notes give way."""
        calls = self.calls
        if len(calls) >= _MAX_CALLS:
            calls.pop(next(iter(calls), ""), None)
        calls[tool_call_id] = event_id


NO_RUN = RunState("")
"""What a frame outside any run has in the place of one: for a step, or a trace, without a run."""


class Frame(str):
    """A place inside a run: its text is the run's id.

    ``parent`` is the event in which new events happen, ``outer`` the frame around this one, ``closed`` whether its
    block has ended, ``trace`` a trace id and span id; ``exact`` says that those are the ones of a certain call.
    """

    __slots__ = ("closed", "exact", "is_step", "outer", "parent", "run", "trace")

    run: RunState
    parent: str | None
    outer: Frame | None
    trace: tuple[str, str] | None
    closed: bool
    exact: bool
    is_step: bool

    @classmethod
    def of(
        cls,
        run: RunState,
        parent: str | None,
        *,
        outer: Frame | None = None,
        trace: tuple[str, str] | None = None,
        is_step: bool = False,
        exact: bool = False,
    ) -> Frame:
        """Return the frame in which new events of *run* have the event *parent* as parent."""
        frame = cls(run.run_id)
        frame.run, frame.parent, frame.outer, frame.is_step = run, parent, outer, is_step
        frame.trace = trace if trace is not None or outer is None else outer.trace
        frame.closed, frame.exact = False, exact
        return frame

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        # Another process may not have this package; the id is what it can use.
        return str, (str.__str__(self),)


class Defaults:
    """The settings of one kind of logger object: what its calls say where neither call nor run does."""

    __slots__ = ("values", "views")

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values
        self.views: dict[object, Any] = {}


class Stamp(str):  # noqa: SLOT000 -- see below
    """Marks what has met the chain: its text is the event's id.

    ``frame`` is the context of the call, ``events`` what each chain made of it, ``final`` the event where only
    that is left (a record that a handler hands on), ``defaults`` the settings of the logger object that made the
    call, ``problem`` what that one has to say against it, ``parent`` the parent event, once one is found,
    ``event_type`` and ``fields`` those of a call of this package: adapters and filters change a record's message, a
    QueueHandler empties its arguments, but its stamp stays,
    ``trace`` that of the call where the record brought it along.
    """

    # Class attributes for what most stamps have not: to set eight slots each time costs twice as much.
    frame: Frame | None = None
    events: dict[object, Any]
    final: Any = None
    defaults: Defaults | None = None
    problem: str | None = None
    parent: str | None = None
    event_type: str | None = None
    fields: Mapping[Any, Any] | None = None
    trace: tuple[str, str] | None = None

    @classmethod
    def of(
        cls, event_id: str, frame: Frame | None, defaults: Defaults | None = None, problem: str | None = None
    ) -> Stamp:
        """Return a stamp for a call made in *frame*."""
        stamp = cls(event_id)
        stamp.frame, stamp.events = frame, {}
        if defaults is not None:
            stamp.defaults = defaults
        if problem is not None:
            stamp.problem = problem
        return stamp

    @classmethod
    def finished(cls, event: Mapping[str, Any]) -> Stamp:
        """Return the stamp of a record that carries nothing but *event*."""
        stamp = cls(event["event_id"])
        stamp.final = event
        return stamp

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str.__str__(self),)


_current: contextvars.ContextVar[Frame | None] = contextvars.ContextVar("agentlogsafe_frame", default=None)


def current() -> Frame | None:
    """Return the frame of the calling code, or None outside any run.

    A step that was ended elsewhere (its generator went on in another context) is passed over. A run that has ended is
    not: a task that outlives its run still belongs to it.
    """
    frame = _current.get()
    while frame is not None and frame.closed and frame.is_step:
        frame = frame.outer
    return frame


def bind(frame: Frame) -> contextvars.Token[Frame | None]:
    """Make *frame* current; `unbind` ends that."""
    _stamp_records()
    return _current.set(frame)


def unbind(frame: Frame, token: contextvars.Token[Frame | None] | None) -> bool:
    """Close *frame* and go back to the nearest one around it that is still open; False where it is out of place.

    It is when its block ends in another context than it began in (an abandoned asynchronous generator, finished by the
    event loop), which only the token can tell, or when something else was bound meanwhile and is still open (a
    suspended generator).
    """
    frame.closed = True
    if _current.get() is not frame:
        return False
    in_place = True
    if token is not None:
        try:
            _current.reset(token)
        except ValueError:
            in_place = False
    outer = frame.outer
    while outer is not None and outer.closed:
        outer = outer.outer
    _current.set(outer)
    return in_place


@contextmanager
def resumed(frame: Frame | None) -> Iterator[None]:
    """Make *frame* current inside ``with`` and put back what was there before."""
    before = _current.get()
    _current.set(frame)
    try:
        yield
    finally:
        _current.set(before)


def current_run_id() -> str | None:
    """Return the id of the run that the calling code is in, or None."""
    frame = current()
    return (frame.run.run_id or None) if frame is not None else None


def _stamp_records() -> None:
    """Have log records remember the frame they were made in, from the first run on.

    A formatter behind a queue works in a thread that has no context; the record must bring it along. The record
    factory that was there before goes on making the records; one that takes our place later is wrapped in turn.
    """
    previous = logging.getLogRecordFactory()
    if getattr(previous, "remembers_frame", False):  # ours, also one of ours that somebody has put back
        return

    def stamped_record(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = previous(*args, **kwargs)
        frame = _current.get()
        if frame is not None and frame.closed:
            frame = current()
        if _OTEL in sys.modules:
            trace = active_span()
            if trace is not None:
                run, parent = (NO_RUN, None) if frame is None else (frame.run, frame.parent)
                frame = Frame.of(run, parent, outer=frame, trace=trace, exact=True)
        if frame is not None:
            record.__dict__[RUN] = frame
        return record

    stamped_record.remembers_frame = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(stamped_record)


def active_span() -> tuple[str, str] | None:
    """Return (trace id, span id) of the active OpenTelemetry span; the package is used only where it is loaded."""
    otel = sys.modules.get(_OTEL)
    if otel is not None:
        try:
            span = otel.get_current_span().get_span_context()
            if span.is_valid:
                return f"{span.trace_id:032x}", f"{span.span_id:016x}"
        except Exception:  # noqa: BLE001 -- another thread may be importing it, and a span can be anyone's
            return None
    return None


def trace_of(frame: Frame | None) -> tuple[str, str] | None:
    """Return (trace id, span id) of a call made in *frame*: of the active span, else what the frame brought along."""
    if frame is not None and frame.exact:
        return frame.trace
    return active_span() or (frame.trace if frame is not None else None)


def carry(fn: Callable[P, T]) -> Callable[P, T]:
    """Return *fn* bound to the run of the caller, for code that context variables do not reach.

    ``threading.Thread(target=carry(work))``, ``executor.submit(carry(work))`` and ``loop.run_in_executor(None,
    carry(work))`` log as part of the run in which `carry` was called. The returned function can be called many
    times, also at the same time. All other context variables come along too; a coroutine function keeps those of
    its own task and gets the run.
    """
    frame = current()
    if inspect.iscoroutinefunction(fn) and frame is not None:
        return cast("Callable[P, T]", _carry_coroutine(fn, frame))
    context = contextvars.copy_context()

    @functools.wraps(fn)
    def carried(*args: P.args, **kwargs: P.kwargs) -> T:
        # A context can be entered once at a time, so every call gets a copy, which costs nothing.
        return context.copy().run(fn, *args, **kwargs)

    return carried


def _carry_coroutine(fn: Callable[..., Any], frame: Frame) -> Callable[..., Any]:
    @functools.wraps(fn)
    async def carried(*args: Any, **kwargs: Any) -> Any:
        with resumed(frame):
            return await fn(*args, **kwargs)

    return carried


class ContextThreadPoolExecutor(ThreadPoolExecutor):
    """A ThreadPoolExecutor whose work logs as part of the run that submitted it."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Schedule ``fn(*args, **kwargs)`` in the context of the caller."""
        return super().submit(carry(fn), *args, **kwargs)
