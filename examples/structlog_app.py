"""A structlog application: audit events by adding one line to its processors.

Run it with ``python structlog_app.py``: every line on stdout is JSON.
"""

from __future__ import annotations

import os

import structlog

import agentlogsafe

log = structlog.get_logger()

API_KEY = os.environ.get("PAYMENTS_API_KEY", "not-a-real-key-0123456789")


def main() -> None:
    """Configure structlog, then work as an agent would."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            *agentlogsafe.processors.audit(agent_name="support-agent", workflow_name="refunds"),
            structlog.processors.JSONRenderer(),
        ],
    )

    # What is bound is part of every event; what is no field of the envelope goes to its payload.
    structlog.contextvars.bind_contextvars(session_id="chat-17", tenant="acme")

    with agentlogsafe.run(logger=log, input="Where is my refund?"):
        log.info("user_message", message="I am Ada, my card is 4111 1111 1111 1111. Where is my refund?")

        with agentlogsafe.step("model_call", provider="openai", model="gpt-4o") as call:
            call.result("Let me look that up.", input_tokens=212, output_tokens=6)

        with agentlogsafe.step("tool_call", tool_name="find_refund", args={"order": "A-1009"}) as call:
            call.result({"refund": "R-77", "email": "ada.lovelace@example.com"})

        log.info("policy_check", policy_name="refund-limit", status="allowed", reason="below 100 EUR")
        try:
            pay()
        except ConnectionError:
            log.exception("error", tool_name="payments")

        log.info("refund started", order="A-1009", email="ada.lovelace@example.com")


def pay() -> None:
    """Fail, as payment services do, with more in the message than one likes."""
    msg = f"POST https://payments.example.com/refunds failed: Authorization: Bearer {API_KEY}"
    raise ConnectionError(msg)


if __name__ == "__main__":
    main()
