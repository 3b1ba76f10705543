"""Decide from a key's words what the value under it is: ``X-Api-Key``, ``first_name``, ``max_tokens``."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from agentlogsafe.redaction import vocabulary as v

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# ``HTTPServer2Key`` → HTTP Server 2 Key; digits stay with short words (s3, ed25519, oauth2).
_WORD = re.compile(r"[A-Z]{2,}(?![a-z])[0-9]*|[A-Z]?[a-z]+[0-9]*|[A-Z]+[0-9]*|[0-9]+|[^\W\d_a-zA-Z]+")
_WIDE_WORD = re.compile(r"[^\W\d_]+[0-9]*|[0-9]+")  # ``hasło`` is one word: beyond ASCII no case style parts them
_DROPPED_TAILS = frozenset(
    "no nr value text str string raw plain plaintext b64 base64 header env var old new current confirm confirmation hash hashed field".split()  # noqa: E501 - one row of a table
)
_VERBS = frozenset(("using", "use", "with", "got", "got", "sending", "found"))
_LONGEST_PART = 20  # what is longer and has digits is a value, not a part of a name
_LONGEST_KEY = 128
_ENOUGH = 4096


def words(key: str) -> list[str]:
    """Split *key* into lower-case words, whatever its case style.

    ``OPENAI_API_KEY``, ``openaiApiKey``, ``openai-api-key`` and ``openai.api.key`` all give ``["openai", "api",
    "key"]``.
    """
    return [word.lower() for word in (_WORD if key.isascii() else _WIDE_WORD).findall(key)]


def _strip_counter(parts: list[str]) -> list[str]:
    """Drop a short counter (``password2``, ``address1``, ``api_key_1``); a long number is an id and stays."""
    while parts and parts[-1].isdigit() and len(parts[-1]) <= 2 and len(parts) > 1:  # noqa: PLR2004 - a length, and what it is of stands beside it
        parts = parts[:-1]
    if parts:
        bare = parts[-1].rstrip("0123456789")
        if bare and len(parts[-1]) - len(bare) <= 2 and parts[-1] not in v.SECRET_WORDS:  # noqa: PLR2004 - a length, and what it is of stands beside it
            parts = [*parts[:-1], bare]
    return parts


def _secret(parts: list[str]) -> str | None:
    """Return the credential category of a key's words, or None."""
    last = parts[-1]
    before = parts[:-1]
    if v.HARMLESS_HEADS.intersection(before):
        return None
    if last in ("key", "keys"):
        if not before or "public" in before or "pub" in before:
            return None
        qualifier = before[-1]
        if qualifier in ("private", "priv", "ssh", "rsa"):
            return "KEY"
        if qualifier in v.KEY_QUALIFIERS or v.PROVIDERS.intersection(before):
            return "SECRET" if "secret" in before else "API_KEY"
        if last == "keys" or qualifier in v.KEYS_OF_THINGS:
            return v.SECRET_PHRASES.get(qualifier + "key")
        return v.SECRET_PHRASES.get(qualifier + "key", "KEY?")
    if last == "token":
        return None if v.TOKEN_HARMLESS.intersection(before) else "TOKEN"
    if last == "tokens":
        return "TOKEN" if before and before[-1] in v.TOKENS_SECRET else None
    if last in v.SECRET_WORDS:
        return v.SECRET_WORDS[last]
    for size in (3, 2, 1):
        found = v.SECRET_PHRASES.get("".join(parts[-size:]))
        if found:
            return found
    return _glued(last)


def _glued(word: str) -> str | None:
    """Recognise words that were written without a separator: ``mypassword``, ``slackapitoken``."""
    for tail, category in (("password", "PASSWORD"), ("passwd", "PASSWORD"), ("passphrase", "PASSWORD"), ("apikey", "API_KEY"), ("secretkey", "SECRET"),  # noqa: E501 - one row of a table
                           ("accesskey", "API_KEY"), ("accesstoken", "TOKEN"), ("authtoken", "TOKEN"), ("apitoken", "TOKEN"), ("clientsecret", "SECRET"),  # noqa: E501 - one row of a table
                           ("token", "TOKEN"), ("secret", "SECRET")):  # fmt: skip
        if word.endswith(tail):
            return category
    if not word.isascii() and word.endswith(v.GLUED):
        return "PASSWORD"
    if word.endswith(("storepass", "keypass")):
        return "PASSWORD"
    for tail in ("pass", "pwd", "pw"):
        if word.endswith(tail) and word[: -len(tail)] in v.LOGINS:
            return "PASSWORD"
    if word.endswith("key") and word[:-3] in v.PROVIDERS:
        return "API_KEY"
    return None


