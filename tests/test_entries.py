"""The three entries give the same event for the same call, and one call is one event."""

from __future__ import annotations

import enum
import io
import json
import logging
import logging.handlers

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

import agentlogsafe
from agentlogsafe.redaction.known import KNOWN

from .helpers import EMAIL, SECRET, TEXT, by_formatter, by_handler, clean, lines, valid

NAMES = {"agent_name": "pricing-agent", "workflow_name": "margin-risk-review"}
SETTINGS = {**NAMES, "agent_version": "1.2", "metadata": {"env": "test"}, "default_risk": "low"}

CALLS = [
    ("tool_call", {"tool_name": "sql", "arguments": {"q": TEXT, "password": "hunter2", "limit": 10}}),
    ("tool_result", {"tool_name": "sql", "status": "success", "duration_ms": 1.5, "result": [1, None, True, "x"]}),
    ("user_message", {"message_text": TEXT}),
    ("decision", {"decision": "go", "risk": {"level": "high"}, "metadata": {"k": EMAIL}, "actor": "u1"}),
    ("model_response", {"gen_ai.request.model": "gpt-x", "gen_ai.usage.input_tokens": 7}),
    ("policy_check", {"status": True, "event_id": "forged", "timestamp": "now"}),
    ("error", {"error": ValueError(TEXT)}),
    ("custom", {}),
]


def entry_formatter(event_type, fields, level):
    logger, stream = by_formatter(**SETTINGS)
    logger.log(level, event_type, extra=fields)
    return lines(stream)


def entry_formatter_mapping(event_type, fields, level):
    logger, stream = by_formatter(**SETTINGS)
    logger.log(level, event_type, fields)
    return lines(stream)


def entry_dict_message(event_type, fields, level):
    logger, stream = by_formatter(**SETTINGS)
    logger.log(level, {"event": event_type, **fields})
    return lines(stream)


def entry_handler(event_type, fields, level):
    logger, stream = by_handler(**SETTINGS)
    logger.log(level, event_type, extra=fields)
    return lines(stream)


def entry_handler_with_formatter(event_type, fields, level):
    stream = io.StringIO()
    target = logging.StreamHandler(stream)
    target.setFormatter(agentlogsafe.AuditFormatter(agent_name="another"))
    logger, _ = by_handler(target=target, **SETTINGS)
    logger.log(level, event_type, extra=fields)
    return lines(stream)


def entry_install(event_type, fields, level):
    logger, stream = by_formatter()
    logger.handlers[0].setFormatter(None)
    agentlogsafe.install(logger, **SETTINGS)
    logger.log(level, event_type, extra=fields)
    return lines(stream)


def entry_structlog(event_type, fields, level):
    stream = io.StringIO()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            *agentlogsafe.processors.audit(**SETTINGS),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(stream),
        wrapper_class=structlog.make_filtering_bound_logger(0),
    )
    structlog.get_logger().bind(logger="app").log(level, event_type, **fields)
    return lines(stream)


