"""Secrets that their place gives away: an argument of a call, a column of a statement, an element of a settings file.

``HTTPBasicAuth("mia", "…")``, ``INSERT INTO users (name, password) VALUES ('mia', '…')``, ``variable "password" {…}``.
"""

# ruff: noqa: E501 - an entry of a table is one line
from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agentlogsafe.redaction.likely import chosen, secretive
from agentlogsafe.redaction.vocabulary import CALLS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agentlogsafe.redaction.work import Work

Span = tuple[int, int, str]

_ARG = r"(?:[\"'][^\"'\n]{1,200}[\"']|[\w.$]{1,60})"
_VALUE = r"N?[\"'](?P<v>[^\"'\n]{4,200})[\"']\s{0,8}[,)]"
_SECOND = re.compile(rf"\(\s{{0,8}}{_ARG}\s{{0,2}},\s{{0,8}}{_VALUE}")
_THIRD = re.compile(rf"\(\s{{0,8}}{_ARG}\s{{0,2}},\s{{0,8}}{_ARG}\s{{0,2}},\s{{0,8}}{_VALUE}")
_KEYED = re.compile(
    r"\(\s{0,8}(?:[^\"'()\n]{1,120},\s{0,8}|[\"'][\w-]{2,12}[\"']\s{0,2},\s{0,4})?b?[\"'](?P<v>[^\"'\n]{8,200})[\"']"
)
_PATTERNS = {"second": _SECOND, "third": _THIRD, "key": _KEYED}
_VARIABLE = re.compile(
    r"variable[ \t]{1,4}\"(?P<k>[\w-]{2,64})\"[ \t]{0,4}\{[^{}]{0,300}?\bdefault[ \t]{0,12}=[ \t]{0,4}\"(?P<v>[^\"\n]{4,400})\""
)
_ELEMENTS = re.compile(
    r"<key>(?P<k>[\w. -]{2,64})</key>\s{0,40}<string>(?P<v>[^<>]{4,400})</string>|<(?P<n>[\w:]{2,64})>\s{0,40}<value>(?P<w>[^<>]{4,400})</value>",
    re.IGNORECASE,
)
_PROPERTY = re.compile(
    r"(?P<k>\w{2,64})[ ]?\{[ ]?get;[^{}\n]{0,40}\}[ ]?=[ ]?[@$]?\"(?P<v>[^\"\n]{4,400})\"", re.IGNORECASE
)
_TYPED = re.compile(
    r"(?:\w{0,12}pass(?:word|wd)?)[\"'\]]{1,3}\){0,2}\.(?:send_?keys|type|fill|set_?value)\(\s?[\"'](?P<v>[^\"'\n]{4,100})[\"']",
    re.IGNORECASE,
)
_INPUT = re.compile(
    r"type=[\"']?password[\"']?(?=[ >])[^<>\n]{0,200}?\bvalue=[\"'](?P<v>[^\"'<>\n]{4,100})[\"']", re.IGNORECASE
)
_FIELDS = ((_TYPED, ("keys(", ".type(", ".fill(", "value(")), (_INPUT, ("value=",)))  # and what is in their matches
_INSERT = re.compile(
    r"insert[ ]into[ ][\w.`\"\[\]]{1,80}\s{0,4}\((?P<c>[\w`\"\[\], \t\n]{1,800})\)\s{0,4}values\s{0,4}(?=\()",
    re.IGNORECASE,
)
_CELL = re.compile(r"\s{0,4}(?:N?'((?:[^'\n]|''){0,2000})'|[^,()'\n]{0,200})\s{0,4}([,)])")
_NEXT = re.compile(r"\s{0,4},\s{0,4}\(")
_CALLS = tuple(CALLS)
_SECRETS = frozenset("PASSWORD SECRET TOKEN API_KEY".split())


def find(text: str, low: str, category_of: Callable[[str], str | None], work: Work) -> Iterator[Span]:
    """Yield the spans of secrets that their place gives away; *low* is the text in lower case, no longer than it."""
    if "(" in low and ('"' in low or "'" in low):
        yield from _called(text, low, work)
        if "insert" in low:
            yield from _inserted(text, category_of, work)
    if 'variable "' in low:
        yield from _named(_VARIABLE, text, category_of, work)
    if "{ get;" in low:
        yield from _named(_PROPERTY, text, category_of, work)
    if "<key>" in low or "<value>" in low:
        yield from _named(_ELEMENTS, text, category_of, work)
    if "pass" in low:
        for pattern, needed in _FIELDS:
            for match in pattern.finditer(text) if any(map(low.__contains__, needed)) else ():
                work.spend(1)
                if chosen(match["v"]):
                    yield (*match.span("v"), "PASSWORD")


def _called(text: str, low: str, work: Work) -> Iterator[Span]:
    at = low.find("(")
    while at >= 0:
        if low.endswith(_CALLS, 0, at + 1):
            work.spend(1)
            where, category = next(rest for call, rest in CALLS.items() if low.endswith(call, 0, at + 1))
            match = _PATTERNS[where].match(text, at)
            if match and chosen(match["v"]):
                yield (*match.span("v"), category)
        at = low.find("(", at + 1)


def _named(pattern: re.Pattern[str], text: str, category_of: Callable[[str], str | None], work: Work) -> Iterator[Span]:
    for match in pattern.finditer(text):
        work.spend(2)
        part = "v" if match["v"] else "w"
        category = category_of(match["k"] if part == "v" else match["n"])
        if category in _SECRETS and secretive(match[part][:128], category or "", "", quoted=True, tight=True):
            yield (*match.span(part), category or "")


def _inserted(text: str, category_of: Callable[[str], str | None], work: Work) -> Iterator[Span]:
    """Yield the values of an ``INSERT`` whose columns have names of secrets."""
    for match in _INSERT.finditer(text):
        columns = [category_of(column.strip(' \t\n`"[]')) for column in match["c"].split(",")]
        work.spend(1 + len(columns))
        if _SECRETS.isdisjoint(columns):
            continue
        at = match.end() + 1
        while True:
            for category in columns:
                cell = _CELL.match(text, at)
                work.spend(1)
                if not cell:
                    return
                if (
                    category in _SECRETS
                    and cell[1]
                    and secretive(cell[1][:128], category or "", "", quoted=True, tight=True)
                ):
                    yield (*cell.span(1), category or "")
                at = cell.end()
                if cell[2] == ")":
                    break
            following = _NEXT.match(text, at)
            if not following:
                break
            at = following.end()
