"""Tampering with sealed logs, class by class: is each case found, and under its right name?

    python -m tests.review.tamper --cases 1000

Each case is a log of its own with random content, written by the library; many are checked in one call.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import orjson
from cryptography.hazmat.primitives.asymmetric import ed25519

from agentlogsafe import seal
from agentlogsafe.review.check import Review
from tests.review import logs


class Tampered(NamedTuple):
    """What a class of tampering makes of a log."""

    lines: list[bytes]
    names: set[str]
    """One of these has to be found,"""
    also: frozenset[str] | set[str] = frozenset()
    """and nothing but these besides."""
    streams: frozenset[str] | set[str] = frozenset()
    checkpoints: list[bytes] | tuple[()] = ()


def _load(lines):
    return [orjson.loads(line) for line in lines]


def _dump(events):
    return [orjson.dumps(event) + b"\n" for event in events]


def _places(value, path=()):
    """Yield the path of every value in an event that its seal covers, and that is there."""
    if isinstance(value, dict):
        for name, item in value.items():
            if (path or name != "seal") and item is not None:
                yield (*path, name)
                yield from _places(item, (*path, name))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield (*path, place)
            yield from _places(item, (*path, place))


def _at(event, path):
    for step in path:
        event = event[step]
    return event


def _one_place(rng, lines, fits):
    """Return the events, and the holder and name of a random value for which *fits* is true."""
    events = _load(lines)
    while True:
        event = rng.choice(events)
        paths = [path for path in _places(event) if fits(_at(event, path), path)]
        if paths:
            path = rng.choice(paths)
            return events, _at(event, path[:-1]), path[-1]


def change_value(rng, lines):
    events, holder, name = _one_place(rng, lines, lambda value, _: not isinstance(value, (dict, list)))
    old = holder[name]
    while holder[name] == old and type(holder[name]) is type(old):
        holder[name] = rng.choice(("x", "", 5, 2.5, True, False, None, f"{old} ", f"{old}"[:-1], ["y"]))
    return Tampered(_dump(events), {"modified"})


def change_one_character(rng, lines):
    events, holder, name = _one_place(rng, lines, lambda value, _: isinstance(value, str) and value != "")
    place = rng.randrange(len(holder[name]))
    old = holder[name]
    holder[name] = old[:place] + chr(ord(old[place]) ^ 1) + old[place + 1 :]
    return Tampered(_dump(events), {"modified"})


def change_key(rng, lines):
    events, holder, name = _one_place(rng, lines, lambda _, path: isinstance(path[-1], str))
    new = rng.choice((name + "x", name[:-1], name.upper() + "_", "x"))
    items = [(new if key == name else key, value) for key, value in holder.items() if key != new]
    holder.clear()
    holder.update(items)
    return Tampered(_dump(events), {"modified"})


def remove_key(rng, lines):
    events, holder, name = _one_place(rng, lines, lambda _, path: isinstance(path[-1], str))
    del holder[name]
    return Tampered(_dump(events), {"modified"})


def change_type(rng, lines):
    events, holder, name = _one_place(rng, lines, lambda *_: True)
    old = holder[name]
    kinds = [str(old), [old], {"value": old}, 1, 1.5, True]
    holder[name] = rng.choice([new for new in kinds if type(new) is not type(old) and new != old])
    return Tampered(_dump(events), {"modified"})


def change_order_of_items(rng, lines):
    def fits(value, _):
        return isinstance(value, list) and len(value) > 1 and orjson.dumps(value) != orjson.dumps(value[::-1])

    events, holder, name = _one_place(rng, lines, fits)
    holder[name] = holder[name][::-1]
    return Tampered(_dump(events), {"modified"})


def name_twice(rng, lines):
    lines = list(lines)
    place = rng.randrange(len(lines))
    event = orjson.loads(lines[place])
    name = rng.choice([name for name in event if name != "seal"])
    text = b'"%s":%s' % (name.encode(), orjson.dumps(rng.choice(("x", None, 1))))
    line = lines[place]
    lines[place] = b"{%s,%s" % (text, line[1:]) if rng.random() < 0.5 else b"%s,%s}\n" % (line[:-2], text)
    return Tampered(lines, {"modified"})


def change_seal(rng, lines):
    events = _load(lines)
    event = rng.choice(events)
    name = rng.choice([name for name in event["seal"] if name not in ("stream_open", "stream_close")])
    old = event["seal"][name]
    event["seal"][name] = old + rng.choice((1, 5, 100)) if name == "seq" else old[:5] + chr(ord(old[5]) ^ 1) + old[6:]
    also = {"gap", "duplicate", "reordered", "truncated", "open_ended", "after_end", "unknown_key"}
    return Tampered(_dump(events), {"modified", *(["unknown_key"] if name in ("key", "stream") else [])}, also)


def drop(rng, lines):
    place = rng.randrange(1, len(lines) - 1)
    return Tampered(lines[:place] + lines[place + 1 :], {"gap"})


def insert(rng, lines):
    """An event made up: without a seal, with the seal of another, or behind the end."""
    events = _load(lines)
    made = orjson.loads(rng.choice(lines))
    made["payload"] = {"result": "made up"}
    made["event_id"] = made["event_id"][:-1] + ("0" if made["event_id"][-1] != "0" else "1")
    how = rng.randrange(3)
    names, also = {"modified"}, {"duplicate", "reordered"}
    if how == 0:
        del made["seal"]
        names, also = {"unknown_key"}, set()
    elif how == 1:
        made["seal"].pop("stream_close", None)
        made["seal"]["seq"] = len(events) + 1
        made["seal"]["prev"] = events[-1]["seal"]["hash"]
        also = {"after_end", "reordered", "unknown_key"}
    place = rng.randrange(len(events) + 1)
    return Tampered(_dump([*events[:place], made, *events[place:]]), names, also)


def repeat(rng, lines):
    place, to = rng.randrange(len(lines)), rng.randrange(len(lines) + 1)
    return Tampered([*lines[:to], lines[place], *lines[to:]], {"duplicate"}, {"reordered"} if to <= place else set())


def swap(rng, lines):
    lines = list(lines)
    one, two = rng.sample(range(len(lines)), 2)
    lines[one], lines[two] = lines[two], lines[one]
    return Tampered(lines, {"reordered"})


def cut_head(rng, lines):
    return Tampered(lines[rng.randrange(1, len(lines)) :], {"truncated"})


def cut_middle(rng, lines):
    start, end = sorted(rng.sample(range(1, len(lines)), 2))
    return Tampered(lines[:start] + lines[end:], {"gap"})


def cut_tail(rng, lines):
    return Tampered(lines[: rng.randrange(1, len(lines))], {"open_ended"})


def graft(rng, lines):
    """Events of another stream, in the place of some, with their place in this stream written into their seals."""
    keyed = "key" in orjson.loads(lines[0])["seal"]
    mine, theirs = _load(lines), _load(logs.sealed(rng, keyed=keyed))
    place = rng.randrange(1, min(len(mine), len(theirs)) - 1)
    for at in range(place, min(place + rng.randrange(1, 4), len(mine) - 1, len(theirs) - 1)):
        own = mine[at]["seal"]
        mine[at] = {**theirs[at], "seal": {**theirs[at]["seal"], "stream": own["stream"], "prev": own["prev"]}}
    return Tampered(_dump(mine), {"modified"})


def graft_piece(rng, lines):
    """Lines of another stream as they are, in the place of some."""
    keyed = "key" in orjson.loads(lines[0])["seal"]
    theirs = logs.sealed(rng, keyed=keyed)
    stream = orjson.loads(theirs[0])["seal"]["stream"]
    place = rng.randrange(1, len(lines) - 1)
    count = rng.randrange(1, min(4, len(lines) - place, len(theirs) - 1))
    start = rng.randrange(1, len(theirs) - count)
    made = lines[:place] + theirs[start : start + count] + lines[place + count :]
    return Tampered(made, {"gap", "truncated"}, {"truncated", "open_ended", "gap"}, {stream})


def replay(rng, lines):
    """An old file, or a part of it, once more."""
    start = rng.randrange(len(lines))
    return Tampered([*lines, *lines[start:]], {"duplicate"})


def _resealed(events, start, master=None, *, keyless=False):
    """Seal *events* anew from *start* on, as who has not the right key can."""
    stream = events[0]["seal"]["stream"]
    key = seal.stream_key(master, stream) if master else None
    prev = None
    for place, event in enumerate(events):
        if place >= start:
            if keyless:
                event["seal"].pop("key", None)
            if prev is not None:
                event["seal"]["prev"] = prev
            event["seal"]["hash"] = seal.event_hash(event, key)
        prev = event["seal"]["hash"]
        key = seal.next_key(key) if key else None
    return events


def _edited(rng, lines):
    events = _load(lines)
    place = rng.randrange(len(events))
    events[place]["payload"] = {"result": "another"}
    return events, place


def forge_wrong_key(rng, lines):
    events, place = _edited(rng, lines)
    return Tampered(_dump(_resealed(events, place, logs.OTHER)), {"modified"})


def rechain_named_key(rng, lines):
    events, place = _edited(rng, lines)
    return Tampered(_dump(_resealed(events, place)), {"modified"})


def rechain_part_without_key(rng, lines):
    events, place = _edited(rng, lines)
    names = {"modified"} if place else {"unknown_key"}
    return Tampered(_dump(_resealed(events, place, keyless=True)), names)


def rechain_all_without_key(rng, lines):
    events, _ = _edited(rng, lines)
    return Tampered(_dump(_resealed(events, 0, keyless=True)), {"unknown_key"})


def rechain_against_checkpoints(rng, lines, checkpoints):
    events, place = _edited(rng, lines)
    kept = max(row["seq"] for row in map(orjson.loads, checkpoints))
    return Tampered(_dump(_resealed(events, min(place, kept - 1))), {"modified"}, checkpoints=checkpoints)


def cut_tail_against_checkpoints(rng, lines, checkpoints):
    return Tampered(lines[: rng.randrange(1, len(lines))], {"truncated"}, checkpoints=checkpoints)


def remove_stream_against_checkpoints(_, lines, checkpoints):
    return Tampered([], {"truncated"}, streams={orjson.loads(lines[0])["seal"]["stream"]}, checkpoints=checkpoints)


def forge_checkpoint(rng, lines, checkpoints):
    rows = _load(checkpoints)
    row = rng.choice(rows)
    row[rng.choice(("hash", "stream", "time"))] = "0" * 64
    return Tampered(lines, {"modified"}, checkpoints=_dump(rows))


def wrong_signer(_, lines, checkpoints):
    other = ed25519.Ed25519PrivateKey.generate()
    rows = [{name: row[name] for name in row if name not in ("signer", "signature")} for row in _load(checkpoints)]
    return Tampered(lines, {"unknown_key"}, checkpoints=_dump([seal.sign(row, other) for row in rows]))


BOTH = (
    change_value, change_one_character, change_key, remove_key, change_type, change_order_of_items, name_twice,
    change_seal, drop, insert, repeat, swap, cut_head, cut_middle, cut_tail, graft, graft_piece, replay,
)  # fmt: skip
KEYED = (forge_wrong_key, rechain_named_key, rechain_part_without_key, rechain_all_without_key)
CHECKPOINTED = (
    rechain_against_checkpoints, cut_tail_against_checkpoints, remove_stream_against_checkpoints, forge_checkpoint,
    wrong_signer,
)  # fmt: skip
CLASSES = {function.__name__: function for function in (*BOTH, *KEYED, *CHECKPOINTED)}


def outcome(name, seeds, folder):
    """Return, of each seed, whether its case of tampering is found (True), and else what was found instead."""
    function = CLASSES[name]
    signing = ed25519.Ed25519PrivateKey.generate()
    cases = []
    for number, seed in enumerate(seeds):
        rng = logs.rng(seed)
        keyed = function in KEYED or (function in BOTH and seed % 2 == 1)
        path = folder / f"{number}.log"
        if function in CHECKPOINTED:
            kept = folder / f"{number}.kept"
            lines = logs.sealed(rng, checkpoints=str(kept), signing=signing.private_bytes_raw)
            case = function(rng, lines, kept.read_bytes().splitlines(keepends=True))
            kept.unlink()
        else:
            lines = logs.sealed(rng, keyed=keyed)
            case = function(rng, lines)
        stream = orjson.loads(lines[0])["seal"]["stream"]
        path.write_bytes(b"".join(case.lines) or b"\n")
        cases.append((path, keyed, {stream, *case.streams}, case))
    found = {str(path): Counter() for path, *_ in cases}
    by_stream = {stream: str(path) for path, _, streams, _ in cases for stream in streams}
    for want_keyed in (False, True):
        paths = [path for path, keyed, *_ in cases if keyed is want_keyed]
        if not paths:
            continue
        kept = folder / "all.kept"
        kept.write_bytes(b"".join(line for *_, case in cases for line in case.checkpoints))
        owner = [str(path) for path, *_, case in cases for _ in case.checkpoints]
        with Review.load(
            paths,
            keys=[logs.MASTER] if want_keyed else [],
            checkpoints=[kept] if owner else [],
            public_keys=[logs.public_key(signing)] if owner else [],
        ) as review:
            for finding in review.findings("integrity"):
                if finding.file in found:
                    place = finding.file
                elif finding.file == str(kept):
                    place = owner[finding.line - 1]
                    if finding.affected and finding.affected > 1:  # of one signer
                        for at in set(owner[finding.line - 1 :]):
                            found[at][finding.kind] += at != place
                else:
                    place = by_stream[finding.stream]
                found[place][finding.kind] += 1
    outcomes = []
    for path, _, _, case in cases:
        kinds = {kind for kind, count in found[str(path)].items() if count}
        fits = bool(kinds & case.names) and kinds <= case.names | case.also
        outcomes.append(True if fits else f"{sorted(kinds)}, expected {sorted(case.names)}")
    return outcomes


def clean(name, seeds, folder):
    """Return the findings of untouched logs in one wrapping."""
    paths = []
    for number, seed in enumerate(seeds):
        rng = logs.rng(seed)
        path = folder / f"{number}.log"
        path.write_bytes(b"".join(logs.WRAPPINGS[name](rng, logs.sealed(rng, keyed=seed % 2 == 1))))
        paths.append((path, seed % 2 == 1))
    found = []
    for keyed in (False, True):
        mine = [path for path, its in paths if its is keyed]
        if mine:
            with Review.load(mine, keys=[logs.MASTER] if keyed else []) as review:
                found += review.findings()
    return found


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    missed = 0
    print(f"{'tampering':36} {'cases':>6} {'found, by name':>15} {'seconds':>8}")
    for name in CLASSES:
        began, right, wrong = time.perf_counter(), 0, Counter()
        for start in range(0, arguments.cases, 100):
            seeds = range(arguments.seed + start, arguments.seed + min(start + 100, arguments.cases))
            with tempfile.TemporaryDirectory() as folder:
                for seed, of in zip(seeds, outcome(name, seeds, Path(folder)), strict=True):
                    right += of is True
                    if of is not True:
                        wrong[of] += 1
                        wrong[f"  such as seed {seed}"] += len(wrong) == 1
        missed += arguments.cases - right
        print(f"{name:36} {arguments.cases:6} {right:15} {time.perf_counter() - began:8.1f}", flush=True)
        for of, count in wrong.items():
            print(f"    {count} {of}")
    each = -(-arguments.cases // len(logs.WRAPPINGS))
    began, dirty = time.perf_counter(), 0
    for name in logs.WRAPPINGS:
        with tempfile.TemporaryDirectory() as folder:
            found = clean(name, range(each), Path(folder))
            dirty += len(found)
            for finding in found[:3]:
                print(f"    untouched, {name}: {finding}")
    print(f"untouched: {each * len(logs.WRAPPINGS)} logs in {len(logs.WRAPPINGS)} wrappings, {dirty} findings, "
          f"{time.perf_counter() - began:.1f} s")  # fmt: skip
    sys.exit(bool(missed or dirty))


if __name__ == "__main__":
    main()
