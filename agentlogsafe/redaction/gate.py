"""The gate in front of all detectors: is there anything in this text that one of them could want?

Most text is clean, so the cost of redaction is the cost of finding that out. A regular expression costs 10 to 25 ns
a character here; translating the text's bytes to a few classes and looking for a run costs 1 ns. Each question
below is a superset of what its detectors match: where the gate says no, they find nothing (a property test holds it
to that). Measured on 440 characters of prose: 5 to 7 µs for all questions.
"""

from __future__ import annotations

import re

from agentlogsafe.redaction import disguise
from agentlogsafe.redaction.separators import separators
from agentlogsafe.redaction.vocabulary import CALLS, STATED_WIDE, TOLD, TOLD_WIDE

AT, TOKEN, NUMBER, DOTTED, WORD, NAMED, COLONS, ESCAPED, ODD, CONTROL, OPTION = (1 << i for i in range(11))

# Behind a plus stand six digits at least: fewer are no telephone number, even where a word says that they are one.
_PLUS = re.compile(r"\+[ (]{0,2}[0-9](?:[ .()/-]{0,2}\d){5}").search
# A telephone number that is too short to be asked about for its length, behind a word that says what it is.
SPOKEN = (
    r"(?:tel|mobil|cell|celular|rufnummer|fax|whatsapp|number is|(?:call|ring|reach|text|contact) (?:me|us|him|her|them|back)|contact:)"  # noqa: E501 - one pattern
    r"[^0-9\n]{0,40}[0-9](?:[ ().-]{0,2}[0-9]){6}"
)
_CALLS = (
    "tel",
    "mobil",
    "cell",
    "celular",
    "rufnummer",
    "fax",
    "whatsapp",
    "number is",
    "call ",
    "ring ",
    "reach ",
    "text ",
    "contact",
)
_SPOKEN = re.compile(SPOKEN).match
_SECOND_ROW = re.compile("[\x80-\x9f]").search  # of control characters
_SEVEN = "0" * 7
_SIX = "0" * 6
_DOTS = ".0000"  # a date's year, a number's groups
_CALLED = tuple(CALLS)
TOLD_PHRASES = {word.encode(): (phrase or word).split("|") for word, phrase in TOLD.items()}
_PASSING = frozenset("ag ed en er es in io iv".split())
_RUN = "a" * 16
_NINE = "0" * 9
_STAMP = "00000000T00"


def _table(classes: dict[str, str], other: str = " ") -> bytes:
    table = bytearray(other.encode() * 256)
    for characters, to in classes.items():
        for character in characters:
            table[ord(character)] = ord(to)
    return bytes(table)


_UPPER = "ABCDEFGHIJKLMNOPQRSUVWXYZ"  # no T: it parts the date from the time in ISO 8601
_ALNUM = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
# Digits and capitals that spaces and punctuation group: telephone numbers, cards, national numbers, IBANs.
_NUMBERS = _table({"0123456789" + _UPPER: "0", ".": ".", "T": "T"})
_GROUPING = b" -()/_+:"
_DIGITS = bytes(ord("0" if chr(code) in "0123456789?" or code > 127 else " ") for code in range(256))  # noqa: PLR2004 - the end of ASCII
_WORDS = bytes(ord(chr(code).lower()) if code < 128 and chr(code).isalnum() else 32 for code in range(256))  # noqa: PLR2004 - the end of ASCII, a space
# Long unbroken tokens; control characters to NUL.
_TOKENS = _table({_ALNUM + "_.-~": "a", "".join(map(chr, (*range(9), 11, 12, *range(14, 32), 127))): "\x00"})


