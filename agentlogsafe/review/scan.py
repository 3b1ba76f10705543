"""``check --scan``: `Exposure` over files; a few lines in this process, many in processes of their own."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import orjson

from agentlogsafe.errors import AgentLogSafeError
from agentlogsafe.review import sources
from agentlogsafe.review.exposure import Exposure
from agentlogsafe.review.sources import Part
from agentlogsafe.review.tables import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agentlogsafe.review.sources import Source

_SMALL = 2_000_000
"""Up to so many bytes, starting processes costs more than it saves."""


class ScanError(AgentLogSafeError):
    """A process that scanned a part of the input failed."""


def scan(
    inputs: Sequence[Source],
    policy: str | None = None,
    *,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Finding]:
    """Return what is stored in *inputs* and should not be there.

    Args:
        inputs: what `sources.find` returns.
        policy: the path of a policy file or the name of a shipped policy.
        workers: how many processes; None for one on each core, or none where there is little to scan.
        progress: called with the bytes scanned so far and those in all.

    Raises:
        ConfigurationError: for a policy that is none.
    """
    exposure = Exposure(_policy(policy))
    parts = [(source, part) for source in inputs for part in sources.parts(source)]
    total = sum(source.size for source in inputs)
    if workers is None:
        workers = 0 if total <= _SMALL else min(len(parts), os.cpu_count() or 1)
    done = 0
    found: list[Finding] = []
    before: dict[str, int] = {}
    results = _by_workers(parts, policy, workers) if workers else (scanned(exposure, *item) for item in parts)
    for (source, part), (lines, findings) in zip(parts, results, strict=True):
        offset = before.get(source.path, 0)
        found += [item._replace(line=(item.line or 0) + offset) for item in findings]
        before[source.path] = offset + lines
        done += part.end - part.start
        if progress is not None:
            progress(done, total)
    return found


def _policy(policy: str | None) -> Path | str | None:
    return Path(policy) if policy is not None and Path(policy).is_file() else policy


def scanned(exposure: Exposure, source: Source, part: Part) -> tuple[int, list[Finding]]:
    """Return how many lines a *part* has, and what is found in them, as far as they can be read."""
    tally = [0]
    found: list[Finding] = []
    try:
        for line in sources.lines(part, tally):
            found += exposure.findings(line, source.name)
    except (OSError, EOFError, zlib.error):
        pass  # the table of sources says so
    return tally[0], found


def _by_workers(parts: list[tuple[Source, Part]], policy: str | None, count: int) -> Any:
    idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
    workers = [_Worker(policy) for _ in range(count)]

    def ask(item: tuple[Source, Part]) -> tuple[int, list[Finding]]:
        worker = idle.get()
        try:
            return worker.scan(*item)
        finally:
            idle.put(worker)

    for worker in workers:
        idle.put(worker)
    with ThreadPoolExecutor(count) as pool:
        try:
            yield from pool.map(ask, parts)
        finally:
            for worker in workers:
                worker.stop()


class _Worker:
    """One process that runs this module."""

    def __init__(self, policy: str | None) -> None:
        package = str(Path(__file__).parents[2])
        path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(  # noqa: S603 -- this module
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )
        self._in, self._out = cast("IO[bytes]", self._process.stdin), cast("IO[bytes]", self._process.stdout)
        self._in.write(orjson.dumps({"policy": policy}) + b"\n")

    def scan(self, source: Source, part: Part) -> tuple[int, list[Finding]]:
        """Have a part scanned."""
        try:
            self._in.write(orjson.dumps({"source": tuple(source), "part": tuple(part)}) + b"\n")
            self._in.flush()
            answer = self._out.readline()
        except BrokenPipeError:
            answer = b""
        if not answer:
            msg = f"the process that scans {part.path!r} ended with status {self._process.wait()}"
            raise ScanError(msg)
        lines, findings = orjson.loads(answer)
        return lines, [Finding(*row) for row in findings]

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


def main() -> None:
    """Do what comes on standard input, until it ends."""
    exposure = Exposure(_policy(orjson.loads(sys.stdin.buffer.readline())["policy"]))
    for raw in iter(sys.stdin.buffer.readline, b""):
        task = orjson.loads(raw)
        lines, found = scanned(exposure, sources.Source(*task["source"]), Part(*task["part"]))
        sys.stdout.buffer.write(orjson.dumps((lines, [tuple(finding) for finding in found])) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
