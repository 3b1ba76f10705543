"""Calls whose message is no event type: ordinary lines, redacted, with the ids of their run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentlogsafe import _records as records
from agentlogsafe.context import STAMP, Frame
from agentlogsafe.redaction import Redactor, Report

if TYPE_CHECKING:
    import logging
    from collections.abc import Mapping


def redacted_record(
    redactor: Redactor, record: logging.LogRecord, message: str, fields: Mapping[Any, object], frame: Frame | None
) -> logging.LogRecord:
    """Return a redacted copy of *record*; the original is left as it is, for handlers that need its exception.

    Args:
        redactor: what redacts.
        record: whose time, level and place in the code the copy has.
        message: with its arguments in place.
        fields: what came with ``extra``; a name that logging reserves gets an underscore.
        frame: the run to name.
    """
    attributes = record.__dict__
    error = records.exception_of(attributes["exc_info"])
    parts = {
        "message": message,
        "template": attributes["msg"],
        "args": list(attributes["args"]) if type(attributes["args"]) is tuple else None,
        "stacktrace": records.exception_fields(error)["stacktrace"] if error else attributes["exc_text"],
        "stack": attributes["stack_info"],
        "names": [attributes.get(name) for name in records.NAMES],
        "fields": fields,
    }
    clean: Any = redactor.copy(parts, Report(), memory=_memory(frame))
    if type(clean) is not dict:
        clean = {**dict.fromkeys(parts), "message": clean, "names": [], "fields": {}}
    made = {name: value for name, value in attributes.items() if name in records.KEPT}
    made.update((name, text) for name, text in zip(records.NAMES, clean["names"], strict=False) if name in made)
    msg, args = _template(clean)
    made.update(msg=msg, args=args, exc_info=None, exc_text=clean["stacktrace"], stack_info=clean["stack"])
    safe = clean["fields"] if type(clean["fields"]) is dict else {"fields": clean["fields"]}
    made.update((f"{name}_" if name in records.STANDARD else name, value) for name, value in safe.items())
    for name, value in _ids(frame).items():
        made.setdefault(name, value)
    return records.make(made)


def _template(clean: dict[str, Any]) -> tuple[str, tuple[Any, ...] | None]:
    """Return template and arguments where together they say what the redacted message says, else the message.

    Some formatters take the arguments apart (uvicorn's for its access log), some services group by template.
    """
    message: str = clean["message"]
    try:
        args = tuple(clean["args"])
        if args and clean["template"] % args == message:
            return clean["template"], args
    except Exception:  # noqa: BLE001, S110 -- then the message is all there is
        pass
    return message, None


def redacted_dict(redactor: Redactor, given: Mapping[str, Any], frame: Frame | None) -> dict[str, Any]:
    """Return a redacted copy of an event dict, its exception rendered."""
    fields = {name: value for name, value in given.items() if name != STAMP}
    error = records.exception_of(fields.pop("exc_info", None))
    if error is not None:
        fields["exception"] = records.exception_fields(error)["stacktrace"]
    clean: Any = redactor.copy(fields, Report(), memory=_memory(frame))
    if type(clean) is not dict:
        clean = {"event": clean}
    for name, value in _ids(frame).items():
        clean.setdefault(name, value)
    return clean  # type: ignore[no-any-return]


def _memory(frame: Frame | None) -> Any:
    return frame.run.memory if frame is not None else None


def _ids(frame: Frame | None) -> dict[str, str]:
    """Return the ids that tie an ordinary line to its run."""
    if frame is None or not frame.run.run_id:
        return {}
    ids = {"run_id": frame.run.run_id}
    if frame.parent:
        ids["parent_event_id"] = frame.parent
    return ids
