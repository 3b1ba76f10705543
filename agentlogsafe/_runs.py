"""The commands ``agentlogsafe runs`` and ``agentlogsafe show``."""

from __future__ import annotations

import os
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import click

from agentlogsafe._timeline import console, is_plain, shown, timeline, tree
from agentlogsafe.review import options, report

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.text import Text

    from agentlogsafe.review.tables import Finding

    Row = Mapping[str, Any]

_MOST = 1_000
_FOLDED = frozenset(("run", "agent"))
_NARROWEST = 13  # of these
_LEFT = frozenset(("run", "start", "status"))
_LEFT_OUT = ("redacted", "tokens", "tools", "start", "events", "took")
"""Columns that go, one after the other, where a terminal is too narrow, or ids are long: two runs that begin in the
same millisecond differ late."""
_SHORTEST = 13
_COLUMNS = (
    *("run_id", "agent_name", "workflow_name", "start", "duration_ms", "status", "events", "tool_calls", "tools"),
    *("input_tokens", "output_tokens", "redactions", "findings", "session_id", "parent_run_id"),
)
_EVENT_COLUMNS = (
    *("event_id", "parent_event_id", "event_type", "timestamp", "agent_name", "provider", "model", "tool_name"),
    *("tool_call_id", "status", "duration_ms", "level", "input_tokens", "output_tokens", "redactions", "problems"),
    *("stream", "seq", "verdict", "file", "line"),
)
_EPILOG = "Exit status: 0 success, 2 unusable input or wrong usage."
_OPEN = "open"


def register(group: click.Group) -> None:
    """Add ``runs`` and ``show`` to the command."""

    @group.command(epilog=_EPILOG)
    @options.loading
    @options.selecting
    @options.formatted
    def runs(form: str, **given: Any) -> None:
        r"""List the runs in stored events, the latest last.

        PATH is what `check` takes: files, folders, patterns, - for standard input; plain, compressed or wrapped.

        Each run has its agent and workflow, when it started and how long it took, its status (open: it has no end),
        how many events and tool calls it has, tokens, redacted values, and what `check` finds in it.

        \b
        Examples:
          agentlogsafe runs app.jsonl
          agentlogsafe runs logs/ --agent refund-agent --since 2h
          agentlogsafe runs app.jsonl --format csv > runs.csv
        """
        chosen = options.selection(given)
        with options.opened(given) as review:
            everything = review.summary("runs")
            found = Counter(finding.run_id for finding in review.findings())
        rows = [_run(row, found) for row in _sorted(chosen.runs(everything))]
        if form == "json":
            report.dump({"runs": rows})
        elif form == "csv":
            report.print_csv(_COLUMNS, rows)
        elif form == "markdown":
            report.print_markdown(_COLUMNS[:-2], rows)
        else:
            _print_runs(rows)

    @group.command(epilog=_EPILOG)
    @click.argument("run_id", metavar="RUN_ID")
    @options.loading
    @options.formatted
    def show(run_id: str, form: str, **given: Any) -> None:
        r"""Show one run: its events as a tree, with when they were and how long they took.

        The beginning of RUN_ID is enough where only one run has it. What `check` finds in the run is said beside the
        event, and below.

        \b
        Examples:
          agentlogsafe show 01a20a31 app.jsonl
          agentlogsafe show 01a20a31 app.jsonl --format json | jq '.events[].event_type'
        """
        with options.opened(given) as review:
            everything = review.summary("runs")
            about = _only(run_id, everything)
            run_id = about["run_id"]
            events = sorted(review.events(run_id=run_id), key=_place)
            findings = report.ordered(item for item in review.findings() if item.run_id == run_id)
        run = _run(about, {run_id: len(findings)})
        run["runs_inside"] = [row["run_id"] for row in _sorted(everything) if row["parent_run_id"] == run_id]
        stored = [{**event, "timestamp": report.time_of(event["ts"])} for event in events]
        if form == "json":
            kept = [{name: event[name] for name in _EVENT_COLUMNS if event[name] is not None} for event in stored]
            report.dump({"run": run, "events": kept, "findings": list(map(report.as_dict, findings))})
        elif form == "csv":
            report.print_csv(_EVENT_COLUMNS, stored)
        elif form == "markdown":
            report.emit("\n".join(f"- {name}: {shown(value)}" for name, value in _about(run)) + "\n")
            rows = ({**event, "event": guides + shown(event["event_type"])} for guides, event in tree(stored))
            report.print_markdown(
                ("event", "tool_name", "model", "status", "timestamp", "duration_ms", "file", "line"), rows
            )
        else:
            _print_run(run, stored, findings)


def _sorted(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row["start"] or 0, str(row["run_id"])))


def _place(event: Row) -> tuple[Any, ...]:
    return (event["ts"] or 0, event["seq"] or 0, event["file"], event["line"])


def _run(row: Row, found: Mapping[str | None, int]) -> dict[str, Any]:
    """Return what is said of a run."""
    made = {**row, "start": report.time_of(row["start"]), "findings": found.get(row["run_id"], 0)}
    if (row["ends"] or 0) < (row["starts"] or 0):
        made["status"] = _OPEN
    if made["duration_ms"] is None and row["start"] is not None and row["last"] is not None:
        made["duration_ms"] = (row["last"] - row["start"]) / 1_000
    return {name: made[name] for name in _COLUMNS}


