"""asyncio's structured side: task groups, timeouts, eager tasks; many runs at once in one loop."""

from __future__ import annotations

import asyncio
import logging
import sys

import pytest

import agentlogsafe
from tests.helpers import SECRET, clean

from .tools import LATE, OUTSIDE, by_run, of_type, whole

pytestmark = pytest.mark.skipif(sys.version_info < (3, 11), reason="TaskGroup and timeout came with 3.11")

log = logging.getLogger("app")


def decide(number):
    log.info("decision", {"number": number})


async def test_requests_at_once_share_nothing(events):
    """A hundred tasks of one group, each with a run, a group and a thread of its own: each event is in its own run."""

    @agentlogsafe.run("pricing-agent")
    async def request(number):
        async with agentlogsafe.step("tool_call", tool_name="sql"), asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(0.001 * (number % 3))).add_done_callback(lambda _: decide(number))
            group.create_task(asyncio.to_thread(decide, number))
        decide(number)

    async with asyncio.TaskGroup() as group:
        for number in range(100):
            group.create_task(request(number))
    decide("after")

    runs = by_run(events())
    assert runs.pop(None)[0]["problems"] == OUTSIDE
    assert len(runs) == 100
    for run in runs.values():
        start, call, *inside, result, last, _ = whole(run)
        assert [event["parent_event_id"] for event in (*inside, result)] == [call["event_id"]] * 3
        assert last["parent_event_id"] == start["event_id"]
        assert len({event["payload"]["number"] for event in (*inside, last)}) == 1


async def test_a_failing_task_cancels_the_others(events):
    """The failed run is an error, its siblings' are cancelled, the group's own names the group; nothing raw is told."""
    started = asyncio.Event()

    @agentlogsafe.run("failing")
    async def failing():
        await started.wait()
        raise ValueError(f"token={SECRET}")

    @agentlogsafe.run("waiting")
    async def waiting():
        started.set()
        await asyncio.sleep(60)

    async def both():
        async with agentlogsafe.run("group"), asyncio.TaskGroup() as group:
            group.create_task(failing())
            group.create_task(waiting())

    with pytest.raises(ExceptionGroup):  # noqa: F821 -- 3.11
        await both()

    ends = {event["agent_name"]: event["status"] for event in events("run_end")}
    assert ends == {"failing": "error", "waiting": "cancelled", "group": "error"}
    errors = {event["agent_name"]: event["payload"]["exception"]["type"] for event in events("error")}
    assert errors == {"failing": "ValueError", "group": "ExceptionGroup"}
    clean(events())


async def test_a_timeout(events):
    """Inside the timeout a run is cancelled; around it, it fails with TimeoutError."""
    with pytest.raises(TimeoutError):
        async with agentlogsafe.run("outer"), asyncio.timeout(0.01), agentlogsafe.run("inner"):
            await asyncio.sleep(60)

    assert [(event["agent_name"], event["status"]) for event in events("run_end")] == [
        ("inner", "cancelled"),
        ("outer", "error"),
    ]
    assert [event["payload"]["exception"]["type"] for event in events("error")] == ["TimeoutError"]


async def test_a_group_around_the_run(events):
    """A task that a group outside the run still waits for keeps the run's id, and says that it came late."""
    go = asyncio.Event()

    async def late():
        await go.wait()
        decide("late")

    async with asyncio.TaskGroup() as group:
        async with agentlogsafe.run() as run:
            group.create_task(late())
        go.set()

    (event,) = events("decision")
    assert (event["run_id"], event["problems"]) == (run.run_id, LATE)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with 3.12")
def test_eager_tasks(events):
    """A task that begins inside create_task binds its run in its own context all the same."""

    @agentlogsafe.run("pricing-agent")
    async def request():
        decide("before")
        await asyncio.sleep(0)
        decide("after")

    async def main():
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        tasks = [asyncio.create_task(request()) for _ in range(5)]
        assert agentlogsafe.current_run_id() is None
        await asyncio.gather(*tasks)

    asyncio.run(main())

    runs = by_run(events())
    assert len(runs) == 5
    assert all(len(of_type(whole(run), "decision")) == 2 for run in runs.values())


def test_a_task_with_a_context_of_its_own(events):
    """``create_task(context=…)`` takes the run of that context, or none, and says so (28)."""
    import contextvars

    async def work():
        decide("work")

    async def main():
        empty = contextvars.Context()
        with agentlogsafe.run() as run:
            await asyncio.create_task(work(), context=empty)
            carried = contextvars.copy_context()
        await asyncio.create_task(work(), context=carried)
        return run.run_id

    run_id = asyncio.run(main())

    first, second = events("decision")
    assert (first["run_id"], first["problems"]) == (None, OUTSIDE)
    assert (second["run_id"], second["problems"]) == (run_id, LATE)
