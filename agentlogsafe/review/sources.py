"""Where lines come from: files, folders, globs, standard input; plain, compressed, or Parquet; here or far away.

A long plain file is read in parts, by several processes. A part ends where a line does, and where no line is in the
middle of being put together from what a container runtime split.
"""

from __future__ import annotations

import glob
import gzip
import io
import os
import re
import shutil
import stat
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlsplit

import orjson

from agentlogsafe.errors import AgentLogSafeError, MissingExtraError
from agentlogsafe.review.lines import Line, is_ours, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

PART = 16 * 2**20
_BLOCK = 2**20
_LOOK_BACK = 2**18
_MAGIC = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"PAR1", "parquet"))
_TEXTS = ("message", "log", "line", "value", "raw", "body", "text", "MESSAGE", "_raw")
_STDIN = "-"
_SPLIT = re.compile(rb"\d{4}-\S+ (stdout|stderr) ([PF])")


class UnusableError(AgentLogSafeError):
    """The input cannot be read at all."""


class Source(NamedTuple):
    """One file of the input."""

    path: str
    """As it was named or found; with ``scheme://``, on object storage."""
    size: int
    form: str
    """``plain``, ``gzip``, ``zstd`` or ``parquet``."""
    name: str
    """What it is called in findings."""


class Part(NamedTuple):
    """A stretch of a file that one process reads."""

    path: str
    form: str
    start: int
    end: int
    """The byte after the last; of a Parquet file, the row group after the last."""


def find(paths: Sequence[str | os.PathLike[str]], spool: Path | None = None) -> list[Source]:
    """Return the files that *paths* name, each once, in order.

    A folder stands for the files below it, but hidden ones. ``-`` is standard input; it is copied to *spool*, as is
    what comes from a pipe.

    Raises:
        UnusableError: for a path that names nothing, or nothing that can be read.
    """
    found: dict[str, Source] = {}
    for given in paths:
        path = os.fspath(given)
        for name in _expanded(path, spool):
            if isinstance(name, Source):
                found[name.path] = name
            else:
                found.setdefault(os.path.realpath(name), _source(name))
    if not found:
        msg = f"nothing to read: {', '.join(map(str, paths)) or 'no path is given'}"
        raise UnusableError(msg)
    return list(found.values())


