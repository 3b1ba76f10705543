"""What a log call brought along, and records that are safe to hand on."""

from __future__ import annotations

import logging
import sys
import traceback
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import islice
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar, cast

import orjson

from agentlogsafe.context import RUN, STAMP, Stamp
from agentlogsafe.redaction import Redactor, Report

R = TypeVar("R", bound=logging.LogRecord)

STANDARD = frozenset(
    (*logging.LogRecord("", 0, "", 0, "", (), None).__dict__, "message", "asctime", "taskName", STAMP, RUN)
)
"""The attributes that logging itself, or this package, puts on a record; the others came with ``extra``."""

RESERVED = STANDARD | {"getMessage"}
"""What no field of a call may be on a record under its own name: it would be taken for logging's."""

KEPT = STANDARD - {"message", STAMP, RUN}
"""What a record that is handed on keeps of the original."""

CHOSEN_NAMES = ("name", "threadName", "processName", "taskName")
PLACE_NAMES = ("funcName", "module", "pathname", "filename", "levelname")
NAMES = (*CHOSEN_NAMES, *PLACE_NAMES)
"""Standard attributes whose text an application chooses."""

_MAX_FRAMES = 50
_MAX_EXCEPTIONS = 1_000
_OURS = frozenset(("agentlogsafe", "structlog", "logging"))


class Audited(dict[str, Any]):
    """An event that has been through a chain; the type is what says so.

    Renderers of structlog that ask for the message under ``event`` get the event type, by which the event is known
    again where that becomes the message of a record. ``line`` is the event as JSON, where the chain has written it
    already, ``odd`` whether there may be a null or a float in it, below its own fields, ``nulls`` the
    names of those that are null, where it is to be sealed.
    """

    __slots__ = ("line", "nulls", "odd")

    line: bytes | None
    odd: bool
    nulls: tuple[str, ...]

    def pop(self, key: str, *default: Any) -> Any:
        """Remove and return a field, as a dict does."""
        if key == "event" and key not in self:
            name = EventName(self["event_type"])
            name.event = self
            return name
        return super().pop(key, *default)


class EventName(str):
    """The type of an event that has been through a chain, which brings the event along."""

    __slots__ = ("event",)

    event: Audited

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str.__str__(self),)


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
    problems: Sequence[str] = ()
    rendered: bool = False
    """Whether the application renders the event itself, by whatever JSON it likes."""


_OWN = tuple(logging.LogRecord("", 0, "", 0, "", (), None).__dict__)
_LAST, _BEFORE_LAST = _OWN[-1], len(_OWN) - 1


def extras(record: logging.LogRecord) -> dict[str, Any]:
    """Return the attributes that a call's ``extra`` put on the record."""
    attributes = record.__dict__
    added: Iterable[str] = attributes
    if type(record) is logging.LogRecord:
        # What logging itself sets comes first, and need not be looked at, unless somebody has taken some of it away.
        rest = islice(attributes, _BEFORE_LAST, None)
        if next(rest, None) == _LAST:
            added = rest
    return {key: attributes[key] for key in added if key not in STANDARD}


def mapping_argument(args: object) -> Mapping[Any, object] | None:
    """Return the one mapping given as only argument; stdlib unwraps it, unless it is empty."""
    if isinstance(args, Mapping):
        return args
    if type(args) is tuple and len(args) == 1 and isinstance(args[0], Mapping):
        return args[0]
    return None


_OWN_KINDS = ("delivery_report", "rate_limited", "stream_close")


def is_own(event: Mapping[str, Any]) -> bool:
    """Return whether an event is one that the library itself has to log."""
    payload = event.get("payload")
    return event.get("event_type") == "custom" and isinstance(payload, dict) and payload.get("kind") in _OWN_KINDS


def finished_event(record: logging.LogRecord) -> Mapping[str, Any] | None:
    """Return the event that a record carries, if it has been through a chain already."""
    if type(record) is AuditRecord:
        return record.audited_event
    stamp = record.__dict__.get(STAMP)
    return stamp.final if type(stamp) is Stamp else None


def named_type(record: logging.LogRecord) -> object:
    """Return what a call names as its event type, in whatever form, before anything is made of it."""
    message: Any = record.msg
    given = message if type(message) is not str and isinstance(message, Mapping) else None
    for fields in (given, mapping_argument(record.args) if record.args else None, record.__dict__):
        if fields is not None and fields.get("event_type") is not None:
            return fields["event_type"]
    return message if given is None else given.get("event")


def name_of(logger: object) -> str | None:
    """Return the name of a logger, which can be any object that one can log through."""
    try:
        name = getattr(logger, "name", None)
    except Exception:  # noqa: BLE001 -- an object of the caller's
        return None
    return name if type(name) is str else None


