"""Sealed logs that were tampered with; ``python -m tests.review.tamper`` tries a thousand cases of each class."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentlogsafe.review.check import Review
from tests.helpers import examples
from tests.review import logs, tamper

pytestmark = pytest.mark.no_cover  # it runs what other tests of this folder run, again and again

seeds = st.lists(st.integers(0, 2**32), min_size=1, max_size=examples(13) + 2, unique=True)


@pytest.mark.parametrize("name", tamper.CLASSES)
@given(seeds=seeds)
@settings(max_examples=examples(4), deadline=None)
def test_every_class_is_found_under_its_name(name, seeds):
    """Whatever is tampered with, and however: it is found, under the right name and no wrong one."""
    with tempfile.TemporaryDirectory() as folder:
        outcomes = tamper.outcome(name, seeds, Path(folder))

    assert outcomes == [True] * len(seeds)


@pytest.mark.parametrize("name", logs.WRAPPINGS)
@given(seeds=st.lists(st.integers(0, 2**32), min_size=1, max_size=examples(8) + 2, unique=True))
@settings(max_examples=examples(2), deadline=None)
def test_untouched_logs_are_clean(name, seeds):
    """An untouched log has no finding, in any wrapping."""
    with tempfile.TemporaryDirectory() as folder:
        assert tamper.clean(name, seeds, Path(folder)) == []


@pytest.fixture(scope="module")
def transcripts(replayed):
    """The lines of a hundred real conversations, replayed and sealed."""
    return replayed(sealed=True).read_bytes().splitlines(keepends=True)


def found_in(path, lines):
    path.write_bytes(b"".join(lines))
    with Review.load([path]) as review:
        return {finding.kind for finding in review.findings("integrity")}


def test_transcripts_are_clean(transcripts, tmp_path):
    """Real conversations, sealed, give no finding."""
    assert found_in(tmp_path / "log", transcripts) == set()


# Not the one about lists of several items: the conversations have none.
IN_TRANSCRIPTS = [function for function in tamper.BOTH if function is not tamper.change_order_of_items]


@pytest.mark.parametrize("number", range(examples(len(IN_TRANSCRIPTS))))
def test_tampered_transcripts(transcripts, tmp_path, number):
    """Each class of tampering is found in them, too."""
    case = IN_TRANSCRIPTS[number](logs.rng(number), transcripts)
    found = found_in(tmp_path / "log", case.lines)

    assert found & case.names
    assert found <= case.names | case.also | ({"truncated", "open_ended", "gap"} if case.streams else set())
