"""Processes that are killed, forked, ended, or have no stderr."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from pathlib import Path

import pytest

from agentlogsafe import delivery
from tests.conftest import ROOT
from tests.helpers import unmeasured

from .tools import audited, books, numbers, run_program, whole_lines

posix = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
SECONDS = 60  # for what would hang for ever


def tool(name, *arguments):
    command = [sys.executable, "-W", "ignore", "-m", f"tests.faults.{name}", *arguments]
    return subprocess.run(command, cwd=ROOT, env=unmeasured(), capture_output=True, text=True, timeout=300, check=False)


@posix
def test_killed():
    """Accounted for: after kill -9 at a random moment, what was acknowledged is there; only last lines are torn."""
    done = tool("kill", "--kills", "12")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "| all " in done.stdout
    assert "sealed: " in done.stdout


def test_throughput_is_measured():
    """The figures are printed; what they are is for people."""
    done = tool("throughput", "--events", "400", "--rounds", "1")

    assert done.returncode == 0, done.stderr
    assert "FileHandler" in done.stdout


def test_growth_is_measured(tmp_path):
    """The table is printed."""
    done = tool("growth", "--events", "600", "--folder", str(tmp_path))

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 22


@pytest.mark.parametrize("settings", [{}, {"rate_limit": {"*": 1_000_000}}, {"queue": True}])
def test_signal_while_a_lock_is_held(tmp_path, settings):
    """Not blocked: a signal's handler that logs, in the very thread that holds one of our locks, goes on."""
    target = logging.FileHandler(tmp_path / "app.jsonl")
    logger, handler = audited(target, **settings)
    locks = [handler.counters._lock, delivery._report_lock]
    locks += [handler._rate._lock] if handler._rate else []
    locks += [handler._relay._start_lock] if handler._relay else []

    def log():
        with contextlib.ExitStack() as held:
            for lock in locks:
                held.enter_context(lock)
            logger.info("tool_call", {"n": 1})
            delivery.report("somewhere", "something failed")

    thread = threading.Thread(target=log, daemon=True)
    thread.start()
    thread.join(SECONDS)
    handler.close()
    target.close()

    assert not thread.is_alive()
    assert numbers(whole_lines(tmp_path / "app.jsonl")[0]) == [1]


