"""Lines as this library writes them are verified on their bytes, and taken apart by DuckDB (`columns`): nearly all of a
log, at a quarter of the cost of rows.

A line in the middle of a stream holds what was hashed as it was hashed (`seal.line`), so that its hash is verified on
the bytes as they stand, and nothing else is done for it in Python. Any other line goes the general way, `lines` and
`rows`; so do all lines of a block in which something is not as we write it. Both ways give the same rows: a property
test holds them to that.
"""  # noqa: D205 -- one sentence

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

import orjson

from agentlogsafe.review.lines import Reader, native
from agentlogsafe.review.rows import content_of, misshapen
from agentlogsafe.seal import digest

if TYPE_CHECKING:
    import io
    from collections.abc import Iterable

    from agentlogsafe.review.lines import Line
    from agentlogsafe.review.rows import Tabulator

_NULLS = re.compile(rb'\}(?:,"[a-z_]{1,32}":null)*\}\r?\n')
_UUID = re.compile(r"[0-9a-f-]{36}")
_HASH = re.compile(r"[0-9a-f]{64}")
_STREAM = 36  # characters
_SEAL = b',"seal":{"'
_HASH_NAME = b',"hash":"'
PIECES = 3
"""A usual line is cut in two, for its number to come between."""


class _Ahead:
    """What the next event of a stream has to look like."""

    __slots__ = ("_span", "after", "before", "header", "key", "mark", "number", "seq", "stream")

    def __init__(self, span: list[Any], stream: str) -> None:
        self._span, self.stream = span, stream
        self.key: str | None = span[0]
        # Of the last event: which it is, in which line it is, and its hash.
        self.seq, self.number, self.mark = span[3], span[5], span[7].encode()
        self.before = b'prev":"' if self.key is None else b'key":"%b","prev":"' % self.key.encode()
        self.after = b',"stream":"%b"' % stream.encode()
        self.header = b'%b%b","seq":%d%b' % (self.before, self.mark, self.seq + 1, self.after)
        """What follows `_SEAL`, up to the hash."""

    def reached(self, seq: int, number: int, mark: bytes, header: bytes) -> None:
        """Note the last event that was read, and what the next has to look like."""
        self.seq, self.number, self.mark, self.header = seq, number, mark, header

    def settle(self) -> None:
        """Have the stream's span reach as far as was read."""
        self._span[3], self._span[5], self._span[7] = self.seq, self.number, self.mark.decode()


