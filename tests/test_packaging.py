"""What is installed, what importing it costs, and what it drags in."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib import metadata, resources
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.benchmarks import import_time

ROOT = Path(__file__).resolve().parent.parent

# What the extras bring, and the validators, which are loaded when a policy that uses them is compiled.
EXTRAS = ("click", "cryptography", "duckdb", "ibis", "opentelemetry", "pyspark", "re2", "rfc8785", "rich")
VALIDATORS = ("phonenumbers", "stdnum")

WITHOUT_EXTRAS = f"""
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {EXTRAS!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
"""


def python(source: str) -> subprocess.CompletedProcess[str]:
    """Run *source* in a fresh interpreter that does not measure coverage, which imports much itself."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    return subprocess.run(
        [sys.executable, "-c", source], env=env, capture_output=True, encoding="utf-8", timeout=60, check=False
    )


def test_import_compiles_no_policy():
    """Importing loads no detector; what it costs in milliseconds is for the benchmark to say."""
    done = python("import agentlogsafe, json, sys; agentlogsafe.run; print(json.dumps(sorted(sys.modules)))")

    loaded = set(json.loads(done.stdout))
    assert "agentlogsafe.redaction" in loaded
    assert not {
        name for name in loaded if name.startswith(("agentlogsafe.redaction.scanner", "agentlogsafe.redaction.det"))
    }
    assert len(import_time.measure(rounds=1)) == 1


def test_import_is_light():
    """Importing loads no extra and no validator."""
    # structlog itself loads rich where it finds it.
    done = python(
        "import structlog, pythonjsonlogger.orjson, json, sys; before = set(sys.modules); "
        "import agentlogsafe; agentlogsafe.run; "
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )

    assert done.returncode == 0, done.stderr
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert not loaded & {*EXTRAS, *VALIDATORS}


def test_import_is_put_off():
    """Everything that is offered can be seen and had at once; commands that ask for none of it do not load it."""
    done = python(
        "import agentlogsafe, agentlogsafe._check, agentlogsafe.review.check, json, sys; "
        "put_off = 'structlog' not in sys.modules; seen = dir(agentlogsafe); "
        "from agentlogsafe import *; had = [name for name in agentlogsafe.__all__ if name in globals()]; "
        "from agentlogsafe import _public; "
        "loaded = [name for name in agentlogsafe.__all__ if hasattr(_public, name)]; "
        "print(json.dumps([put_off, seen, had, agentlogsafe.__all__, loaded]))"
    )

    assert done.returncode == 0, done.stderr
    put_off, seen, had, promised, loaded = json.loads(done.stdout)
    assert put_off
    assert set(promised) <= set(seen)
    assert had == promised == loaded


def test_unknown_name_is_an_attribute_error():
    """A name that is not offered is an AttributeError, as it is of any module."""
    done = python("import agentlogsafe; agentlogsafe.auditformatter")

    assert "AttributeError: module 'agentlogsafe' has no attribute 'auditformatter'" in done.stderr


def test_works_without_extras():
    """An event is logged where nothing but the runtime dependencies is installed."""
    done = python(
        WITHOUT_EXTRAS
        + """
import agentlogsafe, logging

handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(agentlogsafe.AuditFormatter(agent_name="a", workflow_name="w"))
logger = logging.getLogger("test")
logger.addHandler(handler)
logger.warning("tool_call", {"tool_name": "sql", "args": {"password": "hunter2", "to": "jane@example.com"}})
"""
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["tool_name"] == "sql"
    assert "hunter2" not in done.stdout
    assert "jane@" not in done.stdout


def test_command_without_its_extra():
    """Without click or rich, the command says in one line what to install."""
    done = python(WITHOUT_EXTRAS + "import agentlogsafe.cli; sys.argv = ['agentlogsafe']; agentlogsafe.cli.main()")

    assert done.returncode != 0
    assert "agentlogsafe[cli]" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("name", ["py.typed"])
def test_package_data(name):
    """What is no module is installed, too."""
    assert resources.files("agentlogsafe").joinpath(name).is_file()


def test_nothing_else_is_installed():
    """The wheel holds the package and its metadata: no tests, no examples."""
    tops = {path.parts[0] for path in metadata.files("agentlogsafe") or () if path.parts[0] not in {"..", "/"}}
    if "agentlogsafe" not in tops:
        pytest.skip("installed as editable: there is no wheel to look into")

    assert {top for top in tops if not top.endswith(".dist-info")} == {"agentlogsafe"}


def test_all_is_everything_but_spark():
    """The extra ``all`` brings what each of the others brings, but Spark, which is large."""
    requires = [Requirement(line) for line in metadata.requires("agentlogsafe") or ()]
    extras = set(metadata.metadata("agentlogsafe").get_all("Provides-Extra") or ())

    def brought_by(extra):
        return {r.name for r in requires if r.marker and r.marker.evaluate({"extra": extra})}

    others = extras - {"all", "dev", "docs", "engines", "frameworks", "lint", "spark", "tests"}
    assert others
    assert brought_by("all") - {"agentlogsafe"} == set().union(*map(brought_by, others)) - {"agentlogsafe"}


def test_import_contracts():
    """Modules import downwards only, and redaction knows nothing of logging."""
    lint_imports = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    if lint_imports is None:
        pytest.skip("needs import-linter, of the extra 'lint'")

    done = subprocess.run(
        [lint_imports, "--no-cache"], cwd=ROOT, capture_output=True, encoding="utf-8", timeout=120, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
