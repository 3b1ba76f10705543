"""Which runs and findings a command is asked about, by time, run, agent and workflow."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import timezone
from typing import TYPE_CHECKING, Any

from agentlogsafe.errors import ConfigurationError
from agentlogsafe.events import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from agentlogsafe.review.tables import Finding

_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d|w)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_MICROSECONDS = 1_000_000


def seconds(text: str) -> float:
    """Return a span of time such as ``90s``, ``10m``, ``2h`` or ``1.5d`` in seconds.

    Raises:
        ConfigurationError: for what is none.
    """
    found = _SPAN.fullmatch(text.strip())
    if found is None:
        msg = f"{text!r}: expected a span of time such as 90s, 10m, 2h or 1d"
        raise ConfigurationError(msg)
    return float(found[1]) * _SECONDS[found[2]]


def moment(text: str, now: float | None = None) -> int:
    """Return a point in time as microseconds since the epoch: a date, an RFC 3339 time, or a span before now.

    A time without a zone is taken as UTC, as the events have it.

    Raises:
        ConfigurationError: for what is none.
    """
    if _SPAN.fullmatch(text.strip()):
        return round(((time.time() if now is None else now) - seconds(text)) * _MICROSECONDS)
    try:
        found = parse_time(text.strip())
        if found.tzinfo is None:
            found = found.replace(tzinfo=timezone.utc)
        return round(found.timestamp() * _MICROSECONDS)
    except (ValueError, OverflowError):
        msg = f"{text!r}: expected a time such as 2026-11-23, 2026-11-23T08:00:00Z, or 2h (ago)"
        raise ConfigurationError(msg) from None


@dataclass(frozen=True)
class Selection:
    """What is asked for; None stands for everything.

    Args:
        since, until: microseconds since the epoch, both included.
        run: a run's id, or its beginning. *agent*, *workflow*: the whole name.
    """

    since: int | None = None
    until: int | None = None
    run: str | None = None
    agent: str | None = None
    workflow: str | None = None

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return self == Selection()

    @property
    def _by_run(self) -> bool:
        return (self.run, self.agent, self.workflow) != (None, None, None)

    def runs(self, rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Return those rows of the summary ``runs`` that are asked for: in time are runs that overlap it."""
        return [row for row in rows if self._has_run(row) and self._overlaps(row["start"], row["last"])]

    def _has_run(self, row: Mapping[str, Any]) -> bool:
        return (
            (self.run is None or str(row["run_id"]).startswith(self.run))
            and (self.agent is None or row["agent_name"] == self.agent)
            and (self.workflow is None or row["workflow_name"] == self.workflow)
        )

    def _overlaps(self, start: int | None, last: int | None) -> bool:
        return (self.since is None or last is None or last >= self.since) and (
            self.until is None or start is None or start <= self.until
        )

    def findings(
        self,
        findings: Iterable[Finding],
        runs: Iterable[Mapping[str, Any]],
        run_streams: Iterable[Mapping[str, Any]] = (),
    ) -> list[Finding]:
        """Return the findings that are asked for.

        One about a stream concerns every run that has events in it. One whose time is not known is kept.

        Args:
            findings: all there are.
            runs: the rows of the summary ``runs``, all of them.
            run_streams: the rows of that summary.
        """
        if self.is_everything:
            return list(findings)
        chosen = {row["run_id"] for row in runs if self._has_run(row)}
        streams = {row["stream"] for row in run_streams if row["run_id"] in chosen}
        return [
            finding
            for finding in findings
            if self._overlaps(finding.ts, finding.ts) and (not self._by_run or self._concerns(finding, chosen, streams))
        ]

    def _concerns(self, finding: Finding, runs: set[Any], streams: set[Any]) -> bool:
        if finding.run_id is not None:
            return finding.run_id in runs
        if finding.stream is not None and finding.stream in streams:
            return True
        return (
            self.run is None
            and (self.agent is None or finding.agent_name == self.agent)
            and (self.workflow is None or finding.workflow_name == self.workflow)
        )
