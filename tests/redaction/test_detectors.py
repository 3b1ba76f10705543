"""Each entry of the tables matches its examples, alone and in a sentence, and not its counter-examples."""

from __future__ import annotations

import importlib
import random
import re
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given

from agentlogsafe.redaction import Report, compile_policy, groups, redact
from agentlogsafe.redaction.detectors import DETECTORS, NUMBERS, checks, markdown
from agentlogsafe.redaction.detectors.base import sample
from agentlogsafe.redaction.detectors.contact import PHONES
from agentlogsafe.redaction.numbers import Numbers

FRAMES = ("{}", "see {} there", "value: {}", '"{}"', "({})", "line\n{}\nline", "x={}&y=1")
EXAMPLES = [(d.name, d.category, sample(shape)) for d in DETECTORS for shape in d.yes]
COUNTER = [(d.name, sample(shape)) for d in DETECTORS for shape in d.no]
NUMBER_EXAMPLES = [(n.name, n.category, text) for n in NUMBERS for text in n.yes]


def stands(name, text, frame):
    """Return whether such a thing stands in such a place: not everything does in a query string."""
    return frame != "x={}&y=1" or not (set("= \n") & set(text) or name in {"email", "ipv6", "mac"})


FRAMED = [
    pytest.param(name, text, frame, id=f"{frame}-{name}-{number}")
    for frame in FRAMES
    for number, (name, _, text) in enumerate(EXAMPLES)
    if stands(name, text, frame)
]


@pytest.mark.parametrize(("name", "text", "frame"), FRAMED)
def test_example(name, text, frame):
    """An example is redacted wherever it stands."""
    value = text.split()[-1] if name in {"bearer", "basic"} else text
    out = redact(frame.format(text))
    assert value not in out
    assert "[" in out


@pytest.mark.parametrize(("name", "text"), COUNTER, ids=[f"{row[0]}-{i}" for i, row in enumerate(COUNTER)])
def test_counter_example(name, text):
    """What only resembles it stays."""
    assert redact(text) == text


@pytest.mark.parametrize(
    ("name", "category", "text"), NUMBER_EXAMPLES, ids=[f"{row[0]}-{i}" for i, row in enumerate(NUMBER_EXAMPLES)]
)
def test_number(name, category, text):
    """A number is recognised in its documented form, beside its context word where it needs one."""
    assert redact(text) != text, name
    assert redact(f"we have {text} on file") != f"we have {text} on file"


NO_NUMBERS = [(n.name, text) for n in NUMBERS for text in n.no]


@pytest.mark.parametrize(("name", "text"), NO_NUMBERS, ids=[name for name, _ in NO_NUMBERS])
def test_no_number(name, text):
    """A wrong checksum, an impossible date or the want of a word spares what only has the outline."""
    for frame in ("{}", "we have {} on file"):
        assert redact(frame.format(text)) == frame.format(text)


# Chance would not meet the one, and the library does not look at the other's calendar.
BEGIN = {"ch-ahv": "756", "fr-nir": "18505"}
# Checks that ask the library last have to know all that it knows.
LIBRARY = {"au-tfn": "au.tfn", "be-nn": "be.nn", "de-tax-id": "de.idnr", "pl-pesel": "pl.pesel"}
# Where an outline starts with letters, the shape says whose they are.
SHAPED = [n for n in NUMBERS if (n.shape and n.outlines[0][0] != "A") or n.name in LIBRARY]


@pytest.mark.parametrize("number", SHAPED, ids=[number.name for number in SHAPED])
def test_shapes_spare_only_checksums(number):
    """The cheap look at a number refuses nothing that its checksum accepts."""
    check = LIBRARY.get(number.name, number.valid)
    if not callable(check):
        check = importlib.import_module(f"stdnum.{check}").is_valid
    pick = random.Random(number.name)
    accepted = 0
    for _ in range(200_000):
        size = number.outlines[0].count("9")
        text = "".join(pick.choices("0123456789", k=size))
        begin = BEGIN.get(number.name, "")
        text = begin + text[len(begin) :]
        if check(text):
            accepted += 1
            assert re.match(number.shape, text), text
            assert not callable(number.valid) or number.valid(text), text
            if accepted == 20:
                return
    assert accepted


