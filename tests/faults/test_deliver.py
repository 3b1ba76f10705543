"""`agentlogsafe deliver`: what a fallback holds reaches the configured handlers once, whatever comes between."""

from __future__ import annotations

import json
import logging
import logging.handlers
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

import agentlogsafe
from agentlogsafe import _deliver, cli

from .tools import Raising, audited, books, numbers, until, whole_lines

MAIN = "from agentlogsafe.cli import main; main()"
SLOW = """
import json, logging, os, sys, time

class Slow(logging.FileHandler):
    def emit(self, record):
        time.sleep(0.002)
        super().emit(record)

class Picky(logging.FileHandler):
    def emit(self, record):
        if os.path.exists("refuse") and '"n":5' in self.format(record):
            raise ConnectionResetError
        super().emit(record)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "slow.py").write_text(SLOW)
    return tmp_path


def fill(events=20, **settings):
    """Have a target fail, so that the fallback has events and ordinary lines."""
    logger, handler = audited(Raising(), fallback={"path": "fallback.jsonl", **settings})
    for number in range(events):
        logger.info("tool_call", {"n": number})
        logger.warning("line %s", number, extra={"number": number})
    handler.close()
    logger.handlers.clear()


def configure(target="logging.FileHandler", **more):
    config = {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {
            "file": {"class": target, "filename": "out.jsonl"},
            "audit": {"class": "agentlogsafe.AuditHandler", "target": "file", "fallback": "fallback.jsonl"},
            **more,
        },
        "root": {"handlers": ["audit", *more], "level": "INFO"},
    }
    Path("logging.yaml").write_text(yaml.safe_dump(config))


def deliver(*options, fallback="fallback.jsonl", config="logging.yaml"):
    done = CliRunner().invoke(cli.commands(), ["deliver", fallback, "--config", config, *options])
    for logger in (logging.getLogger(), logging.getLogger("app")):
        for handler in logger.handlers[:]:
            for each in (handler, getattr(handler, "target", None)):
                if each is not None:
                    each.close()
            logger.removeHandler(handler)
    return done


def start(folder, **options):
    command = [sys.executable, "-c", MAIN, "deliver", "fallback.jsonl", "--config", "logging.yaml"]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}
    return subprocess.Popen(command, cwd=folder, env=env, stderr=subprocess.PIPE, text=True, **options)


class TestOnce:
    def test_events_lines_and_rotated_files(self, folder):
        """Events arrive byte for byte, ordinary lines as records, oldest file first; a second time, nothing does."""
        fill(max_bytes=4_000, backups=9)
        files = sorted(folder.glob("fallback.jsonl.*"))
        stored = b"".join(file.read_bytes() for file in [*files, folder / "fallback.jsonl"]).splitlines()
        configure()

        done = deliver()
        again = deliver()

        assert len(files) > 2
        assert done.exit_code == 0, done.output
        assert f"{len(files) + 1} files: {len(stored)} delivered, 0 rejected, 0 left" in done.output
        assert " 0 delivered, 0 rejected, 0 left" in again.output
        written = (folder / "out.jsonl").read_bytes().splitlines()
        assert len(written) == len(stored) == 42  # with what the handler said itself
        for line, kept in zip(written, stored, strict=True):
            if b"schema_version" in kept:
                assert line == kept
            else:
                new, old = json.loads(line), json.loads(kept)
                assert (new["message"], new["number"]) == (old["message"], old["number"])
                assert (new["levelname"], new["name"]) == ("WARNING", "app")
                assert new["timestamp"][:19] == old["timestamp"][:19]
        assert (folder / "fallback.jsonl.progress").stat().st_mode & 0o777 == 0o600

    def test_what_came_since(self, folder):
        """What is added later, also when the file got its number meanwhile, is what the next time delivers."""
        fill(3, max_bytes=20_000)
        configure()
        deliver()
        fill(40, max_bytes=20_000)
        assert (folder / "fallback.jsonl.1").exists()

        done = deliver()

        assert done.exit_code == 0, done.output
        assert "2 files: 82 delivered" in done.output
        events, _ = whole_lines(folder / "out.jsonl")
        assert numbers(events) == [*range(3), *range(40)]

    def test_remove(self, folder):
        """With --remove, files go that are delivered to their end, and what remembers them; the rest stays."""
        fill(max_bytes=4_000, backups=9)
        configure("slow.Picky")
        (folder / "refuse").touch()
        sys.path.insert(0, str(folder))
        try:
            first = deliver("--remove")
            left = sorted(folder.glob("fallback.jsonl*"))
            (folder / "refuse").unlink()
            second = deliver("--remove")
        finally:
            sys.path.remove(str(folder))
            sys.modules.pop("slow", None)

        assert (first.exit_code, second.exit_code) == (1, 0)
        assert "removed 'fallback.jsonl.1'" in first.output
        assert folder / "fallback.jsonl" in left
        assert not list(folder.glob("fallback.jsonl*"))
        assert numbers(whole_lines(folder / "out.jsonl")[0]) == list(range(20))

    def test_torn_and_foreign_lines(self, folder):
        """What is no JSON object is kept aside, readable by its owner only, and the rest is delivered."""
        fill(2)
        with Path("fallback.jsonl").open("ab") as file:
            file.write(b'{"schema_ver\n[1, 2]\n\xff\xfe\n\n{"message": "plain"}\n{"torn": "at the e')
        configure()

        done = deliver()

        assert done.exit_code == 0, done.output
        assert "7 delivered, 4 rejected, 0 left" in done.output
        rejected = folder / "fallback.jsonl.rejected"
        assert rejected.read_bytes() == b'{"schema_ver\n[1, 2]\n\xff\xfe\n{"torn": "at the e\n'
        assert rejected.stat().st_mode & 0o777 == 0o600
        assert "0 delivered, 0 rejected" in deliver().output
        fill(1)  # the fallback goes on after the torn line
        assert "4 delivered, 0 rejected" in deliver().output

    def test_level_and_own_fallback(self, folder):
        """Only the handler whose fallback it is gets the lines, and its target's level applies."""
        fill(3)
        configure(
            other={"class": "agentlogsafe.AuditHandler", "target": "second", "fallback": "other.jsonl"},
            second={"class": "logging.FileHandler", "filename": "second.jsonl"},
        )
        config = yaml.safe_load((folder / "logging.yaml").read_text())
        config["root"]["handlers"] = ["audit", "other"]
        config["handlers"]["file"]["level"] = "WARNING"
        Path("logging.json").write_text(json.dumps(config))

        done = deliver(config="logging.json")

        assert "8 delivered" in done.output
        written, _ = whole_lines(folder / "out.jsonl")
        assert [line.get("message") for line in written if "message" in line] == ["line 0", "line 1", "line 2"]
        reports = [line["payload"]["state"] for line in written if "payload" in line]
        assert reports == ["failing", "closed"]  # of the handler whose fallback it is
        assert whole_lines(folder / "second.jsonl") == ([], 0)

    def test_one_target_of_several(self, folder):
        """What one of several targets missed goes to that one only, as it was; those that are well miss nothing."""
        well, ill = Raising(error=None), Raising()
        well.name, ill.name = "well", "ill"
        root = logging.getLogger()
        root.handlers[:] = [well, ill]
        logger, handler = audited(None, fallback="fallback.jsonl", seal="chain")
        for number in range(30):
            logger.info("tool_call", {"n": number})
        assert numbers(well.seen) == list(range(30))
        assert books(handler)["fallback"] == 31
        stored, _ = whole_lines(Path("fallback.jsonl"))
        assert [line["undelivered_to"] for line in stored] == [["ill"]] * 31
        assert [event["seal"]["seq"] for event in well.seen] == list(range(1, 32))
        root.handlers[:] = []
        handler.close()

        configure(
            audit={"class": "agentlogsafe.AuditHandler", "fallback": "fallback.jsonl"},
            well={"class": "logging.FileHandler", "filename": "well.jsonl"},
            ill={"class": "logging.FileHandler", "filename": "ill.jsonl"},
        )
        config = yaml.safe_load((folder / "logging.yaml").read_text())
        del config["handlers"]["file"]
        config["root"]["handlers"] = ["well", "ill"]
        config["loggers"] = {"app": {"handlers": ["audit"], "propagate": False}}
        Path("logging.json").write_text(json.dumps(config))

        assert "0 left" in deliver(config="logging.json").output
        arrived, _ = whole_lines(folder / "ill.jsonl")
        assert numbers(arrived) == list(range(30))
        assert numbers(whole_lines(folder / "well.jsonl")[0]) == []
        assert not any("undelivered_to" in line for line in arrived)

    def test_without_an_audit_handler(self, folder):
        """A configuration without an AuditHandler gets the lines in the root logger's handlers."""
        fill(3)
        config = {"version": 1, "handlers": {"f": {"class": "logging.FileHandler", "filename": "out.jsonl"}}}
        Path("logging.json").write_text(json.dumps({**config, "root": {"handlers": ["f"]}}))

        done = deliver(config="logging.json")

        assert done.exit_code == 0
        assert numbers(whole_lines(folder / "out.jsonl")[0]) == [0, 1, 2]


