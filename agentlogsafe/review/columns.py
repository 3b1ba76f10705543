"""Lines of events become columns in DuckDB: what is asked of an event is taken from its line at once, in C++.

DuckDB parses JSON in a fifth of Arrow's time (0.9 against 5 µs for an event of 0.9 KB), and reads files: so the
lines wait in some until there are enough of them, for a query takes 10 ms, however little it reads.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import orjson

from agentlogsafe.review.fields import (
    CONSTANT,
    CONTENT,
    FIELDS,
    IDS,
    LONGEST,
    MACROS,
    MADE,
    NUMBER,
    TEXTS,
    USUAL,
    WHOLE,
)
from agentlogsafe.review.rows import EVENT_COLUMNS, REJECT_COLUMNS, SPAN_COLUMNS, fitting
from agentlogsafe.review.tables import EVENTS, REJECTS, SPANS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

COLUMNS = {
    "events": {name: EVENTS[name] for name in EVENT_COLUMNS},
    "spans": {name: SPANS[name] for name in SPAN_COLUMNS},
    "rejects": {name: REJECTS[name] for name in REJECT_COLUMNS},
}
"""The columns that are read from files; the file and where a part begins in it come later."""

LINES = frozenset(("line", "first_line", "last_line"))
"""Columns that count lines: from where a part begins, until the parts are put together."""

TYPES = {"string": "VARCHAR", "int64": "BIGINT", "float64": "DOUBLE", "boolean": "BOOLEAN"}
"""Of Ibis, as DuckDB names them."""

DETAILS = frozenset(
    (
        *(
            "parent_run_id",
            "provider",
            "model",
            "agent_version",
            "actor",
            "duration_ms",
            "level",
            "problems",
            "redactions",
        ),
        *("policy_name", "policy_digest", "input_tokens", "output_tokens"),
    )
)
"""What no rule asks of an event; to leave it out saves a third of what it costs to make the columns."""

_FEW = 20_000  # rows

PART = 40
"""Bits of a line's number; before them comes that of its part."""


