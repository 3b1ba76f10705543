"""Servers that die, come back, or take a connection and never read."""

from __future__ import annotations

import logging
import logging.handlers
import os
import pickle
import shutil
import socket
import struct
import subprocess
import sys
import time

import pytest

import agentlogsafe

from .tools import Server, audited, books, numbers, run_program, until, whole_lines

reconnects = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="before Python 3.11 a SysLogHandler connects when it is made and never again"
)


@pytest.fixture
def server():
    """A TCP server."""
    with Server() as made:
        yield made


@pytest.fixture
def deaf():
    """A TCP server that accepts and never reads."""
    with Server(reads=False) as made:
        yield made


def syslog(server):
    return logging.handlers.SysLogHandler(server.address, socktype=socket.SOCK_STREAM)


def messages(server):
    """What a syslog server has got: messages end with a NUL."""
    return bytes(server.data).split(b"\0")[:-1]


def received(server):
    return [int(message.split(b'"n":')[1].split(b"}")[0]) for message in messages(server) if b'"n":' in message]


@reconnects
class TestSyslogOverTcp:
    def test_dies_and_comes_back(self, server, tmp_path):
        """Nothing lost: what the server has not got is in the fallback, and it is used again when it is back."""
        fallback = tmp_path / "fallback.jsonl"
        target = syslog(server)
        logger, handler = audited(target, fallback=fallback)
        for number in range(20):
            logger.info("tool_call", {"n": number})
        until(lambda: len(received(server)) == 20)
        server.stop()
        for number in range(20, 40):
            logger.info("tool_call", {"n": number})
        server.start()
        until(lambda: logger.info("decision") or not handler._outlet._ill)
        for number in range(40, 60):
            logger.info("tool_call", {"n": number})
        until(lambda: len(received(server)) == 40)
        counts = books(handler)
        handler.close()
        target.close()

        assert received(server) == [*range(20), *range(40, 60)]
        assert numbers(whole_lines(fallback)[0]) == list(range(20, 40))
        assert counts["lost"] == 0
        reports = [message for message in messages(server) if b'"recovered"' in message]
        assert len(reports) == 1

    def test_dies_again_and_again(self, server, tmp_path):
        """Accounted for: what is neither there nor in the fallback was in buffers when the server died (documented)."""
        fallback = tmp_path / "fallback.jsonl"
        target = syslog(server)
        logger, handler = audited(target, fallback=fallback)
        number = 0
        for _ in range(5):
            for _ in range(100):
                logger.info("tool_call", {"n": number})
                number += 1
            server.stop()
            for _ in range(100):
                logger.info("tool_call", {"n": number})
                number += 1
            server.start()
            until(lambda: logger.info("decision") or not handler._outlet._ill)
        counts = books(handler)
        handler.close()
        target.close()

        kept = numbers(whole_lines(fallback)[0])
        missing = set(range(number)) - set(kept) - set(received(server))
        assert counts["lost"] == 0
        assert not set(kept) & set(received(server))
        assert len(kept) >= 400
        assert len(missing) <= 500  # handed to the system, and not yet read by the server


class TestSocketHandler:
    def test_dies_and_comes_back(self, server, tmp_path):
        """Nothing lost: SocketHandler closes its socket and says nothing; it is heard all the same."""
        fallback = tmp_path / "fallback.jsonl"
        target = logging.handlers.SocketHandler(*server.address)
        target.retryStart = 0.05
        logger, handler = audited(target, fallback=fallback)
        for number in range(20):
            logger.info("tool_call", {"n": number})
        until(lambda: len(pickled(server)) == 20)
        server.stop()
        for number in range(20, 40):
            logger.info("tool_call", {"n": number})
        server.start()
        until(lambda: logger.info("decision") or not handler._outlet._ill)
        for number in range(40, 60):
            logger.info("tool_call", {"n": number})
        until(lambda: sum("n" in record["payload"] for record in pickled(server)) == 40)
        counts = books(handler)
        handler.close()
        target.close()

        got = [record["payload"]["n"] for record in pickled(server) if "n" in record["payload"]]
        assert got == [*range(20), *range(40, 60)]
        assert numbers(whole_lines(fallback)[0]) == list(range(20, 40))
        assert (counts["lost"], counts["reasons"]["ConnectionError"] >= 20) == (0, True)

    def test_for_others_as_before(self, server):
        """Outside our delivery, the handler sends as before."""
        target = logging.handlers.SocketHandler(*server.address)
        agentlogsafe.AuditHandler(target)
        target.handle(logging.makeLogRecord({"msg": "direct", "payload": {}}))
        until(lambda: len(pickled(server)) == 1)
        target.close()

    def test_never_reads(self, deaf, tmp_path):
        """Bounded: SocketHandler gives up after a second, and connects anew; the event is in the fallback."""
        target = logging.handlers.SocketHandler(*deaf.address)
        logger, handler = audited(target, fallback=tmp_path / "fallback.jsonl")
        longest, began = 0.0, time.monotonic()
        while not handler.counters.fallback and time.monotonic() < began + 60:
            before = time.monotonic()
            logger.info("tool_call", {"n": 1, "note": "x" * 8_000})
            longest = max(longest, time.monotonic() - before)
        counts = books(handler)
        handler.close()
        target.close()

        assert 0.5 < longest < 20
        assert counts["lost"] == 0
        assert numbers(whole_lines(tmp_path / "fallback.jsonl")[0]) == [1]


