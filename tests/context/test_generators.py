"""Generators: what one binds must not reach whoever consumes it, and ending one anywhere raises nothing (29)."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import logging
import threading

import pytest

import agentlogsafe

log = logging.getLogger("app")

MISPLACED = "run: ended in another context than it began in"


@agentlogsafe.run(agent_name="generator")
def numbers(count=3):
    for number in range(count):
        log.info("decision", {"number": number})
        yield number
    return "all"


@agentlogsafe.run(agent_name="generator")
async def anumbers(count=3):
    for number in range(count):
        await asyncio.sleep(0)
        log.info("decision", {"number": number})
        yield number


def test_a_decorated_generator_is_one_run(events):
    """All of its life is in one run, and its consumer is not, in between (29)."""
    between = []
    for _ in numbers():
        between.append(agentlogsafe.current_run_id())
        log.info("user_message")

    (start,), (end,) = events("run_start"), events("run_end")
    assert between == [None] * 3
    assert {event["run_id"] for event in events("user_message")} == {None}
    assert {event["run_id"] for event in events("decision")} == {start["run_id"]}
    assert (end["run_id"], end["status"]) == (start["run_id"], "success")
    assert "problems" not in end


def test_a_decorated_generator_starts_when_it_is_consumed(events):
    """As with any generator, calling it does nothing yet; never consumed, it was no run."""
    generator = numbers()
    assert events() == []
    generator.close()
    assert events() == []


def test_send_throw_and_return_pass_through(events):
    """A decorated generator is a generator in every way."""

    @agentlogsafe.run()
    def echo():
        got = None
        while got != "stop":
            try:
                got = yield got
            except KeyError as error:
                got = f"caught {error.args[0]}"
            log.info("decision", {"got": got})
        return "returned"

    generator = echo()
    assert next(generator) is None
    assert generator.send("a") == "a"
    assert generator.throw(KeyError("k")) == "caught k"
    with pytest.raises(StopIteration) as stopped:
        generator.send("stop")
    assert stopped.value.value == "returned"

    def outer():
        return (yield from numbers())

    assert [*outer()] == [0, 1, 2]
    (first, second) = events("run_end")
    assert {first["status"], second["status"]} == {"success"}
    assert len({event["run_id"] for event in events("decision")}) == 2


@pytest.mark.parametrize("how", ["close", "abandon", "throw"])
def test_a_generator_that_is_not_finished(events, how):
    """Closed or garbage-collected, its run ends as cancelled; an exception thrown in ends it as error (29)."""
    generator = numbers()
    next(generator)
    with agentlogsafe.run(agent_name="consumer") as consumer:
        if how == "close":
            generator.close()
        elif how == "throw":
            with pytest.raises(ValueError, match="thrown"):
                generator.throw(ValueError("thrown"))
        else:
            del generator
            gc.collect()
        assert agentlogsafe.current_run_id() == consumer.run_id
        log.info("user_message")

    end, consumer_end = events("run_end")
    assert end["agent_name"] == "generator"
    assert end["status"] == ("error" if how == "throw" else "cancelled")
    assert consumer_end["status"] == "success"
    assert events("user_message")[0]["run_id"] == consumer.run_id
    assert agentlogsafe.current_run_id() is None


def test_consumers_run_and_generators_run_interleave(events):
    """Two generators and a consumer, each in its own run, consumed alternately, never mix (29)."""
    with agentlogsafe.run(agent_name="consumer") as consumer:
        for _ in zip(numbers(), numbers(), strict=True):
            log.info("user_message")

    assert {event["run_id"] for event in events("user_message")} == {consumer.run_id}
    by_run = {}
    for event in events("decision"):
        by_run.setdefault(event["run_id"], []).append(event["payload"]["number"])
    assert list(by_run.values()) == [[0, 1, 2], [0, 1, 2]]
    assert {event["parent_run_id"] for event in events("decision")} == {consumer.run_id}


def test_a_generator_consumed_elsewhere(events):
    """Resumed in another thread, or another context, its events stay in its run."""
    generator = numbers()
    next(generator)
    thread = threading.Thread(target=next, args=(generator,))
    thread.start()
    thread.join()
    contextvars.copy_context().run(list, generator)

    (start,), (end,) = events("run_start"), events("run_end")
    assert {event["run_id"] for event in events("decision")} == {start["run_id"]}
    assert end["status"] == "success"


def test_a_step_across_a_yield_consumed_elsewhere(events):
    """A step that is open while the generator moves to another thread ends there, and the run goes on."""

    @agentlogsafe.run()
    def generator():
        with agentlogsafe.step("tool_call", tool_name="slow"):
            yield
        log.info("decision")
        yield

    generated = generator()
    next(generated)
    thread = threading.Thread(target=next, args=(generated,))
    thread.start()
    thread.join()
    list(generated)

    (start,), (call,), (result,) = events("run_start"), events("tool_call"), events("tool_result")
    assert call["parent_event_id"] == start["event_id"]
    assert result["parent_event_id"] == call["event_id"]
    assert events("decision")[0]["parent_event_id"] == start["event_id"]
    assert agentlogsafe.current_run_id() is None


def test_a_decorated_step_generator(events):
    """A step decorates a generator the same way: a pair around its life, the consumer outside."""

    @agentlogsafe.step("model_call", model="gpt-4o")
    def stream():
        log.info("decision", {"token": "a"})
        yield "a"
        yield "b"

    with agentlogsafe.run():
        for _ in stream():
            log.info("user_message")

    (start,), (call,), (response,) = events("run_start"), events("model_call"), events("model_response")
    assert {event["parent_event_id"] for event in events("user_message")} == {start["event_id"]}
    assert events("decision")[0]["parent_event_id"] == call["event_id"]
    assert response["parent_event_id"] == call["event_id"]


async def test_a_decorated_async_generator_is_one_run(events):
    """All of its life is in one run, and its consumer is not, in between (29)."""
    async for _ in anumbers():
        assert agentlogsafe.current_run_id() is None
        log.info("user_message")

    (start,), (end,) = events("run_start"), events("run_end")
    assert {event["run_id"] for event in events("user_message")} == {None}
    assert {event["run_id"] for event in events("decision")} == {start["run_id"]}
    assert end["status"] == "success"


async def test_asend_athrow_and_aclose_pass_through(events):
    """A decorated async generator is one in every way."""

    @agentlogsafe.run()
    async def echo():
        got = None
        while True:
            try:
                got = yield got
            except KeyError:  # noqa: PERF203 -- what is under test
                got = "caught"

    generator = echo()
    assert await generator.__anext__() is None
    assert await generator.asend("a") == "a"
    assert await generator.athrow(KeyError("k")) == "caught"
    await generator.aclose()

    assert events("run_end")[0]["status"] == "cancelled"


def test_an_abandoned_async_generator(events):
    """The event loop finishes it in another context: nothing is raised, and its run ends as cancelled (29)."""
    unhandled = []

    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))
        async for _ in anumbers():
            break
        gc.collect()
        await asyncio.sleep(0.01)
        log.info("user_message")

    asyncio.run(main())

    (end,) = events("run_end")
    assert end["status"] == "cancelled"
    assert events("user_message")[0]["run_id"] is None
    assert unhandled == []


def test_a_run_across_a_yield_that_is_abandoned(events):
    """``with run`` inside an abandoned async generator raises nothing; its end says what happened (29)."""
    unhandled = []

    async def across():
        with agentlogsafe.run(agent_name="across"):
            yield 1
            yield 2

    async def consume():
        async for _ in across():
            break

    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))
        await asyncio.create_task(consume())
        gc.collect()
        await asyncio.sleep(0.01)
        log.info("user_message")

    asyncio.run(main())

    (end,) = events("run_end")
    assert end["problems"] == [MISPLACED]
    assert end["status"] == "cancelled"
    assert events("user_message")[0]["run_id"] is None
    assert unhandled == []


def test_a_run_across_a_yield_ends_inside_another(events):
    """``with run`` inside a generator that is closed within a later run: marked, and nothing stays bound (29)."""

    def across():
        with agentlogsafe.run(agent_name="across"):
            yield

    generator = across()
    next(generator)
    with agentlogsafe.run(agent_name="consumer") as consumer:
        generator.close()
        log.info("user_message")

    log.info("decision")
    first, second = events("run_end")
    assert (first["agent_name"], first["problems"]) == ("across", [MISPLACED])
    assert (second["agent_name"], second.get("problems")) == ("consumer", None)
    assert events("user_message")[0]["run_id"] == consumer.run_id
    assert agentlogsafe.current_run_id() is None
    assert events("decision")[0]["run_id"] is None


async def test_events_of_a_streamed_answer_while_a_task_consumes_it(events):
    """An async generator handed to another task stays in its own run."""
    generator = anumbers()
    await generator.__anext__()

    async def consume():
        async with agentlogsafe.run(agent_name="consumer"):
            return [number async for number in generator]

    assert await asyncio.create_task(consume()) == [1, 2]
    by_agent = {}
    for event in events("decision"):
        by_agent.setdefault(event["agent_name"], set()).add(event["run_id"])
    assert list(by_agent) == ["generator"]
    assert len(by_agent["generator"]) == 1
