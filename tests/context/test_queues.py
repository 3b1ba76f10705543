"""QueueHandler and QueueListener: the thread behind the queue has no context, the record brings it along (14, 31)."""

from __future__ import annotations

import copy
import logging
import logging.handlers
import pickle
import queue

import pytest

import agentlogsafe
from tests.helpers import by_formatter, lines, valid


@pytest.fixture
def behind():
    """Return a function that puts a handler behind a queue: (front handler, stop)."""
    listeners = []

    def start(target, respect=True):
        channel = queue.Queue()
        listener = logging.handlers.QueueListener(channel, target, respect_handler_level=respect)
        listener.start()
        listeners.append(listener)
        return logging.handlers.QueueHandler(channel), listener.stop

    yield start
    for listener in listeners:
        if listener._thread is not None:
            listener.stop()


@pytest.fixture
def log():
    logger = logging.getLogger("queued")
    logger.handlers[:] = []
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return logger


def formatted():
    """Return a handler with an AuditFormatter, and its stream."""
    logger, stream = by_formatter("behind", agent_name="agent")
    return logger.handlers[0], stream


def test_a_formatter_behind_a_queue_has_the_run(log, behind):
    """The record was stamped where it was made: run, parent and time are those of the call (31)."""
    handler, stream = formatted()
    front, stop = behind(handler)
    log.addHandler(front)

    with agentlogsafe.run(logger=log) as run, agentlogsafe.step("tool_call", tool_name="sql", logger=log) as call:
        log.info("decision", extra={"decision": "go", "password": "correct-horse"})
        log.info("an ordinary line")
    log.info("decision", extra={"decision": "late"})
    stop()

    found = lines(stream)
    (inside, outside) = [event for event in found if event.get("event_type") == "decision"]
    assert inside["run_id"] == run.run_id
    assert inside["parent_event_id"] == call.event_id
    assert inside["payload"] == {"decision": "go", "password": "[PASSWORD]"}
    assert outside["run_id"] is None
    (ordinary,) = [line for line in found if line.get("message") == "an ordinary line"]
    assert ordinary["run_id"] == run.run_id


def test_runs_and_steps_keep_their_ids_behind_a_queue(log, behind):
    """What `run` and `step` log themselves arrives with its fields and the ids that others refer to (14, 31)."""
    handler, stream = formatted()
    front, stop = behind(handler)
    log.addHandler(front)

    with (
        agentlogsafe.run(logger=log, input="question") as run,
        agentlogsafe.step("tool_call", tool_name="sql", args={"q": 1}, logger=log) as call,
    ):
        call.result([1])
    stop()

    start, tool_call, result, end = lines(stream)
    assert {event["run_id"] for event in (start, tool_call, result, end)} == {run.run_id}
    assert start["payload"] == {"input": "question"}
    assert tool_call["event_id"] == call.event_id
    assert tool_call["payload"] == {"args": {"q": 1}}
    assert tool_call["parent_event_id"] == start["event_id"]
    assert (result["parent_event_id"], result["payload"]) == (call.event_id, {"result": [1]})
    assert end["status"] == "success"


def test_an_audit_handler_in_front_of_a_queue(log, behind):
    """The event is finished before the queue: all forms of fields survive it, whatever writes behind it (14)."""
    plain, stream = formatted()
    front, stop = behind(plain)
    log.addHandler(agentlogsafe.AuditHandler(front, agent_name="agent"))

    with agentlogsafe.run(logger=log) as run:
        log.info("tool_call", {"tool_name": "sql", "args": {"q": 1}, "tool_call_id": "c"})
        log.info("tool_result", extra={"tool_name": "sql", "result": [1], "tool_call_id": "c"})
        log.info({"event": "decision", "decision": "go"})
    stop()

    found = [valid(line) for line in lines(stream)]
    assert [event["event_type"] for event in found] == ["run_start", "tool_call", "tool_result", "decision", "run_end"]
    assert {event["run_id"] for event in found} == {run.run_id}
    _, call, result, decision, _ = found
    assert (call["tool_name"], call["payload"]) == ("sql", {"args": {"q": 1}})
    assert (result["parent_event_id"], result["payload"]) == (call["event_id"], {"result": [1]})
    assert decision["payload"] == {"decision": "go"}


def test_an_audit_handler_in_front_and_a_bare_handler_behind(log, behind):
    """A plain StreamHandler behind the queue writes the event as a line of JSON (14)."""
    _, stream = formatted()
    front, stop = behind(logging.StreamHandler(stream))
    log.addHandler(agentlogsafe.AuditHandler(front, agent_name="agent"))

    with agentlogsafe.run(logger=log) as run:
        log.info("decision", {"decision": "go"})
    stop()

    assert [valid(line)["run_id"] for line in lines(stream)] == [run.run_id] * 3


def test_one_event_before_and_behind_a_queue(log, behind):
    """A handler at the logger and one behind the queue write the same event."""
    before, before_stream = formatted()
    handler, behind_stream = formatted()
    front, stop = behind(handler)
    log.addHandler(before)
    log.addHandler(front)

    with agentlogsafe.run(logger=log):
        log.info("decision", extra={"decision": "go"})
    stop()

    assert lines(before_stream) == lines(behind_stream)


