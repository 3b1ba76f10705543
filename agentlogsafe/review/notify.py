"""Telling others of a finding: a webhook or a command, without waiting for them and without failing with them."""

from __future__ import annotations

import queue
import shlex
import subprocess
import threading
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from agentlogsafe.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

_WAITING = 1_000
_PATIENCE = 10.0


class Notifier:
    """Calls a webhook, a command, or both, with each finding as JSON, from a thread of its own.

    The webhook gets a ``POST`` with the JSON as body; the command gets it on standard input, as one line. Each call may
    take ten seconds. A thousand findings may wait; what comes then is not sent. Failures are said and never fatal.

    Args:
        webhook: an ``http`` or ``https`` address.
        command: a program and its arguments, split as a shell would; no shell runs it.
        say: takes sentences about failures.

    Raises:
        ConfigurationError: for an address or a command that is none.
    """

    def __init__(self, webhook: str | None, command: str | None, say: Callable[[str], None]) -> None:
        self._senders: list[tuple[str, Callable[[bytes], None]]] = []
        if webhook is not None:
            # Paths of webhooks are secrets: only the host is spoken of.
            self._senders.append((f"webhook {_host(webhook)}", lambda body: _post(webhook, body)))
        if command is not None:
            try:
                words = shlex.split(command)
            except ValueError as error:
                msg = f"command: {error}"
                raise ConfigurationError(msg) from None
            if not words:
                msg = "command: expected a program and its arguments"
                raise ConfigurationError(msg)
            self._senders.append((f"command {words[0]}", lambda body: _run(words, body)))
        self._say = say
        self._queue: queue.Queue[bytes | None] = queue.Queue(_WAITING)
        self._dropped = 0
        self._thread: threading.Thread | None = None

    def send(self, finding: bytes) -> None:
        """Have *finding*, a JSON object, sent. Returns at once."""
        if not self._senders:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="agentlogsafe-notify", daemon=True)
            self._thread.start()
        try:
            self._queue.put_nowait(finding)
        except queue.Full:
            self._dropped += 1
            if self._dropped == 1:
                self._say(f"{_WAITING} findings wait to be sent; what comes now is not sent")
        else:
            if self._dropped:
                self._say(f"{self._dropped} findings were not sent")
                self._dropped = 0

    def close(self, patience: float = _PATIENCE) -> None:
        """Wait for what is still to be sent, *patience* seconds at most."""
        if self._thread is None:
            return
        end = time.monotonic() + patience
        try:
            self._queue.put(None, timeout=patience)
        except queue.Full:
            pass
        else:
            self._thread.join(max(end - time.monotonic(), 0.0))
        left = self._queue.qsize()
        if self._thread.is_alive() and left:
            self._say(f"{left} findings were not sent")

    def _work(self) -> None:
        while (finding := self._queue.get()) is not None:
            for name, call in self._senders:
                try:
                    call(finding)
                except Exception as error:  # noqa: BLE001, PERF203 -- the other side may fail in any way
                    self._say(f"{name} failed: {_reason(error)}")


def _host(address: str) -> str:
    try:
        parts = urlsplit(address)
        if parts.scheme in ("http", "https") and parts.hostname:
            return parts.hostname
    except ValueError:
        pass
    msg = "webhook: expected an address such as https://example.com/hook"
    raise ConfigurationError(msg)


def _post(address: str, body: bytes) -> None:
    headers = {"Content-Type": "application/json", "User-Agent": "agentlogsafe"}
    # The scheme was checked: no file is opened by this.
    request = urllib.request.Request(address, body, headers, method="POST")  # noqa: S310
    try:
        _OPENER.open(request, timeout=_PATIENCE).close()
    except urllib.error.HTTPError as error:
        error.close()  # it is an answer, too, and holds a connection
        raise


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A finding goes where it was told to go, and nowhere else."""

    def redirect_request(self, *_: object) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


def _run(words: list[str], body: bytes) -> None:
    # What the command says would get between the findings on standard output.
    subprocess.run(  # noqa: S603 -- the user's own command
        words, input=body + b"\n", stdout=subprocess.DEVNULL, timeout=_PATIENCE, check=True
    )


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"it answered {error.code}"
    if isinstance(error, subprocess.CalledProcessError):
        return f"exit status {error.returncode}"
    if isinstance(error, (subprocess.TimeoutExpired, TimeoutError)):
        return f"no answer within {_PATIENCE:.0f} seconds"
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None)
    return f"{reason}" if reason else type(error).__name__
