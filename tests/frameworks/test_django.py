"""Django: its LOGGING setting, its middleware with both kinds of views, and its WSGI application."""

from __future__ import annotations

import json

import pytest

from tests.helpers import SECRET

from .tools import OUTSIDE, by_run, events_of, of_type, run_script, whole, write

pytest.importorskip("django", reason="needs django, of the extra 'frameworks'")

SITE = """
import asyncio
import logging

import agentlogsafe
import django
from django.conf import settings
from django.http import JsonResponse, StreamingHttpResponse
from django.urls import path

from settings_logging import LOGGING

settings.configure(
    ALLOWED_HOSTS=["*"],
    LOGGING=LOGGING,
    MIDDLEWARE=["audit_django.audit", "django.middleware.common.CommonMiddleware"],
    ROOT_URLCONF=__name__,
)
django.setup()
log = logging.getLogger("shop")

def look_up(sku):
    with agentlogsafe.step("tool_call", tool_name="prices", args={"sku": sku}) as call:
        log.info("decision", {"decision": "list price", "sku": sku})
        call.result(12.5)

def sync_quote(request, sku):
    look_up(sku)
    return JsonResponse({"run_id": agentlogsafe.current_run_id()})

async def async_quote(request, sku):
    from asgiref.sync import sync_to_async
    await asyncio.gather(asyncio.to_thread(look_up, sku), sync_to_async(look_up)(sku))
    await sync_to_async(look_up, thread_sensitive=False)(sku)
    return JsonResponse({"run_id": agentlogsafe.current_run_id()})

def fails(request):
    raise ValueError("no quote for " + request.GET["token"])

def stream(request):
    def parts():
        log.info("decision", {"where": "body"})
        yield "x"
    return StreamingHttpResponse(parts())

def headers(request):
    with agentlogsafe.extract(dict(request.headers)):
        return JsonResponse({"extracted": agentlogsafe.current_run_id()})

urlpatterns = [
    path("sync/<sku>", sync_quote),
    path("async/<sku>", async_quote),
    path("fails", fails),
    path("stream", stream),
    path("headers", headers),
]
"""


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """What came of many requests of Django's test clients, synchronous and asynchronous."""
    folder = tmp_path_factory.mktemp("django")
    write(folder, "settings_logging.py", "audit_django.py", shop_site=SITE)
    body = """
import asyncio, json, os
from concurrent.futures import ThreadPoolExecutor

import shop_site
import agentlogsafe
from django.test import AsyncClient, Client, RequestFactory

answers = []

def report(kind, path, answer):
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    answers.append([kind, path.partition("?")[0], answer.status_code, body.decode()])

def ask(path, **more):
    report("wsgi", path, Client(raise_request_exception=False).get(path, **more))

async def aask():
    client = AsyncClient(raise_request_exception=False)
    paths = [f"/{kind}/M-{number}" for number in range(10) for kind in ("sync", "async")]
    for path, answer in zip(paths, await asyncio.gather(*(client.get(path) for path in paths))):
        report("asgi", path, answer)

checked = agentlogsafe.self_check()
shop_site.log.info("decision", {"where": "outside"})
with ThreadPoolExecutor(8) as pool:
    list(pool.map(ask, [f"/{kind}/N-{number}" for number in range(10) for kind in ("sync", "async")]))
asyncio.run(aask())
ask("/fails?token=" + os.environ["SECRET"])
ask("/stream")
ask("/headers", headers={"agentlogsafe-context": "run_id=client"})
shop_site.sync_quote(RequestFactory().get("/"), "view")
print("answers", json.dumps([checked, answers]))
"""
    write(folder, body=body)
    text = run_script(folder, "body.py", SECRET=SECRET)
    checked, answers = json.loads(text.partition("\nanswers ")[2].splitlines()[0])
    return {"text": text, "events": events_of(text), "checked": checked, "answers": answers}


def test_recipe_leaves_no_bare_handler(asked):
    """With the page's LOGGING, no handler of Django's own gets raw records."""
    assert asked["checked"] == []


def test_self_check_names_djangos_own_handlers(tmp_path):
    """Where ``django`` is not named in LOGGING, the handler that mails raw tracebacks is reported."""
    site = SITE.replace("settings.configure(", 'del LOGGING["loggers"]\nsettings.configure(')
    write(tmp_path, "settings_logging.py", "audit_django.py", shop_site=site)
    write(tmp_path, body='import shop_site, logging; print(logging.getLogger("django").handlers)')

    assert "AdminEmailHandler" in run_script(tmp_path, "body.py")


