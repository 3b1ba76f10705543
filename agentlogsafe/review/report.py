"""What a review found, for people and for pipes: a summary and the findings; as text, JSON, CSV or Markdown."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import orjson

from agentlogsafe._timeline import console, is_plain, shown
from agentlogsafe.review.tables import SEVERITIES, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import Console

FORMATS = ("text", "json", "csv", "markdown")
_COLOURS = {"error": "bold red", "warning": "yellow", "info": "cyan"}
_MOST = 20  # findings of a kind that are shown to people: many are of one cause, and hide the others
_SHORT = 13
_MICROSECONDS = 1_000_000
# What a spreadsheet would take for a formula (OWASP, "CSV Injection").
_FORMULA = re.compile(r"[=+\-@\t\r]")


def time_of(microseconds: int | None) -> str | None:
    """Return a time as RFC 3339 in UTC."""
    if microseconds is None:
        return None
    try:
        found = datetime.fromtimestamp(microseconds // _MICROSECONDS, timezone.utc)
    except (OverflowError, ValueError, OSError):
        return None
    return f"{found:%Y-%m-%dT%H:%M:%S}.{microseconds % _MICROSECONDS:06d}Z"


def verdict(findings: Sequence[Finding], totals: Mapping[str, Any]) -> str:
    """Return the outcome in a few words."""
    if not findings:
        return "clean" if totals["events"] else "no events"
    counts = Counter(finding.severity for finding in findings)
    said = ", ".join(f"{counts[name]} {name}" for name in SEVERITIES if counts[name])
    return f"{len(findings)} {'finding' if len(findings) == 1 else 'findings'} ({said})"


def as_dict(finding: Finding) -> dict[str, Any]:
    """Return a finding as it is written in JSON: without nulls, the time as text."""
    made = {**finding._asdict(), "time": time_of(finding.ts)}
    del made["ts"]
    return {name: value for name, value in made.items() if value is not None}


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Return *findings*, the worst first, then by place."""
    rank = {name: number for number, name in enumerate(SEVERITIES)}
    return sorted(findings, key=lambda item: (rank.get(item.severity, 9), item.kind, item.file or "", item.line or 0))


def write(
    findings: Sequence[Finding],
    totals: Mapping[str, Any],
    sources: Sequence[Mapping[str, Any]],
    form: str = "text",
) -> None:
    """Print what was found.

    Args:
        findings: those to be shown.
        totals: the row of the summary ``totals``.
        sources: the rows of ``sources``.
        form: one of `FORMATS`. CSV has the findings only.
    """
    findings = ordered(findings)
    about = summary(findings, totals, sources)
    columns = ("kind", "severity", "certainty", "run_id", "file", "line", "seen", "expected")
    if form == "json":
        numbers = {**about, "files": list(sources)}
        dump({"verdict": verdict(findings, totals), "summary": numbers, "findings": list(map(as_dict, findings))})
    elif form == "csv":
        names = [name if name != "ts" else "time" for name in Finding._fields]
        print_csv(names, ({**item._asdict(), "time": time_of(item.ts)} for item in findings))
    elif form == "markdown":
        lines = [f"**{verdict(findings, totals)}**", "", *(f"- {name}: {value}" for name, value in about.items()), ""]
        emit("\n".join(lines))
        if findings:
            print_markdown(columns, (item._asdict() for item in findings))
    else:
        _print_text(console(), findings, about, verdict(findings, totals))


