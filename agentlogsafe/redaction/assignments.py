"""Secrets that are told by the name beside them: ``password=…``, ``"api_key": "…"``, ``Authorization: …``.

Only places where a separator follows a word whose ending belongs to a sensitive name are looked at; each costs one
short match, so the whole is linear in the text.
"""

from __future__ import annotations

import re
from operator import itemgetter
from typing import TYPE_CHECKING

from agentlogsafe.redaction.claimed import token_at
from agentlogsafe.redaction.keys import KeyRules, joined, jumbled
from agentlogsafe.redaction.likely import CODE, DOTTED, chosen, secretive
from agentlogsafe.redaction.listed import listed
from agentlogsafe.redaction.pairs import NAMING, paired
from agentlogsafe.redaction.placeholders import placeholder
from agentlogsafe.redaction.separators import ALIGNED, ENDINGS, separators
from agentlogsafe.redaction.strategies import MASKED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentlogsafe.redaction.work import Work

Span = tuple[int, int, str]

_BEFORE = 72
# The reversed text before a separator: closing quotes and signs, perhaps a type, then the name.
_NAMES = {
    (aligned, ascii_): re.compile(
        gap
        + r"[\"'`\\*\])}?!|:=.+~\-\s]{0,8}(?:(?:gnirtS|gnirts|rts|raVtSnoC)(?:(?:citats')?&)?[ \t]{0,2}(?:sA|sa)?(?=[ \t:])[: \t]{1,3})?([\w.$\-@\[\]]{1,64})",  # noqa: E501 - one pattern
        re.ASCII if ascii_ else 0,
    )
    for aligned, gap in ((False, ""), (True, r"(?:[ \t]{8,48}(?![ \t]))?"))
    for ascii_ in (False, True)  # the same where all is ASCII: half of the time
}
_MORE = re.compile(r"[ \t]{1,2}[^\W\d_][\w.\-]{0,24}(?:[ \t][^\W\d_][\w.\-]{0,24})?")
_OPENED = re.compile(
    r"[ \t\n\r\\]{0,40}(?:!{1,2}(?:str|string|binary)[ \t]{1,4})?[rbufRBUFN@$]{0,2}(?P<q>\\{0,3}[\"'`])"
)
_ELEMENT = re.compile(r"\s{0,20}(?P<v>[^<>\s][^<>\n]{0,400})(?=\s{0,20}</|\s*$)")
_SCOPE = re.compile(r"::[A-Za-z_]{1,64}(?![\w-])")
_CLOSING = re.compile(r"\s{0,20}</(\w{1,40})>")
_CLOSED = re.compile(r"[\w.:-]{1,64}/<")
_BLOCK = re.compile(r"[ \t]{0,4}[|>][+-]?[ \t]{0,4}\r?\n[ \t]{1,24}(?P<v>[^\s#][^\r\n]{0,400})")
_TUPLE = re.compile(
    r"[ \t]{0,4}\([ \t]{0,4}[rbuf]?([\"'])[^\"'\n]{0,80}\1[ \t]{0,4},[ \t]{0,4}[rbuf]?([\"'])(?P<v>[^\"'\n]{3,200})\2"
)
_MNEMONIC = re.compile(r"[ \t\"']{0,4}(?P<v>[a-z]{3,8}(?:[ ,]{1,2}[a-z]{3,8}){11,23})(?![ ]?[a-z])")
_BARE = re.compile(r"[ \t]{0,40}(?P<v>[^\s\"'`,;&(){}<>\[\]|][^\s\"'`,;&<>|]{0,127})")
# A literal that an expression falls back to, or that a constructor takes: ``env.KEY || "…"``, ``[]byte("…")``.
_FALLBACK = re.compile(
    r"[^\n\"'`;]{0,60}(?:[\"'][^\n\"'`;]{0,40}[\"'][^\n\"'`;]{0,10})?(?:\|\||\?\?|\bor)[ \t]{0,4}[\"'](?P<v>[^\"'\n]{6,200})[\"']"  # noqa: E501 - one pattern
)
_WRAPPED = re.compile(
    r"[ \t]{0,4}(?:new )?(?:[\w.]{1,40}::(?:new|from)|\[\]byte|(?:[\w.]{1,24}\.)?(?:str|bytes|String|SecureString|SecretStr|SecretValue|Secret|Token|b64decode|b64encode|fromBase64|encode))\([ \t]{0,4}[bB@]?[\"'](?P<v>[^\"'\n]{6,200})[\"']"  # noqa: E501 - one pattern
)
_LISTED = re.compile(r"[ \t]{0,4}\[\s{0,8}[\"'](?P<v>[^\"'\n]{6,200})[\"']")
_BARE_REST = re.compile(r"[^\s\"'`,;&<>|]*")
_SCHEME = re.compile(
    r"[ \t\"'\\]{0,4}(?:(?P<scheme>bearer|basic|token|digest|negotiate|ntlm|apikey|api-key|key|jwt|aws4-hmac-sha256|hmac|bot|splunk|oauth|genie ?key|sso-key|dpop|hawk|ssws)[ \t]{1,3}(?:token=)?)?[\"']?",  # noqa: E501 - one pattern
    re.IGNORECASE,
)
_LINE = re.compile(r"[^\s\"'`,;<>|}][^\r\n\"'`<>|]{0,255}")
_LINE_REST = re.compile(r"[^\r\n\"'`<>|]*")
_WORD = re.compile(r"[^\s\"'`,;<>|}][^\s\"'`<>|]{0,255}")
_WORD_REST = re.compile(r"[^\s\"'`<>|]*")
_WHOLE_LINE = frozenset(("digest", "aws4-hmac-sha256", "oauth", "hawk", "hmac"))
_DONE = re.compile(MASKED.pattern.join((r"[\s\"'\\=:>]{0,6}(?:[A-Za-z-]{1,16} )?", r"[\"'\\]{0,3}(?:[\s,;&)\]}]|$)")))
_LETTERS = re.compile(r"[^\W\d_]+(?:[-'\u2019.][^\W\d_]+)*[.,;:!?)]*$")
_DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/. ](?:\d{1,2}|[A-Za-z]{3,9})[-/., ]{1,2}\d{2,4}|[A-Za-z]{3,9}\.? \d{1,2}(?:st|nd|rd|th)?,? \d{4}"  # noqa: E501 - one pattern
)
_DIGITY = re.compile(r"[ \t\r\n#:\"']{0,4}(?P<v>[A-Za-z]{0,4}[ -]?\(?\+?\d[\dA-Za-z ()./-]{2,32}[\dA-Za-z])")
_PERSON = re.compile(
    r"[^\W\d_a-z][\w'\u2019.-]{0,30}(?:[ \t][^\W\d_a-z][\w'\u2019.-]{0,30}){0,3}(?=[\s.,;:!?)\"'\]}|&]|$)"
)
_POST = re.compile(
    r"[ \t\"']{0,3}(?P<v>\d{4,6}(?:-\d{3,4})?|[A-Z]{1,2}\d[A-Z\d]?[ ]?\d[A-Z]{2}|[A-Z]\d[A-Z][ -]?\d[A-Z]\d)\b"
)
_STREET = re.compile(r"[ \t\"']{0,3}(?P<v>[^\n\r\"'|;<>{}\[\]]{4,160})")

