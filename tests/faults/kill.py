"""``python -m tests.faults.kill --kills N``: kill a logging process at random moments, and look for its events.

A child logs one numbered event after another, and says on a pipe which call has returned. It is killed at a random
moment. Then every number that it said has to be in the target's file or in the fallback, and no line may be torn but
the last one of a file. Four of eight children seal their events: the stream in both files has to be whole up to where
it breaks off, and the check has to say that it does, and no more.
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
from agentlogsafe.review.check import Review

from .tools import numbers, whole_lines

WAYS = ("file", "fallback", "both", "fsync")
SEALS = ("chain", "off")
SAID = ("streams", "open_ended", "partial_line", "gap", "modified")
_AT_ONCE = 100


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


def log(folder, way, seal, pipe):
    """Log until killed; never returns."""
    takes = {"file": "all", "fallback": "none", "both": "half", "fsync": "half"}[way]
    fallback = {"path": folder / "fallback.jsonl", "fsync": way == "fsync"}
    handler = agentlogsafe.AuditHandler(Sometimes(folder / "app.jsonl", takes), fallback=fallback, seal=seal)
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


def kill(folder, way, seal, delay):
    """Kill one child after *delay* seconds; return what was found."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            log(folder, way, seal, writing)
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


def checked(folders):
    """Return what the check says of sealed streams: how many there are, and how often it says what."""
    with Review.load(folders) as review:
        found = Counter(finding.kind for finding in review.findings("integrity"))
        found["streams"] = len({event["stream"] for event in review.events()} - {None})
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
    parser.add_argument("--seal", choices=SEALS, help="for all of them; without it, four of eight are")
    parser.add_argument("--seed", type=int, default=None, help="of the moments; by default another one every time")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    moments = random.Random(seed)
    agentlogsafe.redact({"password": "warm"})  # what is loaded when first needed is loaded here, and not in each child
    found: dict[str, Counter[str]] = {way: Counter() for way in WAYS}
    said: Counter[str] = Counter()
    began = time.monotonic()
    for first in range(0, options.kills, _AT_ONCE):
        with tempfile.TemporaryDirectory() as root:
            sealed = []
            for number in range(first, min(first + _AT_ONCE, options.kills)):
                way, seal = WAYS[number % len(WAYS)], options.seal or SEALS[number // len(WAYS) % len(SEALS)]
                folder = Path(root, str(number))
                folder.mkdir()
                found[way] += kill(folder, way, seal, moments.uniform(0.0, 0.04))
                if seal != "off" and any(path.stat().st_size for path in folder.iterdir()):
                    sealed.append(folder)
            said += checked(sealed) if sealed else Counter()
    print(f"{options.kills} kills in {time.monotonic() - began:.0f} s, seed {seed}\n")
    print(f"| {'target':8} | " + " | ".join(COLUMNS) + " |")
    print(f"|{'-' * 10}|" + "|".join("-" * (len(name) + 1) + ":" for name in COLUMNS) + "|")
    for way, counts in {**found, "all": sum(found.values(), Counter())}.items():
        print(f"| {way:8} | " + " | ".join(f"{counts[name]:>{len(name)}}" for name in COLUMNS) + " |")
    print("\nsealed: " + ", ".join(f"{said[name]} {name}" for name in dict.fromkeys((*SAID, *said))))
    everything = sum(found.values(), Counter())
    wrong = said["streams"] != said["open_ended"] or said.keys() - set(SAID[:3])
    return int(bool(everything["missing"] or everything["torn elsewhere"] or wrong))


if __name__ == "__main__":
    sys.exit(main())
