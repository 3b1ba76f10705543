"""What becomes of records when targets fail: health, fallback, queue, rate limit, reports and counts."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import math
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import weakref

import pytest
import structlog

import agentlogsafe
from agentlogsafe import _targets, delivery
from agentlogsafe.errors import ConfigurationError
from agentlogsafe.fallback import FallbackFile

from .helpers import SECRET, TEXT, by_handler, clean, lines, valid


class Target(logging.Handler):
    """A target that can fail, be slow, or wait for a signal."""

    def __init__(self):
        super().__init__()
        self.fails = False
        self.gate = threading.Event()
        self.gate.set()
        self.attempts = 0
        self.seen = []

    def emit(self, record):
        self.attempts += 1
        self.gate.wait(10)
        if self.fails:
            raise OSError(TEXT)
        self.seen.append(json.loads(self.format(record)))

    def types(self):
        return [event.get("event_type", event.get("message")) for event in self.seen]


@pytest.fixture
def file_target(tmp_path):
    """A FileHandler that is closed again."""
    handler = logging.FileHandler(tmp_path / "app.jsonl")
    yield handler
    for own in logging.getLogger("app").handlers:
        own.close()  # it reports, before the file is closed
    handler.close()


def counts_of(logger):
    counts = logger.handlers[0].counters.as_dict()
    assert counts["accepted"] == counts["delivered"] + counts["fallback"] + counts["lost"]
    return counts


def reports(events):
    return [event["payload"] for event in events if event.get("payload", {}).get("kind") == "delivery_report"]


class TestHealth:
    def test_probed_at_a_growing_interval(self, tmp_path, monkeypatch):
        """A target that keeps failing is left alone for longer and longer, and recovers with a report."""
        now = [1000.0]
        monkeypatch.setattr("agentlogsafe.outlet.time.monotonic", lambda: now[0])
        target = Target()
        target.fails = True
        logger, _ = by_handler(target=target, fallback=tmp_path / "fallback.jsonl")

        attempted = []
        for second in range(120):
            now[0] += 1
            before = target.attempts
            logger.info("tool_call")
            attempted += [second] * (target.attempts - before)
        target.fails = False
        now[0] += 60
        logger.info("tool_result")

        gaps = [later - earlier for earlier, later in itertools.pairwise(attempted)]
        assert max(gaps) > 20
        assert len(attempted) < 20
        assert target.types() == ["tool_result", "custom"]
        (recovered,) = reports(target.seen)
        assert recovered["state"] == "recovered"
        assert recovered["fallback"] == 121  # the events, and the report that the target fails
        (failing,) = reports(lines(tmp_path / "fallback.jsonl"))
        assert failing["state"] == "failing"
        assert counts_of(logger)["accepted"] == 123

    def test_each_target_by_itself(self, tmp_path):
        """Of two targets the healthy one gets everything, while the other one is left alone, and they part again."""
        well, ill = Target(), Target()
        ill.fails = True
        logging.getLogger().handlers[:] = [ill, well]
        logger = logging.getLogger("app")
        logger.propagate = False
        handler = agentlogsafe.AuditHandler(fallback=tmp_path / "fallback.jsonl")
        logger.handlers[:] = [handler]
        logger.setLevel(logging.INFO)
        for _ in range(50):
            logger.info("tool_call")
        assert well.types().count("tool_call") == 50
        assert ill.attempts == 2
        counts = counts_of(logger)
        assert (counts["delivered"], counts["fallback"], counts["lost"]) == (0, 51, 0)

        ill.fails = False
        handler._outlet._ill[id(ill)].until = 0
        logger.info("decision")
        assert ill.types() == ["decision", "custom"]
        assert [report["state"] for report in reports(well.seen)] == ["failing", "recovered"]
        assert counts_of(logger)["delivered"] == 2
        logging.getLogger().handlers[:] = []
        logger.info("decision")
        assert counts_of(logger)["reasons"]["no target"] == 1

    def test_losses_are_declared_soon(self, monkeypatch, capsys):
        """Losses are told of on stderr, and in the log with the next record that passes, at most once a minute."""
        now = [1000.0]
        monkeypatch.setattr("agentlogsafe.outlet.time.monotonic", lambda: now[0])
        target = Target()
        logger, _ = by_handler(target=target, rate_limit={"decision": 0.001})
        for _ in range(5):
            for _ in range(100):
                logger.info("decision")
                logger.info("tool_call")
            now[0] += 30

        said = reports(target.seen)
        assert [(one["state"], one["lost"]) for one in said] == [("losing", 1), ("losing", 200), ("losing", 400)]
        assert said[-1]["reasons"] == {"rate limit": 400}
        assert capsys.readouterr().err.count("handler 'Target', rate limit: events are lost\n") == 3

    def test_levels_of_targets(self):
        """Reports of trouble reach a target of any level; one that all is well does not, where the level says so."""
        for fails, states in ((False, []), (True, ["recovered", "closed"])):
            target = Target()
            target.setLevel(logging.CRITICAL)
            logger, _ = by_handler(target=target)
            target.fails = fails
            logger.critical("tool_call")
            target.fails = False
            logger.critical("tool_call")
            logger.critical("tool_call")
            logger.handlers[0].close()
            assert [report["state"] for report in reports(target.seen)] == states
            assert {event["level"] for event in target.seen if event["event_type"] == "custom"} <= {"warning"}

    def test_without_a_fallback_every_event_is_tried(self):
        """Where nothing else would take it, every event is offered to the target."""
        target = Target()
        target.fails = True
        logger, _ = by_handler(target=target)
        for _ in range(20):
            logger.info("tool_call")
        target.fails = False
        logger.info("tool_result")

        assert target.types() == ["tool_result", "custom"]
        assert reports(target.seen)[0]["lost"] == 20

    def test_report_at_close(self):
        """Closing reports what became of all records, once, and says so in a valid event."""
        target = Target()
        logger, _ = by_handler(target=target)
        logger.info("tool_call", extra={"note": TEXT})
        handler = logger.handlers[0]

        handler.close()
        handler.close()
        (closed,) = reports(target.seen)
        assert closed["state"] == "closed"
        assert (closed["accepted"], closed["delivered"], closed["lost"]) == (1, 1, 0)
        event = valid(target.seen[-1])
        assert "problems" not in event

        logger.info("tool_result")
        handler.close()
        assert target.types() == ["tool_call", "custom", "tool_result", "custom"]

    def test_nothing_to_report(self):
        """A handler that nothing came to closes in silence."""
        target = Target()
        agentlogsafe.AuditHandler(target).close()

        assert target.seen == []


class TestFallbackFile:
    def test_rotation_and_full(self, tmp_path):
        """A full file gets a number; when all are full, what comes is lost and said to be, what is there stays."""
        path = tmp_path / "fallback.jsonl"
        target = Target()
        target.fails = True
        logger, _ = by_handler(target=target, fallback={"path": path, "max_bytes": 2_000, "backups": 2, "fsync": True})

        for number in range(30):
            logger.info("tool_call", extra={"number": number})

        kept = [event for file in sorted(tmp_path.iterdir()) for event in lines(file)]
        counts = counts_of(logger)
        assert sorted(file.name for file in tmp_path.iterdir()) == [path.name, f"{path.name}.1", f"{path.name}.2"]
        assert len(kept) == counts["fallback"] < 30
        assert counts["lost"] == 31 - counts["fallback"]
        assert all(file.stat().st_size <= 2_000 for file in tmp_path.iterdir())
        assert all(file.stat().st_mode & 0o777 == 0o600 for file in tmp_path.iterdir())

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"path": "x", "max_byte": 1}, "did you mean 'max_bytes'"),
            ({"path": "x", "max_bytes": 5}, r"fallback\.max_bytes: expected an integer of at least 1024, got 5"),
            ({"path": "x", "backups": -1}, r"fallback\.backups"),
            ({"path": "x", "fsync": "yes"}, r"fallback\.fsync: expected true or false, got str"),
            ({"max_bytes": 5_000}, r"fallback\.path: expected the path of a file"),
        ],
        ids=["unknown", "small", "negative", "fsync", "no_path"],
    )
    def test_wrong_settings(self, settings, message):
        """A wrong setting raises when configured."""
        with pytest.raises(ConfigurationError, match=message):
            agentlogsafe.AuditHandler(fallback=settings)

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs RLIMIT_FSIZE")
    def test_full_disk(self, tmp_path):
        """A disk that takes a part of a line leaves one torn line at most, and every other event is accounted for."""
        program = f"""
            import logging, resource, signal, agentlogsafe
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, 5_000))
            target = logging.FileHandler({str(tmp_path / "app.jsonl")!r})
            handler = agentlogsafe.AuditHandler(target, fallback={str(tmp_path / "fallback.jsonl")!r})
            logger = logging.getLogger("app")
            logger.addHandler(handler); logger.setLevel("INFO"); logger.propagate = False
            for number in range(60):
                logger.info("tool_call", {{"number": number, "note": {TEXT!r}}})
            resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, 5_000))
            print(handler.counters.as_dict())
        """
        done = run_program(program)

        assert done.returncode == 0, done.stderr
        counts = json.loads(done.stdout.replace("'", '"'))
        assert counts["accepted"] == counts["delivered"] + counts["fallback"] + counts["lost"] == 61
        assert counts["lost"] > 0
        clean(done.stderr)
        whole = 0
        for file in ("app.jsonl", "fallback.jsonl"):
            texts = (tmp_path / file).read_text().split("\n")
            torn = [text for text in texts if text and not text.endswith("}")]
            assert len(torn) <= 1
            whole += sum(1 for text in texts if text.endswith("}"))
        assert whole == counts["delivered"] + counts["fallback"]

    def test_read_only_folder(self, tmp_path):
        """A folder that turns out to be read-only makes events lost, declared, with nothing on stderr but that."""
        folder = tmp_path / "folder"
        folder.mkdir()
        fallback = FallbackFile(folder / "fallback.jsonl")
        target = Target()
        target.fails = True
        logger, _ = by_handler(target=target, fallback=fallback)
        folder.rmdir()

        logger.info("tool_call")

        assert counts_of(logger)["lost"] == 2


class TestQueue:
    def test_delivered_off_the_hot_path(self):
        """Records are delivered in order by another thread, with the context of the call."""
        target = Target()
        logger, _ = by_handler(target=target, queue=True)
        with agentlogsafe.run(run_id="r1", logger=logger):
            for number in range(100):
                logger.info("tool_call", extra={"number": number})
        logger.handlers[0].flush()

        calls = [event for event in target.seen if event["event_type"] == "tool_call"]
        assert [event["payload"]["number"] for event in calls] == list(range(100))
        assert {event["run_id"] for event in calls} == {"r1"}
        assert counts_of(logger)["delivered"] == 102
        logger.handlers[0].close()

    @pytest.mark.parametrize("overflow", ["block", "fallback", "drop"])
    def test_overflow(self, tmp_path, overflow):
        """A full queue does what the setting says, and all is counted."""
        target = Target()
        target.gate.clear()
        logger, _ = by_handler(
            target=target,
            fallback=tmp_path / "fallback.jsonl",
            queue={"size": 2, "overflow": overflow, "timeout": 5},
        )
        logger.info("tool_call")
        while not target.attempts:
            time.sleep(0.001)
        began = time.monotonic()
        for _ in range(4):
            logger.info("tool_call")
        took = time.monotonic() - began
        assert logger.handlers[0].counters.as_dict()["queued"] == 2
        target.gate.set()
        logger.handlers[0].close()

        counts = counts_of(logger)
        assert counts["reasons"] == {"queue full": 2}
        assert counts["lost" if overflow == "drop" else "fallback"] == 2
        # With the report at close, and one after the first record that was delivered after a loss.
        assert counts["delivered"] == (5 if overflow == "drop" else 4)
        assert took < 1 or overflow == "block"

    async def test_event_loop_is_not_blocked(self, tmp_path):
        """Inside an event loop, a full queue never waits."""
        target = Target()
        target.gate.clear()
        logger, _ = by_handler(
            target=target, fallback=tmp_path / "fallback.jsonl", queue={"size": 1, "overflow": "block"}
        )
        began = time.monotonic()
        for _ in range(50):
            logger.info("tool_call")
            await asyncio.sleep(0)
        assert time.monotonic() - began < 1
        target.gate.set()
        logger.handlers[0].close()
        assert counts_of(logger)["fallback"] >= 48

    def test_shutdown_within_its_time(self, tmp_path):
        """A target that hangs keeps closing no longer than the timeout; what waited goes to the fallback."""
        target = Target()
        target.gate.clear()
        logger, _ = by_handler(target=target, fallback=tmp_path / "fallback.jsonl", queue={"timeout": 0.2})
        for _ in range(5):
            logger.info("tool_call")
        while not target.attempts:
            time.sleep(0.001)
        began = time.monotonic()
        release = threading.Timer(1.0, target.gate.set)
        release.start()

        logger.handlers[0]._relay.close()

        assert counts_of(logger)["fallback"] == 5  # with the one that the target hangs with
        logger.handlers[0].close()
        logger.info("tool_result")
        assert time.monotonic() - began < 1
        assert counts_of(logger)["fallback"] == 7
        release.join()
        while target.types() != ["tool_call"]:
            time.sleep(0.001)
        logger.info("decision")  # after the end, and the target is back: straight to it
        assert "decision" in target.types()
        assert counts_of(logger)["fallback"] == 7

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
    def test_fork(self, tmp_path, file_target):
        """A forked child starts a queue of its own, and delivers nothing of the parent's (pitfall 26)."""
        path = tmp_path / "app.jsonl"
        logger, _ = by_handler(target=file_target, queue=True)
        logger.info("tool_call", extra={"who": "parent"})
        child = os.fork()
        if child == 0:  # pragma: no cover -- the child's coverage is not collected
            logger.info("tool_call", extra={"who": "child"})
            logger.handlers[0].flush()
            os._exit(0)
        os.waitpid(child, 0)
        logger.handlers[0].flush()

        assert sorted(event["payload"]["who"] for event in lines(path)) == ["child", "parent"]
        logger.handlers[0].close()

    @pytest.mark.parametrize(
        ("queue", "message"),
        [
            (5, "queue: expected a mapping"),
            ({"sizes": 5}, "did you mean 'size'"),
            ({"size": 0}, r"queue\.size: expected a positive integer, got 0"),
            ({"timeout": "5"}, r"queue\.timeout: expected a number of seconds"),
            ({"timeout": float("inf")}, r"queue\.timeout: expected a number of seconds up to 86400, got inf"),
            ({"timeout": float("nan")}, r"queue\.timeout: .* got nan"),
            ({"overflow": "dorp"}, "did you mean 'drop'"),
        ],
        ids=["kind", "unknown", "size", "timeout", "endless", "no_number", "overflow"],
    )
    def test_wrong_settings(self, queue, message):
        """A wrong setting raises when configured."""
        with pytest.raises(ConfigurationError, match=message):
            agentlogsafe.AuditHandler(queue=queue)

    def test_at_exit(self, tmp_path):
        """A program that ends without closing anything has its queue emptied and its report written."""
        path = tmp_path / "app.jsonl"
        done = run_program(f"""
            import logging, agentlogsafe
            handler = agentlogsafe.AuditHandler(logging.FileHandler({str(path)!r}), queue=True)
            logging.basicConfig(handlers=[handler], level="INFO")
            for number in range(1000):
                logging.info("tool_call", {{"number": number}})
        """)

        assert done.returncode == 0, done.stderr
        events = lines(path)
        assert len(events) == 1001
        assert reports(events)[0]["delivered"] == 1000


