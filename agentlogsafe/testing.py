"""For the test suites of applications: the events that a test logged, however logging is configured.

Pytest's ``caplog`` shows messages, not events, and a ``dictConfig`` inside a test empties it. In ``conftest.py``::

    pytest_plugins = ["agentlogsafe.testing"]

gives every test the fixtures ``audit_events`` and ``policy_check``.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from agentlogsafe import _maker
from agentlogsafe.chain import Chain, chain_for
from agentlogsafe.policy_check import Field, explain, leaks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from agentlogsafe._records import Audited
    from agentlogsafe.events import Event

try:
    import pytest
except ImportError:  # pragma: no cover -- capture_events works without it
    pytest = None  # type: ignore[assignment]


class _Collector(logging.Handler):
    """Takes every record to the chain, so that there are events even where no entry is configured."""

    def __init__(self, chain: Chain) -> None:
        super().__init__()
        self._chain = chain

    def emit(self, record: logging.LogRecord) -> None:
        self._chain.record(record)


@contextmanager
def capture_events(**settings: Any) -> Iterator[list[Event]]:
    """Collect the events logged inside ``with``, each once, in order.

    Events of loggers that any entry is configured for are seen as that entry made them; those of other loggers as
    the root logger hears them, at every level.

    Args:
        **settings: those of `Settings`, for loggers without an entry.
    """
    seen: dict[str, Event] = {}

    def observe(event: Audited) -> None:
        seen.setdefault(event["event_id"], event)
        events[:] = seen.values()

    events: list[Event] = []
    root = logging.getLogger()
    level = root.level
    collector = _Collector(chain_for("capture_events", settings))
    root.addHandler(collector)
    root.setLevel(logging.NOTSET)
    _maker.observers.append(observe)
    try:
        yield events
    finally:
        _maker.observers.remove(observe)
        root.removeHandler(collector)
        root.setLevel(level)


def _policy_check(
    policy: Any, payload: Mapping[str, Any], *, forbidden: Sequence[str], event_type: str = "custom"
) -> list[Field]:
    fields = explain(policy, payload, event_type)
    kept = [field.path for field in leaks(fields, list(forbidden))]
    if kept:
        pytest.fail(f"the policy lets forbidden fields through: {', '.join(kept)}")
    return fields


if pytest is not None:

    @pytest.fixture
    def policy_check() -> Callable[..., list[Field]]:
        """Return ``check(policy, payload, forbidden=[...], event_type=...)``; it fails where one gets through."""
        return _policy_check

    @pytest.fixture
    def audit_events() -> Iterator[list[Event]]:
        """Return the list that fills with the events of the test."""
        with capture_events() as events:
            yield events
