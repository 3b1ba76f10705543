"""The SQL of every rule for DuckDB, as Ibis compiles it, so that a small file is checked without importing Ibis.

``python -m agentlogsafe.review.compiled`` writes it down anew. Rules are written once, in `integrity` and
`completeness`; a test holds this file against what Ibis makes of them now.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import orjson

_FILE = "compiled.json"


class Compiled(NamedTuple):
    """What is written down."""

    made_with: dict[str, str]
    """What compiled it: other versions, or sets in another order, may write the same in other words."""
    families: dict[str, list[str]]
    """The names of the rules, by family."""
    suspected: dict[str, str]
    """`rules.SUSPECTED`."""
    sql: dict[str, str]
    """The SQL of rules, summaries and derived tables, by name."""


def load() -> Compiled:
    """Return what is written down."""
    return Compiled(**orjson.loads(resources.files(__package__).joinpath(_FILE).read_bytes()))


def compile_all() -> Compiled:
    """Return what Ibis makes of everything now."""
    from importlib import metadata  # noqa: PLC0415 -- as below

    import ibis  # noqa: PLC0415 -- what this module is there to avoid

    from agentlogsafe.review import rules  # noqa: PLC0415 -- as above
    from agentlogsafe.review.tables import Tables  # noqa: PLC0415 -- as above

    unbound = Tables.unbound()
    return Compiled(
        {name: metadata.version(name) for name in ("ibis-framework", "sqlglot")} | {"hash": sys.hash_info.algorithm},
        {family: [rule.__name__ for rule in listed] for family, listed in rules.FAMILIES.items()},
        rules.SUSPECTED,
        {name: str(ibis.to_sql(rule(unbound), dialect="duckdb", pretty=False)) for name, rule in rules.named().items()},
    )


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        # Ibis goes through sets where it joins: the order of conditions would be another each time.
        command = [sys.executable, "-m", "agentlogsafe.review.compiled"]
        env = {**os.environ, "PYTHONHASHSEED": "0"}
        sys.exit(subprocess.run(command, env=env, check=False).returncode)  # noqa: S603 -- this module again
    text = orjson.dumps(compile_all()._asdict(), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
    Path(__file__).with_name(_FILE).write_bytes(text + b"\n")
