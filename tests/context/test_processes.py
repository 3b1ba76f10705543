"""Processes: `inject` and `extract` take the run along; after a fork nothing is locked and no id is made twice."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor

import pytest

import agentlogsafe
from agentlogsafe import context
from tests.context import workers
from tests.helpers import lines, unmeasured, valid

METHODS = multiprocessing.get_all_start_methods()
needs_fork = pytest.mark.skipif("fork" not in METHODS, reason="needs fork")

log = logging.getLogger("app")


@pytest.mark.parametrize("method", METHODS)
def test_a_process_continues_the_run_it_was_sent(tmp_path, method):
    """Inside `extract`, a child's events are of the parent's run, under the event that sent it; after it, not (30)."""
    path = tmp_path / "child.jsonl"
    processes = multiprocessing.get_context(method)
    with (
        agentlogsafe.run(agent_name="parent", workflow_name="flow", session_id="s, 1 – ü", agent_version="1.2") as run,
        agentlogsafe.step("tool_call", tool_name="delegate") as call,
    ):
        process = processes.Process(target=workers.work, args=(path, agentlogsafe.inject({})))
    process.start()
    process.join(60)
    assert process.exitcode == 0

    found = [valid(line) for line in lines(path)]
    assert [event["event_type"] for event in found] == ["decision", "run_start", "decision", "run_end", "decision"]
    inside, start, nested, _, outside = found
    assert inside["run_id"] == run.run_id
    assert inside["parent_event_id"] == call.event_id
    assert (inside["agent_name"], inside["agent_version"]) == ("parent", "1.2")
    assert inside["workflow_name"] == "flow"
    assert inside["payload"]["pid"] != os.getpid()
    assert nested["parent_run_id"] == start["parent_run_id"] == run.run_id
    assert start["parent_event_id"] == call.event_id
    assert outside["run_id"] is None


@pytest.mark.parametrize("method", METHODS)
def test_a_process_that_was_sent_nothing(tmp_path, method):
    """An empty carrier binds nothing; the child's events say that they are outside any run (30)."""
    path = tmp_path / "child.jsonl"
    process = multiprocessing.get_context(method).Process(target=workers.work, args=(path, agentlogsafe.inject({})))
    process.start()
    process.join(60)

    assert lines(path)[0]["run_id"] is None
    assert lines(path)[0]["problems"] == ["run: the event is outside any run"]


def test_a_pool_of_processes(tmp_path):
    """One pool serves several runs: what counts is the carrier that came with the work (30)."""
    spawn = multiprocessing.get_context("spawn")
    paths = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    runs = []
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        for path in paths:
            with agentlogsafe.run() as run:
                pool.submit(workers.work, path, agentlogsafe.inject({})).result(60)
            runs.append(run.run_id)

    assert [lines(path)[0]["run_id"] for path in paths] == runs


def test_a_carrier_through_the_environment_and_headers(events):
    """A carrier is text in a mapping: it passes JSON, and headers in any case, as bytes too."""
    with agentlogsafe.run(agent_name="sender") as run:
        carrier = agentlogsafe.inject({"content-type": "text/plain"})
    sent = json.loads(json.dumps(carrier))

    for received in (
        sent,
        {key.title(): value for key, value in sent.items()},
        {key.upper(): value for key, value in sent.items()},
        {key.encode(): value.encode() for key, value in sent.items()},
    ):
        with agentlogsafe.extract(received) as extracted:
            assert extracted
            log.info("decision")

    assert [(event["run_id"], event["agent_name"]) for event in events("decision")] == [(run.run_id, "sender")] * 4
    assert len(events("run_start")) == 1  # extracting begins no run


def test_only_ids_travel():
    """A carrier has no metadata, no risk, no actor and no payload in it."""
    with agentlogsafe.run(metadata={"m": "m-secret"}, risk={"r": "r-secret"}, actor="a-secret", input="i-secret"):
        carrier = agentlogsafe.inject({})

    assert set(carrier) == {"agentlogsafe-context"}
    assert "secret" not in carrier["agentlogsafe-context"]
    assert agentlogsafe.inject({}) == {}