def pickled(server):
    """What a socket server has got."""
    found, data = [], bytes(server.data)
    while len(data) >= 4:
        (length,) = struct.unpack(">L", data[:4])
        if len(data) < 4 + length:
            break
        found.append(pickle.loads(data[4 : 4 + length]))
        data = data[4 + length :]
    return found


NEVER_READS = """
    import logging, logging.handlers, select, socket, sys, threading, time, agentlogsafe
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.bind(("127.0.0.1", 0)); deaf.listen()
    target = logging.handlers.SysLogHandler(deaf.getsockname(), socktype=socket.SOCK_STREAM)
    queue = {"size": 50, "overflow": sys.argv[2], "timeout": 0.5}
    handler = agentlogsafe.AuditHandler(target, fallback=sys.argv[1], queue=queue)
    logging.basicConfig(handlers=[handler], level="INFO")
    done = []
    def work():
        number = more = 0
        while more < 30:  # after the thread hangs, and the queue is full
            more += handler._relay.waiting() >= 50 and not select.select([], [target.socket], [], 0)[1]
            before = time.monotonic()
            logging.info("tool_call", {"n": number, "note": "x" * 8000})
            done.append(time.monotonic() - before)
            number += 1
            time.sleep(0.0005)
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(120)
    print(len(done), round(max(done), 2), flush=True)
"""


class TestNeverReads:
    """A SysLogHandler over TCP, behind a queue; without one, see test_bounds."""

    @pytest.mark.parametrize("overflow", ["block", "fallback", "drop"])
    def test_queue(self, tmp_path, overflow):
        """Not blocked: with a queue, calls return within a second, once, and the process ends; all is accounted for."""
        fallback = tmp_path / "fallback.jsonl"
        done = run_program(NEVER_READS, str(fallback), overflow)

        logged, longest = done.stdout.split()
        assert done.returncode == 0, done.stderr
        assert float(longest) < 20
        events, torn = whole_lines(fallback)
        report = events[-1]["payload"]
        assert report["state"] == "closed"
        assert report["accepted"] == report["delivered"] + report["fallback"] + report["lost"] == int(logged)
        assert report["fallback"] == len(numbers(events))
        assert report["reasons"]["target hangs"] == 1
        assert report["reasons"]["shutdown timeout"] == 50
        assert (report["lost"] > 0) == (overflow == "drop")
        assert torn == 0


RSYSLOG = """
global(workDirectory="{folder}" maxMessageSize="64k")
module(load="imtcp" AddtlFrameDelimiter="0")
module(load="imudp")
input(type="imtcp" address="127.0.0.1" port="{port}")
input(type="imudp" address="127.0.0.1" port="{port}")
template(name="raw" type="string" string="%msg:2:$%\\n")
action(type="omfile" file="{folder}/out.jsonl" template="raw")
"""


class Rsyslog:
    """The real thing."""

    def __init__(self, folder):
        self.program = shutil.which("rsyslogd", path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin")
        if self.program is None:
            pytest.skip("needs rsyslogd (Debian: rsyslog)")
        self._reserved = socket.socket()  # keeps the port while the server is down
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reserved.bind(("127.0.0.1", 0))
        self.address = self._reserved.getsockname()
        self.folder = folder
        self.out = folder / "out.jsonl"
        (folder / "rsyslog.conf").write_text(RSYSLOG.format(folder=folder, port=self.address[1]))
        self.start()

    def start(self):
        command = [self.program, "-n", "-f", self.folder / "rsyslog.conf", "-i", self.folder / "pid", "-C"]
        self.process = subprocess.Popen(command, cwd=self.folder, stderr=subprocess.DEVNULL)
        until(self.listens)

    def listens(self):
        assert self.process.poll() is None, "rsyslogd ended"
        with socket.socket() as probe:
            return probe.connect_ex(self.address) == 0

    def kill(self):
        self.process.kill()
        self.process.wait(60)

    def close(self):
        self.kill()
        self._reserved.close()

    def events(self):
        return whole_lines(self.out)[0]


@pytest.fixture
def rsyslog(tmp_path):
    """An rsyslogd of our own, on loopback, with TCP and UDP."""
    made = Rsyslog(tmp_path)
    yield made
    made.close()


@reconnects
def test_rsyslog_dies_and_comes_back(rsyslog, tmp_path):
    """Nothing lost: a real rsyslogd is killed and started again; what it has not got is in the fallback."""
    fallback = tmp_path / "fallback.jsonl"
    target = logging.handlers.SysLogHandler(rsyslog.address, socktype=socket.SOCK_STREAM)
    target.ident = "agentlogsafe: "
    logger, handler = audited(target, fallback=fallback)
    for number in range(100):
        logger.info("tool_call", {"n": number})
    until(lambda: len(rsyslog.events()) == 100)
    rsyslog.kill()
    for number in range(100, 200):
        logger.info("tool_call", {"n": number})
    rsyslog.start()
    until(lambda: logger.info("decision") or not handler._outlet._ill)
    for number in range(200, 300):
        logger.info("tool_call", {"n": number, "note": "x" * 12_000})
    until(lambda: len(numbers(rsyslog.events())) == 200)
    counts = books(handler)
    handler.close()
    target.close()

    assert numbers(rsyslog.events()) == [*range(100), *range(200, 300)]
    assert numbers(whole_lines(fallback)[0]) == list(range(100, 200))
    assert counts["lost"] == 0
