"""What is there, in numbers: the totals of all input, and one row for each run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ibis.expr.types import Table

    from agentlogsafe.review.tables import Tables


def totals(tables: Tables) -> Table:
    """One row: events, runs, streams, sealed events, and the first and last time."""
    events = tables.events
    return events.aggregate(
        events=events.count(),
        runs=events.run_id.nunique(),
        streams=events.stream.nunique(),
        sealed=events.stream.count(),
        verified=(events.verdict == "ok").sum(),
        first_ts=events.ts.min(),
        last_ts=events.ts.max(),
    )


def runs(tables: Tables) -> Table:
    """One row for each run, in no order. ``status`` is null where it has not ended; times are microseconds."""
    import ibis  # noqa: PLC0415 -- a second

    events = tables.events.filter(tables.events.run_id.notnull())
    is_start, is_end = events.event_type == "run_start", events.event_type == "run_end"
    is_tool = events.event_type == "tool_call"
    return events.group_by("run_id").aggregate(
        parent_run_id=events.parent_run_id.max(),
        session_id=events.session_id.max(),
        # A run's own names are those of its start; another agent may log in it.
        agent_name=ibis.coalesce(events.agent_name.max(where=is_start), events.agent_name.max()),
        workflow_name=ibis.coalesce(events.workflow_name.max(where=is_start), events.workflow_name.max()),
        start=ibis.coalesce(events.ts.min(where=is_start), events.ts.min()),
        last=events.ts.max(),
        duration_ms=events.duration_ms.max(where=is_end),
        starts=is_start.sum(),
        ends=is_end.sum(),
        status=events.status.max(where=is_end),
        events=events.count(),
        tool_calls=is_tool.sum(),
        tools=events.tool_name.nunique(where=is_tool),
        input_tokens=events.input_tokens.sum(),
        output_tokens=events.output_tokens.sum(),
        redactions=events.redactions.sum(),
    )


def run_streams(tables: Tables) -> Table:
    """The streams that each run has events in: what is wrong with a stream is wrong with its runs."""
    events = tables.events.filter(tables.events.run_id.notnull() & tables.events.stream.notnull())
    return events.select("run_id", "stream").distinct()
