"""Completeness: one fault in what real programs log is found under its name; without a fault, nothing is."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import uuid
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import agentlogsafe
from agentlogsafe.review.check import Review
from tests.helpers import by_handler, examples, lines, unmeasured
from tests.review.programs import FAULTS, programs, stored

# What a fault brings with it: without its start, the events of a run have no parent.
COMPANIONS = {"run_unstarted": {"orphan_parent"}}

seals = st.sampled_from(["off", "chain"])


def check(tmp_path, *files, **options):
    """Write *files* of events and return what completeness finds in them."""
    paths = []
    for number, events in enumerate(files):
        path = tmp_path / f"{number}.jsonl"
        path.write_text("".join(json.dumps(event) + "\n" for event in events))
        paths.append(path)
    with Review.load(paths, **options) as review:
        return review.findings("completeness")


def kinds(found):
    return sorted(finding.kind for finding in found)


@given(st.lists(st.tuples(programs, seals), min_size=5, max_size=5))
@settings(max_examples=examples(10), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sound_programs(tmp_path, several):
    """A program that runs to its end gives no finding, however it logs, sealed or not."""
    assert check(tmp_path, *(stored(program, seal=seal) for program, seal in several)) == []


@pytest.mark.parametrize(("result", "seen"), [(1, "the same event again"), (2, "with other content")])
@pytest.mark.parametrize("workers", [0, 1])
def test_unsealed_copies(tmp_path, result, seen, workers):
    """A copy with another payload is told from one that was delivered twice, whatever the form of its line."""
    logger, stream = by_handler(agent_name="a")
    logger.warning("decision", extra={"payload": {"result": 1, "of": [1, {"b": 1.5}]}})
    (event,) = lines(stream)
    copy = dict(sorted({name: value for name, value in event.items() if value is not None}.items()))
    copy["payload"] = {"of": [1, {"b": 1.5}], "result": result}

    found = check(tmp_path, [event], [{**copy, "host": "a shipper's"}], workers=workers)

    (finding,) = (finding for finding in found if finding.kind == "duplicate_event")
    assert seen in finding.seen


@pytest.mark.parametrize("fault", FAULTS)
@given(several=st.lists(programs, min_size=4, max_size=4), data=st.data())
@settings(
    max_examples=examples(10), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much]
)
def test_one_fault(tmp_path, fault, several, data):
    """One fault is one finding of its kind, about its run, and nothing else."""
    logs = [(FAULTS[fault](events, data.draw), events) for events in map(stored, several)]
    logs = [(run_id, events) for run_id, events in logs if run_id is not None]
    assume(logs)
    found = check(tmp_path, *(events for _, events in logs))

    assert {finding.kind for finding in found} - COMPANIONS.get(fault, set()) == {fault}
    for number, (run_id, _) in enumerate(logs):
        of_file = [finding for finding in found if finding.file == str(tmp_path / f"{number}.jsonl")]
        (finding,) = (finding for finding in of_file if finding.kind == fault)
        assert finding.run_id == (run_id or None)
        assert finding.line is not None
        assert finding.seen
        assert finding.expected
    assert {finding.file for finding in found} == {str(tmp_path / f"{number}.jsonl") for number in range(len(logs))}


@given(st.lists(programs, min_size=3, max_size=3))
@settings(max_examples=examples(10), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_several_files(tmp_path, several):
    """It does not matter in which of several files an event is."""
    events = [event for program in several for event in stored(program)]

    assert check(tmp_path, events[1::2], events[::2]) == []


class TestRunUnended:
    """What the stream tells of a run without an end."""

    def found(self, tmp_path, events):
        (finding,) = (finding for finding in check(tmp_path, events) if finding.kind == "run_unended")
        return finding.seen.partition(":")[0], finding.certainty

    def example(self, seal="chain"):
        events = stored([[("event", "decision")], [("event", "decision")]], seal=seal)
        ends = [number for number, event in enumerate(events) if event["event_type"] == "run_end"]
        return events, ends

    def test_unsealed(self, tmp_path):
        """Without a seal, nobody can say why."""
        events, ends = self.example("off")
        del events[ends[0]]

        assert self.found(tmp_path, events) == ("unknown", "possible")

    def test_open_ended(self, tmp_path):
        """A stream that stops with the run was killed, or is being written."""
        events, ends = self.example()
        del events[ends[1] :]

        assert self.found(tmp_path, events) == ("killed, or still running", "likely")

    def test_gap(self, tmp_path):
        """Where events are missing, the end may be among them."""
        events, ends = self.example()
        del events[ends[0]]

        assert self.found(tmp_path, events) == ("incomplete export", "possible")

    def test_not_logged(self, tmp_path):
        """Where nothing is missing up to the close, the program did not log it."""
        stream, path = [], tmp_path / "app.jsonl"
        code = f"""