@pytest.fixture
def _unmeasured_threads():
    """Have threads that start meanwhile hold no lock of coverage's: a child forked then would wait for it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()  # what other tests left would else be collected, and warned of, in this one
    hook = threading.gettrace()
    threading.settrace(None)
    yield
    threading.settrace(hook)


@posix
@pytest.mark.usefixtures("_unmeasured_threads")
class TestFork:
    def fork(self, logger, number):
        """Fork a child that logs and ends; return whether it did within its time."""
        child = os.fork()
        if child == 0:  # pragma: no cover -- the child's coverage is not collected
            try:
                logger.info("tool_call", {"n": number})
                logger.handlers[0].flush()
            finally:
                os._exit(0)
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            if os.waitpid(child, os.WNOHANG)[0]:
                return True
            time.sleep(0.001)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return False

    @pytest.mark.parametrize("queue", [None, True], ids=["direct", "queue"])
    def test_while_threads_write(self, tmp_path, queue):
        """Not blocked, nothing lost: children forked while threads are inside the file's buffer log and end."""
        path = tmp_path / "app.jsonl"
        target = logging.FileHandler(path)
        logger, handler = audited(target, queue=queue)
        stop = threading.Event()

        def log():
            while not stop.is_set():
                logger.info("tool_call", {"note": "x" * 200})

        threads = [threading.Thread(target=log) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            ended = [self.fork(logger, number) for number in range(15)]
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        handler.close()
        target.close()

        events, torn = whole_lines(path)
        assert all(ended)
        assert sorted(numbers(events)) == list(range(15))
        assert torn == 0

    def test_while_a_target_hangs(self, tmp_path):
        """Bounded: a target that hangs with its lock delays a fork by five seconds; the child logs to the fallback."""
        inside, gate = threading.Event(), threading.Event()

        class Hanging(logging.Handler):
            def emit(self, record):
                inside.set()
                gate.wait(100)

        logger, handler = audited(Hanging(), fallback=tmp_path / "fallback.jsonl")
        thread = threading.Thread(target=logger.info, args=("tool_call",))
        thread.start()
        inside.wait(60)
        handler.target.emit = lambda record: 1 / 0
        began = time.monotonic()
        ended = self.fork(logger, 1)
        took = time.monotonic() - began
        gate.set()
        thread.join()

        assert ended
        assert 0.9 < took < 50
        assert numbers(whole_lines(tmp_path / "fallback.jsonl")[0]) == [1]

    def test_two_threads_at_once(self, tmp_path):
        """Not blocked: threads that fork at the same time leave no lock held."""
        path = tmp_path / "app.jsonl"
        target = logging.FileHandler(path)
        logger, handler = audited(target, rate_limit={"*": 1_000_000})
        ended = []

        def fork(who):
            ended.extend(self.fork(logger, who * 100 + number) for number in range(10))

        threads = [threading.Thread(target=fork, args=(who,)) for who in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        logger.info("tool_call", {"n": -1})
        handler.close()
        target.close()

        assert ended == [True] * 30
        assert len(numbers(whole_lines(path)[0])) == 31

    def test_counts_are_of_one_process(self, tmp_path):
        """Accounted for: a child counts what it accepts itself, so that the counts of all processes can be added."""
        target = logging.FileHandler(tmp_path / "app.jsonl")
        logger, handler = audited(target)
        for number in range(5):
            logger.info("tool_call", {"n": number})
        child = os.fork()
        if child == 0:  # pragma: no cover -- the child's coverage is not collected
            logger.info("tool_call", {"n": 5})
            handler.close()
            os._exit(handler.counters.accepted)
        status = os.waitpid(child, 0)[1]
        report = whole_lines(tmp_path / "app.jsonl")[0][-1]["payload"]
        counts = books(handler)
        handler.close()
        target.close()

        assert os.waitstatus_to_exitcode(status) == 2  # with the report of its closing
        assert (report["state"], report["accepted"]) == ("closed", 1)
        assert counts["accepted"] == 5

    def test_with_the_lock_of_the_rate_limit_held(self, tmp_path):
        """Not blocked: the lock of the rate limit is the child's own."""
        target = logging.FileHandler(tmp_path / "app.jsonl")
        logger, handler = audited(target, rate_limit={"*": 10})
        with handler._rate._lock:
            assert self.fork(logger, 1)
        target.close()


CHILDREN = """
    import logging, multiprocessing, sys, agentlogsafe
    from concurrent.futures import ProcessPoolExecutor

    def configure():
        handler = agentlogsafe.AuditHandler(logging.FileHandler(sys.argv[1]), queue=True)
        logging.getLogger().handlers[:] = [handler]
        logging.getLogger().setLevel("INFO")

    def work(number):
        if not logging.getLogger().handlers:
            configure()
        logging.info("tool_call", {"n": number})

    if __name__ == "__main__":
        method = sys.argv[2]
        context = multiprocessing.get_context(method)
        if method == "fork":
            configure()
            logging.info("tool_call", {"n": -1})
        children = [context.Process(target=work, args=(number,)) for number in range(2)]
        for child in children: child.start()
        for child in children: child.join()
        with ProcessPoolExecutor(2, mp_context=context) as pool:
            list(pool.map(work, range(2, 8)))
"""


@posix
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_of_multiprocessing(tmp_path, method):
    """Nothing lost: a child of multiprocessing ends without atexit, and its queue is emptied all the same."""
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(CHILDREN))
    path = tmp_path / "app.jsonl"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", program, path, method],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    events, torn = whole_lines(path)
    assert sorted(numbers(events)) == [*([-1] if method == "fork" else []), *range(8)]
    assert torn == 0


BUSY = """
    import logging, os, sys, agentlogsafe
    fallback, queue = sys.argv[2], sys.argv[3] == "queue"
    handler = agentlogsafe.AuditHandler(logging.FileHandler(sys.argv[1]), fallback=fallback, queue=queue)
    logging.basicConfig(handlers=[handler], level="INFO")
    agentlogsafe.end_on_sigterm()
    with agentlogsafe.run("agent"):
        number = 0
        while True:
            logging.info("tool_call", {"n": number})
            os.write(1, b"%d\\n" % number)
            number += 1
"""


@posix
@pytest.mark.parametrize("way", ["direct", "queue"])
def test_sigterm_in_the_middle_of_a_call(tmp_path, way):
    """Nothing lost, and told from a crash: SIGTERM inside a log call ends runs and queues in order; books balance."""
    for attempt in range(3):
        path, fallback = tmp_path / f"{attempt}.jsonl", tmp_path / f"{attempt}.fallback"
        command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(BUSY), path, fallback, way]
        # Without coverage: its own lock, in which the signal's exception may fall, is none that can be entered again.
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=unmeasured()) as process:
            said = process.stdout.readline()
            time.sleep(0.005 * attempt)
            process.send_signal(signal.SIGTERM)
            try:
                rest, error = process.communicate(timeout=120)
            finally:
                process.kill()
        acknowledged = int((said + rest).split(b"\n")[-2])

        assert process.returncode == 128 + signal.SIGTERM, error
        events, torn = whole_lines(path)
        kept, _ = whole_lines(fallback)
        assert torn == 0
        assert set(range(acknowledged + 1)) <= set(numbers(events + kept))
        assert events[-2]["event_type"] == "run_end"
        assert events[-2]["status"] == "cancelled"
        report = events[-1]["payload"]
        assert report["accepted"] == report["delivered"] + report["fallback"] + report["lost"]
        assert report["lost"] == 0


