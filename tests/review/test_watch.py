"""Watching: what is wrong with a growing file is said as it happens, and nothing is said of a sound one."""

from __future__ import annotations

import copy
import json
import logging
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import agentlogsafe
from agentlogsafe import seal
from agentlogsafe.events import timestamp
from agentlogsafe.review.watching import Watch
from tests.review.programs import programs, stored
from tests.review.test_notify import Hook

KEY = b"a first key of enough bytes"
MAIN = "from agentlogsafe.cli import main; main()"


@contextmanager
def watching(path, overdue=600.0, masters=()):
    """Give a watch, and close it."""
    watch = Watch([path], overdue=overdue, masters=masters)
    try:
        yield watch
    finally:
        watch.close()


def watched(tmp_path, events, *, overdue=600.0, later=0.0, masters=()):
    """Return what is said of *events*, by kind, and of the time that passes after the last of them."""
    path = tmp_path / "app.jsonl"
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    with watching(path, overdue, masters) as watch:
        found = [finding.kind for finding in watch.poll()]
        found += [finding.kind for finding in watch.poll(time.time() + later)]
    return found


def example(seal_as="chain"):
    return stored([[("call", "tool_call", "sql", "step"), ("call", "model_call", "sql", "id")]] * 3, seal=seal_as)


@given(programs)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sound_programs(tmp_path, program):
    """Of a program that runs to its end, nothing is said, however much later."""
    assert watched(tmp_path, stored(program), later=10_000) == []


def test_sound_and_sealed(tmp_path):
    """Nor of a sealed one, with and without its key."""
    for events in (example(), example({"key": lambda: KEY})):
        assert watched(tmp_path, events) == []
        assert watched(tmp_path, events, masters=[KEY]) == []


class TestRuns:
    def test_overdue(self, tmp_path):
        """A run without an end is said when its time is over, once, with the call that is open in it."""
        events = example("off")[:2]

        assert watched(tmp_path, events, later=100) == []
        assert sorted(watched(tmp_path, events, later=601)) == ["call_unanswered", "run_overdue"]

    def test_said_once(self, tmp_path):
        """A finding is not repeated."""
        path = tmp_path / "app.jsonl"
        path.write_text(json.dumps(example("off")[0]) + "\n")
        with watching(path, overdue=1) as watch:
            assert [finding.kind for finding in watch.poll(time.time() + 5)] == ["run_overdue"]
            assert list(watch.poll(time.time() + 50)) == []

    def test_unanswered_at_the_end(self, tmp_path):
        """A call that its run ends without an answer to is said then."""
        events = example("off")
        del events[2]  # the first tool_result

        assert watched(tmp_path, events, later=6) == ["call_unanswered"]

    def test_approval(self, tmp_path):
        """A question that nobody has answered is said when its time is over."""
        events = stored([[("approval", True, "step")]])
        del events[2:]

        assert sorted(watched(tmp_path, events, later=700)) == ["approval_pending", "run_overdue"]


class TestStreams:
    def test_gap(self, tmp_path):
        """A missing event is said when it could have come by now."""
        events = example()
        del events[4:6]

        assert watched(tmp_path, events, later=1)[:1] != ["gap"]
        found = watched(tmp_path, events, later=6)
        assert "gap" in found
        assert "modified" not in found

    def test_late_is_no_gap(self, tmp_path):
        """Events that arrive in another order are said to be, once, and nothing is missing."""
        events = example()
        for at in range(0, len(events) - 1, 2):
            events[at], events[at + 1] = events[at + 1], events[at]

        assert watched(tmp_path, events, later=10_000) == ["reordered"]

    @pytest.mark.parametrize("masters", [(), (KEY,)])
    def test_modified(self, tmp_path, masters):
        """A value that was changed does not fit its hash; in a keyed stream, for who has the key."""
        events = example({"key": lambda: KEY} if masters else "chain")
        events[4]["payload"]["amount"] = 1

        assert watched(tmp_path, events, masters=masters) == ["modified"]

    def test_chained_anew(self, tmp_path):
        """Who changes a value and its hash breaks the chain behind it."""
        events = example()
        events[4]["payload"]["amount"] = 1
        events[4]["seal"]["hash"] = seal.event_hash(events[4])

        assert watched(tmp_path, events) == ["modified"]

    def test_again(self, tmp_path):
        """An event that comes twice, and one after the close."""
        events = example()

        assert watched(tmp_path, [*events[:3], events[2], *events[3:]]) == ["duplicate"]
        assert watched(tmp_path, [*events, events[0]]) == ["after_end", "duplicate"]

    def test_unknown_key(self, tmp_path):
        """A stream under a key that was not given is said once."""
        events = example({"key": lambda: KEY})

        assert watched(tmp_path, events, masters=[b"another key of enough bytes"]) == ["unknown_key"]

    @given(st.data())
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_any_change(self, tmp_path, data):
        """Whatever is dropped in the middle or changed anywhere is found under its name."""
        events = copy.deepcopy(_EXAMPLE)
        at = data.draw(st.integers(0, len(events) - 2))
        if data.draw(st.booleans()) and at > 0:
            del events[at]
            expected = "gap"
        else:
            events[at]["metadata"]["x"] = data.draw(st.text())
            expected = "modified"

        assert expected in watched(tmp_path, events, later=10)


