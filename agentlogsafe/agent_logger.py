"""The typed convenience: one method per event type, each returning the event it logged."""

from __future__ import annotations

import logging
import sys
import time
from typing import TYPE_CHECKING, Any

import orjson

from agentlogsafe import runs
from agentlogsafe._records import Call
from agentlogsafe._scope import default_logger, log
from agentlogsafe.chain import chain_for
from agentlogsafe.context import Defaults, Stamp, current
from agentlogsafe.errors import ConfigurationError
from agentlogsafe.events import EVENT_TYPES, Event, new_id
from agentlogsafe.runs import BAD_STATUS

if TYPE_CHECKING:
    from collections.abc import Mapping


class AgentLogger:
    """Logs audit events through a plain stdlib or structlog logger.

    It owns no sink: where events go is what the logger's handlers say. Each method takes the fields of its event type
    by name, any other field as keyword, and ``level`` to override the level; each returns the event.

    Args:
        agent_name, workflow_name, agent_version: who acts; they win over those of a run, so that several agents can
            log inside one.
        metadata: part of the metadata of every event; a run's and an event's own win.
        default_risk: the same for risk.
        logger: a stdlib or structlog logger; the default is ``logging.getLogger("agentlogsafe")``.

    Raises:
        ConfigurationError: for an unfit setting.
    """

    def __init__(
        self,
        agent_name: str | None = None,
        workflow_name: str | None = None,
        *,
        agent_version: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        default_risk: Mapping[str, Any] | str | None = None,
        logger: Any = None,
    ) -> None:
        given = {
            "agent_name": agent_name,
            "workflow_name": workflow_name,
            "agent_version": agent_version,
            "metadata": metadata,
            "default_risk": default_risk,
        }
        # Used where no chain is on the way (a disabled level, a logger without our handlers), to return the event.
        self._chain = chain_for("AgentLogger", given)
        settings = self._chain.settings
        self._defaults = Defaults({name: getattr(settings, name) for name in given})
        if logger is not None and not callable(getattr(logger, "info", None)):
            msg = f"AgentLogger.logger: expected a stdlib or structlog logger, got {type(logger).__name__}"
            raise ConfigurationError(msg)
        self._logger = logger

    def emit(
        self,
        event_type: str,
        /,
        *,
        level: int | str | None = None,
        exc_info: BaseException | bool | None = None,
        **fields: Any,
    ) -> Event:
        """Log an event of any type; an unknown type becomes ``custom`` and is named in ``problems``."""
        if event_type not in EVENT_TYPES:
            fields = {**fields, "event_type": event_type}
            event_type = "custom"
        number = _level(level, event_type, fields.get("status"))
        stamp = Stamp.of(new_id(), current(), self._defaults)
        error = exc_info if isinstance(exc_info, BaseException) else None
        if exc_info is True:
            error = sys.exc_info()[1]
        logger = self._logger or default_logger()
        log(logger, event_type, fields, level=number, stamp=stamp, exc_info=error)
        made = next(iter(stamp.events.values()), None)
        if made is None:
            name = getattr(logger, "name", None)
            call = Call(
                stamp, time.time(), logging.getLevelName(number).lower(), name if type(name) is str else None, error
            )
            made = self._chain.safe_event(event_type, fields, call)
        # A copy: what the caller does with it must not reach a handler that still holds the event.
        copied: Event = orjson.loads(orjson.dumps(made))
        return copied

    def run(self, **settings: Any) -> runs.run:
        """Return a `run` with this logger and its names."""
        own = self._defaults.values
        names = {name: own[name] for name in ("agent_name", "workflow_name", "agent_version")}
        return runs.run(**{**names, "logger": self._logger, **settings}, defaults=self._defaults)

    def step(self, event_type: str, **fields: Any) -> runs.step:
        """Return a `step` with this logger and its names."""
        return runs.step(event_type, logger=self._logger, defaults=self._defaults, **fields)

    def user_message(self, message: object, **fields: Any) -> Event:
        """Log what a user said."""
        return self.emit("user_message", message=message, **fields)

    def system_instruction(self, instruction: object, **fields: Any) -> Event:
        """Log what the model was told to be."""
        return self.emit("system_instruction", instruction=instruction, **fields)

    def model_call(
        self, *, provider: str | None = None, model: str | None = None, messages: object = None, **fields: Any
    ) -> Event:
        """Log a request to a model."""
        return self.emit("model_call", provider=provider, model=model, **_given(messages=messages), **fields)

    def model_response(
        self,
        response: object = None,
        *,
        provider: str | None = None,
        model: str | None = None,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        **fields: Any,
    ) -> Event:
        """Log what a model answered."""
        own = _given(response=response, input_tokens=input_tokens, output_tokens=output_tokens)
        return self.emit("model_response", provider=provider, model=model, **own, **fields)

    def tool_call(
        self, tool_name: str, args: object = None, *, tool_call_id: str | None = None, **fields: Any
    ) -> Event:
        """Log a call of a tool; with a *tool_call_id*, its result will find it."""
        own = _given(args=args, tool_call_id=tool_call_id)
        return self.emit("tool_call", tool_name=tool_name, **own, **fields)

    def tool_result(
        self,
        tool_name: str | None = None,
        result: object = None,
        *,
        status: str | None = "success",
        tool_call_id: str | None = None,
        duration_ms: float | None = None,
        **fields: Any,
    ) -> Event:
        """Log what a tool returned."""
        own = _given(result=result, status=status, tool_call_id=tool_call_id, duration_ms=duration_ms)
        return self.emit("tool_result", tool_name=tool_name, **own, **fields)

    def retrieval_query(self, query: object, *, source: str | None = None, **fields: Any) -> Event:
        """Log a search in an index or a store."""
        return self.emit("retrieval_query", query=query, **_given(source=source), **fields)

    def retrieval_result(
        self, results: object = None, *, source: str | None = None, count: int | None = None, **fields: Any
    ) -> Event:
        """Log what a search found."""
        return self.emit("retrieval_result", **_given(results=results, source=source, count=count), **fields)

    def policy_check(
        self, policy_name: str, *, allowed: bool | None = None, reason: object = None, **fields: Any
    ) -> Event:
        """Log the check of a rule; a denied one is a warning."""
        status = {True: "allowed", False: "denied"}.get(allowed) if allowed is not None else None
        own = _given(policy_name=policy_name, status=status, reason=reason)
        return self.emit("policy_check", **{**own, **fields})

    def human_approval(
        self, *, approved: bool | None = None, actor: object = None, reason: object = None, **fields: Any
    ) -> Event:
        """Log that a human was asked (*approved* is None), or has answered; a refusal is a warning."""
        status = "requested" if approved is None else "approved" if approved else "rejected"
        return self.emit("human_approval", **{**_given(status=status, actor=actor, reason=reason), **fields})

    def decision(self, decision: object, *, reason: object = None, **fields: Any) -> Event:
        """Log what the agent decided."""
        return self.emit("decision", decision=decision, **_given(reason=reason), **fields)

    def error(self, error: BaseException | str | None = None, **fields: Any) -> Event:
        """Log an error: an exception, a text, or the exception being handled (``exc_info=True``)."""
        if isinstance(error, BaseException):
            return self.emit("error", **{"exc_info": error, **fields})
        return self.emit("error", **_given(message=error), **fields)


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _level(given: int | str | None, event_type: str, status: object) -> int:
    """Return the caller's level, else what the type and status say."""
    if isinstance(given, str):
        given = logging.getLevelName(given.upper())
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    if event_type == "error":
        return logging.ERROR
    return logging.WARNING if isinstance(status, str) and status in BAD_STATUS else logging.INFO
