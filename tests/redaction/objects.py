"""Objects that make walking hard, and values that must not survive; shared by the tests and the fuzzer."""

from __future__ import annotations

import collections
import dataclasses
import datetime  # noqa: ICN001 - the full name reads better in annotations
import decimal
import enum
import pathlib
import random  # noqa: TC003 - as it is meant
import uuid

import attrs
import pydantic

CANARY = "Zq7canary9xWv4Kp2"
"""No detector knows its shape: only what stands beside it can give it away."""

SENSITIVE = (
    "password", "passwd", "pwd", "passphrase", "secret", "client_secret", "token", "access_token", "auth_token", "api_key", "apikey", "OPENAI_API_KEY",  # noqa: E501 - a pattern or a table row reads as one line
    "userPassword", "X-Api-Key", "X-Auth-Token", "aws_secret_access_key", "privateKey", "signing_key", "encryption_key", "credentials", "authorization", "cookie",  # noqa: E501 - a pattern or a table row reads as one line
    "session_token", "csrf_token", "otp", "connection_string", "dsn", "db.password", "stripeKey", "mysql_pwd", "ssn", "card_number", "iban", "first_name", "email", "phone", "dob", "address1", "zip",  # noqa: E501 - a pattern or a table row reads as one line
)  # fmt: skip
HARMLESS = (
    "max_tokens", "token_count", "total_tokens", "tokenizer", "author", "public_key", "key_id", "primary_key", "cache_key", "password_policy", "secret_name",  # noqa: E501 - a pattern or a table row reads as one line
    "email_sent", "cookie_consent", "idempotency_key", "session_id", "run_id", "input_tokens", "flight_number", "monkey", "keyboard", "tool_name", "tokens", "usage",  # noqa: E501 - a pattern or a table row reads as one line
    "sort_key", "next_page_token", "page_token", "token_type", "has_password", "password_reset_required", "keys", "key", "authors", "authenticated", "pinned", "spine",  # noqa: E501 - a pattern or a table row reads as one line
    "passenger_count", "compass", "description", "ip_count", "model_name", "file_name", "hostname", "email_template", "phone_verified", "address_type", "foreign_key",  # noqa: E501 - a pattern or a table row reads as one line
)  # fmt: skip


class Colour(enum.Enum):
    """An enumeration."""

    RED = "red"


class Raises:
    """Nothing can be asked of it."""

    def __str__(self) -> str:
        raise ValueError(CANARY)

    __repr__ = __str__

    def __iter__(self):
        raise RuntimeError(CANARY)


class Recurses:
    """Its text never ends."""

    def __repr__(self) -> str:
        return f"<{self!r}>"


class RaisingModel:
    """It has a dump that raises."""

    def model_dump(self):
        raise RuntimeError(CANARY)


class RaisingKey:
    """A key whose text raises."""

    def __hash__(self) -> int:
        return 7

    def __eq__(self, other: object) -> bool:
        return self is other

    def __str__(self) -> str:
        raise RuntimeError(CANARY)


class Odd(collections.UserDict):
    """A mapping that is no dict."""


@dataclasses.dataclass
class Data:
    """A dataclass with a field that it hides."""

    password: object
    note: object = None
    hidden: object = dataclasses.field(default=CANARY, repr=False)


@attrs.define
class Attrs:
    """An attrs class."""

    api_key: object
    note: object = None


class Model(pydantic.BaseModel):
    """A pydantic model."""

    token: str = CANARY
    note: str = "note"
    hidden: pydantic.SecretStr = pydantic.SecretStr(CANARY)


Point = collections.namedtuple("Point", "x password")  # noqa: PYI024 - as it is meant


