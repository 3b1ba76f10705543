"""``python -m tests.faults.throughput``: events per second of one thread and of eight, and what the guarantees cost.

Nothing of it is asserted: the figures are for people, from one run on one machine.
"""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import subprocess
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
    """Return events per second, until the last one is delivered, and µs of processor time per event."""
    target = logging.FileHandler(Path(folder) / "app.jsonl", mode="w")
    target.setFormatter(OrjsonFormatter("%(levelname)s %(name)s %(message)s") if way == "bare" else None)
    queue = {"size": events, "timeout": 60} if way == "queue" else None
    logger = configured(target, bare=way == "bare", queue=queue)

    def work():
        for number in range(events // threads):
            logger.info("tool_call", {"tool_name": "sql", "args": {"query": "select 1", "n": number}})

    worked = time.process_time()
    began = time.perf_counter()
    in_threads(work, threads)
    logger.handlers[0].flush()
    seconds = time.perf_counter() - began
    worked = time.process_time() - worked
    assert way == "bare" or logger.handlers[0].counters.delivered == events // threads * threads
    logger.handlers[0].close()
    target.close()
    return events / seconds, worked / events * 1e6


def made_record(target):
    """Return a finished record as a target gets it."""
    record = logging.LogRecord("throughput", logging.INFO, __file__, 1, "tool_call", None, None)
    logger = configured(target)
    made = logger.handlers[0]._chain.record(record)
    release(logger.handlers[0])
    return event_record(record, made, {})


def per_event(work, events):
    """Return µs of this thread's processor time: what else the machine does has no part in it."""
    began = time.thread_time()
    for _ in range(events):
        work()
    return (time.thread_time() - began) / events * 1e6


def cost(target, events, fallback):
    """Return µs per event: of the target alone, direct, of the call when queued, and of all work when queued."""
    record = made_record(target)
    alone = per_event(lambda: target.handle(record), events)
    direct = agentlogsafe.AuditHandler(target, fallback=fallback)
    sent = per_event(lambda: direct._outlet.send(record), events)
    release(direct)
    queued = agentlogsafe.AuditHandler(target, fallback=fallback, queue={"size": events * 2, "timeout": 60})
    queued._relay.put(record)
    queued.flush()
    before = time.process_time()
    put = per_event(lambda: queued._relay.put(record), events)
    queued._relay.drain()
    work = (time.process_time() - before) / events * 1e6
    release(queued)
    return alone, sent, put, work


def release(handler):
    """Close a handler, and give its target back as it was."""
    handler.close()
    handler.setTarget(None)
    for restore in handler._heard.values():
        restore()


def compare_threads(events, rounds, folder):
    """Print what eight threads do together; in turns, since the machine does other things, too."""
    print("| way    | 1 thread, events/s | 8 threads, events/s | ratio | CPU, µs per event: 1 | 8 threads |")
    print("|--------|-------------------:|--------------------:|------:|---------------------:|----------:|")
    found = {"bare": [], "direct": [], "queue": []}
    for _ in range(rounds):
        for way, measured in found.items():
            measured.append([*rate(events, 1, folder, way), *rate(events, 8, folder, way)])
    for way, measured in found.items():
        one, cpu_one, eight, cpu_eight = (statistics.median(column) for column in zip(*measured, strict=True))
        ratio = statistics.median(row[2] / row[0] for row in measured)
        print(f"| {way:6} | {one:>18.0f} | {eight:>19.0f} | {ratio:>5.2f} | {cpu_one:>20.1f} | {cpu_eight:>9.1f} |")


def compare_targets(events, rounds, folder):
    """Print what a finished record costs with a target alone, and with everything that is promised around it."""
    print("| target      | alone | direct | added | queued: the call | all work | added |")
    print("|-------------|------:|-------:|------:|-----------------:|---------:|------:|")
    file = logging.FileHandler(folder / "app.jsonl")
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as reader:
        pipe = logging.StreamHandler(reader.stdin)
        for target in (file, pipe):
            target.setFormatter(agentlogsafe.AuditFormatter())
        for name, target in (("nowhere", Nowhere()), ("FileHandler", file), ("pipe", pipe)):
            measured = [cost(target, events, folder / "fallback.jsonl") for _ in range(rounds)]
            alone, sent, put, work = (min(column) for column in zip(*measured, strict=True))
            print(
                f"| {name:11} | {alone:>5.2f} | {sent:>6.2f} | {sent - alone:>5.2f} "
                f"| {put:>16.2f} | {work:>8.2f} | {work - alone:>5.2f} |"
            )
    file.close()


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.faults.throughput", description="Measure delivery.")
    parser.add_argument("--events", type=int, default=16_000, help="of one round")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, {options.rounds} rounds\n")
        print("Events per second, the median of all rounds\n")
        compare_threads(options.events, options.rounds, Path(folder))
        print("\nDelivery alone with a fallback, µs of processor time per event, the best round\n")
        compare_targets(options.events, max(options.rounds // 5, 1), Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