class Columns:
    """The rows of what is read, in DuckDB.

    Args:
        connection: to DuckDB.
        details: whether those of `DETAILS` are wanted.
    """

    def __init__(self, connection: Any, *, details: bool = True) -> None:
        import duckdb  # noqa: PLC0415 -- an extra

        self._error = duckdb.Error
        self._run, self._sql, self._cursor = connection.execute, connection.sql, connection.cursor
        self._types = dict(FIELDS) if details else {**FIELDS, "policy": "STRUCT(_ BOOLEAN)"}
        self._names = tuple(name for name in USUAL if details or name not in DETAILS)
        self._run(MACROS)
        self._run(f"CREATE TABLE usual (place BIGINT, {_columns({name: EVENTS[name] for name in self._names})})")
        self._full = 0  # rows of `usual`
        self._starts: dict[int, int] = {}  # of each file in `whole`, which row is its first line
        for name, types in COLUMNS.items():
            self._run(f"CREATE TABLE other_{name} (part BIGINT, {_columns(types)})")

    def hurry(self) -> None:
        """Take all cores, where nobody else needs them any more."""
        self._run(f"SET threads = {os.cpu_count() or 1}")

    def lines(self, files: Mapping[int, tuple[Path, int]]) -> set[int]:
        """Add events that fit their seals, or have none.

        Args:
            files: of each part, by its number, the file with the lines of its events, and how many there are.

        Returns:
            The numbers of parts in which something is not as we write it; nothing of these is added.
        """
        if not files:
            return set()
        try:
            counts = self._added(files)
            if any(counts.get(part) != (count, 0) for part, (_, count) in files.items()) and self._learned(files):
                self._removed()
                counts = self._added(files)
        except self._error:  # of a file, all that can be said is that it is in there
            if len(files) == 1:
                return set(files)
            return set().union(*(self.lines({part: file}) for part, file in files.items()))
        unusual = {part for part, (_, count) in files.items() if counts.get(part) != (count, 0)}
        if counts.keys() - files.keys():
            unusual = set(files)
        if unusual:
            self.forget(unusual)
        ((self._full,),) = self._run("SELECT coalesce(max(rowid) + 1, 0) FROM usual").fetchall()
        return unusual

    def _added(self, files: Mapping[int, tuple[Path, int]]) -> dict[int, tuple[int, int]]:
        """Add lines that may be as we write them; return of each part how many, and how many of them are not."""
        made = ", ".join(MADE.get(name) or self._text(name) for name in self._names)
        # Read, but not asked for: in SQL, a name that nothing depends on is not read.
        unasked = [name for name in self._types if name not in self._names and name not in ("timestamp", "event_id")]
        asked = " OR ".join(f"{_name(name)} IS NOT NULL" for name in unasked)
        strings = " OR ".join(self._flags().values()) or "false"
        source = _read([path for path, _ in files.values()], self._types)
        self._run(
            f"INSERT INTO usual SELECT {_name(NUMBER)}, {made} FROM {source}"
            f" WHERE ({asked}) AND coalesce(NOT ({strings}), true)"
        )
        found = self._run(
            f"SELECT place >> {PART}, count(*), count(*) FILTER ({self._odd()}) FROM usual "
            f"WHERE rowid >= {self._full} GROUP BY 1"
        ).fetchall()
        return {part: (count, odd) for part, count, odd in found}

    def open_whole(self) -> Any:
        """Return where `whole` runs, for it to be interrupted; it has a connection of its own."""
        self._run("SET preserve_insertion_order = true")
        names = {name: EVENTS[name] for name in self._names if name != "content"}
        self._run(f"CREATE TABLE whole (number BIGINT, odd BOOLEAN, {_columns(names)})")
        return self._cursor()

    def learn(self, path: Path) -> None:
        """Learn from the beginning of a file what its fields look like."""
        with suppress(self._error):
            self._learned({0: (path, 0)})

    def whole(self, cursor: Any, number: int, path: str) -> bool:
        """Add a row for each line of a file; return whether that is possible. Next, `settle` has to be called."""
        types = {name: dtype for name, dtype in self._types.items() if name not in (NUMBER, CONTENT)}
        made = ", ".join(MADE.get(name) or self._text(name) for name in self._names if name != "content")
        asked = " OR ".join(
            f"{_name(name)} IS NOT NULL" for name in types if name not in (*self._names, "timestamp", "event_id")
        )
        strings = " OR ".join(self._flags().values()) or "false"
        try:
            cursor.execute(
                f"INSERT INTO whole SELECT {number}, NOT ({asked}) OR coalesce({strings}, false), {made} "
                f"FROM {_read([path], types)}"
            )
        except self._error:
            return False
        return True

    def settle(self, number: int, lines: int, apart: Sequence[int]) -> bool:
        """Forget rows of a file that were made elsewhere.

        Args:
            number: the file's.
            lines: how many it has.
            apart: those whose rows are made elsewhere, from 1.

        Returns:
            Whether what is left is as we write it; if not, nothing is left.
        """
        ((count, first, last),) = self._run(
            f"SELECT count(*), min(rowid), max(rowid) FROM whole WHERE number = {number}"
        ).fetchall()
        if count == lines and last - first == lines - 1:  # then each line made one row, in order
            rows = [first + line - 1 for line in apart]
            self._run(f"DELETE FROM whole WHERE rowid IN (SELECT unnest({rows}::BIGINT[]))")
            condition = f"number = {number} AND (odd OR stream IS NULL OR {self._odd()})"
            ((odd,),) = self._run(f"SELECT count(*) FROM whole WHERE {condition}").fetchall()
            if odd == 0:
                self._starts[number] = first
                return True
        self.forget_whole(number)
        return False

    def forget_whole(self, number: int) -> None:
        """Remove the rows of a file."""
        self._run(f"DELETE FROM whole WHERE number = {number}")
        self._starts.pop(number, None)

    def close_whole(self) -> None:
        """Go on with files that are read otherwise."""
        self._run("SET preserve_insertion_order = false")

    def _odd(self) -> str:
        return " OR ".join(
            f"coalesce({condition}, false)"
            for name, condition in {
                "ts": "ts IS NULL",
                "event_id": "event_id IS NULL",
                "event_type": "event_type IS NULL",
                "problems": "problems = '?'",
                "redactions": "redactions < 0",
            }.items()
            if name in self._names
        )

    def _removed(self) -> None:
        self._run(f"DELETE FROM usual WHERE rowid >= {self._full}")

    def _text(self, name: str) -> str:
        return f"text_of({name})" if self._types[name] == "JSON" else name

    def _flags(self) -> dict[str, str]:
        """Return what tells whether a field may have been another thing than a string, of those read as strings."""
        return {
            name: f"is_odd_id({name})" if name in IDS else f"is_odd({name})"
            for name in (*TEXTS, *IDS)
            if name in self._names and self._types[name] != "JSON"
        }

    def _learned(self, files: Mapping[int, tuple[Path, int]]) -> bool:
        """Read fields whose strings look like something else as JSON from now on; return whether *files* have any.

        That tells ``"5"`` from ``5``, and costs 40 ns for each event.
        """
        flags = self._flags()
        if not flags:
            return False
        asked = ", ".join(f"coalesce(bool_or({flag}), false)" for flag in flags.values())
        source = _read([path for path, _ in files.values()], self._types)
        (found,) = self._run(f"SELECT {asked} FROM {source}").fetchall()
        odd = [name for name, is_odd in zip(flags, found, strict=True) if is_odd]
        self._types.update(dict.fromkeys(odd, "JSON"))
        return bool(odd)

    def rows(self, name: str, paths: Sequence[Path]) -> None:
        """Add rows of a table, each with its part before it, from files of JSON (`as_json`) or Parquet."""
        for suffix, reading in (
            (".json", _reading({"part": "int64", **COLUMNS[name]})),
            (".parquet", "read_parquet({})"),
        ):
            fitting = [path for path in paths if path.suffix == suffix]
            if fitting:
                self._run(f"INSERT INTO other_{name} SELECT * FROM {reading.format(_listed(fitting))}")

    def forget(self, parts: Iterable[int]) -> None:
        """Remove the rows of *parts*."""
        listed = ", ".join(map(str, parts))
        self._run(f"DELETE FROM usual WHERE place >> {PART} IN ({listed})")
        for name in COLUMNS:
            self._run(f"DELETE FROM other_{name} WHERE part IN ({listed})")

    def views(self, parts: Sequence[tuple[int, str, int]], wholes: Sequence[str] = ()) -> None:
        """Make the tables that rules ask.

        Args:
            parts: of each part its number, its file's name, and how many lines there are before it.
            wholes: of each file that was offered to `whole`, its name.
        """
        files, before = [""] * (len(parts)), [0] * len(parts)
        for part, file, lines in parts:
            files[part], before[part] = file, lines
        # Not as parameters: for a list, DuckDB before 2 imports pandas, where that is installed.
        self._run(f"SET VARIABLE files = {_listed(files)}::VARCHAR[]")
        self._run(f"SET VARIABLE before = {before}::BIGINT[]")
        self._run(f"SET VARIABLE wholes = {_listed(wholes)}::VARCHAR[]")
        self._run(f"SET VARIABLE starts = {[self._starts.get(number, 0) for number in range(len(wholes))]}::BIGINT[]")
        usual = ", ".join(map(self._usual, EVENTS))
        whole = ", ".join(WHOLE.get(name) or self._usual(name) for name in EVENTS)
        for name, types in COLUMNS.items():
            made = [f"SELECT {', '.join(map(_other, ('file', *types)))} FROM other_{name}"]
            if name == "events" and self._full:
                made.append(f"SELECT {usual} FROM usual")
            if name == "events" and self._starts:
                made.append(f"SELECT {whole} FROM whole")
            # To have a view in a query takes 1 ms more than to have a table there.
            ((rows,),) = self._run(f"SELECT count(*) FROM other_{name}").fetchall()
            kind = "TABLE" if len(made) == 1 and rows <= _FEW else "VIEW"
            self._run(f"CREATE {kind} {name} AS {' UNION ALL '.join(made)}")

    def _usual(self, name: str) -> str:
        if name == "file":
            return f"getvariable('files')[(place >> {PART}) + 1] AS file"
        if name == "line":
            return f"(place & {2**PART - 1}) + getvariable('before')[(place >> {PART}) + 1] AS line"
        if name in self._names:
            return _name(name)
        return f"{CONSTANT.get(name) or f'NULL::{TYPES[EVENTS[name]]}'} AS {_name(name)}"

    def arrow(self) -> Any:
        """Return the events of the usual lines as an Arrow table, without file, and forget them."""
        columns = ", ".join("place AS line" if name == "line" else self._usual(name) for name in EVENT_COLUMNS)
        made = self._sql(f"SELECT {columns} FROM usual ORDER BY place").to_arrow_table()
        self._run("TRUNCATE usual")
        self._full = 0
        return made