class Blocks:
    """Reads blocks of lines, one after the other.

    Args:
        tabulator: makes rows of lines that are not usual.
        base: added to the numbers of the usual ones.
        unusual: gets the numbers of the others, where DuckDB reads the file as it is (`whole`).
    """

    def __init__(self, tabulator: Tabulator, base: int = 0, unusual: list[int] | None = None) -> None:
        self._tabulator, self._base, self._unusual = tabulator, base, unusual
        self._reader = Reader()
        self._ahead: dict[str, _Ahead] = {}
        """Of the streams that were seen in this block; there may be many others."""
        self._nulls: set[bytes] = set()
        self.number = 0
        """Of the last line."""
        self.is_mixed = False
        """Whether some line is not one object of JSON, of which DuckDB makes one row."""

    def usual(self, block: io.BytesIO) -> list[bytes]:
        """Return the usual lines in a *block*, each in `PIECES`: in the middle, as a field of its own, its number.

        Where `unusual` are asked for, nothing is returned.
        """
        nulls, sha256, base, join, unusual = self._nulls, hashlib.sha256, self._base, b"".join, self._unusual
        texts: list[bytes] = []
        number = self.number
        # Of the stream that the line before is of, all that is noted of it while its lines follow each other.
        known: _Ahead | None = None
        key, seq, last = None, 0, 0
        header = mark = before = after = b""
        in_turns = False  # whether lines of several streams take turns
        # Every line pays for every step in here: 1.6 µs, of which 0.7 are for its hash.
        for number, raw in enumerate(block, number + 1):  # noqa: B020 -- it goes on counting
            content, found, own = raw.rpartition(_SEAL)
            if known is None or (in_turns and not own.startswith(header)):
                if known is not None:
                    known.reached(seq, last, mark, header)
                known = self._known(own) if found else None
                if known is not None:
                    key, seq, last, mark = known.key, known.seq, known.number, known.mark
                    before, after, header = known.before, known.after, known.header
            if known is not None:
                hashed = join((b'{"', header, b"}\n", content, b"}"))
                made = (
                    sha256(hashed).hexdigest().encode() if key is None else self._with_key(known, seq + 1, hashed)
                )  # fmt: skip
                start = join((header, _HASH_NAME, made, b'"'))
                if own.startswith(start) and ((rest := own[len(start) :]) in nulls or self._are_nulls(rest)):
                    seq, last, mark = seq + 1, number, made
                    header = b'%b%b","seq":%d%b' % (before, mark, seq + 1, after)
                    if unusual is None:
                        texts += (content, b',"\x7f":%d,"seal":{"' % (base + number), own)
                    continue
                in_turns = in_turns or not own.startswith(header)
                known.reached(seq, last, mark, header)
                known = None
            elif unusual is None and not found and (digest := _plain(raw)):
                texts += (b'{"\x7f":%d,"\x7f\x7f":"%b"' % (base + number, digest.encode()), b",", raw[1:])
                continue
            if unusual is not None:
                unusual.append(number)
                self.is_mixed = self.is_mixed or not _is_object(raw)
            for line in self._general(number, raw):
                self._take(line)
        if known is not None:
            known.reached(seq, last, mark, header)
        for ahead in self._ahead.values():
            ahead.settle()
        self._ahead.clear()
        self.number = number
        return texts

    def _known(self, own: bytes) -> _Ahead | None:
        """Return the stream whose next event has the seal *own*."""
        end = own.find(_HASH_NAME)
        stream = own[end - _STREAM - 1 : end - 1].decode("utf-8", "replace")
        known = self._ahead.get(stream) or self._look_ahead(stream)
        return known if known is not None and own.startswith(known.header) else None

    def general(self, block: io.BytesIO) -> None:
        """Make rows of all lines in a *block*."""
        for raw in block:
            self.number += 1
            for line in self._general(self.number, raw):
                self._tabulator.take(line)

    def end(self) -> None:
        """Make rows of what was begun and never ended."""
        for line in self._reader.rest():
            self._tabulator.take(line)
        self._tabulator.end()

    def _general(self, number: int, raw: bytes) -> Iterable[Line]:
        """Return what a line is, found the general way."""
        usual = native(number, raw)
        return self._reader.lines(number, raw) if usual is None else (usual,)

    def _take(self, line: Line) -> None:
        """Take a line the general way, in its place among the others of its stream."""
        seal = None if line.event is None else line.event.get("seal")
        stream = seal.get("stream") if type(seal) is dict else None
        known = self._ahead.pop(stream, None) if type(stream) is str else None
        if known is not None:
            known.settle()
        self._tabulator.take(line)

    def _look_ahead(self, stream: str) -> _Ahead | None:
        """Note what the event after those of *stream* that were read has to look like."""
        span = self._tabulator.open.get(stream)
        if span is None or span[1] != "ok" or span[11] or not _UUID.fullmatch(stream) or not _HASH.fullmatch(span[7]):
            return None
        self._ahead[stream] = known = _Ahead(span, stream)
        return known

    def _with_key(self, known: _Ahead, seq: int, hashed: bytes) -> bytes:
        """Return the hash under the key of a stream's event *seq*, or what is none."""
        key = self._tabulator.keys.key(known.key or "", known.stream, seq)
        return b"-" if key is None else digest(hashed, key).encode()

    def _are_nulls(self, rest: bytes) -> bool:
        """Return whether nothing but fields that are null follows the seal; they are not hashed."""
        if not _NULLS.fullmatch(rest):
            return False
        self._nulls.add(rest)
        return True


def _is_object(raw: bytes) -> bool:
    """Return whether a line is one object of JSON, and nothing else."""
    if not raw.startswith(b"{") or not raw.endswith(b"}\n"):
        return False
    try:
        return type(orjson.loads(raw)) is dict
    except ValueError:
        return False


def _plain(raw: bytes) -> str | None:
    """Return the digest of an event without a seal, which here nothing else vouches for; None for any other line."""
    if not raw.startswith(b'{"schema_version":') or not raw.endswith(b"}\n"):
        return None
    try:
        event = orjson.loads(raw)
    except ValueError:
        return None
    return content_of(event) if event.get("seal") is None and misshapen(event) is None else None