_EXAMPLE = example()


class TestSinks:
    def test_failing(self, tmp_path):
        """A handler that cannot deliver says so in its fallback, and what is lost is said there too."""

        class Broken(logging.Handler):
            works = False

            def emit(self, record):
                if not self.works:
                    raise ConnectionRefusedError

        target = Broken()
        audit = agentlogsafe.AuditHandler(target, fallback=tmp_path / "fallback.jsonl", seal="chain")
        log = logging.Logger("sink")  # noqa: LOG001 -- of its own
        log.addHandler(audit)
        with agentlogsafe.run("agent", logger=log):
            pass
        with watching(tmp_path / "fallback.jsonl") as watch:
            (finding,) = watch.poll()
        audit.close()

        assert finding.kind == "sink_failing"
        assert "Broken" in finding.seen

    def test_loss(self, tmp_path):
        """A loss is said when the count grows, and not again when it is repeated."""
        event = example("off")[0] | {"event_type": "custom", "run_id": None}
        reports = [{"kind": "delivery_report", "state": "recovered", "handler": "a", "lost": n} for n in (0, 2, 2, 3)]
        events = [{**event, "payload": report} for report in reports]

        assert watched(tmp_path, events).count("loss_declared") == 2


def test_broken_lines(tmp_path):
    """A line that is ours and cannot be read is said; others' lines are not."""
    path = tmp_path / "app.jsonl"
    whole = json.dumps(_EXAMPLE[0])
    path.write_text(f"starting up\n{whole[:80]}\n{whole}\n" + '{"level": "info"}\n')
    with watching(path) as watch:
        assert [finding.kind for finding in watch.poll()] == ["partial_line"]
        assert watch.events == 1


def start(*arguments):
    env = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    return subprocess.Popen(
        [sys.executable, "-c", MAIN, "watch", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=env,
    )


class TestCommand:
    def test_says_it_as_it_happens(self, tmp_path):
        """A finding is on standard output while the command runs; an interrupt ends it in order."""
        path = tmp_path / "app.jsonl"
        process = start(path, "--format", "json")
        events = copy.deepcopy(_EXAMPLE)
        events[3]["payload"]["x"] = 1
        with path.open("w") as file:
            for event in events:
                file.write(json.dumps(event) + "\n")
                file.flush()
        finding = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)

        assert (finding["kind"], finding["line"], finding["run_id"]) == ("modified", 4, events[3]["run_id"])
        assert (out, err, process.returncode) == (b"", b"", 1)

    def test_clean(self, tmp_path):
        """Nothing to say is said with exit status 0."""
        path = tmp_path / "app.jsonl"
        path.write_text("".join(json.dumps(event) + "\n" for event in _EXAMPLE))
        process = start(path, "--for", "1s")

        assert process.communicate(timeout=20) == (b"", b"")
        assert process.returncode == 0

    def test_webhook_and_command(self, tmp_path):
        """Both are called with what is printed."""
        hook = Hook()
        path, got = tmp_path / "app.jsonl", tmp_path / "got"
        old = {**_EXAMPLE[0], "timestamp": timestamp(time.time() - 900)}
        path.write_text(json.dumps(old) + "\n")
        program = f"{sys.executable} -c \"import sys; open('{got}', 'w').write(sys.stdin.read())\""
        process = start(path, "--for", "1s", "--format", "json", "--webhook", hook.address, "--command", program)
        out, _ = process.communicate(timeout=20)
        hook.shutdown()
        hook.server_close()

        kinds = [json.loads(line)["kind"] for line in out.splitlines()]
        assert kinds == ["modified", "run_overdue"]
        assert [body["kind"] for _, _, body in hook.got] == kinds
        assert json.loads(got.read_text())["kind"] == "run_overdue"

    @pytest.mark.parametrize(
        ("arguments", "hint"),
        [
            (["no-such-folder/app.jsonl"], "no-such-folder"),
            (["app.jsonl", "--overdue", "soon"], "10m"),
            (["app.jsonl", "--webhook", "ftp://x"], "https://"),
            (["app.jsonl", "--key", "env:NO_SUCH_KEY"], "NO_SUCH_KEY"),
        ],
    )
    def test_wrong_usage(self, arguments, hint):
        """It exits with 2 and says what would have been right."""
        process = start(*arguments)
        _, err = process.communicate(timeout=20)

        assert process.returncode == 2
        assert hint in err.decode()
