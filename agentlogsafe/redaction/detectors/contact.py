"""Contact data: e-mail addresses and telephone numbers."""

# ruff: noqa: E501 - an entry of a table is one line
# ruff: noqa: PLR2004 - checksums, calendars and lengths are numbers
from __future__ import annotations

import re

from agentlogsafe.redaction.detectors.base import Detector
from agentlogsafe.redaction.detectors.checks import digits_of

_CALLING = frozenset(
    """1 7 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98
    211 212 213 216 218 220 221 222 223 224 225 226 227 228 229 230 231 232 233 234 235 236 237 238 239 240 241 242 243 244 245 246 247 248 249
    250 251 252 253 254 255 256 257 258 260 261 262 263 264 265 266 267 268 269 290 291 297 298 299 350 351 352 353 354 355 356 357 358 359 370
    371 372 373 374 375 376 377 378 379 380 381 382 383 385 386 387 389 420 421 423 500 501 502 503 504 505 506 507 508 509 590 591 592 593 594
    595 596 597 598 599 670 672 673 674 675 676 677 678 679 680 681 682 683 685 686 687 688 689 690 691 692 800 808 850 852 853 855 856 870 878
    880 881 882 883 886 888 960 961 962 963 964 965 966 967 968 970 971 972 973 974 975 976 977 979 992 993 994 995 996 998""".split()
)  # fmt: skip
_DATE_LIKE = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}(?:[ T].*)?$|\d{3} \d{3} ?-?\d{3}$|\d{5}-\d{4}$")
_DECIMAL = re.compile(r"\+ ?\d\.\d{4,}$")
_FEWEST, _MOST = 7, 15


def international(text: str) -> bool:
    """Return whether *text*, which starts with ``+`` or ``00``, has a calling code that is assigned and a length that E.164 allows."""
    digits = digits_of(text)
    if not text.startswith("+"):
        digits = digits.lstrip("0")
    if _DECIMAL.match(text):
        return False
    return _FEWEST <= len(digits) <= _MOST and (
        digits[:1] in _CALLING or digits[:2] in _CALLING or digits[:3] in _CALLING
    )


def north_american(text: str) -> bool:
    """Return whether *text* has ten digits (eleven with the 1) of which no part starts as it may not."""
    digits = digits_of(text.partition("x")[0])
    digits = digits.removeprefix("001") if digits.startswith("001") else digits.removeprefix("1")
    return (
        len(digits) == 10
        and digits[0] in "23456789"
        and digits[3] in "23456789"
        and digits[1:3] != "11"
        and not digits.startswith("1", 3)
    )


def national(text: str) -> bool:
    """Return whether *text*, which starts with a trunk zero, is grouped like a telephone number and not like a date."""
    digits = digits_of(text)
    return (
        text not in "01234567890123456789"
        and 9 <= len(digits) <= 12
        and not _DATE_LIKE.match(text)
        and len(set(digits)) > 2
        and digits[:2] != "00"
    )


_DATED = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}(?:[ T].*)?$|\d{5}-\d{4}$")


def spoken(text: str) -> bool:
    """Return whether *text*, which stands behind a word such as ``call``, has the length of a number and is no date or time."""
    digits = digits_of(text)
    return (
        text not in "01234567890123456789"
        and 6 <= len(digits) <= _MOST
        and not _DATED.match(text)
        and len(set(digits)) > 1
    )


_LOCAL = r"[\w!#$%&'*+/=?^`{|}~-]"
CALLING_WORDS = (
    "phone|telephone|tel|mobile|cell|cellphone|fax|whatsapp|sms|call|dial|text|contact|reach|ring|my number|handy|telefon|telefono|teléfono|téléphone|"
    "calling|dialing|dialling|texting|ringing|answering|callback|hotline|helpline|landline|rufnummer|mobilnummer|durchwahl|tél|tlf|mobiel|"
    "portable|móvil|movil|celular|cellulare|cep|gsm|numara|numaram|telefonnummer|mobil|puhelin|номер|телефон|телефона|тел|telefonu|telefone|telefoon|电话|手机|電話|전화|โทร"
)

_LINKS = (
    "phone|number|no|nr|num|is|me|us|him|her|them|at|on|to|my|our|your|his|the|numaram?|olarak|está|es|ist|or|via|now|please|directly|"
    "office|home|work|priv|privat|domicile|komórkowy|domicilio|back|main|new|primary|customer|support|line|desk|x"
)

EMAIL = Detector(
    "email", "EMAIL", "contact",
    rf"(?<![\w.+-]){_LOCAL}(?:[\w!#$%&'*+/=?^`{{|}}~.-]{{0,62}}{_LOCAL})?@(?:[^\W_](?:[\w-]{{0,61}}[^\W_])?\.){{1,8}}[^\W\d_][\w-]{{0,60}}[^\W_]",
    gate=("@",), yes=("mia.li@example.com", "用户@例子.中国"), no=("user@localhost", "@decorator"),
)  # fmt: skip

PHONES: tuple[Detector, ...] = (
    Detector("phone-international", "PHONE", "contact", r"(?<![\w+])(?:\+[ ]?[1-9](?:[ .()/-]{0,2}\d){6,14}|(?<![\d.-])(?<!\d[ -])00[ ]?[1-9]\d{0,2}[ ./-](?:[ .()/-]{0,2}\d){6,13})(?!\d)", gate=("+", "00"), valid=international, yes=("+44 20 7946 0958", "+1 (312) 555-0199"), no=("+12", "x + 2.34303484")),
    Detector("phone-north-american", "PHONE", "contact", r"(?<![\w.+/-])(?<!\d[ ])(?:(?:001|1)[ .-]?)?(?:\([2-9]\d\d\)[ ]?|[2-9]\d\d[ .-])[2-9]\d\d[ .-]\d{4}(?:[ ]?x\d{1,5}|,?[ ]ext\.?[ ]?\d{1,5})?(?![\w-]|\.\d)", valid=north_american, yes=("(415) 555-0132", "415.555.0132"), no=("415-111-01322",)),
    Detector("phone-national", "PHONE", "contact", r"(?<![\w.+/:#-])(?<![A-Z\d][ ])(?:\(?0[1-9]\d{0,4}\)?(?:[ ./-]{1,2}\d{1,8}){1,5}|0[1-9]\d{8,9})(?![\w/:]|[.-]\d)", valid=national, yes=("020 7946 0958", "01 23 45 67 89"), no=("05.12.2024",)),
    Detector("phone-spoken", "PHONE", "contact", rf"(?i)(?<![\w.])(?:{CALLING_WORDS})(?!\w)(?:[^\w\n]|(?<!\w)(?:{_LINKS})(?!\w)){{0,10}}?(?P<v>\(?\d(?:[ ().-]{{0,2}}\d){{5,14}})(?![\w-]|[.:]\d)", gate=tuple(CALLING_WORDS.split("|")), valid=spoken, yes=("call me on 5551234567", "my number is 712 3456", "tel 8312 3456", "whatsapp 601 123 456", "ring back on (11) 96123-4567"), no=("call us before 2024-05-15",)),
)  # fmt: skip
