"""pytest: the fixture `audit_events`, beside caplog, in a suite of an application (33, 34)."""

from __future__ import annotations

import logging
import logging.config
import warnings

import pytest

import agentlogsafe
from agentlogsafe.testing import audit_events  # noqa: F401 -- the fixture
from tests.helpers import TEXT, clean

from .tools import OUTSIDE, run_script, whole, write

log = logging.getLogger("app")

SHOP = """
import logging
import agentlogsafe

log = logging.getLogger("shop")

@agentlogsafe.run("refund-agent")
def refund(order):
    with agentlogsafe.step("human_approval", reason=order) as asked:
        asked.approve()
"""

MORE = """
import asyncio
import logging
import logging.config
import agentlogsafe
import pytest
import structlog
from shop import log, refund

CONFIG = {
    "version": 1,
    "handlers": {
        "out": {"class": "logging.StreamHandler"},
        "audit": {"class": "agentlogsafe.AuditHandler", "target": "out"},
    },
    "root": {"handlers": ["audit"], "level": "INFO"},
}

@pytest.fixture
def in_run():
    with agentlogsafe.run("fixture-agent") as run:
        yield run

def test_a_fixture_that_binds_a_run(in_run, audit_events):
    log.info("decision")
    assert [event["run_id"] for event in audit_events] == [in_run.run_id]

def test_the_next_test_is_not_in_it(audit_events):
    log.info("decision")
    assert audit_events[0]["problems"] == ["run: the event is outside any run"]

def test_both_fixtures(caplog, audit_events):
    refund("A-1")
    assert caplog.messages == [event["event_type"] for event in audit_events]

def test_a_dict_config_inside(caplog, audit_events):
    logging.config.dictConfig(CONFIG)
    refund("A-1")
    assert caplog.messages == []
    assert len(audit_events) == 4

@pytest.fixture
def audited_root(monkeypatch):
    root = logging.getLogger()
    handler = agentlogsafe.AuditHandler(logging.NullHandler())
    monkeypatch.setattr(root, "handlers", [handler, *root.handlers])
    root.setLevel("INFO")

def test_pytests_own_handlers(audited_root, caplog, audit_events):
    logging.getLogger().addHandler(caplog.handler)
    refund("A-1")
    assert len(audit_events) == 4
"""


def test_recipe(tmp_path):
    """The page's code passes, under ``-W error`` too, next to a suite that does what the page speaks of."""
    ini = "[pytest]\nfilterwarnings =\n    error\n    ignore:raw records:agentlogsafe.AgentLogSafeWarning\n"
    (tmp_path / "pytest.ini").write_text(ini)
    write(tmp_path, "conftest.py", "test_refund.py", shop=SHOP, test_more=MORE)

    text = run_script(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio", "-p", "no:randomly")

    assert "6 passed" in text


def test_next_to_caplog(caplog, audit_events):  # noqa: F811
    """caplog has the event types and the ordinary messages; audit_events has the events, redacted (34)."""
    caplog.set_level(logging.INFO)
    with agentlogsafe.run("pricing-agent"):
        log.info("tool_call", {"tool_name": "sql", "args": {"q": TEXT}})
        log.info("hello")

    assert caplog.messages == ["run_start", "tool_call", "hello", "run_end"]
    assert [event["event_type"] for event in whole(clean_events(audit_events))] == ["run_start", "tool_call", "run_end"]


def clean_events(events):
    clean(events)
    return events


def test_outside_any_run(caplog, audit_events):  # noqa: F811
    """An event of a test without a run says so."""
    log.warning("decision")

    assert audit_events[0]["problems"] == OUTSIDE
    assert caplog.messages == ["decision"]


async def test_in_an_asynchronous_test(audit_events):  # noqa: F811
    """Events of an ``async def`` test, and of its tasks, are seen and in their runs."""
    import asyncio

    @agentlogsafe.run("pricing-agent")
    async def agent():
        await asyncio.to_thread(log.warning, "decision")

    await asyncio.gather(agent(), agent())

    runs = {}
    for event in audit_events:
        runs.setdefault(event["run_id"], []).append(event)
    assert [len(whole(run)) for run in runs.values()] == [3, 3]


def test_pytests_own_handlers_are_reported():
    """An AuditHandler warns that raw records reach the handlers that pytest adds, which keep them in memory (25)."""
    logging.getLogger().addHandler(agentlogsafe.AuditHandler(logging.NullHandler()))

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        log.warning("decision")
        log.warning("decision")

    told = [str(warning.message) for warning in caught]
    assert {type(warning.message) for warning in caught} == {agentlogsafe.AgentLogSafeWarning}
    assert all(text.startswith("raw records of logger 'app'") for text in told)
    assert sum("LogCaptureHandler" in text for text in told) <= 2  # one for caplog, one for the report
    assert any("LogCaptureHandler" in text for text in told)


@pytest.mark.parametrize("number", [1, 2])
def test_one_test_does_not_see_anothers(audit_events, number):  # noqa: F811
    """The list begins empty in each test."""
    assert audit_events == []
    log.warning("decision", {"number": number})
    assert [event["payload"]["number"] for event in audit_events] == [number]
