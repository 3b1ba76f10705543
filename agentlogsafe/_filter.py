"""The filter behind `agentlogsafe redact`: lines in, redacted lines out, in bounded memory."""

from __future__ import annotations

import codecs
import io
import json
import re
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any, cast

import orjson

from agentlogsafe.redaction import Report, compile_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# A filter should not cut what it is given, so these limits are far beyond what logs hold. They bound what one line, or
# one block of lines, can cost. A line that is longer is withheld: half of one cannot be redacted safely.
_DEPTH, _ITEMS = 100, 1_000_000
_LONGEST = 4_000_000
_KEY = 64_000

_KEY_BEGINS = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?!.*-----END )")
_BRACKETS = {"{": "}", "[": "]"}
_ENCODINGS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class Filter:
    """Redacts streams of lines under one policy.

    Args:
        policy: whatever `RedactionPolicy.load` takes.

    Raises:
        ConfigurationError: for a policy that is none.
    """

    def __init__(self, policy: Path | str | None = None) -> None:
        self._redactor = compile_policy(policy, depth=_DEPTH, items=_ITEMS)
        self._report = Report()

    @property
    def counts(self) -> dict[str, int]:
        """How many values were redacted so far, by category."""
        return self._report.counts

    @property
    def problems(self) -> list[str]:
        """What was withheld or cut, and why."""
        cut = sorted({str(note["reason"]) for note in self._report.truncated})
        return [*self._report.problems, *(f"a value was cut, it is too large or too deep ({reason})" for reason in cut)]

    def redacted(self, source: IO[bytes]) -> Iterator[str]:
        """Yield the redacted lines of *source*, each as soon as it is complete; lines of a block come together."""
        lines = _Lines(source, self._report)
        for line in lines:
            if _KEY_BEGINS.search(line) and _parsed(line) is None:
                # An unfinished key is masked up to the end of what is given: missing its end hides more, not less.
                block, _ = _until(lambda text: "-----END " in text, line, lines, _KEY)
                last = block[-1]
                end = last[len(last.rstrip("\r\n")) :]
                yield self._text("".join(block).removesuffix(end)) + end
            elif line.rstrip() in _BRACKETS and not lines.again:
                yield self._document(line, lines)
            else:
                yield self._one(line)

    def _document(self, first: str, lines: _Lines) -> str:
        """Return a JSON document over several lines, redacted; or only *first*, where no document begins with it."""
        closing = _BRACKETS[first.rstrip()]
        block, closed = _until(lambda text: text.rstrip() == closing, first, lines, _LONGEST)
        value = _parsed("".join(block)) if closed else None
        if value is None:
            lines.again = block[:0:-1]
            return self._one(first)
        clean = self._redactor.copy(value, self._report)
        return orjson.dumps(clean, option=orjson.OPT_INDENT_2).decode() + "\n"

    def _one(self, line: str) -> str:
        """Return one redacted line."""
        body = line.rstrip()
        end = line[len(body) :]
        comma = "," if body.endswith(",") else ""  # a line of an array
        body = body[: len(body) - len(comma)]
        # What follows a prefix, such as a container's name or a time, may be JSON too.
        for start in dict.fromkeys((len(body) - len(body.lstrip()), body.find("{"))):
            value = _parsed(body[start:]) if start >= 0 else None
            if value is not None:
                clean = orjson.dumps(self._redactor.copy(value, self._report)).decode()
                return self._text(body[:start]) + clean + comma + end
        return self._text(body + comma) + end

    def _text(self, text: str) -> str:
        return self._redactor.text(text, self._report) if text else text


class _Lines:
    """The lines of a stream, whatever bytes they are made of; those put into ``again`` come again, last first."""

    def __init__(self, source: IO[bytes], report: Report) -> None:
        self.again: list[str] = []
        self._report = report
        buffer: Any = source if hasattr(source, "peek") else io.BufferedReader(cast("io.RawIOBase", source))
        start = buffer.peek(3)
        encoding = next((name for mark, name in _ENCODINGS if start.startswith(mark)), "utf-8")
        self._text: io.TextIOWrapper | None = io.TextIOWrapper(buffer, encoding, "backslashreplace", newline="\n")

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.again:
            return self.again.pop()
        if self._text is None:
            raise StopIteration
        line = self._text.readline(_LONGEST)
        if not line:
            self._text.detach()  # else it would close the stream, which is its owner's to do
            self._text = None
            raise StopIteration
        if len(line) < _LONGEST or line.endswith("\n"):
            return line
        while line and not line.endswith("\n"):
            line = self._text.readline(_LONGEST)
        self._report.problem(f"a line of more than {_LONGEST} characters was withheld")
        return "[WITHHELD]\n"


def _until(ends: Callable[[str], bool], first: str, lines: Iterator[str], most: int) -> tuple[list[str], bool]:
    """Return the lines from *first* to the one that *ends* them, and whether it came within *most* characters."""
    block, size = [first], len(first)
    for line in lines:
        block.append(line)
        size += len(line)
        if ends(line):
            return block, True
        if size > most:
            break
    return block, False


def _parsed(text: str) -> object:
    """Return the JSON object or array that *text* is; None where it is none."""
    text = text.strip()
    if _BRACKETS.get(text[:1]) != text[-1:]:
        return None
    # orjson knows no integers beyond 64 bits and no NaN, which json does; those lines are JSON to their readers.
    for loads in (orjson.loads, json.loads):
        with suppress(ValueError, RecursionError):
            found: object = loads(text)
            return found
    return None
