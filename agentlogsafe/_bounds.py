"""Bounds on what a target may wait for: a pipe, a terminal or a connection that nobody reads.

Most handlers of the standard library wait for these as long as it takes. During `agentlogsafe.delivery.deliver` they
wait `PATIENCE` seconds; for whoever else calls them, they do as before.
"""

from __future__ import annotations

import contextlib
import io
import logging
import logging.handlers
import os
import select
import socket
import stat
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 5.0
"""Seconds that a log call waits for a target that takes nothing; as many as `logging.handlers.SMTPHandler` does."""

_can_poll = hasattr(select, "poll")


class _Heard(threading.local):
    """The delivery that this thread is in: to which handler, what failed there, and whether it may wait."""

    active: Any = None
    error: BaseException | None = None
    patient = False


heard = _Heard()


def be_patient() -> None:
    """Have this thread wait for targets as long as they take: it is the one behind a queue, and nobody waits for it."""
    heard.patient = True


def reconnects(handler: object) -> bool:
    """Return whether the handler is for syslog; before Python 3.11 it connects when it is made and never again."""
    return isinstance(handler, logging.handlers.SysLogHandler) and hasattr(handler, "createSocket")


def hang_up(handler: Any) -> None:
    """Have the next record connect anew: the handler itself would write to the broken connection for ever."""
    broken = handler.socket
    if broken is not None and handler.socktype == socket.SOCK_STREAM:
        with contextlib.suppress(OSError):
            broken.close()
        handler.socket = None


def is_gone(connection: object) -> bool:
    """Return whether the other side of a TCP connection has closed it; the first write after that would succeed."""
    if type(connection) is not socket.socket or connection.type != socket.SOCK_STREAM or not _can_poll:
        return False
    try:
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        return bool(poll.poll(0)) and connection.recv(1, socket.MSG_PEEK) == b""
    except (OSError, ValueError):
        return True


def bounded(handler: Any) -> dict[str, Any]:
    """Return what keeps a handler of a kind that is known from waiting without bound."""
    if isinstance(handler, logging.handlers.SysLogHandler):
        return _bounded_syslog(handler)
    if isinstance(handler, logging.handlers.SocketHandler):
        return {"emit": _bounded_emit(handler, "sock", [])}
    if isinstance(handler, logging.handlers.HTTPHandler):
        return {"getConnection": _bounded_connection(handler)}
    if isinstance(handler, logging.StreamHandler) and not _is_file(handler):
        opens = {"_open": _bounded_open(handler)} if isinstance(handler, logging.FileHandler) else {}
        return {"emit": _bounded_stream(handler), **opens}
    return {}


class _Room:
    """Whether there is room to write to: waited for `PATIENCE` seconds, and not again until there was some."""

    def __init__(self, descriptor: Any) -> None:
        self.of = descriptor
        self.stalled = False
        made = select.poll()
        made.register(descriptor, select.POLLOUT)
        self.poll = made.poll

    def wait(self, deadline: float | None = None) -> bool:
        """Return whether something can be written without waiting; an error can, too, and comes from the write."""
        poll = self.poll
        if not poll(0):
            if heard.patient:
                poll()
            elif self.stalled or not poll(PATIENCE * 1e3 if deadline is None else _milliseconds(deadline)):
                self.stalled = True
                return False
        self.stalled = False
        return True


def _milliseconds(deadline: float) -> float:
    return max(deadline - time.monotonic(), 0.0) * 1e3


