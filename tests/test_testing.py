"""The fixture for the test suites of applications (pitfall 34)."""

from __future__ import annotations

import logging.config

import structlog

import agentlogsafe
from agentlogsafe.testing import audit_events, capture_events  # noqa: F401 -- the fixture

from .helpers import TEXT, by_formatter, clean, valid


def test_plain_logging(audit_events):  # noqa: F811
    """Without any configuration, events are seen, redacted, at every level."""
    logging.getLogger("app").debug("tool_call", extra={"note": TEXT})
    logging.getLogger("app").info("hello")

    (event,) = audit_events
    clean(valid(event))


def test_dict_config_inside(audit_events):  # noqa: F811
    """A dictConfig inside the test does not empty it, and its settings count; each event is seen once."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"audit": {"()": "agentlogsafe.AuditFormatter", "agent_name": "a"}},
            "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "audit"}},
            "root": {"handlers": ["out"], "level": "INFO"},
        }
    )
    logging.getLogger("app").info("tool_call")

    assert [event["agent_name"] for event in audit_events] == ["a"]


def test_structlog(audit_events):  # noqa: F811
    """Events of structlog are seen as well."""
    structlog.configure(
        processors=[*agentlogsafe.processors.audit(agent_name="a"), structlog.processors.JSONRenderer()],
        logger_factory=structlog.ReturnLoggerFactory(),
    )
    structlog.get_logger().info("tool_call")

    assert [event["agent_name"] for event in audit_events] == ["a"]


def test_settings():
    """Settings apply to loggers without an entry; afterwards logging is as it was."""
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    with capture_events(agent_name="a") as events, agentlogsafe.run():
        pass
    logger, _ = by_formatter()
    logger.info("tool_call")

    assert [event["agent_name"] for event in events] == ["a", "a"]
    assert (root.level, list(root.handlers)) == before
