"""How records arrive, and what must not leave: pitfalls 1 to 13."""

from __future__ import annotations

import builtins
import io
import json
import logging
import sys
from collections import OrderedDict, UserDict
from decimal import Decimal

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

import agentlogsafe

from .helpers import EMAIL, SECRET, TEXT, by_formatter, by_handler, clean, lines, valid


class Hostile:
    """An object whose every way to become text raises."""

    def __str__(self):
        raise RuntimeError(TEXT)

    __repr__ = __format__ = __str__


class Failing:
    """An object that raises what it was made with."""

    def __init__(self, error):
        self.error = error

    def __str__(self):
        raise self.error


@pytest.fixture(params=[by_formatter, by_handler])
def entry(request):
    return request.param


class TestArguments:
    def test_interpolated_then_redacted(self, entry):
        """Secrets in %-arguments are redacted after interpolation (pitfall 5)."""
        logger, stream = entry()

        logger.info('%s - "%s %s" %d', "127.0.0.1:1", "GET", f"/x?token={SECRET}", 200)

        assert "200" in clean(stream.getvalue())

    @pytest.mark.parametrize("args", [(), (1, 2, TEXT), (TEXT,), ({"a": TEXT}, 2, 3), (Hostile(),)])
    def test_arguments_that_do_not_fit(self, entry, args, capsys):
        """Arguments that do not fit keep their line, and nothing shows on stderr (pitfall 6)."""
        logger, stream = entry()

        logger.info("%s and %d", *args)

        assert "%s and %d" in clean(stream.getvalue())
        assert capsys.readouterr().err == ""

    @pytest.mark.parametrize("form", ["got %s and %s", "got %s"], ids=["fits", "does not"])
    def test_arguments_with_names_in_them(self, entry, form):
        """What has names in it is redacted by them, and not as the text that it becomes (pitfall 5)."""
        logger, stream = entry()
        given = {"dob": "the first", "tokens": OrderedDict(api_key=b"abcdefgh"), "n": 1}

        logger.info(form, given, ["a", {"first_name": "mia", "password": ("hunter2",)}])

        assert lines(stream)[0]["message"].replace("(", "").rstrip(")") == (
            f"{'got %s' if form == 'got %s' else 'got'} {{'dob': '[BIRTH_DATE]', 'tokens': {{'api_key': '[API_KEY]'}}, "
            f"'n': 1}}{',' if form == 'got %s' else ' and'} "
            f"['a', {{'first_name': '[NAME]', 'password': ['[PASSWORD]']}}]"
        )

    def test_more_arguments_than_can_be_shown(self, entry):
        """Arguments with names in them are redacted together, and what is too much of them is cut."""
        logger, stream = entry(limits={"line": 100_000, "string": 50_000})

        logger.info("%s " * 1_500, *[[number] for number in range(1_500)])

        message = lines(stream)[0]["message"]
        assert message.startswith("[0] [1] ")
        assert message.endswith("[998] " + "[TRUNCATED] " * 501)

    def test_names_in_the_format_string(self, entry):
        """A value that the format string asks for under a sensitive name goes; others are formatted as they are."""
        logger, stream = entry()

        logger.info(
            "%(user)s, %(first_name)s: %(n)05.1f %(rows)s",
            {"user": 7, "first_name": "mia", "n": Decimal(2), "rows": [{"dob": "x"}]},
        )
        logger.info("%(pin)d", {"pin": 1234})
        logger.info("got %s", {"pin": 1234, "n": 1})
        logger.info("got %r", {"dob": "x"})

        assert [line["message"] for line in lines(stream)] == [
            "7, [NAME]: 002.0 [{'dob': '[BIRTH_DATE]'}]",
            "%(pin)d",
            "got {'pin': '[PASSWORD]', 'n': 1}",
            "got {'dob': '[BIRTH_DATE]'}",
        ]

    def test_arguments_that_do_not_fit_are_not_cut_before_they_are_redacted(self, entry):
        """No half of a secret stays where the arguments are long (pitfall 39)."""
        for length in range(9_940, 10_000, 4):
            logger, stream = entry(limits={"string": 30_000, "line": 60_000})

            logger.info("%d", f"{'y' * length} {SECRET}")

            assert SECRET[:8] not in clean(stream.getvalue())

    def test_positional_arguments_of_an_event(self, entry):
        """Positional arguments of an event are kept, and named as a problem (pitfall 6)."""
        logger, stream = entry()

        logger.info("tool_call", 1, TEXT)

        (event,) = lines(stream)
        assert valid(event)["payload"]["positional_args"][0] == 1
        assert any(problem.startswith("args:") for problem in event["problems"])
        clean(event)

    def test_mapping_for_the_format_string(self, entry):
        """A mapping that the format string asks for is no fields (gunicorn's access log, pitfall 36)."""
        logger, stream = entry()

        logger.info("%(method)s %(path)s", {"method": "GET", "path": f"/x?token={SECRET}", "header": TEXT})

        assert "GET /x?token=" in clean(stream.getvalue())
        assert "header" not in stream.getvalue()

    def test_formatter_that_takes_the_arguments_apart(self):
        """A formatter that unpacks the arguments, as uvicorn's does, gets them redacted (pitfall 36)."""

        class Access(logging.Formatter):
            def format(self, record):
                client, path, status = record.args
                return f"{client}|{path}|{status + 1}"

        logger, stream = by_handler()
        logger.handlers[0].target.setFormatter(Access())

        logger.info('%s - "%s" %d', "10.0.0.9", f"/x?token={SECRET}&page=2", 200)

        _, path, status = clean(stream.getvalue()).strip().split("|")
        assert path.startswith("/x?token=[")
        assert status == "201"

    def test_empty_mapping(self, entry):
        """An empty mapping makes an event like any other (pitfall 6)."""
        logger, stream = entry()

        logger.info("tool_call", {})

        (event,) = lines(stream)
        assert event["event_type"] == "tool_call"
        assert event["payload"] == {}
        assert event["problems"] == ["run: the event is outside any run"]

    def test_names_on_records_that_are_handed_on(self):
        """Thread, task, level, file and function: what an application names is redacted on the record, too."""
        found = []

        class Keep(logging.Handler):
            def emit(self, record):
                found.append(record)

        logger, _ = by_handler(target=Keep())
        names = {"threadName": EMAIL, "taskName": EMAIL, "processName": EMAIL, "funcName": EMAIL, "filename": EMAIL}
        logging.addLevelName(26, f"password=hunter2 {EMAIL}")
        try:
            for message in ("tool_call", "hello"):
                record = logger.makeRecord("app", 26, f"/home/{EMAIL}/x.py", 1, message, (), None, EMAIL)
                record.__dict__.update(names)
                logger.handle(record)
        finally:
            del logging._levelToName[26], logging._nameToLevel[f"password=hunter2 {EMAIL}"]

        event, line = found
        for record in found:
            clean(repr(record.__dict__))
            assert "hunter2" not in repr(record.__dict__)
        assert event.level == "password=[password] [email]"
        assert line.levelname == "password=[PASSWORD] [EMAIL]"

    @pytest.mark.parametrize("message", ["tool_call", "hello"])
    def test_numbers_that_are_none(self, message):
        """A record from elsewhere can have any object as its process, thread or line: it is redacted, too (15)."""
        found = []

        class Keep(logging.Handler):
            def emit(self, record):
                found.append(record)

        given = {"process": TEXT, "thread": {"password": "hunter2"}, "lineno": [TEXT], "relativeCreated": 5}
        logger, _ = by_handler(target=Keep())
        logger.handle(logging.makeLogRecord({"msg": message, "levelno": 20, "levelname": "INFO", **given}))
        logger, stream = by_formatter(fmt=list(given))
        logger.handle(logging.makeLogRecord({"msg": message, "levelno": 20, "levelname": "INFO", **given}))

        for text in (repr(found[0].__dict__), stream.getvalue()):
            assert "hunter2" not in clean(text)
        assert found[0].relativeCreated == 5

    def test_field_named_like_a_method(self, entry):
        """A field that would hide a method of the record gets an underscore (pitfall 11)."""
        logger, stream = entry()

        logger.info("hello", extra={"getMessage": 7})

        (line,) = lines(stream)
        assert line["getMessage_"] == 7
        assert line["message"] == "hello"

    def test_only_the_text_of_a_traceback(self):
        """A record from elsewhere that has only the text of its traceback keeps it, redacted."""
        logger, stream = by_formatter()
        for message in ("error", "decision", "it broke"):
            record = logging.makeLogRecord({"levelno": 20, "msg": message, "exc_text": f"Traceback: {TEXT}"})
            logger.handle(record)

        error, decision, line = lines(stream)
        for found in (error["payload"]["exception"]["stacktrace"], decision["payload"]["exception"]["stacktrace"]):
            assert found.startswith("Traceback: mail [EMAIL]")
        assert line["exc_info"].startswith("Traceback: mail [EMAIL]")
        clean(stream.getvalue())

    @pytest.mark.parametrize("name", ["name", "args", "module", "process", "thread", "message", "asctime", "taskName"])
    def test_reserved_extra_keys(self, entry, name):
        """The mapping argument takes the names that ``extra`` refuses (pitfall 11)."""
        logger, stream = entry()

        logger.info("tool_call", {name: 7, "tool_name": "sql"})

        (event,) = lines(stream)
        assert set(event["payload"]) == {name}

    def test_mapping_and_extra(self, entry):
        """Fields may come both ways at once; the mapping wins."""
        logger, stream = entry()

        logger.info("tool_call", {"a": 1}, extra={"a": 2, "b": 3})

        assert lines(stream)[0]["payload"] == {"a": 1, "b": 3}

    def test_interpolated_event_type(self, entry):
        """A message that becomes an event type by interpolation is one."""
        logger, stream = entry()

        logger.info("tool_%s", "call")

        assert lines(stream)[0]["event_type"] == "tool_call"

    def test_event_type_field(self, entry):
        """The field ``event_type`` makes an event of any message (pitfall 13)."""
        logger, stream = entry()

        logger.info("asking %s", "sql", extra={"event_type": "tool_call"})

        (event,) = lines(stream)
        assert event["event_type"] == "tool_call"
        assert event["payload"] == {"message": "asking sql"}

    def test_unknown_event_type_field(self, entry):
        """An unknown ``event_type`` makes a custom event that names it."""
        logger, stream = entry()

        logger.info("hello", extra={"event_type": "tool_cal"})

        (event,) = lines(stream)
        assert valid(event)["event_type"] == "custom"
        assert event["payload"] == {"message": "hello", "event_type": "tool_cal"}
        assert "event_type: not a registered event type; kept in payload" in event["problems"]

    def test_logger_adapter(self, entry):
        """With a LoggerAdapter, which drops the call's ``extra`` before 3.13, the mapping form works (pitfall 24)."""
        logger, stream = entry()

        logging.LoggerAdapter(logger, {"bound": 1}).info("tool_call", {"tool_name": "sql"})

        (event,) = lines(stream)
        assert event["tool_name"] == "sql"
        assert event["payload"] == {"bound": 1}