class TestStderr:
    SOURCE = """
        import logging, sys, agentlogsafe
        class Failing(logging.Handler):
            def emit(self, record): raise OSError
        handler = agentlogsafe.AuditHandler(Failing(), fallback=sys.argv[1])
        logging.basicConfig(handlers=[handler], level="INFO")
        for number in range(5):
            logging.info("tool_call", {"n": number})
        print(handler.counters.as_dict())
    """

    @posix
    def test_closed(self, tmp_path):
        """Not raised: a process without a stderr logs, and its failing target costs no event."""
        path = tmp_path / "fallback.jsonl"
        done = run_program(
            self.SOURCE,
            str(path),
            preexec_fn=lambda: os.close(2),
            stderr=None,
            capture_output=False,
            stdout=subprocess.PIPE,
        )

        assert done.returncode == 0
        assert "'accepted': 6, 'delivered': 0, 'fallback': 6, 'lost': 0" in done.stdout
        assert numbers(whole_lines(path)[0]) == list(range(5))

    def test_nobody_reads(self, tmp_path):
        """Not raised: when whoever read stderr is gone, nothing happens but that nobody reads it."""
        reading, writing = os.pipe()
        os.close(reading)
        path = tmp_path / "fallback.jsonl"
        done = run_program(self.SOURCE, str(path), capture_output=False, stdout=subprocess.PIPE, stderr=writing)
        os.close(writing)

        assert "'accepted': 6, 'delivered': 0, 'fallback': 6, 'lost': 0" in done.stdout
        assert numbers(whole_lines(path)[0]) == list(range(5))


FAKETIME = [*Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), *Path("/usr/lib").glob("faketime/libfaketime.so.1")]


@pytest.mark.skipif(not FAKETIME, reason="needs libfaketime (Debian: libfaketime)")
def test_clock_of_the_process_steps(tmp_path):
    """Not raised, not blocked: the clock that C code asks, too, steps back a day and on again in a running process."""
    source = """
        import logging, sys, time, agentlogsafe
        handler = agentlogsafe.AuditHandler(logging.FileHandler(sys.argv[1]), queue=sys.argv[3] == "queue")
        logging.basicConfig(handlers=[handler], level="INFO")
        before = time.time()
        for number, offset in enumerate(("+0", "-86400", "+86400", "-3600", "+0")):
            with open(sys.argv[2], "w") as file:
                file.write(offset)
            with agentlogsafe.run("agent"), agentlogsafe.step("tool_call", tool_name="t"):
                for inner in range(20):
                    logging.info("decision", {"n": number * 20 + inner})
        handler.flush()
        with open(sys.argv[2], "w") as file:
            file.write("-86400")
        print(round((time.time() - before) / 3600))
    """
    offset = tmp_path / "offset"
    offset.write_text("+0")
    environment = {
        **unmeasured(),
        "LD_PRELOAD": str(FAKETIME[0]),
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    for way in ("direct", "queue"):
        path = tmp_path / f"{way}.jsonl"
        done = run_program(source, str(path), str(offset), way, env=environment)

        assert done.returncode == 0, done.stderr
        assert done.stdout == "-24\n"
        events, torn = whole_lines(path)
        assert (numbers(events), torn) == (list(range(100)), 0)
        ids = [event["event_id"] for event in events]
        assert len(set(ids)) == len(ids)
        assert len({event["timestamp"][:10] for event in events}) >= 2
        assert all(event["duration_ms"] >= 0 for event in events if event.get("duration_ms") is not None)
        offset.write_text("+0")


def test_daemon_threads_at_the_end():
    """Not aborted: daemon threads that log while the interpreter ends leave its exit status alone."""
    source = """
        import logging, os, threading, time, agentlogsafe
        handler = agentlogsafe.AuditHandler(logging.FileHandler(os.devnull))
        logging.basicConfig(handlers=[handler], level="INFO")
        def log():
            while True:
                logging.info("tool_call", {"note": "some words that are long enough for the fast gate " * 5})
        for _ in range(3):
            threading.Thread(target=log, daemon=True).start()
        time.sleep(0.05)
    """
    assert [run_program(source).returncode for _ in range(4)] == [0] * 4


def test_daemon_threads_after_logging_has_ended(tmp_path):
    """Kept: what daemon threads log after `logging.shutdown` goes to the fallback, for which no lock can be left."""
    source = """
        import atexit, time
        atexit.register(time.sleep, 0.2)  # comes after what is registered later
        import logging, sys, threading, agentlogsafe
        target = logging.FileHandler(sys.argv[1])
        handler = agentlogsafe.AuditHandler(target, fallback=sys.argv[2])
        logging.basicConfig(handlers=[handler], level="INFO")
        def log():
            number = 0
            while True:
                logging.info("tool_call", {"n": number})
                number += 1
        threading.Thread(target=log, daemon=True).start()
        time.sleep(0.05)
    """
    path, fallback = tmp_path / "app.jsonl", tmp_path / "fallback.jsonl"
    done = run_program(source, str(path), str(fallback))

    assert (done.returncode, done.stderr) == (0, "")
    written, torn = whole_lines(path)
    kept, _ = whole_lines(fallback)
    found = sorted({*numbers(written), *numbers(kept)})
    assert torn == 0
    assert numbers(kept)
    assert found == list(range(len(found)))
