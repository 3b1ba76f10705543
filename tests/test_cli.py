"""The command: what it prints, to whom, and how it ends."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from contextlib import suppress

import jsonschema
import pytest
import structlog
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import agentlogsafe
from agentlogsafe import _demo, _filter, cli

ESCAPE = "\x1b"
MAIN = "from agentlogsafe.cli import main; main()"
KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA75ejXOS\nq83vAAECAwQFBgcI\n-----END RSA PRIVATE KEY-----\n"
KEY_MASK = agentlogsafe.redact(KEY.strip())


def run(*arguments, stdin=""):
    """Run the command in this process."""
    return CliRunner().invoke(cli.commands(), arguments, input=stdin)


def start(*arguments, **environment):
    """Run the command as a process of its own."""
    env = {**os.environ, "PYTHONIOENCODING": "utf-8", **environment}
    env.pop("FORCE_COLOR", None)
    command = [sys.executable, "-c", MAIN, *arguments]
    return subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(process, stdin=b""):
    """Return what the process prints, and its status."""
    out, err = process.communicate(stdin, timeout=60)
    return out.decode(), err.decode(), process.returncode


class TestMain:
    def test_version(self):
        """It prints the version of the distribution."""
        assert run("--version").output.strip() == "agentlogsafe 0.3.0"

    @pytest.mark.parametrize(
        "command",
        [(), ("demo",), ("schema",), ("redact",), ("check",), ("runs",), ("show",), ("watch",), ("policy", "test")],
    )
    def test_help(self, command):
        """Help has an example, where there is something to try, and names the exit status."""
        done = run(*command, "--help")

        assert done.exit_code == 0
        assert command == () or "Example" in done.output
        assert "Exit status" in done.output
        assert "\\b" not in done.output
        assert "\b" not in done.output

    @pytest.mark.parametrize(
        ("arguments", "hint"),
        [
            (["dmeo"], "demo"),
            (["demo", "--entry", "handlr"], "handler"),
            (["demo", "--outptu", "x"], "--output"),
            (["redact", "no-such-file.log"], "no-such-file.log"),
            (["redact", "--policy", "standrad"], "standard"),
        ],
    )
    def test_wrong_usage(self, arguments, hint):
        """It exits with 2 and says what would have been right."""
        done = run(*arguments)

        assert done.exit_code == 2
        assert hint in done.output

    @pytest.mark.parametrize("name", ["click", "rich.console"])
    def test_missing_extra(self, monkeypatch, name):
        """Without click or rich, it says in one sentence what to install."""

        def missing():
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

        monkeypatch.setattr(cli, "commands", missing)
        with pytest.raises(SystemExit, match=r"pip install 'agentlogsafe\[cli\]'"):
            cli.main()

    def test_other_missing_modules_are_not_hidden(self, monkeypatch):
        """Only click and rich are reported as a missing extra."""

        def broken():
            raise ModuleNotFoundError("No module named 'orjson'", name="orjson")

        monkeypatch.setattr(cli, "commands", broken)
        with pytest.raises(ModuleNotFoundError):
            cli.main()


FULL, CLOSED = "No space left on device", "is closed"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")  # noqa: PTH110
@pytest.mark.parametrize("command", ["schema", "demo -o d.jsonl", "demo --json -o d.jsonl", "redact in.txt", "redact"])
@pytest.mark.parametrize(("how", "why"), [(">/dev/full", FULL), (">&-", CLOSED), ("<&- >/dev/null", CLOSED)])
def test_output_that_takes_nothing(tmp_path, command, how, why):
    """What cannot be printed, or read, is said in one line, with a status that says so."""
    if "<&-" in how and command != "redact":
        pytest.skip("reads nothing")
    (tmp_path / "in.txt").write_text("a line\n")
    program = f"{sys.executable} -c '{MAIN}' {command} {how}"
    done = subprocess.run(
        ["/bin/sh", "-c", program], cwd=tmp_path, input=b"a line\n", capture_output=True, timeout=60, check=False
    )

    assert done.returncode == 1
    (said,) = done.stderr.decode().splitlines()
    assert why in said


class TestSchema:
    def test_prints_plain_json(self):
        """What is piped is the schema, and nothing else."""
        out, err, status = finish(start("schema"))

        assert (json.loads(out), err, status) == (agentlogsafe.json_schema(), "", 0)


class TestDemo:
    @pytest.mark.parametrize("entry", ["formatter", "handler", "structlog"])
    def test_writes_events(self, tmp_path, entry):
        """The file holds a whole run of valid events; no secret of the calls is in it or among the events shown."""
        path = tmp_path / "demo.jsonl"

        done = run("demo", "--output", str(path), "--entry", entry)

        assert done.exit_code == 0, done.output
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        events = [line for line in lines if "event_type" in line]
        for event in events:
            jsonschema.validate(event, agentlogsafe.json_schema())
        assert len(lines) == len(events) + 1
        assert [events[0]["event_type"], events[-1]["event_type"]] == ["run_start", "run_end"]
        assert {
            "user_message", "model_call", "model_response", "tool_call", "tool_result", "retrieval_query",
            "retrieval_result", "policy_check", "human_approval", "decision", "error",
        } <= {event["event_type"] for event in events}  # fmt: skip
        assert not any("problems" in event for event in events)
        for secret in ("jane.doe", "Jane Doe", "5f1c0b7e", "hunter2", "4111 1111", "555 0132"):
            assert secret not in path.read_text("utf-8")

    @pytest.mark.parametrize("entry", ["formatter", "handler", "structlog"])
    def test_shows_each_call_beside_its_event(self, tmp_path, entry):
        """The source of a call stands beside the event that it made."""
        rows = _demo.run(entry, tmp_path / "demo.jsonl")

        for written, event in rows:
            if "event_type" not in event:
                assert "jane.doe@example.com" in written
            elif event["event_type"] in ("model_response", "tool_result") or event["status"] == "approved":
                assert re.match(r"call\.result|raise TimeoutError|asked\.approve", written)
            elif event["event_type"] == "run_start":
                assert written.startswith("with agentlogsafe.run(")
            elif event["event_type"] == "run_end":
                assert written.startswith("#")
            else:
                assert f'"{event["event_type"]}"' in written

    @pytest.mark.parametrize("width", [80, 100, 120, 200])
    def test_fits_the_terminal(self, tmp_path, width):
        """No line is longer than the terminal, and no call is broken, however the output is looked at."""
        done = start("demo", "-o", str(tmp_path / "demo.jsonl"), COLUMNS=str(width))
        out, err, status = finish(done)

        assert (err, status) == ("", 0)
        assert max(map(len, out.splitlines())) <= min(width, 120)
        assert '"api_key": "crm-live-5f1c0b7e",' in out
        assert "└─ run_end" in out
        assert str(tmp_path / "demo.jsonl").replace("\n", "")[:20] in out

    @pytest.mark.parametrize("width", [10, 45, 60])
    def test_narrow_terminals(self, tmp_path, width):
        """Where there is no room for a call and its event side by side, the event stands below, whole."""
        done = start("demo", "-o", str(tmp_path / "demo.jsonl"), COLUMNS=str(width))
        out, err, status = finish(done)

        assert (err, status) == ("", 0)
        assert max(map(len, out.splitlines())) <= width
        assert width < 45 or '"retrieval_query"' in out.partition("Below each call")[0].replace(" ", "")

    @pytest.mark.parametrize("entry", ["formatter", "handler"])
    def test_is_silent_and_private(self, tmp_path, entry):
        """The demo ends without a word on stderr, and its file is its owner's alone."""
        path = tmp_path / "demo.jsonl"
        _, err, status = finish(start("demo", "--entry", entry, "-o", str(path)))

        assert (err, status) == ("", 0)
        assert path.stat().st_mode & 0o777 == 0o600

    def test_a_pipe_gets_no_colour(self, tmp_path):
        """Output that is piped is plain text."""
        out, _, _ = finish(start("demo", "-o", str(tmp_path / "demo.jsonl")))

        assert ESCAPE not in out

    def test_ascii(self, tmp_path):
        """Where the output cannot hold box characters, it does without them."""
        path = str(tmp_path / ("é" * 60 + ".jsonl"))
        out, err, status = finish(start("demo", "-o", path, PYTHONIOENCODING="ascii"))

        assert (err, status) == ("", 0)
        assert "`- run_end" in out
        assert out.isascii()

    @pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
    @pytest.mark.parametrize(("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
    def test_colour(self, tmp_path, environment, coloured):
        """A terminal gets colour, unless NO_COLOR says otherwise."""
        import pty

        env = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
        env |= {"TERM": "xterm-256color", **environment}
        command = [sys.executable, "-c", MAIN, "demo", "-o", tmp_path / "d.jsonl"]
        terminal, end = pty.openpty()
        process = subprocess.Popen(command, env=env, stdin=end, stdout=end, stderr=end)
        os.close(end)
        output = b""
        try:
            while chunk := os.read(terminal, 65536):
                output += chunk
        except OSError:  # how Linux says that the other end is closed
            pass
        os.close(terminal)

        assert process.wait(60) == 0
        assert (b"\x1b[36m" in output) is coloured

    def test_json(self, tmp_path):
        """With --json, the lines of the file and nothing else are printed."""
        path = tmp_path / "demo.jsonl"
        out, err, status = finish(start("demo", "--json", "--output", str(path)))

        assert (out, err, status) == (path.read_text("utf-8"), "", 0)

    @pytest.mark.parametrize("entry", ["formatter", "handler", "structlog"])
    def test_unwritable_file(self, tmp_path, entry):
        """A file that cannot be written is said in one line."""
        done = run("demo", "--entry", entry, "--output", str(tmp_path / "missing" / "demo.jsonl"))

        assert done.exit_code == 1
        assert "--output" in done.output
        assert "Traceback" not in done.output

    def test_full_disk(self, tmp_path, monkeypatch):
        """A file that did not take all lines is said, too."""
        monkeypatch.setattr("logging.FileHandler.emit", lambda *_: None)
        done = run("demo", "--output", str(tmp_path / "demo.jsonl"))

        assert done.exit_code == 1
        assert "0 of 17 lines" in done.output

    def test_leaves_structlog_as_it_was(self, tmp_path):
        """Where structlog was configured already, it is again."""
        structlog.configure(processors=[structlog.processors.JSONRenderer()], cache_logger_on_first_use=True)
        before = structlog.get_config()

        run("demo", "--output", str(tmp_path / "demo.jsonl"), "--entry", "structlog")

        assert structlog.get_config() == before

    def test_no_regular_file(self, tmp_path):
        """What cannot be read back is refused."""
        done = run("demo", "--output", os.devnull)

        assert done.exit_code == 1
        assert "regular file" in done.output


class TestRedact:
    def test_text(self):
        """A line of text is redacted as text."""
        assert run("redact", stdin="mail jane@example.com now\n").output == "mail [EMAIL] now\n"

    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ('{"password": "correct horse", "n": 1}', {"password": "[PASSWORD]", "n": 1}),
            ('[{"password": "correct horse"}]', [{"password": "[PASSWORD]"}]),
            ('  {"password": "correct horse"}  ', {"password": "[PASSWORD]"}),
            ('{"password": "correct horse", "n": NaN}', {"password": "[PASSWORD]", "n": "NaN"}),
            ('{"password": "correct horse", "password": 1}', {"password": "[PASSWORD]"}),
            ("{}", {}),
            ("[]", []),
        ],
    )
    def test_json(self, line, expected):
        """A line of JSON is redacted by its keys too, and stays JSON."""
        assert json.loads(run("redact", stdin=line + "\n").output) == expected

    def test_json_is_not_cut(self):
        """What is long or deep comes out whole."""
        value = {"list": list(range(5000)), "text": "word " * 50_000, "deep": json.loads("[" * 60 + "]" * 60)}

        assert json.loads(run("redact", stdin=json.dumps(value)).output) == value

    def test_json_with_big_numbers(self):
        """A number that 64 bits cannot hold does not keep a line from being read as JSON."""
        done = run("redact", stdin='{"password": "correct horse", "n": 123456789012345678901234567890}')

        assert json.loads(done.output)["password"] == "[PASSWORD]"

    def test_json_behind_a_prefix(self):
        """The name of a container or a time may stand in front of it."""
        done = run("redact", stdin='web-1  | jane@example.com {"password": "correct horse"}\n')

        assert done.output == 'web-1  | [EMAIL] {"password":"[PASSWORD]"}\n'

    def test_json_over_several_lines(self):
        """A document that someone indented is read as a whole."""
        text = json.dumps([{"password": "correct horse"}, {"n": 1}], indent=2)

        done = run("redact", stdin=f"before\n{text}\nafter jane@example.com\n")

        assert done.output.startswith("before\n[\n")
        assert done.output.endswith("]\nafter [EMAIL]\n")
        document = done.output.removeprefix("before\n").removesuffix("after [EMAIL]\n")
        assert json.loads(document) == [{"password": "[PASSWORD]"}, {"n": 1}]

    def test_what_only_looks_like_a_document(self):
        """An opening bracket that nothing fits loses no line."""
        text = "{\nmail jane@example.com\n" + KEY + '{"password": "correct horse"},\n}\n[\nend\n'

        done = run("redact", stdin=text)

        assert done.output == "{\nmail [EMAIL]\n" + KEY_MASK + '\n{"password":"[PASSWORD]"},\n}\n[\nend\n'

    def test_private_key_over_several_lines(self):
        """A key in PEM form is masked from its first line to its last."""
        done = run("redact", stdin=f"before\nkey = {KEY}after\n")

        assert done.output == f"before\nkey = {KEY_MASK}\nafter\n"

    def test_private_key_without_end(self, monkeypatch):
        """A key that does not end is masked as far as a key can be long; the log goes on after it."""
        monkeypatch.setattr(_filter, "_KEY", 200)
        begin, body, *_ = KEY.splitlines(keepends=True)

        done = run("redact", stdin=begin + body * 20 + "the end\n")

        assert done.output.startswith(KEY_MASK + "\n")
        assert done.output.endswith("the end\n")
        assert run("redact", stdin=begin + body).output == KEY_MASK + "\n"

    def test_line_ends(self):
        """Line ends stay as they were, and a missing one stays missing."""
        assert run("redact", stdin="a\r\n\n  b  \nc").stdout_bytes == b"a\r\n\n  b  \nc"

    def test_broken_encoding(self):
        """Bytes that are no UTF-8 neither stop the filter nor hide anything."""
        done = run("redact", stdin=b"caf\xe9 jane@example.com\n\xff\xfe\n")

        assert done.stdout_bytes == b"caf\\xe9 [EMAIL]\n\\xff\\xfe\n"

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
    def test_byte_order_marks(self, encoding):
        """Files as Windows writes them are read as what they are."""
        done = run("redact", stdin='{"password": "correct horse"}\nüjane@example.com\n'.encode(encoding))

        assert done.stdout_bytes.decode().splitlines() == ['{"password":"[PASSWORD]"}', "[EMAIL]"]

    def test_empty_input(self):
        """Nothing in, nothing out."""
        assert (run("redact").output, run("redact").exit_code) == ("", 0)

    def test_files_and_stdin(self, tmp_path):
        """Files are read in order; a dash is standard input."""
        for name in "ab":
            (tmp_path / name).write_text(f"{name}@example.com {name}\n")

        done = run("redact", str(tmp_path / "a"), "-", str(tmp_path / "b"), stdin="stdin\n")

        assert done.output == "[EMAIL] a\nstdin\n[EMAIL] b\n"

    def test_counts(self):
        """--counts says on stderr what was redacted; stdout stays clean."""
        done = run("redact", "--counts", stdin='a@example.com b@example.com\n{"password": "correct horse"}\n')

        assert done.stdout == '[EMAIL] [EMAIL]\n{"password":"[PASSWORD]"}\n'
        assert done.stderr.split() == ["2", "EMAIL", "1", "PASSWORD"]

    @pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 has no TOML reader")
    @pytest.mark.parametrize("name", ["policy.toml", "policy"])
    def test_policy_file(self, tmp_path, name):
        """A policy can be a file, whatever its name."""
        (tmp_path / name).write_text('name = "own"\n')

        assert run("redact", "--policy", str(tmp_path / name), stdin="a@example.com").output == "[EMAIL]"

    @pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 has no TOML reader")
    def test_wrong_policy_file(self, tmp_path):
        """A setting that does not exist is named, and nothing is let through."""
        path = tmp_path / "policy.toml"
        path.write_text("nmae = 1\n")

        done = run("redact", "--policy", str(path), stdin="a@example.com")

        assert done.exit_code == 2
        assert "name" in done.output
        assert "a@example.com" not in done.output

    def test_long_lines_are_withheld(self, monkeypatch):
        """A line that is too long to be read whole is not let through in parts."""
        monkeypatch.setattr(_filter, "_LONGEST", 100)

        done = run("redact", stdin="a" * 250 + "@example.com\nshort\n")

        assert done.stdout == "[WITHHELD]\nshort\n"
        assert "100 characters" in done.stderr
        assert done.exit_code == 1

    def test_what_is_too_deep_is_named(self):
        """A value that had to be cut is said on stderr."""
        done = run("redact", stdin='{"a":' * 150 + "1" + "}" * 150)

        assert json.loads(done.stdout)
        assert "too deep" in done.stderr
        assert done.exit_code == 1

    def test_follows_a_log(self):
        """Each line comes out as soon as it went in."""
        process = start("redact")
        process.stdin.write(b"mail jane@example.com\n")
        process.stdin.flush()

        assert process.stdout.readline() == b"mail [EMAIL]\n"
        assert finish(process) == ("", "", 0)

    def test_closed_pipe(self):
        """A reader that has enough is no error to talk about."""
        process = start("redact")
        process.stdin.write(b"mail jane@example.com\n" * 100)
        process.stdin.flush()
        process.stdout.readline()
        process.stdout.close()
        with suppress(BrokenPipeError):
            for _ in range(100):
                process.stdin.write(b"mail jane@example.com\n" * 1000)
        with suppress(BrokenPipeError):
            process.stdin.close()
        with process.stderr:
            assert process.stderr.read() == b""
        assert process.wait(60) == 1

    def test_memory_does_not_grow(self):
        """What is read is let go: the filter is lazy."""

        class Endless(io.RawIOBase):
            read_so_far = 0

            def readable(self):
                return True

            def readinto(self, buffer):
                line = b"mail jane@example.com\n"
                text = (line * (len(buffer) // len(line) + 1))[: len(buffer)]
                buffer[:] = text
                self.read_so_far += len(buffer)
                return len(buffer)

        source = Endless()
        lines = _filter.Filter().redacted(source)
        for _ in range(1000):
            next(lines)

        assert source.read_so_far < 100_000

    @given(st.binary(max_size=400))
    def test_never_fails(self, data):
        """Whatever the bytes, lines come out, and as UTF-8."""
        "".join(_filter.Filter().redacted(io.BytesIO(data))).encode()

    @given(st.lists(st.sampled_from(["{", "}", "[", "]", '{"a": 1}', "text", *KEY.splitlines(), ""]), max_size=30))
    def test_loses_no_line(self, lines):
        """Whatever the blocks, text that is no secret is still there."""
        text = "".join(line + "\n" for line in lines)
        out = "".join(_filter.Filter().redacted(io.BytesIO(text.encode())))

        if "BEGIN" not in text:
            assert re.sub(r"\s", "", out) == re.sub(r"\s", "", text)
