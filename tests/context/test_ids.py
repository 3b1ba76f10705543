"""Ids and names of a run, from the application or from outside, are no way around redaction, and break nothing."""

from __future__ import annotations

import json
import logging
import uuid

import pytest

import agentlogsafe
from agentlogsafe.testing import capture_events
from tests.helpers import EMAIL, SECRET, by_formatter, clean, lines, valid

ORDINARY = [
    "run-2026-07",
    "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "order/4711:retry-2",
    str(uuid.UUID(int=7)),
    uuid.UUID(int=7),
    "9f86d081884c7d65",
    42,
]


class Raises:
    """Raises whatever it is asked."""

    def __str__(self):
        raise RuntimeError(EMAIL)

    __repr__ = __bool__ = __len__ = __eq__ = __str__
    __hash__ = object.__hash__


class Ulid:
    """An id that is an object, as libraries for ULIDs make them."""

    def __str__(self):
        return "01ARZ3NDEKTSV4RRFFQ69G5FAV"


@pytest.mark.parametrize("own", ORDINARY)
def test_ordinary_ids_stay(own):
    """An id that is none of a person's and no secret is the run's id as it is, also in another process."""
    logger, stream = by_formatter()
    with agentlogsafe.run(run_id=own, session_id=own, logger=logger):
        carrier = agentlogsafe.inject({})
    with agentlogsafe.extract(carrier):
        logger.info("decision")

    start, end, decision = lines(stream)
    for event in (start, end, decision):
        assert (event["run_id"], event["session_id"]) == (str(own), str(own))


def test_run_id_is_redacted():
    """A run's own id is redacted like every other text, in events, ordinary lines and what could not be read."""
    logger, stream = by_formatter()
    with agentlogsafe.run(run_id=f"{EMAIL} {SECRET}", logger=logger):
        logger.info("decision")
        logger.info("an ordinary line")

    clean(stream.getvalue())
    start, _, line, _ = lines(stream)
    assert start["run_id"].startswith("[EMAIL]")
    assert line["run_id"] == start["run_id"]
    assert "run_id: it had to be redacted; runs cannot be told apart by it" in valid(start)["problems"]


def test_unreadable_call_in_a_run_with_such_an_id(monkeypatch):
    """The event that stands for a call which could not be read has the redacted id, too."""
    logger, stream = by_formatter()
    with agentlogsafe.run(run_id=EMAIL, logger=logger):
        monkeypatch.setattr("agentlogsafe._maker.normalize", lambda *_: 1 / 0)
        logger.info("decision")

    clean(stream.getvalue())
    assert lines(stream)[1]["run_id"] == "[EMAIL]"


def test_long_run_id():
    """What is too long to be an id is left out and named; the run gets an id of its own."""
    logger, stream = by_formatter()
    with agentlogsafe.run(run_id="x" * 100_000, session_id="y" * 300, logger=logger):
        logger.info("an ordinary line")

    start, line, _ = lines(stream)
    assert uuid.UUID(start["run_id"]).version == 7
    assert line["run_id"] == start["run_id"]
    assert [text.partition(":")[0] for text in valid(start)["problems"]] == ["session_id", "run_id"]
    assert len(stream.getvalue()) < 3_000


@pytest.mark.parametrize("name", ["run_id", "session_id", "agent_name", "parent_event_id"])
def test_header_from_outside(name):
    """What arrives in a header and would have to be redacted is left out."""
    logger, stream = by_formatter()
    carrier = {"agentlogsafe-context": f"run_id=r1,{name}={EMAIL}"}
    with agentlogsafe.extract(carrier):
        logger.info("decision")
        logger.info("an ordinary line")

    clean(stream.getvalue())
    event, line = lines(stream)
    assert event["run_id"] == line.get("run_id") == (None if name == "run_id" else "r1")


def test_nothing_personal_in_a_header():
    """What `inject` writes passes the standard policy: other ids travel without the one that does not."""
    with agentlogsafe.run("agent", run_id="r1", session_id=EMAIL, logger=logging.getLogger("quiet")):
        carrier = agentlogsafe.inject({})

    clean(json.dumps(carrier))
    assert "mia" not in json.dumps(carrier)
    assert "run_id=r1" in carrier["agentlogsafe-context"]
    with agentlogsafe.run(run_id=EMAIL, logger=logging.getLogger("quiet")):
        assert "agentlogsafe-context" not in agentlogsafe.inject({})


@pytest.mark.parametrize("value", [uuid.UUID(int=1), 42, Raises(), b"x", 10**5_000, ["a"], Ulid()], ids=range(7))
@pytest.mark.parametrize("name", ["run_id", "session_id", "agent_name", "workflow_name", "agent_version"])
def test_any_object_as_a_name(name, value):
    """Whatever object a run is given as an id or a name: it begins, injects, and says what it could not use."""
    logger, stream = by_formatter()
    with agentlogsafe.run(**{name: value}, logger=logger), agentlogsafe.run(logger=logger):
        logger.info("decision")
        carrier = agentlogsafe.inject({})

    assert "run_id=" in carrier["agentlogsafe-context"]
    start, *_ = (valid(event) for event in lines(stream))
    fits = (uuid.UUID, int, *((bytes, list, Ulid) if name == "run_id" else ()))
    if isinstance(value, fits) and value != 10**5_000:
        assert start[name] == str(value)
    else:
        assert f"{name}: expected a string" in start["problems"][0]
    clean(stream.getvalue())


@pytest.mark.parametrize("name", ["actor", "metadata", "risk", "input", "logger", "anything"])
def test_any_object_as_the_rest(name):
    """The same holds for all else that a run is given."""
    with capture_events() as events, agentlogsafe.run(**{name: Raises()}), agentlogsafe.run("inside"):
        pass

    assert [event["event_type"] for event in events] == ["run_start", "run_start", "run_end", "run_end"]
    for event in events:
        clean(valid(event))


def test_risk_and_metadata_of_a_run():
    """A run's risk may be a text, as an event's may; metadata that is no mapping is kept and named."""
    with capture_events() as events, agentlogsafe.run(risk="high", metadata="team"):
        pass

    assert events[0]["risk"] == {"level": "high"}
    assert events[0]["metadata"] == {"value": "team"}
    assert events[0]["problems"] == ["metadata: expected a mapping, got str; kept as 'value'"]


def test_version_of_another_agent():
    """A run inside takes over the version of the same agent only: another's says nothing of it."""
    with (
        capture_events() as events,
        agentlogsafe.run("a", agent_version="1"),
        agentlogsafe.run("a"),
        agentlogsafe.run("b"),
    ):
        pass

    assert [event.get("agent_version") for event in events[:3]] == ["1", "1", None]
