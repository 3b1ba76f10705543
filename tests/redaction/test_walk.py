"""Anything becomes strict JSON, redacted, and the input stays as it was (pitfalls 37 to 44)."""

from __future__ import annotations

import collections
import copy
import datetime  # noqa: ICN001 - the full name reads better in annotations
import decimal
import json
import math
import threading
import uuid

import hypothesis.strategies as st
import orjson
import pytest
from hypothesis import given

from agentlogsafe.redaction import Report, compile_policy, redact
from agentlogsafe.redaction.walk import CYCLE, TRUNCATED, UNREDACTABLE, Walk
from tests.redaction.objects import (
    CANARY,
    Attrs,
    Colour,
    Data,
    Model,
    Odd,
    Point,
    Raises,
    RaisingKey,
    RaisingModel,
    Recurses,
)

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates() | st.uuids() | st.decimals() | st.just(CANARY.lower()),  # noqa: E501 - a pattern or a table row reads as one line
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | st.integers() | st.none() | st.booleans(), inner, max_size=4) | st.tuples(inner, inner) | st.frozensets(st.text(max_size=4), max_size=3),  # noqa: E501 - a pattern or a table row reads as one line
    max_leaves=12,
)  # fmt: skip
sensitive = st.sampled_from(["password", "apiKey", "X-Auth-Token", "client_secret", "ssn", "email"])


@given(plain, sensitive, st.sampled_from([CANARY, [CANARY], {"a": {"b": CANARY}}, (CANARY,), CANARY.encode()]))
def test_any_object(value, key, secret):
    """The copy is JSON without options, has no canary, shares nothing with the input, and is the same when redacted again."""  # noqa: E501 - a pattern or a table row reads as one line
    given_ = {"value": value, "inner": [{key: secret}]}
    before = repr(given_)
    out = redact(given_)
    raw = orjson.dumps(out)
    assert CANARY.encode() not in raw
    assert repr(given_) == before
    assert orjson.dumps(redact(out)) == raw
    assert orjson.dumps(redact(json.loads(raw))) == raw or b"E+" in raw or b"e+" in raw


@given(st.text(alphabet=st.characters(codec=None, exclude_categories=()), max_size=60))
def test_any_text(text):
    """Text becomes valid, visible text; clean text stays the very same object."""
    out = redact(text)
    orjson.dumps(out)
    assert redact(out) == out
    assert not any(ord(c) < 32 and c not in "\t\n\r" for c in out)
    assert not any(c in "\u2028\u2029" or "\x7f" <= c <= "\x9f" for c in out)


def test_control_characters():
    """What would cut a line, move a cursor or break a viewer becomes a visible sign."""
    assert redact("a\x00b\x1b[0m\u2028c\ud800") == "a\u2400b\u241b[0m\u2424c\ufffd"
    assert redact("tab\tand\r\nline") == "tab\tand\r\nline"
    assert redact({"a\x00": 1}) == {"a\u2400": 1}
    assert redact("next\x85line \x9b31m caf\u00e9\u00a0") == "next\u2424line \ufffd31m caf\u00e9\u00a0"


def test_numbers():
    """Not-a-number and the infinities are words; integers beyond 64 bits are text."""
    assert redact([math.nan, math.inf, -math.inf, 1.5]) == ["NaN", "Infinity", "-Infinity", 1.5]
    assert redact([2**63, 2**64 - 1, -(2**63), 2**64, -(2**63) - 1]) == [
        2**63,
        2**64 - 1,
        -(2**63),
        str(2**64),
        str(-(2**63) - 1),
    ]
    assert redact(10**5000) == "[INTEGER of 16610 bits]"
    assert redact(4111111111111111) == "[CARD]"
    assert redact(4111111111111111.0) == "[CARD]"
    assert redact([1793877026325, 1715000000.25, 12345678901]) == [1793877026325, 1715000000.25, 12345678901]


def test_kinds_of_object():
    """Common objects become what a reader expects."""
    assert redact(
        {
            "d": datetime.date(2026, 5, 1), "t": datetime.timedelta(1), "u": uuid.UUID(int=5), "n": decimal.Decimal("1.5"), "c": Colour.RED, "b": b"text", "x": b"\xff\xfe",  # noqa: E501 - a pattern or a table row reads as one line
            "tuple": (1, 2), "point": Point(1, "x"), "range": range(3), "iter": iter([1]), "type": int, "odd": Odd(a=1), "deque": collections.deque([1]), "error": ValueError("bad"), "none": None,  # noqa: E501 - a pattern or a table row reads as one line
        }
    ) == {
        "d": "2026-05-01", "t": "1 day, 0:00:00", "u": "00000000-0000-0000-0000-000000000005", "n": "1.5", "c": "red", "b": "text", "x": "<2 bytes>",  # noqa: E501 - a pattern or a table row reads as one line
        "tuple": [1, 2], "point": {"x": 1, "password": "[PASSWORD]"}, "range": "range(0, 3)", "iter": "<builtins.list_iterator>", "type": "<builtins.int>", "odd": {"a": 1}, "deque": [1], "error": "ValueError: bad",  # noqa: E501 - a pattern or a table row reads as one line
        "none": None,
    }  # fmt: skip


