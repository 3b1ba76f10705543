"""What the tests of this folder share: the code of the recipes page, servers in processes of their own, whole runs."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from tests.helpers import clean, valid
from tests.test_docs import ROOT, blocks_of

OUTSIDE = ["run: the event is outside any run"]
SENT = "019f0000-0000-7000-8000-000000000000"
LATE = ["run: the event came after the run's end"]


def recipe(name):
    """Return the block of the recipes page that is marked as the file *name*."""
    (block,) = (block for block in blocks_of(ROOT / "docs/recipes.md") if block.marks.get("file") == name)
    return block.source


def write(folder, *recipes, **modules):
    """Write recipes, and modules of a test, into a folder."""
    for name in recipes:
        (folder / name).write_text(recipe(name), "utf-8")
    for name, source in modules.items():
        (folder / f"{name}.py").write_text(source, "utf-8")


def run_script(folder, *command, **env):
    """Run a Python script in *folder* until it ends; return what it wrote."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *command],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=90,
        check=False,
        env={**os.environ, **env},
    )
    assert done.returncode == 0, clean(done.stdout + done.stderr)
    return clean(done.stdout + done.stderr)


def events_of(text):
    """Return the events among the lines of a program's output, each valid."""
    found = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return [valid(event) for event in found if "event_id" in event]


def of_type(events, *types):
    return [event for event in events if event["event_type"] in types]


def by_run(events):
    """Return the events of each run; those outside any come under None."""
    runs = {}
    for event in events:
        runs.setdefault(event["run_id"], []).append(event)
    return runs


def whole(events, agent_name="pricing-agent"):
    """Check that *events* are one run from start to end: one id, one agent, every parent inside; and return them."""
    start, *_, end = events
    assert (start["event_type"], end["event_type"]) == ("run_start", "run_end")
    assert len(of_type(events, "run_start", "run_end")) == 2
    assert len({event["run_id"] for event in events} - {None}) == 1
    assert {event["agent_name"] for event in events} == {agent_name}
    assert not [event for event in events if "problems" in event]
    seen = {start["event_id"]}
    for event in events[1:]:
        assert event["parent_event_id"] in seen, event
        seen.add(event["event_id"])
    assert len(seen) == len(events)
    return events


def at_once(fn, arguments, workers=12):
    """Call *fn* with each argument, many at a time; return what it returned."""
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(fn, arguments))


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Served:
    """A server on this machine, and the events that it has written."""

    def __init__(self, port, read):
        self.port = port
        self.read = read
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._text, self._events = "", []

    def ask(self, path, **headers):
        """Send a request; return the status and the body."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def run(self, path):
        """Send a request from inside a run of ours; return status, body, and the events of the run it became."""
        caller = f"caller-{next(self._numbers)}"
        status, body = self.ask(path, **{"agentlogsafe-context": f"run_id={caller},parent_event_id={SENT}"})
        events = self.wait_for(lambda event: event.get("parent_run_id") == caller)
        assert {event.get("parent_run_id") for event in events} == {caller}
        assert events[0]["parent_event_id"] == SENT
        return status, body, events

    def all(self):
        """Return every event so far, but for a line that is being written."""
        with self._lock:
            text = self.read()
            new = text[len(self._text) : text.rfind("\n") + 1]
            self._events += events_of(new)
            self._text += new
            return list(self._events)

    def outside(self):
        """Return the events outside any run."""
        return [event for event in self.all() if event["run_id"] is None]

    def wait_until(self, wanted):
        """Return every event, once *wanted* is true of them."""
        deadline = time.monotonic() + 20
        while not wanted(events := self.all()):
            assert time.monotonic() < deadline, clean(self.read())[-4000:]
            time.sleep(0.02)
        return events

    def wait_for(self, wanted):
        """Return the events of the one run whose end *wanted* is true of."""
        events = self.wait_until(lambda events: [end for end in of_type(events, "run_end") if wanted(end)])
        (run_id,) = {end["run_id"] for end in of_type(events, "run_end") if wanted(end)}
        return [event for event in events if event["run_id"] == run_id]

    def keep_alive(self, *paths):
        """Send requests over one connection; return the bodies."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        bodies = []
        try:
            for path in paths:
                connection.request("GET", path)
                bodies.append(connection.getresponse().read().decode())
                assert connection.sock is not None, "the server has closed the connection"
        finally:
            connection.close()
        return bodies

    def wait_until_it_serves(self, process):
        deadline = time.monotonic() + 30
        while True:
            try:
                return self.ask("/")
            except OSError:  # noqa: PERF203 -- it waits for a server
                assert process.poll() is None, self.read()
                assert time.monotonic() < deadline, self.read()
                time.sleep(0.05)


@contextmanager
def served(folder, port, *command):
    """Run a server in a process of its own while the block lasts; what it wrote has nothing secret in it."""
    out = folder / "out"

    def read():
        return out.read_text("utf-8", "replace")

    with out.open("wb") as file:
        command = [sys.executable, "-W", "ignore", "-m", *command]
        process = subprocess.Popen(command, cwd=folder, stdout=file, stderr=subprocess.STDOUT)
    try:
        server = Served(port, read)
        server.wait_until_it_serves(process)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)
    clean(read())
