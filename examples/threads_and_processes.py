"""One run across threads and processes, where context variables do not follow by themselves.

Run it with ``python threads_and_processes.py``: every line on stdout is an audit event of the same run.
"""

from __future__ import annotations

import logging
import multiprocessing
import sys
import threading
from concurrent.futures import ProcessPoolExecutor

import agentlogsafe

log = logging.getLogger("indexer")


def main() -> None:
    """Index documents in every way that Python can do things at once."""
    configure()

    with agentlogsafe.run(input="index the handbook"):
        # A thread: wrap what it runs.
        thread = threading.Thread(target=agentlogsafe.carry(index), args=("thread", "chapter-1"))
        thread.start()
        thread.join()

        # A pool of threads: a drop-in for ThreadPoolExecutor.
        with agentlogsafe.ContextThreadPoolExecutor(max_workers=2) as threads:
            list(threads.map(index, ["pool", "pool"], ["chapter-2", "chapter-3"]))

        # A process: send the ids along with the work. They are a dict of strings, as HTTP headers are.
        spawn = multiprocessing.get_context("spawn")
        with agentlogsafe.step("tool_call", tool_name="index_images", args={"chapter": "chapter-4"}) as call:
            carrier = agentlogsafe.inject({})
            process = spawn.Process(target=index_elsewhere, args=(carrier, "process", "chapter-4"))
            process.start()
            process.join()
            call.result({"exit_code": process.exitcode})

        # A pool of processes, the same way.
        carrier = agentlogsafe.inject({})
        with ProcessPoolExecutor(max_workers=1, mp_context=spawn) as processes:
            processes.submit(index_elsewhere, carrier, "process-pool", "chapter-5").result()


def index(worker: str, chapter: str) -> None:
    """Do the work, and log it as part of whatever run this is called in."""
    log.info("custom", {"action": "indexed", "worker": worker, "chapter": chapter})


def index_elsewhere(carrier: dict[str, str], worker: str, chapter: str) -> None:
    """Do the same in another process: it configures logging anew, and continues the run that it was sent."""
    configure()
    with agentlogsafe.extract(carrier):
        index(worker, chapter)


def configure() -> None:
    """Configure logging, in this process."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(agentlogsafe.AuditFormatter(agent_name="index-agent", workflow_name="nightly-index"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


if __name__ == "__main__":
    main()
