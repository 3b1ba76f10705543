"""Settings are checked when logging is configured, with the fix in the message."""

from __future__ import annotations

import logging.config

import pytest

import agentlogsafe
from agentlogsafe.errors import ConfigurationError
from agentlogsafe.settings import Limits, Settings

ENTRIES = [
    agentlogsafe.AuditFormatter,
    agentlogsafe.AuditHandler,
    agentlogsafe.processors.audit,
    agentlogsafe.install,
]


@pytest.mark.parametrize("entry", ENTRIES)
class TestEveryEntry:
    def test_unknown_name(self, entry):
        """An unknown setting is named, with the nearest valid one."""
        with pytest.raises(ConfigurationError, match=r"'agnt_name'; did you mean 'agent_name'\?"):
            entry(agnt_name="x")

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"agent_name": 7}, r"agent_name: expected a string, got int"),
            ({"metadata": [1]}, r"metadata: expected a mapping, got list"),
            ({"default_risk": 7}, r"default_risk: expected a mapping, got int"),
            ({"others": "redcat"}, r"others: 'redcat' is not one of .*; did you mean 'redact'\?"),
            ({"seal": "chian"}, r"seal: expected 'chain', 'off' or a mapping .*; did you mean 'chain'\?"),
            ({"limits": {"lines": 5}}, r"limits: unknown setting 'lines'; did you mean 'line'\?"),
            ({"limits": {"line": 5}}, r"limits\.line: expected an integer of at least 1024, got 5"),
            ({"limits": {"depth": True}}, r"limits\.depth: expected an integer"),
            ({"limits": 5}, r"limits: expected a mapping"),
            ({"policy": 5}, r"policy: expected a RedactionPolicy, a mapping"),
        ],
    )
    def test_unfit_value(self, entry, settings, message):
        """A value that does not fit is named, with what was expected."""
        with pytest.raises(ConfigurationError, match=message):
            entry(**settings)


def test_risk_as_word():
    """A word is a level of risk."""
    assert Settings.load("x", {"default_risk": "high"}).default_risk == {"level": "high"}


def test_yaml_off():
    """The bare ``off`` of YAML, which is false, turns the seal off."""
    assert Settings.load("x", {"seal": False}).seal is None


def test_limits_as_object():
    """Limits can be given as an object."""
    assert Settings.load("x", {"limits": Limits(line=2_000)}).limits.line == 2_000


def test_formatter_cannot_drop():
    """A formatter has to return a line, so it refuses to drop one."""
    with pytest.raises(ConfigurationError, match="use AuditHandler"):
        agentlogsafe.AuditFormatter(others="drop")


def test_dict_config_shows_the_message():
    """What dictConfig raises has our message as its cause."""
    config = {"version": 1, "formatters": {"audit": {"()": "agentlogsafe.AuditFormatter", "workflow": "w"}}}

    with pytest.raises(ValueError, match="formatter 'audit'") as raised:
        logging.config.dictConfig(config)

    assert "did you mean 'workflow_name'?" in str(raised.value.__cause__)


def test_agent_logger():
    """An AgentLogger checks its settings too."""
    with pytest.raises(ConfigurationError, match="metadata: expected a mapping"):
        agentlogsafe.AgentLogger(metadata="x")
    with pytest.raises(ConfigurationError, match="expected a stdlib or structlog logger, got int"):
        agentlogsafe.AgentLogger(logger=7)


def test_equal_settings_share_a_chain():
    """Equal settings are compiled once."""
    one, two, three = (agentlogsafe.AuditFormatter(agent_name=name, metadata={"a": 1}) for name in ("x", "x", "y"))

    assert one._chain is two._chain
    assert one._chain is not three._chain


def test_odd_metadata():
    """Settings that cannot be compared still work."""
    formatter = agentlogsafe.AuditFormatter(metadata={"a": {1, 2}, "b": object})

    assert formatter._chain is not agentlogsafe.AuditFormatter(metadata={"a": {1, 2}, "b": object})._chain


def test_a_refused_handler_is_not_left_to_logging():
    """A handler that was refused is not flushed and closed at exit, half made as it is."""
    before = [ref() for ref in logging._handlerList]  # what other tests made, and nothing has collected yet

    with pytest.raises(ConfigurationError) as raised:
        agentlogsafe.AuditHandler(queue={"sizes": 5})

    left = [ref() for ref in logging._handlerList]
    made = [handler for handler in left if not any(handler is other for other in before)]
    assert not [handler for handler in made if isinstance(handler, agentlogsafe.AuditHandler)], raised


@pytest.mark.parametrize(
    "options",
    [
        {"rename_fields": "x"},
        {"static_fields": "x"},
        {"defaults": 5},
        {"timestamp": 5.5},
        {"json_default": "x"},
        {"prefix": 5},
        {"reserved_attrs": 5},
        {"datefmt": 5},
        {"fmt": 5},
        {"fmt": "{bad", "style": "{"},
        {"fmt": "x", "style": "?"},
    ],
    ids=str,
)
def test_options_of_a_formatter(options):
    """An unfit option of python-json-logger, too, is refused when logging is configured, by its name."""
    (name, *_) = options

    with pytest.raises(
        ConfigurationError, match=rf"AuditFormatter.*{name if name != 'reserved_attrs' else 'iterable'}"
    ):
        agentlogsafe.AuditFormatter(**options)
