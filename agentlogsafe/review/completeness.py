"""Completeness: what began and has no end, what happened without having begun, and what was denied and done.

Each rule is a function from `Tables` to findings. A program that logs with this library, and runs to its end, gives
none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentlogsafe.review.causes import explained, missing_before
from agentlogsafe.review.pairs import APPROVAL, position, unanswered
from agentlogsafe.review.tables import ORPHAN, TWICE, UNSTARTED, findings

if TYPE_CHECKING:
    from ibis.expr.types import StringValue, Table

    from agentlogsafe.review.tables import Tables

_OWN_KINDS = ("delivery_report", "rate_limited", "stream_close")


def unended(tables: Tables) -> Table:
    """What began and has no end: ``run_unended``, ``call_unanswered`` and ``approval_pending``.

    One rule for the three, since what is asked of the events is the same, and to ask it once costs a third.
    """
    import ibis  # noqa: PLC0415 -- a second

    rows = explained(unanswered(tables), tables)
    ends = tables.events.filter(tables.events.event_type == "run_end")
    ended = ends.group_by(ends.run_id.name("ended_run")).aggregate(ended=ends.status.max())
    rows = rows.left_join(ended, rows.run_id == ended.ended_run)
    is_run, is_approval = rows.family == "run", rows.family == APPROVAL

    def by_family(of_run: Any, of_approval: Any, of_call: Any) -> StringValue:
        value: StringValue = ibis.ifelse(is_run, of_run, ibis.ifelse(is_approval, of_approval, of_call))
        return value

    return findings(
        rows,
        by_family("run_unended", "approval_pending", "call_unanswered"),
        by_family("error", "warning", "warning"),
        rows.certainty,
        seen=by_family(
            rows.cause,
            "the approval was asked for and not given or refused; " + rows.cause,
            _of_call(rows) + " has no result; " + _run_ended(rows) + rows.cause,
        ),
        expected=by_family("a run_end of this run", "a human_approval that gives or refuses it", _answer(rows)),
    )


def run_unstarted(tables: Tables) -> Table:
    """Events of a run whose ``run_start`` is not there: one finding for each run, at its first event."""
    import ibis  # noqa: PLC0415 -- a second

    events = tables.events
    unstarted = tables.suspects.filter(tables.suspects.why == UNSTARTED)
    rows = events.filter(~events.is_close)
    rows = rows.semi_join(unstarted, rows.run_id == unstarted.id)
    rows = rows.mutate(scope=rows.run_id)
    rows = rows.mutate(at=position(rows))
    of_run = ibis.window(group_by=rows.run_id)
    order = ibis.window(group_by=rows.run_id, order_by=[rows.at, rows.file, rows.line])
    rows = rows.mutate(turn=ibis.row_number().over(order), affected=rows.count().over(of_run))
    first = rows.filter(rows.turn == 0)
    first = missing_before(first, tables)
    missing = ibis.coalesce(first.missing, 0)
    lacks = first.stream.notnull() & (missing > 0)
    seen = ibis.ifelse(
        first.stream.isnull(),
        "unknown: not sealed; begun in another process, its id given by hand, or its beginning is not here",
        ibis.ifelse(
            lacks,
            "incomplete export: of its stream, " + missing.cast("string") + " events before it are missing",
            "begun elsewhere: nothing is missing from its stream before it; another process, or an id given by hand",
        ),
    )
    sure = ibis.ifelse(first.stream.isnull(), "possible", ibis.ifelse(lacks, "likely", "certain"))
    return findings(first, "run_unstarted", "warning", sure, seen=seen, expected="a run_start before it")


def orphan_parent(tables: Tables) -> Table:
    """Events whose parent is not there: one finding for each missing parent and run, at the first of its children."""
    import ibis  # noqa: PLC0415

    events = tables.events
    lost = tables.suspects.filter(tables.suspects.why == ORPHAN)
    rows = events.semi_join(lost, events.parent_event_id == lost.id)
    keys = [rows.parent_event_id, ibis.coalesce(rows.run_id, "")]
    order = [ibis.coalesce(rows.ts, 0), rows.file, rows.line]
    rows = rows.mutate(
        turn=ibis.row_number().over(ibis.window(group_by=keys, order_by=order)),
        affected=rows.count().over(ibis.window(group_by=keys)),
    )
    rows = rows.filter(rows.turn == 0)
    seen = "its parent " + rows.parent_event_id + " is not in the input"
    expected = "the parent: not logged at this level, in another file, or removed"
    return findings(rows, "orphan_parent", "warning", "certain", seen=seen, expected=expected)


def duplicate_event(tables: Tables) -> Table:
    """An ``event_id`` that is there more than once; of sealed copies in one place, `duplicate` speaks."""
    import ibis  # noqa: PLC0415

    events = tables.events.filter(tables.events.event_id.notnull())
    twice = tables.suspects.filter(tables.suspects.why == TWICE)
    events = events.semi_join(twice, events.event_id == twice.id)
    same = events.group_by("event_id").aggregate(
        copies=events.count(),
        sealed=events.stream.count(),
        first_stream=events.stream.min(),
        last_stream=events.stream.max(),
        first_seq=events.seq.min(),
        last_seq=events.seq.max(),
    )
    one_stream = (same.sealed == same.copies) & (same.first_stream == same.last_stream)
    one_place = one_stream & (same.first_seq == same.last_seq)
    same = same.filter((same.copies > 1) & ~ibis.coalesce(one_place, False))
    same = same.select(twice=same.event_id, affected=same.copies)
    rows = events.join(same, events.event_id == same.twice)
    window = ibis.window(group_by=rows.twice, order_by=[rows.file, rows.line])
    text = _compared(rows)
    rows = rows.mutate(
        turn=ibis.row_number().over(window),
        other_file=rows.file.lead().over(window),
        other=rows.line.lead().over(window),
    )
    whole = ibis.window(group_by=rows.twice)
    rows = rows.mutate(differs=text.min().over(whole) != text.max().over(whole))
    rows = rows.filter(rows.turn == 0)
    place = rows.other_file + ":" + rows.other.cast("string")
    seen = ibis.ifelse(
        rows.differs,
        "the same event_id, with other content, at " + place,
        "the same event again at " + place + ": delivered twice, or two of the files hold the same events",
    )
    return findings(rows, "duplicate_event", "warning", seen=seen, expected="each event_id once")


def unattributed(tables: Tables) -> Table:
    """Events without agent, workflow and run: one finding for each file, at the first of them."""
    import ibis  # noqa: PLC0415

    events = tables.events
    own = (events.event_type == "custom") & ibis.coalesce(events.kind, "").isin(list(_OWN_KINDS))
    rows = events.filter(events.agent_name.isnull() & events.workflow_name.isnull() & events.run_id.isnull() & ~own)
    rows = rows.mutate(
        turn=ibis.row_number().over(ibis.window(group_by=rows.file, order_by=rows.line)),
        affected=rows.count().over(ibis.window(group_by=rows.file)),
    )
    rows = rows.filter(rows.turn == 0)
    seen = (
        "no agent_name, workflow_name or run_id; nobody can be asked about " + rows.affected.cast("string") + " events"
    )
    expected = "a run around the call, or an agent_name in the settings"
    return findings(rows, "unattributed", "warning", "certain", seen=seen, expected=expected)


def _of_call(rows: Table) -> StringValue:
    import ibis  # noqa: PLC0415

    named = ibis.ifelse(rows.tool_name.isnull(), "", " of " + ibis.coalesce(rows.tool_name, ""))
    return rows.event_type + named


def _answer(rows: Table) -> StringValue:
    import ibis  # noqa: PLC0415

    names = {"tool_call": "tool_result", "model_call": "model_response", "retrieval_query": "retrieval_result"}
    expected: StringValue = ibis.literal("an answer")
    for call, answer in names.items():
        expected = ibis.ifelse(rows.event_type == call, "a " + answer, expected)
    return expected


def _run_ended(rows: Table) -> StringValue:
    import ibis  # noqa: PLC0415

    how = "its run ended with the status " + ibis.coalesce(rows.ended, "unknown") + "; "
    return ibis.ifelse(
        rows.run_id.isnull(), "", ibis.ifelse(rows.ended_run.isnull(), "its run has no end either; ", how)
    )


def _compared(rows: Table) -> StringValue:
    """Return what of an event is compared with its copies, as one text."""
    import ibis  # noqa: PLC0415

    names = ("run_id", "event_type", "agent_name", "workflow_name", "parent_event_id", "model", "tool_name", "status")
    text = ibis.coalesce(rows.ts, 0).cast("string")
    for name in (*names, "tool_call_id", "session_id", "hash", "content"):
        text = text + "\n" + ibis.coalesce(rows[name], "")
    return text
