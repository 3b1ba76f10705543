"""What log pipelines make of lines, and what the reader makes of that."""

from __future__ import annotations

import gzip

import orjson
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from agentlogsafe.review.check import Review
from agentlogsafe.review.lines import read
from tests.review import logs


def integrity(paths, **settings_):
    with Review.load(paths, **settings_) as review:
        return review.findings(), review.sources()


@pytest.mark.parametrize("keyed", [False, True])
def test_untouched_logs_are_clean(tmp_path, keyed):
    """A sealed log gives no finding, whatever carried it here."""
    paths = []
    for number, (name, wrap) in enumerate(logs.WRAPPINGS.items()):
        rng = logs.rng(number)
        path = tmp_path / f"{name}.log"
        path.write_bytes(b"".join(wrap(rng, logs.sealed(rng, keyed=keyed))))
        paths.append(path)

    found, sources = integrity(paths, keys=[logs.MASTER] if keyed else [])

    assert found == []
    assert all(row["events"] for row in sources)
    assert not any(row["rejects"] for row in sources)


@given(seed=st.integers(0, 2**32), name=st.sampled_from(sorted(logs.WRAPPINGS)))
@settings(max_examples=60, deadline=None)
def test_events_survive_their_wrapping(seed, name):
    """Every event comes out of its wrapping as it went in."""
    rng = logs.rng(seed)
    lines = logs.sealed(rng, runs=1)

    found = [line for line in read(logs.WRAPPINGS[name](rng, lines)) if line.kind != "foreign"]

    given_ = [{k: v for k, v in orjson.loads(line).items() if v is not None} for line in lines]
    read_ = [
        {k: v for k, v in line.event.items() if v is not None and k not in ("date", "kubernetes")} for line in found
    ]
    assert read_ == given_


@pytest.mark.parametrize("form", ["gz", "zst", "lines.parquet", "fields.parquet"])
def test_compressed(tmp_path, form):
    """Compressed files and Parquet are read like plain ones."""
    lines = logs.sealed(logs.rng(1))
    path = tmp_path / f"log.{form}"
    if form == "gz":
        path.write_bytes(gzip.compress(b"".join(lines)))
    elif form == "zst":
        path.write_bytes(zstandard.compress(b"".join(lines)))
    else:
        import pyarrow as pa
        from pyarrow import parquet

        rows = (
            [{"message": line.decode()} for line in lines]
            if form == "lines.parquet"
            else [
                {
                    name: orjson.dumps(item).decode() if isinstance(item, (dict, list)) else item
                    for name, item in orjson.loads(line).items()
                }
                for line in lines
            ]
        )
        names = {name for row in rows for name in row}
        parquet.write_table(pa.Table.from_pylist([{name: row.get(name) for name in names} for row in rows]), path)

    found, sources = integrity([path])

    assert found == []
    assert sources[0]["events"] == len(lines)


def test_cut_compressed_file(tmp_path):
    """A compressed file that is cut is read as far as it goes."""
    lines = logs.sealed(logs.rng(1), runs=40)
    whole = gzip.compress(b"".join(lines))
    (tmp_path / "log.gz").write_bytes(whole[: len(whole) // 2])

    found, sources = integrity([tmp_path])

    assert {"partial_line", "open_ended"} <= {finding.kind for finding in found}
    assert "modified" not in {finding.kind for finding in found}
    assert 0 < sources[0]["events"] < len(lines)


def test_killed_in_the_middle_of_a_line(tmp_path):
    """Half a line, with the next process's first line behind it, is a partial line and an event."""
    first, second = logs.sealed(logs.rng(1)), logs.sealed(logs.rng(2))
    path = tmp_path / "log"
    path.write_bytes(b"".join(first[:5]) + first[5][:400] + b"".join(second))

    found, sources = integrity([path])

    kinds = {finding.kind for finding in found}
    assert {"partial_line", "open_ended"} <= kinds
    assert not kinds & {"modified", "gap", "malformed", "truncated"}
    assert sources[0]["events"] == 5 + len(second)


@pytest.mark.parametrize("cut", [3, 20, 200, -3])
def test_partial_last_line(tmp_path, cut):
    """A last line that is still being written, or was cut, is a partial line."""
    lines = logs.sealed(logs.rng(1))
    path = tmp_path / "log"
    path.write_bytes(b"".join(lines[:-1]) + lines[-1][:cut])

    kinds = {finding.kind for finding in integrity([path])[0]}

    assert {"partial_line", "open_ended"} <= kinds
    assert not kinds & {"modified", "gap", "malformed"}


def test_name_given_twice(tmp_path):
    """A value hidden behind a second one of the same name is a change, though the last one is the sealed one."""
    lines = logs.sealed(logs.rng(1))
    lines[3] = lines[3].replace(b'"agent_name":', b'"agent_name":"other","agent_name":', 1)
    (tmp_path / "log").write_bytes(b"".join(lines))

    found, _ = integrity([tmp_path])

    assert [(finding.kind, finding.line) for finding in found] == [("modified", 4)]
