"""The walk: one pass over any object, giving a fresh, JSON-safe, redacted copy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import orjson

from agentlogsafe.redaction.keys import KeyRules, moved_keys
from agentlogsafe.redaction.memory import RunMemory
from agentlogsafe.redaction.plain import HIDDEN, describe, simplify
from agentlogsafe.redaction.policy import RedactionPolicy
from agentlogsafe.redaction.scanner import Scanner

PolicySource: TypeAlias = "RedactionPolicy | Mapping[str, object] | str | Path | None"
Trail: TypeAlias = "tuple[object, object] | None"

UNREDACTABLE = "[UNREDACTABLE]"
_INT_MIN, _INT_MAX = -(2**63), 2**64 - 1
_SAFE_INT = 10**11
_MASKED = re.compile(r"\[[A-Z_]{2,20}\]")


class Report:
    """What happened during one walk: counts by category, problems and cuts; never a fragment of a value."""

    __slots__ = ("counts", "problems", "size", "truncated")

    def __init__(self) -> None:
        """Start empty."""
        self.counts: dict[str, int] = {}
        self.problems: list[str] = []
        self.truncated: list[dict[str, object]] = []
        self.size = 0

    def count(self, category: str) -> None:
        """Count one replaced value."""
        self.counts[category] = self.counts.get(category, 0) + 1

    def problem(self, text: str) -> None:
        """Note a problem once."""
        if text not in self.problems:
            self.problems.append(text)


class _Walk:
    """The state of one pass."""

    __slots__ = ("active", "memory", "names", "report", "slots", "texts")

    def __init__(self, report: Report, memory: RunMemory | None) -> None:
        self.report = report
        self.memory = memory
        self.slots: list[dict[str, object] | list[object]] = []
        self.names: list[str | int] = []
        self.texts: list[str] = []
        self.active: set[int] = set()


def _path(trail: Trail) -> str:
    parts: list[str] = []
    while trail is not None:
        trail, part = trail  # type: ignore[assignment]
        parts.append(str(part))
    return ".".join(reversed(parts))


class Redactor:
    """Applies one policy; made once by `compile_policy`, used for every event, by any number of threads."""

    __slots__ = ("_depth", "_items", "_keys", "_scanner", "policy")

    def __init__(self, policy: RedactionPolicy, depth: int, items: int) -> None:
        """Compile *policy*; containers deeper than *depth* or longer than *items* are cut."""
        self.policy = policy
        self._depth = depth
        self._items = items
        self._keys = KeyRules(moved_keys({}, ()))
        self._scanner = Scanner(self._keys, self._mask, _MASKED)

    def copy(self, value: object, report: Report, *, key: str | None = None, memory: RunMemory | None = None) -> object:
        """Return a redacted, JSON-safe copy of *value*; *key* is the name that it stood under, if any."""
        try:
            walk = _Walk(report, memory)
            root: dict[str, object] = {}
            self._put(root, key or "", value, walk, self._keys.category(key) if key else None, 0, None)
            self._texts(walk)
            return root[key or ""]
        except Exception:  # noqa: BLE001 - fail closed, whatever it was
            report.problem("redaction failed; the value was withheld")
            return UNREDACTABLE

    def event(self, event_type: str, fields: Mapping[str, object], report: Report, memory: RunMemory | None = None) -> dict[str, object]:
        """Return the redacted copy of an event's untrusted *fields*, walked in one pass."""
        out = self.copy(dict(fields), report, memory=memory)
        return out if isinstance(out, dict) else {"payload": out}

    def text(self, text: str, report: Report, memory: RunMemory | None = None) -> str:
        """Return the redacted form of one text."""
        return str(self.copy(text, report, memory=memory))

    def _mask(self, category: str, value: str) -> str:  # noqa: ARG002
        return f"[{category}]"

    def _put(self, slot: dict[str, object] | list[object], name: str | int, value: object, walk: _Walk, category: str | None, depth: int, trail: Trail) -> None:  # noqa: PLR0913
        """Put the copy of *value* into *slot* under *name*; text is put as it is and looked at later."""
        kind = type(value)
        if kind is str:
            text: str = value  # type: ignore[assignment]
            if category is not None and self._sensitive(category, text):
                slot[name] = self._masked(category, text, walk)  # type: ignore[index,call-overload]
                return
            slot[name] = text  # type: ignore[index,call-overload]
            walk.slots.append(slot)
            walk.names.append(name)
            walk.texts.append(text)
            return
        if value is None or kind is bool:
            slot[name] = value  # type: ignore[index,call-overload]
        elif kind is int or kind is float:
            slot[name] = self._number(value, category, walk)  # type: ignore[index,call-overload,arg-type]
        elif value is HIDDEN:
            walk.report.count("SECRET")
            slot[name] = "[SECRET]"  # type: ignore[index,call-overload]
        else:
            slot[name] = None  # type: ignore[index,call-overload]
            try:
                self._container(slot, name, value, walk, category, depth, trail)
            except Exception:  # noqa: BLE001 - an object's own methods may do anything
                walk.report.problem(f"{describe(value)} could not be read; it was withheld")
                slot[name] = UNREDACTABLE  # type: ignore[index,call-overload]

    def _container(self, slot: dict[str, object] | list[object], name: str | int, value: object, walk: _Walk, category: str | None, depth: int, trail: Trail) -> None:  # noqa: PLR0913
        kind = type(value)
        if kind is not dict and kind is not list:
            plain = simplify(value, self._items)
            if type(plain) not in (dict, list):
                self._put(slot, name, plain, walk, category, depth + 1, trail)
                return
        else:
            plain = value
        if id(value) in walk.active:
            slot[name] = "[CYCLE]"  # type: ignore[index,call-overload]
            return
        if depth >= self._depth:
            walk.report.truncated.append({"path": _path(trail), "reason": "depth", "length": len(plain)})  # type: ignore[arg-type]
            slot[name] = "[TRUNCATED]"  # type: ignore[index,call-overload]
            return
        walk.active.add(id(value))
        try:
            if isinstance(plain, dict):
                slot[name] = self._dict(plain, walk, category, depth + 1, trail)  # type: ignore[index,call-overload]
            elif isinstance(plain, list):
                slot[name] = self._list(plain, walk, category, depth + 1, trail)  # type: ignore[index,call-overload]
        finally:
            walk.active.discard(id(value))

    def _dict(self, value: dict[object, object], walk: _Walk, category: str | None, depth: int, trail: Trail) -> dict[str, object]:
        out: dict[str, object] = {}
        pairs = list(value.items())
        if len(pairs) > self._items:
            walk.report.truncated.append({"path": _path(trail), "reason": "items", "length": len(value)})
            pairs = pairs[: self._items - 1]
        for key, item in pairs:
            name = self._key(key, walk)
            while name in out:
                name += " (2)"
            self._put(out, name, item, walk, self._keys.category(name) or category, depth, (trail, name))
        if len(pairs) < len(value):
            out["[TRUNCATED]"] = True
        return out

    def _list(self, value: list[object], walk: _Walk, category: str | None, depth: int, trail: Trail) -> list[object]:
        cut = len(value) > self._items
        if cut:
            walk.report.truncated.append({"path": _path(trail), "reason": "items", "length": len(value)})
        taken = list(islice(value, self._items - 1)) if cut else list(value)
        out: list[object] = [None] * len(taken)
        for place, item in enumerate(taken):
            self._put(out, place, item, walk, category, depth, (trail, place))
        if cut:
            out.append("[TRUNCATED]")
        return out

    def _key(self, key: object, walk: _Walk) -> str:
        if type(key) is not str:
            try:
                key = str(simplify(key, 1)) if key is not None else "null"
            except Exception:  # noqa: BLE001 - a key's own methods may do anything
                walk.report.problem("a key could not be read; it was withheld")
                return UNREDACTABLE
        return self._scanner.scan(str(key), walk.report.counts)

    def _number(self, value: float, category: str | None, walk: _Walk) -> object:
        if category is not None:
            return self._masked(category, str(value), walk)
        if isinstance(value, float):
            return value if value - value == 0.0 else {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
        if -_SAFE_INT < value < _SAFE_INT:
            return value
        if not _INT_MIN <= value <= _INT_MAX and value.bit_length() > 4096:  # noqa: PLR2004
            return f"[INTEGER of {value.bit_length()} bits]"
        text = str(value)
        found = self._scanner.scan(text, walk.report.counts)
        return found if found != text or not _INT_MIN <= value <= _INT_MAX else value

    @staticmethod
    def _sensitive(category: str, text: str) -> bool:  # noqa: ARG004
        return bool(text) and not _MASKED.fullmatch(text)

    def _masked(self, category: str, text: str, walk: _Walk) -> str:
        walk.report.count(category)
        if walk.memory is not None:
            walk.memory.add(text, category)
        return self._mask(category, text)

    def _texts(self, walk: _Walk) -> None:
        counts = walk.report.counts
        for slot, name, text in zip(walk.slots, walk.names, walk.texts, strict=True):
            walk.report.size += len(text)
            try:
                slot[name] = self._one(text, counts, walk)  # type: ignore[index,call-overload]
            except Exception:  # noqa: BLE001 - fail closed
                walk.report.problem("a text could not be scanned; it was withheld")
                slot[name] = UNREDACTABLE  # type: ignore[index,call-overload]

    def _one(self, text: str, counts: dict[str, int], walk: _Walk) -> str:
        if text[:1] in ("{", "[") and text[-1:] in ("}", "]"):
            try:
                inner = orjson.loads(text)
            except ValueError:
                inner = None
            if inner is not None:
                copied = self.copy(inner, walk.report, memory=walk.memory)
                return text if copied == inner else orjson.dumps(copied).decode()
        text = self._scanner.scan(text, counts)
        if walk.memory is not None:
            for value, category in walk.memory.values.items():
                if value in text:
                    text = text.replace(value, self._mask(category, value))
                    counts[category] = counts.get(category, 0) + 1
        return text


@lru_cache(maxsize=64)
def _compiled(digest: str, depth: int, items: int, policy: _Held) -> Redactor:  # noqa: ARG001 - the digest is the key
    return Redactor(policy.policy, depth, items)


class _Held:
    """Carries a policy through the cache without being part of its key."""

    __slots__ = ("policy",)

    def __init__(self, policy: RedactionPolicy) -> None:
        self.policy = policy

    def __hash__(self) -> int:
        return 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held)


def compile_policy(source: PolicySource = None, *, depth: int = 32, items: int = 1000) -> Redactor:
    """Return the redactor of a policy, made once per policy and limits.

    Raises:
        ConfigurationError: naming the key, the value, what was expected and the nearest valid name.
    """
    policy = RedactionPolicy.load(source)
    return _compiled(policy.digest, depth, items, _Held(policy))


def redact(value: object, policy: PolicySource = None) -> object:
    """Return a redacted, JSON-safe copy of *value*.

    Raises:
        ConfigurationError: where *policy* is not one; whatever *value* is never raises.
    """
    return compile_policy(policy).copy(value, Report())
