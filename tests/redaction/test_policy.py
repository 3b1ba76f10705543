"""Policies: where they come from, what they refuse, what they change."""

from __future__ import annotations

import dataclasses
import enum
import os
from types import SimpleNamespace

import pytest

from agentlogsafe.errors import ConfigurationError
from agentlogsafe.redaction import (
    ContentRule,
    CustomDetector,
    RedactionPolicy,
    Report,
    RunMemory,
    compile_policy,
    redact,
    register_secret,
)
from agentlogsafe.redaction.custom import slow
from agentlogsafe.redaction.known import KNOWN, register_environment
from agentlogsafe.redaction.presidio import presidio
from agentlogsafe.redaction.strategies import BRACKETS
from tests.redaction.objects import CANARY

TOML = """
name = "acme"
version = "3"
extends = "standard"
memory = false

[keys]
sensitive = { tcx_ref = "ACME_REF" }
harmless = ["pin"]

[detectors]
disable = ["ipv4"]

[[detectors.custom]]
name = "employee"
category = "EMPLOYEE_ID"
pattern = 'EMP-\\d{6}'
keywords = ["emp-"]

[strategies]
default = "mask"
CARD = "partial"
EMAIL = "token"

[token]
key_env = "ACME_TOKEN_KEY"

[network]
private_addresses = "keep"

[[content]]
events = ["model_call"]
fields = ["prompt"]
mode = "digest"

[[content]]
fields = ["notes"]
purpose = "support"
retention = "30d"
"""


@pytest.fixture(autouse=True)
def _forget():
    yield
    KNOWN.clear()


@pytest.fixture
def acme(tmp_path, monkeypatch):
    """A policy file with something of everything."""
    monkeypatch.setenv("ACME_TOKEN_KEY", "0123456789abcdef")
    path = tmp_path / "acme.toml"
    path.write_text(TOML)
    return path


def test_file(acme):
    """A file changes keys, detectors, strategies, addresses and content."""
    redactor = compile_policy(acme)
    assert (redactor.policy.name, redactor.policy.version) == ("acme", "3")
    out = redact(
        {"tcxRef": "x", "pin": "1234", "t": "EMP-123456 at 203.0.113.7", "card": "4111111111111111", "m": "a@b.co"},
        acme,
    )
    assert out["tcxRef"] == "[ACME_REF]"
    assert out["pin"] == "1234"
    assert out["t"] == "[EMPLOYEE_ID] at 203.0.113.7"
    assert out["card"] == "[CARD*1111]"
    assert out["m"].startswith("[EMAIL#")
    assert redact(out, acme) == out
    assert redact("tcx_ref = Zq7canary9xWv", acme) == "tcx_ref = Zq7canary9xWv" or "ACME" in redact(
        "tcx_ref = 'Zq7canary9xWv4'", acme
    )


def test_extends_a_file(acme, tmp_path):
    """A policy can build on another file, relative to itself."""
    child = tmp_path / "child.toml"
    child.write_text('name = "child"\nextends = "acme.toml"\n[keys]\nharmless = ["tcx_ref"]\n')
    policy = RedactionPolicy.load(child)
    assert policy.disabled == ("ipv4",)
    assert redact({"tcx_ref": "x"}, child) == {"tcx_ref": "x"}


