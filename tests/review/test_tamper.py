"""Sealed logs that were tampered with; ``python -m tests.review.tamper`` tries a thousand cases of each class."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers import examples
from tests.review import logs, tamper

seeds = st.lists(st.integers(0, 2**32), min_size=1, max_size=30, unique=True)


@pytest.mark.parametrize("name", tamper.CLASSES)
@given(seeds=seeds)
@settings(max_examples=examples(4), deadline=None)
def test_every_class_is_found_under_its_name(name, seeds):
    """Whatever is tampered with, and however: it is found, under the right name and no wrong one."""
    with tempfile.TemporaryDirectory() as folder:
        outcomes = tamper.outcome(name, seeds, Path(folder))

    assert outcomes == [True] * len(seeds)


@pytest.mark.parametrize("name", logs.WRAPPINGS)
@given(seeds=st.lists(st.integers(0, 2**32), min_size=1, max_size=10, unique=True))
@settings(max_examples=examples(2), deadline=None)
def test_untouched_logs_are_clean(name, seeds):
    """An untouched log has no finding, in any wrapping."""
    with tempfile.TemporaryDirectory() as folder:
        assert tamper.clean(name, seeds, Path(folder)) == []
