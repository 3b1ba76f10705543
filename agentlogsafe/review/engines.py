"""What runs the rules: DuckDB in this process, or Apache Spark. The same rules, the same rows."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from agentlogsafe.errors import MissingExtraError
from agentlogsafe.review import compiled
from agentlogsafe.review.columns import Columns, as_json, read_json
from agentlogsafe.review.load import SMALL, load
from agentlogsafe.review.tables import CHECKPOINTS, KEYS, OPEN, SCHEMAS, SOURCES, STAGES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from agentlogsafe.review.sources import Source

Row = tuple[Any, ...]

MEMORY = 10**9
"""Bytes that DuckDB may use, for an input that is not `LARGE`; for others, more, up to a quarter of what there is."""
LARGE = 4 * MEMORY
_SHARE = 4
_UNITS = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
"""What DuckDB may use before it goes to the disk."""

_SHORT = {"sources": SOURCES, "checkpoints": CHECKPOINTS, "keys": KEYS}


class Engine(Protocol):
    """Where tables are, and rules run."""

    columns: dict[str, list[str]]
    """Of each summary that was asked for, the names of its columns."""

    def load(
        self,
        inputs: Sequence[Source],
        masters: Sequence[bytes],
        checkpoints: Sequence[Row],
        keys: Sequence[Row],
        progress: Callable[[int], None] | None,
    ) -> None:
        """Make the tables of what is read."""

    def rows(self, name: str) -> list[Row]:
        """Return the rows of the rule or summary called *name*."""

    def table(self, name: str, equal: Mapping[str, Any]) -> list[Row]:
        """Return the rows of a table where columns have these values, ordered by file and line where it has them."""

    def close(self) -> None:
        """Give back what it holds."""


class DuckDB:
    """DuckDB, embedded.

    Args:
        spool: a folder for rows, and for what does not fit into memory.
        workers: how many processes read, as in `load.load`.
        details: whether events have the columns that no rule asks for.
    """

    def __init__(self, spool: Path, workers: int | None = None, *, details: bool = True) -> None:
        self._spool, self._workers, self._details = spool, workers, details
        self._connection: Any = None
        self._sql: Mapping[str, str] = {}
        self.columns: dict[str, list[str]] = {}

    def load(
        self,
        inputs: Sequence[Source],
        masters: Sequence[bytes],
        checkpoints: Sequence[Row],
        keys: Sequence[Row],
        progress: Callable[[int], None] | None,
    ) -> None:
        """Make the tables of what is read."""
        # Of a small input, threads wait for each other longer than they work.
        size = sum(source.size for source in inputs)
        threads = 1 if size <= SMALL else os.cpu_count() or 1
        connect = partial(self._connect, threads, size)
        read = load(inputs, connect, self._spool, masters, workers=self._workers, progress=progress)
        for name, rows in (("sources", read), ("checkpoints", checkpoints), ("keys", keys)):
            self._short(name, rows, _SHORT[name])
        self._sql = compiled.load().sql
        self._connection.execute(f"CREATE TABLE stretches AS {self._sql['stretches']}")
        self._connection.execute("CREATE TABLE suspects (why VARCHAR, id VARCHAR)")
        for name, sql in self._sql.items():  # one after the other: together, their joins would need more memory
            if name.startswith("suspects_"):
                self._connection.execute(f"INSERT INTO suspects {sql}")
        if (OPEN,) in self.rows("reasons"):
            for name in STAGES:
                self._connection.execute(f"CREATE TABLE {name} AS {self._sql[name]}")

    def _connect(self, threads: int, size: int) -> Columns:
        try:
            import duckdb  # noqa: PLC0415 -- an extra
        except ImportError as error:
            raise missing() from error
        config: dict[str, Any] = {
            "threads": max(1, threads // 2),  # the processes that read need the cores as well, as long as they do
            "memory_limit": f"{MEMORY if size <= LARGE else max(MEMORY, min(size // _SHARE, _quarter(duckdb)))}B",
            "temp_directory": str(self._spool / "temp"),
            "preserve_insertion_order": False,
            # Nothing is to be kept; to write tables in memory anew, after each batch of lines, costs 2 µs an event.
            "checkpoint_threshold": "1TB",
        }
        self._connection = duckdb.connect(config=config)
        return Columns(self._connection, details=self._details)

    def _short(self, name: str, rows: Sequence[Row], types: dict[str, str]) -> None:
        path = self._spool / f"{name}.rows"
        path.write_bytes(as_json(rows, types))
        self._connection.execute(f"CREATE TABLE {name} AS {read_json(path, types)}")

    def rows(self, name: str) -> list[Row]:
        """Return the rows of the rule or summary called *name*."""
        found = self._connection.execute(self._sql[name])
        self.columns[name] = [column[0] for column in found.description]
        rows: list[Row] = found.fetchall()
        return rows

    def table(self, name: str, equal: Mapping[str, Any]) -> list[Row]:
        """Return the rows of a table where columns have these values, ordered by file and line where it has them."""
        where = " AND ".join(f'"{column}" = ?' for column in equal if column in SCHEMAS[name]) or "true"
        order = ", ".join(column for column in ("file", "line", "seq") if column in SCHEMAS[name])
        sql = f"SELECT * FROM {name} WHERE {where} ORDER BY {order or 'ALL'}"
        rows: list[Row] = self._connection.execute(sql, list(equal.values())).fetchall()
        return rows

    def close(self) -> None:
        """Close the database."""
        if self._connection is not None:
            self._connection.close()


def missing() -> MissingExtraError:
    """Return the error for what the extra brings."""
    return MissingExtraError("checking needs DuckDB and Ibis: pip install 'agentlogsafe[review]'")


def _quarter(duckdb: Any) -> int:
    """Return a quarter of the memory of this machine or container, of which DuckDB takes four fifths by itself."""
    with duckdb.connect() as other:
        ((text,),) = other.execute("SELECT current_setting('memory_limit')").fetchall()
    number, _, unit = text.partition(" ")
    return int(float(number) * _UNITS.get(unit, 1) * 5 / 4 / _SHARE)