def text_of(value: object) -> str:
    """Return ``str(value)``, or where that raises, what kind of object it is."""
    try:
        return value if type(value) is str else str(value)
    except Exception as error:  # noqa: BLE001 -- str() of a caller's object can raise anything
        return f"<{type(value).__name__}: str() raised {type(error).__name__}>"


_PLAIN = frozenset((str, int, float, bool, type(None)))
_CONTAINERS = (Mapping, list, tuple, AbstractSet, deque)


def told(message: object, redactor: Redactor) -> str:
    """Return a message as text; what has names in it is redacted by them before they are only text, too."""
    if type(message) is str:
        return message
    return text_of(redactor.copy(message, Report()) if issubclass(type(message), _CONTAINERS) else message)


class _Named:
    """The mapping argument of a format string, which asks for one value at a time, or for the whole as text."""

    __slots__ = ("_given", "_redactor")

    def __init__(self, given: Mapping[Any, object], redactor: Redactor) -> None:
        self._given, self._redactor = given, redactor

    def __getitem__(self, name: str) -> object:
        value = self._given[name]
        if self._redactor.announces(name) or issubclass(type(value), _CONTAINERS):
            clean: Any = self._redactor.copy({name: value}, Report())
            return next(iter(clean.values()), "")
        return value

    def __repr__(self) -> str:
        return told(self._given, self._redactor)


def _tamed(args: object, redactor: Redactor) -> object:
    """Return the arguments of a message with those redacted that have names in them, or a name each.

    In the text that they become, a name can be far from its value.
    """
    if type(args) is not tuple:
        return _Named(args, redactor) if issubclass(type(args), Mapping) else args  # type: ignore[arg-type]
    if _PLAIN.issuperset(map(type, args)):
        return args
    places = [place for place, arg in enumerate(args) if issubclass(type(arg), _CONTAINERS)]
    # In one call: what a call may cost is bounded.
    found: Any = redactor.copy([args[place] for place in places], Report())
    withheld = found if type(found) is str else "[TRUNCATED]"
    clean = dict.fromkeys(places, withheld) | (dict(zip(places, found, strict=False)) if withheld is not found else {})
    return tuple(clean.get(place, arg) for place, arg in enumerate(args))


def message_of(record: logging.LogRecord, problems: list[str], redactor: Redactor) -> str:
    """Return the message with its arguments; arguments that do not fit are put after it and named."""
    args: object = record.args
    template = told(record.msg, redactor)
    if not args:
        return template
    args = _tamed(args, redactor)
    try:
        return template % args
    except Exception:  # noqa: BLE001 -- the caller's format, the caller's objects
        given = mapping_argument(record.args)
        if given is not None:
            return template  # the mapping holds fields; nothing of it is lost
        problems.append("message: the arguments do not fit the format string")
        return f"{template} {_repr(args)}"


def _repr(value: object) -> str:
    try:
        return repr(value)  # whole: half of a secret would be no secret to the redactor
    except Exception as error:  # noqa: BLE001 -- repr() of a caller's object can raise anything
        return f"<{type(value).__name__}: repr() raised {type(error).__name__}>"


def exception_of(exc_info: object) -> BaseException | None:
    """Return the exception in any form that logging and structlog accept."""
    if exc_info is True:
        return sys.exc_info()[1]
    if type(exc_info) is tuple and len(exc_info) == 3:  # noqa: PLR2004
        exc_info = exc_info[1]
    # Not isinstance, which asks the object.
    return cast("BaseException", exc_info) if issubclass(type(exc_info), BaseException) else None


def stack_of_caller() -> str:
    """Return the stack of the application's code, as logging writes it."""
    frame = sys._getframe(1)  # noqa: SLF001
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _OURS:
        frame = frame.f_back
    return "Stack (most recent call last):\n" + "".join(traceback.format_stack(frame)).rstrip("\n")


def exception_fields(error: BaseException) -> dict[str, str]:
    """Return ``type``, ``message`` and ``stacktrace`` (OpenTelemetry's names) of an exception, not yet redacted."""
    kind = type(error)
    module = "" if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}."
    name, message = f"{module}{kind.__qualname__}", text_of(error)
    try:
        if _are_few(error):
            stack = "".join(traceback.format_exception(kind, error, error.__traceback__, limit=-_MAX_FRAMES))
        else:
            frames = "".join(traceback.format_tb(error.__traceback__, limit=-_MAX_FRAMES))
            stack = (
                f"Traceback (most recent call last):\n{frames}{name}: {message}\n[more exceptions than can be shown]"
            )
    except Exception as failure:  # noqa: BLE001 -- the traceback of a hostile exception
        stack = f"<traceback could not be rendered: {type(failure).__name__}>"
    return {"type": name, "message": message, "stacktrace": stack.rstrip("\n")}


