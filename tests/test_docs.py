"""Every code block of the README and the docs runs.

The blocks of a page run in one fresh process, in order, in an empty folder, and share one namespace. HTML comments in
front of a block, which readers do not see, say what is different about it:

``<!-- not run: REASON -->``
    it is left out;
``<!-- alone -->``
    a Python block with a process and a folder of its own;
``<!-- file: NAME -->``
    it is written to that file first, for the other blocks to use;
``<!-- exits N -->``
    the last command of a console block ends with that status.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from tests.helpers import unmeasured

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = None

ROOT = Path(__file__).resolve().parent.parent
PAGES = [*ROOT.glob("README.md"), *sorted(ROOT.glob("docs/**/*.md"))]

# Whatever is not run is still named, so that a misspelt language does not pass for a text.
UNCHECKED = {"", "diff", "ini", "text", "{eval-rst}", "{toctree}"}
SHELL = {"bash", "console"}
DATA = {"json", "jsonl", "toml", "yaml"}

OPENING = re.compile(r"(?P<indent>\s*)(?P<fence>`{3,})(?P<language>\S*)")
MARK = re.compile(r"\s*<!--\s*(?P<name>not run|alone|file|exits)\b:?\s*(?P<text>.*?)\s*-->\s*$")
COMMAND = re.compile(r"(^|[|;&]\s*)agentlogsafe\s")

# Compiling each block under the page's name and line makes a traceback point at the page.
RUN_BLOCKS = """
import json, sys
namespace = {"__name__": "__main__"}
for page, line, source in json.load(sys.stdin):
    exec(compile("\\n" * line + source, page, "exec"), namespace)
"""
LOAD_DICT_CONFIG = "import json, logging.config, sys; logging.config.dictConfig(json.load(sys.stdin))"


@dataclass
class Block:
    """A fenced block: where it opens, what it says, and the comments in front of it."""

    page: str
    line: int
    language: str
    source: str
    marks: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks_of(path: Path) -> list[Block]:
    """Read the fenced blocks of a Markdown page."""
    blocks: list[Block] = []
    marks: dict[str, str] = {}
    lines = iter(enumerate(path.read_text("utf-8").splitlines(), start=1))
    for number, line in lines:
        if mark := MARK.match(line):
            marks[mark["name"]] = mark["text"]
        elif opening := OPENING.match(line):
            body = []
            for _, inner in lines:
                if inner.strip() == opening["fence"]:
                    break
                body.append(inner)
            source = textwrap.dedent("\n".join(body)) + "\n"
            blocks.append(Block(_name(path), number, opening["language"], source, marks))
            marks = {}
        elif line.strip() and not line.lstrip().startswith("<!--"):
            marks = {}
    return blocks


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name


def run(command: list[str], folder: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run *command* in *folder*, with the scripts of this interpreter's environment first on the path."""
    scripts = str(Path(sys.executable).parent)
    env = {**unmeasured(), "PATH": os.pathsep.join([scripts, os.environ.get("PATH", "")]), "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        command, cwd=folder, env=env, input=stdin, capture_output=True, encoding="utf-8", timeout=120, check=False
    )


def run_python(blocks: list[Block], folder: Path) -> None:
    """Run Python blocks in one process."""
    done = run([sys.executable, "-c", RUN_BLOCKS], folder, json.dumps([(b.page, b.line, b.source) for b in blocks]))
    assert done.returncode == 0, f"{blocks[0].page}\n{done.stdout}{done.stderr}"


def run_shell(block: Block, folder: Path) -> None:
    """Run those commands of a shell block in which our own command occurs."""
    source = block.source.replace("\\\n", " ")
    if block.language == "console":  # the rest is output
        lines = [line[2:] for line in source.splitlines() if line.startswith("$ ")]
    else:
        lines = source.splitlines()
    ours = [line for line in lines if COMMAND.search(line + " ")]
    for line in ours:
        done = run(["bash", "-c", line], folder)
        expected = int(block.marks.get("exits", 0)) if line is ours[-1] else 0
        assert done.returncode == expected, f"{block}: {line}\n{done.stdout}{done.stderr}"