@pytest.mark.parametrize(
    "carrier",
    [
        {},
        {"agentlogsafe-context": ""},
        {"agentlogsafe-context": "nonsense"},
        {"agentlogsafe-context": "run_id=" + "x" * 10_000},
        {"agentlogsafe-context": "run_id=a%0Ab"},
        {"agentlogsafe-context": "run_id=%1b[31m"},
        {"agentlogsafe-context": None},
        {"agentlogsafe-context": 17},
        {"agentlogsafe-context": b"\xff\xfe"},
        {"agentlogsafe-context": "%" * 5000},
    ],
)
def test_a_damaged_carrier_binds_nothing(events, carrier):
    """What arrives from outside is not trusted, and never raises."""
    with agentlogsafe.extract(carrier) as extracted:
        assert not extracted
        log.info("decision")

    assert events("decision")[0]["run_id"] is None


@needs_fork
def test_a_forked_child_is_still_in_the_run(tmp_path, events):
    """A fork copies the context: without any carrier, the child's events are of the parent's run."""
    path = tmp_path / "child.jsonl"

    def child():
        workers.configure(path)
        log.info("decision")

    with agentlogsafe.run() as run:
        process = multiprocessing.get_context("fork").Process(target=child)
        process.start()
        process.join(60)

    (event,) = lines(path)
    assert event["run_id"] == run.run_id
    assert events("decision") == []


@pytest.mark.parametrize("method", METHODS)
def test_ids_of_several_processes_are_unique(method):
    """Parent and children, forked ones too, never make the same id (26)."""
    workers.ids(10)  # the generator has been used, and has state, before the fork
    with multiprocessing.get_context(method).Pool(4) as pool:
        made = pool.map(workers.ids, [200] * 8, chunksize=1)
    made.append(workers.ids(200))

    every = [event_id for ids in made for event_id in ids]
    assert len(set(every)) == len(every) == 9 * 201
    for ids in made:
        assert ids[:-1] == sorted(ids[:-1])  # made later, sorts later


FORK_WHILE_LOGGING = """
import logging, os, sys, threading, time
import agentlogsafe

class Direct(logging.Handler):
    # Not a FileHandler: the lock of a buffered file is CPython's, and a child forked while it is held waits for ever.
    def emit(self, record):
        os.write(file, self.format(record).encode() + b"\\n")

file = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
logging.basicConfig(level=logging.INFO, handlers=[agentlogsafe.AuditHandler(Direct(), agent_name="agent")])
log = logging.getLogger("app")
stop = threading.Event()

def busy():
    while not stop.wait(0.0002):
        log.info("decision", {"child": False})

with agentlogsafe.run():
    threads = [threading.Thread(target=agentlogsafe.carry(busy)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(60):
        pid = os.fork()
        if pid == 0:
            log.info("decision", {"child": True})
            agentlogsafe.stats()
            os._exit(0)
        deadline = time.monotonic() + 100
        while os.waitpid(pid, os.WNOHANG) == (0, 0):
            if time.monotonic() > deadline:
                os.kill(pid, 9)
                stop.set()
                sys.exit("a child hangs")
            time.sleep(0.001)
    stop.set()
    for thread in threads:
        thread.join()
"""


@needs_fork
def test_forking_while_other_threads_log(tmp_path):
    """Children forked at any moment of other threads' log calls log, and end (26)."""
    path = tmp_path / "audit.jsonl"
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK_WHILE_LOGGING, str(path)],
        env=unmeasured(),  # coverage has a lock, which a child forked while another thread holds it would wait for
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    found = [event for event in lines(path) if event["event_type"] == "decision"]
    assert sum(event["payload"]["child"] for event in found) == 60
    assert len({event["run_id"] for event in found}) == 1
    assert len({event["event_id"] for event in found}) == len(found)


@needs_fork
def test_memory_of_a_run_in_a_forked_child(events):
    """What a run remembers is guarded by no lock that a child could find held; the child goes on remembering (26)."""
    with agentlogsafe.run():
        log.info("decision", {"password": "correct-horse"})
        memory = context.current().run.memory
        assert not [name for name in memory.__slots__ if hasattr(getattr(memory, name), "acquire")]
        pid = os.fork()
        if pid == 0:
            signal.alarm(60)
            log.info("decision", {"password": "battery-staple"})
            os._exit(len(context.current().run.memory))
        _, status = os.waitpid(pid, 0)

    assert os.waitstatus_to_exitcode(status) == 2
