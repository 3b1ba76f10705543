"""One handler's way out: to its target while that works, else to the fallback, else declared lost."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from agentlogsafe.delivery import Counters, deliver, report

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 30.0
_COSTLY = TimeoutError.__name__


class Outlet:
    """Delivers finished records, and knows how its target is.

    After a second failure in a row the target is left alone for a while, twice as long every time, provided that there
    is a fallback to take what comes meanwhile, or that the failure is a timeout, for which each call would wait. A
    change for worse or better is reported through `changed`.

    Args:
        targets: returns the handlers to deliver to.
        fallback: takes what they do not.
        counters: where every record is counted, once.
        changed: called with ``failing`` or ``recovered``.
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
        self._failures = 0
        self._reason = ""
        self._probe_at = 0.0
        self._hangs = False

    def send(self, record: logging.LogRecord, held: list[logging.LogRecord] | None = None) -> None:
        """Deliver one record. Never raises.

        Args:
            record: what to deliver.
            held: has the record in it, until it is delivered, or given up by another thread.
        """
        if self._hangs and held is None:
            self.keep(record, "target hangs")
            return
        if self._failures > 1 and time.monotonic() < self._probe_at and self._spares():
            self.keep(record, self._reason)
            return
        failure: str | None = None
        targets = self._targets()
        for target in targets:
            failure = deliver(target, record) or failure
        if not targets:
            failure = "no target"
        if held is not None:
            try:
                held.pop()
            except IndexError:  # it took too long, and the fallback has the record
                self._hangs = False
                return
        if failure is None:
            self._counters.add_delivered()
            if self._failures:
                self._failures = 0
                self._changed("recovered")
            return
        self._failures += 1
        self._reason = failure
        self._probe_at = time.monotonic() + min(_FIRST_PAUSE * 2.0 ** min(self._failures, 20), _LONGEST_PAUSE)
        self.keep(record, failure)
        if self._failures == 1 and self._fallback is not None:
            self._changed("failing")  # without a fallback there is no place to say so, but stderr

    def _spares(self) -> bool:
        return self._fallback is not None or self._reason == _COSTLY

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

    def keep(self, record: logging.LogRecord, reason: str) -> None:
        """Give to the fallback what no target took, or count it as lost; and say so, once a minute. Never raises."""
        event_id = getattr(record, "event_id", None)
        place = f"handler {self._counters.label()!r}"
        failure = "no fallback" if self._fallback is None else deliver(self._fallback, record)
        if failure is None:
            self._counters.add("fallback", reason)
            report(place, f"the target failed ({reason}); events go to the fallback", event_id=event_id)
        else:
            self._counters.add("lost", reason)
            report(place, f"the target failed ({reason}), {failure}; events are lost", event_id=event_id)
