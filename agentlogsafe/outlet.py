"""One handler's way out: to its target while that works, else to the fallback, else declared lost."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeAlias

from agentlogsafe.delivery import Counters, deliver, report
from agentlogsafe.fallback import MISSED, FallbackFile, name_of

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Sequence

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 30.0
_COSTLY = TimeoutError.__name__
_NO_TARGET = "no target"
_DECLARE_EVERY = 60.0

_Missed: TypeAlias = "tuple[logging.Handler | None, str, bool]"
"""A target, why it did not get a record, and whether it was tried."""


class _Illness:
    """How often in a row a target has failed, why, and when it is tried again."""

    __slots__ = ("failures", "reason", "target", "until")

    def __init__(self, target: logging.Handler | None) -> None:
        self.target = target  # held, so that its id is nobody else's
        self.failures, self.reason, self.until = 0, "", 0.0

    def worsen(self, reason: str) -> None:
        """Note one more failure: from the second one on, the target is left alone twice as long every time."""
        self.failures += 1
        self.reason = reason
        self.until = time.monotonic() + min(_FIRST_PAUSE * 2.0 ** min(self.failures, 20), _LONGEST_PAUSE)


class Outlet:
    """Delivers finished records, and knows how its targets are, each by itself.

    After a second failure in a row a target is left alone for a while, twice as long every time, provided that there
    is a fallback to take what comes meanwhile, or that the failure is a timeout, for which each call would wait. A
    record that one of several targets does not get is for the fallback, which notes the names of those that miss it.
    A change for worse or better is reported through `changed`.

    Args:
        targets: returns the handlers to deliver to.
        fallback: takes what they do not.
        counters: where every record is counted, once.
        changed: called with ``failing``, ``recovered``, or ``losing`` where records were lost in other ways.
    """

    def __init__(
        self,
        targets: Callable[[], list[logging.Handler]],
        fallback: logging.Handler | None,
        counters: Counters,
        changed: Callable[[str], None],
    ) -> None:
        self._targets = targets
        self._fallback = fallback
        self._counters = counters
        self._changed = changed
        self._ill: dict[int, _Illness] = {}
        self._declared_at = -_DECLARE_EVERY
        self._hangs = False

    def send(
        self, record: logging.LogRecord, held: list[logging.LogRecord] | None = None, *, any_level: bool = False
    ) -> None:
        """Deliver one record. Never raises.

        Args:
            record: what to deliver.
            held: has the record in it, until it is delivered, or given up by another thread.
            any_level: whether the levels of the targets do not matter.
        """
        if self._hangs and held is None:
            self.keep(record, "target hangs")
            return
        ill = self._ill
        missed: list[_Missed] = []
        targets = self._targets()
        for target in targets:
            state = ill.get(id(target)) if ill else None
            if state is not None and self._rests(state):
                missed.append((target, state.reason, False))
            elif (any_level or record.levelno >= target.level) and (failure := deliver(target, record)) is not None:
                missed.append((target, failure, True))
        if held is not None:
            try:
                held.pop()
            except IndexError:  # it took too long, and the fallback has the record
                self._hangs = False
                return
        if missed or not targets:
            self._failed(record, targets, missed or [(None, _NO_TARGET, True)])
            return
        self._counters.add_delivered()
        if ill:
            ill.clear()
            self._changed("recovered")
        elif self._counters.lost != self._counters.declared:
            self._declare()

    def _rests(self, state: _Illness) -> bool:
        """Return whether a target is left alone."""
        spares = self._fallback is not None or state.reason == _COSTLY
        return state.failures > 1 and spares and time.monotonic() < state.until

    def _failed(self, record: logging.LogRecord, targets: list[logging.Handler], missed: list[_Missed]) -> None:
        ill = self._ill
        begun = False
        for target, failure, tried in missed:
            if tried:
                state = ill.setdefault(id(target), _Illness(target))
                state.worsen(failure)
                begun = begun or state.failures == 1
        still = {id(target) for target, _, _ in missed}
        better = [target for target in targets if id(target) not in still and id(target) in ill]
        for key in [key for key in ill if key not in still]:
            ill.pop(key, None)
        several = [target for target, _, _ in missed if target is not None] if len(targets) > 1 else []
        self.keep(record, missed[0][1], several)
        if begun and self._fallback is not None:
            self._changed("failing")  # without a fallback there is no place to say so, but stderr
        if better:
            self._changed("recovered")

    def _declare(self) -> None:
        """Have the log itself tell of losses that no report has told of yet: at once, and then once a minute."""
        now = time.monotonic()
        if now - self._declared_at >= _DECLARE_EVERY:
            self._declared_at = now
            self._changed("losing")

    def give_up(self, held: list[logging.LogRecord]) -> None:
        """Take the record away from the thread that hangs in `send` with it, and leave the target alone meanwhile.

        The record may reach the target still, and is in the fallback then, too.
        """
        try:
            record = held.pop()
        except IndexError:
            return
        self._hangs = True
        for target in self._targets():
            # The thread that hangs has the target's lock, and logging.shutdown asks for it.
            target.createLock()
        self.keep(record, "target hangs")

    def announce(self, record: logging.LogRecord) -> None:
        """Give a report of failing to the fallback, and to the targets that are well. Never raises."""
        targets = self._targets()
        ill = self._ill
        missed = [item for item in targets if id(item) in ill or deliver(item, record) is not None]
        self.keep(record, "target failing", missed if len(targets) > 1 else ())

    def keep(self, record: logging.LogRecord, reason: str, missed: Sequence[logging.Handler] = ()) -> None:
        """Give to the fallback what no target took, or count it as lost; and say so, once a minute. Never raises.

        Args:
            record: what was not taken.
            reason: why.
            missed: by whom, where others have taken it.
        """
        if missed and type(self._fallback) is FallbackFile:
            record.__dict__[MISSED] = [name_of(target) for target in missed]
        event_id = getattr(record, "event_id", None)
        place = f"handler {self._counters.label()!r}"
        failure = "no fallback" if self._fallback is None else deliver(self._fallback, record)
        if failure is None:
            self._counters.add("fallback", reason)
            report(place, f"the target failed ({reason}); events go to the fallback", event_id=event_id)
        else:
            self._counters.add("lost", reason)
            report(place, f"the target failed ({reason}), {failure}; events are lost", event_id=event_id)
