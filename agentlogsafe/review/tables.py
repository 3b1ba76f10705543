"""The tables that the reader makes and that rules ask: what both sides of the reading wing build on.

A rule is a function from `Tables` to an Ibis table of findings, made by `findings`. Rules are written against unbound
tables and so know neither data nor engine: the same expression is compiled for DuckDB and for Spark, and must give
the same rows on both. What helps with that: times are integers (microseconds since the epoch, UTC), not timestamps;
floats are not printed; strings are built with ``+`` and ``.cast("string")`` from strings and integers; a window's order
always ends in ``file, line``, which no two rows share; ``min`` and ``max``, never ``first``, ``last`` or ``arbitrary``.

For who asks: ``check.Review.load(paths, keys=..., checkpoints=..., public_keys=..., engine=...)`` is a context manager
with ``findings(family=None)`` (a list of `Finding`), ``summary(name)``, ``events(**equal)`` and ``sources()`` (lists of
dicts, in the order of file and line). ``lines.read`` yields each line of a source as a ``lines.Line``, with the event
as a dict, for who needs payloads or follows a file.

The types are those of Ibis, by name, so that this module is imported without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ibis.expr.types import StringValue, Table, Value

EVENTS: dict[str, str] = {
    # Where the line is: the file as it was named (or found in a folder), and its number in it, from 1. Of a line that
    # a container runtime split, the number of the first part.
    "file": "string",
    "line": "int64",
    "wrapping": "string",  # one of lines.WRAPPINGS: native, docker, cri, syslog, journald, nested, prefixed, parquet
    # The envelope, null where unknown. No string is empty: an empty one is kept as it is.
    "event_id": "string",
    "run_id": "string",
    "parent_run_id": "string",
    "event_type": "string",
    "ts": "int64",  # microseconds since the epoch; null where the timestamp is none
    "agent_name": "string",
    "workflow_name": "string",
    "parent_event_id": "string",
    "provider": "string",
    "model": "string",
    "tool_name": "string",
    "tool_call_id": "string",
    "status": "string",
    "session_id": "string",
    "agent_version": "string",
    "actor": "string",  # actor.id
    "duration_ms": "float64",
    "level": "string",
    "problems": "string",  # joined by "; ", null where there are none
    "redactions": "int64",  # how many values, of all categories
    "policy_name": "string",
    "policy_digest": "string",
    # From the payload.
    "input_tokens": "int64",
    "output_tokens": "int64",
    "kind": "string",  # payload.kind of a custom event: delivery_report, stream_close, ...
    "state": "string",  # payload.state of a delivery_report: failing, recovered, closed, ...
    "lost": "int64",  # payload.lost of a delivery_report
    # Of an event without a seal: the SHA-256 of what a seal would cover, to tell its copies from what was made of them.
    "content": "string",
    # The seal, null in an event without one.
    "stream": "string",
    "seq": "int64",
    "hash": "string",
    "key": "string",  # the id of the stream's first key; null in a chain without keys
    "verdict": "string",  # ok, bad: the hash does (not) fit; unverifiable: the key is not given; null: no seal
    "is_open": "boolean",  # has stream_open (true, never null, likewise below)
    "is_close": "boolean",
    # From stream_open, where is_open.
    "host": "string",
    "pid": "int64",
    "parent_stream": "string",
    "parent_seq": "int64",
    "parent_hash": "string",
    # From stream_close, where is_close; null where the handler knows no counts.
    "close_sealed": "int64",
    "close_accepted": "int64",
    "close_delivered": "int64",
    "close_fallback": "int64",
    "close_lost": "int64",
}
"""``events``: one row for each line that is one of our events. Lines that only claim to be one are in ``rejects``."""

SPANS: dict[str, str] = {
    "file": "string",
    "stream": "string",
    "key": "string",
    "verdict": "string",
    "first_seq": "int64",
    "last_seq": "int64",
    "first_line": "int64",
    "last_line": "int64",
    "first_prev": "string",
    "last_hash": "string",
    "first_event_id": "string",
    "first_run_id": "string",
    "first_ts": "int64",
    "is_close": "boolean",  # the last event has stream_close
}
"""``spans``: one row for each stretch of a stream in a file where each event follows the one before: its seq is one
more, its ``prev`` is that one's hash, and key and verdict are the same. A sound file has one for each stream, whatever
its length (or a few: long files are read in parts), so that rules about streams have little to look at."""

STRETCHES: dict[str, str] = {
    **SPANS,
    "number": "int64",  # of events
    # Of the whole stream:
    "low": "int64",  # its lowest seq
    "high": "int64",
    "closed": "int64",  # the seq of the event with stream_close; null where there is none
    "sound": "int64",  # how many stretches fit their hashes
    # Among the stream's stretches:
    "place": "int64",  # 0 for the one that begins first, by seq
    "tail": "int64",  # 0 for the one that ends last
    "reached": "int64",  # the highest seq of those that begin before it
}
"""``stretches``: ``spans`` without the seams between parts, and what their streams are. An engine makes it of
``spans``, with `stretches.stretches`, before any rule is asked."""

TWICE, ORPHAN, OPEN, DENIED, UNSTARTED = "twice", "orphan", "open", "denied", "unstarted"

SUSPECTS: dict[str, str] = {
    "why": "string",
    # Of an event that is there twice, of a parent that is not there, of a call without answer; or the `pairs.scope` in
    # which something was denied, or a run without a beginning.
    "id": "string",
}
"""``suspects``: ids about which something may be wrong. An engine makes it of ``events``, with `suspects.suspects`."""

_OF_STEPS = (
    *("file", "line", "ts", "stream", "seq", "event_id", "run_id", "parent_event_id", "event_type", "status"),
    *("tool_name", "tool_call_id", "agent_name", "workflow_name"),
)
STEPS: dict[str, str] = {
    **{name: EVENTS[name] for name in _OF_STEPS},
    "scope": "string",  # `pairs.scope`
    "family": "string",  # what can answer each other: tool, model, retrieval, run, approval
    "is_call": "boolean",  # or an answer
}
STAGES = ("open_calls", "near_answers", "pool")
"""Tables of steps, which an engine makes one of the other, with the functions of `pairs` that are called like them, and
only where there are `OPEN` suspects: nothing asks for them elsewhere."""

REJECTS: dict[str, str] = {
    "file": "string",
    "line": "int64",
    "wrapping": "string",
    "kind": "string",  # partial_line: it ends too early; malformed: it is whole, but no event as the schema has it
    "reason": "string",  # such as "payload: expected an object, got string"
    "event_id": "string",  # where it could be read
    "run_id": "string",
    "stream": "string",
    "seq": "int64",
}
"""``rejects``: one row for each line that claims to be one of our events and is none."""

SOURCES: dict[str, str] = {
    "file": "string",
    "bytes": "int64",  # as stored; compressed, where it is
    "lines": "int64",
    "events": "int64",
    "rejects": "int64",
    "foreign": "int64",  # lines of others, ordinary lines of ours included
    "error": "string",  # why the file cannot be read, or not to its end; null where it can
}
"""``sources``: one row for each input file."""

CHECKPOINTS: dict[str, str] = {
    "file": "string",
    "line": "int64",
    "stream": "string",
    "seq": "int64",
    "hash": "string",
    "key": "string",
    "time": "string",
    "signer": "string",
    # ok: signed by a given public key; accepted: none is given; untrusted: some are, and none of them signed it; bad:
    # its signature does not fit; malformed: no checkpoint. The first two are taken for true.
    "verdict": "string",
}
"""``checkpoints``: one row for each line of the files given as ``--checkpoints``."""

KEYS: dict[str, str] = {
    "key": "string",  # the id of a key given with ``--key``
}
"""``keys``: one row for each key given; empty where none is."""

FINDINGS: dict[str, str] = {
    "kind": "string",  # one of KINDS
    "severity": "string",  # error, warning, info
    "certainty": "string",  # certain, likely, possible
    "stream": "string",
    "run_id": "string",
    "event_id": "string",
    "file": "string",
    "line": "int64",
    "seq": "int64",
    "affected": "int64",  # how many events or lines the finding is about
    "seen": "string",  # what was seen, in a sentence
    "expected": "string",  # what was expected
    "ts": "int64",  # of the event, and who acted, where the rows have them: what --since, --agent, --workflow go by
    "agent_name": "string",
    "workflow_name": "string",
}
"""What a rule returns: one row for each fact, null where something does not apply."""

INTEGRITY_KINDS = (
    "modified",
    "gap",
    "duplicate",
    "reordered",
    "open_ended",
    "truncated",
    "loss_declared",
    "after_end",
    "unknown_key",
    "partial_line",
    "malformed",
)
COMPLETENESS_KINDS = (
    "run_unended",
    "run_unstarted",
    "call_unanswered",
    "approval_pending",
    "denied_but_executed",
    "orphan_parent",
    "duplicate_event",
    "unattributed",
)
WATCH_KINDS = ("run_overdue", "sink_failing")
KINDS = (*INTEGRITY_KINDS, *COMPLETENESS_KINDS, "exposed", *WATCH_KINDS)
SEVERITIES = ("error", "warning", "info")
CERTAINTIES = ("certain", "likely", "possible")

SCHEMAS = {
    "events": EVENTS,
    "spans": SPANS,
    "stretches": STRETCHES,
    "suspects": SUSPECTS,
    **dict.fromkeys(STAGES, STEPS),
    "rejects": REJECTS,
    "sources": SOURCES,
    "checkpoints": CHECKPOINTS,
    "keys": KEYS,
}
"""Every table by its name, which is the same in all engines."""


class Finding(NamedTuple):
    """One row of `FINDINGS`."""

    kind: str
    severity: str
    certainty: str
    stream: str | None
    run_id: str | None
    event_id: str | None
    file: str | None
    line: int | None
    seq: int | None
    affected: int | None
    seen: str | None
    expected: str | None
    ts: int | None = None
    agent_name: str | None = None
    workflow_name: str | None = None


@dataclass(frozen=True)
class Tables:
    """The tables as unbound Ibis expressions."""

    events: Table
    spans: Table
    stretches: Table
    suspects: Table
    open_calls: Table
    near_answers: Table
    pool: Table
    rejects: Table
    sources: Table
    checkpoints: Table
    keys: Table

    @classmethod
    def unbound(cls) -> Tables:
        """Return the tables; compiling and running what is made of them is up to an engine."""
        import ibis  # noqa: PLC0415 -- a second; small inputs are checked without it

        return cls(**{name: ibis.table(schema, name=name) for name, schema in SCHEMAS.items()})


def findings(
    rows: Table,
    kind: str | StringValue,
    severity: str | StringValue,
    certainty: str | StringValue = "certain",
    **columns: Any,
) -> Table:
    """Return *rows* as findings.

    Columns of *rows* that are named as in `FINDINGS` are taken as they are; those given here, as expressions over
    *rows* or as constants, win over them.
    """
    import ibis  # noqa: PLC0415 -- as above

    given: dict[str, Any] = {**columns, "kind": kind, "severity": severity, "certainty": certainty}

    def column(name: str, dtype: str) -> Value:
        value = given.get(name, rows[name] if name in rows.columns else None)
        if value is None:
            return ibis.null(dtype)
        return (value if isinstance(value, ibis.Expr) else ibis.literal(value)).cast(dtype)

    return rows.select(**{name: column(name, dtype) for name, dtype in FINDINGS.items()})
