"""Events about which something may be wrong, found by few columns of all; rules ask more of these alone.

Of a sound log there are next to none, so that it pays for a few joins over ids, and not for windows over rows. An
engine makes this table before any rule is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentlogsafe.review.denials import is_denial
from agentlogsafe.review.pairs import scope, steps
from agentlogsafe.review.tables import DENIED, OPEN, ORPHAN, TWICE, UNSTARTED

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibis.expr.types import Table

    from agentlogsafe.review.tables import Tables


def suspects(t: Tables) -> Table:
    """Return the table ``suspects``."""
    import ibis  # noqa: PLC0415 -- a second

    return ibis.union(*(of(t) for of in KINDS.values()))


def reasons(t: Tables) -> Table:
    """Return why there are suspects."""
    return t.suspects.select("why").distinct()


def _ids(t: Tables) -> Table:
    """Return ids that more than one event has, and those of parents that are not there.

    Both in one pass: of a million events, two take half as long again.
    """
    import ibis  # noqa: PLC0415 -- as above

    no, yes = ibis.null("int8"), ibis.literal(1, "int8")
    rows = ibis.union(
        t.events.select(id=t.events.event_id, copy=yes, known=yes),
        t.rejects.select(id=t.rejects.event_id, copy=no, known=yes),
        t.events.select(id=t.events.parent_event_id, copy=no, known=no),
    )
    rows = rows.filter(rows.id.notnull())
    ids = rows.group_by("id").aggregate(copies=rows.copy.count(), known=rows.known.count())
    ids = ids.filter((ids.copies > 1) | (ids.known == 0))
    return ids.select(why=ibis.ifelse(ids.known == 0, ORPHAN, TWICE), id=ids.id)


def _open(t: Tables) -> Table:
    """Return ids of calls that no answer names as its parent; empty where a call has none."""
    import ibis  # noqa: PLC0415 -- as above

    calls, answers = steps(t.events)
    answers = answers.filter(answers.parent_event_id.notnull()).select(
        answered=answers.parent_event_id,
        its_family=answers.family,
        its_tool=answers.tool_name,
        its_id=answers.tool_call_id,
    )
    belongs = (
        (calls.event_id == answers.answered)
        & (calls.family == answers.its_family)
        & ibis.coalesce(answers.its_tool == calls.tool_name, True)
        & ibis.coalesce(answers.its_id == calls.tool_call_id, True)
    )
    left = calls.anti_join(answers, belongs)
    return left.select(event_id=left.event_id.fill_null("")).distinct()


def _denied(t: Tables) -> Table:
    """Return the scopes in which something was denied."""
    events = t.events.filter(is_denial(t.events))
    return events.select(scope=scope(events)).distinct()


def _unstarted(t: Tables) -> Table:
    """Return the ids of runs that do not begin here."""
    runs = t.events.filter(t.events.run_id.notnull() & ~t.events.is_close).select("run_id").distinct()
    started = t.events.filter(t.events.event_type == "run_start").select(started=t.events.run_id)
    return runs.anti_join(started, runs.run_id == started.started)


def _kind(why: str, found: Callable[[Tables], Table], name: str) -> Callable[[Tables], Table]:
    def of(t: Tables) -> Table:
        import ibis  # noqa: PLC0415 -- as above

        rows = found(t)
        return rows.select(why=ibis.literal(why), id=rows[name])

    return of


KINDS: dict[str, Callable[[Tables], Table]] = {
    "suspects_ids": _ids,
    **{
        f"suspects_{why}": _kind(why, found, name)
        for why, found, name in (
            (OPEN, _open, "event_id"),
            (DENIED, _denied, "scope"),
            (UNSTARTED, _unstarted, "run_id"),
        )
    },
}
"""The parts of ``suspects``, for an engine that has memory for one join at a time."""
