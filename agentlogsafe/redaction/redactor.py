"""The redactor: a policy, compiled, applied to values, events and texts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import orjson

from agentlogsafe.redaction.content import Minimizer
from agentlogsafe.redaction.json_text import parsed, repeated
from agentlogsafe.redaction.keys import KeyRules, moved_keys, squash
from agentlogsafe.redaction.known import KNOWN, register_environment
from agentlogsafe.redaction.policy import PolicySource, RedactionPolicy
from agentlogsafe.redaction.report import Report
from agentlogsafe.redaction.strategies import masked, replacer
from agentlogsafe.redaction.visible import sanitize
from agentlogsafe.redaction.walk import Entry, Rules, Slot, Walk
from agentlogsafe.redaction.withheld import UNREDACTABLE

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping

    from agentlogsafe.redaction.memory import RunMemory

_LONGEST_NAME = 128
_ENOUGH = 4096
_LEVELS = 6
_MOST = 200_000  # units of work that the texts of a line may cost together: 0.3 s
_NODES = 200_000
_VALUE = 2  # bytes of JSON that a value takes at least
_ASCII, _WIDE = 6, 12  # bytes of a character, escaped
_SCALAR = 50  # characters of a number or a UUID, and of the marks around it and its name
_TOGETHER = (1024, 64)  # so many characters of texts are asked about at once
_VAIN = 3
_FEW = 4  # of so few texts, it costs more to ask about some at a time
_OPENING = frozenset('{["')
_CLOSING = frozenset('}]"')
_COMPILED: dict[tuple[object, ...], Redactor] = {}


class Redactor:
    """Applies one policy: made once by `compile_policy`, used for every event, by any number of threads.

    Its methods never raise.
    """

    __slots__ = (
        *("_keys", "_known", "_longest", "_mask", "_masked", "_minimizer", "_names", "_rules", "_scanner"),
        "policy",
    )

    def __init__(self, policy: RedactionPolicy, key: bytes, depth: int, items: int, line: int = 0) -> None:
        """Compile *policy* with its *key*; what is deeper than *depth* or longer than *items* is cut.

        Where it is for lines of *line* bytes, more than fits into one is cut, and what it may cost has an end.
        """
        # The tables are two hundred patterns to compile: they are loaded for a policy that is used, not by an import.
        from agentlogsafe.redaction.assignments import announced  # noqa: PLC0415 - see above
        from agentlogsafe.redaction.scanner import Scanner  # noqa: PLC0415 - see above
        from agentlogsafe.redaction.separators import endings  # noqa: PLC0415 - see above

        self.policy = policy
        self._keys = KeyRules(moved_keys(policy.sensitive, policy.harmless))
        self._names: dict[str, Entry] = {}
        self._known = KNOWN.values  # what was registered when the first of those names was found to be clean
        self._longest = 0  # of their names
        self._mask = replacer(policy.strategies, policy.default_strategy, key)
        self._masked = masked(policy.strategies)
        self._minimizer = (
            Minimizer(policy.content, policy.unknown, key) if policy.content or policy.unknown != "keep" else None
        )
        self._scanner = Scanner(
            self._keys, self._mask, masked=self._masked, disabled=policy.disabled, custom=policy.detectors, public=policy.private_addresses == "keep", most=_MOST if line else None,  # noqa: E501 - one row of a table
            endings=endings(squash(name) for name in policy.sensitive) if policy.sensitive else None,
        )  # fmt: skip
        drops = frozenset(category for category, how in policy.strategies.items() if how == "drop")
        self._rules = Rules(
            names=self._names, entry=self._entry, mask=self._mask, masked=self._masked, number=self._number_text, announced=partial(announced, self._keys, self._masked), depth=max(depth, 1), items=max(items, 2), nodes=line // _VALUE or _NODES, drops=drops,  # noqa: E501 - one row of a table
        )  # fmt: skip

    def copy(self, value: object, report: Report, *, key: str | None = None, memory: RunMemory | None = None) -> object:
        """Return a redacted, JSON-safe copy of *value*; *key* is the name that it stood under, if any."""
        try:
            report.budget = report.tried = None
            root: dict[str, object] = {}
            if KNOWN.values is not self._known:
                self._forget()
            category = self._keys.category(key) if key else None
            walk = Walk(self._rules, report, memory if self.policy.memory else None)
            if category == "NAME?":
                category = Walk.person({}, value, None)
            walk.put(root, "", value, None if category == "KEY?" else category, None)
            self._finish(walk)
            if report.counts:
                self._noted(report)
            return root.get("")
        except Exception:  # noqa: BLE001 - what cannot be redacted is withheld
            report.problem("redaction failed; the value was withheld")
            return UNREDACTABLE

    def event(
        self, event_type: str, fields: Mapping[str, object], report: Report, memory: RunMemory | None = None
    ) -> dict[str, object]:
        """Return the redacted copy of an event's untrusted *fields*, with the policy's content rules applied."""
        try:
            report.budget = report.tried = None
            if KNOWN.values is not self._known:
                self._forget()
            minimizer = self._minimizer
            if minimizer is not None:
                fields = minimizer.before(event_type, fields, report)
            walk = Walk(self._rules, report, memory if self.policy.memory else None)
            out = walk.mapping(fields if type(fields) is dict else dict(fields), None, None)  # type: ignore[arg-type]
            if walk.texts:
                self._finish(walk)
            if report.counts:
                self._noted(report)
            report.nodes = walk.nodes + len(out)
            if minimizer is not None:
                minimizer.after(event_type, out, report)
                report.odd = True
            return out  # noqa: TRY300 - the guarded part is the whole
        except Exception:  # noqa: BLE001 - what cannot be redacted is withheld
            report.problem("redaction failed; the fields were withheld")
            return dict.fromkeys(("payload",), UNREDACTABLE)

    def most_bytes(self, report: Report) -> int:
        """Return how long an event is at most as JSON, of whatever writer, provided that nothing of it was replaced."""
        characters = report.size + report.nodes * (self._longest + _SCALAR)
        return characters * (_WIDE if report.wide else _ASCII)

    def announces(self, name: str) -> bool:
        """Return whether the values under *name* are sensitive, or can be."""
        return self._keys.category(name) is not None

    def text(self, text: str, report: Report, memory: RunMemory | None = None) -> str:
        """Return the redacted form of one text."""
        out = self.copy(text, report, memory=memory)
        return out if type(out) is str else str(out)

    @staticmethod
    def _measured(text: str, report: Report) -> None:
        report.size += len(text)
        if not text.isascii():
            report.wide = True

    @staticmethod
    def _noted(report: Report) -> None:
        """Name as a problem what the scanner withheld."""
        if "UNREDACTABLE" in report.counts:
            report.problem("a text would have taken too long to redact; what was suspicious in it was withheld")

    def _forget(self) -> None:
        """Ask about all names anew: one of them may be what has been registered."""
        self._known = KNOWN.values
        self._names.clear()

    def _entry(self, key: str, report: Report) -> Entry:
        """Decide about a key seen for the first time, and remember it when it is clean."""
        pattern = KNOWN.pattern()
        known = key if pattern is None else self._without(pattern, key, report)
        name = self._scanner.scan(known, report, once=True)
        entry = name, self._keys.category(self._masked.sub("", name) if "[" in name else name)
        if name == key and len(key) <= _LONGEST_NAME:
            if len(self._names) >= _ENOUGH:
                self._names.clear()
            self._longest = max(self._longest, len(key) if key.isascii() else 2 * len(key))
            self._names[key] = entry
        else:
            self._measured(name, report)
        return entry

    def _number_text(self, text: str, report: Report) -> str:
        return self._scanner.scan(text, report)

    def _finish(self, walk: Walk, level: int = 0) -> None:
        """Look at the text that the walk laid aside: all of it at once, and only where that finds something, each."""
        texts = walk.texts
        if not texts:
            return
        joined = texts[0] if len(texts) == 1 else "\n".join(texts)
        if "{" in joined or "[" in joined or ("\\" in joined and '\\"' in joined):
            texts = self._structured(walk, level)
            joined = "\n".join(texts)
        self._measured(joined, walk.report)
        known = walk.memory.known(joined) if walk.memory is not None else None
        if KNOWN.values:
            self._registered(walk, joined)
        if len(walk.texts) == 1:  # it is asked about by its scan
            walk.slots[0][walk.places[0]] = self._scanned(walk.texts[0], walk.places[0], walk.report)  # type: ignore[index]
        elif self._scanner.suspicious(joined):
            self._each(walk, 0, len(walk.texts))
        if known is not None:
            for slot, place in zip(walk.slots, walk.places, strict=True):
                slot[place] = self._remembered(slot[place], known, walk)  # type: ignore[index,arg-type]
        for out, name, held, said, value in walk.pairs or ():
            if out[name] is not said or out[held] is not value:  # type: ignore[index]
                # What was masked in them decides about them when they are redacted again: so it does now.
                walk.beside(out, name, held, len(walk.texts))

    def _each(self, walk: Walk, begin: int, end: int, sizes: tuple[int, ...] = _TOGETHER) -> None:
        """Scan each text from *begin* to *end*, but those that are not suspicious together.

        Where that is in vain some times in a row, it is not asked any more.
        """
        texts, slots, places = walk.texts, walk.slots, walk.places
        if end - begin <= _FEW or not sizes:
            for text in range(begin, end):
                slots[text][places[text]] = self._scanned(texts[text], places[text], walk.report)  # type: ignore[index]
            return
        at, vain = begin, 0
        while at < end:
            first, length = at, 0
            while at < end and length < sizes[0]:
                length += len(texts[at])
                at += 1
            if vain < _VAIN and at - first > 1 and (first, at) != (begin, end):
                if not self._scanner.suspicious("\n".join(texts[first:at])):
                    vain = 0
                    continue
                vain += 1
            self._each(walk, first, at, sizes[1:])

    def _scanned(self, text: str, place: str | int, report: Report) -> str:
        try:
            return self._scanner.scan(text, report, place if type(place) is str else "")
        except Exception:  # noqa: BLE001 - what cannot be redacted is withheld
            report.problem("a text could not be scanned; it was withheld")
            return UNREDACTABLE

    def _remembered(self, text: str, known: re.Pattern[str], walk: Walk) -> str:
        memory = walk.memory

        def replace(match: re.Match[str]) -> str:
            category = memory.category(match[0]) if memory is not None else "PERSONAL"
            walk.report.count(category)
            return self._mask(category, match[0])

        return known.sub(replace, text)

    def _registered(self, walk: Walk, joined: str) -> None:
        """Take out the exact values that the application registered; before scanning, which could cut one in two."""
        pattern = KNOWN.pattern()
        if pattern is None or not any(value in joined for value in KNOWN.values):
            return
        walk.texts = [self._without(pattern, text, walk.report) for text in walk.texts]
        for slot, place, text in zip(walk.slots, walk.places, walk.texts, strict=True):
            slot[place] = text  # type: ignore[index]

    def _without(self, pattern: re.Pattern[str], text: str, report: Report) -> str:
        values = KNOWN.values

        def replace(match: re.Match[str]) -> str:
            category = values.get(match[0], "SECRET")
            report.count(category)
            return self._mask(category, match[0])

        return pattern.sub(replace, text)

    def _structured(self, walk: Walk, level: int) -> list[str]:
        """Redact texts that are JSON by the keys in them; return the texts that are left to be scanned as such."""
        texts, slots, places = walk.texts, walk.slots, walk.places
        walk.texts, walk.slots, walk.places = [], [], []
        for text, slot, place in zip(texts, slots, places, strict=True):
            if (
                text[:1] in _OPENING
                and text[-1:] in _CLOSING
                and len(text) > 2  # noqa: PLR2004 - a length, and what it is of stands beside it
                and self._json(slot, place, text, walk, level)
            ):
                continue
            walk.texts.append(text)
            walk.slots.append(slot)
            walk.places.append(place)
        return walk.texts

    def _json(self, slot: Slot, place: str | int, text: str, walk: Walk, level: int) -> bool:
        """Redact JSON inside a string by its keys, and return whether that settles it.

        The same text stays when nothing in it had to go.
        """
        value = parsed(text)
        if value is None or level >= _LEVELS or (type(value) is str and value[:1] not in _OPENING):
            return False
        slot[place] = UNREDACTABLE  # type: ignore[index]
        try:
            inner = Walk(self._rules, walk.report, walk.memory)
            inner.nodes = walk.nodes
            root: dict[str, object] = {}
            inner.put(root, "", value, None, None)
            self._finish(inner, level + 1)
            walk.nodes = inner.nodes
            self._measured(text, walk.report)
            # Of a key that stands twice, the parser saw only the last value: so does everybody else, then.
            if root[""] != value or repeated(text, inner.keys):
                slot[place] = orjson.dumps(root[""]).decode()  # type: ignore[index]
            else:
                slot[place] = sanitize(text)  # type: ignore[index]
        except Exception:  # noqa: BLE001 - what cannot be redacted is withheld
            walk.report.problem("JSON in a text could not be redacted; it was withheld")
            slot[place] = UNREDACTABLE  # type: ignore[index]
        return True


def compile_policy(source: PolicySource = None, *, depth: int = 32, items: int = 1000, line: int = 0) -> Redactor:
    """Return the redactor of a policy: the same one for the same rules, functions, key and limits.

    What lies outside of the rules, the key and the environment, is asked for every time: it can have changed.

    Raises:
        ConfigurationError: naming the key, the value, what was expected and the nearest valid name.
    """
    limits = depth, items, line
    if source is None and limits in _COMPILED:  # an eighth of what clean text of 1 KB costs
        return _COMPILED[limits]
    policy = RedactionPolicy.load(source)
    if policy.environment:
        register_environment()
    key = policy.key()
    called = (*policy.strategies.values(), policy.token_key, *(d.find for d in policy.detectors))
    # The functions themselves: the digest has only their names, and an id can be another one's later.
    at = policy.digest, *limits, key, *(function for function in called if callable(function))
    try:
        made = _COMPILED.get(at)
    except TypeError:  # a function that cannot be hashed
        return Redactor(policy, key, *limits)
    if made is None:
        if len(_COMPILED) > 64:  # noqa: PLR2004 - a length, and what it is of stands beside it
            _COMPILED.clear()
        made = _COMPILED[at] = Redactor(policy, key, *limits)
    if source is None:
        _COMPILED[limits] = made
    return made


def redact(value: object, policy: PolicySource = None) -> object:
    """Return a redacted, JSON-safe copy of *value*.

    Raises:
        ConfigurationError: where *policy* is not one; whatever *value* is never raises.
    """
    return compile_policy(policy).copy(value, Report())
