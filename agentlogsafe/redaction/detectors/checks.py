"""Checksums and calendar rules of numbers; small, exact, and safe on any text."""

# ruff: noqa: E501 - an entry of a table is one line
# ruff: noqa: PLR2004 - checksums, calendars and lengths are numbers
from __future__ import annotations

import string
from functools import cache
from operator import mul
from typing import TYPE_CHECKING

from stdnum.au import tfn
from stdnum.be import nn
from stdnum.de import idnr
from stdnum.gr import amka
from stdnum.iso7064 import mod_11_2
from stdnum.no import fodselsnummer
from stdnum.pl import pesel

if TYPE_CHECKING:
    from collections.abc import Callable

_ZERO = ord("0")
_DOUBLED = bytes.maketrans(b"0123456789", bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))
_ISSUERS = (
    # first digits from, to, lengths (ISO/IEC 7812 issuer ranges as the networks publish them)
    (4, 4, (13, 16, 19)), (51, 55, (16,)), (2221, 2720, (16,)), (34, 34, (15,)), (37, 37, (15,)), (6011, 6011, (16, 17, 18, 19)),
    (644, 649, (16, 17, 18, 19)), (65, 65, (16, 17, 18, 19)), (62, 62, (16, 17, 18, 19)), (3528, 3589, (16, 17, 18, 19)), (300, 305, (14, 16)), (3095, 3095, (14, 16)),
    (36, 36, (14, 16)), (38, 39, (14, 16)), (2200, 2204, (16, 17, 18, 19)), (9792, 9792, (16,)), (508, 508, (16,)), (606, 608, (16,)), (81, 82, (16,)),
    (5018, 5019, (16,)), (5020, 5020, (16,)), (5038, 5038, (16,)), (5893, 5893, (16,)), (6304, 6304, (16,)), (6759, 6759, (16,)), (6761, 6763, (16,)), (2131, 2131, (15,)), (1800, 1800, (15,)),
)  # fmt: skip
_IBAN_LENGTHS = dict(
    pair.split(":") for pair in (
        "AD:24 AE:23 AL:28 AT:20 AZ:28 BA:20 BE:16 BG:22 BH:22 BI:27 BR:29 BY:28 CH:21 CR:22 CY:28 CZ:24 DE:22 DJ:27 DK:18 DO:28 EE:20 EG:29 ES:24 FI:18 "
        "FK:18 FO:18 FR:27 GB:22 GE:22 GI:23 GL:18 GR:27 GT:28 HN:28 HR:21 HU:28 IE:22 IL:23 IQ:23 IS:26 IT:27 JO:30 KW:30 KZ:20 LB:28 LC:32 LI:21 LT:20 LU:20 LV:21 "
        "LY:25 MC:27 MD:24 ME:22 MK:19 MN:20 MR:27 MT:31 MU:30 NI:28 NL:18 NO:15 OM:23 PK:24 PL:28 PS:29 PT:25 QA:29 RO:24 RS:22 RU:33 SA:24 SC:31 SD:18 SE:24 "
        "SI:19 SK:24 SM:27 SO:23 ST:25 SV:28 TL:23 TN:24 TR:26 UA:29 VA:22 VG:24 XK:20 YE:30"
    ).split()
)  # fmt: skip
IBAN_LENGTHS: dict[str, int] = {country: int(length) for country, length in _IBAN_LENGTHS.items()}


_VALUES = bytes(code - 48 if 48 <= code <= 57 else 0 for code in range(256))
_NO_DIGITS = bytes(code for code in range(256) if not 48 <= code <= 57)


def digits_of(text: str) -> str:
    """Return the ASCII digits in *text*."""
    return text.encode("ascii", "ignore").translate(None, _NO_DIGITS).decode()


