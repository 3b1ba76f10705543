"""Arrays and tables by their columns: as text, a table has its names far above its values, where none is found."""

from __future__ import annotations

from typing import Any

NONE = object()
"""What is returned for an object that is neither."""


def columns(value: Any, limit: int) -> object:
    """Return an array or a table (numpy, pandas, pyarrow) as lists and mappings, one level deep; else `NONE`.

    At most ``limit + 1`` rows and columns are taken, before anything is made of them. The libraries are not imported.

    Raises:
        Exception: whatever they raise.
    """
    kind = type(value)
    if kind.__module__.partition(".")[0] == "numpy":
        return _array(value, limit) if hasattr(kind, "tolist") else NONE
    if hasattr(kind, "iloc") and hasattr(kind, "reset_index"):
        return _frame(value, limit) if value.ndim == 2 else _series(value, limit)  # noqa: PLR2004 - rows and columns
    if hasattr(kind, "to_frame") and hasattr(kind, "tolist"):  # an index
        part = value[: limit + 1]
        return _frame(part.to_frame(index=False), limit) if any(part.names) else part.tolist()
    if hasattr(kind, "to_pydict") and hasattr(kind, "slice"):
        first = value.slice(0, limit + 1)
        return first.select(first.schema.names[: limit + 1]).to_pydict()
    if hasattr(kind, "to_pylist") and hasattr(kind, "slice"):
        return value.slice(0, limit + 1).to_pylist()
    return NONE


def _array(value: Any, limit: int) -> object:
    if value.dtype.names:  # a record, or an array of them
        return {name: value[name] for name in value.dtype.names[: limit + 1]}
    if value.ndim < 2:  # noqa: PLR2004 - rows and columns
        return value[: limit + 1].tolist() if value.ndim else value.tolist()
    rows = [value[at] for at in range(min(len(value), limit + 1))]
    # The rows of a matrix are matrices.
    return [row.tolist()[0][: limit + 1] if row.ndim == value.ndim else row for row in rows]


def _frame(value: Any, limit: int) -> dict[object, object]:
    part = value.iloc[: limit + 1, : limit + 1] if value.ndim > 1 else value
    if type(part.index).__name__ != "RangeIndex":
        part = part.reset_index()  # its names can be those of what is sensitive
    out: dict[object, list[object]] = {}
    for place, name in enumerate(part.columns):
        out.setdefault(name, []).extend(part.iloc[:, place].tolist())
    return out  # type: ignore[return-value]


def _series(value: Any, limit: int) -> object:
    part = value.iloc[: limit + 1]
    if any(part.index.names):
        return _frame(part, limit)
    named = type(part.index).__name__ != "RangeIndex" and part.index.is_unique
    items = dict(zip(part.index.tolist(), part.tolist(), strict=False)) if named else part.tolist()
    return items if part.name is None else {part.name: items}
