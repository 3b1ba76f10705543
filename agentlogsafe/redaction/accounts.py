"""International bank account numbers, and what is written like one."""

from __future__ import annotations

import re

from agentlogsafe.redaction.detectors.checks import IBAN_LENGTHS, iban
from agentlogsafe.redaction.spans import NUMERIC

Span = tuple[int, int, str]

_ACCOUNT = re.compile(
    r"(?<![A-Za-z0-9])[A-Z] ?[A-Z]\d{2}[ -]?(?:[A-Za-z0-9]{1,4}[ -]){2,9}[A-Za-z0-9]{1,4}(?![A-Za-z0-9])"
)
_IBANS = {
    size: re.compile(rf"[A-Za-z0-9](?:[ -]{{0,2}}[A-Za-z0-9]){{{size - 1}}}(?![^\W_])")
    for size in set(IBAN_LENGTHS.values())
}


def iban_at(text: str, start: int) -> Span | None:
    """Return the IBAN that starts at *start*, written with or without spaces, with whatever follows it left alone."""
    length = IBAN_LENGTHS.get(text[start : start + 2].upper())
    match = _IBANS[length].match(text, start) if length is not None else None
    if not match:
        return None
    value = match[0].replace(" ", "").replace("-", "")
    return (*match.span(), "IBAN") if (value.isupper() or value.islower()) and iban(value.upper()) else None


def outside_accounts(text: str, spans: list[Span]) -> list[Span]:
    """Return the numbers among *spans* that are not inside what is written like an IBAN but is none.

    Its parts are none either.
    """
    return [
        span
        for span in spans
        if text[span[0] - 2 : span[0] - 1].islower() or span[2] not in NUMERIC or not _in_account(text, *span[:2])
    ]


def _in_account(text: str, start: int, end: int) -> bool:
    if start < 2 or text[start - 1] not in " -" or not (text[start - 2].isupper() or text[start - 2].isdigit()):  # noqa: PLR2004 - a sign, and what stands before it
        return False
    begin = max(0, start - 44)
    for match in _ACCOUNT.finditer(text, begin, min(len(text), end + 44)):
        if match[0].replace(" ", "")[:2] in IBAN_LENGTHS and match.start() < end and start < match.end():
            return True
    return False
