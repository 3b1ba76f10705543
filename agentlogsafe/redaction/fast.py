"""The gate in one pass of google-re2, where ``agentlogsafe[fast]`` is installed: it only saves time.

Its pattern is a superset of `gate.questions`: where it finds nothing, that would answer no; where it finds
something, that is asked as ever. So the output is the same, byte for byte, with and without it.
"""

from __future__ import annotations

import atexit
import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_GROUPING = r"[ \-()/_+:]*"
_TAIL = r"[ \t\"'`\\*_:=?!|)\]}>.+~-]{0,8}"
_ALWAYS = (
    "@", r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", rf"(?:[0-9A-Z]{_GROUPING}){{9}}", rf"\.{_GROUPING}(?:[0-9A-Z]{_GROUPING}){{1,4}}\.", "[A-Za-z0-9_.~-]{16}",  # noqa: E501 - one pattern
    "(?i:pass|secret|identified by|birth|born|dob|d[.]o[.]b|licen|phone|pasap)", r"\+[ (]{0,2}[0-9]", r" -|\n-|\A-", "::", "(?::[^:]{0,4}){3}:", "(?:-[^-]{0,2}){3}-",  # noqa: E501 - one pattern
    r"%[2-7][0-9A-Fa-f]|&#|&[a-z]{2,8};|\\u00|\\x[2-7]",
)  # fmt: skip
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


def gate(endings: Iterable[str]) -> Callable[[str], bool] | None:
    """Return a function that says whether an ASCII text can interest any detector, or None without google-re2."""
    try:
        import re2  # noqa: PLC0415 - optional, or only for some
    except ImportError:
        return None
    names = "|".join(sorted(re2.escape(ending) for ending in endings if ending.isascii()))
    pattern = "|".join((*_ALWAYS, rf"(?i:{names})[0-9]{{0,6}}{_TAIL}[=:>,(]"))
    options = re2.Options()
    options.max_mem = 64 << 20
    options.log_errors = False
    try:
        # A set of one: to ask it whether anything matches costs less than to ask a pattern where.
        patterns = re2.Set.SearchSet(options)
        patterns.Add(pattern)
        patterns.Compile()
    except re2.error:  # pragma: no cover - another release of re2; the plain gate does the same
        return None
    match = patterns.Match

    def interesting(text: str) -> bool:
        _inside.append(True)  # before looking whether it is shut, so that `_shut_out` sees it
        try:
            return bool(_shut or match(text.encode()))
        finally:
            _inside.pop()

    return interesting
