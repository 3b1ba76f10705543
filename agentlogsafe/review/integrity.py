"""Rules about streams: what was changed, what is missing, what came twice or in another order.

They ask the table ``stretches``, which is short, and go back to ``events`` for the few streams that have something to
tell. Nothing here depends on the order of delivery: events are put in order by seq first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentlogsafe.review.tables import STRETCHES, findings

if TYPE_CHECKING:
    from ibis.expr.types import Table, Value

    from agentlogsafe.review.tables import Tables


def _ibis() -> Any:
    import ibis  # noqa: PLC0415 -- see tables

    return ibis


def _text(*parts: Any) -> Value:
    """Return a sentence of texts and of integer or text columns."""
    ibis = _ibis()
    pieces = [ibis.literal(part) if isinstance(part, str) else part.cast("string") for part in parts]
    whole = pieces[0]
    for piece in pieces[1:]:
        whole += piece
    return whole


def _first(rows: Table, by: list[str], order: list[Any], **more: Any) -> Table:
    """Return the first row of each group, with *more* columns: aggregates over its group."""
    ibis = _ibis()
    ranked = rows.mutate(
        _rank=ibis.row_number().over(ibis.window(group_by=by, order_by=order)),
        **{name: value.over(ibis.window(group_by=by)) for name, value in more.items()},
    )
    return ranked.filter(ranked._rank == 0).drop("_rank")  # noqa: SLF001 -- a column


def stretches(t: Tables) -> Table:
    """Return the table ``stretches``."""
    ibis = _ibis()
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


def _where(s: Table) -> dict[str, Any]:
    """Return the columns that say where a stretch begins."""
    return {"line": s.first_line, "seq": s.first_seq, "event_id": s.first_event_id, "run_id": s.first_run_id,
            "ts": s.first_ts}  # fmt: skip


def _keyless(s: Table) -> Value:
    """Return whether the stretches of a stream could not be verified: it may be a forked child's, whose first event
    tells where its keys begin, and that event is missing.
    """  # noqa: D205 -- one sentence
    return s.key.notnull() & (s.sound == 0) & (s.low > 1)


def modified(t: Tables) -> Table:
    """Events whose hash does not fit what they say."""
    s = t.stretches
    s = s.filter((s.verdict == "bad") & ~_keyless(s))
    return findings(
        s,
        "modified",
        "error",
        **_where(s),
        affected=s.number,
        seen=_text("the content of ", s.number, " event(s), seq ", s.first_seq, " to ", s.last_seq, ", does not fit"),
        expected="hashes that fit what the events say",
    )


def modified_link(t: Tables) -> Table:
    """Events that name another predecessor than the one that is there."""
    s = t.stretches
    heads = s.filter((s.first_seq > 1) & (s.verdict != "bad"))
    heads = heads.mutate(before=heads.first_seq - 1, named=heads.first_prev.fill_null(""))
    e = t.events.select(stream="stream", before="seq", found="hash", broken="verdict").filter(
        lambda e: e.before.notnull()
    )
    pairs = heads.join(e, ["stream", "before"])
    by = ["file", "stream", "first_seq", "first_line", "first_event_id", "first_run_id", "first_ts"]
    judged = pairs.group_by(by).agg(
        fits=((pairs.found == pairs.named) | (pairs.broken == "bad")).cast("int64").max(),
    )
    judged = judged.filter(judged.fits == 0)
    return findings(
        judged,
        "modified",
        "error",
        **_where(judged),
        affected=1,
        seen=_text("seq ", judged.first_seq, " names another predecessor than the one that is there"),
        expected=_text("the hash of seq ", judged.first_seq - 1, " as prev; one of the two was changed"),
    )


def modified_key(t: Tables) -> Table:
    """Events that are sealed with another key than their stream's first, or with none."""
    s = t.stretches
    first = s.filter(s.place == 0).select(stream="stream", first_key="key")
    s = s.join(first, "stream")
    s = s.filter(~s.key.identical_to(s.first_key) & (s.verdict != "bad"))
    return findings(
        s,
        "modified",
        "error",
        **_where(s),
        affected=s.number,
        seen=_text(s.number, " event(s) sealed with key ", s.key.fill_null("(none)")),
        expected=_text("key ", s.first_key.fill_null("(none)"), ", as the stream begins"),
    )


def _trusted(t: Tables) -> Table:
    return t.checkpoints.filter(t.checkpoints.verdict.isin(["ok", "accepted"]))


