"""Apache Spark: the same reader and the same rules, on as many machines as there are.

Each part of the input is read by an executor, as processes do it on one machine; what they read stays with them, on
their disks. Executors need Python with this package and its extra ``review``.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from agentlogsafe.errors import MissingExtraError
from agentlogsafe.review import arrow, sources
from agentlogsafe.review.columns import COLUMNS, LINES
from agentlogsafe.review.keyring import Keyring
from agentlogsafe.review.load import again, placed, source_rows
from agentlogsafe.review.reading import Outcome, read_columns
from agentlogsafe.review.sources import Part
from agentlogsafe.review.tables import CHECKPOINTS, KEYS, OPEN, SCHEMAS, SOURCES, STAGES, Tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from agentlogsafe.review.engines import Row
    from agentlogsafe.review.sources import Source

_SPARK = {"string": "STRING", "int64": "BIGINT", "float64": "DOUBLE", "boolean": "BOOLEAN"}
_PARTS = {"part": "int64", "file": "string", "before": "int64"}
_SHORT = {"sources": SOURCES, "checkpoints": CHECKPOINTS, "keys": KEYS, "parts": _PARTS}


class Reading(NamedTuple):
    """What an executor reads parts with: a function that Spark sends to it."""

    masters: tuple[bytes, ...]
    forks: dict[str, tuple[str, int]]

    def __call__(self, batches: Iterable[Any]) -> Iterator[Any]:
        """Yield record batches of `_schema`: rows of the tables, each in the column of its table, and outcomes."""
        import pyarrow as pa  # noqa: PLC0415 -- an extra

        keys = Keyring(self.masters, self.forks)
        schema = _schema()
        for tasks in batches:
            for number, task in zip(tasks.column(0).to_pylist(), tasks.column(1).to_pylist(), strict=True):
                outcome = Outcome()
                for name, table in read_columns(Part(*orjson.loads(task)), keys, outcome):
                    made = table.combine_chunks().to_struct_array().combine_chunks()
                    yield _batch(schema, number, name, made)
                yield _batch(schema, number, "outcome", pa.array([orjson.dumps(outcome).decode()]))


def _schema() -> Any:
    import pyarrow as pa  # noqa: PLC0415 -- an extra

    structs = [(name, pa.struct(list(arrow.schema(types)))) for name, types in COLUMNS.items()]
    return pa.schema([("part", pa.int64()), *structs, ("outcome", pa.string())])


def _batch(schema: Any, number: int, name: str, made: Any) -> Any:
    import pyarrow as pa  # noqa: PLC0415 -- an extra

    columns = [
        pa.repeat(pa.scalar(number, pa.int64()), len(made))
        if of.name == "part"
        else made
        if of.name == name
        else pa.nulls(len(made), of.type)
        for of in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


class Spark:
    """Apache Spark.

    Args:
        master: where it is, such as ``spark://host:7077``; None for what Spark's own configuration says.

    Raises:
        MissingExtraError: without PySpark or Ibis.
    """

    def __init__(self, master: str | None = None) -> None:
        try:
            import ibis  # noqa: PLC0415 -- an extra
            from pyspark.sql import SparkSession  # noqa: PLC0415 -- an extra
        except ImportError as error:
            msg = "checking on Spark needs PySpark and Ibis: pip install 'agentlogsafe[review,spark]'"
            raise MissingExtraError(msg) from error
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        builder = SparkSession.builder.appName("agentlogsafe check")
        if master is not None:
            builder = builder.master(master)
        for name, value in _SETTINGS.items():
            builder = builder.config(name, value)
        self._session = builder.getOrCreate()
        self._session.sparkContext.setLogLevel("ERROR")
        self._ibis = ibis.pyspark.connect(self._session)
        self._kept: list[Any] = []
        self._full = 0
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
        del progress  # Spark shows its own
        parts = [part for source in inputs for part in sources.parts(source)]
        # Many files can be little to read: what counts is how many parts of full size they would make.
        self._full = sum(source.size for source in inputs) // sources.PART
        # Spark's 200 are for much; for little, nearly all of the time would go to empty partitions.
        partitions = max(self._session.sparkContext.defaultParallelism, self._full // _PARTS_A_PARTITION)
        self._session.conf.set("spark.sql.shuffle.partitions", str(partitions))
        # The same goes for compiling each stage, and for planning anew between stages: it pays off over many rows.
        much = self._full >= _PARTS_A_PARTITION
        self._session.conf.set("spark.sql.adaptive.enabled", str(much).lower())
        self._session.conf.set("spark.sql.codegen.wholeStage", str(much).lower())
        self._session.conf.set("spark.sql.codegen.factoryMode", "FALLBACK" if much else "NO_CODEGEN")
        numbers = list(range(len(parts)))
        read = self._read(parts, numbers, Reading(tuple(masters), {}))
        outcomes = self._outcomes(read, numbers)
        forks, places = again(parts, outcomes)
        if places:
            for place in places:
                numbers[place] += len(parts)
            changed = [numbers[place] for place in places]
            anew = self._read([parts[place] for place in places], changed, Reading(tuple(masters), forks))
            for place, outcome in zip(places, self._outcomes(anew, changed), strict=True):
                outcomes[place] = outcome
            read = read.unionByName(anew)
        short = {
            "sources": source_rows(inputs, parts, outcomes),
            "checkpoints": checkpoints,
            "keys": keys,
            "parts": placed(inputs, parts, numbers, outcomes),
        }
        for name, rows in short.items():
            self._session.createDataFrame(list(rows), _ddl(_SHORT[name])).createOrReplaceTempView(name)
        read.createOrReplaceTempView("read")
        for name in COLUMNS:
            columns = ", ".join(_in_view(name, of) for of in SCHEMAS[name])
            self._keep(
                name,
                f"SELECT /*+ BROADCAST(p) */ {columns} FROM read r JOIN parts p ON r.part = p.part "
                f"WHERE r.{name} IS NOT NULL",
            )
        for name in ("stretches", "suspects"):
            self._keep(name, self._compiled(name))
        if (OPEN,) in self.rows("reasons"):
            for name in STAGES:
                self._keep(name, self._compiled(name))

    def _read(self, parts: Sequence[Part], numbers: Sequence[int], reading: Reading) -> Any:
        from pyspark import StorageLevel  # noqa: PLC0415 -- an extra

        tasks = [(number, orjson.dumps(tuple(part)).decode()) for number, part in zip(numbers, parts, strict=True)]
        context = self._session.sparkContext
        slices = min(len(tasks), max(context.defaultParallelism, self._full)) or 1
        frame = self._session.createDataFrame(context.parallelize(tasks, slices), "number BIGINT, task STRING")
        read = frame.mapInArrow(reading.__call__, _read_ddl()).persist(StorageLevel.DISK_ONLY)
        self._kept.append(read)
        return read

    def _outcomes(self, read: Any, numbers: Sequence[int]) -> list[Outcome]:
        rows = read.filter("outcome IS NOT NULL").select("part", "outcome").collect()
        found = {row.part: Outcome(**orjson.loads(row.outcome)) for row in rows}
        return [found[number] for number in numbers]

    def _keep(self, name: str, sql: str) -> None:
        """Make a table of what *sql* says, and keep its rows: Spark then knows how many there are."""
        from pyspark import StorageLevel  # noqa: PLC0415 -- an extra

        made = self._session.sql(sql).persist(StorageLevel.MEMORY_AND_DISK)
        made.count()
        self._kept.append(made)
        made.createOrReplaceTempView(name)

    def _compiled(self, name: str) -> str:
        from agentlogsafe.review import rules  # noqa: PLC0415 -- it needs Ibis

        return str(self._ibis.compile(rules.named()[name](Tables.unbound())))

    def rows(self, name: str) -> list[Row]:
        """Return the rows of the rule or summary called *name*."""
        found = self._session.sql(self._compiled(name))
        self.columns[name] = found.columns
        return [tuple(row) for row in found.collect()]

    def table(self, name: str, equal: Mapping[str, Any]) -> list[Row]:
        """Return the rows of a table where columns have these values, ordered by file and line where it has them."""
        found = self._session.table(name)
        for column, value in equal.items():
            found = found.filter(found[column] == value)
        order = [column for column in ("file", "line", "seq") if column in SCHEMAS[name]]
        return [tuple(row) for row in found.orderBy(*(order or found.columns)).collect()]

    def close(self) -> None:
        """Free what the executors keep. The session stays, for who else uses it."""
        for frame in self._kept:
            frame.unpersist()


_PARTS_A_PARTITION = 8
_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "16384",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


def _ddl(types: Mapping[str, str]) -> str:
    return ", ".join(f"`{name}` {_SPARK[dtype]}" for name, dtype in types.items())


def _read_ddl() -> str:
    structs = ", ".join(
        f"{name} STRUCT<{', '.join(f'`{of}`: {_SPARK[dtype]}' for of, dtype in types.items())}>"
        for name, types in COLUMNS.items()
    )
    return f"part BIGINT, {structs}, outcome STRING"


def _in_view(table: str, column: str) -> str:
    if column == "file":
        return "p.file"
    value = f"r.{table}.`{column}`"
    return f"{value} + p.before AS `{column}`" if column in LINES else f"{value} AS `{column}`"
