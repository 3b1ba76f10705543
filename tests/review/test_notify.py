"""Webhooks and commands: called with each finding, never waited for, never fatal."""

from __future__ import annotations

import http.server
import json
import sys
import threading
import time

import pytest

from agentlogsafe.errors import ConfigurationError
from agentlogsafe.review import notify
from agentlogsafe.review.notify import Notifier


class Hook(http.server.ThreadingHTTPServer):
    """A real server that keeps what it gets, and answers as it is told."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got, self.status, self.delay, self.headers = [], 200, 0.0, {}
        threading.Thread(target=self.serve_forever, args=[0.01], daemon=True).start()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_address[1]}/secret-path"


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, self.headers["Content-Type"], json.loads(body)))
        time.sleep(self.server.delay)
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()

    def do_GET(self):
        self.server.got.append(("GET", None, None))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def hook():
    server = Hook()
    yield server
    server.shutdown()
    server.server_close()


def test_webhook(hook):
    """Each finding is posted as JSON, in order."""
    said = []
    notifier = Notifier(hook.address, None, said.append)
    for number in range(5):
        notifier.send(json.dumps({"line": number}).encode())
    notifier.close()

    assert hook.got == [("/secret-path", "application/json", {"line": number}) for number in range(5)]
    assert said == []


def test_failures_are_said(hook):
    """An error of the other side is said, without the address's secret part, and the next one is sent."""
    hook.status, said = 500, []
    notifier = Notifier(hook.address, None, said.append)
    notifier.send(b"{}")
    notifier.send(b"{}")
    notifier.close()

    assert said == ["webhook 127.0.0.1 failed: it answered 500"] * 2
    assert len(hook.got) == 2


def test_nobody_listens():
    """A refused connection is no more than a sentence."""
    said = []
    notifier = Notifier("http://127.0.0.1:9/x", None, said.append)
    notifier.send(b"{}")
    notifier.close()

    assert len(said) == 1
    assert "refused" in said[0]


def test_redirects_are_not_followed(hook):
    """A finding goes to the address that was given and to no other."""
    hook.status, hook.headers, said = 302, {"Location": hook.address}, []
    notifier = Notifier(hook.address, None, said.append)
    notifier.send(b"{}")
    notifier.close()

    assert len(hook.got) == 1
    assert said == ["webhook 127.0.0.1 failed: it answered 302"]


def test_a_slow_hook_holds_up_nothing(hook, monkeypatch):
    """Sending returns at once; what cannot wait is not sent, and that is said; closing takes no longer than allowed."""
    monkeypatch.setattr(notify, "_WAITING", 3)
    hook.delay, said = 1.0, []
    notifier = Notifier(hook.address, None, said.append)
    began = time.monotonic()
    for _ in range(10):
        notifier.send(b"{}")
    assert time.monotonic() - began < 0.5
    notifier.close(patience=0.2)

    assert time.monotonic() - began < 1.5
    assert "3 findings wait" in said[0]
    assert "not sent" in said[-1]


def test_command(tmp_path):
    """A command gets the finding on its standard input; no shell sees the words."""
    script = tmp_path / "note.py"
    script.write_text("import sys; open(sys.argv[1], 'a').write(sys.stdin.read())")
    said = []
    notifier = Notifier(None, f"{sys.executable} {script} '{tmp_path}/got; x'", said.append)
    notifier.send(b'{"line":1}')
    notifier.send(b'{"line":2}')
    notifier.close()

    assert (tmp_path / "got; x").read_text() == '{"line":1}\n{"line":2}\n'
    assert said == []


def test_failing_commands(tmp_path, monkeypatch):
    """One that fails, is not there or does not end is said, and the others are called still."""
    monkeypatch.setattr(notify, "_PATIENCE", 2.0)
    said = []
    for command in ("sh -c 'exit 3'", str(tmp_path / "nothing"), "sleep 60"):
        notifier = Notifier(None, command, said.append)
        notifier.send(b"{}")
        notifier.close(30)

    assert "exit status 3" in said[0]
    assert "No such file" in said[1]
    assert "no answer" in said[2]


@pytest.mark.parametrize(
    ("webhook", "command"),
    [
        ("file:///etc/passwd", None),
        ("example.com", None),
        ("http://", None),
        ("http://[", None),
        (None, "'"),
        (None, ""),
    ],
)
def test_wrong_settings(webhook, command):
    """What is no address or no command is refused before anything is watched."""
    with pytest.raises(ConfigurationError):
        Notifier(webhook, command, print)


def test_nothing_to_call():
    """Without either, nothing is started."""
    notifier = Notifier(None, None, print)
    before = threading.active_count()
    notifier.send(b"{}")
    notifier.close()

    assert threading.active_count() == before
