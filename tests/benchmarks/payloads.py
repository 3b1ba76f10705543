"""The texts that every contender logs: clean prose, and prose with something to redact in it."""

from __future__ import annotations

import random

SIZES_KB = (0.1, 0.5, 10)
MIXES = ("clean", "dirty")

# Enough different ones that remembering the last few does not pay.
DISTINCT = 256

_WORDS = (
    "the quarterly forecast for northern region shows margin pressure in two of five product lines while volume holds "
    "steady against plan compare unit cost with last year and list orders that fall below threshold then group them by "
    "customer segment include notes from the account team about delivery delays contract terms seasonal demand pricing "
    "review approval and open questions before summary is sent to finance for final decision on renewal"
).split()

# Invented values; about one in two hundred characters.
_DIRT = (
    "mail jane.doe@example.com about it",
    "call (312) 555-0199 first",
    "card 4111 1111 1111 1111 was declined",
    "header Authorization: Bearer 9f8e7d6c5b4a39281706f5e4d3c2b1a0",
    "fetched https://reader:hunter2@db.example.com/margins",
)
_DIRT_EVERY = 200


def payloads(mix: str, size_kb: float, seed: int) -> list[dict[str, object]]:
    """Make the arguments of *DISTINCT* tool calls, about *size_kb* each; the same for the same seed."""
    rng = random.Random(f"{mix} {size_kb} {seed}")
    length = int(size_kb * 1000) - 30  # what is around the text
    corpus = _corpus(rng, dirty=mix == "dirty", length=length + 5000)
    made = []
    for number in range(DISTINCT):
        start = corpus.index(" ", rng.randrange(5000 - 20)) + 1
        text = corpus[start : start + length]
        if mix == "dirty" and length < _DIRT_EVERY:
            text = f"{rng.choice(_DIRT)} {text}"[:length]
        made.append({"query": text, "limit": number % 100 + 1})
    return made


def _corpus(rng: random.Random, *, dirty: bool, length: int) -> str:
    parts: list[str] = []
    size = since = 0
    while size < length:
        word = rng.choice(_WORDS)
        since += len(word) + 1
        if dirty and since > _DIRT_EVERY:
            word, since = rng.choice(_DIRT), 0
        parts.append(word)
        size += len(word) + 1
    return " ".join(parts)
