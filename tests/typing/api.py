"""Public use of the package, checked by mypy and not run: typing is an interface too."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

import agentlogsafe
from agentlogsafe import AgentLogger, AuditFormatter, AuditHandler, ConfigurationError, Limits, RedactionPolicy
from agentlogsafe.testing import capture_events

if TYPE_CHECKING:
    from concurrent.futures import Future

handler: logging.Handler = AuditHandler(
    logging.StreamHandler(),
    fallback=Path("fallback.jsonl"),
    agent_name="a",
    limits=Limits(line=8_000),
    policy=RedactionPolicy.load("standard"),
)
formatter: logging.Formatter = AuditFormatter("%(message)s", agent_name="a", rename_fields={"message": "msg"})
handlers: list[AuditHandler] = agentlogsafe.install("uvicorn", workflow_name="w")
structlog.configure(processors=[*agentlogsafe.processors.audit(agent_name="a"), agentlogsafe.processors.to_stdlib])

audit = AgentLogger("a", "w", metadata={"a": 1}, default_risk="low", logger=structlog.get_logger())
event: dict[str, Any] = audit.tool_call("sql", {"q": 1}, tool_call_id="c1")
event = audit.error(ValueError("x"), level="warning")

with agentlogsafe.run("a", "w", input="x", actor={"id": "u"}) as run, agentlogsafe.step("tool_call") as call:
    run_id: str | None = run.run_id
    call.result([1], rows=1)
    run.result(output_tokens=1)


@agentlogsafe.run("a")
def work(number: int) -> str:
    return str(number)


@agentlogsafe.step("tool_call", tool_name="x")
async def fetch(url: str) -> bytes:
    async with agentlogsafe.run():
        return url.encode()


text: str = work(1)
carried: str = agentlogsafe.carry(work)(1)
with agentlogsafe.ContextThreadPoolExecutor() as executor:
    future: Future[str] = executor.submit(work, 1)

headers: dict[str, str] = {}
agentlogsafe.inject(headers)
with agentlogsafe.extract(headers):
    pass

name: str = agentlogsafe.register_event_type("trade_executed")
schema: dict[str, Any] = agentlogsafe.json_schema()
counts: dict[str, dict[str, Any]] = agentlogsafe.stats()
findings: list[str] = agentlogsafe.self_check()
clean: object = agentlogsafe.redact({"password": "x"}, policy={"name": "mine"})
with capture_events(agent_name="a") as events:
    first: dict[str, Any] = events[0]
try:
    AuditFormatter(agent="x")
except ConfigurationError as error:
    message: str = str(error)