import logging, agentlogsafe
handler = logging.FileHandler({str(path)!r})
handler.setFormatter(agentlogsafe.AuditFormatter(seal="chain"))
log = logging.getLogger("app")
log.addHandler(handler)
log.setLevel(logging.INFO)
agentlogsafe.run("agent", logger=log).__enter__()
"""
        subprocess.run([sys.executable, "-c", code], check=True)
        stream = lines(path)

        assert self.found(tmp_path, stream) == ("not logged", "certain")

    @pytest.mark.parametrize("seal", ["off", "chain"])
    def test_sink_failure(self, tmp_path, seal):
        """Where a delivery report tells of trouble after its start, the end may be in the fallback."""

        class Failing(logging.Handler):
            def emit(self, record):
                if record.__dict__.get("event_type") == "run_end" and not done:
                    done.append(1)
                    raise ConnectionError
                kept.append(json.loads(self.format(record)))

        kept, done = [], []
        log, _ = by_handler(target=Failing(), seal=seal, fallback=tmp_path / "fallback.jsonl")
        with agentlogsafe.run("agent", logger=log):
            pass
        log.info("user_message")
        log.handlers[0].close()
        found = check(tmp_path, [event for event in kept if event["event_type"] != "user_message"])

        cause, sure = next(
            (item.seen.partition(":")[0], item.certainty) for item in found if item.kind == "run_unended"
        )
        # Sealed, the lost event leaves a gap, which is what is said first.
        assert (cause, sure) == (("incomplete export", "possible") if seal == "chain" else ("sink failure", "possible"))
        assert kinds(check(tmp_path, kept, lines(tmp_path / "fallback.jsonl"))) in ([], ["unattributed"])

    def test_checkpoint(self, tmp_path):
        """A checkpoint that knows more of the stream tells of a cut."""
        events, ends = self.example()
        point = {"stream": events[0]["seal"]["stream"], "seq": 999, "hash": "0" * 64, "count": 999, "time": "x"}
        (tmp_path / "checkpoints").write_text(json.dumps(point) + "\n")
        del events[ends[1] :]
        found = check(tmp_path, events, checkpoints=[tmp_path / "checkpoints"])

        seen = next(item.seen for item in found if item.kind == "run_unended")
        assert seen.startswith("incomplete export: a checkpoint")


KILLED = """
import logging, os, signal, sys, agentlogsafe
handler = logging.FileHandler(sys.argv[1])
handler.setFormatter(agentlogsafe.AuditFormatter(workflow_name="killed", seal="chain"))
log = logging.getLogger("app")
log.addHandler(handler)
log.setLevel(logging.INFO)
with agentlogsafe.run("agent", logger=log):
    with agentlogsafe.step("tool_call", tool_name="sql") as call:
        call.result(1)
with agentlogsafe.run("agent", logger=log):
    for _ in range(int(sys.argv[2])):
        log.info("decision", {"decision": "go on"})
    with agentlogsafe.step("tool_call", tool_name="sql"):
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
@pytest.mark.parametrize("events", [0, 1, 50])
def test_kill(tmp_path, events):
    """A kill in the middle of a sealed run: stream, run and call have no end, and nothing is modified."""
    path = tmp_path / "app.jsonl"
    done = subprocess.run([sys.executable, "-c", KILLED, str(path), str(events)], env=unmeasured(), check=False)
    with Review.load([path]) as review:
        found = review.findings()

    assert done.returncode == -signal.SIGKILL
    assert kinds(found) == ["call_unanswered", "open_ended", "run_unended"]
    unended = next(finding for finding in found if finding.kind == "run_unended")
    assert unended.seen.startswith("killed, or still running")
    assert unended.certainty == "likely"


