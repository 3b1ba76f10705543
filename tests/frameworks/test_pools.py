"""Pools that many runs share: threads with `carry`, processes with `inject` and `extract` (28, 30)."""

from __future__ import annotations

import logging
import multiprocessing
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest

import agentlogsafe

from .tools import OUTSIDE, at_once, by_run, events_of, of_type, run_script, whole, write

METHODS = [method for method in ("fork", "forkserver", "spawn") if method in multiprocessing.get_all_start_methods()]

log = logging.getLogger("app")


def decide(number):
    log.info("decision", {"number": number, "thread": threading.get_ident()})


@pytest.mark.parametrize("how", ["carry", "ContextThreadPoolExecutor"])
def test_many_runs_in_one_pool_of_threads(events, how):
    """Runs of eight threads share four workers; each event is in the run, and under the step, that sent it (28)."""
    kind = agentlogsafe.ContextThreadPoolExecutor if how != "carry" else ThreadPoolExecutor

    with kind(4) as pool:

        @agentlogsafe.run("pricing-agent")
        def request(number):
            with agentlogsafe.step("tool_call", tool_name="sql"):
                work = decide if how != "carry" else agentlogsafe.carry(decide)
                list(pool.map(work, [number] * 5))

        at_once(request, range(40), workers=8)

    runs = by_run(events())
    assert len(runs) == 40
    for run in runs.values():
        _, call, *inside, _, _ = whole(run)
        assert {event["parent_event_id"] for event in inside} == {call["event_id"]}
        assert len({event["payload"]["number"] for event in inside[:5]}) == 1
    assert 1 < len({event["payload"]["thread"] for event in events("decision")}) <= 4


def test_a_pool_made_in_a_run_does_not_stay_in_it(events):
    """Workers started inside a run serve later work without it: bare, it is in no run, and says so (28)."""

    def initialize():
        decide("initializer")

    pool = agentlogsafe.ContextThreadPoolExecutor(1, initializer=initialize)
    with agentlogsafe.run() as first:
        pool.submit(decide, 1).result()
    pool.submit(decide, 2).result()
    pool.shutdown()

    found = {event["payload"]["number"]: event for event in events("decision")}
    assert found[1]["run_id"] == first.run_id
    for number in ("initializer", 2):
        assert (found[number]["run_id"], found[number]["problems"]) == (None, OUTSIDE)


@pytest.mark.parametrize("method", METHODS)
def test_recipe(tmp_path, method):
    """The page's code: one pool of processes serves two runs, each step is in the run that sent it (30)."""
    pytest.importorskip("yaml", reason="needs pyyaml, of the extra 'tests'")
    write(tmp_path, "logging.yaml", "jobs.py")

    found = events_of(run_script(tmp_path, "jobs.py", method))

    first, second = by_run(found).values()
    for batch, run in (("A", first), ("B", second)):
        start, *inside, end = sorted(run, key=lambda event: event["event_type"] == "run_end")
        assert [event["event_type"] for event in (start, end)] == ["run_start", "run_end"]
        calls = {event["event_id"]: event for event in of_type(inside, "tool_call")}
        assert {event["payload"]["args"]["sku"] for event in calls.values()} == {f"{batch}-1", f"{batch}-2"}
        assert {event["parent_event_id"] for event in calls.values()} == {start["event_id"]}
        assert {event["parent_event_id"] for event in of_type(inside, "tool_result")} == set(calls)
        assert {(event["agent_name"], event["workflow_name"]) for event in run} == {("pricing-agent", "batch")}
        assert not [event for event in run if "problems" in event]


def run_seen(carrier=None):
    if carrier is None:
        return agentlogsafe.current_run_id()
    with agentlogsafe.extract(carrier):
        return agentlogsafe.current_run_id()


@pytest.mark.parametrize("method", METHODS)
def test_a_pool_of_processes_follows_the_carrier(method):
    """Whatever run a worker was made in, what counts is the carrier that came with the work (30)."""
    seen, expected = [], []
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as pool:
        for number in range(3):
            with agentlogsafe.run(run_id=f"run-{number}"):
                seen.append(pool.submit(run_seen, agentlogsafe.inject({})).result(60))
            expected.append(f"run-{number}")

    assert seen == expected


@pytest.mark.parametrize("method", METHODS)
def test_a_pool_of_processes_made_in_a_run_does_not_stay_in_it(method):
    """Work sent from outside any run, with the empty carrier that `inject` gives, is in no run (30)."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as pool:
        with agentlogsafe.run(run_id="first"):
            assert pool.submit(run_seen, agentlogsafe.inject({})).result(60) == "first"
        assert pool.submit(run_seen, agentlogsafe.inject({})).result(60) is None
