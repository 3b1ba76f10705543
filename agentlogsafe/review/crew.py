"""The processes that read, as many at once as there are cores."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from agentlogsafe.errors import AgentLogSafeError
from agentlogsafe.review.reading import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    from typing_extensions import Self

T = TypeVar("T")

_KEEPING = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_")  # of glibc


class ReaderError(AgentLogSafeError):
    """A process that read a part of the input failed."""


class Crew:
    """So many processes, and a thread for each that waits for it; a context manager.

    Args:
        count: how many.
        spool: the folder that they write to.
        masters: the first keys of keyed streams.
    """

    def __init__(self, count: int, spool: Path, masters: Sequence[bytes]) -> None:
        self._count = count
        self._workers = [_Worker(spool, masters) for _ in range(count)]
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        for worker in self._workers:
            self._idle.put(worker)
        self._resting: list[_Worker] = []
        self._pool, self._other = ThreadPoolExecutor(count), ThreadPoolExecutor(1)

    def submit(self, work: Callable[..., T], *args: Any, **named: Any) -> Future[T]:
        """Have a thread do *work*."""
        return self._pool.submit(work, *args, **named)

    def rest(self) -> None:
        """Have half of the processes rest, for work that takes half of the cores: until what is done `beside` ends."""
        self._resting = [self._idle.get() for _ in range(self._count // 2)]

    def beside(self, work: Callable[[], T]) -> Future[T]:
        """Have a thread do *work*, after which all processes are at work again."""
        future = self._other.submit(work)
        future.add_done_callback(self._rested)
        return future

    def _rested(self, _: object) -> None:
        for worker in self._resting:
            self._idle.put(worker)

    def read(self, task: dict[str, Any]) -> Outcome:
        """Have the next process that is idle read a part, and return what became of it."""
        worker = self._idle.get()
        try:
            return worker.read(task)
        finally:
            self._idle.put(worker)

    def finish(self) -> None:
        """Have all of them end, and wait for it."""
        for worker in self._workers:
            worker.finish()
        for worker in self._workers:
            worker.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.stop()
        for pool in (self._pool, self._other):
            pool.shutdown(wait=False, cancel_futures=True)


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
