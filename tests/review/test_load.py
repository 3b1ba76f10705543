"""How files become tables: in this process or by others, whole or in parts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

import duckdb
import orjson
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from agentlogsafe import cli, seal
from agentlogsafe.errors import ConfigurationError
from agentlogsafe.review import crew, keyring, load, sources, whole
from agentlogsafe.review.check import Review
from agentlogsafe.review.columns import Columns
from agentlogsafe.review.sources import Source, UnusableError
from tests.review import logs, tamper


def asked(paths, **settings_):
    with Review.load(paths, **settings_) as review:
        return review.findings(), review.summary("runs"), review.events(), review.sources()


def test_processes_read_what_one_reads(tmp_path, monkeypatch):
    """Several processes return what this one returns, row for row."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    for number, function in enumerate((*tamper.BOTH, *tamper.KEYED)):
        rng = logs.rng(number)
        lines = function(rng, logs.sealed(rng, keyed=number % 2 == 1 or function in tamper.KEYED)).lines
        with (tmp_path / f"{number % 4}.log").open("ab") as file:
            file.write(b"".join(lines))
    (tmp_path / "partial.log").write_bytes(b"".join(logs.sealed(logs.rng(0)))[:-300])

    here = asked([tmp_path], keys=[logs.MASTER], workers=0)

    assert asked([tmp_path], keys=[logs.MASTER], workers=2) == here
    assert here[0]


@given(seed=st.integers(0, 2**32), name=st.sampled_from(sorted(logs.WRAPPINGS)), size=st.integers(200, 9_000))
@settings(max_examples=60, deadline=None)
def test_parts_are_the_whole(tmp_path_factory, seed, name, size):
    """Wherever a file is cut into parts, they have its events, under the same lines."""
    rng = logs.rng(seed)
    path = tmp_path_factory.mktemp("parts") / "log"
    path.write_bytes(b"".join(logs.WRAPPINGS[name](rng, logs.sealed(rng))))
    (source,) = sources.find([path])
    parts = sources.parts(source, size)

    found, before = [], 0
    for part in parts:
        tally = [0]
        found += [line._replace(number=line.number + before) for line in sources.lines(part, tally)]
        before += tally[0]

    (whole,) = sources.parts(source)
    assert found == list(sources.lines(whole))


@pytest.mark.parametrize("short", [0, whole.SHORT])
def test_forked_child_in_another_part(tmp_path, monkeypatch, short):
    """A child's keys are found, though its first event, which names the parent, is read after its others."""
    monkeypatch.setattr(whole, "SHORT", short)  # both ways of reading
    parent, child = "01a20a35-80c3-77cb-8864-82b6ba513b8a", "01a20a35-80c3-77cb-8864-82b6ba513b8b"
    template = orjson.loads(logs.sealed(logs.rng(1))[1])

    def sealed(stream, first_key, begun):
        key, prev, made = first_key, None, []
        for seq in range(1, 6):
            own = {"stream": stream, "seq": seq, "key": seal.key_id(logs.MASTER)}
            own |= {"stream_open": begun} if seq == 1 else {"prev": prev}
            own |= {"stream_close": {"sealed": seq}} if seq == 5 else {}
            event = {**template, "event_id": f"{stream[:-2]}{seq:02}", "seal": own}
            own["hash"] = prev = seal.event_hash(event, key)
            made.append(event)
            key = seal.next_key(key)
        return made, key

    before, after = sealed(parent, seal.stream_key(logs.MASTER, parent), {})
    names = {"parent": {"stream": parent, "seq": 5, "hash": before[-1]["seal"]["hash"]}}
    events, _ = sealed(child, seal.fork_key(after, child), names)
    (tmp_path / "1.log").write_bytes(b"".join(tamper._dump(events[1:])))
    (tmp_path / "2.log").write_bytes(b"".join(tamper._dump(events[:1] + before)))

    for workers in (0, 2):
        with Review.load([tmp_path], keys=[logs.MASTER], workers=workers) as review:
            assert review.findings("integrity") == []


@given(seqs=st.lists(st.integers(1, 5_000), min_size=1, max_size=50))
@settings(deadline=None, max_examples=30)
def test_keys_in_any_order(seqs):
    """The key of an event is found, in whatever order events come."""
    ring = keyring.Keyring([logs.MASTER])
    name = seal.key_id(logs.MASTER)
    keys = [seal.stream_key(logs.MASTER, "s")]
    for _ in range(max(seqs)):
        keys.append(seal.next_key(keys[-1]))

    assert [ring.key(name, "s", seq) for seq in seqs] == [keys[seq - 1] for seq in seqs]


def test_seq_out_of_reach():
    """A made-up seq does not make the check count to it; a circle of parents ends."""
    ring = keyring.Keyring([logs.MASTER], {"a": ("b", 1), "b": ("a", 1)})
    name = seal.key_id(logs.MASTER)

    assert ring.key(name, "s", 2**62) is None
    assert ring.key(name, "a", 1) is None
    assert ring.key(name, "s", 1) is not None


def test_each_file_once(tmp_path):
    """A file that is named twice is read once; hidden files in a folder are not."""
    (tmp_path / "log").write_bytes(b"".join(logs.sealed(logs.rng(1))))
    (tmp_path / ".hidden").write_bytes(b"x")
    (tmp_path / "link").symlink_to(tmp_path / "log")

    assert len(sources.find([tmp_path, tmp_path / "log", str(tmp_path / "l*")])) == 1


