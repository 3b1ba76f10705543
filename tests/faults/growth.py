"""``python -m tests.faults.growth --events N``: log many events, and print what the process holds at intervals."""

from __future__ import annotations

import argparse
import gc
import logging
import os
import sys
import threading
import time
from pathlib import Path

import agentlogsafe


def rss():
    """Return the resident memory in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def handlers(ways, folder):
    """Configure a logger for each way of delivery."""
    made = {}
    for way in ways:
        target = Failing() if way == "fallback" else logging.FileHandler(os.devnull)
        fallback = {"path": Path(folder) / "fallback.jsonl", "max_bytes": 2_000, "backups": 0}
        handler = agentlogsafe.AuditHandler(target, queue=way == "queue" or None, fallback=fallback)
        logger = logging.getLogger(f"growth.{way}")
        logger.handlers[:] = [handler]
        logger.setLevel(logging.INFO)
        logger.propagate = False
        made[way] = logger
    return made


class Failing(logging.Handler):
    """Never takes anything."""

    def emit(self, record):
        raise OSError


def log(logger, first, events, names=20_000):
    """Log so many events, in runs, with as much that is new as a long-lived process sees."""
    done = 0
    while done < events:
        number = first + done
        with agentlogsafe.run(f"agent-{number % 7}", run_id=f"run-{number}", logger=logger, metadata={"n": number}):
            with agentlogsafe.step("tool_call", tool_name=f"tool-{number}", tool_call_id=f"call-{number}") as call:
                call.result({"password": f"secret-{number}", "text": f"mail person{number}@example.com"})
            for inner in range(16):
                logger.info("decision", {"n": number, "note": f"what was decided {number}-{inner}"})
            try:
                raise ValueError(f"number {number}")
            except ValueError:
                logger.exception("line %s", number)
            # Names of loggers and threads are kept, up to a limit.
            record = logging.makeLogRecord(
                {"name": f"made.{number % names}", "msg": "tool_call", "levelno": 20, "levelname": "INFO"}
            )
            logger.handlers[0].handle(record)
            threading.current_thread().name = f"thread-{number % names}"
        done += 22


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.faults.growth", description="Look for growth of memory.")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=600, help="stop after this time")
    parser.add_argument("--ways", nargs="+", default=["direct", "queue", "fallback"])
    parser.add_argument("--folder", default=".", help="where the fallback is, a few KB")
    options = parser.parse_args()
    loggers = handlers(options.ways, options.folder)
    began = time.monotonic()
    intervals = 20
    each = options.events // intervals // len(loggers)
    print(f"{'events':>10} | {'seconds':>7} | {'RSS, MB':>8} | {'objects':>8}")
    done = 0
    for interval in range(intervals + 1):
        gc.collect()
        print(f"{done:>10} | {time.monotonic() - began:>7.0f} | {rss():>8.1f} | {len(gc.get_objects()):>8}", flush=True)
        if interval == intervals or time.monotonic() - began > options.seconds:
            break
        for logger in loggers.values():
            log(logger, done, each)
        for logger in loggers.values():
            logger.handlers[0].flush()
        done = sum(logger.handlers[0].counters.accepted for logger in loggers.values())
    for counts in agentlogsafe.stats().values():
        assert counts["accepted"] == counts["delivered"] + counts["fallback"] + counts["lost"]
    return 0


if __name__ == "__main__":
    sys.exit(main())
