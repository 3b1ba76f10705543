"""The handler entry: wraps a configured handler, hands it finished events, and notices when it fails."""

from __future__ import annotations

import logging
import logging.handlers
import threading
import warnings
import weakref
from collections import deque
from os import PathLike
from typing import TYPE_CHECKING, Any

from agentlogsafe import _records as records
from agentlogsafe._records import Audited
from agentlogsafe.chain import chain_for
from agentlogsafe.delivery import AgentLogSafeWarning, Counters, FallbackFile, deliver, listen, report
from agentlogsafe.errors import check_keys, check_type
from agentlogsafe.formatter import AuditFormatter
from agentlogsafe.settings import SETTING_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_NESTED = 100
_SEEN = 10_000


class AuditHandler(logging.handlers.MemoryHandler):
    """Wraps a handler: what reaches it are audit events and redacted records, and its failures are noticed.

    In a dictConfig the target is the name of another handler, in any order::

        handlers:
          file: {class: logging.FileHandler, filename: app.jsonl}
          audit: {class: agentlogsafe.AuditHandler, target: file, agent_name: …, fallback: audit-fallback.jsonl}

    A target that formats with `logging.Formatter`, or has no formatter, writes the event as a line of JSON in the place
    of the message; any other gets the event type as message and the fields as attributes. Nothing is buffered.

    Args:
        target: the handler to wrap; without one, events go to the handlers that the root logger has at that moment.
        fallback: the path of a file, or a handler, for what the target fails to take.
        **settings: those of `Settings`.

    Raises:
        ConfigurationError: for an unknown or unfit setting.
    """

    def __init__(
        self,
        target: logging.Handler | None = None,
        *,
        fallback: str | PathLike[str] | logging.Handler | None = None,
        **settings: Any,
    ) -> None:
        # MemoryHandler is the one class whose `target: NAME` dictConfig resolves, in any order of handlers; of what
        # it does, buffering, nothing is used.
        super().__init__(capacity=1)
        check_keys("AuditHandler", settings, SETTING_NAMES | {"target", "fallback"})
        check_type("AuditHandler.target", target, (logging.Handler, type(None)), "a handler")
        check_type("AuditHandler.fallback", fallback, (str, PathLike, logging.Handler, type(None)), "a path or handler")
        self._chain = chain_for("AuditHandler", settings)
        self._fallback = fallback if isinstance(fallback, (logging.Handler, type(None))) else FallbackFile(fallback)
        self._counters: Counters | None = None
        self._nested = _Nested()
        self._seen: set[tuple[str, int]] = set()
        self._heard: dict[int, Callable[[], None]] = {}
        self.target = target
        for handler in (target, self._fallback):
            if handler is not None:
                self._listen(handler)

    @property
    def counters(self) -> Counters:
        """What became of the records so far; `agentlogsafe.stats` shows it under the handler's name."""
        if self._counters is None:
            target = self.target
            name = self.name or (target is not None and target.name) or type(target or self).__name__
            self._counters = Counters(str(name))
        return self._counters

    def _listen(self, handler: logging.Handler) -> None:
        if id(handler) not in self._heard:
            self._heard[id(handler)] = listen(handler)

    def setTarget(self, target: logging.Handler | None) -> None:  # noqa: N802 -- logging's name
        """Wrap another handler."""
        self.target = target
        if target is not None:
            self._listen(target)

    def createLock(self) -> None:  # noqa: N802 -- logging's name
        """Do without a lock: the target's own lock orders what it writes, and the chain shares no state."""
        self.lock = None

    def handle(self, record: logging.LogRecord) -> Any:
        """Emit the record unless a filter of this handler rejects it. Never raises."""
        try:
            kept: Any = self.filter(record)
        except Exception as error:  # noqa: BLE001 -- a filter that fails keeps nothing from being recorded
            report(self._place(), f"a filter raised {type(error).__name__}; the record is kept")
            kept = True
        if kept:
            # From Python 3.12 a filter may return another record in place of this one.
            self.emit(kept if isinstance(kept, logging.LogRecord) else record)
        return kept

    def emit(self, record: logging.LogRecord) -> None:
        """Send the record through the chain and on to its target. Never raises."""
        nested = self._nested
        if nested.active:
            # A target that logs while it writes. What it says waits until it has finished, and only one level deep:
            # else the answer to a line would be a line, for ever.
            if nested.draining or len(nested.waiting) >= _NESTED:
                self.counters.add("lost", "recursion")
            else:
                nested.waiting.append(record)
            return
        nested.active = True
        try:
            self._emit(record)
            nested.draining = True
            while nested.waiting:
                self._emit(nested.waiting.popleft())
        except Exception as error:  # noqa: BLE001 -- a log call is sacred
            self.counters.add("lost", type(error).__name__)
            report(self._place(), f"a record was lost ({type(error).__name__})")
        finally:
            nested.active = nested.draining = False

    def _emit(self, record: logging.LogRecord) -> None:
        made = self._chain.record(record)
        if made is None:
            return
        self._warn_of_bare_handlers(record)
        handed = (
            records.event_record(record, made, self._chain.names(record.__dict__))
            if isinstance(made, Audited)
            else made
        )
        targets = self._targets()
        if not targets:
            self._keep(handed, "no target")
            return
        failure: str | None = None
        for target in targets:
            failure = deliver(target, handed) or failure
        if failure is None:
            self.counters.add("delivered")
        else:
            self._keep(handed, failure)

    def _targets(self) -> list[logging.Handler]:
        if self.target is not None:
            return [self.target]
        found = [handler for handler in logging.getLogger().handlers if not isinstance(handler, AuditHandler)]
        for handler in found:
            self._listen(handler)
        return found

    def _keep(self, handed: logging.LogRecord, reason: str) -> None:
        """Give to the fallback what no target took, or count it as lost; and say so, once a minute."""
        event_id = handed.__dict__.get("event_id")
        if self._fallback is None:
            failure: str | None = "no fallback"
        else:
            failure = deliver(self._fallback, handed)
        if failure is None:
            self.counters.add("fallback", reason)
            report(self._place(), f"the target failed ({reason}); events go to the fallback", event_id=event_id)
        else:
            self.counters.add("lost", reason)
            report(self._place(), f"the target failed ({reason}), {failure}; events are lost", event_id=event_id)

    def _place(self) -> str:
        return f"handler {self.counters.name!r}"

    def _warn_of_bare_handlers(self, record: logging.LogRecord) -> None:
        seen = (record.name, record.levelno)
        if seen in self._seen or len(self._seen) > _SEEN:
            return
        self._seen.add(seen)
        for owner, handler in bare_handlers(record.name, record.levelno):
            message = (
                f"raw records of logger {record.name!r} also reach {_describe(handler)} of logger {owner!r}: wrap it "
                f"with AuditHandler, give it an AuditFormatter, or set propagate to false"
            )
            _warn_once(handler, message)

    def flush(self) -> None:
        """Flush the target."""
        if self.target is not None:
            try:
                self.target.flush()
            except Exception as error:  # noqa: BLE001 -- flushing happens at exit too, where nobody can catch it
                report(self._place(), f"the target could not be flushed ({type(error).__name__})")

    def close(self) -> None:
        """Flush; the target stays known, so that a late record is not lost."""
        self.flush()
        logging.Handler.close(self)