def modified_checkpoint(t: Tables) -> Table:
    """Streams that differ from what a checkpoint kept of them."""
    c = _trusted(t).select(stream="stream", seq="seq", kept="hash", kept_in="file", kept_at="line")
    e = t.events.select("stream", "seq", "hash", "verdict", "file", "line", "event_id", "run_id", "ts")
    pairs = c.join(e, ["stream", "seq"])
    fits = ((pairs.kept == pairs.hash) | (pairs.verdict == "bad")).cast("int64")
    ibis = _ibis()
    pairs = pairs.mutate(fits=fits.max().over(ibis.window(group_by=["stream", "seq", "kept"])))
    pairs = pairs.filter(pairs.fits == 0)
    by = ["stream"]
    order = [pairs.seq, pairs.file, pairs.line, pairs.kept_in, pairs.kept_at]
    first = _first(pairs, by, order, checkpoints=pairs.count())
    return findings(
        first,
        "modified",
        "error",
        affected=first.checkpoints,
        seen=_text("the stream differs from ", first.checkpoints, " checkpoint(s), the first at seq ", first.seq),
        expected=_text("the hash that ", first.kept_in, ", line ", first.kept_at, ", has kept"),
    )


def modified_signature(t: Tables) -> Table:
    """Checkpoints whose signature does not fit them."""
    c = t.checkpoints.filter(t.checkpoints.verdict == "bad")
    return findings(
        c, "modified", "error", affected=1, seen="a checkpoint whose signature does not fit", expected="a genuine one"
    )


def modified_parent(t: Tables) -> Table:
    """Forked streams whose first event kept another hash of the parent's last event than is there."""
    o = t.events.filter(t.events.is_open & t.events.parent_hash.notnull())
    o = o.select("stream", "file", "line", "event_id", "run_id", "ts", "parent_stream", "parent_seq", "parent_hash")
    e = t.events.select(parent_stream="stream", parent_seq="seq", found="hash", broken="verdict")
    pairs = o.join(e, ["parent_stream", "parent_seq"])
    by = ["stream", "file", "line", "event_id", "run_id", "ts", "parent_stream", "parent_seq"]
    judged = pairs.group_by(by).agg(
        fits=((pairs.found == pairs.parent_hash) | (pairs.broken == "bad")).cast("int64").max()
    )
    judged = judged.filter(judged.fits == 0)
    return findings(
        judged,
        "modified",
        "error",
        affected=1,
        seq=1,
        seen=_text("seq ", judged.parent_seq, " of the parent stream ", judged.parent_stream, " has another hash"),
        expected="the hash that the forked child's first event has kept",
    )


def gap(t: Tables) -> Table:
    """Events missing in the middle."""
    s = t.stretches
    s = s.filter(s.first_seq > s.reached + 1)
    missing = s.first_seq - s.reached - 1
    return findings(
        s,
        "gap",
        "error",
        **{**_where(s), "event_id": None, "run_id": s.first_run_id, "seq": s.reached + 1},
        affected=missing,
        seen=_text(missing, " event(s) are missing, seq ", s.reached + 1, " to ", s.first_seq - 1),
        expected=_text("seq ", s.reached + 1, " after seq ", s.reached),
    )


def _overlapping(s: Table) -> Table:
    return s.filter(s.first_seq <= s.reached).select("stream").distinct()


def duplicate(t: Tables) -> Table:
    """Seqs that are there more than once."""
    ibis = _ibis()
    e = t.events.select("stream", "seq", "hash", "verdict", "file", "line", "event_id", "run_id", "ts")
    e = e.semi_join(_overlapping(t.stretches), "stream")
    e = e.mutate(
        copy=ibis.row_number().over(ibis.window(group_by=["stream", "seq"], order_by=[e.file, e.line, e.hash]))
    )
    firsts = e.filter(e.copy == 0).select(stream="stream", seq="seq", first_hash="hash", first_verdict="verdict")
    c = e.filter(e.copy > 0).join(firsts, ["stream", "seq"])
    c = c.mutate(
        differs=((c.hash != c.first_hash) | (c.verdict != c.first_verdict)).cast("int64"),
        island=c.seq - ibis.dense_rank().over(ibis.window(group_by=["stream", "file"], order_by=c.seq)),
    )
    d = c.group_by("stream", "file", "island").agg(
        affected=c.count(),
        seq=c.seq.min(),
        last=c.seq.max(),
        line=c.line.min(),
        differing=c.differs.sum(),
        ts=c.ts.min(),
        run_id=ibis.cases((c.run_id.min() == c.run_id.max(), c.run_id.min())),
        event_id=ibis.cases((c.count() == 1, c.event_id.min())),
    )
    return findings(
        d,
        "duplicate",
        "warning",
        seen=ibis.cases(
            (d.differing == 0, _text(d.affected, " event(s) again, seq ", d.seq, " to ", d.last, ", the same")),
            else_=_text(d.affected, " event(s) again, seq ", d.seq, " to ", d.last, ", ", d.differing, " not the same"),
        ),
        expected="each seq once; the same again is shipped twice, or replayed",
    )


