"""One typed method per event type, each returning the event it logged."""

from __future__ import annotations

import io
import logging

import pytest
import structlog

import agentlogsafe

from .helpers import TEXT, by_formatter, by_handler, clean, lines, valid

METHODS = {
    "user_message": (("hi",), {}, {"message": "hi"}),
    "system_instruction": (("be kind",), {}, {"instruction": "be kind"}),
    "model_call": ((), {"provider": "p", "model": "m", "messages": ["x"], "temperature": 1}, {"temperature": 1}),
    "model_response": (("yes",), {"input_tokens": 1, "output_tokens": 2}, {"input_tokens": 1, "output_tokens": 2}),
    "tool_call": (("sql", {"a": 1}), {"tool_call_id": "c1"}, {"args": {"a": 1}}),
    "tool_result": (("sql", [1]), {"tool_call_id": "c1", "duration_ms": 2}, {"result": [1]}),
    "retrieval_query": (("who",), {"source": "wiki"}, {"query": "who", "source": "wiki"}),
    "retrieval_result": ((["doc"],), {"count": 1}, {"results": ["doc"], "count": 1}),
    "policy_check": (("limits",), {"allowed": True, "reason": "ok"}, {"policy_name": "limits", "reason": "ok"}),
    "human_approval": ((), {"approved": True, "actor": "u1"}, {}),
    "decision": (("go",), {"reason": "fine"}, {"decision": "go", "reason": "fine"}),
    "error": (("boom",), {}, {"message": "boom"}),
}


@pytest.mark.parametrize("method", METHODS)
def test_every_method(method):
    """Every method logs an event of its type and returns it."""
    logger, stream = by_formatter()
    audit = agentlogsafe.AgentLogger("a", "w", logger=logger)
    args, kwargs, payload = METHODS[method]

    event = getattr(audit, method)(*args, **kwargs)

    assert lines(stream) == [valid(event)]
    assert event["event_type"] == method
    assert event["agent_name"] == "a"
    assert payload.items() <= event["payload"].items()


class Number(int):
    """A number that cannot be asked anything."""

    __abs__ = __lt__ = __le__ = __gt__ = __ge__ = __str__ = __format__ = lambda self, *_: 1 / 0


@pytest.mark.parametrize(
    ("call", "level"),
    [
        pytest.param(lambda audit: audit.tool_call("sql"), "info", id="call"),
        pytest.param(lambda audit: audit.error("boom"), "error", id="error"),
        pytest.param(lambda audit: audit.policy_check("p", allowed=False), "warning", id="denied"),
        pytest.param(lambda audit: audit.human_approval(), "info", id="asked"),
        pytest.param(lambda audit: audit.human_approval(approved=False), "warning", id="refused"),
        pytest.param(lambda audit: audit.tool_result("sql", status="error"), "warning", id="failed"),
        pytest.param(lambda audit: audit.error("boom", level="info"), "info", id="own_name"),
        pytest.param(lambda audit: audit.tool_call("sql", level=logging.CRITICAL), "critical", id="own_number"),
        pytest.param(lambda audit: audit.tool_call("sql", level="no such level"), "info", id="no_such_level"),
        pytest.param(lambda audit: audit.tool_call("sql", level=Number(30)), "warning", id="odd_number"),
    ],
)
def test_levels(call, level):
    """Failures and refusals are warnings, errors are errors, and the caller's level wins."""
    logger, _ = by_formatter()

    assert call(agentlogsafe.AgentLogger(logger=logger))["level"] == level


@pytest.mark.parametrize("form", ["instance", "active"])
def test_error_takes_an_exception(form):
    """An error is an exception, or the one being handled."""
    audit = agentlogsafe.AgentLogger(logger=by_formatter()[0])
    try:
        raise ValueError(TEXT)
    except ValueError as error:
        event = audit.error(error) if form == "instance" else audit.error(exc_info=True)

    assert event["payload"]["exception"]["type"] == "ValueError"
    clean(event)


def test_unknown_type():
    """An unknown type is a custom event that names it."""
    event = valid(agentlogsafe.AgentLogger(logger=by_formatter()[0]).emit("tool_cal", a=1))

    assert event["event_type"] == "custom"
    assert event["payload"] == {"event_type": "tool_cal", "a": 1}


