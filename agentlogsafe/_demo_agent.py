"""The agent that `agentlogsafe demo` runs: a small refund workflow, and three ways to configure logging for it.

Everything here is shown in the terminal as it stands: each configuration, and each call beside the event it became.
The two workflows are the same, once with a stdlib logger and once with a structlog logger. All data is invented.
"""
# ruff: noqa: EM101, TRY003, TRY301, TRY400 -- calls as an application may write them, short enough to show

from __future__ import annotations

import logging
import logging.config
import time
from typing import TYPE_CHECKING, Any, TextIO

import structlog

import agentlogsafe

if TYPE_CHECKING:
    from collections.abc import Callable

# Lines are short because they are shown in half a terminal.
# fmt: off


def configure_formatter(path: str) -> logging.Logger:
    """Adopt with one line: the factory of a formatter."""
    logging.config.dictConfig({
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"audit": {
            "()": "agentlogsafe.AuditFormatter",
            "workflow_name": "refunds",
        }},
        "handlers": {"file": {
            "class": "logging.FileHandler",
            "filename": path,
            "mode": "w",
            "formatter": "audit",
        }},
        "loggers": {"shop": {
            "handlers": ["file"],
            "level": "INFO",
            "propagate": False,
        }},
    })
    return logging.getLogger("shop")


def configure_handler(path: str) -> logging.Logger:
    """Adopt by wrapping a handler."""
    logging.config.dictConfig({
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "agentlogsafe.AuditFormatter"}},
        "handlers": {
            "file": {
                "class": "logging.FileHandler",
                "filename": path,
                "mode": "w",
                "formatter": "json",
            },
            "audit": {
                "class": "agentlogsafe.AuditHandler",
                "target": "file",
                "workflow_name": "refunds",
            },
        },
        "loggers": {"shop": {
            "handlers": ["audit"],
            "level": "INFO",
            "propagate": False,
        }},
    })
    return logging.getLogger("shop")


def configure_structlog(file: TextIO) -> Any:
    """Adopt with processors."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            *agentlogsafe.processors.audit(workflow_name="refunds"),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(file),
    )
    return structlog.get_logger()


def refund_with_stdlib(log: logging.Logger) -> None:
    """Decide about a refund, with a stdlib logger."""
    with agentlogsafe.run(
        "refund-agent",
        input="ticket 7",
        actor="u-17",
        logger=log,
    ):
        log.info("user_message", {
            "message": "A-1042 broke. "
            "Mail jane.doe@example.com "
            "or call +1 415 555 0132.",
        })
        with agentlogsafe.step(
            "model_call",
            provider="example",
            model="small-1",
            messages=["Refund A-1042?"],
        ) as call:
            work(80)
            call.result(
                "crm(A-1042)",
                input_tokens=212,
                output_tokens=18,
            )
        with agentlogsafe.step(
            "tool_call",
            tool_name="crm",
            args={
                "order_id": "A-1042",
                "api_key": "crm-live-5f1c0b7e",
            },
        ) as call:
            work(40)
            call.result({
                "full_name": "Jane Doe",
                "total_eur": 380,
            })
        log.info("retrieval_query", {
            "query": "refund limit",
            "source": "handbook",
        })
        work(15)
        log.info("retrieval_result", {
            "results": [{
                "id": "handbook-7",
                "text": "200 EUR, then ask.",
            }],
        })
        log.warning("policy_check", {
            "policy_name": "refund-limit",
            "status": "denied",
            "reason": "Jane Doe wants 380",
            "risk": {"level": "high"},
        })
        with agentlogsafe.step(
            "human_approval",
            reason="380 EUR is over 200",
        ) as asked:
            work(120)
            asked.approve(actor="carol")
        try:
            with agentlogsafe.step(
                "tool_call",
                tool_name="pay",
                args={
                    "card": "4111 1111 1111 1111",
                },
            ):
                work(30)
                raise TimeoutError(
                    "no answer from https://"
                    "shop:hunter2@pay.example.com"
                )
        except TimeoutError as error:
            log.error("error", {
                "error": error,
            })
        log.info(
            "retry for %s at noon",
            "jane.doe@example.com",
        )
        log.info("decision", {
            "decision": "refund_later",
            "reason": "approved; bank is down",
        })


def refund_with_structlog(log: Any) -> None:
    """Decide about a refund, with a structlog logger."""
    with agentlogsafe.run(
        "refund-agent",
        input="ticket 7",
        actor="u-17",
        logger=log,
    ):
        log.info(
            "user_message",
            message="A-1042 broke. "
            "Mail jane.doe@example.com "
            "or call +1 415 555 0132.",
        )
        with agentlogsafe.step(
            "model_call",
            provider="example",
            model="small-1",
            messages=["Refund A-1042?"],
        ) as call:
            work(80)
            call.result(
                "crm(A-1042)",
                input_tokens=212,
                output_tokens=18,
            )
        with agentlogsafe.step(
            "tool_call",
            tool_name="crm",
            args={
                "order_id": "A-1042",
                "api_key": "crm-live-5f1c0b7e",
            },
        ) as call:
            work(40)
            call.result({
                "full_name": "Jane Doe",
                "total_eur": 380,
            })
        log.info(
            "retrieval_query",
            query="refund limit",
            source="handbook",
        )
        work(15)
        log.info(
            "retrieval_result",
            results=[{
                "id": "handbook-7",
                "text": "200 EUR, then ask.",
            }],
        )
        log.warning(
            "policy_check",
            policy_name="refund-limit",
            status="denied",
            reason="Jane Doe wants 380",
            risk={"level": "high"},
        )
        with agentlogsafe.step(
            "human_approval",
            reason="380 EUR is over 200",
        ) as asked:
            work(120)
            asked.approve(actor="carol")
        try:
            with agentlogsafe.step(
                "tool_call",
                tool_name="pay",
                args={
                    "card": "4111 1111 1111 1111",
                },
            ):
                work(30)
                raise TimeoutError(
                    "no answer from https://"
                    "shop:hunter2@pay.example.com"
                )
        except TimeoutError as error:
            log.error("error", error=error)
        log.info(
            "retrying at noon",
            to="jane.doe@example.com",
        )
        log.info(
            "decision",
            decision="refund_later",
            reason="approved; bank is down",
        )


# fmt: on

CONFIGURATIONS: dict[str, Callable[[Any], Any]] = {
    "formatter": configure_formatter,
    "handler": configure_handler,
    "structlog": configure_structlog,
}

WORKFLOWS: dict[str, Callable[[Any], None]] = {
    "formatter": refund_with_stdlib,
    "handler": refund_with_stdlib,
    "structlog": refund_with_structlog,
}


def work(milliseconds: float) -> None:
    """Take some time, as a model or a person would, so that the timeline has something to show."""
    time.sleep(milliseconds / 1000)
