"""Wrapping handlers: dictConfig, targets of every kind, failures, and what must not leak through them."""

from __future__ import annotations

import io
import json
import logging
import logging.config
import logging.handlers
import os
import pickle
import queue
import socketserver
import struct
import threading
import warnings

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from pythonjsonlogger.json import JsonFormatter

import agentlogsafe
from agentlogsafe.errors import ConfigurationError

from .helpers import EMAIL, SECRET, TEXT, by_handler, clean, lines, valid


class Elsewhere(pickle.Unpickler):
    """Reads pickles where this package is not installed."""

    def find_class(self, module, name):
        assert not module.startswith("agentlogsafe"), f"{module}.{name}"
        return super().find_class(module, name)


def unpickled(data):
    return Elsewhere(io.BytesIO(data)).load()


class Failing(logging.Handler):
    """A target that fails as the standard library's handlers do, or by raising."""

    def __init__(self, *, raises=False):
        super().__init__()
        self.raises = raises
        self.works = False
        self.seen = []

    def emit(self, record):
        if self.works:
            self.seen.append(record)
            return
        if self.raises:
            raise OSError(TEXT)
        try:
            raise OSError(TEXT)
        except OSError:
            self.handleError(record)


class TestDictConfig:
    @pytest.mark.parametrize("names", [("audit", "file"), ("z_audit", "a_file")])
    def test_target_by_name_in_any_order(self, tmp_path, names):
        """The target is named in any alphabetical order, and lives on though no logger has it (pitfall 22)."""
        audit, file = names
        path = tmp_path / "app.jsonl"
        logging.config.dictConfig(
            {
                "version": 1,
                "disable_existing_loggers": False,
                "handlers": {
                    audit: {"class": "agentlogsafe.AuditHandler", "target": file, "agent_name": "a"},
                    file: {"class": "logging.FileHandler", "filename": path},
                },
                "root": {"handlers": [audit], "level": "INFO"},
            }
        )

        logging.getLogger("app").info("tool_call", extra={"note": TEXT})

        (event,) = lines(path)
        assert valid(event)["agent_name"] == "a"
        clean(event)

    def test_twice(self, tmp_path):
        """After a second dictConfig a late record of the first handler is not lost (pitfall 20)."""
        path = tmp_path / "app.jsonl"
        config = {
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {
                "file": {"class": "logging.FileHandler", "filename": path},
                "audit": {"class": "agentlogsafe.AuditHandler", "target": "file"},
            },
            "root": {"handlers": ["audit"], "level": "INFO"},
        }
        logging.config.dictConfig(config)
        first = logging.getLogger().handlers[0]
        logging.config.dictConfig(config)

        first.handle(logging.makeLogRecord({"msg": "tool_call", "levelno": 20, "levelname": "INFO"}))
        logging.getLogger("app").info("tool_result")
        first.close()
        first.close()
        first.target.close()

        assert {event["event_type"] for event in lines(path)} == {"tool_call", "tool_result", "custom"}

    def test_formatter_with_format(self):
        """A formatter that had a ``format`` keeps it for ordinary lines when its one line is changed."""
        stream = io.StringIO()
        logging.config.dictConfig(
            {
                "version": 1,
                "disable_existing_loggers": False,
                "formatters": {
                    "audit": {
                        "()": "agentlogsafe.AuditFormatter",
                        "format": "%(asctime)s %(levelname)s %(message)s",
                        "datefmt": "%Y",
                        "agent_name": "a",
                        "rename_fields": {"message": "msg"},
                        "static_fields": {"service": "s", "password": "hunter2"},
                    }
                },
                "handlers": {"out": {"class": "logging.StreamHandler", "stream": stream, "formatter": "audit"}},
                "root": {"handlers": ["out"], "level": "INFO"},
            }
        )

        logging.getLogger("app").warning("hello")
        logging.getLogger("app").info("tool_call")

        line, event = lines(stream)
        assert line["msg"] == "hello"
        assert line["levelname"] == "WARNING"
        assert line["service"] == "s"
        assert "hunter2" not in json.dumps(line)
        assert "message" not in line
        assert "service" not in valid(event)

    def test_no_target(self):
        """Without a target, events go to the handlers that the root logger has at that moment."""
        logging.config.dictConfig(
            {
                "version": 1,
                "disable_existing_loggers": False,
                "handlers": {"audit": {"class": "agentlogsafe.AuditHandler"}},
                "loggers": {"agents": {"handlers": ["audit"], "level": "INFO", "propagate": False}},
            }
        )
        stream = io.StringIO()
        later = logging.StreamHandler(stream)
        logging.getLogger().addHandler(later)

        logging.getLogger("agents.one").info("tool_call", extra={"note": TEXT})

        assert valid(lines(stream)[0])["event_type"] == "tool_call"

    def test_nowhere_to_go(self, capsys):
        """With no target and no root handler, events are counted as lost and stderr says so once."""
        handler = agentlogsafe.AuditHandler()
        logging.getLogger().handlers.clear()
        for _ in range(3):
            handler.handle(logging.makeLogRecord({"msg": "tool_call", "note": TEXT}))

        assert handler.counters.as_dict()["lost"] == 3
        error = clean(capsys.readouterr().err)
        assert error.count("\n") == 1
        assert "no target" in error

    @pytest.mark.parametrize("target", ["stored", "cfg://handlers.stored"])
    def test_factory_takes_no_names(self, target):
        """Who names a target in a way that dictConfig does not resolve is told of the way that it does."""
        handlers = {
            "audit": {"()": "agentlogsafe.AuditHandler", "target": target},
            "stored": {"class": "logging.StreamHandler"},
        }

        with pytest.raises(ValueError, match="audit") as raised:
            logging.config.dictConfig({"version": 1, "handlers": handlers})

        assert '"class": "agentlogsafe.AuditHandler", and not "()"' in str(raised.value.__cause__)