_JUDGED = 128
_FARTHEST, _FARTHEST_MASK, _CUT = 8000, 24, 400
_DIGIT = re.compile(r"\d")
_SETTER = re.compile(r"[\"'`]\s?\(\w{0,16}?(?:tes|tup|enifed|dda)(?![a-z])", re.IGNORECASE)  # backwards
_TYPED = re.compile(r"[ \t]{0,4}=|\(|\[")
_REPEATED = frozenset("=:>~")
_SHORTEST_KEY = 20
_WORDED = ("mnemonic", "phrase", "seed")  # a wallet's secret is a dozen words
_UNSURE = frozenset((None, "TOKEN", "NAME?", "KEY?"))
_CREDENTIALS = frozenset("PASSWORD SECRET TOKEN API_KEY COOKIE KEY CARD_CODE".split())


def find(
    text: str, keys: KeyRules, work: Work, endings_: frozenset[str] = ENDINGS, tokens: Mapping[int, int] | None = None
) -> list[Span]:
    """Return the spans of values that stand behind a sensitive name in *text*.

    A value that is one of the *tokens* that are found already, or a part of one, is not judged: what would come of it
    is lost beside the token.
    """
    spans: list[Span] = []
    covered = 0
    masks = "[" in text
    back = text[::-1]
    size = len(text)
    names = _NAMES[ALIGNED in text, text.isascii()]
    found = sorted((text is work.text and work.names) or separators(text, endings_), key=itemgetter(1))
    work.spend(len(found))
    judged = inside = searched = 0
    values: list[tuple[int, int, int]] = []
    for place, (end, start) in enumerate(found, 1):
        if start < covered:
            inside += 1
            continue
        sign = text[start - 1]
        if sign == ">" and text[start - 2 : start - 1] == "-":
            sign = "="
        if (masks and text.find("[", start, start + _FARTHEST_MASK) >= 0 and _DONE.match(text, start)) or (
            sign == ">" and _CLOSED.match(back, size - end, size - end + 66)
        ):
            continue
        category, name = None, ""
        after = start
        named = names.match(back, size - end, size - end + _BEFORE)
        if named:
            category, spelled, name = keys.backwards(named[1])
            if category in _UNSURE:
                more = _MORE.match(back, named.end(), size - end + _BEFORE)
                category, name = joined(more[0][::-1].split() if more else [], spelled, category, keys)
            called = spelled.rpartition(".")[2] if category is None and sign == "(" else ""
            if called.startswith("with"):
                category = keys.category(called[4:].lstrip("_-"))
        if category is None or category == "NAME?":
            pair = paired(text, start, keys) if name in NAMING and sign in ":=" else None
            if pair is None and sign == ">":
                pair = _element(text, start, keys)
            if pair is None or pair[1] not in _CREDENTIALS:
                continue
            start, category, name = pair  # noqa: PLW2901 - the place is moved on purpose
            sign = text[start : start + 1] if text[start : start + 1] == ">" else sign
        judged += 1
        while text[start : start + 1] in _REPEATED:
            start += 1  # noqa: PLW2901 - the place is moved on purpose
        if sign == ":" and text[start - 2] == ":" and _SCOPE.match(text, start - 2):
            continue  # ``Auth::Basic`` is a name in code
        if sign in ",(":
            quoted = _quoted(text, start) if category in _CREDENTIALS else None
            set_ = sign == "," and named and _SETTER.match(back, named.end())
            if quoted is None or not (set_ or _DIGIT.search(text, *quoted)):
                continue  # two words of a list are no name and value
        elif tokens and category in _CREDENTIALS and category != "COOKIE" and sign != ">":
            token = token_at(text, start, name, tokens)
            # Where a name is inside, whether it is a value decides about that, too.
            if token and not (place < len(found) and found[place][1] < token[1]):
                covered = token[1]
                values.append((after, *token))
                continue
        if sign in ":=" and start >= searched:
            places, searched = listed(text, start, work)
            several = [span for at in places if (span := _value(text, at, category, name))]
            if several:
                spans += several
                covered = several[-1][1]
                continue
        span = _tagged(text, start, category) if sign == ">" else _value(text, start, category, name)
        if span:
            spans.append(span)
            covered = span[1]
            values.append((after, span[0], covered))
    work.spend(judged)
    if text is work.text and len(values) + inside == len(found):
        work.values = values
    return spans


