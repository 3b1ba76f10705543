"""Network addresses and wallets."""

# ruff: noqa: E501 - an entry of a table is one line
# ruff: noqa: PLR2004 - checksums, calendars and lengths are numbers
from __future__ import annotations

import hashlib
import ipaddress
import re
import socket

from agentlogsafe.redaction.detectors.base import Detector

_B58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_ADDRESS_BYTES = 25


def ipv6(text: str) -> bool:
    """Return whether *text* is an IPv6 address, perhaps with a zone or a prefix length."""
    if not any(c.isdigit() for c in text) and len(text) < 9:
        return False
    socket.inet_pton(socket.AF_INET6, text.partition("%")[0].partition("/")[0])  # raises where it is none
    return True


def private(text: str) -> bool:
    """Return whether an address is loopback, private, link-local or otherwise nobody's on the open network."""
    address = ipaddress.ip_address(text.partition("%")[0].partition("/")[0])
    return not address.is_global


def mac(text: str) -> bool:
    """Return whether *text* is a hardware address that is not the broadcast or the null address."""
    return len(set(text.lower()) - set(":-.")) > 1


def base58_key(text: str) -> bool:
    """Return whether *text* is the private key of a Bitcoin wallet, as programs import it."""
    return base58_address(text, 37) if text[0] == "5" else base58_address(text, 38)


def base58_address(text: str, size: int = _ADDRESS_BYTES) -> bool:
    """Return whether *text* is an address of Bitcoin, or one of its kind: base58 with its double-SHA-256 checksum."""
    number = 0
    for character in text:
        number = number * 58 + _B58.index(character)
    raw = number.to_bytes(size, "big")
    return hashlib.sha256(hashlib.sha256(raw[:-4]).digest()).digest()[:4] == raw[-4:]


def bech32(text: str) -> bool:
    """Return whether *text* is a segregated-witness address: bech32 or bech32m with its checksum (BIP 173, BIP 350)."""
    low = text.lower()
    prefix, _, data = low.rpartition("1")
    values = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix] + [_BECH32.index(c) for c in data]
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for i, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if top >> i & 1 else 0
    return check in (1, 0x2BC830A3)


_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
IPV4 = Detector(
    "ipv4",
    "IP",
    "network",
    rf"(?<![\w.])(?<![vV]\.)(?<![<>~!]=)(?<![<>~!]= )(?<!ersion )(?<!ersion: )(?:{_OCTET}\.){{3}}{_OCTET}(?![\w]|\.\w|-\d(?![\d.])|[~+][a-z])",
    yes=("203.0.113.7",),
    no=("1.2.3", "256.1.1.1", "1.2.3.4.5", "brotli>=1.2.0.4", "alsa (1.2.5.1-2)", "version 1.7.0.5"),
)
FOUR = re.compile(r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}")
"""Where an IPv4 address may be: it is tried only there, because this is searched for in a quarter of the time."""
IPV6 = Detector(
    "ipv6", "IP", "network",
    r"(?<![\w:.])(?<!\w\[)(?<!\[-)(?=[0-9A-Fa-f:.]{0,40}:[0-9A-Fa-f.]{0,16}:)[0-9A-Fa-f:]{2,39}(?:(?<=:)\d{1,3}(?:\.\d{1,3}){3})?(?:%\w{1,16})?(?:/\d{1,3})?(?![\w:]|\.\w)",
    valid=ipv6, yes=("2001:db8::8a2e:370:7334", "fe80::1"), no=("std::string", "12:30:45", "rows[::2]", "rows[-1::-2]"),
)  # fmt: skip
MAC = Detector(
    "mac",
    "MAC",
    "network",
    r"(?<![\w:-])(?:[0-9A-Fa-f]{2}(?P<s>[:-])(?:[0-9A-Fa-f]{2}(?P=s)){4}[0-9A-Fa-f]{2}|[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4})(?![\w:-])",
    valid=mac,
    yes=("00:1A:2B:3C:4D:5E",),
    no=("FF:FF:FF:FF:FF:FF",),
)

WALLETS: tuple[Detector, ...] = (
    Detector("bitcoin", "WALLET", "payment", r"(?<![A-Za-z0-9])[13][1-9A-HJ-NP-Za-km-z]{25,34}(?![A-Za-z0-9])", starts=("1", "3"), valid=base58_address, yes=("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",), no=("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",)),
    Detector("bitcoin-segwit", "WALLET", "payment", r"(?<![A-Za-z0-9])(?:bc1|BC1|tb1)[a-zA-Z0-9]{25,87}(?![A-Za-z0-9])", starts=("bc1", "BC1", "tb1"), valid=bech32, yes=("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",)),
    Detector("base58-wallet", "WALLET", "payment", r"(?<![A-Za-z0-9])[TLMD][1-9A-HJ-NP-Za-km-z]{33}(?![A-Za-z0-9])", starts=("T", "L", "M", "D"), valid=base58_address, yes=("TJRabPrwbZy45sbavfcjinPJC18kjpRTv8", "LM2WMpR1Rp6j3Sa59cMXMs1SPzj9eXpGc1"), no=("TJRabPrwbZy45sbavfcjinPJC18kjpRTv9",)),
    Detector("wallet-key", "KEY", "payment", r"(?<![A-Za-z0-9])(?:5[HJK][1-9A-HJ-NP-Za-km-z]{49}|[KL][1-9A-HJ-NP-Za-km-z]{51})(?![A-Za-z0-9])", starts=("5H", "5J", "5K", "K", "L"), valid=base58_key, yes=("5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ",)),
    Detector("wallet-extended-key", "KEY", "payment", r"(?<![A-Za-z0-9])[xyzt]prv[1-9A-HJ-NP-Za-km-z]{107,108}(?![A-Za-z0-9])", starts=("xprv", "yprv", "zprv", "tprv"), yes=("xprv{z107}",)),
    Detector("nostr-key", "KEY", "payment", r"(?<![A-Za-z0-9])nsec1[a-z0-9]{58}(?![A-Za-z0-9])", starts=("nsec1",), yes=("nsec1{z58}",)),
    Detector("ethereum", "WALLET", "payment", r"(?<![A-Za-z0-9])0x[0-9a-fA-F]{40}(?![A-Za-z0-9])", starts=("0x",), yes=("0x{h40}",)),
)  # fmt: skip
