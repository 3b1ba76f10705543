"""``denied_but_executed``: a check that denied, or a person who refused, and a call that was made all the same.

What a denial is about, in the order of certainty:

1. The call it names by ``tool_call_id``, in the same run: the last one logged before it, else the first one after it.
2. The tool call that it happened inside of, which is its parent, unless it names another. It may be about something
   that was not logged inside of that call, so this is likely and not certain.
3. The calls inside of it: those that name it, or the request that it answers, as their parent.
4. Where it has none of these but a ``tool_name``: the next call of that tool in the run. The arguments may differ, so
   this is no more than possible.

A denial that names nothing is not judged. One is lifted by a later approval or allowed check in the same run that is
about the same call, about the same tool, or about nothing in particular.

A call that was announced before the denial was executed if a result with the status ``success``, or none, follows. One
that began after it was executed unless its result says that it was not, such as ``denied`` or ``skipped``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentlogsafe.review.pairs import once, position, scope
from agentlogsafe.review.tables import DENIED, findings

if TYPE_CHECKING:
    from ibis.expr.types import BooleanValue, StringValue, Table

    from agentlogsafe.review.tables import Tables

REFUSED = ("denied", "rejected", "blocked", "refused", "declined", "forbidden", "disallowed")
ALLOWED = ("allowed", "approved", "granted", "permitted", "accepted")
NOT_RUN = (*REFUSED, "skipped", "cancelled", "canceled", "not_executed")
_CHECKS = ("policy_check", "human_approval")
_CALLS = ("tool_call", "model_call", "retrieval_query")
_RESULTS = ("tool_result", "model_response", "retrieval_result")
_DONE = ("", "success", "succeeded", "ok", "completed")
_USED = (
    *("file", "line", "ts", "stream", "seq", "event_id", "run_id", "parent_event_id", "event_type", "status"),
    *("tool_name", "tool_call_id", "agent_name", "workflow_name"),
)


def denied_but_executed(tables: Tables) -> Table:
    """A denied check or a refused approval for a call that then ran."""
    import ibis  # noqa: PLC0415 -- a second

    rows = _ordered(tables)
    denials = _targets(rows)
    calls = _calls(rows)
    pairs = denials.join(calls, denials.scope == calls.call_scope)
    linked = pairs.filter(_is_linked(pairs))
    within = ibis.coalesce(linked.around == linked.call_event, False) & linked.about_id.isnull()
    by_link = linked.filter(_was_executed(linked)).mutate(certainty=ibis.ifelse(within, "likely", "certain"))
    # The name alone counts only where there is no better link.
    named = pairs.filter(
        pairs.about_id.isnull()
        & ~_is_linked(pairs)
        & (pairs.about_tool == pairs.call_tool)
        & (pairs.call_n > pairs.n)
        & (pairs.call_type == "tool_call")
    )
    linked_ids = linked.select(linked_file=linked.file, linked_line=linked.line).distinct()
    named = named.anti_join(linked_ids, (named.file == linked_ids.linked_file) & (named.line == linked_ids.linked_line))
    next_one = ibis.window(group_by=[named.file, named.line], order_by=[named.call_n])
    named = named.mutate(turn=ibis.row_number().over(next_one))
    named = named.filter((named.turn == 0) & _was_executed(named)).drop("turn")
    found = by_link.union(named.mutate(certainty=ibis.literal("possible")).select(*by_link.columns))
    found = _not_lifted(found, rows)
    place = found.call_file + ":" + found.call_line.cast("string")
    how = ibis.ifelse(
        found.result_n.isnull(),
        "was called at " + place,
        "ran, and returned with the status " + ibis.coalesce(found.result_status, "null") + "; called at " + place,
    )
    seen = found.event_type + " " + found.status + "; " + ibis.coalesce(found.call_tool, found.call_type) + " " + how
    return findings(
        found,
        "denied_but_executed",
        "error",
        found.certainty,
        seen=seen,
        expected="no execution, or an approval between",
    )


def _ordered(tables: Tables) -> Table:
    """Return the checks and calls of runs in which something was denied, numbered ``n`` in the order of the run."""
    import ibis  # noqa: PLC0415

    events = tables.events
    events = events.filter(events.event_type.isin([*_CHECKS, *_CALLS, *_RESULTS]))
    rows = events.select(*_USED, scope=scope(events))
    denied = tables.suspects.filter(tables.suspects.why == DENIED)
    rows = once(rows.semi_join(denied, rows.scope == denied.id))
    rows = rows.mutate(at=position(rows))
    order = ibis.window(group_by=rows.scope, order_by=[rows.at, rows.file, rows.line])
    return rows.mutate(n=ibis.row_number().over(order))


def is_denial(rows: Table) -> BooleanValue:
    """Return whether events are checks that denied, or approvals that were refused."""
    return rows.event_type.isin(list(_CHECKS)) & rows.status.isin(list(REFUSED))


def _targets(rows: Table) -> Table:
    """Return the denials, with what they are about; an answer takes over what its request says."""
    import ibis  # noqa: PLC0415

    denials = rows.filter(is_denial(rows))
    asked = rows.filter(rows.event_type.isin(list(_CHECKS))).select(
        request=rows.event_id,
        request_tool=rows.tool_name,
        request_id=rows.tool_call_id,
        request_parent=rows.parent_event_id,
    )
    denials = denials.left_join(asked, denials.parent_event_id == asked.request)
    return denials.mutate(
        about_id=ibis.coalesce(denials.tool_call_id, denials.request_id),
        about_tool=ibis.coalesce(denials.tool_name, denials.request_tool),
        around=ibis.coalesce(denials.request_parent, denials.parent_event_id),
        inside=ibis.coalesce(denials.request, denials.event_id),
    ).drop("request_tool", "request_id", "request_parent", "request")


def _calls(rows: Table) -> Table:
    """Return the calls with the last of their results, found by parent, or by id before the next call with that id."""
    import ibis  # noqa: PLC0415

    calls = rows.filter(rows.event_type.isin(list(_CALLS)))
    same = ibis.window(group_by=[calls.scope, calls.event_type, calls.tool_call_id], order_by=[calls.n])
    answer: StringValue = ibis.null("string")
    for call_type, result_type in zip(_CALLS, _RESULTS, strict=True):
        answer = ibis.ifelse(calls.event_type == call_type, result_type, answer)
    alike = ibis.window(group_by=[calls.scope, calls.event_type, calls.tool_name], order_by=[calls.n])
    calls = calls.mutate(
        next_n=ibis.ifelse(calls.tool_call_id.isnull(), None, calls.n.lead().over(same)),
        next_alike=calls.n.lead().over(alike),
    )
    calls = calls.select(
        call_scope=calls.scope, call_event=calls.event_id, call_type=calls.event_type, call_tool=calls.tool_name,
        call_id=calls.tool_call_id, call_parent=calls.parent_event_id, call_n=calls.n, next_n=calls.next_n,
        next_alike=calls.next_alike, answer=answer,
        call_file=calls.file, call_line=calls.line,
    )  # fmt: skip
    results = rows.filter(rows.event_type.isin(list(_RESULTS))).select(
        result_scope=rows.scope, result_parent=rows.parent_event_id, result_id=rows.tool_call_id, result_at=rows.n,
        result_status=rows.status, result_type=rows.event_type, result_tool=rows.tool_name,
    )  # fmt: skip
    by_id = ibis.coalesce(
        (calls.call_id == results.result_id)
        & (results.result_at > calls.call_n)
        & (results.result_at < ibis.coalesce(calls.next_n, results.result_at + 1)),
        False,
    )
    # Plain log calls, without a link: the first result of that tool before its next call.
    by_order = ibis.coalesce(
        (calls.call_type == "tool_call")
        & calls.call_id.isnull()
        & results.result_id.isnull()
        & (ibis.coalesce(results.result_tool, calls.call_tool, "") == ibis.coalesce(calls.call_tool, ""))
        & (results.result_at > calls.call_n)
        & (results.result_at < ibis.coalesce(calls.next_alike, results.result_at + 1)),
        False,
    )
    by_parent = ibis.coalesce(results.result_parent == calls.call_event, False)
    of_type = results.result_type == calls.answer
    is_its = (calls.call_scope == results.result_scope) & of_type & (by_parent | by_id | by_order)
    found = calls.join(results, is_its)
    linked = (found.result_parent == found.call_event) | found.result_id.notnull()
    surest = [ibis.desc(ibis.coalesce(linked, False).cast("int64")), ibis.desc(found.result_at)]
    last = ibis.window(group_by=[found.call_scope, found.call_n], order_by=surest)
    found = found.mutate(turn=ibis.row_number().over(last))
    found = found.filter(found.turn == 0).select(
        "result_status", answered_scope=found.call_scope, answered_n=found.call_n, result_n=found.result_at
    )
    calls = calls.left_join(
        found, (calls.call_scope == found.answered_scope) & (calls.call_n == found.answered_n)
    ).drop("answered_scope", "answered_n")
    same = ibis.window(group_by=[calls.call_scope, calls.call_type, calls.call_id], order_by=[calls.call_n])
    return calls.mutate(before_n=calls.call_n.lag().over(same), before_result=calls.result_n.lag().over(same))


def _is_linked(pairs: Table) -> BooleanValue:
    import ibis  # noqa: PLC0415

    # Ids are used again within a run. It is the last call before the denial, or the first one after it, unless the one
    # before has had its answer.
    last_before = (pairs.call_n < pairs.n) & (ibis.coalesce(pairs.next_n, pairs.n + 1) > pairs.n)
    first_after = (pairs.call_n > pairs.n) & (
        pairs.before_n.isnull() | ((pairs.before_n < pairs.n) & pairs.before_result.isnull())
    )
    by_id = (pairs.about_id == pairs.call_id) & (pairs.call_type == "tool_call") & (last_before | first_after)
    within = (
        (pairs.around == pairs.call_event)
        & (pairs.call_type == "tool_call")
        & (ibis.coalesce(pairs.about_tool, pairs.call_tool, "") == ibis.coalesce(pairs.call_tool, ""))
        & pairs.about_id.isnull()
    )
    around = ((pairs.inside == pairs.call_parent) | (pairs.event_id == pairs.call_parent)) & (pairs.call_n > pairs.n)
    links = [ibis.coalesce(link, False) for link in (by_id, within, around)]
    return links[0] | links[1] | links[2]


def _was_executed(pairs: Table) -> BooleanValue:
    import ibis  # noqa: PLC0415

    status = ibis.coalesce(pairs.result_status, "")
    ran = (pairs.result_n > pairs.n) & status.isin(list(_DONE))
    began = (pairs.call_n > pairs.n) & ~status.isin(list(NOT_RUN))
    return ibis.coalesce(ran, False) | began


def _not_lifted(found: Table, rows: Table) -> Table:
    import ibis  # noqa: PLC0415

    allowed = rows.filter(rows.event_type.isin(list(_CHECKS)) & rows.status.isin(list(ALLOWED)))
    asked = rows.select(asked=rows.event_id, asked_tool=rows.tool_name, asked_id=rows.tool_call_id)
    allowed = allowed.left_join(asked, allowed.parent_event_id == asked.asked)
    allowed = allowed.select(
        allowed_scope=allowed.scope,
        allowed_n=allowed.n,
        allowed_tool=ibis.coalesce(allowed.tool_name, allowed.asked_tool),
        allowed_id=ibis.coalesce(allowed.tool_call_id, allowed.asked_id),
    )
    about_all = allowed.allowed_tool.isnull() & allowed.allowed_id.isnull()
    same_call = ibis.coalesce(allowed.allowed_id == found.call_id, False)
    same_tool = ibis.coalesce(allowed.allowed_tool == found.call_tool, False) & allowed.allowed_id.isnull()
    until = ibis.greatest(found.call_n, ibis.coalesce(found.result_n, found.call_n))
    lifts = (
        (allowed.allowed_scope == found.scope)
        & (allowed.allowed_n > found.n)
        & (allowed.allowed_n < until)
        & (about_all | same_call | same_tool)
    )
    return found.anti_join(allowed, lifts)
