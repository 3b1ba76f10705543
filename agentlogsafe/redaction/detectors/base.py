"""The table types: one entry is one way of recognising one kind of value in text."""

from __future__ import annotations

import importlib
import re
import string
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Validator = Callable[[str], bool]
"""Is this candidate really one? Given the matched text; a raised exception counts as no."""

_ALNUM = "q7RtV2mXz9LbK4wHd8NcPf3YsJ6gTe5"
_FILL = {
    "a": _ALNUM, "h": "4f0c9a7be2d13856", "d": "7302918465", "u": "K7QMZ3XWT2VRB5NJ", "l": "k7qmz3xwt2vrb5nj", "b": _ALNUM + "+Q",  # noqa: E501 - one row of a table
    "z": "kqmzxwtvrbnj", "w": _ALNUM + "_Q",
}  # fmt: skip
_MANY, _SOME = 12, 7
_TOLD = 20  # so many characters of a token tell most of them
_SLOT = re.compile(r"\{([a-z])(\d+)\}")
_DIGITS, _LETTERS = frozenset(string.digits), frozenset(string.ascii_letters)


def sample(shape: str) -> str:
    """Return an invented value of a *shape* such as ``ghp_{a36}``, so that no literal token stands in this code.

    ``a`` letters and digits, ``h`` hex, ``d`` digits, ``u`` upper-case base32, ``l`` lower-case and digits, ``b``
    base64, ``z`` lower-case letters, ``w`` word characters.
    """

    def fill(match: re.Match[str]) -> str:
        letters = _FILL[match[1]]
        size = int(match[2])
        return "".join(letters[(i * 7 + i // len(letters)) % len(letters)] for i in range(size))

    return _SLOT.sub(fill, shape)


def either(words: Iterable[str], *, whole: bool = False) -> str:
    """Return a pattern of any of *words* that looks at each character once: ``ab|ac|d`` is ``(?:a(?:b|c)|d)``.

    Where one starts with another, the shorter is enough, unless something that follows needs the *whole*.
    """
    tails: dict[str, list[str]] = {}
    ended = False
    for word in sorted(words):
        if word:
            tails.setdefault(word[0], []).append(word[1:])
        elif whole:
            ended = True
        else:
            return ""
    branches = [re.escape(first) + (either(rest, whole=whole) if any(rest) else "") for first, rest in tails.items()]
    if len(branches) > _MANY:
        # They are tried one after the other: a class for some of them at a time spares most of that.
        firsts = list(tails)
        branches = [
            f"(?=[{''.join(map(re.escape, firsts[at : at + _SOME]))}])(?:{'|'.join(branches[at : at + _SOME])})"
            for at in range(0, len(branches), _SOME)
        ]
    return "(?:" + "|".join(branches) + ("|)" if ended else ")")


@dataclass(frozen=True, slots=True)
class Detector:
    """How to recognise one kind of value; adding a provider is adding one of these.

    With *starts*, the pattern is matched only where a token of 16 or more of ``A-Za-z0-9_.-`` starts with (or has,
    after one of ``_.-``) one of them: one dict lookup per token, however many providers there are. Without, the
    pattern is searched in any text that has one of the *gate*'s literals in it (compared in lower case). The group
    named ``v``, or else the whole match, is what gets replaced. A detector that is *within* is only looked for
    inside such tokens of at least *least* characters (``+/=%:!~$|`` belonging to them too). A token that *needs* a
    character is not tried where it is not among the next two thousand. An *anchored* pattern starts with its gate
    literal. *yes* and *no* are shapes (see `sample`) that must and must not match; they are run as tests.
    """

    name: str
    category: str
    group: str
    pattern: str
    starts: tuple[str, ...] = ()
    gate: tuple[str, ...] = ()
    valid: Validator | None = None
    confidence: float = 0.9
    flags: int = 0
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()
    note: str = ""
    within: bool = False
    anchored: bool = False
    needs: str = ""
    least: int = 16
    compiled: re.Pattern[str] = field(init=False, repr=False, compare=False)
    part: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile the pattern once, when the table is made."""
        compiled = re.compile(self.pattern, self.flags)
        object.__setattr__(self, "compiled", compiled)
        object.__setattr__(self, "part", compiled.groupindex.get("v", 0))  # by number: a name is looked up each time


@dataclass(frozen=True, slots=True)
class Number:
    """A number, or an identifier of letters and digits, recognised by its outline and its checksum.

    An outline is the value with every digit written ``9`` and every upper-case letter ``A``: ``999-99-9999``.
    *context* words must stand near it when the checksum (or the want of one) is too weak to tell by itself. *shape*
    is what the calendar or the issuer allows, as a pattern of the letters and digits alone: it costs a hundredth of
    a checksum, and spares most numbers that.
    """

    name: str
    category: str
    outlines: tuple[str, ...]
    valid: str | Validator | None = None
    context: str = ""
    alone: bool = False
    shape: str = ""
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()
    note: str = ""

    def check(self) -> Validator | None:
        """Return the check; where it is a module of python-stdnum, that one's, or None where this release has none."""
        if not isinstance(self.valid, str):
            return self.valid
        try:
            check: Validator = importlib.import_module(f"stdnum.{self.valid}").is_valid
        except ImportError:
            return None
        return check


def mixed(text: str) -> bool:
    """Return whether *text* looks random: letters and digits both, and enough different ones."""
    head = set(text[:_TOLD])
    if len(head) > 7 and not _DIGITS.isdisjoint(head) and not _LETTERS.isdisjoint(head):  # noqa: PLR2004 - a length, and what it is of stands beside it
        return True  # so it is with what follows
    characters = set(text)
    if len(characters) <= 7:  # noqa: PLR2004 - a length, and what it is of stands beside it
        return False
    return any(map(str.isdigit, characters)) and any(map(str.isalpha, characters))


def varied(text: str) -> bool:
    """Return whether *text* is more than a filler such as ``xxxxxxxx`` or ``12345``."""
    return len(set(text)) > 6  # noqa: PLR2004 - a length, and what it is of stands beside it
