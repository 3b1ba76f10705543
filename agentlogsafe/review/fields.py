"""What is asked of the line of an event, and of the table that lines make, in DuckDB's words."""

from __future__ import annotations

from agentlogsafe.review.rows import EVENT_COLUMNS
from agentlogsafe.seal import OWN_FIELDS

LONGEST = 16 * 2**20  # bytes of a line
NUMBER, CONTENT = "\x7f", "\x7f\x7f"  # what `blocks` puts into lines
IDS = ("event_id", "run_id", "parent_run_id", "parent_event_id")
TEXTS = (
    *("event_type", "agent_name", "workflow_name", "provider", "model", "tool_name", "tool_call_id", "status"),
    *("session_id", "agent_version", "level"),
)
# Every field is named, and read: only so DuckDB finds a name that is given twice.
FIELDS: dict[str, str] = {
    **dict.fromkeys((*IDS, *TEXTS, "timestamp"), "VARCHAR"),
    **dict.fromkeys(("schema_version", "logger", "trace_id", "span_id", "duration_ms", "redactions"), "JSON"),
    **dict.fromkeys(("risk", "metadata"), "STRUCT(_ BOOLEAN)"),
    **dict.fromkeys(("problems", "truncated"), "JSON[]"),
    "actor": "STRUCT(id JSON)",
    "policy": "STRUCT(name JSON, digest JSON)",
    "payload": "STRUCT(input_tokens JSON, output_tokens JSON, kind JSON, state JSON, lost JSON)",
    "seal": 'STRUCT(stream VARCHAR, seq BIGINT, "hash" VARCHAR, "key" VARCHAR)',
    NUMBER: "BIGINT",
    CONTENT: "VARCHAR",
    "\x7f\x7f\x7f": "JSON",  # no line has it: having found all names, DuckDB would look no further
}
assert FIELDS.keys() >= OWN_FIELDS  # noqa: S101 -- a new field needs its type

MACROS = r"""
CREATE MACRO text_of(x) AS CASE WHEN starts_with(x, '"') THEN
    CASE WHEN contains(x, '\') THEN x->>'$' ELSE substring(x, 2, length(x) - 2) END END;
CREATE MACRO whole(x) AS
    CASE WHEN NOT contains(x, '.') AND NOT contains(x, 'e') THEN try_cast(x::VARCHAR AS BIGINT) END;
CREATE MACRO is_odd(x) AS x < ':' OR x >= '{' OR (x >= '[' AND x < '\') OR x = 'true' OR x = 'false';
CREATE MACRO is_odd_id(x) AS is_odd(x) AND NOT (strlen(x) = 36 AND substring(x, 9, 1) = '-');
CREATE MACRO counted(x) AS CASE WHEN starts_with(x, '{') THEN
    CASE WHEN len(json_keys(x)) <> len(list_distinct(json_keys(x))) THEN -1 ELSE coalesce(list_sum(
        [whole(v) for v in json_extract(x, '$.*') if whole(v) BETWEEN 0 AND 2147483647]), 0)::BIGINT END END;
CREATE MACRO joined(x) AS CASE WHEN x IS NOT NULL THEN
    CASE WHEN list_bool_and([coalesce(starts_with(v, '"'), false) for v in x]) IS NOT false
    THEN coalesce(array_to_string([v->>'$' for v in x], '; '), '') ELSE '?' END END;
CREATE MACRO moment(x) AS CASE WHEN x LIKE '____-__-__T__:__:__.______Z' AND x >= '0' AND NOT contains(x, ' ')
    THEN epoch_us(try_cast(substring(x, 1, 26) AS TIMESTAMP)) END
"""
MADE = {
    "ts": "moment(timestamp)",
    "actor": "text_of(actor.id)",
    "duration_ms": "try_cast(duration_ms::VARCHAR AS DOUBLE)",
    "problems": "joined(problems)",
    "redactions": "counted(redactions)",
    "policy_name": "text_of(policy.name)",
    "policy_digest": "text_of(policy.digest)",
    "input_tokens": "whole(payload.input_tokens)",
    "output_tokens": "whole(payload.output_tokens)",
    "kind": "CASE WHEN event_type = 'custom' THEN text_of(payload.kind) END",
    "state": "CASE WHEN event_type = 'custom' THEN text_of(payload.state) END",
    "lost": "CASE WHEN event_type = 'custom' THEN whole(payload.lost) END",
    "content": f'"{CONTENT}"',
    "stream": "seal.stream",
    "seq": "seal.seq",
    "hash": 'seal."hash"',
    "key": 'seal."key"',
}
CONSTANT = {
    "wrapping": "'native'",
    "verdict": "CASE WHEN stream IS NOT NULL THEN 'ok' END",
    "is_open": "false",
    "is_close": "false",
}
"""What is the same of all usual lines."""

WHOLE = {
    "file": "getvariable('wholes')[number + 1] AS file",
    "line": "rowid - getvariable('starts')[number + 1] + 1 AS line",
    "content": "NULL::VARCHAR AS content",
}
"""What is another for files that are read as they are: a row for each line, in order."""

USUAL = tuple(name for name in EVENT_COLUMNS if name in MADE or name in FIELDS)