class TestRateLimit:
    def test_flood(self, monkeypatch):
        """What passes a type's rate is held back, counted as lost, and declared in the log."""
        now = [1000.0]
        monkeypatch.setattr("agentlogsafe._rate.time.monotonic", lambda: now[0])
        target = Target()
        logger, _ = by_handler(target=target, rate_limit={"tool_call": 10, "other": 1})
        for _ in range(100):
            logger.info("tool_call")
            logger.info("decision")
            logger.info("hello")
        now[0] += 1.1
        logger.info("tool_call")
        logger.handlers[0].close()

        types = target.types()
        assert types.count("tool_call") == 11
        assert types.count("decision") == 100
        assert types.count("hello") == 1
        held = [event["payload"]["held_back"] for event in target.seen if "held_back" in event.get("payload", {})]
        assert held == [{"tool_call": 90}, {"other": 99}]
        assert counts_of(logger)["reasons"] == {"rate limit": 189}

    def test_ends_of_runs_are_spared(self):
        """A limit for all types does not hold back the beginning, an error or the end of a run; one by name does."""
        target = Target()
        logger, _ = by_handler(target=target, rate_limit={"*": 1})

        def fail():
            with agentlogsafe.run("a", logger=logger):
                logger.info("decision")
                raise KeyError

        for _ in range(3):
            with pytest.raises(KeyError):
                fail()
        assert [target.types().count(name) for name in ("run_start", "decision", "error", "run_end")] == [3, 1, 3, 3]

        named = Target()
        logger, _ = by_handler(target=named, rate_limit={"run_end": 1})
        for _ in range(3):
            with agentlogsafe.run("a", logger=logger):
                pass
        assert named.types().count("run_end") == 1

    def test_by_whatever_way_the_type_is_named(self):
        """A limit sees the type of a call in each of the forms that a call can have, and hostile ones pass as lines."""

        class Hostile(dict):
            def get(self, *_):
                raise OSError

        target = Target()
        logger, _ = by_handler(target=target, rate_limit={"tool_call": 1})
        logger.info("tool_call")
        logger.info("call", extra={"event_type": "tool_call"})
        logger.info("call", {"event_type": "tool_call"})
        logger.info({"event": "tool_call"})
        logger.info({"event": "x", "event_type": "tool_call"})
        with agentlogsafe.run("a", logger=logger), agentlogsafe.step("tool_call", tool_name="sql"):
            pass
        logger.info("hello", Hostile(a=1))

        assert target.types().count("tool_call") == 1
        assert counts_of(logger)["reasons"] == {"rate limit": 5}
        assert "could not be read" in target.seen[-1]["problems"][0]

    def test_less_than_one_a_second(self, monkeypatch):
        """A rate of 0.1 lets one record pass in ten seconds."""
        now = [1000.0]
        monkeypatch.setattr("agentlogsafe._rate.time.monotonic", lambda: now[0])
        target = Target()
        logger, _ = by_handler(target=target, rate_limit={"decision": 0.1})
        for _ in range(30):
            logger.info("decision")
            now[0] += 1

        assert target.types().count("decision") == 3

    def test_the_librarys_own_events_pass(self):
        """What another entry has to say of a stream, through this handler, is not held back."""
        target = Target()
        logger, _ = by_handler(target=target, rate_limit={"custom": 1})
        structlog.configure(
            processors=[*agentlogsafe.processors.audit(seal="chain"), agentlogsafe.processors.to_stdlib],
            logger_factory=lambda *_: logger,
        )
        for _ in range(3):
            structlog.get_logger().info("custom")
        agentlogsafe.end_streams()

        assert "stream_close" in [event["payload"].get("kind") for event in target.seen]
        assert counts_of(logger)["lost"] == 2

    @pytest.mark.parametrize(
        "limits",
        [{"tool_cal": 5}, {"tool_call": 0}, {"*": "5"}, {"*": math.inf}, {"*": math.nan}, {"*": 10**400}, 5],
        ids=["name", "zero", "text", "inf", "nan", "huge", "kind"],
    )
    def test_wrong_settings(self, limits):
        """A wrong setting raises when configured."""
        with pytest.raises(ConfigurationError, match="rate_limit"):
            agentlogsafe.AuditHandler(rate_limit=limits)


