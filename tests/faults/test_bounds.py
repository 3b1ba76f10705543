"""Targets that nobody reads: pipes, terminals, connections; no call waits for them without bound, no line is torn."""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import logging.handlers
import os
import random
import select
import socket
import subprocess
import sys
import threading
import time

import pytest

import agentlogsafe
from agentlogsafe import _bounds

from .test_network import reconnects
from .tools import Server, audited, books, numbers, run_program, until, whole_lines

pytestmark = pytest.mark.skipif(not hasattr(select, "poll"), reason="needs poll")
SECONDS = 0.4


@pytest.fixture
def hurried(monkeypatch):
    """Wait less than users do."""
    monkeypatch.setattr(_bounds, "PATIENCE", SECONDS)


class Reader:
    """The other end of a target; it reads when it is told to."""

    def __init__(self, read):
        self._read = read
        self.data = bytearray()

    def read_all(self):
        """Read what is there now."""
        while block := self._read():
            self.data += block

    def lines(self):
        return [json.loads(line) for line in bytes(self.data).replace(b"\0", b"\n").split(b"\n") if line.strip()]


def nonblocking(descriptor):
    os.set_blocking(descriptor, False)

    def read():
        try:
            return os.read(descriptor, 65536)
        except BlockingIOError:
            return b""

    return Reader(read)


def received(made):
    made.setblocking(False)

    def read():
        with contextlib.suppress(BlockingIOError):
            return made.recv(65536)

    return Reader(read)


@contextlib.contextmanager
def pipe(_):
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb"), os.fdopen(writing, "w") as stream:
        yield logging.StreamHandler(stream), nonblocking(reading)


@contextlib.contextmanager
def fifo(folder):
    path = folder / "fifo"
    os.mkfifo(path)
    reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(reading, "rb"):
        target = logging.FileHandler(path)
        yield target, nonblocking(reading)
        target.close()


@contextlib.contextmanager
def terminal(_):
    pty = pytest.importorskip("pty")
    reading, writing = pty.openpty()
    with os.fdopen(reading, "rb"), os.fdopen(writing, "w") as stream:
        yield logging.StreamHandler(stream), nonblocking(reading)


@contextlib.contextmanager
def stream_socket(_):
    reading, writing = socket.socketpair()
    with reading, writing, writing.makefile("w", encoding="utf-8") as stream:
        yield logging.StreamHandler(stream), received(reading)


@contextlib.contextmanager
def tcp_syslog(_):
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    server.bind(("127.0.0.1", 0))
    server.listen()
    target = logging.handlers.SysLogHandler(server.getsockname(), socktype=socket.SOCK_STREAM)
    target.encodePriority = lambda *_: 0
    target.mapPriority = lambda _: "info"
    connection, _ = server.accept()
    with server, connection:
        reader = received(connection)
        reader.lines = lambda: [json.loads(part[3:]) for part in bytes(reader.data).split(b"\0") if part]
        yield target, reader
        target.close()


def local(folder):
    server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    server.bind(str(folder / "log"))
    return server


@contextlib.contextmanager
def local_syslog(folder):
    with local(folder) as server:
        target = logging.handlers.SysLogHandler(str(folder / "log"))
        reader = received(server)
        reader.lines = lambda: [
            json.loads(part.split(b">", 1)[1]) for part in bytes(reader.data).split(b"\0") if part.strip()
        ]
        yield target, reader
        target.close()


KINDS = {f.__name__: f for f in (pipe, fifo, terminal, stream_socket, tcp_syslog, local_syslog)}


def timed(logger, number, note=""):
    began = time.monotonic()
    logger.info("tool_call", {"n": number, "note": note})
    return time.monotonic() - began


