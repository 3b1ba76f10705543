"""The tree of a run: every event once, whatever is wrong with it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from agentlogsafe._timeline import milliseconds, shown, timeline, tree

ids = st.one_of(st.none(), st.sampled_from("abcdef"))


@given(st.lists(st.fixed_dictionaries({"event_id": ids, "parent_event_id": ids}), max_size=12))
def test_every_event_once(events):
    """Parents that are missing, circles and double ids lose and repeat nothing."""
    found = [event for _, event in tree(events)]

    assert sorted(map(id, found)) == sorted(map(id, events))


def test_parents_come_first():
    """A child stands behind its parent, one level deeper, although it was written before."""
    events = [
        {"event_id": "child", "parent_event_id": "parent"},
        {"event_id": "parent", "parent_event_id": None},
        {"event_id": "second", "parent_event_id": "parent"},
    ]

    assert [(guides, event["event_id"]) for guides, event in tree(events)] == [
        ("", "parent"),
        ("├─ ", "child"),
        ("└─ ", "second"),
    ]


def test_deep_chains():
    """Ten thousand events inside each other are no recursion."""
    events = [{"event_id": str(n), "parent_event_id": str(n - 1)} for n in range(10_000)]

    lines = list(tree(events))

    assert len(lines) == 10_000
    assert max(len(guides) for guides, _ in lines) < 150


def test_nothing_steers_the_terminal():
    """What is stored is shown, and does not act (pitfall 38)."""
    event = {"event_id": "1", "event_type": "custom", "tool_name": "\x1b[2Jx\x9b1m\u202e\n", "status": "\x1b]0;y\x07"}
    console = Console(width=120, record=True)
    with console.capture() as capture:
        console.print(timeline([event], console))

    assert not set("\x1b\x9b\u202e\x07") & set(capture.get())
    assert "\n" not in shown("a\nb")


def test_odd_fields():
    """A time or a duration that is none is left out."""
    console = Console(width=80)
    with console.capture() as capture:
        console.print(timeline([{"event_type": 5, "timestamp": "soon", "duration_ms": "long"}, {}], console))

    assert "5" in capture.get()
    assert milliseconds("1970-01-01T00:00:01.5Z") == 1500.0
