"""What `agentlogsafe demo` shows: calls beside events, what was redacted, and the timeline of the run."""

from __future__ import annotations

import ast
import inspect
import json
import os
import re
import shlex
import sys
import textwrap
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
import structlog
from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from agentlogsafe._demo_agent import CONFIGURATIONS, WORKFLOWS
from agentlogsafe._timeline import is_plain, timeline
from agentlogsafe.errors import AgentLogSafeError
from agentlogsafe.handler import AuditHandler

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import CodeType

_NARROW = 28  # what an event needs beside its call, or at least

_MASK = re.compile(r"\[[A-Z][A-Z_]*\]")

# In every event, and the same in each: left out of the side-by-side view, where they would hide what differs.
_ALIKE = frozenset(
    "schema_version event_id run_id timestamp agent_name workflow_name parent_event_id level logger policy".split()
)
_ALIKE_LINE = frozenset(("run_id", "parent_event_id", "timestamp"))


class Row(NamedTuple):
    """One call: its source, and the line of JSON it became."""

    written: str
    stored: dict[str, Any]


def run(entry: str, path: Path) -> list[Row]:
    """Run the demo's workflow with logging configured by *entry*, into *path*.

    Raises:
        OSError: when the file cannot be opened.
        AgentLogSafeError: when it cannot be read back, or not all lines are in it, as on a full disk.
    """
    with open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)):
        pass
    if not path.is_file():
        msg = f"{str(path)!r} is no regular file"
        raise AgentLogSafeError(msg)
    workflow = WORKFLOWS[entry]
    lines: list[int] = []
    if entry == "structlog":
        _with_structlog(workflow, path, lines)
    else:
        _with_stdlib(entry, workflow, path, lines)
    stored = path.read_bytes().split(b"\n")[:-1]
    if len(stored) != len(lines):
        msg = f"only {len(stored)} of {len(lines)} lines reached {str(path)!r}"
        raise AgentLogSafeError(msg)
    return [Row(written, orjson.loads(line)) for written, line in zip(_sources(workflow, lines), stored, strict=True)]


def _with_stdlib(entry: str, workflow: Callable[[Any], None], path: Path, lines: list[int]) -> None:
    log: logging.Logger = CONFIGURATIONS[entry](str(path))

    def note(_: logging.LogRecord) -> bool:
        lines.append(_line_in(workflow.__code__))
        return True

    log.addFilter(note)
    try:
        workflow(log)
    finally:
        log.removeFilter(note)
        for handler in list(log.handlers):
            log.removeHandler(handler)
            if isinstance(handler, AuditHandler):
                handler.counters.reported = handler.counters.accepted  # the file has the calls' events, and no report
                handler.close()
            (getattr(handler, "target", None) or handler).close()


def _with_structlog(workflow: Callable[[Any], None], path: Path, lines: list[int]) -> None:
    def note(_: object, __: str, event_dict: structlog.typing.EventDict) -> structlog.typing.EventDict:
        lines.append(_line_in(workflow.__code__))
        return event_dict

    before = structlog.get_config() if structlog.is_configured() else None
    try:
        with path.open("w", encoding="utf-8") as file:
            log = CONFIGURATIONS["structlog"](file)
            structlog.get_config()["processors"].insert(0, note)
            workflow(log)
    finally:
        structlog.reset_defaults()
        if before:
            structlog.configure(**before)


def _line_in(code: CodeType) -> int:
    """Return the line that the running workflow is at."""
    frame = sys._getframe(1)  # noqa: SLF001
    while frame.f_code is not code:
        if frame.f_back is None:  # pragma: no cover -- only the workflow logs
            return 0
        frame = frame.f_back
    return frame.f_lineno


def _sources(workflow: Callable[[Any], None], lines: list[int]) -> Iterator[str]:
    """Yield for each log call, given by its line, the statement that made it.

    A ``with`` block logs twice: when it begins, which its head stands for, and when it ends, which its last statement
    stands for.
    """
    source, first = inspect.getsourcelines(workflow)
    body = ast.parse(textwrap.dedent("".join(source)))
    begun: set[int] = set()
    for line in lines:
        node = _statement(body, line - first + 1)
        start, end = node.lineno, node.end_lineno or node.lineno
        if isinstance(node, ast.With):
            if start not in begun:
                begun.add(start)
                end = node.body[0].lineno - 1
            elif node in body.body[0].body:  # type: ignore[attr-defined]
                yield "# the run's block ends"
                continue
            else:
                last = node.body[-1]
                start, end = last.lineno, last.end_lineno or last.lineno
        yield textwrap.dedent("".join(source[start - 1 : end])).rstrip()


def _statement(tree: ast.AST, line: int) -> ast.stmt:
    """Return the innermost statement that *line* is part of."""
    around = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno)
    ]
    return max(around, key=lambda node: node.lineno)


