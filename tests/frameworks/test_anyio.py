"""anyio, on asyncio and on trio: task groups, worker threads, portals, cancel scopes, streams between tasks."""

from __future__ import annotations

import logging

import pytest

import agentlogsafe

from .tools import by_run, recipe, whole

anyio = pytest.importorskip("anyio", reason="needs anyio, of the extra 'tests'")

log = logging.getLogger("app")


@pytest.fixture(params=["asyncio", "trio"])
def backend(request):
    """Each event loop that anyio runs on."""
    if request.param == "trio":
        pytest.importorskip("trio", reason="needs trio, of the extra 'frameworks'")
    return request.param


def decide(number):
    log.info("decision", {"number": number})


def test_recipe(events, backend, monkeypatch):
    """The page's code: each quote is one whole run, with the batch's as parent; its thread is in it."""
    namespace = {}
    real = anyio.run
    monkeypatch.setattr(anyio, "run", lambda fn, *args: real(fn, *args, backend=backend))
    exec(recipe("tasks_anyio.py"), namespace)

    batch, *quotes = by_run(events()).values()
    assert {event["agent_name"] for event in batch} == {"batch"}
    assert [len(whole(quote)) for quote in quotes] == [3, 3]
    assert {event["parent_run_id"] for quote in quotes for event in quote} == {batch[0]["run_id"]}
    assert {quote[0]["parent_event_id"] for quote in quotes} == {batch[0]["event_id"]}


def test_requests_at_once_share_nothing(events, backend):
    """Fifty tasks, each with a run, tasks and threads of its own: each event is in its own run (28)."""

    @agentlogsafe.run("pricing-agent")
    async def request(number):
        async with agentlogsafe.step("tool_call", tool_name="sql"), anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, 0.001 * (number % 3))
            group.start_soon(anyio.to_thread.run_sync, decide, number)
            group.start_soon(anyio.to_thread.run_sync, anyio.from_thread.run_sync, decide, number)
        decide(number)
        return number

    async def main():
        async with anyio.create_task_group() as group:
            for number in range(50):
                group.start_soon(request, number)
        assert agentlogsafe.current_run_id() is None

    anyio.run(main, backend=backend)

    runs = by_run(events())
    assert len(runs) == 50
    for run in runs.values():
        start, call, *inside, result, last, _ = whole(run)
        assert [event["parent_event_id"] for event in (*inside, result)] == [call["event_id"]] * 3
        assert last["parent_event_id"] == start["event_id"]
        assert len({event["payload"]["number"] for event in (*inside, last)}) == 1


def test_what_a_task_binds_is_unknown_to_whoever_starts_it(events, backend):
    """``start`` waits until the task is ready, inside the task's run; its caller is not in that run."""

    async def server(*, task_status):
        async with agentlogsafe.run("server"):
            decide("server")
            task_status.started()
            await anyio.sleep_forever()

    async def main():
        async with anyio.create_task_group() as group:
            await group.start(server)
            decide("starter")
            group.cancel_scope.cancel()

    anyio.run(main, backend=backend)

    inside, outside = events("decision")
    assert inside["agent_name"] == "server"
    assert outside["run_id"] is None


def test_a_portal_takes_the_run_along(events, backend):
    """What a thread sends to the loop of another thread is in the sender's run; the loop itself is in none (28)."""

    async def work():
        decide("portal")

    with anyio.from_thread.start_blocking_portal(backend) as portal:
        with agentlogsafe.run() as run:
            portal.call(work)
            portal.call(decide, "plain")
        portal.call(work)

    assert [event["run_id"] for event in events("decision")] == [run.run_id, run.run_id, None]


def test_a_message_between_tasks_is_in_the_run_of_its_reader(events, backend):
    """A stream takes no run along: `inject` into the message does (28)."""

    async def reader(stream):
        async with agentlogsafe.run("reader"), stream:
            async for carrier in stream:
                decide("plain")
                with agentlogsafe.extract(carrier):
                    decide("extracted")

    async def main():
        send, receive = anyio.create_memory_object_stream(1)
        async with anyio.create_task_group() as group:
            group.start_soon(reader, receive)
            async with send, agentlogsafe.run("writer"):
                await send.send(agentlogsafe.inject({}))

    anyio.run(main, backend=backend)

    assert [event["agent_name"] for event in events("decision")] == ["reader", "writer"]


def cancelled_run(backend):
    async def main():
        with anyio.move_on_after(0.01):
            async with agentlogsafe.run("agent"), agentlogsafe.step("tool_call", tool_name="slow"):
                await anyio.sleep(60)

    anyio.run(main, backend=backend)


def test_a_cancelled_scope_on_asyncio(events):
    """A run in a cancelled scope, and its open step, say cancelled, and log no error."""
    cancelled_run("asyncio")

    assert [event["event_type"] for event in events()] == ["run_start", "tool_call", "tool_result", "run_end"]
    assert {event["status"] for event in events("tool_result", "run_end")} == {"cancelled"}


def test_a_cancelled_scope_on_trio(events):
    """A run in a cancelled scope, and its open step, say cancelled, and log no error."""
    pytest.importorskip("trio", reason="needs trio, of the extra 'frameworks'")
    cancelled_run("trio")

    assert [event["event_type"] for event in events()] == ["run_start", "tool_call", "tool_result", "run_end"]
    assert {event["status"] for event in events("tool_result", "run_end")} == {"cancelled"}
