"""Hostile input through the whole path: exactly one valid JSON line, never an exception (pitfalls 37 to 39)."""

from __future__ import annotations

import dataclasses
import json
import logging
import logging.handlers
import math
import queue
import socket
from collections import UserDict

import pytest
import structlog

import agentlogsafe
from agentlogsafe.events import BASE_FIELDS
from tests.helpers import TEXT, clean, valid

from .test_network import Rsyslog, pickled, reconnects
from .tools import Server, audited, books, until, whole_lines


class Raises:
    """Raises whatever is asked of it."""

    def __str__(self):
        raise RuntimeError(TEXT)

    __repr__ = __str__

    def __getattr__(self, name):
        raise RuntimeError(TEXT)

    def __hash__(self):
        return 1


class Loops:
    """Asks itself, for ever."""

    def __str__(self):
        return str(self)

    def __repr__(self):
        return repr(self)


class Model:
    """A model that cannot be dumped."""

    def model_dump(self, **_):
        raise MemoryError(TEXT)


class Lies(dict):
    """A mapping that says nothing true of itself."""

    def items(self):
        raise KeyError(TEXT)

    def __iter__(self):
        raise KeyError(TEXT)

    def __len__(self):
        return 5


@dataclasses.dataclass
class Data:
    """Data with a text in it."""

    text: str


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


CYCLE: dict = {"a": 1}
CYCLE["self"] = CYCLE

HOSTILE = {
    "nan": math.nan,
    "infinite": [math.inf, -math.inf],
    "surrogate": "lone \ud800 and \udfff",
    "huge integer": 10**400,
    "64 bits": [2**63, 2**64, -(2**63) - 1],
    "bytes": b"\xff\x00\xfe",
    "memory": memoryview(b"\xff"),
    "cycle": CYCLE,
    "deep": nested(5_000),
    "wide": list(range(100_000)),
    "many keys": {str(number): number for number in range(50_000)},
    "long": "x" * 1_000_000,
    "long line": ["y" * 3_000] * 50,
    "raises": Raises(),
    "loops": Loops(),
    "model": Model(),
    "lies": Lies(a=1),
    "user dict": UserDict(a=UserDict()),
    "keys": {1: 1, None: 2, (1, 2): 3, b"\xff": 4, "\ud800": 5, Raises: 6, math.nan: 7},
    "data": Data("\x00\x1b[31m\u2028\u2029\x85\x7f"),
    "controls": "".join(map(chr, range(32))) + "\x7f\x80\x9b\u2028\u2029\ufeff\u202e",
    "crlf": "a\r\nb\nc",
    "type": Data,
    "generator": (number for number in range(3)),
    "secret": TEXT,
}
FIELDS = agentlogsafe.json_schema()["properties"].keys()
FORBIDDEN = [*(chr(number) for number in (*range(32), *range(0x7F, 0xA0))), "\u2028", "\u2029"]


def targets():
    """Return, by kind, a function that makes a target, and one that returns what has arrived."""
    return {"file": to_file, "udp": to_udp, "tcp": to_tcp, "socket": to_socket, "queue": to_queue, "relay": to_relay}


def to_file(folder):
    path = folder / "app.jsonl"
    target = logging.FileHandler(path)
    return target, lambda: path.read_text("utf-8").split("\n")[:-1], target.close, {}


def to_relay(folder):
    return *to_file(folder)[:3], {"queue": True}


def to_udp(folder):
    receiving = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiving.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    receiving.bind(("127.0.0.1", 0))
    receiving.settimeout(0.2)
    target = logging.handlers.SysLogHandler(receiving.getsockname())
    found = []

    def arrived():
        try:
            while True:
                found.append(receiving.recv(65536).decode().partition(">")[2].removesuffix("\0"))
        except TimeoutError:
            return found
        except OSError:  # Python 3.10
            return found

    def close():
        target.close()
        receiving.close()

    return target, arrived, close, {}


def to_tcp(folder):
    server = Server()
    target = logging.handlers.SysLogHandler(server.address, socktype=socket.SOCK_STREAM)

    def arrived():
        messages = bytes(server.data).split(b"\0")[:-1]
        return [message.decode().partition(">")[2] for message in messages]

    def close():
        target.close()
        server.close()

    return target, arrived, close, {}


