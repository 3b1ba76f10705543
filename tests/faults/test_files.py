"""Files that go away, move, are cut, or fill their disk under a handler."""

from __future__ import annotations

import logging
import logging.handlers
import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

import agentlogsafe
from agentlogsafe.errors import ConfigurationError
from agentlogsafe.fallback import FallbackFile, lock

from .tools import Raising, audited, books, numbers, run_program, until, whole_lines

HANDLERS = {
    "file": logging.FileHandler,
    "watched": logging.handlers.WatchedFileHandler,
    "rotating": lambda path: logging.handlers.RotatingFileHandler(path, maxBytes=10_000_000, backupCount=3),
}


def _fifo(path):
    os.mkfifo(path)


def _hard_link(path):
    other = path.with_name("other.txt")
    other.touch()
    path.hardlink_to(other)


def _symbolic_link(path):
    path.symlink_to(path.with_name("other.txt"))


@pytest.fixture
def path(tmp_path):
    """The file under test, in a folder that only its owner can write: logrotate asks for that."""
    folder = tmp_path / "logs"
    folder.mkdir(0o700)
    return folder / "app.jsonl"


@pytest.fixture
def handler_of(path):
    """Return a logger and its handler around a file handler of a kind; all of it is closed at the end."""
    made = []

    def make(kind, **settings):
        target = HANDLERS[kind](path)
        logger, handler = audited(target, **settings)
        made.extend([handler, target])
        return logger, handler

    yield make
    for handler in made:
        handler.close()