def _are_few(error: BaseException) -> bool:
    """Return whether an exception, its causes and its members can be rendered in bounded time.

    A group can have one member many times, and so on down: every level doubles what is rendered.
    """
    left, seen = [error], {id(error)}
    for _ in range(_MAX_EXCEPTIONS):
        if not left:
            return True
        current = left.pop()
        if any(base.__name__ == "BaseExceptionGroup" for base in type(current).__mro__):  # which 3.10 has not
            left += current.exceptions[:_MAX_EXCEPTIONS]  # type: ignore[attr-defined]
        for behind in (current.__cause__, current.__context__):
            if behind is not None and id(behind) not in seen:
                seen.add(id(behind))
                left.append(behind)
    return not left


_FORMAT = logging.Formatter.format.__code__


class AuditRecord(logging.LogRecord):
    """A record that carries a finished event to a handler.

    For whoever reads the record itself (OTLP, Sentry, other JSON formatters) its message is the event type and the
    event's fields are attributes. `logging.Formatter`, which knows nothing but the message, gets the event as a line
    of JSON in its place. Nothing of the original call is left on it.
    """

    # Not in the record's __dict__, which some handlers export whole; and a name that no filter sets.
    __slots__ = ("audited_event",)

    audited_event: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        # Filters may ask for a field of the event by its name.
        event = object.__getattribute__(self, "audited_event")
        value = event.get(name)
        if value is None:
            raise AttributeError(name)
        return value

    def getMessage(self) -> str:  # noqa: N802 -- logging's name
        """Return the event type, or to `logging.Formatter.format` the event as one line of JSON."""
        return to_json(self.audited_event) if sys._getframe(1).f_code is _FORMAT else str(self.msg)  # noqa: SLF001

    def __reduce__(self) -> Any:
        # Pickled for another process, which may not have this package: a plain record, with the line as message.
        return logging.makeLogRecord, (self.__dict__ | {"msg": to_json(self.audited_event), "args": None},)

    def __copy__(self) -> AuditRecord:
        # What QueueHandler does before it puts a record on its queue.
        copied = make(self.__dict__, AuditRecord)
        copied.audited_event = self.audited_event
        return copied


def make(attributes: Mapping[str, Any], kind: type[R] = logging.LogRecord) -> R:  # type: ignore[assignment]
    """Return a record with these attributes, without what ``LogRecord()`` would find out anew."""
    record = object.__new__(kind)
    record.__dict__ = dict(attributes)
    return record


_EMPTIED: dict[str, Any] = {"args": None, "exc_info": None, "exc_text": None, "stack_info": None}


_COPIED = tuple(name for name in _OWN if name not in {"msg", *NAMES, *_EMPTIED})
_copied = itemgetter(*_COPIED)
_NUMBERS = frozenset((int, float, type(None)))


def odd(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of a record's times, numbers and ids that are none: of a record that was not made by logging."""
    try:
        if _NUMBERS.issuperset(map(type, _copied(attributes))):
            return {}
    except KeyError:
        pass  # it lacks one, as a record that was made by hand can: each is looked at by itself
    return {name: attributes[name] for name in _COPIED if name in attributes and type(attributes[name]) not in _NUMBERS}


def event_record(
    record: logging.LogRecord, event: dict[str, Any], names: dict[str, str], *, exported: bool = True
) -> AuditRecord:
    """Return a record like *record* that carries *event* and nothing else of the call.

    Args:
        record: the original, left as it is.
        event: the finished event.
        names: the redacted values of `NAMES`; none where the record's own are known to be safe.
        exported: whether a handler may export the record's ``__dict__``, and so needs the fields in it; they can be
            asked for by name in any case.
    """
    old = record.__dict__
    try:
        kept = dict(zip(_COPIED, _copied(old), strict=True))
    except KeyError:  # a record that somebody made by hand
        kept = {name: old[name] for name in _COPIED if name in old}
    kept |= names or {name: old[name] for name in NAMES if name in old}
    kept |= _EMPTIED
    kept["msg"] = event["event_type"]
    if exported:
        kept.update([pair for pair in event.items() if pair[1] is not None])
    made = object.__new__(AuditRecord)
    made.__dict__, made.audited_event = kept, event
    return made


def line_record(record: logging.LogRecord, event: dict[str, Any]) -> AuditRecord:
    """Return a record that carries *event* to a handler which asks for nothing but the formatted line."""
    made = object.__new__(AuditRecord)
    made.msg, made.args, made.levelno = event["event_type"], None, record.levelno
    made.audited_event = event
    return made


def to_json(event: dict[str, Any]) -> str:
    """Return *event* as one line of JSON."""
    line = event.line if type(event) is Audited else None
    return (line or orjson.dumps(event)).decode()


def finished_record(event: Audited) -> logging.LogRecord:
    """Return a record for an event that the library itself has to log through an application's handlers."""
    record = logging.LogRecord("agentlogsafe", logging.INFO, __file__, 0, event["event_type"], None, None)
    record.__dict__[STAMP] = Stamp.finished(event)
    return record
