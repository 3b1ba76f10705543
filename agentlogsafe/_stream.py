"""The stream of sealed events that a chain writes in one process, and its checkpoints."""

from __future__ import annotations

import atexit
import logging
import os
import socket
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import orjson

from agentlogsafe import seal
from agentlogsafe._ends import at_end_of_child
from agentlogsafe._targets import listen, members
from agentlogsafe.delivery import deliver, report
from agentlogsafe.errors import ConfigurationError
from agentlogsafe.events import BASE_FIELDS, new_id, timestamp
from agentlogsafe.fallback import FallbackFile

if TYPE_CHECKING:
    from agentlogsafe._records import Audited
    from agentlogsafe.settings import SealSettings

ROOM = 640 + len("".join(f',"{name}":null' for name in BASE_FIELDS))
"""Bytes that a line has to keep free for what follows the body: a seal, of which the first and the last of a stream say
more than the others, and fields that are null."""

_PATIENCE = 5.0
_CHECKPOINTS = 10**12  # bytes: they are few and short, and the file is never rotated


_place = tuple.__new__  # a third of the cost of _Place(...), which every event has to pay


class Way(Protocol):
    """Where sealed events leave the process: a handler, or what formats for one."""

    def counts(self) -> Mapping[str, int]:
        """Return what became of the records of the present stream, where it is known."""

    def send(self, event: Audited, *, last: bool) -> None:
        """Deliver an event of the library's own, which may be the last of the stream."""


class _Place(NamedTuple):
    """How far a stream has come: what the next event needs. Replaced whole, so that nobody sees half of a step."""

    stream: str
    seq: int
    hash: str | None
    key: bytes | None
    parent: dict[str, Any] | None = None
    heir: bytes | None = None  # what the key came from, as long as the parent has another child to come


