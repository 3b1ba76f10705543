"""Text that was made to be slow: the work that it may cost, what becomes of it, and the short cuts of long text."""

from __future__ import annotations

import json
import re
from unittest import mock

import hypothesis.strategies as st
import pytest
from hypothesis import given

from agentlogsafe.redaction import Report, assignments, claimed, compile_policy, gate, numbers, redact, work
from agentlogsafe.redaction.fast import STAMPED
from agentlogsafe.redaction.lone import Lone
from agentlogsafe.redaction.separators import ENDINGS, separators
from agentlogsafe.redaction.work import ExhaustedError, Work
from tests.redaction.fuzz import ALPHABET, FRAGMENTS
from tests.redaction.slow import DENSE

PROSE = "The revenue of the northern region rose against plan, said the team. "
HOSTILE = "530-289-0197=@46.\u0661"


@pytest.fixture
def spent(monkeypatch):
    """Return a list that fills with the units that are spent."""
    units: list[int] = []
    spend = Work.spend

    def counting(self, amount):
        units.append(amount)
        spend(self, amount)

    monkeypatch.setattr(Work, "spend", counting)
    return units


def test_only_what_is_suspicious_is_withheld():
    """Where a text costs too much, the lines that are clean stay, apart from the one behind; the report says so."""
    clean = "\n".join([PROSE] * 40)
    text = f"{clean}\nssn=536-22-8147 {HOSTILE * 2_000}\n{clean}"
    report = Report()
    out = compile_policy().copy(text, report)
    assert out.startswith(PROSE)
    assert out.endswith(PROSE)
    assert out.count("[UNREDACTABLE]") == 1
    assert out.count(PROSE) > 60
    assert "536" not in out
    assert report.counts["UNREDACTABLE"] == 1
    assert len(report.problems) == 1
    assert redact(out) == out


def test_value_behind_its_name_is_withheld_with_it():
    """A line that is clean by itself goes when the one before is suspicious: it may be what that one names."""
    out = redact(f"{HOSTILE * 2_000}\nPhone:\n467 3395")
    assert "467" not in out


