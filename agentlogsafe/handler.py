"""The handler entry: wraps a configured handler, hands it finished events, and notices when it fails."""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import sys
import threading
import warnings
import weakref
from collections import deque
from collections.abc import Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any

from agentlogsafe import _records as records
from agentlogsafe._bounds import has_room
from agentlogsafe._queue import QueueSettings, Relay
from agentlogsafe._rate import OTHER, RateLimit
from agentlogsafe._records import Audited
from agentlogsafe._targets import listen, members, settle
from agentlogsafe.chain import chain_for
from agentlogsafe.delivery import AgentLogSafeWarning, Counters, report
from agentlogsafe.errors import check_keys, check_type
from agentlogsafe.events import known_type
from agentlogsafe.fallback import FallbackFile
from agentlogsafe.formatter import AuditFormatter
from agentlogsafe.outlet import Outlet
from agentlogsafe.redaction.plain import kind_of
from agentlogsafe.settings import SETTING_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agentlogsafe._stream import Sealer

OWN_SETTINGS = frozenset(("fallback", "queue", "rate_limit"))

_LINE_WRITERS = {
    logging.StreamHandler,
    logging.FileHandler,
    logging.handlers.WatchedFileHandler,
    logging.handlers.RotatingFileHandler,
    logging.handlers.TimedRotatingFileHandler,
}
"""What reads nothing of a record but its line; not their subclasses, which may read anything."""

_NESTED = 100
_SEEN = 10_000

_BY_CLASS = (
    'a handler (dictConfig takes the name of one where it reads "class": "agentlogsafe.AuditHandler", and not "()")'
)


