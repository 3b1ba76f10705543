"""Real conversations, with JSON inside strings and personal data told in sentences."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest

from agentlogsafe.redaction import Report, RunMemory, compile_policy

SHARED = (
    Path(os.environ.get("AGENTLOGSAFE_SHARED", Path(__file__).resolve().parents[3] / "shared")) / "data" / "transcripts"
)

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the transcripts are not beside the checkout")


@pytest.fixture(scope="module")
def leaks():
    """The known values that survive, by category, with run memory."""
    redactor = compile_policy()
    known = json.loads((SHARED / "airline-gpt-4o.known-pii.json").read_text())
    out = []
    with gzip.open(SHARED / "airline-gpt-4o.jsonl.gz", "rt") as lines:
        for line in lines:
            memory = RunMemory()
            out += [
                json.dumps(redactor.event("custom", {"payload": m}, Report(), memory), ensure_ascii=False)
                for m in json.loads(line)["messages"]
            ]
    text = "\n".join(out)
    return text, {category: sum(text.count(value) for value in values) for category, values in known.items()}


def test_no_known_value_survives(leaks):
    """Emails, birth dates, streets and postal codes are gone; of names at most those said before a lookup revealed them."""  # noqa: E501 - a pattern or a table row reads as one line
    _, left = leaks
    assert {k: v for k, v in left.items() if k != "person_name"} == dict.fromkeys(
        (k for k in left if k != "person_name"), 0
    )
    assert left["person_name"] <= 10


def test_the_work_survives(leaks):
    """Flight numbers, reservation codes, tools and payment ids are still there."""
    text, _ = leaks
    for kept in (
        "HAT",
        "get_reservation_details",
        "credit_card_",
        "gift_card_",
        "2024-05-",
        "flight_number",
        "reservation_id",
        "cabin",
    ):
        assert kept in text
