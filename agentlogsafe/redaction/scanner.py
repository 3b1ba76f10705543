"""Find and replace what is recognised in one text: the gate, then only the detectors that it could not rule out."""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import TYPE_CHECKING

from agentlogsafe.redaction import (
    addresses,
    assignments,
    claimed,
    disguise,
    fast,
    gate,
    networks,
    phones,
    prose,
    strategies,
)
from agentlogsafe.redaction.accounts import outside_accounts
from agentlogsafe.redaction.detectors import Tables
from agentlogsafe.redaction.lone import Lone
from agentlogsafe.redaction.numbers import Numbers
from agentlogsafe.redaction.separators import ENDINGS, separators
from agentlogsafe.redaction.spans import Span, grown, unmasked
from agentlogsafe.redaction.strategies import MASKED
from agentlogsafe.redaction.tokens import Tokens
from agentlogsafe.redaction.visible import sanitize
from agentlogsafe.redaction.windows import NARROW, WIDE, Windows, masks, windows
from agentlogsafe.redaction.withheld import BLOCK, whole, withheld
from agentlogsafe.redaction.work import Budget, ExhaustedError, Work

if TYPE_CHECKING:
    import re

    from agentlogsafe.redaction.custom import CustomDetector
    from agentlogsafe.redaction.keys import KeyRules
    from agentlogsafe.redaction.report import Report

Counter = dict[str, int]
Names = list[tuple[int, int]]
Mask = Callable[[str, str], str]
Plain = Callable[[str, Work], disguise.Unfolded]

_ASKED = fast.LITERALS - 1
_CALLS = (1 << len(phones.WORDS)) - 1
_FIRST = itemgetter(0)
_PASS = 5  # units that one pass over a text costs, however short it is
_ROUNDS = 8
_CHAINED = 3


