"""Rules about streams: what was changed, what came twice or in another order, and what nothing vouches for.

They ask the table ``stretches``, which is short, and go back to ``events`` for the few streams that have something to
tell. Nothing here depends on the order of delivery: events are put in order by seq first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentlogsafe.review.stretches import first_of, ibis_, keyless, text, trusted, where
from agentlogsafe.review.tables import findings

if TYPE_CHECKING:
    from ibis.expr.types import Table

    from agentlogsafe.review.tables import Tables


def modified(t: Tables) -> Table:
    """Events whose hash does not fit what they say."""
    s = t.stretches
    s = s.filter((s.verdict == "bad") & ~keyless(s))
    return findings(
        s,
        "modified",
        "error",
        **where(s),
        affected=s.number,
        seen=text("the content of ", s.number, " event(s), seq ", s.first_seq, " to ", s.last_seq, ", does not fit"),
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
        **where(judged),
        affected=1,
        seen=text("seq ", judged.first_seq, " names another predecessor than the one that is there"),
        expected=text("the hash of seq ", judged.first_seq - 1, " as prev; one of the two was changed"),
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
        **where(s),
        affected=s.number,
        seen=text(s.number, " event(s) sealed with key ", s.key.fill_null("(none)")),
        expected=text("key ", s.first_key.fill_null("(none)"), ", as the stream begins"),
    )


def modified_checkpoint(t: Tables) -> Table:
    """Streams that differ from what a checkpoint kept of them."""
    c = trusted(t).select(stream="stream", seq="seq", kept="hash", kept_in="file", kept_at="line")
    e = t.events.select("stream", "seq", "hash", "verdict", "file", "line", "event_id", "run_id", "ts")
    pairs = c.join(e, ["stream", "seq"])
    fits = ((pairs.kept == pairs.hash) | (pairs.verdict == "bad")).cast("int64")
    ibis = ibis_()
    pairs = pairs.mutate(fits=fits.max().over(ibis.window(group_by=["stream", "seq", "kept"])))
    pairs = pairs.filter(pairs.fits == 0)
    by = ["stream"]
    order = [pairs.seq, pairs.file, pairs.line, pairs.kept_in, pairs.kept_at]
    first = first_of(pairs, by, order, checkpoints=pairs.count())
    return findings(
        first,
        "modified",
        "error",
        affected=first.checkpoints,
        seen=text("the stream differs from ", first.checkpoints, " checkpoint(s), the first at seq ", first.seq),
        expected=text("the hash that ", first.kept_in, ", line ", first.kept_at, ", has kept"),
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
        seen=text("seq ", judged.parent_seq, " of the parent stream ", judged.parent_stream, " has another hash"),
        expected="the hash that the forked child's first event has kept",
    )


def _overlapping(s: Table) -> Table:
    return s.filter(s.first_seq <= s.reached).select("stream").distinct()


def duplicate(t: Tables) -> Table:
    """Seqs that are there more than once."""
    ibis = ibis_()
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
            (d.differing == 0, text(d.affected, " event(s) again, seq ", d.seq, " to ", d.last, ", the same")),
            else_=text(d.affected, " event(s) again, seq ", d.seq, " to ", d.last, ", ", d.differing, " not the same"),
        ),
        expected="each seq once; the same again is shipped twice, or replayed",
    )


def reordered(t: Tables) -> Table:
    """Events that stand behind later ones of their stream in one file."""
    ibis = ibis_()
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
    d = first_of(e, ["file", "stream"], [e.line, e.seq], affected=e.count())
    return findings(
        d,
        "reordered",
        "warning",
        seen=text(d.affected, " event(s) behind later ones; the first is seq ", d.seq, " after seq ", d.so_far),
        expected="events in the order of seq; they are checked in that order",
    )


def unknown_key(t: Tables) -> Table:
    """Streams whose hashes nothing vouches for: their key is not given, or they have none."""
    ibis = ibis_()
    s = t.stretches
    given = t.keys.select(key="key", known=ibis.literal(1, "int64")).distinct()
    s = s.mutate(unread=(s.verdict == "unverifiable").cast("int64").max().over(ibis.window(group_by="stream")))
    s = s.mutate(fewer=keyless(s))
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
        seen=s.why + text(" (key ", s.key.fill_null("none"), ")"),
        expected="a stream sealed with one of the given keys",
    )


def unknown_signer(t: Tables) -> Table:
    """Checkpoints that none of the given public keys has signed."""
    ibis = ibis_()
    c = t.checkpoints.filter(t.checkpoints.verdict == "untrusted")
    c = first_of(c, ["file", "signer"], [c.line], number=c.count())
    return findings(
        c,
        "unknown_key",
        "warning",
        affected=c.number,
        seen=ibis.cases(
            (c.signer.isnull(), text(c.number, " checkpoint(s) without a signature")),
            else_=text(c.number, " checkpoint(s) signed by ", c.signer.fill_null("")),
        ),
        expected="checkpoints signed by one of the given public keys; others prove nothing",
    )


def unsealed(t: Tables) -> Table:
    """Events without a seal in a file that has sealed ones."""
    e = t.events.select("file", "line", "stream", "event_id", "run_id", "ts", "agent_name", "workflow_name")
    mixed = t.stretches.select("file").distinct()
    e = e.filter(e.stream.isnull()).semi_join(mixed, "file")
    e = first_of(e, ["file"], [e.line, e.event_id], number=e.count())
    return findings(
        e,
        "unknown_key",
        "warning",
        affected=e.number,
        seen=text(e.number, " event(s) without a seal, in a file of sealed ones: anybody could have written them"),
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
        f, "partial_line", "error", affected=1, line=f.lines, seen=text("the file ends too early: ", f.error),
        expected="a file that is whole",
    )  # fmt: skip
    return _rejected(t, "partial_line", "a line that is whole; the writer was killed, or the line was cut").union(
        of_files
    )


def _rejected(t: Tables, kind: str, expected: str) -> Table:
    ibis = ibis_()
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
        seen=ibis.cases((r.affected == 1, r.seen), else_=text(r.affected, " lines; ", r.seen)),
        expected=expected,
    )


RULES = [
    modified,
    modified_link,
    modified_key,
    modified_checkpoint,
    modified_signature,
    modified_parent,
    duplicate,
    reordered,
    unknown_key,
    unknown_signer,
    unsealed,
    malformed,
    partial_line,
]