def test_digest(acme):
    """Equal rules have equal digests wherever they come from; other rules have another."""
    assert RedactionPolicy.load(acme).digest == RedactionPolicy.load(str(acme)).digest
    assert (
        RedactionPolicy.load().digest
        == RedactionPolicy.load("standard").digest
        != RedactionPolicy.load("strict").digest
    )
    assert compile_policy() is compile_policy("standard")
    assert compile_policy(depth=5) is not compile_policy()
    assert dataclasses.is_dataclass(RedactionPolicy)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("standrad", ["standrad", "did you mean 'standard'"]), (42, ["a mapping", "int"]), ({"nmae": "x"}, ["nmae", "did you mean 'name'"]), ({"keys": []}, ["policy.keys", "list"]),  # noqa: E501 - a pattern or a table row reads as one line
        ({"keys": {"sensitve": []}}, ["sensitve", "'sensitive'"]), ({"keys": {"harmless": "pin"}}, ["policy.keys.harmless", "list"]), ({"detectors": {"disable": ["ipv5"]}}, ["ipv5", "'ipv4'"]),  # noqa: E501 - a pattern or a table row reads as one line
        ({"strategies": {"EMAIL": "maks"}}, ["policy.strategies.EMAIL", "'mask'"]), ({"strategies": {"default": "nothing"}}, ["policy.strategies.default"]), ({"strategies": {"EMAIL": "token"}}, ["policy.token", "key"]),  # noqa: E501 - a pattern or a table row reads as one line
        ({"network": {"private_addresses": "no"}}, ["private_addresses"]), ({"memory": "yes"}, ["policy.memory", "str"]), ({"content": [{"mode": "digset"}]}, ["policy.content.mode", "'digest'"]), ({"content": {}}, ["policy.content"]),  # noqa: E501 - a pattern or a table row reads as one line
        ({"extends": "nothing"}, ["nothing"]), ({"unknown": "drop"}, ["policy.unknown"]), ({"detectors": {"custom": [{"name": "x", "pattern": "(a+)+"}]}}, ["refused", "bound"]),  # noqa: E501 - a pattern or a table row reads as one line
        ({"detectors": {"custom": [{"name": "x", "pattern": "("}]}}, ["no regular expression"]), ({"detectors": {"custom": [{"name": "x"}]}}, ["pattern"]),  # noqa: E501 - a pattern or a table row reads as one line
        ({"detectors": {"custom": [{"name": "x", "category": "lower", "pattern": "a"}]}}, ["capitals"]), ("missing.toml", ["missing.toml"]), ({"version": 3}, ["policy.version", "int"]),  # noqa: E501 - a pattern or a table row reads as one line
    ],
)  # fmt: skip
def test_refusals(source, words):
    """A mistake is refused when the policy is compiled, with the key, the value and what was expected."""
    with pytest.raises(ConfigurationError) as caught:
        compile_policy(source)
    for word in words:
        assert word in str(caught.value)


def test_token_key_that_is_no_function():
    """A key in the place of the function that returns it is refused, and quoted neither there nor in a repr."""
    with pytest.raises(ConfigurationError, match=r"token_key: expected a function") as caught:
        RedactionPolicy(token_key=CANARY.encode())
    assert CANARY not in str(caught.value)
    assert "token_key=" not in repr(RedactionPolicy(token_key=CANARY.encode))


def test_strategies():
    """Each strategy gives what its name says, and none is redacted again."""
    seen = []
    policies = {
        "mask": {}, "partial": {"strategies": {"default": "partial"}}, "hash": {"strategies": {"default": "hash"}}, "drop": {"strategies": {"EMAIL": "drop", "PASSWORD": "drop"}},  # noqa: E501 - a pattern or a table row reads as one line
    }  # fmt: skip
    value = {"password": "hunter2-long-enough", "text": "write mia@example.com now", "n": [1]}
    for name, settings in policies.items():
        policy = {"name": name, **settings}
        out = redact(value, policy)
        seen.append(out)
        assert redact(out, policy) == out
        assert "hunter2" not in str(out)
        assert "mia@" not in str(out)
    assert seen[0] == {"password": "[PASSWORD]", "text": "write [EMAIL] now", "n": [1]}
    assert seen[1]["password"] == "[PASSWORD*ough]"
    assert seen[2]["password"].startswith("[PASSWORD#")
    assert seen[3] == {"text": "write [EMAIL] now", "n": [1]}
    assert redact(["x"], policies["drop"] | {"name": "d"}) == ["x"]


def test_token_strategy(monkeypatch):
    """Equal values give equal tokens under one key, and others under another; the key is never in the policy."""
    one = RedactionPolicy(name="t", default_strategy="token", token_key=lambda: b"one")
    two = RedactionPolicy(name="t", default_strategy="token", token_key=lambda: "two")
    a, b = redact("a@b.co", one), redact({"x": "see a@b.co"}, one)["x"]
    assert b == f"see {a}"
    assert redact("a@b.co", two) != a
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    with pytest.raises(ConfigurationError, match="NO_SUCH_KEY"):
        compile_policy({"name": "x", "strategies": {"default": "token"}, "token": {"key_env": "NO_SUCH_KEY"}})


def test_callable_strategy():
    """A function decides what stands there; when it fails or gives the value back, the mask does."""
    policy = RedactionPolicy(
        name="c",
        strategies={"EMAIL": lambda _, v: v.rpartition("@")[2], "PHONE": lambda *_: 1 / 0, "CARD": lambda _, v: v},
    )
    out = redact("a@b.co, +44 20 7946 0958, 4111111111111111", policy)
    assert out == "[EMAIL:b.co], [PHONE], [CARD]"
    assert redact(out, policy) == out
    assert CANARY not in redact(f"[EMAIL:x] [INFO:password={CANARY}] [EMAIL:password={CANARY}]", policy)