def test_structured_objects():
    """Dataclasses, attrs and pydantic objects are read by field; a field that its class hides is masked."""
    assert redact(Data("x", note="n")) == {"password": "[PASSWORD]", "note": "n", "hidden": "[SECRET]"}
    assert redact(Attrs("x")) == {"api_key": "[API_KEY]", "note": None}
    assert redact(Model()) == {"token": "[TOKEN]", "note": "note", "hidden": "[SECRET]"}
    assert redact(object()) == "<builtins.object>"


@pytest.mark.parametrize("value", [Raises(), Recurses(), RaisingModel()])
def test_objects_that_fail(value):
    """An object that cannot be read is withheld and named by its type; what it raised is not quoted."""
    report = Report()
    assert compile_policy().copy({"a": 1, "b": value}, report) == {"a": 1, "b": UNREDACTABLE}
    assert len(report.problems) == 1
    assert CANARY not in report.problems[0]
    assert type(value).__qualname__ in report.problems[0]


def test_keys_that_are_no_text():
    """Keys become text, those that cannot are withheld, and two that become the same stay apart."""
    assert redact({1: "a", None: "b", True: "c", (1, 2): "d", b"k": "e"})["null"] == "b"  # noqa: F601 - as it is meant
    assert redact({RaisingKey(): 1, RaisingKey(): 2}) == {UNREDACTABLE: 1, f"{UNREDACTABLE} (2)": 2}
    assert redact({"a@b.co": 1, "c@d.co": 2}) == {"[EMAIL]": 1, "[EMAIL] (2)": 2}


@pytest.mark.parametrize(
    ("command", "out"),
    [
        (["curl", "-u", f"bob:{CANARY}", "http://x"], ["curl", "-u", "[PASSWORD]", "http://x"]),
        (["x", "--password", "correct horse battery"], ["x", "--password", "[PASSWORD]"]),
        (("x", "--client-secret", CANARY.encode(), 5, None, ""), ["x", "--client-secret", "[SECRET]", 5, None, ""]),
        (["mysql", "-u", "root", f"-p{CANARY}"], ["mysql", "-u", "root", "[PASSWORD]"]),
        (["x", f"--password={CANARY}", "-v"], ["x", "--password=[PASSWORD]", "-v"]),
        (["docker", "run", "-u", "1000:1000", "-p", "8080:80"], ["docker", "run", "-u", "1000:1000", "-p", "8080:80"]),
        (["x", "--max-tokens", "512", "--", "- a b"], ["x", "--max-tokens", "512", "--", "- a b"]),
        (["git", "commit", "-m", "reset the password of 123"], ["git", "commit", "-m", "reset the password of 123"]),
    ],
)
def test_command_in_words(command, out):
    """A command that is a list of words is judged as the line that it is."""
    assert redact({"cmd": command}) == {"cmd": out}
    assert redact(out) == out


@pytest.mark.parametrize("rows", ["rows", "data", "values", "records"])
@pytest.mark.parametrize("names", [["id", "password"], ("id", b"password"), [{"name": "id"}, {"name": "password"}]])
def test_rows_beside_the_names_of_their_columns(rows, names):
    """In a table as databases return it, a value is judged by the name of its column."""
    table = {"columns": names, rows: [(1, CANARY), [2, None], [3], [4, CANARY.encode(), "x"], [5, 1234], [6, [CANARY]]]}
    for given_ in (table, {"result": table}, {rows: table[rows], "columns": names}):
        out = redact(given_)
        found = out.get("result", out)[rows]
        assert found[:4] == [[1, "[PASSWORD]"], [2, None], [3], [4, "[PASSWORD]", "x"]]
        assert found[4:] == [[5, "[PASSWORD]"], [6, ["[PASSWORD]"]]]
        assert redact(out) == out


@pytest.mark.parametrize("columns", [5, None, [], [7, None, {"x": 1}], {"password": 1}, "password"])
def test_columns_that_are_none(columns):
    """What only looks like a table is redacted like anything else."""
    table = {"columns": columns, "rows": [["a", "b"], 5, None]}
    assert redact(table)["rows"] == [["a", "b"], 5, None]