def _personal(parts: list[str]) -> str | None:
    """Return the personal category of a key's words, or None."""
    last = parts[-1]
    if last in v.ADDRESSES and len(parts) > 1 and parts[-2] in v.ADDRESS_HARMLESS:
        return "WALLET" if parts[-2] == "wallet" else None
    for size in (4, 3, 2, 1):
        if size > len(parts):
            continue
        found = v.PERSONAL_PHRASES.get("".join(parts[-size:]))
        if found in ("NAME?", "JWK?") and len(parts) > 1:
            break
        if found:
            return found
    if (
        last == "name"
        and len(parts) > 1
        and parts[-2] in v.PERSON_WORDS
        and parts[-2] not in ("user", "client", "owner")
    ):
        return "NAME"
    return None


def classify(key: str) -> str | None:
    """Return the category that the words of *key* announce, or None when they announce nothing."""
    parts = _strip_counter(words(key))
    if not parts:
        return None
    found = _secret(parts) or _personal(parts)
    while found is None and len(parts) > 1 and parts[-1] in _DROPPED_TAILS:
        parts = parts[:-1]
        found = _secret(parts) or _personal(parts)
    return found


def jumbled(text: str) -> bool:
    """Return whether *text* is random and no name, date or UUID: letters and digits that take turns.

    This is what a value has to be to be taken for a secret under a key that could be anybody's (``"KEY?"``).
    """
    turns = sum(a.isalnum() and b.isalnum() and a.isdigit() != b.isdigit() for a, b in pairwise(text))
    return (
        turns > len(text) // 6
        and text.replace("-", "").replace("_", "").isalnum()
        and text.count("-") < 4  # noqa: PLR2004 - a UUID has four
        and text.count("_") < 3  # noqa: PLR2004 - a name has more
        and len(set(text)) > 7  # noqa: PLR2004 - a filler has fewer
    )


class KeyRules:
    """Key verdicts of one policy, remembered per spelling: the hot path is one dict lookup."""

    __slots__ = ("_moved", "_reversed", "_seen")

    def __init__(self, moved: Mapping[str, str | None] | None = None) -> None:
        """Take the keys that a policy moves: squashed spelling → category, or None for harmless."""
        self._moved = {squash(key) or key.lower(): category for key, category in (moved or {}).items()}
        self._seen: dict[str, str | None] = {}
        self._reversed: dict[str, tuple[str | None, str, str]] = {}

    def category(self, key: str) -> str | None:
        """Return the category of the value under *key*, or None."""
        try:
            return self._seen[key]
        except KeyError:
            pass
        found = self._decide(key)
        if len(key) <= _LONGEST_KEY:
            if len(self._seen) >= _ENOUGH:
                self._seen.clear()
            self._seen[key] = found
        return found

    def backwards(self, name: str) -> tuple[str | None, str, str]:
        """Return what `category` does for a *name* that was read backwards, that name, and it in lower case."""
        try:
            return self._reversed[name]
        except KeyError:
            pass
        forwards = name[::-1].lstrip("-.$@[")
        found = self.category(forwards), forwards, forwards.lower()
        if len(self._reversed) >= _ENOUGH:
            self._reversed.clear()
        self._reversed[name] = found
        return found

    def _decide(self, key: str) -> str | None:
        key = key[-_LONGEST_KEY:]  # the last words of a key say what it is, those before them what it is part of
        if self._moved:
            squashed = squash(key) or key.lower()
            if squashed in self._moved:
                return self._moved[squashed]
        return classify(key)


def squash(key: str) -> str:
    """Return *key* lower-cased without separators: the spelling under which a policy's own keys are compared."""
    return "".join(words(key))


def moved_keys(sensitive: Mapping[str, str], harmless: Iterable[str]) -> dict[str, str | None]:
    """Join a policy's two lists into one table."""
    return {**dict.fromkeys(harmless, None), **sensitive}


def joined(words: list[str], name: str, category: str | None, keys: KeyRules) -> tuple[str | None, str]:
    """Return what a *name*, of a *category* by itself, announces with the *words* before it, and the name."""
    words = [word for word in words if len(word) <= _LONGEST_PART or word.isalpha()]
    words = words[1:] if words and words[0].lower() in _VERBS else words
    for count in range(1, len(words) + 1):
        both = " ".join(words[-count:]) + " " + name
        if category in (None, "NAME?", "KEY?"):
            found = keys.category(both)
            category = found if found and found != "KEY?" else category
        elif keys.category(both) is None and len(both) < 24:  # noqa: PLR2004 - a length, and what it is of stands beside it
            return None, both
    return category, name.lower()
