"""Everything that is recognised by its shape, as tables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from agentlogsafe.redaction.detectors.base import Detector, Number, either, sample
from agentlogsafe.redaction.detectors.contact import EMAIL, PHONES
from agentlogsafe.redaction.detectors.credentials import CREDENTIALS
from agentlogsafe.redaction.detectors.national import NUMBERS
from agentlogsafe.redaction.detectors.network import IPV4, IPV6, MAC, WALLETS
from agentlogsafe.redaction.detectors.providers import PROVIDERS

if TYPE_CHECKING:
    from collections.abc import Iterable

DETECTORS: tuple[Detector, ...] = (*PROVIDERS, *CREDENTIALS, EMAIL, *PHONES, IPV4, IPV6, MAC, *WALLETS)
"""All detectors that are patterns."""


Within: TypeAlias = "tuple[int, int, str, Detector]"
_RARE = "~|$%+=:/._-qzjvwxkybmghpu"  # of a literal's characters, look for the first of these first


class Tables:
    """The detectors of one policy, sorted by how they are looked for."""

    __slots__ = ("allowed", "firsts", "gated", "opening", "start", "starts", "within")

    def __init__(self, disabled: Iterable[str] = ()) -> None:
        """Leave out the detectors whose name, group or category is *disabled*."""
        out = frozenset(disabled)
        credentials = [d for d in (*PROVIDERS, *CREDENTIALS, *WALLETS) if not out & {d.name, d.group, d.category}]
        self.allowed: frozenset[str] = frozenset(d.name for d in DETECTORS if not out & {d.name, d.group, d.category})
        """The names of all detectors that are in use."""
        self.starts: dict[str, tuple[Detector, ...]] = {}
        """The first three (or two) characters of a token → the detectors that it could belong to."""
        for detector in credentials:
            for start in detector.starts:
                known = self.starts.get(start[:3], ())
                if detector not in known:
                    self.starts[start[:3]] = (*known, detector)
        self.firsts = frozenset(start[0] for start in self.starts)
        """The first character of each: it spares most of what is random the pattern."""
        first = either(self.starts)
        self.start = re.compile(first)
        """What all of these characters are."""
        self.opening = tuple(
            re.compile(f"{sign}(?={first})") for sign in ("[^A-Za-z0-9]", "(?:[^A-Za-z0-9]|(?<=%)[0-9A-Fa-f]{2})")
        )
        """What a token may start behind, in a run of token characters: a sign, or one that is percent-encoded."""
        within = sorted(
            ((d.least, literal, d) for d in credentials if d.within for literal in d.gate), key=lambda row: row[0]
        )
        signs: dict[str, list[Within]] = {}
        for place, row in enumerate(within):
            signs.setdefault(next((sign for sign in _RARE if sign in row[1]), ""), []).append((place, *row))
        self.within: tuple[tuple[str, tuple[Within, ...]], ...] = tuple(
            (sign, tuple(rows)) for sign, rows in signs.items()
        )
        """What is looked for inside long tokens, behind a sign of its literal: its place among them all (shortest
        first), least length, the literal, the detector."""
        self.gated: tuple[tuple[str, Detector], ...] = tuple(
            (_sign(d.gate), d) for d in credentials if not d.starts and not d.within
        )
        """Detectors that are looked for where a literal of theirs is, each behind a sign of all its literals."""


def _sign(literals: tuple[str, ...]) -> str:
    """Return a sign that is in every one of *literals*.

    Looking for one character is ten times faster than for several.
    """
    common = set.intersection(*(set(literal) for literal in literals)) if literals else set()
    return next((sign for sign in "=\"'-/.:" if sign in common), "")


_SHOWN = 14  # so much of an example is shown: never a whole token, which would alarm every scanner


def markdown() -> str:
    """Return the tables as a documentation page; ``python -m agentlogsafe.redaction.detectors`` prints it."""
    lines = [
        "# What is recognised by its shape", "", "Generated from the detector tables by `python -m agentlogsafe.redaction.detectors`; keys and sentences are in [Redaction](redaction.md).", "",  # noqa: E501 - one pattern
        f"{len(DETECTORS)} patterns and {len(NUMBERS)} kinds of number.", "", "## Patterns", "", "| detector | category | group | how an invented example starts |", "| --- | --- | --- | --- |",  # noqa: E501 - one row of a table
    ]  # fmt: skip
    for detector in DETECTORS:
        example = sample(detector.yes[0]).replace("\n", " ").replace("|", "\\|")
        shown = example if detector.group in ("contact", "network") else example[:_SHOWN] + "…"
        lines.append(f"| `{detector.name}` | {detector.category} | {detector.group} | `{shown}` |")
    lines += [
        "",
        "## Numbers",
        "",
        "`9` stands for a digit, `A` for a letter. Where a checksum does not tell enough, a context word must stand near.",  # noqa: E501 - one row of a table
        "",
    ]
    lines += ["| kind | category | outlines | checksum | needs context |", "| --- | --- | --- | --- | --- |"]
    for number in NUMBERS:
        check = "–" if number.valid is None else "yes"
        needs = "–" if number.alone else ", ".join(number.context.split())
        lines.append(
            f"| `{number.name}` | {number.category} | {', '.join(f'`{o}`' for o in number.outlines[:3])} | {check} | {needs} |"  # noqa: E501 - one pattern
        )
    return "\n".join(lines) + "\n"


__all__ = ["DETECTORS", "NUMBERS", "Detector", "Number", "Tables", "markdown"]
