"""The seal through the three entries: one unbroken stream a process, opened and closed, in order, under moving keys."""

from __future__ import annotations

import base64
import io
import json
import logging
import logging.config
import logging.handlers
import multiprocessing
import os
import signal
import stat
import subprocess
import sys
import threading
from importlib import metadata
from pathlib import Path

import jsonschema
import orjson
import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given
from hypothesis import strategies as st

import agentlogsafe
from agentlogsafe import _stream, seal
from agentlogsafe.chain import chain_for
from agentlogsafe.errors import ConfigurationError

from .helpers import lines

MASTER = "0123456789abcdef0123456789abcdef"


def read(path):
    """Return the events of a file."""
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def streams_of(events, master=None):
    """Return the streams in *events*, each verified from its first event to its last, by number."""
    found = {}
    for event in events:
        found.setdefault(event["seal"]["stream"], []).append(event)
    keys = {}
    for stream, members in found.items():
        before, key = None, None
        for number, event in enumerate(members, 1):
            mark = event["seal"]
            assert mark["seq"] == number
            assert mark.get("prev") == before
            assert ("stream_open" in mark) == (number == 1)
            assert "stream_close" not in mark or number == len(members)
            if master is not None:
                assert mark["key"] == seal.key_id(master)
                if number == 1:
                    key = first_key(mark, master, keys)
                keys[stream, number] = key
            assert seal.event_hash(event, key) == mark["hash"]
            before = mark["hash"]
            if key is not None:
                key = keys[stream, number + 1] = seal.next_key(key)
    return list(found.values())


def first_key(mark, master, keys):
    parent = mark["stream_open"].get("parent")
    if parent is None:
        return seal.stream_key(master, mark["stream"])
    key = keys.get((parent["stream"], parent["seq"] + 1))
    if key is None:
        assert parent["seq"] == 0
        key = seal.stream_key(master, parent["stream"])
    return seal.fork_key(key, mark["stream"])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "audit.jsonl"


@pytest.fixture
def logger_of(path):
    """Return a function that gives a logger through one of the stdlib entries."""
    made = []

    def build(entry="handler", **settings):
        target = logging.FileHandler(path, encoding="utf-8")
        settings = {"agent_name": "a", "workflow_name": "w", "seal": "chain", **settings}
        if entry == "formatter":
            target.setFormatter(agentlogsafe.AuditFormatter(**settings))
            handler = target
        else:
            handler = agentlogsafe.AuditHandler(target, **settings)
        logger = logging.getLogger(f"sealed.{len(made)}.{path}")
        logger.setLevel(logging.INFO)
        logger.propagate = False
        logger.addHandler(handler)
        made.append((logger, handler, target))
        return logger

    yield build
    _stream.end_streams()  # equal settings share a chain, also between tests
    for logger, handler, target in made:
        logger.removeHandler(handler)
        handler.close()
        target.close()


def run_program(text, *args, cwd, **settings):
    """Run a program of its own process, to its end, or to whatever ends it."""
    command = [sys.executable, "-c", text, *map(str, args)]
    return subprocess.run(command, cwd=cwd, capture_output=True, encoding="utf-8", timeout=60, check=False, **settings)


