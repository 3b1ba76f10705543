"""Real transcripts, replayed by the example: complete, valid, linked, and without the known personal values."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import re
import sys
from collections import Counter
from typing import NamedTuple

import jsonschema
import pytest

import agentlogsafe
from tests.test_sealing import read, streams_of

TRANSCRIPTS = "data/transcripts/airline-gpt-4o.jsonl.gz"
KNOWN = "data/transcripts/airline-gpt-4o.known-pii.json"

MASK = re.compile(r"\[[A-Z][A-Z_]+\]")
PERSONAL_KEYS = {"first_name", "last_name", "dob", "name", "address", "email"}
STRUCTURE = {
    "flight numbers": r"\bHAT\d{3}\b",
    "payment ids": r"\b(?:credit_card|gift_card|certificate)_\d{7}\b",
    "dates of travel": r"\b2024-\d\d-\d\d\b",
    "user ids": r"\b[a-z]+_[a-z]+_\d{4}\b(?!@)",
    "airports": r"\b(?:SFO|JFK|LAX|ORD|DFW|DEN|SEA|ATL|MIA|BOS|PHX|IAH|LAS|MCO|EWR|CLT|MSP|DTW|PHL|LGA)\b",
    "amounts": r"\$\d[\d,.]*\d",
}


class Replay(NamedTuple):
    """What went in, what came out, and what should not have."""

    transcripts: dict[str, dict]
    text: str
    events: list[dict]
    known: dict[str, list[str]]

    def source_of(self, event):
        """Return the message that an event was made of."""
        return self.transcripts[event["metadata"]["transcript_id"]]["messages"][event["metadata"]["message_index"]]

    def of_messages(self):
        return [event for event in self.events if event["event_type"] not in ("run_start", "run_end")]

    def of_type(self, event_type):
        return [event for event in self.events if event["event_type"] == event_type]


@pytest.fixture(scope="module")
def replay(shared, replayed):
    with gzip.open(shared / TRANSCRIPTS, "rt", encoding="utf-8") as file:
        transcripts = {transcript["id"]: transcript for transcript in map(json.loads, file)}
    text = replayed().read_text(encoding="utf-8")
    known = json.loads((shared / KNOWN).read_text(encoding="utf-8"))
    return Replay(transcripts, text, [json.loads(line) for line in text.splitlines()], known)


def test_every_line_is_a_valid_event(replay):
    """Each line is valid against the shipped schema, complete and without a problem; no id occurs twice."""
    validator = jsonschema.Draft202012Validator(agentlogsafe.json_schema())

    for event in replay.events:
        validator.validate(event)
        assert "problems" not in event, event
        assert "truncated" not in event, event
    assert len({event["event_id"] for event in replay.events}) == len(replay.events)


def test_every_transcript_is_a_run(replay):
    """A run starts, ends, and belongs to one transcript; its events are in order and carry its id."""
    assert len(replay.transcripts) == 100
    starts = {event["run_id"]: event for event in replay.of_type("run_start")}
    ends = {event["run_id"]: event for event in replay.of_type("run_end")}
    assert len(starts) == len(ends) == 100
    assert starts.keys() == ends.keys() == {event["run_id"] for event in replay.events}
    assert {event["session_id"] for event in starts.values()} == set(replay.transcripts)
    for run_id, start in starts.items():
        own = [event for event in replay.events if event["run_id"] == run_id]
        assert (own[0], own[-1]) == (start, ends[run_id])
        assert {event["session_id"] for event in own} == {start["session_id"]}
        assert {event["metadata"]["transcript_id"] for event in own} == {start["session_id"]}
        indexes = [event["metadata"]["message_index"] for event in own[1:-1]]
        assert indexes == sorted(indexes)


def test_every_message_is_there(replay):
    """Each of the 2,962 messages is in its run, under its index, with the event types of its role."""
    made: dict[tuple[str, int], list[str]] = {}
    for event in replay.of_messages():
        place = (event["session_id"], event["metadata"]["message_index"])
        made.setdefault(place, []).append(event["event_type"])

    types = {
        "system": "system_instruction",
        "user": "user_message",
        "assistant": "model_response",
        "tool": "tool_result",
    }
    expected = {
        (name, index): [types[message["role"]], *["tool_call"] * len(message.get("tool_calls") or [])]
        for name, transcript in replay.transcripts.items()
        for index, message in enumerate(transcript["messages"])
    }
    assert len(expected) == 2962
    assert made == expected


def test_every_result_has_its_call_as_parent(replay):
    """A tool_result's parent is the latest call with its id in its run, though models repeat ids within a run."""
    calls: dict[tuple[str, str], dict] = {}
    repeated = 0
    for event in replay.events:
        place = (event["run_id"], event.get("tool_call_id", ""))
        if event["event_type"] == "tool_call":
            repeated += place in calls
            calls[place] = event
        elif event["event_type"] == "tool_result":
            assert event["parent_event_id"] == calls[place]["event_id"]
            assert event["tool_name"] == calls[place]["tool_name"]
    assert len(replay.of_type("tool_result")) == len(replay.of_type("tool_call")) == 621
    assert repeated == 40


