"""Find and replace what is recognised in one text: the gate, then only the detectors that it could not rule out."""

from __future__ import annotations

import re
import string
from bisect import bisect_right
from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING

from agentlogsafe.redaction import addresses, assignments, disguise, fast, gate, prose
from agentlogsafe.redaction.detectors import Tables
from agentlogsafe.redaction.detectors.checks import IBAN_LENGTHS
from agentlogsafe.redaction.detectors.network import IPV4, IPV6, MAC, private
from agentlogsafe.redaction.numbers import Numbers
from agentlogsafe.redaction.strategies import MASKED
from agentlogsafe.redaction.visible import sanitize

if TYPE_CHECKING:
    from agentlogsafe.redaction.custom import CustomDetector
    from agentlogsafe.redaction.detectors.base import Detector
    from agentlogsafe.redaction.keys import KeyRules

Span = tuple[int, int, str]
Counter = dict[str, int]
Mask = Callable[[str, str], str]

_ROUNDS = 8
_RUN_OF_DIGITS = re.compile(r"[\d ().+/_:-]*")
_RUN_OF_SIGNS = re.compile(r"[\w+/=.~-]*")
_JOINING = " ().+/_:=~-"
_NEAR = 2010
_SHORTEST = 16
_RUNS = disguise.Runs(string.ascii_letters + string.digits + "_.+/=%:!~$|-", _SHORTEST)
_ACCOUNT = re.compile(
    r"(?<![A-Za-z0-9])[A-Z] ?[A-Z]\d{2}[ -]?(?:[A-Za-z0-9]{1,4}[ -]){2,9}[A-Za-z0-9]{1,4}(?![A-Za-z0-9])"
)
_SIGNS = "\"'=+_-."
_NUMERIC = frozenset(("PHONE", "NATIONAL_ID", "TAX_ID", "CARD", "BANK", "PASSPORT", "LICENSE"))


