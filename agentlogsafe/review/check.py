"""A loaded input: what was read, and what the rules say of it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentlogsafe.errors import ConfigurationError, check_choice
from agentlogsafe.review import compiled, sources
from agentlogsafe.review.engines import DuckDB
from agentlogsafe.review.tables import EVENTS, KINDS, SEVERITIES, SOURCES, Finding
from agentlogsafe.seal import key_id, load_public_key, verify_checkpoint

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from typing_extensions import Self

    from agentlogsafe.review.engines import Engine, Row

_SHORTEST_KEY = 16
_ORDER = {name: place for place, name in enumerate(KINDS)}
_WEIGHT = {name: place for place, name in enumerate(SEVERITIES)}


class Review:
    """Stored events that were read, to be asked; a context manager.

    Made by `load`. While it is open, rows of a large input are on the disk, in the system's folder for temporary files.
    """

    def __init__(self, engine: Engine, spool: Path) -> None:
        self._engine, self._spool = engine, spool

    @classmethod
    def load(
        cls,
        paths: Sequence[str | os.PathLike[str]],
        *,
        keys: Sequence[bytes] = (),
        checkpoints: Sequence[str | os.PathLike[str]] = (),
        public_keys: Sequence[bytes] = (),
        engine: str = "duckdb",
        master: str | None = None,
        workers: int | None = None,
        details: bool = True,
        progress: Callable[[int, int], None] | None = None,
    ) -> Review:
        """Read *paths*: files, folders, patterns, ``-``, or URLs of object storage.

        Args:
            paths: what to read.
            keys: the first keys of keyed streams.
            checkpoints: files of checkpoints.
            public_keys: Ed25519 keys of trusted signers, as `agentlogsafe.seal.load_public_key` takes them. With some,
                only checkpoints that one of them signed count.
            engine: ``duckdb`` or ``spark``.
            master: of Spark, such as ``spark://host:7077`` or ``local[2]``.
            workers: how many processes read; by default one for each core, or none for a short input.
            details: whether to keep what no rule asks for, such as tokens and durations; `columns.DETAILS` are null
                without, where that saves time.
            progress: called with the bytes read so far and those in all.

        Raises:
            UnusableError: when nothing can be read.
            ConfigurationError: for an unfit engine or key.
            MissingExtraError: when the engine is not installed.
        """
        check_choice("engine", engine, ("duckdb", "spark"))
        for key in keys:
            if len(key) < _SHORTEST_KEY:
                msg = f"key: expected at least {_SHORTEST_KEY} bytes, got {len(key)}"
                raise ConfigurationError(msg)
        spool = Path(tempfile.mkdtemp(prefix="agentlogsafe-"))
        try:
            inputs = sources.find(paths, spool)
            made: Engine
            if engine == "spark":
                from agentlogsafe.review.spark import Spark  # noqa: PLC0415 -- an extra

                made = Spark(master)
            else:
                made = DuckDB(spool, workers, details=details)
            review = cls(made, spool)
            total = sum(source.size for source in inputs)
            made.load(
                inputs,
                keys,
                _checkpoint_rows(checkpoints, public_keys),
                [(key_id(key),) for key in keys],
                None if progress is None else lambda done: progress(done, total),
            )
        except BaseException:
            shutil.rmtree(spool, ignore_errors=True)
            raise
        return review

    def findings(self, family: str | None = None) -> list[Finding]:
        """Return what the rules find, the gravest first; of one *family* (``integrity``, ``completeness``), or all."""
        written = compiled.load()
        names = [name for of, listed in written.families.items() if family in (None, of) for name in listed]
        reasons = {None, *(why for (why,) in self._engine.rows("reasons"))}
        asked = [name for name in names if written.suspected.get(name) in reasons]
        found = [Finding(*row) for name in asked for row in self._engine.rows(name)]
        return sorted(found, key=_rank)

    def summary(self, name: str) -> list[dict[str, Any]]:
        """Return the rows of a summary, sorted by all of its columns."""
        rows = self._engine.rows(name)
        columns = self._engine.columns[name]
        return [dict(zip(columns, row, strict=True)) for row in sorted(rows, key=_comparable)]

    def events(self, **equal: Any) -> list[dict[str, Any]]:
        """Return events, as rows of the table ``events``, whose columns have these values, by file and line."""
        return [dict(zip(EVENTS, row, strict=True)) for row in self._engine.table("events", equal)]

    def sources(self) -> list[dict[str, Any]]:
        """Return the rows of the table ``sources``."""
        return [dict(zip(SOURCES, row, strict=True)) for row in self._engine.table("sources", {})]

    def close(self) -> None:
        """Give back memory and disk."""
        self._engine.close()
        shutil.rmtree(self._spool, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _rank(finding: Finding) -> tuple[Any, ...]:
    return (_WEIGHT[finding.severity], _ORDER.get(finding.kind, len(KINDS)), *_comparable(finding))


def _comparable(row: Row) -> tuple[Any, ...]:
    """Return something to sort rows by, nulls first."""
    return tuple((value is not None, "" if value is None else value) for value in row)


def _checkpoint_rows(paths: Sequence[str | os.PathLike[str]], public_keys: Sequence[bytes]) -> list[Row]:
    """Return the table ``checkpoints``."""
    if not paths:
        return []
    try:
        trusted = [load_public_key(data) for data in public_keys]
    except ValueError as error:
        msg = f"public key: {error}"
        raise ConfigurationError(msg) from error
    rows: list[Row] = []
    for name, number, found in sources.checkpoint_lines(paths):
        if not _is_checkpoint(found):
            rows.append((name, number, *(None,) * 6, "malformed"))
            continue
        kept = tuple(found.get(field) for field in ("stream", "seq", "hash", "key", "time", "signer"))
        rows.append((name, number, *kept, _trust(found, trusted)))
    return rows


def _is_checkpoint(found: Any) -> bool:
    return (
        type(found) is dict
        and type(found.get("seq")) is int
        and all(type(found.get(name)) is str for name in ("stream", "hash"))
        and all(type(found.get(name)) in (str, type(None)) for name in ("key", "time", "signer", "signature"))
    )


def _trust(found: dict[str, Any], trusted: list[Any]) -> str:
    """Return how far a checkpoint can be relied on: one of the verdicts that the table has."""
    if any(verify_checkpoint(found, key) for key in trusted):
        return "ok"
    if found.get("signature") is not None and not verify_checkpoint(found):
        return "bad"
    return "untrusted" if trusted else "accepted"
