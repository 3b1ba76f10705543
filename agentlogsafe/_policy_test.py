"""The command ``agentlogsafe policy test``: what a policy does to sample payloads, field by field."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from agentlogsafe.errors import ConfigurationError
from agentlogsafe.events import EVENT_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator

    import click
    from rich.table import Table

    from agentlogsafe.policy_check import Field

_COLOURS = {"kept": "default", "redacted": "green", "digested": "cyan", "omitted": "cyan", "leak": "bold red"}
_LONGEST = 60


class SampleError(ValueError):
    """A file holds no samples."""


def samples(path: Path) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield (name, event type, payload) of the JSON objects in a file: one, an array of them, or one a line.

    An object with ``event_type`` is an event, its ``payload`` (or else its other fields) the sample; any other is a
    payload.

    Raises:
        SampleError: where the file holds something else.
    """
    raw = path.read_bytes()
    try:
        found = orjson.loads(raw)
        objects = found if isinstance(found, list) else [found]
    except orjson.JSONDecodeError:
        try:
            objects = [orjson.loads(line) for line in raw.splitlines() if line.strip()]
        except orjson.JSONDecodeError as error:
            msg = f"{path} is neither JSON nor JSON lines: {error}"
            raise SampleError(msg) from None
    for number, item in enumerate(objects, 1):
        if not isinstance(item, dict):
            msg = f"{path}, sample {number}: expected a JSON object, got {type(item).__name__}"
            raise SampleError(msg)
        name = f"{path.name}:{number}" if len(objects) > 1 else path.name
        if item.get("event_type") in EVENT_TYPES:
            rest = {key: value for key, value in item.items() if key != "event_type"}
            payload = item.get("payload")
            yield name, item["event_type"], payload if isinstance(payload, dict) else rest
        else:
            yield name, "custom", item


def run(policy: str, files: tuple[Path, ...], forbidden: tuple[str, ...], event_type: str | None, as_json: bool) -> int:
    """Print what *policy* makes of the samples in *files*; return how many forbidden fields it lets through."""
    from rich.console import Console  # noqa: PLC0415 -- other commands do without

    from agentlogsafe.policy_check import explain, leaks  # noqa: PLC0415 -- as above

    source: Any = Path(policy) if Path(policy).is_file() else policy
    console = Console()
    outcomes: Counter[str] = Counter()
    leaked = 0
    for path in files:
        for name, kind, payload in samples(path):
            fields = explain(source, payload, event_type or kind)
            bad = leaks(fields, forbidden)
            leaked += len(bad)
            outcomes.update(field.outcome for field in fields)
            if as_json:
                for field in fields:
                    line = {"sample": name, "path": field.path, "outcome": field.outcome, "rule": field.rule}
                    console.file.write(json.dumps({**line, "forbidden": field in bad}) + "\n")
            else:
                console.print(_table(name, event_type or kind, fields, bad))
    if not as_json:
        said = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
        console.print(f"{said or 'no fields'}", highlight=False)
        if forbidden:
            verdict = f"forbidden fields that get through: {leaked}" if leaked else "no forbidden field gets through"
            console.print(verdict, style="bold red" if leaked else "green", highlight=False)
    return leaked


def _table(name: str, kind: str, fields: list[Field], bad: list[Field]) -> Table:
    from rich import box  # noqa: PLC0415 -- as above
    from rich.table import Table  # noqa: PLC0415 -- as above
    from rich.text import Text  # noqa: PLC0415 -- as above

    table = Table(title=f"{name} ({kind})", title_justify="left", box=box.SIMPLE_HEAD, title_style="bold", expand=False)
    for column in ("field", "outcome", "rule", "after"):
        table.add_column(column, overflow="fold")
    for field in fields:
        outcome = "leak" if field in bad else field.outcome
        after = "" if field.after is None else orjson.dumps(field.after).decode()
        shown = after if len(after) <= _LONGEST else f"{after[:_LONGEST]}…"
        cells = (field.path, outcome, field.rule, shown)
        table.add_row(*(Text(cell) for cell in cells), style=_COLOURS[outcome])
    return table


def register(group: click.Group) -> None:
    """Add ``policy test`` to the command."""
    import click  # noqa: PLC0415 -- of the extra 'cli'

    @group.group()
    def policy() -> None:
        """Look at a redaction policy."""

    @policy.command("test", epilog="Exit status: 0 nothing forbidden gets through, 1 something does, 2 wrong usage.")
    @click.argument("policy", metavar="POLICY")
    @click.argument("payloads", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--forbid", multiple=True, metavar="FIELD", help="A field that must not be kept; may be repeated.")
    @click.option(
        "--event-type", type=click.Choice(sorted(EVENT_TYPES)), help="Take all samples as events of this type."
    )
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each field.")
    def test_command(
        policy: str, payloads: tuple[Path, ...], forbid: tuple[str, ...], event_type: str | None, as_json: bool
    ) -> None:
        r"""Show what POLICY makes of the sample PAYLOADS, field by field.

        POLICY is a TOML file or the name of a shipped policy. PAYLOADS are files of JSON: an object, an array of
        objects, or one object a line. An object with an event_type is taken as such an event, any other as a payload.
        Each field is kept, redacted, digested or omitted, and the rule that did it is named.

        A forbidden FIELD is a dotted path, or its last parts; * stands for any part. Exit status 1 says that one of
        them is kept.

        \b
        Examples:
          agentlogsafe policy test standard samples.jsonl
          agentlogsafe policy test policy.toml samples/*.json --forbid email --forbid 'customer.*'
        """
        try:
            leaked = run(policy, payloads, forbid, event_type, as_json)
        except ConfigurationError as error:
            raise click.BadParameter(str(error), param_hint="'POLICY'") from error
        except SampleError as error:
            raise click.BadParameter(str(error), param_hint="'PAYLOADS'") from error
        if leaked:
            raise click.exceptions.Exit(1)