def run_program(source, **options):
    """Run a program in a fresh interpreter."""
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(source)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **options)


class TestProcessLife:
    def test_sigterm(self, tmp_path):
        """With the opt-in, SIGTERM ends runs as cancelled, empties queues and reports; the exit status is kept."""
        path = tmp_path / "app.jsonl"
        program = f"""
            import logging, time, agentlogsafe
            handler = agentlogsafe.AuditHandler(logging.FileHandler({str(path)!r}), queue=True)
            logging.basicConfig(handlers=[handler], level="INFO")
            agentlogsafe.end_on_sigterm()
            with agentlogsafe.run("a"):
                logging.info("tool_call")
                print("ready", flush=True)
                time.sleep(30)
        """
        env = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
        command = [sys.executable, "-c", textwrap.dedent(program)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as process:
            assert process.stdout.readline() == "ready\n"
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 128 + signal.SIGTERM

        events = lines(path)
        assert [event["event_type"] for event in events] == ["run_start", "tool_call", "run_end", "custom"]
        assert events[2]["status"] == "cancelled"

    def test_logging_after_close_and_during_shutdown(self, tmp_path):
        """Daemon threads that log while the interpreter ends raise nothing and lose nothing undeclared."""
        path = tmp_path / "app.jsonl"
        done = run_program(f"""
            import logging, threading, agentlogsafe
            handler = agentlogsafe.AuditHandler(logging.FileHandler({str(path)!r}))
            logging.basicConfig(handlers=[handler], level="INFO")
            def log():
                while True:
                    logging.info("tool_call")
            for _ in range(3):
                threading.Thread(target=log, daemon=True).start()
            import time; time.sleep(0.2)
        """)

        assert done.returncode == 0
        assert "Error" not in done.stderr
        assert len(lines(path)) > 3

    def test_dict_config_while_threads_log(self, tmp_path):
        """Configuring again and again while threads log loses no event and raises nothing (pitfall 20)."""
        path = tmp_path / "app.jsonl"
        done = run_program(f"""
            import logging, logging.config, threading, agentlogsafe
            config = {{"version": 1, "disable_existing_loggers": False,
                "handlers": {{"file": {{"class": "logging.FileHandler", "filename": {str(path)!r}}},
                              "audit": {{"class": "agentlogsafe.AuditHandler", "target": "file"}}}},
                "loggers": {{"app": {{"handlers": ["audit"], "level": "INFO", "propagate": False}}}}}}
            logging.config.dictConfig(config)
            held = logging.getLogger("app").handlers[0]
            def log(number):
                for _ in range(500):
                    held.handle(logging.makeLogRecord({{"msg": "tool_call", "levelno": 20, "levelname": "INFO"}}))
            threads = [threading.Thread(target=log, args=(n,)) for n in range(4)]
            for thread in threads: thread.start()
            while any(thread.is_alive() for thread in threads):
                logging.config.dictConfig(config)
            held.flush()
        """)

        assert done.returncode == 0, done.stderr
        assert sum(event["event_type"] == "tool_call" for event in lines(path)) == 2000


class TestManyWriters:
    def test_threads(self, tmp_path, file_target):
        """Eight threads write one file, and no line is lost, torn or mixed."""
        path = tmp_path / "app.jsonl"
        logger, _ = by_handler(target=file_target)

        def log(thread):
            for number in range(300):
                logger.info("tool_call", extra={"who": f"{thread}-{number}", "note": TEXT})

        threads = [threading.Thread(target=log, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        events = lines(path)
        assert len({event["payload"]["who"] for event in events}) == len(events) == 2400
        assert len({event["event_id"] for event in events}) == 2400
        assert counts_of(logger)["delivered"] == 2400

    def test_processes(self, tmp_path):
        """Four processes append to one file, and no line is lost, torn or mixed."""
        path = tmp_path / "app.jsonl"
        source = textwrap.dedent(f"""
            import logging, sys, agentlogsafe
            logging.basicConfig(handlers=[agentlogsafe.AuditHandler(logging.FileHandler({str(path)!r}))], level="INFO")
            for number in range(300):
                logging.info("tool_call", {{"who": f"{{sys.argv[1]}}-{{number}}", "note": "x" * number}})
        """)
        running = [subprocess.Popen([sys.executable, "-c", source, str(number)]) for number in range(4)]
        assert [process.wait(60) for process in running] == [0] * 4

        events = [event for event in lines(path) if event["event_type"] == "tool_call"]
        assert len({event["payload"]["who"] for event in events}) == len(events) == 1200

    async def test_tasks(self, tmp_path, file_target):
        """Five hundred tasks log in runs of their own, and no line is lost or in another's run."""
        path = tmp_path / "app.jsonl"
        logger, _ = by_handler(target=file_target, queue=True)

        async def work(number):
            async with agentlogsafe.run(run_id=f"r{number}", logger=logger):
                await asyncio.sleep(0)
                logger.info("tool_call", extra={"number": number})

        await asyncio.gather(*(work(number) for number in range(500)))
        logger.handlers[0].close()

        calls = [event for event in lines(path) if event["event_type"] == "tool_call"]
        assert sorted(event["payload"]["number"] for event in calls) == list(range(500))
        assert all(event["run_id"] == f"r{event['payload']['number']}" for event in calls)


def test_counts_while_handlers_are_made(monkeypatch):
    """Counts are told, and forks prepared, while other threads make handlers."""
    before = sys.getswitchinterval()
    monkeypatch.setattr(delivery, "_counters", weakref.WeakSet())
    monkeypatch.setattr(_targets, "handlers", weakref.WeakSet())
    held = []

    def make():
        for _ in range(300):
            held.append(logging.NullHandler())
            _targets.handlers.add(held[-1])
            held.append(delivery.Counters(lambda: "one"))

    threads = [threading.Thread(target=make) for _ in range(2)]
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            _targets.locked(0.0)
            delivery._renew_after_fork()
    finally:
        sys.setswitchinterval(before)
        for thread in threads:
            thread.join()


def test_metrics_for_prometheus():
    """The counts are there for Prometheus, by handler and outcome."""
    prometheus_client = pytest.importorskip("prometheus_client", reason="needs prometheus-client")
    from agentlogsafe import metrics

    logger, _ = by_handler(name="metered", target=Target(), rate_limit={"decision": 0.001})
    logger.handlers[0].name = "metered"
    logger.info("decision")
    logger.info("decision")
    logger.info("decision")
    registry = prometheus_client.CollectorRegistry()
    metrics.prometheus(registry)

    metrics.prometheus(registry)

    labels = {"handler": "metered", "outcome": "delivered"}
    assert registry.get_sample_value("agentlogsafe_records_total", labels) == 1
    labels = {"handler": "metered", "reason": "rate limit"}
    assert registry.get_sample_value("agentlogsafe_undelivered_records_total", labels) == 2
    text = prometheus_client.generate_latest(registry).decode()
    assert text.count('agentlogsafe_queued_records{handler="metered"}') == 1  # though it was registered twice


@pytest.fixture
def one_waits():
    """A handler whose target hangs with one record, while another waits in the queue."""
    target = Target()
    target.gate.clear()
    logger, _ = by_handler(name="waiting", target=target, queue=True)
    logger.handlers[0].name = "waiting"
    logger.info("tool_call")
    while not target.attempts:
        time.sleep(0.001)
    logger.info("tool_call")
    yield "waiting"
    target.gate.set()
    logger.handlers[0].close()


def test_metrics_of_a_queue(one_waits):
    """Both kinds of metrics tell how many records wait."""
    prometheus_client = pytest.importorskip("prometheus_client", reason="needs prometheus-client")
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    from agentlogsafe import metrics

    registry = prometheus_client.CollectorRegistry()
    metrics.prometheus(registry)
    reader = InMemoryMetricReader()
    metrics.otel(MeterProvider([reader]).get_meter("test"))

    assert registry.get_sample_value("agentlogsafe_queued_records", {"handler": one_waits}) == 1
    found = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics
    (queued,) = [metric for metric in found if metric.name == "agentlogsafe.queued_records"]
    assert [point.value for point in queued.data.data_points if point.attributes["handler"] == one_waits] == [1]


def test_metrics_for_opentelemetry():
    """The counts are there for OpenTelemetry, by handler and outcome."""
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    from agentlogsafe import metrics

    logger, _ = by_handler(name="metered", target=Target())
    logger.handlers[0].name = "metered-otel"
    logger.info("tool_call")
    reader = InMemoryMetricReader()
    metrics.otel(MeterProvider([reader]).get_meter("test"))

    data = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics
    points = {metric.name: list(metric.data.data_points) for metric in data}
    delivered = [
        point.value
        for point in points["agentlogsafe.records"]
        if point.attributes == {"handler": "metered-otel", "outcome": "delivered"}
    ]
    assert delivered == [1]
    assert "agentlogsafe.queued_records" in points


def test_redacted_secret_is_nowhere(capsys):
    """Whatever fails, the secret is in no counter, report or message."""
    target = Target()
    target.fails = True
    logger, _ = by_handler(target=target, fallback=Target())
    logger.handlers[0]._fallback.fails = True

    logger.info("tool_call", extra={"note": TEXT})

    assert SECRET not in json.dumps(agentlogsafe.stats())
    clean(capsys.readouterr().err)