class TestCalls:
    def test_ids_used_again(self, tmp_path):
        """A model may give two calls of a run the same id; each wants a result."""
        events = stored([[("call", "tool_call", "sql", "id")]])
        again = [{**event, "event_id": str(uuid.uuid4())} for event in events[1:3]]
        again[1]["parent_event_id"] = again[0]["event_id"]

        assert check(tmp_path, [*events[:3], *again, *events[3:]]) == []
        found = check(tmp_path, [*events[:3], again[0], *events[3:]])
        assert kinds(found) == ["call_unanswered"]

    def test_the_run_ended(self, tmp_path):
        """It is said how the run ended that the call was made in."""
        events = stored([[("call", "tool_call", "sql", "step")]])
        del events[2]
        (found,) = check(tmp_path, events)

        assert found.seen.startswith("tool_call of sql has no result; its run ended with the status success")
        assert found.expected == "a tool_result"

    def test_an_error_that_names_the_call(self, tmp_path):
        """It is an answer."""
        events = stored([[("call", "tool_call", "sql", "id")]])
        events[2]["event_type"] = "error"

        assert check(tmp_path, events) == []

    def test_outside_of_runs(self, tmp_path):
        """Calls that belong to no run are paired within their agent and workflow."""
        events = stored([[("call", "tool_call", "sql", "plain")]])
        call, result = ({**event, "run_id": None, "parent_event_id": None} for event in events[1:3])

        assert check(tmp_path, [call, result]) == []
        assert kinds(check(tmp_path, [call])) == ["call_unanswered"]


