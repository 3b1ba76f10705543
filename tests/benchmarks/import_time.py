"""What ``import agentlogsafe`` adds to a program that has already imported structlog and python-json-logger."""

from __future__ import annotations

import os
import subprocess
import sys

BUDGET_MS = 60

# Measured inside a fresh interpreter, so that its own start does not blur the difference.
SOURCE = """
from time import perf_counter
import structlog, pythonjsonlogger.json
start = perf_counter()
import agentlogsafe
agentlogsafe.run  # what is put off is loaded by the first name
print((perf_counter() - start) * 1000)
"""


def measure(rounds: int = 9) -> list[float]:
    """Return milliseconds, one for each fresh interpreter."""
    left_out = ("COV", "PYTHONDONTWRITEBYTECODE")  # compiling anew is not what an installed package costs
    env = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    command = [sys.executable, "-c", SOURCE]
    subprocess.run(command, env=env, capture_output=True, check=True)  # writes the bytecode
    return [float(subprocess.run(command, env=env, capture_output=True, check=True).stdout) for _ in range(rounds)]
