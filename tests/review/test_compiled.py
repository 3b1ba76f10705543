"""The SQL that is written down."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from agentlogsafe.review import rules
from agentlogsafe.review.check import Review
from agentlogsafe.review.tables import FINDINGS, SCHEMAS, STAGES, Tables
from tests.review import logs

PROGRAM = """
from agentlogsafe.review import compiled
written, made = compiled.load(), compiled.compile_all()
assert (written.families, written.suspected) == (made.families, made.suspected)
assert written.sql.keys() == made.sql.keys()
print(*(name for name in made.sql if written.made_with == made.made_with and written.sql[name] != made.sql[name]))
"""


def test_is_what_ibis_compiles_now():
    """It equals what Ibis makes of the rules, in the release that wrote it down: they are written once."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [], "run: python -m agentlogsafe.review.compiled"


def test_small_input_needs_no_ibis(tmp_path):
    """A small file is checked without importing Ibis, numpy, pandas or Arrow, which take longer than the check."""
    (tmp_path / "log").write_text("{}\n")
    program = (
        "import sys; from agentlogsafe.review.check import Review\n"
        f"with Review.load([{str(tmp_path)!r}]) as review: review.findings(); review.summary('runs')\n"
        "print(*{'ibis', 'numpy', 'pandas', 'pyarrow'} & set(sys.modules))"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.split() == []


@pytest.mark.parametrize(
    "rule", [rule for listed in rules.FAMILIES.values() for rule in listed], ids=lambda r: r.__name__
)
def test_rules_return_findings(rule):
    """Every rule returns the columns of a finding, with their types."""
    schema = rule(Tables.unbound()).schema()

    assert {name: str(dtype).lstrip("!") for name, dtype in schema.items()} == FINDINGS


def test_derived_tables_have_their_schema():
    """What an engine derives has the columns that rules ask for."""
    for name, made in rules.DERIVED.items():
        schema = made(Tables.unbound()).schema()

        assert {column: str(dtype).lstrip("!") for column, dtype in schema.items()} == SCHEMAS[name]


def test_rules_about_suspects_ask_nothing_else(tmp_path):
    """A rule that is not asked where there are no suspects would find nothing then."""
    lines = logs.sealed(logs.rng(1))
    (tmp_path / "log").write_bytes(b"".join([*lines[1:-1], *lines[1:4], *logs.sealed(logs.rng(2))[:-2]]))
    with Review.load([tmp_path]) as review:
        before = [review._engine.rows(name) for name in rules.SUSPECTED]
        for name in ("suspects", *STAGES):
            review._engine._connection.execute(f"DELETE FROM {name}")
        after = [review._engine.rows(name) for name in rules.SUSPECTED]

    assert any(before)
    assert after == [[]] * len(rules.SUSPECTED)
