"""The smallest adoption: a formatter that turns records into redacted JSON lines."""

from __future__ import annotations

import contextlib
import inspect
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from pythonjsonlogger.core import BaseJsonFormatter
from pythonjsonlogger.orjson import OrjsonFormatter

from agentlogsafe._records import Audited, AuditRecord, finished_record, to_json
from agentlogsafe._targets import escaped, takes_all
from agentlogsafe.chain import chain_for
from agentlogsafe.context import STAMP
from agentlogsafe.errors import ConfigurationError, check_keys, check_type
from agentlogsafe.limits import fit
from agentlogsafe.redaction import Report
from agentlogsafe.settings import SETTING_NAMES

_LINE_OPTIONS = frozenset(
    name
    for kind in (BaseJsonFormatter, OrjsonFormatter)
    for name, parameter in inspect.signature(kind.__init__).parameters.items()
    if name != "self" and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
)
_OPTION_TYPES: dict[str, tuple[tuple[Any, ...], str]] = {
    "rename_fields": ((Mapping,), "a mapping of names"),
    "static_fields": ((Mapping,), "a mapping of fields"),
    "defaults": ((Mapping,), "a mapping of fields"),
    "timestamp": ((bool, str), "true, false or the name of the field"),
    "prefix": ((str,), "a string"),
    "fmt": ((str, Sequence), "a format, or a list of names"),
    "datefmt": ((str,), "a string"),
    "json_default": ((Callable,), "a function"),
}
_WIDEST = 4  # bytes of a character
_DEFAULT_FORMAT = "%(levelname)s %(name)s %(message)s"


class AuditFormatter(OrjsonFormatter):
    """Formats audit events, and every other line, as redacted JSON.

    One line of an existing dictConfig adopts it::

        formatters: {audit: {"()": agentlogsafe.AuditFormatter, agent_name: …, workflow_name: …}}

    A record whose message is an event type becomes an event. Any other becomes an ordinary JSON line, redacted, with
    the run's id; for those, the options of python-json-logger (``fmt``, ``rename_fields``, ``static_fields``,
    ``defaults``, ``timestamp``, ``exc_info_as_array``, …) keep their meaning. The fields of an event are not renamed.

    Args:
        fmt: which attributes an ordinary line has; ``format``, dictConfig's name, is accepted too.
        datefmt, style, validate: as in `logging.Formatter`.
        **options: the settings of `Settings`, and the options of python-json-logger.

    Raises:
        ConfigurationError: for an unknown or unfit setting.
    """

    def __init__(
        self,
        fmt: Any = None,
        datefmt: str | None = None,
        style: str = "%",
        validate: bool = True,
        **options: Any,
    ) -> None:
        if "format" in options:
            fmt = options.pop("format")
        check_keys("AuditFormatter", options, SETTING_NAMES | _LINE_OPTIONS)
        settings = {name: options.pop(name) for name in SETTING_NAMES & options.keys()}
        if settings.get("others") == "drop":
            msg = "AuditFormatter.others: 'drop' needs a handler (expected 'redact' or 'custom'); use AuditHandler"
            raise ConfigurationError(msg)
        self._chain = chain_for("AuditFormatter", settings)
        if fmt is None:
            fmt, style = _DEFAULT_FORMAT, "%"
            options.setdefault("timestamp", True)
        given = {"fmt": fmt, "datefmt": datefmt, **options}
        for name, (kinds, expected) in _OPTION_TYPES.items():
            check_type(f"AuditFormatter.{name}", given.get(name), (*kinds, type(None)), expected)
        for name in ("static_fields", "defaults"):
            if options.get(name):
                options[name] = self._chain.redactor.copy(options[name], Report())
        try:
            super().__init__(fmt, datefmt, style, validate, **options)
        except (AttributeError, ImportError, TypeError, ValueError) as error:
            msg = f"AuditFormatter: {error} (fmt={fmt!r}, style={style!r})"
            raise ConfigurationError(msg) from error
        self._joined = -1
        self._line = self._chain.settings.limits.line

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON. Never raises."""
        text = self._formatted(record)
        if not text.isascii():
            # The handler that asks, which logging tells in no other way: where its stream does not take the line, it
            # would print the raw message and its arguments to stderr.
            with contextlib.suppress(Exception):
                encoding = sys._getframe(1).f_locals["self"].stream.encoding  # noqa: SLF001
                return text if takes_all(encoding) else escaped(text)
        return text

    def _formatted(self, record: logging.LogRecord) -> str:
        if type(record) is AuditRecord:
            return self.prefix + to_json(record.audited_event)
        sealer = self._chain.sealer
        # The library's own events belong to a stream already, and the last one of a stream opens no other.
        if sealer is not None and getattr(record.__dict__.get(STAMP), "final", None) is None:
            self._joined = sealer.join(self, self._joined)
        made = self._chain.record(record)
        if type(made) is Audited:
            return self.prefix + to_json(made)
        try:
            line = super().format(made)  # type: ignore[arg-type]
            return line if len(line) * _WIDEST <= self._line or len(line.encode()) <= self._line else self._cut(line)
        except Exception as error:  # noqa: BLE001 -- an option such as a datefmt may not fit this record
            broken = self._chain.broken(record, error)
            return self.prefix + to_json(broken)

    def _cut(self, line: str) -> str:
        """Return an ordinary line that options have made longer than it was when its fields were cut."""
        found = orjson.loads(line[len(self.prefix) :])
        boxes = tuple(name for name, value in found.items() if isinstance(value, (dict, list)))
        room = self._line - len(self.prefix.encode())
        return self.prefix + fit(found, room, room, room, orjson.dumps, boxes=boxes).decode()

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """Add the fields of an ordinary line, its traceback as an array where asked for."""
        # The record brings its traceback as redacted text, which python-json-logger takes as it is.
        if self.exc_info_as_array and isinstance(message_dict.get("exc_info"), str):
            message_dict["exc_info"] = message_dict["exc_info"].splitlines()
        super().add_fields(log_data, record, message_dict)

    def counts(self) -> Mapping[str, int]:
        """Return nothing: a formatter does not know what becomes of its lines."""
        return {}

    def send(self, event: Audited, *, last: bool) -> None:  # noqa: ARG002 -- as a `Way` has it
        """Give an event of the library's own to every handler with this formatter."""
        for reference in list(logging._handlerList):  # type: ignore[attr-defined]  # noqa: SLF001 -- all there are
            handler = reference()
            if handler is not None and handler.formatter is self:
                with contextlib.suppress(Exception):
                    handler.handle(finished_record(event))
