"""Rows become Arrow tables, fast: most of a column's cost is how its strings get there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from agentlogsafe.review.rows import fitting

if TYPE_CHECKING:
    from collections.abc import Sequence

TYPES = {"string": pa.string(), "int64": pa.int64(), "float64": pa.float64(), "boolean": pa.bool_()}
_FEW = 64


def schema(types: dict[str, str]) -> pa.Schema:
    """Return the Arrow schema of columns whose types are named as Ibis does."""
    return pa.schema([(name, TYPES[dtype]) for name, dtype in types.items()])


def table(rows: Sequence[tuple[Any, ...]], types: dict[str, str]) -> pa.Table:
    """Return *rows* as a table of columns of these *types*; a value of another type becomes null."""
    columns: Any = zip(*rows, strict=True) if rows else ((),) * len(types)
    arrays = [column(values, dtype) for values, dtype in zip(columns, types.values(), strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema(types))


def column(values: Sequence[Any], dtype: str) -> pa.Array:
    """Return *values* as a column of this type; a value of another type becomes null."""
    count, kind = len(values), TYPES[dtype]
    try:
        if count and values.count(values[0]) == count:
            return pa.repeat(pa.scalar(values[0], kind), count)
        if dtype == "string":
            return _strings(values)
        return pa.array(values, kind)
    except (TypeError, ValueError, OverflowError, pa.ArrowException):
        return pa.array([fitting(value, dtype) for value in values], kind)


def _strings(values: Sequence[Any]) -> pa.Array:
    if len(set(values[:_FEW])) <= _FEW // 4:
        known = {value: code for code, value in enumerate(set(values))}
        indices = np.fromiter(map(known.__getitem__, values), np.int32, len(values))
        return pa.array(list(known), pa.string()).take(pa.array(indices))
    if None in values:
        return pa.array(values, pa.string())
    joined = "".join(values)
    if not joined.isascii():
        return pa.array(values, pa.string())
    # Joined, with offsets: a third of the cost of handing the strings over one by one.
    offsets = np.zeros(len(values) + 1, np.int32)
    np.cumsum(np.fromiter(map(len, values), np.int32, len(values)), out=offsets[1:])
    return pa.StringArray.from_buffers(len(values), pa.py_buffer(offsets), pa.py_buffer(joined.encode()))