class TestTargets:
    def test_level_and_filters(self):
        """The target's own level and filters hold (pitfall 19)."""
        stream = io.StringIO()
        target = logging.StreamHandler(stream)
        target.setLevel(logging.WARNING)
        target.addFilter(lambda record: record.payload != {"note": "skip"})
        logger, _ = by_handler(target=target)

        logger.info("tool_call")
        logger.warning("decision", extra={"note": "skip"})
        logger.warning("error")

        assert [event["event_type"] for event in lines(stream)] == ["error"]

    def test_plain_formatter(self):
        """A plain formatter has the line of JSON in the place of the message."""
        stream = io.StringIO()
        target = logging.StreamHandler(stream)
        target.setFormatter(logging.Formatter("app[7]: %(levelname)s %(message)s"))
        logger, _ = by_handler(target=target)

        logger.info("tool_call", extra={"note": TEXT})

        prefix, _, text = stream.getvalue().partition(" {")
        assert prefix == "app[7]: INFO"
        valid(json.loads("{" + text))

    def test_other_json_formatter(self):
        """A formatter of another kind has the event type as message and the fields as attributes."""
        stream = io.StringIO()
        target = logging.StreamHandler(stream)
        target.setFormatter(JsonFormatter())
        logger, _ = by_handler(target=target)

        logger.info("tool_call", extra={"tool_name": "sql", "note": TEXT})

        (line,) = lines(stream)
        assert line["message"] == "tool_call"
        assert line["tool_name"] == "sql"
        assert line["payload"]["note"].startswith("mail [EMAIL]")

    def test_queue(self):
        """Through our handler, data survives a QueueHandler, with and without a formatter behind it (pitfall 14)."""
        for formatter in (None, agentlogsafe.AuditFormatter()):
            stream = io.StringIO()
            sink = logging.StreamHandler(stream)
            sink.setFormatter(formatter)
            records = queue.Queue()
            listener = logging.handlers.QueueListener(records, sink)
            logger, _ = by_handler(target=logging.handlers.QueueHandler(records))
            with agentlogsafe.run(run_id="r1", logger=logger):
                logger.info({"event": "tool_call", "tool_name": "sql", "note": TEXT})
            listener.start()
            listener.stop()

            event = valid(lines(stream)[1])
            assert event["tool_name"] == "sql"
            assert event["run_id"] == "r1"
            clean(event)

    def test_socket(self):
        """A SocketHandler gets plain data that any receiver can unpickle, whatever the fields (pitfall 15)."""
        received = []

        class Receiver(socketserver.StreamRequestHandler):
            def handle(self):
                for _ in range(2):
                    (length,) = struct.unpack(">L", self.rfile.read(4))
                    received.append(self.rfile.read(length))

        with socketserver.TCPServer(("127.0.0.1", 0), Receiver) as server:
            thread = threading.Thread(target=server.handle_request)
            thread.start()
            target = logging.handlers.SocketHandler(*server.server_address)
            logger, _ = by_handler(target=target)
            logger.info("tool_call", {"call": lambda: None, "note": TEXT, "lock": threading.Lock()})
            logger.info("hello", extra={"call": lambda: None, "note": TEXT})
            thread.join(10)
            target.close()

        assert len(received) == 2
        for data in received:
            clean(json.dumps(unpickled(data), default=repr))

    def test_otlp(self):
        """The OTLP handler exports the event type as body and the fields as attributes (pitfall 16)."""
        otel_handler = pytest.importorskip("opentelemetry.sdk._logs").LoggingHandler
        exporter = InMemoryLogRecordExporter()
        provider = LoggerProvider()
        provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            logger, _ = by_handler(target=otel_handler(logger_provider=provider))

        logger.info({"event": "tool_call", "tool_name": "sql", "note": TEXT})

        (exported,) = exporter.get_finished_logs()
        assert exported.log_record.body == "tool_call"
        assert exported.log_record.attributes["tool_name"] == "sql"
        assert "note" in exported.log_record.attributes["payload"]
        clean(repr(exported.log_record.attributes))

    def test_pickled_to_another_process(self):
        """A handed-on record pickles to plain data with the line as message."""
        kept = []

        class Keep(logging.Handler):
            def emit(self, record):
                kept.append(record)

        logger, _ = by_handler(target=Keep())
        logger.info("tool_call", extra={"note": TEXT})

        assert valid(json.loads(unpickled(pickle.dumps(kept[0])).getMessage()))["event_type"] == "tool_call"


