"""Throw random objects and texts at the redactor: ``python -m tests.redaction.fuzz --cases 1000000``.

Each case must not raise, must give strict JSON, must not let a canary through, must leave its input alone, and redacted twice must be as
redacted once. A failing case prints its seed, which repeats it.
"""  # noqa: E501 - a pattern or a table row reads as one line

from __future__ import annotations

import argparse
import random
import sys
import time

import orjson

from agentlogsafe.redaction import Redactor, Report, compile_policy
from tests.redaction.objects import CANARY, leaf, planted, tree

ALPHABET = "aAbB01289 .,:;=-_/\\@+\"'{}[]()<>%&#\n\té\u200b\uff11\u0661"
FRAGMENTS = (
    "password", "token", "Bearer ", "Basic ", "://", "http", "user:", "@", "example.com", "+1 312 555 0199", "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00", "ghp_", "sk-", "AKIA", "eyJ", "-----BEGIN PRIVATE KEY-----",  # noqa: E501 - a pattern or a table row reads as one line
    "078-05-1120", "2026-05-13", "T01:55:48Z", "192.168.1.1", "fe80::1", "00:1A:2B:3C:4D:5E", "[EMAIL]", "[PASSWORD]", "[", "]", "{", "}", '"', "'", "=", ": ", " is ", "--", " -u ", " -p", "%40", "&#64;", "\\u0040", "born on ",  # noqa: E501 - a pattern or a table row reads as one line
    "secret", "key", "name", "Mia Li", "0xdeadbeef", "a" * 20, "1" * 12, "Zq7x", "\x00", "\u2028", "\ud800", "e\u0301", "\U0001f600", "IDENTIFIED BY '", "ssn", "passport", "call me ",  # noqa: E501 - a pattern or a table row reads as one line
)  # fmt: skip


def noise(pick: random.Random) -> str:
    """Return text made of what detectors look for, and of anything."""
    parts: list[str] = []
    for _ in range(pick.randrange(1, 14)):
        if pick.random() < 0.6:
            parts.append(pick.choice(FRAGMENTS))
        else:
            parts.append("".join(pick.choice(ALPHABET) for _ in range(pick.randrange(1, 9))))
    return "".join(parts)


def case(seed: int, redactors: list, plain) -> None:
    """Run one case; raise AssertionError when it fails."""
    pick = random.Random(seed)
    redactor = redactors[seed % len(redactors)]
    kind = pick.randrange(10)
    if kind < 5:
        value: object = noise(pick)
    elif kind < 7:
        value = planted(pick)
    elif kind < 9:
        value = tree(pick)
    else:
        value = leaf(pick)
    before = value if isinstance(value, str) else None
    report = Report()
    out = redactor.copy(value, report)
    raw = orjson.dumps(out)
    assert CANARY.encode() not in raw, "the canary survives"
    assert not any("could not be scanned" in problem for problem in report.problems), "a detector stumbled"
    assert not any(CANARY in problem for problem in report.problems), "a problem quotes the value"
    if before is not None:
        assert value == before
    again = redactor.copy(out, Report())
    assert orjson.dumps(again) == raw, "twice is not once"
    if isinstance(value, str):
        assert plain.text(value, Report()) == redactors[0].text(value, Report()), "with and without google-re2 differ"
        assert redactor.text(value, Report()) == out, "text() differs from copy()"


def main() -> int:
    """Run the cases and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0, help="the first case's seed")
    args = parser.parse_args()
    redactors = [
        compile_policy(),
        compile_policy({"name": "fuzz", "strategies": {"default": "partial", "EMAIL": "hash"}}),
    ]
    plain = Redactor(redactors[0].policy, redactors[0].policy.key(), 32, 1000)
    plain._scanner._fast = None
    started = time.monotonic()
    failed = 0
    for seed in range(args.seed, args.seed + args.cases):
        try:
            case(seed, redactors, plain)
        except Exception as error:
            failed += 1
            print(f"seed {seed}: {type(error).__name__}: {error}", flush=True)  # noqa: T201 - as it is meant
            if failed >= 20:
                break
        if (seed - args.seed + 1) % 50_000 == 0:
            done = seed - args.seed + 1
            print(f"{done:>9,} cases, {failed} failed, {done / (time.monotonic() - started):,.0f} a second", flush=True)  # noqa: T201 - as it is meant
    print(f"{seed - args.seed + 1:,} cases, {failed} failed, {time.monotonic() - started:.0f} s")  # noqa: T201 - as it is meant
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