def test_content_rules(acme):
    """Content is digested or left out by event type, and the purpose of keeping it is noted."""
    redactor = compile_policy(acme)
    report = Report()
    out = redactor.event("model_call", {"payload": {"prompt": "hello", "notes": "x", "n": 1}, "metadata": {}}, report)
    assert out["payload"]["prompt"]["length"] == 5
    assert out["payload"]["prompt"]["digest"].startswith("hmac-sha256:")
    assert report.content == {
        "prompt": {"mode": "digest"},
        "notes": {"mode": "redacted", "purpose": "support", "retention": "30d"},
    }
    assert redactor.event("tool_call", {"payload": {"prompt": "hello"}}, Report())["payload"] == {"prompt": "hello"}
    omit = RedactionPolicy(name="omit", content=(ContentRule(mode="omit", fields=("messages",)),))
    report = Report()
    assert compile_policy(omit).event("x", {"payload": {"messages": ["secret"], "n": 1}}, report) == {
        "payload": {"n": 1}
    }
    assert report.content == {"messages": {"mode": "omit"}}
    assert compile_policy(omit).event("x", {"payload": None}, Report()) == {"payload": None}


class Field(str, enum.Enum):
    """Names of fields as constants, which are text of another type."""

    PROMPT = "prompt"


class Text(str):
    """Text of another type."""

    __slots__ = ()


@pytest.mark.parametrize("mode", ["omit", "digest"])
@pytest.mark.parametrize(
    "payload",
    [
        {Field.PROMPT: CANARY},
        {Text("prompt"): CANARY},
        {b"prompt": CANARY},
        {"prompt": "x", b"prompt": CANARY},
        {"extra": {"prompt": CANARY}},
        {"prompt": {"length": 5, "digest": CANARY}},
        {"prompt": {"length": CANARY, "digest": "hmac-sha256:" + "0" * 32}},
        {"positional_args": [CANARY]},
    ],
)
def test_content_in_another_form(mode, payload):
    """Content is minimized whatever type its name has, where it is given twice, and where it looks like a digest."""
    policy = RedactionPolicy(name="x", content=(ContentRule(mode=mode),))
    report = Report()
    out = compile_policy(policy).event("model_call", {"payload": payload}, report)
    assert CANARY not in str(out)
    assert report.content in ({"prompt": {"mode": mode}}, {"positional_args": {"mode": mode}})
    if mode == "digest":
        assert compile_policy(policy).event("model_call", out, Report()) == out


def test_names_under_the_strict_policy():
    """Names that are text themselves are digested, too, and the same again when they are redacted twice."""
    payload = {
        f"told {CANARY}": 1,
        "max_tokens": 5,
        "seen": {f"that {CANARY}": True},
        "fake": {"length": 1, "digest": CANARY + " said"},
    }
    redactor = compile_policy("strict")
    out = redactor.event("tool_call", {"payload": payload}, Report())
    assert CANARY not in str(out)
    assert out["payload"]["max_tokens"] == 5
    assert list(out["payload"]["seen"].values()) == [True]
    assert redactor.event("tool_call", out, Report()) == out


def test_strict():
    """The strict policy digests content and keeps of the rest only numbers, booleans, identifiers and enumerations."""
    out = compile_policy("strict").event(
        "tool_call",
        {
            "tool_name": "sql",
            "payload": {
                "prompt": "who",
                "status": "ok",
                "id": "call_x1",
                "n": 5,
                "on": True,
                "free": "some free text",
                "more": {"list": ["a b", "c"]},
            },
        },
        Report(),
    )
    payload = out["payload"]
    assert out["tool_name"] == "sql"
    assert (payload["status"], payload["id"], payload["n"], payload["on"]) == ("ok", "call_x1", 5, True)
    assert set(payload["prompt"]) == set(payload["free"]) == {"length", "digest"}
    assert payload["more"]["list"][1] == "c"
    assert payload["more"]["list"][0]["length"] == 3


def test_run_memory():
    """A value seen under a sensitive key is recognised later in free text of the same run, in any case, as a whole word."""  # noqa: E501 - a pattern or a table row reads as one line
    redactor, memory = compile_policy(), RunMemory()
    redactor.event(
        "tool_result",
        {"payload": {"result": '{"first_name": "Omar", "last_name": "Davis", "password": "tulip-garden"}'}},
        Report(),
        memory,
    )
    report = Report()
    out = redactor.event(
        "model_response", {"payload": {"text": "Hello Omar, OMAR DAVIS! Omarion has tulip-garden."}}, report, memory
    )
    assert out["payload"]["text"] == "Hello [NAME], [NAME]! Omarion has [PASSWORD]."
    assert report.counts == {"NAME": 2, "PASSWORD": 1}
    assert (
        redactor.event("x", {"payload": {"text": "Hello Omar"}}, Report(), RunMemory())["payload"]["text"]
        == "Hello Omar"
    )
    off = compile_policy({"name": "off", "memory": False})
    assert off.event("x", {"payload": {"text": "Hello Omar"}}, Report(), memory)["payload"]["text"] == "Hello Omar"


