"""Numbers and codes that the words before them give away, in a sentence or on a form: a table of such words.

``Your OTP is …``, ``sort code …``, ``Führerschein …``: what has no checksum of its own, no separator before it, and a
word that says what it is. Only text with one of `vocabulary.TOLD` is asked.
"""

# ruff: noqa: E501 - an entry of a table is one line
from __future__ import annotations

import re
from typing import NamedTuple


class Told(NamedTuple):
    """One row of the table: its matches have one of *needed* in lower case, and start with one of *starts*."""

    category: str
    pattern: re.Pattern[str]
    needed: tuple[str, ...]
    starts: tuple[str, ...]
    digits: int  # so many digits the value has at least
    lettered: bool  # and letters, too
    rare: bool  # only text with a word of `vocabulary.TOLD` can have it


_IS = r"(?:[ ]?(?:is|was|are|est|es|ist|lautet|é|è|är|er|jest)(?![^\W\d_]))?(?:[ ]?(?:[:=#]|->))?"
_NUMBER = r"(?:[ -]?(?:numbers?|num|nummer|numer|numéro|número|numero|no\.?|nr\.?|n[°º.]|id|seria|#)(?![^\W\d_])|nummer|nr\.?(?![^\W\d_])){0,2}"
_SERIAL = r"(?=[A-Z0-9]*[0-9])[A-Z0-9]{6,14}(?![A-Za-z0-9])|[A-Z]{0,3}[ ]?[0-9][0-9A-Z /-]{3,20}[0-9](?![A-Za-z0-9])"
_CODE = r"\d(?:[ -]?\d){3,7}(?![\w-]|[.,:/]\d)"
_OF_A_CODE = "code d(?:e |['\u2019])(?:vérification|sécurité|confirmation|validation|accès)|c[oó]digo de (?:verificación|verificação|seguridad|segurança|confirmación|confirmação|acceso|acesso)|codice di (?:verifica|sicurezza|conferma|accesso)"


def _row(  # noqa: PLR0917 - a table row
    category: str,
    words: str,
    between: str,
    value: str,
    needed: str,
    starts: str,
    digits: int,
    *,
    lettered: bool = False,
    rare: bool = True,
) -> Told:
    """Return a row: *words* and what may stand *between* are of any case, the *value* is not."""
    pattern = re.compile(rf"(?i:(?<![^\W_])(?:{words}){between})[ ]{{1,2}}[\"'`*(]?(?P<v>{value})")
    return Told(category, pattern, tuple(needed.split("|")), tuple(starts.split("|")), digits, lettered, rare)