class TestInterrupted:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
    def test_signal_in_the_middle(self, folder, number):
        """A signal lets the line in flight finish, says what is left, and repeating delivers the rest, each once."""
        fill(100)
        configure("slow.Slow")
        out = folder / "out.jsonl"

        interrupted = 0
        for lines in (20, 120):
            with start(folder) as process:
                until(lambda lines=lines: out.exists() and out.read_bytes().count(b"\n") >= lines)
                process.send_signal(number)
                _, error = process.communicate(timeout=120)
            interrupted += process.returncode == 1 and "interrupted; repeat the command" in error
        with start(folder) as process:
            _, error = process.communicate(timeout=120)

        assert interrupted == 2
        assert process.returncode == 0, error
        stored = [event.get("event_id", event.get("number")) for event in whole_lines(folder / "fallback.jsonl")[0]]
        written = [event.get("event_id", event.get("number")) for event in whole_lines(out)[0]]
        assert written == stored

    def test_killed(self, folder):
        """After a kill, at most the one line in flight comes twice, with the same id, and none is missing."""
        fill(100)
        configure("slow.Slow")
        out = folder / "out.jsonl"
        for lines in (15, 90):
            with start(folder) as process:
                until(lambda lines=lines: out.exists() and out.read_bytes().count(b"\n") >= lines)
                process.kill()
        with start(folder) as process:
            _, error = process.communicate(timeout=120)

        assert process.returncode == 0, error
        stored = [event["event_id"] for event in whole_lines(folder / "fallback.jsonl")[0] if "event_id" in event]
        written, torn = whole_lines(out)
        written = [event["event_id"] for event in written if "event_id" in event]
        assert list(dict.fromkeys(written)) == stored
        assert len(written) - len(stored) + torn <= 2

    def test_two_at_once(self, folder):
        """While one is at work, another is refused."""
        fill(100)
        configure("slow.Slow")
        with start(folder) as process:
            until(lambda: (folder / "out.jsonl").exists() and (folder / "out.jsonl").stat().st_size)
            configure()
            done = deliver()
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=120)

        assert done.exit_code == 2
        assert "is being delivered by another process" in done.output

    def test_spoilt_progress(self, folder):
        """When a power cut spoils the last note, the one before it counts: one line comes twice, none is missing."""
        fill(10)
        configure()
        deliver()
        path = folder / "fallback.jsonl.progress"
        raw = bytearray(path.read_bytes())
        latest = max((0, 1), key=lambda slot: json.loads(raw[slot * 1024 : slot * 1024 + 1024])["turn"])
        raw[latest * 1024 : latest * 1024 + 100] = bytes(100)
        path.write_bytes(raw)

        assert "1 delivered" in deliver().output