def _read(paths: Sequence[Path | str], types: Mapping[str, str]) -> str:
    columns = ", ".join(f"{_literal(of)}: {_literal(dtype)}" for of, dtype in types.items())
    plainly = "compression='uncompressed', hive_partitioning=false"  # whatever the path looks like
    options = f"format='newline_delimited', columns={{{columns}}}, maximum_object_size={LONGEST}, {plainly}"
    return f"read_json({_listed(paths)}, {options})"


def _columns(types: Mapping[str, str]) -> str:
    return ", ".join(f"{_name(name)} {TYPES[dtype]}" for name, dtype in types.items())


def _other(name: str) -> str:
    if name == "file":
        return "getvariable('files')[part + 1] AS file"
    return f"{name} + getvariable('before')[part + 1] AS {name}" if name in LINES else _name(name)


def as_json(rows: Iterable[tuple[Any, ...]], types: Mapping[str, str], **more: int) -> bytes:
    """Return *rows* as JSON, one on each line, with *more* fields; a value of another type becomes null."""
    named = tuple(types.items())
    return b"".join(
        orjson.dumps({**more, **{of: fitting(value, dtype) for (of, dtype), value in zip(named, row, strict=True)}})
        + b"\n"
        for row in rows
    )


def read_json(path: Path, types: Mapping[str, str]) -> str:
    """Return the query that reads rows which `as_json` has written."""
    return f"SELECT {', '.join(map(_name, types))} FROM {_reading(types).format(_listed([path]))}"


def _reading(types: Mapping[str, str]) -> str:
    columns = ", ".join(f"{_literal(name)}: {_literal(TYPES[dtype])}" for name, dtype in types.items())
    options = f"format='newline_delimited', columns={{{{{columns}}}}}, maximum_object_size=67108864"
    return f"read_json({{}}, {options})"


def _listed(paths: Iterable[Path | str]) -> str:
    return f"[{', '.join(_literal(str(path)) for path in paths)}]"


def _name(text: str) -> str:
    return f'"{text}"'  # of a column: ours, and some are words of SQL


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
