"""Network addresses in text, tried only at the places where one can start.

To search for their patterns costs 20 to 50 ns a character of a text with colons, as source code is; to translate its
bytes to a few classes and look for their signs costs 2.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agentlogsafe.redaction.detectors.network import FOUR, IPV4, IPV6, MAC, private
from agentlogsafe.redaction.tokens import holds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agentlogsafe.redaction.detectors.base import Detector
    from agentlogsafe.redaction.work import Work

Span = tuple[int, int, str]

# Hexadecimal digits, the signs of addresses, and the rest.
_CLASSES = bytes(
    ord("0") if code in b"0123456789abcdefABCDEF" else code if code in b":.-" else ord(" ") for code in range(256)
)
_TWO_COLONS = re.compile(rb":[0.]{0,16}:")
_FARTHEST = 64  # no address has its first two colons so far behind its beginning
_HARDWARE = (b"00:00:00:00:00:00", b"00-00-00-00-00-00", b"0000.0000.0000")


def dotted(text: str, public: bool, work: Work, spans: list[Span]) -> None:
    """Add the spans of the IPv4 addresses in *text*, only those of the open network when they are to be *public*."""
    fours = (IPV4.compiled.match(text, four.start()) for four in FOUR.finditer(text))
    _hold(IPV4, fours, public, work, spans)


def colons(text: str, names: frozenset[str], public: bool, work: Work, spans: list[Span]) -> None:
    """Add the spans of the IPv6 and hardware addresses in *text*; *names* are the detectors that are in use."""
    marked = text.encode("latin-1", "replace").translate(_CLASSES)
    if "ipv6" in names:
        _hold(IPV6, _matches(IPV6, text, _beginnings(text, marked)), public, work, spans)
    if "mac" in names:
        _hold(MAC, _matches(MAC, text, _hardware(marked)), False, work, spans)


def _beginnings(text: str, marked: bytes) -> Iterator[int]:
    """Yield where a run of letters, digits, dots and colons starts that has two colons as an address has them."""
    end = 0
    for match in _TWO_COLONS.finditer(marked):
        at = match.start()
        least = max(at - _FARTHEST, end)
        while at > least and (text[at - 1].isalnum() or text[at - 1] in "_:."):
            at -= 1
        if at > end or not end:  # not the run of the match before
            yield at
        end = match.end()


def _hardware(marked: bytes) -> list[int]:
    """Return where what is written like a hardware address is."""
    places = []
    for form in _HARDWARE:
        at = marked.find(form)
        while at >= 0:
            places.append(at)
            at = marked.find(form, at + 1)
    return sorted(places)


def _matches(detector: Detector, text: str, places: Iterable[int]) -> Iterator[re.Match[str] | None]:
    """Yield what *detector* matches at *places*, which are in order, and None where it does not."""
    match = detector.compiled.match
    end = 0
    for at in places:
        if at >= end:
            found = match(text, at)
            end = found.end() if found else at + 1
            yield found


def _hold(
    detector: Detector, matches: Iterable[re.Match[str] | None], public: bool, work: Work, spans: list[Span]
) -> None:  # fmt: skip
    for match in matches:
        work.spend(1)
        if match is not None and holds(detector, match[0]) and not (public and private(match[0])):
            spans.append((*match.span(), detector.category))
