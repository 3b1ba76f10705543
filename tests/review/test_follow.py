"""Following a file: every line once, whatever rotation does."""

from __future__ import annotations

import logging
import logging.handlers
import os
import shutil
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentlogsafe.review import follow
from agentlogsafe.review.follow import Follower


@pytest.fixture
def path(tmp_path):
    return tmp_path / "app.jsonl"


def texts(follower):
    return [line.raw.decode() for line in follower.poll()]


def append(path, text):
    with path.open("a") as file:
        file.write(text)


class TestGrowing:
    def test_waits_for_the_file(self, path):
        """A file that is not there yet is no error."""
        with Follower(path) as follower:
            assert texts(follower) == []
            append(path, "one\n")
            assert texts(follower) == ["one"]

    def test_waits_for_the_end_of_a_line(self, path):
        """A line that is being written is given when it is whole."""
        with Follower(path) as follower:
            append(path, "on")
            assert texts(follower) == []
            append(path, "e\ntwo\nth")
            assert texts(follower) == ["one", "two"]
            append(path, "ree\n")
            (line,) = follower.poll()

        assert (line.raw, line.number, line.whole) == (b"three", 3, True)

    @given(st.lists(st.binary(max_size=30), max_size=30))
    def test_any_writes(self, tmp_path_factory, writes):
        """However it is written, the lines are those of the file."""
        path = tmp_path_factory.mktemp("follow") / "app.jsonl"
        found = []
        with Follower(path) as follower:
            for data in writes:
                with path.open("ab") as file:
                    file.write(data)
                found += [line.raw for line in follower.poll()]

        assert found == b"".join(writes).split(b"\n")[:-1]

    def test_endless_line(self, path, monkeypatch):
        """A line without end takes no memory without end; what follows is read."""
        monkeypatch.setattr(follow, "_LONGEST", 1_000)
        monkeypatch.setattr(follow, "_BLOCK", 400)
        with Follower(path) as follower:
            append(path, "x" * 5_000)
            assert texts(follower) == []
            append(path, "x\nnext\n")
            first, second = follower.poll()

        assert (first.raw, first.whole, second.raw, second.number) == (b"", False, b"next", 2)

    def test_no_file(self, tmp_path):
        """A folder in its place is an error, and not a hang."""
        with pytest.raises(OSError, match="no file"):
            list(Follower(tmp_path).poll())


class TestMoved:
    def test_renamed(self, path):
        """What is written to the moved file, and then to the new one, is read in this order."""
        with Follower(path) as follower:
            append(path, "one\n")
            assert texts(follower) == ["one"]
            append(path, "two\n")
            moved = path.rename(path.with_suffix(".jsonl.1"))
            append(moved, "three\n")
            append(path, "four\n")
            assert texts(follower) == ["two", "three", "four"]
            append(moved, "five\n")  # a writer that has not noticed
            assert texts(follower) == ["five"]

    def test_more_than_once_between_two_looks(self, path):
        """A file that came and went between two looks is not missed."""
        with Follower(path) as follower:
            append(path, "one\n")
            assert texts(follower) == ["one"]
            for number, text in enumerate(["two", "three", "four"], start=1):
                path.rename(path.with_name(f"app.jsonl.{9 - number}"))
                append(path, f"{text}\n")
                os.utime(path, (number, number))
            assert texts(follower) == ["two", "three", "four"]

    def test_old_files_are_not_read(self, path):
        """What was rotated away before has nothing new to say."""
        append(path.with_name("app.jsonl.1"), "old\n")
        with Follower(path) as follower:
            append(path, "one\n")
            assert texts(follower) == ["one"]
            path.rename(path.with_name("app.jsonl.2"))
            append(path, "two\n")
            assert texts(follower) == ["two"]

    def test_torn_line(self, path, monkeypatch):
        """The half of a line that nobody will end is given when the file is let go."""
        monkeypatch.setattr(follow, "_LINGER", -1.0)
        with Follower(path) as follower:
            append(path, "one\nha")
            assert texts(follower) == ["one"]
            path.rename(path.with_name("app.jsonl.1"))
            append(path, "two\n")
            found = list(follower.poll())

        assert [(line.raw, line.whole) for line in found] == [(b"two", True), (b"ha", False)]

    @pytest.mark.parametrize("rows", [1, 7])
    def test_rotating_handler(self, path, rows):
        """Behind logging's own rotation nothing is lost and nothing comes twice."""
        handler = logging.handlers.RotatingFileHandler(path, maxBytes=rows * 10, backupCount=50)
        found = []
        with Follower(path) as follower:
            for number in range(100):
                handler.handle(logging.makeLogRecord({"msg": f"{number:08}"}))
                if number % 3 == 0:
                    found += texts(follower)
            found += texts(follower)
        handler.close()

        assert found == [f"{number:08}" for number in range(100)]


class TestTruncated:
    def test_copytruncate(self, path):
        """What was appended between the last look and the truncation is read from the copy."""
        with Follower(path) as follower:
            append(path, "one\ntw")
            assert texts(follower) == ["one"]
            append(path, "o\nthree\n")
            shutil.copy(path, path.with_name("app.jsonl.1"))
            os.truncate(path, 0)
            append(path, "four\n")
            assert texts(follower) == ["two", "three", "four"]
            append(path, "five\n")
            (line,) = follower.poll()

        assert (line.raw, line.number) == (b"five", 2)

    def test_refilled(self, path):
        """A file that is already longer than before is known by what it has there."""
        with Follower(path) as follower:
            append(path, "one\n")
            assert texts(follower) == ["one"]
            os.truncate(path, 0)
            append(path, "another\nand another\n")
            assert texts(follower) == ["another", "and another"]

    def test_without_a_copy(self, path):
        """Half a line that is gone is given as it was."""
        with Follower(path) as follower:
            append(path, "one\nha")
            assert texts(follower) == ["one"]
            os.truncate(path, 0)
            (line,) = follower.poll()

        assert (line.raw, line.number, line.whole) == (b"ha", 2, False)

    @pytest.mark.skipif(shutil.which("logrotate") is None, reason="needs logrotate")
    @pytest.mark.parametrize("how", ["copytruncate", "create"])
    def test_logrotate(self, path, tmp_path, how):
        """Behind the real logrotate, too."""
        config = tmp_path / "rotate.conf"
        config.write_text(f"{path} {{\n  rotate 5\n  {how}\n}}\n")
        config.chmod(0o644)
        found = []
        with Follower(path) as follower:
            for number in range(12):
                append(path, f"{number}\n")
                if number % 4 == 3:
                    command = ["logrotate", "--force", "--state", str(tmp_path / "state"), str(config)]
                    subprocess.run(command, check=True, capture_output=True)
                if number % 3 == 0:
                    found += texts(follower)
            found += texts(follower)

        assert found == [str(number) for number in range(12)]


def test_memory_is_bounded(path):
    """Following reads in blocks: a large file is never whole in memory."""
    code = f"""
import resource, pathlib
from agentlogsafe.review.follow import Follower
path = pathlib.Path({str(path)!r})
with path.open("wb") as file:
    for _ in range(100):
        file.write((b"x" * 999 + b"\\n") * 1000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
count = sum(1 for _ in Follower(path).poll())
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert count == 100_000
assert after - before < 20_000, after - before
"""
    pytest.importorskip("resource")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
