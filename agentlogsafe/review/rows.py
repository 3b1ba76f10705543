"""Events become rows: their columns, whether their hashes fit, and the stretches of their streams."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from agentlogsafe.events import parse_time
from agentlogsafe.review.lines import doubled
from agentlogsafe.review.tables import EVENTS, REJECTS, SPANS
from agentlogsafe.seal import OWN_FIELDS, body, digest, event_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from agentlogsafe.review.keyring import Keyring
    from agentlogsafe.review.lines import Line

EVENT_COLUMNS = tuple(name for name in EVENTS if name != "file")
SPAN_COLUMNS = tuple(name for name in SPANS if name != "file")
REJECT_COLUMNS = tuple(name for name in REJECTS if name != "file")

_BASE_COLUMNS = (
    *("event_id", "run_id", "event_type", "agent_name", "workflow_name", "parent_event_id"),
    *("provider", "model", "tool_name", "status", "timestamp", "payload"),
)
_EVENT_WIDTH = len(EVENT_COLUMNS)
_base = itemgetter(*_BASE_COLUMNS)
_SORTED = orjson.OPT_SORT_KEYS
_WRITTEN = len(',"seal":,"hash":""') + 64 - len(b"\n")  # what a sealed line has more than the bytes that are hashed
_NULL = len('"":null,')
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_MICROSECONDS = 1_000_000
_SECONDS = 4_096
_HEX = re.compile(r"[0-9a-f]{64}")
_BIG = 2**63
_NOTHING = (None,) * 5  # of a seal, of what opened a stream, of what closed it


class Batch(NamedTuple):
    """Rows of the tables ``events``, ``spans`` and ``rejects`` (without their first column, the file)."""

    events: list[tuple[Any, ...]]
    spans: list[tuple[Any, ...]]
    rejects: list[tuple[Any, ...]]


class Tabulator:
    """Makes rows of lines.

    Args:
        keys: what keyed streams are verified with.
        size: how many rows a batch has at most.
    """

    def __init__(self, keys: Keyring, size: int = 16_384) -> None:
        self.keys, self._size = keys, size
        self._seconds: dict[str, int] = {}
        self.open: dict[str, list[Any]] = {}
        """Of each stream the span that its next event may go on with, without the stream's name."""
        self._batch = Batch([], [], [])
        self.events = self.rejects = self.foreign = 0
        self.forks: dict[str, tuple[str, int]] = {}
        self.unresolved: set[str] = set()
        """Keyed streams that do not fit their key and whose beginning was not seen: perhaps forked children's."""

    def batches(self, lines: Iterable[Line]) -> Iterator[Batch]:
        """Yield the rows of *lines*, which come in the order of the file."""
        for line in lines:
            self.take(line)
            if len(self._batch.events) >= self._size or len(self._batch.rejects) >= self._size:
                yield self.batch()
        self.end()
        yield self.batch()

    def take(self, line: Line) -> None:
        """Add the row of a line."""
        if line.kind is None:
            made = self._row(line, self._batch.spans)
            (self._batch.events if len(made) == _EVENT_WIDTH else self._batch.rejects).append(made)
        elif line.kind == "foreign":
            self.foreign += 1
        else:
            self._batch.rejects.append(_reject(line))

    def end(self) -> None:
        """Add the spans that no event will go on with."""
        self._batch.spans.extend((stream, *span) for stream, span in self.open.items())
        self.open = {}

    def batch(self) -> Batch:
        """Return the rows since the last batch."""
        batch, self._batch = self._batch, Batch([], [], [])
        self.events += len(batch.events)
        self.rejects += len(batch.rejects)
        return batch

    def mark(self) -> tuple[Any, ...]:
        """Return what `undo` needs to forget what is taken from now on."""
        spans = {stream: list(span) for stream, span in self.open.items()}
        return (*map(len, self._batch), self.foreign, spans)

    def undo(self, mark: tuple[Any, ...]) -> None:
        """Forget the lines taken since *mark*, but for the forks they told of."""
        for rows, length in zip(self._batch, mark, strict=False):
            del rows[length:]
        *_, self.foreign, self.open = mark

    def _row(self, line: Line, spans: list[tuple[Any, ...]]) -> tuple[Any, ...]:
        """Return the row of an event, or that of a reject, which is shorter."""
        number, wrapping, event, text, _, _ = line
        get = event.get  # type: ignore[union-attr]
        try:
            found = _base(event)  # type: ignore[arg-type]
        except KeyError:  # a shipper that drops nulls
            found = tuple(map(get, _BASE_COLUMNS))
        event_id, run_id, kind_of, agent, workflow, parent, provider, model, tool, status, time, payload = found
        seal = get("seal")
        if seal is None:
            reason = misshapen(event)  # type: ignore[arg-type]
        elif type(seal) is not dict or not _is_seal(seal):
            reason = "seal: expected stream, seq and hash as the format has them"
        else:
            reason = None
        if reason is not None:
            return _reject(line._replace(kind="malformed", reason=reason))
        ts: int | None
        try:
            ts = self._seconds[time[:19]] + int(time[20:26])
            if len(time) != 27 or time[26] != "Z" or time[19] != ".":  # noqa: PLR2004 -- the length of our timestamps
                ts = self._time(time)
        except (KeyError, TypeError, ValueError):
            ts = self._time(time)
        tokens_in = tokens_out = kind = state = lost = None
        if type(payload) is dict:
            if "input_tokens" in payload or "output_tokens" in payload:
                tokens_in, tokens_out = _whole(payload.get("input_tokens")), _whole(payload.get("output_tokens"))
            if kind_of == "custom":
                kind, state, lost = _text(payload.get("kind")), _text(payload.get("state")), _whole(payload.get("lost"))
        redactions = get("redactions")
        if redactions is not None:
            redactions = sum(map(counted, redactions.values())) if type(redactions) is dict else None
        problems = get("problems")
        if problems is not None:
            problems = "; ".join(map(str, problems)) if type(problems) is list else str(problems)
        policy = get("policy")
        policy_name, policy_digest = (
            (_text(policy.get("name")), _text(policy.get("digest"))) if type(policy) is dict else (None, None)
        )
        actor = get("actor")
        row = (
            number,
            wrapping,
            event_id,
            run_id,
            get("parent_run_id"),
            kind_of,
            ts,
            agent,
            workflow,
            parent,
            provider,
            model,
            tool,
            get("tool_call_id"),
            status,
            get("session_id"),
            get("agent_version"),
            actor.get("id") if type(actor) is dict else None,
            get("duration_ms"),
            get("level"),
            problems,
            redactions,
            policy_name,
            policy_digest,
            tokens_in,
            tokens_out,
            kind,
            state,
            lost,
        )
        if seal is None:
            content = content_of(event)  # type: ignore[arg-type]
            return (*row, content, *_NOTHING, False, False, *_NOTHING, *_NOTHING)
        stream, seq, key = seal["stream"], seal["seq"], seal.get("key")
        begun, ended = seal.get("stream_open"), seal.get("stream_close")
        opened, closed = _NOTHING, _NOTHING
        if begun is not None:
            opened = self._opened(begun, stream)
        if ended is not None:
            closed = _closed(ended)
        hashed = seal["hash"]
        verdict = self._verdict(event, seal, text)  # type: ignore[arg-type]
        span = self.open.get(stream)
        if (
            span is not None
            and span[3] + 1 == seq
            and span[7] == seal.get("prev")
            and span[1] == verdict
            and span[0] == key
            and not span[11]
        ):
            span[3], span[5], span[7] = seq, number, hashed
            span[11] = ended is not None
        else:
            if span is not None:
                spans.append((stream, *span))
            prev = _text(seal.get("prev"))
            self.open[stream] = [
                key, verdict, seq, seq, number, number, prev, hashed, _text(event_id), _text(run_id), ts,
                ended is not None,
            ]  # fmt: skip
        return (*row, None, stream, seq, hashed, key, verdict, begun is not None, ended is not None, *opened, *closed)

    def _verdict(self, event: dict[str, Any], seal: dict[str, Any], text: bytes) -> str:
        """Return whether the hash of an event fits it; takes the event apart."""
        name, seq = seal.get("key"), seal["seq"]
        key: bytes | None = None
        if name is not None:
            if name not in self.keys:
                return "unverifiable"
            key = self.keys.key(name, seal["stream"], seq)
            if key is None:
                return "unverifiable"
        # First as if it were as we wrote it: no fields of others, no nulls inside, no odd numbers. Where the hash fits,
        # these are the bytes that were sealed, however they came about; else the exact way decides, at thrice the cost.
        del event["seal"]
        hashed = seal.pop("hash")
        length = _WRITTEN
        nulls = [name for name, value in event.items() if value is None]
        for field in nulls:
            del event[field]
            length += len(field) + _NULL
        try:
            data = orjson.dumps(seal, option=_SORTED) + b"\n" + orjson.dumps(event, option=_SORTED)
        except TypeError:  # an integer that no event can have
            return "bad"
        fits = digest(data, key) == hashed
        # An object that has a name twice is read as the last of both, here; by others, perhaps as the first. Then the
        # text is longer than what was read from it; and nothing else makes up for that but small numbers (1e-3).
        if not fits or not 0 <= len(text) - len(data) - length <= len(b"\r\n") or b"0.00" in data:
            if doubled(text, data.count(b'":') + len(nulls) + len(("seal", "hash"))) is not None:
                return "bad"
            if not fits:
                seal["hash"] = hashed
                event["seal"] = seal
                fits = event_hash(event, key) == hashed
        if not fits and name is not None and seal["stream"] not in self.keys.forks and seal.get("prev") is not None:
            self.unresolved.add(seal["stream"])
        return "ok" if fits else "bad"

    def _time(self, text: Any) -> int | None:
        """Return a timestamp as microseconds since the epoch; None where it is none."""
        if type(text) is not str or not _TIME.match(text):
            return None
        try:
            if len(text) == 27 and text[26] == "Z" and text[20:26].isdigit():  # noqa: PLR2004 -- as we write it
                whole = int(datetime.fromisoformat(text[:19]).replace(tzinfo=timezone.utc).timestamp())
                if len(self._seconds) >= _SECONDS:
                    self._seconds.clear()
                self._seconds[text[:19]] = whole = whole * _MICROSECONDS
                return whole + int(text[20:26])
            given = parse_time(text)
            if given.tzinfo is None:
                return None
            return round(given.timestamp() * _MICROSECONDS)
        except (ValueError, OverflowError):
            return None

    def _opened(self, begun: Any, stream: str) -> tuple[Any, ...]:
        """Return the columns of a ``stream_open``."""
        if type(begun) is not dict:
            return _NOTHING
        parent = begun.get("parent")
        if type(parent) is not dict:
            return (_text(begun.get("host")), _whole(begun.get("pid")), None, None, None)
        name, seq = _text(parent.get("stream")), _whole(parent.get("seq"))
        if name is not None and seq is not None and seq >= 0:
            self.forks[stream] = (name, seq)
            self.keys.learn(stream, name, seq)
        return (_text(begun.get("host")), _whole(begun.get("pid")), name, seq, _text(parent.get("hash")))