def check_data(block: Block, folder: Path) -> None:
    """Parse a data block; what looks like a logging configuration has to load, too."""
    if block.language == "yaml":
        data = yaml.safe_load(block.source)
    elif block.language == "jsonl":
        data = [json.loads(line) for line in block.source.splitlines()]
    elif block.language == "json":
        data = json.loads(block.source)
    elif tomllib:
        data = tomllib.loads(block.source)
    else:  # Python 3.10 has no TOML reader; the others check it
        return
    if isinstance(data, dict) and data.get("version") == 1:
        done = run([sys.executable, "-c", LOAD_DICT_CONFIG], folder, json.dumps(data))
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"


def run_page(path: Path, folder: Path) -> None:
    """Run whatever can run of one page."""
    blocks = [block for block in blocks_of(path) if "not run" not in block.marks]
    together = folder / "page"
    together.mkdir()
    for block in blocks:
        if name := block.marks.get("file"):
            (together / name).write_text(block.source, "utf-8")

    python = [block for block in blocks if block.language == "python"]
    if shared := [block for block in python if "alone" not in block.marks]:
        run_python(shared, together)
    for block in python:
        if "alone" in block.marks:
            own = folder / f"line-{block.line}"
            own.mkdir()
            run_python([block], own)
    for block in blocks:
        if block.language in SHELL:
            run_shell(block, together)
        elif block.language in DATA:
            check_data(block, together)


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_page_runs(path, tmp_path):
    """The code on the page does what the page says it does, as far as not failing goes."""
    run_page(path, tmp_path)


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_page_is_understood(path):
    """Every block is in a language that is run, parsed, or left alone on purpose; leaving one out needs a reason."""
    for block in blocks_of(path):
        known = {"python", *SHELL, *DATA, *UNCHECKED}
        assert block.language in known, f"{block}: unknown language {block.language!r}"
        assert block.marks.get("not run", "a reason"), f"{block}: 'not run' without a reason"


def test_pages_are_found():
    """The tests above have something to look at."""
    assert ROOT / "docs/index.md" in PAGES


class TestRunner:
    """A runner that never fails would make the tests above worthless."""

    @pytest.mark.parametrize(
        "page",
        [
            "```python\n1 / 0\n```",
            "```python\nx = 1\n```\n\n<!-- alone -->\n```python\nx\n```",
            "```yaml\nversion: 1\nroot: {handlers: [missing]}\n```",
            "```yaml\na: [\n```",
            "```json\n{'a': 1}\n```",
            '```jsonl\n{"a": 1}\nb\n```',
            "```console\n$ agentlogsafe no-such-command\n```",
            "```bash\necho x | agentlogsafe no-such-command\n```",
        ],
    )
    def test_fails(self, page, tmp_path):
        """A block that does not work fails its page."""
        path = tmp_path / "page.md"
        path.write_text(page)

        with pytest.raises((AssertionError, ValueError, yaml.YAMLError)):
            run_page(path, tmp_path)

    @pytest.mark.parametrize(
        "page",
        [
            "```python\nx = 1\n```\n\ntext\n\n```python\nassert x == 1\n```",
            "<!-- not run: it divides by zero -->\n\n```python\n1 / 0\n```",
            "<!-- file: a.txt -->\n```text\nhello\n```\n```python\nassert open('a.txt').read() == 'hello\\n'\n```",
            "- in a list:\n\n  ```python\n  x = 1\n  ```",
            "```yaml\nversion: 1\nroot: {level: INFO}\n```",
            "```console\n$ rm -rf not-ours\nsome output\n```",
        ],
    )
    def test_passes(self, page, tmp_path):
        """A block that works, is marked, or is not ours to run passes."""
        path = tmp_path / "page.md"
        path.write_text(page)

        run_page(path, tmp_path)

    def test_a_failure_points_at_the_line_of_the_page(self, tmp_path):
        """The traceback names the page and the line, as an editor shows it."""
        path = tmp_path / "page.md"
        path.write_text("# Title\n\n```python\nx = 1\n1 / 0\n```\n")

        with pytest.raises(AssertionError, match=r'"page\.md", line 5'):
            run_page(path, tmp_path)
