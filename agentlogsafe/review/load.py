"""Files become tables: a few lines in this process, many in processes of their own."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from agentlogsafe.errors import AgentLogSafeError
from agentlogsafe.review import sources
from agentlogsafe.review.columns import COLUMNS, as_json
from agentlogsafe.review.keyring import Keyring
from agentlogsafe.review.reading import Outcome, read_part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from agentlogsafe.review.columns import Columns
    from agentlogsafe.review.sources import Part, Source

SMALL = 8_000_000
"""Up to so many bytes, starting processes costs more than it saves."""

_MOST = 128 * 2**20  # bytes of lines that wait for DuckDB, which takes 10 ms for whatever it reads,
_WAITING = 64  # and parts that they are of
_FILES = 1_000  # of many rows
_KEEPING = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_")  # of glibc


def load(
    inputs: Sequence[Source],
    connect: Callable[[], Columns],
    spool: Path,
    masters: Sequence[bytes] = (),
    *,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[tuple[Any, ...]]:
    """Read *inputs*; return the table ``sources``.

    Args:
        inputs: what `sources.find` returns.
        connect: returns where their rows go; called once, when those who read are starting.
        spool: an empty folder, for what waits.
        masters: the first keys of keyed streams.
        workers: how many processes read; None for one on each core, or none where there is little to read.
        progress: called with the bytes read so far.
    """
    total = sum(source.size for source in inputs)
    if workers is None:
        compressed = any(source.form != "plain" for source in inputs)
        workers = 0 if total <= SMALL // (8 if compressed else 1) else os.cpu_count() or 1
    parts = [part for source in inputs for part in sources.parts(source)]
    reading = _Reading(parts, connect, spool)
    if workers:
        reading.by_workers(masters, min(workers, len(parts)), progress or (lambda _: None))
    else:
        reading.here(masters)
    numbers = range(len(parts))
    reading.columns.views(placed(inputs, parts, numbers, reading.outcomes))
    return source_rows(inputs, parts, reading.outcomes)


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


class _Reading:
    """Parts, and what becomes of them."""

    columns: Columns

    def __init__(self, parts: Sequence[Part], connect: Callable[[], Columns], spool: Path) -> None:
        self._parts, self._connect, self._spool = parts, connect, spool
        self.outcomes = [Outcome() for _ in parts]
        self._lines: dict[int, Path] = {}
        self._written: list[tuple[str, Path]] = []

    def here(self, masters: Sequence[bytes]) -> None:
        """Read in this process. No numpy, no Arrow: they take longer to import than a small file to read."""
        self.columns = self._connect()
        keys = Keyring(masters)
        made = [list(read_part(part, keys, self.outcomes[place])) for place, part in enumerate(self._parts)]
        forks, places = again(self._parts, self.outcomes)
        for place in places:
            self.outcomes[place] = Outcome()
            made[place] = list(read_part(self._parts[place], Keyring(masters, forks), self.outcomes[place]))
        for name, types in COLUMNS.items():
            path = self._spool / f"{name}.json"
            with path.open("wb") as file:
                for place, batches in enumerate(made):
                    for batch in batches:
                        file.write(as_json(getattr(batch, name), types, part=place))
            self.columns.rows(name, [path])

    def by_workers(self, masters: Sequence[bytes], count: int, progress: Callable[[int], None]) -> None:
        """Read in *count* processes."""
        idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        workers = [_Worker(self._spool, masters) for _ in range(count)]
        done = 0
        # So few files that what waits for DuckDB does not fill the disk; the last that was read is used again next.
        free: queue.LifoQueue[Path] = queue.LifoQueue()
        for number in range(_WAITING + count):
            free.put(self._spool / f"lines-{number}.json")

        def read(place: int, *, plainly: bool, forks: dict[str, tuple[str, int]] | None) -> int:
            self._lines[place] = lines = free.get()
            worker = idle.get()
            try:
                task = {"id": place, "part": tuple(self._parts[place]), "plainly": plainly, "forks": forks}
                self.outcomes[place] = worker.read({**task, "lines": str(lines)})
            finally:
                idle.put(worker)
            return place

        def all_of(places: Iterable[int], *, plainly: bool = False, forks: Any = None) -> None:
            nonlocal done
            unusual: set[int] = set()
            waiting: list[int] = []

            def added() -> None:
                unusual.update(self._added(waiting))
                for place in waiting:
                    free.put(self._lines.pop(place))
                waiting.clear()

            futures = [pool.submit(read, place, plainly=plainly, forks=forks) for place in places]
            for future in as_completed(futures):
                waiting.append(future.result())
                done += self._parts[waiting[-1]].end - self._parts[waiting[-1]].start
                progress(done)
                if sum(self.outcomes[place].size for place in waiting) >= _MOST or len(waiting) >= _WAITING:
                    if futures[-1].done():  # not before: two threads beside two processes take half as long again
                        self.columns.hurry()
                    added()
            self.columns.hurry()
            added()
            if unusual:
                done -= sum(self._parts[place].end - self._parts[place].start for place in unusual)
                all_of(sorted(unusual), plainly=True, forks=forks)
            self._rows()

        for worker in workers:
            idle.put(worker)
        with ThreadPoolExecutor(count) as pool:
            try:
                self.columns = self._connect()  # while they start
                all_of(range(len(self._parts)))
                forks, places = again(self._parts, self.outcomes)
                if places:
                    done -= sum(self._parts[place].end - self._parts[place].start for place in places)
                    self.columns.forget(places)
                    all_of(places, forks=forks)
                for worker in workers:
                    worker.finish()
                for worker in workers:
                    worker.wait()
            finally:
                for worker in workers:
                    worker.stop()
                pool.shutdown(wait=False, cancel_futures=True)
                for _ in self._parts:  # where something failed, nobody else does, and a thread may wait for one
                    free.put(self._spool)
                for path in self._spool.glob("lines-*.json"):
                    path.unlink()

    def _added(self, places: Sequence[int]) -> set[int]:
        """Add the rows of parts; return those in which something is not as we write it, of which there are none."""
        outcomes = {place: self.outcomes[place] for place in places}
        unusual = self.columns.lines(
            {place: (self._lines[place], outcome.usual) for place, outcome in outcomes.items() if outcome.usual}
        )
        for place, outcome in outcomes.items():
            if place in unusual:
                for _, written in outcome.tables:
                    Path(written).unlink()
                continue
            self._written += [(name, Path(written)) for name, written in outcome.tables]
            for name, rows in outcome.rows.items():
                with (self._spool / f"{name}.json").open("a", encoding="utf-8") as file:
                    file.write(rows)
            outcome.rows = {}
        if len(self._written) >= _FILES:
            self._rows()
        return unusual

    def _rows(self) -> None:
        """Add the rows of what is not usual: seldom, for DuckDB takes 10 ms for that, too, and 1 ms for each file."""
        for name in COLUMNS:
            path = self._spool / f"{name}.json"
            if path.exists():
                self._written.append((name, path))
            self.columns.rows(name, [path for of, path in self._written if of == name])
        for _, path in self._written:
            path.unlink()
        self._written = []


class _Worker:
    """One process that runs `_worker`."""

    def __init__(self, spool: Path, masters: Sequence[bytes]) -> None:
        package = str(Path(__file__).parents[2])
        path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "agentlogsafe.review._worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Where malloc gives back what a block of lines took, to get it again takes 0.1 µs a line.
            env={**os.environ, **dict.fromkeys(_KEEPING, str(2**25)), "PYTHONPATH": path},
        )
        self._setting = {"spool": str(spool), "masters": [master.hex() for master in masters]}
        self._told = False

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None  # noqa: S101 -- it is a pipe
        self._process.stdin.write(orjson.dumps(message) + b"\n")
        self._process.stdin.flush()

    def read(self, task: dict[str, Any]) -> Outcome:
        """Have the process read a part, and return what became of it."""
        assert self._process.stdout is not None  # noqa: S101 -- it is a pipe
        try:
            if not self._told:
                self._send(self._setting)
                self._told = True
            self._send(task)
        except BrokenPipeError:
            answer = b""
        else:
            answer = self._process.stdout.readline()
        if not answer:
            msg = f"the process that reads {task['part'][0]!r} ended with status {self._process.wait()}"
            raise ReaderError(msg)
        return Outcome(**orjson.loads(answer))

    def finish(self) -> None:
        """Have it end."""
        if not self._told:
            self._send(self._setting)
        assert self._process.stdin is not None  # noqa: S101 -- it is a pipe
        self._process.stdin.close()

    def wait(self) -> None:
        """Wait until it has ended."""
        self._process.wait()
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