class AuditHandler(logging.handlers.MemoryHandler):
    """Wraps a handler: what reaches it are audit events and redacted records, and its failures are noticed.

    In a dictConfig the target is the name of another handler, in any order::

        handlers:
          file: {class: logging.FileHandler, filename: app.jsonl}
          audit: {class: agentlogsafe.AuditHandler, target: file, agent_name: …, fallback: audit-fallback.jsonl}

    A target without a formatter writes JSON, as an `AuditFormatter` would. One that has a `logging.Formatter` gets an
    event as a line of JSON in the place of the message; any other gets the event type as message and the fields as
    attributes. Nothing is buffered.

    Args:
        target: the handler to wrap; without one, events go to the handlers that the root logger has at that moment.
        fallback: the path of a file, a mapping of the arguments of `FallbackFile`, or a handler, for what the target
            fails to take.
        queue: deliver from a thread of its own: ``true``, or a mapping of ``size``, ``overflow`` (``block``,
            ``fallback`` or ``drop``) and ``timeout``.
        rate_limit: records per second, by event type, ``other`` or ``*`` (all others, but not the beginning and end of
            runs and errors); off by default.
        **settings: those of `Settings`.

    Raises:
        ConfigurationError: for an unknown or unfit setting.
    """

    def __init__(
        self,
        target: logging.Handler | None = None,
        *,
        fallback: str | PathLike[str] | Mapping[str, Any] | logging.Handler | None = None,
        queue: Mapping[str, Any] | bool | None = None,
        rate_limit: Mapping[str, float] | None = None,
        **settings: Any,
    ) -> None:
        # All checks come first: logging flushes and closes at exit whatever has called its constructor.
        check_keys("AuditHandler", settings, SETTING_NAMES | OWN_SETTINGS | {"target"})
        named = isinstance(target, (str, Mapping))  # as in a configuration
        check_type("AuditHandler.target", target, (logging.Handler, type(None)), _BY_CLASS if named else "a handler")
        kinds = (str, PathLike, Mapping, logging.Handler, type(None))
        check_type("AuditHandler.fallback", fallback, kinds, "a path, a mapping or a handler")
        self._chain = chain_for("AuditHandler", settings)
        # For targets without a formatter: ordinary lines are JSON, as events are.
        self._formatter = AuditFormatter(**{name: settings[name] for name in settings if name != "others"})
        self._rate = None if rate_limit is None else RateLimit(rate_limit)
        queue_settings = QueueSettings.load(queue)
        self._fallback = (
            fallback if isinstance(fallback, (logging.Handler, type(None))) else FallbackFile.load(fallback)
        )
        self._writes_fallback = fallback is None or type(self._fallback) is FallbackFile  # and no handler may export it
        # MemoryHandler is the one class whose `target: NAME` dictConfig resolves, in any order of handlers; of what
        # it does, buffering, nothing is used.
        super().__init__(capacity=1)
        self.target = target
        self.counters = Counters(lambda: self.label)
        self._outlet = Outlet(self._targets, self._fallback, self.counters, self._report)
        self._relay = None if queue_settings is None else Relay(self._outlet, queue_settings, self._lose)
        if self._relay is not None:
            self.counters.waiting = self._relay.waiting
        self._nested = threading.local()  # while this thread is inside: the records that come meanwhile
        self._seen: set[tuple[str, int]] = set()
        self._joined, self._before = -1, self._counted()
        self._heard: dict[int, Callable[[], None]] = {}
        for handler in (target, self._fallback):
            if handler is not None:
                self._listen(handler)

    @property
    def label(self) -> str:
        """What the counts and reports call this handler."""
        target = self.target
        return str(self.name or (target is not None and target.name) or type(target or self).__name__)

    def _listen(self, handler: logging.Handler) -> None:
        if id(handler) not in self._heard:
            self._heard[id(handler)] = listen(handler, self._formatter)

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
        kept: Any = True
        try:
            if self.filters:
                try:
                    kept = self.filter(record)
                except Exception as error:  # noqa: BLE001 -- a filter that fails keeps nothing from being recorded
                    report(self._place(), f"a filter raised {kind_of(error)}; the record is kept")
                if not kept:
                    return kept
                if isinstance(kept, logging.LogRecord):
                    record = kept  # from Python 3.12 a filter may return another record in place of this one
            self.emit(record)
        except Exception:  # noqa: BLE001 -- the recursion limit is so near that `emit` could not even count
            self.counters.lost += 1  # no call: there is no room for one
        return kept

    def emit(self, record: logging.LogRecord) -> None:
        """Send the record through the chain and on to its target. Never raises."""
        nested = self._nested.__dict__  # of this thread; a thread-local attribute costs three times a dict's
        if nested.get("active"):
            # A target that logs while it writes. What it says waits until it has finished, and only one level deep:
            # else the answer to a line would be a line, for ever.
            waiting = nested.setdefault("waiting", deque())
            if nested.get("draining") or len(waiting) >= _NESTED:
                self._lose("recursion")
            else:
                waiting.append(record)
            return
        nested["active"] = True
        try:
            self._emit(record)
            while nested.get("waiting"):
                nested["draining"] = True
                self._emit(nested["waiting"].popleft())
        except Exception as error:  # noqa: BLE001 -- a log call is sacred
            self._lose(kind_of(error))
        finally:
            nested["active"] = nested["draining"] = False  # no call: near the recursion limit, one could fail

    def _emit(self, record: logging.LogRecord) -> None:
        if self._rate is not None and not self._within_rate(record, self._rate):
            return
        turns = self.counters.turns
        me = turns.take()
        try:
            sealer = self._chain.sealer
            if sealer is None:
                self._pass_on(record, self._chain.record(record))
            else:
                self._pass_on_in_order(record, sealer)
        finally:
            turns.give(me)

    def _pass_on_in_order(self, record: logging.LogRecord, sealer: Sealer) -> None:
        """Pass on one record at a time, from its seal to its delivery, so that events arrive in their order."""
        locked = sealer.acquire()
        try:
            if sealer.join(self, self._joined) != self._joined:
                self._joined, self._before = sealer.streams, self._counted()
            refused = self._refuses(record)
            made = self._chain.record(record, sealed=not refused)
            if not refused:
                self._pass_on(record, made)
            elif made is not None:
                self.counters.add_delivered()
        finally:
            if locked:
                sealer.lock.release()

    def _pass_on(self, record: logging.LogRecord, made: Audited | logging.LogRecord | None) -> None:
        if made is None:
            return
        seen = (record.name, record.levelno)
        if seen not in self._seen:
            self._warn_of_bare_handlers(seen)
        if isinstance(made, Audited):
            target = self.target
            if target is None or not isinstance(target.formatter, AuditFormatter) or not self._writes_fallback:
                made = records.event_record(record, made, self._chain.names(record.__dict__))
            elif type(target) in _LINE_WRITERS and type(target.formatter) is AuditFormatter and not target.filters:
                made = records.line_record(record, made)
            else:
                made = records.event_record(record, made, self._chain.names(record.__dict__), exported=False)
        if self._relay is None:
            self._outlet.send(made)
        else:
            self._relay.put(made)

    def _refuses(self, record: logging.LogRecord) -> bool:
        """Return whether no target is to have a record of this level: sealed, it would leave a gap in the stream."""
        targets = self._targets()
        return bool(targets) and record.levelno < min(target.level for target in targets)

    def _within_rate(self, record: logging.LogRecord, rate: RateLimit) -> bool:
        name: object = OTHER
        with contextlib.suppress(Exception):  # the caller's mapping can be anything
            done = records.finished_event(record)
            if done is not None and records.is_own(done):
                return True
            name = records.named_type(record) if done is None else done.get("event_type")
        kind = known_type(name) or OTHER
        passes, held = rate.passes(kind)
        if held:
            self._say("rate_limited", {"held_back": {kind: held}})
        if not passes:
            self._lose("rate limit")
        return passes

    def _targets(self) -> list[logging.Handler]:
        if self.target is not None:
            return [self.target]
        found = [handler for handler in logging.getLogger().handlers if not isinstance(handler, AuditHandler)]
        for handler in found:
            self._listen(handler)
        return found

    def _lose(self, reason: str) -> None:
        self.counters.add("lost", reason)
        with contextlib.suppress(RecursionError):
            report(f"{self._place()}, {reason}", "events are lost")  # a place of its own: no kind of loss hides another

    def _report(self, state: str) -> None:
        """Have the log itself say what became of its records: when the target fails, recovers, or is closed."""
        counts = self.counters.as_dict()
        self.counters.reported, self.counters.declared = counts["accepted"] + 1, counts["lost"]
        self._say("delivery_report", {"state": state, "handler": self.label, **counts})

    def _say(self, kind: str, fields: Mapping[str, object]) -> None:
        """Hand on an event of our own. What is counted in it does not include itself.

        One that tells of trouble passes whatever level the target has, and so does one of a stream, where it would be
        missing.
        """
        sealer = self._chain.sealer
        trouble = kind == "rate_limited" or fields["fallback"] or fields["lost"] or fields["state"] == "failing"
        level = logging.WARNING if trouble else logging.INFO
        record = logging.LogRecord("agentlogsafe", level, __file__, 0, "custom", None, None)
        event = self._chain.own_event({"kind": kind, **fields}, record)
        handed = records.event_record(record, event, {})
        if fields.get("state") == "failing":
            self._outlet.announce(handed)
        else:
            self._outlet.send(handed, any_level=bool(trouble or sealer is not None))
        if sealer is not None:
            for way in members(sealer.ways):  # to whoever else delivers the stream, it would be missing
                if way is not self:
                    way.send(event, last=False)

    def _counted(self) -> dict[str, int]:
        counters = self.counters
        return {
            "accepted": counters.accepted,
            "delivered": counters.delivered,
            "fallback": counters.fallback,
            "lost": counters.lost,
        }

    def counts(self) -> dict[str, int]:
        """Return what became of the records of the present stream of sealed events."""
        if self._relay is not None:
            self._relay.drain()
        return {name: number - self._before[name] for name, number in self._counted().items()}

    def send(self, event: Audited, *, last: bool) -> None:
        """Deliver an event of the library's own."""
        if last:
            self.counters.reported = self.counters.accepted + 1
        record = logging.LogRecord("agentlogsafe", logging.INFO, __file__, 0, "custom", None, None)
        self._outlet.send(records.event_record(record, event, {}), any_level=True)

    def _place(self) -> str:
        return f"handler {self.label!r}"

    def _warn_of_bare_handlers(self, seen: tuple[str, int]) -> None:
        """Warn of handlers that the raw records of a logger and level reach, the first time that there are some."""
        if len(self._seen) > _SEEN:
            return
        self._seen.add(seen)
        name, level = seen
        for owner, handler in bare_handlers(name, level):
            message = (
                f"raw records of logger {name!r} also reach {describe(handler)} of logger {owner!r}: wrap it "
                f"with AuditHandler, give it an AuditFormatter, or set propagate to false"
            )
            _warn_once(handler, self._chain.name(message))  # an application can put anything into a name

    def flush(self) -> None:
        """Wait for the queue, as long as its timeout allows, and flush the target."""
        if self._relay is not None:
            self._relay.drain()
        if self.target is not None:
            try:
                self.target.flush()
            except Exception as error:  # noqa: BLE001 -- flushing happens at exit too, where nobody can catch it
                report(self._place(), f"the target could not be flushed ({kind_of(error)})")

    def close(self) -> None:
        """Empty the queue, report what became of all records, and flush.

        The target stays known, so that a late record is not lost. Closing again does nothing, unless there were some.
        """
        if self._relay is not None:
            self._relay.close()
        if self._rate is not None:
            held = self._rate.held_back()
            if held:
                self._say("rate_limited", {"held_back": held})
        sealer = self._chain.sealer
        if sealer is not None and self in sealer.ways:
            self._chain.end_stream()
        elif self.counters.accepted > self.counters.reported:
            self._report("closed")
        self.flush()
        logging.Handler.close(self)
        settle()


