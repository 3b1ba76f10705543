"""Targets and formatters that raise, sleep, end threads, log themselves; and memory, clock and stack that run out."""

from __future__ import annotations

import contextlib
import gc
import io
import logging
import logging.handlers
import os
import sys
import threading
import time
import warnings

import pytest
import structlog

import agentlogsafe
from agentlogsafe import redaction
from agentlogsafe.redaction.redactor import Redactor
from tests.helpers import SECRET, TEXT, by_formatter, clean, lines, valid

from . import growth
from .tools import Raising, Server, audited, books, numbers, until, whole_lines


class TestRaises:
    @pytest.mark.parametrize(
        "error",
        [OSError(TEXT), RecursionError(TEXT), MemoryError(TEXT), UnicodeEncodeError("a", TEXT, 0, 1, TEXT), KeyError()],
        ids=lambda error: type(error).__name__,
    )
    @pytest.mark.parametrize("queue", [None, True], ids=["direct", "queue"])
    def test_target(self, tmp_path, capsys, error, queue):
        """Not raised, kept, nothing leaked: whatever a target raises, the event is in the fallback."""
        logger, handler = audited(Raising(error), fallback=tmp_path / "fallback.jsonl", queue=queue)
        logger.info("tool_call", {"n": 1, "note": TEXT})
        handler.flush()

        assert numbers(whole_lines(tmp_path / "fallback.jsonl")[0]) == [1]
        assert books(handler)["reasons"] == {type(error).__name__: 1, "target failing": 1}
        clean((tmp_path / "fallback.jsonl").read_text())
        clean(capsys.readouterr().err)
        handler.close()

    @pytest.mark.parametrize("error", [SystemExit(TEXT), KeyboardInterrupt(TEXT), GeneratorExit(TEXT)])
    def test_what_ends_threads(self, tmp_path, error):
        """Kept: what would end the thread behind the queue does not, and the event is in the fallback."""
        target = Raising(error)
        logger, handler = audited(target, fallback=tmp_path / "fallback.jsonl", queue=True)
        logger.info("tool_call", {"n": 1})
        handler.flush()
        target.error = None
        logger.info("tool_call", {"n": 2})
        handler.flush()

        assert numbers(target.seen) == [2]
        assert numbers(whole_lines(tmp_path / "fallback.jsonl")[0]) == [1]
        assert books(handler)["lost"] == 0
        handler.close()

    def test_interrupt(self):
        """Ctrl-C inside a target is the application's, on the direct path; the handler works on afterwards."""
        target = Raising(KeyboardInterrupt())
        logger, handler = audited(target)
        with pytest.raises(KeyboardInterrupt):
            logger.info("tool_call", {"n": 1})
        target.error = None
        logger.info("tool_call", {"n": 2})

        assert numbers(target.seen) == [2]
        assert books(handler)["delivered"] == 1

    def test_drop_event(self, tmp_path):
        """Not raised: structlog's DropEvent, a BaseException, in the target's formatter drops what it says."""

        def drop(_logger, _method, event):
            raise structlog.DropEvent

        stream = io.StringIO()
        target = logging.StreamHandler(stream)
        target.setFormatter(structlog.stdlib.ProcessorFormatter(processors=[drop]))
        logger, handler = audited(target, fallback=tmp_path / "fallback.jsonl")
        logger.info("tool_call", {"n": 1})

        assert stream.getvalue() == ""
        assert books(handler)["delivered"] == 1

    @pytest.mark.parametrize("target", [logging.StreamHandler, logging.handlers.SocketHandler])
    def test_formatter(self, tmp_path, capsys, target):
        """Kept, nothing leaked: a formatter that raises costs no event, and prints none."""

        class Broken(logging.Formatter):
            def format(self, record):
                raise ValueError(record.__dict__)

        made = logging.StreamHandler(io.StringIO())
        made.setFormatter(Broken())
        if target is logging.handlers.SocketHandler:
            made = target("127.0.0.1", 1)
            made.makePickle = lambda record: Broken().format(record)
        logger, handler = audited(made, fallback=tmp_path / "fallback.jsonl")
        logger.info("tool_call", {"n": 1, "note": TEXT})
        logger.info("hello %s", TEXT)

        assert numbers(whole_lines(tmp_path / "fallback.jsonl")[0]) == [1]
        assert books(handler)["fallback"] == 3
        clean((tmp_path / "fallback.jsonl").read_text())
        assert SECRET not in capsys.readouterr().err


