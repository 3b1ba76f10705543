"""Ordinary lines keep the options of python-json-logger; events do not care."""

from __future__ import annotations

import io
import json
import logging

import pytest

import agentlogsafe

from .helpers import EMAIL, TEXT, clean, lines, valid


def logged(call, *args, **options):
    """Return the lines that *call* logs through a formatter with these options."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(agentlogsafe.AuditFormatter(*args, **options))
    logger = logging.getLogger("app")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    call(logger)
    return stream.getvalue()


def hello(logger):
    logger.info("hello %s", EMAIL, extra={"k": 1})
    logger.info("tool_call", extra={"k": 1})


def broken(logger):
    try:
        raise ValueError(TEXT)
    except ValueError:
        logger.exception("it broke", stack_info=True)


@pytest.mark.parametrize(
    ("args", "options", "expected"),
    [
        ((), {}, {"levelname": "INFO", "name": "app", "message": "hello [EMAIL]", "k": 1}),
        (("%(message)s",), {}, {"message": "hello [EMAIL]", "k": 1}),
        (("{message}", None, "{"), {}, {"message": "hello [EMAIL]", "k": 1}),
        ((["message", "lineno"],), {}, {"message": "hello [EMAIL]", "k": 1}),
        ((), {"fmt": "message,name", "style": ","}, {"message": "hello [EMAIL]", "name": "app", "k": 1}),
        (("%(message)s",), {"rename_fields": {"message": "msg"}}, {"msg": "hello [EMAIL]", "k": 1}),
        (("%(message)s",), {"static_fields": {"s": EMAIL}}, {"message": "hello [EMAIL]", "s": "[EMAIL]", "k": 1}),
        (("%(message)s",), {"defaults": {"d": 1}}, {"message": "hello [EMAIL]", "d": 1, "k": 1}),
        (("%(message)s",), {"reserved_attrs": ["k"]}, {"message": "hello [EMAIL]"}),
    ],
    ids=["plain", "fmt", "style", "sequence", "commas", "rename", "static", "defaults", "reserved"],
)
def test_options(args, options, expected):
    """The options shape an ordinary line, redacted like everything else, and leave an event's envelope alone."""
    line, event = map(json.loads, logged(hello, *args, **options).splitlines())

    assert expected.items() <= line.items()
    assert "s" not in valid(event)
    assert event["payload"] == {"k": 1}


def test_prefix():
    """A prefix stands before every line."""
    text = logged(hello, prefix="@cee: ")

    assert [line[:7] for line in text.splitlines()] == ["@cee: {", "@cee: {"]


@pytest.mark.parametrize("as_array", [False, True])
def test_traceback_as_array(as_array):
    """Traceback and stack can be arrays of lines."""
    text = logged(broken, exc_info_as_array=as_array, stack_info_as_array=as_array)

    line = json.loads(clean(text))
    assert isinstance(line["exc_info"], list if as_array else str)
    assert isinstance(line["stack_info"], list if as_array else str)


def test_timestamp():
    """The default line has a timestamp; one of its own name is possible."""
    assert json.loads(logged(hello).splitlines()[0])["timestamp"].endswith("+00:00")
    assert "at" in json.loads(logged(hello, "%(message)s", timestamp="at").splitlines()[0])


def test_option_that_does_not_fit_the_record():
    """A record that an option cannot format is an event that says so; nothing is raised."""
    text = logged(hello, "%(asctime)s", datefmt="%Y" + "\ud800")

    event = valid(json.loads(text.splitlines()[0]))
    assert "could not be read" in event["problems"][0]


def test_subclass():
    """The extension points of python-json-logger are still there."""

    class Own(agentlogsafe.AuditFormatter):
        def process_log_record(self, log_data):
            return {**log_data, "own": True}

    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Own())
    handler.handle(logging.makeLogRecord({"msg": "hello", "levelno": 20, "levelname": "INFO"}))

    assert lines(stream)[0]["own"] is True


def test_asked_by_anything():
    """A line with signs beyond ASCII is formatted for whoever asks, also for what has no stream or a broken one."""

    class Odd(logging.Handler):
        @property
        def stream(self):
            raise OSError

        def emit(self, record):
            self.line = self.format(record)

    handler = Odd()
    handler.setFormatter(agentlogsafe.AuditFormatter())
    handler.handle(logging.makeLogRecord({"msg": "decision", "args": {"note": "Zoë"}}))

    assert json.loads(handler.line)["payload"] == {"note": "Zoë"}
    assert "Zoë" in handler.line