def to_socket(folder):
    server = Server()
    target = logging.handlers.SocketHandler(*server.address)

    def close():
        target.close()
        server.close()

    def arrived():
        # The receiver of a SocketHandler has the fields as attributes of a record, without those that are null.
        return [
            json.dumps(
                {**dict.fromkeys(BASE_FIELDS), **{name: record[name] for name in FIELDS & record.keys()}},
                ensure_ascii=False,
                separators=(",", ":"),
            )
            for record in pickled(server)
        ]

    return target, arrived, close, {}


def to_queue(folder):
    waiting = queue.SimpleQueue()
    path = folder / "app.jsonl"
    sink = logging.FileHandler(path)
    listener = logging.handlers.QueueListener(waiting, sink)
    listener.start()

    def close():
        listener.stop()
        sink.close()

    return logging.handlers.QueueHandler(waiting), lambda: path.read_text("utf-8").split("\n")[:-1], close, {}


def by_stdlib(logger, value):
    logger.info("tool_call", {"tool_name": "t", "value": value})


def by_structlog(logger, value):
    structlog.get_logger("app").info("tool_call", tool_name="t", value=value)


@pytest.mark.parametrize("entry", [by_stdlib, by_structlog])
@pytest.mark.parametrize("kind", targets())
def test_values(tmp_path, kind, entry):
    """Every hostile value becomes one valid event in one line, without what corrupts lines, in order."""
    target, arrived, close, settings = targets()[kind](tmp_path)
    logger, handler = audited(target, **settings)
    structlog.configure(
        processors=[*agentlogsafe.processors.audit(), agentlogsafe.processors.to_stdlib],
        logger_factory=structlog.stdlib.LoggerFactory(),
    )

    for value in HOSTILE.values():
        entry(logger, value)
    handler.flush()
    until(lambda: len(arrived()) >= len(HOSTILE))
    counts = books(handler)
    handler.counters.delivered = 0  # so that closing has nothing to report
    handler.close()
    close()

    found = arrived() if kind != "udp" else arrived.__closure__[0].cell_contents
    assert len(found) == len(HOSTILE)
    assert (counts["accepted"], counts["delivered"]) == (len(HOSTILE), len(HOSTILE))
    for name, line in zip(HOSTILE, found, strict=True):
        assert not [char for char in FORBIDDEN if char in line], name
        assert len(line.encode()) <= 16_000, name
        event = valid(json.loads(line))
        assert (event["event_type"], event["tool_name"]) == ("tool_call", "t"), name
        clean(line)


@reconnects
def test_rsyslog(tmp_path):
    """A real rsyslogd writes every hostile value as one valid JSON line, whole."""
    rsyslog = Rsyslog(tmp_path)
    target = logging.handlers.SysLogHandler(rsyslog.address, socktype=socket.SOCK_STREAM)
    target.ident = "agentlogsafe: "
    logger, _ = audited(target)
    try:
        for value in HOSTILE.values():
            by_stdlib(logger, value)
        until(lambda: len(rsyslog.events()) == len(HOSTILE))
        target.close()
    finally:
        rsyslog.close()

    events, torn = whole_lines(rsyslog.out)
    assert (len(events), torn) == (len(HOSTILE), 0)
    for event in events:
        valid(event)


@pytest.mark.parametrize("entry", ["call", "extra", "message", "args"])
def test_places(entry):
    """In whatever place of a call a hostile value is, the call returns and one record is accounted for."""
    lines = []

    class Keep(logging.Handler):
        def emit(self, record):
            lines.append(self.format(record))

    logger, handler = audited(Keep())
    for value in HOSTILE.values():
        if entry == "call":
            logger.info("tool_call", value if isinstance(value, dict) else {"args": value, "metadata": value})
        elif entry == "extra":
            logger.info("hello", extra={"value": value, "event_id": value, "run_id": value})
        elif entry == "message":
            logger.info(value)
        else:
            logger.info("%s and %d", value, value)

    assert books(handler)["delivered"] == len(HOSTILE) == len(lines)
    for line in lines:
        json.loads(line)
        assert "\n" not in line
        assert "\0" not in line
        clean(line)