class TestSleeps:
    def test_queue(self):
        """Not blocked: behind a queue, a slow target costs the caller nothing, and gets all, in order."""

        gate = threading.Event()

        class Slow(Raising):
            def emit(self, record):
                gate.wait(100)
                super().emit(record)

        target = Slow(None)
        logger, handler = audited(target, queue={"timeout": 60})
        for number in range(100):
            logger.info("tool_call", {"n": number})
        assert target.seen == []
        gate.set()
        handler.flush()

        assert numbers(target.seen) == list(range(100))
        handler.close()

    def test_a_full_queue_waits_once(self, tmp_path):
        """Bounded: a target that hangs costs one call a second, and no other until it has taken something."""
        gate = threading.Event()

        class Hanging(Raising):
            def emit(self, record):
                gate.wait(100)
                super().emit(record)

        target = Hanging(None)
        queue = {"size": 5, "timeout": 60}
        logger, handler = audited(target, fallback=tmp_path / "fallback.jsonl", queue=queue)
        took = []
        for number in range(50):
            before = time.monotonic()
            logger.info("tool_call", {"n": number})
            took.append(time.monotonic() - before)
        gate.set()
        handler.flush()
        logger.info("tool_call", {"n": 50})
        handler.close()

        assert sum(seconds > 0.9 for seconds in took) == 1
        assert max(took) < 50
        kept = numbers(whole_lines(tmp_path / "fallback.jsonl")[0])
        assert sorted(kept + numbers(target.seen)) == list(range(51))
        assert books(handler)["lost"] == 0

    def test_no_thread_waits_long_for_its_turn(self):
        """A thread whose record is on its way to a target that hangs holds up the others for a moment only."""
        target = Raising(None)
        logger, handler = audited(target)
        taken, done = threading.Event(), threading.Event()

        def hang():
            handler.counters.turns.take()
            taken.set()
            done.wait(60)

        hanging = threading.Thread(target=hang)
        hanging.start()
        taken.wait(60)
        logger.info("tool_call", {"n": 1})
        delivered = len(target.seen)
        done.set()
        hanging.join()

        assert delivered == 1

    def test_closed_while_threads_log(self, tmp_path):
        """Nothing lost: what other threads log while the queue is closed arrives, or is in the fallback."""
        target = Raising(None)
        for round_number in range(10):
            target.seen.clear()
            logger, handler = audited(target, queue={"size": 10_000}, fallback=tmp_path / f"f{round_number}")

            def log(who, logger=logger):
                for number in range(100):
                    logger.info("tool_call", {"n": who * 100 + number})

            threads = [threading.Thread(target=log, args=(who,)) for who in range(4)]
            for thread in threads:
                thread.start()
            handler.close()
            for thread in threads:
                thread.join()

            kept = numbers(whole_lines(tmp_path / f"f{round_number}")[0])
            assert sorted(numbers(target.seen) + kept) == list(range(400))
            assert handler._relay.waiting() == 0


class NoLock(contextlib.nullcontext):
    """For a target that several threads may be inside of."""

    def acquire(self, **_):
        return True

    def release(self):
        pass