class TestFailure:
    def test_target_fails(self, folder, monkeypatch):
        """It stops where a target fails, says which and why, and the next time goes on for those that lack the line."""
        fill(10)
        configure("logging.FileHandler", picky={"class": "slow.Picky", "filename": "picky.jsonl"})
        config = yaml.safe_load((folder / "logging.yaml").read_text())
        del config["handlers"]["audit"]["target"]  # then the root logger's handlers are the targets
        config["root"]["handlers"] = ["file", "picky"]
        config["loggers"] = {"app": {"handlers": ["audit"]}}
        Path("logging.yaml").write_text(yaml.safe_dump(config))
        (folder / "refuse").touch()
        monkeypatch.syspath_prepend(folder)

        first = deliver()
        second = deliver()
        (folder / "refuse").unlink()
        third = deliver()
        sys.modules.pop("slow", None)

        assert first.exit_code == second.exit_code == 1
        assert "handler 'picky' (Picky) failed (ConnectionResetError), with event 0" in first.output
        assert "11 delivered, 0 rejected, 11 left" in first.output
        assert "0 delivered, 0 rejected, 11 left" in second.output
        assert third.exit_code == 0
        for name in ("out.jsonl", "picky.jsonl"):
            assert numbers(whole_lines(folder / name)[0]) == list(range(10)), name

    def test_failing_at_the_first_line(self, folder):
        """What failed at the very first line of one file says nothing of other files."""
        fill(1)
        (folder / "other").write_bytes(b'{"message": "x"}\n' * 1000)
        path, other_path = folder / "fallback.jsonl", folder / "other"
        with path.open("rb") as source, other_path.open("rb") as other, _deliver.Progress(path) as progress:
            line = source.readline()
            number, offset, taken = progress.find(source)
            progress.note(number, source, 0, {"0:file"}, line)

            assert (offset, taken) == (0, set())
            assert progress.find(source)[1:] == (0, {"0:file"})
            assert progress.find(other)[1:] == (0, set())


