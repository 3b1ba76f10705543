"""The commands `runs`, `show` and `check --scan`: what they print, for people and for pipes."""

from __future__ import annotations

import csv
import io
import json

import pytest
from click.testing import CliRunner

from agentlogsafe import cli
from agentlogsafe.review import scan, sources
from tests.helpers import EMAIL, clean
from tests.review.programs import stored

PROGRAM = [
    [("call", "tool_call", "sql", "step"), ("run", [("event", "decision")])],
    [("call", "model_call", "sql", "id")],
]


def run(*arguments):
    return CliRunner().invoke(cli.commands(), [str(argument) for argument in arguments])


@pytest.fixture
def path(tmp_path):
    """Three runs, one inside of another; the last has no end."""
    path = tmp_path / "app.jsonl"
    write(path, stored(PROGRAM)[:-1])
    return path


def write(path, events):
    path.write_text("".join(json.dumps(event) + "\n" for event in events))


def ids(path):
    return list(dict.fromkeys(json.loads(line)["run_id"] for line in path.read_text().splitlines()))


class TestRuns:
    def test_json(self, path):
        """One object for each run, the latest last."""
        rows = json.loads(run("runs", path, "--format", "json").stdout)["runs"]

        assert [row["run_id"] for row in rows] == ids(path)
        assert [row["agent_name"] for row in rows] == ["agent-0", "inner", "agent-1"]
        assert [row["status"] for row in rows] == ["success", "success", "open"]
        assert [(row["events"], row["tool_calls"], row["findings"]) for row in rows] == [
            (4, 1, 0),
            (3, 0, 0),
            (3, 0, 1),
        ]
        assert rows[1]["parent_run_id"] == rows[0]["run_id"]

    @pytest.mark.parametrize("width", ["80", "100", "200"])
    def test_text(self, path, monkeypatch, width):
        """A line for each run; the ids are as long as it takes to tell them apart."""
        monkeypatch.setenv("COLUMNS", width)
        done = run("runs", path)

        assert done.exit_code == 0
        assert "\x1b" not in done.stdout
        for name in ("agent-0", "inner", "agent-1", "success", "open"):
            assert name in done.stdout
        assert all(run_id[:13] in done.stdout for run_id in ids(path))

    @pytest.mark.parametrize("width", ["60", "80", "100", "200"])
    def test_ids_that_differ_late(self, path, monkeypatch, width):
        """Runs that began in the same millisecond can be told apart, and what else there is to say is said."""
        told = path.read_text()
        for number, run_id in enumerate(ids(path)):
            told = told.replace(run_id, f"01a226f8-d107-746f-b248-17013ce42d2{number}")
        path.write_text(told)
        monkeypatch.setenv("COLUMNS", width)

        shown = run("runs", path).stdout

        assert max(map(len, shown.splitlines())) <= int(width)
        whole = ids(path) if int(width) > len("run, agent, status and found") + 36 else ()
        for name in (*whole, "agent-0", "inner", "agent-1", "success", "open", "found"):
            assert name in shown

    def test_csv_and_markdown(self, path):
        """The same rows, for spreadsheets and for pages."""
        rows = list(csv.DictReader(io.StringIO(run("runs", path, "--format", "csv").stdout)))
        lines = run("runs", path, "--format", "markdown").stdout.splitlines()

        assert [row["run_id"] for row in rows] == ids(path)
        assert len(lines) == 5

    @pytest.mark.parametrize(
        ("options", "agents"),
        [
            (["--agent", "inner"], ["inner"]),
            (["--workflow", "test"], ["agent-0", "inner", "agent-1"]),
            (["--since", "2000-01-01", "--until", "2000-01-02"], []),
            (["--since", "1h"], ["agent-0", "inner", "agent-1"]),
        ],
    )
    def test_selection(self, path, options, agents):
        """By agent, workflow and time."""
        rows = json.loads(run("runs", path, *options, "--format", "json").stdout)["runs"]

        assert [row["agent_name"] for row in rows] == agents

    def test_nothing(self, tmp_path):
        """What cannot be read is exit status 2; no runs are no error."""
        (tmp_path / "empty.jsonl").write_text("hello\n")

        assert run("runs", tmp_path / "empty.jsonl").stdout == "no runs\n"
        assert run("runs", tmp_path / "none.jsonl").exit_code == 2
        assert run("runs", tmp_path / "empty.jsonl", "--since", "soon").exit_code == 2