def show(to: Console, entry: str, path: Path, rows: list[Row]) -> None:
    """Print everything."""
    events = [row.stored for row in rows if "event_type" in row.stored]
    example = next(event for event in events if event["event_type"] == "tool_call")
    for title, part in (
        ("The configuration", _configuration(entry)),
        ("The calls as written, and the events as stored", _side_by_side(rows, to.width)),
        ("One of these events in full", _json(example, max(to.width - 4, _NARROW))),
        ("What was redacted", _redacted(events)),
        ("The timeline of the run", timeline(events, to)),
        ("The file", _next(path, len(rows), entry)),
    ):
        to.print(Rule(Text(title, "bold"), align="left", style="cyan", characters="-" if is_plain(to) else "─"), "")
        to.print(Padding(part, (0, 0, 1, 1)))


def _python(source: str) -> Syntax:
    shown = textwrap.dedent(source).rstrip()
    return Syntax(shown, "python", theme="ansi_dark", background_color="default", word_wrap=True)


def _configuration(entry: str) -> RenderableType:
    # Without the signature and the docstring.
    body = inspect.getsource(CONFIGURATIONS[entry]).split('"""\n', 1)[1]
    return _python(body.replace("return ", "log = "))


def _side_by_side(rows: list[Row], width: int) -> RenderableType:
    # The calls are short lines, so that at 80 columns they still fit beside their events.
    left = max(len(line) for row in rows for line in row.written.splitlines()) + 1
    left = max(left, min(width // 2 - 4, 52))
    right = width - left - 7
    beside = right >= _NARROW
    table = Table(box=box.HORIZONTALS, show_lines=True, show_header=False, padding=(0, 1, 0, 0), border_style="dim")
    if beside:
        table.add_column(width=left)
        table.add_column(width=right)
    else:
        right = max(width - 4, _NARROW)
        table.add_column()
    asked_by = rows[0].stored.get("actor")
    for row in rows:
        alike = _ALIKE if "event_type" in row.stored else _ALIKE_LINE
        left_out: tuple[Any, ...] = (None, {}, asked_by)
        own = {name: value for name, value in row.stored.items() if name not in alike and value not in left_out}
        pair = (_python(row.written), _json(_without_stack(own), right))
        table.add_row(*(pair if beside else [Group(*pair)]))
    note = (
        f"{'On the right' if beside else 'Below each call'}, "
        "nulls and what is alike in every event (ids, time, names, level, policy) are left out. "
        "A call that is no event is stored as an ordinary line, redacted, with the ids of its run."
    )
    return Group(table, Text(note, "dim"))


def _without_stack(event: dict[str, Any]) -> dict[str, Any]:
    error = event.get("payload", {}).get("exception")
    if not isinstance(error, dict):
        return event
    first = error["stacktrace"].partition("\n")[0]
    return {**event, "payload": {**event["payload"], "exception": {**error, "stacktrace": f"{first} ..."}}}


def _json(value: object, width: int) -> Text:
    """Return indented JSON that keeps within *width*, with what was masked standing out."""
    text = Text("\n".join(_json_lines(value, width)))
    text.highlight_regex(r'(?m)^ *"(?:[^"\\]|\\.)*":', "cyan")
    text.highlight_regex(_MASK, "bold magenta")
    return text


def _json_lines(value: object, width: int, indent: str = "", name: str = "", comma: str = "") -> Iterator[str]:
    line = indent + name + json.dumps(value, ensure_ascii=False) + comma
    if len(line) <= width and (indent or not isinstance(value, dict)):
        yield line
    elif isinstance(value, (dict, list)) and value:
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        yield indent + name + opening
        names = [json.dumps(key) + ": " for key in value] if isinstance(value, dict) else [""] * len(value)
        items = list(value.values() if isinstance(value, dict) else value)
        for place, item in enumerate(items):
            yield from _json_lines(item, width, indent + "  ", names[place], "," if place < len(items) - 1 else "")
        yield indent + closing + comma
    else:
        # A long text goes on below its beginning.
        below = indent + "  "
        yield from textwrap.wrap(line, width, subsequent_indent=below, break_on_hyphens=False)


def _redacted(events: list[dict[str, Any]]) -> RenderableType:
    total: Counter[str] = Counter()
    for event in events:
        total.update(event.get("redactions", {}))
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for category, count in total.most_common():
        where = [event["event_type"] for event in events if category in event.get("redactions", {})]
        table.add_row(
            Text(f"[{category}]", "bold magenta"), str(count), Text("in " + ", ".join(dict.fromkeys(where)), "dim")
        )
    return table


def _next(path: Path, count: int, entry: str) -> RenderableType:
    other = "structlog" if entry != "structlog" else "handler"
    quoted = shlex.quote(str(path))
    commands = (
        (f"head -n 2 {quoted}", "the file itself"),
        (f"agentlogsafe demo --entry {other}", "the same events, by another way in"),
        ("echo 'mail jane@example.com' | agentlogsafe redact", "the redaction alone"),
        ("agentlogsafe schema", "the JSON Schema of an event"),
    )
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(overflow="fold")
    for command, what in commands:
        table.add_row(Text(command, "cyan"), Text(what, "dim"))
    told = Text.assemble(f"{count} lines of JSON are in ", (str(path), "bold"), ". Next:\n")
    return Group(told, table)