class Scanner:
    """The detectors of one policy, ready to be applied to text."""

    __slots__ = (
        "_all",
        "_custom",
        "_endings",
        "_fast",
        "_found",
        "_gated",
        "_keys",
        "_mask",
        "_masked",
        "_numbers",
        "_open",
        "_public",
        "_tables",
    )

    def __init__(
        self, keys: KeyRules, mask: Mask, *, masked: re.Pattern[str] = MASKED, disabled: tuple[str, ...] = (), custom: tuple[CustomDetector, ...] = (), public: bool = False, endings: frozenset[str] | None = None,  # noqa: E501 - one row of a table
    ) -> None:  # fmt: skip
        """Take the rules for names in text, the maker of replacements, and what a policy leaves out, adds, keeps."""
        self._keys = keys
        self._mask = mask
        self._masked = masked
        self._numbers = Numbers(frozenset(disabled))
        self._endings = endings or assignments.endings()
        self._fast = fast.gate(self._endings)
        self._tables = Tables(disabled)
        signs: dict[str, list[tuple[str, Detector]]] = {}
        for _, detector in self._tables.gated:
            for literal in detector.gate:
                signs.setdefault(_sign(literal), []).append((literal, detector))
        self._gated = tuple((sign, tuple(found)) for sign, found in signs.items())
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
        if self._quick(text):
            return not self._clean(text)  # where it is wrong, `scan` finds out
        return gate.questions(text, self._endings) != 0

    def _quick(self, text: str) -> bool:
        """Return whether google-re2 is there and worth asking about *text*."""
        return self._fast is not None and len(text) > fast.SHORTEST and text.isascii()

    def _clean(self, text: str) -> bool:
        """Return whether google-re2 is sure that *text* is clean."""
        return self._fast is not None and not self._fast(text)

    def _wanted(self, text: str) -> bool:
        """Return whether a custom detector wants to see *text*."""
        if self._open:
            return True
        low = text.lower()
        return any(word in low for _, _, words in self._custom for word in words)

    def scan(self, text: str, counts: Counter, context: str = "") -> str:
        """Return *text* without what is recognised in it; the very same object when nothing was.

        Scanning goes on until nothing more is found, so that scanning the result again changes nothing.
        """
        bits = 0 if self._quick(text) and self._clean(text) else self._questions(text)
        if not bits and not (self._custom and self._wanted(text)):
            return text
        if bits & gate.CONTROL:
            text = sanitize(text)
            bits = self._questions(text)
        for number in range(_ROUNDS):
            spans = self._spans(text, bits, context, eager=number > 1)
            if not spans:
                return text
            if number > 1:
                # What shows only when its neighbour is masked is the rest of a run, which would go bit by bit.
                spans = _grown(text, spans)
            text = self._replace(text, spans, counts)
            bits &= self._questions(text, bits)  # a mask answers nothing that was not asked before
            if not bits and not (self._custom and self._wanted(text)):
                return text
        counts["UNREDACTABLE"] = counts.get("UNREDACTABLE", 0) + 1
        return "[UNREDACTABLE]"

    def _questions(self, text: str, among: int = -1) -> int:
        """Return the gate's answer for *text*, what is masked in it left out."""
        return gate.questions(self._masked.sub("[]", text) if "[" in text else text, self._endings, among)

    def _spans(self, text: str, bits: int, context: str, *, eager: bool = False) -> list[Span]:
        spans = self._plain(text, bits, context, eager=eager)
        if self._custom:
            self._customs(text, spans)
        if bits & gate.ODD:
            spans += self._through(disguise.unfold(text), context, eager=eager)
        if bits & gate.ESCAPED:
            spans += self._through(disguise.unescape(text), context, eager=eager)
        if bits & gate.TOKEN:
            self._encoded(text, spans)
        return self._unmasked(text, spans) if spans and "[" in text else spans

    def _encoded(self, text: str, spans: list[Span]) -> None:
        """Look into what is base64 of readable text: into all of it at once."""
        hidden = disguise.encoded(text)
        if not hidden:
            return
        joined = "\n".join([decoded for _, _, decoded in hidden])
        found = sorted(self._plain(joined, gate.questions(joined, self._endings), ""))
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

    def _unmasked(self, text: str, spans: list[Span]) -> list[Span]:
        """Cut what is masked already out of *spans*, and drop those of which nothing is left."""
        masks = [match.span() for match in self._masked.finditer(text)]
        if not masks:
            return spans
        ends = [high for _, high in masks]
        kept: list[Span] = []
        for start, end, category in spans:
            at = start
            for low, high in islice(masks, bisect_right(ends, start), None):
                if low >= end:
                    break
                if any(map(str.isalnum, text[at:low])):
                    kept.append((at, low, category))
                at = high
            if at < end and any(map(str.isalnum, text[at:end])):
                kept.append((at, end, category))
        return kept

    def _through(self, unfolded: disguise.Unfolded, context: str, *, eager: bool) -> list[Span]:
        plain, places = unfolded
        bits = gate.questions(plain, self._endings)
        if not bits:
            return []
        found = self._plain(plain, bits, context, eager=eager)
        return [(places[start], places[end], category) for start, end, category in found]

    def _plain(self, text: str, bits: int, context: str, *, eager: bool = False) -> list[Span]:
        spans: list[Span] = []
        allowed = self._tables.allowed
        if bits & gate.TOKEN:
            self._tokens(text, spans)
        if bits & gate.AT:
            spans += addresses.find(text, emails="email" in allowed)
        if bits & (gate.NUMBER | gate.DOTTED):
            if bits & gate.DOTTED and "ipv4" in allowed:
                self._network(IPV4, text, spans)
            spans += self._numbers.find(text, context, eager=eager)
            if spans:
                spans = _outside_accounts(text, spans)
        elif bits & gate.WORD:
            spans += self._numbers.find(text, context, eager=eager)
        if bits & gate.COLONS:
            if "ipv6" in allowed:
                self._network(IPV6, text, spans)
            if "mac" in allowed:
                _search(MAC, text, spans)
        if bits & gate.NAMED:
            spans += assignments.find(text, self._keys, self._endings)
        if bits & gate.WORD:
            spans += prose.stated(text)
        if bits & (gate.WORD | gate.OPTION):
            spans += prose.options(text, self._keys.category)
        return spans if self._all else [span for span in spans if span[2] not in self._found]

    def _network(self, detector: Detector, text: str, spans: list[Span]) -> None:
        for match in detector.compiled.finditer(text):
            value = match[0]
            if _holds(detector, value) and not (self._public and private(value)):
                spans.append((*match.span(), detector.category))

    def _tokens(self, text: str, spans: list[Span]) -> None:
        """Look at each long run of token characters: by what it starts with, and by what it holds."""
        taken = -1
        opening = self._tables.opening
        runs = list(_RUNS.find(text))
        within = self._tables.within
        if len(runs) > 1:
            joined = "\n".join([text[begin:end] for begin, end in runs]).lower()
            within = tuple([row for row in within if row[1] in joined])
        for begin, end in runs:
            for match in opening.finditer(text, begin, end - _SHORTEST + 3):
                at = match.start()
                if at < taken:
                    continue
                found = self._start(text, at)
                if found:
                    spans.append(found)
                    taken = found[1]
            if not within:
                continue
            low = text[begin:end].lower()
            size = end - begin
            for least, literal, detector in within:
                if least > size:
                    break
                if literal in low:
                    spans.extend(
                        (*inner.span(detector.part), detector.category)
                        for inner in detector.compiled.finditer(text, begin, end)
                        if _holds(detector, inner[detector.part])
                    )
        low = text.lower()
        for sign, literals in self._gated:
            if sign not in low:
                continue
            for literal, detector in literals:
                at = low.find(literal)
                if at >= 0:
                    self._at_literal(text, low, at, literal, detector, spans)

    @staticmethod
    def _at_literal(text: str, low: str, at: int, literal: str, detector: Detector, spans: list[Span]) -> None:  # noqa: PLR0917 - one place, called from one
        """Look for *detector* in a *text* that has its literal; an anchored one only where that stands."""
        if not detector.anchored or len(low) != len(text):
            _search(detector, text, spans)
            return
        while at >= 0:
            here = detector.compiled.match(text, at)
            if here and _holds(detector, here[detector.part]):
                spans.append((*here.span(detector.part), detector.category))
                at = here.end() - 1
            at = low.find(literal, at + 1)

    def _start(self, text: str, at: int) -> Span | None:
        """Return the span of the provider token that starts at *at*."""
        starts = self._tables.starts
        for size in (3, 2, 1):
            for detector in starts.get(text[at : at + size], ()):
                if detector.needs and text.find(detector.needs, at, at + _NEAR) < 0:
                    continue
                found = detector.compiled.match(text, at)
                if found and _holds(detector, found[detector.part]):
                    return (*found.span(detector.part), detector.category)
        return None

    def _replace(self, text: str, spans: list[Span], counts: Counter) -> str:
        spans.sort(key=lambda span: (span[0], -span[1]))
        merged: list[Span] = []
        for start, end, category in spans:
            if merged and start < merged[-1][1]:
                last = merged[-1]
                longer = category if end - start > last[1] - last[0] else last[2]
                merged[-1] = (last[0], max(end, last[1]), longer)
            else:
                merged.append((start, end, category))
        out: list[str] = []
        at = 0
        for start, end, category in merged:
            out.append(text[at:start])
            out.append(self._mask(category, text[start:end]))
            counts[category] = counts.get(category, 0) + 1
            at = end
        out.append(text[at:])
        return "".join(out)