class TestShow:
    def test_tree(self, path):
        """Events under their parents, with findings beside them and below."""
        done = run("show", ids(path)[2], path)

        assert done.exit_code == 0
        assert "├─ model_call sql" in done.stdout
        assert "run_unended" in done.stdout
        assert "status    open" in done.stdout

    def test_prefix(self, path):
        """The beginning of an id is enough, if it is that of one run only."""
        whole = ids(path)
        length = next(n for n in range(1, 37) if sum(one.startswith(whole[1][:n]) for one in whole) == 1)

        assert json.loads(run("show", whole[1][:length], path, "--format", "json").stdout)["run"]["run_id"] == whole[1]
        ambiguous = run("show", whole[1][:2], path)
        assert ambiguous.exit_code == 2
        assert all(one in ambiguous.stderr for one in whole)

    def test_json(self, path):
        """The run, its events in order, and its findings."""
        out = json.loads(run("show", ids(path)[0], path, "--format", "json").stdout)

        assert [event["event_type"] for event in out["events"]] == ["run_start", "tool_call", "tool_result", "run_end"]
        assert out["run"]["runs_inside"] == [ids(path)[1]]
        assert out["findings"] == []

    @pytest.mark.parametrize("form", ["csv", "markdown"])
    def test_other_forms(self, path, form):
        """A row for each event."""
        done = run("show", ids(path)[0], path, "--format", form)

        assert done.exit_code == 0
        assert "tool_result" in done.stdout.replace("\\_", "_")

    def test_unknown(self, path):
        """A run that is not there is exit status 2, with those that are."""
        done = run("show", "zzz", path)

        assert done.exit_code == 2
        assert ids(path)[0] in done.stderr


class TestScan:
    def test_exposed(self, tmp_path):
        """What should not be there is named by category and place, and not shown, in no format."""
        events = stored(PROGRAM)
        events[1]["payload"]["to"] = EMAIL
        write(tmp_path / "app.jsonl", events)
        for form in ("text", "json", "csv", "markdown"):
            done = run("check", tmp_path / "app.jsonl", "--scan", "--format", form)
            assert done.exit_code == 1
            assert "EMAIL in payload.to" in clean(done.stdout)

        assert run("check", tmp_path / "app.jsonl").exit_code == 0

    def test_clean(self, path):
        """What the library stored is what it would store again."""
        write(path, stored(PROGRAM))

        assert run("check", path, "--scan").exit_code == 0

    def test_parts(self, tmp_path, monkeypatch):
        """In a file that is read in parts, lines are numbered from its beginning."""
        monkeypatch.setattr(sources, "PART", 4_000)
        monkeypatch.setattr(sources.parts, "__defaults__", (4_000,))
        inputs, expected = self.inputs(tmp_path, 1)

        assert len(sources.parts(inputs[0])) > 2
        assert [finding.line for finding in scan.scan(inputs, workers=0)] == expected

    def test_workers(self, tmp_path):
        """Processes of their own find the same, in the same order."""
        inputs, expected = self.inputs(tmp_path, 3)
        found = scan.scan(inputs, workers=2)

        assert found == scan.scan(inputs, workers=0)
        assert [finding.line for finding in found] == expected * 3

    def inputs(self, tmp_path, files):
        events = stored(PROGRAM * 10)
        places = range(0, len(events), 7)
        for at in places:
            events[at]["payload"]["to"] = EMAIL
        for number in range(files):
            write(tmp_path / f"{number}.jsonl", events)
        return sources.find([tmp_path]), [at + 1 for at in places]

    def test_wrong_policy(self, path):
        """A policy that is none is exit status 2."""
        assert run("check", path, "--scan", "--policy", "no-such-policy").exit_code == 2
