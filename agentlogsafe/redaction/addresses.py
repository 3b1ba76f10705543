"""What stands before and after an ``@``: passwords and tokens in URLs, and e-mail addresses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentlogsafe.redaction.work import Work

Span = tuple[int, int, str]

_MARKS = "\u0300-\u036f\u0900-\u0dff\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff"  # vowel signs, which are no letters to a pattern  # noqa: E501 - one row of a table
# The part before the sign is matched backwards from there, in the reversed text.
_LOCAL = re.compile(
    rf"[\w!#$%&'*+/=?^`{{|}}~{_MARKS}-](?:[\w!#$%&'*+/=?^`{{|}}~.{_MARKS}-]{{0,62}}[\w!#$%&'*+/=?^`{{|}}~{_MARKS}-])?(?![\w.+-]{{2}})"
)
_DOMAIN = re.compile(
    rf"@(?:[^\W_](?:[\w{_MARKS}-]{{0,61}}[\w{_MARKS}])?\.){{1,8}}(xn--[A-Za-z0-9-]{{2,59}}|[^\W\d_](?:[^\W\d_]|[{_MARKS}]){{1,62}})(?![^\W_])"
)
# The same where all is ASCII: a third of the time.
_ASCII = (
    re.compile(
        r"[A-Za-z0-9_!#$%&'*+/=?^`{|}~-](?:[A-Za-z0-9_!#$%&'*+/=?^`{|}~.-]{0,62}[A-Za-z0-9_!#$%&'*+/=?^`{|}~-])?(?![A-Za-z0-9_.+-]{2})"
    ),
    re.compile(
        r"@(?:[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.){1,8}(xn--[A-Za-z0-9-]{2,59}|[A-Za-z]{2,63})(?![A-Za-z0-9])"
    ),
)
_LONGEST = 65
_FILES = frozenset(
    "png jpg jpeg gif svg webp ico css js ts jsx tsx json py md txt html htm xml yml yaml toml csv log pdf zip gz".split()  # noqa: E501 - one row of a table
)
# A URL is found by what follows its scheme; the scheme is matched backwards from there, in the reversed text.
_SCHEME = re.compile(r"[A-Za-z0-9+.-]{1,30}[A-Za-z]")
_HTTP = re.compile(r"(?i)s?ptth")
_URL_LOGIN = re.compile(
    r":(?://|\\/\\/)(?P<u>[^\s/:@\"'<>\\]{0,80}):(?P<v>[^\s/@\"'<>]{1,200}(?:[/@][^\s/@\"'<>]{1,80})?)@(?=[\w\[.{$%-]|/(?!/))"
)
_PORT = re.compile(r"[0-9]{2,5}/")
"""A port and a path: ``http://localhost:4873/react@18.2.0``."""
_URL_TOKEN = re.compile(r"://(?P<v>[A-Za-z0-9_-]{20,200})(?i::x-oauth-basic)?@(?=[\w.-])")


def find(text: str, work: Work, *, emails: bool = True) -> list[Span]:
    """Return the spans of passwords and tokens in URLs, and of e-mail addresses where *emails* are wanted."""
    spans: list[Span] = []
    slashed = "://" in text
    logins = [match.span("v") for match in _urls(text, _URL_LOGIN, _SCHEME)] if slashed or "\\/" in text else []
    for start, end in logins:
        if text[start] not in "$<{*[" and not text.startswith("//", start) and not _PORT.match(text, start):
            spans.append((start, end, "PASSWORD"))
    if slashed:
        work.spend(text.count("://"))
        spans += [(*match.span("v"), "TOKEN") for match in _urls(text, _URL_TOKEN, _HTTP)]
    if not emails:
        return spans
    parting = {end for _, end in logins}
    local_part, domain = _ASCII if text.isascii() else (_LOCAL, _DOMAIN)
    back = text[::-1]
    size = len(text)
    tried = 0
    for match in domain.finditer(text):
        tried += 1
        at = match.start()
        local = local_part.match(back, size - at, size - at + _LONGEST) if at not in parting else None
        if local and match[1].lower() not in _FILES:
            begin = size - local.end()
            if text[begin:at] != "git":
                spans.append((begin, match.end(), "EMAIL"))
    work.spend(tried)
    return spans


def _urls(text: str, rest: re.Pattern[str], scheme: re.Pattern[str]) -> Iterator[re.Match[str]]:
    """Yield the matches of *rest*, which starts at a URL's colon, that have a *scheme* before them.

    The pattern of the scheme is of the reversed text; no match overlaps another.
    """
    last = 0
    match = rest.search(text)
    while match:
        at = match.start()
        if scheme.match(text[max(last, at - 31) : at][::-1]):
            yield match
            last = match.end()
            match = rest.search(text, last)
        else:
            match = rest.search(text, at + 1)
