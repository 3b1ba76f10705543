"""A root handler whose events can be read back, and a context that each test leaves as it found it."""

from __future__ import annotations

import io
import logging

import pytest

import agentlogsafe
from agentlogsafe import context
from tests.helpers import lines, valid


@pytest.fixture(autouse=True)
def _no_run_before_or_after():
    """A test that leaks a run on purpose must not give it to the next one."""
    token = context._current.set(None)
    yield
    context._current.reset(token)


@pytest.fixture
def events():
    """Configure the root logger; return a function that reads the events so far, or those of some types."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(agentlogsafe.AuditFormatter(agent_name="agent", workflow_name="workflow"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)

    def read(*types):
        found = [valid(line) for line in lines(stream)]
        return [event for event in found if not types or event["event_type"] in types]

    return read
