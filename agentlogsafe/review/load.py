"""Files become tables: a few lines in this process, many in processes of their own."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from agentlogsafe.errors import AgentLogSafeError, MissingExtraError
from agentlogsafe.review import sources
from agentlogsafe.review.keyring import Keyring
from agentlogsafe.review.rows import EVENT_COLUMNS, REJECT_COLUMNS, SPAN_COLUMNS, Batch, Tabulator, fitting
from agentlogsafe.review.tables import EVENTS, REJECTS, SPANS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from agentlogsafe.review.lines import Line
    from agentlogsafe.review.sources import Part, Source

COLUMNS = {
    "events": {name: EVENTS[name] for name in EVENT_COLUMNS},
    "spans": {name: SPANS[name] for name in SPAN_COLUMNS},
    "rejects": {name: REJECTS[name] for name in REJECT_COLUMNS},
}
"""The columns that are read from files; the file and where a part begins in it come later."""

SMALL = 8_000_000
"""Up to so many bytes, starting processes costs more than it saves."""

_ROWS = 16_384  # in a table that is handed on
_DAMAGE = (OSError, EOFError, zlib.error)

LINES = frozenset(("line", "first_line", "last_line"))
"""Columns that count lines: from where a part begins, until the parts are put together."""


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


@dataclass
class Loaded:
    """What was read: where the rows are, and which parts of files they belong to."""

    spool: Path
    form: str
    """``json`` (rows as lines) or ``parquet`` (by several writers)."""
    parts: list[tuple[int, str, int]]
    """Of each part its number, its file's name, and how many lines there are before it."""
    sources: list[tuple[Any, ...]]
    """Rows of the table ``sources``."""


def read_part(part: Part, keys: Keyring, outcome: Outcome) -> Iterator[Batch]:
    """Yield the rows of a *part*; tell in *outcome* what became of it."""
    tabulator = Tabulator(keys)
    tally = [0]
    yield from tabulator.batches(_guarded(part, tally, outcome))
    _tell(outcome, tabulator, tally[0])


def read_columns(part: Part, keys: Keyring, outcome: Outcome) -> Iterator[tuple[str, Any]]:
    """Yield the rows of a *part* as Arrow tables, each with its name; tell in *outcome* what became of it."""
    import pyarrow as pa  # noqa: PLC0415 -- short inputs go without, and so does what follows

    from agentlogsafe.review import arrow, blocks  # noqa: PLC0415

    held: dict[str, list[Any]] = {name: [] for name in COLUMNS}

    def tables(least: int) -> Iterator[tuple[str, Any]]:
        for name, made in held.items():
            if sum(table.num_rows for table in made) >= least:
                yield name, pa.concat_tables(made)
                made.clear()

    tabulator = Tabulator(keys)
    tally = [0]
    try:
        for table, batch in blocks.batches(part, tabulator, tally):
            if table is not None:
                held["events"].append(table)
                tabulator.events += table.num_rows
            for name, rows in batch._asdict().items():
                if rows:
                    held[name].append(arrow.table(rows, COLUMNS[name]))
            yield from tables(_ROWS)
    except MissingExtraError:
        raise
    except _DAMAGE as error:
        outcome.error = str(error) or type(error).__name__
    yield from tables(1)
    _tell(outcome, tabulator, tally[0])


def _tell(outcome: Outcome, tabulator: Tabulator, lines: int) -> None:
    outcome.lines, outcome.events, outcome.rejects = lines, tabulator.events, tabulator.rejects
    outcome.foreign, outcome.forks = tabulator.foreign, tabulator.forks
    outcome.unresolved = sorted(tabulator.unresolved)


def _guarded(part: Part, tally: list[int], outcome: Outcome) -> Iterator[Line]:
    """Yield lines as far as they can be read."""
    try:
        yield from sources.lines(part, tally)
    except MissingExtraError:
        raise
    except _DAMAGE as error:
        outcome.error = str(error) or type(error).__name__


