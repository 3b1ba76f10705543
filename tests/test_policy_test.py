"""The command ``agentlogsafe policy test``."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from agentlogsafe.cli import commands

SAMPLES = [
    {"args": {"email": "jane@example.com", "limit": 10}, "password": "hunter2"},
    {"event_type": "model_call", "payload": {"prompt": "what does jane@example.com want"}},
    {"event_type": "decision", "reason": "fine"},
]


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "samples.jsonl").write_text("\n".join(map(json.dumps, SAMPLES)))
    (tmp_path / "one.json").write_text(json.dumps(SAMPLES[0], indent=1))
    (tmp_path / "array.json").write_text(json.dumps(SAMPLES))
    (tmp_path / "broken.json").write_text("{nothing")
    (tmp_path / "numbers.json").write_text("[1, 2]")
    (tmp_path / "policy.toml").write_text('name = "mine"\n[[content]]\nfields = ["prompt"]\nmode = "omit"\n')

    def invoke(*args):
        return CliRunner().invoke(commands(), ["policy", "test", *args])

    return invoke


def test_fields_and_rules(run):
    """Every field is shown with what became of it and why; values that went are not shown."""
    result = run("standard", "samples.jsonl")

    assert result.exit_code == 0, result.output
    assert "hunter2" not in result.output
    assert "jane@example.com" not in result.output
    for text in ("samples.jsonl:1 (custom)", "args.limit", "key 'password'", "detector EMAIL", "(decision)"):
        assert text in result.output


@pytest.mark.parametrize(("file", "count"), [("samples.jsonl", 5), ("array.json", 5), ("one.json", 3)])
def test_shapes_of_files(run, file, count):
    """A file holds one object, an array of them, or one a line; --json prints a line for each field."""
    result = run("standard", file, "--json")

    assert len([json.loads(line) for line in result.output.splitlines()]) == count


def test_policy_file(run):
    """A policy of one's own decides by event type."""
    result = run("policy.toml", "samples.jsonl", "--json")

    found = {line["path"]: line["outcome"] for line in map(json.loads, result.output.splitlines())}
    assert found["prompt"] == "omitted"


def test_forbidden(run):
    """A forbidden field that is kept makes the exit status 1; one that is redacted does not."""
    assert run("standard", "one.json", "--forbid", "password", "--forbid", "email").exit_code == 0
    result = run("standard", "one.json", "--forbid", "limit")
    assert result.exit_code == 1
    assert "forbidden fields that get through: 1" in result.output


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("standrad", "one.json"), "standard"),
        (("standard", "broken.json"), "neither JSON nor JSON lines"),
        (("standard", "numbers.json"), "expected a JSON object, got int"),
        (("standard", "missing.json"), "does not exist"),
    ],
    ids=["policy", "broken", "numbers", "missing"],
)
def test_wrong_usage(run, args, message):
    """Wrong usage is explained, with exit status 2."""
    result = run(*args)

    assert result.exit_code == 2
    assert message in result.output