class TestDenied:
    """What a denial is about, and what lifts it."""

    def events(self, *actions):
        log, stream = by_handler(workflow_name="test")
        with agentlogsafe.run("agent", logger=log):
            for action, fields in actions:
                log.info(action, fields)
        return lines(stream)

    DENIED = ("policy_check", {"policy_name": "limit", "status": "denied", "tool_name": "pay"})
    ALLOWED = ("policy_check", {"policy_name": "limit", "status": "allowed", "tool_name": "pay"})
    CALL = ("tool_call", {"tool_name": "pay"})
    RESULT = ("tool_result", {"tool_name": "pay", "status": "success"})

    def found(self, tmp_path, *actions):
        found = check(tmp_path, self.events(*actions))
        return [(item.kind, item.certainty) for item in found if item.kind == "denied_but_executed"]

    def test_by_name(self, tmp_path):
        """The next call of the tool is possibly the one that was denied."""
        assert self.found(tmp_path, self.DENIED, self.CALL, self.RESULT) == [("denied_but_executed", "possible")]

    @pytest.mark.parametrize(
        "between",
        [
            ALLOWED,
            ("human_approval", {"status": "approved"}),
            ("human_approval", {"status": "approved", "tool_name": "pay"}),
        ],
    )
    def test_lifted(self, tmp_path, between):
        """An approval or an allowed check in between lifts it, if it is about this tool or about nothing else."""
        assert self.found(tmp_path, self.DENIED, between, self.CALL, self.RESULT) == []

    @pytest.mark.parametrize(
        "between",
        [("human_approval", {"status": "approved", "tool_name": "mail"}), ("policy_check", {"status": "denied"})],
    )
    def test_not_lifted(self, tmp_path, between):
        """One about something else does not."""
        assert len(self.found(tmp_path, self.DENIED, between, self.CALL, self.RESULT)) == 1

    @pytest.mark.parametrize("status", ["denied", "skipped", "blocked"])
    def test_not_run(self, tmp_path, status):
        """A call whose result says that it did not run was not executed."""
        assert (
            self.found(tmp_path, self.DENIED, self.CALL, ("tool_result", {"tool_name": "pay", "status": status})) == []
        )

    @pytest.mark.parametrize(("status", "count"), [("success", 1), (None, 1), ("denied", 0), ("error", 0)])
    def test_announced_before(self, tmp_path, status, count):
        """A call that a model asked for, a check denied by its id, and a result."""
        link = {"tool_call_id": "call_1"}
        found = self.found(
            tmp_path,
            ("tool_call", {"tool_name": "pay", **link}),
            ("policy_check", {"status": "denied", **link}),
            ("tool_result", {"tool_name": "pay", **link, "status": status}),
        )

        assert found == [("denied_but_executed", "certain")] * count

    def test_another_call_of_the_tool(self, tmp_path):
        """A denial of one call says nothing of another that has an id of its own."""
        one, two = {"tool_call_id": "call_1"}, {"tool_call_id": "call_2"}
        found = self.found(
            tmp_path,
            ("tool_call", {"tool_name": "pay", **one}),
            ("policy_check", {"status": "denied", "tool_name": "pay", **one}),
            ("tool_result", {"tool_name": "pay", **one, "status": "denied"}),
            ("tool_call", {"tool_name": "pay", **two}),
            ("tool_result", {"tool_name": "pay", **two, "status": "success"}),
        )

        assert found == []

    def test_inside(self, tmp_path):
        """A check inside of a call that denies, and the call succeeds."""
        log, stream = by_handler(workflow_name="test")
        with agentlogsafe.run("agent", logger=log):
            with agentlogsafe.step("tool_call", tool_name="pay"):
                log.info("policy_check", {"status": "denied"})
            with suppress(PermissionError), agentlogsafe.step("tool_call", tool_name="pay"):
                log.info("policy_check", {"status": "denied"})
                raise PermissionError
        found = check(tmp_path, lines(stream))

        assert [(item.kind, item.certainty, item.line) for item in found] == [("denied_but_executed", "likely", 3)]

    def test_refused_approval(self, tmp_path):
        """A person who refused what the request names, and the call that is made all the same."""
        log, stream = by_handler(workflow_name="test")
        with agentlogsafe.run("agent", logger=log):
            with agentlogsafe.step("human_approval", tool_call_id="call_1") as asked:
                asked.reject()
            log.info("tool_call", {"tool_name": "pay", "tool_call_id": "call_1"})
            log.info("tool_result", {"tool_name": "pay", "tool_call_id": "call_1"})
        found = check(tmp_path, lines(stream))

        assert [(item.kind, item.certainty) for item in found] == [("denied_but_executed", "certain")]

    def test_about_nothing(self, tmp_path):
        """A denial that names neither call nor tool is not judged."""
        assert self.found(tmp_path, ("policy_check", {"status": "denied"}), self.CALL, self.RESULT) == []


def test_run_unstarted(tmp_path):
    """It is said whether the beginning is missing, or was somewhere else."""
    events = stored([[("event", "decision")], [("event", "decision")]], seal="chain")
    (cut,) = (item for item in check(tmp_path, events[4:]) if item.kind == "run_unstarted")
    assert cut.seen.startswith("incomplete export")
    assert cut.certainty == "likely"

    log, stream = by_handler(seal="chain", agent_name="worker")
    with agentlogsafe.extract({"agentlogsafe-context": "run_id=elsewhere"}):
        log.info("decision")
        log.info("decision")
    found = [item for item in check(tmp_path, lines(stream)) if item.kind == "run_unstarted"]
    assert [(item.run_id, item.line, item.affected) for item in found] == [("elsewhere", 1, 2)]
    assert found[0].seen.startswith("begun elsewhere")


def test_reports_of_the_library_belong_to_nobody(tmp_path):
    """A delivery report, which no run is the cause of, is not unattributed."""
    log, stream = by_handler(seal="chain")
    log.info("user_message")
    log.handlers[0].close()
    (found,) = check(tmp_path, lines(stream))

    assert (found.kind, found.affected, found.line) == ("unattributed", 1, 1)


def test_transcripts(replayed):
    """A hundred real conversations, replayed, have nothing missing."""
    with Review.load([replayed()]) as review:
        assert review.findings() == []