PROGRAMS = {
    "formatter": """
import logging, agentlogsafe
target = logging.FileHandler("audit.jsonl")
target.setFormatter(agentlogsafe.AuditFormatter(agent_name="a", workflow_name="w", seal=SEAL))
logger = logging.getLogger("app"); logger.setLevel(logging.INFO); logger.addHandler(target)
""",
    "handler": """
import logging, agentlogsafe
target = logging.FileHandler("audit.jsonl")
logger = logging.getLogger("app"); logger.setLevel(logging.INFO)
logger.addHandler(agentlogsafe.AuditHandler(target, agent_name="a", workflow_name="w", seal=SEAL))
""",
    "queue": """
import logging, agentlogsafe
target = logging.FileHandler("audit.jsonl")
logger = logging.getLogger("app"); logger.setLevel(logging.INFO)
logger.addHandler(agentlogsafe.AuditHandler(target, agent_name="a", workflow_name="w", seal=SEAL, queue=True))
""",
    "structlog": """
import structlog, agentlogsafe
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        *agentlogsafe.processors.audit(agent_name="a", workflow_name="w", seal=SEAL),
        structlog.processors.JSONRenderer(),
    ],
    logger_factory=structlog.WriteLoggerFactory(open("audit.jsonl", "a")),
    wrapper_class=structlog.make_filtering_bound_logger(20),
)
logger = structlog.get_logger()
""",
    "structlog to stdlib": """
import logging, structlog, agentlogsafe
target = logging.FileHandler("audit.jsonl")
target.setFormatter(agentlogsafe.AuditFormatter())
logging.getLogger().addHandler(target); logging.getLogger().setLevel(logging.INFO)
structlog.configure(
    processors=[
        *agentlogsafe.processors.audit(agent_name="a", workflow_name="w", seal=SEAL),
        agentlogsafe.processors.to_stdlib,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
)
logger = structlog.get_logger("app")
""",
}
WORK = """
with agentlogsafe.run(agent_name="a", workflow_name="w", logger=logger):
    args = {"n": 1.0, "none": None, "text": "ä😀"}
    with agentlogsafe.step("tool_call", tool_name="sql", args=args, logger=logger) as call:
        call.result([1, 2.5, 1e300])
    logger.info("decision", **({"extra": {"outcome": "done"}} if "structlog" not in ENTRY else {"outcome": "done"}))
"""


def program(entry, seal_setting="chain", after=""):
    text = PROGRAMS[entry].replace("SEAL", repr(seal_setting))
    return f"ENTRY = {entry!r}\n{text}{WORK}{after}"


class TestEveryEntry:
    @pytest.mark.parametrize("keyed", [False, True])
    @pytest.mark.parametrize("entry", PROGRAMS)
    def test_one_stream_opened_and_closed(self, tmp_path, path, entry, keyed):
        """A program that ends leaves one whole stream: who wrote it at its head, what became of it at its end."""
        setting = {"key": "env:SEAL_KEY"} if keyed else "chain"
        done = run_program(program(entry, setting), cwd=tmp_path, env={**os.environ, "SEAL_KEY": MASTER})
        assert (done.returncode, done.stderr) == (0, "")

        (events,) = streams_of(read(path), MASTER.encode() if keyed else None)

        validator = jsonschema.Draft202012Validator(agentlogsafe.json_schema())
        for event in events:
            validator.validate(event)
        kinds = [event["event_type"] for event in events]
        assert kinds == ["run_start", "tool_call", "tool_result", "decision", "run_end", "custom"]
        opened, closed = events[0]["seal"]["stream_open"], events[-1]["seal"]["stream_close"]
        assert opened["package"] == f"agentlogsafe {metadata.version('agentlogsafe')}"
        assert (opened["policy"], set(opened)) == (
            events[0]["policy"],
            {"time", "host", "pid", "package", "policy"},
        )
        assert closed["sealed"] == len(events)
        assert events[-1]["payload"]["state"] == "closed"
        if "structlog" not in entry and entry != "formatter":
            assert (closed["accepted"], closed["delivered"], closed["lost"]) == (5, 5, 0)

    @pytest.mark.parametrize("entry", PROGRAMS)
    def test_a_kill_leaves_the_stream_open(self, tmp_path, path, entry):
        """After SIGKILL all that is there fits together, and nothing closes it."""
        flush = "import gc, os\nfor f in gc.get_objects(): getattr(f, 'name', 0) == 'audit.jsonl' and f.flush()\n"
        wait = "logger.handlers[0].flush()\n" if entry == "queue" else ""
        after = f"{wait}{flush}os.kill(os.getpid(), 9)"
        done = run_program(program(entry, after=after), cwd=tmp_path)
        assert done.returncode == -signal.SIGKILL

        (events,) = streams_of(read(path))
        assert events[-1]["event_type"] == "run_end"
        assert "stream_close" not in events[-1]["seal"]


