"""What a policy does to a user's own samples, field by field."""

from __future__ import annotations

import pytest

from agentlogsafe.errors import ConfigurationError
from agentlogsafe.policy_check import explain, leaks
from agentlogsafe.testing import policy_check  # noqa: F401 -- the fixture

SAMPLE = {
    "args": {"email": "jane@example.com", "password": "hunter2", "limit": 10, "note": "write to jane@example.com"},
    "rows": [{"iban": "GB82WEST12345698765432"}, {"total": 1.5}],
    "prompt": "why",
    "empty": {},
}


def outcomes(policy, **options):
    return {field.path: (field.outcome, field.rule) for field in explain(policy, SAMPLE, **options)}


def test_kept_and_redacted():
    """Each field is kept or redacted, by its key or by a detector."""
    found = outcomes(None)

    assert found["args.limit"] == ("kept", "")
    assert found["rows[].total"] == ("kept", "")
    assert found["args.note"] == ("redacted", "detector EMAIL")
    assert found["args.password"] == ("redacted", "key 'password': PASSWORD")
    assert found["rows[].iban"][0] == "redacted"
    assert found["empty"] == ("kept", "")


@pytest.mark.parametrize(("mode", "outcome"), [("digest", "digested"), ("omit", "omitted")])
def test_minimized(mode, outcome):
    """Content that a rule minimizes is said to be, by which rule, for the types it applies to."""
    policy = {"name": "mine", "content": [{"fields": ["prompt"], "mode": mode, "events": ["model_call"]}]}

    assert outcomes(policy, event_type="model_call")["prompt"] == (outcome, f"content rule {mode!r}")
    assert outcomes(policy)["prompt"] == ("kept", "")


def test_forbidden():
    """A forbidden field that is kept is a leak; one that is redacted is not."""
    fields = explain(None, SAMPLE)

    assert [field.path for field in leaks(fields, ["limit"])] == ["args.limit"]
    assert [field.path for field in leaks(fields, ["args.*"])] == ["args.limit"]
    assert [field.path for field in leaks(fields, ["rows"])] == ["rows[].total"]
    assert leaks(fields, ["password", "args.note", "no_such"]) == []


def test_fixture(policy_check):  # noqa: F811
    """The fixture fails a test whose samples leak, and names the fields, not their values."""
    policy_check(None, SAMPLE, forbidden=["password"])
    with pytest.raises(pytest.fail.Exception, match=r"args\.limit") as raised:
        policy_check(None, SAMPLE, forbidden=["password", "limit"])
    assert "10" not in str(raised.value)


def test_wrong_policy():
    """A policy that is none raises."""
    with pytest.raises(ConfigurationError):
        explain({"nmae": "x"}, SAMPLE)