@pytest.mark.parametrize("quiet", ["level", "bare"])
def test_event_is_returned_in_any_case(quiet):
    """Where no handler makes the event, it is made all the same, and redacted."""
    logger = logging.getLogger("quiet")
    logger.setLevel(logging.CRITICAL if quiet == "level" else logging.INFO)
    logger.propagate = False
    logger.addHandler(logging.NullHandler())

    event = valid(agentlogsafe.AgentLogger("a", logger=logger).tool_call("sql", {"q": TEXT}))

    assert event["agent_name"] == "a"
    assert event["logger"] == "quiet"
    clean(event)


def test_returned_event_is_a_copy():
    """What the caller does with the event does not reach a handler that still holds it."""
    logger, stream = by_handler(target=logging.handlers.MemoryHandler(10, target=None))
    event = agentlogsafe.AgentLogger(logger=logger).tool_call("sql", {"a": 1})

    event["payload"]["args"]["a"] = TEXT
    record = logger.handlers[0].target.buffer[0]
    assert TEXT not in record.getMessage()
    assert record.payload == {"args": {"a": 1}}
    assert stream.getvalue() == ""


def test_default_logger():
    """Without a logger it is the one named agentlogsafe."""
    _, stream = by_formatter("agentlogsafe")

    agentlogsafe.AgentLogger().decision("go")

    assert lines(stream)[0]["logger"] == "agentlogsafe"


@pytest.mark.parametrize("wrapper", [structlog.make_filtering_bound_logger(0), structlog.stdlib.BoundLogger, None])
def test_structlog(wrapper):
    """It logs through structlog as well, told apart by what the logger is."""
    stream = io.StringIO()
    structlog.configure(
        processors=[*agentlogsafe.processors.audit(agent_name="other"), structlog.processors.JSONRenderer()],
        logger_factory=structlog.PrintLoggerFactory(stream),
        wrapper_class=wrapper,
    )
    audit = agentlogsafe.AgentLogger("a", logger=structlog.get_logger())
    with audit.run(input="x"), audit.step("tool_call", tool_name="sql") as call:
        call.result(1)
    event = audit.error(ValueError("boom"))

    *run, last = lines(stream)
    assert [one["event_type"] for one in run] == ["run_start", "tool_call", "tool_result", "run_end"]
    assert {one["agent_name"] for one in run} == {"a"}
    assert last == event


def test_run_and_step():
    """Its runs and steps have its names, metadata and logger."""
    logger, stream = by_formatter()
    audit = agentlogsafe.AgentLogger("a", "w", metadata={"m": 1}, logger=logger)
    with audit.run(input="x"), audit.step("model_call", model="m") as call:
        call.result("y")

    events = lines(stream)
    assert [event["agent_name"] for event in events] == ["a"] * 4
    assert [event["metadata"] for event in events] == [{"m": 1}] * 4
    assert events[2]["payload"]["response"] == "y"


def test_broken_filter(capsys):
    """A filter of the application that raises does not reach it through our methods."""
    logger, _ = by_formatter("filtered")
    logger.addFilter(lambda record: 1 / 0)

    event = agentlogsafe.AgentLogger(logger=logger).tool_call("sql", {"q": TEXT})

    assert event["tool_name"] == "sql"
    assert "ZeroDivisionError" in clean(capsys.readouterr().err)


def test_logger_that_cannot_be_asked(capsys):
    """A logger that raises, even when it is asked for its name, costs nobody the event."""

    class Odd:
        name = property(lambda self: 1 / 0)

        def info(self, *_, **__):
            raise OSError(self)

    event = agentlogsafe.AgentLogger(logger=Odd()).tool_call("crm", {"n": 1})

    assert valid(event)["payload"] == {"args": {"n": 1}}
    assert "raised OSError" in capsys.readouterr().err


def test_inside_a_handler():
    """While a record is in flight, where a logger may say that it is not enabled, the event is made (pitfall 23)."""
    logger, _ = by_formatter("in-flight")
    audit = agentlogsafe.AgentLogger("a", logger=logger)
    made = []

    class Handler(logging.Handler):
        def emit(self, record):
            if record.msg == "hello":
                made.append(audit.decision("go", reason=TEXT))

    logger.addHandler(Handler())
    logger.info("hello")

    (event,) = made
    assert valid(event)["event_type"] == "decision"
    clean(event)


def test_level_is_compared():
    """A handler compares levels and never asks the logger, so that a record in flight is delivered (pitfall 23)."""
    logger, stream = by_handler("in-flight")
    logger.isEnabledFor = lambda level: False
    try:
        logger.handle(logger.makeRecord("in-flight", logging.INFO, "file", 1, "tool_call", (), None))
    finally:
        del logger.isEnabledFor

    assert lines(stream)[0]["event_type"] == "tool_call"
