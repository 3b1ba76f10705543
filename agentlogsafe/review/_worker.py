"""The process that reads parts of files: tasks come on standard input, and what became of them goes to standard output.

Not multiprocessing: its ways to start a process run the caller's main module again, or fork a process that has threads.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import orjson

from agentlogsafe.review.keyring import Keyring
from agentlogsafe.review.reading import Outcome, spool_part
from agentlogsafe.review.sources import Part


def main() -> None:
    """Do what comes on standard input, until it ends."""
    gc.disable()  # everything is freed as it comes, and half of the collector's work would be to look at it
    setting = orjson.loads(sys.stdin.buffer.readline())
    spool = Path(setting["spool"])
    keys = Keyring([bytes.fromhex(master) for master in setting["masters"]])
    out = sys.stdout.buffer
    for raw in iter(sys.stdin.buffer.readline, b""):
        task = orjson.loads(raw)
        if task["forks"] is not None:
            keys = Keyring([bytes.fromhex(master) for master in setting["masters"]], task["forks"])
        outcome = Outcome()
        lines, plainly = task["lines"] and Path(task["lines"]), task["plainly"]
        spool_part(Part(*task["part"]), task["id"], keys, outcome, spool, lines=lines, plainly=plainly)
        out.write(orjson.dumps(outcome) + b"\n")
        out.flush()
        gc.collect(0)


if __name__ == "__main__":
    main()
