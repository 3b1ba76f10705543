"""What is stored and should not be there is found by category and place, and never shown."""

from __future__ import annotations

import json

import pytest

from agentlogsafe.review.exposure import Exposure
from agentlogsafe.review.lines import Line
from tests.helpers import EMAIL, SECRET, clean
from tests.review.programs import stored

EVENT = stored([[("call", "tool_call", "sql", "step")]])[1]


def found(value, policy=None):
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    event = value if isinstance(value, dict) and "event_id" in value else None
    findings = list(Exposure(policy).findings(Line(7, "native", event, text), "a.jsonl"))
    clean(json.dumps(findings))
    assert all((item.kind, item.file, item.line) == ("exposed", "a.jsonl", 7) for item in findings)
    return [item.seen for item in findings]


@pytest.mark.parametrize(
    ("payload", "seen"),
    [
        ({"to": EMAIL}, ["EMAIL in payload.to"]),
        ({"args": {"list": [1, {"token": SECRET}]}}, ["TOKEN in payload.args.list[].token"]),
        ({"args": json.dumps({"password": "hunter22"})}, ["PASSWORD in payload.args"]),
        ({EMAIL: 1}, ["EMAIL in payload.[EMAIL]"]),
        ({"user": {"name": "Mia Li", "email": "[EMAIL]"}}, ["NAME in payload.user.name"]),
    ],
)
def test_place_and_category(payload, seen):
    """The path of the field and what is in it: under keys, in lists, in JSON inside strings, and in names."""
    assert found({**EVENT, "payload": payload}) == seen


def test_what_was_redacted_is_no_finding():
    """Masks, digests, ids and counts of the library are what should be there."""
    assert found(EVENT) == []
    assert (
        found({**EVENT, "payload": {"password": "[PASSWORD]", "mail": "[EMAIL]"}, "redactions": {"PASSWORD": 1}}) == []
    )


def test_envelope_and_metadata():
    """Everything that a caller can fill is looked at."""
    event = {**EVENT, "agent_name": f"of {EMAIL}", "metadata": {"a": EMAIL}, "actor": {"id": EMAIL}, "event_id": EMAIL}

    assert sorted(found(event)) == ["EMAIL in actor.id", "EMAIL in agent_name", "EMAIL in metadata.a"]


def test_other_lines():
    """Lines that are no events are looked at, too."""
    assert found(f"sent to {EMAIL}".encode()) == ["EMAIL in text"]
    assert found({"message": "x", "extra": {"to": EMAIL}}) == ["EMAIL in extra.to"]


def test_policy():
    """What a policy lets pass is no finding under it."""
    assert found({**EVENT, "payload": {"to": EMAIL}}, {"detectors": {"disable": ["EMAIL"]}}) == []
