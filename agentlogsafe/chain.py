"""The one path of a log call: normalize → redact → limit → seal.

Formatter, handler and processors all call a `Chain`. It never raises, never changes what it is given, and makes one
event of one call however many handlers ask for it. Equal settings share one chain.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from agentlogsafe import _records as records
from agentlogsafe import delivery, seal
from agentlogsafe._maker import Maker
from agentlogsafe._ordinary import Ordinary
from agentlogsafe._records import Audited, Call, EventName
from agentlogsafe._scope import Fields
from agentlogsafe._stream import ROOM, Sealer
from agentlogsafe._targets import members
from agentlogsafe.context import RUN, STAMP, Defaults, Frame, Stamp, current
from agentlogsafe.events import EVENT_TYPES, known_type, new_id
from agentlogsafe.redaction import Redactor, compile_policy
from agentlogsafe.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentlogsafe.redaction import RunMemory

DEFAULTED = ("agent_name", "workflow_name", "agent_version", "metadata", "default_risk")
"""The settings that a logger object can have, too; equal ones share one chain, and with it one `Defaults`."""

_call = tuple.__new__  # a third of the cost of Call(...), which every event has to pay
_METHOD_LEVELS = {"warn": "warning", "exception": "error", "fatal": "critical", "msg": "info"}


class Chain(Maker):
    """Turns log calls into audit events under one set of settings.

    Args:
        settings: checked settings.
        redactor: their policy, compiled.
    """

    def __init__(self, settings: Settings, redactor: Redactor) -> None:
        self.sealer: Sealer | None = None
        if settings.seal is None:
            super().__init__(settings, redactor)
        else:
            super().__init__(settings, redactor, write=_to_be_sealed, room=ROOM)
            self.sealer = Sealer("seal", settings.seal, self.policy, self.end_stream)
        self._make = self._event if self.sealer is None else self.event
        self._ordinary = Ordinary(self.redactor, settings.limits)
        self.defaults = Defaults({name: getattr(settings, name) for name in DEFAULTED})

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
        elif type(record.msg) is EventName:
            return record.msg.event
        else:
            if type(record.args) is Fields:
                stamp = record.args.stamp  # of a call of this package
            else:
                frame = attributes.get(RUN)
                stamp = Stamp.of(new_id(), frame if type(frame) is Frame else current())
            attributes[STAMP] = stamp
        captured = attributes.get(RUN)
        if type(captured) is Frame and captured.exact:
            stamp.trace = captured.trace
        try:
            made = self._from_record(record, stamp, self._make if sealed else self._event)
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
        if type(message) is not str:
            message = known_type(message) or message  # a constant of an enumeration
        given = records.mapping_argument(record.args) if record.args else None
        positional = record.args if record.args and given is None else None
        if given is None:
            given = stamp.fields
        fields: Mapping[Any, object] = records.extras(record)
        if given:
            fields = {**fields, **given} if fields else given
        problems: list[str] = []
        if type(message) is not str or message not in EVENT_TYPES or positional is not None:
            if isinstance(message, Mapping) and "event" in message:
                fields = {**fields, **message}
                message = fields.pop("event")
                message = known_type(message) or message
            if type(message) is not str or message not in EVENT_TYPES:
                if given and given is not stamp.fields and type(message) is str and "%(" in message:
                    fields = records.extras(record)  # the mapping is what the format string asks for
                if message is record.msg:
                    message = records.message_of(record, problems, self.redactor)
                else:
                    message = records.told(message, self.redactor)
                positional = None
        event_type = message if message in EVENT_TYPES else stamp.event_type
        call = _call(
            Call,
            (
                stamp,
                attributes["created"],
                attributes["levelname"],
                attributes["name"],
                attributes["exc_info"] or attributes["exc_text"],
                attributes["stack_info"],
                None if event_type is message else message,
                positional,
                problems,
                False,
            ),
        )
        if event_type is not None:
            return make(event_type, fields, call)
        if fields.get("event_type") is not None or self.settings.others == "custom":
            return make(None, fields, call)
        if self.settings.others == "drop":
            return None
        return self._ordinary.record(record, message, fields, self.ids(stamp), _memory(stamp))

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
        name: str | None = None
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
            if type(fields.get("stack_info")) is bool and fields.pop("stack_info"):
                fields.setdefault("stack", records.stack_of_caller())
            name = fields.pop("logger") if type(fields.get("logger")) is str else records.name_of(logger)
            if type(message) is not str:
                message = known_type(message) or message
            event_type = message if type(message) is str and message in EVENT_TYPES else stamp.event_type
            if event_type is None and fields.get("event_type") is None and self.settings.others != "custom":
                if self.settings.others == "drop":
                    return None
                return self._ordinary.event_dict(given, fields.get("stack"), self.ids(stamp), _memory(stamp))
            call = _call(
                Call,
                (
                    stamp,
                    time.time(),
                    level,
                    name,
                    fields.pop("exc_info", None),
                    fields.pop("stack", None),
                    None if event_type is message else records.told(message, self.redactor),
                    fields.pop("positional_args", None),
                    (),
                    True,
                ),
            )
            if stamp.fields:
                fields |= stamp.fields
            event = self._make(event_type, fields, call)
        except Exception as error:  # noqa: BLE001 -- fail closed, as above
            event = self._broken(stamp, level, name, error)
        if type(stamp) is Stamp:
            stamp.events[self] = event
        event.line = None  # later processors may change the event
        return event

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
        call = Call(Stamp.of(new_id(), None), record.created, record.levelname, record.name)
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

    def _broken(
        self, stamp: object, level: object, logger: object, error: Exception, *, sealed: bool = True
    ) -> Audited:
        """Return `_unreadable`, sealed."""
        event = self._unreadable(stamp, level, logger, error)
        if self.sealer is not None and sealed:
            with contextlib.suppress(Exception):  # it goes out without a seal, then
                self.sealer.seal(event)
        return event


def _memory(stamp: Stamp) -> RunMemory | None:
    return stamp.frame.run.memory if stamp.frame is not None else None


def _to_be_sealed(event: Audited) -> bytes:
    own, event.nulls = event.copy(), seal.nulls(event)
    for name in event.nulls:
        del own[name]
    return orjson.dumps(own, option=orjson.OPT_SORT_KEYS)


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
    redactor = compile_policy(settings.policy, depth=limits.depth, items=limits.items, line=limits.line)
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
