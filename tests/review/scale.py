"""How long `agentlogsafe check` takes for how much, beside what DuckDB needs merely to read and parse the same file.

    python -m tests.review.scale --events 1000000
    python -m tests.review.scale --events 1000000 --tenfold
    python -m tests.review.scale --events 100000 --engine spark --master 'local[2]'

The events are those of an agent's runs, made by the library; to make many of them fast, they are copied under new ids
and sealed again with its own functions. Figures are the best of several runs; on a busy machine they mean little.
"""

from __future__ import annotations

import argparse
import io
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import duckdb
import orjson

import agentlogsafe
from agentlogsafe import seal
from agentlogsafe.events import new_id

STREAM = 20_000  # events of one process
MAIN = "from agentlogsafe.cli import main; main()"
IDS = ("event_id", "run_id", "parent_event_id")


def templates(calls):
    """Return the events of a run with so many steps, as the library writes them."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(agentlogsafe.AuditFormatter(agent_name="refund-agent", workflow_name="refunds"))
    logger = logging.Logger("scale", logging.INFO)  # noqa: LOG001 -- nobody else finds it
    logger.addHandler(handler)
    prompt = [{"role": "user", "content": "Where is my order?"}]
    args = {"query": "select * from orders where id = 4711", "limit": 10}
    with agentlogsafe.run(logger=logger, session_id="session-1", input="Where is my order?"):
        for number in range(calls):
            model = agentlogsafe.step("model_call", provider="openai", model="gpt-4o", messages=prompt, logger=logger)
            with model as step:
                step.result("I will look that up.", input_tokens=512, output_tokens=55)
            tool = agentlogsafe.step(
                "tool_call", tool_name="sql", tool_call_id=f"call_{number}", args=args, logger=logger
            )
            with tool as step:
                step.result({"rows": [{"id": 4711, "state": "shipped", "total": 129.9}]})
    return [orjson.loads(line) for line in out.getvalue().splitlines()]


def build(path, events, calls, master=None):
    """Write a log of so many events, in streams of `STREAM`."""
    made = templates(calls)
    left = max(events - events % len(made), len(made))  # whole runs
    most = max(STREAM - STREAM % len(made), len(made))
    with path.open("wb") as file:
        while left:
            count = min(most, left)
            stream, prev, names = new_id(), None, {}
            key = seal.stream_key(master, stream) if master else None
            for seq in range(1, count + 1):
                template = made[(seq - 1) % len(made)]
                if (seq - 1) % len(made) == 0:
                    names = {None: None}
                event = dict(template)
                for name in IDS:
                    if event[name] not in names:
                        names[event[name]] = new_id()
                    event[name] = names[event[name]]
                own = {"stream": stream, "seq": seq}
                if prev is None:
                    start = {"time": event["timestamp"], "host": "host", "pid": 1, "package": "agentlogsafe 0.3.0"}
                    own["stream_open"] = {**start, "policy": event["policy"]}
                else:
                    own["prev"] = prev
                if seq == count:
                    own["stream_close"] = {"time": event["timestamp"], "sealed": seq}
                if master:
                    own["key"] = seal.key_id(master)
                header, (content, _) = seal.canonical(own), seal.body(event)
                prev = seal.digest(header + b"\n" + content, key)
                key = seal.next_key(key) if key else None
                file.write(seal.line(content, header, prev, seal.nulls(event)) + b"\n")
            left -= count


def parsed(path):
    """Return the seconds that DuckDB takes to read and parse every field of every line, and to make a table of them."""
    connection = duckdb.connect(config={"threads": os.cpu_count()})
    source = f"read_json('{path}', format='newline_delimited')"
    seconds = []
    for statement in (f"SELECT count(COLUMNS(*)) FROM {source}", f"CREATE OR REPLACE TEMP TABLE t AS FROM {source}"):
        began, busy = time.perf_counter(), time.process_time()
        connection.execute(statement).fetchall()
        seconds += [time.perf_counter() - began, time.process_time() - busy]
    return seconds


class Memory(threading.Thread):
    """Watches how much a process and its children hold at most: proportional set size, every 20 ms.

    To look costs a fifth of the time, so that it is done in a run of its own.
    """

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.peak = pid, 0

    def run(self):
        while Path(f"/proc/{self.pid}").exists():
            self.peak = max(self.peak, sum(map(_held, [self.pid, *_children(self.pid)])))
            time.sleep(0.02)


def _children(pid):
    try:
        own = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        tasks = [Path(task, "children").read_text().split() for task in Path(f"/proc/{pid}/task").iterdir()]
    except OSError:
        return []
    found = {int(child) for children in [own, *tasks] for child in children}
    return [*found, *(deeper for child in found for deeper in _children(child))]


def _held(pid):
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1_024
    except OSError:
        pass
    return 0


def checked(path, *options, watched=False):
    """Return the seconds that the command takes, its peak memory in bytes, its exit status, and its processor time."""
    before, began = os.times(), time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, "check", str(path), *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    memory = Memory(process.pid)
    if watched:
        memory.start()
    process.communicate()
    seconds = time.perf_counter() - began
    if process.returncode != 0:  # what is made here is sound, and a failure can be quick
        sys.exit(f"check ended with {process.returncode}")
    after = os.times()
    busy = after.children_user + after.children_system - before.children_user - before.children_system
    return seconds, memory.peak, process.returncode, busy


def measured(path, events, repeat, options):
    """Print a line of the table; return the seconds of a check."""
    alone = [min(column) for column in zip(*(parsed(path) for _ in range(repeat)), strict=True)]
    runs = [checked(path, *options) for _ in range(repeat)]
    seconds, busy = min(run[0] for run in runs), min(run[3] for run in runs)
    peak = checked(path, *options, watched=True)[1]
    print(
        f"{events:>11,} {path.stat().st_size / 1e6:>8,.0f} {alone[0]:>9.2f} {alone[2]:>9.2f} {seconds:>9.2f} "
        f"{seconds / alone[0]:>8.1f} {seconds / alone[2]:>8.1f} {peak / 1e6:>9,.0f} {runs[0][2]:>6} "
        f"   processor: {alone[1]:.1f}, {alone[3]:.1f}, {busy:.1f} s; load {os.getloadavg()[0]:.1f}",
        flush=True,
    )
    return seconds


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument(
        "--calls", type=int, default=5, help="pairs of steps in a run; a run has four events for each, and two"
    )
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--tenfold", action="store_true", help="measure ten times as much, too")
    parser.add_argument("--keyed", action="store_true")
    parser.add_argument("--engine", default="duckdb")
    parser.add_argument("--master")
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    options = ["--engine", arguments.engine, *(["--master", arguments.master] if arguments.master else [])]
    master = None
    if arguments.keyed:
        master = b"an invented first key of 32 bytes"
        os.environ["SCALE_KEY"] = master.decode()
        options += ["--key", "env:SCALE_KEY"]
    print(f"{os.cpu_count()} cores; load {os.getloadavg()[0]:.1f} when it began")
    print("     events       MB   parse s   table s   check s  x parse  x table   peak MB   exit")
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        path = Path(folder) / "small.jsonl"
        build(path, 200, arguments.calls, master)
        seconds = min(checked(path, *options)[0] for _ in range(arguments.repeat))
        print(f"        200: {seconds:.2f} s, start-up included", flush=True)
        times = []
        for factor in (1, 10) if arguments.tenfold else (1,):
            path = Path(folder) / f"{factor}.jsonl"
            build(path, arguments.events * factor, arguments.calls, master)
            times.append(measured(path, arguments.events * factor, arguments.repeat if factor == 1 else 1, options))
        if len(times) > 1:
            print(f"ten times the input takes {times[1] / times[0]:.1f} times as long")


if __name__ == "__main__":
    main()
