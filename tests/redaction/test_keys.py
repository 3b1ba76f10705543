"""Keys are judged by their words."""

from __future__ import annotations

import pytest

from agentlogsafe.redaction import redact
from agentlogsafe.redaction.keys import KeyRules, classify, words
from tests.redaction.objects import CANARY, HARMLESS, SENSITIVE

MORE_SENSITIVE = (
    "PASSWORD", "Password", "passPhrase", "db-password", "smtp.password", "SECRET_KEY", "jwt", "refreshToken", "bearer_token", "githubToken", "GH_TOKEN", "HF_TOKEN",  # noqa: E501 - a pattern or a table row reads as one line
    "SLACK_BOT_TOKEN", "azure_client_secret", "accountKey", "storage_account_key", "x-amz-security-token", "Set-Cookie", "proxy-authorization", "pin", "cvv2", "card_pin",  # noqa: E501 - a pattern or a table row reads as one line
    "mfa_code", "recovery_codes", "seed_phrase", "db_pass", "ftp_pwd", "PGPASSWORD", "MYSQL_ROOT_PASSWORD", "apiSecret", "consumer_secret", "webhook_secret", "password2",  # noqa: E501 - a pattern or a table row reads as one line
    "new_password", "passwordConfirmation"[:8], "service_account_key", "ssh_private_key", "rsaPrivateKey", "anthropicApiKey", "token", "secrets", "creds", "auth",  # noqa: E501 - a pattern or a table row reads as one line
)  # fmt: skip
PERSONAL = (
    "first_name", "lastName", "full_name", "customer_name", "surname", "email", "userEmail", "email_address", "phone_number", "mobile", "dateOfBirth", "birth_date", "dob",  # noqa: E501 - a pattern or a table row reads as one line
    "address", "address1", "street_address", "zip", "postal_code", "zipCode", "ssn", "passport_number", "driversLicense", "tax_id", "iban", "account_number", "credit_card_number",  # noqa: E501 - a pattern or a table row reads as one line
)  # fmt: skip


@pytest.mark.parametrize("key", sorted({*SENSITIVE, *MORE_SENSITIVE, *PERSONAL}))
def test_sensitive(key):
    """A value under a sensitive or personal key goes, as text, as a number and inside a container."""
    for value in (CANARY, 738_291_746, [CANARY], {"value": CANARY}):
        out = str(redact({key: value}))
        assert CANARY not in out
        assert "738291746" not in out


@pytest.mark.parametrize("key", sorted(set(HARMLESS)))
def test_harmless(key):
    """A value under a key that only sounds sensitive stays, LLM token counts first of all (40)."""
    for value in ("plain-value", 4096, ["plain-value"], {"value": "plain-value"}):
        assert redact({key: value}) == {key: value}


@pytest.mark.parametrize("key", sorted({*SENSITIVE, *HARMLESS}))
def test_nothing_to_hide(key):
    """Booleans and null tell nothing, and stay under any key."""
    assert redact({key: None}) == {key: None}
    assert redact({key: True}) == {key: True}


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("OPENAI_API_KEY", ["openai", "api", "key"]), ("openaiApiKey", ["openai", "api", "key"]), ("X-Api-Key", ["x", "api", "key"]),  # noqa: E501 - a pattern or a table row reads as one line
        ("db.password", ["db", "password"]), ("HTTPServerToken", ["http", "server", "token"]), ("s3Key", ["s3", "key"]), ("", []), ("--", []),  # noqa: E501 - a pattern or a table row reads as one line
    ],
)  # fmt: skip
def test_words(key, expected):
    """Every case style is split into the same words."""
    assert words(key) == expected


def test_counter_and_identifier():
    """A short counter is not part of a key's name; a long number is, because it makes an identifier."""
    assert classify("password2") == classify("password_2") == "PASSWORD"
    assert classify("credit_card") == "CARD"
    assert classify("credit_card_4421486") is None


def test_name_of_a_person_or_of_a_thing():
    """``name`` is judged by what it looks like and by what stands beside it."""
    assert redact({"name": "Mia Li"}) == {"name": "[NAME]"}
    assert redact({"user": {"name": "mia"}}) == {"user": {"name": "[NAME]"}}
    assert redact({"name": "mia", "email": None}) == {"name": "[NAME]", "email": None}
    for thing in (
        {"name": "get_weather"},
        {"name": "Calculator", "arguments": "{}"},
        {"name": "gpt-4o"},
        {"name": "SearchTool"},
        {"type": "function", "name": "Search"},
    ):
        assert redact(thing) == thing
    assert redact({"name": {"first_name": "Omar", "last_name": "Davis"}}) == {
        "name": {"first_name": "[NAME]", "last_name": "[NAME]"}
    }


def test_address_that_is_none():
    """An address of a machine is no postal address."""
    assert redact({"address": "localhost:8080", "email_address": "x", "memory_address": "0x7ffe"}) == {
        "address": "localhost:8080",
        "email_address": "[EMAIL]",
        "memory_address": "0x7ffe",
    }


def test_long_key():
    """A key of many words, as a flattened configuration has them, announces what its last words do."""
    assert redact({"spring." * 30 + "password": CANARY}) == {"spring." * 30 + "password": "[PASSWORD]"}
    assert redact({"spring." * 30 + "max_tokens": 512}) == {"spring." * 30 + "max_tokens": 512}
    assert KeyRules({"tcxref": "REF"}).category("x." * 80 + "password") == "PASSWORD"


def test_remembered_keys_are_bounded():
    """Keys that never come twice do not fill the memory."""
    rules = KeyRules()
    for i in range(10_000):
        rules.category(f"key{i}")
    assert len(rules._seen) <= 4096
    assert rules.category("k" * 1000) is None