def questions(text: str, names: frozenset[str], among: int = -1) -> int:
    """Return the questions that are answered "maybe" for *text*, as bits; *names* are the endings of sensitive names.

    Only what is *among* the given bits need be asked; more may be answered.
    """
    bits = 0
    if text.isascii():
        raw = text.encode()
    else:
        raw = text.encode("utf-8", "surrogatepass")
        if among & ODD and disguise.odd(text, raw):
            bits |= ODD
        if b"\xe2\x80" in raw or b"\xed" in raw or (b"\xc2" in raw and _SECOND_ROW(text)):
            bits |= CONTROL
    if "@" in text:
        bits |= AT
    # As text again: bytes in bytes cost three times as much to ask for, an exception that is caught.
    numbers = raw.translate(_NUMBERS, _GROUPING).decode() if among & (NUMBER | DOTTED | WORD) else ""
    six = _SIX in numbers
    if numbers and (
        (six and _NINE in numbers)
        or (
            "T" in numbers
            and ("0T" in numbers or "T0" in numbers)
            and _NINE in numbers.replace(_STAMP, " ").replace("T", "0")
        )
        or ("+" in text and _PLUS(text))
    ):
        bits |= NUMBER
    dotted = ".0" in numbers
    if dotted and (".000." in numbers or ".00." in numbers or ".0." in numbers or ".0000." in numbers):
        bits |= DOTTED
    tokens = raw.translate(_TOKENS).decode() if among & (TOKEN | CONTROL) else ""
    if _RUN in tokens:
        bits |= TOKEN
    if "\x00" in tokens:
        bits |= CONTROL
    low = text.lower() if among & WORD else ""
    if low and (
        ("pass" in low and _passes(low))
        or "secret" in low
        or "identified" in low
        or (not low.isascii() and _stated(low))
        or ("(" in text and ('"' in text or "'" in text) and _called(low))
        or ("{" in text and ('variable "' in low or "{ get;" in low))
        or ("/" in low and ("/pw" in low or "/ pw" in low))
        or (
            " is" in low
            and (
                "key is" in low
                or "token is" in low
                or "code is" in low
                or "phrase is" in low
                or "pin is" in low
                or "pw is" in low
                or "cvv is" in low
                or "cvc is" in low
                or "wachtwoord" in low
                or "kennwort" in low
                or "ey for " in low
                or "oken for " in low
            )
        )
        or (
            "0000" in numbers
            and (
                "birth" in low
                or "born" in low
                or "dob" in low
                or "d.o.b" in low
                or "licen" in low
                or "phone" in low
                or "pasap" in low
                or (_SEVEN in numbers and _spoken(low))
            )
        )
        or ((six or (dotted and _DOTS in numbers)) and " " in text and told(low, raw))
    ):
        bits |= WORD
    if among & (OPTION | COLONS) and "-" in text:
        if " -" in text or text[0] == "-" or "\n-" in text or "'-" in text or '"-' in text:
            bits |= OPTION
        if among & COLONS and text.count("-") > 4 and chained(text, "-", 3):  # noqa: PLR2004 - a length, and what it is of stands beside it
            bits |= COLONS
    if among & ESCAPED and disguise.escaped(text):
        bits |= ESCAPED
    if among & NAMED and next(separators(text, names), None) is not None:
        bits |= NAMED
    if among & COLONS and ":" in text and chained(text, ":", 5):
        bits |= COLONS
    return bits


def told(low: str, raw: bytes) -> bool:
    """Return whether *low*, a text in lower case, has one of `TOLD`; *raw* are the text's bytes."""
    for word in TOLD_PHRASES.keys() & raw.translate(_WORDS).split():
        if any(phrase in low for phrase in TOLD_PHRASES[word]):
            return True
    return not low.isascii() and any(words in low for words in TOLD_WIDE)


def _passes(low: str) -> bool:
    """Return whether *low* has a word for a password or a passport, and not only passengers and tests that passed."""
    at = low.find("pass")
    while at >= 0:
        if low[at + 4 : at + 6] not in _PASSING:
            return True
        at = low.find("pass", at + 4)
    return False


def _called(low: str) -> bool:
    """Return whether *low* has one of `CALLS`."""
    at = low.find("(")
    while at >= 0:
        if low.endswith(_CALLED, 0, at + 1):
            return True
        at = low.find("(", at + 1)
    return "insert into" in low


def _stated(low: str) -> bool:
    """Return whether *low*, which is not ASCII, has a word for a password."""
    return any(word in low for word in STATED_WIDE)


def _spoken(low: str) -> bool:
    """Return whether *low* has `SPOKEN`; it is tried where one of its words is."""
    for word in _CALLS:
        at = low.find(word)
        while at >= 0:
            if _SPOKEN(low, at):
                return True
            at = low.find(word, at + 1)
    return False


def digits(text: str) -> bool:
    """Return whether *text* has four digits, however they are grouped: fewer in a row no number has."""
    return b"0000" in text.encode("latin-1", "replace").translate(_DIGITS, _GROUPING + b".")


def chained(text: str, sign: str, widest: int) -> bool:
    """Return whether *text* has signs as IPv6 and hardware addresses have them.

    Two in a row, or four that are at most *widest* characters apart.
    """
    chain = 0
    last = -9
    at = text.find(sign)
    while at >= 0:
        gap = at - last
        if gap == 1 and sign == ":":
            return True
        chain = chain + 1 if gap <= widest else 0
        if chain == 3:  # noqa: PLR2004 - a length, and what it is of stands beside it
            return True
        last = at
        at = text.find(sign, at + 1)
    return False