def fill(logger, handler, size, most=5_000):
    """Log until the target takes no more; return how many calls that were, and how long each took."""
    took = []
    while not handler.counters.fallback and len(took) < most:
        took.append(timed(logger, len(took), "x " * (size // 2)))
    return took


@pytest.mark.parametrize("size", [100, 9_000], ids=["short", "long"])
@pytest.mark.parametrize("kind", KINDS)
def test_nobody_reads(kind, size, tmp_path, hurried):
    """Bounded, nothing lost or torn: one call waits its time, no later one does; when it is read, all goes on."""
    if kind == "tcp_syslog" and size == 100:
        size = 3_000  # its buffers hold megabytes
    with KINDS[kind](tmp_path) as (target, reader):
        logger, handler = audited(target, fallback=tmp_path / "fallback.jsonl")
        first = fill(logger, handler, size)
        later = [timed(logger, len(first) + number) for number in range(20)]
        total = len(first) + len(later)
        until(lambda: reader.read_all() or (timed(logger, total) and not handler._outlet._ill))
        timed(logger, total + 1)
        until(lambda: reader.read_all() or total + 1 in numbers(reader.lines()))
        counts = books(handler)

    assert first[-1] >= SECONDS * 0.9
    assert sum(took >= SECONDS / 2 for took in first) <= 2  # a terminal makes room late, without a word
    assert sorted(later)[10] < SECONDS / 4
    assert (counts["lost"], counts["reasons"]["target failing"]) == (0, 1)
    assert set(counts["reasons"]) == {"BlockingIOError", "target failing"}
    events = reader.lines()  # every line is whole
    kept = numbers(whole_lines(tmp_path / "fallback.jsonl")[0])
    assert set(range(total)) <= {*numbers(events), *kept}
    assert len({*numbers(events)} & {*kept} - {total}) <= 1  # a line that was begun has been ended


def test_read_slowly(tmp_path):
    """As with bare logging: whoever reads in jerks gets every line, whole and in order; nothing counts as failed."""
    sizes = random.Random(5)
    with pipe(tmp_path) as (target, reader):
        logger, handler = audited(target, fallback=tmp_path / "fallback.jsonl")
        done = threading.Event()

        def read():
            while not done.is_set():
                reader.data += reader._read()[:]
                time.sleep(0.002)
            reader.read_all()

        thread = threading.Thread(target=read)
        thread.start()
        try:
            for number in range(300):
                timed(logger, number, "é" * sizes.choice((1, 600, 1_300, 2_000, 6_000)))
        finally:
            done.set()
            thread.join()
        counts = books(handler)

    assert numbers(reader.lines()) == list(range(300))
    assert (counts["delivered"], counts["fallback"]) == (300, 0)


def test_rest_of_a_line(tmp_path, hurried):
    """Not torn: what there was no room for in the middle of a line is written before the next one."""
    with pipe(tmp_path) as (target, reader):
        logger, handler = audited(target, fallback=tmp_path / "fallback.jsonl")
        descriptor = target.stream.fileno()
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT)
        ballast = 0
        while poll.poll(0):
            ballast += os.write(descriptor, b" " * 4_095 + b"\n")
        reader.data += os.read(reader._read.__closure__[0].cell_contents, 8_192)  # room for two pieces
        timed(logger, 0, "x " * 6_000)
        assert books(handler)["reasons"]["BlockingIOError"] == 1
        reader.read_all()
        timed(logger, 1)
        reader.read_all()

    assert numbers(reader.lines()) == [0, 1]
    assert numbers(whole_lines(tmp_path / "fallback.jsonl")[0]) == [0]


@pytest.mark.parametrize("kind", ["pipe", "tcp_syslog", "local_syslog"])
def test_for_others_as_before(kind, tmp_path):
    """Outside our delivery a handler waits as ever: its stream is its own, and its socket has no timeout."""
    with KINDS[kind](tmp_path) as (target, reader):
        stream = getattr(target, "stream", None)
        logger, handler = audited(target)
        timed(logger, 1)
        until(lambda: reader.read_all() or reader.lines())
        assert getattr(target, "stream", None) is stream
        if stream is None:
            assert target.socket.gettimeout() is None
        target.setFormatter(None)
        reader.data.clear()
        target.handle(logging.makeLogRecord({"msg": '{"bare": true}', "levelname": "INFO"}))
        until(lambda: reader.read_all() or reader.lines())

    assert reader.lines() == [{"bare": True}]
    assert books(handler)["delivered"] == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # HTTPHandler closes no connection
def test_web_server_that_does_not_answer(hurried):
    """Bounded: an HTTPHandler gives up, and is then left alone for a while, with or without a fallback."""
    with Server() as server:
        target = logging.handlers.HTTPHandler("{}:{}".format(*server.address), "/log")
        logger, handler = audited(target)
        took = [timed(logger, number) for number in range(5)]
        gc.collect()

    assert took[0] >= SECONDS * 0.9
    assert sum(took[2:]) < SECONDS
    assert books(handler)["reasons"] == {"TimeoutError": 5}


@reconnects
@pytest.mark.skipif(sys.platform != "linux", reason="relies on what Linux does when nobody accepts")
def test_server_that_does_not_accept(tmp_path, hurried):
    """Bounded: a SysLogHandler over TCP that connects anew gives up, as a SocketHandler does."""
    with socket.socket() as server, contextlib.ExitStack() as others:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        target = logging.handlers.SysLogHandler(server.getsockname(), socktype=socket.SOCK_STREAM)
        for _ in range(3):
            other = others.enter_context(socket.socket())
            other.setblocking(False)
            other.connect_ex(server.getsockname())
        target.socket.close()
        target.socket = None
        logger, handler = audited(target, fallback=tmp_path / "fallback.jsonl")
        took = timed(logger, 0)
        target.close()

    assert took >= SECONDS * 0.9
    assert books(handler)["reasons"]["TimeoutError"] == 1


NOBODY_READS = """
    import logging, os, sys, time, agentlogsafe
    from agentlogsafe import _bounds
    _bounds.PATIENCE = 0.4
    queue = {"timeout": 0.5} if sys.argv[2] == "queue" else None
    stream = {"out": sys.stdout, "err": sys.stderr}[sys.argv[3]]
    handler = agentlogsafe.AuditHandler(logging.StreamHandler(stream), fallback=sys.argv[1], queue=queue)
    logging.basicConfig(handlers=[handler], level="INFO")
    for number in range(400):
        logging.info("tool_call", {"n": number, "note": "x" * int(sys.argv[4])})
"""


@pytest.mark.parametrize("size", [100, 9_000], ids=["short", "long"])
@pytest.mark.parametrize("stream", ["out", "err"])
@pytest.mark.parametrize("way", ["direct", "queue"])
def test_process_ends(tmp_path, way, stream, size):
    """Bounded: a process whose stdout or stderr is a pipe that nobody reads logs on, and ends; all is accounted for."""
    reading, writing = os.pipe()
    fallback = tmp_path / "fallback.jsonl"
    done = run_program(
        NOBODY_READS,
        str(fallback),
        way,
        stream,
        str(size),
        capture_output=False,
        **{"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, f"std{stream}": writing},
    )
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        written = [json.loads(line) for line in file.read().split(b"\n")[:-1]]

    assert done.returncode == 0
    kept, torn = whole_lines(fallback)
    assert {*numbers(written), *numbers(kept)} == set(range(400))
    assert torn == 0
    report = kept[-1]["payload"]
    assert (report["state"], report["lost"]) == ("closed", 0)
    assert report["accepted"] == report["delivered"] + report["fallback"] >= 400


def test_reported_on_a_stderr_that_nobody_reads(tmp_path):
    """Not blocked: neither a failing target nor a bare handler is reported on a stderr that is full."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, b"x" * 512)
    os.set_blocking(writing, True)
    source = """
        import io, logging, sys, warnings, agentlogsafe
        warnings.simplefilter("always")
        class Failing(logging.Handler):
            def emit(self, record): raise OSError
        audit = agentlogsafe.AuditHandler(Failing(), fallback=sys.argv[1])
        logging.basicConfig(handlers=[audit, logging.StreamHandler(io.StringIO())], level="INFO")
        logging.info("tool_call", {"n": 1})
    """
    fallback = tmp_path / "fallback.jsonl"
    done = run_program(source, str(fallback), capture_output=False, stdout=subprocess.DEVNULL, stderr=writing)
    os.close(reading)
    os.close(writing)

    assert done.returncode == 0
    assert numbers(whole_lines(fallback)[0]) == [1]


def test_streams_that_are_no_pipes(tmp_path):
    """Left alone: a file, a stream in memory, a closed stream and one without a descriptor cost nothing."""
    with (tmp_path / "app.jsonl").open("w") as file:
        target = logging.StreamHandler(file)
        agentlogsafe.AuditHandler(target)
        assert _bounds._Stream.of(target, file) is None
    for stream in (file, object(), None):
        assert _bounds._Stream.of(target, stream) is None
    assert "emit" not in logging.FileHandler(tmp_path / "x", delay=True).__dict__