class _Nested(threading.local):
    """Whether this thread is inside the handler, and the records that came meanwhile."""

    def __init__(self) -> None:
        self.active = False
        self.draining = False
        self.waiting: deque[logging.LogRecord] = deque()


_warned: weakref.WeakSet[logging.Handler] = weakref.WeakSet()


def _warn_once(handler: logging.Handler, message: str) -> None:
    if handler in _warned:
        return
    _warned.add(handler)
    try:
        warnings.warn(message, AgentLogSafeWarning, stacklevel=2)
    except Warning:
        report("configuration", message)  # warnings are errors here, and a log call must not raise


def _describe(handler: logging.Handler) -> str:
    return f"handler {handler.name!r} ({type(handler).__name__})" if handler.name else f"a {type(handler).__name__}"


def bare_handlers(logger_name: str, level: int) -> Iterator[tuple[str, logging.Handler]]:
    """Yield (logger, handler) for each handler that the raw records of a logger reach."""
    logger: logging.Logger | None = logging.getLogger(logger_name)
    while logger is not None:
        audited = any(isinstance(handler, AuditHandler) and handler.target is None for handler in logger.handlers)
        for handler in logger.handlers:
            safe = audited or isinstance(handler, logging.NullHandler) or _audits(handler)
            if not safe and handler.level <= level:
                yield logger.name, handler
        logger = logger.parent if logger.propagate else None


