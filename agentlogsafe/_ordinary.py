"""Calls whose message is no event type: ordinary lines, redacted and limited, with the ids of their run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from agentlogsafe import _records as records
from agentlogsafe.context import STAMP
from agentlogsafe.limits import fit, written_wide
from agentlogsafe.redaction import Redactor, Report, RunMemory

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping

    from agentlogsafe.settings import Limits

_ROOM = 600
"""Bytes for what a formatter adds to a line: time, level, the ids of the run."""

_LEAST_LINE = 400
_WIDEST = 6  # bytes of a character, escaped
_HEAD = ("timestamp", "level", "logger", "event", "exception", "stack")
_PARTS = ("message", "stacktrace", "stack", "names", "fields")


class Ordinary:
    """Makes ordinary lines.

    Args:
        redactor: what redacts.
        limits: how long a line may become.
    """

    def __init__(self, redactor: Redactor, limits: Limits) -> None:
        self._redactor = redactor
        self._line, self._string = max(_LEAST_LINE, limits.line - _ROOM), limits.string

    def record(
        self,
        record: logging.LogRecord,
        message: str,
        fields: Mapping[Any, object],
        ids: Mapping[str, str],
        memory: RunMemory | None,
    ) -> logging.LogRecord:
        """Return a redacted copy of *record*; the original is left as it is, for handlers that need its exception.

        Args:
            record: whose time, level and place in the code the copy has.
            message: with its arguments in place.
            fields: what came with ``extra``; a name that logging reserves gets an underscore.
            ids: those of its run.
            memory: what the run has learned.
        """
        attributes = record.__dict__
        error = records.exception_of(attributes["exc_info"])
        given = attributes["args"] if type(attributes["args"]) is tuple else ()
        parts = {
            "names": [attributes.get(name) for name in records.NAMES],  # first, while there is room for them
            "message": message,
            "template": attributes["msg"] if given else None,
            "args": list(given) if given else None,
            "stacktrace": records.exception_fields(error)["stacktrace"] if error else attributes["exc_text"],
            "stack": attributes["stack_info"],
            "fields": fields,
        }
        others = records.odd(attributes)
        if others:
            parts["others"] = others
        report = Report()
        clean: Any = self._redactor.copy(parts, report, memory=memory)
        if type(clean) is not dict:
            clean = {**dict.fromkeys(parts), "message": clean, "names": [clean] * len(records.NAMES), "fields": {}}
            clean["others"] = dict.fromkeys(others, clean["message"])
        said: dict[str, Any] = {}
        if fields or report.size * _WIDEST > self._line or report.truncated or report.problems:
            line = {name: clean[name] for name in _PARTS}
            said = self._fit(line, ("fields",), report, orjson.dumps)
            clean |= line
        made = {name: value for name, value in attributes.items() if name in records.KEPT}
        made.update((name, text) for name, text in zip(records.NAMES, clean["names"], strict=False) if name in made)
        msg, args = _template(clean)
        made.update(
            clean.get("others", ()),
            msg=msg,
            args=args,
            exc_info=None,
            exc_text=clean["stacktrace"],
            stack_info=clean["stack"],
        )
        safe = clean["fields"] if type(clean["fields"]) is dict else {"fields": clean["fields"]}
        made.update((f"{name}_" if name in records.RESERVED else name, value) for name, value in safe.items())
        for name, value in (*ids.items(), *said.items()):
            made.setdefault(name, value)
        return records.make(made)

    def event_dict(
        self, given: Mapping[str, Any], stack: object, ids: Mapping[str, str], memory: RunMemory | None
    ) -> dict[str, Any]:
        """Return a redacted copy of an event dict, its exception rendered, and its *stack*."""
        fields = {name: value for name, value in given.items() if name != STAMP}
        if stack is not None:
            fields["stack"] = stack
        if type(fields.get("stack_info")) is bool:
            del fields["stack_info"]
        error = records.exception_of(fields.pop("exc_info", None))
        if error is not None:
            fields["exception"] = records.exception_fields(error)["stacktrace"]
        report = Report()
        clean: Any = self._redactor.copy(fields, report, memory=memory)
        if type(clean) is not dict:
            clean = {"event": clean}
        # What renders it is the application's, and may write each character, and the space around it, in full.
        line = {name: clean.pop(name) for name in _HEAD if name in clean} | {"fields": clean}
        said = self._fit(line, ("fields", *_HEAD), report, written_wide)
        return {**said, **ids, **line.pop("fields"), **line}

    def _fit(
        self,
        line: dict[str, Any],
        boxes: tuple[str, ...],
        report: Report,
        write: Callable[[dict[str, Any]], bytes],
    ) -> dict[str, Any]:
        """Cut what is too long in *line*, in place; return what is to be said of that, and of the redaction."""
        line.update({name: found for name in _SAID if (found := getattr(report, name))})
        fit(line, self._line, self._string, report.size, write, boxes=boxes)
        said = {name: line.pop(name) for name in _SAID if name in line}
        for note in said.get("truncated", ()):
            note["path"] = note["path"].removeprefix("fields.")
        return said


_SAID = ("truncated", "problems")


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
