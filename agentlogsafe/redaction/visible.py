"""Characters that would cut a line, move a cursor or break a viewer, made visible."""

from __future__ import annotations

import re

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_SPACE = 0x20
_PICTURES = 0x2400


def visible(match: re.Match[str]) -> str:
    """Return the visible sign for a character that terminals and viewers stumble over.

    A control character of ASCII has its picture in Unicode; what ends a line has that of a line's end, all others have
    the sign for what cannot be shown: lone surrogates, and the second row of control characters, which terminals obey.
    """
    code = ord(match[0])
    if code < _SPACE:
        return chr(_PICTURES + code)
    return {0x7F: "\u2421", 0x85: "\u2424", 0x2028: "\u2424", 0x2029: "\u2424"}.get(code, "\ufffd")


def sanitize(text: str) -> str:
    """Return *text* with control characters, line separators and lone surrogates replaced by visible signs.

    Not by escapes: those would make JSON of text that was none.
    """
    return _CONTROL.sub(visible, text)