def _bounded_emit(handler: Any, name: str, timed: list[socket.socket]) -> Callable[[logging.LogRecord], None]:
    """Return an ``emit`` for a handler with a socket of that name, which it may write to without a timeout.

    A full socket is waited for before anything is written, so that no line is torn. What begins to be written, or
    connects, has a timeout. *timed* are the sockets that have got it meanwhile.
    """
    before = handler.emit
    room: _Room | None = None

    def emit(record: logging.LogRecord) -> None:
        nonlocal room
        if heard.active is not handler:
            before(record)
            return
        if name == "socket" and reconnects(handler) and is_gone(handler.socket):
            hang_up(handler)
        if heard.patient:
            before(record)
            return
        connection = getattr(handler, name)
        if isinstance(connection, socket.socket) and connection.gettimeout() is None and connection.fileno() >= 0:
            if _can_fill(connection):
                if room is None or room.of is not connection:
                    room = _Room(connection)
                if not room.wait():
                    heard.error = BlockingIOError()
                    return
            connection.settimeout(PATIENCE)
            timed.append(connection)
        try:
            before(record)
        finally:
            while timed:
                with contextlib.suppress(OSError):
                    timed.pop().settimeout(None)

    return emit


def _can_fill(connection: socket.socket) -> bool:
    """Return whether a write may wait for the other side to read; UDP does not."""
    unix = getattr(socket, "AF_UNIX", None)
    return _can_poll and (connection.type == socket.SOCK_STREAM or connection.family == unix)


def _bounded_syslog(handler: Any) -> dict[str, Any]:
    """Return what bounds a SysLogHandler: connecting has a timeout, also where it does so in the middle of an emit."""
    timed: list[socket.socket] = []
    own: dict[str, Any] = {"emit": _bounded_emit(handler, "socket", timed)}

    def bound() -> None:
        made = handler.socket
        if made is not None and made.gettimeout() is None:
            made.settimeout(PATIENCE)
            timed.append(made)

    def during(connect: Callable[..., None], *, tcp: bool) -> Callable[..., None]:
        def connect_bounded(*address: Any) -> None:
            hurried = heard.active is handler and not heard.patient
            if hurried and tcp and handler.socktype == socket.SOCK_STREAM and not isinstance(handler.address, str):
                own = getattr(handler, "timeout", None)  # a setting from Python 3.14 on
                handler.socket = socket.create_connection(handler.address, own or PATIENCE)
                if not own:
                    timed.append(handler.socket)
                return
            connect(*address)
            if hurried:
                bound()

        return connect_bounded

    for name in ("createSocket", "_connect_unixsocket"):
        if hasattr(handler, name):
            original = getattr(logging.handlers.SysLogHandler, name)
            stock = name == "createSocket" and getattr(type(handler), name) is original  # else it may speak TLS
            own[name] = during(getattr(handler, name), tcp=stock)
    return own


def _bounded_connection(handler: Any) -> Callable[..., Any]:
    """Return a ``getConnection`` for an HTTPHandler, whose connections have no timeout."""
    before = handler.getConnection

    def get_connection(*arguments: Any) -> Any:
        connection = before(*arguments)
        if heard.active is handler and not heard.patient and socket.getdefaulttimeout() is None:
            given = getattr(connection, "timeout", PATIENCE)
            if not isinstance(given, (int, float)):
                connection.timeout = PATIENCE
        return connection

    return get_connection


def _is_file(handler: Any) -> bool:
    """Return whether the handler writes to a file on a disk, which takes as long as that does."""
    if not isinstance(handler, logging.FileHandler):
        return False
    try:
        return stat.S_ISREG(os.stat(handler.baseFilename).st_mode)  # noqa: PTH116 -- it is a string
    except OSError:
        return True


def _bounded_open(handler: Any) -> Callable[[], Any]:
    """Return an ``_open`` for a FileHandler: after it was closed, it opens a named pipe again, which needs a reader."""
    before = handler._open  # noqa: SLF001 -- the one place where it opens its file

    def open_bounded() -> Any:
        if heard.active is not handler or heard.patient:
            return before()
        probe = os.open(handler.baseFilename, os.O_WRONLY | os.O_NONBLOCK)  # raises where there is no reader
        try:
            return before()
        finally:
            os.close(probe)

    return open_bounded


