"""The header objects of web frameworks and clients as carriers."""

from __future__ import annotations

import pytest

import agentlogsafe

CARRIER = {"agentlogsafe-context": "run_id=r1,agent_name=sender"}
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def starlette(headers):
    return pytest.importorskip("starlette.datastructures", reason="needs starlette").Headers(headers)


def httpx(headers):
    return pytest.importorskip("httpx", reason="needs httpx, of the extra 'frameworks'").Headers(headers)


def django(headers):
    http = pytest.importorskip("django.http.request", reason="needs django, of the extra 'frameworks'")
    return http.HttpHeaders({f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()})


def werkzeug(headers):
    structures = pytest.importorskip("werkzeug.datastructures", reason="needs flask, of the extra 'frameworks'")
    return structures.EnvironHeaders(
        {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    )


KINDS = [starlette, httpx, django, werkzeug]


@pytest.mark.parametrize("kind", KINDS)
def test_extract(kind):
    """The header object of a request is a carrier as it stands."""
    with agentlogsafe.extract(kind(CARRIER)) as extracted:
        assert extracted
        assert agentlogsafe.current_run_id() == "r1"


@pytest.mark.parametrize("kind", KINDS)
def test_extract_of_a_plain_mapping(kind):
    """With or without a trace, its items in a dict are one."""
    for headers in (CARRIER, {**CARRIER, "traceparent": TRACEPARENT}):
        with agentlogsafe.extract(dict(kind(headers))):
            assert agentlogsafe.current_run_id() == "r1"


def test_inject():
    """`inject` writes into the header object of a client as it stands, and into that of its request."""
    client = pytest.importorskip("httpx", reason="needs httpx, of the extra 'frameworks'")
    request = client.Request("GET", "http://127.0.0.1/", headers={"accept": "*/*"})
    with agentlogsafe.run(run_id="r1"):
        agentlogsafe.inject(request.headers)

    with agentlogsafe.extract(dict(request.headers)):
        assert agentlogsafe.current_run_id() == "r1"
    assert request.headers["accept"] == "*/*"
