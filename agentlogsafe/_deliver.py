"""What `agentlogsafe deliver` does: hand what a fallback file holds on to the configured handlers, once each."""

from __future__ import annotations

import json
import logging
import logging.config
import os
import signal
import stat
import threading
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

import orjson

from agentlogsafe._progress import Progress, UnusableError
from agentlogsafe._records import CHOSEN_NAMES, RESERVED, Audited, event_record
from agentlogsafe._targets import listen
from agentlogsafe.delivery import deliver
from agentlogsafe.errors import ConfigurationError, MissingExtraError
from agentlogsafe.events import parse_time
from agentlogsafe.fallback import WRITE, FallbackFile, addressees, fcntl, is_at, lock, name_of, open_own
from agentlogsafe.formatter import AuditFormatter
from agentlogsafe.handler import AuditHandler, describe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_LONGEST = 16_000_000


@dataclass
class Outcome:
    """What was done, in lines."""

    files: int = 0
    delivered: int = 0
    rejected: int = 0
    left: int = 0
    failure: str | None = None
    removed: list[Path] = field(default_factory=list)


def configure(path: Path) -> None:
    """Configure logging with a ``dictConfig`` in a YAML or JSON file.

    Raises:
        ConfigurationError: for a file that holds none, or one that logging refuses.
        MissingExtraError: for YAML, where PyYAML is not installed.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{str(path)!r} cannot be read: {getattr(error, 'strerror', None) or type(error).__name__}"
        raise ConfigurationError(msg) from error
    given = _parsed(path, text)
    if not isinstance(given, dict):
        msg = f"{str(path)!r}: expected a mapping as logging.config.dictConfig takes it, got {type(given).__name__}"
        raise ConfigurationError(msg)
    try:
        logging.config.dictConfig(given)
    except Exception as error:
        cause = f": {error.__cause__}" if error.__cause__ is not None else ""
        msg = f"{str(path)!r}: logging cannot be configured with it: {error}{cause}"
        raise ConfigurationError(msg) from error


def _parsed(path: Path, text: str) -> object:
    kind = "JSON"
    try:
        if path.suffix == ".json":
            return json.loads(text)
        kind = "YAML"
        import yaml  # noqa: PLC0415 -- only needed for YAML

        return yaml.safe_load(text)
    except ImportError as error:
        msg = f"{str(path)!r}: reading YAML needs PyYAML: pip install 'agentlogsafe[cli]' (a .json file needs nothing)"
        raise MissingExtraError(msg) from error
    except Exception as error:
        msg = f"{str(path)!r} is no {kind}: {error}"
        raise ConfigurationError(msg) from error


def targets_of(path: Path) -> list[tuple[str, logging.Handler]]:
    """Return, with names, the handlers that the lines of a fallback file were meant for.

    They are the targets of the AuditHandlers whose fallback the file is; where there is none, of all AuditHandlers;
    and without any, the handlers of the root logger.

    Raises:
        ConfigurationError: where there is no handler at all.
    """
    known = logging.getLogger().manager.loggerDict.values()
    loggers = [logging.getLogger(), *(item for item in known if isinstance(item, logging.Logger))]
    attached = [handler for logger in loggers for handler in logger.handlers]
    audits = [handler for handler in attached if isinstance(handler, AuditHandler)]
    own = [handler for handler in audits if _is_fallback_of(handler, path)]
    found: list[logging.Handler] = []
    if audits:
        for audit in own or audits:
            found += audit._targets()  # noqa: SLF001 -- of the same package
    else:
        found = list(logging.getLogger().handlers)
        for handler in found:
            listen(handler, AuditFormatter())
    unique = list({id(handler): handler for handler in found}.values())
    if not unique:
        msg = "the configuration has no handler to deliver to: neither an AuditHandler nor one of the root logger"
        raise ConfigurationError(msg)
    named = [(handler.name or type(handler).__name__, handler) for handler in unique]
    return [(f"{number}:{name}"[:40], handler) for number, (name, handler) in enumerate(named)]


def _is_fallback_of(handler: AuditHandler, path: Path) -> bool:
    fallback = handler._fallback  # noqa: SLF001 -- of the same package
    return isinstance(fallback, FallbackFile) and fallback.path == path.absolute()


def files_of(path: Path) -> list[Path]:
    """Return the files of a fallback, the oldest first: a full one has got the next free number."""
    numbered = [item for item in path.parent.glob(f"{_escaped(path.name)}.*") if item.suffix[1:].isdigit()]
    return [*sorted(numbered, key=lambda item: int(item.suffix[1:])), *([path] if os.path.lexists(path) else [])]


def _escaped(name: str) -> str:
    return "".join(f"[{char}]" if char in "*?[" else char for char in name)


class Delivery:
    """One run over all files of a fallback.

    Args:
        path: the fallback.
        targets: names and handlers; a line is done when each has taken it.

    Raises:
        UnusableError: where there is nothing to read.
    """

    def __init__(self, path: Path, targets: list[tuple[str, logging.Handler]]) -> None:
        self._path, self._targets = path, targets
        self.advance: Callable[[int], None] | None = None  # told of bytes as they are done
        with ExitStack() as stack:
            self._files = [(name, stack.enter_context(_opened(name))) for name in files_of(path)]
            if not self._files:
                msg = f"{str(path)!r} does not exist, nor a numbered file of it"
                raise UnusableError(msg)
            self._open_files = stack.pop_all()
        self.stopped = False
        self.outcome = Outcome(len(self._files))

    def size(self) -> int:
        """Return how many bytes there are, delivered before or not."""
        return sum(os.fstat(source.fileno()).st_size for _, source in self._files)

    def run(self, *, remove: bool = False) -> Outcome:
        """Deliver until the end, a failure, or `stop`."""
        outcome = self.outcome
        with self._open_files, Progress(self._path) as progress:
            for name, source in self._files:
                if not self._file(progress, source):
                    outcome.left += _lines(source)
                elif remove and _removed(name, source):
                    outcome.removed.append(name)
            for _, target in self._targets:
                with suppress(Exception):
                    target.flush()
            if len(outcome.removed) == len(self._files):
                progress.remove()
        return outcome

    def stop(self) -> None:
        """Stop after the line in flight."""
        self.stopped = True

    def _advanced(self, done: int) -> None:
        if self.advance is not None:
            self.advance(done)

    def _file(self, progress: Progress, source: IO[bytes]) -> bool:
        """Deliver one file; return whether it is done, and leave *source* at the first line that is not."""
        number, offset, taken = progress.find(source)
        source.seek(offset)
        self._advanced(offset)
        while True:
            line = source.readline(_LONGEST)
            if line and not line.endswith(b"\n"):
                # Torn, or just being written: whoever writes has the lock.
                lock(source.fileno())
                source.seek(offset)
                line = source.readline(_LONGEST)
                _unlock(source.fileno())
            if not line:
                return True
            if self.stopped or self.outcome.failure is not None or not self._line(line, taken):
                if taken:
                    progress.note(number, source, offset, taken, line)
                source.seek(offset)
                return False
            taken = set()
            offset += len(line)
            progress.note(number, source, offset)
            self._advanced(len(line))

    def _line(self, line: bytes, taken: set[str]) -> bool:
        """Deliver one line to each target that has not *taken* it; return whether all have it now."""
        if not line.strip():
            return True
        whole, names = addressees(line)
        record = record_of(whole)
        if record is None:
            self._reject(line)
            self.outcome.rejected += 1
            return True
        # One target of several may have missed it; where it has another name by now, all get it.
        missing = [item for item in self._targets if name_of(item[1]) in names] or self._targets
        for name, target in missing:
            if name in taken:
                continue
            failure = deliver(target, record) if record.levelno >= target.level else None
            if failure is not None:
                event_id = record.__dict__.get("event_id")
                which = f", with event {event_id}" if event_id else ""
                self.outcome.failure = f"{describe(target)} failed ({failure}){which}"
                return False
            taken.add(name)
        self.outcome.delivered += 1
        return True

    def _reject(self, line: bytes) -> None:
        """Keep aside what is no line of ours; a torn line is evidence, too."""
        name = self._path.with_name(f"{self._path.name}.rejected")
        descriptor = open_own(name, WRITE | os.O_APPEND)
        try:
            os.write(descriptor, line if line.endswith(b"\n") or len(line) == _LONGEST else line + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _opened(path: Path) -> IO[bytes]:
    try:
        descriptor = os.open(path, _READ)
    except OSError as error:
        reason = "it is a symbolic link" if path.is_symlink() else error.strerror
        msg = f"{str(path)!r} cannot be read: {reason}"
        raise UnusableError(msg) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        msg = f"{str(path)!r} cannot be read: it is no file"
        raise UnusableError(msg)
    return os.fdopen(descriptor, "rb")


def _removed(path: Path, source: IO[bytes]) -> bool:
    """Remove a file that has been read to its end, unless something came meanwhile; return whether it is gone."""
    # Whoever writes has the lock, and looks after getting it whether the file is still there.
    done = lock(source.fileno()) and source.tell() == os.fstat(source.fileno()).st_size and is_at(source.fileno(), path)
    if done:
        path.unlink()
    return done


def _unlock(descriptor: int) -> None:
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def _lines(source: IO[bytes]) -> int:
    count, last = 0, b"\n"
    while block := source.read(1 << 20):
        count += block.count(b"\n")
        last = block[-1:]
    return count + (last != b"\n")


def record_of(line: bytes) -> logging.LogRecord | None:
    """Return a record for a stored line, an event or an ordinary one; None where it is neither."""
    try:
        stored = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if type(stored) is not dict:
        return None
    if all(type(stored.get(name)) is str for name in ("schema_version", "event_id", "event_type")):
        event = Audited(stored)
        event.line = line.strip()
        record = _record(stored, "logger", "level", stored["event_type"])
        return event_record(record, event, {name: str(record.__dict__.get(name)) for name in CHOSEN_NAMES})
    message = stored.pop("message", None)
    record = _record(stored, "name", "levelname", message if type(message) is str else json.dumps(message))
    for name, place in (("exc_info", "exc_text"), ("stack_info", "stack_info")):
        if name in stored:
            record.__dict__[place] = _text(stored.pop(name))
    for name in ("name", "levelname", "timestamp"):
        stored.pop(name, None)
    record.__dict__.update((f"{name}_" if name in RESERVED else name, value) for name, value in stored.items())
    return record


def _record(stored: dict[str, Any], logger: str, level: str, message: str) -> logging.LogRecord:
    name = stored.get(logger)
    record = logging.LogRecord(
        name if type(name) is str else "agentlogsafe", _level(stored.get(level)), "", 0, message, None, None
    )
    with suppress(ValueError, TypeError, OverflowError, OSError):
        created = parse_time(str(stored.get("timestamp"))).timestamp()
        record.created, record.msecs = created, created * 1000 % 1000
    return record


def _level(name: object) -> int:
    text = str(name).upper()
    level = logging.getLevelName(text)
    if type(level) is int:
        return level
    number = text.removeprefix("LEVEL ")
    return int(number) if number.isdecimal() and len(number) < 5 else logging.INFO  # noqa: PLR2004


def _text(value: object) -> str:
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value)


@contextmanager
def interruptible(stop: Callable[[], None]) -> Iterator[None]:
    """Call *stop* on the first SIGINT or SIGTERM, so that no line is in flight; let the second one interrupt."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def first(_number: int, _frame: object) -> None:
        for number in before:
            signal.signal(number, signal.default_int_handler)
        stop()

    for number in before:
        signal.signal(number, first)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def command(path: Path, config: Path, *, remove: bool) -> Outcome:
    """Configure logging and deliver, with a progress bar where stderr is a terminal.

    Raises:
        AgentLogSafeError: for a configuration or a file that cannot be used.
        OSError: when what is done cannot be remembered, or a line not be kept aside.
    """
    from rich.console import Console  # noqa: PLC0415 -- of the extra 'cli'
    from rich.progress import Progress as Bar  # noqa: PLC0415

    configure(config)
    delivery = Delivery(path, targets_of(path))
    console = Console(stderr=True)
    with Bar(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(path.name, total=delivery.size())
        delivery.advance = lambda done: bar.advance(task, done)
        with interruptible(delivery.stop):
            return delivery.run(remove=remove)


def sentences(path: Path, outcome: Outcome) -> list[str]:
    """Say what was done."""
    done = f"{outcome.delivered} delivered, {outcome.rejected} rejected, {outcome.left} left"
    said = [f"agentlogsafe: {outcome.files} {'file' if outcome.files == 1 else 'files'}: {done}"]
    if outcome.rejected:
        said.append(f"agentlogsafe: what is no line of JSON is kept in {path.name + '.rejected'!r}")
    if outcome.left:
        why = outcome.failure or "interrupted"
        said.append(f"agentlogsafe: stopped, {why}; repeat the command to go on where it stopped")
    said += [f"agentlogsafe: removed {name.name!r}" for name in outcome.removed]
    return said
