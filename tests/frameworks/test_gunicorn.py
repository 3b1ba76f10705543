"""gunicorn with two workers, in processes of their own: its handlers, forks and threads (26, 36)."""

from __future__ import annotations

import json
import socket

import pytest

from tests.helpers import SECRET

from .tools import at_once, by_run, free_port, served, whole, write

pytest.importorskip("gunicorn", reason="needs gunicorn, of the extra 'frameworks', which does not run on Windows")

APP = """
import json
import logging
import os
import agentlogsafe
from audit_wsgi import Audit

log = logging.getLogger("app")

def answer(environ, start_response):
    log.info("tool_call", {"tool_name": "sql", "tool_call_id": "c", "args": {"q": environ["QUERY_STRING"]}})
    start_response("200 OK", [("Content-Type", "application/json")])
    yield b" "
    log.info("tool_result", {"tool_name": "sql", "tool_call_id": "c", "pid": os.getpid()})
    yield json.dumps({"pid": os.getpid(), "run_id": agentlogsafe.current_run_id()}).encode()

def app(environ, start_response):
    return Audit(answer)(environ, start_response)

with agentlogsafe.run("preloading"):  # before the fork, where the application is preloaded
    log.info("decision")
"""


@pytest.mark.parametrize("options", [["--preload"], ["--preload", "--threads", "4"], ["--threads", "4"]], ids=" ".join)
def test_recipe(tmp_path, options):
    """The page's configuration: every request is a whole run of one worker, ids are unique, nothing is raw (26, 36)."""
    write(tmp_path, "gunicorn.conf.py", "audit_wsgi.py", app=APP)
    port = free_port()
    bind = ["--workers", "2", "--bind", f"127.0.0.1:{port}", "--access-logfile", "-"]
    with served(tmp_path, port, "gunicorn", "app:app", *bind, *options) as server:
        answers = []
        while len({json.loads(body)["pid"] for _, body, _ in answers}) < 2 and len(answers) < 400:
            answers += at_once(lambda number: server.run(f"/x?token={SECRET}&n={number}"), range(40))
        bodies = server.keep_alive(*["/x"] * 4) if "--threads" in options else []

    pids = set()
    for status, body, events in answers:
        start, call, result, end = whole(events)
        answer = json.loads(body)
        assert (status, answer["run_id"]) == (200, start["run_id"])
        assert [event["event_type"] for event in (call, result)] == ["tool_call", "tool_result"]
        assert result["parent_event_id"] == call["event_id"]
        assert result["payload"]["pid"] == answer["pid"]
        assert end["status"] == "success"
        pids.add(answer["pid"])
    assert len(pids) == 2
    assert server.read().count("/x?token=[") == len(answers)

    runs = by_run(server.all())
    for run_id in {json.loads(body)["run_id"] for body in bodies}:
        assert not [event for event in whole(runs[run_id]) if "parent_run_id" in event]
    ids = [event["event_id"] for event in server.all()]
    assert len(set(ids)) == len(ids)


def test_a_client_that_leaves(tmp_path):
    """A body that is not read to its end ends its run as cancelled, in the run (29)."""
    write(
        tmp_path,
        "gunicorn.conf.py",
        "audit_wsgi.py",
        app="""
import logging
from audit_wsgi import Audit

def answer(environ, start_response):
    start_response("200 OK", [])
    try:
        for _ in range(environ["PATH_INFO"] == "/stream" and 10_000):
            yield b"x" * 100_000
    finally:
        logging.getLogger("app").info("decision", {"decision": "stop"})

app = Audit(answer)
""",
    )
    port = free_port()
    with served(tmp_path, port, "gunicorn", "app:app", "--bind", f"127.0.0.1:{port}") as server:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(b"GET /stream HTTP/1.1\r\nHost: x\r\nagentlogsafe-context: run_id=left\r\n\r\n")
            connection.recv(1000)
        events = server.wait_for(lambda event: event.get("parent_run_id") == "left")

    assert [event["event_type"] for event in whole(events)] == ["run_start", "decision", "run_end"]
    assert events[-1]["status"] == "cancelled"