def announced(keys: KeyRules, masked: re.Pattern[str], name: str, value: str) -> str | None:
    """Return the category of a credential that *name* announces, when *value* can be one.

    What is *masked* in a name would announce something only when the name is redacted again.
    """
    category = keys.category(name) if "[" not in name or not masked.search(name) else None
    if category not in _CREDENTIALS or keys.category(value) is not None:
        return None
    return category if secretive(value[:_JUDGED], category, name.lower(), quoted=True, tight=False) else None


def _quoted(text: str, start: int) -> tuple[int, int] | None:
    """Return where the text between the quotes at *start* begins and ends."""
    opened = _OPENED.match(text, start)
    if not opened:
        return None
    quote, begin = opened["q"], opened.end()
    end = text.find(quote, begin, begin + _FARTHEST)
    while end > 0 and len(quote) == 1 and text[end - 1] == "\\":
        end = text.find(quote, end + 1, begin + _FARTHEST)
    if end < 0 and len(text) - begin <= _CUT and "\n" not in text[begin:]:
        end = len(text)  # the line was cut off
    return (begin, end) if end > begin else None


def _element(text: str, start: int, keys: KeyRules) -> tuple[int, str, str] | None:
    """Return what `paired` does, for the text of an element that has attributes: its name stands behind the text."""
    match = _ELEMENT.match(text, start)
    closing = _CLOSING.match(text, match.end()) if match else None
    category = keys.category(closing[1]) if closing else None
    return (start, category, closing[1].lower()) if closing and category else None


