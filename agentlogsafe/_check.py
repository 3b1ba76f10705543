"""The command ``agentlogsafe check``: what is wrong with stored events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from agentlogsafe.review import options, report

if TYPE_CHECKING:
    from agentlogsafe.review.tables import Finding

_EPILOG = "Exit status: 0 clean, 1 something was found, 2 unusable input or wrong usage."


def register(group: click.Group) -> None:
    """Add ``check`` to the command."""

    @group.command(epilog=_EPILOG)
    @options.loading
    @click.option("--scan", is_flag=True, help="Look for values, too, that should not be stored.")
    @click.option(
        "--policy", metavar="FILE", help="For --scan: a redaction policy in TOML, or the name of a shipped one."
    )
    @options.selecting
    @options.formatted
    def check(form: str, scan: bool, policy: str | None, **given: Any) -> None:
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
        from agentlogsafe.review.sources import is_pipe  # noqa: PLC0415 -- it loads much that --help does without

        chosen = options.selection(given)
        paths = given["paths"]
        if scan and any(path == "-" or is_pipe(path) for path in paths):
            msg = "--scan reads its input again: name a file instead of standard input or a pipe"
            raise click.UsageError(msg)
        with options.opened(given, details=False) as review:
            found = review.findings()
            if scan:
                found += _scanned(paths, policy)
            if not chosen.is_everything:
                found = chosen.findings(found, review.summary("runs"), review.summary("run_streams"))
            totals, sources = review.summary("totals")[0], review.sources()
        report.write(found, totals, sources, form)
        if found or not totals["events"]:
            raise click.exceptions.Exit(1 if found else 2)


def _scanned(paths: tuple[str, ...], policy: str | None) -> list[Finding]:
    from agentlogsafe.review.scan import scan  # noqa: PLC0415 -- it loads detectors
    from agentlogsafe.review.sources import find  # noqa: PLC0415 -- as above

    return scan(find(paths), policy)