def reordered(t: Tables) -> Table:
    """Events that stand behind later ones of their stream in one file."""
    ibis = _ibis()
    s = t.stretches
    s = s.mutate(
        so_far=s.last_seq.max().over(
            ibis.cumulative_window(group_by=["file", "stream"], order_by=[s.first_line, s.first_seq])
        )
    )
    s = s.mutate(
        before=s.so_far.lag().over(ibis.window(group_by=["file", "stream"], order_by=[s.first_line, s.first_seq]))
    )
    back = s.filter(s.first_seq < s.before).select("file", "stream").distinct()
    e = t.events.select("file", "stream", "seq", "line", "event_id", "run_id", "ts").semi_join(back, ["file", "stream"])
    copy = ibis.row_number().over(ibis.window(group_by=["file", "stream", "seq"], order_by=e.line))
    e = e.mutate(copy=copy)
    e = e.filter(e.copy == 0)  # what comes again has a finding of its own
    e = e.mutate(so_far=e.seq.max().over(ibis.cumulative_window(group_by=["file", "stream"], order_by=[e.line, e.seq])))
    e = e.filter(e.seq < e.so_far)
    d = _first(e, ["file", "stream"], [e.line, e.seq], affected=e.count())
    return findings(
        d,
        "reordered",
        "warning",
        seen=_text(d.affected, " event(s) behind later ones; the first is seq ", d.seq, " after seq ", d.so_far),
        expected="events in the order of seq; they are checked in that order",
    )


def _known(t: Tables) -> Table:
    """Return the highest seq of streams that something else than the stream itself vouches for."""
    c = _trusted(t)
    by_checkpoint = c.filter(c.stream.notnull()).select(stream=c.stream, seq=c.seq, sure=_ibis().literal(1, "int64"))
    o = t.events.filter(t.events.is_open & t.events.parent_stream.notnull() & (t.events.parent_seq > 0))
    by_child = o.select(stream=o.parent_stream, seq=o.parent_seq, sure=_ibis().literal(0, "int64"))
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
        **{**_where(s), "event_id": None, "run_id": None},
        affected=s.low - 1,
        seen=_text("the stream begins with seq ", s.low, "; ", s.low - 1, " event(s) before it are missing"),
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
        seen=_text("the stream ends with seq ", s.high, "; ", s.known - s.high, " event(s) after it are missing"),
        expected=_text("seq ", s.known, " at least, which a checkpoint or a forked stream names"),
    )


def truncated_whole(t: Tables) -> Table:
    """Streams that something names and that are nowhere."""
    ibis = _ibis()
    k = _known(t).anti_join(t.stretches.select("stream").distinct(), "stream")
    return findings(
        k,
        "truncated",
        "error",
        ibis.cases((k.sure == 1, "certain"), else_="possible"),
        affected=k.known,
        seq=k.known,
        seen="nothing of the stream is there",
        expected=_text(k.known, " event(s) at least, which a checkpoint or a forked stream names"),
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
        seen=_text("the last event, seq ", s.high, ", has no stream_close"),
        expected="stream_close; the process runs still or was killed, or what came after was cut off",
    )


def after_end(t: Tables) -> Table:
    """Events that come after their stream's end."""
    s = t.stretches
    s = s.filter(s.first_seq > s.closed)
    s = _first(s, ["stream"], [s.first_seq, s.file, s.first_line], events=s.number.sum())
    return findings(
        s,
        "after_end",
        "error",
        **_where(s),
        affected=s.events,
        seen=_text(s.events, " event(s) after the stream's end"),
        expected=_text("nothing after seq ", s.closed, ", which has stream_close"),
    )


def loss_declared(t: Tables) -> Table:
    """Losses that the log itself declares."""
    e = t.events
    lost = _ibis().coalesce(e.close_lost, _ibis().cases((e.kind == "delivery_report", e.lost)))
    e = e.mutate(declared=lost)
    e = e.filter(e.declared > 0)
    e = e.select("file", "line", "stream", "seq", "event_id", "run_id", "ts", "agent_name", "workflow_name", "declared")
    e = _first(e, ["file", "stream"], [e.declared.desc(), e.line.desc(), e.event_id])
    return findings(
        e,
        "loss_declared",
        "error",
        affected=e.declared,
        seen=_text(e.declared, " event(s) were accepted and lost, as the log itself says"),
        expected="accepted = delivered",
    )