def test_run_memory_of_an_identifier():
    """A secret that looks like an identifier is recognised in the place of one."""
    own = "123e4567-e89b-12d3-a456-426614174000"
    redactor, memory = compile_policy(), RunMemory()
    assert redactor.event("tool_call", {"payload": {"id": own}}, Report(), memory) == {"payload": {"id": own}}
    redactor.event("tool_call", {"payload": {"api_key": own}}, Report(), memory)
    assert redactor.event("tool_call", {"payload": {"id": own}}, Report(), memory) == {"payload": {"id": "[API_KEY]"}}


def test_run_memory_is_bounded():
    """Short, common and excess values are not remembered."""
    memory = RunMemory(limit=3)
    for value in (
        "Li",
        "test",
        "12345",
        "a\nb long",
        "first-one",
        "second-one",
        "third-one",
        "fourth-one",
        "first-one",
        "...",
    ):
        memory.add(value, "PASSWORD")
    assert len(memory) == 3
    assert RunMemory().known("text") is None
    assert memory.category("unknown") == "PERSONAL"


def test_register_secret(monkeypatch):
    """An exact value that the application names is found anywhere; too short a one is refused without being quoted."""
    register_secret("correct-horse-battery")
    assert redact({"a": "the correct-horse-battery staple", "b": "correct-horse"}) == {
        "a": "the [SECRET] staple",
        "b": "correct-horse",
    }
    assert redact({"battery-horse-correct": {"x battery-horse-correct": 1}}) == {
        "battery-horse-correct": {"x battery-horse-correct": 1}
    }
    register_secret("battery-horse-correct")  # a name, which was fine until now
    assert redact({"battery-horse-correct": {"x battery-horse-correct": 1}}) == {"[SECRET]": {"x [SECRET]": 1}}
    own = "123e4567-e89b-12d3-a456-426614174000"  # what some services have as their keys
    assert redact({"id": own}) == {"id": own}
    register_secret(own)
    assert redact({"id": own}) == {"id": "[SECRET]"}
    with pytest.raises(ConfigurationError) as caught:
        register_secret("abc")
    assert "abc" not in str(caught.value)
    monkeypatch.setenv("ACME_DB_PASSWORD", "tulip+garden/42")
    assert register_environment() >= 1
    assert redact("value tulip+garden/42") == "value [SECRET]" or redact("value tulip+garden/42") == "value [PASSWORD]"
    assert compile_policy({"name": "env", "environment": True}).text("tulip+garden/42", Report()) == "[PASSWORD]"


@pytest.mark.parametrize(
    ("pattern", "fine"),
    [
        (r"EMP-\d{6}", True), (r"(?:AB|CD)-[0-9]{4,8}", True), (r"(?<!\w)X\d{3}(?!\w)", True), (r"(?P<v>a{1,5})b", True), (r"\d+", False), (r"a*", False), (r"(a{1,5}){1,5}", False), (r"(a)\1", False), (r".{0,300}x.{0,300}", False),  # noqa: E501 - a pattern or a table row reads as one line
        (r"x?y", True), (r"(?i:abc)", True),
    ],
)  # fmt: skip
def test_slow_patterns(pattern, fine):
    """A pattern of a user is linear, or refused with the reason."""
    assert (slow(pattern) is None) is fine


def test_custom_function():
    """A function in code is a detector; when it fails, the text is withheld."""

    def find(text):
        at = text.find("magic")
        return [(at, at + 5, "MAGIC")] if at >= 0 else []

    policy = RedactionPolicy(name="f", detectors=(CustomDetector(name="f", find=find),))
    assert redact({"a": "so magic it is", "b": "no"}, policy) == {"a": "so [MAGIC] it is", "b": "no"}
    broken = RedactionPolicy(name="b", detectors=(CustomDetector(name="b", keywords=("boom",), find=lambda _: 1 / 0),))
    report = Report()
    assert compile_policy(broken).copy(["boom", "fine"], report) == ["[UNREDACTABLE]", "fine"]
    assert report.problems == ["a text could not be scanned; it was withheld"]


