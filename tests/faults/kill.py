"""``python -m tests.faults.kill --kills N``: kill a logging process at random moments, and look for its events.

A child logs one numbered event after another, and says on a pipe which call has returned. It is killed at a random
moment. Then every number that it said has to be in the target's file or in the fallback, and no line may be torn but
the last one of a file.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import agentlogsafe

from .tools import numbers, whole_lines

WAYS = ("file", "fallback", "both", "fsync")


class Sometimes(logging.FileHandler):
    """A file that takes all, none, or two of three, which is every other event: the third is a report of recovery."""

    def __init__(self, path, takes):
        super().__init__(path)
        self.takes = takes
        self.number = 0

    def emit(self, record):
        self.number += 1
        if self.takes == "none" or (self.takes == "half" and self.number % 3 == 0):
            raise OSError
        super().emit(record)


def log(folder, way, pipe):
    """Log until killed; never returns."""
    takes = {"file": "all", "fallback": "none", "both": "half", "fsync": "half"}[way]
    fallback = {"path": folder / "fallback.jsonl", "fsync": way == "fsync"}
    handler = agentlogsafe.AuditHandler(Sometimes(folder / "app.jsonl", takes), fallback=fallback)
    logger = logging.getLogger("app")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
    sizes = random.Random(1)
    number = 0
    while True:
        # Up to several pages, so that a kill can come in the middle of a write.
        logger.info("tool_call", {"n": number, "note": "x y " * sizes.choice((1, 20, 200, 3_000))})
        os.write(pipe, b"%d\n" % number)
        number += 1


def kill(folder, way, delay):
    """Kill one child after *delay* seconds; return what was found."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            log(folder, way, writing)
        finally:
            os._exit(3)
    os.close(writing)
    said = b""
    end = time.monotonic() + delay
    os.set_blocking(reading, False)
    while time.monotonic() < end:
        try:
            said += os.read(reading, 65536)
        except BlockingIOError:
            time.sleep(0.0002)
    os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status), "the child ended by itself"
    os.set_blocking(reading, True)
    while block := os.read(reading, 65536):
        said += block
    os.close(reading)
    acknowledged = int(said.split(b"\n")[-2]) + 1 if b"\n" in said else 0

    found = Counter(kills=1, acknowledged=acknowledged)
    present: set[int] = set()
    for name in ("app", "fallback"):
        path = folder / f"{name}.jsonl"
        events, torn = whole_lines(path)
        last_is_torn = path.exists() and path.stat().st_size > 0 and not path.read_bytes().endswith(b"\n")
        found[f"in {name}"] += len(numbers(events))
        found["torn last lines"] += last_is_torn
        found["torn elsewhere"] += torn - last_is_torn
        found["twice"] += len(present & set(numbers(events)))
        present |= set(numbers(events))
    found["missing"] = len(set(range(acknowledged)) - present)
    found["written, not acknowledged"] = len(present - set(range(acknowledged)))
    return found


COLUMNS = (
    "kills",
    "acknowledged",
    "in app",
    "in fallback",
    "missing",
    "torn last lines",
    "torn elsewhere",
    "written, not acknowledged",
)


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.faults.kill", description="Kill a logging process.")
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=None, help="of the moments; by default another one every time")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    moments = random.Random(seed)
    agentlogsafe.redact({"password": "warm"})  # what is loaded when first needed is loaded here, and not in each child
    found: dict[str, Counter[str]] = {way: Counter() for way in WAYS}
    began = time.monotonic()
    for number in range(options.kills):
        way = WAYS[number % len(WAYS)]
        with tempfile.TemporaryDirectory() as folder:
            found[way] += kill(Path(folder), way, moments.uniform(0.0, 0.04))
    print(f"{options.kills} kills in {time.monotonic() - began:.0f} s, seed {seed}\n")
    print(f"| {'target':8} | " + " | ".join(COLUMNS) + " |")
    print(f"|{'-' * 10}|" + "|".join("-" * (len(name) + 1) + ":" for name in COLUMNS) + "|")
    for way, counts in {**found, "all": sum(found.values(), Counter())}.items():
        print(f"| {way:8} | " + " | ".join(f"{counts[name]:>{len(name)}}" for name in COLUMNS) + " |")
    everything = sum(found.values(), Counter())
    return int(bool(everything["missing"] or everything["torn elsewhere"]))


if __name__ == "__main__":
    sys.exit(main())
