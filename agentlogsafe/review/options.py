"""The options that the commands of the reading wing share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from agentlogsafe.errors import ConfigurationError
from agentlogsafe.review.report import FORMATS
from agentlogsafe.review.selection import Selection, moment, seconds

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")
T = TypeVar("T")


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
