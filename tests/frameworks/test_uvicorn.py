"""uvicorn, in a process of its own: its loggers, which do not propagate, and its own configuration (36)."""

from __future__ import annotations

import json

import pytest

from tests.helpers import SECRET

from .tools import events_of, free_port, recipe, served, whole, write

for package in ("uvicorn", "yaml"):
    pytest.importorskip(package, reason=f"needs {package}, of the extra 'frameworks'")

APP = """
import logging
import agentlogsafe
from audit_asgi import Audit

async def answer(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    logging.getLogger("app").info("tool_call", {"tool_name": "sql", "args": {"q": scope["query_string"].decode()}})
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": agentlogsafe.current_run_id().encode()})

app = Audit(answer)
"""


def configuration(kind):
    """Return the recipe's configuration; with an AuditHandler in front of the same target, where that is asked for."""
    import yaml

    config = yaml.safe_load(recipe("logging.yaml"))
    if kind == "handler":
        del config["handlers"]["stdout"]["formatter"]
        config["handlers"]["audit"] = {"class": "agentlogsafe.AuditHandler", "target": "stdout"}
        config["root"]["handlers"] = ["audit"]
    return config


@pytest.mark.parametrize("kind", ["formatter", "handler"])
def test_recipe(tmp_path, kind):
    """Events and access log come out redacted, and a client's run is the parent run (5, 36)."""
    write(tmp_path, "audit_asgi.py", app=APP)
    (tmp_path / "logging.json").write_text(json.dumps(configuration(kind)))
    port = free_port()
    with served(tmp_path, port, "uvicorn", "app:app", "--port", str(port), "--log-config", "logging.json") as server:
        for _ in range(2):
            status, body, events = server.run(f"/x?token={SECRET}")
            assert (status, body) == (200, events[0]["run_id"])
            events = whole(events, "pricing-agent")
            assert [event["event_type"] for event in events] == ["run_start", "tool_call", "run_end"]

    assert server.read().count("/x?token=[") == 2  # the access log, its two lines redacted


def test_as_it_configures_itself(tmp_path):
    """The page's code: ``install()`` after uvicorn's own configuration wraps its handlers (36)."""
    write(tmp_path, "audit_asgi.py", "serve.py", app=APP)
    port = free_port()
    with served(tmp_path, port, "serve", str(port)) as server:
        server.ask(f"/x?token={SECRET}")

    assert len(events_of(server.read())) == 6
    assert server.read().count("/x?token=[") == 1
    assert "200 OK" in server.read()