def leaf(pick: random.Random) -> object:
    """Return a value without anything to hide."""
    return pick.choice(
        (
            None, True, False, 0, -1, 3.5, float("nan"), float("inf"), -0.0, 2**63, 2**64, -(2**70), 10**5000, "", "plain words", "a" * 300, "line\nbreak\ttab", "nul\x00esc\x1b[31m\u2028",  # noqa: E501 - a pattern or a table row reads as one line
            "\ud800 lone", "\u200bzero\u200b", "\uff11\uff12\uff13", "[EMAIL]", "{", "[", '{"a": ', '"', "[1, 2]", '{"max_tokens": 5}', b"bytes", b"\xff\xfe", bytearray(b"x"), memoryview(b"y"),  # noqa: E501 - a pattern or a table row reads as one line
            datetime.datetime(2026, 5, 1, tzinfo=datetime.timezone.utc), datetime.date(2026, 5, 1), datetime.timedelta(1), uuid.UUID(int=5), decimal.Decimal("1.5"), pathlib.PurePosixPath("/a/b"),  # noqa: E501 - a pattern or a table row reads as one line
            Colour.RED, Raises(), Recurses(), RaisingModel(), ValueError("plain"), (i for i in range(3)), iter([1]), range(3), object, len, complex(1, 2), "password=", "Bearer ", "https://", "@", "::", "-----BEGIN",  # noqa: E501 - a pattern or a table row reads as one line
            "order 12345678901 of 2026-05-13T01:55:48.345590Z", "x" * pick.randrange(40), "".join(map(chr, (pick.randrange(0x3000) for _ in range(12)))),  # noqa: E501 - a pattern or a table row reads as one line
        )
    )  # fmt: skip


PLANTS = (
    "password={}", 'api_key: "{}"', "--password {}", "Authorization: Bearer {}", '{{"secret": "{}"}}', "https://user:{}@host.example/x", "pwd='{}'", "token={}&x=1", "my password is {}",  # noqa: E501 - a pattern or a table row reads as one line
    "<password>{}</password>", '{{"a": "{{\\"password\\": \\"{}\\"}}"}}', "ghp_{}{}{}", "client_secret := `{}`", "PGPASSWORD={} psql", "curl -u user:{} https://x", "x-api-key: {}", "User(name='x', password='{}')",  # noqa: E501 - a pattern or a table row reads as one line
)  # fmt: skip


def planted(pick: random.Random) -> str:
    """Return text that holds the canary beside something that gives it away."""
    text = pick.choice(PLANTS)
    filled = text.format(CANARY, CANARY, CANARY) if text.count("{}") > 1 else text.format(CANARY)
    return (
        pick.choice(("", "see ", "line one\n", "\u00e9 ", "a, "))
        + filled
        + pick.choice(("", " ok", "\nmore", ", then"))
    )


def tree(pick: random.Random, depth: int = 0) -> object:
    """Return a nested value with canaries planted in it."""
    kind = pick.randrange(14) if depth < 5 else 13
    if kind < 4:
        out: dict[object, object] = {}
        for _ in range(pick.randrange(5)):
            key = pick.choice(
                (
                    "note",
                    "items",
                    "payload",
                    "result",
                    7,
                    None,
                    1.5,
                    True,
                    ("a", 1),
                    b"k",
                    "name",
                    "args",
                    pick.choice(HARMLESS),
                )
            )
            out[key] = tree(pick, depth + 1)
        if pick.random() < 0.5:
            out[pick.choice(SENSITIVE)] = pick.choice(
                (CANARY, [CANARY], {"value": CANARY, "n": 5}, (CANARY,), CANARY.encode())
            )
        return pick.choice((out, out, collections.OrderedDict(out), Odd(out)))
    if kind < 7:
        items = [tree(pick, depth + 1) for _ in range(pick.randrange(4))]
        return pick.choice((items, tuple(items), collections.deque(items)))
    if kind == 7:
        return pick.choice((Data(CANARY), Attrs(CANARY), Model(), Point(1, CANARY)))
    if kind == 8:
        return {RaisingKey(): 1, "cvv": 123}
    if kind == 9:
        return frozenset({"a", 1})
    if kind < 12:
        return planted(pick)
    if kind == 12 and depth:
        cycle: list[object] = [1]
        cycle.append(cycle)
        return cycle
    return leaf(pick)
