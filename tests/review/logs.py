"""Sealed logs as the library writes them, and what log pipelines make of their lines."""

from __future__ import annotations

import base64
import itertools
import json
import logging
import random
from contextlib import suppress
from datetime import datetime, timezone

import orjson

import agentlogsafe

MASTER = b"a first key of 32 bytes, invented"
OTHER = b"another key of 32 bytes, invented"
_number = itertools.count()
_WORDS = (
    "refund",
    "order",
    "größe",
    "naïve",
    "日本",
    "\U0001f600",
    'a "quote"',
    "back\\slash",
    "tab\there",
    "{brace}",
    "",
)


class Kept(logging.Handler):
    """Keeps the lines it is given."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(self.format(record).encode() + b"\n")


def value(rng, depth=0):
    """Return something that a log call may bring."""
    kind = rng.randrange(9 if depth < 2 else 6)
    if kind == 0:
        return rng.choice(_WORDS)
    if kind == 1:
        return rng.choice((0, 1, -7, 2**40, 123456))
    if kind == 2:
        return rng.choice((0.5, 1.0, 1e-7, 1e21, -0.001, 12.25, 1e16))
    if kind == 3:
        return rng.choice((True, False))
    if kind == 4:
        return None
    if kind == 5:
        return " ".join(rng.choices(_WORDS, k=rng.randrange(1, 9)))
    if kind == 6:
        return [value(rng, depth + 1) for _ in range(rng.randrange(4))]
    return {rng.choice(_WORDS[:6]) + str(n): value(rng, depth + 1) for n in range(rng.randrange(4))}


def sealed(rng, *, keyed=False, runs=None, checkpoints=None, signing=None):
    """Return the lines of a stream of its own: whole runs, from its first event to its last."""
    kept = Kept()
    seal = {"key": lambda: MASTER} if keyed else "chain"
    if checkpoints is not None:
        seal = {"checkpoint_every": 3, "checkpoint_to": checkpoints, **(seal if keyed else {})}
        if signing is not None:
            seal["signing_key"] = signing
    handler = agentlogsafe.AuditHandler(
        target=kept, agent_name="agent", workflow_name="flow", seal=seal, metadata={"case": next(_number)}
    )
    logger = logging.Logger("logs", logging.INFO)  # noqa: LOG001 -- nobody else finds it
    logger.addHandler(handler)
    for _ in range(runs or rng.randrange(2, 5)):
        with suppress(ValueError), agentlogsafe.run(logger=logger, input=value(rng)):
            for n in range(rng.randrange(1, 4)):
                with agentlogsafe.step("tool_call", tool_name="sql", args={"of": value(rng), "n": n}) as call:
                    call.result({"rows": [value(rng), n, "x"]})
                if rng.random() < 0.1:
                    raise ValueError
    handler.close()
    return kept.lines


def _now(rng):
    return datetime.fromtimestamp(1_790_000_000 + rng.random() * 1e6, timezone.utc)


def docker(rng, lines, size=16_384):
    """As the json-file driver writes them, long ones in parts."""
    made = []
    for line in lines:
        text = line.decode()
        cut = [text[at : at + size] for at in range(0, len(text), size)]
        made += [{"log": part, "stream": "stdout", "time": f"{_now(rng):%Y-%m-%dT%H:%M:%S.%f}789Z"} for part in cut]
    return [orjson.dumps(row) + b"\n" for row in made]


def cri(rng, lines, size=None):
    """As Kubernetes writes them, long ones in parts, between lines of the other output."""
    made = []
    size = size or rng.choice((200, 700, 16_384))
    for line in lines:
        text = line.rstrip(b"\n")
        cut = [text[at : at + size] for at in range(0, len(text), size)]
        for place, part in enumerate(cut):
            tag = b"F" if place == len(cut) - 1 else b"P"
            made.append(f"{_now(rng):%Y-%m-%dT%H:%M:%S.%f}789Z stdout ".encode() + tag + b" " + part + b"\n")
            if rng.random() < 0.1:
                made.append(f"{_now(rng):%Y-%m-%dT%H:%M:%S.%f}789Z stderr F something else\n".encode())
    return made


def rfc_3164(rng, lines):
    return [
        f"{_now(rng):%b} {_now(rng).day:2d} {_now(rng):%H:%M:%S} host agent[12]: ".encode() + line for line in lines
    ]


def rfc_3164_raw(rng, lines):
    return [
        f"<14>{_now(rng):%b} {_now(rng).day:2d} {_now(rng):%H:%M:%S} host agent: ".encode() + line for line in lines
    ]


def rfc_5424(rng, lines):
    head = f'<14>1 {_now(rng):%Y-%m-%dT%H:%M:%S.%fZ} host agent 12 - [meta@1 of="{{x}}"] '.encode()
    return [head + rng.choice((b"", b"\xef\xbb\xbf")) + line for line in lines]


def rsyslog(rng, lines):
    return [
        f"{_now(rng).isoformat()} host agent[12]: ".encode() + rng.choice((b"", b"@cee: ")) + line for line in lines
    ]


def journald(rng, lines):
    """As ``journalctl --all -o json`` writes them: as text, or as bytes where it is not printable."""
    made = []
    for line in lines:
        text = line.rstrip(b"\n")
        message = text.decode() if rng.random() < 0.7 else list(text)
        row = {"__CURSOR": "s=1", "_PID": "12", "MESSAGE": message, "PRIORITY": "6", "_HOSTNAME": "host"}
        made.append(orjson.dumps(row) + b"\n")
    return made


_KUBERNETES = {"pod_name": "agent-1", "labels": {"app": "x"}}


def fluent_text(rng, lines):
    name = rng.choice(("log", "message"))
    return [
        orjson.dumps({"date": 1.5, name: line.decode().rstrip("\n"), "kubernetes": _KUBERNETES}) + b"\n"
        for line in lines
    ]


def fluent_object(rng, lines):
    name = rng.choice(("log", "message", "log_processed"))
    return [orjson.dumps({"date": 1.5, "kubernetes": _KUBERNETES, name: orjson.loads(line)}) + b"\n" for line in lines]


def fluent_beside(_, lines):
    return [orjson.dumps({"date": 1.5, **orjson.loads(line), "kubernetes": _KUBERNETES}) + b"\n" for line in lines]


def without_nulls(rng, lines):
    """As a shipper leaves them that reads JSON and writes it in an order of its own, with spaces."""
    made = []
    for line in lines:
        fields = [item for item in orjson.loads(line).items() if item[1] is not None]
        rng.shuffle(fields)
        made.append(json.dumps(dict(fields)).encode() + b"\n")
    return made


def prefixed(rng, lines):
    return [f"{_now(rng):%Y-%m-%d %H:%M:%S},123 INFO agent: ".encode() + line for line in lines]


def crlf(_, lines):
    return [line.rstrip(b"\n") + b"\r\n" for line in lines]


def mixed(rng, lines):
    """Between lines of others."""
    made = []
    for line in lines:
        if rng.random() < 0.3:
            made.append(
                rng.choice((b"\n", b"GET / 200\n", b'{"event":"started"}\n', b"{oops\n", b"\xff\xfe\n", b"[1]\n"))
            )
        made.append(line)
    return made


def docker_short(rng, lines):
    return docker(rng, lines, 333)


def forwarded(rng, lines):
    """Docker's lines as a syslog daemon forwards them."""
    return rsyslog(rng, docker(rng, lines, 10**6))


WRAPPINGS = {
    "native": lambda _, lines: lines,
    **{
        function.__name__: function
        for function in (
            docker,
            docker_short,
            cri,
            rfc_3164,
            rfc_3164_raw,
            rfc_5424,
            rsyslog,
            journald,
            fluent_text,
            fluent_object,
            fluent_beside,
            without_nulls,
            prefixed,
            crlf,
            mixed,
            forwarded,
        )
    },
}


def public_key(private):
    """Return a public key as the command takes it."""
    return base64.b64encode(private.public_key().public_bytes_raw())


def rng(seed):
    return random.Random(seed)
