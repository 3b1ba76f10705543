"""What other libraries' objects hide stays hidden, and what their names give away goes (37)."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pydantic
import pytest

from agentlogsafe.redaction import redact
from agentlogsafe.redaction.frames import columns
from tests.redaction.objects import CANARY


class Inner(pydantic.BaseModel):
    """A model with a field that it hides, and with others that nobody declared."""

    model_config = pydantic.ConfigDict(extra="allow")
    note: str = pydantic.Field(default=CANARY, repr=False)


@dataclasses.dataclass
class Part:
    """A dataclass with a field that it hides."""

    note: str = dataclasses.field(default=CANARY, repr=False)
    number: int = 1


class Root(pydantic.RootModel[list[Inner]]):
    """A model that is a list."""


class Aliased(pydantic.BaseModel):
    """A model that is written under other names than its own."""

    model_config = pydantic.ConfigDict(serialize_by_alias=True)
    note: str = pydantic.Field(default=CANARY, repr=False, serialization_alias="Note")


@pytest.mark.parametrize(
    ("value", "out"),
    [
        (Inner(), {"note": "[SECRET]"}),
        ([Inner()], [{"note": "[SECRET]"}]),
        ({"a": (Inner(), 1)}, {"a": [{"note": "[SECRET]"}, 1]}),
        (Part(), {"note": "[SECRET]", "number": 1}),
        (Root([Inner()]), [{"note": "[SECRET]"}]),
        (Aliased(), {"Note": "[SECRET]"}),
        (Inner(more=Inner()), {"note": "[SECRET]", "more": {"note": "[SECRET]"}}),
        (pydantic.SecretStr("x"), "[SECRET]"),
        ((1, "x", None), [1, "x", None]),
    ],
)
def test_what_an_object_inside_a_model_hides(value, out):
    """A field that its class hides is masked however deep inside a model it is."""

    class Outer(pydantic.BaseModel):
        inner: object
        left_out: str = pydantic.Field(default=CANARY, exclude=True)

    class Typed(pydantic.BaseModel):
        inner: type(value)  # type: ignore[valid-type]

    assert redact(Outer(inner=value)) == {"inner": out}
    assert redact(Typed(inner=value)) == {"inner": out}


def test_model_deeper_than_anything():
    """A model in more levels than can be followed is masked at its end."""

    class Link(pydantic.BaseModel):
        next: Link | None = None
        note: str = pydantic.Field(default=CANARY, repr=False)

    link = Link()
    for _ in range(150):
        link = Link(next=link)
    assert CANARY not in str(redact(link))


def test_value_that_does_not_fit_its_model():
    """Where a model's value is of another kind than its field, no warning quotes it on stderr (7)."""

    class Count(pydantic.BaseModel):
        password: int = 0

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert redact(Count.model_construct(password=CANARY)) == {"password": "[PASSWORD]"}
    assert not caught


RECORDS = np.array([(CANARY, 1)], dtype=[("password", "U20"), ("n", "i4")])
FRAME = pd.DataFrame({"password": [CANARY], "n": [1]})
TABLE = pa.table({"password": [CANARY], "n": [1]})
MASKED = {"password": ["[PASSWORD]"], "n": [1]}


@pytest.mark.parametrize(
    ("value", "out"),
    [
        (RECORDS, MASKED),
        (RECORDS[0], {"password": "[PASSWORD]", "n": 1}),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (np.array([[1, 2], [3, 4]]).view(np.matrix), [[1, 2], [3, 4]]),
        (np.array(5), 5),
        (np.float32(1.5), 1.5),
        (FRAME, MASKED),
        (FRAME.set_index("password"), MASKED),
        (FRAME["password"], {"password": ["[PASSWORD]"]}),
        (FRAME.set_index("password")["n"], MASKED),
        (FRAME.iloc[0], {"0": {"password": "[PASSWORD]", "n": 1}}),
        (FRAME.iloc[0].rename(None), {"password": "[PASSWORD]", "n": 1}),
        (pd.concat([FRAME, FRAME], axis=1), {"password": ["[PASSWORD]"] * 2, "n": [1, 1]}),
        (pd.Series([1, 2], index=["a", "a"]), [1, 2]),
        (pd.Index([CANARY], name="password"), {"password": ["[PASSWORD]"]}),
        (pd.Index([1, 2]), [1, 2]),
        (TABLE, MASKED),
        (TABLE.to_batches()[0], MASKED),
        (TABLE["n"], [1]),
        ({"a": {"password": CANARY}}.values(), [{"password": "[PASSWORD]"}]),
    ],
)
def test_tables(value, out):
    """A table is read by its columns, whose names say what is in them: as text, the names are far from the values."""
    assert redact({"rows": value}) == {"rows": out}


@pytest.mark.parametrize(
    "value",
    [
        np.zeros(20_000_000),
        np.zeros((5_000, 4_000)),
        np.zeros((300, 300, 200)),
        pd.DataFrame(np.zeros((2_000, 2_000))),
        pa.table({str(number): [1] * 1_000 for number in range(2_000)}),
    ],
    ids=["row", "matrix", "cube", "frame", "table"],
)
def test_large_tables(value):
    """What a table costs does not grow with its size: what is cut is cut before it is copied."""
    made = columns(value, 9)
    parts = made.values() if isinstance(made, dict) else made
    assert len(parts) == 10
    assert all(len(part) <= 10 for part in parts if isinstance(part, list))
    assert "[TRUNCATED]" in str(redact({"rows": value}))