class Scanner:
    """The detectors of one policy, ready to be applied to text."""

    __slots__ = (
        "_all",
        "_calls",
        "_custom",
        "_endings",
        "_fast",
        "_found",
        "_keys",
        "_lone",
        "_mask",
        "_masked",
        "_most",
        "_named",
        "_numbers",
        "_open",
        "_public",
        "_tables",
        "_tokens",
    )

    def __init__(
        self, keys: KeyRules, mask: Mask, *, masked: re.Pattern[str] = MASKED, disabled: tuple[str, ...] = (), custom: tuple[CustomDetector, ...] = (), public: bool = False, most: int | None = None, endings: frozenset[str] | None = None,  # noqa: E501 - one row of a table
    ) -> None:  # fmt: skip
        """Take the rules for names in text, the maker of replacements, and what a policy leaves out, adds, keeps."""
        self._keys = keys
        self._mask = mask
        self._masked = masked
        self._most = most
        self._named = mask is strategies.mask
        self._numbers = Numbers(frozenset(disabled))
        self._lone = Lone(self._numbers)
        self._endings = endings or ENDINGS
        next(separators("=", self._endings), None)  # compiles its patterns now, and not in a log call
        self._tables = Tables(disabled)
        self._tokens = Tokens(self._tables)
        self._fast = fast.questions(self._endings, (*self._tokens.literals, *phones.WORDS, *prose.WORDS))
        self._calls = fast.FIRST + len(self._tokens.literals)
        self._all = not disabled
        self._found = frozenset(disabled)
        self._public = public
        self._custom = tuple(
            (
                detector,
                detector.compiled() if detector.pattern else None,
                tuple(word.lower() for word in detector.keywords),
            )
            for detector in custom
        )
        self._open = any(not words for _, _, words in self._custom)

    def suspicious(self, text: str) -> bool:
        """Return whether `scan` could change *text*, or a line of it; False is certain."""
        if self._custom and self._wanted(text):
            return True
        if self._fast is not None and len(text) > fast.SHORTEST and text.isascii():
            found = self._fast(text)
            return found is None or bool(found & _ASKED)  # where it is wrong, `scan` finds out
        return gate.questions(text, self._endings) != 0

    def _asked(self, text: str, names: Names) -> int:
        """Return the gate's answer for *text*, from google-re2 where it is there and worth asking.

        The places of all *names* are kept where they had to be looked for: who looks into them needs them again.
        """
        found = None
        if self._fast is not None and len(text) > fast.SHORTEST and text.isascii():
            found = self._fast(text)
        if found is None:
            bits = gate.questions(text, self._endings, ~gate.NAMED)
            names += separators(text, self._endings)
            return bits | gate.NAMED if names else bits
        if not found & _ASKED:
            return 0
        if found & gate.NAMED:
            names += separators(text, self._endings)
            if not names:
                found &= ~gate.NAMED
        among = found & gate.WORD
        if found & fast.STAMPED and not found & gate.NUMBER:
            among |= gate.NUMBER
        found &= ~(gate.WORD | fast.STAMPED)
        if among:
            found |= gate.questions(text, self._endings, among) & among
        return found if found & _ASKED else 0

    def _wanted(self, text: str) -> bool:
        """Return whether a custom detector wants to see *text*."""
        if self._open:
            return True
        low = text.lower()
        return any(word in low for _, _, words in self._custom for word in words)

    def scan(self, text: str, report: Report, context: str = "", *, once: bool = False) -> str:
        """Return *text* without what is recognised in it; the very same object when nothing was.

        Scanning goes on until nothing more is found, so that scanning the result again changes nothing. A name is
        looked at *once*, and then remembered.
        """
        if text.isdigit() and not self._custom and self._lone.innocent(text, context):
            return text
        names: Names = []
        bits = self._questions(text, names)
        if not bits and not (self._custom and self._wanted(text)):
            return text
        given = text
        if bits & gate.CONTROL:
            text = sanitize(text)
            names = []
            bits = self._questions(text, names)
        budget = report.budget
        if budget is None:
            budget = report.budget = Budget(self._most)
        gain = budget.begin(text)
        if budget.left > 0:
            work = Work(text, names, budget.left)
            if bits & fast.LITERALS:
                work.called = bits >> self._calls & _CALLS
                work.said = bits >> self._calls + len(phones.WORDS)
            try:
                out = self._rounds(work, bits, report.counts, context)
            except ExhaustedError:
                budget.left -= work.spent
                work = Work(withheld(work.text, self.suspicious, report.counts))
                out = self._settled(work, report.counts, context)
            if budget.end(work, given, gain, once=once):
                return out
        return self._hidden(text, report.counts)

    def _settled(self, work: Work, counts: Counter, context: str) -> str:
        """Return what is left of the text of *work*, of which the most was withheld."""
        try:
            return self._rounds(work, self._questions(work.text, work.names), counts, context)
        except ExhaustedError:
            return whole(counts)

    def _hidden(self, text: str, counts: Counter) -> str:
        """Return what of *text*, which is not clean, is so at first sight: there is no budget for more."""
        rest = withheld(text, self.suspicious, counts) if len(text) > BLOCK else ""
        if rest and not self._questions(rest, []) and not (self._custom and self._wanted(rest)):
            return rest
        return whole(counts)

    def _rounds(self, work: Work, bits: int, counts: Counter, context: str) -> str:
        """Return the text of *work* when nothing more is found in it.

        Raises:
            ExhaustedError: when that takes more work than it may, or more rounds.
        """
        near: Windows | None = None
        left = bits
        for number in range(_ROUNDS):
            text = work.text
            spans = self._within(near, left, context, work, eager=number > 1) if near else None
            if spans is None:
                spans = self._spans(text, left, context, work, eager=number > 1)
                work.whole()
            if not spans:
                return text
            if number > 1:
                # What shows only when its neighbour is masked is the rest of a run, which would go bit by bit.
                spans = grown(text, spans)
            out, places = self._replace(text, spans, counts)
            masked, rest = self._rest(text, out)
            # A mask answers nothing that was not asked before. Whether a name is left costs as much to ask as to look.
            bits &= gate.questions(rest, self._endings, bits & ~gate.NAMED) | gate.NAMED
            left = bits
            if work.values and self._named and claimed.settled(text, masked, work.values, places):
                left &= ~gate.NAMED
            if not left and not (self._custom and self._wanted(masked)):
                work.clean = True
                return masked
            work.round(masked)
            # Where numbers show one behind the other, each when the one before is masked, looking near does not end it.
            if work.calm and number < _CHAINED:
                near = windows(masked, masks(out), WIDE if bits & ~(gate.NUMBER | gate.DOTTED) else NARROW)
            else:
                near = None
        raise ExhaustedError

    def _questions(self, text: str, names: Names) -> int:
        """Return the gate's answer for *text*, what is masked in it left out, and keep the places of its *names*."""
        bits = self._asked(text, names)
        if not bits or "[" not in text:
            return bits
        bare = self._masked.sub("[]", text)
        return bits if bare == text else gate.questions(bare, self._endings)

    def _within(self, near: Windows, bits: int, context: str, work: Work, *, eager: bool) -> list[Span] | None:
        """Return what is found near the last round's masks, or None where the whole text has to be looked at."""
        if self._custom:
            return None
        spans = self._spans(near.joined, bits, context, work, eager=eager)
        return near.back(spans)

    def _spans(self, text: str, bits: int, context: str, work: Work, *, eager: bool = False) -> list[Span]:
        spans = self._plain(text, bits, context, work, eager=eager)
        runs = work.runs
        if self._custom:
            self._customs(text, spans)
        if bits & gate.ODD:
            spans += self._disguised(text, disguise.ODD, disguise.unfold, context, work, eager=eager)
        if bits & gate.ESCAPED:
            spans += self._disguised(text, disguise.ESCAPED, disguise.unescape, context, work, eager=eager)
        if bits & gate.TOKEN:
            self._encoded(text, runs, work, spans)
        work.spend(len(spans))
        if not spans or "[" not in text:
            return spans
        work.spend(text.count("[") >> 1)
        return unmasked(text, spans, self._masked)

    def _encoded(self, text: str, runs: list[tuple[int, int]], work: Work, spans: list[Span]) -> None:
        """Look into what is base64 of readable text: into all of it at once."""
        hidden = disguise.encoded(text, runs, work)
        if not hidden:
            return
        joined = "\n".join([decoded for _, _, decoded in hidden])
        found = sorted(self._plain(joined, gate.questions(joined, self._endings), "", work, merging=False))
        at = 0
        low = 0
        for start, end, decoded in hidden:
            high = low + len(decoded)
            while at < len(found) and found[at][1] <= low:
                at += 1
            if at < len(found) and found[at][0] < high:
                spans.append((start, end, found[at][2]))
            low = high + 1

    def _customs(self, text: str, spans: list[Span]) -> None:
        low = text.lower()
        for detector, pattern, words in self._custom:
            if words and not any(word in low for word in words):
                continue
            if pattern is not None:
                part: int | str = "v" if "v" in pattern.groupindex else 0
                spans.extend((*match.span(part), detector.category) for match in pattern.finditer(text) if match[part])
            elif detector.find is not None:
                spans.extend(
                    (max(start, 0), min(end, len(text)), category)
                    for start, end, category in detector.find(text)
                    if start < end
                )

    def _disguised(
        self, text: str, what: re.Pattern[str], plain: Plain, context: str, work: Work, *, eager: bool
    ) -> list[Span]:
        """Return what is found in the *plain* form of *text*; of a long text, of what is near *what* is disguised."""
        near = windows(text, (match.span() for match in what.finditer(text)))
        if near is not None:
            found = near.back(self._through(plain(near.joined, work), context, work, eager=eager))
            if found is not None:
                return found
        return self._through(plain(text, work), context, work, eager=eager)

    def _through(self, unfolded: disguise.Unfolded, context: str, work: Work, *, eager: bool) -> list[Span]:
        plain, places = unfolded
        work.spend(_PASS)
        bits = gate.questions(plain, self._endings)
        if not bits:
            return []
        found = self._plain(plain, bits, context, work, eager=eager)
        return [(places[start], places[end], category) for start, end, category in found]

    def _plain(
        self, text: str, bits: int, context: str, work: Work, *, eager: bool = False, merging: bool = True
    ) -> list[Span]:
        """Return what is found in *text*; when they are *merging*, without spans that would be lost in that."""
        spans: list[Span] = []
        allowed = self._tables.allowed
        work.spend(_PASS + (len(text) >> (4 if text.isascii() else 3)))
        tokens: dict[int, int] | None = None
        if bits & gate.TOKEN:
            self._tokens.find(text, work, spans, bits >> fast.FIRST if bits & fast.LITERALS else None)
            if spans and bits & gate.NAMED and merging:
                tokens = {start: end for start, end, _ in spans}
        if bits & gate.AT:
            spans += addresses.find(text, work, emails="email" in allowed)
        if bits & (gate.NUMBER | gate.DOTTED):
            if bits & gate.DOTTED and "ipv4" in allowed:
                networks.dotted(text, self._public, work, spans)
            spans += outside_accounts(text, self._numbers.find(text, context, work, eager=eager))
        elif bits & gate.WORD and gate.digits(text):
            spans += self._numbers.find(text, context, work, eager=eager)
        if bits & gate.COLONS:
            networks.colons(text, allowed, self._public, work, spans)
        if bits & gate.NAMED:
            spans += assignments.find(text, self._keys, work, self._endings, tokens)
        if bits & gate.WORD:
            spans += prose.stated(text, work)
        if bits & (gate.WORD | gate.OPTION):
            spans += prose.options(text, self._keys.category, work)
        return spans if self._all else [span for span in spans if span[2] not in self._found]

    def _replace(self, text: str, spans: list[Span], counts: Counter) -> tuple[list[str], dict[int, int]]:
        """Return *text* in parts, with a mask for what *spans* cover between each two of them, and where that is.

        Those that overlap are one, of the longest one's category.
        """
        out: list[str] = []
        places: dict[int, int] = {}
        at = 0
        mask, named, brackets = self._mask, self._named, strategies.BRACKETS
        spans.sort(key=_FIRST)
        low, high, kind = spans[0]
        spans.append((len(text) + 1, 0, ""))  # ends the last one
        for start, end, category in spans:
            if start < high:
                if end - start > high - low:
                    kind = category
                high = max(high, end)
                continue
            places[low] = high
            out.append(text[at:low])
            out.append(brackets[kind] if named else mask(kind, text[low:high]))
            counts[kind] = counts.get(kind, 0) + 1
            at = high
            low, high, kind = start, end, category
        out.append(text[at:])
        return out, places

    def _rest(self, text: str, out: list[str]) -> tuple[str, str]:
        """Return what *text* became, joined from *out*, and the same with empty brackets for all masks."""
        replaced = "".join(out)
        if "[" in text or not self._named:
            return replaced, self._masked.sub("[]", replaced)
        return replaced, "[]".join(out[::2])