def test_numbers_have_four_digits_in_a_row():
    """Numbers that nothing but a word beside them gives away are looked for only where there are four digits."""
    for outline in {outline for number in NUMBERS for outline in number.outlines}:
        compact = re.sub("[^9A]", "", outline)
        assert len(compact) > 8 or "9999" in compact, outline


def test_every_detector_has_an_example():
    """No detector is untested, and no two have one name."""
    assert all(d.yes for d in DETECTORS)
    assert all(n.yes for n in NUMBERS)
    names = [d.name for d in DETECTORS] + [n.name for n in NUMBERS]
    assert len(names) == len(set(names))
    assert len({n.name.partition("-")[0] for n in NUMBERS if n.yes}) >= 25


CLEAN = (
    "run_id=5efe9067-8c97-4ca8-aef6-b7e163cf8f47 step=38 status=ok", "trace_id=29ffa73685c8bce06d63a222e51f7315 span_id=fdf761375f306bcf duration_ms=849.162",  # noqa: E501 - a pattern or a table row reads as one line
    '{"id": "chatcmpl-y2e6PVzOwG3FIcnQsRWzWeS47M5rr", "usage": {"prompt_tokens": 3291, "total_tokens": 1106}}', "toolu_01pRShsmuvC3kT4x9iaBb1HI call_zj2IpnOV9kEv3RUMcSfF1ypZ",  # noqa: E501 - a pattern or a table row reads as one line
    "commit 3b18e512dba79e4c8300dd08aeb37f8e728b8dad in python:3.11-slim", "sha256:85f4afbdef5281710bad925100dbc675fd470acfca5d36e22ee5dc950d3af2a2", "epoch_ms=1793877026325 offset=989490515 bytes=9049284038",  # noqa: E501 - a pattern or a table row reads as one line
    "2026-05-13T01:55:48.345590Z INFO agent.step finished max_tokens=3592 token_count=9301", "2026-05-13 01:55:48 +0000 done", "flight HAT028 from MCO to CLT, reservation JG7FMM, credit_card_2929732",  # noqa: E501 - a pattern or a table row reads as one line
    "lat=-11.241893, lon=-95.342633, order #41178847 total $339.23", "embedding=[0.14976103, 0.35388800, -0.26051646]", "version 10.4.22-rc1, build 20260513.4, python 3.11.7", "GET https://api.example.com/v1/items/9771027?page=52 200 706ms",  # noqa: E501 - a pattern or a table row reads as one line
    "The password reset page was rendered; token budget 61395 left", "the key is in the door and the secret is out", "password: str = Field(...)", "api_key=os.environ['OPENAI_API_KEY']", "token = get_token()", "Authorization: Bearer $TOKEN",  # noqa: E501 - a pattern or a table row reads as one line
    "curl -u user:$PASSWORD https://x", "${{ secrets.GITHUB_TOKEN }}", "integrity sha512-" + "Ab1" * 28 + "Cd==", "std::string a::b", "arn:aws:iam::123456789012:role/x", "isbn 978-3-16-148410-0", "1.2.3.4.5", "v1.2.3", "10:30:45 to 11:30", "3 + 4 = 7; a, b",  # noqa: E501 - a pattern or a table row reads as one line
)  # fmt: skip


@pytest.mark.parametrize("text", CLEAN)
def test_innocent(text):
    """What agents log all day stays as it is: ids, hashes, times, versions, code, prose (41)."""
    assert redact(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "card 4111111111111111", "card 4111 1111 1111 1111", "4111-1111-1111-1111", "amex 378282246310005", "IBAN DE89 3704 0044 0532 0130 00", "DE89370400440532013000",  # noqa: E501 - a pattern or a table row reads as one line
        "call +44 20 7946 0958", "(415) 555-0132", "mail mia.li@example.com.", "from 203.0.113.7 port 22", "at 2001:db8::8a2e:370:7334", "00:1A:2B:3C:4D:5E", "SSN 536-22-8147",  # noqa: E501 - a pattern or a table row reads as one line
    ],
)  # fmt: skip
def test_personal(text):
    """Personal data with a shape is found in the text around it."""
    out = redact(text)
    assert out != text
    assert redact(out) == out


