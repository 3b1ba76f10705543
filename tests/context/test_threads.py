"""Threads and pools of them: context variables do not follow, `carry` does (28)."""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import structlog

import agentlogsafe

log = logging.getLogger("app")


def work(name):
    log.info("decision", {"worker": name})
    return name


def in_thread(fn, *args):
    thread = threading.Thread(target=fn, args=args)
    thread.start()
    thread.join()


def test_a_bare_thread_has_no_run(events):
    """A thread that was not given the run logs outside any, and says so (28)."""
    with agentlogsafe.run():
        in_thread(work, "bare")

    (event,) = events("decision")
    assert event["run_id"] is None
    assert event["problems"] == ["run: the event is outside any run"]


def test_a_carried_thread_has_the_run(events):
    """`carry` takes run and parent along, and other context variables too (28)."""
    structlog.contextvars.bind_contextvars(request="r-1")
    seen = []

    def look():
        work("carried")
        seen.append(structlog.contextvars.get_contextvars())

    with agentlogsafe.run() as run, agentlogsafe.step("tool_call", tool_name="sql") as call:
        in_thread(agentlogsafe.carry(look))

    (event,) = events("decision")
    assert (event["run_id"], event["parent_event_id"]) == (run.run_id, call.event_id)
    assert seen == [{"request": "r-1"}]


def test_what_a_carried_function_binds_stays_with_it(events):
    """A run begun in a carried thread is nested, and unknown to the thread that it was carried from."""

    def nested():
        with agentlogsafe.run():
            work("nested")

    with agentlogsafe.run() as run:
        in_thread(agentlogsafe.carry(nested))
        work("outer")

    inner, outer = events("decision")
    assert inner["parent_run_id"] == outer["run_id"] == run.run_id != inner["run_id"]


def test_a_carried_function_can_be_called_by_many_threads_at_once(events):
    """One carried function serves any number of calls at the same time, each with a copy of the context."""
    barrier = threading.Barrier(4)

    @agentlogsafe.carry
    def outside():
        barrier.wait(10)
        work("outside")

    def inside():
        barrier.wait(10)
        work("inside")

    with agentlogsafe.run() as run:
        threads = [threading.Thread(target=outside)]
        carried = agentlogsafe.carry(inside)
        threads += [threading.Thread(target=carried) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    ids = {True: [], False: []}
    for event in events("decision"):
        ids[event["payload"]["worker"] == "inside"].append(event["run_id"])
    assert ids == {True: [run.run_id] * 3, False: [None]}


def test_a_bare_pool_has_no_run(events):
    """ThreadPoolExecutor and run_in_executor do not take the run along (28)."""

    async def main():
        await asyncio.get_running_loop().run_in_executor(None, work, "executor")

    with agentlogsafe.run(), ThreadPoolExecutor(1) as pool:
        pool.submit(work, "pool").result()
        asyncio.run(main())

    assert [event["run_id"] for event in events("decision")] == [None, None]


def test_a_context_pool_has_the_run_of_whoever_submits(events):
    """Each piece of work logs into the run that submitted it, on whatever thread; `map` too (28)."""
    with agentlogsafe.ContextThreadPoolExecutor(max_workers=1) as pool:
        with agentlogsafe.run() as first:
            assert pool.submit(work, "a").result() == "a"
        with agentlogsafe.run() as second:
            assert list(pool.map(work, ["b", "c"])) == ["b", "c"]
        pool.submit(work, "d").result()

    found = {event["payload"]["worker"]: event["run_id"] for event in events("decision")}
    assert found == {"a": first.run_id, "b": second.run_id, "c": second.run_id, "d": None}


@pytest.mark.parametrize("how", ["carry", "pool"])
def test_run_in_executor(events, how):
    """`carry`, or a ContextThreadPoolExecutor, makes run_in_executor keep the run (28)."""

    async def main():
        loop = asyncio.get_running_loop()
        if how == "carry":
            await loop.run_in_executor(None, agentlogsafe.carry(work), how)
        else:
            with agentlogsafe.ContextThreadPoolExecutor() as pool:
                await loop.run_in_executor(pool, work, how)

    with agentlogsafe.run() as run:
        asyncio.run(main())

    assert [event["run_id"] for event in events("decision")] == [run.run_id]


def test_a_result_in_another_thread_finds_its_call(events):
    """A tool_result's parent is the call with its id, wherever in the run it was logged."""
    with agentlogsafe.run():
        log.info("tool_call", {"tool_name": "sql", "tool_call_id": "call_1"})
        in_thread(agentlogsafe.carry(log.info), "tool_result", {"tool_name": "sql", "tool_call_id": "call_1"})

    (call,), (result,) = events("tool_call"), events("tool_result")
    assert result["parent_event_id"] == call["event_id"]


def test_a_carried_coroutine_function(events):
    """A coroutine that is sent to the loop of another thread keeps the run it was carried from."""

    async def coroutine():
        await asyncio.sleep(0)
        return work("coroutine")

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        with agentlogsafe.run() as run:
            carried = agentlogsafe.carry(coroutine)
        assert asyncio.run_coroutine_threadsafe(carried(), loop).result(10) == "coroutine"
        assert asyncio.run_coroutine_threadsafe(coroutine(), loop).result(10) == "coroutine"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    assert [event["run_id"] for event in events("decision")] == [run.run_id, None]


def test_carried_outside_any_run(events):
    """There is nothing to carry, and nothing goes wrong."""
    in_thread(agentlogsafe.carry(work), "plain")

    async def coroutine():
        work("coroutine")

    asyncio.run(agentlogsafe.carry(coroutine)())

    assert [event["run_id"] for event in events("decision")] == [None, None]


def test_threads_keep_their_runs_apart(events):
    """Runs of many threads at once never mix, and every id is unique."""
    per_thread = 50

    def agent(name):
        with agentlogsafe.run(agent_name=name):
            for number in range(per_thread):
                log.info("decision", {"name": name, "number": number})

    threads = [threading.Thread(target=agent, args=(f"agent-{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    runs = {event["run_id"]: event["agent_name"] for event in events("run_start")}
    assert len(runs) == 8
    assert len(events("decision")) == 8 * per_thread
    for event in events("decision"):
        assert event["agent_name"] == event["payload"]["name"] == runs[event["run_id"]]
    assert len({event["event_id"] for event in events()}) == 8 * (per_thread + 2)