class TestFailures:
    @pytest.mark.parametrize("raises", [False, True])
    @pytest.mark.parametrize("raise_exceptions", [False, True])
    def test_fallback(self, tmp_path, capsys, raises, raise_exceptions):
        """A failing target's events are kept by the fallback, and stderr has no data (pitfalls 7 and 8)."""
        logging.raiseExceptions = raise_exceptions
        path = tmp_path / "fallback.jsonl"
        target = Failing(raises=raises)
        logger, _ = by_handler(target=target, fallback=path)

        logger.info("tool_call", extra={"note": TEXT})
        logger.info("hello %s", TEXT)

        assert valid(json.loads(path.read_text().split("\n")[0]))["event_type"] == "tool_call"
        clean(path.read_text())
        assert path.stat().st_mode & 0o777 == 0o600
        counts = logger.handlers[0].counters.as_dict()
        assert counts["reasons"] == {"OSError": 2, "target failing": 1}  # with the report that it fails
        assert (counts["accepted"], counts["fallback"], counts["lost"]) == (3, 3, 0)
        error = clean(capsys.readouterr().err)
        assert error.count("\n") == 1
        assert "OSError" in error

    def test_no_fallback(self, capsys):
        """Without a fallback, what a target does not take is counted as lost."""
        logger, _ = by_handler(target=Failing())

        logger.info("tool_call", extra={"note": TEXT})

        assert logger.handlers[0].counters.as_dict()["lost"] == 1
        assert "events are lost" in clean(capsys.readouterr().err)

    def test_fallback_handler(self):
        """A fallback can be any handler; when that fails too, the event is counted as lost."""
        other = Failing()
        other.works = True
        logger, _ = by_handler(target=Failing(), fallback=other)
        logger.info("tool_call")
        other.works = False
        logger.info("tool_call")

        counts = logger.handlers[0].counters.as_dict()
        assert (counts["fallback"], counts["lost"]) == (2, 1)  # the report that the target fails, too

    def test_target_keeps_its_own_error_handling(self, capsys):
        """Outside our delivery a target handles its errors as before."""
        target = Failing()
        agentlogsafe.AuditHandler(target)

        target.handle(logging.makeLogRecord({"msg": "direct"}))

        assert "Logging error" in capsys.readouterr().err

    def test_recursion(self):
        """A target that logs while it writes does not recurse, and what it says is kept (pitfall 27)."""

        class Chatty(Failing):
            def emit(self, record):
                self.seen.append(self.format(record))
                logging.getLogger("app").info("decision", extra={"about": len(self.seen)})

        target = Chatty()
        logger, _ = by_handler(target=target)

        logger.info("tool_call")

        counts = logger.handlers[0].counters.as_dict()
        assert [json.loads(line)["event_type"] for line in target.seen] == ["tool_call", "decision", "custom"]
        assert counts["reasons"] == {"recursion": 2}  # while it wrote what it said, and the report of that
        assert counts["accepted"] == counts["delivered"] + counts["fallback"] + counts["lost"] == 5

    def test_filter_that_raises(self, capsys):
        """A filter that raises keeps nothing from being recorded."""
        logger, stream = by_handler()
        logger.handlers[0].addFilter(lambda record: 1 / 0)

        logger.info("tool_call", extra={"note": TEXT})

        assert len(lines(stream)) == 1
        assert "ZeroDivisionError" in clean(capsys.readouterr().err)

    def test_stderr_closed(self, monkeypatch):
        """With no stderr left, a failure is still only counted."""
        closed = io.StringIO()
        closed.close()
        monkeypatch.setattr("sys.stderr", closed)
        logger, _ = by_handler(name="closed", target=Failing())

        logger.info("tool_call")

        assert logger.handlers[0].counters.as_dict()["lost"] == 1

    def test_flush_that_fails(self, capsys):
        """A target that cannot be flushed raises nothing at shutdown."""
        target = logging.StreamHandler(io.StringIO())
        target.flush = lambda: 1 / 0
        handler = agentlogsafe.AuditHandler(target)
        handler.name = "unflushable"

        handler.flush()
        handler.close()
        del target.flush

        assert "could not be flushed" in capsys.readouterr().err

    @pytest.mark.parametrize("kind", ["missing folder", "folder", "link"])
    def test_unusable_fallback(self, tmp_path, kind):
        """A fallback that cannot be used raises when configured; a symbolic link is not followed."""
        path = {"missing folder": tmp_path / "no" / "f", "folder": tmp_path, "link": tmp_path / "link"}[kind]
        if kind == "link":
            path.symlink_to(tmp_path / "elsewhere")

        with pytest.raises(ConfigurationError, match="fallback"):
            agentlogsafe.AuditHandler(fallback=path)

    def test_link_planted_later(self, tmp_path):
        """A symbolic link planted after configuration is not followed either."""
        path = tmp_path / "fallback.jsonl"
        logger, _ = by_handler(target=Failing(), fallback=path)
        path.symlink_to(tmp_path / "elsewhere")

        logger.info("tool_call")

        assert not (tmp_path / "elsewhere").exists()
        assert logger.handlers[0].counters.as_dict()["lost"] == 2

    def test_stats(self):
        """``stats`` shows the counts of each handler under its name."""
        logger, _ = by_handler(name="counted")
        logger.handlers[0].name = "my-audit"
        logger.info("tool_call")

        assert agentlogsafe.stats()["my-audit"]["delivered"] == 1

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
    def test_fork_with_locks_held(self):
        """A child forked while the parent's locks are held logs without blocking (pitfall 26)."""
        logger, stream = by_handler()
        logger.info("tool_call")
        counters = logger.handlers[0].counters
        with counters._lock:
            child = os.fork()
            if child == 0:  # pragma: no cover -- the child's coverage is not collected
                logger.info("tool_result")
                os._exit(0 if len(lines(stream)) == 2 else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


class TestInstall:
    def test_every_handler(self):
        """Every handler of a running application is wrapped in place, once; uvicorn's too (pitfall 36)."""
        streams = {name: io.StringIO() for name in ("root", "uvicorn.access")}
        for name, stream in streams.items():
            logger = logging.getLogger("" if name == "root" else name)
            logger.handlers[:] = [logging.StreamHandler(stream)]
            logger.handlers[0].setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
            logger.setLevel(logging.INFO)
        logging.getLogger("uvicorn.access").propagate = False

        wrappers = agentlogsafe.install(agent_name="a")
        logging.getLogger("app").info("tool_call", extra={"note": TEXT})
        logging.getLogger("uvicorn.access").info('"GET %s"', f"/x?api_key={SECRET}")

        assert len(wrappers) >= 2
        assert agentlogsafe.install() == []
        assert clean(streams["root"].getvalue()).startswith('INFO: {"schema_version"')
        assert clean(streams["uvicorn.access"].getvalue()).startswith('INFO: "GET /x?api_key=')

    def test_one_logger(self):
        """A single logger can be named, and a handler on two loggers gets one wrapper."""
        shared_handler = logging.StreamHandler(io.StringIO())
        shared_handler.name = "out"
        one = logging.getLogger("one")
        one.handlers[:] = [shared_handler, logging.NullHandler()]

        (wrapper,) = agentlogsafe.install("one")

        assert one.handlers[0] is wrapper
        assert wrapper.name == "audit:out"
        assert wrapper.target is shared_handler


def test_attributes_that_a_filter_of_the_target_sets():
    """What a filter puts on the record under a name of its own does not take the place of the event."""

    def marks(record):
        record.event, record.line = {"note": TEXT}, TEXT
        return True

    for formatter in (None, agentlogsafe.AuditFormatter(), logging.Formatter()):
        stream = io.StringIO()
        target = logging.StreamHandler(stream)
        target.setFormatter(formatter)
        target.addFilter(marks)
        logger, _ = by_handler(target=target)
        logger.info("tool_call", {"tool_name": "sql"})

        assert valid(lines(stream)[0])["tool_name"] == "sql"


SIGNS = "Zoë paid 5 € \N{LOCK}"


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1"])
class TestStreamsWithoutUnicode:
    def test_formatter_alone(self, tmp_path, capsys, encoding):
        """A line with signs that the stream does not take is escaped, not lost with its arguments on stderr."""
        path = tmp_path / "app.jsonl"
        handler = logging.FileHandler(path, encoding=encoding)
        handler.setFormatter(agentlogsafe.AuditFormatter())
        logger = logging.getLogger("svc.ascii")
        logger.propagate, logger.handlers[:] = False, [handler]
        logger.warning("decision", {"note": SIGNS})
        logger.warning("ordinary %s", SIGNS)
        handler.close()

        event, line = lines(path)
        assert valid(event)["payload"]["note"] == SIGNS
        assert line["message"] == f"ordinary {SIGNS}"
        assert capsys.readouterr().err == ""

    @pytest.mark.parametrize("formatter", [None, agentlogsafe.AuditFormatter(), logging.Formatter()])
    def test_target(self, tmp_path, encoding, formatter):
        """The same goes for a target, whatever formats for it."""
        path = tmp_path / "app.jsonl"
        target = logging.FileHandler(path, encoding=encoding)
        target.setFormatter(formatter)
        logger, _ = by_handler(target=target, seal="chain")
        for _ in range(2):
            logger.info("decision", {"note": SIGNS})
        logger.handlers[0].close()
        target.close()

        assert [event["payload"]["note"] for event in lines(path)[:2]] == [SIGNS] * 2
        assert logger.handlers[0].counters.as_dict()["delivered"] == 3


class TestBareHandlers:
    def bare(self, **attributes):
        handler = logging.StreamHandler(io.StringIO())
        for name, value in attributes.items():
            setattr(handler, name, value)
        return handler

    def test_warned_once_by_name(self):
        """A bare handler that the raw record still reaches is warned about by name, once (pitfall 25)."""
        logger, _ = by_handler("svc.agents")
        logger.propagate = True
        logging.getLogger("svc").propagate = False
        logging.getLogger("svc").addHandler(self.bare(name="console"))

        with pytest.warns(agentlogsafe.AgentLogSafeWarning, match=r"'console' \(StreamHandler\) of logger 'svc'"):
            logger.info("tool_call")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            logger.info("tool_call")
            logger.error("tool_call")

    def test_safe_ones(self):
        """Audited handlers, null handlers and handlers above the level are no reason to warn."""
        logger, _ = by_handler("svc.agents")
        formatted = self.bare()
        formatted.setFormatter(agentlogsafe.AuditFormatter())
        logger.handlers += [formatted, logging.NullHandler(), self.bare(level=logging.CRITICAL)]

        with warnings.catch_warnings():
            warnings.simplefilter("error")
            logger.info("tool_call")

    def test_warnings_as_errors(self, capsys):
        """Where warnings are errors, the log call still raises nothing."""
        logger, stream = by_handler("svc.strict")
        logger.addHandler(self.bare(name="strict-console"))

        with warnings.catch_warnings():
            warnings.simplefilter("error")
            logger.info("tool_call")

        assert len(lines(stream)) == 1
        assert "strict-console" in capsys.readouterr().err

    def test_beside_one_without_target(self):
        """A bare handler beside an AuditHandler that writes to it is named: it gets raw records, too (pitfall 25)."""
        root, console = logging.getLogger(), self.bare(name="root-console")
        root.handlers[:] = [console, agentlogsafe.AuditHandler()]

        findings = agentlogsafe.self_check()
        with pytest.warns(agentlogsafe.AgentLogSafeWarning, match="root-console"):
            root.warning("password=hunter2")

        assert "raw records of logger 'root' reach handler 'root-console' (StreamHandler) of logger 'root'" in findings

    def test_names_are_redacted(self, capsys):
        """What a message says of loggers and handlers is redacted, since applications put data into names."""
        logger, _ = by_handler(f"sess.{EMAIL}", Failing())
        logger.addHandler(self.bare(name=f"for {EMAIL}"))

        with pytest.warns(agentlogsafe.AgentLogSafeWarning) as caught:
            logger.info("tool_call")
        logger.handlers[0].name = f"audit-{SECRET}"
        logger.info("tool_call")

        said = [str(one.message) for one in caught] + agentlogsafe.self_check() + [capsys.readouterr().err]
        assert "handler 'audit-" in said[-1]
        assert "[EMAIL]" in clean("\n".join(said))

    def test_warnings_that_cannot_be_shown(self, capsys):
        """Where showing a warning fails, the event is delivered still."""

        def fails(*_, **__):
            raise OSError

        logger, stream = by_handler("svc.mute")
        logger.addHandler(self.bare(name="mute-console"))
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.showwarning = fails
            logger.info("tool_call")

        assert len(lines(stream)) == 1
        assert "mute-console" in capsys.readouterr().err

    def test_self_check(self):
        """The self-check names disabled loggers, levels that swallow events, and bare handlers (pitfall 21)."""
        logger, _ = by_handler("svc.checked")
        assert not [finding for finding in agentlogsafe.self_check() if "svc.checked" in finding]
        logger.setLevel(logging.ERROR)
        logger.addHandler(self.bare(name="naked"))
        logging.getLogger("svc.old").disabled = True

        findings = "\n".join(agentlogsafe.self_check())

        assert "'svc.old' is disabled" in findings
        assert "'svc.checked' has level ERROR" in findings
        assert "'naked'" in findings

    def test_our_logger_is_not_left_disabled(self):
        """A dictConfig that disables existing loggers does not silence the end of a run (pitfall 21)."""
        stream = io.StringIO()
        with agentlogsafe.run():
            logging.config.dictConfig(
                {
                    "version": 1,
                    "formatters": {"audit": {"()": "agentlogsafe.AuditFormatter"}},
                    "handlers": {"out": {"class": "logging.StreamHandler", "stream": stream, "formatter": "audit"}},
                    "root": {"handlers": ["out"], "level": "INFO"},
                }
            )

        assert [event["event_type"] for event in lines(stream)] == ["run_end"]


def test_set_target():
    """The target can be changed later."""
    logger, _ = by_handler()
    stream = io.StringIO()

    logger.handlers[0].setTarget(logging.StreamHandler(stream))
    logger.info("tool_call", extra={"mail": EMAIL})
    logger.handlers[0].setTarget(None)

    assert valid(lines(stream)[0])


def test_install_on_something_else():
    """What is no logger is refused when it is given."""
    with pytest.raises(ConfigurationError, match=r"install\.logger: expected a logger or its name, got int"):
        agentlogsafe.install(5)