def test_disabled():
    """A policy can leave out a detector, a group or a category."""
    for out in ("ipv4", "network", "IP"):
        redactor = compile_policy({"name": "n", "detectors": {"disable": [out]}})
        assert redactor.text("from 203.0.113.7 to mia@example.com", Report()) == "from 203.0.113.7 to [EMAIL]"
    assert (
        compile_policy({"name": "n", "detectors": {"disable": ["national"]}}).text("SSN 536-22-8147", Report())
        != "SSN [SECRET]"
    )


@pytest.mark.parametrize(
    ("category", "text"),
    [
        ("CARD", "paid with 4111 1111 1111 1111"),
        ("IBAN", "DE89 3704 0044 0532 0130 00"),
        ("BIRTH_DATE", "born 1990-04-05"),
    ],
)
def test_every_category_can_be_left_out(category, text):
    """What is no pattern of the tables has a category too, and that can be left out."""
    redactor = compile_policy({"name": "n", "detectors": {"disable": [category]}})
    assert f"[{category}]" in redact(text)
    assert redactor.text(text, Report()) == text


def test_private_addresses():
    """Addresses that belong to nobody can be kept."""
    redactor = compile_policy({"name": "n", "network": {"private_addresses": "keep"}})
    assert (
        redactor.text("10.0.0.1 and 127.0.0.1 and ::1 and 8.8.8.8", Report())
        == "10.0.0.1 and 127.0.0.1 and ::1 and [IP]"
    )


def test_validators_survive_anything():
    """Checksums are only asked about what has the right outline, and a stumbling one counts as no (42)."""
    assert not checks.iban("DE00")
    assert checks.luhn("4111111111111111")
    assert not checks.luhn("4111111111111112")
    assert redact("DE89 3704 0044 0532 0130 01") == "DE89 3704 0044 0532 0130 01"


EVERY = Numbers()
EVERY._groups = groups.pattern(EVERY.shapes(), r"(?=([\x00-\xff]*))")


@given(
    st.lists(
        st.sampled_from([text for _, _, text in NUMBER_EXAMPLES])
        | st.sampled_from([d.yes[0] for d in PHONES] + ["DE89 3704 0044 0532 0130 00", "4111 1111 1111 1111"])
        | st.sampled_from(NUMBERS).flatmap(lambda number: st.sampled_from(number.outlines))
        | st.text(alphabet="0123456789aAZ .,:;-_/+()\u0661é?", max_size=12),
        max_size=8,
    ),
    st.sampled_from(["", " ", ", ", "\n", "-", "("]),
)
def test_only_marked_groups_are_numbers(parts, between):
    """The groups that the pattern of candidates leaves unmarked start no number."""
    text = between.join(parts)
    assert compile_policy()._scanner._numbers.find(text) == EVERY.find(text)


def test_documentation():
    """The table of the documentation is generated, and names every detector."""
    page = markdown()
    assert all(f"`{d.name}`" in page for d in DETECTORS)
    shipped = Path(__file__).resolve().parents[2] / "docs" / "detectors.md"
    if shipped.is_file():
        assert shipped.read_text(encoding="utf-8") == page, (
            "python -m agentlogsafe.redaction.detectors > docs/detectors.md"
        )


def test_tables_of_ordinary_numbers_stay():
    """Ids, amounts and times by the hundred do not exhaust the checksums: only the few go that happen to be right."""
    pick = random.Random(7)
    for line, spared in (
        (lambda: f"{pick.randrange(10**10, 10**11)},ok", 0.9),
        (lambda: f"2024{pick.randrange(1, 13):02}{pick.randrange(1, 29):02}{pick.randrange(1000):03} ok", 0.8),
        (lambda: f"order {pick.randrange(10**8, 10**9)} tax {pick.random():.2f}", 0.7),
        (lambda: f'{{"t": {pick.randrange(17 * 10**11, 18 * 10**11)}}}', 0.9),
    ):
        lines = [line() for _ in range(500)]
        kept = set(redact("\n".join(lines)).split("\n"))
        assert sum(one in kept for one in lines) > spared * len(lines)