class TestOrder:
    def test_two_handlers_write_the_same_seal(self, path, tmp_path, logger_of):
        """Pitfall 18: one record has one place in the stream, however many handlers take it."""
        logger = logger_of()
        other = tmp_path / "other.jsonl"
        second = agentlogsafe.AuditHandler(logging.FileHandler(other), agent_name="a", workflow_name="w", seal="chain")
        logger.addHandler(second)
        for number in range(3):
            logger.info("decision", {"n": number})
        logger.handlers[0].close()

        assert read(path) == read(other)
        (events,) = streams_of(read(path))
        assert (len(events), "stream_close" in events[-1]["seal"]) == (4, True)
        second.target.close()

    def test_what_one_handler_reports_the_other_delivers(self, path, tmp_path, logger_of):
        """A report of a failing target is part of the stream wherever that goes."""
        logger = logger_of(fallback=tmp_path / "fallback.jsonl")
        second = agentlogsafe.AuditHandler(
            logging.FileHandler(tmp_path / "other.jsonl"), agent_name="a", workflow_name="w", seal="chain"
        )
        logger.addHandler(second)
        works, stream = logger.handlers[0].target.emit, []
        logger.info("decision", {"n": 1})
        logger.handlers[0].target.emit = lambda _: stream.append(1 / 0)
        logger.info("decision", {"n": 2})
        logger.handlers[0].target.emit = works
        logger.info("decision", {"n": 3})
        logger.handlers[0].close()
        second.target.close()

        other = sorted(read(tmp_path / "other.jsonl"), key=lambda event: event["seal"]["seq"])
        both = {event["event_id"]: event for event in read(path) + read(tmp_path / "fallback.jsonl")}
        assert sorted(both.values(), key=lambda event: event["seal"]["seq"]) == other
        (events,) = streams_of(other)
        states = [event["payload"]["state"] for event in events if "state" in event["payload"]]
        assert states == ["failing", "recovered", "closed"]

    @pytest.mark.parametrize("entry", ["handler", "formatter"])
    def test_threads_write_in_order(self, path, logger_of, entry):
        """The lines of eight threads are in the order of their numbers."""
        logger = logger_of(entry)

        def log():
            for number in range(100):
                logger.info("decision", {"n": number})

        threads = [threading.Thread(target=log) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        events = read(path)
        streams_of(events)
        assert [event["seal"]["seq"] for event in events] == list(range(1, 801))

    def test_one_file_by_two_ways(self, path, logger_of):
        """Neither waits for the other for ever where one file is a handler's target, and formats for a logger, too."""
        logger = logger_of("handler")
        target = logger.handlers[0].target
        target.setFormatter(agentlogsafe.AuditFormatter(agent_name="a", workflow_name="w", seal="chain"))
        other = logging.getLogger(f"{logger.name}.other")
        other.propagate = False
        other.addHandler(target)

        def log(to):
            for number in range(2_000):
                to.info("decision", {"n": number})

        threads = [threading.Thread(target=log, args=(to,)) for to in (logger, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        other.removeHandler(target)

        (events,) = streams_of(sorted(read(path), key=lambda event: event["seal"]["seq"]))
        assert len(events) == 4_000

    def test_who_wrote_the_end_takes_no_part_in_what_follows(self, path, logger_of):
        """A formatter that wrote a stream's closing event gets none of the next stream's, which it wrote nothing of."""
        logger = logger_of("formatter")
        other = logger_of("handler")
        logger.info("decision", {"n": 1})
        agentlogsafe.end_streams()
        logger.handlers[0].close()
        before = path.read_bytes()
        logger.handlers[0].baseFilename = str(path.with_name("reopened.jsonl"))
        other.info("decision", {"n": 2})
        agentlogsafe.end_streams()

        assert len(path.read_bytes().splitlines()) == len(before.splitlines()) + 2
        assert not path.with_name("reopened.jsonl").exists()

    def test_a_rotated_file_goes_on_with_the_stream(self, path, logger_of):
        """What a file was rotated to, and the file, hold one stream."""
        logger = logger_of("handler")
        rotating = logging.handlers.RotatingFileHandler(path, maxBytes=5_000, backupCount=99)
        logger.handlers[0].setTarget(rotating)
        for number in range(50):
            logger.info("decision", {"n": number})
        logger.handlers[0].close()
        rotating.close()

        events = [event for file in path.parent.iterdir() for event in read(file)]
        assert len(list(path.parent.iterdir())) > 3
        (events,) = streams_of(sorted(events, key=lambda event: event["seal"]["seq"]))
        assert "stream_close" in events[-1]["seal"]

    def test_a_signal_in_the_middle(self, path, logger_of):
        """What a signal's handler logs, in the middle of a seal, has a place of its own."""
        logger = logger_of("handler")
        stopped = []

        def log_and_go_on(*_):
            logger.info("decision", {"from": "signal"})
            if not stopped:
                signal.setitimer(signal.ITIMER_REAL, 0.0005)  # again, but not inside of itself

        before = signal.signal(signal.SIGALRM, log_and_go_on)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.0005)
            for number in range(1_000):
                logger.info("decision", {"n": number})
        finally:
            stopped.append(True)
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

        events = sorted(read(path), key=lambda event: event["seal"]["seq"])
        streams_of(events)
        assert len(events) > 1_000

    def test_an_event_nobody_asked_for_has_no_place(self, path, logger_of):
        """What an AgentLogger returns for a call below the level is no gap in the stream."""
        logger = logger_of()
        typed = agentlogsafe.AgentLogger(agent_name="a", workflow_name="w", logger=logger)
        typed.decision("first")
        assert "seal" not in typed.emit("decision", level=logging.DEBUG, outcome="unseen")
        assert typed.decision("second")["seal"]["seq"] == 2

        assert len(streams_of(read(path))[0]) == 2


class TestStreams:
    def test_after_the_end_another_begins(self, path, logger_of):
        """What is logged after close opens a stream that names the one before, under a key that follows from it."""
        logger = logger_of(seal={"key": lambda: MASTER})
        for _ in range(3):
            logger.info("decision", {"n": 1})
            logger.handlers[0].close()

        first, second, third = streams_of(read(path), MASTER.encode())
        for before, after in ((first, second), (second, third)):
            last = before[-1]["seal"]
            parent = {"stream": last["stream"], "seq": last["seq"], "hash": last["hash"]}
            assert after[0]["seal"]["stream_open"]["parent"] == parent

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
    @pytest.mark.parametrize("entry", ["handler", "formatter"])
    @pytest.mark.parametrize("written", [0, 2])
    def test_a_child_has_its_own(self, path, logger_of, entry, written):
        """A forked child, and its child, open streams that name where they come from; the parent's goes on."""
        logger = logger_of(entry, seal={"key": lambda: MASTER})
        for _ in range(written):
            logger.info("decision", {"n": 1})
        if (child := os.fork()) == 0:
            if (grandchild := os.fork()) == 0:
                logger.info("decision", {"n": 3})
                os._exit(0)
            os.waitpid(grandchild, 0)
            logger.info("decision", {"n": 2})
            os._exit(0)
        os.waitpid(child, 0)
        logger.info("decision", {"n": 4})

        events = sorted(read(path), key=lambda event: event["payload"]["n"])
        streams = streams_of(events, MASTER.encode())
        assert len(streams) == 3
        origin = {"stream": events[0]["seal"]["stream"], "seq": written}
        for event in events:
            opened = event["seal"].get("stream_open", {})
            if event["payload"]["n"] in (2, 3):
                assert origin.items() <= opened["parent"].items() or written == 0
            else:
                assert "parent" not in opened

    @pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
    def test_a_process_of_a_pool_closes_its_own(self, tmp_path, method):
        """Every child of multiprocessing that ends leaves a closed stream."""
        if method not in multiprocessing.get_all_start_methods():
            pytest.skip(f"no {method} here")
        (tmp_path / "app.py").write_text(
            """
import logging, multiprocessing, os, sys, agentlogsafe
def log(number):
    target = logging.FileHandler(f"{number}.jsonl")
    target.setFormatter(agentlogsafe.AuditFormatter(agent_name="a", workflow_name="w", seal="chain"))
    logger = logging.getLogger("app"); logger.setLevel(logging.INFO); logger.addHandler(target)
    logger.info("decision", {"n": number})
if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    children = [context.Process(target=log, args=(n,)) for n in range(2)]
    [child.start() for child in children]
    [child.join() for child in children]
"""
        )
        done = subprocess.run(
            [sys.executable, "app.py", method], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        for number in range(2):
            (events,) = streams_of(read(tmp_path / f"{number}.jsonl"))
            assert [event["event_type"] for event in events] == ["decision", "custom"]
            assert "stream_close" in events[-1]["seal"]

    def test_dictconfig_again(self, tmp_path, path):
        """A second dictConfig closes the stream, and the next names it."""
        config = {
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {
                "file": {"class": "logging.FileHandler", "filename": str(path)},
                "audit": {
                    "class": "agentlogsafe.AuditHandler",
                    "target": "file",
                    "agent_name": "twice",
                    "seal": "chain",
                },
            },
            "root": {"level": "INFO", "handlers": ["audit"]},
        }
        for _ in range(2):
            logging.config.dictConfig(config)
            logging.getLogger("app").info("decision", {"n": 1})
        logging.config.dictConfig({"version": 1, "disable_existing_loggers": False})

        first, second = streams_of(read(path))
        assert second[0]["seal"]["stream_open"]["parent"]["hash"] == first[-1]["seal"]["hash"]
        assert "stream_close" in second[-1]["seal"]

    def test_ordinary_lines_are_not_sealed(self, path, logger_of):
        """They have no place in the stream, unless they are to be events."""
        logger_of().info("an ordinary line")
        assert "seal" not in read(path)[0]
        logger_of(others="custom").info("an ordinary line")
        assert read(path)[1]["seal"]["seq"] == 1

    def test_what_cannot_be_read_is_sealed_too(self, path, logger_of, monkeypatch):
        """An event that stands for a call which broke the chain is part of the stream."""
        logger = logger_of()
        monkeypatch.setattr("agentlogsafe._maker.normalize", lambda *_: 1 / 0)
        logger.info("decision", {"n": 1})
        monkeypatch.undo()
        logger.info("decision", {"n": 2})

        (events,) = streams_of(read(path))
        assert events[0]["problems"]
        assert len(events) == 2

    def test_what_the_targets_level_refuses_has_no_place(self, path, logger_of):
        """An event that the target does not want leaves no gap in its file, and its run has learned from it."""
        logger = logger_of(agent_name="of-one-level")
        logger.handlers[0].target.setLevel(logging.WARNING)
        with agentlogsafe.run("a", logger=logger):
            for _ in range(3):
                logger.info("tool_call", {"args": {"password": "correct-horse-9"}})
                logger.warning("decision", {"reason": "it is correct-horse-9"})
        agentlogsafe.end_streams()

        events = read(path)
        (stream,) = streams_of(events)
        assert [event["event_type"] for event in stream] == ["decision"] * 3 + ["custom"]
        assert {event["payload"]["reason"] for event in stream[:3]} == {"it is [PASSWORD]"}
        assert stream[-1]["seal"]["stream_close"]["accepted"] == 8

    def test_the_line_stays_within_its_limit(self, path, logger_of):
        """The seal is counted in."""
        logger = logger_of(limits={"line": 4_000}, seal={"key": lambda: MASTER})
        for number in range(3):
            logger.info("decision", {"text": "x y " * 5_000, "n": number})
        logger.handlers[0].close()

        streams_of(read(path), MASTER.encode())
        assert max(map(len, path.read_bytes().splitlines())) <= 4_000


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.just("ä😀" * 900),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)


@given(st.fixed_dictionaries({"args": VALUES}, optional={"metadata": VALUES, "duration_ms": VALUES, "d": VALUES}))
@pytest.mark.parametrize("settings", [{}, {"metadata": {"rate": 0.5, "none": None, "one": 1.0}}], ids=["", "metadata"])
def test_any_event(settings, fields):
    """Whatever is in an event, also where it was cut, its seal is over what is written of it."""
    chain = chain_for("a test", {"seal": "chain", "limits": {"line": 4_000}, **settings})
    made = [
        orjson.loads(chain.record(logging.makeLogRecord({"msg": "tool_call", "args": (fields,), "name": "app"})).line),
        json.loads(json.dumps(chain.event_dict(None, "info", {"event": "tool_call", **fields}))),
    ]

    for event in made:
        assert seal.event_hash(event) == event["seal"]["hash"]
        assert len(json.dumps(event)) <= 4_000 or event is made[0]


class TestKeys:
    def test_the_first_key_is_forgotten(self, logger_of):
        """Nothing in the process holds it, or any key of the past, once it has been used."""
        logger = logger_of(seal={"key": lambda: MASTER})
        sealer = logger.handlers[0]._chain.sealer
        first = sealer._place
        seen = {first.key}
        for _ in range(3):
            logger.info("decision", {"n": 1})
            assert sealer._place.key not in seen
            seen.add(sealer._place.key)
        held = json.dumps([vars(sealer), sealer._place, vars(logger.handlers[0]._chain.settings)], default=repr)
        assert MASTER not in held
        assert repr(first.key) not in held

    def test_other_processes_of_the_same_key(self, tmp_path, path):
        """Two processes with one key write two streams, which one key verifies."""
        for _ in range(2):
            run_program(
                program("formatter", {"key": "env:SEAL_KEY"}), cwd=tmp_path, env={**os.environ, "SEAL_KEY": MASTER}
            )
        assert len(streams_of(read(path), MASTER.encode())) == 2


class TestCheckpoints:
    def test_file(self, tmp_path, path, logger_of):
        """At its first event, every so many, and at its end, the stream says how far it has come, signed."""
        private = ed25519.Ed25519PrivateKey.generate()
        place = tmp_path / "checkpoints.jsonl"
        key = base64.b64encode(private.private_bytes_raw()).decode()
        logger = logger_of(
            seal={"checkpoint_every": 3, "checkpoint_to": str(place), "signing_key": lambda: key, "key": lambda: MASTER}
        )
        for number in range(7):
            logger.info("decision", {"n": number})
        logger.handlers[0].close()

        events, checkpoints = read(path), read(place)
        assert [checkpoint["seq"] for checkpoint in checkpoints] == [1, 3, 6, 8]
        for checkpoint in checkpoints:
            mark = events[checkpoint["seq"] - 1]["seal"]
            assert (checkpoint["stream"], checkpoint["hash"]) == (mark["stream"], mark["hash"])
            assert (checkpoint["count"], checkpoint["key"]) == (checkpoint["seq"], seal.key_id(MASTER.encode()))
            assert seal.verify_checkpoint(checkpoint, private.public_key())
        assert stat.S_IMODE(place.stat().st_mode) == 0o600

    @pytest.mark.parametrize("form", ["handler", "logger"])
    def test_another_handler(self, path, tmp_path, logger_of, form):
        """A handler, or a logger by its name, takes them as lines of JSON."""
        other = logging.FileHandler(tmp_path / "elsewhere.jsonl")
        logging.getLogger("elsewhere").addHandler(other)
        place = other if form == "handler" else {"logger": "elsewhere"}
        logger_of(seal={"checkpoint_to": place}).info("decision", {"n": 1})

        (checkpoint,) = read(tmp_path / "elsewhere.jsonl")
        assert checkpoint["hash"] == read(path)[0]["seal"]["hash"]
        other.close()

    def test_a_place_that_fails(self, path, tmp_path, logger_of, capsys):
        """The event goes out all the same, and stderr says so, once."""

        class Failing(logging.Handler):
            def emit(self, record):
                raise OSError

        logger = logger_of(seal={"checkpoint_every": 1, "checkpoint_to": Failing()})
        for _ in range(3):
            logger.info("decision", {"n": 1})

        assert len(streams_of(read(path))[0]) == 3
        assert capsys.readouterr().err.count("a checkpoint could not be written (OSError)") == 1


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"keys": "env:X"}, r"seal: unknown setting 'keys'; did you mean 'key'\?"),
        ({"key": "0123456789abcdef"}, r"seal\.key: expected 'env:NAME', 'file:PATH' or a callable$"),
        ({"key": "env:NOT_SET_ANYWHERE"}, r"seal\.key: the environment variable 'NOT_SET_ANYWHERE' is not set"),
        ({"key": "file:/not/there"}, r"seal\.key: '/not/there' cannot be read \(no such file or directory\)"),
        ({"key": lambda: "short"}, r"seal\.key: expected a key of at least 16 bytes"),
        ({"checkpoint_every": 0}, r"seal\.checkpoint_every: expected a number of events, at least 1, got 0"),
        ({"checkpoint_to": 7}, r"seal\.checkpoint_to: expected a path, a handler or"),
        ({"checkpoint_to": {"loger": "x"}}, r"seal\.checkpoint_to: unknown setting 'loger'; did you mean 'logger'\?"),
        ({"checkpoint_to": "/not/there/x"}, r"seal\.checkpoint_to: '/not/there/x' cannot be used, its folder does not"),
        ({"signing_key": "env:X"}, r"seal\.signing_key: signs checkpoints, and checkpoint_to does not say"),
        (
            {"checkpoint_to": "c.jsonl", "signing_key": lambda: "x" * 20},
            r"seal\.signing_key: expected an Ed25519 key as PEM",
        ),
        ("chian", r"seal: expected 'chain', 'off' or a mapping such as .*; did you mean 'chain'\?"),
        ("0123456789abcdef", r"seal: expected 'chain', 'off' or a mapping such as \{'key': 'env:NAME'\}$"),
        (7, r"seal: expected 'chain', 'off' or a mapping"),
    ],
)
def test_settings_that_do_not_fit(setting, message):
    """A mistake is named when logging is configured, without the key."""
    with pytest.raises(ConfigurationError, match=message) as raised:
        agentlogsafe.AuditFormatter(seal=setting)
    assert "0123456789abcdef" not in str(raised.value)