def _tagged(text: str, start: int, category: str) -> Span | None:
    """Return the span of an element's text, ``<password>…</password>``, when it is a value of *category*."""
    match = _ELEMENT.match(text, start)
    if not match or category in ("NAME?", "JWK?", "KEY?") or MASKED.search(match["v"]):
        return None
    value = match["v"].rstrip()
    if category not in _CREDENTIALS and not text.startswith("<", match.end()):
        return None
    if category in _CREDENTIALS and not secretive(value, category, "", quoted=True, tight=True):
        return None
    return match.start("v"), match.start("v") + len(value), category


def _value(text: str, start: int, category: str, name: str) -> Span | None:
    """Return the span of the value after a separator, when it is a value of that category."""
    if category in _CREDENTIALS:
        if name.endswith(("authorization", "auth", "cookie", "cookies")):
            return _header(text, start, category)
        return _credential(text, start, category, name)
    if category == "KEY?":
        span = _credential(text, start, "API_KEY", name)
        return (
            span if span and span[1] - span[0] >= _SHORTEST_KEY and jumbled(text[span[0] : span[1]][:_JUDGED]) else None
        )
    if category in ("NAME", "NAME?"):
        return _named(text, start, category)
    if category in ("EMAIL", "JWK?"):
        return None
    if category == "BIRTH_DATE":
        return _anchored(text, start, _DATE, category)
    if category == "POSTAL_CODE":
        match = _POST.match(text, start)
        return (*match.span("v"), category) if match else None
    if category == "ADDRESS":
        found = _quoted(text, start)
        if found is None:
            match = _STREET.match(text, start)
            found = match.span("v") if match else None
        if found is None:
            return None
        value = text[found[0] : found[1]][:_JUDGED]
        return (
            (*found, category)
            if any(map(str.isdigit, value))
            and " " in value.strip()
            and not MASKED.search(value)
            and "://" not in value
            and "=" not in value
            and "(" not in value
            else None
        )
    match = _DIGITY.match(text, start)
    if match and not _DATE.match(match["v"]) and not match["v"].startswith("0x"):
        value = _run(match["v"])
        if sum(c.isdigit() for c in value) > 4 and "." not in value[:-1].strip("."):  # noqa: PLR2004 - a length, and what it is of stands beside it
            return match.start("v"), match.start("v") + len(value), category
    return None


def _run(value: str) -> str:
    """Cut *value* before its first word without a digit: ``12345 and`` → ``12345``."""
    end = len(value)
    for match in re.finditer(r"[ ](?=[A-Za-z(]+(?:[ ./)-]|$))", value):
        if not any(map(str.isdigit, value[match.end() : match.end() + 3])):
            end = match.start()
            break
    return value[:end].rstrip(" .-/(")


def _anchored(text: str, start: int, pattern: re.Pattern[str], category: str) -> Span | None:
    at = start
    while at < len(text) and text[at] in " \t\"'" and at - start < 4:  # noqa: PLR2004 - a length, and what it is of stands beside it
        at += 1
    match = pattern.match(text, at)
    return (*match.span(), category) if match else None


