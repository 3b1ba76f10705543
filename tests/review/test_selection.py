"""Which runs and findings are asked for."""

from __future__ import annotations

import pytest

from agentlogsafe.errors import ConfigurationError
from agentlogsafe.review.selection import Selection, moment, seconds
from agentlogsafe.review.tables import Finding

RUNS = [
    {"run_id": "01a-1", "agent_name": "a", "workflow_name": "w", "start": 100, "last": 200},
    {"run_id": "01a-2", "agent_name": "b", "workflow_name": "w", "start": 300, "last": 400},
    {"run_id": "01b-3", "agent_name": "b", "workflow_name": "v", "start": None, "last": None},
]
STREAMS = [{"run_id": "01a-1", "stream": "s"}]


def finding(**given):
    return Finding(**{**dict.fromkeys(Finding._fields), "kind": "gap", **given})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ["01a-1", "01a-2", "01b-3"]),
        ({"run": "01a"}, ["01a-1", "01a-2"]),
        ({"agent": "b"}, ["01a-2", "01b-3"]),
        ({"agent": "b", "workflow": "w"}, ["01a-2"]),
        ({"since": 150}, ["01a-1", "01a-2", "01b-3"]),
        ({"since": 250, "until": 299}, ["01b-3"]),
        ({"until": 100}, ["01a-1", "01b-3"]),
    ],
)
def test_runs(given, expected):
    """Runs by id, names, and whether they overlap the time; one without a time is kept."""
    assert [row["run_id"] for row in Selection(**given).runs(RUNS)] == expected


@pytest.mark.parametrize(
    ("given", "about", "kept"),
    [
        ({}, {}, True),
        ({"run": "01a-1"}, {"run_id": "01a-1"}, True),
        ({"run": "01a-1"}, {"run_id": "01a-2"}, False),
        ({"run": "01a-1"}, {"stream": "s"}, True),
        ({"run": "01a-2"}, {"stream": "s"}, False),
        ({"agent": "b"}, {"agent_name": "b"}, True),
        ({"agent": "b"}, {"agent_name": "a"}, False),
        ({"since": 10}, {"ts": 9}, False),
        ({"since": 10, "until": 20}, {"ts": 20}, True),
        ({"since": 10}, {}, True),
    ],
)
def test_findings(given, about, kept):
    """Findings by their run, or the runs of their stream, by names and by time."""
    assert bool(Selection(**given).findings([finding(**about)], RUNS, STREAMS)) is kept


@pytest.mark.parametrize(
    ("text", "expected"), [("90s", 90), ("10m", 600), ("1.5h", 5400), ("2d", 172_800), ("5min", 300)]
)
def test_spans(text, expected):
    """A number and a unit."""
    assert seconds(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-02", 86_400_000_000),
        ("1970-01-01T00:00:01Z", 1_000_000),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1970-01-01T00:00:00.5", 500_000),
        ("1h", 3_600_000_000),
    ],
)
def test_moments(text, expected):
    """A date, a time, or a span before now; without a zone it is UTC."""
    assert moment(text, now=7_200) == expected


@pytest.mark.parametrize("text", ["", "soon", "10", "-1h", "2026-13-01"])
def test_no_moment(text):
    """What is none is said, with examples."""
    with pytest.raises(ConfigurationError, match="such as"):
        moment(text)
