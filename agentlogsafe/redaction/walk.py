"""One pass over any object: a fresh, JSON-safe copy, with its text laid aside for the scanner.

Text leaves are put into the copy as they are and remembered by their place; when the walk is over they are looked
at together. One look at all of them costs less than one look at each, and most events are clean.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, TypeAlias

from agentlogsafe.redaction import vocabulary
from agentlogsafe.redaction.argv import secrets
from agentlogsafe.redaction.columns import mask_columns
from agentlogsafe.redaction.keys import classify, jumbled
from agentlogsafe.redaction.known import KNOWN
from agentlogsafe.redaction.pairs import NAMINGS
from agentlogsafe.redaction.plain import HIDDEN, describe, simplify
from agentlogsafe.redaction.withheld import UNREDACTABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentlogsafe.redaction.memory import RunMemory
    from agentlogsafe.redaction.report import Report

Trail: TypeAlias = "tuple[Trail, str | int, object] | None"
Slot: TypeAlias = "dict[str, object] | list[object]"
Entry: TypeAlias = "tuple[str, str | None]"
Pairs: TypeAlias = "list[tuple[Slot, str | int, str | int, object, object]]"
"""Texts beside each other that are no name and value yet: where, and what they were before they were scanned."""

TRUNCATED = "[TRUNCATED]"
CYCLE = "[CYCLE]"
DROP = ""
_INT_MIN, _INT_MAX = -(2**63), 2**64 - 1
_BIG = 10**11
_BITS = 4096
_SHALLOW, _ROW = 4, 2
_LONGEST, _SHORTEST_KEY, _SHORTEST_RANDOM = 1_000_000, 16, 20
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
_PERSON = re.compile(r"[^\W\d_a-z][\w'\u2019.-]*(?:[ ,]{1,2}[^\W\d_][\w'\u2019.-]*){0,4}\Z")
_HOST = re.compile(r"0x[0-9a-fA-F]+\Z|[\w.-]+:\d+\Z|[0-9a-fA-F.:]+\Z|\w+://")
_NOT_A_NAME = re.compile(r"[a-z]+[A-Z]|[A-Z][a-z]+[A-Z]|[_/\\@:]|\d")


class Rules:
    """What the walk asks of a policy: names, replacements, limits."""

    __slots__ = ("announced", "depth", "drops", "entry", "items", "mask", "masked", "names", "nodes", "number")

    def __init__(
        self, *, names: dict[str, Entry], entry: Callable[[str, Report], Entry], mask: Callable[[str, str], str], masked: re.Pattern[str],  # noqa: E501 - one row of a table
        number: Callable[[str, Report], str], announced: Callable[[str, str], str | None], depth: int, items: int,
        nodes: int, drops: frozenset[str] = frozenset(),
    ) -> None:  # fmt: skip
        """Take the remembered names, and how to decide about a new one, replace a value, scan a number."""
        self.names = names
        self.entry = entry
        self.mask = mask
        self.masked = masked
        self.number = number
        self.announced = announced
        self.depth = depth
        self.items = items
        self.nodes = nodes
        self.drops = drops


class Walk:
    """The state of one pass."""

    __slots__ = ("keys", "memory", "nodes", "pairs", "places", "report", "rules", "slots", "texts")

    def __init__(self, rules: Rules, report: Report, memory: RunMemory | None) -> None:
        """Start a pass that writes into *report* and, when given, into *memory*."""
        self.rules = rules
        self.report = report
        self.memory = memory
        self.texts: list[str] = []
        self.slots: list[Slot] = []
        self.places: list[str | int] = []
        self.pairs: Pairs | None = None
        self.nodes = 0
        self.keys = 0

    def mapping(self, value: dict[object, object], category: str | None, trail: Trail) -> dict[str, object]:
        """Return the copy of a mapping; *category* is what a key above it announced.

        The hot loop: one dict lookup a key and three appends a text. A cycle is looked for on the way up from each
        container, because the way is short (50 ns a level; a set with its clean-up cost 250 ns a container).
        """
        rules = self.rules
        names = rules.names
        texts, slots, places = self.texts, self.slots, self.places
        out: dict[str, object] = {}
        private = False
        renamed: dict[str, int] | None = None
        since = len(texts)
        pairs = value.items()
        size = len(value)
        self.keys += size
        if size > rules.items:
            self.report.truncated.append({"path": path(trail), "reason": "items", "length": size})
            pairs = list(pairs)[: rules.items - 1]  # type: ignore[assignment]
        for key, item in pairs:
            try:
                name, found = names[key]  # type: ignore[index]
            except KeyError:
                name, found = self.name(key)
                renamed = renamed or {}
            if renamed is not None and name in out:  # a name that is known is the key itself, and no other key's
                name = _another(name, out, renamed)
            kind = type(item)
            if found is None:
                if category is None:
                    if kind is str:
                        length = len(item)  # type: ignore[arg-type]
                        if length == 36 and not (KNOWN.values or self.memory) and _UUID.match(item):  # type: ignore[call-overload]  # noqa: PLR2004 - the length of a UUID, which can be a secret
                            out[name] = item
                        elif length > _LONGEST:
                            self.put(out, name, item, None, trail)
                        else:
                            out[name] = item
                            texts.append(item)  # type: ignore[arg-type]
                            slots.append(out)
                            places.append(name)
                        continue
                    if kind is bool or (kind is int and -_BIG < item < _BIG):  # type: ignore[operator]
                        out[name] = item
                        continue
                    if item is None:
                        out[name] = None
                        self.report.odd = True
                        continue
                    # The usual shape, arguments in a payload, without the detour over `put`: two levels below the root
                    # there is only one container above to be a cycle of.
                    if (
                        kind is dict
                        and (trail is None or (trail[0] is None and trail[2] is not item))
                        and item is not value
                        and self.nodes < rules.nodes
                        and rules.depth >= _SHALLOW
                    ):
                        self.nodes += len(item)  # type: ignore[arg-type]
                        try:
                            out[name] = self.mapping(item, None, (trail, name, item))  # type: ignore[arg-type]
                        except Exception:  # noqa: BLE001 - what cannot be redacted is withheld
                            self.report.problem(f"{describe(item)} could not be read; it was withheld")
                            out[name] = UNREDACTABLE
                        continue
                else:
                    found = category
            elif found == "NAME?":
                found = category or self.person(value, item, trail)
            elif found == "KEY?":
                found = category or (
                    "API_KEY" if kind is str and len(item) >= _SHORTEST_RANDOM and jumbled(item) else None  # type: ignore[arg-type]
                )
            elif found == "JWK?":
                found = category
                private = True
            self.put(out, name, item, found, trail)
        if size > rules.items:
            out[TRUNCATED] = size - rules.items + 1
        if private:
            self._private_key(out, since)
        if "value" in out or "Value" in out or "ParameterValue" in out:
            self._paired(out, since)
        if "columns" in out:
            mask_columns(self, out, since)
        return out

    def _private_key(self, out: dict[str, object], since: int) -> None:
        """Mask the private parts of a JSON Web Key (RFC 7518): what else stands in it is public."""
        for name in ("d", "p", "q", "dp", "dq", "qi", "k"):
            if type(out.get(name)) is str and len(str(out[name])) >= _SHORTEST_KEY:
                self._replaced(out, name, "KEY", since)

    def _paired(self, out: dict[str, object], since: int) -> None:
        """Mask a value beside a name that says that it is a credential: a variable, a header, a field of a form."""
        for names, held in NAMINGS:
            if type(out.get(held)) is str:
                for name in names:
                    if type(out.get(name)) is str:
                        self.beside(out, name, held, since)

    def beside(self, out: Slot, name: str | int, held: str | int, since: int) -> None:
        """Mask the text at *held* where the one at *name* says that it is a credential; the others are `Pairs`.

        Two texts in a row are a name and a value only where the second has a digit.
        """
        said, value = out[name], out[held]  # type: ignore[index]
        found = self.rules.announced(said, value) if name != 0 or any(map(str.isdigit, value)) else None  # type: ignore[arg-type,call-overload]
        if found is not None:
            self._replaced(out, held, found, since)
        elif self.pairs is None:
            self.pairs = [(out, name, held, said, value)]
        else:
            self.pairs.append((out, name, held, said, value))

    def _replaced(self, out: Slot, place: str | int, category: str, since: int) -> None:
        """Mask what stands at *place* already, and what was laid aside of it, which is not before *since*."""
        out[place] = self._sensitive(str(out[place]), category) or None  # type: ignore[index]
        self.report.odd = True
        for at in range(len(self.texts) - 1, since - 1, -1):
            if self.slots[at] is out and self.places[at] == place:
                self.texts[at] = ""
                self.slots[at] = {}
                return

    def sequence(self, value: list[object], category: str | None, trail: Trail) -> list[object]:
        """Return the copy of a sequence."""
        limit = self.rules.items
        size = len(value)
        if size > limit:
            self.report.truncated.append({"path": path(trail), "reason": "items", "length": size})
            value = value[: limit - 1]
        out: list[object] = [None] * len(value)
        since = len(self.texts)
        for place, item in enumerate(value):
            self.put(out, place, item, category, trail)
        # A row of a table of names and values, as HTTP clients keep their headers. It is judged by what it became: what
        # was bytes or a number is text when it is redacted again.
        if size == _ROW and category is None and type(out[0]) is str and type(out[1]) is str:
            self.beside(out, 0, 1, since)
        if category is None and any([type(item) is str and item[:1] == "-" for item in out]):  # noqa: C419 - half of the cost
            for place, found in secrets(out, lambda text: self.rules.number(text, self.report.aside())):
                self._replaced(out, place, found, since)
        if size > limit:
            out.append(TRUNCATED)
        return out

    def put(self, slot: Slot, place: str | int, value: object, category: str | None, trail: Trail) -> None:
        """Put the copy of *value* into *slot* at *place*."""
        kind = type(value)
        if kind is str:
            self._text(slot, place, value, category)  # type: ignore[arg-type]
        elif kind is bool:
            slot[place] = value  # type: ignore[index]
        elif value is None:
            slot[place] = None  # type: ignore[index]
            self.report.odd = True
        elif kind is int or kind is float:
            slot[place] = self._number(value, category)  # type: ignore[index]
        elif value is HIDDEN:
            self.report.count("SECRET")
            slot[place] = self.rules.mask("SECRET", "")  # type: ignore[index]
        else:
            slot[place] = UNREDACTABLE  # type: ignore[index]
            try:
                slot[place] = self._container(slot, place, value, category, trail)  # type: ignore[index]
            except Exception:  # noqa: BLE001 - what cannot be redacted is withheld
                self.report.problem(f"{describe(value)} could not be read; it was withheld")
                slot[place] = UNREDACTABLE  # type: ignore[index]

    def _text(self, slot: Slot, place: str | int, text: str, category: str | None) -> None:
        if len(text) > _LONGEST:
            self.report.truncated.append({"path": str(place), "reason": "text", "length": len(text)})
            text = text[:_LONGEST].rpartition(" ")[0] + " " + TRUNCATED
        if category is not None and text:
            replaced = self._sensitive(text, category)
            if replaced == DROP and isinstance(slot, dict):
                slot.pop(place, None)  # type: ignore[arg-type]
                return
            if replaced is not None:
                slot[place] = replaced or None  # type: ignore[index]
                self.report.odd = self.report.odd or not replaced
                return
        slot[place] = text  # type: ignore[index]
        self.texts.append(text)
        self.slots.append(slot)
        self.places.append(place)

    def _sensitive(self, text: str, category: str) -> str | None:
        """Return what stands for *text* under a sensitive key, or None where it is not that kind of value."""
        if category == "NAME?":  # it came as an object, and is judged by the text it became
            if not _person_like(text):
                return None
            category = "NAME"
        if self.rules.masked.fullmatch(text):
            return text
        if category == "ADDRESS" and _HOST.match(text):
            return None
        self.report.count(category)
        if self.memory is not None:
            self.memory.add(text, category)
        return DROP if category in self.rules.drops else self.rules.mask(category, text)

    def _number(self, value: Any, category: str | None) -> object:
        if category is not None and category != "NAME?":
            if isinstance(value, float) or -(1 << _BITS) < value < 1 << _BITS:
                self.report.count(category)
                return self.rules.mask(category, str(value))
            return self.rules.mask(category, "")
        if isinstance(value, float):
            self.report.odd = True
            if not math.isfinite(value):
                return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"  # noqa: PLR0124 - only not-a-number differs from itself
            if not value.is_integer() or -_BIG < value < _BIG:
                return value
            found = self.rules.number(str(int(value)), self.report) if abs(value) < 1e19 else ""  # noqa: PLR2004 - a length, and what it is of stands beside it
            return found if found and not found.lstrip("-").isdigit() else value
        if -_BIG < value < _BIG:
            return value
        if value.bit_length() > _BITS:
            return f"[INTEGER of {value.bit_length()} bits]"
        text = str(value)
        found = self.rules.number(text, self.report)
        return value if found == text and _INT_MIN <= value <= _INT_MAX else found

    def _container(self, slot: Slot, place: str | int, value: object, category: str | None, trail: Trail) -> object:
        depth = 0
        above = trail
        while above is not None:
            if above[2] is value:
                return CYCLE
            depth += 1
            above = above[0]
        kind = type(value)
        # What stands right at the top, an event's fields, stays what it is: an object, if perhaps an empty one.
        if depth >= self.rules.depth or (self.nodes > self.rules.nodes and depth):
            reason = "nodes" if depth < self.rules.depth else "depth"
            length = len(value) if kind in (dict, list, tuple, set) else 1  # type: ignore[arg-type]
            self.report.truncated.append({"path": path((trail, place, None)), "reason": reason, "length": length})
            return TRUNCATED
        here = (trail, place, value)
        if kind is dict:
            self.nodes += len(value)  # type: ignore[arg-type]
            return self.mapping(value, category, here)  # type: ignore[arg-type]
        if kind is list:
            self.nodes += len(value)  # type: ignore[arg-type]
            return self.sequence(value, category, here)  # type: ignore[arg-type]
        plain = simplify(value, self.rules.items)
        if category == "NAME?" and type(plain) in (dict, list):
            category = None
        if type(plain) is dict:
            self.nodes += len(plain)
            return self.mapping(plain, category, here)
        if type(plain) is list:
            self.nodes += len(plain)
            return self.sequence(plain, category, here)
        self.nodes += 1
        self.put(slot, place, plain, category, here)
        return slot[place]  # type: ignore[index]

    def name(self, key: object) -> Entry:
        """Return the name that stands for *key* in the copy, and the category that it announces."""
        if type(key) is bool:
            key = "true" if key else "false"
        if type(key) is not str:
            try:
                key = "null" if key is None else str(simplify(key, 1))
            except Exception:  # noqa: BLE001 - what cannot be redacted is withheld
                self.report.problem("a key could not be read; it was withheld")
                return UNREDACTABLE, None
        return self.rules.entry(str(key), self.report)

    @staticmethod
    def person(siblings: dict[object, object], value: object, trail: Trail) -> str | None:
        """Return whether ``name`` names a person here: what it stands in and beside, and what it looks like."""
        if value is None or type(value) in (bool, dict, list):
            return None
        words = {str(key).lower() for key in siblings if type(key) is str}
        if words & vocabulary.THING_WORDS:
            return None
        if "value" in words and (type(value) is not str or classify(value) is not None):
            return None  # what is called so has the value beside it: a header, a variable, a field
        if words & vocabulary.PERSON_KEYS or (trail is not None and str(trail[1]).lower() in vocabulary.PERSON_WORDS):
            return "NAME"
        if type(value) is not str:
            return None if type(value) in (int, float) else "NAME?"
        return "NAME" if _person_like(value) else None


def _person_like(text: str) -> bool:
    return _PERSON.match(text) is not None and not _NOT_A_NAME.search(text) and text not in ("NaN", "Infinity")


def _another(name: str, taken: dict[str, object], counters: dict[str, int]) -> str:
    """Return *name* with a counter, for a second key that became the same text; *counters* are where to go on."""
    count = counters.get(name, 2)
    while f"{name} ({count})" in taken:
        count += 1
    counters[name] = count + 1
    return f"{name} ({count})"


def path(trail: Trail) -> str:
    """Return the dotted path of a trail."""
    parts: list[str] = []
    while trail is not None:
        parts.append(str(trail[1]))
        trail = trail[0]
    return ".".join(part for part in reversed(parts) if part)
