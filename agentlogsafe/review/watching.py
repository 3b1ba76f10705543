"""`agentlogsafe watch`: what is wrong with a growing file, said as it happens."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from agentlogsafe._timeline import milliseconds
from agentlogsafe.review import lines
from agentlogsafe.review.follow import Appended, Follower
from agentlogsafe.review.keyring import Keyring
from agentlogsafe.review.living import Runs, Seen, Sinks, Streams
from agentlogsafe.review.tables import Finding

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

_PAUSE = 0.2


class Watch:
    """Follows files and finds what is wrong with what is appended.

    Args:
        paths: the files; they need not be there yet.
        overdue: seconds after which an open run or call is reported.
        masters: first keys, to verify keyed streams with.
    """

    def __init__(self, paths: Iterable[Path], *, overdue: float, masters: Iterable[bytes] = ()) -> None:
        self._followers = [Follower(path) for path in paths]
        self._readers: dict[tuple[int, str], lines.Reader] = {}
        self._streams = Streams(Keyring(masters))
        self._runs = Runs(overdue)
        self._sinks = Sinks()
        self.events = 0
        self.failure: Callable[[str], None] = lambda _: None
        self._failed: set[str] = set()

    def poll(self, now: float | None = None) -> Iterator[Finding]:
        """Yield what is to be said of what was appended, and of the time that has passed.

        Args:
            now: the time in seconds since the epoch, where it is not the present.
        """
        for number, follower in enumerate(self._followers):
            path = str(follower.path)
            try:
                for appended in follower.poll():
                    yield from self._line(number, appended, time.time() if now is None else now)
            except OSError as error:
                if path not in self._failed:
                    self._failed.add(path)
                    self.failure(f"{path!r} cannot be read: {error.strerror or type(error).__name__}")
            else:
                self._failed.discard(path)
        present = time.time() if now is None else now
        yield from self._streams.tick(present)
        yield from self._runs.tick(present)

    def follow(self, stop: threading.Event, until: float | None = None) -> Iterator[Finding]:
        """Poll until *stop* is set, or until *until*, a time of `time.monotonic`."""
        while True:
            yield from self.poll()
            left = _PAUSE if until is None else min(_PAUSE, until - time.monotonic())
            if left <= 0 or stop.wait(left):
                return

    def _line(self, number: int, appended: Appended, now: float) -> Iterator[Finding]:
        # One reader for each file: a container runtime's long lines come in parts.
        key = (number, appended.file)
        if appended.number == 1 or key not in self._readers:
            self._readers[key] = lines.Reader()
        raw = appended.raw + b"\n" if appended.whole else appended.raw
        for line in self._readers[key].lines(appended.number, raw):
            if line.event is not None:
                self.events += 1
                yield from self._event(line.event, appended.file, line.number, now)
            elif line.kind != "foreign":
                yield Finding(
                    kind=line.kind or "malformed", severity="warning", certainty="certain", stream=None, run_id=None,
                    event_id=None, file=appended.file, line=line.number, seq=None, affected=1, seen=line.reason,
                    expected="a whole event",
                )  # fmt: skip

    def _event(self, event: dict[str, object], file: str, number: int, now: float) -> Iterator[Finding]:
        at = milliseconds(event.get("timestamp"))
        seen = Seen(event, file, number, None if at is None else at / 1000)
        yield from self._streams.feed(seen, now)
        yield from self._sinks.feed(seen)
        self._runs.feed(seen, now)

    def close(self) -> None:
        """Close the files."""
        for follower in self._followers:
            with contextlib.suppress(OSError):
                follower.close()
