"""No event is longer than its line, and what was cut is said."""

from __future__ import annotations

import hashlib
import io
import json
import math

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

import agentlogsafe
from agentlogsafe.limits import fit
from agentlogsafe.redaction import Report, compile_policy

from .helpers import EMAIL, by_formatter, by_handler, clean, examples, lines, valid


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


VALUES = st.recursive(
    st.text(max_size=30) | st.integers() | st.floats() | st.booleans() | st.none() | st.uuids().map(str),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=200), inner) | inner.map(json.dumps),
    max_leaves=30,
)


@given(st.dictionaries(st.text(max_size=200), VALUES))
def test_measured_without_writing_it(payload):
    """What an event can be as JSON at most, which is known without writing it, is never too little."""
    redactor, report = compile_policy(), Report()
    made = redactor.event("tool_call", {"payload": payload, "tool_name": "sql"}, report)

    if not (report.counts or report.truncated or report.problems):
        assert len(json.dumps(made)) <= redactor.most_bytes(report)


class Unreadable:
    """Cannot be read, and its kind has a long name."""

    def __str__(self):
        raise RuntimeError


def by_structlog(**given_settings):
    stream = io.StringIO()
    structlog.configure(
        processors=[*agentlogsafe.processors.audit(**given_settings), structlog.processors.JSONRenderer()],
        logger_factory=structlog.PrintLoggerFactory(stream),
    )
    return structlog.get_logger(), stream


LEAVES = {
    "text": "word " * 4_000,
    "emoji": "\U0001f600" * 300,
    "escaped": 'a\n\x00"' * 90,
    "nan": math.nan,
    "number": 1,
    "unreadable": Unreadable(),
    "secret": EMAIL,
}
SHAPES = {
    "one": lambda leaf, number: leaf,
    "list": lambda leaf, number: [leaf] * number,
    "long keys": lambda leaf, number: {f"{'key' * 60}{at}": leaf for at in range(number)},
    "emoji keys": lambda leaf, number: {"\U0001f600" * 60 + str(at): leaf for at in range(number)},
    "kinds": lambda _, number: {at: type(f"C{at}", (Unreadable,), {})() for at in range(number)},
    "lists": lambda _, number: [[1] * 1_100] * min(number, 20),
}
FIELDS = ["k", "key " * 60, "\U0001f600" * 60, "agent_name", "model", "tool_name", "status", "metadata", "risk"]
NASTY = st.tuples(st.sampled_from([*SHAPES]), st.sampled_from([*LEAVES]), st.sampled_from([3, 30, 1_100]))


@pytest.mark.parametrize("line", [16_000, 2_048])
@pytest.mark.parametrize("entry", [by_formatter, by_handler, by_structlog])
@given(
    message=st.sampled_from(["tool_call", "hello", "word " * 20_000]),
    fields=st.dictionaries(st.sampled_from(FIELDS), NASTY, max_size=3),
    twice=st.booleans(),
)
@settings(max_examples=examples(40))
def test_any_line(entry, line, message, fields, twice):
    """Whatever is logged, event or ordinary line, by whatever entry, the line is within its limit (pitfall 39)."""
    logger, stream = entry(limits={"line": line})
    fields = {name: SHAPES[shape](LEAVES[leaf], number) for name, (shape, leaf, number) in fields.items()}
    if twice:
        fields = {"payload": fields, **fields, **{f"{name}{at}": fields[name] for at in range(2) for name in fields}}
    if entry is by_structlog:
        logger.info(message, **fields)
    else:
        logger.info(message, extra=fields)

    (found,) = lines(stream)
    assert len(stream.getvalue().encode()) <= line + 1
    if message == "tool_call":
        valid(found)


def test_what_an_ordinary_line_loses():
    """A long ordinary line says what was cut, with length and digest of the whole (pitfall 39)."""
    text = "word " * 20_000
    for entry in (by_formatter, by_structlog):
        logger, stream = entry()
        if entry is by_structlog:
            logger.info("hello", text=text)
        else:
            logger.info("hello", extra={"text": text})

        (line,) = lines(stream)
        (note,) = line["truncated"]
        assert (note["path"], note["length"]) == ("text", len(text))
        assert note["sha256"] == hashlib.sha256(text.encode()).hexdigest()
        assert line["text"].startswith("word word")


def test_options_of_the_formatter_do_not_make_a_line_longer():
    """What the options of an ordinary line add to it counts, too."""
    logger, stream = by_formatter(exc_info_as_array=True, static_fields={"static": "x" * 3_000})
    try:
        raise ValueError("line\n" * 2_000)
    except ValueError:
        logger.exception("hello")

    assert len(stream.getvalue()) <= 16_001
    assert lines(stream)[0]["message"] == "hello"


def test_notes_and_problems_are_bounded():
    """Thousands of cuts and problems are counted; what went whole is named in any case."""
    logger, stream = by_formatter()
    kinds = {at: type(f"C{at}", (Unreadable,), {})() for at in range(900)}
    logger.info("tool_call", {"kinds": kinds, **{f"{'a' * 200}{at}": [0] * 1_200 for at in range(150)}})

    (event,) = lines(stream)
    *_, more, whole = valid(event)["truncated"]
    assert len(stream.getvalue()) <= 16_001
    assert (more["reason"], whole["path"], whole["reason"]) == ("more", "payload", "line")
    assert len(event["truncated"]) - 2 + more["length"] >= 150
    assert event["problems"][-1].startswith("and 8")


def test_many_content_fields_in_a_policy():
    """What the policy says of content gives way, too."""
    event = {"policy": {"digest": "x", "content": {f"field{at}": {"mode": "digest"} for at in range(900)}}}

    assert len(fit(event, 2_048, 100, 0, lambda event: json.dumps(event).encode())) <= 2_048
    assert event["truncated"][0]["path"] == "policy.content"


@pytest.mark.parametrize("depth", [5, 5_000])
def test_deep(depth):
    """A deep structure is cut at the depth that is allowed (pitfall 37)."""
    payload = {"leaf": EMAIL}
    for _ in range(depth):
        payload = {"below": payload}

    event, _ = one(payload, depth=8)

    clean(event)
    assert event["event_type"] == "tool_call"


def test_more_than_a_line_holds_is_not_walked():
    """What cannot fit into the line is cut before it costs anything, and every field keeps its type (pitfall 37)."""
    logger, stream = by_formatter(limits={"line": 2_048})
    wide = {f"k{place}": place for place in range(900)}
    logger.info("tool_call", {"metadata": {"a": wide, "b": wide}, "args": {"rows": [[0] * 900] * 9}, "risk": {"c": 1}})
    (event,) = lines(stream)
    valid(event)
    assert any(cut["reason"] == "nodes" for cut in event["truncated"])
