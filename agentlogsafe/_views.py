"""What settings, logger object and run say of every event: merged and redacted once, and not for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from agentlogsafe import _records as records
from agentlogsafe.events import BASE_FIELDS, SCHEMA_VERSION, normalize
from agentlogsafe.limits import written_wide
from agentlogsafe.redaction import Report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentlogsafe.context import Defaults, RunState
    from agentlogsafe.redaction.redactor import Redactor
    from agentlogsafe.settings import Settings

_MAX_NAMES = 1_000
_MAX_VIEWS = 100


class View(NamedTuple):
    """The template of an event in one run: its fields in their order, with what is known before the call."""

    template: dict[str, Any]
    risk: bytes | None
    metadata: bytes | None
    redactions: dict[str, int]
    problems: list[str]
    odd: bool
    """Whether there may be a null or a float in risk or metadata."""
    most: int
    """Bytes of all this as JSON, of whatever writer, at most."""


class Views:
    """The views of one chain, and the redacted names that come with many records.

    Args:
        settings: those of the chain.
        redactor: that of the chain.
    """

    def __init__(self, settings: Settings, redactor: Redactor) -> None:
        self._settings, self._redactor = settings, redactor
        self._names: dict[str, str] = {}
        self.levels: dict[str, str] = {}
        self._sets_of_names: dict[tuple[Any, ...], dict[str, str]] = {}
        self.base = self._make(None, None)

    def name(self, text: str) -> str:
        """Return the name of a logger, thread or task, redacted; the same few names come with every call."""
        known = self._names.get(text)
        if known is None:
            if len(self._names) >= _MAX_NAMES:
                self._names.clear()
            known = self._names[text] = self._redactor.text(text, Report())
        return known

    def level(self, text: str) -> str:
        """Return the name of a level in lower case, redacted: an application can choose that, too."""
        known = self.levels.get(text)
        if known is None:
            if len(self.levels) >= _MAX_NAMES:
                self.levels.clear()
            known = self.levels[text] = self.name(text).lower()
        return known

    def names(self, attributes: Mapping[str, Any]) -> dict[str, str]:
        """Return the names on a record that an application chooses, and what else is no number, redacted."""
        get = attributes.get
        # NAMES, spelt out, in two: many threads times many places in the code would be too many to keep.
        who = self._all_of(records.CHOSEN_NAMES, (get("name"), get("threadName"), get("processName"), get("taskName")))
        where = (get("funcName"), get("module"), get("pathname"), get("filename"), get("levelname"))
        found = who | self._all_of(records.PLACE_NAMES, where)
        others = records.odd(attributes)
        if others:
            clean: Any = self._redactor.copy(others, Report())
            found |= clean if type(clean) is dict else dict.fromkeys(others, clean)
        return found

    def _all_of(self, names: tuple[str, ...], given: tuple[Any, ...]) -> dict[str, str]:
        known = self._sets_of_names.get(given)
        if known is None:
            if len(self._sets_of_names) >= _MAX_NAMES:
                self._sets_of_names.clear()
            known = {name: self.name(text) for name, text in zip(names, given, strict=True) if type(text) is str}
            self._sets_of_names[given] = known
        return known

    def of(self, run: RunState | None, defaults: Defaults | None) -> View:
        """Return the view of events in *run*, logged by an object with these *defaults*."""
        if run is not None:
            views, key = run.views, (self, defaults)
        elif defaults is not None:
            views, key = defaults.views, (self, None)
        else:
            return self.base
        view = views.get(key)
        if view is None:
            if len(views) >= _MAX_VIEWS:
                views.clear()
            view = views[key] = self._make(run, defaults)
        return view

    def _make(self, run: RunState | None, defaults: Defaults | None) -> View:
        settings = self._settings
        own: Mapping[str, Any] = defaults.values if defaults is not None else {}
        found: dict[str, Any] = {
            "metadata": {**settings.metadata, **(own.get("metadata") or {}), **(run.metadata if run else {})},
            "risk": {**settings.default_risk, **(own.get("default_risk") or {}), **(run.risk if run else {})},
            "payload": {},
        }
        for name in ("agent_name", "workflow_name", "agent_version"):
            found[name] = own.get(name) or getattr(run, name, None) or getattr(settings, name)
        problems: list[str] = []
        if run is not None:
            found |= {name: getattr(run, name) for name in ("run_id", "session_id", "actor", "parent_run_id")}
            problems += run.problems
        report = Report()
        clean: dict[str, Any] = self._redactor.event("custom", normalize(found, problems), report)
        risk, metadata = clean.pop("risk", None), clean.pop("metadata", None)
        template = {**dict.fromkeys(BASE_FIELDS), **clean, "schema_version": SCHEMA_VERSION}
        if run is not None and template["run_id"] != run.run_id:
            problems.append("run_id: it had to be redacted; runs cannot be told apart by it")
        return View(
            template,
            orjson.dumps(risk) if risk else None,
            orjson.dumps(metadata) if metadata else None,
            report.counts,
            problems + report.problems,
            report.odd,
            len(written_wide({**template, "risk": risk, "metadata": metadata})),
        )


def merged(base: bytes, given: dict[str, Any] | None) -> dict[str, Any]:
    """Return *base* with what a call has *given*: a new dict every time, since a handler may change its event."""
    found: dict[str, Any] = orjson.loads(base)
    if given:
        found.update(given)
    return found
