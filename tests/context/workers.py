"""What other processes run; they import this module by name."""

from __future__ import annotations

import logging
import os

import agentlogsafe


def configure(path):
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(agentlogsafe.AuditFormatter(agent_name="child"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def work(path, carrier):
    """Log one event as part of the run in *carrier*, one after it, and one of a run of this process."""
    configure(path)
    log = logging.getLogger("child")
    with agentlogsafe.extract(carrier):
        log.info("decision", {"where": "inside", "pid": os.getpid()})
        with agentlogsafe.run(agent_name="grandchild"):
            log.info("decision", {"where": "nested"})
    log.info("decision", {"where": "outside"})


def ids(count):
    """Return the ids of *count* events made in this process, and of a run."""
    agent = agentlogsafe.AgentLogger("child")
    with agentlogsafe.run() as run:
        return [agent.decision(number)["event_id"] for number in range(count)] + [run.run_id]
