"""google-re2 beside threads and forks: it has locks of its own, and lets other threads run while it works."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.helpers import unmeasured

FORK_WHILE_REDACTING = """
import os, random, string, sys, threading, time
import agentlogsafe

SIGNS = string.ascii_letters + string.digits + "-_.:=+/ "
stop = threading.Event()

def texts(seed):  # of many kinds: google-re2 takes its lock where it sees something for the first time
    chance = random.Random(seed)
    while True:
        yield "".join(chance.choices(SIGNS, k=2_000))

def busy(seed):
    for text in texts(seed):
        agentlogsafe.redact(text)
        if stop.is_set():
            return

agentlogsafe.redact("")  # what it imports, it has imported
threads = [threading.Thread(target=busy, args=(seed,)) for seed in range(3)]
for thread in threads:
    thread.start()
for number in range(30):
    pid = os.fork()
    if pid == 0:
        for text, _ in zip(texts(100 + number), range(5)):
            agentlogsafe.redact(text)
        os._exit(0)
    deadline = time.monotonic() + 60
    while os.waitpid(pid, os.WNOHANG) == (0, 0):
        if time.monotonic() > deadline:
            os.kill(pid, 9)
            stop.set()
            sys.exit("a child hangs")
        time.sleep(0.001)
stop.set()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_forking_while_other_threads_redact():
    """Children forked while other threads are inside google-re2 redact, and end (26)."""
    pytest.importorskip("re2")
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK_WHILE_REDACTING],
        env=unmeasured(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
