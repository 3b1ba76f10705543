"""Calls of this package (AgentLogger, run, step) lose nothing, whatever they are given and whatever they go through."""

from __future__ import annotations

import io
import json
import logging
import sys

import pytest
import structlog

import agentlogsafe
from agentlogsafe.testing import capture_events

from .helpers import EMAIL, TEXT, by_formatter, clean, lines, valid


class Raises:
    """Raises whatever it is asked."""

    def __str__(self):
        raise RuntimeError(TEXT)

    __repr__ = __bool__ = __len__ = __eq__ = __hash__ = __str__


def by_structlog(*before):
    stream = io.StringIO()
    logger = structlog.wrap_logger(
        structlog.PrintLogger(stream),
        processors=[*before, *agentlogsafe.processors.audit(), structlog.processors.JSONRenderer()],
    )
    return logger, stream


class Prefix(logging.LoggerAdapter):
    """Changes the message, as the adapter in the documentation of logging does."""

    def process(self, msg, kwargs):
        return f"[50%] {msg}", kwargs


def adapter(logger):
    return Prefix(logger, {})


def message_filter(logger):
    def change(record):
        record.msg = f"[50%] {record.msg}"
        return True

    logger.addFilter(change)
    return logger


def formatting_filter(logger):
    def change(record):
        record.msg, record.args = f"[50%] {record.getMessage()}", ()
        return True

    logger.addFilter(change)
    return logger


@pytest.mark.parametrize("through", [adapter, message_filter, formatting_filter])
def test_message_that_something_changes(through):
    """An adapter or filter that changes the message changes the message, and not what the call is."""
    logger, stream = by_formatter()
    log = through(logger)
    agent = agentlogsafe.AgentLogger("agent", logger=log)

    returned = agent.tool_call("sql", {"q": 1})
    with agentlogsafe.run(logger=log), agentlogsafe.step("retrieval_query", query="q"):
        pass

    first, *rest = lines(stream)
    assert returned == valid(first)
    assert (first["event_type"], first["tool_name"]) == ("tool_call", "sql")
    assert first["payload"] == {"args": {"q": 1}, "message": "[50%] tool_call"}
    assert [event["event_type"] for event in rest] == ["run_start", "retrieval_query", "retrieval_result", "run_end"]


def test_message_that_a_processor_changes():
    """The same holds for a structlog processor in front."""
    logger, stream = by_structlog(lambda _, __, fields: {**fields, "event": f"svc: {fields['event']}"})

    returned = agentlogsafe.AgentLogger("agent", logger=logger).tool_call("sql")

    (event,) = lines(stream)
    assert returned == valid(event)
    assert (event["event_type"], event["payload"]) == ("tool_call", {"message": "svc: tool_call"})


def test_processor_that_spoils_the_event():
    """Whatever a later processor puts into the event, the call returns one."""
    stream = io.StringIO()

    def spoil(_, __, event):
        event["odd"] = {1: Raises}
        return event

    logger = structlog.wrap_logger(
        structlog.PrintLogger(stream),
        processors=[*agentlogsafe.processors.audit(), spoil, structlog.processors.KeyValueRenderer()],
    )

    assert agentlogsafe.AgentLogger("agent", logger=logger).tool_call("sql")["tool_name"] == "sql"
    assert "tool_call" in stream.getvalue()


@pytest.mark.parametrize("value", [[1], {"code": 200}, {1}, 5, True, None, b"x", 10**400, Raises()], ids=range(9))
def test_any_status_and_type(value):
    """Whatever a status, an answer, a level or a type is, the call is an event, and says what it could not use."""
    agent = agentlogsafe.AgentLogger("agent")
    with capture_events() as events:
        made = [
            agent.emit(value),
            agent.emit("tool_call", status=value),
            agent.emit("tool_call", level=value),
            agent.emit("tool_call", exc_info=value),
            agent.policy_check("p", allowed=value),
            agent.human_approval(approved=value),
        ]
        with agentlogsafe.step("tool_call") as call:
            call.result("ok", status=value)
        with agentlogsafe.step(value) as call:
            call.result(value)

    assert [event["event_type"] for event in events[:6]] == [event["event_type"] for event in made]
    assert len(events) == 10
    for event in events:
        clean(valid(event))
    assert events[7]["event_type"] == "tool_result"
    assert value is None or "event_type: not a registered event type; kept in payload" in events[0]["problems"]