def _named(text: str, start: int, category: str) -> Span | None:
    if category == "NAME?":
        return None
    found = _quoted(text, start)
    if found:
        value = text[found[0] : found[1]][:_JUDGED]
        return None if MASKED.fullmatch(value) or placeholder(value) or "%" in value else (*found, "NAME")
    found_ = _anchored(text, start, _PERSON, "NAME")
    if found_ and (placeholder(text[found_[0] : found_[1]]) or _TYPED.match(text, found_[1])):
        return None
    return found_


def _header(text: str, start: int, category: str) -> Span | None:
    """Return the credential of an ``Authorization`` or ``Cookie`` line.

    It is what follows the scheme, to the end of the line or the quote.
    """
    opened = _SCHEME.match(text, start)
    if not opened:
        return None
    scheme = (opened["scheme"] or "").lower()
    whole = category == "COOKIE" or scheme in _WHOLE_LINE
    match = (_LINE if whole else _WORD).match(text, opened.end())
    if not match:
        return None
    begin, end = match.span()
    value = text[begin:end].rstrip(" \t,;)]}\\")
    if "(" in value:
        given = _TUPLE.match(text, start)
        secret = given and secretive(given["v"], "PASSWORD", "", quoted=True, tight=True)
        return (*given.span("v"), "PASSWORD") if given and secret else None
    if (
        len(value) < 4  # noqa: PLR2004 - a length, and what it is of stands beside it
        or (value[0] == "[" and MASKED.match(value))
        or placeholder(value)
        or (
            not scheme
            and ((_LETTERS.match(value) and value.lower() == value) or DOTTED.fullmatch(value) or _expression(value))
        )
    ):
        return None
    if category == "COOKIE" and "=" not in value and not any(map(str.isdigit, value)):
        return None
    if category != "COOKIE" and value.isalpha() and len(value) < 12:  # noqa: PLR2004 - a length, and what it is of stands beside it
        return None
    if end - begin <= _JUDGED * 2 - 1:
        return begin, begin + len(value), category
    rest = (_LINE_REST if whole else _WORD_REST).match(text, end)
    return begin, rest.end() if rest else end, category


def _expression(value: str) -> bool:
    """Return whether *value* is a dotted name of code without a digit in it: ``httpx.BasicAuth``."""
    return CODE.match(value) is not None and not any(map(str.isdigit, value))


def _credential(text: str, start: int, category: str, name: str) -> Span | None:
    words = _MNEMONIC.match(text, start) if name.endswith(_WORDED) else None
    if words:
        return *words.span("v"), category
    block = _BLOCK.match(text, start) if text.find("\n", start, start + 12) > 0 else None
    if block:
        return (*block.span("v"), category) if secretive(block["v"], category, name, quoted=True, tight=True) else None
    found = _quoted(text, start)
    if found:
        value = text[found[0] : found[1]][:_JUDGED]
        if " " in value and text[found[1] : found[1] + 1] == "`":
            return None  # a command of a shell
        return (*found, category) if secretive(value, category, name, quoted=True, tight=False) else None
    return _unquoted(text, start, category, name) or _within(text, start, category, name)


def _within(text: str, start: int, category: str, name: str) -> Span | None:
    """Return the literal that the expression at *start* takes, lists or falls back to."""
    for pattern in (_WRAPPED, _LISTED, _FALLBACK):
        found = pattern.match(text, start)
        if found and chosen(found["v"]) and secretive(found["v"], category, name, quoted=True, tight=True):
            return *found.span("v"), category
    return None


def _unquoted(text: str, start: int, category: str, name: str) -> Span | None:
    bare = _BARE.match(text, start)
    if not bare:
        return None
    begin, end = bare.span("v")
    value = bare["v"]
    tight = begin == start
    while value and value[-1] in ".,;:!?)]}\\*" and not (value[-1] == "!" and category == "PASSWORD"):
        if value[-1] in ")]}" and value.count(value[-1]) == value.count({")": "(", "]": "[", "}": "{"}[value[-1]]):
            break
        value = value[:-1]
    if not secretive(value, category, name, quoted=False, tight=tight):
        return None
    if begin + len(value) == end and len(value) == _JUDGED:
        rest = _BARE_REST.match(text, end)
        return begin, rest.end() if rest else end, category
    return begin, begin + len(value), category