def _grown(text: str, spans: list[Span]) -> list[Span]:
    """Return *spans* with what they run on from and into.

    That is digits and what groups them, or unbroken rows of token characters.
    """
    out: list[Span] = []
    reached = 0
    for start, end, category in sorted(spans):
        if end <= reached:
            continue
        run = _RUN_OF_DIGITS if category in _NUMERIC else _RUN_OF_SIGNS
        begin = max(start, reached)
        before = run.match(text[reached:begin][::-1])
        after = run.match(text, end)
        begin -= len(before[0].rstrip(_JOINING)) if before else 0
        reached = end + (len(after[0].rstrip(_JOINING)) if after else 0)
        out.append((begin, reached, category))
    return out


def _sign(literal: str) -> str:
    """Return a sign that is in *literal*: looking for one character is ten times as fast as for several."""
    return next((sign for sign in _SIGNS if sign in literal), "")


def _outside_accounts(text: str, spans: list[Span]) -> list[Span]:
    """Drop the numbers found inside what is written like an IBAN but is none: its parts are none either."""
    return [span for span in spans if span[2] not in _NUMERIC or not _in_account(text, span[0], span[1])]


def _in_account(text: str, start: int, end: int) -> bool:
    if text[start - 1 : start] not in (" ", "-") or not (
        text[start - 2 : start - 1].isupper() or text[start - 2 : start - 1].isdigit()
    ):
        return False
    begin = max(0, start - 44)
    for match in _ACCOUNT.finditer(text, begin, min(len(text), end + 44)):
        if match[0].replace(" ", "")[:2] in IBAN_LENGTHS and match.start() < end and start < match.end():
            return True
    return False


def _holds(detector: Detector, value: str) -> bool:
    if detector.valid is None:
        return True
    try:
        return detector.valid(value)
    except Exception:  # noqa: BLE001 - a validator that stumbles over a value does not know it
        return False


def _search(detector: Detector, text: str, spans: list[Span]) -> None:
    spans.extend(
        (*match.span(detector.part), detector.category)
        for match in detector.compiled.finditer(text)
        if _holds(detector, match[detector.part])
    )