def test_cycles_depth_and_width():
    """Cycles, depth and width end in markers, and cuts are reported with where and how much."""
    cycle: dict[str, object] = {"a": 1}
    cycle["self"] = [cycle]
    assert redact(cycle) == {"a": 1, "self": [CYCLE]}
    shared = [1]
    assert redact([shared, shared]) == [[1], [1]]
    deep: object = "end"
    for _ in range(100_000):
        deep = [deep]
    report = Report()
    assert TRUNCATED in str(compile_policy(depth=4).copy({"x": deep}, report))
    assert report.truncated == [{"path": "x.0.0.0", "reason": "depth", "length": 1}]
    report = Report()
    out = compile_policy(items=5).copy({"w": list(range(9)), "m": {str(i): i for i in range(9)}}, report)
    assert out == {"w": [0, 1, 2, 3, TRUNCATED], "m": {"0": 0, "1": 1, "2": 2, "3": 3, TRUNCATED: 5}}
    assert report.truncated == [
        {"path": "w", "reason": "items", "length": 9},
        {"path": "m", "reason": "items", "length": 9},
    ]


def test_billion_laughs():
    """A small object that unfolds into a huge one is cut."""
    value: list[object] = ["x"]
    for _ in range(30):
        value = [value] * 10
    report = Report()
    compile_policy().copy(value, report)
    assert {cut["reason"] for cut in report.truncated} == {"nodes"}


def test_very_long_text():
    """A text beyond a million characters is cut at a space before it is scanned, so that no half secret is left."""
    report = Report()
    out = compile_policy().copy("word " * 200_001 + "password=" + CANARY, report)
    assert len(out) < 1_000_050
    assert out.endswith(TRUNCATED)
    assert report.truncated[0]["reason"] == "text"


def test_input_unchanged_and_fresh():
    """Nothing of the input is changed, and nothing of the output is the input's."""
    given_ = {"a": [{"password": "x"}], "b": {"c": [1]}}
    before = copy.deepcopy(given_)
    out = redact(given_)
    assert given_ == before
    out["b"]["c"].append(2)
    out["a"][0]["more"] = 1
    assert given_ == before


def test_nested_under_sensitive_key():
    """What stands under a sensitive key goes leaf by leaf; booleans and null stay, and so does the shape."""
    assert redact({"credentials": {"user": "u", "n": 5, "on": True, "none": None, "list": ["a", 1.5]}}) == {
        "credentials": {"user": "[SECRET]", "n": "[SECRET]", "on": True, "none": None, "list": ["[SECRET]", "[SECRET]"]}
    }


def test_json_in_text():
    """JSON in a string is redacted by its keys, also twice encoded; where nothing has to go, not a byte changes."""
    inner = json.dumps({"user": {"first_name": "Mia", "id": 7}, "max_tokens": 5})
    assert json.loads(redact(inner)) == {"user": {"first_name": "[NAME]", "id": 7}, "max_tokens": 5}
    twice = json.dumps({"payload": inner})
    assert json.loads(json.loads(redact(twice))["payload"])["user"]["first_name"] == "[NAME]"
    assert json.loads(json.loads(redact(json.dumps(inner))))["user"]["first_name"] == "[NAME]"
    same = '{"a":  1, "b" : [1,2,  3]}'
    assert redact(same) is same
    assert CANARY not in redact('{"password": "%s", "password": null}' % CANARY)  # noqa: UP031 - as it is meant
    assert redact("[not json]") == "[not json]"


def test_json_web_key():
    """The private parts of a JSON Web Key go, and the public ones stay."""
    key = {"kty": "EC", "crv": "P-256", "x": "a" * 43, "d": CANARY * 2}
    assert redact(key) == {"kty": "EC", "crv": "P-256", "x": "a" * 43, "d": "[KEY]"}
    assert CANARY not in redact(json.dumps(key))


def test_text_and_event():
    """The three entries of the redactor agree."""
    redactor = compile_policy()
    assert redactor.text("mail a@b.co", Report()) == "mail [EMAIL]"
    assert redactor.copy("x", Report(), key="password") == "[PASSWORD]"
    assert redactor.copy("Mia Li", Report(), key="name") == "[NAME]"
    report = Report()
    assert redactor.event("tool_call", {"tool_name": "mail", "payload": {"to": "a@b.co", "n": 2}}, report) == {
        "tool_name": "mail",
        "payload": {"to": "[EMAIL]", "n": 2},
    }
    assert report.counts == {"EMAIL": 1}
    assert report.size > 0


def test_fails_closed(monkeypatch):
    """When scanning itself fails, the value is withheld and the failure named; nothing is raised."""
    redactor = compile_policy({"name": "broken"})
    monkeypatch.setattr(redactor._scanner, "_fast", None)
    monkeypatch.setattr("agentlogsafe.redaction.gate.questions", lambda *_: 1 / 0)
    report = Report()
    assert redactor.copy({"a": "text"}, report) == UNREDACTABLE
    assert redactor.text("text", report) == UNREDACTABLE
    assert redactor.event("custom", {"a": "text"}, report) == {"payload": UNREDACTABLE}
    assert report.problems


