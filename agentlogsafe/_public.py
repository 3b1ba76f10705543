"""What `import agentlogsafe` offers, loaded when some of it is first asked for."""

# ruff: noqa: F401 -- for others, all of it; the list of names is the package's `__all__`

from __future__ import annotations

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
