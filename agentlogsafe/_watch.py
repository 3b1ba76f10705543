"""The command ``agentlogsafe watch``."""

from __future__ import annotations

import contextlib
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson

from agentlogsafe.errors import AgentLogSafeError, ConfigurationError
from agentlogsafe.review.options import as_span
from agentlogsafe.seal import read_key

if TYPE_CHECKING:
    from agentlogsafe.review.tables import Finding

_COLOURS = {"error": "red", "warning": "yellow", "info": "cyan"}


def register(group: click.Group) -> None:
    """Add ``watch`` to the command."""

    @group.command(epilog="Exit status: 0 nothing was found, 1 something was, 2 unusable input or wrong usage.")
    @click.argument(
        "paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path)
    )
    @click.option(
        "--overdue",
        callback=as_span,
        default="10m",
        metavar="SPAN",
        show_default=True,
        help="How long a run or a call may be open.",
    )
    @click.option("--key", "keys", multiple=True, metavar="PLACE", help="A first key: env:NAME or file:PATH.")
    @click.option("--webhook", metavar="URL", help="POST each finding there, as JSON.")
    @click.option("--command", "program", metavar="CMD", help="Run this for each finding, with the JSON on stdin.")
    @click.option(
        "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True,
        help="One line for each finding: for people, or a JSON object.",
    )  # fmt: skip
    @click.option(
        "--for", "span", callback=as_span, metavar="SPAN", help="Stop after this time; without it, when interrupted."
    )
    def watch(
        *,
        paths: tuple[Path, ...],
        overdue: float,
        keys: tuple[str, ...],
        webhook: str | None,
        program: str | None,
        form: str,
        span: float | None,
    ) -> None:
        r"""Follow growing files and say at once what is wrong.

        Each PATH is read from its beginning and then as it grows, also when it is rotated, moved or truncated. A file
        need not be there yet, its folder must be.

        \b
        It says that
          run_overdue       a run has not ended for as long as --overdue
          call_unanswered   a call has no result for that long, or its run ended without one
          approval_pending  the same for a question to a person
          gap, modified, reordered, duplicate, after_end
                            a sealed stream is broken
          sink_failing      a handler cannot deliver; loss_declared: something is lost
          partial_line, malformed
                            a line is no event any more

        A finding is said once. A webhook or command that fails is said on stderr and changes nothing else.

        \b
        Examples:
          agentlogsafe watch app.jsonl
          agentlogsafe watch app.jsonl --overdue 30m --webhook https://example.com/hook
          agentlogsafe watch app.jsonl --format json --command ./page-someone
        """
        from agentlogsafe._deliver import interruptible  # noqa: PLC0415 -- it loads all that writes
        from agentlogsafe.review.notify import Notifier  # noqa: PLC0415 -- urllib takes 50 ms
        from agentlogsafe.review.watching import Watch  # noqa: PLC0415

        for path in paths:
            if not path.absolute().parent.is_dir():
                msg = f"the folder of {str(path)!r} does not exist"
                raise click.BadParameter(msg, param_hint="'PATH...'")
        try:
            masters = [read_key("--key", key) for key in keys]
            notifier = Notifier(webhook, program, _complain)
        except ConfigurationError as error:
            raise click.UsageError(str(error)) from error
        watched = Watch(paths, overdue=overdue, masters=masters)
        watched.failure = _complain
        stop = threading.Event()
        end = None if span is None else time.monotonic() + span
        found = 0
        try:
            with interruptible(stop.set):
                for finding in watched.follow(stop, end):
                    found += 1
                    line = _as_json(finding)
                    click.echo(line if form == "json" else _as_text(finding))
                    notifier.send(line)
        except AgentLogSafeError as error:
            _complain(str(error))
            raise click.exceptions.Exit(2) from error
        finally:
            with contextlib.suppress(Exception):
                watched.close()
            notifier.close()
        if found:
            raise click.exceptions.Exit(1)


def _complain(sentence: str) -> None:
    click.echo(f"agentlogsafe: {sentence}", err=True)


def _as_json(finding: Finding) -> bytes:
    from agentlogsafe.review.report import as_dict  # noqa: PLC0415

    return orjson.dumps(as_dict(finding), default=str)


def _as_text(finding: Finding) -> str:
    from agentlogsafe._timeline import shown  # noqa: PLC0415

    who = " ".join(shown(name) for name in (finding.agent_name, finding.run_id) if name)
    where = f"{shown(finding.file)}:{finding.line}"
    kind = click.style(finding.kind, _COLOURS.get(finding.severity))
    text = f"{datetime.now().astimezone():%H:%M:%S} {kind} {where} {shown(finding.seen)}"
    return f"{text} ({who})" if who else text