def test_urls(tmp_path):
    """A URL is read as what it names; below a folder, what is hidden is not."""
    lines = logs.sealed(logs.rng(1))
    (tmp_path / "a b.log").write_bytes(b"".join(lines))
    (tmp_path / "_SUCCESS").write_bytes(b"x")

    for url in (f"file://{tmp_path}", f"file://{tmp_path}/a%20b.log"):
        (source,) = sources.find([url])
        assert source.name == f"file://{tmp_path}/a b.log"
        with Review.load([url]) as review:
            assert review.findings() == []
            assert len(review.events()) == len(lines)
    with pytest.raises(UnusableError, match="file:///no/such' cannot be read"):
        sources.find(["file:///no/such"])


def test_urls_keep_how_to_get_there():
    """The objects below a prefix are reached as it was; credentials are in no message."""
    url = "s3://invented:key-of-nobody@audit/day?scheme=http"

    assert sources._beside(url, "audit/day/a b") == "s3://invented:key-of-nobody@audit/day/a%20b?scheme=http"
    assert sources._shown(url, "audit/day/a b") == "s3://audit/day/a b"
    assert sources._shown(url) == "s3://audit/day"
    assert sources._shown("hdfs://user@head:9000/day", "/day/1") == "hdfs://head:9000/day/1"


@pytest.mark.parametrize("paths", [["nowhere"], [], ["*.nothing"]])
def test_nothing_to_read(paths):
    """What names nothing is an error of its own."""
    with pytest.raises(UnusableError):
        Review.load(paths)


def test_settings():
    """A key that is too short, and an unknown engine, are refused."""
    with pytest.raises(ConfigurationError, match="16 bytes"):
        Review.load(["x"], keys=[b"short"])
    with pytest.raises(ConfigurationError, match="duckdb"):
        Review.load(["x"], engine="duck")


def test_reader_that_fails(tmp_path, monkeypatch):
    """A process that dies is reported, and what it left is removed."""
    monkeypatch.setattr(crew.sys, "executable", "/bin/false")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    log = tmp_path / "log"
    log.write_bytes(b"".join(logs.sealed(logs.rng(1))))

    with pytest.raises(crew.ReaderError):
        load.load([Source(str(log), 1, "plain", "log")], lambda: Columns(duckdb.connect()), tmp_path, workers=1)


class TestCommand:
    def test_clean(self, tmp_path):
        """A clean log ends with 0."""
        (tmp_path / "log").write_bytes(b"".join(logs.sealed(logs.rng(1))))

        done = CliRunner().invoke(cli.commands(), ["check", str(tmp_path)])

        assert done.exit_code == 0, done.output
        assert "clean" in done.output

    def test_findings(self, tmp_path):
        """Findings end with 1, as JSON too."""
        lines = logs.sealed(logs.rng(1))
        (tmp_path / "log").write_bytes(b"".join(lines[:2] + lines[3:]))

        done = CliRunner().invoke(cli.commands(), ["check", str(tmp_path), "--format", "json"])

        assert done.exit_code == 1
        assert "gap" in {finding["kind"] for finding in json.loads(done.output)["findings"]}

    def test_selected(self, tmp_path):
        """What is asked for decides what is shown, and the exit status."""
        lines = logs.sealed(logs.rng(1))
        (tmp_path / "log").write_bytes(b"".join(lines[:2] + lines[3:]))

        done = CliRunner().invoke(cli.commands(), ["check", str(tmp_path), "--until", "2001-01-01"])

        assert done.exit_code == 0, done.output

    @pytest.mark.parametrize("content", [None, b"", b"no events here\n"])
    def test_unusable(self, tmp_path, content):
        """Input that is not there, or has no event, ends with 2."""
        if content is not None:
            (tmp_path / "log").write_bytes(content)

        assert CliRunner().invoke(cli.commands(), ["check", str(tmp_path / "log")]).exit_code == 2

    def test_stdin(self, tmp_path):
        """Standard input is read where a dash is named; keys and checkpoints come from files."""
        kept, key = tmp_path / "kept", tmp_path / "key"
        key.write_bytes(logs.MASTER)
        lines = logs.sealed(logs.rng(1), keyed=True, checkpoints=str(kept))
        command = [sys.executable, "-c", "from agentlogsafe.cli import main; main()", "check", "-"]
        options = ["--key", f"file:{key}", "--checkpoints", str(kept)]

        whole = subprocess.run([*command, *options], input=b"".join(lines), capture_output=True, check=False)
        cut = CliRunner().invoke(cli.commands(), ["check", "-", *options], input=b"".join(lines[:-1]))

        assert (whole.returncode, cut.exit_code) == (0, 1), whole.stdout + whole.stderr
        assert "truncated" in cut.stdout

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
    def test_pipe(self, tmp_path):
        """What comes through a pipe is checked under its name, and not scanned, since it comes but once."""
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        lines = logs.sealed(logs.rng(1))
        writer = threading.Thread(target=pipe.write_bytes, args=(b"".join([*lines[:2], *lines[3:]]),))
        writer.start()

        done = CliRunner().invoke(cli.commands(), ["check", str(pipe), "--format", "json"])
        writer.join()
        scanned = CliRunner().invoke(cli.commands(), ["check", str(pipe), "--scan"])

        assert done.exit_code == 1, done.output
        assert ("gap", str(pipe), 3) in {(f["kind"], f["file"], f["line"]) for f in json.loads(done.stdout)["findings"]}
        assert (scanned.exit_code, "standard input or a pipe" in scanned.stderr) == (2, True)