def test_threads():
    """One redactor serves many threads."""
    redactor = compile_policy()
    wrong: list[object] = []

    def work() -> None:
        for i in range(200):
            out = redactor.copy({f"k{i}": f"user{i}@example.com", "password": i}, Report())
            if out != {f"k{i}": "[EMAIL]", "password": "[PASSWORD]"}:
                wrong.append(out)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize(
    ("value", "out"),
    [
        ({"name": "DB_PASSWORD", "value": "s3cret99"}, {"name": "DB_PASSWORD", "value": "[PASSWORD]"}),
        ([{"Key": "api_key", "Value": "abc123def456"}], [{"Key": "api_key", "Value": "[API_KEY]"}]),
        ({"headers": [["X-Api-Key", "abc123def456"]]}, {"headers": [["X-Api-Key", "[API_KEY]"]]}),
        ({"name": "region", "value": "eu-west-1"}, {"name": "region", "value": "eu-west-1"}),
        ({"key": "password", "value": "Password"}, {"key": "password", "value": "Password"}),
        ({"columns": ["password", "email2"]}, {"columns": ["password", "email2"]}),
    ],
)
def test_name_beside_value(value, out):
    """A value is masked where its name is the value of another key, as in variables and headers."""
    assert redact(value) == out


@pytest.mark.parametrize("name", ["Authorization", "Password", "X-Api-Key", "Cookie", "Secret", b"Api-Secret"])
@pytest.mark.parametrize("under", [("name", "value"), ("Name", "Value"), ("field", "value"), ("id", "value")])
def test_name_that_could_be_a_persons(name, under):
    """A header, a variable or a field that is written like a person's name still says what its value is."""
    out = redact({under[0]: name, under[1]: CANARY})
    assert out[under[0]] == (name if isinstance(name, str) else name.decode())
    assert out[under[1]] in ("[SECRET]", "[PASSWORD]", "[API_KEY]", "[COOKIE]")
    assert redact(out) == out
    assert redact({"name": "Mia Li", "value": 3}) == {"name": "[NAME]", "value": 3}


@pytest.mark.parametrize("row", [["password", 1 << 16_609], (b"api_token", 1 + 2j), ["token", b"abc123def456"]])
def test_row_is_judged_by_what_it_became(row):
    """A value that is text only in the copy is masked beside its name as it would be when redacted again."""
    out = redact([row])
    assert out[0][1] in {"[PASSWORD]", "[TOKEN]"}
    assert redact(out) == out


def test_mask_in_a_name_announces_nothing():
    """What is masked in a text does not make it the name of the value beside it when it is redacted again."""
    out = redact([["see password=Zq7x9k2p", "ready at 10"], {"name": "see password=Zq7x9k2p", "value": "ready at 10"}])
    assert out[0] == ["see password=[PASSWORD]", "ready at 10"]
    assert redact(out) == out
    assert redact([["user[password]", "Zq7x9k2p"]]) == [["user[password]", "[PASSWORD]"]]


@pytest.mark.parametrize(
    "row", [{"name": "api_key", "value": "0xdeadbeef8-----BEGIN PRIVATE KEY-----17"}, ["password", "2026-05-13------BEGIN PRIVATE KEY-----17"]]  # noqa: E501 - one row of a table
)  # fmt: skip
def test_rest_of_a_value_is_judged_beside_its_name(row):
    """What is left of a value that was masked in part is masked beside its name as it would be when redacted again."""
    compiled = compile_policy({"name": "shown", "strategies": {"default": "partial"}})
    once = compiled.copy([row], Report())
    assert "BEGIN" not in str(once)
    assert compiled.copy(once, Report()) == once


def test_many_values_beside_their_names():
    """What was laid aside of a value is looked for only in the row or mapping that it stands in."""
    kept = compile_policy()._rules
    looked = []

    class Places(list):
        def __getitem__(self, at):
            looked.append(at)
            return super().__getitem__(at)

    for row in ({"name": "DB_PASSWORD", "value": str(uuid.UUID(int=1 << 127))}, ["DB_PASSWORD", "s3cret99"]):
        looked.clear()
        walk = Walk(kept, Report(), None)
        walk.slots = Places()
        walk.put({}, "", [[row] * 100] * 100, None, None)
        assert len(looked) < 30_000


@pytest.mark.parametrize(
    ("name", "value"), [("ParameterKey", "ParameterValue"), ("OptionName", "Value"), ("ParameterName", "Value")]
)
def test_parameters_of_stacks(name, value):
    """A stack's parameter is named beside its value, by names that cloud providers have chosen."""
    assert redact([{name: "DbPassword", value: "Zq7x9k2p"}, {name: "Environment", value: "staging"}]) == [
        {name: "DbPassword", value: "[PASSWORD]"},
        {name: "Environment", value: "staging"},
    ]
