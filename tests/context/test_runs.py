"""Runs: nested, re-entered, ended in odd ways; what events inside and outside say."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading

import pytest

import agentlogsafe
from agentlogsafe.errors import ConfigurationError

log = logging.getLogger("app")


def test_an_event_outside_any_run_says_so(events):
    """Without a run there is no run id, and `problems` says why (28)."""
    log.info("decision", {"decision": "go"})

    (event,) = events()
    assert event["run_id"] is None
    assert event["problems"] == ["run: the event is outside any run"]


def test_everything_inside_a_run_has_its_id(events):
    """Events of any logger, and ordinary lines, carry the id of the run they happened in."""
    with agentlogsafe.run() as run:
        assert agentlogsafe.current_run_id() == run.run_id
        log.info("decision", {"decision": "go"})
        logging.getLogger("elsewhere").info("user_message", {"message": "hi"})
        agentlogsafe.AgentLogger("other").tool_call("sql")

    assert agentlogsafe.current_run_id() is None
    start, *inside, end = events()
    assert {event["run_id"] for event in events()} == {run.run_id}
    assert {event["parent_event_id"] for event in (*inside, end)} == {start["event_id"]}
    assert start["parent_event_id"] is None


def test_a_nested_run_restores_the_outer_one(events):
    """An inner run names the outer one and the event it began in; afterwards the outer one goes on."""
    with agentlogsafe.run(
        agent_name="planner", session_id="s-1", metadata={"a": 1, "b": 1}, risk={"level": "low"}
    ) as outer:
        with (
            agentlogsafe.step("tool_call", tool_name="delegate") as call,
            agentlogsafe.run(agent_name="worker", metadata={"b": 2}) as inner,
        ):
            log.info("decision", {"who": "inner"})
        log.info("decision", {"who": "outer"})

    inner_decision, outer_decision = events("decision")
    assert inner_decision["run_id"] == inner.run_id != outer.run_id
    assert inner_decision["parent_run_id"] == outer.run_id
    assert inner_decision["agent_name"] == "worker"
    assert inner_decision["session_id"] == "s-1"
    assert inner_decision["metadata"] == {"a": 1, "b": 2}
    assert inner_decision["risk"] == {"level": "low"}
    assert events("run_start")[1]["parent_event_id"] == call.event_id
    assert outer_decision["run_id"] == outer.run_id
    assert outer_decision["agent_name"] == "planner"
    assert "parent_run_id" not in outer_decision


def test_the_same_object_entered_again_is_a_new_run(events):
    """A notebook's cell that is run again starts a new run, also when it failed the first time."""
    cell = agentlogsafe.run(agent_name="notebook", input="again")
    ids = []
    for fails in (False, True, False):
        with contextlib.suppress(ZeroDivisionError), cell:
            ids.append(cell.run_id)
            cell.result("done")
            if fails:
                raise ZeroDivisionError

    assert len(set(ids)) == 3
    assert [event["run_id"] for event in events("run_start")] == ids
    assert [event["run_id"] for event in events("run_end")] == ids
    assert [event["status"] for event in events("run_end")] == ["success", "error", "success"]
    assert [event["payload"].get("input") for event in events("run_start")] == ["again"] * 3
    assert all("problems" not in event for event in events())


def test_an_async_run_inside_a_running_loop(events):
    """A cell with top-level ``await`` works in the loop that is already running (notebooks)."""

    async def kernel():
        for _ in range(2):
            async with agentlogsafe.run():
                await asyncio.sleep(0)
                log.info("decision")

    asyncio.run(kernel())

    first, second = events("run_start")
    assert [event["run_id"] for event in events("decision")] == [first["run_id"], second["run_id"]]


def test_every_call_of_a_decorated_function_is_a_run(events):
    """A decorator enters anew for every call, recursive ones nested, and keeps name and result."""

    @agentlogsafe.run(agent_name="recursive")
    def countdown(number):
        """Count."""
        return number if number == 0 else countdown(number - 1)

    assert countdown(2) == 0
    assert countdown.__name__ == "countdown"
    first, second, third = events("run_start")
    assert second["parent_run_id"] == first["run_id"]
    assert third["parent_run_id"] == second["run_id"]
    assert [event["run_id"] for event in events("run_end")] == [third["run_id"], second["run_id"], first["run_id"]]


def test_a_bare_step_decorates_nothing():
    """A step that is not told its type says so where the function is defined, and how to tell it."""
    with pytest.raises(ConfigurationError, match=r'@agentlogsafe.step\("tool_call"\)'):
        agentlogsafe.step(print)


def test_a_run_inside_itself(events):
    """The same object entered inside itself restores what was bound before, as any nested run does."""
    run = agentlogsafe.run()
    with run:
        outer = run.run_id
        with run:
            inner = run.run_id
        log.info("decision", {"who": "outer"})

    assert agentlogsafe.current_run_id() is None
    assert inner != outer
    assert [event["run_id"] for event in events("decision")] == [outer]
    assert [event["run_id"] for event in events("run_end")] == [inner, outer]


def test_the_same_object_in_two_tasks(events):
    """One run object used by two tasks at the same time is two runs, each ended by its own task."""
    run = agentlogsafe.run()

    async def task(name, wait):
        async with run:
            await asyncio.sleep(wait)
            log.info("decision", {"task": name})

    async def main():
        await asyncio.gather(task("a", 0.01), task("b", 0.02))

    asyncio.run(main())

    starts, decisions, ends = events("run_start"), events("decision"), events("run_end")
    ids = [event["run_id"] for event in starts]
    assert len(set(ids)) == 2
    assert [event["run_id"] for event in decisions] == ids
    assert [event["run_id"] for event in ends] == ids
    assert [event["parent_event_id"] for event in ends] == [event["event_id"] for event in starts]


def test_an_event_after_the_end_of_its_run_says_so(events):
    """A thread that outlives its run still logs, with the run's id and a note."""
    go = threading.Event()

    def late():
        go.wait(10)
        log.info("decision")

    with agentlogsafe.run() as run:
        thread = threading.Thread(target=agentlogsafe.carry(late))
        thread.start()
    go.set()
    thread.join()

    (event,) = events("decision")
    assert event["run_id"] == run.run_id
    assert event["problems"] == ["run: the event came after the run's end"]


class Odd(SystemExit):
    """An exit whose code cannot be asked for."""

    code = property(lambda self: 1 / 0)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Odd(), "error"),
        (KeyboardInterrupt, "cancelled"),
        (asyncio.CancelledError, "cancelled"),
        (SystemExit(0), "success"),
        (SystemExit(3), "error"),
        (ValueError("no"), "error"),
    ],
)
def test_how_a_run_ends(events, error, status):
    """Interruptions are no errors; every exception reaches the caller, and nothing stays bound."""
    with pytest.raises(error if isinstance(error, type) else type(error)), agentlogsafe.run():
        raise error

    assert events("run_end")[0]["status"] == status
    assert len(events("error")) == (status == "error")
    assert agentlogsafe.current_run_id() is None


def test_blocks_that_end_in_another_order_than_they_began(events):
    """After the last of them has ended, nothing stays bound, whichever came first (29)."""
    first, second = agentlogsafe.run(), agentlogsafe.run()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    second.__exit__(None, None, None)

    log.info("decision")

    assert len(events("run_end")) == 2
    assert agentlogsafe.current_run_id() is None
    assert events("decision")[0]["run_id"] is None
