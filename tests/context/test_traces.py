"""Trace ids: from an active OpenTelemetry span, or from a W3C traceparent."""

from __future__ import annotations

import asyncio
import logging
import logging.handlers
import queue
import sys
import types

import pytest

import agentlogsafe
from tests.helpers import by_formatter, lines

trace = pytest.importorskip("opentelemetry.trace")
sdk = pytest.importorskip("opentelemetry.sdk.trace")

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{SPAN}-01"

log = logging.getLogger("app")


@pytest.fixture
def tracer():
    return sdk.TracerProvider().get_tracer("tests")


def ids(span):
    context = span.get_span_context()
    return f"{context.trace_id:032x}", f"{context.span_id:016x}"


def traced(event):
    return event.get("trace_id"), event.get("span_id")


def test_an_active_span_fills_the_trace_ids(events, tracer):
    """Each event has the span that was active when it was logged, inside a run or not."""
    with tracer.start_as_current_span("outer") as outer:
        log.info("decision", {"n": 1})
        with agentlogsafe.run():
            with tracer.start_as_current_span("inner") as inner:
                log.info("decision", {"n": 2})
            log.info("decision", {"n": 3})
    log.info("decision", {"n": 4})

    assert [traced(event) for event in events("decision")] == [ids(outer), ids(inner), ids(outer), (None, None)]
    assert ids(outer)[0] == ids(inner)[0]


def test_the_callers_own_trace_ids_win(events, tracer):
    """Ids given with the call are kept."""
    with tracer.start_as_current_span("span"), agentlogsafe.run():
        log.info("decision", {"trace_id": TRACE, "span_id": SPAN})

    assert traced(events("decision")[0]) == (TRACE, SPAN)


async def test_spans_of_concurrent_tasks(events, tracer):
    """Every task's events have its own span."""
    spans = {}

    async def task(name):
        with tracer.start_as_current_span(name) as span:
            spans[name] = ids(span)
            await asyncio.sleep(0.001)
            log.info("decision", {"task": name})

    async with agentlogsafe.run():
        await asyncio.gather(task("a"), task("b"))

    assert {event["payload"]["task"]: traced(event) for event in events("decision")} == spans


def test_traceparent_travels_with_the_run(events, tracer):
    """`inject` writes the active span as traceparent, `extract` fills trace ids from it, nested runs too."""
    with tracer.start_as_current_span("span") as span, agentlogsafe.run() as run:
        carrier = agentlogsafe.inject({})
    trace_id, span_id = ids(span)
    assert carrier["traceparent"] == f"00-{trace_id}-{span_id}-01"

    with agentlogsafe.extract(carrier):
        log.info("decision", {"n": 1})
        with agentlogsafe.run(), agentlogsafe.step("tool_call", tool_name="sql"):
            log.info("decision", {"n": 2})
        again = agentlogsafe.inject({})

    assert [traced(event) for event in events("decision")] == [(trace_id, span_id)] * 2
    assert {traced(event) for event in events("tool_call", "tool_result")} == {(trace_id, span_id)}
    assert events("decision")[1]["parent_run_id"] == run.run_id
    assert again["traceparent"] == carrier["traceparent"]


def test_an_existing_traceparent_is_left_alone(tracer):
    """OpenTelemetry's own propagator may have written one; it stays."""
    with tracer.start_as_current_span("span"), agentlogsafe.run():
        assert agentlogsafe.inject({"traceparent": TRACEPARENT})["traceparent"] == TRACEPARENT


def test_an_active_span_wins_over_a_traceparent(events, tracer):
    """What is active here is nearer than what came with the message."""
    with agentlogsafe.run():
        carrier = agentlogsafe.inject({"traceparent": TRACEPARENT})
    with agentlogsafe.extract(carrier):
        log.info("decision")
        with tracer.start_as_current_span("span") as span:
            log.info("decision")

    assert [traced(event) for event in events("decision")] == [(TRACE, SPAN), ids(span)]


@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        "nonsense",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
    ],
)
def test_an_invalid_traceparent_is_ignored(events, traceparent):
    """Version ff, ids of zeros and upper case are invalid by W3C's Trace Context (3.2.2), and no trace."""
    with agentlogsafe.run() as run:
        carrier = agentlogsafe.inject({})
    with agentlogsafe.extract({**carrier, "traceparent": traceparent}):
        log.info("decision")

    (event,) = events("decision")
    assert event["run_id"] == run.run_id
    assert traced(event) == (None, None)


def test_a_traceparent_without_a_run(events):
    """A request from a program without agentlogsafe brings only a trace; a run begun inside `extract` has it."""
    with agentlogsafe.extract({"traceparent": TRACEPARENT}), agentlogsafe.run():
        log.info("decision")

    assert traced(events("decision")[0]) == (TRACE, SPAN)
    assert "parent_run_id" not in events("decision")[0]


def test_the_span_of_the_call_behind_a_queue(tracer):
    """A formatter behind a queue says the span that was active at the call, not one of its own thread (31)."""
    logger, stream = by_formatter("behind")
    channel = queue.Queue()
    front = logging.getLogger("front")
    front.handlers[:] = [logging.handlers.QueueHandler(channel)]
    front.setLevel(logging.INFO)
    front.propagate = False

    with tracer.start_as_current_span("of the call") as span, agentlogsafe.run(logger=front):
        front.info("decision", extra={"decision": "go"})
    with tracer.start_as_current_span("of the listener"):
        while not channel.empty():
            logger.handle(channel.get())

    assert [traced(event) for event in lines(stream)] == [ids(span)] * 3


def test_half_imported(monkeypatch, events):
    """While another thread imports OpenTelemetry, its module is there and empty: log calls go on, without a trace."""
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", types.ModuleType("opentelemetry.trace"))
    with agentlogsafe.run():
        log.info("decision")
        carrier = agentlogsafe.inject({})

    assert [event["event_type"] for event in events()] == ["run_start", "decision", "run_end"]
    assert "traceparent" not in carrier
