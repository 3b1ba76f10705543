"""Lines that become columns at once: the same rows as one by one, whatever is in a file."""

from __future__ import annotations

import logging

import duckdb
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import agentlogsafe
from agentlogsafe.review import arrow, blocks, fields, reading, sources
from agentlogsafe.review.columns import COLUMNS, Columns
from agentlogsafe.review.keyring import Keyring
from agentlogsafe.review.reading import Outcome, read_columns, read_part
from agentlogsafe.review.sources import Part
from tests.helpers import examples
from tests.review import logs, tamper

seeds = st.integers(0, 2**32)
TAMPERED = (*tamper.BOTH, *tamper.KEYED)


def rows_of(tables):
    """Return the rows of tables by name, in the order of their lines."""
    rows = {name: [] for name in COLUMNS}
    for name, made in tables:
        assert made.schema == arrow.schema(COLUMNS[name])
        rows[name] += map(tuple, zip(*(column.to_pylist() for column in made.columns), strict=True))
    return {name: sorted(found, key=repr) for name, found in rows.items()}


def both(path, keys=(), size=3_000):
    """Return what becomes of a file by each of the two ways; spans as what they cover, for one may cut them finer."""
    part = Part(str(path), "plain", 0, path.stat().st_size)
    one, other = Outcome(), Outcome()
    general = [
        (name, arrow.table(rows, COLUMNS[name]))
        for batch in read_part(part, Keyring(keys), one)
        for name, rows in batch._asdict().items()
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "_CHUNK", size)
        columns = list(read_columns(part, Keyring(keys), other))
    assert one == other
    return rows_of(general), rows_of(columns)


def mixed(rng):
    """Return lines of all kinds: sealed and not, odd ones, redacted ones, events of our own, ordinary ones."""
    kept = logs.Kept()
    kept.setFormatter(agentlogsafe.AuditFormatter(agent_name="a", workflow_name="w", default_risk={"level": "low"}))
    logger = logging.Logger("plain", logging.DEBUG)  # noqa: LOG001 -- nobody else finds it
    logger.addHandler(kept)
    for number in range(rng.randrange(1, 12)):
        with agentlogsafe.run(logger=logger, session_id=f"s{number}"):
            logger.info("tool_call", extra={"tool_name": "größe", "to": "mia.li@example.com", "redactions": {"n": 1}})
            logger.info("model_response", extra={"input_tokens": rng.choice((5, 5.0, "5")), "of": logs.value(rng)})
            logger.info(
                "decision", extra={"payload": logs.value(rng), "odd": object(), "run_id": rng.choice((5, None))}
            )
            logger.info("an ordinary line")
            logger.info("custom", extra={"kind": "delivery_report", "lost": number})
    return kept.lines


@pytest.mark.no_cover  # as in test_tamper.py
@given(seed=seeds, size=st.integers(500, 20_000))
@settings(max_examples=examples(100), deadline=None)
def test_same_rows(tmp_path_factory, seed, size):
    """A log of all kinds of lines, whole, has the same rows by both ways, and nothing is bad."""
    rng = logs.rng(seed)
    lines = [line for keyed in (False, True) for line in logs.sealed(rng, keyed=keyed)] + mixed(rng)
    path = tmp_path_factory.mktemp("blocks") / "log"
    path.write_bytes(b"".join(lines))

    general, columns = both(path, [logs.MASTER], size)

    assert columns == general
    assert "bad" not in {row[-12] for row in columns["events"]}


@pytest.mark.no_cover
@given(seed=seeds, function=st.sampled_from(TAMPERED), size=st.integers(500, 20_000))
@settings(max_examples=examples(100), deadline=None)
def test_same_rows_of_what_was_tampered_with(tmp_path_factory, seed, function, size):
    """Both ways see the same in a log that was tampered with."""
    rng = logs.rng(seed)
    keyed = function in tamper.KEYED or bool(seed % 2)
    path = tmp_path_factory.mktemp("blocks") / "log"
    path.write_bytes(b"".join(function(rng, logs.sealed(rng, keyed=keyed)).lines))

    general, columns = both(path, [logs.MASTER], size)

    assert columns == general


