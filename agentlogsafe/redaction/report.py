"""What happened during one walk."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentlogsafe.redaction.work import Budget


class Report:
    """Counts by category, problems and cuts of one walk; never a fragment of a value.

    ``content`` holds, for each content field that a policy minimized or kept for a stated purpose, what was decided
    about it. ``size`` is how many characters of text there are in an event, of names only the unusual ones, ``nodes``
    how many values, ``wide`` whether not all of the text is ASCII, ``odd`` whether there may be a null or
    a float, ``budget`` what is left of the work that the call may cost, once something did.
    """

    __slots__ = ("budget", "content", "counts", "nodes", "odd", "problems", "size", "tried", "truncated", "wide")

    def __init__(self) -> None:
        """Start empty."""
        self.counts: dict[str, int] = {}
        self.problems: list[str] = []
        self.truncated: list[dict[str, object]] = []
        self.content: dict[str, dict[str, str]] = {}
        self.size = self.nodes = 0
        self.wide = self.odd = False
        self.budget: Budget | None = None
        self.tried: Report | None = None

    def aside(self) -> Report:
        """Return the report for texts that are only tried: what is found counts for nothing, what it costs does."""
        tried = self.tried
        if tried is None:
            tried = self.tried = Report()
        tried.budget = self.budget = self.budget or tried.budget
        return tried

    def count(self, category: str) -> None:
        """Count one replaced value."""
        self.counts[category] = self.counts.get(category, 0) + 1

    def problem(self, text: str) -> None:
        """Note a problem once."""
        if text not in self.problems:
            self.problems.append(text)