def unknown_key(t: Tables) -> Table:
    """Streams whose hashes nothing vouches for: their key is not given, or they have none."""
    ibis = _ibis()
    s = t.stretches
    given = t.keys.select(key="key", known=ibis.literal(1, "int64")).distinct()
    s = s.mutate(unread=(s.verdict == "unverifiable").cast("int64").max().over(ibis.window(group_by="stream")))
    s = s.mutate(fewer=_keyless(s))
    s = s.filter(s.place == 0).left_join(given, "key")
    s = s.cross_join(t.keys.agg(some=t.keys.count()))
    s = s.mutate(
        why=ibis.cases(
            (s.key.isnull() & (s.some > 0), "the stream has no key: anybody could have made its chain"),
            (s.key.notnull() & s.known.isnull(), "the stream's key is not given: links were checked, content was not"),
            (s.key.notnull() & s.fewer, "the keys cannot be derived: the stream's first event is missing"),
            (s.key.notnull() & (s.unread == 1), "the keys cannot be derived: a seq or a parent is out of reach"),
        )
    )
    s = s.filter(s.why.notnull())
    return findings(
        s,
        "unknown_key",
        "warning",
        line=s.first_line,
        seq=s.low,
        ts=s.first_ts,
        affected=s.high - s.low + 1,
        seen=s.why + _text(" (key ", s.key.fill_null("none"), ")"),
        expected="a stream sealed with one of the given keys",
    )


def unknown_signer(t: Tables) -> Table:
    """Checkpoints that none of the given public keys has signed."""
    ibis = _ibis()
    c = t.checkpoints.filter(t.checkpoints.verdict == "untrusted")
    c = _first(c, ["file", "signer"], [c.line], number=c.count())
    return findings(
        c,
        "unknown_key",
        "warning",
        affected=c.number,
        seen=ibis.cases(
            (c.signer.isnull(), _text(c.number, " checkpoint(s) without a signature")),
            else_=_text(c.number, " checkpoint(s) signed by ", c.signer.fill_null("")),
        ),
        expected="checkpoints signed by one of the given public keys; others prove nothing",
    )


def unsealed(t: Tables) -> Table:
    """Events without a seal in a file that has sealed ones."""
    e = t.events.select("file", "line", "stream", "event_id", "run_id", "ts", "agent_name", "workflow_name")
    mixed = t.stretches.select("file").distinct()
    e = e.filter(e.stream.isnull()).semi_join(mixed, "file")
    e = _first(e, ["file"], [e.line, e.event_id], number=e.count())
    return findings(
        e,
        "unknown_key",
        "warning",
        affected=e.number,
        seen=_text(e.number, " event(s) without a seal, in a file of sealed ones: anybody could have written them"),
        expected="sealed events",
    )


def malformed(t: Tables) -> Table:
    """Lines that claim to be events, and checkpoints, and are none."""
    c = t.checkpoints.filter(t.checkpoints.verdict == "malformed")
    of_checkpoints = findings(
        c, "malformed", "warning", affected=1, seen="the line is no checkpoint", expected="stream, seq and hash"
    )
    return _rejected(t, "malformed", "an event as the schema has it").union(of_checkpoints)


def partial_line(t: Tables) -> Table:
    """Lines that are cut, and files that end too early."""
    f = t.sources.filter(t.sources.error.notnull())
    of_files = findings(
        f, "partial_line", "error", affected=1, line=f.lines, seen=_text("the file ends too early: ", f.error),
        expected="a file that is whole",
    )  # fmt: skip
    return _rejected(t, "partial_line", "a line that is whole; the writer was killed, or the line was cut").union(
        of_files
    )


def _rejected(t: Tables, kind: str, expected: str) -> Table:
    ibis = _ibis()
    r = t.rejects.filter(t.rejects.kind == kind)
    r = r.mutate(island=r.line - ibis.dense_rank().over(ibis.window(group_by="file", order_by=r.line)))
    by = ("event_id", "run_id", "stream")
    r = r.group_by("file", "island").agg(
        affected=r.count(),
        line=r.line.min(),
        seq=ibis.cases((r.count() == 1, r.seq.min())),
        seen=r.reason.min(),
        **{name: ibis.cases((r.count() == 1, r[name].min())) for name in by},
    )
    return findings(
        r,
        kind,
        "warning",
        seen=ibis.cases((r.affected == 1, r.seen), else_=_text(r.affected, " lines; ", r.seen)),
        expected=expected,
    )


RULES = [
    modified,
    modified_link,
    modified_key,
    modified_checkpoint,
    modified_signature,
    modified_parent,
    gap,
    duplicate,
    reordered,
    truncated_head,
    truncated_tail,
    truncated_whole,
    open_ended,
    after_end,
    loss_declared,
    unknown_key,
    unknown_signer,
    unsealed,
    malformed,
    partial_line,
]
