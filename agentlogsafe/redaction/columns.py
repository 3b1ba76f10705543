"""Tables as databases return them, the names beside the rows: ``{"columns": ["password"], "rows": [["…"]]}``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentlogsafe.redaction.walk import Walk

_ROWS = ("rows", "data", "values", "records")
_UNSURE = (None, "NAME?", "KEY?", "JWK?")


def mask_columns(walk: Walk, out: dict[str, object], since: int) -> None:
    """Mask what stands in the rows of *out* under the name of a sensitive column.

    Of the texts that were laid aside, those from *since* on can be in it.
    """
    names = out["columns"]
    rows = [row for name in _ROWS if type(found := out.get(name)) is list for row in found if type(row) is list]
    if type(names) is not list or not rows:
        return
    wanted: dict[int, str] = {}
    for place, given in enumerate(names):
        name = given.get("name") if type(given) is dict else given
        category = walk.name(name)[1] if type(name) is str else None
        if category is not None and category not in _UNSURE:
            wanted[place] = category
    if not wanted:
        return
    laid_aside = {(id(walk.slots[at]), walk.places[at]): at for at in range(since, len(walk.texts))}
    for row in rows:
        for place, category in wanted.items():
            if place < len(row) and type(row[place]) in (str, int, float, list, dict):
                at = laid_aside.get((id(row), place))
                if at is not None:
                    walk.texts[at], walk.slots[at] = "", {}
                walk.put(row, place, row[place], category, None)
