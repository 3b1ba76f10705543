"""The vocabulary, the envelope and normalization."""

from __future__ import annotations

import enum
import re
import uuid
from datetime import datetime, timezone

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

import agentlogsafe
from agentlogsafe import events
from agentlogsafe.errors import ConfigurationError

from .helpers import by_formatter, lines, valid


class Colour(enum.Enum):
    RED = "red"


def normalized(**fields):
    problems = []
    return events.normalize(fields, problems), problems


class TestIdsAndTimes:
    def test_new_id(self):
        """Ids are UUIDv7 and sort in the order in which they were made."""
        ids = [events.new_id() for _ in range(1000)]

        assert ids == sorted(set(ids))
        assert {uuid.UUID(one).version for one in ids} == {7}

    @given(st.integers(min_value=0, max_value=4_102_444_800_000_000))
    def test_timestamp(self, micros):
        """A timestamp is RFC 3339 in UTC, right to the microsecond that a float can hold."""
        seconds = micros / 1_000_000

        text = events.timestamp(seconds)

        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", text)
        parsed = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
        assert abs(parsed.timestamp() - seconds) < 2e-6


class TestNormalize:
    def test_envelope_and_payload(self):
        """Envelope fields find their place; the rest is payload."""
        found, problems = normalized(tool_name="sql", args={"a": 1}, status="ok", duration_ms=1.5)

        assert found == {"tool_name": "sql", "status": "ok", "duration_ms": 1.5, "payload": {"args": {"a": 1}}}
        assert problems == []

    def test_opentelemetry_names(self):
        """OpenTelemetry's names are accepted; our own name wins over its alias."""
        found, _ = normalized(
            **{
                "gen_ai.tool.name": "sql",
                "gen_ai.request.model": "gpt-x",
                "gen_ai.response.model": "gpt-x-0613",
                "model": "own",
                "gen_ai.usage.input_tokens": 7,
                "gen_ai.conversation.id": "s1",
            }
        )

        assert found["tool_name"] == "sql"
        assert found["model"] == "own"
        assert found["session_id"] == "s1"
        assert found["payload"] == {"gen_ai.response.model": "gpt-x-0613", "input_tokens": 7}

    @pytest.mark.parametrize("value", [uuid.UUID(int=7), 7, Colour.RED])
    def test_ids_that_are_no_strings(self, value):
        """UUIDs, integers and enumerations are fine as ids and names."""
        found, problems = normalized(run_id=value)

        assert found["run_id"] == str(getattr(value, "value", value))
        assert problems == []

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("tool_name", ["sql"]),
            ("status", True),
            ("model", {"a": 1}),
            ("duration_ms", "long"),
            ("duration_ms", float("nan")),
            ("duration_ms", -1),
            ("actor", 7),
            ("actor", {"id": "x", "email": "y"}),
            ("metadata", "text"),
            ("risk", 7),
            ("event_type", "tool_cal"),
        ],
    )
    def test_unfit(self, name, value):
        """A value that does not fit its field is kept in the payload and named, without the value."""
        found, problems = normalized(**{name: value})

        assert found == {"payload": {name: value}}
        assert len(problems) == 1
        assert problems[0].startswith(f"{name}:")
        assert "long" not in problems[0].replace("longer", "")

    def test_reserved(self):
        """Names that only the library sets are kept in the payload (pitfall 10)."""
        given_fields = {"event_id": "forged", "timestamp": 1, "level": "gold", "logger": "x", "seal": 1}

        found, _ = normalized(**given_fields)

        assert found == {"payload": given_fields}

    def test_null(self):
        """Null for an envelope field is as good as not given; in the payload it stays."""
        assert normalized(tool_name=None, answer=None)[0] == {"payload": {"answer": None}}

    def test_risk_as_word(self):
        """A word is a level of risk."""
        assert normalized(risk="high")[0]["risk"] == {"level": "high"}

    def test_actor(self):
        """An actor is an id, or an id and a type."""
        assert normalized(actor="u1")[0]["actor"] == {"id": "u1"}
        assert normalized(actor={"id": 5, "type": "user"})[0]["actor"] == {"id": "5", "type": "user"}

    def test_payload_given(self):
        """A payload takes up what is given beside it; a name in both keeps both."""
        found, problems = normalized(payload={"args": 1}, args=2, other=3)

        assert found["payload"] == {"args": 1, "other": 3, "extra": {"args": 2}}
        assert len(problems) == 1

    @pytest.mark.parametrize("names", [("messages", "gen_ai.input.messages"), ("gen_ai.input.messages", "messages")])
    def test_both_names_of_a_field(self, names):
        """A field that is given under OpenTelemetry's name and its own is kept twice, and named (pitfall 10)."""
        found, problems = normalized(**dict.fromkeys(names, 1) | {names[1]: 2})

        assert {found["payload"]["messages"], *found["payload"]["extra"].values()} == {1, 2}
        assert len(problems) == 1

    def test_payload_of_another_kind(self):
        """A payload that is no mapping is kept as a value."""
        assert normalized(payload=[1, 2])[0]["payload"] == {"value": [1, 2]}

    def test_keys_of_any_kind(self):
        """Keys that are not strings are payload (pitfall 37)."""
        assert events.normalize({1: 2, None: 3}, [])["payload"] == {1: 2, None: 3}

    def test_input_is_unchanged(self):
        """The caller's mappings are not changed (pitfall 2)."""
        fields = {"payload": {"args": 1}, "args": 2, "metadata": {"a": 1}}

        events.normalize(fields, [])

        assert fields == {"payload": {"args": 1}, "args": 2, "metadata": {"a": 1}}


