"""Files become tables: a few lines in this process, many in processes of their own."""

from __future__ import annotations

import os
import queue
from concurrent.futures import as_completed
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentlogsafe.review import sources
from agentlogsafe.review.columns import COLUMNS, as_json
from agentlogsafe.review.crew import Crew
from agentlogsafe.review.keyring import Keyring
from agentlogsafe.review.reading import Outcome, read_part
from agentlogsafe.review.whole import Wholes, eligible

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence
    from concurrent.futures import Future

    from agentlogsafe.review.columns import Columns
    from agentlogsafe.review.sources import Part, Source

SMALL = 8_000_000
"""Up to so many bytes, starting processes costs more than it saves."""

_MOST = 128 * 2**20  # bytes of lines that wait for DuckDB, which takes 10 ms for whatever it reads,
_WAITING = 64  # and parts that they are of
_FILES = 1_000  # of many rows


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
    reading = _Reading(inputs, parts, connect, spool)
    if workers:
        reading.by_workers(masters, min(workers, len(parts)), progress or (lambda _: None))
    else:
        reading.here(masters)
    reading.columns.views(placed(inputs, parts, range(len(parts)), reading.outcomes), reading.wholes.names)
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

    def __init__(
        self, inputs: Sequence[Source], parts: Sequence[Part], connect: Callable[[], Columns], spool: Path
    ) -> None:
        self._inputs, self._parts, self._connect, self._spool = inputs, parts, connect, spool
        self.outcomes = [Outcome() for _ in parts]
        self.wholes = Wholes([], spool)
        self._lines: dict[int, Path] = {}
        self._free: queue.LifoQueue[Path] = queue.LifoQueue()
        self._written: list[tuple[str, Path]] = []
        self._done = 0

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
        # So few files that what waits for DuckDB does not fill the disk; the last that was read is used again next.
        for number in range(_WAITING + count):
            self._free.put(self._spool / f"lines-{number}.json")
        with Crew(count, self._spool, masters) as crew:
            try:
                verifying = self._verifying(crew)
                self.columns = self._connect()  # while they start
                self._spooled(crew, self._as_they_are(crew, verifying, progress), progress)
                forks, places = again(self._parts, self.outcomes)
                if places:
                    paths = {self._parts[place].path for place in places}
                    self.wholes.forget(paths & self.wholes.paths)
                    places = sorted({*places, *self._of(paths & self.wholes.refused)})
                    self.columns.forget(places)
                    self._spooled(crew, places, progress, forks=forks)
                crew.finish()
            except BaseException:
                self.wholes.stop()
                raise
            finally:
                for _ in self._parts:  # where something failed, nobody else does, and a thread may wait for one
                    self._free.put(self._spool)
                for path in self._spool.glob("lines-*.json"):
                    path.unlink()

    def _verifying(self, crew: Crew) -> list[Future[int]]:
        """Have processes verify the lines of files that DuckDB may read as they are."""
        self.wholes = Wholes([source for source in self._inputs if eligible(source)], self._spool)
        places = self._of(self.wholes.paths)
        if places:
            crew.rest()
        return [crew.submit(self._verify, crew, place) for place in places]

    def _as_they_are(self, crew: Crew, verifying: list[Future[int]], progress: Callable[[int], None]) -> list[int]:
        """Have DuckDB read files as they are; return the parts that are left."""
        wholes, of = self.wholes, set()
        if verifying:
            taking = crew.beside(wholes.start(self.columns))
            for future in as_completed(verifying):
                place = future.result()
                of.add(place)
                if self.outcomes[place].mixed:
                    wholes.refuse(self._parts[place].path)
                self._count(place, progress)
            taking.result()
            wholes.settle({path: [self.outcomes[place] for place in self._of({path})] for path in wholes.paths})
        for place in self._of(wholes.paths - wholes.refused):
            self._keep(self.outcomes[place])
        left = [place for place, part in enumerate(self._parts) if part.path not in wholes.paths - wholes.refused]
        self._done -= sum(self._size(place) for place in of.intersection(left))
        return left

    def _verify(self, crew: Crew, place: int) -> int:
        part = self._parts[place]
        self.outcomes[place] = Outcome(mixed=True)
        if part.path not in self.wholes.refused:
            task = {"id": place, "part": tuple(part), "plainly": False, "forks": None}
            self.outcomes[place] = crew.read({**task, "lines": None})
        return place

    def _spooled(
        self,
        crew: Crew,
        places: Sequence[int],
        progress: Callable[[int], None],
        *,
        plainly: bool = False,
        forks: dict[str, tuple[str, int]] | None = None,
    ) -> None:
        """Have parts read into files, and add their rows."""
        unusual: set[int] = set()
        waiting: list[int] = []

        def read(place: int) -> int:
            self._lines[place] = lines = self._free.get()
            task = {"id": place, "part": tuple(self._parts[place]), "plainly": plainly, "forks": forks}
            self.outcomes[place] = crew.read({**task, "lines": str(lines)})
            return place

        def added() -> None:
            unusual.update(self._added(waiting))
            for place in waiting:
                self._free.put(self._lines.pop(place))
            waiting.clear()

        futures = [crew.submit(read, place) for place in places]
        for future in as_completed(futures):
            waiting.append(future.result())
            self._count(waiting[-1], progress)
            if sum(self.outcomes[place].size for place in waiting) >= _MOST or len(waiting) >= _WAITING:
                if futures[-1].done():  # not before: two threads beside two processes take half as long again
                    self.columns.hurry()
                added()
        self.columns.hurry()
        added()
        if unusual:
            self._done -= sum(map(self._size, unusual))
            self._spooled(crew, sorted(unusual), progress, plainly=True, forks=forks)
        self._rows()

    def _of(self, paths: Container[str]) -> list[int]:
        """Return which parts are of these files."""
        return [place for place, part in enumerate(self._parts) if part.path in paths]

    def _size(self, place: int) -> int:
        return self._parts[place].end - self._parts[place].start

    def _count(self, place: int, progress: Callable[[int], None]) -> None:
        self._done += self._size(place)
        progress(self._done)

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
            self._keep(outcome)
        if len(self._written) >= _FILES:
            self._rows()
        return unusual

    def _keep(self, outcome: Outcome) -> None:
        """Note the rows of what is not usual in a part."""
        self._written += [(name, Path(written)) for name, written in outcome.tables]
        for name, rows in outcome.rows.items():
            with (self._spool / f"{name}.json").open("a", encoding="utf-8") as file:
                file.write(rows)
        outcome.rows = {}

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
