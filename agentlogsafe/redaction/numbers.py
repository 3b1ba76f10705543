"""Numbers in text: cards, IBANs and national numbers, told by outline, checksum and the words around them.

All runs of letters and digits that hold a digit are found once. What a candidate costs first is one look-up by the
outline of its first group, however many kinds of number there are; most numbers end there. Checksums come last.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from agentlogsafe.redaction import groups
from agentlogsafe.redaction.accounts import iban_at
from agentlogsafe.redaction.context import mentions, words_in
from agentlogsafe.redaction.detectors.checks import issued, luhn
from agentlogsafe.redaction.detectors.national import NUMBERS
from agentlogsafe.redaction.groups import LETTER, OTHER, OUTLINE, ZERO
from agentlogsafe.redaction.phones import calling_words, phone_at, spoken_at
from agentlogsafe.redaction.work import Work

if TYPE_CHECKING:
    from collections.abc import Iterable

Span = tuple[int, int, str]
Check = Callable[[str], bool]

_SHORT = 64  # so long a text is looked at whole for context words
_LONGEST_GROUP = 64
_BEGINNING = 5  # units that a text with a number costs, however short it is
_DEAR = 6  # times as much does a check of the library's cost as one of ours
_LONGEST_PLAIN = 24
_LETTERS_BEFORE = 8
_CARD_GROUP = 4
_CARD_LEAST = 12
CARD_LENGTHS = frozenset(range(_CARD_LEAST, 20))
_PHONE_GROUPS = frozenset((1, 3, 4))  # how long a telephone number's first group is, where no sign or zero is before it
_PHONE_SIGNS = b"+( "
CARD_CONTEXT = frozenset(
    "card cards credit debit visa mastercard amex maestro discover cc karte carte tarjeta carta".split()
)
_FIRST = re.compile(rb"[9A]+")
_CARD = re.compile(rb"9999(?:[ -]?9){8,15}")
_ALNUM = b"09A?"
_DIGITS = (b"0", b"9")
_BEFORE, _AFTER = b".-_/+$", b".-_:/"
_SIGNED, _SIDES = b"+$", b" -"
_PART = re.compile(r"\w")
_CLAUSE = re.compile(r"[^;\n]*")
_ACCOUNT_ID = re.compile(r"(?i)account[ _-]?ids?(?![a-z])")
_HASH = re.compile("[0-9]*[a-f][0-9a-f]*")  # of a commit, written short: a number would have its letters large
_SIGNLESS = {code: None for code in range(128) if not chr(code).isalnum()}


class _Kind(NamedTuple):
    """A row of the table, ready to be asked."""

    category: str
    check: Check | None
    words: tuple[str, ...]
    alone: bool
    lonely: bool  # alone, wherever it stands
    shape: re.Pattern[str] | None
    dear: bool  # its check is the library's, some 10 us


_Rows = tuple[_Kind, ...]
_Starts = dict[bytes, tuple[int, ...]]  # first group → the lengths of its outlines, from long to short


class Numbers:
    """The number table, compiled: the outline of a first group → what can start with it, longest first."""

    __slots__ = ("_groups", "_phones", "rows", "starts")

    def __init__(self, disabled: frozenset[str] = frozenset()) -> None:
        """Resolve every validator now, so that nothing is imported while logging."""
        self._phones = not disabled & {"PHONE", "contact"}
        shapes: dict[bytes, list[_Kind]] = {}
        for number in NUMBERS:
            if disabled & {number.name, number.category, "national"}:
                continue
            check = number.check()
            if check is None and number.valid is not None:
                continue
            kind = _Kind(
                number.category,
                check,
                tuple(number.context.split()),
                number.alone,
                number.alone and check is not None,
                re.compile(number.shape) if number.shape else None,
                isinstance(number.valid, str),
            )
            for outline in number.outlines:
                shapes.setdefault(outline.encode(), []).append(kind)
        starts: dict[bytes, list[bytes]] = {}
        for shape in shapes:
            first = _FIRST.match(shape)
            if first:
                starts.setdefault(first[0], []).append(shape)
        self.starts: _Starts = {
            first: tuple(sorted({len(shape) for shape in found}, reverse=True)) for first, found in starts.items()
        }
        self.rows = {shape: tuple(sorted(kinds, key=lambda kind: not kind.alone)) for shape, kinds in shapes.items()}
        self._groups = groups.pattern(self.shapes())

    def shapes(self) -> dict[bytes, int]:
        """Return all outlines of the table, with the lengths of their first groups."""
        return {shape: len(first[0]) for shape in self.rows if (first := _FIRST.match(shape))}

    def find(self, text: str, context: str = "", work: Work | None = None, *, eager: bool = False) -> list[Span]:
        """Return the spans of numbers in *text*; *context* is the name that the text stood under.

        Being *eager*, take digits for a telephone number whatever digits stand before them, as if those were found.
        """
        work = work or Work(text)
        marked = text.encode("latin-1", "replace").translate(OUTLINE)
        found: Span | None
        spans: list[Span] = []
        reading: _Reading | None = None
        phones = self._phones
        taken = -9
        at = tried = 0
        search = self._groups.search
        while (match := search(marked, at)) is not None:
            start, at = match.span()
            listed = match.lastindex
            if listed is None:
                continue
            tried += 2
            end = at
            before = marked[start - 1] if start else 0
            if before in _ALNUM:
                if before == LETTER:
                    least = max(start - _LETTERS_BEFORE - 1, 0)
                    start = least + len(marked[least:start].rstrip(b"A"))
                    before = marked[start - 1] if start else 0
                if before in _ALNUM and text[start - 1].isalnum():
                    continue
            size = end - start
            if size > _LONGEST_GROUP or (marked[end : end + 1] == b"?" and text[end].isalnum()):
                continue
            first = marked[start]
            plain = first != LETTER
            if plain and size > _LONGEST_PLAIN:
                continue
            found = None
            if plain and phones and (size in _PHONE_GROUPS or first == ZERO or before in _PHONE_SIGNS):
                found = phone_at(text, start, size, max(start - 1, 0) if eager else taken)
            if found is None:
                if reading is None:
                    reading = _Reading(text, marked.replace(b"0", b"9"), context, self, work)
                if listed == 1 or not plain or size == _CARD_GROUP or size in CARD_LENGTHS:
                    found = reading.at(start, end, match.end(1) if listed == 1 else 0)
                if found is None and plain and phones and marked[start - 2 : start - 1] not in _DIGITS:
                    found = spoken_at(text, start, reading.calling)
            if found:
                spans.append(found)
                taken = at = found[1]  # what is inside costs nothing when the search goes on behind it
        work.spend(tried)
        return spans


class _Reading:
    """One text while it is read, and what can stand in it at all."""

    __slots__ = (
        "_called",
        "_calling",
        "_context",
        "_has",
        "_low",
        "_narrow",
        "_nothing",
        "_possible",
        "_rows",
        "_starts",
        "_work",
        "outline",
        "text",
    )

    def __init__(self, text: str, outline: bytes, context: str, numbers: Numbers, work: Work) -> None:
        self.text = text
        self.outline = outline
        self._context = context
        self._starts = numbers.starts
        self._rows = numbers.rows
        self._possible: dict[bytes, _Rows] = {}
        self._nothing: set[bytes] = set()
        self._has: dict[str, bool] = {}
        self._low = self._narrow = ""
        self._called: bool | None = None
        self._calling: tuple[str, ...] | None = None
        self._work = work
        work.spend(_BEGINNING)

    def at(self, start: int, end: int, until: int) -> Span | None:
        """Return the number whose first group is *start* to *end*; the longest outline of the table ends at *until*."""
        outline = self.outline
        found = None
        if outline[start] == LETTER:
            if outline[start : start + 4] == b"AA99":
                found = iban_at(self.text, start)
                if found:
                    return found
        elif end - start == _CARD_GROUP and outline[start:end] == b"9999":
            found = self._grouped_card(start)
        elif end - start in CARD_LENGTHS:
            found = self._card(start, end)
        if not until:
            return found
        if start > 1 and outline[start - 1] in _SIDES and outline[start - 2] == LETTER:
            # Letters before it may belong to it: ``AB 12 34 56 C``.
            begin = start - 3 if start > 2 and outline[start - 3] == LETTER else start - 2  # noqa: PLR2004 - two letters and a sign
            number = self._number(begin, outline[begin : start - 1], until)
            if number:
                return number
        shorter = self._number(start, outline[start:end], until, found[1] - start if found else 0)
        return shorter or found

    def _number(self, start: int, first: bytes, until: int, least: int = 0) -> Span | None:
        """Return the longest number at *start* that ends at *until* or before, and is at least *least* long."""
        outline = self.outline[start:until]
        if outline in self._nothing:
            return None
        nothing = True
        for size in self._starts.get(first, ()):
            if size > len(outline):
                continue
            if size < least:
                return None
            shape = outline[:size]
            rows = self._possible.get(shape)
            if rows is None:
                rows = self._possible[shape] = self._left(self._rows.get(shape, ()))
            if not rows:
                continue
            nothing = False
            if self._bounded(start, start + size):
                self._work.spend(1)
                found = self._kind(start, start + size, rows)
                if found:
                    return found
        if nothing:
            self._nothing.add(outline)
        return None

    def _left(self, rows: _Rows) -> _Rows:
        """Return which of *rows* can be in this text: those that stand alone, and those that it has a word for."""
        if len(self.text) <= _SHORT:
            return rows
        self._work.spend(1 + (len(rows) >> 1))
        return tuple([kind for kind in rows if kind.lonely or self._mentions(kind.words)])

    def _mentions(self, words: Iterable[str]) -> bool:
        """Return whether the text, or the name that it stood under, has one of *words*."""
        has = self._has
        if not self._low:
            self._low = f"{self._context} {self.text}".lower()
            self._narrow = self._low.encode("ascii", "replace").decode()  # searched in a quarter of the time
        low, narrow = self._low, self._narrow
        for word in words:
            known = has.get(word)
            if known is None:
                known = has[word] = word in (narrow if word.isascii() else low)
            if known:
                return True
        return False

    def _kind(self, start: int, end: int, rows: _Rows) -> Span | None:
        text = self.text
        compact = text[start:end].upper().translate(_SIGNLESS)
        whole = start == 0 and end == len(text)
        known = self._work.known
        near = low = ""
        words: set[str] | None = None
        hashed: bool | None = None
        for category, check, context, alone, lonely, shape, dear in rows:
            if shape is not None and not shape.match(compact):
                continue
            if lonely and hashed is None:
                hashed = not whole and _HASH.fullmatch(text, start, end) is not None
            if not (lonely and not hashed) and not (whole and alone):
                # The words around are looked at once, and spare most kinds of number their checksum.
                if not near:
                    self._work.spend(1 + (len(rows) >> 2))
                    near = self._near(start, end)
                    low = near.lower()
                for word in context:
                    if word in low:
                        break
                else:
                    continue
                if check is not None and (self._work.refuted(check, compact) if dear else not known(check, compact, 1)):
                    continue
                if words is None:
                    self._work.spend(3)
                    words = words_in(near, low)
                if not mentions(words, context) or (check is None and not self._beside(start, end, context)):
                    continue
            elif check is not None and not dear and not known(check, compact, 1):
                continue
            if not dear or known(check, compact, _DEAR):  # type: ignore[arg-type] # what is dear is a check
                return start, end, category
        return None

    def _grouped_card(self, start: int) -> Span | None:
        """Return the longest card number that is written in groups from *start*."""
        lengths = issued(self.text[start : start + _CARD_GROUP])
        cards = self._cards()
        match = _CARD.match(self.outline, start) if lengths or cards else None
        if not match:
            return None
        self._work.spend(2)
        groups = self.text[start : match.end()].replace("-", " ").split(" ")
        end = start - 1
        number = ""
        found = None
        for group in groups:
            end += len(group) + 1
            number += group
            if len(number) in lengths or (cards and len(number) in CARD_LENGTHS):
                found = self._card(start, end, number) or found
        return found

    def _card(self, start: int, end: int, number: str = "") -> Span | None:
        """Return *number*, which stands there, when it is a card's.

        That is when it has a known issuer, or when something beside it calls it a card.
        """
        number = number or self.text[start:end]
        if not number.isdigit():
            return None
        known = len(number) in issued(number[:4])
        if not known and (not self._cards() or (number[0] in "01" and not number.startswith("1800"))):
            return None
        self._work.spend(1)
        if not luhn(number) or not self._bounded(start, end):
            return None
        various = len(set(number))
        if (known and various > 1) or (
            various > 2 and self._cards() and not CARD_CONTEXT.isdisjoint(self._around(start, end))  # noqa: PLR2004 - no filler
        ):
            return start, end, "CARD"
        return None

    def calling(self) -> tuple[str, ...]:
        """Return which of the words for calling are in the text."""
        if self._calling is None:
            self._calling = calling_words(self.text, self._work.called if self.text is self._work.text else None)
        if self._calling:
            self._work.spend(2)
        return self._calling

    def _cards(self) -> bool:
        """Return whether the text has a word for cards at all."""
        if self._called is None:
            self._called = self._mentions(CARD_CONTEXT)
        return self._called

    def _bounded(self, start: int, end: int) -> bool:
        """Return whether the candidate is not a part of a longer number, an identifier or a decimal fraction."""
        outline = self.outline
        if start:
            before = outline[start - 1]
            if before in _ALNUM and (before != OTHER or self.text[start - 1].isalnum()):
                return False
            if before in _BEFORE and (start == 1 or before in _SIGNED or _PART.match(self.text, start - 2)):
                return False
        if end < len(outline):
            after = outline[end]
            if after in _ALNUM and (after != OTHER or self.text[end].isalnum()):
                return False
            if after in _AFTER and self.text[end + 1 : end + 2].isalnum():
                return False
        return True

    def _beside(self, start: int, end: int, context: tuple[str, ...]) -> bool:
        """Return whether a word of *context* is in the same clause as a candidate that has no checksum.

        Where that starts a line, the line before counts, too. An account's id is not its number.
        """
        before = self.text[max(0, start - 64) : start]
        before = before[max(before.rfind(";"), before.rfind("\n", 0, -1)) + 1 :]
        after = _CLAUSE.match(self.text, end, end + 40)
        near = _ACCOUNT_ID.sub(" ", f"{self._context} {before} {after[0] if after else ''}")
        return mentions(words_in(near, near.lower()), context)

    def _around(self, start: int, end: int) -> set[str]:
        """Return the words before and after a candidate, and those of the name that the text stood under."""
        near = self._near(start, end)
        return words_in(near, near.lower())

    def _near(self, start: int, end: int) -> str:
        text = self.text
        return f"{self._context} {text[max(0, start - 64) : start]} {text[end : end + 40]}"
