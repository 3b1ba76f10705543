"""What a seal is: the bytes that are hashed, the keys, and the checkpoints; for the writing and the reading wing.

A seal binds an event to its place in a stream: ``{"stream", "seq", "prev", "hash"}``, and in a keyed stream ``"key"``.
The hash is taken over the canonical form (RFC 8785) of the seal without its hash and of the event's own fields, without
nulls, so that it survives a shipper that orders keys anew, drops nulls or adds fields of its own. With a key it is an
HMAC under a key of which each event uses the next: whoever takes a process finds no key of the past (the forward
integrity of Bellare and Yee, 1997, and of Schneier and Kelsey, "Secure Audit Logs", 1999).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from agentlogsafe.errors import ConfigurationError, MissingExtraError
from agentlogsafe.events import BASE_FIELDS, OPTIONAL_FIELDS

OWN_FIELDS = frozenset((*BASE_FIELDS, *OPTIONAL_FIELDS)) - {"seal"}
"""What a seal covers of an event. Other fields on top level are a shipper's."""

_LABEL = b"agentlogsafe seal v1 "
_KEY_ID_BYTES = 8
_LEAST_KEY = 16
_EXACT = 2**53
_SHA256_BLOCK = 64
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))

KeySource = str | Callable[[], bytes | str]
"""Where a key is: ``env:NAME``, ``file:PATH``, or what is called for it."""

# RFC 8785 orders names by UTF-16 code units: those above U+FFFF before U+E000 to U+FFFF. UTF-8 does not.
_ASTRAL, _HIGH = re.compile(rb"[\xf0-\xf4]"), re.compile(rb"[\xee\xef]")


def canonical(value: Any) -> bytes:
    """Return the canonical form of a JSON value (RFC 8785).

    Integers beyond 2**53, which the RFC leaves out, keep all of their digits: to change the last one is a change.

    Raises:
        TypeError: for what is no JSON.
    """
    return _canonical(value, _is_odd((value,)), nulls=True)


def body(fields: Mapping[str, Any], written: bytes | None = None, *, odd: bool = True) -> tuple[bytes, bool]:
    """Return the canonical form of an event's own *fields*, without nulls.

    Args:
        fields: what is hashed.
        written: what orjson makes of those that are not null, with names in order, where that is known.
        odd: whether there may be a null or a float in them.

    Returns:
        The form, and whether nothing but fields that are null was left out of it.
    """
    odd = odd and _is_odd([value for value in fields.values() if value is not None])
    if odd or written is None:
        own = {name: value for name, value in fields.items() if value is not None}
        return _canonical(own, odd, nulls=False), not odd
    return written if _is_in_order(written) else _canonical(fields, odd=True, nulls=False), True


