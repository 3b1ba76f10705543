"""What the words before a value give away: on forms, in sentences, in a dozen languages."""

from __future__ import annotations

import pytest

from agentlogsafe.redaction import redact

NAMED = (
    ("Passport No.: 533380006", "PASSPORT"), ("passport C01X0006H", "PASSPORT"), ("Reisepass-Nr. C4FKX82N1", "PASSPORT"), ("travel document number PB8271635", "PASSPORT"), ("护照号码: E82716354", "PASSPORT"),  # noqa: E501 - one row of a table
    ("driver's license D8271635", "LICENSE"), ("DL# D8271635", "LICENSE"), ("license number is WDL82ABCD567", "LICENSE"), ("permis de conduire n° 827163542716", "LICENSE"), ("Führerschein J01N8X2K431", "LICENSE"),  # noqa: E501 - one row of a table
    ("license plate 7ABC123", "LICENSE"), ("plaque d'immatriculation AB-482-CD", "LICENSE"), ("number plate AB12 CDE", "LICENSE"), ("Kennzeichen: M-AB 4821", "LICENSE"),  # noqa: E501 - one row of a table
    ("Ausweisnummer T22000129", "NATIONAL_ID"), ("ID card number L01X00T47", "NATIONAL_ID"), ("carte d'identité n° 880692310285", "NATIONAL_ID"), ("National ID: 233300346294", "NATIONAL_ID"), ("tax_id=774661438", "NATIONAL_ID"),  # noqa: E501 - one row of a table
    ("MRN 00827163", "PERSONAL"), ("medical record number 82716354", "PERSONAL"), ("BSB 062-000", "BANK"), ("sort code 20-45-53", "BANK"), ("account number 82773907", "BANK"), ("A/C No. 38271635427", "BANK"),  # noqa: E501 - one row of a table
    ("Kto 532013000", "BANK"), ("bankgiro 5805-6201", "BANK"), ("Your OTP is 311781", "PASSWORD"), ("933885 is your login code", "PASSWORD"), ("Use 958941 as your verification code", "PASSWORD"),  # noqa: E501 - one row of a table
    ("Ihr Bestätigungscode lautet 166854", "PASSWORD"), ("code de vérification est 556244", "PASSWORD"), ("card PIN 694217", "PASSWORD"), ("CVV 575", "CARD_CODE"),  # noqa: E501 - one row of a table
    ("geboren am 21.04.1997", "BIRTH_DATE"), ("né le 21/01/1996", "BIRTH_DATE"), ("nata a Roma il 24.11.1986", "BIRTH_DATE"), ("Data di nascita: 07.11.1982", "BIRTH_DATE"), ("Дата рождения: 14-06-1979", "BIRTH_DATE"), ("出生日期: 2000-01-14", "BIRTH_DATE"),  # noqa: E501 - one row of a table
    ("Telefoon: 9123 2887", "PHONE"), ("電話番号: 55 1233 9268", "PHONE"), ("номер телефона: 138 1269 5283", "PHONE"), ("vorname=Lukas", "NAME"), ("cognome: Rossi", "NAME"), ("Anschrift: Lindenweg 4, 50667 Köln", "ADDRESS"),  # noqa: E501 - one row of a table
    ("hasło = 'tulipan99'", "PASSWORD"), ("'密码' => 'zmlinapqx'", "PASSWORD"), ("数据库密码: Tulip9912", "PASSWORD"), ("ldap.bindpw=Tulip9912", "PASSWORD"), ("dbpwd: Tulip9912", "PASSWORD"),  # noqa: E501 - one row of a table
)  # fmt: skip


@pytest.mark.parametrize(("text", "category"), NAMED)
def test_named(text, category):
    """A value goes where a word before it says what it is, and the word stays."""
    out = redact(text)
    assert f"[{category}]" in out
    assert not any(piece.isdigit() and len(piece) > 2 for piece in out.split())
    assert redact(out) == out


@pytest.mark.parametrize(
    "text",
    [
        "passport control took 1234567 ms", "passport.js 0.7.0", "identity card renewal 2024-05-01", "GPIO pin 1312 is high", "your order 123456 is your last", "the plate number is missing", "sort code path 120000 ns",  # noqa: E501 - one row of a table
        "model_id: 233300346294", "pixel_id=774661438", "geb 1.2.3", "account nothing 12", "log 123456 to log", "template plate n", "IP-Adresse: unbekannt", "use 123456 for tests",  # noqa: E501 - one row of a table
    ],
)  # fmt: skip
def test_not_named(text):
    """The same words beside what is no such value take nothing away."""
    assert redact(text) == text
