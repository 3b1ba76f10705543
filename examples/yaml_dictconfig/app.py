"""An application that configures logging from YAML: its log calls become audit events.

Run it anywhere with ``python app.py``. The same events go to the terminal, through an AuditFormatter, and to
``audit.jsonl``, through an AuditHandler; each has the same ``event_id`` in both places.
"""

from __future__ import annotations

import logging
import logging.config
from pathlib import Path

import yaml

import agentlogsafe

log = logging.getLogger("pricing")


def main() -> None:
    """Configure logging, then work as an agent would."""
    config = Path(__file__).with_name("logging.yaml").read_text(encoding="utf-8")
    logging.config.dictConfig(yaml.safe_load(config))

    with agentlogsafe.run(session_id="ticket-4711", input="Which products sell below their target margin?"):
        log.info("user_message", {"message": "Send the list to ada.lovelace@example.com, please."})

        # A mapping as the only argument: any field name works, `args` and `name` too.
        log.info(
            "tool_call",
            {
                "tool_name": "sql",
                "tool_call_id": "call_1",
                "args": {"query": "SELECT sku FROM margins WHERE margin < 0.12", "password": "correct-horse-battery"},
            },
        )
        # The same with `extra`; the result finds its call by the tool_call_id.
        log.info(
            "tool_result",
            extra={"tool_name": "sql", "tool_call_id": "call_1", "status": "success", "result": [{"sku": "SKU-1"}]},
        )
        # Any other line stays an ordinary line: redacted, with the ids of its run.
        log.warning("margin of %s is below %d %%, asking %s", "SKU-1", 12, "ada.lovelace@example.com")
        log.info("decision", {"decision": "raise the price", "metadata": {"sku": "SKU-1"}, "risk": "low"})


if __name__ == "__main__":
    main()
