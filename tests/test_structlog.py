"""What is particular to structlog: its formatter for other people's records, its stack, its caches."""

from __future__ import annotations

import io
import json
import logging
import logging.handlers
import multiprocessing

import pytest
import structlog
from structlog.stdlib import ProcessorFormatter

import agentlogsafe
from agentlogsafe.processors import audit

from .helpers import TEXT, by_formatter, clean, lines, valid

META = ProcessorFormatter.remove_processors_meta
JSON = structlog.processors.JSONRenderer()

ORDERS = {
    "foreign chain, processors": {"processors": [META, JSON], "foreign_pre_chain": audit()},
    "foreign chain, processor": {"processor": JSON, "foreign_pre_chain": audit()},
    "before meta": {"processors": [*audit(), META, JSON]},
    "after meta": {"processors": [META, *audit(), JSON]},
    "without meta": {"processors": [*audit(), JSON]},
    "twice": {"processors": [*audit(), META, JSON], "foreign_pre_chain": audit()},
}


def formatted(**arguments):
    """Return a stdlib and a structlog logger that both write through a ProcessorFormatter, and their stream."""
    logger, stream = by_formatter()
    logger.handlers[0].setFormatter(ProcessorFormatter(**arguments))
    structlog.configure(
        processors=[*audit(), ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    return logger, structlog.get_logger("app"), stream


@pytest.mark.parametrize("order", ORDERS)
def test_processor_formatter(order, capsys):
    """Wherever audit() stands in a ProcessorFormatter, every line is written, redacted, and nothing else is."""
    stdlib, own, stream = formatted(**ORDERS[order])
    stdlib.info("tool_call", extra={"tool_name": "sql", "password": "hunter2", "query": TEXT})
    stdlib.info("mail %s", TEXT, extra={"password": "hunter2"})
    try:
        raise ValueError(TEXT)
    except ValueError:
        stdlib.exception("it broke")
        stdlib.exception("error")
    own.info("tool_call", tool_name="sql", password="hunter2")
    own.info("hello", password="hunter2")

    found = lines(stream)
    assert capsys.readouterr().err == ""
    assert "hunter2" not in clean(stream.getvalue())
    assert [line.get("event_type") for line in found] == ["tool_call", None, None, "error", "tool_call", None]
    assert not [line for line in found if "_record" in line or "_from_structlog" in line]
    for event in (found[0], found[3], found[4]):
        valid(event)
    assert found[4]["tool_name"] == "sql"
    assert found[1]["event"].startswith("mail mail [EMAIL]")


def test_fields_as_one_mapping():
    """With pass_foreign_args, a ProcessorFormatter leaves the mapping that is a call's only argument its fields."""
    stdlib, _, stream = formatted(processors=[*audit(), META, JSON], pass_foreign_args=True)
    stdlib.info("tool_call", {"tool_name": "sql", "args": {"password": "hunter2"}})

    (event,) = lines(stream)
    assert valid(event)["tool_name"] == "sql"
    assert event["payload"] == {"args": {"password": "[PASSWORD]"}}


def test_one_event_in_front_of_and_inside_a_formatter():
    """An event of structlog's that meets audit() again inside the formatter stays the event that it is."""
    _, own, stream = formatted(processors=[*audit(agent_name="another"), META, JSON])
    seen = []
    structlog.configure(
        processors=[*audit(), lambda _, __, event: seen.append(event) or event, ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    own.info("tool_call")

    (event,) = lines(stream)
    assert event["event_id"] == seen[0]["event_id"]
    assert event["agent_name"] is None


@pytest.mark.parametrize("fields", [{"_record": {"id": 7}}, {"_record": {"id": 7}, "_from_structlog": True}])
def test_fields_that_look_like_a_formatters(fields):
    """Fields named as a ProcessorFormatter names its own are fields, where they are none of its own."""
    stream = io.StringIO()
    structlog.configure(processors=[*audit(), JSON], logger_factory=structlog.PrintLoggerFactory(stream))
    structlog.get_logger().info("tool_call", **fields)
    structlog.get_logger().info("hello", **fields)

    event, line = lines(stream)
    assert valid(event)["payload"] == fields
    assert {name: line[name] for name in fields} == fields


def test_stack():
    """`stack_info=True` gives the stack of the call, redacted, as it does from stdlib."""
    stream = io.StringIO()
    structlog.configure(processors=[*audit(), JSON], logger_factory=structlog.PrintLoggerFactory(stream))
    logger, plain = by_formatter()

    def called():
        structlog.get_logger().info("tool_call", stack_info=True)
        structlog.get_logger().info("hello", stack_info=True)
        logger.info("tool_call", stack_info=True)

    called()
    structlog.get_logger().info("tool_call", stack_info=False)

    event, line, without = lines(stream)
    (expected,) = lines(plain)
    for stack in (event["payload"]["stack_info"], line["stack"], expected["payload"]["stack_info"]):
        first, *_, place, _ = stack.splitlines()
        assert first == "Stack (most recent call last):"
        assert place.endswith("in called")
    assert "stack_info" not in line
    assert "stack_info" not in without["payload"]


def test_render_to_log_kwargs():
    """structlog's own renderer for stdlib, in front of a formatter or handler of ours, hands on the same event."""
    logger, stream = by_formatter(agent_name="another")
    seen = []
    structlog.configure(
        processors=[*audit(), lambda _, __, event: seen.append(event) or event, structlog.stdlib.render_to_log_kwargs],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    structlog.get_logger("app").info("tool_call", tool_name="sql")
    logger.handlers[:] = [agentlogsafe.AuditHandler(logger.handlers[0])]
    structlog.get_logger("app").info("tool_call", tool_name="sql")

    found = lines(stream)
    assert [valid(event)["event_id"] for event in found] == [event["event_id"] for event in seen]
    assert {event["agent_name"] for event in found} == {None}


def test_cached_logger():
    """A logger cached on its first use keeps the processors that it then had, whatever is configured later (32)."""
    stream = io.StringIO()
    configuration = {"logger_factory": structlog.PrintLoggerFactory(stream), "cache_logger_on_first_use": True}
    structlog.configure(processors=[*audit(agent_name="first"), JSON], **configuration)
    cached = structlog.get_logger()
    cached.info("tool_call")

    structlog.configure(processors=[*audit(agent_name="second"), JSON], **configuration)
    cached.info("tool_call")
    structlog.get_logger().info("tool_call")

    assert [event["agent_name"] for event in lines(stream)] == ["first", "first", "second"]


def test_what_a_queue_of_another_process_hands_on(tmp_path):
    """Behind a queue that pickles, a plain formatter writes each line as it is."""
    waiting = multiprocessing.get_context("spawn").Queue()
    path = tmp_path / "app.jsonl"
    sink = logging.FileHandler(path)
    sink.setFormatter(logging.Formatter("%(message)s"))
    listener = logging.handlers.QueueListener(waiting, sink)
    logger, _ = by_formatter()
    logger.handlers[:] = [agentlogsafe.AuditHandler(logging.handlers.QueueHandler(waiting))]
    listener.start()
    returned = agentlogsafe.AgentLogger("agent", logger=logger).tool_call("sql")
    logger.info("an ordinary line")
    listener.stop()
    sink.close()
    waiting.close()

    event, line = lines(path)
    assert event["event_id"] == returned["event_id"]
    assert line["message"] == "an ordinary line"
    assert json.loads(path.read_text().splitlines()[0]) == event