class TestOthers:
    def test_redacted(self):
        """An ordinary line stays one, redacted in every part, with the run's ids."""
        logger, stream = by_formatter()
        with agentlogsafe.run(run_id="r1", logger=logger):
            logger.info("mail %s", EMAIL, extra={"password": "hunter2", "note": TEXT, "amount": 5})

        line = lines(stream)[1]
        assert line["message"] == "mail [EMAIL]"
        assert line["run_id"] == "r1"
        assert line["amount"] == 5
        assert "hunter2" not in clean(line)

    def test_custom(self, entry):
        """Ordinary lines can become custom events."""
        logger, stream = entry(others="custom")

        logger.warning("mail %s", EMAIL, extra={"a": 1})

        (event,) = lines(stream)
        assert valid(event)["event_type"] == "custom"
        assert event["payload"] == {"message": "mail [EMAIL]", "a": 1}

    def test_drop(self):
        """Ordinary lines can be dropped."""
        logger, stream = by_handler(others="drop")

        logger.info("hello")
        logger.info("tool_call")

        assert [event["event_type"] for event in lines(stream)] == ["tool_call"]

    def test_names_an_application_chooses(self, entry):
        """A secret in the name of a thread or logger is redacted like everything else."""
        logger, stream = entry(name=f"tenant {EMAIL}")
        logger.handlers[0].setFormatter(agentlogsafe.AuditFormatter("%(name)s %(threadName)s %(message)s"))

        logger.info("hello")
        logger.info("tool_call")

        clean(stream.getvalue())


