"""What the tests of faults share: programs of their own, servers that come and go, and the books."""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import subprocess
import sys
import textwrap
import threading
import time

import agentlogsafe
from tests.helpers import unmeasured


def run_program(source, *arguments, **options):
    """Run a program in a fresh interpreter."""
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(source), *arguments]
    options = {"capture_output": True, "text": True, "timeout": 180, "env": unmeasured(), **options}
    return subprocess.run(command, check=False, **options)


def audited(target, name="app", **settings):
    """Configure a logger with an AuditHandler around *target*; return both."""
    handler = agentlogsafe.AuditHandler(target, **settings)
    logger = logging.getLogger(name)
    logger.handlers[:] = [handler]
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    return logger, handler


def books(handler):
    """Return the counts, which have to balance."""
    counts = handler.counters.as_dict()
    assert counts["accepted"] == counts["delivered"] + counts["fallback"] + counts["lost"]
    return counts


def whole_lines(path):
    """Return the JSON lines of a file, and how many of its lines are none."""
    found, torn = [], 0
    for line in path.read_bytes().split(b"\n") if path.exists() else ():
        try:
            found += [json.loads(line)] if line else []
        except ValueError:
            torn += 1
    return found, torn


def numbers(events):
    """Return the numbers that the calls of a test have, without what the handler says itself."""
    return [event["payload"]["n"] for event in events if "n" in event.get("payload", {})]


def until(condition, seconds=60.0):
    """Wait until *condition* holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.002)


class Raising(logging.Handler):
    """A target that fails as long as it is told to."""

    def __init__(self, error=OSError("secret-of-the-target")):  # noqa: B008
        super().__init__()
        self.error = error
        self.seen = []

    def emit(self, record):
        if self.error is not None:
            raise self.error
        self.seen.append(json.loads(self.format(record)))


class Server:
    """A TCP server on one port that can be stopped, and started again; it keeps whatever it reads."""

    def __init__(self, *, reads=True):
        self.data = bytearray()
        self.reads = reads
        # Keeps the port while the server is down: no other process gets it, and no client connects to itself.
        self._reserved = socket.socket()
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reserved.bind(("127.0.0.1", 0))
        self.address = self._reserved.getsockname()
        self.start()

    def start(self):
        self._listening = socket.socket()
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if not self.reads:
            self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._listening.bind(self.address)
        self._listening.listen()
        self._connections = []
        self._thread = threading.Thread(target=self._accept, args=(self._listening,), daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Stop, and give the port back."""
        self.stop()
        self._reserved.close()

    def _accept(self, listening):
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            self._connections.append(connection)
            if self.reads:
                threading.Thread(target=self._read, args=(connection,), daemon=True).start()

    def _read(self, connection):
        while True:
            try:
                block = connection.recv(65536)
            except OSError:
                return
            if not block:
                return
            self.data += block

    def stop(self):
        """End as a process that is killed does: the system closes what it had open."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join(60)
        self._listening.close()
        for connection in self._connections:
            with contextlib.suppress(OSError):  # the other side was quicker
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
