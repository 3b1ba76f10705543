"""Agent programs by hypothesis, run for real: what they log, and one fault at a time in what is stored of it."""

from __future__ import annotations

import io
import json
import logging
import uuid

from hypothesis import strategies as st

import agentlogsafe
from agentlogsafe._stream import end_streams

CALLS = {"tool_call": "tool_result", "model_call": "model_response", "retrieval_query": "retrieval_result"}
TOOLS = ("sql", "mail", "pay")

_calls = st.tuples(
    st.just("call"), st.sampled_from(sorted(CALLS)), st.sampled_from(TOOLS), st.sampled_from(["step", "plain", "id"])
)
_others = st.one_of(
    st.tuples(st.just("event"), st.sampled_from(["user_message", "decision", "custom", "error"])),
    st.tuples(st.just("approval"), st.booleans(), st.sampled_from(["step", "plain"])),
    st.tuples(st.just("check"), st.booleans()),
)
_leaves = st.lists(st.one_of(_calls, _others), max_size=6)
_blocks = st.one_of(
    st.tuples(st.just("inside"), st.sampled_from(sorted(CALLS)), st.sampled_from(TOOLS), _leaves),
    st.tuples(st.just("run"), _leaves),
)
programs = st.lists(st.lists(st.one_of(_calls, _others, _blocks), max_size=8), min_size=1, max_size=4)
"""A list of runs; each a list of what happens in it."""


def stored(program, **settings):
    """Run *program* and return the events it logged, as stored."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(agentlogsafe.AuditFormatter(workflow_name="test", **settings))
    log = logging.Logger("program", logging.INFO)  # noqa: LOG001 -- of its own, so that examples do not share handlers
    log.addHandler(handler)
    for number, actions in enumerate(program):
        with agentlogsafe.run(f"agent-{number}", logger=log):
            _act(log, actions)
    end_streams()
    handler.close()
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def _act(log, actions):
    for number, (what, *about) in enumerate(actions):
        if what == "run":
            with agentlogsafe.run("inner", logger=log):
                _act(log, about[0])
        elif what == "inside":
            # What is denied inside of a tool call must not have the call succeed.
            actions = [
                one for one in about[2] if about[0] != "tool_call" or one[0] not in ("check", "approval") or one[1]
            ]
            with agentlogsafe.step(about[0], tool_name=about[1]):
                _act(log, actions)
        elif what == "call":
            _call(log, *about, number)
        elif what == "event":
            log.info(about[0], {"text": "x"})
        elif what == "check":
            log.info("policy_check", {"policy_name": "limit", "status": "allowed" if about[0] else "denied"})
        elif about[1] == "step":
            with agentlogsafe.step("human_approval") as asked:
                asked.approve() if about[0] else asked.reject()
        else:
            log.info("human_approval", {"status": "requested"})
            log.info("human_approval", {"status": "approved" if about[0] else "rejected"})


def _call(log, kind, tool, how, number):
    if how == "step":
        with agentlogsafe.step(kind, tool_name=tool) as call:
            call.result("y")
        return
    link = {"tool_call_id": f"call_{number}"} if how == "id" else {}
    log.info(kind, {"tool_name": tool, **link})
    log.info(CALLS[kind], {"tool_name": tool, **link})


def _at(events, test):
    return [number for number, event in enumerate(events) if test(event)]


def _dropped(types):
    def fault(events, draw):
        found = _at(events, lambda event: event["event_type"] in types)
        if not found:
            return None
        gone = events.pop(draw(st.sampled_from(found)))
        return gone["run_id"]

    return fault


def _unanswered_approval(events, draw):
    found = _at(
        events,
        lambda event: event["event_type"] == "human_approval" and event["status"] in ("approved", "rejected"),
    )
    return events.pop(draw(st.sampled_from(found)))["run_id"] if found else None


def _executed(events, draw):
    """Deny a call that was made: by its id, inside of it, or by the tool's name before it."""
    # What was asked and allowed inside of a call lifts a denial before it.
    asked = {event["parent_event_id"] for event in events if event["event_type"] in ("human_approval", "policy_check")}
    found = _at(events, lambda event: event["event_type"] == "tool_call" and event["event_id"] not in asked)
    if not found:
        return None
    at = draw(st.sampled_from(found))
    call = events[at]
    # Inside of a call of the same tool, a denial by name is about that one, and what is allowed later in it lifts it.
    around = {event["event_id"]: event.get("tool_name") for event in events if event["event_type"] == "tool_call"}
    links = ["name"] if around.get(call["parent_event_id"]) != call["tool_name"] else []
    links += [*(["id"] if "tool_call_id" in call else []), *(["inside"] if _ends(events, at) else [])]
    if not links:
        return None
    link = draw(st.sampled_from(links))
    denial = {key: value for key, value in call.items() if key != "tool_call_id"}
    denial["event_type"] = draw(st.sampled_from(["policy_check", "human_approval"]))
    denial["status"] = draw(st.sampled_from(["denied", "rejected", "blocked"]))
    denial["event_id"] = str(uuid.uuid4())
    if link != "name":
        denial["tool_name"] = None
    if link == "id":
        denial["tool_call_id"] = call["tool_call_id"]
    if link == "inside":
        denial["parent_event_id"] = call["event_id"]
    events.insert(at + 1 if link == "inside" else at, denial)
    return call["run_id"]


def _ends(events, at):
    """Return whether the result of a call names it as its parent."""
    call = events[at]
    of_call = [event for event in events[at:] if event["parent_event_id"] == call["event_id"]]
    return any(event["event_type"] == "tool_result" and event["status"] == "success" for event in of_call)


def _orphan(events, draw):
    quiet = ("user_message", "decision", "custom", "error")
    found = _at(events, lambda event: event["event_type"] in quiet and event["parent_event_id"])
    if not found:
        return None
    event = events[draw(st.sampled_from(found))]
    event["parent_event_id"] = str(uuid.uuid4())
    return event["run_id"]


def _twice(events, draw):
    at = draw(st.integers(0, len(events) - 1))
    again = dict(events[at])
    if draw(st.booleans()):
        again["session_id"] = "other"
    events.insert(draw(st.integers(at + 1, len(events))), again)
    return again["run_id"]


def _nobody(events, draw):
    found = _at(events, lambda event: event["event_type"] in ("user_message", "decision"))
    if not found:
        return None
    event = events[draw(st.sampled_from(found))]
    event.update(agent_name=None, workflow_name=None, run_id=None, parent_event_id=None)
    return ""


FAULTS = {
    "run_unended": _dropped(["run_end"]),
    "run_unstarted": _dropped(["run_start"]),
    "call_unanswered": _dropped(list(CALLS.values())),
    "approval_pending": _unanswered_approval,
    "denied_but_executed": _executed,
    "orphan_parent": _orphan,
    "duplicate_event": _twice,
    "unattributed": _nobody,
}
"""What changes a list of events in place and returns the run it happened to; None where there is nothing to change."""
