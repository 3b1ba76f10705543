"""Minimization: what of an event's content is kept, digested or left out, for which purpose and how long."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentlogsafe.redaction.report import Report

MODES = ("redacted", "digest", "omit")
CONTENT_FIELDS = (
    "answer", "body", "chunks", "completion", "completions", "content", "context", "document", "documents", "input", "inputs", "instructions", "message", "messages",  # noqa: E501 - one row of a table
    "output", "outputs", "passages", "positional_args", "prompt", "prompts", "query", "question", "reasoning", "response", "result", "results", "summary", "system", "text", "thinking", "transcript",  # noqa: E501 - one row of a table
)  # fmt: skip
CONTENT = "@content"
_DIGEST = re.compile(r"hmac-sha256:[0-9a-f]{32}\Z")
_COUNTED = re.compile(r" \([0-9]{1,9}\)\Z")  # of the second of two names that became the same text
_PLAIN = re.compile(r"[A-Za-z0-9_][\w.:/@+-]{0,79}\Z|\[[A-Z][A-Z0-9_]{1,23}[^\[\]\s]{0,80}\]\Z|\Z")


@dataclass(frozen=True)
class ContentRule:
    """What happens to content *fields* of these *events*: ``redacted``, replaced by a ``digest``, or ``omit``.

    ``"*"`` in *events* stands for every type, ``"@content"`` in *fields* for all the usual content fields (prompts,
    messages, documents, results, …). *purpose* and *retention* say why content is kept and for how long; the event
    records both.
    """

    fields: tuple[str, ...] = (CONTENT,)
    mode: str = "redacted"
    events: tuple[str, ...] = ("*",)
    purpose: str = ""
    retention: str = ""

    def note(self) -> dict[str, str]:
        """Return what an event records of this rule."""
        out = {"mode": self.mode}
        if self.purpose:
            out["purpose"] = self.purpose
        if self.retention:
            out["retention"] = self.retention
        return out


class Minimizer:
    """The content rules of one policy, by event type."""

    __slots__ = ("_by_type", "_key", "_rules", "_strict")

    def __init__(self, rules: tuple[ContentRule, ...], unknown: str, key: bytes) -> None:
        """Take the rules, later ones first; *unknown* is ``keep`` or ``digest``."""
        self._rules = rules
        self._strict = unknown == "digest"
        self._key = key
        self._by_type: dict[str, dict[str, ContentRule]] = {}

    def active(self) -> bool:
        """Return whether there is anything to do at all."""
        return bool(self._rules) or self._strict

    def rules(self, event_type: str) -> dict[str, ContentRule]:
        """Return field → rule for an event type."""
        found = self._by_type.get(event_type)
        if found is None:
            found = {}
            for rule in self._rules:
                if "*" in rule.events or event_type in rule.events:
                    for name in rule.fields:
                        found.update(dict.fromkeys(CONTENT_FIELDS if name == CONTENT else (name,), rule))
            if len(self._by_type) < 256:  # noqa: PLR2004 - a length, and what it is of stands beside it
                self._by_type[event_type] = found
        return found

    def before(self, event_type: str, fields: Mapping[str, object], report: Report) -> Mapping[str, object]:
        """Return *fields* without the payload fields that are to be left out: they need not even be looked at."""
        payload = fields.get("payload")
        if not isinstance(payload, dict):
            return fields
        rules = self.rules(event_type)
        left = [name for name in payload if type(name) is str and name in rules and rules[name].mode == "omit"]
        if not left:
            return fields
        for name in left:
            report.content[name] = rules[name].note()
        return {
            **fields,
            "payload": {name: item for name, item in payload.items() if type(name) is not str or name not in left},
        }

    def after(self, event_type: str, out: dict[str, object], report: Report) -> None:
        """Do to the redacted copy *out* what the rules say, and note purpose and retention of what is kept.

        What is to be left out can be here still: its name was no text before it was redacted.
        """
        payload = out.get("payload")
        if not isinstance(payload, dict):
            return
        rules = self.rules(event_type)
        made: dict[str, object] = {}
        for name, item in payload.items():
            if name == "extra" and isinstance(item, dict) and name not in rules:  # where a field given twice is
                inner: dict[str, object] = {}
                for field, value in item.items():
                    self._put(inner, field, value, rules, report)
                made[name] = inner
            else:
                self._put(made, name, item, rules, report)
        out["payload"] = made

    def _put(
        self, box: dict[str, object], name: str, item: object, rules: dict[str, ContentRule], report: Report
    ) -> None:
        """Put into *box* what is kept of one field."""
        named = name if name in rules else _COUNTED.sub("", name)
        rule = rules.get(named)
        if rule is None:
            if self._strict:
                name, item = self._name(name), self._reduced(item)
            box[name] = item
            return
        if rule.mode == "digest" and item is not None and not isinstance(item, bool):
            item = self.digest(item)
            report.content[named] = rule.note()
        elif rule.mode == "omit" or rule.purpose or rule.retention:
            report.content[named] = rule.note()
        if rule.mode != "omit":
            box[name] = item

    def digest(self, value: object) -> object:
        """Return the length and the keyed digest of a value: equal content is recognised, nothing else learned."""
        if _is_digest(value):
            return value
        raw = value.encode() if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        return {
            "length": len(value) if isinstance(value, str) else len(raw),
            "digest": f"hmac-sha256:{self._mac(raw)}",
        }

    def _reduced(self, value: object) -> object:
        """Return *value* with every text that is no identifier or enumeration digested."""
        if isinstance(value, str):
            return value if _PLAIN.match(value) else self.digest(value)
        if isinstance(value, dict):
            return (
                value if _is_digest(value) else {self._name(name): self._reduced(item) for name, item in value.items()}
            )
        if isinstance(value, list):
            return [self._reduced(item) for item in value]
        return value

    def _name(self, name: str) -> str:
        """Return a name, or the digest of one that is text itself."""
        return name if _PLAIN.match(name) else f"hmac-sha256:{self._mac(name.encode())}"

    def _mac(self, raw: bytes) -> str:
        return hmac.new(self._key, raw, hashlib.sha256).hexdigest()[:32]


def _is_digest(value: object) -> bool:
    """Return whether *value* is a digest already; what only has its two names is somebody's content."""
    return (
        isinstance(value, dict)
        and set(value) == {"length", "digest"}
        and type(value["length"]) is int
        and type(value["digest"]) is str
        and _DIGEST.match(value["digest"]) is not None
    )