def test_presidio_adapter():
    """An analyzer's findings above the threshold go, under this package's categories."""

    class Analyzer:
        def analyze(self, text, language, **options):
            assert language == "en"
            at = text.find("Mia")
            return (
                [
                    SimpleNamespace(entity_type="PERSON", start=at, end=at + 3, score=0.9),
                    SimpleNamespace(entity_type="X", start=0, end=2, score=0.1),
                ]
                if at >= 0
                else []
            )

    policy = RedactionPolicy(name="p", detectors=(presidio(Analyzer(), entities=["PERSON"]),))
    assert redact("so Mia said", policy) == "so [NAME] said"


def found(entity, start, end):
    return SimpleNamespace(analyze=lambda **_: [SimpleNamespace(entity_type=entity, start=start, end=end, score=0.9)])


@pytest.mark.parametrize(
    ("entity", "category"),
    [
        ("PERSON", "NAME"),
        ("US_PASSPORT", "PASSPORT"),
        ("US_DRIVER_LICENSE", "LICENSE"),
        ("IT_FISCAL_CODE", "NATIONAL_ID"),
        ("NRP", "PERSONAL"),
    ],
)
def test_presidio_categories(entity, category):
    """What an analyzer finds goes under the category that fits its entity type."""
    policy = RedactionPolicy(name="p", detectors=(presidio(found(entity, 3, 7)),))
    assert redact("so zork said", policy) == f"so [{category}] said"


@pytest.mark.parametrize("entity", ["DATE_TIME", "URL", "UUID"])
def test_presidio_leaves_what_is_nobodys(entity):
    """Dates, links and ids stay unless they are asked for: a date is no birth date."""
    for entities in ((), (entity,)):
        policy = RedactionPolicy(name="p", detectors=(presidio(found(entity, 3, 7), entities=entities),))
        assert (redact("at noon sharp", policy) == "at noon sharp") is (not entities)


def test_presidio_itself():
    """The real analyzer works through the adapter: its engine, its card and social security recognizers, one of ours.

    Presidio brings spaCy and some 375 MB with it, too much for every environment: `pip install presidio-analyzer` runs
    this test.
    """
    analyzer = pytest.importorskip("presidio_analyzer")
    spacy = pytest.importorskip("spacy")
    from presidio_analyzer.nlp_engine import SpacyNlpEngine
    from presidio_analyzer.predefined_recognizers import CreditCardRecognizer, DateRecognizer

    class Blank(SpacyNlpEngine):
        def __init__(self):
            super().__init__(models=[{"lang_code": "en", "model_name": "blank"}])
            self.nlp = {"en": spacy.blank("en")}

        def load(self):
            pass  # no model

    zork = analyzer.PatternRecognizer(supported_entity="ZORK", patterns=[analyzer.Pattern("z", r"zork\d{3}", 0.9)])
    registry = analyzer.RecognizerRegistry(recognizers=[zork, CreditCardRecognizer(), DateRecognizer()])
    registry.supported_languages = ["en"]
    engine = analyzer.AnalyzerEngine(nlp_engine=Blank(), registry=registry, supported_languages=["en"])
    policy = RedactionPolicy(name="p", detectors=(presidio(engine),), disabled=("CARD",))
    assert redact("a zork123 on 2024-05-13", policy) == "a [PERSONAL] on 2024-05-13"
    plain = RedactionPolicy(name="p", detectors=(presidio(engine, entities=["CREDIT_CARD"]),))
    assert redact("a zork123, 4012-8888-8888-1881", plain) == "a zork123, [CARD]"


def test_nothing_optional_is_imported():
    """Importing the package imports no validator and no optional engine."""
    import subprocess
    import sys

    code = "import agentlogsafe.redaction, sys; sys.exit(any(m.partition('.')[0] in ('stdnum', 'phonenumbers', 're2') for m in sys.modules))"  # noqa: E501 - a pattern or a table row reads as one line
    assert (
        subprocess.run(
            [sys.executable, "-c", code], check=False, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        ).returncode
        == 0
    )


def test_canary_nowhere():
    """No policy lets the canary through."""
    for policy in (None, "strict", {"name": "h", "strategies": {"default": "hash"}}):
        assert CANARY not in str(redact({"password": CANARY, "a": f"token={CANARY}"}, policy))


def test_masks_of_endless_categories_are_not_kept():
    """A function that answers ever new categories does not fill the memory with masks."""
    detector = CustomDetector(name="n", find=lambda text: [(0, 3, f"N{text[:3]}")] if text[0] != "[" else [])
    compiled = compile_policy(RedactionPolicy(name="endless", detectors=(detector,)))
    for number in range(400):
        assert compiled.text(f"{number:03} of many", Report()) == f"[N{number:03}] of many"
    assert len(BRACKETS) <= 256