def luhn(digits: str) -> bool:
    """Return whether the last of the ASCII *digits* is Luhn's checksum of the others."""
    raw = digits.encode()
    return (sum(raw[-1::-2]) - _ZERO * ((len(raw) + 1) // 2) + sum(raw[-2::-2].translate(_DOUBLED))) % 10 == 0


@cache
def issued(first: str) -> frozenset[int]:
    """Return the lengths of the cards that start with four digits; there are ten thousand answers at most."""
    return frozenset().union(
        *(lengths for low, high, lengths in _ISSUERS if low <= int(first[: len(str(low))]) <= high)
    )


_LETTERS_AS_NUMBERS = {ord(letter): str(10 + place) for place, letter in enumerate(string.ascii_uppercase)}


def iban(text: str) -> bool:
    """Return whether *text* (no spaces, upper case) is an IBAN: the country's length and ISO 7064 mod 97."""
    if IBAN_LENGTHS.get(text[:2]) != len(text) or not text[2:4].isdigit() or not text.isalnum():
        return False
    return int((text[4:] + text[:4]).translate(_LETTERS_AS_NUMBERS)) % 97 == 1


def date6(digits: str) -> bool:
    """Return whether the first six digits are a date, YYMMDD."""
    return _day(int(digits[2:4]), int(digits[4:6]))


def date6_reversed(digits: str) -> bool:
    """Return whether the first six digits are a date, DDMMYY."""
    return _day(int(digits[2:4]), int(digits[:2]))


def _day(month: int, day: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]


def weighted(digits: str, weights: tuple[int, ...]) -> int:
    """Return the weighted sum of *digits*, the shorter of the two deciding."""
    return sum(map(mul, digits.encode().translate(_VALUES), weights))


def aba(digits: str) -> bool:
    """Return whether nine digits are a US bank routing number: a Federal Reserve prefix and the 3-7-1 checksum."""
    first = int(digits[:2])
    return (
        (first <= 12 or 21 <= first <= 32 or 61 <= first <= 72 or first == 80)
        and weighted(digits, (3, 7, 1) * 3) % 10 == 0
        and digits != "0" * 9
    )


def begins(*starts: str) -> Callable[[str], bool]:
    """Return a check for numbers that begin with one of *starts*, and have no checksum that tells more."""
    return lambda digits: digits.startswith(starts)


def dea(text: str) -> bool:
    """Return whether the seven digits of a prescriber's number have their checksum."""
    digits = [int(c) for c in text[2:]]
    return (sum(digits[0:6:2]) + 2 * sum(digits[1:6:2])) % 10 == digits[6]


def clabe(digits: str) -> bool:
    """Return whether a Mexican account number has its checksum: weights 3, 7, 1, each product modulo 10."""
    total = sum(int(c) * w % 10 for c, w in zip(digits[:17], (3, 7, 1) * 6, strict=False))
    return (10 - total % 10) % 10 == int(digits[17])


def npi(digits: str) -> bool:
    """Return whether ten digits are a US national provider identifier (Luhn over 80840 and the number)."""
    return digits[0] in "12" and luhn("80840" + digits)


def ssn(digits: str) -> bool:
    """Return whether nine digits can be a US social security number: no area 000, 666 or 9xx, no zero group or serial."""
    return (
        digits[:3] not in ("000", "666")
        and digits[0] != "9"
        and digits[3:5] != "00"
        and digits[5:] != "0000"
        and len(set(digits)) > 1
        and digits not in ("123456789", "987654320")
    )


def itin(digits: str) -> bool:
    """Return whether nine digits are in the ranges of a US individual taxpayer number."""
    group = int(digits[3:5])
    return digits[0] == "9" and (50 <= group <= 65 or 70 <= group <= 88 or 90 <= group <= 92 or 94 <= group <= 99)


def icao(text: str) -> bool:
    """Return whether the last digit is the 7-3-1 check digit of ICAO 9303 over the rest (German identity cards and passports)."""
    return text[-1].isdigit() and sum(int(c, 36) * (7, 3, 1)[i % 3] for i, c in enumerate(text[:-1])) % 10 == int(
        text[-1]
    )


def finnish(text: str) -> bool:
    """Return whether *text* (its sign may be gone) is a Finnish personal identity code: a date and the remainder by 31."""
    digits = digits_of(text[:6]) + digits_of(text[6:-1])[-3:]
    return date6_reversed(digits) and "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(digits) % 31] == text[-1]


def philippine(digits: str) -> bool:
    """Return whether the ninth digit is the checksum of a Philippine taxpayer number."""
    return weighted(digits[:8], (9, 8, 7, 6, 5, 4, 3, 2)) % 11 == int(digits[8])


def korean_passport(text: str) -> bool:
    """Return whether *text* starts like a Korean passport number."""
    return text[0] in "MSRODG"


def korean(digits: str) -> bool:
    """Return whether thirteen digits are a Korean resident or foreigner number: a date, a sex-and-century digit."""
    return date6(digits) and digits[6] in "123456789"


def korean_checked(digits: str) -> bool:
    """Return whether thirteen digits are a Korean number with its (until 2020) checksum."""
    total = 11 - weighted(digits[:12], (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)) % 11
    return korean(digits) and digits[12] in (str(total % 10), str((total + 2) % 10))


def south_african(digits: str) -> bool:
    """Return whether thirteen digits are a South African identity number: a date, citizenship 0-2, Luhn."""
    return date6(digits) and digits[10] in "012" and luhn(digits)


def swedish(digits: str) -> bool:
    """Return whether ten digits are a Swedish personal number: a date (or a coordination number's), Luhn."""
    day = int(digits[4:6])
    return date6(digits[:4] + f"{day - 60 if day > 60 else day:02d}") and luhn(digits)


def swedish_long(digits: str) -> bool:
    """Return whether twelve digits are a Swedish personal number with its century."""
    return digits[:2] in ("18", "19", "20") and swedish(digits[2:])


def swedish_organisation(digits: str) -> bool:
    """Return whether ten digits are a Swedish organisation number: third digit 2 or more, Luhn."""
    return digits[2] >= "2" and luhn(digits)


def british_driver(text: str) -> bool:
    """Return whether *text* has the encoded birth date of a British driving licence."""
    digits = text[5:11]
    return digits.isdigit() and _day(int(digits[1:3]) % 50 or 1, int(digits[3:5]) or 1)


def german_pension(text: str) -> bool:
    """Return whether *text* is a German pension insurance number: a date, a letter, a check digit."""
    letter = f"{ord(text[8]) - 64:02d}"
    digits = text[:8] + letter + text[9:11]
    total = sum(sum(divmod(int(d) * w, 10)) for d, w in zip(digits, (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1), strict=True))
    return 1 <= int(text[4:6]) <= 12 and total % 10 == int(text[11])


def german_health(text: str) -> bool:
    """Return whether *text* is a German health insurance number: a letter, nine digits, a Luhn-like check digit."""
    digits = f"{ord(text[0]) - 64:02d}" + text[1:9]
    total = sum(sum(divmod(int(d) * (1 + i % 2), 10)) for i, d in enumerate(digits))
    return total % 10 == int(text[9])


def german_practice(digits: str) -> bool:
    """Return whether nine digits are a German physician number (LANR)."""
    total = weighted(digits[:6], (4, 9, 4, 9, 4, 9)) % 10
    return int(digits[6]) == (10 - total) % 10


def german_tax(digits: str) -> bool:
    """Return whether eleven digits are a German tax number: of the first ten, one stands there two or three times, then the library."""
    return 8 <= len(set(digits[:10])) <= 9 and bool(idnr.is_valid(digits))


def australian_tax(digits: str) -> bool:
    """Return whether eight or nine digits are an Australian tax file number: the weighted sum, then the library."""
    return weighted(digits, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0 and bool(tfn.is_valid(digits))


def medicare_au(digits: str) -> bool:
    """Return whether the digits are an Australian Medicare number: first digit 2-6, weighted checksum."""
    return digits[0] in "23456" and weighted(digits[:8], (1, 3, 7, 9, 1, 3, 7, 9)) % 10 == int(digits[8])


def calendar(text: str) -> bool:
    """Return whether *text* has, as the fiscal code of Italy does, a plausible birth month letter."""
    return text[8] in "ABCDEHLMPRST"


def pan(text: str) -> bool:
    """Return whether the fourth letter is one of the holder kinds of an Indian permanent account number."""
    return text[3] in "ABCFGHJLPT"


def gstin(text: str) -> bool:
    """Return whether *text* is an Indian GSTIN: a state code and a PAN inside."""
    return "01" <= text[:2] <= "37" and text[13] == "Z"


def nino(text: str) -> bool:
    """Return whether the prefix letters are ones that British national insurance numbers use."""
    return (
        text[0] not in "DFIQUV"
        and text[1] not in "DFIQUVO"
        and text[:2] not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")
        and text[-1] in "ABCD"
    )


def singapore(text: str) -> bool:
    """Return whether *text* is a Singapore NRIC or FIN: the letter's checksum for its series."""
    total = sum(int(d) * w for d, w in zip(text[1:8], (2, 7, 6, 5, 4, 3, 2), strict=True))
    series = text[0]
    if series in "ST":
        return "JZIHGFEDCBA"[(total + (4 if series == "T" else 0)) % 11] == text[8]
    if series in "FG":
        return "XWUTRQPNMLK"[(total + (4 if series == "G" else 0)) % 11] == text[8]
    return series == "M" and "KLJNPQRTUWX"[10 - (total + 3) % 11] == text[8]


def turkish(digits: str) -> bool:
    """Return whether eleven digits are a Turkish identity number: no leading zero, two check digits."""
    d = digits.encode().translate(_VALUES)
    return d[0] > 0 and (7 * sum(d[0:9:2]) - sum(d[1:8:2])) % 10 == d[9] and sum(d[:10]) % 10 == d[10]


def aadhaar(digits: str) -> bool:
    """Return whether twelve digits are an Aadhaar number: no leading 0 or 1, no palindrome, Verhoeff's check digit."""
    if digits[0] < "2" or digits == digits[::-1]:
        return False
    check = 0
    for permuted, digit in zip(_PERMUTED, digits[::-1].encode().translate(_VALUES), strict=True):
        check = _DIHEDRAL[check][permuted[digit]]
    return check == 0


# Verhoeff's multiplication in the dihedral group of order ten, and what each place of a number does to its digit.
_DIHEDRAL = tuple(
    tuple((i + j) % 5 + 5 * (j > 4) if i < 5 else (i - j) % 5 + 5 * (j < 5) for j in range(10)) for i in range(10)
)
_PERMUTATION = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
_PERMUTED = [tuple(range(10))]
for _ in range(11):
    _PERMUTED.append(tuple(_PERMUTATION[digit] for digit in _PERMUTED[-1]))


def belgian(digits: str) -> bool:
    """Return whether eleven digits are a Belgian national number: mod 97 of a birth in either century, then the library."""
    first, check = digits[:9], int(digits[9:])
    return (97 - int(first) % 97 == check or 97 - int("2" + first) % 97 == check) and bool(nn.is_valid(digits))


def polish(digits: str) -> bool:
    """Return whether eleven digits are a Polish PESEL: the weighted sum, then the library."""
    return weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0 and bool(pesel.is_valid(digits))


def norwegian(digits: str) -> bool:
    """Return whether eleven digits are a Norwegian birth number: the first of its two weighted sums, then the library."""
    return weighted(digits, (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)) % 11 == 0 and bool(fodselsnummer.is_valid(digits))


def greek(digits: str) -> bool:
    """Return whether eleven digits are a Greek AMKA: Luhn, then the library."""
    return luhn(digits) and bool(amka.is_valid(digits))


def abn(digits: str) -> bool:
    """Return whether eleven digits are an Australian business number: 11 or more at the head, weighted, the first less one, divisible by 89."""
    return digits[:2] > "10" and (weighted(digits, (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)) - 10) % 89 == 0


def chinese(text: str) -> bool:
    """Return whether *text* is a Chinese resident number: a province, a birth date, ISO 7064 mod 11-2 (GB 11643)."""
    return (
        text[:2] in _PROVINCES
        and text[6:8] in ("18", "19", "20")
        and _day(int(text[10:12]), int(text[12:14]))
        and mod_11_2.is_valid(text)
    )


_PROVINCES = frozenset(
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83".split()
)