class TestExceptions:
    def raise_and_log(self, logger, message="error"):
        try:
            raise ValueError(TEXT)
        except ValueError:
            logger.exception(message)

    @pytest.mark.parametrize("message", ["error", "it broke"])
    def test_redacted_and_not_cached(self, entry, message):
        """A traceback is redacted, and the record keeps its exception and no cached text (pitfall 4)."""
        logger, stream = entry()
        kept = []
        logger.addFilter(lambda record: kept.append(record) or True)

        self.raise_and_log(logger, message)

        assert "ValueError" in clean(stream.getvalue())
        assert kept[0].exc_info[0] is ValueError
        assert kept[0].exc_text is None

    @pytest.mark.parametrize("form", ["exc_info", "field", "instance", "text"])
    def test_forms_of_an_error(self, form):
        """An error event takes an exception, a string or exc_info."""
        logger, stream = by_formatter()
        error = KeyError("boom")
        if form == "exc_info":
            logger.error("error", exc_info=error)
        elif form == "field":
            logger.error("error", extra={"error": error})
        elif form == "instance":
            logger.error("error", {"exception": error})
        else:
            logger.error("error", {"error": "boom"})

        payload = valid(lines(stream)[0])["payload"]
        if form == "text":
            assert payload == {"error": "boom"}
        else:
            assert payload["exception"]["type"] == "KeyError"
            assert payload["exception"]["message"] == "'boom'"
            assert "KeyError" in payload["exception"]["stacktrace"]

    @pytest.mark.skipif(sys.version_info < (3, 11), reason="groups came with Python 3.11")
    @pytest.mark.parametrize("shape", ["nested", "wide", "long"])
    def test_more_exceptions_than_can_be_shown(self, entry, shape):
        """What the members and causes of an exception cost is bounded: levels of groups would multiply it."""
        error = ValueError(TEXT)
        for _ in range({"nested": 40, "wide": 1, "long": 50_000}[shape]):
            if shape == "long":
                error, error.__cause__ = ValueError(TEXT), error
            else:
                members = [error] * (3 if shape == "nested" else 50_000)
                error = builtins.ExceptionGroup(TEXT, members)
        logger, stream = entry()

        for message in ("error", "it broke"):
            logger.error(message, exc_info=error)  # forty levels of three would take for ever

        event, line = lines(stream)
        assert "[more exceptions" in event["payload"]["exception"]["stacktrace"]
        assert "[more exceptions" in line["exc_info"]
        clean(stream.getvalue())

    @pytest.mark.skipif(sys.version_info < (3, 11), reason="groups came with Python 3.11")
    def test_group(self, entry):
        """The members of a group and their causes are in its stacktrace."""
        cause = KeyError("the cause")
        member = ValueError("a member")
        member.__cause__ = cause
        logger, stream = entry()

        logger.error("error", exc_info=builtins.ExceptionGroup("both", [member, OSError("another")]))

        stack = lines(stream)[0]["payload"]["exception"]["stacktrace"]
        assert all(text in stack for text in ("the cause", "a member", "another"))

    def test_exception_that_cannot_be_shown(self, entry):
        """An exception whose text raises is recorded all the same."""

        class BrokenError(Exception):
            __str__ = __repr__ = Hostile.__str__

        logger, stream = entry()
        try:
            raise BrokenError
        except BrokenError:
            logger.exception("error")

        assert "Broken" in clean(stream.getvalue())

    @pytest.mark.parametrize("exc_info", [(None, None, None), True, "text", 7, (1, 2, 3), ()])
    def test_odd_exc_info(self, entry, exc_info):
        """An ``exc_info`` that is none does no harm."""
        logger, stream = entry()
        record = logger.makeRecord("app", logging.INFO, "file", 1, "tool_call", (), None)
        record.exc_info = exc_info

        logger.handle(record)

        assert lines(stream)[0]["event_type"] == "tool_call"

    def test_stack_info(self, entry):
        """The stack is kept, redacted."""
        logger, stream = entry()

        logger.info("tool_call", stack_info=True)

        assert "test_stack_info" in lines(stream)[0]["payload"]["stack_info"]


