"""FastAPI and Starlette under a real uvicorn, with the recipes' middleware, application and configuration."""

from __future__ import annotations

import json

import pytest

from tests.helpers import SECRET

from .tools import LATE, OUTSIDE, at_once, by_run, free_port, of_type, served, whole, write

for package in ("fastapi", "uvicorn", "yaml"):
    pytest.importorskip(package, reason=f"needs {package}, of the extra 'frameworks'")

APP = """
import asyncio
import logging
from contextlib import asynccontextmanager

import agentlogsafe
from fastapi import BackgroundTasks, Depends, FastAPI
from fastapi.responses import StreamingResponse
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from shop_fastapi import app, look_up

log = logging.getLogger("shop")

def decide(where):
    log.info("decision", {"where": where})

@app.get("/background")
async def background(tasks: BackgroundTasks):
    async def later():
        await asyncio.sleep(0.01)
        decide("task")
    tasks.add_task(later)
    tasks.add_task(decide, "thread")

@app.get("/stream")
def stream():
    def parts():
        for number in range(3):
            decide("thread")
            yield f"{number}"
    return StreamingResponse(parts())

@app.get("/astream")
async def astream():
    async def parts():
        for number in range(3):
            async with agentlogsafe.step("model_call", model="gpt-4o"):
                await asyncio.sleep(0)
            yield f"{number}"
    return StreamingResponse(parts())

@app.get("/fails")
def fails(token: str):
    raise ValueError(f"no quote for {token}")

@app.get("/executor")
async def executor():
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, decide, "bare")
    await loop.run_in_executor(None, agentlogsafe.carry(decide), "carried")

def sync_run():
    with agentlogsafe.run("pricing-agent", "dependency"):
        yield

async def async_run():
    with agentlogsafe.run("pricing-agent", "dependency"):
        yield

@app.get("/dependency/sync", dependencies=[Depends(sync_run)])
def depends_on_sync():
    decide("endpoint")

@app.get("/dependency/async", dependencies=[Depends(async_run)])
def depends_on_async():
    decide("endpoint")

# Starlette without FastAPI, inside the same middleware.
async def plain_async(request):
    with agentlogsafe.extract(dict(request.headers)):
        inner = agentlogsafe.current_run_id()
    decide("endpoint")
    return JSONResponse({"run_id": agentlogsafe.current_run_id(), "extracted": inner})

def plain_sync(request):
    decide("endpoint")
    return JSONResponse({"run_id": agentlogsafe.current_run_id()})

app.mount("/starlette", Starlette(routes=[Route("/async", plain_async), Route("/sync", plain_sync)]))

# An application without our middleware, with the kind that the page warns of.
@asynccontextmanager
async def lifespan(_):
    decide("start-up")
    yield

bare = FastAPI(lifespan=lifespan)

@bare.middleware("http")
async def http_middleware(request, call_next):
    with agentlogsafe.run("pricing-agent", "http"):
        return await call_next(request)

bare.get("/background")(background)
bare.get("/async/{sku}")(lambda sku: look_up(sku))
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The recipe's application, with a few routes more."""
    folder = tmp_path_factory.mktemp("fastapi")
    write(folder, "logging.yaml", "audit_asgi.py", "shop_fastapi.py", more=APP)
    port = free_port()
    with served(folder, port, "uvicorn", "more:app", "--port", str(port), "--log-config", "logging.yaml") as server:
        yield server


@pytest.mark.parametrize(("path", "calls"), [("/sync/A-1", 1), ("/async/A-1", 2)])
def test_recipe(server, path, calls):
    """The page's endpoints, in a thread and in the loop: one whole run, each step with what happened inside it."""
    status, body, events = server.run(path)

    start, *_ = whole(events)
    assert (status, json.loads(body)) == (200, {"sku": "A-1", "run_id": start["run_id"]})
    steps = {event["event_id"] for event in of_type(events, "tool_call")}
    assert len(steps) == calls
    assert {event["parent_event_id"] for event in of_type(events, "tool_call")} == {start["event_id"]}
    assert {event["parent_event_id"] for event in of_type(events, "decision")} == steps
    assert {event["parent_event_id"] for event in of_type(events, "tool_result")} == steps