@pytest.mark.parametrize("category", ["email", "date_of_birth", "street_address", "postal_code"])
def test_no_known_personal_value_is_left(replay, category):
    """None of the known values occurs anywhere, be it from JSON in a string or from free text."""
    assert replay.known[category]
    assert leaks(replay.text, replay.known[category]) == Counter()


def test_no_address_of_another_is_left(replay):
    """Nothing that is shaped like an email address occurs, known or not."""
    assert not re.findall(r"[\w.+-]+@[\w-]+\.\w+", replay.text)


def test_tool_arguments_that_are_not_personal_survive(replay):
    """Arguments are equal to those of the transcript but for personal keys; texts are equal around the masks."""
    for event in replay.of_type("tool_call"):
        (function,) = [
            call["function"] for call in replay.source_of(event)["tool_calls"] if call["id"] == event["tool_call_id"]
        ]
        assert event["tool_name"] == function["name"]
        differences = list(differing(json.loads(function["arguments"]), json.loads(event["payload"]["args"])))
        assert all(key in PERSONAL_KEYS or key in ("thought", "summary") for key, _, _ in differences), differences


def test_nothing_but_masks_differs(replay):
    """Every message is what it was, text for text and value for value, around what was masked."""
    for event in replay.of_messages():
        if event["event_type"] != "tool_call":
            content, stored = replay.source_of(event)["content"], content_of(event)
            assert all(same_around_masks(a, b) for _, a, b in differing(parsed(content), parsed(stored)))


@pytest.mark.parametrize("kind", ["flight numbers", "payment ids", "user ids", "reservation codes"])
def test_ids_survive(replay, kind):
    """Identifiers that are nobody's personal data are all still there."""
    pattern = structure(replay)[kind]

    assert before(replay, pattern) == after(replay, pattern) != Counter()


def test_figures(replay, capsys):
    """The figures of the replay are printed, for whoever looks at a test run."""
    report = "\n".join(figures(replay))

    assert report.startswith("runs                  100 started, 100 ended\n")
    with capsys.disabled():
        sys.stdout.write(f"\n{report}\n")


def leaks(text, values):
    """Count the values in *text*, as whole words: the digits of a postal code may be a part of any id."""
    either = "|".join(re.escape(value.casefold()) for value in values)
    return Counter(re.findall(rf"\b(?:{either})\b", text.casefold()))


DATES = re.compile(
    r"\b(?:[A-Z][a-z]{2,8} \d{1,2}(?:st|nd|rd|th)?,? \d{4}"
    r"|\d{1,2}(?:st|nd|rd|th)? [A-Z][a-z]{2,8} \d{4}"
    r"|\d{1,2}[/.]\d{1,2}[/.]\d{4})\b"
)


def dates_in_words(text, values):
    """Count the usual spellings, in *text*, of dates that are given as year-month-day."""
    forms = set(spelled_out(values))
    return Counter(form for form in DATES.findall(text) if form in forms)


def inside_longer_words(text, values):
    """Count the longer words of which one of the values is a part."""
    part = re.compile("|".join(map(re.escape, values)))
    words = Counter(re.findall(r"\w{6,}", text))
    return Counter({word: count for word, count in words.items() if part.search(word)})


def spelled_out(values):
    """Yield the usual spellings of each date."""
    for value in values:
        date = dt.date.fromisoformat(value)
        month, short, day, year = date.strftime("%B"), date.strftime("%b"), date.day, date.year
        for name in {month, short}:
            for number in {f"{day}", f"{day:02}", f"{day}st", f"{day}nd", f"{day}rd", f"{day}th"}:
                yield from (f"{name} {number}, {year}", f"{name} {number} {year}", f"{number} {name} {year}")
        yield from {f"{date.month}/{day}/{year}", f"{date:%m/%d/%Y}", f"{day}.{date.month}.{year}", f"{date:%d/%m/%Y}"}


def content_of(event):
    """Return what the example logged as the content of a message."""
    field = {"system_instruction": "instruction", "user_message": "message", "model_response": "response"}
    return event["payload"][field.get(event["event_type"], "result")]


