"""Small tools that several test modules share."""

from __future__ import annotations

import io
import json
import logging
import logging.config
import os

import hypothesis
import jsonschema

import agentlogsafe

EMAIL = "mia.li3818@example.com"
SECRET = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
TEXT = f"mail {EMAIL} the token {SECRET}"


def examples(number):
    """Return how many examples a slow test looks at: *number*, or as much less as the profile asks for."""
    return max(1, number * hypothesis.settings.default.max_examples // 100)


def unmeasured():
    """Return the environment for a process that runs nothing new: measuring its coverage would double what it costs."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COV")}


def lines(stream):
    """Return the JSON objects of a file or a text stream."""
    text = stream.getvalue() if isinstance(stream, io.StringIO) else stream.read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n") if line]


def valid(event):
    """Check one event against the shipped schema, and return it."""
    jsonschema.Draft202012Validator(agentlogsafe.json_schema()).validate(event)
    return event


def clean(text):
    """Check that nothing of what tests plant is in *text*, and return it."""
    text = text if isinstance(text, str) else json.dumps(text)
    assert EMAIL not in text
    assert SECRET not in text
    return text


def by_formatter(name="app", **settings):
    """Configure a logger with an AuditFormatter; return it and the stream it writes to."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(agentlogsafe.AuditFormatter(**settings))
    return _logger(name, handler), stream


def by_handler(name="app", target=None, **settings):
    """Configure a logger with an AuditHandler; return it and the stream that its target writes to."""
    stream = io.StringIO()
    handler = agentlogsafe.AuditHandler(target or logging.StreamHandler(stream), **settings)
    return _logger(name, handler), stream


def _logger(name, handler):
    logger = logging.getLogger(name)
    logger.handlers[:] = [handler]
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    return logger
