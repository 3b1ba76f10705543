"""Find and replace what is recognised by its shape in one text."""

from __future__ import annotations

import re
from collections.abc import Callable

from agentlogsafe.redaction.detectors import DETECTORS
from agentlogsafe.redaction.keys import KeyRules

Counter = dict[str, int]
_ASSIGNMENT = re.compile(
    r"(?P<k>[A-Za-z][\w.-]{0,80})[\"']?[ \t]{0,4}(?::=|=>|=|:)[ \t]{0,4}(?:\"(?P<d>[^\"\n]{1,4000})\"|'(?P<s>[^'\n]{1,4000})'|(?P<p>[^\s\"',;&(){}<>\[\]]{1,4000}))"
)
_BIRTH = re.compile(
    r"(?i)\b(?:d\.?o\.?b\b\.?|date of birth|birth ?date|birthday|born)[^\n\d]{0,40}?"
    r"(?P<v>\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]* \d{1,2},? \d{4}|\d{1,2} (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]* \d{4})"
)
_MASK = re.compile(r"\[[A-Z_]{2,20}\]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u2028\u2029\ud800-\udfff]")


def visible(match: re.Match[str]) -> str:
    """Return the visible spelling of a control character or a lone surrogate."""
    return f"\\u{ord(match[0]):04x}"


def sanitize(text: str) -> str:
    """Return *text* with control characters, line separators and lone surrogates spelt out."""
    return _CONTROL.sub(visible, text)


class Scanner:
    """The detectors of one policy, ready to be applied to text."""

    __slots__ = ("_keys", "_mask")

    def __init__(self, keys: KeyRules, mask: Callable[[str, str], str]) -> None:
        """Take the key rules (for assignments in text) and the function that makes the replacement from category and value."""
        self._keys = keys
        self._mask = mask

    def scan(self, text: str, counts: Counter) -> str:
        """Return *text* without what is recognised in it; the very same object when nothing was."""
        text = sanitize(text) if _CONTROL.search(text) else text
        for _ in range(6):
            spans = self._spans(text)
            if not spans:
                return text
            text = self._replace(text, spans, counts)
        return text

    def _spans(self, text: str) -> list[tuple[int, int, str]]:
        low = text.lower()
        spans: list[tuple[int, int, str]] = []
        for detector in DETECTORS:
            if detector.gate and not any(literal in low for literal in detector.gate):
                continue
            for match in detector.compiled.finditer(text):
                group: int | str = "v" if "v" in detector.compiled.groupindex else 0
                if _MASK.fullmatch(match[group]) or (detector.valid and not detector.valid(match[group])):
                    continue
                spans.append((*match.span(group), detector.category))
        for match in _ASSIGNMENT.finditer(text):
            category = self._keys.category(match["k"])
            if category is None or match.lastgroup is None:
                continue
            value = match[match.lastgroup]
            if self._plausible(value, category):
                spans.append((*match.span(match.lastgroup), category))
        spans.extend((*match.span("v"), "BIRTH_DATE") for match in _BIRTH.finditer(text))
        return spans

    @staticmethod
    def _plausible(value: str, category: str) -> bool:
        if _MASK.search(value) or value.lower() in {"none", "null", "true", "false", "string", "str"}:
            return False
        if category in {"PASSWORD", "SECRET", "TOKEN", "API_KEY", "COOKIE", "PRIVATE_KEY"}:
            return len(value) >= 6 and any(c.isdigit() for c in value) and value[0] not in "$%<{"  # noqa: PLR2004
        return category not in {"NAME", "NAME?", "ADDRESS"}

    def _replace(self, text: str, spans: list[tuple[int, int, str]], counts: Counter) -> str:
        out: list[str] = []
        at = 0
        for start, end, category in sorted(spans, key=lambda span: (span[0], -span[1])):
            if end <= at:
                continue
            begin = max(start, at)
            out.append(text[at:begin])
            out.append(self._mask(category, text[begin:end]))
            counts[category] = counts.get(category, 0) + 1
            at = end
        out.append(text[at:])
        return "".join(out)
