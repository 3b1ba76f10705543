"""Look for text that is slow to redact: ``python -m tests.redaction.slow --cases 2000``.

Each case repeats a few fragments to fill a text, or the texts or names of a structure, given as objects or as JSON,
and is timed; the slowest are printed, in microseconds a kilobyte, with what came of them.
"""

from __future__ import annotations

import argparse
import heapq
import json
import random
import sys
import time

from agentlogsafe.redaction import Report, compile_policy
from tests.redaction.fuzz import ALPHABET, FRAGMENTS

DENSE = (
    "530-289-0197=@46.\u0661", "1234567890 255.255.255.255DE89 3704 0044 0532 0130 01 ", "0123 456 789 @@ 1234 5678 9012 ", "536-22-8147 \u0661", "123.456.789-01 ", "2234 5678 9012 ", "tax 123456789 ", "tel 5551234567 ", "card 4111 1111 1111 1112 ",  # noqa: E501 - one row of a table
    "::1 ", "a@b.co ", 'password="', "x_key=Zq7x9k2p ", "-u a:bcd ", "secret is Zq7x9k ", "http://a:bcd@e ", "%40a", "&#64;", "12345 ", "1234 5678 ", "+1 (", "born 1990-04-05 ", "token=", "id", "ABC123456 ", "AB 12 34 56 C ", "A9A9A9A9A9", "Bearer ", "sk-a1", "s.", "00 1", "\u200b", "\n", " ", "1.", "-", ":", ",",  # noqa: E501 - one row of a table
)  # fmt: skip

SHAPES = ("text", "text", "texts", "fields", "names", "json")


def piece(pick: random.Random) -> str:
    """Return what a slow text may repeat."""
    parts = []
    for _ in range(pick.randrange(1, 6)):
        kind = pick.random()
        if kind < 0.5:
            parts.append(pick.choice(DENSE))
        elif kind < 0.8:
            parts.append(pick.choice(FRAGMENTS))
        else:
            parts.append("".join(pick.choice(ALPHABET) for _ in range(pick.randrange(1, 9))))
    return "".join(parts)


def shaped(part: str, size: int, shape: str) -> object:
    """Return an object of some *size* that is full of *part*."""
    number = size // (len(part) + 4) + 1
    rows = [range(begin, min(begin + 500, number)) for begin in range(0, number, 500)]
    if shape == "text":
        return (part * (size // len(part) + 1))[:size]
    if shape == "names":
        return [{f"{part}{place}": 1 for place in row} for row in rows]
    value = [[part for _ in row] if shape != "fields" else {f"k{place}": part for place in row} for row in rows]
    return json.dumps(value) if shape == "json" else value


def cost(value: object) -> tuple[float, str]:
    """Return the best of two times for *value* a kilobyte, and what came of it."""
    redactor = compile_policy()
    best = float("inf")
    out: object = ""
    for _ in range(2):
        started = time.thread_time()
        out = redactor.copy(value, Report())
        best = min(best, time.thread_time() - started)
    size = len(value) if isinstance(value, str) else len(json.dumps(value, ensure_ascii=False))
    return best * 1e9 / size, str(out)


def main() -> int:
    """Time the cases and print the slowest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=2_000)
    parser.add_argument("--size", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    cost("password=Zq7x9k2p +1 312 555 0199")  # what is loaded once
    slowest: list[tuple[float, str, str]] = []
    for seed in range(args.seed, args.seed + args.cases):
        pick = random.Random(seed)
        part, shape = piece(pick), pick.choice(SHAPES)
        took, out = cost(shaped(part, args.size, shape))
        heapq.heappush(slowest, (took, f"{shape}: {part!a}", out[:30]))
        if len(slowest) > 20:
            heapq.heappop(slowest)
    for took, part, out in sorted(slowest, reverse=True):
        print(f"{took:8.0f} us/KB  {part}  -> {out!a}")  # noqa: T201 - as it is meant
    return 0


if __name__ == "__main__":
    sys.exit(main())
