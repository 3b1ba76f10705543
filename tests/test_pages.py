"""What the docs list is what the code has."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields

import click
import pytest

import agentlogsafe
from agentlogsafe import cli, events
from agentlogsafe.settings import Settings
from tests.conftest import ROOT


def page(name):
    """The text of a page."""
    return (ROOT / "docs" / name).read_text("utf-8")


def rows(text, heading):
    """The cells of the table whose first heading is *heading*, without its heading."""
    table = re.search(rf"^\| {re.escape(heading)} \|.*\n\|[ -|]*\n((?:\|.*\n)+)", text, re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|\n").split("|")] for line in table[1].splitlines()]


def names(cell):
    """What stands in backticks in a cell."""
    return re.findall(r"`([^`(]+)[^`]*`", cell)


class TestEvents:
    def test_types(self):
        """Every event type is listed."""
        listed = [name for row in rows(page("events.md"), "Type") for name in names(row[0])]

        assert listed == list(events._BUILT_IN_TYPES)

    def test_fields(self):
        """Every field of the schema is listed, the base fields first, in their order."""
        first, second = page("events.md").split("These only where they are known:")
        base = [name for row in rows(first[first.index("These are always there") :], "Field") for name in names(row[0])]
        optional = [name for row in rows(second, "Field") for name in names(row[0])]

        assert base == list(events.BASE_FIELDS)
        assert optional == list(events.OPTIONAL_FIELDS)
        assert base + optional == list(agentlogsafe.json_schema()["properties"])

    def test_aliases(self):
        """Every alias is listed with the place that it has."""
        listed = {name: row[1].strip("`") for row in rows(page("events.md"), "Given") for name in names(row[0])}
        fields_of = {name: place for name, (_, place) in events._FIELDS.items() if "." in name}
        payload = {name: f"payload.{place}" for name, place in events._PAYLOAD_ALIASES.items()}

        assert listed == {**fields_of, **payload}


def test_methods_of_agent_logger():
    """Every public method has a row, with its own arguments."""
    listed = {names(row[0])[0]: row for row in rows(page("agent-logger.md"), "Method")}
    methods = dict(inspect.getmembers(agentlogsafe.AgentLogger, inspect.isfunction))
    public = {name for name in methods if not name.startswith("_")}

    assert set(listed) == public - {"run", "step"}
    for name, row in listed.items():
        arguments = set(inspect.signature(methods[name]).parameters) - {"self", "fields", "level", "exc_info"}
        assert arguments <= set(re.findall(r"\w+", " ".join(row))), name


def test_settings():
    """Every setting and every limit has a row, and the default that it has."""
    text = page("settings-and-errors.md")

    assert [names(row[0])[0] for row in rows(text, "Setting")] == [field.name for field in fields(Settings)]
    defaults = {names(row[0])[0]: int(row[2]) for row in rows(text, "Limit")}
    assert defaults == {field.name: field.default for field in fields(agentlogsafe.Limits)}


def test_api():
    """Every public name is on the page."""
    listed = set(re.findall(r":: agentlogsafe\.(\w+)", page("api.md")))

    assert listed == {*agentlogsafe.__all__, "testing"}


@pytest.mark.parametrize("name", sorted(cli.commands().commands))
def test_command(name):
    """Every subcommand has a section that names its options."""
    section = page("cli.md").split(f"\n## {name}\n")[1].split("\n## ")[0]
    command = cli.commands().commands[name]

    for option in command.params:
        if isinstance(option, click.Option):
            assert option.opts[0] in section


def test_readme_links():
    """Every page that the README links to exists."""
    links = re.findall(r"\]\(((?!http)[^)#]+)", (ROOT / "README.md").read_text("utf-8"))

    assert links
    for link in links:
        assert (ROOT / link).exists(), link