@pytest.mark.parametrize("given", [{"checkpoint_every": 0}, {"key": "0123456789abcdef"}, {"checkpoint_to": 7}])
def test_settings_made_in_code(given):
    """Settings that are an object are checked like a mapping, and do not show the key."""
    settings = agentlogsafe.SealSettings(**given)
    with pytest.raises(ConfigurationError, match=r"seal\.(checkpoint_every|key|checkpoint_to): expected") as raised:
        agentlogsafe.AuditFormatter(seal=settings)
    assert "0123456789abcdef" not in f"{settings!r} {raised.value}"


def test_processors_without_their_star_end_their_stream():
    """The closing event also leaves where the processors stand as one among others."""
    stream = io.StringIO()
    structlog.configure(
        processors=[agentlogsafe.processors.audit(seal="chain"), structlog.processors.JSONRenderer()],
        logger_factory=structlog.PrintLoggerFactory(stream),
    )
    structlog.get_logger().info("decision", outcome="x")
    _stream.end_streams()

    assert [event["seal"]["seq"] for event in lines(stream)] == [1, 2]


def test_later_processors_do_not_matter_to_structlog(tmp_path):
    """A closing event leaves through structlog's own processors; where they drop it, nothing is raised."""

    def drop(_, __, event):
        if event["event_type"] == "custom":
            raise structlog.DropEvent
        return event

    structlog.configure(processors=[*agentlogsafe.processors.audit(agent_name="d", seal="chain"), drop])
    with pytest.raises(TypeError):
        structlog.get_logger().info("decision", outcome="x")  # without a renderer; the event was made before
    _stream.end_streams()