def test_answers_that_are_neither():
    """An answer that is neither true nor false is no status, is kept, and named."""
    agent = agentlogsafe.AgentLogger("agent")

    check, approval = agent.policy_check("p", allowed="no"), agent.human_approval(approved="no")

    assert (check["status"], check["payload"]["allowed"]) == (None, "no")
    assert "allowed: expected true or false, got str; kept in payload" in check["problems"]
    assert (approval["status"], approval["payload"]["approved"]) == (None, "no")
    assert "approved: expected true or false, got str; kept in payload" in approval["problems"]
    assert agent.policy_check("p", allowed=0)["status"] == "denied"


def test_fields_with_names_of_our_own():
    """Fields called `defaults` or `logger` are fields, in a run, a step and a call of a logger object."""
    agent = agentlogsafe.AgentLogger("agent")
    own = {"defaults": {"region": "eu"}, "logger": "audit-7"}
    with capture_events() as events:
        with agentlogsafe.run("a", **own), agentlogsafe.step("tool_call", tool_name="cfg", **own):
            pass
        with agent.run(**own), agent.step("tool_call", tool_name="cfg", **own):
            pass

    for start, call in (events[:2], events[4:6]):
        assert (start["event_type"], start["payload"]) == ("run_start", own)
        assert (call["event_type"], call["tool_name"], call["payload"]) == ("tool_call", "cfg", own)
    assert len(events) == 8
    assert not [event for event in events if "problems" in event]


def test_fields_that_structlog_takes_for_its_own():
    """An event is the same through structlog and stdlib, also where fields have names that structlog uses."""
    fields = {
        name: f"my {name}" for name in ("event", "method_name", "level_", "timestamp", "logger", "stack", "_record")
    }
    fields["stack_info"] = True
    logger, stream = by_structlog(structlog.processors.TimeStamper(fmt="iso"), structlog.processors.add_log_level)
    with agentlogsafe.run(logger=logger), agentlogsafe.step("tool_call", **{**fields, "logger": "x"}):
        pass
    plain = agentlogsafe.AgentLogger("agent").emit("tool_call", **fields)
    made = agentlogsafe.AgentLogger("agent", logger=logger).emit("tool_call", **fields)

    _, call, *_, last = lines(stream)
    assert last == made
    assert made["payload"].pop("timestamp") == plain["payload"].pop("timestamp") == "my timestamp"
    assert made["payload"] == plain["payload"]
    assert call["payload"]["event"] == "my event"


def test_exception_without_a_handler(capsys):
    """Where logging is not configured, the handler of last resort has no exception to print."""
    logger = logging.getLogger("bare")
    logger.propagate = False
    try:
        raise ValueError(TEXT)
    except ValueError as error:
        event = agentlogsafe.AgentLogger("agent", logger=logger).error(error)

    assert event["payload"]["exception"]["type"] == "ValueError"
    assert capsys.readouterr().err == "error\n"


def test_exception_as_a_tuple():
    """`exc_info` takes what logging takes."""
    try:
        raise ValueError(EMAIL)
    except ValueError:
        for given in (True, sys.exc_info(), sys.exc_info()[1]):
            event = agentlogsafe.AgentLogger("agent").error("x", exc_info=given)
            assert event["payload"]["exception"]["type"] == "ValueError"
            assert event["payload"]["message"] == "x"


def test_logger_objects_made_for_each_call():
    """A run remembers no more for a thousand logger objects that say the same than for one."""
    logger, stream = by_formatter()
    with agentlogsafe.run(logger=logger):
        for number in range(300):
            agentlogsafe.AgentLogger("agent", logger=logger).tool_call("sql")
            agentlogsafe.AgentLogger("agent", logger=logger, metadata={"odd": {number: object}}).tool_call("sql")
        views = agentlogsafe.context.current().run.views

    assert len(views) <= 100
    assert len(lines(stream)) == 602


def test_bare_decorator():
    """A bare `@run` is `@run()`."""

    @agentlogsafe.run
    def work(value):
        """Work."""
        return value + 1

    with capture_events() as events:
        assert work(1) == 2

    assert work.__doc__ == "Work."
    assert [event["event_type"] for event in events] == ["run_start", "run_end"]


def test_approval_that_waits():
    """A human approval that is neither given nor refused has no second event."""
    with capture_events() as events, agentlogsafe.step("human_approval", question="deploy?"):
        pass

    assert [(event["event_type"], event["status"]) for event in events] == [("human_approval", "requested")]
    assert json.loads(json.dumps(events))
