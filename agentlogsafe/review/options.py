"""The options that the commands of the reading wing share."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from agentlogsafe.errors import AgentLogSafeError, ConfigurationError
from agentlogsafe.review.report import FORMATS
from agentlogsafe.review.selection import Selection, moment, seconds
from agentlogsafe.seal import read_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agentlogsafe.review.check import Review

F = TypeVar("F", bound="Callable[..., Any]")
T = TypeVar("T")

_LONG = 32_000_000
"""Up to so many bytes, there is nothing to watch: it is read before a bar is drawn."""


def as_time(_: click.Context, __: click.Parameter, value: str | None) -> int | None:
    """Return what an option says as microseconds since the epoch."""
    return _converted(moment, value)


def as_span(_: click.Context, __: click.Parameter, value: str | None) -> float | None:
    """Return what an option says in seconds."""
    return _converted(seconds, value)


def _converted(convert: Callable[[str], T], value: str | None) -> T | None:
    try:
        return None if value is None else convert(value)
    except ConfigurationError as error:
        raise click.BadParameter(str(error)) from error


def selecting(command: F) -> F:
    """Add ``--since``, ``--until``, ``--run``, ``--agent`` and ``--workflow``; `selection` reads them."""
    for option in (
        click.option("--workflow", metavar="NAME", help="Only this workflow."),
        click.option("--agent", metavar="NAME", help="Only this agent."),
        click.option("--run", metavar="ID", help="Only this run; the beginning of its id is enough."),
        click.option("--until", callback=as_time, metavar="TIME", help="Only what was before: as --since."),
        click.option(
            "--since",
            callback=as_time,
            metavar="TIME",
            help="Only what was after: 2026-11-23, 2026-11-23T08:00:00Z, or a span such as 2h (ago).",
        ),
    ):
        command = option(command)
    return command


def selection(options: dict[str, Any]) -> Selection:
    """Take the options that `selecting` added out of a command's *options*."""
    return Selection(**{name: options.pop(name) for name in ("since", "until", "run", "agent", "workflow")})


def formatted(command: F) -> F:
    """Add ``--format``, which the command gets as ``form``."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(FORMATS),
        default="text",
        show_default=True,
        help="How to print; json, csv and markdown are for pipes.",
    )(command)


def loading(command: F) -> F:
    """Add the arguments and options that say what is read, and by what; `loaded` reads them."""
    for option in (
        click.option("--master", metavar="URL", help="Of Spark: spark://HOST:7077, local[4], ..."),
        click.option("--engine", type=click.Choice(["duckdb", "spark"]), default="duckdb", show_default=True),
        click.option(
            "--public-key",
            "public_keys",
            multiple=True,
            metavar="PATH",
            help="An Ed25519 public key whose checkpoints are trusted; may be repeated.",
        ),
        click.option(
            "--checkpoints", multiple=True, metavar="PATH", help="A file of checkpoints, or a folder; may be repeated."
        ),
        click.option(
            "--key",
            "keys",
            multiple=True,
            metavar="env:NAME|file:PATH",
            help="The first key of sealed streams; may be repeated.",
        ),
        click.argument("paths", nargs=-1, required=True, metavar="PATH..."),
    ):
        command = option(command)
    return command


def loaded(options: dict[str, Any], *, details: bool = True) -> Review:
    """Take the options that `loading` added out of a command's *options*; return the `Review`.

    Raises:
        AgentLogSafeError: for what cannot be read.
    """
    from agentlogsafe.review.check import Review  # noqa: PLC0415 -- little of it is needed for --help
    from agentlogsafe.review.sources import UnusableError  # noqa: PLC0415 -- as above

    given = {name: options.pop(name) for name in ("paths", "keys", "checkpoints", "public_keys", "engine", "master")}
    try:
        public_keys = [Path(path).read_bytes() for path in given["public_keys"]]
    except OSError as error:
        msg = f"--public-key {error.filename!r} cannot be read: {error.strerror}"
        raise UnusableError(msg) from error
    with _bar() as progress:
        return Review.load(
            given["paths"],
            keys=[read_key("--key", where) for where in given["keys"]],
            checkpoints=given["checkpoints"],
            public_keys=public_keys,
            engine=given["engine"],
            master=given["master"],
            details=details,
            progress=progress,
        )


@contextmanager
def opened(options: dict[str, Any], *, details: bool = True) -> Iterator[Review]:
    """Give what `loaded` returns, and close it; what cannot be used ends the command with exit status 2."""
    try:
        with _ended_in_order(), loaded(options, details=details) as review:
            yield review
    except AgentLogSafeError as error:
        click.echo(f"agentlogsafe: {error}", err=True)
        raise click.exceptions.Exit(2) from error
    except Exception as error:
        if type(error).__name__ != "OutOfMemoryException":  # DuckDB's, which may not be installed
            raise
        hint = "give it more memory or disk in TMPDIR, check fewer files at a time, or use --engine spark"
        click.echo(f"agentlogsafe: DuckDB has not enough memory for so much at once: {hint}", err=True)
        raise click.exceptions.Exit(2) from error


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """End on SIGINT and SIGTERM as by itself, so that what is in TMPDIR goes, too; with the status of the signal."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    stopped: list[int] = []

    def stop(number: int, _: object) -> None:
        stopped.append(number)
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)
        if stopped:  # what was raised can have got lost on its way: DuckDB makes a RuntimeError of it
            sys.exit(128 + stopped[0])


class _bar:  # noqa: N801 -- used like a function
    """A progress bar on standard error, where that is a terminal and there is much to read."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Callable[[int, int], None] | None:
        return self._show if sys.stderr.isatty() else None

    def _show(self, done: int, total: int) -> None:
        if total < _LONG:
            return
        if self._bar is None:
            from rich.console import Console  # noqa: PLC0415 -- of the extra 'cli'
            from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn  # noqa: PLC0415

            self._bar = Progress(
                "reading",
                BarColumn(),
                DownloadColumn(),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._bar.start()
            self._task = self._bar.add_task("reading", total=total)
        self._bar.update(self._task, completed=done)

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()
