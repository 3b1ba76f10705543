"""Secrets whose name is a value of its own: ``{"name": "DB_PASSWORD", "value": "…"}``, ``<add key="…" value="…"/>``.

Container variables, recorded headers, forms and settings files are written so.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentlogsafe.redaction.keys import KeyRules

NAMING = frozenset(
    "name key parametername parameterkey paramname variablename headername propertyname fieldname option_name".split()
)
"""What the name stands under."""
NAMINGS = (
    (("name", "key", "field", "param", "header", "variable", "label", "id"), "value"),
    (("Name", "Key", "OptionName", "ParameterName"), "Value"),
    (("ParameterKey",), "ParameterValue"),
)
"""The same in a mapping, where nothing is mistaken for it, and what the value stands under."""
_PAIR = re.compile(
    r"[ \t]{0,4}(?P<q>\\{0,3}[\"']?)(?P<name>[A-Za-z][\w.-]{1,63})(?P=q)(?:,?\s{0,40}\\{0,3}[\"']?\w{0,16}(?i:value)\\{0,3}[\"']?[ \t]{0,4}[:=]|[ \t]{0,4}(?:[^<>\n]{0,80}>\s{0,40}<value)?(?=>))"  # noqa: E501 - one pattern
)


def paired(text: str, start: int, keys: KeyRules) -> tuple[int, str, str] | None:
    """Return where the value is that belongs to the name at *start*, its category, and the name.

    None where no value stands beside it, or the name announces none.
    """
    match = _PAIR.match(text, start)
    category = keys.category(match["name"]) if match else None
    return (match.end(), category, match["name"].lower()) if match and category else None
