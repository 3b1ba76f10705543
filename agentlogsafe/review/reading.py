"""What a process does with a part of a file: it makes rows of it, or leaves lines to DuckDB."""

from __future__ import annotations

import tempfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentlogsafe.errors import MissingExtraError
from agentlogsafe.review import sources
from agentlogsafe.review.blocks import PIECES, Blocks
from agentlogsafe.review.columns import COLUMNS, PART, Columns, as_json
from agentlogsafe.review.rows import Batch, Tabulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentlogsafe.review.keyring import Keyring
    from agentlogsafe.review.lines import Line
    from agentlogsafe.review.sources import Part

_BLOCK = 2**18  # that stay in the processor's cache
_CHUNK = 16 * 2**20  # that DuckDB reads at once: a query takes 10 ms, whatever it reads
_ROWS = 16_384  # that are held
_APART = 8  # of so many lines, one may be unusual where DuckDB reads all of them
_FEW = 1_000  # rows: to write them as JSON takes less than to import Arrow
_DAMAGE = (OSError, EOFError, zlib.error)


@dataclass
class Outcome:
    """What became of a part."""

    lines: int = 0
    events: int = 0
    rejects: int = 0
    foreign: int = 0
    error: str | None = None
    forks: dict[str, tuple[str, int]] = field(default_factory=dict)
    unresolved: list[str] = field(default_factory=list)
    usual: int = 0
    """How many of the events are in a file of lines, for DuckDB to read."""
    size: int = 0
    """Of that file, in bytes."""
    apart: list[int] = field(default_factory=list)
    """Where DuckDB reads the file as it is, the lines whose rows are made here;"""
    mixed: bool = False
    """and whether it cannot read it so."""
    rows: dict[str, str] = field(default_factory=dict)
    """The others, where they are few: of each table, as JSON."""
    tables: list[tuple[str, str]] = field(default_factory=list)
    """The others, where they are many: which tables they are rows of, and in which files of Parquet."""


def read_part(part: Part, keys: Keyring, outcome: Outcome) -> Iterator[Batch]:
    """Yield the rows of a *part*; tell in *outcome* what became of it."""
    tabulator = Tabulator(keys)
    tally = [0]
    yield from tabulator.batches(_guarded(part, tally, outcome))
    _tell(outcome, tabulator, tally[0])


