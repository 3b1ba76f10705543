"""No event is longer than its line, and what was cut is said."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .helpers import EMAIL, by_formatter, clean, lines, valid


def one(payload, **limits):
    logger, stream = by_formatter(limits=limits)
    logger.info("tool_call", {"payload": payload})
    (event,) = lines(stream)
    return valid(event), len(stream.getvalue().encode())


def test_short_events_are_whole():
    """An event within its limits is left as it is."""
    event, _ = one({"text": "x" * 9_000})

    assert event["payload"] == {"text": "x" * 9_000}
    assert "truncated" not in event


def test_long_string():
    """A long string keeps its beginning; its path, length and digest are noted (pitfall 39)."""
    text = "word " * 5_000

    event, size = one({"a": {"text": text}, "b": "short"})

    (note,) = event["truncated"]
    assert note["path"] == "payload.a.text"
    assert note["length"] == len(text)
    assert note["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert event["payload"]["a"]["text"].startswith("word word")
    assert event["payload"]["b"] == "short"
    assert size <= 16_000


def test_redacted_before_it_is_cut():
    """Redaction comes first, so that no half of a secret is left at the cut (pitfall 39)."""
    for offset in range(60):
        text = "x " * (32 - 15) + " " * offset + EMAIL + " and so on" * 50
        event, _ = one({"text": text}, string=64)
        clean(event)
        assert "mia" not in json.dumps(event)


def test_many_small_values():
    """A structure too large as a whole gives way as a whole, named."""
    event, size = one({f"key{n}": list(range(100)) for n in range(500)}, line=2_000)

    assert size <= 2_001
    assert event["payload"] == {}
    assert event["truncated"][-1]["path"] == "payload"


@given(st.recursive(st.text() | st.integers() | st.none(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)))
def test_any_payload(payload):
    """Whatever the payload, the line is within its limit and valid."""
    _, size = one({"value": payload, "long": "é\u4e00\x00" * 700}, line=2_048)

    assert size <= 2_049


@pytest.mark.parametrize("depth", [5, 5_000])
def test_deep(depth):
    """A deep structure is cut at the depth that is allowed (pitfall 37)."""
    payload = {"leaf": EMAIL}
    for _ in range(depth):
        payload = {"below": payload}

    event, _ = one(payload, depth=8)

    clean(event)
    assert event["event_type"] == "tool_call"
