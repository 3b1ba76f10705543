"""Every example runs as a user would run it, and what it writes is what its docstring says."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections import Counter

import jsonschema
import pytest

import agentlogsafe
from tests.conftest import ROOT
from tests.helpers import unmeasured

EXAMPLES = ROOT / "examples"


def run_example(name, *args, cwd, expected=0):
    """Run an example in a process of its own; return the finished process."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *map(str, args)],
        cwd=cwd,
        env=unmeasured(),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == expected, done.stderr
    return done


def events_of(text, *, ordinary=0):
    """Return the events in *text*, each valid against the schema; *ordinary* lines are not events."""
    validator = jsonschema.Draft202012Validator(agentlogsafe.json_schema())
    lines = [json.loads(line) for line in text.splitlines()]
    events = [line for line in lines if "event_id" in line]
    for event in events:
        validator.validate(event)
        assert "problems" not in event, event
    assert len(lines) - len(events) == ordinary
    assert len({event["event_id"] for event in events}) == len(events)
    return events


def of_type(events, event_type):
    return [event for event in events if event["event_type"] == event_type]


def only(events, event_type):
    (event,) = of_type(events, event_type)
    return event


def assert_tree(events):
    """Every parent is an event that is there, and came before."""
    seen = set()
    for event in sorted(events, key=lambda event: event["timestamp"]):
        parent = event["parent_event_id"]
        assert parent is None or parent in seen, event
        seen.add(event["event_id"])


def test_yaml_dictconfig(tmp_path):
    """A formatter and a wrapped handler, both from YAML, write the same events of one run."""
    done = run_example("yaml_dictconfig/app.py", cwd=tmp_path)
    written = (tmp_path / "audit.jsonl").read_text(encoding="utf-8")

    events = events_of(done.stdout, ordinary=1)

    assert done.stderr == ""
    # What else is in the file is the handler's own report of what it delivered, outside any run.
    assert events == [line for line in map(json.loads, written.splitlines()) if "event_id" in line and line["run_id"]]
    assert [event["event_type"] for event in events] == [
        "run_start",
        "user_message",
        "tool_call",
        "tool_result",
        "decision",
        "run_end",
    ]
    assert len({event["run_id"] for event in events}) == 1
    assert {event["session_id"] for event in events} == {"ticket-4711"}
    assert {event["agent_name"] for event in events} == {"pricing-agent"}
    start, call, result = only(events, "run_start"), only(events, "tool_call"), only(events, "tool_result")
    assert result["parent_event_id"] == call["event_id"]
    assert call["parent_event_id"] == only(events, "run_end")["parent_event_id"] == start["event_id"]
    assert call["payload"]["args"]["query"] == "SELECT sku FROM margins WHERE margin < 0.12"
    for text in (done.stdout, written):
        assert "ada.lovelace" not in text
        assert "correct-horse" not in text
        (line,) = [line for line in map(json.loads, text.splitlines()) if "event_id" not in line]
        assert line["run_id"] == start["run_id"]
        assert "margin of SKU-1 is below 12 %" in line["message"]
    assert not (tmp_path / "audit-fallback.jsonl").exists()


def test_structlog_app(tmp_path):
    """Bound values are on every event, steps are pairs, and an exception's message is redacted."""
    done = run_example("structlog_app.py", cwd=tmp_path)

    events = events_of(done.stdout, ordinary=1)

    assert done.stderr == ""
    start = only(events, "run_start")
    assert {event["run_id"] for event in events} == {start["run_id"]}
    assert {event["session_id"] for event in events} == {"chat-17"}
    assert {event["payload"]["tenant"] for event in events} == {"acme"}
    for first, second in (("model_call", "model_response"), ("tool_call", "tool_result")):
        assert only(events, second)["parent_event_id"] == only(events, first)["event_id"]
        assert only(events, first)["parent_event_id"] == start["event_id"]
        assert only(events, second)["status"] == "success"
    response = only(events, "model_response")
    assert (response["model"], response["payload"]["input_tokens"]) == ("gpt-4o", 212)
    assert only(events, "error")["payload"]["exception"]["type"].endswith("ConnectionError")
    assert only(events, "run_end")["status"] == "success"
    for secret in ("4111 1111", "4111111111111111", "ada.lovelace", "not-a-real-key"):  # "4111" may be in an id
        assert secret not in done.stdout
    assert "A-1009" in done.stdout