def load(
    inputs: Sequence[Source],
    spool: Path,
    masters: Sequence[bytes] = (),
    *,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Loaded:
    """Read *inputs* into files of rows below the folder *spool*.

    Args:
        inputs: what `sources.find` returns.
        spool: an empty folder.
        masters: the first keys of keyed streams.
        workers: how many processes read; None for one on each core, or none where there is little to read.
        progress: called with the bytes read so far.
    """
    parts = [part for source in inputs for part in sources.parts(source)]
    names = {source.path: source.name for source in inputs}
    total = sum(source.size for source in inputs)
    if workers is None:
        compressed = any(source.form != "plain" for source in inputs)
        workers = 0 if total <= SMALL // (8 if compressed else 1) else min(len(parts), os.cpu_count() or 1)
    if workers:
        outcomes, numbers = _by_workers(parts, spool, masters, workers, progress or (lambda _: None))
    else:
        outcomes, numbers = _here(parts, spool, masters, names)
    form = "parquet" if workers else "json"
    return Loaded(spool, form, placed(inputs, parts, numbers, outcomes), source_rows(inputs, parts, outcomes))


def placed(
    inputs: Sequence[Source], parts: Sequence[Part], numbers: Sequence[int], outcomes: Sequence[Outcome]
) -> list[tuple[int, str, int]]:
    """Return of each part its number, its file's name, and how many lines there are before it."""
    names = {source.path: source.name for source in inputs}
    before = dict.fromkeys(names, 0)
    found = []
    for part, number, outcome in zip(parts, numbers, outcomes, strict=True):
        found.append((number, names[part.path], before[part.path]))
        before[part.path] += outcome.lines
    return found


def source_rows(inputs: Sequence[Source], parts: Sequence[Part], outcomes: Sequence[Outcome]) -> list[tuple[Any, ...]]:
    """Return the table ``sources``."""
    own: dict[str, list[Outcome]] = {source.path: [] for source in inputs}
    for part, outcome in zip(parts, outcomes, strict=True):
        own[part.path].append(outcome)
    counts = ("lines", "events", "rejects", "foreign")
    return [
        (
            source.name,
            source.size,
            *(sum(getattr(outcome, name) for outcome in own[source.path]) for name in counts),
            next((outcome.error for outcome in own[source.path] if outcome.error), None),
        )
        for source in inputs
    ]


def again(parts: Sequence[Part], outcomes: Sequence[Outcome]) -> tuple[dict[str, tuple[str, int]], list[int]]:
    """Return the forks, and which parts have to be read again with what other parts say of them."""
    forks: dict[str, tuple[str, int]] = {}
    for outcome in outcomes:
        forks.update(outcome.forks)
    return forks, [place for place in range(len(parts)) if not forks.keys().isdisjoint(outcomes[place].unresolved)]


def _here(
    parts: list[Part], spool: Path, masters: Sequence[bytes], names: dict[str, str]
) -> tuple[list[Outcome], list[int]]:
    """Read *parts* in this process. No numpy, no Arrow: they take longer to import than a small file to read."""
    outcomes = [Outcome() for _ in parts]
    made: list[list[Batch]] = []
    keys = Keyring(masters)
    for part, outcome in zip(parts, outcomes, strict=True):
        made.append(list(read_part(part, keys, outcome)))
    forks, places = again(parts, outcomes)
    for place in places:
        outcomes[place] = Outcome()
        made[place] = list(read_part(parts[place], Keyring(masters, forks), outcomes[place]))
    files = {name: (spool / f"{name}.json").open("wb") for name in COLUMNS}
    before: dict[str, int] = {}
    for part, batches, outcome in zip(parts, made, outcomes, strict=True):
        name = names[part.path]
        for batch in batches:
            for table, rows in batch._asdict().items():
                types = COLUMNS[table]
                for row in rows:
                    found = {
                        "file": name,
                        **{of: fitting(value, types[of]) for of, value in zip(types, row, strict=True)},
                    }
                    for of in LINES & found.keys():
                        found[of] += before.get(name, 0)
                    files[table].write(orjson.dumps(found) + b"\n")
        before[name] = before.get(name, 0) + outcome.lines
    for file in files.values():
        file.close()
    return outcomes, list(range(len(parts)))


def _by_workers(
    parts: list[Part], spool: Path, masters: Sequence[bytes], count: int, progress: Callable[[int], None]
) -> tuple[list[Outcome], list[int]]:
    """Read *parts* in *count* processes; return what became of them, and under which numbers their rows are."""
    outcomes = [Outcome() for _ in parts]
    numbers = list(range(len(parts)))
    idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
    workers = [_Worker(number, spool, masters) for number in range(count)]
    done = 0

    def read(place: int, extra: dict[str, Any]) -> int:
        worker = idle.get()
        try:
            outcomes[place] = worker.read(numbers[place], parts[place], extra)
        finally:
            idle.put(worker)
        return place

    for worker in workers:
        idle.put(worker)
    with ThreadPoolExecutor(count) as pool:
        try:
            for future in as_completed([pool.submit(read, place, {}) for place in numbers]):
                part = parts[future.result()]
                done += part.end - part.start
                progress(done)
            forks, places = again(parts, outcomes)
            for place in places:
                numbers[place] += len(parts)  # the rows under the old number belong to nothing, then
            for future in [pool.submit(read, place, {"forks": forks}) for place in places]:
                future.result()
            for worker in workers:
                worker.finish()
        finally:
            for worker in workers:
                worker.stop()
    return outcomes, numbers


class _Worker:
    """One process that runs `_worker`."""

    def __init__(self, number: int, spool: Path, masters: Sequence[bytes]) -> None:
        package = str(Path(__file__).parents[2])
        path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "agentlogsafe.review._worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )
        self._setting = {"number": number, "spool": str(spool), "masters": [master.hex() for master in masters]}
        self._told = False

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None  # noqa: S101 -- it is a pipe
        self._process.stdin.write(orjson.dumps(message) + b"\n")
        self._process.stdin.flush()

    def read(self, number: int, part: Part, extra: dict[str, Any]) -> Outcome:
        """Have the process read a part, and return what became of it."""
        assert self._process.stdout is not None  # noqa: S101 -- it is a pipe
        try:
            if not self._told:
                self._send(self._setting)
                self._told = True
            self._send({"id": number, "part": tuple(part), **extra})
        except BrokenPipeError:
            answer = b""
        else:
            answer = self._process.stdout.readline()
        if not answer:
            msg = f"the process that reads {part.path!r} ended with status {self._process.wait()}"
            raise ReaderError(msg)
        return Outcome(**orjson.loads(answer))

    def finish(self) -> None:
        """Have it write what it holds, and end."""
        if not self._told:
            self._send(self._setting)
        self._process.communicate()
        if self._process.returncode:
            msg = f"a process that reads ended with status {self._process.returncode}"
            raise ReaderError(msg)

    def stop(self) -> None:
        """End it, whatever it is doing."""
        if self._process.poll() is None:
            self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                pipe.close()  # type: ignore[union-attr]  # both are pipes
        self._process.wait()


class ReaderError(AgentLogSafeError):
    """A process that read a part of the input failed."""