def test_repeated_tool_call_ids_behind_a_queue(log, behind):
    """A result behind a queue belongs to the call before it, though the id has been used again meanwhile."""
    handler, stream = formatted()
    front, stop = behind(handler)
    log.addHandler(front)

    with agentlogsafe.run(logger=log):
        for number in range(3):
            log.info("tool_call", extra={"tool_name": "sql", "tool_call_id": "call_1", "number": number})
            log.info("tool_result", extra={"tool_name": "sql", "tool_call_id": "call_1", "number": number})
    stop()

    calls = {e["payload"]["number"]: e["event_id"] for e in lines(stream) if e["event_type"] == "tool_call"}
    results = {e["payload"]["number"]: e["parent_event_id"] for e in lines(stream) if e["event_type"] == "tool_result"}
    assert results == calls


def test_repeated_tool_call_ids_before_and_behind_a_queue(log):
    """A handler with other settings that formats late neither gets nor gives other parents than the one at the call."""
    channel = queue.Queue()
    before, before_stream = formatted()
    late_logger, late_stream = by_formatter("late", agent_name="other settings")
    log.addHandler(before)
    log.addHandler(logging.handlers.QueueHandler(channel))

    with agentlogsafe.run(logger=log):
        for number in range(2):
            log.info("tool_call", extra={"tool_name": "sql", "tool_call_id": "call_1", "number": number})
            late_logger.handle(channel.get())  # behind by some: run_start first, then the first call
            log.info("tool_result", extra={"tool_name": "sql", "tool_call_id": "call_1", "number": number})
    while not channel.empty():
        late_logger.handle(channel.get())

    for stream in (before_stream, late_stream):
        found = lines(stream)
        calls = {e["payload"]["number"]: e["event_id"] for e in found if e["event_type"] == "tool_call"}
        results = {e["payload"]["number"]: e["parent_event_id"] for e in found if e["event_type"] == "tool_result"}
        assert results == calls


def test_a_record_that_is_pickled(log):
    """What crosses to another process is text: the run's id survives, and no class of ours is needed (15)."""
    made = []
    handler = logging.Handler()
    handler.emit = made.append
    log.addHandler(handler)

    with agentlogsafe.run(logger=log) as run:
        log.info("decision", extra={"decision": "go"})

    record = made[1]
    clone = pickle.loads(pickle.dumps(record.__dict__))
    assert b"agentlogsafe.context" not in pickle.dumps(record.__dict__)
    assert run.run_id in clone.values()
    assert copy.copy(record).__dict__ == record.__dict__


def test_a_record_factory_that_replaces_ours(log, behind):
    """A factory that is set later, and does not call the one before it, does not part events from their run (31)."""
    with agentlogsafe.run(logger=log):
        pass
    factory = logging.getLogRecordFactory()
    handler, stream = formatted()
    front, stop = behind(handler)
    log.addHandler(front)
    logging.setLogRecordFactory(logging.LogRecord)
    try:
        with agentlogsafe.run(logger=log) as run:
            log.info("decision", extra={"decision": "go"})
        stop()
    finally:
        logging.setLogRecordFactory(factory)

    assert [event["run_id"] for event in lines(stream)] == [run.run_id] * 3


def test_a_thread_that_comes_after_the_run(log):
    """An event is late by the time of its call, not by that of the thread behind the queue (31)."""
    handler, stream = formatted()
    channel = queue.Queue()
    log.addHandler(logging.handlers.QueueHandler(channel))
    with agentlogsafe.run(logger=log) as run:
        log.info("decision")
        late = agentlogsafe.carry(log.info)
    late("decision")
    listener = logging.handlers.QueueListener(channel, handler)
    listener.start()
    listener.stop()

    start, inside, end, after = lines(stream)
    assert {event["run_id"] for event in (start, inside, end, after)} == {run.run_id}
    assert not [event for event in (start, inside, end) if "problems" in event]
    assert after["problems"] == ["run: the event came after the run's end"]


def test_record_factories_that_come_and_go(events):
    """A record factory that is set and put back again and again leaves no trace on ours."""

    def deep(factory):
        found = 0
        while factory is not logging.LogRecord:
            factory = next(cell.cell_contents for cell in factory.__closure__ if callable(cell.cell_contents))
            found += 1
        return found

    before = logging.getLogRecordFactory()
    try:
        for _ in range(20):
            old = logging.getLogRecordFactory()

            def custom(*args, old=old, **kwargs):
                return old(*args, **kwargs)

            logging.setLogRecordFactory(custom)
            with agentlogsafe.run():
                logging.getLogger("app").info("decision")
            logging.setLogRecordFactory(old)
            with agentlogsafe.run():
                pass
        assert deep(logging.getLogRecordFactory()) <= 1
    finally:
        logging.setLogRecordFactory(before)
    assert {bool(event["run_id"]) for event in events()} == {True}