def content_of(event: Mapping[str, Any]) -> str | None:
    """Return the digest of what a seal would cover of an event; the same, whatever shippers did to its form."""
    try:
        return digest(body({name: value for name, value in event.items() if name in OWN_FIELDS})[0], None)
    except (TypeError, RecursionError):  # an integer, or a depth, that no event can have
        return None


def _closed(ended: Any) -> tuple[Any, ...]:
    """Return the columns of a ``stream_close``."""
    if type(ended) is not dict:
        return _NOTHING
    return tuple(_whole(ended.get(name)) for name in ("sealed", "accepted", "delivered", "fallback", "lost"))


def _is_seal(seal: dict[str, Any]) -> bool:
    seq, prev, key = seal.get("seq"), seal.get("prev"), seal.get("key")
    return (
        type(seq) is int
        and 0 < seq < _BIG
        and type(seal.get("stream")) is str
        and type(seal.get("hash")) is str
        and len(seal["hash"]) == 64  # noqa: PLR2004 -- a SHA-256 in hexadecimal
        and (prev is None or type(prev) is str)
        and (key is None or type(key) is str)
    )


_SHAPES: tuple[tuple[str, type | tuple[type, ...], str], ...] = (
    ("event_id", str, "a string"),
    ("event_type", str, "a string"),
    ("timestamp", str, "a string"),
    *((name, (dict, type(None)), "an object") for name in ("payload", "risk", "metadata", "policy", "redactions")),
    *((name, (str, type(None)), "a string") for name in ("run_id", "agent_name", "workflow_name", "parent_event_id")),
    *((name, (str, type(None)), "a string") for name in ("provider", "model", "tool_name", "status", "tool_call_id")),
)