class Sealer:
    """Seals the events of one chain: each gets its number, and the hash of the one before.

    A stream ends with a closing event. What comes later opens another one, which names its predecessor as parent, as
    the stream of a forked child does: so no first key has to be kept.

    Args:
        where: names the setting in messages.
        settings: checked settings.
        policy: name, version and digest of the chain's policy.
        end: seals and delivers a closing event.

    Raises:
        ConfigurationError: where there is no key, or no place for checkpoints.
    """

    def __init__(
        self, where: str, settings: SealSettings, policy: Mapping[str, Any], end: Callable[[], object]
    ) -> None:
        self.lock = threading.RLock()
        """Held from the seal to the delivery by whoever wants the events to arrive in order. Sealing does not need it:
        who seals may hold the lock of a target that another thread waits for with this one."""
        self._step = threading.RLock()
        self.ways: weakref.WeakSet[Way] = weakref.WeakSet()
        """How the events of the present stream leave the process: the library's own have to leave everywhere, too."""
        self.streams = 0
        """How many streams have ended."""
        self.end = end
        self._opening = {
            "host": socket.gethostname(),
            "package": f"agentlogsafe {_version()}",
            "policy": dict(policy),
        }
        stream, key, self._key_id = new_id(), None, None
        if settings.key is not None:
            master = seal.read_key(f"{where}.key", settings.key)
            key, self._key_id = seal.stream_key(master, stream), seal.key_id(master)
        self._place = _Place(stream, 0, None, key)
        self._checkpoints = None if settings.checkpoint_to is None else _Checkpoints(where, settings)
        _sealers.add(self)

    @property
    def is_open(self) -> bool:
        """Whether something was sealed since the last closing event."""
        return self._place.seq > 0

    def acquire(self) -> bool:
        """Take the lock; return False where another thread hangs with it: order is worth less than an answer."""
        return self.lock.acquire(True, _PATIENCE)

    def join(self, way: Way, joined: int) -> int:
        """Note that *way* takes part in the present stream, unless it has *joined* it before; return its number."""
        streams = self.streams
        if joined != streams:
            self.ways.add(way)
        return streams

    def seal(self, event: Audited, closing: Mapping[str, Any] | None = None) -> None:
        """Give *event* its seal, in place, also in its line.

        Args:
            event: finished; its line, where it has one, is what is not null in it, with names in order.
            closing: counts of what became of the stream's events, where this is its last one.
        """
        content, whole = seal.body(event, event.line, odd=event.odd)
        while True:
            place = self._place
            if closing is None and place.seq:
                made, header = self._usual(place)
            else:
                made = self._first_or_last(place, closing)
                header = seal.canonical(made)
            key = place.key
            mark = seal.digest(b"%b\n%b" % (header, content), key)
            after = _place(_Place, (place.stream, place.seq + 1, mark, key and seal.next_key(key), None, None))
            then = after if closing is None else _successor(after)
            with self._step:
                # Another thread may have logged meanwhile, or a signal's handler in this one.
                if self._place is place:
                    self._place = then
                    break
        if after.seq == 1:
            at_end_of_child(end_streams, -20)
        if closing is not None:
            self.streams += 1
            self.ways.clear()
        if self._checkpoints is not None and self._checkpoints.due(after.seq, closing is not None):
            self._checkpoints.write(after, self._key_id)
        made["hash"] = mark
        event["seal"] = made
        if event.line is None:
            event.nulls = seal.nulls(event)
        event.line = seal.line(content, header, mark, event.nulls) if whole else orjson.dumps(event)

    def _usual(self, place: _Place) -> tuple[dict[str, Any], bytes]:
        """Return the seal of an event in the middle of the stream, without its hash, and its canonical form."""
        made: dict[str, Any] = {"stream": place.stream, "seq": place.seq + 1, "prev": place.hash}
        key = ""
        if self._key_id is not None:
            made["key"] = self._key_id
            key = f'"key":"{self._key_id}",'
        return made, f'{{{key}"prev":"{place.hash}","seq":{place.seq + 1},"stream":"{place.stream}"}}'.encode()

    def _first_or_last(self, place: _Place, closing: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the seal of an event that opens the stream or closes it, without its hash."""
        made: dict[str, Any] = {"stream": place.stream, "seq": place.seq + 1}
        if place.hash is not None:
            made["prev"] = place.hash
        if self._key_id is not None:
            made["key"] = self._key_id
        if place.seq == 0:
            made["stream_open"] = {**self._opening, "time": timestamp(time.time()), "pid": os.getpid()}
            if place.parent is not None:
                made["stream_open"]["parent"] = place.parent
        if closing is not None:
            made["stream_close"] = {"time": timestamp(time.time()), "sealed": place.seq + 1, **closing}
        return made

    def renew_after_fork(self) -> None:
        """Begin a stream of the child's own; the parent's goes on in the parent."""
        self.lock, self._step = threading.RLock(), threading.RLock()
        self.ways.clear()
        self.streams += 1
        self._place = _successor(self._place)


def _version() -> str:
    from importlib import metadata  # noqa: PLC0415 -- it costs 20 ms, and most programs seal nothing

    try:
        return metadata.version("agentlogsafe")
    except metadata.PackageNotFoundError:  # pragma: no cover -- only where the package was copied, not installed
        return "unknown"


def _successor(place: _Place) -> _Place:
    """Return the beginning of the stream that follows this one."""
    stream = new_id()
    if place.seq == 0 and place.parent is not None:  # the one before was never written: this one takes its place
        parent, heir = place.parent, place.heir
    else:
        parent = {"stream": place.stream, "seq": place.seq}
        if place.hash is not None:
            parent["hash"] = place.hash
        heir = None if place.key is None else seal.heir(place.key)
    key = None if heir is None else seal.stream_key(heir, stream)
    return _Place(stream, 0, None, key, parent, heir)


class _Checkpoints:
    """Writes how far a stream has come to a second place."""

    def __init__(self, where: str, settings: SealSettings) -> None:
        place = settings.checkpoint_to
        self._every = settings.checkpoint_every
        self._signing_key = None
        if settings.signing_key is not None:
            try:
                self._signing_key = seal.load_signing_key(seal.read_key(f"{where}.signing_key", settings.signing_key))
            except ValueError as error:
                msg = f"{where}.signing_key: {error}"
                raise ConfigurationError(msg) from None
        if isinstance(place, logging.Handler):
            self._handler = place
        elif isinstance(place, Mapping):
            self._handler = _ToLogger(place["logger"])
        else:
            setting = f"{where}.checkpoint_to"
            self._handler = FallbackFile(place, max_bytes=_CHECKPOINTS, fsync=True, setting=setting)  # type: ignore[arg-type]
        listen(self._handler, logging.Formatter())

    def due(self, seq: int, done: bool) -> bool:
        """Return whether the event with this number is one to keep."""
        return done or seq == 1 or seq % self._every == 0

    def write(self, place: _Place, key_id: str | None) -> None:
        """Write one checkpoint. Never raises; a place that fails is told of on stderr."""
        checkpoint = {"stream": place.stream, "seq": place.seq, "hash": place.hash, "count": place.seq}
        checkpoint["time"] = timestamp(time.time())
        if key_id is not None:
            checkpoint["key"] = key_id
        try:
            if self._signing_key is not None:
                checkpoint = seal.sign(checkpoint, self._signing_key)
            text = orjson.dumps(checkpoint).decode()
            record = logging.LogRecord("agentlogsafe.checkpoint", logging.INFO, __file__, 0, text, None, None)
            failure = deliver(self._handler, record) if record.levelno >= self._handler.level else None
        except Exception as error:  # noqa: BLE001 -- a log call is sacred
            failure = type(error).__name__
        if failure is not None:
            report("checkpoints", f"a checkpoint could not be written ({failure})")


class _ToLogger(logging.Handler):
    """Hands records to a logger of the application's, for checkpoints that a dictConfig sends elsewhere."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._target = name

    def emit(self, record: logging.LogRecord) -> None:
        logging.getLogger(self._target).handle(record)


_sealers: weakref.WeakSet[Sealer] = weakref.WeakSet()


def end_streams() -> None:
    """Close every open stream of sealed events.

    A process does so when it ends. Call it before, where handlers are closed before that (``logging.shutdown()``), or
    where the process ends without its exit functions (``os._exit()``). Never raises. What is logged afterwards opens
    another stream.
    """
    for sealer in members(_sealers):
        if sealer.is_open:
            sealer.end()


def _renew_after_fork() -> None:
    for sealer in members(_sealers):
        sealer.renew_after_fork()


atexit.register(end_streams)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_after_fork)
