"""The command ``agentlogsafe``: `demo`, `schema`, `redact`, `deliver`, `check` and more.

click and rich come with the extra ``cli`` and are imported when the command runs.
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from agentlogsafe.errors import AgentLogSafeError, ConfigurationError, MissingExtraError

if TYPE_CHECKING:
    import click

_NEEDED = ("click", "rich")


def main() -> None:
    """Run the command; the console script's entry point."""
    try:
        group = commands()
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _NEEDED:
            raise
        missing = MissingExtraError("the command needs click and rich: pip install 'agentlogsafe[cli]'")
        sys.exit(f"agentlogsafe: {missing}")
    try:
        try:
            group(prog_name="agentlogsafe")
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()  # else the interpreter does, and has its own way to say that it failed
    except OSError as error:
        sys.stdout = None  # what is left in it would be tried again
        if isinstance(error, BrokenPipeError):  # the reader has enough
            sys.exit(1)
        place = repr(error.filename) if error.filename else "the output"
        sys.exit(f"agentlogsafe: {place} cannot be read or written: {error.strerror or type(error).__name__}")


def _open_output() -> None:
    import click  # noqa: PLC0415 -- of the extra 'cli'

    if sys.stdout is None:
        raise click.ClickException("standard output is closed")  # noqa: EM101, TRY003 -- what click takes


