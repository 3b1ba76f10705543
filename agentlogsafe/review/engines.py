"""What runs the rules: DuckDB in this process, or Apache Spark. The same rules, the same rows."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from agentlogsafe.errors import MissingExtraError
from agentlogsafe.review import compiled
from agentlogsafe.review.load import COLUMNS, LINES, SMALL, load
from agentlogsafe.review.tables import CHECKPOINTS, KEYS, SCHEMAS, SOURCES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from agentlogsafe.review.sources import Source

Row = tuple[Any, ...]

MEMORY = "600MB"
"""What DuckDB may use before it goes to the disk."""

_TYPES = {"string": "VARCHAR", "int64": "BIGINT", "float64": "DOUBLE", "boolean": "BOOLEAN"}
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
    """

    def __init__(self, spool: Path, workers: int | None = None) -> None:
        self._spool, self._workers = spool, workers
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
        loaded = load(inputs, self._spool, masters, workers=self._workers, progress=progress)
        try:
            import duckdb  # noqa: PLC0415 -- an extra
        except ImportError as error:
            raise missing() from error
        config: dict[str, Any] = {
            # Of a small input, threads wait for each other longer than they work.
            "threads": 1 if sum(source.size for source in inputs) <= SMALL else os.cpu_count() or 1,
            "memory_limit": MEMORY,
            "temp_directory": str(self._spool / "temp"),
            "preserve_insertion_order": False,
        }
        self._connection = run = duckdb.connect(config=config)
        for name, rows in (("sources", loaded.sources), ("checkpoints", checkpoints), ("keys", keys)):
            self._short(name, rows, _SHORT[name])
        if loaded.form == "json":
            for name in COLUMNS:
                run.execute(f"CREATE TABLE {name} AS {_read_json(self._spool / f'{name}.json', SCHEMAS[name])}")
        else:
            self._short("parts", loaded.parts, {"part": "int64", "file": "string", "before": "int64"})
            for name in COLUMNS:
                self._by_parts(name)
        self._sql = compiled.load().sql
        for name in ("stretches", "suspects"):
            run.execute(f"CREATE TABLE {name} AS {self._sql[name]}")

    def _short(self, name: str, rows: Sequence[Row], types: dict[str, str]) -> None:
        path = self._spool / f"{name}.rows"
        path.write_bytes(b"".join(orjson.dumps(dict(zip(types, row, strict=True))) + b"\n" for row in rows))
        self._connection.execute(f"CREATE TABLE {name} AS {_read_json(path, types)}")

    def _by_parts(self, name: str) -> None:
        """Make a view of what the processes wrote, with files for parts, and lines counted from where a file begins."""
        types = SCHEMAS[name]
        files = sorted(str(path) for path in self._spool.glob(f"{name}-*.parquet"))
        if not files:
            columns = ", ".join(f"{_name(of)} {_TYPES[dtype]}" for of, dtype in types.items())
            self._connection.execute(f"CREATE TABLE {name} ({columns})")
            return
        columns = ", ".join(_in_view(of) for of in types)
        read = f"read_parquet([{', '.join(map(_text, files))}])"
        self._connection.execute(
            f"CREATE VIEW {name} AS SELECT {columns} FROM {read} r JOIN parts p ON r.part = p.part"
        )

    def rows(self, name: str) -> list[Row]:
        """Return the rows of the rule or summary called *name*."""
        found = self._connection.execute(self._sql[name])
        self.columns[name] = [column[0] for column in found.description]
        rows: list[Row] = found.fetchall()
        return rows

    def table(self, name: str, equal: Mapping[str, Any]) -> list[Row]:
        """Return the rows of a table where columns have these values, ordered by file and line where it has them."""
        where = " AND ".join(f"{_name(column)} = ?" for column in equal if column in SCHEMAS[name]) or "true"
        order = ", ".join(column for column in ("file", "line", "seq") if column in SCHEMAS[name])
        sql = f"SELECT * FROM {name} WHERE {where} ORDER BY {order or 'ALL'}"
        rows: list[Row] = self._connection.execute(sql, list(equal.values())).fetchall()
        return rows

    def close(self) -> None:
        """Close the database."""
        if self._connection is not None:
            self._connection.close()


def _read_json(path: Path, types: dict[str, str]) -> str:
    columns = ", ".join(f"{_text(name)}: {_text(_TYPES[dtype])}" for name, dtype in types.items())
    names = ", ".join(map(_name, types))
    options = f"format='newline_delimited', columns={{{columns}}}, maximum_object_size=67108864"
    return f"SELECT {names} FROM read_json({_text(str(path))}, {options})"


def _in_view(column: str) -> str:
    if column == "file":
        return "p.file"
    return f"r.{column} + p.before AS {column}" if column in LINES else f"r.{_name(column)}"


def _name(text: str) -> str:
    return f'"{text}"'  # of a column: ours, and some are words of SQL


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def missing() -> MissingExtraError:
    """Return the error for what the extra brings."""
    return MissingExtraError("checking needs DuckDB and Ibis: pip install 'agentlogsafe[review]'")