def nulls(event: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the fields of an event that are null."""
    return tuple([name for name, value in event.items() if value is None])


def line(content: bytes, header: bytes, mark: str, nulls: tuple[str, ...]) -> bytes:
    """Return an event as the line that is checked fastest: what was hashed, the seal, then what is null.

    Args:
        content: its `body`, of which nothing was left out.
        header: the canonical form of the seal without its hash.
        mark: the hash.
        nulls: the names of its `nulls`.
    """
    return b'%b,"seal":%b,"hash":"%b"}%b}' % (content[:-1], header[:-1], mark.encode(), _written_nulls(nulls))


@lru_cache(maxsize=256)
def _written_nulls(names: tuple[str, ...]) -> bytes:
    return "".join([f',"{name}":null' for name in names]).encode()


def _canonical(value: Any, odd: bool, *, nulls: bool) -> bytes:
    if not odd:
        written = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        if _is_in_order(written):
            return written
    return orjson.dumps(_ordered(value, nulls))


def _is_in_order(written: bytes) -> bool:
    """Return whether names ordered by UTF-8 are ordered by UTF-16, too, whatever is a name in this JSON."""
    return written.isascii() or _ASTRAL.search(written) is None or _HIGH.search(written) is None


def _is_odd(values: Iterable[Any]) -> bool:
    """Return whether something in *values* may have to be written otherwise than orjson does, or left out."""
    for value in values:
        kind = type(value)
        if kind is str or kind is int or kind is bool:
            continue
        if kind is float:
            if value % 1 == 0 or not 1e-4 <= (value if value > 0 else -value) < 1e15:  # noqa: PLR2004 -- 1.0, 1e-7
                return True
        elif kind is dict:
            if _is_odd(value.values()):
                return True
        elif kind is not list or _is_odd(value):  # null, or what is no JSON
            return True
    return False


def _ordered(value: Any, nulls: bool) -> Any:
    """Return *value* with its names in order and its numbers as ECMAScript writes them."""
    if isinstance(value, Mapping):
        names = sorted(value, key=_utf_16)
        return {name: _ordered(value[name], nulls) for name in names if nulls or value[name] is not None}
    if isinstance(value, (list, tuple)):
        return [_ordered(item, nulls) for item in value]
    return orjson.Fragment(_number(value)) if isinstance(value, float) else value


def _utf_16(name: str) -> bytes:
    return name.encode("utf-16-be")


def _number(value: float) -> str:
    """Return a finite float as ECMAScript's ``Number::toString`` writes it (RFC 8785, section 3.2.2.3)."""
    if value.is_integer() and abs(value) < 1e21:  # noqa: PLR2004 -- ECMAScript's bound
        return _whole(value)
    text = repr(value)  # the shortest digits that read back as the same number, as ECMAScript wants them
    if "e" not in text:
        return text
    mantissa, _, exponent = text.partition("e")
    power = int(exponent)
    if power >= -6 and power < 0:  # noqa: PLR2004 -- ECMAScript's bound
        sign, digits = ("-", mantissa[1:]) if mantissa[0] == "-" else ("", mantissa)
        return f"{sign}0.{'0' * (-power - 1)}{digits.replace('.', '')}"
    return f"{mantissa.removesuffix('.0')}e{power:+d}"


def _whole(value: float) -> str:
    if abs(value) < _EXACT:
        return str(int(value))
    # Its shortest digits, filled up with zeros; int() would show the digits of the binary number.
    mantissa, _, exponent = f"{value!r}".partition("e")
    if not exponent:
        return mantissa.removesuffix(".0")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    return f"{whole}{fraction}{'0' * (int(exponent) - len(fraction))}"


def message(event: Mapping[str, Any]) -> bytes:
    """Return the bytes that the hash of a sealed *event* is taken over."""
    seal = canonical({name: value for name, value in event["seal"].items() if name != "hash" and value is not None})
    own = {name: value for name, value in event.items() if name in OWN_FIELDS}
    return seal + b"\n" + body(own)[0]


def event_hash(event: Mapping[str, Any], key: bytes | None = None) -> str:
    """Return the hash that a sealed *event* has to have, as 64 hexadecimal digits.

    Args:
        event: with its ``seal``; the hash in it is not looked at.
        key: of its place in the stream, where the stream is keyed.
    """
    return digest(message(event), key)


def digest(data: bytes, key: bytes | None) -> str:
    """Return the SHA-256 of *data*, or with a *key* its HMAC-SHA-256 (RFC 2104), in hexadecimal.

    A key has no more than 64 bytes. ``hmac.digest`` takes half as long again: OpenSSL 3 looks for its algorithms on
    every call.
    """
    if key is None:
        return hashlib.sha256(data).hexdigest()
    padded = key.ljust(_SHA256_BLOCK, b"\0")
    inner = hashlib.sha256(padded.translate(_INNER) + data).digest()
    return hashlib.sha256(padded.translate(_OUTER) + inner).hexdigest()


def read_key(where: str, source: object) -> bytes:
    """Return the bytes of a key; a line break at the end of text is none of them.

    Args:
        where: names the setting, or the option, in messages.
        source: a `KeySource`.

    Raises:
        ConfigurationError: where there is no such key, or fewer than 16 bytes of it. It does not show them.
    """
    kind, _, name = source.partition(":") if isinstance(source, str) else ("", "", "")
    key: object
    if kind == "env" and name:
        key = os.environ.get(name)
        if key is None:
            msg = f"{where}: the environment variable {name!r} is not set"
            raise ConfigurationError(msg)
    elif kind == "file" and name:
        try:
            key = Path(name).read_bytes()
        except OSError as error:
            msg = f"{where}: {name!r} cannot be read ({str(error.strerror).lower()})"
            raise ConfigurationError(msg) from error
    elif callable(source):
        key = source()
    else:
        msg = f"{where}: expected 'env:NAME', 'file:PATH' or a callable"  # not shown: it may be the key
        raise ConfigurationError(msg)
    if isinstance(key, str):
        key = key.encode()
    if isinstance(key, bytes) and key.isascii():
        key = key.rstrip(b"\r\n")
    if not isinstance(key, bytes) or len(key) < _LEAST_KEY:
        msg = f"{where}: expected a key of at least {_LEAST_KEY} bytes (such as from 'openssl rand -hex 32')"
        raise ConfigurationError(msg)
    return key


def key_id(master: bytes) -> str:
    """Return the public name of a first key, as 16 hexadecimal digits."""
    return hmac.digest(master, _LABEL + b"id", "sha256")[:_KEY_ID_BYTES].hex()


def stream_key(master: bytes, stream: str) -> bytes:
    """Return the key of the first event of *stream*."""
    return hmac.digest(master, _LABEL + b"stream " + stream.encode(), "sha256")


def next_key(key: bytes) -> bytes:
    """Return the key of the event after the one that *key* sealed. There is no way back."""
    return hashlib.sha256(_LABEL + b"next " + key).digest()


def fork_key(key: bytes, stream: str) -> bytes:
    """Return the key of the first event of *stream*, which follows another stream: in a forked child, or after its end.

    Args:
        key: that the other stream's next event would have had.
        stream: the new one.
    """
    return stream_key(heir(key), stream)


def heir(key: bytes) -> bytes:
    """Return what a following stream takes its key from; it tells nothing of the keys of the one before."""
    return hmac.digest(key, _LABEL + b"fork", "sha256")


def sign(checkpoint: Mapping[str, Any], private_key: Any) -> dict[str, Any]:
    """Return *checkpoint* with ``signer`` and ``signature`` (Ed25519, RFC 8032).

    Args:
        checkpoint: ``stream, seq, hash, count, time`` and perhaps ``key``.
        private_key: an ``Ed25519PrivateKey``, as `load_signing_key` returns it.
    """
    signer = base64.b64encode(private_key.public_key().public_bytes_raw()).decode()
    signed = {**checkpoint, "signer": signer}
    return {**signed, "signature": base64.b64encode(private_key.sign(canonical(signed))).decode()}


def verify_checkpoint(checkpoint: Mapping[str, Any], public_key: Any = None) -> bool:
    """Return whether the signature on *checkpoint* is genuine.

    Args:
        checkpoint: as `sign` returned it, from wherever it was kept.
        public_key: an ``Ed25519PublicKey`` that is trusted. Without one, the checkpoint is held against the signer it
            names itself, which shows damage, but not who wrote it.
    """
    ed25519 = _ed25519()
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 -- an extra

    try:
        if public_key is None:
            public_key = ed25519.Ed25519PublicKey.from_public_bytes(base64.b64decode(checkpoint["signer"]))
        unsigned = {name: value for name, value in checkpoint.items() if name != "signature" and value is not None}
        public_key.verify(base64.b64decode(checkpoint["signature"]), canonical(unsigned))
    except (InvalidSignature, KeyError, TypeError, ValueError):
        return False
    return True


def load_signing_key(data: bytes) -> Any:
    """Return an ``Ed25519PrivateKey`` from PEM (PKCS #8, as ``openssl genpkey -algorithm ed25519`` writes it).

    Its 32 bytes, as they are or in base64 or hexadecimal, are taken too.

    Raises:
        ValueError: for anything else.
        MissingExtraError: without the package *cryptography*.
    """
    ed25519 = _ed25519()
    if b"-----BEGIN" in data:
        from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415 -- an extra

        return _checked(load_pem_private_key(data, None), ed25519.Ed25519PrivateKey)
    return ed25519.Ed25519PrivateKey.from_private_bytes(_raw(data))


def load_public_key(data: bytes) -> Any:
    """Return an ``Ed25519PublicKey`` from PEM, or from its 32 bytes as they are or in base64 or hexadecimal.

    Raises:
        ValueError: for anything else.
        MissingExtraError: without the package *cryptography*.
    """
    ed25519 = _ed25519()
    if b"-----BEGIN" in data:
        from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415 -- an extra

        return _checked(load_pem_public_key(data), ed25519.Ed25519PublicKey)
    return ed25519.Ed25519PublicKey.from_public_bytes(_raw(data))


def _checked(key: Any, kind: type) -> Any:
    if not isinstance(key, kind):
        msg = f"expected an Ed25519 key, got {type(key).__name__}"
        raise ValueError(msg)  # noqa: TRY004 -- one kind of error for a key that does not fit
    return key


def _raw(data: bytes) -> bytes:
    size = 32
    if len(data) == size:
        return data
    text = data.strip()
    try:
        key = bytes.fromhex(text.decode()) if len(text) == 2 * size else base64.b64decode(text, validate=True)
    except ValueError:
        key = b""
    if len(key) != size:
        msg = "expected an Ed25519 key as PEM, or its 32 bytes in base64 or hexadecimal"
        raise ValueError(msg)
    return key


def _ed25519() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415 -- an extra
    except ImportError as error:
        msg = "signed checkpoints need the package cryptography: pip install 'agentlogsafe[seal]'"
        raise MissingExtraError(msg) from error
    return ed25519