def spool_part(
    part: Part, number: int, keys: Keyring, outcome: Outcome, spool: Path, *, lines: Path | None, plainly: bool
) -> None:
    """Read a *part* into files of *spool*; tell in *outcome* which, and what became of it.

    Args:
        part: what to read.
        number: its number.
        keys: what keyed streams are verified with.
        outcome: to be filled.
        spool: a folder.
        lines: the file for usual lines. What it has is written over: a third of the time that a new one takes. None
            where DuckDB reads the whole file as it is.
        plainly: whether to make rows of every line.
    """
    files = {name: _Rows(spool / f"{name}-{number}.parquet", number, types) for name, types in COLUMNS.items()}
    tabulator, tally = Tabulator(keys), [0]

    def keep(batch: Batch) -> None:
        for name, rows in batch._asdict().items():
            files[name].add(rows)

    if plainly or part.form == "parquet":
        for batch in tabulator.batches(_guarded(part, tally, outcome)):
            keep(batch)
    elif lines is None:
        reading = Blocks(tabulator, unusual=outcome.apart)
        with _telling(outcome):
            for block in sources.blocks(part, _BLOCK):
                reading.usual(block)
                keep(tabulator.batch())
                if reading.is_mixed or len(outcome.apart) > max(reading.number // _APART, _FEW):
                    outcome.mixed = True
                    return
        reading.end()
        keep(tabulator.batch())
        outcome.usual, tally[0] = reading.number - len(outcome.apart), reading.number
        tabulator.events += outcome.usual
    else:
        reading = Blocks(tabulator, number << PART)
        with lines.open("r+b" if lines.exists() else "wb", buffering=0) as file:
            with _telling(outcome):
                for block in sources.blocks(part, _BLOCK):
                    texts = reading.usual(block)
                    outcome.usual += len(texts) // PIECES
                    outcome.size += file.write(b"".join(texts))
                    keep(tabulator.batch())
            file.truncate()
        reading.end()
        keep(tabulator.batch())
        tally[0] = reading.number
        tabulator.events += outcome.usual
    for name, rows in files.items():
        rows.close(name, outcome)
    _tell(outcome, tabulator, tally[0])


class _Rows:
    """Holds the rows of one table, and writes them to a file where they are many."""

    def __init__(self, path: Path, part: int, types: dict[str, str]) -> None:
        self._path, self._part, self._types = path, part, types
        self._held: list[tuple[Any, ...]] = []
        self._writer: Any = None

    def add(self, rows: list[tuple[Any, ...]]) -> None:
        self._held += rows
        if len(self._held) >= _ROWS:
            self._write()

    def _write(self) -> None:
        from pyarrow import parquet  # noqa: PLC0415 -- it takes 0.2 s

        from agentlogsafe.review import arrow  # noqa: PLC0415 -- as above

        made = arrow.table([(self._part, *row) for row in self._held], {"part": "int64", **self._types})
        if self._writer is None:
            self._writer = parquet.ParquetWriter(self._path, made.schema, compression="lz4")
        self._writer.write_table(made)
        self._held = []

    def close(self, name: str, outcome: Outcome) -> None:
        """Tell in *outcome* where the rows are; a few go into it."""
        if len(self._held) > _FEW or (self._held and self._writer is not None):
            self._write()
        if self._writer is not None:
            self._writer.close()
            outcome.tables.append((name, str(self._path)))
        elif self._held:
            outcome.rows[name] = as_json(self._held, self._types, part=self._part).decode()


def read_columns(part: Part, keys: Keyring, outcome: Outcome) -> Iterator[tuple[str, Any]]:
    """Yield the rows of a *part* as Arrow tables, each with its name; tell in *outcome* what became of it."""
    import duckdb  # noqa: PLC0415 -- an extra, and so is what follows

    from agentlogsafe.review import arrow  # noqa: PLC0415

    tabulator, tally = Tabulator(keys), [0]

    def rows(batch: Batch) -> Iterator[tuple[str, Any]]:
        for name, made in batch._asdict().items():
            if made:
                yield name, arrow.table(made, COLUMNS[name])

    if part.form == "parquet":
        for batch in tabulator.batches(_guarded(part, tally, outcome)):
            yield from rows(batch)
        _tell(outcome, tabulator, tally[0])
        return
    reading = Blocks(tabulator)
    with (
        tempfile.TemporaryDirectory(prefix="agentlogsafe-") as folder,
        duckdb.connect(config={"threads": 1, "memory_limit": "200MB"}) as connection,
    ):
        columns = Columns(connection)
        with _telling(outcome):
            for block in sources.blocks(part, _CHUNK):
                mark, number = tabulator.mark(), reading.number
                texts = reading.usual(block)
                if texts:
                    path = Path(folder) / "lines.json"
                    path.write_bytes(b"".join(texts))
                    if columns.lines({0: (path, len(texts) // PIECES)}):
                        tabulator.undo(mark)
                        reading.number = number
                        block.seek(0)
                        reading.general(block)
                    else:
                        made = columns.arrow()
                        tabulator.events += made.num_rows
                        yield "events", made
                yield from rows(tabulator.batch())
    reading.end()
    yield from rows(tabulator.batch())
    _tell(outcome, tabulator, reading.number)


@contextmanager
def _telling(outcome: Outcome) -> Iterator[None]:
    """Tell in *outcome* of a file that is cut, or damaged."""
    try:
        yield
    except MissingExtraError:
        raise
    except _DAMAGE as error:
        outcome.error = str(error) or type(error).__name__


def _tell(outcome: Outcome, tabulator: Tabulator, lines: int) -> None:
    outcome.lines, outcome.events, outcome.rejects = lines, tabulator.events, tabulator.rejects
    outcome.foreign, outcome.forks = tabulator.foreign, tabulator.forks
    outcome.unresolved = sorted(tabulator.unresolved)


def _guarded(part: Part, tally: list[int], outcome: Outcome) -> Iterator[Line]:
    """Yield lines as far as they can be read."""
    with _telling(outcome):
        yield from sources.lines(part, tally)
