"""Streams in stretches: the table that rules about streams ask, and what these rules share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentlogsafe.review.tables import STRETCHES

if TYPE_CHECKING:
    from ibis.expr.types import Table, Value

    from agentlogsafe.review.tables import Tables


def ibis_() -> Any:
    """Return Ibis, imported when a rule is compiled and not before."""
    import ibis  # noqa: PLC0415 -- see tables

    return ibis


def text(*parts: Any) -> Value:
    """Return a sentence of texts and of integer or text columns."""
    ibis = ibis_()
    pieces = [ibis.literal(part) if isinstance(part, str) else part.cast("string") for part in parts]
    whole = pieces[0]
    for piece in pieces[1:]:
        whole += piece
    return whole


def first_of(rows: Table, by: list[str], order: list[Any], **more: Any) -> Table:
    """Return the first row of each group, with *more* columns: aggregates over its group."""
    ibis = ibis_()
    ranked = rows.mutate(
        _rank=ibis.row_number().over(ibis.window(group_by=by, order_by=order)),
        **{name: value.over(ibis.window(group_by=by)) for name, value in more.items()},
    )
    return ranked.filter(ranked._rank == 0).drop("_rank")  # noqa: SLF001 -- a column


def stretches(t: Tables) -> Table:
    """Return the table ``stretches``."""
    ibis = ibis_()
    s = t.spans
    along = ibis.window(group_by=["file", "stream"], order_by=["first_line", "first_seq"])
    s = s.mutate(
        begins=~(
            (s.last_seq.lag().over(along) + 1 == s.first_seq)
            & (s.last_hash.lag().over(along) == s.first_prev)
            & (s.verdict.lag().over(along) == s.verdict)
            & s.key.lag().over(along).identical_to(s.key)
            & ~s.is_close.lag().over(along)
        ).fill_null(False)
    )
    s = s.mutate(
        island=s.begins.cast("int64")
        .sum()
        .over(ibis.cumulative_window(group_by=["file", "stream"], order_by=["first_line", "first_seq"])),
        ends=s.begins.lead().over(along).fill_null(True),
    )
    merged = s.group_by("file", "stream", "key", "verdict", "island").agg(
        first_seq=s.first_seq.min(),
        last_seq=s.last_seq.max(),
        first_line=s.first_line.min(),
        last_line=s.last_line.max(),
        first_prev=s.first_prev.max(where=s.begins),
        last_hash=s.last_hash.max(where=s.ends),
        first_event_id=s.first_event_id.max(where=s.begins),
        first_run_id=s.first_run_id.max(where=s.begins),
        first_ts=s.first_ts.max(where=s.begins),
        is_close=s.is_close.cast("int64").max() == 1,
    )
    merged = merged.mutate(number=merged.last_seq - merged.first_seq + 1)
    of = ibis.window(group_by="stream")
    rising = [merged.first_seq, merged.file, merged.first_line]
    up_to = ibis.cumulative_window(group_by="stream", order_by=rising)
    merged = merged.mutate(
        low=merged.first_seq.min().over(of),
        high=merged.last_seq.max().over(of),
        closed=ibis.cases((merged.is_close, merged.last_seq)).min().over(of),
        sound=(merged.verdict == "ok").cast("int64").sum().over(of),
        place=ibis.row_number().over(ibis.window(group_by="stream", order_by=rising)),
        tail=ibis.row_number().over(
            ibis.window(
                group_by="stream",
                order_by=[merged.last_seq.desc(), merged.file.desc(), merged.last_line.desc()],
            )
        ),
        highest=merged.last_seq.max().over(up_to),
    )
    merged = merged.mutate(
        reached=merged.highest.lag().over(
            ibis.window(group_by="stream", order_by=[merged.first_seq, merged.file, merged.first_line])
        )
    )
    return merged.select(**{name: merged[name].cast(dtype) for name, dtype in STRETCHES.items()})


def where(s: Table) -> dict[str, Any]:
    """Return the columns that say where a stretch begins."""
    return {"line": s.first_line, "seq": s.first_seq, "event_id": s.first_event_id, "run_id": s.first_run_id,
            "ts": s.first_ts}  # fmt: skip


def keyless(s: Table) -> Value:
    """Return whether the stretches of a stream could not be verified: it may be a forked child's, whose first event
    tells where its keys begin, and that event is missing.
    """  # noqa: D205 -- one sentence
    return s.key.notnull() & (s.sound == 0) & (s.low > 1)


def trusted(t: Tables) -> Table:
    """Return the checkpoints that are taken for true."""
    return t.checkpoints.filter(t.checkpoints.verdict.isin(["ok", "accepted"]))
