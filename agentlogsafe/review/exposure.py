"""What is stored and should not be there: the redactor, run over stored lines. Says what and where, never the value."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import orjson

from agentlogsafe.events import BASE_FIELDS, OPTIONAL_FIELDS
from agentlogsafe.redaction import Report, compile_policy
from agentlogsafe.review.tables import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agentlogsafe.redaction import RedactionPolicy
    from agentlogsafe.review.lines import Line

_DEPTH, _ITEMS = 100, 1_000_000
_LONGEST_NAME = 64
# What the library writes itself: digests and ids of its own, names of categories, numbers.
_OWN = ("schema_version", "event_id", "event_type", "timestamp", "level", "redactions", "policy", "truncated", "seal")
_FIELDS = tuple(name for name in (*BASE_FIELDS, *OPTIONAL_FIELDS) if name not in _OWN)
_MASK = re.compile(r"\[([A-Z][A-Z0-9_]{1,40})")
_UUID = re.compile(r"[0-9a-fA-F-]{36}")
_TEXT = "text"


class Exposure:
    """Looks for what a policy would not have let through.

    Args:
        policy: whatever `RedactionPolicy.load` takes; the default is the library's.

    Raises:
        ConfigurationError: for a policy that is none.
    """

    def __init__(self, policy: RedactionPolicy | Path | str | None = None) -> None:
        self._redactor = compile_policy(policy, depth=_DEPTH, items=_ITEMS)

    def findings(self, line: Line, file: str) -> Iterator[Finding]:
        """Yield one finding for each category and field of a *line* of *file*."""
        event = line.event
        fields: object = None
        if event is not None:
            fields = {name: event[name] for name in _FIELDS if event.get(name) is not None}
        elif line.text[:1] == b"{":
            with suppress(ValueError):
                fields = orjson.loads(line.text)
        if fields is None:
            fields = line.text.decode("utf-8", "backslashreplace")
        report = Report()
        clean = self._redactor.copy(fields, report)
        if not report.counts:
            return
        found: Counter[tuple[str, str]] = Counter()
        self._compare(fields, clean, "", found)
        if not found:  # the two differ in nothing that is shown
            found.update({(_TEXT if event is None else "", name): count for name, count in report.counts.items()})
        # Of the copy: names and ids can be what should not be there.
        about = clean if event is not None and type(clean) is dict else {}
        event_id = _text(event.get("event_id")) if event is not None else None
        for (path, category), count in sorted(found.items()):
            yield Finding(
                kind="exposed",
                severity="error",
                certainty="likely",
                stream=None,
                run_id=_text(about.get("run_id")),
                event_id=event_id if event_id is not None and _UUID.fullmatch(event_id) else None,
                file=file,
                line=line.number,
                seq=None,
                affected=count,
                seen=f"{category} in {path or _TEXT}",
                expected="redacted, as the policy says",
                ts=None,
                agent_name=_text(about.get("agent_name")),
                workflow_name=_text(about.get("workflow_name")),
            )

    def _compare(
        self, stored: object, clean: object, path: str, found: Counter[tuple[str, str]], key: str = ""
    ) -> None:
        """Count in *found*, by path and category, where *clean* is not what is *stored*."""
        if type(stored) is dict and type(clean) is dict and len(stored) == len(clean):
            for (name, value), (shown, copied) in zip(stored.items(), clean.items(), strict=True):
                # The name as it is in the copy: one that is a secret itself is not shown.
                below = f"{path}.{shown[:_LONGEST_NAME]}" if path else shown[:_LONGEST_NAME]
                if name != shown:
                    self._count(name, shown, below, found, "")
                self._compare(value, copied, below, found, name)
        elif type(stored) is list and type(clean) is list and len(stored) == len(clean):
            for value, copied in zip(stored, clean, strict=True):
                self._compare(value, copied, f"{path}[]", found, key)
        elif stored != clean:
            self._count(stored, clean, path, found, key)

    def _count(self, stored: object, clean: object, path: str, found: Counter[tuple[str, str]], key: str) -> None:
        for name in (None, key or None):
            report = Report()
            self._redactor.copy(stored, report, key=name)
            if report.counts:
                found.update({(path, category): count for category, count in report.counts.items()})
                return
        # Known by what stands beside it: the mask says what it was taken for.
        masks = set(_MASK.findall(str(clean))) - set(_MASK.findall(str(stored)))
        found.update({(path, category): 1 for category in masks or {"PERSONAL"}})


def _text(value: Any) -> str | None:
    return value if type(value) is str else None
