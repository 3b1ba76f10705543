"""``python -m tests.faults.throughput``: events per second of one thread and of eight, and what the guarantees cost.

Nothing of it is asserted: the figures are for people, from one run on one machine.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

from pythonjsonlogger.orjson import OrjsonFormatter

import agentlogsafe
from agentlogsafe._records import event_record


class Nowhere(logging.Handler):
    """A target that takes everything and does nothing."""

    def emit(self, record):
        pass


def configured(target, *, bare=False, **settings):
    logger = logging.getLogger("throughput")
    logger.handlers[:] = [target if bare else agentlogsafe.AuditHandler(target, **settings)]
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return logger


def in_threads(work, threads):
    """Return the seconds from the first begin to the last end."""
    ready = threading.Barrier(threads + 1)

    def run():
        ready.wait()
        work()

    started = [threading.Thread(target=run) for _ in range(threads)]
    for thread in started:
        thread.start()
    ready.wait()
    began = time.perf_counter()
    for thread in started:
        thread.join()
    return time.perf_counter() - began


def rate(events, threads, folder, way):
    """Return events per second, until the last one is delivered."""
    target = logging.FileHandler(Path(folder) / "app.jsonl", mode="w")
    target.setFormatter(OrjsonFormatter("%(levelname)s %(name)s %(message)s") if way == "bare" else None)
    queue = {"size": events, "timeout": 60} if way == "queue" else None
    logger = configured(target, bare=way == "bare", queue=queue)

    def work():
        for number in range(events // threads):
            logger.info("tool_call", {"tool_name": "sql", "args": {"query": "select 1", "n": number}})

    began = time.perf_counter()
    in_threads(work, threads)
    logger.handlers[0].flush()
    seconds = time.perf_counter() - began
    assert way == "bare" or logger.handlers[0].counters.delivered == events // threads * threads
    logger.handlers[0].close()
    target.close()
    return events / seconds


def made_record(target):
    """Return a finished record as a target gets it."""
    record = logging.LogRecord("throughput", logging.INFO, __file__, 1, "tool_call", None, None)
    logger = configured(target)
    made = logger.handlers[0]._chain.record(record)
    return event_record(record, made, {})


def per_event(work, events):
    began = time.perf_counter()
    for _ in range(events):
        work()
    return (time.perf_counter() - began) / events * 1e6


def cost(target, events):
    """Return µs per event: of the target alone, direct, of the call when queued, and of all work when queued."""
    record = made_record(target)
    direct = agentlogsafe.AuditHandler(target)
    queued = agentlogsafe.AuditHandler(target, queue={"size": events * 2, "timeout": 60})
    queued._relay.put(record)
    queued.flush()
    alone = per_event(lambda: target.handle(record), events)
    sent = per_event(lambda: direct._outlet.send(record), events)
    before = time.process_time()
    began = time.perf_counter()
    put = per_event(lambda: queued._relay.put(record), events)
    queued._relay.drain()
    work = (time.process_time() - before) / events * 1e6
    total = (time.perf_counter() - began) / events * 1e6
    queued.close()
    return alone, sent, put, work, total


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.faults.throughput", description="Measure delivery.")
    parser.add_argument("--events", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores; the best of {options.rounds} rounds\n")
        print("| way    | 1 thread, events/s | 8 threads, events/s | ratio |")
        print("|--------|-------------------:|--------------------:|------:|")
        for way in ("bare", "direct", "queue"):
            one, eight = [
                max(rates)
                for rates in zip(
                    *[
                        [rate(options.events, threads, folder, way) for threads in (1, 8)]
                        for _ in range(options.rounds)
                    ],
                    strict=True,
                )
            ]
            print(f"| {way:6} | {one:>18.0f} | {eight:>19.0f} | {eight / one:>5.2f} |")
        print("\nDelivery alone, µs per event\n")
        print("| target      | alone | direct | added | queued: the call | all work | added |")
        print("|-------------|------:|-------:|------:|-----------------:|---------:|------:|")
        file = logging.FileHandler(Path(folder) / "app.jsonl", mode="w")
        file.setFormatter(agentlogsafe.AuditFormatter())
        for name, target in (("nowhere", Nowhere()), ("FileHandler", file)):
            rounds = [cost(target, options.events) for _ in range(options.rounds)]
            alone, sent, put, work, _ = (min(column) for column in zip(*rounds, strict=True))
            print(
                f"| {name:11} | {alone:>5.2f} | {sent:>6.2f} | {sent - alone:>5.2f} "
                f"| {put:>16.2f} | {work:>8.2f} | {work - alone:>5.2f} |"
            )
        file.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
