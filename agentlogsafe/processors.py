"""The structlog entry: processors that turn event dicts into audit events."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, MutableMapping
from typing import Any

import structlog

from agentlogsafe._records import RESERVED, Audited
from agentlogsafe.chain import Chain, chain_for
from agentlogsafe.context import STAMP, Stamp

EventDict = MutableMapping[str, Any]
_FORMATTER_KEYS = ("_record", "_from_structlog")
Processor = Callable[[Any, str, EventDict], Any]


class _Processors(list[Processor]):
    """Processors that are one themselves: without its star, the list would fail at the first log call only."""

    def __call__(self, logger: Any, method: str, event_dict: EventDict) -> Any:
        for processor in self:
            event_dict = processor(logger, method, event_dict)
        return event_dict


def audit(**settings: Any) -> _Processors:
    """Return the processors to put before a renderer.

    ::

        structlog.configure(processors=[merge_contextvars, *agentlogsafe.processors.audit(agent_name=…), renderer])

    What is returned can also be put there as one processor, without the star.

    An event dict whose ``event`` is an event type comes out as an audit event; any other comes out redacted, with
    the run's id, under its own names. ``exc_info`` and ``stack_info`` are rendered here, so that they are redacted.

    Args:
        **settings: those of `Settings`.

    Raises:
        ConfigurationError: for an unknown or unfit setting.
    """
    # A list, because structlog.testing.capture_logs changes the list of processors in place.
    return _Processors([_Audit(chain_for("processors.audit", settings))])


class _Audit:
    """The one processor that `audit` returns."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._joined = -1

    def __call__(self, logger: Any, method: str, event_dict: EventDict) -> EventDict:
        sealer = self._chain.sealer
        if sealer is not None:
            self._joined = sealer.join(self, self._joined)
        if type(event_dict) is _Handed:
            return event_dict
        if "_record" in event_dict and issubclass(type(event_dict["_record"]), logging.LogRecord):
            return self._from_formatter(event_dict["_record"], logger, method, event_dict)
        made = self._chain.event_dict(logger, method, event_dict)
        if made is None:
            raise structlog.DropEvent
        return made

    def counts(self) -> dict[str, int]:
        """Return nothing: a processor does not know what becomes of its event dicts."""
        return {}

    def send(self, event: Audited, *, last: bool) -> None:  # noqa: ARG002 -- as a `Way` has it
        """Log an event of the library's own, through the loggers that this processor serves."""
        used = structlog.get_config()["processors"]
        if self in used or any(isinstance(item, _Processors) and self in item for item in used):
            logger = structlog.get_logger("agentlogsafe").bind()
            with contextlib.suppress(structlog.DropEvent):
                # Not by a method of its own, which a level may have turned into nothing.
                logger._proxy_to_logger("info", "custom", **{STAMP: Stamp.finished(event)})  # noqa: SLF001

    def _from_formatter(self, record: Any, logger: Any, method: str, event_dict: EventDict) -> EventDict:
        """Audit inside a `structlog.stdlib.ProcessorFormatter`, which gives the record along."""
        if event_dict.get("positional_args") and not record.args:
            # The formatter took them off its copy of the record; a mapping among them has the fields.
            record = logging.makeLogRecord({**record.__dict__, "args": event_dict["positional_args"]})
        if type(record.msg) is Audited or not event_dict.get("_from_structlog"):
            made = self._chain.record(record)
            if type(made) is Audited:
                return _Handed(made)
        # The record has the raw message; what comes after this processor does not get it.
        plain = {name: value for name, value in event_dict.items() if name not in _FORMATTER_KEYS}
        result = self._chain.event_dict(logger, method, plain)
        # Dropping would raise DropEvent, which a ProcessorFormatter lets escape into the application.
        return _Handed({"event": None} if result is None else result)


class _Handed(Audited):
    """What a ProcessorFormatter gets: an event or an ordinary line, which no longer has what the formatter put into it.

    Not `Audited` itself: a class with ``__delitem__`` is a third slower at setting items, too.
    """

    __slots__ = ()

    def __delitem__(self, key: str) -> None:
        # `remove_processors_meta` takes out what it takes to be there.
        if key in _FORMATTER_KEYS:
            self.pop(key, None)
        else:
            super().__delitem__(key)


def to_stdlib(_: Any, __: str, event_dict: EventDict) -> tuple[tuple[str], dict[str, Any]]:
    """Render to the arguments of a stdlib logger: the event type as message, the fields as ``extra``.

    For ``logger_factory=structlog.stdlib.LoggerFactory()``. Where structlog's own ``render_to_log_kwargs`` raises
    KeyError in the application for a field named ``args`` or ``name``, this one sets such a field apart.
    """
    if type(event_dict) is Audited:
        fields = {name: value for name, value in event_dict.items() if value is not None}
        return (event_dict["event_type"],), {"extra": {**fields, STAMP: Stamp.finished(event_dict)}}
    fields = {f"{name}_" if name in RESERVED else name: value for name, value in event_dict.items() if name != "event"}
    return (str(event_dict.get("event", "")),), {"extra": fields}