@pytest.mark.no_cover
@given(
    seed=seeds,
    edits=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 3), st.binary(max_size=4)), min_size=1, max_size=4),
    plain=st.booleans(),
)
@settings(max_examples=examples(150), deadline=None)
def test_same_rows_of_what_is_damaged(tmp_path_factory, seed, edits, plain):
    """Bytes that are changed, cut out or put in anywhere, line ends included, are the same to both."""
    rng = logs.rng(seed)
    data = bytearray(b"".join(mixed(rng) if plain else logs.sealed(rng)))
    for where, cut, text in edits:
        place = int(where * len(data))
        data[place : place + cut] = text
    path = tmp_path_factory.mktemp("blocks") / "log"
    path.write_bytes(data)

    general, columns = both(path)

    assert columns == general


@pytest.mark.parametrize("name", ["payload", "metadata", "risk", "agent_name", "level", "policy"])
@pytest.mark.parametrize("value", [b"null", b"{}"])
def test_a_name_after_the_seal(tmp_path, name, value):
    """A field that is given once more behind the seal, where nulls may stand, makes the event one that was changed."""
    lines = logs.sealed(logs.rng(7))
    lines[3] = b'%b,"%b":%b}\n' % (lines[3][:-2], name.encode(), value)
    path = tmp_path / "log"
    path.write_bytes(b"".join(lines))

    general, columns = both(path)

    assert columns == general
    assert [row[0] for row in columns["events"] if "bad" in row] == [4]


def test_usual_lines_go_the_short_way(tmp_path, monkeypatch):
    """Lines in the middle of a stream, as the library writes them, are not looked at one by one."""
    made = [line for seed in range(20) for line in logs.sealed(logs.rng(seed))]
    looked = []
    general = blocks.Blocks._general
    monkeypatch.setattr(
        blocks.Blocks, "_general", lambda self, *given: looked.append(given[0]) or general(self, *given)
    )
    path = tmp_path / "log"
    path.write_bytes(b"".join(made))

    found = rows_of(read_columns(Part(str(path), "plain", 0, path.stat().st_size), Keyring(), Outcome()))

    assert len(found["events"]) == len(made)
    usual = [b',"seal":{"prev":' in line and b"stream_close" not in line for line in made]
    assert looked == [number for number, is_usual in enumerate(usual, 1) if not is_usual]
    assert sum(usual) > len(made) / 4


def taken(folder, *lines):
    """Return the events that DuckDB makes of lines; None where it finds that one is not as we write it."""
    path = folder / "lines"
    path.write_bytes(b"".join(b'{"\x7f":%d,%b' % (number, line[1:]) for number, line in enumerate(lines, 1)))
    made = Columns(duckdb.connect())
    return None if made.lines({0: (path, len(lines))}) else made.arrow().to_pylist()


@pytest.mark.parametrize("name", fields.FIELDS)
def test_a_name_given_twice(tmp_path, name):
    """What verifying on bytes relies on: DuckDB refuses an object of ours that has a name twice, even at its end."""
    line = logs.sealed(logs.rng(5))[1]
    every = b"".join(b'"%b":null,' % of.encode() for of in fields.FIELDS if b'"%b":' % of.encode() not in line)
    line = b"{%b%b" % (every.replace(b'"\x7f":null,', b""), line[1:])

    assert len(taken(tmp_path, line)) == 1
    assert taken(tmp_path, b'%b,"%b":null}\n' % (line[:-2], name.encode())) is None


@pytest.mark.parametrize(
    "text", [b'{"a":1}', b"[]", b"5", b"true", b'"5"', b'"true"', b'"[]"', b'"{"', b'"\\"x\\""', b"null"]
)
@pytest.mark.parametrize("name", ["agent_name", "session_id", "run_id", "status", "level"])
def test_what_is_no_string(tmp_path, name, text):
    """A value that is no string is none, though DuckDB would make one of it; a string that looks like one is."""
    event = orjson.loads(logs.sealed(logs.rng(5))[1])
    value = orjson.loads(text)

    (found,) = taken(tmp_path, orjson.dumps({**event, name: value}) + b"\n")

    assert found[name] == (value if isinstance(value, str) else None)


def test_compressed(tmp_path):
    """What is read from a compressed file is what is read from a plain one."""
    import gzip

    lines = logs.sealed(logs.rng(3))
    plain, packed = tmp_path / "log", tmp_path / "log.gz"
    plain.write_bytes(b"".join(lines))
    packed.write_bytes(gzip.compress(b"".join(lines)))
    found = []
    for path in (plain, packed):
        (source,) = sources.find([path])
        (part,) = sources.parts(source)
        found.append(rows_of(read_columns(part, Keyring(), Outcome())))

    assert found[0] == found[1]