def misshapen(event: dict[str, Any]) -> str | None:
    """Return what is wrong with the fields of an event that no seal vouches for."""
    for name, kinds, expected in _SHAPES:
        if not isinstance(event.get(name), kinds):
            return f"{name}: expected {expected}, got {_JSON_NAMES.get(type(event.get(name)), 'a number')}"
    return None


_JSON_NAMES = {str: "a string", dict: "an object", list: "an array", bool: "a boolean", type(None): "null"}


def _reject(line: Line) -> tuple[Any, ...]:
    """Return the row of a line that claims to be ours, with what could be read of it."""
    event = line.event or {}
    seal = event.get("seal")
    seal = seal if type(seal) is dict else {}
    return (
        line.number,
        line.wrapping,
        line.kind,
        line.reason,
        _text(event.get("event_id")) or _found(_EVENT_ID, line.text),
        _text(event.get("run_id")) or _found(_RUN_ID, line.text),
        _text(seal.get("stream")) or _found(_STREAM, line.text),
        _whole(seal.get("seq")),
    )


_EVENT_ID, _RUN_ID, _STREAM = (
    re.compile(rb'"%s"\s*:\s*"([^"\\]{1,256})"' % name) for name in (b"event_id", b"run_id", b"stream")
)


def _found(pattern: re.Pattern[bytes], text: bytes) -> str | None:
    match = pattern.search(text)
    return match[1].decode("utf-8", "replace") if match else None


def _text(value: Any) -> str | None:
    return value if type(value) is str else None


def _whole(value: Any) -> int | None:
    return value if type(value) is int and -_BIG <= value < _BIG else None


def counted(value: Any) -> int:
    """Return a count that ``redactions`` gives; 0 for what is none."""
    return value if type(value) is int and 0 <= value < 2**31 else 0


_PYTHON = {"string": (str,), "int64": (int,), "float64": (float, int), "boolean": (bool,)}


def fitting(value: Any, dtype: str) -> Any:
    """Return *value* where it is of the type, else None: what a tampered event has in its fields fits no column."""
    if type(value) not in _PYTHON[dtype]:
        return None
    if dtype == "int64" and not -(2**63) <= value < 2**63:
        return None
    if dtype == "string":
        return value.encode("utf-8", "replace").decode()  # a lone surrogate has no UTF-8
    return float(value) if dtype == "float64" else value
