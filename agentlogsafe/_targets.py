"""What is hooked into a target: its failures are heard, and what it waits for is bounded."""

from __future__ import annotations

import json
import logging
import logging.handlers
import re
import sys
import threading
import time
import weakref
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from agentlogsafe._bounds import bounded, hang_up, heard, is_gone, reconnects

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

handlers: weakref.WeakSet[logging.Handler] = weakref.WeakSet()
_ended: list[bool] = []


def members(found: weakref.WeakSet[T]) -> list[T]:
    """Return what is in a set that another thread may add to at the same time."""
    # Copied in one step of the interpreter. To iterate over the set itself, again when it has changed, might never end
    # while others go on adding; a lock would have to be taken in a signal's handler, too.
    references = found.data.copy()  # type: ignore[attr-defined]
    return [member for reference in references if (member := reference()) is not None]


def listen(handler: logging.Handler, formatter: logging.Formatter) -> Callable[[], None]:
    """Have *handler* tell of its failures during `deliver`, and format with *formatter* if it has none.

    Outside `deliver` it does both as before. Returns a function that takes this back.
    """
    before = handler.handleError

    def handle_error(record: logging.LogRecord) -> None:
        if heard.active is handler:
            heard.error = sys.exc_info()[1] or RuntimeError("handleError")
            if reconnects(handler):
                hang_up(handler)
        else:
            before(record)

    own: dict[str, Any] = {"handleError": handle_error}
    if handler.formatter is None:
        own["format"] = _formatting(handler, formatter)
    if isinstance(handler, logging.handlers.SocketHandler) and type(handler).send is _SEND:
        own["send"] = _audible(handler)
    own |= bounded(handler)
    if isinstance(handler, logging.FileHandler) and handler.mode == "w":
        own["emit"] = _not_when_closed(handler, own.get("emit", handler.emit))
    handler.__dict__.update(own)
    handlers.add(handler)

    def restore() -> None:
        for name, function in own.items():
            if handler.__dict__.get(name) is function:
                del handler.__dict__[name]

    return restore


def _formatting(handler: logging.Handler, formatter: logging.Formatter | None) -> Callable[[logging.LogRecord], str]:
    """Return a ``format`` that uses *formatter* where the handler has none, and does not let daemon threads write."""
    before = handler.format
    buffered = isinstance(handler, logging.StreamHandler)

    def format_record(record: logging.LogRecord) -> str:
        if heard.active is not handler:
            return before(record)
        if _ended and buffered and ends():
            msg = "the interpreter ends"
            raise RuntimeError(msg)
        return before(record) if formatter is None or handler.formatter is not None else formatter.format(record)

    return format_record


_escaping: weakref.WeakSet[logging.Handler] = weakref.WeakSet()


def escape(handler: logging.Handler) -> bool:
    """Have *handler*, whose stream does not take all of Unicode, write the rest of it as JSON does.

    Returns False where it does so already.
    """
    if handler in _escaping:
        return False
    _escaping.add(handler)
    before = handler.format

    def format_record(record: logging.LogRecord) -> str:
        text = before(record)
        return escaped(text) if heard.active is handler else text

    handler.__dict__["format"] = format_record
    return True


_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")


def escaped(text: str) -> str:
    r"""Return *text* with ``\uXXXX`` for what is beyond ASCII, which in JSON stands in strings only."""
    return _BEYOND_ASCII.sub(lambda match: json.dumps(match[0])[1:-1], text)


@lru_cache(maxsize=64)
def takes_all(encoding: str) -> bool:
    """Return whether an encoding has all of Unicode."""
    try:
        return bool("\x80\u20ac\U0001f512".encode(encoding))
    except (UnicodeEncodeError, LookupError):
        return False


def _not_when_closed(
    handler: logging.FileHandler, before: Callable[[logging.LogRecord], None]
) -> Callable[[logging.LogRecord], None]:
    """Return an ``emit`` that tells when nothing is written: a file of mode ``w`` that is closed stays closed."""

    def emit(record: logging.LogRecord) -> None:
        before(record)
        if handler.stream is None and heard.active is handler:
            heard.error = heard.error or ValueError()

    return emit


_SEND = logging.handlers.SocketHandler.send


def _audible(handler: logging.handlers.SocketHandler) -> Callable[[bytes], None]:
    """Return a ``send`` that tells when nothing was sent: the original closes the socket and says nothing."""
    before = handler.send

    def send(data: bytes) -> None:
        if heard.active is not handler:
            before(data)
            return
        if handler.sock is not None and is_gone(handler.sock):
            handler.sock.close()
            handler.sock = None
        before(data)
        if handler.sock is None:
            heard.error = ConnectionError()

    return send


def settle(patience: float = 1.0) -> None:
    """Where the interpreter ends: let no daemon thread write any more.

    One that is stopped inside a file's buffer leaves its lock held, and the interpreter aborts when it wants that.
    From now on what they log goes to the fallback, which has no buffer.
    """
    if threading.main_thread().is_alive() or _ended:
        return
    _ended.append(True)
    for handler in members(handlers):
        handler.__dict__.setdefault("format", _formatting(handler, None))  # not before: every line would pay for it
    for lock in locked(patience):
        lock.release()


def locked(patience: float) -> list[Any]:
    """Acquire the locks of all handlers that are listened to, as far as that can be done in time; return those."""
    held = []
    deadline = time.monotonic() + patience
    for handler in members(handlers):
        lock = handler.lock
        if lock is not None and lock.acquire(timeout=max(deadline - time.monotonic(), 0.001)):
            held.append(lock)
    return held


def ends() -> bool:
    """Return whether this is a thread that may not write any more."""
    return bool(_ended) and threading.current_thread() is not threading.main_thread()
