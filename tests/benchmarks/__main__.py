"""``python -m tests.benchmarks``: microseconds per event, side by side, from one run on one machine.

Contenders take turns, one round each, so that whatever else the machine does meets all of them alike. The table is
Markdown, to be read in a terminal and pasted into a page.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import venv
from contextlib import ExitStack
from pathlib import Path

from tests.benchmarks import contenders, import_time, payloads

PEER = "0.2.0"

# Contender → what it is called in the table, and the bare stack that it sits on.
ROWS = {
    "stdlib": ("logging + python-json-logger (orjson)", "stdlib"),
    "formatter": ("  ours: AuditFormatter", "stdlib"),
    "sealed": ("  ours: AuditFormatter, sealed", "stdlib"),
    "keyed": ("  ours: AuditFormatter, sealed with a key", "stdlib"),
    "handler": ("  ours: AuditHandler around a FileHandler", "stdlib"),
    "structlog": ("structlog + orjson", "structlog"),
    "processors": ("  ours: processors.audit()", "structlog"),
    PEER: (f"agentlogsafe {PEER}, JSONLSink", None),
}


def peer_python() -> str:
    """Return the interpreter of an environment with the release on PyPI; it is made once and kept."""
    user = os.getuid() if hasattr(os, "getuid") else "user"
    version = "{}.{}".format(*sys.version_info)
    folder = Path(tempfile.gettempdir()) / f"agentlogsafe-benchmark-{user}-{PEER}-py{version}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (folder / "complete").exists():
        venv.create(folder, with_pip=True, clear=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", f"agentlogsafe=={PEER}"]
        subprocess.run(install, check=True, stdout=sys.stderr)
        (folder / "complete").touch()
    return str(python)


class Contender:
    """A waiting process, and what it measured."""

    def __init__(self, name: str, python: str, folder: str) -> None:
        self.name = name
        self.results: dict[tuple[str, float], list[float]] = {}
        # Without coverage, which would measure itself; and the other release must not find this one.
        left_out = ("COV", "PYTHONPATH") if name == PEER else ("COV",)
        env = {key: value for key, value in os.environ.items() if not key.startswith(left_out)}
        self._process = subprocess.Popen(
            [python, contenders.__file__, name, str(Path(folder, f"{name}.jsonl"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env=env,
        )
        self._numbers: dict[tuple[str, float], int] = {}

    def close(self) -> None:
        """End the process."""
        with self._process:
            self._process.kill()

    def round(self, mix: str, size_kb: float, seed: int, number: int) -> None:
        """Log one round, and remember how long an event took."""
        assert self._process.stdin
        assert self._process.stdout
        case = (mix, size_kb)
        order = {"mix": mix, "size_kb": size_kb, "seed": seed, "number": number or self._numbers.get(case, 0)}
        print(json.dumps(order), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            sys.exit(f"the contender {self.name!r} ended; its own error is above")
        done = json.loads(answer)
        self._numbers[case] = done["number"]
        self.results.setdefault(case, []).append(done["us"])


def measure(options: argparse.Namespace) -> dict[str, Contender]:
    """Let every contender run every case, in turns."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        running = {
            name: Contender(name, peer_python() if name == PEER else sys.executable, folder)
            for name in options.contenders
        }
        for contender in running.values():
            stack.callback(contender.close)
        for mix in payloads.MIXES:
            for size_kb in options.sizes:
                for seed in range(options.rounds):
                    for contender in running.values():
                        contender.round(mix, size_kb, seed, options.number)
    return running


def report(running: dict[str, Contender], options: argparse.Namespace) -> list[dict[str, object]]:
    """Sum up, an entry for each contender and case; ratios are of the fastest rounds, the least disturbed ones."""
    entries: list[dict[str, object]] = []
    for mix in payloads.MIXES:
        for size_kb in options.sizes:
            best = {name: min(contender.results[mix, size_kb]) for name, contender in running.items()}
            for name, contender in running.items():
                bare = ROWS[name][1] or ""
                entries.append(
                    {
                        "contender": name,
                        "payload": mix,
                        "size_kb": size_kb,
                        "min_us": best[name],
                        "median_us": statistics.median(contender.results[mix, size_kb]),
                        "times_bare": best[name] / best[bare] if bare in best else None,
                        "times_faster_than_peer": best[PEER] / best[name] if PEER in best else None,
                    }
                )
    return entries


def machine() -> dict[str, object]:
    """Say where this was measured."""
    cpu = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        cpu = models[0] if models else cpu
    return {"python": platform.python_version(), "system": platform.system(), "cpu": cpu, "cores": os.cpu_count()}


def tables(entries: list[dict[str, object]], options: argparse.Namespace) -> str:
    """Lay the figures out, one table for each mix of payloads."""
    lines: list[str] = []
    width = max(len(label) for label, _ in ROWS.values())
    for mix in payloads.MIXES:
        lines += ["", f"{mix} payloads, µs per event: fastest round (median); × bare; × as fast as {PEER}", ""]
        head = "".join(f" | {f'{size} KB':>32}" for size in options.sizes)
        lines += [f"| {'':{width}}{head} |", f"|{'-' * (width + 2)}|" + f"{'-' * 33}:|" * len(options.sizes)]
        for name, (label, _) in ROWS.items():
            of_row = [e for e in entries if e["contender"] == name and e["payload"] == mix]
            if of_row:
                lines.append(f"| {label:{width}}" + "".join(f" | {_cell(entry):>32}" for entry in of_row) + " |")
    return "\n".join(lines)


def _cell(entry: dict[str, object]) -> str:
    cell = f"{entry['min_us']:.1f} ({entry['median_us']:.1f})"
    cell += f"; {entry['times_bare']:5.2f}×" if entry["times_bare"] is not None else f"; {'':6}"
    cell += f"; {entry['times_faster_than_peer']:6.1f}×" if entry["times_faster_than_peer"] is not None else ""
    return cell


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=11, help="rounds of each contender and case (default: 11)")
    parser.add_argument("--number", type=int, default=0, help="events a round (default: as many as take 50 ms)")
    parser.add_argument("--sizes", type=float, nargs="+", default=payloads.SIZES_KB, metavar="KB", help="of payloads")
    parser.add_argument(
        "--contenders", nargs="+", default=list(ROWS), choices=list(ROWS), help=f"{PEER} needs PyPI once"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()

    entries = report(measure(options), options)
    imports = import_time.measure(max(3, options.rounds))
    if options.json:
        print(json.dumps({"machine": machine(), "events": entries, "import_ms": statistics.median(imports)}, indent=1))
        return
    print(", ".join(f"{key} {value}" for key, value in machine().items()) + f"; {options.rounds} rounds in turns")
    print(tables(entries, options))
    print(
        f"\nimport agentlogsafe, after structlog and python-json-logger: {statistics.median(imports):.1f} ms "
        f"(median of {len(imports)}; budget {import_time.BUDGET_MS} ms)"
    )


if __name__ == "__main__":
    main()