def test_requests_at_once_share_nothing(server):
    """However many requests are under way, each has a run of its own, and nothing of another's."""

    def request(number):
        path = ("/sync/", "/async/")[number % 2]
        return number, *server.run(f"{path}N-{number}")

    for number, status, body, events in at_once(request, range(40)):
        assert status == 200
        assert json.loads(body)["run_id"] == whole(events)[0]["run_id"]
        assert {event["payload"]["sku"] for event in of_type(events, "decision")} == {f"N-{number}"}
        assert len(of_type(events, "decision")) == number % 2 + 1


def test_one_connection(server):
    """Requests over one connection are runs beside, not inside, one another."""
    bodies = server.keep_alive(*["/sync/K-1", "/async/K-1"] * 3)

    ids = [json.loads(body)["run_id"] for body in bodies]
    assert len(set(ids)) == 6
    for run_id in ids:
        events = server.wait_for(lambda event, run_id=run_id: event["run_id"] == run_id)
        assert not [event for event in whole(events) if "parent_run_id" in event]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/background", ["decision", "decision"]),
        ("/stream", ["decision"] * 3),
        ("/astream", ["model_call", "model_response"] * 3),
        ("/starlette/async", ["decision"]),
        ("/starlette/sync", ["decision"]),
    ],
)
def test_whatever_belongs_to_a_request_is_in_its_run(server, path, expected):
    """Background tasks and streamed bodies come before the end of the run, from threads and from the loop."""
    status, _, events = server.run(path)

    assert status == 200
    assert [event["event_type"] for event in whole(events)] == ["run_start", *expected, "run_end"]
    assert events[-1]["status"] == "success"


def test_headers_as_a_plain_mapping(server):
    """`extract` of ``dict(request.headers)`` binds the run of the client."""
    _, body, events = server.run("/starlette/async")

    assert json.loads(body)["extracted"] == events[0]["parent_run_id"]


def test_a_failing_endpoint(server):
    """An exception is an error event of the run, which ends so; the server's own traceback is redacted."""
    status, _, events = server.run(f"/fails?token={SECRET}")

    assert status == 500
    assert [event["event_type"] for event in whole(events)] == ["run_start", "error", "run_end"]
    assert events[1]["payload"]["exception"]["type"] == "ValueError"
    assert events[2]["status"] == "error"
    assert SECRET not in server.read()
    assert "no quote for" in server.read()


def test_an_executor(server):
    """run_in_executor takes no run along, and its event says so; a carried function does (28)."""
    _, _, events = server.run("/executor")

    assert [event["payload"]["where"] for event in of_type(whole(events), "decision")] == ["carried"]
    stray = server.outside()
    assert stray[-1]["payload"]["where"] == "bare"
    assert stray[-1]["problems"] == OUTSIDE


def test_dependencies(server):
    """A run bound by an ``async def`` dependency is the endpoint's; one of a ``def`` dependency is not (29)."""
    found = {}
    for kind in ("sync", "async"):
        server.run(f"/dependency/{kind}")
        run = server.all()
        found[kind] = of_type(run, "decision")[-1], of_type(run, "run_end")[-2]

    decision, end = found["async"]
    assert decision["run_id"] == end["run_id"]
    assert "problems" not in end
    decision, end = found["sync"]
    assert decision["run_id"] == end["parent_run_id"]
    assert (end["workflow_name"], end["problems"]) == ("dependency", ["run: ended in another context than it began in"])


def test_other_ways(tmp_path):
    """Start-up is outside any run; with ``@app.middleware("http")``, background tasks come late. Both say so."""
    write(tmp_path, "logging.yaml", "audit_asgi.py", "shop_fastapi.py", more=APP)
    port = free_port()
    with served(tmp_path, port, "uvicorn", "more:bare", "--port", str(port), "--log-config", "logging.yaml") as server:
        at_once(server.ask, [f"/async/N-{number}" for number in range(20)])
        server.ask("/background")
        server.wait_until(lambda events: len(of_type(events, "decision")) == 23)

    runs = by_run(server.all())
    (start_up,) = runs.pop(None)
    assert (start_up["payload"]["where"], start_up["problems"]) == ("start-up", OUTSIDE)
    late = [event for run in runs.values() for event in run if "where" in event["payload"]]
    assert [event.get("problems") for event in late] == [LATE, LATE]
    quotes = [run for run in runs.values() if len(of_type(run, "tool_call")) == 1]
    assert len(quotes) == 20
    assert all(whole(quote) for quote in quotes)