class TestHostileRecords:
    @pytest.mark.parametrize("created", [None, "now", float("nan"), float("inf"), -1e30, 1e30, 1.8e12, -1e11])
    def test_time(self, entry, created):
        """A record with an impossible time is an event of the present, and says so."""
        logger, stream = entry()
        record = logging.makeLogRecord({"msg": "tool_call", "name": "app", "levelno": 20, "levelname": "INFO"})
        record.created = created

        logger.handle(record)

        event = valid(lines(stream)[0])
        assert any(problem.startswith("timestamp:") for problem in event["problems"])

    def test_missing_attributes(self, entry):
        """A record that lacks what every record has is an event that says so."""
        logger, stream = entry()
        record = logging.makeLogRecord({"msg": "tool_call", "levelno": 20, "levelname": "INFO", "secret": SECRET})
        del record.__dict__["exc_info"]
        del record.__dict__["created"]

        logger.handle(record)

        event = valid(lines(stream)[0])
        assert event["problems"]
        clean(event)

    def test_custom_level(self, entry):
        """A level without a name falls back to its number (pitfall 35)."""
        logger, stream = entry()

        logger.log(25, "tool_call")

        assert lines(stream)[0]["level"] == "level 25"

    @pytest.mark.parametrize("message", [Hostile(), None, 7, {"a": TEXT}, {"event": 7}, {"event": Hostile()}, b"x"])
    def test_messages_of_any_kind(self, entry, message):
        """A message of any kind gives one line."""
        logger, stream = entry()

        logger.info(message)

        assert len(clean(stream.getvalue()).strip().split("\n")) == 1

    @pytest.mark.parametrize("kind", [dict, UserDict, lambda given: [dict(given)]])
    def test_message_that_is_a_mapping(self, entry, kind):
        """A mapping as message is redacted by its names, and not as the text that Python makes of it."""
        logger, stream = entry()

        logger.info(kind({"ssn": b"abc", "password": f"it's \"{SECRET}", "first_name": b"Mia", "n": 1}))

        (line,) = lines(stream)
        assert "{'ssn': '[NATIONAL_ID]', 'password': '[PASSWORD]', 'first_name': '[NAME]', 'n': 1}" in line["message"]

    def test_message_that_leaves_no_room(self, entry):
        """A message as wide as nothing may be leaves the names of the line alone."""
        logger, stream = entry()

        logger.info({"a": [1] * 200_000, "b": [1] * 200_000})

        (line,) = lines(stream)
        assert (line["name"], line["levelname"]) == ("app", "INFO")

    def test_names_where_redaction_fails(self, entry, monkeypatch):
        """Where redaction fails, the names on the record are withheld with the rest."""
        logger, stream = entry()
        monkeypatch.setattr("agentlogsafe.redaction.walk.Walk.put", lambda *_: 1 / 0)

        logger.handle(logging.makeLogRecord({"msg": "x", "name": EMAIL, "levelno": 20, "process": EMAIL}))
        logger.info("got %s and %s", [EMAIL], {"a": EMAIL})

        assert lines(stream)[0]["name"] == "[UNREDACTABLE]"
        clean(stream.getvalue())

    @pytest.mark.parametrize("message", ["tool_call", "hello"])
    def test_names_of_types(self, entry, message):
        """What an application calls a type, from data perhaps, is redacted where a problem names it."""
        kind = type(f"password={SECRET}", (), {"__str__": lambda _: 1 / 0})
        error = type(f"mail {EMAIL}", (Exception,), {})
        logger, stream = entry()

        logger.info(message, {"a": kind(), "metadata": kind(), "status": kind(), "b": Failing(error)})

        (line,) = lines(stream)
        assert line["problems"]
        clean(stream.getvalue())

    def test_hostile_fields(self, entry):
        """Objects that raise whatever is asked of them are replaced, and the event goes out (pitfall 37)."""

        class Trap(dict):
            def __iter__(self):
                raise RuntimeError(TEXT)

            items = keys = __iter__

        logger, stream = entry()
        for value in (Hostile(), Trap(a=TEXT), [Trap(a=1)]):
            logger.info("tool_call", {"value": value, "tool_name": value, "metadata": value, "payload": value})
        logger.info("tool_call", Trap(a=TEXT))

        events = [valid(event) for event in lines(stream)]
        assert len(events) == 4
        assert all(event["problems"] for event in events)
        clean(events)

    def test_forged_stamp(self, entry):
        """A field named like the private mark is no mark (design: recognised by type)."""
        logger, stream = entry()

        logger.info("tool_call", extra={"_agentlogsafe": "forged", "_agentlogsafe_run": "forged", "note": TEXT})

        (event,) = lines(stream)
        assert event["event_id"] != "forged"
        assert event["run_id"] is None
        clean(event)

    @given(
        st.text(),
        st.one_of(
            st.lists(st.text() | st.integers() | st.none()).map(tuple),
            st.dictionaries(st.text(), st.text()).map(lambda fields: (fields,)),
        ),
    )
    def test_any_message_and_arguments(self, message, args):
        """Whatever message and arguments are, one line comes out and nothing is raised."""
        logger, stream = by_formatter()
        record = logger.makeRecord("app", logging.INFO, "file", 1, message, args, None)

        logger.handle(record)

        assert len(lines(stream)) == 1

    def test_filter_that_replaces_the_record(self):
        """A filter's replacement is used where Python honours it, and redacted in any case (pitfall 1)."""
        logger, stream = by_handler()

        def replace(record):
            return logging.makeLogRecord({**record.__dict__, "msg": "decision"})

        logger.handlers[0].addFilter(replace)

        logger.info("tool_call", extra={"note": TEXT})

        (event,) = lines(stream)
        assert event["event_type"] == ("decision" if sys.version_info >= (3, 12) else "tool_call")
        clean(event)


