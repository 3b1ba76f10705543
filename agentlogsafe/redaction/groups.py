"""The outline of a text, and the pattern of the groups of letters and digits in it that a number can start with."""

from __future__ import annotations

import re
import string
from typing import TYPE_CHECKING

from agentlogsafe.redaction.detectors.base import either
from agentlogsafe.redaction.detectors.checks import IBAN_LENGTHS

if TYPE_CHECKING:
    from collections.abc import Mapping

ZERO, _NINE, LETTER, OTHER = ord("0"), ord("9"), ord("A"), ord("?")
OUTLINE = bytes(
    code if code == ZERO
    else _NINE if chr(code) in string.digits
    else LETTER if chr(code) in string.ascii_letters
    else OTHER if code > 127  # noqa: PLR2004 - the end of ASCII
    else code
    for code in range(256)
)  # fmt: skip
"""The outline of a text: zeros, other digits, letters, what is beyond ASCII, and the rest."""

# How telephone numbers and cards go on after their first digit; the table's numbers are added to these.
_HEADS = "99-99|99.99|99 99|-99|.99| 99|(99| (9|-(9|.(9|999-99|999.99|999 99"
_HEAD = re.compile("^A*9")
# A group that is worth a look: it starts with a zero, has a word, a plus or a parenthesis close before it, is long, or
# goes on like one of the numbers.
_CANDIDATE = (
    r"[09](?<![09].)(?:(?<=0)|(?<=[A?][^09A].)|(?<=[A?][^09A]{2}.)|(?<=[A?][^09A]{3}.)|(?<=[A?][^09A]{4}.)"
    r"|(?<=[+(].)|(?<=\+ .)|(?=[09A]{4}|HEADS)|(?<=AA.)(?=[09][ -][09A]{4}))"
)
# It is marked when there can be a number. Its first group takes part where from its first digit on a whole outline of
# the table stands; its second where none does, but as many digits as the shortest telephone number has follow, with no
# letters before them, or what is as long as the shortest IBAN. Most groups of most texts are neither, and cost no more
# than this pattern; what has no outline needs no look into the table.
MARK = r"(?=(TAILS)(?![09A]))|((?<!A.)(?=PHONE)|(?<=AA.)(?=IBAN))"


def pattern(shapes: Mapping[bytes, int], mark: str = MARK) -> re.Pattern[bytes]:
    """Return the pattern of candidates in an outline, for *shapes* and the lengths of their first groups.

    Its groups take part where those of *mark* do.
    """
    heads = {_HEAD.sub("", shape[: first + 3].decode()) for shape, first in shapes.items()}
    tails = {shape.decode().lstrip("A -")[1:] for shape in shapes if b"9" in shape}
    return re.compile(
        f"{_CANDIDATE}(?:{mark})?[09A]*".replace("HEADS", either(heads | set(_HEADS.split("|"))).replace("9", "[09]"))
        .replace("TAILS", either(tails, whole=True).replace("9", "[09]"))
        .replace("PHONE", "[ .()/-]{0,3}[09?]" * 5)  # one after another: a repeat of a group costs three times that
        .replace("IBAN", "[ -]{0,2}[09A]" * (min(IBAN_LENGTHS.values()) - 3))
        .encode()
    )
