"""Streams and runs as they grow: what can be said of them before they end. One event at a time, in bounded memory."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, NamedTuple

from agentlogsafe.review.pairs import ANSWERS, CALLS, REQUESTED
from agentlogsafe.review.tables import Finding
from agentlogsafe.seal import event_hash

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agentlogsafe.review.keyring import Keyring

_STREAMS = 10_000
_RUNS = 100_000
_CALLS_A_RUN = 1_000
_RECENT = 1_000
PATIENCE = 5.0
"""Seconds that a missing event may take to arrive: threads, processes and shippers write out of order."""


class Seen(NamedTuple):
    """An event, and where and when it was: its file and line, its time in seconds since the epoch."""

    event: Mapping[str, Any]
    file: str
    line: int
    time: float | None

    def text(self, name: str) -> str | None:
        """Return a field of the event, None where it is no text."""
        value = self.event.get(name)
        return value if isinstance(value, str) else None

    def finding(self, kind: str, severity: str, certainty: str, seen: str, expected: str, **other: Any) -> Finding:
        """Return a finding at this place."""
        seal = self.event.get("seal")
        seal = seal if isinstance(seal, dict) else {}
        given = {
            "stream": seal.get("stream"),
            "seq": seal.get("seq"),
            "run_id": self.text("run_id"),
            "event_id": self.text("event_id"),
            "file": self.file,
            "line": self.line,
            "affected": 1,
            "ts": None if self.time is None else round(self.time * 1_000_000),
            "agent_name": self.text("agent_name"),
            "workflow_name": self.text("workflow_name"),
            **other,
        }
        return Finding(kind=kind, severity=severity, certainty=certainty, seen=seen, expected=expected, **given)


class _Stream:
    """How far one stream has come."""

    __slots__ = ("ahead", "closed", "first", "hash", "late", "missed", "recent", "since", "unknown", "want")

    def __init__(self, seq: int) -> None:
        self.want = self.first = seq
        self.hash: str | None = None  # of the event before the wanted one
        self.ahead: dict[int, Seen] = {}  # events that came before the wanted one
        self.since: float | None = None  # since when the wanted one is waited for
        self.missed: OrderedDict[int, None] = OrderedDict()  # reported as missing
        self.recent: OrderedDict[int, str] = OrderedDict()
        self.closed = self.late = self.unknown = False


class Streams:
    """Holds each event's seal against the one before.

    Args:
        keys: what keyed streams are verified with; without their key, they are held together by ``prev`` alone.
    """

    def __init__(self, keys: Keyring) -> None:
        self._keys = keys
        self._streams: OrderedDict[str, _Stream] = OrderedDict()

    def feed(self, seen: Seen, now: float) -> Iterator[Finding]:
        """Yield what is wrong with the seal of an event."""
        seal = seen.event.get("seal")
        if not isinstance(seal, dict):
            return
        name, seq, mark = seal.get("stream"), seal.get("seq"), seal.get("hash")
        if type(name) is not str or type(seq) is not int or type(mark) is not str or seq < 1:
            yield seen.finding("malformed", "error", "certain", "a seal without stream, seq or hash", "a whole seal")
            return
        stream = self._streams.get(name)
        if stream is None:
            stream = self._streams[name] = _Stream(seq)
            if len(self._streams) > _STREAMS:
                self._streams.popitem(last=False)
        self._streams.move_to_end(name)
        yield from self._verified(stream, seen, seal)
        if stream.closed:
            yield seen.finding("after_end", "error", "certain", "an event after the stream's close", "no more events")
        if seq < stream.first and seq not in stream.recent:
            # The first one read was not the first one written; nothing is known of those before it.
            _kept(stream.recent, seq, mark, _RECENT)
            yield from _late(stream, seen, f"event {seq} came after event {stream.first}")
        elif seq < stream.want:
            yield from _again(stream, seen, seq, mark)
        elif seq > stream.want:
            stream.ahead[seq] = seen
            stream.since = now if stream.since is None else stream.since
            if len(stream.ahead) >= _RECENT:
                yield from _skip(stream)
        else:
            if stream.ahead:
                yield from _late(stream, seen, f"event {seq} came after event {min(stream.ahead)}")
            yield from _next(stream, seen)
            yield from _caught_up(stream)

    def tick(self, now: float) -> Iterator[Finding]:
        """Yield the gaps that have been waited for long enough."""
        for stream in self._streams.values():
            while stream.since is not None and now - stream.since >= PATIENCE:
                yield from _skip(stream)

    def _verified(self, stream: _Stream, seen: Seen, seal: dict[str, Any]) -> Iterator[Finding]:
        name, key = seal.get("key"), None
        begun = seal.get("stream_open")
        parent = begun.get("parent") if isinstance(begun, dict) else None
        if isinstance(parent, dict) and type(parent.get("stream")) is str and type(parent.get("seq")) is int:
            self._keys.forks.setdefault(seal["stream"], (parent["stream"], parent["seq"]))
        if name is not None:
            if name not in self._keys:
                if self._keys and not stream.unknown:
                    stream.unknown = True
                    text = f"sealed with the key {name}, which was not given"
                    yield seen.finding("unknown_key", "warning", "certain", text, "one of the given keys")
                return
            key = self._keys.key(name, seal["stream"], seal["seq"])
            if key is None:
                return
        if event_hash(seen.event, key) != seal["hash"]:
            text = "its hash does not fit its content" + ("" if name else "; the chain has no key")
            yield seen.finding("modified", "error", "certain", text, "the hash that was sealed")


def _late(stream: _Stream, seen: Seen, text: str) -> Iterator[Finding]:
    """Say, once for each stream, that its events do not come in their order."""
    if not stream.late:
        stream.late = True
        yield seen.finding("reordered", "info", "certain", text, "events in the order of seq")


def _next(stream: _Stream, seen: Seen) -> Iterator[Finding]:
    """Take the wanted event."""
    seal = seen.event["seal"]
    if stream.hash is not None and seal.get("prev") != stream.hash:
        text = "its prev is not the hash of the event before"
        yield seen.finding("modified", "error", "certain", text, "the events as they were chained")
    stream.want = seal["seq"] + 1
    stream.hash = seal["hash"]
    _kept(stream.recent, seal["seq"], seal["hash"], _RECENT)
    if "stream_close" in seal:
        stream.closed = True
        counts = seal["stream_close"]
        lost = counts.get("lost") if isinstance(counts, dict) else None
        if type(lost) is int and lost > 0:
            text = f"the stream's close declares {lost} lost"
            yield seen.finding("loss_declared", "warning", "certain", text, "nothing lost", affected=lost)


def _caught_up(stream: _Stream) -> Iterator[Finding]:
    """Take those that came too early and are wanted now."""
    while stream.want in stream.ahead:
        yield from _next(stream, stream.ahead.pop(stream.want))
    if not stream.ahead:
        stream.since = None


def _skip(stream: _Stream) -> Iterator[Finding]:
    """Give up what is missing before the next event that is there."""
    first = min(stream.ahead)
    missing = first - stream.want
    text = f"event {stream.want} is missing" if missing == 1 else f"events {stream.want} to {first - 1} are missing"
    yield stream.ahead[first].finding("gap", "error", "certain", text, "seq without gaps", affected=missing)
    for seq in range(max(stream.want, first - _RECENT), first):
        stream.missed[seq] = None
    while len(stream.missed) > _RECENT:
        stream.missed.popitem(last=False)
    stream.want, stream.hash = first, None
    yield from _caught_up(stream)


def _again(stream: _Stream, seen: Seen, seq: int, mark: str) -> Iterator[Finding]:
    """Judge an event whose turn is over."""
    if seq in stream.missed:
        del stream.missed[seq]
        text = f"event {seq} came late; it had been reported as missing"
        yield seen.finding("reordered", "info", "certain", text, "events in the order of seq")
    elif stream.recent.get(seq, mark) == mark:
        sure = "certain" if seq in stream.recent else "likely"
        yield seen.finding("duplicate", "warning", sure, f"event {seq} of the stream is here again", "each event once")
    else:
        text = f"another event {seq} of the stream"
        yield seen.finding("modified", "error", "certain", text, "one event for each seq")


class _Run:
    """A run that has not ended, with its calls that have no answer, and answers whose call has not come yet."""

    __slots__ = ("calls", "early", "ended", "how", "overdue", "start")

    def __init__(self) -> None:
        self.start: Seen | None = None
        self.overdue = False
        self.ended: float | None = None  # when its end was read
        self.how: str | None = None
        self.calls: OrderedDict[str, tuple[str, Seen]] = OrderedDict()
        self.early: OrderedDict[tuple[str, str], None] = OrderedDict()


class Runs:
    """Knows which runs and calls are open.

    Args:
        overdue: seconds after which an open one is reported.
    """

    def __init__(self, overdue: float) -> None:
        self._overdue = overdue
        self._runs: OrderedDict[str, _Run] = OrderedDict()

    def feed(self, seen: Seen, now: float) -> None:
        """Take an event."""
        kind, run_id = seen.text("event_type"), seen.text("run_id")
        if kind is None or run_id is None:
            return
        run = self._runs.get(run_id)
        if run is None:
            run = self._runs[run_id] = _Run()
            if len(self._runs) > _RUNS:
                self._runs.popitem(last=False)
        if kind == "run_start":
            if run.start is not None:  # entered again, with the same id
                run.ended = None
            run.start, run.overdue = seen, False
        elif kind == "run_end":
            run.ended, run.how = now, str(seen.text("status"))
        elif kind in CALLS:
            self._call(run, CALLS[kind], seen)
        elif kind in ANSWERS:
            _answer(run, ANSWERS[kind], seen)
        elif kind == "human_approval":
            if seen.text("status") in REQUESTED:
                self._call(run, "approval", seen)
            else:
                _answer(run, "approval", seen)

    def _call(self, run: _Run, family: str, seen: Seen) -> None:
        event_id, call_id = seen.text("event_id"), seen.text("tool_call_id")
        if event_id is None:
            return
        for link in (event_id, call_id):
            if link is not None and (family, link) in run.early:
                del run.early[family, link]
                return
        _kept(run.calls, event_id, (family, seen), _CALLS_A_RUN)

    def tick(self, now: float) -> Iterator[Finding]:
        """Yield the runs and calls that are overdue, and the calls that have none to wait for; each once."""
        done = []
        for run_id, run in self._runs.items():
            if run.ended is not None and (not run.calls or now - run.ended >= PATIENCE):
                done.append(run_id)
                how = f"its run ended with the status {run.how}"
                yield from (_unanswered(family, call, how, "likely") for family, call in run.calls.values())
                continue
            if run.start is not None and run.ended is None:
                open_for = _age(run.start, now)
                if open_for >= self._overdue and not run.overdue:
                    run.overdue = True
                    text = f"no run_end since {_span(open_for)}"
                    yield run.start.finding("run_overdue", "warning", "possible", text, "a run_end of this run")
            late = [key for key, (_, call) in run.calls.items() if _age(call, now) >= self._overdue]
            for key in late:
                family, call = run.calls.pop(key)
                yield _unanswered(family, call, f"for {_span(_age(call, now))}", "possible")
        for run_id in done:
            del self._runs[run_id]


def _kept(where: OrderedDict[Any, Any], key: object, value: object, most: int) -> None:
    """Keep something, and let the oldest go where there are too many."""
    where[key] = value
    if len(where) > most:
        where.popitem(last=False)


def _answer(run: _Run, family: str, seen: Seen) -> None:
    """Take the call that an answer belongs to, by the same links as in `pairs`."""
    parent, call_id = seen.text("parent_event_id"), seen.text("tool_call_id")
    if parent is not None and parent in run.calls:
        kind, call = run.calls[parent]
        if kind == family and _fits(call, seen):
            del run.calls[parent]
            return
    for key in reversed(run.calls):
        kind, call = run.calls[key]
        if kind == family and _fits(call, seen) and (call_id is None or call.text("tool_call_id") == call_id):
            del run.calls[key]
            return
    for link in (parent, call_id):
        if link is not None:
            _kept(run.early, (family, link), None, _RECENT)


def _fits(call: Seen, answer: Seen) -> bool:
    """Return whether the two do not speak of different tools or calls."""
    for name in ("tool_name", "tool_call_id"):
        given, other = call.text(name), answer.text(name)
        if given is not None and other is not None and given != other:
            return False
    return True


def _unanswered(family: str, call: Seen, how: str, certainty: str) -> Finding:
    if family == "approval":
        text = f"asked for, and neither given nor refused; {how}"
        return call.finding("approval_pending", "warning", certainty, text, "a human_approval that answers")
    tool = call.text("tool_name")
    text = f"{call.text('event_type')}{f' of {tool}' if tool else ''} has no result; {how}"
    return call.finding("call_unanswered", "warning", certainty, text, "its result")


def _age(seen: Seen, now: float) -> float:
    return 0.0 if seen.time is None else now - seen.time


def _span(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f}".removesuffix(".0") + f" {unit}"
    return f"{seconds:.0f} s"


class Sinks:
    """Hears what handlers report of their delivery."""

    def __init__(self) -> None:
        self._lost: OrderedDict[tuple[object, ...], int] = OrderedDict()

    def feed(self, seen: Seen) -> Iterator[Finding]:
        """Yield what a delivery report says of a failure or a loss."""
        payload = seen.event.get("payload")
        if not isinstance(payload, dict) or payload.get("kind") != "delivery_report":
            return
        state, handler, lost = payload.get("state"), str(payload.get("handler")), payload.get("lost")
        if state == "failing":
            text = f"handler {handler!r} fails; events go to its fallback"
            yield seen.finding("sink_failing", "error", "certain", text, "delivery to its target")
        elif state == "recovered":
            text = f"handler {handler!r} works again; {payload.get('fallback')} events are in its fallback"
            yield seen.finding("sink_failing", "info", "certain", text, "delivery to its target")
        if type(lost) is int and lost > 0:
            seal = seen.event.get("seal")
            source = (handler, seal.get("stream") if isinstance(seal, dict) else None)
            before = self._lost.get(source, 0)
            _kept(self._lost, source, lost, _STREAMS)
            if lost != before:
                text = f"handler {handler!r} declares {lost} lost so far"
                yield seen.finding("loss_declared", "error", "certain", text, "nothing lost", affected=lost)