TOLD = (
    _row(
        "PASSPORT",
        "passports?|passeport|reisepass|pasaporte|passaporto|passaporte|paspoort|paszport(?:u)?|pasaport|travel document",
        _NUMBER + _IS,
        _SERIAL,
        "passport|passeport|reisepass|passaport|paspo|paszp|pasap|travel doc",
        "passport|passeport|reisepass|pasap|passaporto|passaporte|paspoort|paszport|travel",
        3,
        rare=False,
    ),
    _row(
        "LICENSE",
        "(?:driver['\u2019]?s?|driving)[ ](?:licen[cs]e|permit)|licen[cs]e(?= n)|dl(?=[ ]?[#:]|[ ]n)|führerschein|fuehrerschein|permis de conduire|patente(?: di guida)?|rijbewijs|prawo jazdy|carn(?:et|é) de conducir|permiso de conducir|carta de condução",
        _NUMBER + _IS,
        _SERIAL,
        "licen|permi|dl:|dl #|dl#|dl n|dl :|hrerschein|patente|rijbewijs|prawo|conduc|condu",
        "driver|driving|licen|dl|führerschein|fuehrerschein|permis|patente|rijbewijs|prawo|carn|carta de",
        4,
        rare=False,
    ),
    _row(
        "LICENSE",
        "(?:licen[cs]e|number|registration)[ ]plates?|plate(?= n)|kennzeichen|immatriculation",
        _NUMBER + _IS,
        "[A-ZÄÖÜ0-9]{1,4}(?:[ -][A-Z0-9]{1,4}){1,3}(?![A-Za-z0-9])|[A-Z0-9]{5,8}(?![A-Za-z0-9])",
        " plate|plate n|kennzeichen|immatr",
        "licen|number plate|registration|plate|kennzeichen|immatr",
        2,
        lettered=True,
        rare=False,
    ),
    _row(
        "NATIONAL_ID",
        "(?:personal)?ausweis|(?:identity|id)[ ]card|carte d['\u2019]identité|carta d['\u2019]identità|dow[oó]d osobisty|dowodu(?: osobistego)?|residence permit|aufenthaltstitel",
        _NUMBER + _IS,
        _SERIAL,
        "ausweis|card|identit|dow|residence|aufenthalt",
        "personalausweis|ausweis|identity card|id card|cart|dow|residence|aufenthalt",
        3,
    ),
    _row(
        "PERSONAL",
        "mrn|medical record",
        _NUMBER + _IS,
        r"[A-Z]{0,3}-?\d{5,12}(?![\w-])",
        "mrn|medical",
        "mrn|medical",
        5,
    ),
    _row(
        "BANK",
        "sort[ -]?code|bsb",
        _NUMBER + _IS,
        r"\d{2}[ -]?\d{2}[ -]?\d{2}(?![\w-])|\d{3}[ -]?\d{3}(?![\w-])",
        "sort|bsb",
        "sort|bsb",
        6,
    ),
    _row(
        "BANK",
        r"a/c|acct?\.?|account(?= (?:n|#|is))|kto\.?|konto|conto corrente|rekening|número de cuenta|numéro de compte|bankgiro",
        r"-?" + _NUMBER + _IS,
        r"\d{7,14}(?![\w-]|[.,]\d)|\d{3,4}-\d{4}(?![\w-])",
        "a/c|acc |acc:|acc.|acct|account n|account #|account is|acc-|kto|konto|conto|rekening|cuenta|compte|bankgiro",
        "a/c|acc|kto|konto|conto|rekening|númer|numér|bankgiro",
        7,
    ),
    _row(
        "PASSWORD",
        rf"(?:verification|security|login|auth|authentication|one-time|one time|2fa|mfa|sms|access|confirmation)[ -]code|(?:bestätigungs|sicherheits|verificatie|beveiligings)code|otp(?: code)?|m?tan|passcode|(?<=ihr )code|(?<=your )(?:[a-z0-9.-]{2, 20} )?code|{_OF_A_CODE}",
        _IS,
        _CODE,
        "code |code:|otp| tan|mtan|tan |codice|código|codigo",
        "code|mtan|tan|verif|security|login|auth|one-time|one time|2fa|mfa|otp|sms|access|confirm|bestätigungs|sicherheits|beveiligings|passcode|code d|código|codigo|codice",
        4,
        rare=False,
    ),
    _row(
        "PASSWORD",
        r"your (?:[\w.-]{2,20} )?code",
        _IS,
        _CODE,
        "code is|code:",
        "your",
        5,
        rare=False,
    ),
    _row(
        "PASSWORD",
        "use|enter|type|code",
        "",
        r"\d(?:[ -]?\d){3,7}(?= (?:as|is|for|to) (?:your|confirm|verify|log|sign)[^.\n]{0,40}\b(?:code|OTP|password|PIN|verification|log ?in|sign ?in)\b)",
        " your| confirm| verify| log| sign",
        "use|enter|type|code",
        4,
    ),
    _row(
        "PASSWORD",
        "(?:card|sim|atm|alarm|door|my|your|the|bank|debit|phone)[ ]pin",
        "(?:[ -]?(?:code|number))?" + _IS,
        r"\d{4,8}(?![\w-]|[.,:/]\d)",
        " pin",
        "card|sim|atm|alarm|door|my|your|the|bank|debit|phone",
        4,
        rare=False,
    ),
    _row(
        "CARD_CODE",
        "cvv2?|cvc2?|(?:card )?security code(?: on the back)?",
        _IS,
        r"\d{3,4}(?![\w-]|[.,:/]\d)",
        "cvv|cvc|security code",
        "cvv|cvc|card|security",
        3,
        rare=False,
    ),
)
FOREMOST = re.compile(
    r"(?<![\w.+-])(?:G-)?(?P<v>\d{4,8}|\d{3}[ -]\d{3})(?= is your [^.\n]{0,40}\b(?i:code|otp|password|pin)\b)"
)
"""A code that stands before what it is: ``123456 is your login code``."""
