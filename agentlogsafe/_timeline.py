"""A run as a tree in the terminal: each event under its parent, with when it was and how long it took."""

from __future__ import annotations

import io
import os
import re
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

from agentlogsafe.events import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    Stored = Mapping[str, Any]

_WIDEST = 120
_PIPED = 100
_GUIDES = ("├─ ", "└─ ", "│  ", "   ")
_ASCII_GUIDES = ("|- ", "`- ", "|  ", "   ")
_DEEPEST = 40
# Controls, 8-bit ones too, what breaks a line, and what turns the direction of the text around it.
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_COLOURS = {
    **dict.fromkeys(("success", "approved", "allowed", "ok"), "green"),
    **dict.fromkeys(("error", "failed", "denied", "rejected", "blocked", "timeout"), "red"),
}


def console() -> Console:
    """Return a console for stdout: as wide as the terminal, up to a limit, and plain where it is no terminal."""
    from rich.console import Console  # noqa: PLC0415 -- a quarter of the time that a small command takes

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a path can hold what an ASCII terminal cannot
    made = Console(highlight=False)
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made.width = _PIPED
    made.width = min(made.width, _WIDEST)
    return made


def is_plain(to: Console) -> bool:
    """Return whether *to* can only print ASCII."""
    return to.options.ascii_only


def timeline(events: Sequence[Stored], to: Console, marks: Mapping[str, Sequence[str]] | None = None) -> Table:
    """Return a table of *events*, in the order of their tree.

    Args:
        events: of one run, in their order; fields may be missing or be of any kind.
        to: where the table is printed.
        marks: findings by ``event_id``, printed beside the event.
    """
    from rich.table import Table  # noqa: PLC0415 -- as above
    from rich.text import Text  # noqa: PLC0415 -- as above

    point, stroke = (".", "=") if is_plain(to) else ("·", "━")
    nodes = list(tree(events, _ASCII_GUIDES if is_plain(to) else _GUIDES))
    labels = [_label(guides, event) for guides, event in nodes]
    noted = [", ".join((marks or {}).get(str(event.get("event_id")), ())) for _, event in nodes]
    times = [milliseconds(event.get("timestamp")) for _, event in nodes]
    known = [time for time in times if time is not None]
    begin = min(known, default=0.0)
    whole = max((time - begin for time in known), default=0.0) or 1.0
    taken = max((label.cell_len for label in labels), default=0) + max(map(len, noted), default=0)
    room = max(to.width - taken - 36, 8)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for title in ("event", "status"):
        table.add_column(title, no_wrap=True, overflow="crop")
    for title in ("at ms", "took ms"):
        table.add_column(title, no_wrap=True, overflow="crop", justify="right")
    table.add_column("", no_wrap=True, overflow="crop")
    if any(noted):
        table.add_column("findings", style="bold red", overflow="fold")
    for label, note, time, (_, event) in zip(labels, noted, times, nodes, strict=True):
        at, took = None if time is None else time - begin, event.get("duration_ms")
        took = took if isinstance(took, (int, float)) else None
        length = min(max(1, round((took or 0) / whole * room)), room)
        start = max(min(round(((at or 0) - (took or 0)) / whole * room), room - length), 0)
        bar = Text(" " * start).append(point if took is None else stroke * length, "dim" if took is None else "green")
        cells = (label, _status(event), "" if at is None else f"{at:.0f}", "" if took is None else f"{took:.0f}", bar)
        table.add_row(*cells, *([Text(note)] if any(noted) else []))
    return table


def tree(events: Iterable[Stored], glyphs: tuple[str, str, str, str] = _GUIDES) -> Iterator[tuple[str, Stored]]:
    """Yield every event once, parents before children, each with the guides in front of it.

    An event whose parent is not there stands at the top, and so does one of those that are each other's parents.
    """
    tee, corner, bar, space = glyphs
    stored = list(events)
    ids = {event.get("event_id") for event in stored}
    below: dict[object, list[int]] = {}
    for number, event in enumerate(stored):
        parent = event.get("parent_event_id")
        below.setdefault(parent if parent in ids and parent != event.get("event_id") else None, []).append(number)
    seen: set[int] = set()
    # Last come the circles: whatever was not reached from a root.
    for root in (*below.get(None, ()), *range(len(stored))):
        waiting = [(root, "", "")]
        while waiting:
            number, guides, under = waiting.pop()
            if number in seen:
                continue
            seen.add(number)
            yield guides, stored[number]
            own = stored[number].get("event_id")
            found = [child for child in below.get(own, ()) if child not in seen] if own is not None else []
            deep = len(under) >= _DEEPEST * len(bar)
            for child in reversed(found):
                last = child == found[-1]
                line = (under, under) if deep else (under + (corner if last else tee), under + (space if last else bar))
                waiting.append((child, *line))


def shown(value: object) -> str:
    """Return a stored value as one line that cannot steer a terminal; nothing for None."""
    from agentlogsafe.redaction.visible import visible  # noqa: PLC0415 -- as above

    return "" if value is None else _UNFIT.sub(visible, str(value))


def _label(guides: str, event: Stored) -> Text:
    from rich.text import Text  # noqa: PLC0415 -- as above

    label = Text(guides, "dim").append(shown(event.get("event_type")), "bold")
    about = event.get("tool_name") or event.get("model") or ("" if guides else event.get("agent_name"))
    return label.append(f" {shown(about)}", "cyan") if about else label


def _status(event: Stored) -> Text:
    from rich.text import Text  # noqa: PLC0415 -- as above

    status = shown(event.get("status"))
    return Text(status, _COLOURS.get(status, "yellow"))


def milliseconds(timestamp: object) -> float | None:
    """Return a time in RFC 3339 as milliseconds since the epoch; None for what is none."""
    if isinstance(timestamp, datetime):
        return timestamp.timestamp() * 1000
    try:
        return parse_time(str(timestamp)).timestamp() * 1000
    except (ValueError, OverflowError):
        return None