def structlog_through_stdlib(renderer, formatter, event_type, fields, level):
    logger, stream = by_formatter(agent_name="another")
    if formatter is not None:
        logger.handlers[0].setFormatter(formatter)
    structlog.configure(
        processors=[*agentlogsafe.processors.audit(**SETTINGS), renderer],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    structlog.get_logger("app").log(level, event_type, **fields)
    return lines(stream)


def entry_structlog_to_stdlib(*call):
    return structlog_through_stdlib(agentlogsafe.processors.to_stdlib, None, *call)


def entry_structlog_wrapped(*call):
    return structlog_through_stdlib(structlog.stdlib.ProcessorFormatter.wrap_for_formatter, None, *call)


def entry_structlog_processor_formatter(*call):
    formatter = structlog.stdlib.ProcessorFormatter(processor=structlog.processors.JSONRenderer())
    return structlog_through_stdlib(structlog.stdlib.ProcessorFormatter.wrap_for_formatter, formatter, *call)


def entry_processor_formatter_foreign(event_type, fields, level):
    logger, stream = by_formatter()
    formatter = structlog.stdlib.ProcessorFormatter(
        processors=[*agentlogsafe.processors.audit(**SETTINGS), structlog.processors.JSONRenderer()]
    )
    logger.handlers[0].setFormatter(formatter)
    logger.log(level, event_type, extra=fields)
    return lines(stream)


def entry_agent_logger(event_type, fields, level):
    logger, stream = by_formatter()
    audit = agentlogsafe.AgentLogger(
        logger=logger,
        agent_version="1.2",
        metadata=SETTINGS["metadata"],
        default_risk=SETTINGS["default_risk"],
        **NAMES,
    )
    returned = audit.emit(event_type, level=level, **fields)
    (event,) = lines(stream)
    assert event == returned
    return [event]


ENTRIES = [value for name, value in sorted(globals().items()) if name.startswith("entry_")]


def essence(event):
    """Return an event without what differs between two calls: its id and time, and places in this file."""
    event = json.loads(json.dumps(event))
    assert event.pop("event_id") != "forged"
    event.pop("timestamp")
    event["payload"].get("exception", {}).pop("stacktrace", None)
    return event


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize(("event_type", "fields"), CALLS, ids=[name for name, _ in CALLS])
def test_same_event(entry, event_type, fields):
    """Every entry gives the event that the formatter gives, field by field."""
    with agentlogsafe.run(run_id="r1", session_id="s1", metadata={"who": EMAIL}, logger=logging.getLogger("quiet")):
        (reference,) = entry_formatter(event_type, fields, logging.WARNING)
        (event,) = entry(event_type, fields, logging.WARNING)

    assert essence(valid(event)) == essence(valid(reference))
    assert event["run_id"] == "r1"
    assert event["level"] == "warning"
    assert event["logger"] == "app"
    clean(event)


class Kind(str, enum.Enum):
    """Event types as an application keeps them; its text is ``Kind.CALL``."""

    CALL = "tool_call"


@pytest.mark.parametrize("entry", ENTRIES)
def test_event_type_from_an_enumeration(entry):
    """A constant whose value is an event type names it, as message and as a field, in every entry."""
    for event_type, fields in ((Kind.CALL, {"n": 1}), ("custom", {"event_type": Kind.CALL, "n": 1})):
        (reference,) = entry_formatter("tool_call", {"n": 1}, logging.INFO)
        (event,) = entry(event_type, fields, logging.INFO)

        if event_type == "custom":
            event["payload"].pop("message", None)
        assert essence(valid(event)) == essence(reference)


@given(
    st.dictionaries(
        st.text(min_size=1).map("x_".__add__),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        ),
        max_size=4,
    )
)
def test_same_event_for_any_fields(fields):
    """The entries agree whatever the fields are."""
    reference, *others = (
        essence(valid(entry("tool_call", fields, logging.INFO)[0]))
        for entry in (entry_formatter, entry_formatter_mapping, entry_handler, entry_structlog_to_stdlib)
    )

    assert all(other == reference for other in others)


def test_one_event_for_many_handlers():
    """Handlers with one formatter, another formatter and an AuditHandler all see one event_id (pitfall 18)."""
    streams = [io.StringIO() for _ in range(4)]
    handlers = [logging.StreamHandler(stream) for stream in streams]
    handlers[0].setFormatter(agentlogsafe.AuditFormatter(agent_name="a"))
    handlers[1].setFormatter(agentlogsafe.AuditFormatter(agent_name="a"))
    handlers[2].setFormatter(agentlogsafe.AuditFormatter(agent_name="b"))
    logger = logging.getLogger("app")
    logger.handlers[:] = [*handlers[:3], agentlogsafe.AuditHandler(handlers[3], agent_name="a")]
    logger.setLevel(logging.INFO)
    logger.propagate = False

    logger.info("tool_call", extra={"tool_name": "sql"})

    events = [lines(stream)[0] for stream in streams]
    assert len({event["event_id"] for event in events}) == 1
    assert len({event["timestamp"] for event in events}) == 1
    assert [event["agent_name"] for event in events] == ["a", "a", "b", "a"]


def test_rotating_file_formats_twice(tmp_path):
    """A RotatingFileHandler formats each record twice and writes one event (pitfall 17)."""
    path = tmp_path / "app.jsonl"
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=3_000, backupCount=50)
    seen = []

    class Formatter(agentlogsafe.AuditFormatter):
        def format(self, record):
            seen.append(super().format(record))
            return seen[-1]

    handler.setFormatter(Formatter())
    logger = logging.getLogger("app")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False

    for number in range(20):
        logger.info("tool_call", extra={"number": number})

    handler.close()
    written = [event for file in tmp_path.iterdir() for event in lines(file)]
    assert len(seen) >= 39  # newer Pythons do not format twice for an empty file
    assert sorted(event["payload"]["number"] for event in written) == list(range(20))
    assert len({json.loads(line)["event_id"] for line in seen}) == 20


def test_caller_objects_are_unchanged():
    """Nothing that the caller gave is changed, by any entry, nor shared with the event (pitfalls 2 and 3)."""
    for entry in ENTRIES:
        fields = {"arguments": {"password": "hunter2", "list": [TEXT, {"token": SECRET}]}, "metadata": {"a": {"b": 1}}}
        before = json.dumps(fields)

        entry("tool_call", fields, logging.INFO)

        assert json.dumps(fields) == before


