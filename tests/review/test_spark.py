"""Apache Spark: the same rules, the same rows; on local threads, and on a master with two workers."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from agentlogsafe.review import engines
from agentlogsafe.review.check import Review
from tests.review import logs, tamper

pyspark = pytest.importorskip("pyspark", reason="needs PySpark, of the extra 'spark'")
pytestmark = pytest.mark.filterwarnings("ignore")  # PySpark's own, about pandas and sockets

SUMMARIES = ("totals", "runs", "run_streams")
PROGRAM = """
import pickle, sys
from tests.review.test_spark import asked
pickle.dump(asked(*pickle.load(sys.stdin.buffer)), open(sys.argv[1], "wb"))
"""


def asked(paths, settings, family=None):
    """Return everything that an engine can be asked, or the findings of one family of rules."""
    with Review.load(paths, **settings) as review:
        if family is not None:
            return {"findings": review.findings(family), "sources": review.sources()}
        return {
            "findings": review.findings(),
            **{name: review.summary(name) for name in SUMMARIES},
            "events": review.events(),
            "sources": review.sources(),
        }


def environment():
    """Return what drivers, master, workers and executors need."""
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",  # nothing runs long enough to be optimized
    }


def in_a_process(folder, *arguments):
    """The same in a process of its own: one process can have one Spark only, and it stays."""
    import pickle

    answer = Path(folder) / "answer"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, str(answer)],
        input=pickle.dumps(arguments),
        env=environment(),
        capture_output=True,
        timeout=1_200,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-3_000:]
    return pickle.loads(answer.read_bytes())


@pytest.fixture
def tampered(tmp_path):
    """A folder with a log for each class of tampering, keyed ones and others, and untouched ones in wrappings."""
    folder = tmp_path / "logs"
    folder.mkdir()
    for number, function in enumerate((*tamper.BOTH, *tamper.KEYED)):
        rng = logs.rng(number)
        lines = function(rng, logs.sealed(rng, keyed=number % 2 == 1 or function in tamper.KEYED)).lines
        (folder / f"{function.__name__}.log").write_bytes(b"".join(lines))
    for number, (name, wrap) in enumerate(logs.WRAPPINGS.items()):
        rng = logs.rng(number)
        (folder / f"{name}.log").write_bytes(b"".join(wrap(rng, logs.sealed(rng))))
    (folder / "partial.log").write_bytes(b"".join(logs.sealed(logs.rng(0)))[:-300])
    return folder


def test_local(tampered, tmp_path):
    """On local threads, Spark returns what DuckDB does, row for row."""
    settings = {"keys": [logs.MASTER]}
    expected = asked([tampered], settings)

    found = in_a_process(tmp_path, [tampered], {**settings, "engine": "spark", "master": "local[2]"})

    assert {finding.kind for finding in expected["findings"]} >= {"modified", "gap", "duplicate", "partial_line"}
    assert found == expected


@pytest.fixture
def master():
    """A standalone master with two workers; gives its URL."""
    home = Path(pyspark.__file__).parent
    script = home / "bin" / "spark-class"
    if not script.exists():
        pytest.skip("this PySpark brings no spark-class to start a master with")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"spark://127.0.0.1:{port}"
    deploy = "org.apache.spark.deploy"
    commands = [[f"{deploy}.master.Master", "--host", "127.0.0.1", "--port", str(port), "--webui-port", "0"]]
    worker = [f"{deploy}.worker.Worker", "--host", "127.0.0.1", "--cores", "1", "--memory", "1g", "--webui-port", "0"]
    env = {**environment(), "SPARK_HOME": str(home)}
    with tempfile.TemporaryDirectory() as work:
        commands += [[*worker, "--work-dir", f"{work}/{number}", url] for number in range(2)]
        output = [Path(work, f"{number}.out") for number in range(3)]
        running = []
        try:
            for command, out in zip(commands, output, strict=True):
                with out.open("wb") as to:
                    running.append(subprocess.Popen([str(script), *command], env=env, stdout=to, stderr=to))
            deadline = time.monotonic() + 120
            while not all(b"registered with master" in out.read_bytes() for out in output[1:]):
                assert time.monotonic() < deadline, b"\n".join(out.read_bytes() for out in output)
                time.sleep(0.3)
            yield url
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait(60)


def test_standalone(tmp_path, master):
    """On a master with two workers that share the files of each stream, it does so too."""
    lines = [line for seed in range(100) for line in logs.sealed(logs.rng(seed), keyed=True)]
    del lines[400:410]
    lines[800] = lines[800].replace(b'"agent"', b'"other"')
    folder = tmp_path / "logs"
    folder.mkdir()
    for number in range(4):
        (folder / f"{number}.log").write_bytes(b"".join(lines[number::4]))
    settings = {"keys": [logs.MASTER]}
    expected = asked([folder], settings, "integrity")

    found = in_a_process(tmp_path, [folder], {**settings, "engine": "spark", "master": master}, "integrity")

    assert {"gap", "modified"} <= {finding.kind for finding in expected["findings"]}
    assert found == expected


def test_missing(monkeypatch, tmp_path):
    """Without PySpark, one sentence says what to install."""
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    (tmp_path / "log").write_text("{}\n")

    with pytest.raises(ImportError, match=r"agentlogsafe\[review,spark\]"):
        Review.load([tmp_path], engine="spark")

    assert "agentlogsafe[review]" in str(engines.missing())
