"""asyncio: the run follows await, tasks and to_thread by itself, and tasks do not disturb one another."""

from __future__ import annotations

import asyncio
import logging
import sys

import pytest

import agentlogsafe

log = logging.getLogger("app")


async def work(name, wait=0.0):
    await asyncio.sleep(wait)
    log.info("decision", {"worker": name})


async def test_tasks_and_threads_of_a_run_have_it(events):
    """await, create_task, gather and to_thread keep the run (28)."""
    async with agentlogsafe.run() as run:
        await work("await")
        await asyncio.create_task(work("task"))
        await asyncio.gather(work("gather"), work("gather"))
        await asyncio.to_thread(log.info, "decision", {"worker": "thread"})
        await asyncio.wait_for(work("wait_for"), 10)

    assert len(events("decision")) == 6
    assert {event["run_id"] for event in events()} == {run.run_id}
    assert all("problems" not in event for event in events())


@pytest.mark.skipif(sys.version_info < (3, 11), reason="TaskGroup came with 3.11")
async def test_a_task_group(events):
    """Each task of a group has the group's run, and a run of its own when it begins one."""

    @agentlogsafe.run()
    async def nested():
        await work("nested")

    async with agentlogsafe.run() as run, asyncio.TaskGroup() as group:
        group.create_task(work("plain"))
        group.create_task(nested())

    found = {event["payload"]["worker"]: event for event in events("decision")}
    assert found["plain"]["run_id"] == found["nested"]["parent_run_id"] == run.run_id


async def test_runs_of_concurrent_tasks_stay_apart(events):
    """However tasks interleave, each event is in its own run, under its own step."""

    @agentlogsafe.run()
    async def agent(number):
        for wait in (0.002, 0.001, 0.003):
            async with agentlogsafe.step("tool_call", tool_name=f"tool-{number}") as call:
                await asyncio.sleep(wait * (number % 3))
                log.info("decision", {"agent": number, "call": call.event_id})

    await asyncio.gather(*(agent(number) for number in range(10)))

    decisions = events("decision")
    assert len(decisions) == 30
    assert len({(event["run_id"], event["payload"]["agent"]) for event in decisions}) == 10
    for event in decisions:
        assert event["parent_event_id"] == event["payload"]["call"]
    assert agentlogsafe.current_run_id() is None


async def test_what_a_task_binds_is_unknown_to_its_parent(events):
    """A run begun in a task does not show where the task was made."""
    inside = asyncio.Event()
    done = asyncio.Event()

    async def task():
        async with agentlogsafe.run():
            inside.set()
            await done.wait()

    running = asyncio.create_task(task())
    await inside.wait()
    log.info("decision")
    done.set()
    await running

    assert events("decision")[0]["run_id"] is None


async def test_a_cancelled_task_ends_its_run_as_cancelled(events):
    """Cancelling is no error: run_end and the open step say cancelled, and no error event is logged."""

    @agentlogsafe.run()
    async def agent():
        async with agentlogsafe.step("tool_call", tool_name="slow"):
            await asyncio.sleep(60)

    task = asyncio.create_task(agent())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert [event["event_type"] for event in events()] == ["run_start", "tool_call", "tool_result", "run_end"]
    assert {event["status"] for event in events("tool_result", "run_end")} == {"cancelled"}


async def test_a_task_that_outlives_its_run(events):
    """It keeps the run's id, and its events say that they came late."""
    async with agentlogsafe.run() as run:
        task = asyncio.create_task(work("late", 0.01))
    await task

    (event,) = events("decision")
    assert event["run_id"] == run.run_id
    assert event["problems"] == ["run: the event came after the run's end"]


async def test_callbacks_have_the_run_they_were_scheduled_in(events):
    """call_soon and done-callbacks log into the run that registered them."""
    async with agentlogsafe.run() as run:
        asyncio.get_running_loop().call_soon(log.info, "decision", {"worker": "soon"})
        task = asyncio.create_task(asyncio.sleep(0))
        task.add_done_callback(lambda _: log.info("decision", {"worker": "done"}))
        await task
        await asyncio.sleep(0.01)

    assert [event["run_id"] for event in events("decision")] == [run.run_id] * 2