class TestUnusable:
    def check(self, sentence, **given):
        done = deliver(**given)
        assert done.exit_code == 2, done.output
        assert sentence in done.output
        assert "Traceback" not in done.output

    @pytest.mark.parametrize("name", ["fallback.jsonl", "fallback.jsonl.1", "fallback.jsonl.progress"])
    def test_symbolic_link(self, folder, name):
        """A symbolic link in the place of a file is refused; what it points to is neither read nor written."""
        fill(1)
        config = {"version": 1, "handlers": {"n": {"class": "logging.NullHandler"}}, "root": {"handlers": ["n"]}}
        Path("logging.json").write_text(json.dumps(config))
        Path("fallback.jsonl").rename("elsewhere")
        before = (folder / "elsewhere").read_bytes()
        if name != "fallback.jsonl":
            fill(1)
        Path(name).symlink_to("elsewhere")

        self.check("symbolic link" if "progress" not in name else name, config="logging.json")
        assert (folder / "elsewhere").read_bytes() == before

    def test_no_file(self, folder):
        """Nothing to deliver, a folder or a pipe is said in one sentence; none of them keeps it waiting."""
        configure()
        self.check("'fallback.jsonl' does not exist")
        os.mkfifo("pipe")
        self.check("cannot be read: it is no file", fallback="pipe")
        Path("folder").mkdir()
        self.check("cannot be read: it is no file", fallback="folder")

    def test_configuration(self, folder):
        """A configuration that cannot be used is named, with what is wrong."""
        fill(1)
        self.check("'missing.yaml' cannot be read: No such file", config="missing.yaml")
        for name, text, sentence in (
            ("bad.json", "{", "'bad.json' is no JSON"),
            ("bad.yaml", "a: [", "'bad.yaml' is no YAML"),
            ("list.yaml", "[1]", "expected a mapping"),
            ("wrong.yaml", "version: 1\nroot: {handlers: [x]}", "logging cannot be configured with it"),
            ("none.yaml", "version: 1", "has no handler to deliver to"),
        ):
            (folder / name).write_text(text)
            self.check(sentence, config=name)

    def test_without_pyyaml(self, folder, monkeypatch):
        """Without PyYAML, a YAML configuration is refused with the command that installs it."""
        fill(1)
        configure()
        monkeypatch.setitem(sys.modules, "yaml", None)

        self.check("reading YAML needs PyYAML: pip install 'agentlogsafe[cli]'")


def test_progress_bar(folder):
    """On a terminal there is a progress bar; without one, nothing but the sentences."""
    pexpect = pytest.importorskip("pexpect", reason="needs pexpect")
    fill(100)
    configure("slow.Slow")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}
    command = ["-c", MAIN, "deliver", "fallback.jsonl", "--config", "logging.yaml"]
    child = pexpect.spawn(sys.executable, command, cwd=str(folder), env={**env, "TERM": "xterm"}, timeout=120)
    child.expect("fallback.jsonl")
    child.expect("%")
    child.expect("202 delivered")
    child.expect(pexpect.EOF)
    child.close()

    assert child.exitstatus == 0


def test_record_of_a_stored_event():
    """Level, logger and time of a stored event are those of the record, also where they are odd."""
    event = {"schema_version": "1.0", "event_id": "e", "event_type": "decision", "payload": {}}
    event |= {"level": "warning", "logger": "shop", "timestamp": "2026-01-02T03:04:05.678901Z"}
    record = _deliver.record_of(json.dumps(event).encode())
    assert (record.levelno, record.name, record.created) == (30, "shop", 1767323045.678901)
    assert time.gmtime(record.created)[:6] == (2026, 1, 2, 3, 4, 5)

    odd = _deliver.record_of(json.dumps(event | {"level": "level 25", "logger": 5, "timestamp": "then"}).encode())
    assert (odd.levelno, odd.name) == (25, "agentlogsafe")
    assert _deliver.record_of(json.dumps(event | {"level": "loud"}).encode()).levelno == logging.INFO


def test_traceback_of_an_ordinary_line(folder):
    """An ordinary line keeps its traceback."""
    logger, _ = audited(Raising(), fallback="fallback.jsonl")
    try:
        raise ValueError("for the record")
    except ValueError:
        logger.exception("it failed")
    logger.handlers.clear()
    configure()

    deliver()

    written, _ = whole_lines(folder / "out.jsonl")
    assert any("ValueError: for the record" in str(line.get("exc_info")) for line in written)
    assert agentlogsafe.stats() is not None
