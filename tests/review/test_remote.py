"""Logs on object storage: an S3 server of our own, and the same findings as for files."""

from __future__ import annotations

import gzip
import os
import sys

import pytest

from agentlogsafe.review import sources
from agentlogsafe.review.check import Review
from tests.review import logs

BUCKET = "audit"


@pytest.fixture(scope="module")
def endpoint():
    """The host and port of an S3 server; what it is given stays in memory."""
    moto = pytest.importorskip("moto.server", reason="needs moto, of the extra 'engines'")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture(params=["environment", "url"])
def url(request, endpoint, monkeypatch):
    """Return a function that gives the URL of a key: with all in the environment, or all in the URL."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))  # of the processes that read
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    if request.param == "url":
        how = f"scheme=http&endpoint_override={endpoint}"
        return lambda key: f"s3://invented:key-of-nobody@{BUCKET}/{key}?{how}"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "invented")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "key-of-nobody")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{endpoint}")
    return lambda key: f"s3://{BUCKET}/{key}"


@pytest.fixture
def expected(endpoint, tmp_path):
    """Store a log with a gap, plain and compressed, beside what is hidden; return what is found in it as a file."""
    from pyarrow import fs

    lines = logs.sealed(logs.rng(1), runs=3)
    del lines[4]
    where = {"access_key": "invented", "secret_key": "key-of-nobody", "region": "us-east-1"}
    s3 = fs.S3FileSystem(endpoint_override=endpoint, scheme="http", allow_bucket_creation=True, **where)
    s3.create_dir(BUCKET)
    stored = {
        "one.jsonl": b"".join(lines),
        "one.jsonl.gz": gzip.compress(b"".join(lines)),
        "day=23/a b.jsonl": b"".join(lines[:6]),
        "day=23/c.jsonl.gz": gzip.compress(b"".join(lines[6:])),
        "day=23/_SUCCESS": b"x",
    }
    for key, content in stored.items():
        with s3.open_output_stream(f"{BUCKET}/{key}", compression=None) as file:
            file.write(content)
    (tmp_path / "log").write_bytes(b"".join(lines))
    return asked([tmp_path / "log"])


def asked(paths, **settings):
    with Review.load(paths, **settings) as review:
        found = [finding._replace(file=None, line=None) for finding in review.findings()]
        return found, [row["file"] for row in review.sources()], len(review.events())


@pytest.mark.parametrize(
    ("key", "workers", "names"),
    [
        ("one.jsonl", 0, ["one.jsonl"]),
        ("one.jsonl.gz", 0, ["one.jsonl.gz"]),
        ("day%3D23", 2, ["day=23/a b.jsonl", "day=23/c.jsonl.gz"]),
    ],
)
def test_found_as_in_files(expected, url, key, workers, names):
    """An object, plain or compressed, and all below a prefix: as files, by this process and by others."""
    found, shown, events = asked([url(key)], workers=workers)

    assert (found, events) == (expected[0], expected[2])
    assert "gap" in {finding.kind for finding in found}
    assert shown == [f"s3://{BUCKET}/{name}" for name in names]


def test_nothing_there(expected, url):
    """What is not there is an error that does not repeat the credentials."""
    with pytest.raises(sources.UnusableError) as caught:
        sources.find([url("no/such")])

    assert f"'s3://{BUCKET}/no/such' cannot be read" in str(caught.value)
    assert "key-of-nobody" not in str(caught.value)
