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

from agentlogsafe.review.tables import EVENTS, OPEN, STEPS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ibis.expr.types import IntegerValue, StringValue, Table

    from agentlogsafe.review.tables import Tables

CALLS = {"tool_call": "tool", "model_call": "model", "retrieval_query": "retrieval", "run_start": "run"}
ANSWERS = {"tool_result": "tool", "model_response": "model", "retrieval_result": "retrieval", "run_end": "run"}
APPROVAL = "approval"
_FAMILIES = {**CALLS, **ANSWERS, "error": "tool", "human_approval": APPROVAL}
REQUESTED = ("requested", "pending", "started", "waiting")
"""The status of a ``human_approval`` that asks; any other answers."""

_USED = tuple(name for name in STEPS if name in EVENTS)


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


def open_calls(t: Tables) -> Table:
    """Return the calls that no answer names as its parent. Only those among the suspects can be such."""
    calls, answers = steps(t.events)
    left = _of(calls, "event_id", t.suspects.filter(t.suspects.why == OPEN).id)
    # A second copy of a call may have an answer where the first has none.
    named = _linked(_of(calls, "event_id", left.event_id), _of(answers, "parent_event_id", left.event_id))
    named = named.select(done=named.call_event).distinct()
    return left.anti_join(named, left.event_id == named.done)


def near_answers(t: Tables) -> Table:
    """Return the answers in the scopes of ``open_calls``."""
    _, answers = steps(t.events)
    near = _of(answers, "scope", t.open_calls.scope)
    # Their copies elsewhere, of which one may be the first, and whatever answers the same calls.
    return _of(answers, "event_id", near.event_id.fill_null(""), t.open_calls.event_id.fill_null(""))


def pool(t: Tables) -> Table:
    """Return ``open_calls`` and the answers that may be theirs, since they answer no other."""
    calls, answers = steps(t.events)
    asked = t.near_answers.parent_event_id
    linked = _linked(_of(calls, "event_id", asked), _of(answers, "parent_event_id", asked))
    used = linked.filter(linked.turn == 0).select(used_file=linked.file, used_line=linked.line)
    near = t.near_answers
    free = near.anti_join(used, (near.file == used.used_file) & (near.line == used.used_line))
    return _of(once(t.open_calls.union(free)), "scope", t.open_calls.scope)


STAGES = (open_calls, near_answers, pool)
"""What `unanswered` asks of events, as tables: each is small, and in one rule they would be asked for fifty times."""


def unanswered(t: Tables) -> Table:
    """Return the calls that nothing answers, with the columns that rules need."""
    rows = t.pool.mutate(at=position(t.pool))
    by_id = _still_open(rows.filter(rows.tool_call_id.notnull()).mutate(called=rows.tool_call_id))
    plain = rows.filter(rows.tool_call_id.isnull()).union(by_id.drop("called"))
    return _still_open(_by_tool(plain)).drop("called", "at", "is_call", "scope")


def _of(rows: Table, name: str, *values: StringValue) -> Table:
    """Return those of *rows* whose column *name* has one of the *values* of other tables; null is as empty text."""
    wanted = values[0].name("wanted").as_table()
    for more in values[1:]:
        wanted = wanted.union(more.name("wanted").as_table())
    wanted = wanted.distinct()
    return rows.semi_join(wanted, rows[name].fill_null("") == wanted.wanted)


def steps(events: Table) -> tuple[Table, Table]:
    """Return the calls and the answers; apart from the first, or an engine would write down what both come of."""
    import ibis  # noqa: PLC0415 -- a second

    def of_types(types: Iterable[str], *, is_call: bool) -> Table:
        rows = events.filter(events.event_type.isin([*types, "human_approval"]))
        if not is_call:  # an error that names the call is an answer to it
            named = (events.event_type == "error") & events.tool_call_id.notnull()
            rows = events.filter(events.event_type.isin([*types, "human_approval"]) | named)
        asks = ibis.coalesce(rows.status, "").isin(list(REQUESTED))
        rows = rows.filter((rows.event_type != "human_approval") | (asks if is_call else ~asks))
        family = ibis.cases(*((rows.event_type == of, name) for of, name in _FAMILIES.items()))
        return rows.select(*_USED, scope=scope(rows), family=family, is_call=ibis.literal(is_call))

    return of_types(CALLS, is_call=True), of_types(ANSWERS, is_call=False)


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
