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

    facts = _streams(tables)
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
        (
            rows.has_next,
            "unknown: its stream goes on to its close without a gap, and its process, or a forked one, opened another",
            "possible",
        ),
    )
    cause, certainty = ibis.literal("not logged: its stream goes on to its close without a gap"), "certain"
    for condition, said, sure in reversed(causes):
        cause, certainty = ibis.ifelse(condition, said, cause), ibis.ifelse(condition, sure, certainty)
    return rows.mutate(cause=cause, certainty=certainty)


def _streams(tables: Tables) -> Table:
    """Return what is known of streams: how far they go, the last gap, the last trouble, whether they are closed."""
    import ibis  # noqa: PLC0415

    parts = tables.stretches
    facts = parts.group_by(of_stream=parts.stream).aggregate(
        last_seq=parts.high.max(),
        is_closed=parts.closed.max().notnull(),
        gap_seq=parts.first_seq.max(where=ibis.coalesce(parts.reached, 0) + 1 < parts.first_seq),
    )
    events = tables.events
    events = events.filter(
        events.stream.notnull()
        & (
            _tells_of_trouble(events)
            | ((ibis.coalesce(events.close_lost, 0) + ibis.coalesce(events.close_fallback, 0)) > 0)
        )
    )
    trouble = events.group_by(troubled=events.stream).aggregate(trouble_seq=events.seq.max())
    points = tables.checkpoints
    points = points.filter(points.verdict.isin(["ok", "accepted"]))
    known = points.group_by(pointed=points.stream).aggregate(known_seq=points.seq.max())
    begun = tables.events.filter(tables.events.is_open & tables.events.parent_stream.notnull())
    later = begun.select(before_it=begun.parent_stream).distinct()
    facts = facts.left_join(trouble, facts.of_stream == trouble.troubled).drop("troubled")
    facts = facts.left_join(known, facts.of_stream == known.pointed).drop("pointed")
    return facts.left_join(later, facts.of_stream == later.before_it).mutate(has_next=lambda t: t.before_it.notnull())


def missing_before(rows: Table, tables: Tables) -> Table:
    """Return *rows*, with the number of events that are ``missing`` from their stream before them."""
    import ibis  # noqa: PLC0415

    parts = tables.stretches
    gaps = parts.mutate(gap=parts.first_seq - 1 - ibis.coalesce(parts.reached, 0))
    gaps = gaps.filter(gaps.gap > 0).select(gap_stream=gaps.stream, gap_ends=gaps.first_seq, gap=gaps.gap)
    asked = rows.filter(rows.stream.notnull()).select(its_stream=rows.stream, its_seq=rows.seq).distinct()
    found = asked.join(gaps, (asked.its_stream == gaps.gap_stream) & (gaps.gap_ends <= asked.its_seq))
    found = found.group_by("its_stream", "its_seq").aggregate(missing=found.gap.sum())
    return rows.left_join(found, (rows.stream == found.its_stream) & (rows.seq == found.its_seq))


def _tells_of_trouble(events: Table) -> BooleanValue:
    import ibis  # noqa: PLC0415

    troubled = ibis.coalesce(events.state, "").isin(list(_TROUBLED)) | (ibis.coalesce(events.lost, 0) > 0)
    return (ibis.coalesce(events.kind, "") == "delivery_report") & troubled


def _unsealed_trouble(tables: Tables) -> Table:
    events = tables.events
    found = events.filter(events.stream.isnull() & _tells_of_trouble(events))
    return found.aggregate(trouble_ts=found.ts.max()).mutate(joined_here=0)
