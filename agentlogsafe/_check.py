"""The command ``agentlogsafe check``: what is wrong with stored events."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from agentlogsafe.errors import AgentLogSafeError

if TYPE_CHECKING:
    from collections.abc import Callable

    import click

_LONG = 32_000_000
"""Up to so many bytes, there is nothing to watch: it is read before a bar is drawn."""


def loading(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the arguments and options that say what is read, and by what; `loaded` reads them."""
    import click  # noqa: PLC0415 -- of the extra 'cli'

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


def loaded(options: dict[str, Any]) -> Any:
    """Take the options that `loading` added out of a command's *options*; return the `Review`.

    Raises:
        AgentLogSafeError: for what cannot be read.
    """
    from pathlib import Path  # noqa: PLC0415 -- little of this module is needed for --help

    from agentlogsafe.review.check import Review  # noqa: PLC0415 -- an extra, as above
    from agentlogsafe.review.sources import UnusableError  # noqa: PLC0415 -- as above
    from agentlogsafe.seal import read_key  # noqa: PLC0415 -- as above

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
            progress=progress,
        )


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


def register(group: click.Group) -> None:
    """Add ``check`` to the command."""
    import click  # noqa: PLC0415 -- of the extra 'cli'

    from agentlogsafe.review import options  # noqa: PLC0415 -- it needs click

    @group.command(epilog="Exit status: 0 clean, 1 something was found, 2 unusable input or wrong usage.")
    @loading
    @options.selecting
    @options.formatted
    def check(form: str, **given: Any) -> None:
        r"""Check stored events in PATH...: were some changed, are some missing, did every run end?

        A PATH is a file, a folder, a pattern, - for standard input, or a URL of object storage. Files may be compressed
        (gzip, zstd), be Parquet, and hold lines as Docker, Kubernetes (CRI), rsyslog, syslog-ng, journald or Fluent Bit
        write them, and lines of others.

        Without --key, the links of sealed streams are checked and their content is not, where they have keys. Without
        --checkpoints, a stream whose end was cut off looks like one whose process was killed.

        \b
        Examples:
          agentlogsafe check audit.jsonl
          agentlogsafe check /var/log/agents --key env:AUDIT_KEY --checkpoints /mnt/other/checkpoints.jsonl
          zcat audit.*.gz | agentlogsafe check - --since 24h --format json
          agentlogsafe check s3://bucket/audit/ --engine spark --master spark://head:7077
        """
        from agentlogsafe.review import report  # noqa: PLC0415 -- it imports rich

        chosen = options.selection(given)
        try:
            with loaded(given) as review:
                found = review.findings()
                if not chosen.is_everything:
                    found = chosen.findings(found, review.summary("runs"), review.summary("run_streams"))
                totals, sources = review.summary("totals")[0], review.sources()
        except AgentLogSafeError as error:
            click.echo(f"agentlogsafe: {error}", err=True)
            raise click.exceptions.Exit(2) from error
        report.write(found, totals, sources, form)
        if found or not totals["events"]:
            raise click.exceptions.Exit(1 if found else 2)
