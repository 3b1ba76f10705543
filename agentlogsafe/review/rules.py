"""Every rule and every summary by its name: what is compiled for each engine.

An entry is a function from `Tables` to an Ibis table. A new rule belongs in the list of its family, a new
summary (what ``runs`` shows, say) in ``SUMMARIES``; then run ``python -m agentlogsafe.review.compiled``: it writes
down the SQL that small inputs are checked with, without importing Ibis. A test compares it with what Ibis compiles now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentlogsafe.review import (
    completeness,
    denials,
    integrity,
    missing,
    pairs,
    stretches,
    summaries,
    suspects,
    tables,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibis.expr.types import Table

    from agentlogsafe.review.tables import Tables

    Rule = Callable[[Tables], Table]

INTEGRITY: list[Rule] = [*integrity.RULES, *missing.RULES]
COMPLETENESS: list[Rule] = [
    completeness.unended,
    completeness.run_unstarted,
    denials.denied_but_executed,
    completeness.orphan_parent,
    completeness.duplicate_event,
    completeness.unattributed,
]
SUMMARIES: list[Rule] = [summaries.totals, summaries.runs, summaries.run_streams]
"""Any columns; asked by name: ``review.summary("runs")``."""

DERIVED: dict[str, Rule] = {
    "stretches": stretches.stretches,
    "suspects": suspects.suspects,
    **{stage.__name__: stage for stage in pairs.STAGES},
}
"""Tables that an engine makes of others, in this order, before any rule is asked."""

FAMILIES: dict[str, list[Rule]] = {"integrity": INTEGRITY, "completeness": COMPLETENESS}

SUSPECTED: dict[str, str] = {
    "unended": tables.OPEN,
    "run_unstarted": tables.UNSTARTED,
    "denied_but_executed": tables.DENIED,
    "orphan_parent": tables.ORPHAN,
    "duplicate_event": tables.TWICE,
}
"""Rules that are about suspects alone, and why they are suspected: where there are none, a rule is not asked: for
DuckDB, planning one takes up to 20 ms, for Spark a second."""


def named() -> dict[str, Rule]:
    """Return everything that is compiled, by its name: rules and summaries by theirs, derived tables by the table's."""
    functions = [*INTEGRITY, *COMPLETENESS, *SUMMARIES, suspects.reasons]
    return {**DERIVED, **suspects.KINDS, **{function.__name__: function for function in functions}}
