"""Ordinary log calls of an AI-agent program become normalized, redacted, checkable audit events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentlogsafe import processors
    from agentlogsafe._carrier import inject
    from agentlogsafe._install import install, self_check
    from agentlogsafe._stream import end_streams
    from agentlogsafe.agent_logger import AgentLogger
    from agentlogsafe.context import ContextThreadPoolExecutor, carry, current_run_id
    from agentlogsafe.delivery import AgentLogSafeWarning, stats
    from agentlogsafe.errors import AgentLogSafeError, ConfigurationError, MissingExtraError
    from agentlogsafe.events import json_schema, register_event_type
    from agentlogsafe.formatter import AuditFormatter
    from agentlogsafe.handler import AuditHandler
    from agentlogsafe.redaction import ContentRule, CustomDetector, RedactionPolicy, redact, register_secret
    from agentlogsafe.runs import end_on_sigterm, extract, run, step
    from agentlogsafe.settings import Limits, SealSettings

__all__ = [
    "AgentLogSafeError",
    "AgentLogSafeWarning",
    "AgentLogger",
    "AuditFormatter",
    "AuditHandler",
    "ConfigurationError",
    "ContentRule",
    "ContextThreadPoolExecutor",
    "CustomDetector",
    "Limits",
    "MissingExtraError",
    "RedactionPolicy",
    "SealSettings",
    "carry",
    "current_run_id",
    "end_on_sigterm",
    "end_streams",
    "extract",
    "inject",
    "install",
    "json_schema",
    "processors",
    "redact",
    "register_event_type",
    "register_secret",
    "run",
    "self_check",
    "stats",
    "step",
]


def __getattr__(name: str) -> Any:
    """Load everything, once something is asked for; the commands, and processes that read logs, ask for nothing.

    Structlog alone takes longer to import than they do. See PEP 562.
    """
    if name not in __all__:  # perhaps a module, for which the import system asks here first
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from agentlogsafe import _public  # noqa: PLC0415 -- as said above

    globals().update({of: getattr(_public, of) for of in __all__})
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