def _expanded(path: str, spool: Path | None) -> Iterator[str | Source]:
    if path == _STDIN:
        yield _copied(sys.stdin.buffer, path, spool)
    elif "://" in path:
        yield from _remote(path)
    elif os.path.isdir(path):  # noqa: PTH112 -- as text, since the text is what findings show
        for root, folders, files in os.walk(path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(files):
                full = os.path.join(root, name)  # noqa: PTH118 -- as above
                if not name.startswith(".") and os.path.isfile(full):  # noqa: PTH113 -- as above
                    yield full
    elif is_pipe(path):
        with opened(path) as pipe:
            yield _copied(pipe, path, spool)
    elif os.path.exists(path):  # noqa: PTH110 -- as above
        yield path
    else:
        matching = [name for name in sorted(glob.glob(path, recursive=True)) if os.path.isfile(name)]  # noqa: PTH113, PTH207
        if not matching:
            msg = f"{path!r} does not exist, and no file matches it"
            raise UnusableError(msg)
        yield from matching


def is_pipe(path: str) -> bool:
    """Return whether *path* is neither a file nor a folder: what comes from there comes once."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 -- as above
    except (OSError, ValueError):
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _copied(pipe: IO[bytes], name: str, spool: Path | None) -> Source:
    """Return a copy of what comes through a pipe, which can be read but once."""
    handle, path = tempfile.mkstemp(dir=spool, prefix="pipe-")
    with os.fdopen(handle, "wb") as copy:
        shutil.copyfileobj(pipe, copy, 2**20)
    return _source(path)._replace(name=name)


def _source(name: str) -> Source:
    try:
        with open(name, "rb") as file:  # noqa: PTH123 -- as above
            head = file.read(4)
            size = os.fstat(file.fileno()).st_size
    except OSError as error:
        msg = f"{name!r} cannot be read: {error.strerror or type(error).__name__}"
        raise UnusableError(msg) from error
    return Source(name, size, _form(head), name)


def _form(head: bytes) -> str:
    return next((form for magic, form in _MAGIC if head.startswith(magic)), "plain")


def _remote(url: str) -> Iterator[Source]:
    """Yield the objects that *url* names or is the beginning of, as far as pyarrow has a file system for it."""
    from pyarrow import fs  # noqa: PLC0415 -- of the extra 'review'; local files need no file system

    try:
        system, path = fs.FileSystem.from_uri(url)
        info = system.get_file_info(path)
        single = info.type == fs.FileType.File
        infos = [info] if single else system.get_file_info(fs.FileSelector(path, recursive=True))
        for item in sorted(infos, key=lambda item: str(item.path)):
            if item.type == fs.FileType.File and (single or not item.base_name.startswith((".", "_"))):
                with system.open_input_file(item.path) as file:
                    head = file.read(4)
                yield Source(_beside(url, item.path), item.size, _form(head), _shown(url, item.path))
    except (OSError, ValueError) as error:
        msg = f"{_shown(url)!r} cannot be read: {error}"
        raise UnusableError(msg) from error


def _beside(url: str, path: str) -> str:
    """Return the URL of *path* in the storage that *url* names, with whatever it says about how to get there."""
    parsed = urlsplit(url)
    if path.startswith("/"):  # of a host
        return parsed._replace(path=quote(path)).geturl()
    user, at, _ = parsed.netloc.rpartition("@")
    bucket, _, key = path.partition("/")
    return parsed._replace(netloc=f"{user}{at}{bucket}", path=f"/{quote(key)}").geturl()


def _shown(url: str, path: str | None = None) -> str:
    """Return a URL for people: it can bring credentials with it, before an ``@`` and behind a question mark."""
    parsed = urlsplit(url)
    host = parsed.netloc.rpartition("@")[2]
    if path is None:
        path = f"{host}{parsed.path}"
    elif path.startswith("/"):
        path = f"{host}{path}"
    return f"{parsed.scheme}://{path}"


def opened(path: str) -> IO[bytes]:
    """Open a file here or far away, to be read and to be sought in."""
    if "://" not in path:
        return open(path, "rb")  # noqa: PTH123 -- the caller closes it
    from pyarrow import fs  # noqa: PLC0415 -- as above

    system, inner = fs.FileSystem.from_uri(path)
    file: IO[bytes] = system.open_input_file(inner)
    return file


def parts(source: Source, size: int = PART) -> list[Part]:
    """Return the parts that *source* is read in, each about *size* bytes."""
    if source.form == "parquet":
        from pyarrow import parquet  # noqa: PLC0415 -- as above

        with opened(source.path) as file:
            groups = parquet.ParquetFile(file).num_row_groups
        return [Part(source.path, source.form, group, group + 1) for group in range(groups)]
    if source.form != "plain" or source.size <= size:
        return [Part(source.path, source.form, 0, source.size)]
    places = [0]
    with opened(source.path) as file:
        while places[-1] + size < source.size:
            place = _line_end(file, places[-1] + size)
            if place is None or place >= source.size:
                break
            places.append(place)
    return [Part(source.path, source.form, *pair) for pair in zip(places, [*places[1:], source.size], strict=True)]


def _line_end(file: IO[bytes], place: int) -> int | None:
    """Return where, from *place* on, a line ends and none is left half; None where that is nowhere."""
    before = max(0, place - _LOOK_BACK)  # where parts of a line may have begun
    file.seek(before)
    if before:
        file.readline()
    half: set[bytes] = set()
    for line in iter(file.readline, b""):
        _note_part(line, half)
        if not half and file.tell() > place:
            return file.tell()
    return None


def _note_part(line: bytes, half: set[bytes]) -> None:
    """Add the output that *line* is a first part for to those that are *half* written, or remove it."""
    if line[:8] == b'{"log":"':
        (half.discard if b'\\n","stream":' in line else half.add)(b"docker")
        return
    match = _SPLIT.match(line)
    if match is not None:
        (half.discard if match[2] == b"F" else half.add)(match[1])


def raw_lines(part: Part, tally: list[int] | None = None) -> Iterator[bytes]:
    """Yield the lines of a *part* with their ends. Not of a Parquet file, which has none.

    Args:
        part: what to read.
        tally: its first item is set to the number of lines.

    Raises:
        OSError, EOFError: where a file is cut, or damaged.
        MissingExtraError: without what reads its compression.
    """
    for block in blocks(part, _BLOCK):
        for line in block:
            if tally is not None:
                tally[0] += 1
            yield line


def blocks(part: Part, size: int) -> Iterator[io.BytesIO]:
    """Yield the text of a *part*, about so many bytes at a time, each to the end of a line; errors as above."""
    with opened(part.path) as file:
        if part.form == "plain":
            yield from _plain_blocks(file, part, size)
            return
        with gzip.open(file, "rb") if part.form == "gzip" else _zstd(file) as plain:
            yield from _whole_lines(plain, size)


def _plain_blocks(file: IO[bytes], part: Part, size: int) -> Iterator[io.BytesIO]:
    place = file.seek(part.start)
    while place < part.end:
        block = io.BytesIO(file.read(min(size, part.end - place)))
        length = len(block.getvalue())
        if not length:
            return
        if place + length < part.end:  # then the end of its last line is still to be read
            whole = block.getvalue().rfind(b"\n") + 1
            file.seek(place + whole)
            if not whole:
                size *= 2
                continue
            block.truncate(whole)  # without a copy: nobody else holds its bytes
            length = whole
        place += length
        yield block


def _whole_lines(file: Iterable[bytes], size: int) -> Iterator[io.BytesIO]:
    """Yield what can be read of a *file* in blocks, also what comes before the place where it is damaged."""
    lines: list[bytes] = []
    held = 0
    try:
        for line in file:
            lines.append(line)
            held += len(line)
            if held >= size:
                yield io.BytesIO(b"".join(lines))
                lines, held = [], 0
    except Exception:
        if lines:
            yield io.BytesIO(b"".join(lines))
        raise
    if lines:
        yield io.BytesIO(b"".join(lines))


@contextmanager
def _zstd(file: IO[bytes]) -> Iterator[IO[bytes]]:
    try:
        import zstandard  # noqa: PLC0415 -- an extra
    except ImportError as error:
        msg = "files compressed with zstd need the package zstandard: pip install 'agentlogsafe[review]'"
        raise MissingExtraError(msg) from error
    try:
        with zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True) as plain:
            yield io.BufferedReader(plain, 2**18)
    except zstandard.ZstdError as error:
        raise OSError(str(error)) from error


def lines(part: Part, tally: list[int] | None = None) -> Iterator[Line]:
    """Yield what the lines (or rows) of a *part* are, numbered from 1 at its beginning; *tally* as in `raw_lines`."""
    if part.form == "parquet":
        yield from _rows(part, tally if tally is not None else [0])
    else:
        yield from read(raw_lines(part, tally))


def _rows(part: Part, tally: list[int]) -> Iterator[Line]:
    """Yield the rows of a row group: with a column that holds lines, or with an event's fields as columns."""
    from pyarrow import parquet  # noqa: PLC0415 -- as above

    number = 0
    with opened(part.path) as file:
        table = parquet.ParquetFile(file)
        names = table.schema_arrow.names
        carrier = next((name for name in _TEXTS if name in names), None) if "event_id" not in names else None
        for batch in table.iter_batches(4_096, row_groups=list(range(part.start, part.end))):
            for row in batch.to_pylist():
                tally[0] = number = number + 1
                if carrier is not None:
                    text = row[carrier]
                    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else bytes(text or b"")
                    for line in read([raw + b"\n"], number):
                        yield line._replace(wrapping="parquet")
                    continue
                event = {name: _plain(value) for name, value in row.items()}
                ours = is_ours(event)
                text = orjson.dumps(event, default=str)
                yield Line(number, "parquet", event if ours else None, text, None if ours else "foreign")


def _plain(value: Any) -> Any:
    """Return a Parquet value as JSON has it: objects that are kept as text are parsed."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return orjson.loads(value)
        except ValueError:
            return value
    if hasattr(value, "isoformat"):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items() if inner is not None}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def checkpoint_lines(paths: Iterable[str | os.PathLike[str]]) -> Iterator[tuple[str, int, Any]]:
    """Yield file, line number and the parsed line of each line of checkpoint files; None where it is no object."""
    with tempfile.TemporaryDirectory(prefix="agentlogsafe-") as spool:  # for what comes through pipes
        for source in find(list(paths), Path(spool)):
            for number, raw in enumerate(raw_lines(Part(source.path, source.form, 0, source.size)), 1):
                if raw.strip():
                    try:
                        yield source.name, number, orjson.loads(raw)
                    except ValueError:
                        yield source.name, number, None
