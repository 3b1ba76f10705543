"""Several values behind one name, in brackets: ``passwords=['…', '…']``, ``"authorization": {"value": "…"}``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agentlogsafe.redaction.likely import PINNED

if TYPE_CHECKING:
    from agentlogsafe.redaction.work import Work

_OPENS = re.compile(r"[ \t\r\n\\]{0,40}[\[({]")
_PART = re.compile(r"[\[({]|[\])}]|\\{0,3}[\"']")
_KEY = re.compile(r"\\{0,3}[\"']?[ \t\r\n]{0,20}:")
_MOST = 1_000
_FARTHEST = 4000


def listed(text: str, start: int, work: Work) -> tuple[list[int], int]:
    """Return where the quoted values begin that stand in brackets at *start*, and up to where was looked.

    A text before a colon is a name, and none of them.
    """
    opened = _OPENS.match(text, start)
    if not opened:
        return [], start
    at = opened.end()
    last = min(len(text), at + _FARTHEST)
    depth = 1
    out: list[int] = []
    for _ in range(_MOST):
        work.spend(1)
        part = _PART.search(text, at, last)
        if part is None:
            return out, last
        at = part.end()
        sign = part[0]
        if sign in "[({":
            depth += 1
        elif sign in "])}":
            depth -= 1
            if not depth:
                break
        else:
            end = text.find(sign, at, last)
            while end > 0 and len(sign) == 1 and text[end - 1] == "\\":
                end = text.find(sign, end + 1, last)
            if not _KEY.match(text, end if end >= 0 else last) and not PINNED.match(text, at):
                out.append(part.start())
            if end < 0:
                return out, last
            at = end + len(sign)
    return out, at