def parsed(content):
    try:
        return json.loads(content)
    except (TypeError, ValueError):
        return content


def differing(original, stored, key=""):
    """Yield (key, original, stored) of every leaf that is not the same."""
    if isinstance(original, dict) and isinstance(stored, dict) and original.keys() == stored.keys():
        for name in original:
            yield from differing(original[name], stored[name], name)
    elif isinstance(original, list) and isinstance(stored, list) and len(original) == len(stored):
        for one, other in zip(original, stored, strict=True):
            yield from differing(one, other, key)
    elif original != stored or type(original) is not type(stored):
        yield key, original, stored


def same_around_masks(original, stored):
    pattern = ".+?".join(map(re.escape, MASK.split(str(stored))))
    return re.fullmatch(pattern, str(original), re.DOTALL) is not None


def structure(replay):
    codes = {
        code
        for transcript in replay.transcripts.values()
        for code in re.findall(r'"reservation_id\W+([A-Z0-9]{6})\b', json.dumps(transcript))
    }
    return {**STRUCTURE, "reservation codes": rf"\b(?:{'|'.join(sorted(codes))})\b"}


def before(replay, pattern):
    found = Counter()
    for transcript in replay.transcripts.values():
        for message in transcript["messages"]:
            functions = [call["function"]["arguments"] for call in message.get("tool_calls") or []]
            found.update(re.findall(pattern, "\n".join([message["content"] or "", *functions])))
    return found


def after(replay, pattern):
    found = Counter()
    for event in replay.of_messages():
        text = event["payload"]["args"] if event["event_type"] == "tool_call" else content_of(event)
        found.update(re.findall(pattern, text or ""))
    return found


def figures(replay):
    """Yield the lines of the report."""
    types = Counter(event["event_type"] for event in replay.events)
    yield f"runs                  {types['run_start']} started, {types['run_end']} ended"
    messages = {(event["session_id"], event["metadata"]["message_index"]) for event in replay.of_messages()}
    yield f"messages              {len(messages)}"
    yield f"lines                 {len(replay.events)}, {len(replay.text.encode()) / len(replay.events):.0f} bytes each"
    yield f"event types           {written(types)}"

    source = "\n".join(json.dumps(transcript, ensure_ascii=False) for transcript in replay.transcripts.values())
    for category, values in replay.known.items():
        left = leaks(replay.text, values)
        share = f"{left.total()} of {leaks(source, values).total()} left"
        yield f"  {category:<19} {share}{'' if not left else ': ' + written(left)}"
    there, left = (dates_in_words(text, replay.known["date_of_birth"]).total() for text in (source, replay.text))
    yield f"  birth dates in words {left} of {there} left"
    longer = inside_longer_words(replay.text, replay.known["postal_code"])
    yield f"  postal codes' digits inside longer numbers and ids: {longer.total()} {written(longer)[:200]}"

    redactions = Counter()
    for event in replay.events:
        redactions.update(event.get("redactions", {}))
    yield f"redactions            {written(redactions)}"

    for kind, pattern in structure(replay).items():
        there, left = before(replay, pattern), after(replay, pattern)
        lost = ": lost " + written(there - left) if there - left else ""
        yield f"  {kind:<19} {(there & left).total()} of {there.total()} survive{lost}"

    arguments, kept, masked = Counter(), Counter(), Counter()
    for event in replay.of_type("tool_call"):
        calls = replay.source_of(event)["tool_calls"]
        (original,) = [json.loads(c["function"]["arguments"]) for c in calls if c["id"] == event["tool_call_id"]]
        stored = json.loads(event["payload"]["args"])
        for key in original:
            arguments[key] += 1
            kept[key] += original[key] == stored[key]
        masked.update(key for key, _, _ in differing(original, stored))
    yield f"tool arguments        {kept.total()} of {arguments.total()} unchanged; masks in {written(masked)}"

    free = Counter()
    for event in (*replay.of_type("user_message"), *replay.of_type("model_response")):
        free.update(MASK.findall(content_of(event) or ""))
    yield f"masks in free text    {written(free)}"


def written(counted):
    return ", ".join(f"{name} {count}" for name, count in sorted(counted.items(), key=lambda item: -item[1]))


def test_sealed(replayed):
    """Sealed, the transcripts are one stream, whole from its first event to its last."""
    (events,) = streams_of(read(replayed(sealed=True)))
    assert len(events) > 3_000
    assert events[-1]["seal"]["stream_close"]["sealed"] == len(events)