def test_asyncio_app(tmp_path):
    """Two runs at once keep their events apart, through tasks and threads, and name the batch as parent."""
    done = run_example("asyncio_app.py", cwd=tmp_path)

    events = events_of(done.stdout)

    assert_tree(events)
    starts = of_type(events, "run_start")
    batch = starts[0]
    assert "parent_run_id" not in batch
    assert [start["parent_run_id"] for start in starts[1:]] == [batch["run_id"]] * 2
    assert {start["parent_event_id"] for start in starts[1:]} == {batch["event_id"]}
    assert Counter(event["run_id"] for event in of_type(events, "run_end")) == {s["run_id"]: 1 for s in starts}
    assert {event["status"] for event in of_type(events, "run_end")} == {"success"}
    for start in starts[1:]:
        own = [event for event in events if event["run_id"] == start["run_id"]]
        sku = only(own, "user_message")["payload"]["message"].split()[2]
        calls = of_type(own, "tool_call")
        assert {call["tool_name"] for call in calls} == {"price", "read_note"}
        for call in [*calls, only(own, "retrieval_query")]:
            assert call["parent_event_id"] == start["event_id"]
            assert sku in json.dumps(call["payload"])
            (answer,) = [event for event in own if event["parent_event_id"] == call["event_id"]]
            assert answer["tool_name"] == call["tool_name"]
        assert only(own, "decision")["payload"]["stock"] == 7


def test_threads_and_processes(tmp_path):
    """Threads, pools and spawned processes log into the run that started them."""
    done = run_example("threads_and_processes.py", cwd=tmp_path)

    events = events_of(done.stdout)

    assert done.stderr == ""
    assert_tree(events)
    start = only(events, "run_start")
    assert {event["run_id"] for event in events} == {start["run_id"]}
    indexed = {event["payload"]["chapter"]: event for event in of_type(events, "custom")}
    assert [indexed[name]["payload"]["worker"] for name in sorted(indexed)] == [
        "thread",
        "pool",
        "pool",
        "process",
        "process-pool",
    ]
    call = only(events, "tool_call")
    assert indexed.pop("chapter-4")["parent_event_id"] == call["event_id"]
    assert {event["parent_event_id"] for event in indexed.values()} == {start["event_id"]}
    assert only(events, "tool_result")["payload"]["result"] == {"exit_code": 0}


TRANSCRIPT = {
    "id": "t-1",
    "model": "gpt-4o",
    "reward": 1.0,
    "messages": [
        {"role": "system", "content": "Help."},
        {"role": "user", "content": "I am ada.lovelace@example.com"},
        {
            "role": "assistant",
            "content": "Both, then.",
            "tool_calls": [
                {"id": "call_a", "type": "function", "function": {"name": "find", "arguments": '{"id": "HAT001"}'}},
                {"id": "call_b", "type": "function", "function": {"name": "note", "arguments": '{"text": "ä"}'}},
            ],
        },
        {"role": "tool", "tool_call_id": "call_b", "name": "note", "content": "x" * 40_000},
        {"role": "tool", "tool_call_id": "call_a", "name": "find", "content": '{"email": "ada.lovelace@example.com"}'},
        {"role": "critic", "content": "Fine."},
    ],
}


