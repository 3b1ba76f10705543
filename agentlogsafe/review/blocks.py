"""Lines as this library writes them become columns at once: nearly all of a log, at half of the cost of rows.

A line in the middle of a stream holds what was hashed as it was hashed (`seal.line`), so that its hash is verified on
the bytes as they stand, and Arrow makes the columns of all such lines at once. Any other line goes the general way,
`lines` and `rows`; so does a whole block in which Arrow finds something that is not as we write it. Both ways give the
same rows: a property test holds them to that.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import re
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
from pyarrow import compute
from pyarrow import json as arrow_json

from agentlogsafe.review import arrow, sources
from agentlogsafe.review.lines import Reader, native
from agentlogsafe.review.rows import EVENT_COLUMNS, Batch, Tabulator, counted
from agentlogsafe.review.tables import EVENTS
from agentlogsafe.seal import OWN_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agentlogsafe.review.lines import Line
    from agentlogsafe.review.sources import Part

_BLOCK = 2**20
_FIELDS = {
    **dict.fromkeys((*OWN_FIELDS, "seal"), pa.struct([])),  # named, so that a name given twice is found
    **{name: arrow.TYPES[EVENTS[name]] for name in EVENT_COLUMNS if name in OWN_FIELDS},
    **dict.fromkeys(("schema_version", "timestamp", "logger", "trace_id", "span_id"), pa.string()),
    "problems": pa.list_(pa.string()),
    "redactions": pa.struct([]),
    "truncated": pa.list_(pa.struct([])),
    "actor": pa.struct([("id", pa.string())]),
    "policy": pa.struct([("name", pa.string()), ("digest", pa.string())]),
    "payload": pa.struct([("input_tokens", pa.int64()), ("output_tokens", pa.int64())]),
}
_OPTIONS = arrow_json.ParseOptions(explicit_schema=pa.schema(list(_FIELDS.items())), unexpected_field_behavior="ignore")
_NULLS = re.compile(rb'"\}(?:,"[a-z_]{1,32}":null)*\}\r?\n')
_TIMESTAMP = len("2026-01-01T00:00:00.000000Z")
_SHAPE = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$"
_UUID = re.compile(r"[0-9a-f-]{36}")
_HASH = re.compile(r"[0-9a-f]{64}")
_STREAM = 36  # characters
_MARK = 64


class _UnusualError(Exception):
    """Something in a block is not as we write it."""


class _Ahead:
    """What the next event of a stream has to look like."""

    __slots__ = ("_name", "_span", "header", "key", "mark", "number", "seq", "stream")

    def __init__(self, span: list[Any], stream: str) -> None:
        self._span, self.stream, self._name = span, stream, stream.encode()
        self.key: str | None = span[0]
        self.seq, self.number, self.mark = span[3], span[5], span[7].encode()
        self.header = self.following()

    def following(self) -> bytes:
        """Return the seal of the next event without its hash, as far as the closing brace."""
        if self.key is None:
            return b'{"prev":"%b","seq":%d,"stream":"%b"' % (self.mark, self.seq + 1, self._name)
        return b'{"key":"%b","prev":"%b","seq":%d,"stream":"%b"' % (
            self.key.encode(),
            self.mark,
            self.seq + 1,
            self._name,
        )

    def settle(self) -> None:
        """Have the stream's span reach as far as was read."""
        self._span[3], self._span[5], self._span[7] = self.seq, self.number, self.mark.decode()


def batches(part: Part, tabulator: Tabulator, tally: list[int]) -> Iterator[tuple[pa.Table | None, Batch]]:
    """Yield the events of a *part* in columns, and in rows those that are not as we write them.

    Args:
        part: what to read.
        tabulator: makes rows.
        tally: its first item is set to the number of lines.

    Raises:
        OSError, EOFError, zlib.error: where a file is cut, or damaged.
        MissingExtraError: without what reads its compression.
    """
    if part.form == "parquet":
        for batch in tabulator.batches(sources.lines(part, tally)):
            yield None, batch
        return
    reader = Reader()
    try:
        for data in sources.blocks(part, _BLOCK):
            yield _columns(data, tabulator, reader, tally), tabulator.batch()
    finally:
        for line in reader.rest():
            tabulator.take(line)
        tabulator.end()
    yield None, tabulator.batch()