def _only(run_id: str, rows: Sequence[Row]) -> Row:
    """Return the run that has this id, or the only one whose id begins with it."""
    found = [row for row in rows if str(row["run_id"]).startswith(run_id)]
    exact = [row for row in found if row["run_id"] == run_id]
    if len(exact or found) == 1:
        return (exact or found)[0]
    some = ", ".join(shown(row["run_id"]) for row in _sorted(found or rows)[-5:])
    if found:
        said = f"{len(found)} runs begin with {run_id!r}: {some}{', ...' if len(found) > 5 else ''}"  # noqa: PLR2004
    else:
        said = f"no run begins with {run_id!r}" + (f"; the latest are {some}" if some else "; there are no runs")
    click.echo(f"agentlogsafe: {said}", err=True)
    raise click.exceptions.Exit(2)


def _took(milliseconds: float | None) -> str:
    if milliseconds is None:
        return ""
    seconds = milliseconds / 1_000
    if seconds < 60:  # noqa: PLR2004 -- a minute
        return f"{milliseconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


def _tokens(run: Row) -> str:
    return "" if run["input_tokens"] is None and run["output_tokens"] is None else (
        f"{run['input_tokens'] or 0:,}/{run['output_tokens'] or 0:,}"
    )  # fmt: skip


def _prefix(rows: Sequence[Row]) -> int:
    """Return how many characters tell the ids of all runs apart."""
    ids = sorted(str(row["run_id"]) for row in rows)
    same = max((len(os.path.commonprefix(pair)) for pair in pairwise(ids)), default=0)  # noqa: RUF071 -- that is wanted
    return max(_SHORTEST, same + 1)


def _print_runs(rows: Sequence[Row]) -> None:
    from rich import box  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    to = console()
    if not rows:
        to.print("no runs")
        return
    length = _prefix(rows)
    lines = [_cells(run, length) for run in rows[-_MOST:]]
    widths = {title: max(len(title), *(_width(cells[title]) for cells in lines)) for title in lines[0]}
    widths["agent"] = _NARROWEST  # the rest of a longer name goes below
    for title in _LEFT_OUT:
        if sum(widths.values()) + 2 * len(widths) <= to.width:  # with what is between columns
            break
        del widths[title]
    table = Table(box=box.ASCII if is_plain(to) else box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for title in widths:
        if title in _FOLDED:
            table.add_column(title, overflow="fold", min_width=_NARROWEST)
        else:
            table.add_column(title, no_wrap=True, justify="left" if title in _LEFT else "right")
    for cells in lines:
        table.add_row(*(cells[title] for title in widths))
    to.print(table)
    if len(rows) > _MOST:
        to.print(f"{len(rows) - _MOST:,} earlier runs; --format json or csv has all of them")


def _cells(run: Row, length: int) -> dict[str, Text]:
    """Return what the table says of a run, whose id has so many characters there."""
    from rich.text import Text  # noqa: PLC0415

    who = Text(shown(run["agent_name"])).append(
        f"\n{shown(run['workflow_name'])}" if run["workflow_name"] else "", "dim"
    )
    status = shown(run["status"])
    return {
        "run": Text(shown(run["run_id"])[:length]),
        "agent": who,
        "start": Text(shown(run["start"])[5:16].replace("T", " ")),
        "took": Text(_took(run["duration_ms"])),
        "status": Text(status, {"success": "green", "error": "red"}.get(status, "yellow")),
        "events": Text(f"{run['events']:,}"),
        "tools": Text(f"{run['tool_calls']:,}"),
        "tokens": Text(_tokens(run)),
        "redacted": Text(f"{run['redactions'] or 0:,}"),
        "found": Text(str(run["findings"] or ""), "bold red"),
    }


def _width(cell: Text) -> int:
    return max(line.cell_len for line in cell.split(allow_blank=True))


def _about(run: Row) -> list[tuple[str, str]]:
    said = {
        "run": run["run_id"],
        "agent": run["agent_name"],
        "workflow": run["workflow_name"],
        "session": run["session_id"],
        "inside run": run["parent_run_id"],
        "runs inside": ", ".join(map(str, run["runs_inside"])),
        "start": run["start"],
        "took": _took(run["duration_ms"]),
        "status": run["status"],
        "events": f"{run['events']:,}",
        "tokens": _tokens(run),
        "redacted": f"{run['redactions'] or 0:,}",
    }
    return [(name, str(value)) for name, value in said.items() if value not in (None, "", "0")]


def _print_run(run: Row, events: Sequence[Row], findings: Sequence[Finding]) -> None:
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    to = console()
    grid = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in _about(run):
        grid.add_row(name, Text(shown(value)))
    to.print(grid)
    to.print()
    marks: dict[str, list[str]] = {}
    for finding in findings:
        marks.setdefault(str(finding.event_id), []).append(finding.kind)
    to.print(timeline(events, to, marks))
    if findings:
        to.print()
    for finding in findings:
        said = Text.assemble(
            (finding.kind, "bold red"), f" ({finding.certainty}) {shown(finding.file)}:{finding.line} "
        )
        to.print(said.append(shown(finding.seen)))
