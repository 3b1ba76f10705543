"""Rules about what is missing from streams: in the middle, at the head, at the tail, and what their ends say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentlogsafe.review.stretches import first_of, ibis_, text, trusted, where
from agentlogsafe.review.tables import findings

if TYPE_CHECKING:
    from ibis.expr.types import Table

    from agentlogsafe.review.tables import Tables


def gap(t: Tables) -> Table:
    """Events missing in the middle."""
    s = t.stretches
    s = s.filter(s.first_seq > s.reached + 1)
    missing = s.first_seq - s.reached - 1
    return findings(
        s,
        "gap",
        "error",
        **{**where(s), "event_id": None, "run_id": s.first_run_id, "seq": s.reached + 1},
        affected=missing,
        seen=text(missing, " event(s) are missing, seq ", s.reached + 1, " to ", s.first_seq - 1),
        expected=text("seq ", s.reached + 1, " after seq ", s.reached),
    )


def _known(t: Tables) -> Table:
    """Return the highest seq of streams that something else than the stream itself vouches for."""
    c = trusted(t)
    by_checkpoint = c.filter(c.stream.notnull()).select(stream=c.stream, seq=c.seq, sure=ibis_().literal(1, "int64"))
    o = t.events.filter(t.events.is_open & t.events.parent_stream.notnull() & (t.events.parent_seq > 0))
    by_child = o.select(stream=o.parent_stream, seq=o.parent_seq, sure=ibis_().literal(0, "int64"))
    known = by_checkpoint.union(by_child)
    return known.group_by("stream").agg(known=known.seq.max(), sure=known.sure.max())


def truncated_head(t: Tables) -> Table:
    """Streams whose first events are missing."""
    s = t.stretches
    s = s.filter((s.place == 0) & (s.low > 1))
    return findings(
        s,
        "truncated",
        "error",
        **{**where(s), "event_id": None, "run_id": None},
        affected=s.low - 1,
        seen=text("the stream begins with seq ", s.low, "; ", s.low - 1, " event(s) before it are missing"),
        expected="seq 1, with stream_open; cut off, or in a rotated file that is not given",
    )


def truncated_tail(t: Tables) -> Table:
    """Streams that are known to have gone on."""
    s = t.stretches
    s = s.filter(s.tail == 0).join(_known(t), "stream")
    s = s.filter(s.known > s.high)
    return findings(
        s,
        "truncated",
        "error",
        affected=s.known - s.high,
        line=s.last_line,
        seq=s.high,
        ts=s.first_ts,
        seen=text("the stream ends with seq ", s.high, "; ", s.known - s.high, " event(s) after it are missing"),
        expected=text("seq ", s.known, " at least, which a checkpoint or a forked stream names"),
    )


def truncated_whole(t: Tables) -> Table:
    """Streams that something names and that are nowhere."""
    ibis = ibis_()
    k = _known(t).anti_join(t.stretches.select("stream").distinct(), "stream")
    return findings(
        k,
        "truncated",
        "error",
        ibis.cases((k.sure == 1, "certain"), else_="possible"),
        affected=k.known,
        seq=k.known,
        seen="nothing of the stream is there",
        expected=text(k.known, " event(s) at least, which a checkpoint or a forked stream names"),
    )


def open_ended(t: Tables) -> Table:
    """Streams without an end of which nothing says that there was more."""
    s = t.stretches
    s = s.filter((s.tail == 0) & s.closed.isnull())
    k = _known(t).select(stream="stream", known="known")
    s = s.left_join(k, "stream")
    s = s.filter(s.known.isnull() | (s.known <= s.high))
    return findings(
        s,
        "open_ended",
        "warning",
        line=s.last_line,
        seq=s.high,
        ts=s.first_ts,
        affected=s.high,
        seen=text("the last event, seq ", s.high, ", has no stream_close"),
        expected="stream_close; the process runs still or was killed, or what came after was cut off",
    )


def after_end(t: Tables) -> Table:
    """Events that come after their stream's end."""
    s = t.stretches
    s = s.filter(s.first_seq > s.closed)
    s = first_of(s, ["stream"], [s.first_seq, s.file, s.first_line], events=s.number.sum())
    return findings(
        s,
        "after_end",
        "error",
        **where(s),
        affected=s.events,
        seen=text(s.events, " event(s) after the stream's end"),
        expected=text("nothing after seq ", s.closed, ", which has stream_close"),
    )


def loss_declared(t: Tables) -> Table:
    """Losses that the log itself declares."""
    e = t.events
    lost = ibis_().coalesce(e.close_lost, ibis_().cases((e.kind == "delivery_report", e.lost)))
    e = e.mutate(declared=lost)
    e = e.filter(e.declared > 0)
    e = e.select("file", "line", "stream", "seq", "event_id", "run_id", "ts", "agent_name", "workflow_name", "declared")
    e = first_of(e, ["file", "stream"], [e.declared.desc(), e.line.desc(), e.event_id])
    return findings(
        e,
        "loss_declared",
        "error",
        affected=e.declared,
        seen=text(e.declared, " event(s) were accepted and lost, as the log itself says"),
        expected="accepted = delivered",
    )


RULES = [
    gap,
    truncated_head,
    truncated_tail,
    truncated_whole,
    open_ended,
    after_end,
    loss_declared,
]
