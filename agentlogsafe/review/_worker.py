"""The process that reads parts of files: tasks come on standard input, and what became of them goes to standard output.

Not multiprocessing: its ways to start a process run the caller's main module again, or fork a process that has threads.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import Any

import orjson

from agentlogsafe.review.keyring import Keyring
from agentlogsafe.review.load import COLUMNS, Outcome, read_columns
from agentlogsafe.review.sources import Part


class Writer:
    """Writes the rows of one table to a Parquet file, which is there once it has a row."""

    def __init__(self, path: Path, types: dict[str, str]) -> None:
        self._path, self._types = path, types
        self._writer: Any = None

    def write(self, part: int, made: Any) -> None:
        """Add the rows of a *part*."""
        import pyarrow as pa  # noqa: PLC0415 -- an extra
        from pyarrow import parquet  # noqa: PLC0415 -- an extra

        made = made.add_column(0, "part", pa.repeat(pa.scalar(part, pa.int64()), made.num_rows))
        if self._writer is None:
            plain = ("event_id", "hash", "first_event_id", "first_prev", "last_hash")
            encoded = [name for name in self._types if name not in plain]
            self._writer = parquet.ParquetWriter(
                self._path, made.schema, compression="lz4", use_dictionary=encoded, write_statistics=False
            )
        self._writer.write_table(made)

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.close()


def main() -> None:
    """Do what comes on standard input, until it ends."""
    gc.disable()  # everything is freed as it comes, and half of the collector's work would be to look at it
    setting = orjson.loads(sys.stdin.buffer.readline())
    spool, number = Path(setting["spool"]), setting["number"]
    keys = Keyring([bytes.fromhex(master) for master in setting["masters"]])
    writers = {name: Writer(spool / f"{name}-{number}.parquet", types) for name, types in COLUMNS.items()}
    out = sys.stdout.buffer
    for raw in iter(sys.stdin.buffer.readline, b""):
        task = orjson.loads(raw)
        if "forks" in task:
            keys = Keyring([bytes.fromhex(master) for master in setting["masters"]], task["forks"])
        outcome = Outcome()
        for name, made in read_columns(Part(*task["part"]), keys, outcome):
            writers[name].write(task["id"], made)
        out.write(orjson.dumps(outcome) + b"\n")
        out.flush()
        gc.collect(0)
    for writer in writers.values():
        writer.close()


if __name__ == "__main__":
    main()
