"""The primitives of the seal: canonical form, hashes, keys that move on, signed checkpoints."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
import subprocess

import orjson
import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import example, given
from hypothesis import strategies as st

from agentlogsafe import seal

NUMBERS = st.one_of(
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(2**70), 2**70).map(float),
    st.integers(-400, 400).map(lambda power: float(f"1.5e{power}")).filter(math.isfinite),
)
TEXTS = st.text(st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from("e.0,:]}[\x00\x1f\x7f\ue000￿😀")))
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(TEXTS, inner, max_size=5)),
    max_leaves=10,
)


class TestCanonical:
    @given(JSON)
    @example({"\ue000": 1, "😀": 2})
    @example([1e21, 1e-6, 1e-7, -0.0, 5e-324, 1e20, 123456789012345680000.0, 0.1, 1.0])
    @example(1.0)
    @example(-1e-7)
    @example({"a": "…:1e5,2e3", "b": ["x,1.0,"]})
    def test_is_what_the_reference_package_writes(self, value):
        """Byte for byte the form of RFC 8785, for every JSON value the RFC knows."""
        assert seal.canonical(value) == rfc8785.dumps(value)

    @given(JSON)
    def test_survives_a_round_trip(self, value):
        """A value that was written and read, with its names in any order, has the same form."""
        written = seal.canonical(value)
        assert seal.canonical(json.loads(json.dumps(value))) == written
        assert seal.canonical(orjson.loads(written)) == written

    def test_keeps_every_digit_of_large_integers(self):
        """The last digit of a large integer cannot be changed unseen."""
        assert seal.canonical({"n": 2**63}) != seal.canonical({"n": 2**63 + 1})


def sealed(**fields):
    """Return an event whose seal is right."""
    event = {"event_id": "e", "run_id": None, "payload": {}, "seal": {"stream": "s", "seq": 1}, **fields}
    event["seal"]["hash"] = seal.event_hash(event)
    return event


class TestHash:
    def test_is_over_the_seal_and_the_fields(self):
        """Anybody can compute it with two canonical forms and SHA-256."""
        event = sealed(payload={"b": 1.0, "a": None})
        expected = b'{"seq":1,"stream":"s"}\n{"event_id":"e","payload":{"b":1}}'
        assert event["seal"]["hash"] == hashlib.sha256(expected).hexdigest()
        keyed = hmac.new(b"k" * 32, expected, "sha256").hexdigest()
        assert seal.event_hash(event, b"k" * 32) == keyed

    @given(st.dictionaries(st.sampled_from(sorted(seal.OWN_FIELDS)), JSON), st.dictionaries(TEXTS, JSON), st.randoms())
    def test_does_not_see_what_a_shipper_does(self, own, added, random):
        """Names in another order, nulls dropped, and fields of a shipper's own on top level leave the hash as it is."""
        event = {**sealed(), **own}
        names = list(event)
        random.shuffle(names)
        shipped = {name: _dropped(event[name]) for name in names if event[name] is not None}
        shipped |= {name: value for name, value in added.items() if name not in event and name not in seal.OWN_FIELDS}
        shipped["seal"] = event["seal"]
        assert seal.event_hash(shipped) == seal.event_hash(event)

    def test_sees_every_part_of_the_seal(self):
        """Stream, place and predecessor are under the hash, so that no event can be moved."""
        event = sealed()
        for name, value in (("stream", "t"), ("seq", 2), ("prev", "00"), ("stream_open", {"pid": 1})):
            moved = {**event, "seal": {**event["seal"], name: value}}
            assert seal.event_hash(moved) != event["seal"]["hash"]


def _dropped(value):
    if isinstance(value, dict):
        return {name: _dropped(item) for name, item in value.items() if item is not None}
    return [_dropped(item) for item in value] if isinstance(value, list) else value


def test_keys_move_on_and_differ():
    """No key of a stream, of its successor or of a child is that of another, and the name tells nothing of the key."""
    master = b"m" * 32
    first = seal.stream_key(master, "s")
    keys = [master, first, seal.stream_key(master, "t"), seal.next_key(first), seal.fork_key(first, "t")]
    assert len(set(keys)) == len(keys)
    assert seal.key_id(master) == hmac.new(master, b"agentlogsafe seal v1 id", "sha256").hexdigest()[:16]
    assert seal.next_key(first) == hashlib.sha256(b"agentlogsafe seal v1 next " + first).digest()


@given(key=st.binary(max_size=64), data=st.binary(max_size=300))
def test_the_keyed_digest_is_an_hmac(key, data):
    """What keyed events are sealed with is the HMAC of the standard library."""
    assert seal.digest(data, key) == hmac.digest(key, data, "sha256").hex()


CHECKPOINT = {"stream": "s", "seq": 7, "hash": "00", "count": 7, "time": "2026-01-01T00:00:00.000000Z"}


class TestCheckpoints:
    def test_signature(self):
        """What was signed is genuine under its key, as it came back from storage; under another, or changed, not."""
        private = ed25519.Ed25519PrivateKey.generate()
        signed = seal.sign(CHECKPOINT, private)
        stored = json.loads(json.dumps({**signed, "key": None}))
        assert seal.verify_checkpoint(stored)
        assert seal.verify_checkpoint(stored, private.public_key())
        assert not seal.verify_checkpoint(stored, ed25519.Ed25519PrivateKey.generate().public_key())
        for name, value in (("seq", 8), ("hash", "01"), ("signature", "AAAA"), ("signature", 1), ("signer", "!")):
            assert not seal.verify_checkpoint({**stored, name: value}, private.public_key()) or name == "signer"
            assert not seal.verify_checkpoint({**stored, name: value})
        assert not seal.verify_checkpoint(CHECKPOINT)

    def test_key_formats(self):
        """PEM as OpenSSL writes it, the 32 bytes, base64 and hexadecimal are the same key."""
        private = ed25519.Ed25519PrivateKey.generate()
        raw, public = private.private_bytes_raw(), private.public_key().public_bytes_raw()
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public_pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        for form in (pem, raw, base64.b64encode(raw) + b"\n", raw.hex().encode()):
            assert seal.load_signing_key(form).private_bytes_raw() == raw
        for form in (public_pem, public, base64.b64encode(public), public.hex().encode()):
            assert seal.load_public_key(form).public_bytes_raw() == public

    @pytest.mark.parametrize("load", [seal.load_signing_key, seal.load_public_key])
    def test_what_is_no_key(self, load):
        """Anything else is refused, without showing it."""
        other = subprocess.run(["openssl", "genpkey", "-algorithm", "X25519"], capture_output=True, check=True).stdout
        for data in (b"", b"not a key", b"A" * 31, other):
            with pytest.raises(ValueError, match=r"Ed25519|PEM") as raised:
                load(data)
            assert "not a key" not in str(raised.value)


def test_a_key_of_bytes_keeps_its_last():
    """A line break at the end of text is none of a key; at the end of random bytes it is."""
    assert seal.read_key("key", lambda: b"0123456789abcdef\n") == b"0123456789abcdef"
    assert seal.read_key("key", lambda: b"\xff" * 31 + b"\n") == b"\xff" * 31 + b"\n"
