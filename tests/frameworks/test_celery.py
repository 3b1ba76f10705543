"""Celery with a broker in memory: the recipe's application, its worker, and tasks that send tasks (36)."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.faults.tools import numbers, until, whole_lines
from tests.helpers import SECRET

from .tools import OUTSIDE, by_run, events_of, of_type, run_script, whole, write

for package in ("celery", "yaml"):
    pytest.importorskip(package, reason=f"needs {package}, of the extra 'frameworks'")

WORKER = """
import os
import time
from concurrent.futures import ThreadPoolExecutor

import agentlogsafe
from celery import group
from celery.contrib.testing.worker import start_worker
from celery.signals import task_success
from tasks_celery import app, configure, price, review

app.conf.update(
    broker_url="memory://",
    broker_transport_options={"polling_interval": 0.01},
    result_backend="cache+memory://",
    broker_connection_retry_on_startup=True,
)
configure()
done = []
task_success.connect(lambda sender, **_: done.append(sender.name), weak=False)

def send(number):
    with agentlogsafe.run("batch-agent", run_id=f"batch-{number}"):
        price.delay(f"{number}").get(timeout=20, interval=0.01)
        group(price.s(f"{number}") for _ in range(2))().get(timeout=20, interval=0.01)
        review.delay(f"{number}").get(timeout=20, interval=0.01)

@app.task
def fails(token):
    raise ValueError("no price for " + token)

with start_worker(app, pool="threads", concurrency=4, perform_ping_check=False):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, range(6)))
    price.delay("outside").get(timeout=20, interval=0.01)
    price("direct")
    with agentlogsafe.run("batch-agent", run_id="batch-fails"):
        fails.delay(os.environ["SECRET"]).get(timeout=20, interval=0.01, propagate=False)
    deadline = time.monotonic() + 20
    while done.count(price.name) < 25 and time.monotonic() < deadline:
        time.sleep(0.02)  # the reviews have sent a price each, which nobody waits for
"""


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    """What the recipe's application, its worker and their senders wrote."""
    folder = tmp_path_factory.mktemp("celery")
    write(folder, "logging.yaml", "tasks_celery.py", worker=WORKER)
    return run_script(folder, "worker.py", SECRET=SECRET)


def test_tasks_are_in_the_run_that_sent_them(output):
    """Of many batches at once, each has its own tasks, and only those, under its start (30)."""
    runs = by_run(events_of(output))
    for number in range(6):
        start, *prices, end = whole(runs[f"batch-{number}"], "batch-agent")
        assert len(prices) == 3
        assert {event["payload"]["args"]["sku"] for event in prices} == {str(number)}
        assert {event["parent_event_id"] for event in (*prices, end)} == {start["event_id"]}


def test_a_task_that_is_a_run_sends_a_task(output):
    """The review is a run inside the batch's, and the price that it sent is in that one, however late it came (30)."""
    reviews = {}
    for event in events_of(output):
        if event["agent_name"] == "review-agent":
            reviews.setdefault(event["run_id"], []).append(event)

    assert len(reviews) == 6
    parents = set()
    for events in reviews.values():
        (start,), (price,) = of_type(events, "run_start"), of_type(events, "tool_call")
        assert start["parent_run_id"] == f"batch-{price['payload']['args']['sku']}"
        assert price["parent_event_id"] == start["event_id"]
        assert len(events) == 3
        parents.add(start["parent_run_id"])
    assert len(parents) == 6


def test_outside_any_run(output):
    """A task that was sent from no run, or called directly, says that there is none."""
    outside = by_run(events_of(output))[None]

    assert {event["payload"]["args"]["sku"] for event in outside} == {"outside", "direct"}
    assert [event["problems"] for event in outside] == [OUTSIDE] * 2


def test_celerys_own_lines(output):
    """What the worker says of a failed task is redacted, traceback and all (36)."""
    assert SECRET not in output
    assert "no price for [" in output


PREFORK = """
import logging
import sys
import time

import agentlogsafe
from celery import Celery
from celery.signals import setup_logging

app = Celery("prefork", broker="filesystem://")
app.conf.update(
    broker_transport_options={"data_folder_in": "broker", "data_folder_out": "broker", "control_folder": "control"},
    broker_connection_retry_on_startup=True,
    worker_enable_remote_control=False,
)

class Slow(logging.FileHandler):
    def emit(self, record):
        time.sleep(0.04)
        super().emit(record)

@setup_logging.connect
def configure(**_):
    handler = agentlogsafe.AuditHandler(Slow("app.jsonl"), queue={"timeout": 60})
    logger = logging.getLogger("prefork")
    logger.handlers[:] = [handler]
    logger.setLevel("INFO")
    logger.propagate = False

@app.task(name="work")
def work(number):
    for inner in range(50):
        logging.getLogger("prefork").info("tool_call", {"n": number * 50 + inner})
    open(f"done.{number}", "w").close()

if __name__ == "__main__":
    for number in range(4):
        work.delay(number)
"""


@pytest.mark.parametrize("how", ["shutdown", "tasks"])
def test_prefork_workers_end(tmp_path, how):
    """Nothing lost: a prefork worker ends without atexit, and its queue is emptied all the same."""
    for folder in ("broker", "control"):
        (tmp_path / folder).mkdir()
    write(tmp_path, prefork=PREFORK)
    run_script(tmp_path, "prefork.py")
    arguments = ["--pool", "prefork", "--concurrency", "2", "--without-gossip", "--without-mingle"]
    arguments += ["--max-tasks-per-child", "1"] if how == "tasks" else []
    command = [sys.executable, "-W", "ignore", "-m", "celery", "-A", "prefork", "worker", *arguments]
    log, path = tmp_path / "worker.log", tmp_path / "app.jsonl"
    with log.open("wb") as output, subprocess.Popen(command, cwd=tmp_path, stdout=output, stderr=output) as worker:
        try:
            until(lambda: len(list(tmp_path.glob("done.*"))) == 4 or worker.poll() is not None, 60)
            if how == "shutdown":
                worker.send_signal(signal.SIGTERM)
            # Workers may outlive what started them by what is in their queues.
            until(lambda: len(numbers(whole_lines(path)[0])) >= 200, 60)
        finally:
            worker.kill()

    written, torn = whole_lines(path)
    assert sorted(numbers(written)) == list(range(200)), log.read_text()[-2000:]
    assert torn == 0