def commands() -> click.Group:
    """Return the command with its subcommands.

    Raises:
        ModuleNotFoundError: where click or rich is not installed.
    """
    import click  # noqa: PLC0415 -- of the extra 'cli'
    import rich  # noqa: F401, PLC0415 -- the same: say so before a subcommand starts

    @click.group(
        "agentlogsafe",
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        epilog="Exit status: 0 success, 1 the work could not be done, 2 wrong usage.",
    )
    @click.version_option(None, "--version", package_name="agentlogsafe", message="%(prog)s %(version)s")
    def group() -> None:
        """Turn an AI agent's log calls into normalized, redacted audit events.

        The library does its work inside your program; this command shows it, prints its schema, and redacts files.
        """

    @group.command(epilog="Exit status: 0 success, 1 the file cannot be written, 2 wrong usage.")
    @click.option(
        "--output",
        "-o",
        type=click.Path(dir_okay=False, path_type=Path),
        default="agentlogsafe-demo.jsonl",
        show_default=True,
        help="Where the events go; the file is replaced.",
    )
    @click.option(
        "--entry",
        type=click.Choice(["formatter", "handler", "structlog"]),
        default="formatter",
        show_default=True,
        help="How logging is configured. The events are the same.",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print the lines of the file, and nothing else.")
    def demo(output: Path, entry: str, as_json: bool) -> None:
        r"""Run a small agent and show what becomes of its log calls.

        A refund agent calls a model and tools, looks something up, is stopped by a rule, asks a person, and fails, all
        through an ordinary logger. Its calls are shown beside the events as stored, with what was redacted and the
        timeline of the run. Nothing leaves this machine.

        \b
        Examples:
          agentlogsafe demo
          agentlogsafe demo --entry structlog
          agentlogsafe demo --json | jq .event_type
        """
        from agentlogsafe import _demo, _timeline  # noqa: PLC0415 -- the first imports rich

        _open_output()
        try:
            rows = _demo.run(entry, output)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            msg = f"cannot write {str(output)!r}: {reason}; name another file with --output"
            raise click.ClickException(msg) from error
        except AgentLogSafeError as error:
            raise click.ClickException(str(error)) from error
        if as_json:
            sys.stdout.buffer.write(output.read_bytes())
        else:
            _demo.show(_timeline.console(), entry, output, rows)

    @group.command(epilog="Exit status: 0 success, 2 wrong usage.")
    def schema() -> None:
        r"""Print the JSON Schema (2020-12) of an event.

        \b
        Examples:
          agentlogsafe schema > event.schema.json
          agentlogsafe schema | jq '.properties | keys'
        """
        from agentlogsafe.events import json_schema  # noqa: PLC0415

        _open_output()
        click.echo(orjson.dumps(json_schema(), option=orjson.OPT_INDENT_2))

    @group.command(epilog="Exit status: 0 success, 1 some input could not be read or was withheld, 2 wrong usage.")
    @click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, allow_dash=True))
    @click.option("--policy", metavar="FILE", help="A redaction policy in TOML, or the name of a shipped one.")
    @click.option("--counts", is_flag=True, help="Print to stderr how many values were redacted, by category.")
    def redact(files: tuple[str, ...], policy: str | None, counts: bool) -> None:
        r"""Copy FILES, or standard input, to standard output, redacted.

        A line that is a JSON object or array is redacted as JSON, keys and all, and stays JSON; so is one that only
        ends in a JSON object, and a JSON document over several lines. Other lines are redacted as text. A private key
        in PEM form may span lines. Bytes that are no UTF-8 come out as \xNN.

        \b
        Examples:
          agentlogsafe redact app.log > app.redacted.log
          kubectl logs agent | agentlogsafe redact --counts
          agentlogsafe redact --policy policy.toml *.jsonl
        """
        from agentlogsafe._filter import Filter  # noqa: PLC0415

        try:
            filtered = Filter(Path(policy) if policy and Path(policy).is_file() else policy)
        except ConfigurationError as error:
            raise click.BadParameter(str(error), param_hint="'--policy'") from error
        _open_output()
        if sys.stdin is None and "-" in (files or ("-",)):
            raise click.ClickException("standard input is closed")  # noqa: EM101, TRY003 -- what click takes
        out = sys.stdout.buffer
        for name in files or ("-",):
            with nullcontext(sys.stdin.buffer) if name == "-" else Path(name).open("rb") as source:
                for text in filtered.redacted(source):
                    out.write(text.encode("utf-8", "backslashreplace"))
                    out.flush()  # whoever follows a log wants its lines as they come
        if counts:
            for category, count in sorted(filtered.counts.items(), key=lambda item: (-item[1], item[0])):
                click.echo(f"{count:>7} {category}", err=True)
        for problem in filtered.problems:
            click.echo(f"agentlogsafe: {problem}", err=True)
        if filtered.problems:
            raise click.exceptions.Exit(1)

    @group.command(epilog="Exit status: 0 all is delivered, 1 something is left, 2 unusable input or wrong usage.")
    @click.argument("fallback", type=click.Path(path_type=Path))
    @click.option(
        "--config",
        required=True,
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="The application's logging configuration: a dictConfig in YAML or JSON.",
    )
    @click.option("--remove", is_flag=True, help="Remove the files that are delivered to their end.")
    def deliver(fallback: Path, config: Path, remove: bool) -> None:
        r"""Send what the file FALLBACK holds on to the configured handlers, once each.

        Its full files (FALLBACK.1, FALLBACK.2, ...) come first. Each line goes to the target of the AuditHandler whose
        fallback this is; where the configuration has none, to those of all AuditHandlers, or to the root logger's
        handlers. What is no line of JSON is kept aside in FALLBACK.rejected. FALLBACK.progress remembers what is done:
        interrupt the command and repeat it as you like.

        \b
        Examples:
          agentlogsafe deliver audit-fallback.jsonl --config logging.yaml
          agentlogsafe deliver audit-fallback.jsonl --config logging.yaml --remove
        """
        from agentlogsafe import _deliver  # noqa: PLC0415

        try:
            outcome = _deliver.command(fallback, config, remove=remove)
        except (AgentLogSafeError, OSError) as error:
            click.echo(f"agentlogsafe: {error}", err=True)
            raise click.exceptions.Exit(2) from error
        for sentence in _deliver.sentences(fallback, outcome):
            click.echo(sentence, err=True)
        if outcome.left:
            raise click.exceptions.Exit(1)

    from agentlogsafe import _check, _policy_test, _runs, _watch  # noqa: PLC0415 -- they import click, an extra

    for module in (_check, _policy_test, _runs, _watch):
        module.register(group)
    _keep_lines(group)
    return group


def _keep_lines(group: click.Group) -> None:
    """Put in what a raw docstring cannot hold: the character that tells click to leave a paragraph's lines alone."""
    for command in group.commands.values():
        command.help = (command.help or "").replace("\\b\n", "\b\n")
        if hasattr(command, "commands"):
            _keep_lines(command)  # type: ignore[arg-type]