class TestRecursion:
    def test_two_that_log_to_each_other(self):
        """Bounded, accounted for: targets that log into each other's logger end, and nobody waits for ever."""

        class Chatty(Raising):
            def __init__(self, other):
                super().__init__(None)
                self.other = other

            def emit(self, record):
                super().emit(record)
                logging.getLogger(self.other).info("decision", {"about": len(self.seen)})

        first, second = Chatty("b"), Chatty("a")
        logger, one = audited(first, name="a")
        _, two = audited(second, name="b")
        for _ in range(10):
            logger.info("tool_call")

        assert 10 < len(first.seen) + len(second.seen) < 200
        for handler in (one, two):
            assert books(handler)["accepted"] > 0

    def test_by_another_thread(self):
        """Not blocked: a target that waits for a thread that logs through the same handler does not wait for ever."""

        class Delegating(Raising):
            def createLock(self):  # noqa: N802
                self.lock = NoLock()

            def emit(self, record):
                super().emit(record)
                if len(self.seen) == 1:
                    thread = threading.Thread(target=logging.getLogger("app").info, args=("decision",))
                    thread.start()
                    thread.join(60)
                    assert not thread.is_alive()

        target = Delegating(None)
        logger, handler = audited(target)
        logger.info("tool_call")

        assert [event["event_type"] for event in target.seen] == ["tool_call", "decision"]
        assert books(handler)["delivered"] == 2

    def test_destructor_that_logs(self):
        """Not blocked: a destructor that logs, in the thread behind the queue or the caller's, waits for nobody."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()  # what other tests left would else be collected, and warned of, in this one
        target = Raising(None)
        logger, handler = audited(target, queue=True)

        class Dying:
            def __del__(self):
                logger.info("decision", {"n": -1})

        threshold = gc.get_threshold()
        gc.set_threshold(5)
        try:
            for number in range(300):
                cycle = [Dying()]
                cycle.append(cycle)
                del cycle
                logger.info("tool_call", {"n": number})
        finally:
            gc.set_threshold(*threshold)
        gc.collect()
        handler.flush()

        assert sorted(numbers(target.seen)) == [-1] * 300 + list(range(300))
        assert books(handler)["lost"] == 0
        handler.close()


def out_of_memory(*_, **__):
    """Stand for whatever needs memory that is not there."""
    raise MemoryError(TEXT)


class TestOutOfMemory:
    @pytest.mark.parametrize("entry", ["handler", "formatter", "structlog"])
    @pytest.mark.parametrize("place", ["_finish", "_scanned", "_entry"])
    def test_in_redaction(self, monkeypatch, capsys, entry, place):
        """Nothing raised, nothing leaked: without memory for redaction, an event goes out, without what it needs."""
        logger, stream = self.configured(entry)
        monkeypatch.setattr(Redactor, place, out_of_memory)
        self.log(entry, logger)
        monkeypatch.undo()

        found = lines(stream)
        assert len(found) == 2
        valid(found[0])
        if place != "_entry":  # names that were seen before are not looked at again
            assert any("withheld" in problem for problem in found[0]["problems"])
        clean(stream.getvalue())
        clean(capsys.readouterr().err)

    @pytest.mark.parametrize("entry", ["formatter", "structlog"])
    def test_in_the_guard_of_redaction(self, monkeypatch, capsys, entry):
        """Nothing raised, nothing leaked: without memory even to fail closed, an event says that it was not read."""
        logger, stream = self.configured(entry)
        monkeypatch.setattr(Redactor, "event", out_of_memory)
        monkeypatch.setattr(Redactor, "copy", out_of_memory)
        self.log(entry, logger)
        monkeypatch.undo()

        found = lines(stream)
        assert len(found) == 2
        for event in found:
            assert "the call could not be read (MemoryError)" in valid(event)["problems"][0]
        clean(stream.getvalue())
        clean(capsys.readouterr().err)

    def test_in_the_guard_behind_a_handler(self, monkeypatch, capsys):
        """Declared: a handler counts as lost what has no memory even to fail closed."""
        logger, stream = self.configured("handler")
        monkeypatch.setattr(Redactor, "event", out_of_memory)
        monkeypatch.setattr(Redactor, "copy", out_of_memory)
        self.log("handler", logger)
        monkeypatch.undo()

        assert books(logger.handlers[0])["accepted"] == 2
        clean(stream.getvalue())
        clean(capsys.readouterr().err)

    def configured(self, entry):
        # No name that was seen before, and is known to be clean.
        self.name = f"memory.{os.urandom(4).hex()}"
        structlog.configure(
            processors=[*agentlogsafe.processors.audit(), agentlogsafe.processors.to_stdlib],
            logger_factory=structlog.stdlib.LoggerFactory(),
        )
        if entry != "handler":
            return by_formatter(name=self.name)
        stream = io.StringIO()
        return audited(logging.StreamHandler(stream), name=self.name)[0], stream

    def log(self, entry, logger):
        if entry == "structlog":
            structlog.get_logger(self.name).info("tool_call", note=TEXT)
            structlog.get_logger(self.name).info("hello", note=TEXT)
        else:
            logger.info("tool_call", {"note": TEXT})
            logger.info("hello %s", TEXT)

    def test_everywhere(self, monkeypatch, capsys):
        """Declared: without memory even for that, the record is counted as lost, and nothing is raised."""
        logger, handler = audited(Raising(None))
        logger.info("tool_call", {"n": 1})

        monkeypatch.setattr(Redactor, "event", out_of_memory)
        monkeypatch.setattr("agentlogsafe._maker.Audited", out_of_memory)
        monkeypatch.setattr("agentlogsafe.chain.Chain._broken", out_of_memory)
        logger.info("tool_call", {"note": TEXT})
        monkeypatch.undo()

        assert books(handler)["reasons"] == {"MemoryError": 1}
        clean(capsys.readouterr().err)

    def test_redact(self, monkeypatch):
        """Fails closed: `redact` gives a marker where there was no memory to look."""
        monkeypatch.setattr(Redactor, "_finish", out_of_memory)
        assert SECRET not in str(redaction.redact({"note": TEXT}))


def deepest(call):
    """Make *call* at every depth near the recursion limit; return the frames in which it was too deep to call."""
    raised = []

    def down(depth):
        if depth:
            down(depth - 1)
        else:
            call()

    limit = sys.getrecursionlimit()
    for depth in range(limit - 150, limit):
        try:
            down(depth)
        except RecursionError as error:
            trace = error.__traceback__
            frames = []
            while trace is not None:
                frames.append(trace.tb_frame.f_code.co_filename)
                trace = trace.tb_next
            raised.append(frames[-1])
    return raised


class TestRecursionLimit:
    def test_accounted_for(self, tmp_path):
        """Accounted for: near the recursion limit, what the chain has no room for is in the target, or counted."""
        target = Raising(None)
        logger, handler = audited(target, fallback=tmp_path / "fallback.jsonl")
        logger.info("tool_call")
        calls = []

        def call():
            calls.append(1)
            logger.info("tool_call", {"n": len(calls)})

        deepest(call)
        logger.info("tool_call", {"n": 0})

        counts = books(handler)
        kept = numbers(whole_lines(tmp_path / "fallback.jsonl")[0])
        assert 0 in numbers(target.seen) + kept
        assert len(numbers(target.seen)) > 50
        assert counts["delivered"] <= len(target.seen)
        assert not handler._nested.__dict__["active"]

    def test_nothing_raised_by_us(self):
        """Not raised: once a record has reached the handler, it raises nothing, however little room there is."""
        _, handler = audited(Raising(None))
        record = logging.makeLogRecord({"msg": "tool_call", "levelno": 20, "levelname": "INFO", "name": "x"})
        handler.handle(record)

        tracer = sys.gettrace()
        sys.settrace(None)  # coverage needs room, too, on the very lines that have none left
        try:
            raised = deepest(lambda: handler.handle(record))
        finally:
            sys.settrace(tracer)

        assert [name for name in raised if "agentlogsafe" in name and "tests" not in name] == []


class TestClock:
    def test_steps_back(self, monkeypatch):
        """Nothing raised: when the clock steps back, timestamps say so, and ids stay unique and in their order."""
        target = Raising(None)
        logger, handler = audited(target)
        real = time.time
        offset = [0.0]
        monkeypatch.setattr("time.time", lambda: real() + offset[0])
        with agentlogsafe.run(logger=logger), agentlogsafe.step("tool_call", tool_name="t"):
            for number in range(100):
                offset[0] = -3600.0 if number >= 50 else 0.0
                logger.info("decision", {"n": number})
        monkeypatch.undo()

        stamps = [event["timestamp"] for event in target.seen if "n" in event["payload"]]
        durations = [event["duration_ms"] for event in target.seen if event.get("duration_ms") is not None]
        ids = [event["event_id"] for event in target.seen]
        assert max(stamps[50:]) < min(stamps[:50]) or sys.version_info >= (3, 13)  # from there on by time_ns
        assert all(duration >= 0 for duration in durations)
        assert len(set(ids)) == len(ids)
        for event in target.seen:
            valid(event)
        assert books(handler)["delivered"] == 104

    def test_probes_do_not_wait_for_the_clock(self, tmp_path, monkeypatch):
        """Nothing waits: the pause of a failing target is not of the clock that steps."""
        target = Raising()
        logger, handler = audited(target, fallback=tmp_path / "fallback.jsonl")
        logger.info("tool_call")
        logger.info("tool_call")
        real = time.time
        monkeypatch.setattr("time.time", lambda: real() - 86_400)
        target.error = None
        until(lambda: logger.info("decision") or not handler._outlet._ill)


def test_growth(tmp_path):
    """No growth: after thousands of events in runs, on every path, there are as many objects as before."""
    name = threading.current_thread().name
    loggers = growth.handlers(["direct", "queue", "fallback"], tmp_path)
    try:
        for logger in loggers.values():
            growth.log(logger, 0, 1_500, names=20)
        gc.collect()
        before = len(gc.get_objects())
        for logger in loggers.values():
            growth.log(logger, 1_500, 1_500, names=20)
            logger.handlers[0].flush()
        gc.collect()
        after = len(gc.get_objects())
    finally:
        threading.current_thread().name = name
        for logger in loggers.values():
            logger.handlers[0].close()
            logger.handlers[0].target.close()

    assert after - before < 300
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 10_000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_server_that_is_a_target_and_logs(tmp_path):
    """Accounted for: a server in this process that stops, while its own threads log through what it serves."""
    server = Server()
    target = logging.handlers.SocketHandler(*server.address)
    logger, handler = audited(target, fallback=tmp_path / "fallback.jsonl")
    threads = [
        threading.Thread(target=lambda: [logger.info("tool_call", {"n": number}) for number in range(100)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    with contextlib.suppress(OSError):
        server.close()
    for thread in threads:
        thread.join()
    counts = books(handler)
    handler.close()
    target.close()

    assert counts["lost"] == 0
    assert counts["accepted"] >= 400
