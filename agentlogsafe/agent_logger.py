"""The typed convenience: one method per event type, each returning the event it logged."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

import orjson

from agentlogsafe import runs
from agentlogsafe._records import Audited, Call, exception_of, name_of, text_of
from agentlogsafe._scope import default_logger, is_logger, log
from agentlogsafe.chain import chain_for
from agentlogsafe.context import Stamp, current
from agentlogsafe.errors import ConfigurationError
from agentlogsafe.events import Event, known_type, new_id
from agentlogsafe.redaction.plain import kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping


_MOST = 10**9


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
        self._defaults = self._chain.defaults
        if logger is not None and not is_logger(logger):
            msg = f"AgentLogger.logger: expected a stdlib or structlog logger, got {type(logger).__name__}"
            raise ConfigurationError(msg)
        self._logger = logger

    def emit(
        self,
        event_type: str,
        /,
        *,
        level: int | str | None = None,
        exc_info: object = None,
        **fields: Any,
    ) -> Event:
        """Log an event of any type; an unknown type becomes ``custom`` and is named in ``problems``."""
        return self._emit(event_type, level, exc_info, fields)

    def _emit(
        self, event_type: object, level: object, exc_info: object, fields: dict[str, Any], problem: str | None = None
    ) -> Event:
        known = known_type(event_type)
        if known is None:
            fields = {**fields, "event_type": event_type}
            known = "custom"
        number = _level(level, known, fields.get("status"))
        stamp = Stamp.of(new_id(), current(), self._defaults, problem)
        error = exception_of(exc_info)
        logger = default_logger() if self._logger is None else self._logger
        log(logger, known, fields, level=number, stamp=stamp, exc_info=error)
        copied = next((copied for made in stamp.events.values() if (copied := _copy_of(made)) is not None), None)
        if copied is None:
            call = Call(stamp, time.time(), logging.getLevelName(number).lower(), name_of(logger), error)
            copied = orjson.loads(orjson.dumps(self._chain.safe_event(known, fields, call)))
        return copied

    def run(self, **settings: Any) -> runs.run:
        """Return a `run` with this logger and its names."""
        own = self._defaults.values
        names = {name: own[name] for name in ("agent_name", "workflow_name", "agent_version")}
        return runs.run(**{**names, **settings}).log_as(self._logger, self._defaults)

    def step(self, event_type: str, **fields: Any) -> runs.step:
        """Return a `step` with this logger and its names."""
        return runs.step(event_type, **fields).log_as(self._logger, self._defaults)

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
        status = _answer(allowed, "allowed", "denied")
        own = _given(policy_name=policy_name, status=status, reason=reason)
        odd = _given(allowed=allowed) if status is None else {}
        return self._answered("policy_check", odd, {**own, **fields})

    def human_approval(
        self, *, approved: bool | None = None, actor: object = None, reason: object = None, **fields: Any
    ) -> Event:
        """Log that a human was asked (*approved* is None), or has answered; a refusal is a warning."""
        status = "requested" if approved is None else _answer(approved, "approved", "rejected")
        own = _given(status=status, actor=actor, reason=reason)
        odd = _given(approved=approved) if status is None else {}
        return self._answered("human_approval", odd, {**own, **fields})

    def _answered(self, event_type: str, odd: dict[str, object], fields: dict[str, Any]) -> Event:
        """Log what has a yes or a no as its status, with the answer that is neither."""
        problem = None
        for name, answer in odd.items():
            problem = f"{name}: expected true or false, got {kind_of(answer)}; kept in payload"
        level, exc_info = fields.pop("level", None), fields.pop("exc_info", None)
        return self._emit(event_type, level, exc_info, {**fields, **odd}, problem)

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


def _answer(given: object, yes: str, no: str) -> str | None:
    """Return the status that a true or a false stands for, also that of another library; None for anything else."""
    try:
        return {True: yes, False: no}.get(given)  # type: ignore[call-overload,no-any-return]
    except Exception:  # noqa: BLE001 -- an object of the caller's
        return None


def _copy_of(made: object) -> Event | None:
    """Return a copy of an event: what the caller does with it must not reach a handler that still holds the event."""
    if type(made) is not Audited:
        return None
    try:
        copied: Event = orjson.loads(orjson.dumps(made, default=text_of))
    except Exception:  # noqa: BLE001 -- a processor after ours can have put anything into it; it is made anew
        return None
    return copied


def _level(given: object, event_type: str, status: object) -> int:
    """Return the caller's level, else what the type and status say."""
    if issubclass(type(given), str):
        given = logging.getLevelName(str.__str__(given).upper())
    if issubclass(type(given), int) and type(given) is not bool:
        number = int.__index__(given)  # type: ignore[arg-type]
        if abs(number) < _MOST:
            return number
    if event_type == "error":
        return logging.ERROR
    return logging.WARNING if runs.is_bad(status) else logging.INFO