def _bounded_stream(handler: Any) -> Callable[[logging.LogRecord], None]:
    """Return an ``emit`` for a StreamHandler, whose stream may be a pipe or a terminal that nobody reads."""
    before = handler.emit
    known: Any = None
    bounded: _Stream | None = None

    def emit(record: logging.LogRecord) -> None:
        nonlocal known, bounded
        if heard.active is not handler:
            before(record)
            return
        stream = handler.stream
        if stream is not known:
            known, bounded = stream, _Stream.of(handler, stream)
        if bounded is None:
            before(record)
            return
        handler.stream = bounded
        try:
            before(record)
        finally:
            handler.stream = stream

    return emit


class _Stream:
    """Stands for a pipe, a terminal or a socket while one line is written to it: writes only where there is room.

    A line of up to `select.PIPE_BUF` bytes goes to the stream itself, at once. A longer one is written in pieces; where
    there is no room for the next piece, the rest waits in memory and is written before the next line, so that a line
    is torn only when its reader never comes back.
    """

    def __init__(self, stream: Any, descriptor: int, *, pieces: bool) -> None:
        self._stream = stream
        self._descriptor = descriptor
        self._room = _Room(descriptor)
        self._terminal = os.isatty(descriptor)
        self._pieces = pieces
        self._rest = b""
        # Looked up once: what every short line needs.
        self._most = 0 if self._terminal and pieces else select.PIPE_BUF
        self._ready = self._room.poll
        self._write = stream.write
        self.flush = stream.flush

    @classmethod
    def of(cls, handler: Any, stream: Any) -> _Stream | None:
        """Return what stands for the stream, or None where nobody has to read for there to be room."""
        try:
            descriptor = stream.fileno()
            mode = os.fstat(descriptor).st_mode
            if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(descriptor)) or not _can_poll:
                return None
            handler.stream = stream  # where it is a property, it cannot be replaced
            return cls(stream, descriptor, pieces=isinstance(stream, io.TextIOWrapper) and not stat.S_ISSOCK(mode))
        except Exception:  # noqa: BLE001 -- a stream can be any object
            return None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> None:
        """Write a line.

        Raises:
            BlockingIOError: there was no room for it, or for the rest of it.
        """
        if len(text) <= self._most and text.isascii() and not self._rest and self._ready(0):
            self._room.stalled = False
            self._write(text)
        elif self._pieces and (self._rest or not self._most or _size(text) > select.PIPE_BUF):
            self._write_pieces(text.encode(self._stream.encoding, self._stream.errors))
        elif self._room.wait():
            self._write(text)
        else:
            raise BlockingIOError

    def _write_pieces(self, line: bytes) -> None:
        self._stream.flush()
        descriptor = self._descriptor
        if self._terminal:
            # What a terminal has room for is not known before it is tried, and only this descriptor may not wait.
            descriptor = os.open(os.ttyname(descriptor), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
        try:
            deadline = time.monotonic() + PATIENCE
            self._rest = self._written(descriptor, self._rest, deadline)
            if self._rest:
                raise BlockingIOError
            rest = self._written(descriptor, line, deadline)
            if rest:
                self._rest = rest if len(rest) < len(line) else b""
                raise BlockingIOError
        finally:
            if self._terminal:
                os.close(descriptor)

    def _written(self, descriptor: int, data: bytes, deadline: float) -> bytes:
        """Write; return what there was no room for."""
        while data and self._room.wait(deadline):
            try:
                data = data[os.write(descriptor, data[: select.PIPE_BUF]) :]
            except BlockingIOError:  # noqa: PERF203 -- trying again is the point
                if time.monotonic() > deadline and not heard.patient:
                    self._room.stalled = True
                    break
                time.sleep(0.001)
        return data


def _size(text: str) -> int:
    return len(text) if text.isascii() else 4 * len(text)


def has_room(stream: Any) -> bool:
    """Return whether a stream takes a short line at once."""
    try:
        poll = select.poll()
        poll.register(stream.fileno(), select.POLLOUT)
        return bool(poll.poll(0))
    except Exception:  # noqa: BLE001 -- no descriptor, nothing to wait for
        return True