def install(logger: logging.Logger | str | None = None, **settings: Any) -> list[AuditHandler]:
    """Wrap, in place, the handlers that an application already has.

    Args:
        logger: only this logger's handlers; by default those of the root logger and of every other logger there is.
        **settings: those of `AuditHandler`, except ``target``.

    Returns:
        The new handlers, one for each wrapped one, empty where nothing was left to wrap. Calling it again wraps only
        what has been added since.

    Raises:
        ConfigurationError: for an unknown or unfit setting.
    """
    check_keys("install", settings, SETTING_NAMES | {"fallback"})
    chain_for("install", {name: value for name, value in settings.items() if name in SETTING_NAMES})
    if logger is None:
        known = list(logging.getLogger().manager.loggerDict.values())
        loggers = [logging.getLogger(), *(item for item in known if isinstance(item, logging.Logger))]
    else:
        loggers = [logging.getLogger(logger) if isinstance(logger, str) else logger]
    wrappers: dict[int, AuditHandler] = {}
    for owner in loggers:
        for place, handler in enumerate(owner.handlers):
            if isinstance(handler, (AuditHandler, logging.NullHandler)):
                continue
            if id(handler) not in wrappers:
                wrapper = wrappers[id(handler)] = AuditHandler(handler, **settings)
                if handler.name:
                    wrapper.name = f"audit:{handler.name}"
            owner.handlers[place] = wrappers[id(handler)]
    return list(wrappers.values())


def self_check() -> list[str]:
    """Return what in the logging configuration keeps events from being recorded or redacted, one sentence each.

    To be called once logging is configured, at start-up or in a test: loggers that ``dictConfig`` disabled, loggers
    whose level swallows events, and bare handlers that raw records reach.
    """
    known = logging.getLogger().manager.loggerDict
    loggers = [logging.getLogger(), *(item for item in known.values() if isinstance(item, logging.Logger))]
    watched = [logging.getLogger("agentlogsafe"), *(item for item in loggers if any(map(_audits, item.handlers)))]
    findings = [
        f"logger {logger.name!r} is disabled: it existed before dictConfig, which disables such loggers unless "
        f"disable_existing_loggers is false"
        for logger in loggers
        if logger.disabled
    ]
    for logger in watched:
        if logger.getEffectiveLevel() > logging.INFO:
            level = logging.getLevelName(logger.getEffectiveLevel())
            findings.append(f"logger {logger.name!r} has level {level}: events are logged at INFO and do not pass")
        for owner, handler in bare_handlers(logger.name, logging.CRITICAL):
            findings.append(f"raw records of logger {logger.name!r} reach {_describe(handler)} of logger {owner!r}")
    return list(dict.fromkeys(findings))


def _audits(handler: logging.Handler) -> bool:
    return isinstance(handler, AuditHandler) or isinstance(handler.formatter, AuditFormatter)