@pytest.mark.parametrize("piece", DENSE)
def test_work_is_in_proportion_to_length(piece, spent):
    """No text costs more than its allowance, and as much again for what is left of it when that is spent."""
    for size in (2_000, 8_000):
        spent.clear()
        text = (piece * (size // len(piece) + 1))[:size]
        out = redact(text)
        assert sum(spent) <= 2 * work.allowance(text) + size
        assert redact(out) == out


@pytest.mark.parametrize("line", ["{}", "id={} ok", "tax {}", "call {}"])
def test_tables_are_not_withheld(line):
    """A table of numbers, whatever they are, does not exhaust its allowance."""
    lines = [line.format(10**10 + place * 7_919) for place in range(3_000)]
    assert "UNREDACTABLE" not in redact("\n".join(lines))


def test_a_round_gets_no_more_than_its_text_alone():
    """What is left over from a long text does not carry a short one further than it would come by itself."""
    left = Work("x" * 10_000)
    left.round("x" * 10)
    assert left.left == work.allowance("x" * 10)
    with pytest.raises(ExhaustedError):
        left.spend(left.left + 1)


fragments = st.lists(
    st.sampled_from((*FRAGMENTS, *DENSE)) | st.text(alphabet=ALPHABET, max_size=8) | st.just(PROSE * 40), max_size=14
)


@given(fragments)
def test_twice_is_once_in_long_text(parts):
    """Looking only near what was masked, and near what is disguised, leaves nothing for the next time."""
    once = redact(PROSE * 40 + " ".join(parts))
    assert redact(once) == once


@given(fragments.map("".join))
def test_google_re2_answers_every_question(text):
    """What the plain gate calls possible, google-re2 does, too, whichever of its sets is asked."""
    fast = compile_policy()._scanner._fast
    if fast is None or not text.isascii():
        return
    for asked in (text, PROSE * 9 + re.sub("[=:>,(]", " ", text)):
        found = fast(asked)
        if found & STAMPED:
            found |= gate.NUMBER
        missing = gate.questions(asked, compile_policy()._scanner._endings) & ~found

        assert not missing


def test_a_plus_needs_six_digits():
    """A plus makes a text one that may have numbers only with the digits of the shortest number behind it."""
    for text, asked in (("rose by +12 (3), then +1 (312", False), ("Contact +664-491", True)):
        assert bool(gate.questions(text, ENDINGS) & gate.NUMBER) == asked
        assert (redact(text) != text) == asked


assigned = st.lists(
    st.sampled_from(
        (
            "password", "Authorization", "api_key", "name", "status", "the", ": ", "=", ":", '": "', "='", ", ", ">", " Bearer ", "9f8e7d6c5b4a39281706f5e4d3c2b1a0", "ghp_q7RtV2mXz9LbK4wHd8NcPf3YsJ6gTe5q7RtV", "sk-ant-api03-", "Zq7x9k2p", "mia.li@example.com", "+1 312 555 0199", "536-22-8147", "sig=", '"', "'", " ", "\n", ".", ")", "; ", "[EMAIL]",  # noqa: E501 - one row of a table
        )
    ),
    max_size=14,
).map("".join)  # fmt: skip


@given(assigned)
def test_what_is_settled_has_no_name_left(text):
    """Where another look is spared because all names have their values, it would find nothing."""
    with mock.patch.object(claimed, "settled", return_value=False):
        looked = redact(text)
    assert redact(text) == looked


@given(assigned)
def test_value_that_is_a_token_need_not_be_judged(text):
    """Where a token is all of a value, it makes no difference what the name beside it says."""
    with mock.patch.object(assignments, "token_at", return_value=None):
        judged = redact(text)
    assert redact(text) == judged


@given(fragments.map("".join))
def test_patterns_let_every_name_through(text):
    """Where a separator stands behind a sensitive ending, whatever signs and counters are between, it is found."""
    found = set(separators(text))
    for sign in re.finditer("[=:]", text):
        at = sign.start()
        begin = max(at - 8, 0)
        end = begin + len(text[begin:at].rstrip(" \t\"'`\\*_:=?!|-)]}>.+~"))
        if text[max(end - 6, 0) : end].rstrip("0123456789")[-4:].lower() in ENDINGS:
            assert (end, at + 1) in found


@given(st.lists(st.lists(st.sampled_from((*FRAGMENTS, PROSE)), max_size=4).map("".join), max_size=6))
def test_beside_others_is_alone(texts):
    """A text is redacted the same beside others as alone, be it short or long."""
    for name, out in redact({f"x{place}": text for place, text in enumerate(texts)}).items():
        assert redact({name: texts[int(name[1:])]}) == {name: out}


digits = st.from_regex(r"[1-9][0-9]{0,24}", fullmatch=True) | st.builds(
    "{}{}".format, st.sampled_from((4, 51, 34, 756, 19880320, 163061, 750330, 95050)), st.integers(0, 10**12)
)


@given(digits, st.sampled_from(("", "id", "created_at", "card", "tax_id", "ssn", "userPhone")))
def test_number_that_is_all_of_a_text_is_judged_alike(number, name):
    """Where a short look says that a number is none of anybody's, the long one says so, too (pitfall 41)."""
    scanner = compile_policy()._scanner
    with mock.patch.object(Lone, "innocent", return_value=False):
        looked = scanner.scan(number, Report(), name)
    assert scanner.scan(number, Report(), name) == looked


def test_timestamps_are_innocent():
    """An integer of milliseconds costs no reading of it as text."""
    with mock.patch.object(numbers.Numbers, "find", side_effect=AssertionError):
        assert redact([1764424555123, 1764424555124]) == [1764424555123, 1764424555124]


@pytest.mark.parametrize(
    "text",
    ["passed", "tel 5551234567", "call +1 312 555 0199", "::1", "a@b.co", "%40", "secret is Zq7x9k2", "born 1990-04-05", "2234 5678 9012", "tax 123456789", "x_key=Zq7x9k2p", "Bearer Zq7x9k2pZq7x9k2p", "-p abc", "4111 1111 1111 1111"],  # noqa: E501 - one row of a table
)  # fmt: skip
def test_columns_are_not_withheld(text):
    """A column of thousands of texts that have to be looked at is redacted, text by text, in a log call, too."""
    for redactor, rows in ((compile_policy(), 9_000), (compile_policy(line=16_000), 3_500)):
        out = redactor.copy([[{"value": text}] * 500] * (rows // 500), Report())
        assert "UNREDACTABLE" not in str(out)


@pytest.mark.parametrize("line", [0, 16_000])
def test_many_texts_cost_no_more_than_their_budget(line, spent):
    """What very many short texts and names may cost together is bounded, for a log call in all (pitfall 37)."""
    redactor = compile_policy(line=line)
    for value in (
        [[f"tel 555123{place:04} card 4111 1111 1111 1112 {HOSTILE}" for place in range(500)] for _ in range(20)],
        [{f"tel 555123{place:04} card 4111 1111 1111 1112": 1 for place in range(500)} for _ in range(20)],
        [[4111_1111_1111_1111 + place for place in range(500)] for _ in range(20)],
        [json.dumps([f"born 1990-04-05 &#64;123.456.789-{place % 100:02}" for place in range(500)])] * 20,
    ):
        spent.clear()
        report = Report()
        out = redactor.copy(value, report)
        size = len(json.dumps(value))
        assert sum(spent) <= (1.2 * 200_000 if line else 3 * size + 20_000)
        assert len(report.problems) <= 1
        assert redactor.copy(out, Report()) == out


hostile = st.sampled_from((*DENSE, "call +1 312 555 0199", "a@b.co", PROSE)) | fragments.map("".join)
hostile = hostile.map(lambda text: text.lstrip("-"))  # what is a command is looked at as a whole, too
values = st.recursive(
    hostile | st.lists(hostile.filter(str.isprintable), max_size=9).map(json.dumps) | st.integers(10**10, 10**16),
    lambda inner: st.lists(inner, max_size=9) | st.dictionaries(hostile, inner, max_size=9),
    max_leaves=30,
)


@given(values, st.integers(0, 400))
def test_twice_is_once_when_the_budget_ends(value, least):
    """Wherever the budget of a call ends, what it gave away can be redacted again, and does not change."""
    with mock.patch.multiple(work, _CALL=least, _TOGETHER=least % 2, _EVERY=(0.4, 1.25)[least >> 1 & 1]):
        once = redact(value)
        assert redact(once) == once


def test_budget_of_what_goes_is_not_spent_on_what_stays():
    """What a text brings along that is clean the next time does not carry the others, which would change then."""
    value = ["a@b.co " * 2_000, *["2234 5678 9012"] * 500]
    with mock.patch.multiple(work, _CALL=0, _TOGETHER=0, _EACH=0):
        once = redact(value)
        assert "[UNREDACTABLE]" in once
        assert redact(once) == once


def test_command_that_cannot_be_looked_at_is_withheld():
    """Where a call's budget ends, the words of its commands go, and do not get through unseen (fails closed)."""
    commands = [["curl", "-u", f"bob:s3cr3t{place}x", "https://a.example"] for place in range(900)]
    with mock.patch.multiple(work, _CALL=2_000, _TOGETHER=0, _EACH=0, _EVERY=0):
        once = redact(commands)
        assert "s3cr3t" not in str(once)
        assert redact(once) == once
