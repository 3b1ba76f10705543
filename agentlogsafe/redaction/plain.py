"""Turn any Python object into something one step nearer to JSON, without trusting it."""

from __future__ import annotations

import dataclasses
import datetime  # noqa: ICN001 - the full name reads better in annotations
import decimal
import enum
import ipaddress
import pathlib
import re
import types
import uuid
from collections.abc import Iterator, Mapping, Sequence, ValuesView
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Any

from agentlogsafe.redaction.frames import NONE, columns

HIDDEN = object()
"""Stands for a value that its own class hides (``repr=False``, ``SecretStr``): the walk masks it."""

_DEEPEST = 100
_NAME = re.compile(r"[\w.<>]{1,200}\Z")
_TEXTUAL = (
    datetime.datetime, datetime.date, datetime.time, uuid.UUID, decimal.Decimal, pathlib.PurePath, ipaddress.IPv4Address,  # noqa: E501 - one row of a table
    ipaddress.IPv6Address, ipaddress.IPv4Network, ipaddress.IPv6Network, datetime.timedelta, complex, range,
)  # fmt: skip


def kind_of(value: object) -> str:
    """Return the name of an object's type, unless it is none that code can have: then it was made of data."""
    return _named(type(value).__name__)


def _named(name: object) -> str:
    return name if type(name) is str and _NAME.match(name) else "[an odd name]"


def describe(value: object) -> str:
    """Return a type's name in angle brackets: what is said of an object that is not looked into."""
    kind = type(value)
    return f"<{_named(kind.__module__)}.{_named(kind.__qualname__)}>"


def simplify(value: object, limit: int) -> object:
    """Return *value* as an exact str, int, float, bool, None, dict or list (of anything), one level deep.

    At most ``limit + 1`` members of a container are taken, so that the caller can see that there were more.
    Iterators are never consumed.

    Raises:
        Exception: whatever the object's own methods raise; the caller answers with a marker.
    """
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int.__index__(value)
    if isinstance(value, float):
        return float.__pos__(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return _decoded(value)
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, _TEXTUAL):
        return str(value)
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {value}"
    if isinstance(value, Mapping):
        return dict(islice(((k, v) for k, v in value.items()), limit + 1))
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return dict(zip(value._fields, value, strict=False))
    if isinstance(value, Iterator):
        return describe(value)
    if isinstance(value, Sequence | AbstractSet | ValuesView):
        return list(islice(iter(value), limit + 1))
    return _object(value, limit)


def _decoded(value: bytes | bytearray | memoryview) -> str:
    raw = bytes(value)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return f"<{len(raw)} bytes>"


def _object(value: object, limit: int) -> object:
    """Return the fields of a structured object, or else its bounded text."""
    kind = type(value)
    if isinstance(value, type | types.FunctionType | types.BuiltinFunctionType | types.MethodType | types.ModuleType):
        return f"<{getattr(value, '__module__', None) or 'builtins'}.{getattr(value, '__qualname__', kind.__name__)}>"
    if hasattr(kind, "get_secret_value"):
        return HIDDEN
    if dataclasses.is_dataclass(kind):
        return {f.name: getattr(value, f.name, None) if f.repr else HIDDEN for f in dataclasses.fields(kind)}
    attrs = getattr(kind, "__attrs_attrs__", None)
    if attrs is not None:
        return {a.name: getattr(value, a.name, None) if a.repr else HIDDEN for a in attrs}
    if callable(getattr(kind, "model_dump", None)):
        # Told not to, pydantic does not warn of a value that does not fit its field: it would quote it, on stderr.
        quiet = {"warnings": False} if hasattr(kind, "__pydantic_serializer__") else {}
        return _hiding(value, value.model_dump(**quiet), _DEEPEST)  # type: ignore[attr-defined]
    found = columns(value, limit)
    if found is not NONE:
        return found
    if kind.__str__ is object.__str__ and kind.__repr__ is object.__repr__:
        return describe(value)
    return str.__str__(str(value))


def _hiding(value: object, dumped: object, left: int) -> object:
    """Return *dumped*, what pydantic made of *value*, without what the class of any object in it hides."""
    if type(dumped) in (list, tuple) and isinstance(value, Sequence) and len(value) == len(dumped):  # type: ignore[arg-type]
        return [_hiding(item, made, left) for item, made in zip(value, dumped, strict=True)]  # type: ignore[call-overload]
    if getattr(type(value), "__pydantic_root_model__", False):
        ((item, _, shown),) = _members(value)
        return _hiding(item, dumped, left - 1) if shown else HIDDEN
    if type(dumped) is not dict:
        return dumped
    if left < 1:
        return HIDDEN
    out = dict(dumped)
    for item, names, shown in _members(value):
        for name in names:
            if name in out:
                out[name] = _hiding(item, out[name], left - 1) if shown else HIDDEN
    return out


def _members(value: Any) -> Iterator[tuple[object, tuple[object, ...], bool]]:
    """Yield what is in *value*: each member, the names that pydantic may give it, and whether its class shows it."""
    kind = type(value)
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield item, (name,), True
    elif dataclasses.is_dataclass(kind):
        for field in dataclasses.fields(kind):
            yield getattr(value, field.name, None), (field.name,), field.repr
    else:
        for name, info in getattr(kind, "model_fields", {}).items():
            names = (name, getattr(info, "serialization_alias", None), getattr(info, "alias", None))
            yield getattr(value, name, None), names, getattr(info, "repr", True) is not False
        for name, item in (getattr(value, "model_extra", None) or {}).items():
            yield item, (name,), True