def _columns(data: bytes, tabulator: Tabulator, reader: Reader, tally: list[int]) -> pa.Table | None:
    """Return the events in the lines of *data* as columns; those that are not as we write them go to *tabulator*."""
    mark = tabulator.mark()
    block = _Block(tabulator, reader, tally[0])
    try:
        number = block.read(data)
        found = block.table()
    except (_UnusualError, pa.ArrowInvalid, UnicodeDecodeError):
        tabulator.undo(mark)
        found = None
        for number, raw in enumerate(io.BytesIO(data), tally[0] + 1):
            for line in _general(number, raw, reader):
                tabulator.take(line)
    tally[0] = number
    return found


def _general(number: int, raw: bytes, reader: Reader) -> Iterable[Line]:
    """Return what a line is, found the general way."""
    usual = native(number, raw)
    return reader.lines(number, raw) if usual is None else (usual,)


class _Block:
    """Some lines, while they are read."""

    def __init__(self, tabulator: Tabulator, reader: Reader, number: int) -> None:
        self._tabulator, self._reader, self._number = tabulator, reader, number
        self._ahead: dict[bytes, _Ahead] = {}
        self._nulls: set[bytes] = set()
        self._texts: list[bytes] = []
        self._lines: list[int] = []
        self._seqs: list[int | None] = []
        self._marks: list[bytes | None] = []
        self._streams: list[_Ahead | None] = []
        self._redactions: dict[int, int] = {}

    def read(self, data: bytes) -> int:
        """Read the lines of *data*; return the number of the last."""
        ahead, nulls, sha256 = self._ahead, self._nulls, hashlib.sha256
        number = self._number
        for stream in self._tabulator.open:
            self._look_ahead(stream)
        for number, raw in enumerate(io.BytesIO(data), number + 1):  # noqa: B020 -- it goes on counting
            place = raw.rfind(b',"seal":{"')
            if place > 0:
                end = raw.find(b',"hash":"', place)
                known = ahead.get(raw[end - _STREAM - 1 : end - 1])
                if known is not None and raw[place + 8 : end] == known.header:
                    mark = raw[end + 9 : end + 9 + _MARK]
                    hashed = b"%b}\n%b}" % (known.header, raw[:place])
                    fits = (
                        sha256(hashed).hexdigest().encode() == mark if known.key is None
                        else self._has_key(known, hashed, mark)
                    )  # fmt: skip
                    rest = raw[end + 9 + _MARK :]
                    if fits and (rest in nulls or self._are_nulls(rest)) and self._add(number, raw):
                        known.seq += 1
                        known.number, known.mark = number, mark
                        known.header = known.following()
                        self._seqs.append(known.seq)
                        self._marks.append(mark)
                        self._streams.append(known)
                        continue
            elif raw[:18] == b'{"schema_version":' and raw.endswith(b"}\n") and self._add(number, raw):
                self._seqs.append(None)
                self._marks.append(None)
                self._streams.append(None)
                continue
            for line in _general(number, raw, self._reader):
                self._take(line)
        for known in ahead.values():
            known.settle()
        return number

    def _take(self, line: Line) -> None:
        """Take a line the general way, in its place among the others of its stream."""
        seal = None if line.event is None else line.event.get("seal")
        stream = seal.get("stream") if type(seal) is dict else None
        if type(stream) is not str or not _UUID.fullmatch(stream):
            self._tabulator.take(line)
            return
        known = self._ahead.get(stream.encode())
        if known is not None:
            known.settle()
        self._tabulator.take(line)
        self._look_ahead(stream)

    def _look_ahead(self, stream: str) -> None:
        """Note what the event after those of *stream* that were read has to look like."""
        span = self._tabulator.open.get(stream)
        if span is None or not _UUID.fullmatch(stream):
            return
        if span[1] != "ok" or span[11] or not _HASH.fullmatch(span[7]):
            self._ahead.pop(stream.encode(), None)
        else:
            self._ahead[stream.encode()] = _Ahead(span, stream)

    def _has_key(self, known: _Ahead, hashed: bytes, mark: bytes) -> bool:
        """Return whether *mark* is the hash under the key of the stream's next event."""
        key = self._tabulator.keys.key(known.key or "", known.stream, known.seq + 1)
        return key is not None and hmac.digest(key, hashed, "sha256").hex().encode() == mark

    def _are_nulls(self, rest: bytes) -> bool:
        """Return whether nothing but fields that are null follows the seal; they are not hashed."""
        if not _NULLS.fullmatch(rest):
            return False
        self._nulls.add(rest)
        return True

    def _add(self, number: int, raw: bytes) -> bool:
        """Add the text of a line, unless it is of a kind that has more columns."""
        if b'"event_type":"custom"' in raw:
            return False
        if b'"redactions":{' in raw:
            place = raw.find(b'"redactions":{')
            if raw.find(b'"redactions":{', place + 1) >= 0:
                return False
            try:
                values = orjson.loads(raw[place + 13 : raw.index(b"}", place) + 1]).values()
            except ValueError:
                return False
            self._redactions[len(self._texts)] = sum(map(counted, values))
        self._texts.append(raw)
        self._lines.append(number)
        return True

    def table(self) -> pa.Table | None:
        """Return the events in columns; None where there are none.

        Raises:
            _UnusualError, pa.ArrowInvalid, UnicodeDecodeError: where something is not as we write it.
        """
        if not self._texts:
            return None
        data = b"".join(self._texts)
        if not data.isascii():
            data.decode()
        options = arrow_json.ReadOptions(use_threads=False, block_size=len(data) + 1)
        made = arrow_json.read_json(pa.BufferReader(data), read_options=options, parse_options=_OPTIONS)
        count = len(self._texts)
        made = made.combine_chunks()
        self._check(made, count)
        redactions = [self._redactions.get(place) for place in range(count)] if self._redactions else [None] * count
        known: dict[str, Any] = {
            "line": arrow.column(self._lines, "int64"),
            "wrapping": _repeated("native", count, "string"),
            "ts": _microseconds(made["timestamp"]),
            "actor": compute.struct_field(made["actor"], "id"),
            "problems": compute.binary_join(made["problems"], "; "),
            "redactions": arrow.column(redactions, "int64"),
            "policy_name": compute.struct_field(made["policy"], "name"),
            "policy_digest": compute.struct_field(made["policy"], "digest"),
            "input_tokens": compute.struct_field(made["payload"], "input_tokens"),
            "output_tokens": compute.struct_field(made["payload"], "output_tokens"),
            "stream": arrow.column([of and of.stream for of in self._streams], "string"),
            "seq": arrow.column(self._seqs, "int64"),
            "hash": arrow.column([None if mark is None else mark.decode() for mark in self._marks], "string"),
            "key": arrow.column([of and of.key for of in self._streams], "string"),
            "verdict": arrow.column([None if seq is None else "ok" for seq in self._seqs], "string"),
            "is_open": _repeated(False, count, "boolean"),
            "is_close": _repeated(False, count, "boolean"),
        }
        columns = [
            known[name] if name in known
            else made[name] if name in OWN_FIELDS
            else _repeated(None, count, EVENTS[name])
            for name in EVENT_COLUMNS
        ]  # fmt: skip
        return pa.table(columns, schema=arrow.schema({name: EVENTS[name] for name in EVENT_COLUMNS}))

    def _check(self, made: pa.Table, count: int) -> None:
        if made.num_rows != count:
            raise _UnusualError
        if any(made[name].null_count for name in ("event_id", "event_type", "schema_version", "timestamp")):
            raise _UnusualError
        if made["seal"].is_valid().to_pylist() != [seq is not None for seq in self._seqs]:
            raise _UnusualError
        if compute.any(compute.equal(made["event_type"], "custom")).as_py():
            raise _UnusualError
        redacted = made["redactions"]
        if count - redacted.null_count != len(self._redactions) or not all(
            redacted[place].is_valid for place in self._redactions
        ):
            raise _UnusualError


def _repeated(value: Any, count: int, dtype: str) -> pa.Array:
    return pa.repeat(pa.scalar(value, arrow.TYPES[dtype]), count)


def _microseconds(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return timestamps as microseconds since the epoch."""
    sizes = compute.min_max(compute.binary_length(texts)).as_py()
    if sizes != {"min": _TIMESTAMP, "max": _TIMESTAMP}:
        raise _UnusualError
    if not compute.all(compute.match_substring_regex(texts, _SHAPE)).as_py():
        raise _UnusualError
    moments = compute.cast(compute.utf8_slice_codeunits(texts, 0, _TIMESTAMP - 1), pa.timestamp("us"))
    return moments.cast(pa.int64())
