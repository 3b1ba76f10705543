"""The benchmark runs; what it measures is for people to judge, not for tests."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.payloads import MIXES, SIZES_KB, payloads

ROOT = Path(__file__).resolve().parent.parent


# The release on PyPI is left out: a test needs no network.
CONTENDERS = ("stdlib", "formatter", "handler", "structlog", "processors")


def benchmark(*options: str) -> str:
    options = (*options, "--contenders", *CONTENDERS)
    command = [sys.executable, "-m", "tests.benchmarks", "--rounds=1", "--number=3", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_json():
    """Every contender is measured with every payload, and the bare stacks are the measure of the rest."""
    entries = json.loads(benchmark("--json", "--sizes", "0.1"))["events"]

    assert {(e["contender"], e["payload"]) for e in entries} == {(name, mix) for name in CONTENDERS for mix in MIXES}
    assert all(e["min_us"] > 0 for e in entries)
    assert all(e["times_bare"] == 1 for e in entries if e["contender"] in {"stdlib", "structlog"})


def test_table():
    """Without options about the output, it is a table for people."""
    out = benchmark("--sizes", "0.1", "0.5")

    assert "0.1 KB" in out
    assert "ours: AuditFormatter" in out
    assert "import agentlogsafe" in out


@pytest.mark.parametrize("mix", MIXES)
@pytest.mark.parametrize("size_kb", SIZES_KB)
def test_payloads(mix, size_kb):
    """Payloads have the size that is claimed, differ, and are the same for the same seed."""
    made = payloads(mix, size_kb, seed=1)
    lengths = {len(json.dumps(fields)) for fields in made}

    assert made == payloads(mix, size_kb, seed=1)
    assert made != payloads(mix, size_kb, seed=2)
    assert len({str(fields["query"]) for fields in made}) > len(made) / 2
    assert max(lengths) <= size_kb * 1000 + 10
    assert min(lengths) >= size_kb * 1000 * 0.8
