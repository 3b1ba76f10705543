"""Flask, with the recipes' middleware and application, under Werkzeug's threaded server."""

from __future__ import annotations

import json

import pytest

from tests.helpers import SECRET

from .tools import OUTSIDE, at_once, free_port, of_type, served, whole, write

for package in ("flask", "yaml"):
    pytest.importorskip(package, reason=f"needs {package}, of the extra 'frameworks'")

APP = """
import json
import logging
import sys
import threading

import agentlogsafe
from shop_flask import app, log
from flask import stream_with_context
from werkzeug.serving import make_server

def decide(where):
    log.info("decision", {"where": where})

@app.get("/stream")
def stream():
    def parts():
        for number in range(3):
            decide(number)
            yield str(number)
    return stream_with_context(parts())

@app.get("/fails/<token>")
def fails(token):
    raise ValueError(f"no quote for {token}")

@app.get("/empty")
def empty():
    return "", 204

@app.get("/threads")
def threads():
    for target in (lambda: decide("bare"), agentlogsafe.carry(lambda: decide("carried"))):
        thread = threading.Thread(target=target)
        thread.start()
        thread.join()
    return ""

decide("start-up")
app.logger.info("added: %s", [app.logger.handlers, logging.getLogger("werkzeug").handlers, agentlogsafe.self_check()])
for _ in range(2):
    app.test_client().get("/quote/client")
make_server("127.0.0.1", int(sys.argv[1]), app, threaded=True).serve_forever()
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The recipe's application, with a few routes more."""
    folder = tmp_path_factory.mktemp("flask")
    write(folder, "logging.yaml", "audit_wsgi.py", "shop_flask.py", more=APP)
    port = free_port()
    with served(folder, port, "more", str(port)) as server:
        yield server


def test_recipe_adds_no_bare_handler(server):
    """With the page's order, Flask and Werkzeug add no handlers that raw records would reach (25)."""
    assert '"added: [[], [], []]"' in server.read()


def test_requests_at_once_share_nothing(server):
    """However many requests are under way, each has a run of its own, and nothing of another's."""
    for number, status, body, events in at_once(
        lambda number: (number, *server.run(f"/quote/N-{number}?token={SECRET}")), range(40)
    ):
        start, call, decision, result, _ = whole(events)
        assert (status, json.loads(body)) == (200, {"sku": f"N-{number}", "run_id": start["run_id"]})
        assert decision["payload"]["sku"] == f"N-{number}"
        assert decision["parent_event_id"] == result["parent_event_id"] == call["event_id"]
    assert server.read().count("?token=[") == 40  # Werkzeug's access log


def test_a_streamed_body(server):
    """A body that is made after the view has returned is in the request's run (29)."""
    status, body, events = server.run("/stream")

    assert (status, body) == (200, "012")
    assert [event["payload"]["where"] for event in of_type(whole(events), "decision")] == [0, 1, 2]


def test_a_failing_view(server):
    """Its exception is an error event of the run, with nothing secret in it; Flask's answer ends the run."""
    status, _, events = server.run(f"/fails/{SECRET}")

    assert status == 500
    assert [event["event_type"] for event in whole(events)] == ["run_start", "error", "run_end"]
    assert events[1]["payload"]["exception"]["type"] == "ValueError"
    assert events[2]["status"] == "success"
    line = next(json.loads(line) for line in server.read().splitlines() if "Exception on /fails" in line)
    assert line["run_id"] == events[0]["run_id"]  # Flask's own


@pytest.mark.parametrize(("path", "expected"), [("/missing", 404), ("/empty", 204)])
def test_an_answer_without_a_view_or_a_body(server, path, expected):
    """Each request is a run, whatever becomes of it."""
    status, _, events = server.run(path)

    assert status == expected
    assert len(whole(events)) == 2


def test_threads_of_a_view(server):
    """A thread that a view starts is in no run, and says so; a carried one is in the request's (28)."""
    _, _, events = server.run("/threads")

    assert [event["payload"]["where"] for event in of_type(whole(events), "decision")] == ["carried"]
    stray = server.outside()
    assert [event["payload"]["where"] for event in stray] == ["start-up", "bare"]
    assert [event["problems"] for event in stray] == [OUTSIDE, OUTSIDE]


def test_one_thread(server):
    """Requests that one thread makes of Flask's test client are runs beside, not inside, one another."""
    ids = [event["run_id"] for event in server.all() if event["payload"].get("sku") == "client"]

    assert len(set(ids)) == 2
    for run_id in ids:
        run = whole([event for event in server.all() if event["run_id"] == run_id])
        assert not [event for event in run if "parent_run_id" in event]