def rotate(path, how):
    """Rotate as logrotate does, by itself where it is there."""
    program = shutil.which("logrotate", path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin")
    if program is None:
        taken = len(list(path.parent.glob(f"{path.name}.*")))
        moved = path.with_name(f"{path.name}.{taken + 1}")
        if how == "copytruncate":
            shutil.copyfile(path, moved)
            os.truncate(path, 0)
        elif path.exists():
            path.rename(moved)
        return
    config = path.parent.parent / "logrotate.conf"
    config.write_text(f"{path} {{\n rotate 9\n {how}\n missingok\n su {os.getuid()} {os.getgid()}\n}}\n")
    state = path.parent.parent / "logrotate.state"
    done = subprocess.run([program, "-f", "-s", state, config], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def all_of(path):
    """Return the events of a file and of what it was rotated to, and how many lines are torn."""
    events, torn = [], 0
    for file in sorted(path.parent.iterdir()):
        found, bad = whole_lines(file)
        events, torn = events + found, torn + bad
    return events, torn


class TestRotation:
    def test_moved_under_a_watched_file(self, path, handler_of):
        """Nothing lost: a file that logrotate moves while a thread logs is followed by WatchedFileHandler."""
        logger, handler = handler_of("watched")
        rotated = threading.Event()
        logged = []

        def log():
            while not rotated.is_set() or len(logged) < 600:
                logger.info("tool_call", {"n": len(logged)})
                logged.append(len(logged))

        thread = threading.Thread(target=log)
        thread.start()
        try:
            for _ in range(3):
                until(lambda: path.exists() and path.stat().st_size > 1_000)
                rotate(path, "nocreate")
            until(path.exists)
        finally:
            rotated.set()
            thread.join()

        events, torn = all_of(path)
        assert sorted(numbers(events)) == logged
        assert torn == 0
        assert books(handler)["delivered"] == len(logged)
        assert len(list(path.parent.iterdir())) == 4

    def test_moved_under_a_rotating_file(self, path, handler_of):
        """Nothing lost: RotatingFileHandler goes on in the moved file."""
        logger, handler = handler_of("rotating")
        for number in range(30):
            if number in (10, 20):
                rotate(path, "nocreate")
            logger.info("tool_call", {"n": number})

        events, torn = all_of(path)
        assert (numbers(events), torn) == (list(range(30)), 0)
        assert books(handler)["delivered"] == 30

    def test_rotating_itself(self, tmp_path):
        """Nothing lost: a file that rotates itself while eight threads log has every event in one of its parts."""
        path = tmp_path / "app.jsonl"
        target = logging.handlers.RotatingFileHandler(path, maxBytes=60_000, backupCount=50)
        logger, handler = audited(target)

        def log(who):
            for number in range(100):
                logger.info("tool_call", {"n": who * 100 + number})

        threads = [threading.Thread(target=log, args=(who,)) for who in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        handler.close()
        target.close()

        events, torn = all_of(path)
        assert (sorted(numbers(events)), torn) == (list(range(800)), 0)

    def test_copied_and_cut(self, path, handler_of):
        """No torn line: after copytruncate, a file in append mode begins anew; nothing was written in between."""
        logger, handler = handler_of("file")
        for number in range(30):
            if number in (10, 20):
                rotate(path, "copytruncate")
            logger.info("tool_call", {"n": number})

        events, torn = all_of(path)
        assert (sorted(numbers(events)), torn) == (list(range(30)), 0)
        assert books(handler)["delivered"] == 30
        assert b"\0" not in path.read_bytes()

    def test_copied_and_cut_while_a_thread_logs(self, path, handler_of):
        """No torn or mixed line: what is lost lies between copy and cut, which no writer can know (documented)."""
        logger, _ = handler_of("file")
        stop = threading.Event()
        logged = []

        def log():
            while not stop.is_set():
                logger.info("tool_call", {"n": len(logged)})
                logged.append(1)

        thread = threading.Thread(target=log)
        thread.start()
        try:
            for _ in range(3):
                until(lambda: path.stat().st_size > 5_000)
                rotate(path, "copytruncate")
            after = len(logged) + 1
            until(lambda: len(logged) > after + 100)
        finally:
            stop.set()
            thread.join()

        events, torn = all_of(path)
        found = numbers(events)
        assert len(set(found)) == len(found)
        assert set(range(after, len(logged))) <= set(found)
        assert torn <= 6  # a copy can end, and the cut begin, in the middle of a line
        assert b"\0" not in path.read_bytes()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs POSIX files")
class TestInThePlaceOfTheFallback:
    @pytest.mark.parametrize(
        ("make", "error"),
        [(_fifo, "NoRegularFileError"), (_hard_link, "LinkedFileError"), (_symbolic_link, "OSError")],
        ids=["pipe", "hard_link", "symbolic_link"],
    )
    def test_what_is_no_file_of_ours(self, tmp_path, capsys, make, error):
        """Declared: nothing is written to a pipe or through a link, the call returns at once, and stderr says why."""
        fallback = tmp_path / "fallback.jsonl"
        logger, handler = audited(Raising(), fallback=fallback)
        make(fallback)
        logger.info("tool_call", {"n": 0})

        assert books(handler)["lost"] == 2
        assert error in capsys.readouterr().err
        assert not (tmp_path / "other.txt").exists() or not (tmp_path / "other.txt").stat().st_size
        with pytest.raises(ConfigurationError, match=r"it is a|it is no|it has another name"):
            agentlogsafe.AuditHandler(fallback=fallback)

    def test_one_of_another_user(self, tmp_path, monkeypatch, capsys):
        """Declared: what another user owns, and could read, is not written to."""
        fallback = tmp_path / "fallback.jsonl"
        logger, handler = audited(Raising(), fallback=fallback)
        fallback.touch()
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
        logger.info("tool_call", {"n": 0})

        assert books(handler)["lost"] == 2
        assert fallback.stat().st_size == 0
        assert "ForeignFileError" in capsys.readouterr().err

    def test_one_that_others_may_read(self, tmp_path):
        """Nothing lost, and nothing shown: a file that is there already is made its owner's alone."""
        fallback = tmp_path / "fallback.jsonl"
        fallback.touch()
        fallback.chmod(0o666)
        logger, handler = audited(Raising(), fallback=fallback)
        logger.info("tool_call", {"n": 0})

        assert books(handler)["fallback"] == 2
        assert fallback.stat().st_mode & 0o777 == 0o600


class TestDeleted:
    def test_watched(self, path, handler_of):
        """Nothing lost but what was deleted: WatchedFileHandler makes the file anew."""
        logger, handler = handler_of("watched")
        logger.info("tool_call", {"n": 0})
        path.unlink()
        logger.info("tool_call", {"n": 1})

        assert numbers(whole_lines(path)[0]) == [1]
        assert books(handler)["delivered"] == 2

    @pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc to read a deleted file")
    def test_file(self, path, handler_of):
        """A plain FileHandler goes on in the deleted file, as with bare logging (documented); nothing is raised."""
        logger, handler = handler_of("file")
        logger.info("tool_call", {"n": 0})
        path.unlink()
        logger.info("tool_call", {"n": 1})

        deleted = Path(f"/proc/self/fd/{handler.target.stream.fileno()}")
        assert numbers(whole_lines(deleted)[0]) == [0, 1]
        assert books(handler)["delivered"] == 2

    def test_fallback(self, tmp_path):
        """Nothing lost but what was deleted: the fallback is made anew, with mode 0600 again."""
        fallback = tmp_path / "fallback.jsonl"
        logger, handler = audited(Raising(), fallback=fallback)
        logger.info("tool_call", {"n": 0})
        fallback.unlink()
        logger.info("tool_call", {"n": 1})

        assert numbers(whole_lines(fallback)[0]) == [1]
        assert fallback.stat().st_mode & 0o777 == 0o600
        assert books(handler)["fallback"] == 3

    def test_folder(self, path, handler_of):
        """Accounted for: when its folder is deleted, too, a watched file fails, and the events are in the fallback."""
        fallback = path.parent.parent / "fallback.jsonl"
        logger, handler = handler_of("watched", fallback=fallback)
        logger.info("tool_call", {"n": 0})
        shutil.rmtree(path.parent)
        logger.info("tool_call", {"n": 1})

        assert numbers(whole_lines(fallback)[0]) == [1]
        assert books(handler)["reasons"] == {"FileNotFoundError": 1, "target failing": 1}
        path.parent.mkdir()


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 KB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    done = mount and subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True, check=False
    )
    if not done or done.returncode:
        pytest.skip("needs the right to mount a tmpfs")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


class TestFullDisk:
    def test_fills_and_empties(self, small_disk, tmp_path):
        """Every event is in the target or the fallback; when there is room again, the target is used again."""
        fallback = tmp_path / "fallback.jsonl"
        (small_disk / "ballast").write_bytes(bytes(40_000))
        target = logging.FileHandler(small_disk / "app.jsonl")
        logger, handler = audited(target, fallback=fallback)
        for number in range(100):
            logger.info("tool_call", {"n": number, "note": "x" * 300})
        (small_disk / "ballast").unlink()
        until(lambda: logger.info("decision", {"n": -1}) or not handler._outlet._ill)
        for number in range(100, 110):
            logger.info("tool_call", {"n": number})
        counts = books(handler)
        handler.close()
        target.close()

        written, torn = whole_lines(small_disk / "app.jsonl")
        kept, torn_kept = whole_lines(fallback)
        assert counts["lost"] == 0
        assert counts["fallback"] > 50
        assert set(numbers(written)) | set(numbers(kept)) == {-1, *range(110)}
        assert torn_kept == 0
        assert torn <= 1
        assert numbers(written)[-10:] == list(range(100, 110))

    def test_fallback_on_the_same_disk(self, small_disk):
        """Declared: when the disk of the fallback is full, too, events are counted as lost, and stderr says so."""
        target = logging.FileHandler(small_disk / "app.jsonl")
        logger, handler = audited(target, fallback=small_disk / "fallback.jsonl")
        for number in range(300):
            logger.info("tool_call", {"n": number, "note": "x" * 300})
        counts = books(handler)

        written, torn = whole_lines(small_disk / "app.jsonl")
        kept, torn_kept = whole_lines(small_disk / "fallback.jsonl")
        assert len(set(numbers(written)) | set(numbers(kept))) >= 300 - counts["lost"]
        assert counts["lost"] > 100
        assert torn + torn_kept <= 2
        logger.handlers.clear()
        (small_disk / "app.jsonl").write_bytes(b"")
        target.close()


def test_read_only_folder(tmp_path):
    """Accounted for: a user who may not write there gets a failing target and declared losses, and no exception."""
    if not hasattr(os, "setuid") or os.getuid() != 0:
        pytest.skip("needs root, to become a user who may not write")
    folder = tmp_path / "read-only"
    folder.mkdir(0o555)
    for parent in [folder, *list(folder.parents)[:3]]:
        parent.chmod(0o755)
    done = run_program(
        """
        import logging, logging.handlers, os, sys, agentlogsafe
        path = sys.argv[1] + "/app.jsonl"
        target = logging.FileHandler(path, delay=True)
        handler = agentlogsafe.AuditHandler(target, fallback=sys.argv[1] + "/fallback.jsonl")
        logging.basicConfig(handlers=[handler], level="INFO")
        os.setgroups([]); os.setgid(65534); os.setuid(65534)  # not earlier: the interpreter's files may be root's alone
        for number in range(5):
            logging.info("tool_call", {"n": number})
        print(handler.counters.as_dict())
        """,
        str(folder),
    )

    assert done.returncode == 0, done.stderr
    assert "'accepted': 6, 'delivered': 0, 'fallback': 0, 'lost': 6" in done.stdout
    assert "'PermissionError'" in done.stdout
    assert "events are lost" in done.stderr


class TestSharedFallback:
    def test_processes(self, tmp_path):
        """Nothing lost: four processes that share one fallback and rotate it leave every event in it, once."""
        path = tmp_path / "fallback.jsonl"
        source = """
            import logging, sys, agentlogsafe
            class Failing(logging.Handler):
                def emit(self, record): raise OSError
            fallback = {"path": sys.argv[1], "max_bytes": 20_000, "backups": 99}
            handler = agentlogsafe.AuditHandler(Failing(), fallback=fallback)
            logger = logging.getLogger("app")
            logger.addHandler(handler); logger.setLevel("INFO")
            for number in range(200):
                logger.info("tool_call", {"n": int(sys.argv[2]) * 1000 + number})
            assert handler.counters.lost == 0, handler.counters.as_dict()
        """
        threads = []
        done = []
        for number in range(4):
            run = lambda number=number: done.append(run_program(source, str(path), str(number)))  # noqa: E731
            threads.append(threading.Thread(target=run))
            threads[-1].start()
        for thread in threads:
            thread.join()

        assert [program.returncode for program in done] == [0] * 4, [program.stderr for program in done]
        events, torn = all_of(path)
        found = numbers(events)
        assert (len(found), len(set(found)), torn) == (800, 800, 0)
        assert all(file.stat().st_size <= 20_000 for file in tmp_path.iterdir())

    def test_after_a_torn_line(self, tmp_path):
        """Nothing lost: what a killed process has left of a line is not continued by the next process."""
        path = tmp_path / "fallback.jsonl"
        path.write_bytes(b'{"schema_version": "1.0", "event_')
        logger, _ = audited(Raising(), fallback=path)
        logger.info("tool_call", {"n": 1})

        events, torn = whole_lines(path)
        assert (numbers(events), torn) == ([1], 1)

    def test_lock_holder_that_does_not_move(self, tmp_path):
        """Not blocked: a process that holds the lock of the fallback and has been stopped stops no other."""
        path = tmp_path / "fallback.jsonl"
        logger, _ = audited(Raising(), fallback=path)
        logger.info("tool_call", {"n": 0})
        descriptor = os.open(path, os.O_RDONLY)
        assert lock(descriptor)
        logger.info("tool_call", {"n": 1})
        os.close(descriptor)

        assert numbers(whole_lines(path)[0]) == [0, 1]

    def test_taken_away_again_and_again(self, tmp_path, monkeypatch):
        """Declared: a file that is always another one than was opened is given up after some attempts."""
        monkeypatch.setattr("agentlogsafe.fallback.is_at", lambda *_: False)
        logger, handler = audited(Raising(), fallback=FallbackFile(tmp_path / "fallback.jsonl"))
        logger.info("tool_call", {"n": 0})

        assert books(handler)["lost"] == 2


@pytest.mark.parametrize("mode", ["a", "w"])
def test_after_close(tmp_path, mode):
    """Nothing lost: what comes after the close is in the file, or, where that is not opened again, in the fallback."""
    path, fallback = tmp_path / "app.jsonl", tmp_path / "fallback.jsonl"
    target = logging.FileHandler(path, mode=mode)
    logger, handler = audited(target, fallback=fallback)
    logger.info("tool_call", {"n": 0})
    handler.close()
    target.close()
    logger.info("tool_call", {"n": 1})
    target.close()

    written, kept = numbers(whole_lines(path)[0]), numbers(whole_lines(fallback)[0])
    assert (written, kept) == (([0, 1], []) if mode == "a" else ([0], [1]))
    assert books(handler)["lost"] == 0
    handler.close()
    target.close()