class Raises:
    """Raises whatever it is asked."""

    def __getattribute__(self, name):
        raise RuntimeError

    __str__ = __bool__ = __len__ = __eq__ = __iter__ = lambda self: 1 / 0
    __hash__ = None


@pytest.mark.parametrize("make", [lambda: 10**5_000, Raises], ids=["number", "object"])
@pytest.mark.parametrize("name", ["tool_call_id", "status", "duration_ms", "risk", "metadata", "actor", "event_type"])
def test_one_field_does_not_cost_the_event(name, make):
    """A field that cannot be read is named; all the others are where they belong (pitfall 37)."""
    logger, stream = by_formatter()
    logger.info("tool_call", {"tool_name": "pay", "args": {"amount": 5}, name: make()})

    (event,) = lines(stream)
    assert (event["event_type"], event["tool_name"], event["payload"]["args"]) == ("tool_call", "pay", {"amount": 5})
    assert name in valid(event)["payload"]
    assert event["problems"][0].startswith(f"{name}: ")


class TestRegister:
    def test_registered(self):
        """A registered type makes events and is in the schema."""
        name = agentlogsafe.register_event_type("trade_executed")
        logger, stream = by_formatter()
        try:
            logger.info(name, extra={"price": 7})

            (event,) = lines(stream)
            assert valid(event)["event_type"] == "trade_executed"
            assert event["payload"] == {"price": 7}
        finally:
            events.EVENT_TYPES.discard(name)
        with pytest.raises(jsonschema.ValidationError):
            valid(event)

    @pytest.mark.parametrize("name", ["Trade", "trade executed", "", "9lives", "a" * 65, 7])
    def test_bad_name(self, name):
        """A name that is no event type raises when registered."""
        with pytest.raises(ConfigurationError, match="lower-case words"):
            agentlogsafe.register_event_type(name)


def test_schema_is_valid():
    """The schema is a JSON Schema, lists the fields of the envelope, and is a fresh copy each time."""
    schema = agentlogsafe.json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)

    assert tuple(schema["required"]) == events.BASE_FIELDS
    assert set(schema["properties"]) == {*events.BASE_FIELDS, *events.OPTIONAL_FIELDS}
    schema["properties"].clear()
    assert agentlogsafe.json_schema()["properties"]