def summary(
    findings: Sequence[Finding], totals: Mapping[str, Any], sources: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the numbers that stand above the findings, by name; what there is none of is left out."""
    files = len(sources)
    size = sum(row["bytes"] or 0 for row in sources)
    about = {
        "files": f"{files:,} ({_size(size)})",
        "lines": _count(sum(row["lines"] or 0 for row in sources)),
        "events": _count(totals["events"]),
        "lines of others": _count(sum(row["foreign"] or 0 for row in sources)),
        "streams": _count(totals["streams"]),
        "sealed events": _sealed(totals),
        "runs": _count(totals["runs"]),
        "from": time_of(totals["first_ts"]),
        "to": time_of(totals["last_ts"]),
    }
    unread = [f"{row['file']}: {row['error']}" for row in sources if row["error"]]
    if unread:
        about["not read"] = "; ".join(unread)
    kinds = Counter(finding.kind for finding in findings)
    if kinds:
        about["findings"] = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    return {name: value for name, value in about.items() if value not in (None, "0")}


def _count(number: int | None) -> str:
    return f"{number or 0:,}"


def _sealed(totals: Mapping[str, Any]) -> str | None:
    sealed, verified = totals["sealed"] or 0, totals["verified"] or 0
    if not sealed:
        return None
    return f"{sealed:,}" if verified == sealed else f"{sealed:,}, {verified:,} of them verified"


def _size(number: float) -> str:
    for unit in ("bytes", "KB", "MB", "GB"):
        if number < 1_000:  # noqa: PLR2004
            return f"{number:.0f} {unit}" if unit == "bytes" else f"{number:.1f} {unit}"
        number /= 1_000
    return f"{number:.1f} TB"


def _print_text(to: Console, findings: Sequence[Finding], about: Mapping[str, Any], outcome: str) -> None:
    from rich import box  # noqa: PLC0415 -- as in `console`
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    grid = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in about.items():
        grid.add_row(name, Text(shown(value)))
    worst = findings[0].severity if findings else "clean"
    grid.add_row("verdict", Text(outcome, _COLOURS.get(worst, "bold green")))
    to.print(grid)
    if not findings:
        return
    table = Table(box=box.ASCII if is_plain(to) else box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("finding", no_wrap=True)
    table.add_column("sure", no_wrap=True)
    table.add_column("where", overflow="fold", ratio=2)
    table.add_column("seen, and what was expected", overflow="fold", ratio=4)
    kinds: Counter[str] = Counter()
    for finding in findings:
        kinds[finding.kind] += 1
        if kinds[finding.kind] > _MOST:
            continue
        where = Text(shown(finding.file)).append("" if finding.line is None else f":{finding.line}")
        if finding.run_id is not None:
            where.append(f"\nrun {shown(finding.run_id)}", "dim")
        elif finding.stream is not None:
            where.append(f"\nstream {shown(finding.stream)}", "dim")
        what = Text(shown(finding.seen))
        if finding.expected is not None:
            what.append(f"\nexpected: {shown(finding.expected)}", "dim")
        table.add_row(Text(finding.kind, _COLOURS.get(finding.severity, "")), finding.certainty, where, what)
    to.print(table)
    more = {kind: number - _MOST for kind, number in kinds.items() if number > _MOST}
    if more:
        of = ", ".join(f"{number:,} {kind}" for kind, number in more.items())
        to.print(f"{sum(more.values()):,} more findings ({of}); --format json or csv has all of them")


def dump(value: object) -> None:
    """Print JSON, indented."""
    emit(orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode())


def print_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Print rows as CSV (RFC 4180) with a header."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in columns])
    emit(text.getvalue().removesuffix("\n"))


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = shown(value)
    return f"'{text}" if _FORMULA.match(text) else text


def print_markdown(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Print rows as a table in Markdown."""
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    lines += ["| " + " | ".join(_escaped(row.get(name)) for name in columns) + " |" for row in rows]
    emit("\n".join(lines))


def _escaped(value: object) -> str:
    return re.sub(r"([\\|`*_<>\[\]])", r"\\\1", shown(value))


def emit(text: str) -> None:
    """Print *text* as it is."""
    import click  # noqa: PLC0415 -- of the extra 'cli'

    click.echo(text)


def short(run_id: object) -> str:
    """Return the beginning of an id, for a table."""
    return shown(run_id)[:_SHORT]