def test_bound_values_do_not_leak_into_later_events():
    """What a later processor does to one event does not show in the next (pitfall 3)."""
    stream = io.StringIO()

    def spoil(_, __, event_dict):
        assert event_dict["metadata"] == {"nested": {}}
        assert event_dict["payload"] == {"bound": {"nested": {}}}
        event_dict["metadata"]["nested"]["spoiled"] = event_dict["payload"]["bound"]["nested"]["spoiled"] = True
        return event_dict

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            *agentlogsafe.processors.audit(metadata={"nested": {}}),
            spoil,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(stream),
    )
    with structlog.contextvars.bound_contextvars(bound={"nested": {}}):
        for _ in range(3):
            structlog.get_logger().info("tool_call")

    assert len(lines(stream)) == 3


def test_settings_run_and_event_merge():
    """Metadata and risk merge, settings before run before event; the event's names win."""
    logger, stream = by_formatter(agent_name="s", metadata={"a": 1, "b": 1, "c": 1}, default_risk={"x": 1, "y": 1})
    with agentlogsafe.run("r", metadata={"b": 2, "c": 2}, risk={"y": 2}, logger=logger):
        logger.info("decision", {"agent_name": "e", "metadata": {"c": 3}, "risk": {"z": 3}})

    start, event, _ = lines(stream)
    assert start["agent_name"] == "r"
    assert event["agent_name"] == "e"
    assert event["metadata"] == {"a": 1, "b": 2, "c": 3}
    assert event["risk"] == {"x": 1, "y": 2, "z": 3}


def test_a_logger_object_wins_over_the_run():
    """An AgentLogger's own names win over the run's, so that several agents can log inside one."""
    logger, stream = by_formatter(agent_name="settings")
    researcher = agentlogsafe.AgentLogger("researcher", metadata={"a": 1, "b": 1}, logger=logger)
    with agentlogsafe.run("orchestrator", "review", metadata={"b": 2}, logger=logger):
        researcher.decision("go")

    event = lines(stream)[1]
    assert event["agent_name"] == "researcher"
    assert event["workflow_name"] == "review"
    assert event["metadata"] == {"a": 1, "b": 2}


def test_functions_of_the_same_name_are_not_the_same():
    """Each handler uses the functions of its own policy, though another one has some of the same name."""

    def finding(word, category):
        def find(text):
            at = text.find(word)
            return [] if at < 0 else [(at, at + len(word), category)]

        return agentlogsafe.CustomDetector("project", find=find)

    for word, category in (("ORCHID", "FIRST"), ("TULIP", "SECOND")):
        policy = agentlogsafe.RedactionPolicy(detectors=(finding(word, category),))
        logger, stream = by_formatter(policy=policy)
        logger.info("decision", {"note": "ORCHID and TULIP"})

        assert lines(stream)[0]["payload"]["note"] == "ORCHID and TULIP".replace(word, f"[{category}]")


def test_a_function_that_cannot_be_hashed():
    """A detector, strategy or key of any kind of callable can be used."""

    class Fixed:
        __hash__ = None

        def __call__(self, *_):
            return "gone"

    policy = agentlogsafe.RedactionPolicy(strategies={"EMAIL": Fixed()})
    logger, stream = by_formatter(policy=policy)
    logger.info("decision", {"note": EMAIL})

    assert lines(stream)[0]["payload"]["note"] == "[EMAIL:gone]"


def test_a_key_that_was_rotated(monkeypatch):
    """Configuring again takes the key of tokens that the environment has by then."""
    seen = []
    for key in ("first-key", "second-key", "first-key"):
        monkeypatch.setenv("TOKEN_KEY", key)
        policy = {"name": "t", "strategies": {"EMAIL": "token"}, "token": {"key_env": "TOKEN_KEY"}}
        logger, stream = by_formatter(policy=policy)
        logger.info("decision", {"note": EMAIL})
        seen.append(lines(stream)[0]["payload"]["note"])

    assert seen[0] == seen[2] != seen[1]


def test_an_environment_that_has_grown(monkeypatch):
    """Configuring again takes the secrets that the environment has by then, such as from a .env file."""
    policy = {"name": "e", "environment": True}
    by_formatter(policy=policy)
    monkeypatch.setenv("SHOP_DB_PASSWORD", "correct-horse-9")
    logger, stream = by_formatter(policy=policy)
    logger.info("decision", {"note": "it is correct-horse-9"})
    KNOWN.clear()

    assert lines(stream)[0]["payload"]["note"] == "it is [PASSWORD]"
