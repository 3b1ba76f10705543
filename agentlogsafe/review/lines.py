"""Lines become events, through whatever a log pipeline wrapped around them.

What is known: Docker's json-file, CRI (Kubernetes) with its parts, syslog prefixes (RFC 3164, RFC 5424, and what
rsyslog and syslog-ng write to files), journald's JSON export, an event or its text inside a field of an object (Fluent
Bit, Fluentd, Vector, Filebeat, CloudWatch), and text before the JSON, as a ``logging.Formatter`` puts it there.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

WRAPPINGS = ("native", "docker", "cri", "syslog", "journald", "nested", "prefixed", "parquet")

_CARRIERS = (
    ("MESSAGE", "journald"),
    *((name, "nested") for name in ("log_processed", "log", "message", "msg", "line", "event", "body", "jsonPayload")),
    *((name, "nested") for name in ("textPayload", "@message", "_raw", "value")),
)
"""Fields that carry an event, or its text: the surest first."""

_FIRST = (b"actor", b"agent_name", b"agent_version", b"duration_ms", b"event_id")
_DEPTH = 4  # wrappings inside wrappings
_TRIES = 64  # to find an event within a line
_DECODER = json.JSONDecoder()
_PIECES = 64  # of which a line is put together at most: 1 MB of Docker's and CRI's 16 KB
_CRI = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.?\d*(?:Z|[+-]\d\d:?\d\d)) (stdout|stderr) ([PF])(?::\S*)? ?")
_SYSLOG = re.compile(
    rb"(?:\d+ )?(?:<\d{1,3}>)(?:1 )?"  # a priority, with what may precede it (octet counting) and follow (RFC 5424)
    rb"|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)? \S+ "  # RFC 3164's time and host
    rb"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d) \S+ \S+?(?:\[\d+\])?: "  # rsyslog's own format
)
_CLAIM = re.compile(rb'"schema_version"\s*:|"seal"\s*:\s*\{"|"event_id"\s*:.*"event_type"\s*:', re.DOTALL)
# How our lines begin: the first name of a sealed event, whose names are in order, depends on what it has.
_BEGINNINGS = (b'{"schema_version":', *(b'{"%b":' % name for name in _FIRST))
_OWN_NAMES = frozenset(("event_id", "event_type", "timestamp", "payload", "risk", "metadata", "run_id"))
_ENOUGH = 4  # of these names, where one that says it all was changed


class Line(NamedTuple):
    """One line: an event (``kind`` is None), or why it is none."""

    number: int
    wrapping: str
    event: dict[str, Any] | None
    text: bytes
    """The JSON text that the event, or the object that carried it, was read from."""
    kind: str | None = None
    """``foreign``, ``partial_line`` or ``malformed``."""
    reason: str | None = None


_line = tuple.__new__  # half of the cost of Line(...), which every line has to pay


def is_ours(found: Any) -> bool:
    """Return whether a JSON object is, or claims to be, one of our events."""
    if type(found) is not dict:
        return False
    if "event_id" in found and "schema_version" in found and "event_type" in found:
        return True
    seal = found.get("seal")
    if type(seal) is dict and "stream" in seal and "seq" in seal and "payload" in found:
        return True
    return "schema_version" in found and len(_OWN_NAMES & found.keys()) >= _ENOUGH


def native(number: int, raw: bytes) -> Line | None:
    """Return the event in a line that is as this library writes it, as nearly every line is; None for any other."""
    if raw[:15] == b'{"schema_versio' or raw[:8] == b'{"agent_':
        try:
            event = orjson.loads(raw)
        except ValueError:
            return None
        if "event_id" in event and "event_type" in event and "schema_version" in event:
            return _line(Line, (number, "native", event, raw, None, None))
    return None


def read(raws: Iterable[bytes], first: int = 1) -> Iterator[Line]:
    """Yield what the lines *raws* are, each with its number; empty lines are left out.

    Args:
        raws: lines with their ends; only the last may have none.
        first: the number of the first.
    """
    slow = Reader()
    for number, raw in enumerate(raws, first):
        line = native(number, raw)
        if line is not None:
            yield line
        else:
            yield from slow.lines(number, raw)
    yield from slow.rest()


class Reader:
    """Takes lines apart, one at a time; holds the parts of split ones."""

    def __init__(self) -> None:
        self._parts: dict[tuple[str, Any], tuple[int, list[bytes]]] = {}

    def lines(self, number: int, raw: bytes) -> Iterator[Line]:
        """Yield what line *number* is: nothing, where it is empty or a part of a line, or more than one."""
        # A part may end in a space. Zeros are what copytruncate leaves at the head of a file that is still written.
        text = raw.rstrip(b"\r\n").lstrip(b"\0")
        if text.startswith(b"\xef\xbb\xbf"):
            text = text[3:]
        if not text.strip():
            return
        cri = _CRI.match(text)
        if cri is not None:
            content = text[cri.end() :]
            number, whole = self._joined(("cri", cri[2]), number, content, cri[3] == b"F")
            if whole is not None:
                yield from _taken(number, "cri", whole, _DEPTH, ended=True)
            return
        found = _parsed(text.strip())
        if type(found) is dict and type(found.get("log")) is str and "time" in found and "stream" in found:
            log = found["log"]
            content = log.encode("utf-8", "surrogatepass")
            number, whole = self._joined(("docker", found["stream"]), number, content, log.endswith("\n"))
            if whole is not None:
                yield from _taken(number, "docker", whole, _DEPTH, ended=True)
            return
        yield from _taken(number, "native", text, _DEPTH, ended=raw.endswith(b"\n"), found=found)

    def _joined(self, of: tuple[str, Any], number: int, part: bytes, last: bool) -> tuple[int, bytes | None]:
        """Keep a part of a line, or return the number of its first part and the whole."""
        begun = self._parts.pop(of, None)
        if begun is None:
            if last:
                return number, part
            begun = (number, [])
        begun[1].append(part)
        if last or len(begun[1]) >= _PIECES:
            return begun[0], b"".join(begun[1])
        self._parts[of] = begun
        return number, None

    def rest(self) -> Iterator[Line]:
        """Yield what was begun and never ended."""
        for (wrapping, _), (number, parts) in self._parts.items():
            yield from _taken(number, wrapping, b"".join(parts), _DEPTH, ended=False)


def _taken(number: int, wrapping: str, text: bytes, depth: int, *, ended: bool, found: Any = None) -> Iterator[Line]:
    """Yield the event in *text*, or several that share a line, or what it is instead."""
    text = text.strip()
    if found is None:
        found = _parsed(text)
    if found is not None:
        yield _object(number, wrapping, text, found, depth)
        return
    if text[:1] != b"{":
        prefix = "syslog" if _SYSLOG.match(text) else "prefixed"
        start = text.find(_BEGINNINGS[0])
        for place in [start] if start >= 0 else _braces(text):
            inner = text[place:]
            found = _parsed(inner)
            if found is not None:
                line = _object(number, prefix if wrapping == "native" else wrapping, inner, found, depth)
                if line.event is not None:
                    if _CLAIM.search(text, 0, place):
                        yield _broken(number, wrapping, text[:place], ended=True)
                    yield line
                    return
    pieces = list(_pieces(text))
    if any(found is not None for _, found in pieces):
        for piece, found in pieces:
            if found is not None:
                yield Line(number, wrapping, found, piece)
            elif _CLAIM.search(piece) or piece.startswith(_BEGINNINGS):
                yield _broken(number, wrapping, piece, ended=piece is not pieces[-1][0] or ended)
        return
    if _CLAIM.search(text) or text.startswith(_BEGINNINGS[1:]) or (not ended and text and _begins(text)):
        yield _broken(number, wrapping, text, ended=ended)
    else:
        yield Line(number, wrapping, None, text, "foreign")


def _begins(text: bytes) -> bool:
    """Return whether *text* is the beginning of how our lines begin."""
    return any(beginning.startswith(text[: len(beginning)]) for beginning in _BEGINNINGS)


def _pieces(text: bytes) -> Iterator[tuple[bytes, Any]]:
    """Yield the events in a line that holds several, and what is between them.

    A line that was cut by a kill has the next process's first line behind it.
    """
    at = begun = 0
    for _ in range(_TRIES):
        start = min((place for name in _BEGINNINGS if (place := text.find(name, at)) >= 0), default=-1)
        if start < 0:
            break
        found, end = _first_object(text, start)
        if not is_ours(found):
            at = start + 1
            continue
        if text[begun:start].strip():
            yield text[begun:start], None
        yield text[start:end], found
        at = begun = end
    if text[begun:].strip():
        yield text[begun:], None


def _first_object(text: bytes, start: int) -> tuple[Any, int]:
    """Return the JSON object that begins at *start*, and where it ends."""
    rest = text[start:].decode("utf-8", "surrogateescape")
    try:
        _, length = _DECODER.raw_decode(rest)
    except (ValueError, RecursionError):
        return None, start
    end = start + len(rest[:length].encode("utf-8", "surrogateescape"))
    return _parsed(text[start:end]), end


def _braces(text: bytes) -> Iterator[int]:
    place = -1
    for _ in range(8):
        place = text.find(b"{", place + 1)
        if place < 0:
            return
        yield place


def _broken(number: int, wrapping: str, text: bytes, *, ended: bool) -> Line:
    """Return the line for what claims to be ours and cannot be read."""
    whole = text.rstrip().endswith(b"}") and text[:1] == b"{"
    if not whole or (not ended and _brackets(text) > 0):
        reason = "the line ends too early" if not text.rstrip().endswith(b"}") else "the line's beginning is missing"
        return Line(number, wrapping, None, text, "partial_line", reason)
    return Line(number, wrapping, None, text, "malformed", "the line is no valid JSON")


def _brackets(text: bytes) -> int:
    return text.count(b"{") - text.count(b"}")


def _object(number: int, wrapping: str, text: bytes, found: Any, depth: int) -> Line:
    """Return the line for a JSON value: an event, or something that carries one, or neither."""
    if is_ours(found):
        return Line(number, wrapping, found, text)
    if type(found) is dict and depth > 0:
        for name, kind in _CARRIERS:
            carried = found.get(name)
            outer = wrapping if wrapping not in ("native", "prefixed") else kind
            if type(carried) is list and name == "MESSAGE":
                carried = _bytes(carried)
            if type(carried) is str:
                carried = carried.encode("utf-8", "surrogatepass")
            if type(carried) is dict:
                line = _object(number, outer, text, carried, depth - 1)
            elif type(carried) is bytes and carried:
                line = next(_taken(number, outer, carried, depth - 1, ended=True))
            else:
                continue
            if line.kind != "foreign":
                return line if line.wrapping not in ("syslog", "prefixed") else line._replace(wrapping=outer)
    return Line(number, wrapping, None, text, "foreign")


def _bytes(numbers: list[Any]) -> bytes | None:
    """Return journald's form of a message that is no plain text: a list of its bytes."""
    try:
        return bytes(numbers)
    except (TypeError, ValueError):
        return None


def _parsed(text: bytes) -> Any:
    """Return the JSON object that *text* is; None where it is none."""
    if text[:1] != b"{":
        return None
    try:
        return orjson.loads(text)
    except ValueError:
        if not text.endswith(b"}") or not _CLAIM.search(text):
            return None
    try:
        return json.loads(text)  # NaN, and integers beyond 64 bits: no JSON to be exact, but somebody's
    except (ValueError, RecursionError):
        return None


def doubled(text: bytes, least: int) -> str | None:
    """Return a name that an object in *text* has twice; readers differ in which of the two values they take.

    Args:
        text: JSON.
        least: how many names were read from it; where it has as many, none is there twice.
    """
    if text.count(b'":') == least:
        return None
    twice: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(items) != len(dict(items)):
            names = [name for name, _ in items]
            twice.append(next(name for name in names if names.count(name) > 1))
        return dict(items)

    try:
        json.loads(text, object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        return None
    return twice[0] if twice else None
