"""What was found, as it is printed: for people, for programs, and for nobody to be fooled by."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

from agentlogsafe.cli import commands
from agentlogsafe.review import engines, report
from agentlogsafe.review.check import Review
from agentlogsafe.review.tables import Finding
from tests.helpers import unmeasured
from tests.review import logs

TOTALS = {"events": 1200, "runs": 3, "streams": 1, "sealed": 10, "verified": 9, "first_ts": 0, "last_ts": 1_500_000}
SOURCES = [
    {"file": "a.jsonl", "bytes": 2_500, "lines": 1300, "events": 1200, "rejects": 0, "foreign": 100, "error": None}
]


def finding(**given):
    return Finding(
        **{**dict.fromkeys(Finding._fields), "kind": "gap", "severity": "error", "certainty": "certain", **given}
    )


def written(capsys, findings, form):
    report.write(findings, TOTALS, SOURCES, form)
    return capsys.readouterr().out


@pytest.fixture
def findings():
    return [
        finding(kind="run_unended", severity="warning", run_id="r", file="a.jsonl", line=3, seen="x", ts=1_000_001),
        finding(file="a.jsonl", line=9, seen="events 3 to 4 are missing", expected="none", stream="s", affected=2),
    ]


def test_text(capsys, findings, monkeypatch):
    """First the numbers and the verdict, then the findings, the worst first; plain where it is no terminal."""
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    out = written(capsys, findings, "text")

    assert "\x1b" not in out
    order = ["1,200", "10, 9 of them verified", "2 findings (1 error, 1 warning)", "a.jsonl:9", "a.jsonl:3"]
    assert [out.index(text) for text in order] == sorted(out.index(text) for text in order)


def test_clean(capsys):
    """Nothing found is said in one word; no input is not clean."""
    assert "clean" in written(capsys, [], "text")
    assert report.verdict([], {**TOTALS, "events": 0}) == "no events"


def test_json(capsys, findings):
    """One document: the verdict, the numbers, the findings without nulls."""
    out = json.loads(written(capsys, findings, "json"))

    assert out["verdict"] == "2 findings (1 error, 1 warning)"
    assert out["findings"][1] == {
        "kind": "run_unended", "severity": "warning", "certainty": "certain", "run_id": "r", "file": "a.jsonl",
        "line": 3, "seen": "x", "time": "1970-01-01T00:00:01.000001Z",
    }  # fmt: skip


def test_csv(capsys, findings):
    """A header and a row for each finding; what a spreadsheet would calculate is a text."""
    rows = list(csv.DictReader(io.StringIO(written(capsys, [*findings, finding(seen="=1+1")], "csv"))))

    assert [row["kind"] for row in rows] == ["gap", "gap", "run_unended"]
    assert "'=1+1" in {row["seen"] for row in rows}


def test_markdown(capsys):
    """A table whose cells cannot end it or be marked up."""
    out = written(capsys, [finding(seen="a | b\n<b> [x](y)")], "markdown")

    assert out.splitlines()[-1].count(" | ") == 7
    assert "<b>" not in out.replace("\\<b\\>", "")


@pytest.mark.parametrize("form", ["text", "csv", "markdown"])
def test_nothing_steers_the_terminal(capsys, form):
    """Stored values are shown and do not act (pitfall 38)."""
    out = written(capsys, [finding(seen="\x1b[2J\x9b\u202e", file="\x1b]0;x\x07.jsonl", line=1)], form)

    assert not set("\x1b\x9b\u202e\x07") & set(out)


def test_many(capsys, monkeypatch):
    """Of each kind, people see some, and are told where all of it is: one cause does not hide another."""
    monkeypatch.setattr(report, "_MOST", 2)
    found = [finding(line=n, file="f") for n in range(5)]
    out = written(capsys, [*found, finding(kind="malformed", line=7, file="f")], "text")

    assert f"3 more findings (3 {found[0].kind})" in " ".join(out.split())
    assert [f"f:{n}" in out for n in (0, 1, 2, 3, 4, 7)] == [True, True, False, False, False, True]
    assert len(json.loads(written(capsys, [finding(line=n) for n in range(5)], "json"))["findings"]) == 5


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(tmp_path, number):
    """A signal ends the command with its status, without a traceback, and nothing stays in TMPDIR."""
    lines = b"".join(line for seed in range(300) for line in logs.sealed(logs.rng(seed)))
    command = [sys.executable, "-c", "from agentlogsafe.cli import main; main()", "check", "-"]
    env = {**unmeasured(), "TMPDIR": str(tmp_path)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=env, **pipes) as process:
        process.stdin.write(lines)
        process.stdin.flush()
        while not list(tmp_path.iterdir()):
            time.sleep(0.01)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)

    assert (out, err, process.returncode) == (b"", b"", 128 + number)
    assert list(tmp_path.iterdir()) == []


def test_too_little_memory(tmp_path, monkeypatch):
    """Where DuckDB runs out of memory, the command says what can be done, and ends with exit status 2."""
    (tmp_path / "log").write_bytes(b"".join(logs.sealed(logs.rng(1))))
    monkeypatch.setattr(engines, "MEMORY", 1)

    done = CliRunner().invoke(commands(), ["check", str(tmp_path / "log")])

    assert (done.exit_code, done.stdout) == (2, "")
    assert "--engine spark" in done.stderr


def test_memory_of_a_large_input(tmp_path, monkeypatch):
    """A large input has more than a small one, and what it finds is the same."""
    (tmp_path / "log").write_bytes(b"".join(logs.sealed(logs.rng(1))[1:]))
    with Review.load([tmp_path / "log"]) as review:
        expected = review.findings()
    monkeypatch.setattr(engines, "LARGE", 0)
    with Review.load([tmp_path / "log"]) as review:
        assert review.findings() == expected
