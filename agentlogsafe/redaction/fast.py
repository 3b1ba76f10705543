"""The gate's questions, asked by google-re2, where ``agentlogsafe[fast]`` is installed: it only saves time.

Each pattern is the same as its question of `gate.questions`, or a superset: where it finds nothing, that would answer
no. So the output is the same, byte for byte, with and without it.

There are two sets of patterns, because an automaton counts in its states. With names and counters in one, text of
random tokens leads to ever new states, which are made as they are met: 76 ms for the first 100 KB of base64, 10 ms for
the sixtieth. Apart, they cost 4 ms and 0.4 ms. Prose where no sign parts a name from a value asks one set, without the
names: half of the time. What is not prose would lead that set to many states, too.
"""

from __future__ import annotations

import atexit
import os
import re
import time
from typing import TYPE_CHECKING

from agentlogsafe.redaction import gate
from agentlogsafe.redaction.disguise import ESCAPE
from agentlogsafe.redaction.vocabulary import CALLS, OPENINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import ModuleType

_GROUPING = r"[ \-()/_+:]*"
_TAIL = r"[ \t\"'`\\*_:=?!|)\]}>.+~-]{0,8}[ \t]*"
_QUOTED = r",[\s\x0b\x1c-\x1f]?[\"'`]|\([bB@]?[\"'`]"
STAMPED = gate.OPTION << 1
"""There is a number, or a timestamp."""
LITERALS = STAMPED << 1
"""The literals of a policy's tokens were looked for."""
FIRST = LITERALS.bit_length()
"""How far the bits of the literals that are there are shifted."""
# Words that are enough by themselves, and what the others belong to.
_ALONE = [word.decode() for word, phrases in gate.TOLD_PHRASES.items() if phrases == [word.decode()]]
_PHRASES = [
    re.escape(one) for word, phrases in gate.TOLD_PHRASES.items() for one in phrases if word.decode() not in _ALONE
]
_WORDS = (
    (gate.AT, "@"),
    (gate.CONTROL, r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"),
    (
        gate.WORD,
        "(?i:pass(?:[^aei]|a[^g]|e[^dnrs]|i[^nov]|[aei]?\\z)|secret|identified|/ ?pw|(?:key|token|code|phrase) is|(?:key|token) for|(?:pin|pw|cvv|cvc) is|wachtwoord|kennwort|birth|born|dob|d[.]o[.]b|licen|phone|pasap)",  # noqa: E501 - one pattern
    ),
    (gate.WORD, f"(?i:{gate.SPOKEN})".replace("{0,40}", "*")),
    (gate.WORD, rf"(?i:(?:\A|[^a-z0-9])(?:{'|'.join(_ALONE)})(?:[^a-z0-9]|\z)|{'|'.join(_PHRASES)})"),
    (gate.WORD, f"(?i:{'|'.join(re.escape(call) for call in (*CALLS, *OPENINGS))})"),
    (gate.OPTION, r"[ '\"\n]-|\A-"),
    (gate.ESCAPED, ESCAPE),
)
_COUNTED = (
    (gate.NUMBER, rf"(?:[0-9A-SU-Z]{_GROUPING}){{9}}|\+[ (]{{0,2}}[0-9](?:[ .()/-]*[0-9]){{5}}"),
    (STAMPED, rf"(?:[0-9A-Z]{_GROUPING}){{9}}"),
    (gate.DOTTED, rf"\.{_GROUPING}(?:[0-9A-SU-Z]{_GROUPING}){{1,4}}\."),
    (gate.TOKEN, "[A-Za-z0-9_.~-]{16}"),
    (gate.COLONS, "::|(?::[^:]{0,4}){3}:|(?:-[^-]{0,2}){3}-"),
)
_PROSE = b"abcdefghijklmnopqrstuvwxyz ,.'\n"
_SAMPLE = slice(None, None, 16)
_FEW = 16 * 6  # of every sixteenth character, all but a sixth are these
SHORTEST = 64
"""Below this many characters the plain gate is as fast."""


_PATIENCE = 1.0

_shut: list[bool] = []
_inside: list[bool] = []


def _shut_out() -> None:
    """Let no thread into google-re2 until `_let_in`, and wait for those that are inside: they come out soon."""
    _shut.append(True)
    deadline = time.monotonic() + _PATIENCE
    while _inside and time.monotonic() < deadline:
        time.sleep(0.001)


def _let_in() -> None:
    _shut.pop()


def _begin_in_child() -> None:
    """Forget the threads that did not come along."""
    _inside.clear()
    _shut.clear()


# When the interpreter ends: google-re2 takes the GIL again in a destructor. For a daemon thread, taking the GIL then is
# its end, and an end inside a destructor aborts the process.
atexit.register(_shut_out)
if hasattr(os, "register_at_fork"):
    # While the process forks: google-re2 has locks, and lets other threads run meanwhile. A child forked while one of
    # them held such a lock would wait for it for ever.
    os.register_at_fork(before=_shut_out, after_in_parent=_let_in, after_in_child=_begin_in_child)


def questions(endings: Iterable[str], literals: Iterable[str] = ()) -> Callable[[str], int | None] | None:
    """Return a function that answers for an ASCII text as `gate.questions` does, or None without google-re2.

    Its answers are bits, of which `gate.WORD`, `gate.NAMED` and `STAMPED` are to be asked again; it has none while
    nobody is let in. Behind them are those of the *literals* that are in the text: one more for an automaton that goes
    through it anyway costs nothing, and half a microsecond a kilobyte for a search.
    """
    names = "|".join(sorted(re.escape(ending) for ending in endings if ending.isascii()))
    named = (gate.NAMED, rf"(?i:{names})[0-9]{{0,6}}{_TAIL}(?:[=:>]|{_QUOTED})")
    held = [(1 << FIRST + place, f"(?i:{re.escape(literal)})") for place, literal in enumerate(literals)]
    directives = (gate.NAMED, r"#define|ENV|setx|env add|<-|[|] ")
    sets = (*_WORDS, named, directives, *held), _COUNTED, (*_WORDS, *_COUNTED, *held)
    try:
        import re2  # noqa: PLC0415 - optional, or only for some
    except ImportError:
        return None
    try:
        words, counted, nameless = (_set(re2, rows) for rows in sets)
    except re2.error:  # pragma: no cover - another release of re2; the plain gate does the same
        return None
    word_bits, counted_bits, nameless_bits = ([bit for bit, _ in rows] for rows in sets)

    def answers(text: str) -> int | None:
        of_counted = None
        _inside.append(True)  # before looking whether it is shut, so that `_shut_out` sees it
        try:
            if _shut:
                return None
            raw = text.encode()
            # As `separators` has them: a comma and a parenthesis stand before a quote.
            if (
                "=" in text
                or ":" in text
                or ">" in text
                or (("," in text or "(" in text) and ('"' in text or "'" in text or "`" in text))
                or len(raw[_SAMPLE].translate(None, _PROSE)) * _FEW > len(raw)
            ):
                found, bits = words(raw), word_bits
                of_counted = counted(raw)
            else:
                found, bits = nameless(raw), nameless_bits
        finally:
            _inside.pop()
        answer = LITERALS
        if found:
            for place in found:
                answer |= bits[place]
        if of_counted:
            for place in of_counted:
                answer |= counted_bits[place]
        return answer

    return answers


def _set(re2: ModuleType, rows: Iterable[tuple[int, str]]) -> Callable[[bytes], list[int] | None]:
    """Return a function that says which of the patterns match: that costs less than to ask one pattern where."""
    options = re2.Options()
    options.max_mem = 32 << 20
    options.log_errors = False
    patterns = re2.Set.SearchSet(options)
    for _, pattern in rows:
        patterns.Add(pattern)
    patterns.Compile()
    # What the package wraps: the wrapper costs half as much again.
    match: Callable[[bytes], list[int] | None] = getattr(patterns, "_set", patterns).Match
    return match
