"""Servers and workers that configure logging themselves: real ones, on this machine, each in a process of its own.

Pitfall 36, and the recipes page of the documentation.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request

import pytest

from .helpers import SECRET, clean, valid

APP = """
    import logging
    import agentlogsafe

    log = logging.getLogger("app")

    async def app(scope, receive, send):
        if scope["type"] != "http":
            return
        with agentlogsafe.extract(dict(scope["headers"])), agentlogsafe.run("web-agent"):
            log.info("tool_call", {"tool_name": "sql", "args": {"q": scope["query_string"].decode()}})
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    def wsgi(environ, start_response):
        with agentlogsafe.run("web-agent"):
            log.info("tool_call", {"tool_name": "sql", "args": {"q": environ["QUERY_STRING"]}})
        start_response("200 OK", [])
        return [b"ok"]
"""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def get(url, tries=100, **headers):
    """Ask a server that may still be starting."""
    for left in range(tries, 0, -1):
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=5) as answer:
                return answer.read()
        except OSError:  # noqa: PERF203 -- it waits for a server
            if left == 1:
                raise
            time.sleep(0.1)
    return None


def serve(folder, command, port, requests=2, **headers):
    """Run a server, send it requests that carry a secret, end it, and return what it wrote."""
    (folder / "app.py").write_text(textwrap.dedent(APP))
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=subprocess.STDOUT)
        try:
            for number in range(requests):
                get(f"http://127.0.0.1:{port}/x?token={SECRET}&n={number}", **headers)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)
    return clean((folder / "out").read_text())


def logging_config(*loggers, kind="formatter"):
    handlers = {"out": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "audit"}}
    if kind == "handler":
        handlers["out"].pop("formatter")
        handlers["audit"] = {"class": "agentlogsafe.AuditHandler", "target": "out", "agent_name": "default"}
    name = list(handlers)[-1]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"audit": {"()": "agentlogsafe.AuditFormatter", "agent_name": "default"}},
        "handlers": handlers,
        "root": {"handlers": [name], "level": "INFO"},
        "loggers": {logger: {"handlers": [name], "level": "INFO", "propagate": False} for logger in loggers},
    }


def events_of(text):
    found = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return [valid(event) for event in found if "event_id" in event]


@pytest.mark.parametrize("kind", ["formatter", "handler"])
def test_uvicorn(tmp_path, kind):
    """Under uvicorn, events and access log come out redacted, and a caller's run is the parent run."""
    port = free_port()
    (tmp_path / "logging.json").write_text(json.dumps(logging_config("uvicorn", "uvicorn.access", kind=kind)))
    command = [sys.executable, "-m", "uvicorn", "app:app", "--port", str(port), "--log-config", "logging.json"]

    text = serve(tmp_path, command, port, **{"agentlogsafe-context": "run_id=caller-run,parent_event_id=caller-event"})

    events = events_of(text)
    assert [event["event_type"] for event in events] == ["run_start", "tool_call", "run_end"] * 2
    assert len({event["run_id"] for event in events}) == 2
    assert {event["parent_run_id"] for event in events} == {"caller-run"}
    assert events[0]["parent_event_id"] == "caller-event"
    assert {event["agent_name"] for event in events} == {"web-agent"}
    assert text.count("/x?token=[") == 2  # the access log, its two lines redacted


def test_uvicorn_as_it_configures_itself(tmp_path):
    """``install()`` after uvicorn's own configuration wraps its handlers, its access formatter included."""
    port = free_port()
    (tmp_path / "serve.py").write_text(
        textwrap.dedent(f"""
            import logging, uvicorn, agentlogsafe
            config = uvicorn.Config("app:app", port={port})
            logging.basicConfig(level="INFO", format="%(message)s")
            agentlogsafe.install(agent_name="default")
            uvicorn.Server(config).run()
        """)
    )

    text = serve(tmp_path, [sys.executable, "serve.py"], port)

    assert len(events_of(text)) == 6
    assert text.count("/x?token=[") == 2
    assert "200 OK" in text


@pytest.mark.skipif(sys.platform == "win32", reason="gunicorn does not run on Windows")
def test_gunicorn(tmp_path):
    """Under gunicorn's pre-fork workers, events and access log come out redacted, ids are unique."""
    port = free_port()
    config = logging_config("gunicorn.error", "gunicorn.access")
    (tmp_path / "gunicorn.conf.py").write_text(
        f"bind = '127.0.0.1:{port}'\nworkers = 2\naccesslog = '-'\npreload_app = True\nlogconfig_dict = {config!r}\n"
    )

    text = serve(tmp_path, [sys.executable, "-m", "gunicorn", "app:wsgi"], port, requests=8)

    events = events_of(text)
    assert len(events) == 24
    assert len({event["event_id"] for event in events}) == 24
    assert text.count("/x?token=[") == 8


CELERY = """
    import json, logging, logging.config, sys
    import celery
    from celery.contrib.testing.worker import start_worker
    from celery.signals import setup_logging
    import agentlogsafe

    config = json.load(open("logging.json"))
    setup_logging.connect(lambda **_: logging.config.dictConfig(config), weak=False)
    log = logging.getLogger("app")
    app = celery.Celery("app", broker="memory://", backend="cache+memory://")

    @app.task(bind=True)
    def work(self, secret):
        with agentlogsafe.extract(self.request.headers or {}):
            log.info("tool_call", {"tool_name": "sql", "args": {"q": secret}})

    logging.config.dictConfig(config)
    with start_worker(app, pool="threads", perform_ping_check=False):
        with agentlogsafe.run("batch-agent", run_id="r1"):
            headers = agentlogsafe.inject({})
            for _ in range(3):
                work.apply_async((sys.argv[1],), headers=headers).get(timeout=20)
"""


def test_celery(tmp_path):
    """In a Celery worker, tasks log as part of the run that sent them."""
    (tmp_path / "logging.json").write_text(json.dumps(logging_config()))
    (tmp_path / "work.py").write_text(textwrap.dedent(CELERY))

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "work.py", f"token={SECRET}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )

    assert done.returncode == 0, clean(done.stderr)
    events = events_of(clean(done.stdout))
    assert [event["event_type"] for event in events] == ["run_start", *["tool_call"] * 3, "run_end"]
    assert {event["run_id"] for event in events} == {"r1"}
    assert {event["agent_name"] for event in events} == {"batch-agent"}
    assert {event["parent_event_id"] for event in events[1:4]} == {events[0]["event_id"]}
