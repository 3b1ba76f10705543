"""What every test shares: a clean slate, hypothesis profiles, and the data folder beside the checkout."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from pathlib import Path

import hypothesis
import pytest
import structlog

import agentlogsafe
from agentlogsafe import delivery, handler

ROOT = Path(__file__).resolve().parent.parent

# A deadline would make tests fail on a busy machine; speed is the benchmarks' business.
hypothesis.settings.register_profile("default", deadline=None)
hypothesis.settings.register_profile("quick", deadline=None, max_examples=5)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(autouse=True)
def _clean_slate():
    """Give every test structlog, context variables and loggers as a fresh interpreter has them, and put them back."""
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    before = {logger: _state_of(logger) for logger in _loggers()}
    handlers = _handlers()
    raise_exceptions = logging.raiseExceptions
    delivery._reported.clear()
    handler._warned.clear()

    yield

    for logger in _loggers():
        _restore(logger, before.get(logger, {"level": logging.NOTSET}))
    # What is left open is found by the garbage collector, in the middle of another test.
    left = [own for own in _handlers() if own not in handlers]
    for own in sorted(left, key=lambda own: not isinstance(own, agentlogsafe.AuditHandler)):  # their targets after them
        with contextlib.suppress(Exception):
            own.close()
    logging.raiseExceptions = raise_exceptions
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def _loggers():
    named = logging.Logger.manager.loggerDict.values()
    return [logging.getLogger(), *(logger for logger in named if isinstance(logger, logging.Logger))]


def _handlers():
    return [own for reference in list(logging._handlerList) if (own := reference()) is not None]


def _state_of(logger):
    return {
        "handlers": list(logger.handlers),
        "filters": list(logger.filters),
        "level": logger.level,
        "propagate": logger.propagate,
        "disabled": logger.disabled,
    }


def _restore(logger, state):
    kept = state.get("handlers", [])
    for own in logger.handlers:
        if own not in kept:
            own.close()
    logger.handlers[:] = kept
    logger.filters[:] = state.get("filters", [])
    logger.propagate = state.get("propagate", True)
    logger.disabled = state.get("disabled", False)
    logger.setLevel(state["level"])  # last: it is what empties the cache of enabled levels


@pytest.fixture(scope="session")
def shared():
    """The folder of test data: ``AGENTLOGSAFE_SHARED``, or ``shared`` beside the checkout."""
    folder = Path(os.environ.get("AGENTLOGSAFE_SHARED", ROOT.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip("needs the data folder: set AGENTLOGSAFE_SHARED, or put shared/ beside the checkout")
    return folder


@pytest.fixture(scope="session")
def replayed(shared, tmp_path_factory):
    """Return a function that gives the events of a hundred real conversations, sealed or not, as one file.

    They are replayed once, also where several processes test.
    """
    base = tmp_path_factory.getbasetemp()
    folder = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def replay(*, sealed=False):
        place = folder / f"replayed-{sealed}"
        audit, made = place / "audit.jsonl", place / "made"
        try:
            place.mkdir()
        except FileExistsError:
            deadline = time.monotonic() + 120
            while not made.exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            return audit
        from tests.test_examples import run_example

        transcripts = shared / "data" / "transcripts" / "airline-gpt-4o.jsonl.gz"
        try:
            done = run_example("replay_transcripts.py", transcripts, *(["--seal"] if sealed else []), cwd=place)
        finally:
            made.touch()
        assert (done.stdout, done.stderr) == ("100 runs, 2962 messages: audit.jsonl\n", "")
        return audit

    return replay
