"""Handing records on: hearing of a target's failures, the fallback, and the counts.

``accepted = delivered + fallback + lost`` holds for every handler at any time between calls.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

from structlog import DropEvent

from agentlogsafe._bounds import has_room, heard
from agentlogsafe._targets import ends, escape, locked, members
from agentlogsafe._turns import Turns
from agentlogsafe.redaction import redact
from agentlogsafe.redaction.plain import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable

_REPORT_EVERY = 60.0
_FORK_PATIENCE = 5.0  # as long as a log call waits for a target


class AgentLogSafeWarning(UserWarning):
    """Something about the logging configuration lets raw records through."""


class Counters:
    """What became of the records that one handler accepted, and how many there were at its last report."""

    __slots__ = (
        *("__weakref__", "_lock", "declared", "delivered", "fallback", "label", "lost", "reasons", "reported", "turns"),
        "waiting",
    )

    def __init__(self, label: Callable[[], str]) -> None:
        self.label = label  # asked for late: dictConfig names a handler after it has made it
        self.waiting: Callable[[], int] = int
        self.delivered = self.fallback = self.lost = 0
        self.reasons: dict[str, int] = {}
        self.reported = self.declared = 0  # all records, and those lost, that the last report told of
        self._lock = threading.RLock()  # a signal's handler can log in the middle of what follows, in the same thread
        self.turns = Turns()
        _counters.add(self)

    @property
    def accepted(self) -> int:
        """The sum, and no number of its own: a signal's exception between two additions would part them."""
        return self.delivered + self.fallback + self.lost

    def add_delivered(self) -> None:
        """Count one record that its target took: the common case, at half the cost."""
        with self._lock:
            self.delivered += 1

    def add(self, outcome: str, reason: str | None = None) -> None:
        """Count one accepted record and its *outcome*: ``delivered``, ``fallback`` or ``lost``."""
        with self._lock:
            # No call between reading and writing: that is where signals are handled.
            if outcome == "lost":
                self.lost += 1
            elif outcome == "fallback":
                self.fallback += 1
            else:
                self.delivered += 1
            if reason is not None:
                self.reasons[reason] = self.reasons.get(reason, 0) + 1

    def renew(self) -> None:
        """Begin anew in a forked child: what was counted is the parent's, and the locks' holders did not come along."""
        self._lock, self.turns = threading.RLock(), Turns()
        self.delivered = self.fallback = self.lost = self.reported = self.declared = 0
        self.reasons = {}

    def as_dict(self) -> dict[str, Any]:
        """Return the counts, and why records did not reach the target."""
        with self._lock:
            counts = {name: getattr(self, name) for name in ("accepted", "delivered", "fallback", "lost")}
            return {**counts, "queued": self.waiting(), "reasons": dict(self.reasons)}


_counters: weakref.WeakSet[Counters] = weakref.WeakSet()


def stats() -> dict[str, dict[str, Any]]:
    """Return the counts of every `AuditHandler` of this process, by handler name.

    ``accepted`` = ``delivered`` + ``fallback`` + ``lost``; ``reasons`` counts by exception or cause what did not
    reach its target. What waits in a queue is ``queued`` and not accepted yet.
    """
    found: dict[str, dict[str, Any]] = {}
    for counters in sorted(members(_counters), key=lambda item: item.label()):
        name, number = counters.label(), 2
        while name in found:
            name, number = f"{counters.label()}#{number}", number + 1
        found[name] = counters.as_dict()
    return found


_held = threading.local()


def _before_fork() -> None:
    """Fork while no thread writes: the lock inside a file's buffer would stay locked in the child, for ever.

    logging renews its own locks in the child, but not those below it (https://github.com/python/cpython/issues/90391).
    A target that hangs delays a fork by five seconds at most.
    """
    _held.locks = locked(_FORK_PATIENCE)


def _release_after_fork() -> None:
    for lock in _held.__dict__.pop("locks", ()):
        with contextlib.suppress(RuntimeError):  # in the child, logging has renewed it before
            lock.release()


def _renew_after_fork() -> None:
    global _report_lock  # noqa: PLW0603
    _report_lock = threading.RLock()
    for counters in members(_counters):
        counters.renew()
    _release_after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_release_after_fork, after_in_child=_renew_after_fork)

_report_lock = threading.RLock()
_reported: dict[str, float] = {}


def report(where: str, what: str, *, event_id: str | None = None) -> None:
    """Say on stderr that something failed, at most once a minute per place. Never raises, never shows data."""
    try:
        now = time.monotonic()
        with _report_lock:
            if now - _reported.get(where, -_REPORT_EVERY) < _REPORT_EVERY:
                return
            _reported[where] = now
        event = f" (event {event_id})" if event_id else ""
        if sys.stderr is not None and has_room(sys.stderr) and not ends():
            sys.stderr.write(f"agentlogsafe: {redact(where)}: {what}{event}\n")  # a handler's name can be anything
    except Exception:  # noqa: BLE001, S110 -- stderr may be closed; there is nowhere left to say so
        pass


def deliver(handler: logging.Handler, record: logging.LogRecord) -> str | None:
    """Give *record* to *handler*; return None, or the name of the exception that kept it from being written.

    Its filters apply, its level is for the caller to look at. Exceptions stay here.
    """
    hearing = heard.__dict__  # of this thread; a thread-local attribute costs three times a dict's
    outer = hearing.get("active")
    hearing["active"], hearing["error"] = handler, None
    try:
        handler.handle(record)
        error: BaseException | None = hearing["error"]
    except DropEvent:  # a BaseException; a processor of the target's formatter chose to drop this one
        error = None
    except Exception as raised:  # noqa: BLE001 -- a target may raise anything; the application must not see it
        error = raised
    finally:
        hearing["active"] = outer
        hearing["error"] = None
    if error is None:
        return None
    if type(error) is UnicodeEncodeError and isinstance(handler, logging.StreamHandler) and escape(handler):
        return deliver(handler, record)  # the stream has taken nothing of the line
    return kind_of(error)