@pytest.mark.parametrize("name", ["t.jsonl", "t.jsonl.gz"])
def test_replay_of_a_small_transcript(tmp_path, name):
    """Text and every tool call of a message are events; results find their calls in any order; nothing is cut."""
    open_ = gzip.open if name.endswith(".gz") else open
    with open_(tmp_path / name, "wt", encoding="utf-8") as file:
        file.write(json.dumps(TRANSCRIPT) + "\n\n")

    done = run_example("replay_transcripts.py", name, cwd=tmp_path)

    assert done.stdout == "1 runs, 6 messages: audit.jsonl\n"
    assert done.stderr == ""  # progress is for terminals
    events = events_of((tmp_path / "audit.jsonl").read_text(encoding="utf-8"))
    assert [event["event_type"] for event in events] == [
        "run_start",
        "system_instruction",
        "user_message",
        "model_response",
        "tool_call",
        "tool_call",
        "tool_result",
        "tool_result",
        "custom",
        "run_end",
    ]
    assert [event["metadata"].get("message_index") for event in events[1:-1]] == [0, 1, 2, 2, 2, 3, 4, 5]
    assert {event["session_id"] for event in events} == {"t-1"}
    assert {event["metadata"]["reward"] for event in events} == {1.0}
    assert events[3]["model"] == "gpt-4o"
    assert [event["parent_event_id"] for event in events[6:8]] == [events[5]["event_id"], events[4]["event_id"]]
    assert events[6]["payload"]["result"] == "x" * 40_000
    assert json.loads(events[4]["payload"]["args"]) == {"id": "HAT001"}
    assert "ada.lovelace" not in json.dumps(events)


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo-terminal")
def test_replay_shows_its_progress_on_a_terminal(tmp_path):
    """Where stderr is a terminal, it counts."""
    (tmp_path / "t.jsonl").write_text(json.dumps(TRANSCRIPT) + "\n", encoding="utf-8")
    terminal, stderr = os.openpty()
    try:
        command = [sys.executable, str(EXAMPLES / "replay_transcripts.py"), "t.jsonl"]
        subprocess.run(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=stderr, timeout=120, check=True)
        shown = os.read(terminal, 1000).decode()
    finally:
        os.close(terminal)
        os.close(stderr)
    assert "1 runs, 6 messages" in shown


def test_replay_explains_itself(tmp_path):
    """Help names the file, its formats and the output."""
    help_text = run_example("replay_transcripts.py", "--help", cwd=tmp_path).stdout

    for word in ("file", ".jsonl.gz", "--output", "audit.jsonl"):
        assert word in help_text


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ('{"messages": []}\n{"mess', "line 2 is no JSON"),
        ('["messages"]\n', "line 1 is no transcript"),
        ('{"messages": ["hello"]}\n', "line 1 is no transcript"),
    ],
)
def test_replay_names_a_bad_line(tmp_path, content, complaint):
    """A line that is no transcript ends the replay with its number, without a traceback."""
    (tmp_path / "t.jsonl").write_text(content, encoding="utf-8")

    done = run_example("replay_transcripts.py", "t.jsonl", cwd=tmp_path, expected=1)

    assert done.stderr.startswith(f"t.jsonl: {complaint}")


def test_replay_refuses_to_overwrite_its_input(tmp_path):
    """Wrong paths are usage errors, found before anything is written."""
    (tmp_path / "t.jsonl").write_text('{"messages": []}\n', encoding="utf-8")
    (tmp_path / "t.jsonl.gz").write_bytes(b"no gzip")

    for args, complaint, code in (
        (["missing.jsonl"], "no such file", 2),
        (["t.jsonl", "--output", "t.jsonl"], "cannot be written", 2),
        (["t.jsonl", "--output", "missing/out.jsonl"], "cannot be written", 2),
        (["t.jsonl.gz"], "t.jsonl.gz: ", 1),
    ):
        done = run_example("replay_transcripts.py", *args, cwd=tmp_path, expected=code)
        assert complaint in done.stderr
        assert "Traceback" not in done.stderr
    assert (tmp_path / "t.jsonl").read_text(encoding="utf-8") == '{"messages": []}\n'
