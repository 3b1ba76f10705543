"""Redaction: find credentials and personal data in anything, and hand back a JSON-safe copy without them.

This package knows nothing of logging. `redact` is the one-call form; `compile_policy` gives the `Redactor` that the
log chain calls per event.
"""

from __future__ import annotations

from agentlogsafe.redaction.content import ContentRule
from agentlogsafe.redaction.custom import CustomDetector
from agentlogsafe.redaction.known import register_secret
from agentlogsafe.redaction.memory import RunMemory
from agentlogsafe.redaction.policy import RedactionPolicy
from agentlogsafe.redaction.redactor import Redactor, compile_policy, redact
from agentlogsafe.redaction.report import Report

__all__ = [
    "ContentRule",
    "CustomDetector",
    "RedactionPolicy",
    "Redactor",
    "Report",
    "RunMemory",
    "compile_policy",
    "redact",
    "register_secret",
]