_warned: weakref.WeakSet[logging.Handler] = weakref.WeakSet()


def _warn_once(handler: logging.Handler, message: str) -> None:
    if handler in _warned or not has_room(sys.stderr):
        return
    _warned.add(handler)
    try:
        warnings.warn(message, AgentLogSafeWarning, stacklevel=2)
    except Exception:  # noqa: BLE001 -- warnings are errors, or shown by a function that fails: a log call must not
        report("configuration", message)


def describe(handler: logging.Handler) -> str:
    """Return how to speak of a handler."""
    return f"handler {handler.name!r} ({type(handler).__name__})" if handler.name else f"a {type(handler).__name__}"


def bare_handlers(logger_name: str, level: int) -> Iterator[tuple[str, logging.Handler]]:
    """Yield (logger, handler) for each handler that the raw records of a logger reach."""
    logger: logging.Logger | None = logging.getLogger(logger_name)
    while logger is not None:
        for handler in logger.handlers:
            if not isinstance(handler, logging.NullHandler) and not audits(handler) and handler.level <= level:
                yield logger.name, handler
        logger = logger.parent if logger.propagate else None


def audits(handler: logging.Handler) -> bool:
    """Return whether what reaches *handler* leaves it redacted."""
    return isinstance(handler, AuditHandler) or isinstance(handler.formatter, AuditFormatter)
