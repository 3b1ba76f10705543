"""Files that DuckDB reads as they are: the same rows as line by line, whatever is in a file."""

from __future__ import annotations

import os
import sys

import duckdb
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentlogsafe.review import load, sources, whole
from agentlogsafe.review.check import Review
from agentlogsafe.review.columns import COLUMNS, Columns
from agentlogsafe.review.keyring import Keyring
from agentlogsafe.review.reading import Outcome, spool_part
from agentlogsafe.review.whole import Wholes
from tests.helpers import examples
from tests.review import logs, scale, tamper
from tests.review.test_blocks import TAMPERED, mixed

seeds = st.integers(0, 2**32)


def tables(columns):
    """Return the rows of each table, spans as what they cover: one way may cut them finer."""
    return {
        name: sorted(columns._run(f"SELECT * FROM {name}").fetchall(), key=repr) for name in COLUMNS if name != "spans"
    }


def line_by_line(path, keys):
    """Return the rows that are made of each line by itself."""
    made = []
    source = sources.find([path])
    load.load(source, lambda: made.append(Columns(duckdb.connect())) or made[0], path.parent, keys, workers=0)
    return tables(made[0])


def as_it_is(path, keys, size):
    """Return the rows where DuckDB reads the file; None where that is not done."""
    (source,) = sources.find([path])
    columns, wholes = Columns(duckdb.connect()), Wholes([source], path.parent)
    parts, outcomes = sources.parts(source, size), []
    for number, part in enumerate(parts):
        outcomes.append(Outcome())
        spool_part(part, number, Keyring(keys), outcomes[-1], path.parent, lines=None, plainly=False)
        if outcomes[-1].mixed:
            return None
    wholes.start(columns)()
    wholes.settle({source.path: outcomes})
    if wholes.refused:
        return None
    for outcome in outcomes:
        for name, rows in outcome.rows.items():
            (path.parent / "rows.json").write_text(rows)
            columns.rows(name, [path.parent / "rows.json"])
    columns.views(load.placed([source], parts, range(len(parts)), outcomes), wholes.names)
    return tables(columns)


@pytest.mark.no_cover  # as in test_tamper.py
@given(
    seed=seeds,
    function=st.sampled_from((None, *TAMPERED)),
    more=st.sampled_from(("", "mixed", "odd")),
    size=st.integers(500, 20_000),
)
@settings(max_examples=examples(150), deadline=None)
def test_same_rows(tmp_path_factory, seed, function, more, size):
    """A log of all kinds of lines, tampered with or not, has the rows that it has line by line, or is read so."""
    rng = logs.rng(seed)
    keyed = function in tamper.KEYED or bool(seed % 2)
    lines = logs.sealed(rng, keyed=keyed)
    lines = lines if function is None else function(rng, lines).lines
    if more == "mixed":
        lines += mixed(rng)
    if more == "odd":
        lines.insert(rng.randrange(len(lines)), rng.choice((b"\n", b" {}\n", b"{}{}\n", b'{"a":1,"a":2}\n', b"[]\n")))
    path = tmp_path_factory.mktemp("whole") / "log"
    path.write_bytes(b"".join(lines))

    found = as_it_is(path, [logs.MASTER], size)

    assert found in (None, line_by_line(path, [logs.MASTER]))
    assert found is not None or function is not None or more


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """Return a sealed log that is long enough, of several parts."""
    path = tmp_path_factory.mktemp("long") / "long.log"
    scale.build(path, 40_000, 5)
    assert path.stat().st_size > whole.SHORT
    return path


@pytest.fixture
def short(tmp_path, monkeypatch):
    """Return a sealed log that passes for a long one."""
    path = tmp_path / "short.log"
    scale.build(path, 2_000, 5)
    monkeypatch.setattr(whole, "SHORT", 2**10)
    return path


def checked(path, monkeypatch, **given_):
    """Return what is found, and which files were not read as they are."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    made = []

    class Noted(Wholes):
        def __init__(self, *given_):
            super().__init__(*given_)
            made.append(self)

    monkeypatch.setattr(load, "Wholes", Noted)
    with Review.load([path], workers=2, **given_) as review:
        totals = review.summary("totals")
    return totals, made[-1].paths, made[-1].refused


def test_long_sealed_file_is_read_as_it_is(long, monkeypatch):
    """Nothing but lines in the middle of streams, and DuckDB reads them once; with the same totals."""
    as_they_are, paths, refused = checked(long, monkeypatch)
    monkeypatch.setattr(whole, "SHORT", 2**40)
    otherwise, none, _ = checked(long, monkeypatch)

    assert (paths, refused, none) == ({str(long)}, set(), set())
    assert as_they_are == otherwise


@pytest.mark.parametrize(
    "line",
    [b"not ours\n", b"\n", b'{"event_id": 5, "event_id": 6}\n', b'{"payload": 5}\n', b"[]\n", b'{"a": "\\ud800"}\n'],
)
def test_line_that_duckdb_cannot_take(short, monkeypatch, line):
    """Where one line in the middle is nothing that DuckDB makes one row of, the file is read in the other way."""
    data = short.read_bytes()
    place = data.index(b"\n", len(data) // 2) + 1
    short.write_bytes(data[:place] + line + data[place:])

    totals, paths, refused = checked(short, monkeypatch)
    monkeypatch.setattr(whole, "SHORT", 2**40)

    assert paths == refused == {str(short)}
    assert totals == checked(short, monkeypatch)[0]


def test_file_that_ends_in_half_a_line(short):
    """A log whose last line was cut off by a kill is not even tried."""
    (source,) = sources.find([short])
    assert whole.eligible(source)

    short.write_bytes(short.read_bytes()[:-100])

    (source,) = sources.find([short])
    assert not whole.eligible(source)


def test_file_that_is_written_to(short, monkeypatch):
    """What DuckDB read of a file that changed in the meantime is not taken for what was verified."""
    take = Columns.whole

    def changed(self, *given_):
        found = take(self, *given_)
        os.utime(short)
        return found

    monkeypatch.setattr(Columns, "whole", changed)

    assert checked(short, monkeypatch)[2] == {str(short)}


def test_rows_are_in_the_order_of_lines(long):
    """What says which line a row is, its place in the table, does so with several threads, too."""
    columns = Columns(duckdb.connect(config={"threads": 4, "preserve_insertion_order": False}))

    assert columns.whole(columns.open_whole(), 0, str(long))

    with long.open("rb") as lines:
        expected = [(orjson.loads(line)["event_id"],) for line in lines]
    assert columns._run("SELECT event_id FROM whole ORDER BY rowid").fetchall() == expected


def test_file_that_goes_away(short):
    """A file that is removed in the meantime is left to what says that it cannot be read."""
    (source,) = sources.find([short])
    columns, wholes = Columns(duckdb.connect()), Wholes([source], short.parent)
    short.unlink()

    wholes.start(columns)()

    assert wholes.refused == {str(short)}
    assert not whole.eligible(source)