@pytest.mark.parametrize("kind", ["wsgi", "asgi"])
def test_requests_at_once_share_nothing(asked, kind):
    """Synchronous and asynchronous views, under both interfaces: each request is one whole run, and only its own."""
    runs = by_run(asked["events"])
    quotes = [answer[1:] for answer in asked["answers"] if answer[0] == kind and "-" in answer[1]]
    assert len(quotes) == 20
    for path, status, body in quotes:
        run = whole(runs[json.loads(body)["run_id"]])
        assert status == 200
        assert "parent_run_id" not in run[0]
        decisions = of_type(run, "decision")
        assert len(decisions) == (3 if "async" in path else 1)
        assert {event["payload"]["sku"] for event in decisions} == {path.split("/")[2]}
        calls = {event["event_id"] for event in of_type(run, "tool_call")}
        assert {event["parent_event_id"] for event in decisions} == calls
    assert len({json.loads(body)["run_id"] for _, _, body in quotes}) == 20


def test_a_failing_view(asked):
    """Its exception is an error event of the run; Django's own line has the run's id, and no secret."""
    (error,) = of_type(asked["events"], "error")
    assert error["payload"]["exception"]["type"] == "ValueError"
    run = whole(by_run(asked["events"])[error["run_id"]])
    assert [event["event_type"] for event in run] == ["run_start", "error", "run_end"]
    line = next(json.loads(line) for line in asked["text"].splitlines() if "Internal Server Error: /fails" in line)
    assert line["run_id"] == error["run_id"]
    assert "ValueError" in line["exc_info"]


def test_what_is_outside_a_request(asked):
    """A streamed body is made after the middleware's run; a view without its middleware has none. Both say so."""
    outside = by_run(asked["events"])[None]
    assert [event["payload"].get("where") for event in of_type(outside, "decision")] == ["outside", "body", None]
    assert {event["event_type"] for event in outside} == {"tool_call", "decision", "tool_result"}
    assert {tuple(event["problems"]) for event in outside} == {tuple(OUTSIDE)}


def test_headers_as_a_plain_mapping(asked):
    """`extract` of ``dict(request.headers)`` binds the run of the client."""
    assert json.loads(asked["answers"][-1][3]) == {"extracted": "client"}


def test_recipe_around_the_application(tmp_path):
    """``Audit(get_wsgi_application())`` under wsgiref, the ASGI one beside it: streamed bodies are in the run (29)."""
    site = SITE.replace('"audit_django.audit", ', "")
    write(tmp_path, "settings_logging.py", "audit_wsgi.py", "audit_asgi.py", shop_site=site)
    body = """
import asyncio, threading, urllib.request
from wsgiref.simple_server import WSGIRequestHandler, make_server

import shop_site
import audit_asgi, audit_wsgi
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application

class Quiet(WSGIRequestHandler):
    log_message = staticmethod(print)

server = make_server("127.0.0.1", 0, audit_wsgi.Audit(get_wsgi_application()), handler_class=Quiet)
threading.Thread(target=server.serve_forever, args=[0.02]).start()
for path in ("stream", "sync/A-1", "async/A-1"):
    headers = {"agentlogsafe-context": "run_id=wsgi-" + path[:5]}
    url = f"http://127.0.0.1:{server.server_port}/{path}"
    urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10).read()
server.shutdown()
server.server_close()

async def ask(path):
    sent = asyncio.Event()
    messages = [{"type": "http.request", "body": b"", "more_body": False}]
    async def receive():
        if messages:
            return messages.pop()
        await sent.wait()
        return {"type": "http.disconnect"}
    async def send(message):
        if message["type"] == "http.response.body" and not message.get("more_body"):
            sent.set()
    headers = [(b"host", b"x"), (b"agentlogsafe-context", b"run_id=asgi-" + path[1:6].encode())]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": headers, "asgi": {}}
    await audit_asgi.Audit(get_asgi_application())(scope, receive, send)

async def main():
    await asyncio.gather(*map(ask, ("/stream", "/sync/A-1", "/async/A-1")))
asyncio.run(main())
"""
    write(tmp_path, body=body)

    runs = by_run(events_of(run_script(tmp_path, "body.py")))

    assert None not in runs
    assert sorted(run[0]["parent_run_id"] for run in runs.values()) == [
        f"{interface}-{path}" for interface in ("asgi", "wsgi") for path in ("async", "strea", "sync/")
    ]
    for run in runs.values():
        assert len(of_type(whole(run), "decision")) == (3 if "async" in run[0]["parent_run_id"] else 1)
