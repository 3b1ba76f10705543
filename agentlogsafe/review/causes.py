"""Why something is missing: what the stream around it, and the reports of handlers, tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ibis.expr.types import BooleanValue, Table

    from agentlogsafe.review.tables import Tables

_TROUBLED = ("failing", "recovered")


def explained(rows: Table, tables: Tables) -> Table:
    """Return *rows*, calls or runs without an end, with a ``cause`` in words and its ``certainty``."""
    import ibis  # noqa: PLC0415 -- a second

    facts = _streams(tables, rows)
    rows = rows.left_join(facts, rows.stream == facts.of_stream).mutate(joined=0)
    trouble = _unsealed_trouble(tables)
    rows = rows.left_join(trouble, rows.joined == trouble.joined_here)
    last = rows.last_seq.cast("string")
    beyond = (rows.last_seq - rows.seq).cast("string")
    causes = (
        (
            rows.stream.isnull() & ibis.coalesce(rows.trouble_ts >= rows.ts, False),
            "sink failure: a later delivery report tells of events that were not delivered; look into the fallback",
            "possible",
        ),
        (
            rows.stream.isnull(),
            "unknown: not sealed; killed, still running, lost on the way, or not all events are here",
            "possible",
        ),
        (
            ibis.coalesce(rows.known_seq > rows.last_seq, False),
            "incomplete export: a checkpoint knows event "
            + rows.known_seq.cast("string")
            + " of its stream, the last one here is "
            + last,
            "likely",
        ),
        (
            ibis.coalesce(rows.gap_seq > rows.seq, False),
            "incomplete export: its stream has a gap after it, before event " + rows.gap_seq.cast("string"),
            "possible",
        ),
        (
            ibis.coalesce(rows.trouble_seq > rows.seq, False),
            "sink failure: event "
            + rows.trouble_seq.cast("string")
            + " of its stream tells of events that were not delivered; look into the fallback",
            "likely",
        ),
        (
            ~rows.is_closed,
            "killed, or still running: its stream ends open at event " + last + ", " + beyond + " after it",
            "likely",
        ),
    )
    cause, certainty = ibis.literal("not logged: its stream goes on to its close without a gap"), "certain"
    for condition, said, sure in reversed(causes):
        cause, certainty = ibis.ifelse(condition, said, cause), ibis.ifelse(condition, sure, certainty)
    return rows.mutate(cause=cause, certainty=certainty)


def _streams(tables: Tables, rows: Table) -> Table:
    """Return what is known of the streams of *rows*: how far they go, the last gap, the last trouble, the close."""
    import ibis  # noqa: PLC0415

    asked = rows.filter(rows.stream.notnull()).select(of_stream=rows.stream).distinct()
    events = tables.events
    events = events.semi_join(asked, events.stream == asked.of_stream)
    one = events.mutate(trouble=_tells_of_trouble(events) | (events.close_lost > 0) | (events.close_fallback > 0))
    one = one.group_by(["stream", "seq"]).aggregate(
        is_closed=one.is_close.max(), trouble=ibis.coalesce(one.trouble.max(), False)
    )
    one = one.mutate(before=one.seq.lag().over(ibis.window(group_by=one.stream, order_by=one.seq)))
    facts = one.group_by("stream").aggregate(
        last_seq=one.seq.max(),
        is_closed=one.is_closed.max(),
        trouble_seq=one.seq.max(where=one.trouble),
        gap_seq=one.seq.max(where=ibis.coalesce(one.before, 0) + 1 < one.seq),
    )
    points = tables.checkpoints
    points = points.filter(points.verdict != "bad")
    known = points.group_by(points.stream.name("point_stream")).aggregate(known_seq=points.seq.max())
    facts = facts.rename(of_stream="stream")
    return facts.left_join(known, facts.of_stream == known.point_stream).drop("point_stream")


def _tells_of_trouble(events: Table) -> BooleanValue:
    import ibis  # noqa: PLC0415

    troubled = ibis.coalesce(events.state, "").isin(list(_TROUBLED)) | (ibis.coalesce(events.lost, 0) > 0)
    return (ibis.coalesce(events.kind, "") == "delivery_report") & troubled


def _unsealed_trouble(tables: Tables) -> Table:
    events = tables.events
    found = events.filter(events.stream.isnull() & _tells_of_trouble(events))
    return found.aggregate(trouble_ts=found.ts.max()).mutate(joined_here=0)
