"""Which call has no answer: pairing what begins with what ends it, by every link that events of this library have.

Tables and windows only, so that every engine can do it. The order of the attempts is that of their certainty:

1. The answer names the call as its parent, as `step` and `run` make it.
2. Both have the same ``tool_call_id`` in the same run.
3. Neither has a link, as plain log calls have none: then an answer belongs to the last call before it, of the same kind
   and, where all of them name their tool, of the same tool, in the same run.

An answer ends one call only. Where there are as many answers as calls, none is reported, whatever their order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ibis.expr.types import BooleanValue, IntegerValue, StringValue, Table

CALLS = {"tool_call": "tool", "model_call": "model", "retrieval_query": "retrieval", "run_start": "run"}
ANSWERS = {"tool_result": "tool", "model_response": "model", "retrieval_result": "retrieval", "run_end": "run"}
APPROVAL = "approval"
REQUESTED = ("requested", "pending", "started", "waiting")
"""The status of a ``human_approval`` that asks; any other answers."""

_USED = (
    *("file", "line", "ts", "stream", "seq", "event_id", "run_id", "parent_event_id", "event_type", "status"),
    *("tool_name", "tool_call_id", "agent_name", "workflow_name"),
)


def scope(events: Table) -> StringValue:
    """Return what events have in common that can belong together: the run, or where there is none, who acted."""
    import ibis  # noqa: PLC0415 -- a second

    actor = [ibis.coalesce(events[name], "") for name in ("session_id", "agent_name", "workflow_name")]
    return ibis.coalesce(events.run_id, "\n" + actor[0] + "\n" + actor[1] + "\n" + actor[2])


def position(rows: Table) -> IntegerValue:
    """Return by what the rows of a ``scope`` are ordered: their place in a stream, where they share one, else time."""
    import ibis  # noqa: PLC0415

    run = ibis.window(group_by=rows.scope)
    shared = (rows.stream.min().over(run) == rows.stream.max().over(run)) & (
        rows.stream.count().over(run) == rows.count().over(run)
    )
    return ibis.ifelse(ibis.coalesce(shared, False), rows.seq, ibis.coalesce(rows.ts, 0))


def once(rows: Table) -> Table:
    """Return *rows* without the second copies of an event, which ``duplicate_event`` is about."""
    import ibis  # noqa: PLC0415

    same = ibis.window(group_by=ibis.coalesce(rows.event_id, ""), order_by=[rows.file, rows.line])
    return rows.mutate(copy=ibis.row_number().over(same)).filter(lambda t: t.copy == 0).drop("copy")


def unanswered(events: Table, *families: str) -> Table:
    """Return the calls of these *families* that nothing answers, with the columns that rules need."""
    steps = _steps(events, families)
    calls, answers = steps.filter(steps.is_call), steps.filter(~steps.is_call)
    linked = _linked(calls, answers)
    named = linked.select(done=linked.call_event).distinct()
    used = linked.filter(linked.turn == 0).select(used_file=linked.file, used_line=linked.line)
    open_calls = calls.anti_join(named, calls.event_id == named.done)
    free = answers.anti_join(used, (answers.file == used.used_file) & (answers.line == used.used_line))
    pool = once(open_calls.union(free))
    pool = pool.mutate(at=position(pool))
    by_id = _still_open(pool.filter(pool.tool_call_id.notnull()).mutate(called=pool.tool_call_id))
    plain = pool.filter(pool.tool_call_id.isnull()).union(by_id.drop("called"))
    return _still_open(_by_tool(plain)).drop("called", "at", "is_call", "scope")


def _steps(events: Table, families: tuple[str, ...]) -> Table:
    import ibis  # noqa: PLC0415

    family: StringValue = ibis.null("string")
    is_call: BooleanValue = events.event_type.isin(list(CALLS))
    for event_type, name in {**CALLS, **ANSWERS}.items():
        if name in families:
            family = ibis.ifelse(events.event_type == event_type, name, family)
    if "tool" in families:
        # An error that names the call is an answer to it.
        about_call = (events.event_type == "error") & events.tool_call_id.notnull()
        family = ibis.ifelse(about_call, "tool", family)
    if APPROVAL in families:
        is_approval = events.event_type == "human_approval"
        family = ibis.ifelse(is_approval, APPROVAL, family)
        is_call = is_call | (is_approval & ibis.coalesce(events.status, "").isin(list(REQUESTED)))
    steps = events.select(*_USED, scope=scope(events), family=family, is_call=is_call)
    return steps.filter(steps.family.notnull())


def _linked(calls: Table, answers: Table) -> Table:
    """Return the answers that name a call as their parent; ``turn`` 0 is the one that it takes."""
    import ibis  # noqa: PLC0415

    called = calls.select(
        call_event=calls.event_id, call_family=calls.family, call_tool=calls.tool_name, call_id=calls.tool_call_id
    )
    both = answers.join(called, (answers.parent_event_id == called.call_event) & (answers.family == called.call_family))
    # A call of another tool may have been made, and answered, inside of this one.
    both = both.filter(
        ibis.coalesce(both.tool_name == both.call_tool, True) & ibis.coalesce(both.tool_call_id == both.call_id, True)
    )
    latest = [ibis.desc(ibis.coalesce(both.ts, 0)), ibis.desc(both.file), ibis.desc(both.line)]
    return both.mutate(turn=ibis.row_number().over(ibis.window(group_by=both.call_event, order_by=latest)))


def _by_tool(pool: Table) -> Table:
    import ibis  # noqa: PLC0415

    all_named = pool.tool_name.notnull().all().over(ibis.window(group_by=[pool.scope, pool.family]))
    return pool.mutate(called=ibis.ifelse(all_named, pool.tool_name, ""))


def _still_open(pool: Table) -> Table:
    """Return the calls in *pool* that the answers in it leave open, matched like brackets within ``called``."""
    import ibis  # noqa: PLC0415

    keys = [pool.scope, pool.family, pool.called]
    order = [pool.at, pool.file, pool.line]
    deeper = ibis.ifelse(pool.is_call, 1, -1)
    pool = pool.mutate(
        depth=deeper.sum().over(ibis.window(group_by=keys, order_by=order, rows=(None, 0))),
        total=deeper.sum().over(ibis.window(group_by=keys)),
    )
    keys = [pool.scope, pool.family, pool.called]
    after = ibis.window(group_by=keys, order_by=[pool.at, pool.file, pool.line], rows=(1, None))
    pool = pool.mutate(lowest=pool.depth.min().over(after))
    is_open = pool.is_call & (pool.total > 0) & ibis.coalesce(pool.lowest >= pool.depth, True)
    return pool.filter(is_open).drop("depth", "total", "lowest")
