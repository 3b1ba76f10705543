"""Delivery off the hot path: a bounded queue and the thread that empties it."""

from __future__ import annotations

import asyncio
import atexit
import logging
import logging.handlers
import os
import queue
import threading
import time
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from agentlogsafe._bounds import be_patient
from agentlogsafe._ends import at_end_of_child
from agentlogsafe._targets import members
from agentlogsafe.errors import ConfigurationError, check_choice, check_keys, check_type

if TYPE_CHECKING:
    from agentlogsafe.outlet import Outlet

_BLOCK = 1.0
_LONGEST_WAIT = 86_400  # a day; a lock does not wait for much more than a year on some systems, and never for ever


@dataclass(frozen=True)
class QueueSettings:
    """How many records may wait, what becomes of more, and how long a shutdown may take.

    Args:
        size: records that may wait.
        overflow: ``block`` waits up to a second for room, except inside an event loop, and then does as
            ``fallback``, which hands the record to the fallback; ``drop`` counts it as lost. When a second was in vain,
            nothing waits again until the target has taken something.
        timeout: seconds that flushing and closing may take.
    """

    size: int = 10_000
    overflow: str = "block"
    timeout: float = 5.0

    @classmethod
    def load(cls, source: object) -> QueueSettings | None:
        """Return the settings in a mapping; ``true`` stands for the defaults, false or nothing for no queue.

        Raises:
            ConfigurationError: for an unknown name or an unfit value.
        """
        if source is None or source is False:
            return None
        if source is True:
            return cls()
        check_type("queue", source, Mapping, "a mapping such as {'size': 10000}, or true")
        given: dict[str, Any] = dict(source)  # type: ignore[call-overload]
        check_keys("queue", given, (item.name for item in fields(cls)))
        check_choice("queue.overflow", given.get("overflow", "block"), ("block", "fallback", "drop"))
        made = cls(**given)
        if type(made.size) is not int or made.size < 1:
            msg = f"queue.size: expected a positive integer, got {made.size!r}"
            raise ConfigurationError(msg)
        if type(made.timeout) not in (int, float) or not 0 < made.timeout <= _LONGEST_WAIT:
            msg = f"queue.timeout: expected a number of seconds up to {_LONGEST_WAIT}, got {made.timeout!r}"
            raise ConfigurationError(msg)
        return made


class Relay(logging.handlers.QueueListener):
    """The queue in front of an `Outlet`, and the thread behind it.

    The thread starts with the first record, also the first after a fork: the child has neither the parent's thread nor
    its records, which are the parent's to deliver.

    A SimpleQueue takes a record without a lock of Python's: one that a signal handler or a destructor logs, in the
    middle of any of this, cannot wait for itself. It has no size of its own; checked before, ours can be passed by as
    many records as there are threads.
    """

    def __init__(self, outlet: Outlet, settings: QueueSettings, lose: Any) -> None:
        super().__init__(queue.SimpleQueue())
        self._outlet, self._settings, self._lose = outlet, settings, lose
        self._start_lock = threading.RLock()
        self._closed = False
        self._held: list[logging.LogRecord] = []  # what the thread is delivering
        self._moves = True
        _relays.add(self)

    def put(self, record: logging.LogRecord) -> None:
        """Queue one record, or do with it what ``overflow`` says. Never raises, never waits without bound."""
        if self._closed:
            self._outlet.send(record)
            return
        if self._thread is None:
            self._begin()
        waiting: queue.SimpleQueue[Any] = self.queue  # type: ignore[assignment]
        if waiting.qsize() >= self._settings.size and not self._has_room():
            if self._settings.overflow == "drop":
                self._lose("queue full")
            else:
                self._outlet.keep(record, "queue full")
            return
        waiting.put(record)
        if self._closed:  # by another thread, meanwhile
            self._empty()  # type: ignore[unreachable]

    def _has_room(self) -> bool:
        """Wait for room as the settings say; return whether there is some."""
        if self._settings.overflow != "block" or not self._moves or _in_event_loop():
            return False
        deadline = time.monotonic() + _BLOCK
        while self.waiting() >= self._settings.size:
            if time.monotonic() > deadline:
                self._moves = False
                return False
            time.sleep(0.001)
        return True

    def _begin(self) -> None:
        with self._start_lock:
            if self._thread is not None:
                return
            self.start()
        at_end_of_child(_close_all, -10)

    def handle(self, record: logging.LogRecord | threading.Event) -> None:
        """Deliver one record; nothing that happens there ends the thread."""
        if isinstance(record, threading.Event):  # all that came before is delivered
            record.set()
            return
        be_patient()
        held = self._held
        held.append(record)
        try:
            self._outlet.send(record, held)
        except BaseException as error:  # noqa: BLE001 -- as said, not even a SystemExit
            if held:
                held.clear()
                self._outlet.keep(record, type(error).__name__)
        self._moves = True

    def waiting(self) -> int:
        """Return how many records wait."""
        waiting: queue.SimpleQueue[Any] = self.queue  # type: ignore[assignment]
        return waiting.qsize()

    def drain(self) -> bool:
        """Wait until all is delivered, as long as the settings allow; return whether it is."""
        thread = self._thread
        if self._closed or thread is None or not thread.is_alive() or thread is threading.current_thread():
            return not self._held and not self.waiting()
        done = threading.Event()
        self.queue.put_nowait(done)
        return done.wait(self._settings.timeout)

    def close(self) -> None:
        """End the thread; what it could not deliver in time goes to the fallback. Later records go straight out."""
        if self._closed:
            return
        done = self.drain()
        self._closed = True
        with self._start_lock:  # a thread that another one is about to start cannot be joined yet
            thread = self._thread
        if done and thread is not None and thread.is_alive():
            self.enqueue_sentinel()
            thread.join(self._settings.timeout)  # `stop` would wait without end
        self._outlet.give_up(self._held)
        self._empty()

    def _empty(self) -> None:
        waiting: queue.SimpleQueue[Any] = self.queue  # type: ignore[assignment]
        while True:
            try:
                record = waiting.get_nowait()
            except queue.Empty:
                return
            if isinstance(record, logging.LogRecord):
                self._outlet.keep(record, "shutdown timeout")

    def renew(self) -> None:
        """Begin anew in a forked child."""
        self.queue = queue.SimpleQueue()
        self._thread = None
        self._held = []
        self._start_lock = threading.RLock()


def _in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


_relays: weakref.WeakSet[Relay] = weakref.WeakSet()


def _close_all() -> None:
    """Empty the queues before `logging.shutdown` asks for the lock of a target that hangs."""
    for relay in members(_relays):
        relay.close()


atexit.register(_close_all)


def _renew_after_fork() -> None:
    for relay in members(_relays):
        relay.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_after_fork)