class TestStructlog:
    def configure(self, *processors, **settings):
        stream = io.StringIO()
        structlog.configure(
            processors=[*agentlogsafe.processors.audit(**settings), *processors],
            logger_factory=structlog.PrintLoggerFactory(stream),
        )
        return structlog.get_logger(), stream

    def test_ordinary_line(self):
        """An ordinary event dict keeps its names, redacted, with the run's ids."""
        logger, stream = self.configure(structlog.processors.JSONRenderer())
        with agentlogsafe.run(run_id="r1", logger=logger):
            logger.info("hello", note=TEXT, password="hunter2")

        line = lines(stream)[1]
        assert line["event"] == "hello"
        assert line["run_id"] == "r1"
        assert "hunter2" not in clean(line)

    def test_exceptions(self):
        """``exc_info`` in any form is rendered here, so that it is redacted."""
        logger, stream = self.configure(structlog.processors.JSONRenderer())
        try:
            raise ValueError(TEXT)
        except ValueError as error:
            logger.error("error", exc_info=error)
            logger.exception("it broke")
            logger.exception("error")

        first, second, third = lines(stream)
        assert first["payload"]["exception"]["type"] == "ValueError"
        assert "ValueError" in second["exception"]
        assert third["level"] == "error"
        clean(stream.getvalue())

    @pytest.mark.parametrize(
        "renderer",
        [
            structlog.dev.ConsoleRenderer(colors=False),
            structlog.processors.KeyValueRenderer(),
            structlog.processors.LogfmtRenderer(),
            structlog.processors.JSONRenderer(),
        ],
    )
    def test_any_renderer(self, renderer):
        """Any renderer takes the event, also one that asks for the message."""
        logger, stream = self.configure(_flat, renderer)

        logger.info("tool_call", note=TEXT)

        assert "tool_call" in clean(stream.getvalue())

    def test_drop(self):
        """Ordinary lines can be dropped."""
        logger, stream = self.configure(structlog.processors.JSONRenderer(), others="drop")

        logger.info("hello")
        logger.info("tool_call")

        assert len(lines(stream)) == 1

    def test_drop_inside_a_processor_formatter(self):
        """Inside a ProcessorFormatter, DropEvent would escape into the application; it is not raised (pitfall 9)."""
        logger, stream = by_formatter()
        logger.handlers[0].setFormatter(
            structlog.stdlib.ProcessorFormatter(
                processors=[*agentlogsafe.processors.audit(others="drop"), structlog.processors.JSONRenderer()]
            )
        )

        logger.info("hello")
        logger.info("tool_call")

        assert lines(stream)[1]["event_type"] == "tool_call"

    @pytest.mark.parametrize("name", ["args", "name", "module", "message", "exc_text"])
    @pytest.mark.parametrize("message", ["tool_call", "100% of it"])
    def test_to_stdlib(self, name, message):
        """Fields that logging reserves reach a stdlib logger (pitfall 12)."""
        _stdlib, stream = by_formatter()
        structlog.configure(
            processors=[*agentlogsafe.processors.audit(), agentlogsafe.processors.to_stdlib],
            logger_factory=structlog.stdlib.LoggerFactory(),
        )

        structlog.get_logger("app").info(message, **{name: 7})

        (line,) = lines(stream)
        assert 7 in (line.get("payload", line).get(name), line.get(f"{name}_"))
        assert message in json.dumps(line)

    def test_capture_logs(self):
        """The processors are a list, as structlog's own test helper needs (pitfall 33)."""
        assert isinstance(agentlogsafe.processors.audit(), list)
        logger, _ = self.configure(structlog.processors.JSONRenderer())
        with structlog.testing.capture_logs() as captured:
            logger.info("tool_call", a=1)

        assert captured == [{"a": 1, "event": "tool_call", "log_level": "info"}]

    @pytest.mark.parametrize("inside", [False, True], ids=["structlog", "formatter"])
    def test_without_the_star(self, inside):
        """As one processor among others, what `audit` returns does what it does with its star (pitfall 33)."""
        stdlib, stream = by_formatter()
        one, renderer = agentlogsafe.processors.audit(agent_name="a"), structlog.processors.JSONRenderer()
        if inside:
            formatter = structlog.stdlib.ProcessorFormatter(processors=[one, renderer])
            stdlib.handlers[0].setFormatter(formatter)
            logger = stdlib
        else:
            structlog.configure(processors=[one, renderer], logger_factory=structlog.PrintLoggerFactory(stream))
            logger = structlog.get_logger()

        logger.info("tool_call", extra={"note": TEXT})
        with structlog.testing.capture_logs() as captured:
            structlog.get_logger().info("tool_call", a=1)

        (event,) = lines(stream)
        assert valid(event)["agent_name"] == "a"
        clean(stream.getvalue())
        assert len(captured) == 1

    def test_hostile_fields(self):
        """What cannot be read is replaced, and the event goes out (pitfall 37)."""
        logger, stream = self.configure(structlog.processors.JSONRenderer())

        logger.info("tool_call", value=Hostile())
        logger.info(Hostile())
        logger.info("tool_call", level=Hostile(), logger=Hostile(), exc_info=Hostile())

        assert len(lines(stream)) == 3
        clean(stream.getvalue())

    def test_audited_twice(self):
        """An event that has been through the chain is left as it is."""
        logger, stream = self.configure(
            *agentlogsafe.processors.audit(agent_name="second"), structlog.processors.JSONRenderer(), agent_name="first"
        )

        logger.info("tool_call")

        assert lines(stream)[0]["agent_name"] == "first"


def _flat(_, __, event_dict):
    # ConsoleRenderer pops the level and the logger, logfmt takes no nested values.
    for name, value in list(event_dict.items()):
        if isinstance(value, (dict, list)):
            event_dict[name] = json.dumps(value).replace(" ", "")
    return event_dict
