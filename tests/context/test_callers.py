"""A helper that logs for its caller reports the caller's file, line and function, from any depth (24a)."""

from __future__ import annotations

import asyncio
import inspect
import logging
from pathlib import Path

import pytest
import structlog

import agentlogsafe


@pytest.fixture
def records():
    """Return the records that reach the root logger."""
    made = []
    handler = logging.Handler()
    handler.emit = made.append
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    return made


def note(expected, *_):
    """Note the file, function and line of the caller, who has logged in that line."""
    frame = inspect.currentframe().f_back
    expected.append((frame.f_code.co_filename, frame.f_code.co_name, frame.f_lineno))


def places(records):
    return [(record.pathname, record.funcName, record.lineno) for record in records]


def test_methods_of_an_agent_logger(records):
    """A method of its own, a general one, and a method that calls another: all report their caller (24a)."""
    agent = agentlogsafe.AgentLogger("agent", logger=logging.getLogger("app"))

    expected = []

    note(expected, agent.emit("decision"))
    note(expected, agent.tool_call("sql"))
    note(expected, agent.error("no"))
    note(expected, agent.human_approval(approved=True))

    assert places(records) == expected


def test_from_inside_helpers_of_the_application(records):
    """From functions within functions, it is the one that called, not the outermost (24a)."""
    agent = agentlogsafe.AgentLogger("agent")
    expected = []

    def outer():
        def inner():
            note(expected, agent.decision("go"))

        inner()
        note(expected, agent.decision("go"))

    outer()

    assert places(records) == expected
    assert [name for _, name, _ in expected] == ["inner", "outer"]


def test_blocks(records):
    """`run` and `step` report where they are entered; what follows has the same function (24a)."""
    agent = agentlogsafe.AgentLogger("agent")
    with agentlogsafe.run(), agentlogsafe.step("tool_call", tool_name="sql"), agent.run(), agent.step("model_call"):
        expected = []
        note(expected)

    assert {(record.pathname, record.funcName) for record in records} == {(__file__, "test_blocks")}
    assert [record.lineno for record in records[:4]] == [expected[0][2] - 2] * 4
    assert len(records) == 8


def test_asynchronous_blocks(records):
    """``async with`` reports the coroutine (24a)."""

    async def coroutine():
        async with agentlogsafe.run(), agentlogsafe.step("tool_call", tool_name="sql"):
            await asyncio.sleep(0)

    asyncio.run(coroutine())

    own = [record for record in records if record.name == "agentlogsafe"]
    assert len(own) == 4
    assert {(record.pathname, record.funcName) for record in own} == {(__file__, "coroutine")}


def test_decorated_functions(records):
    """A decorated function reports who called it (24a)."""

    @agentlogsafe.run()
    def function():
        pass

    @agentlogsafe.run()
    def generator():
        yield

    @agentlogsafe.run()
    async def coroutine():
        pass

    async def awaiting():
        await coroutine()

    def calling():
        function()
        list(generator())

    calling()
    asyncio.run(awaiting())

    own = [record for record in records if record.name == "agentlogsafe"]
    assert [(record.pathname, record.funcName) for record in own] == [(__file__, "calling")] * 4 + [
        (__file__, "awaiting")
    ] * 2


def test_a_decorated_coroutine_in_a_task(records):
    """A task has no caller in the application; at least nothing of this package is said to be the place (24a)."""

    @agentlogsafe.run()
    async def coroutine():
        pass

    async def main():
        await asyncio.create_task(coroutine())

    asyncio.run(main())

    own = [record for record in records if record.name == "agentlogsafe"]
    assert len(own) == 2
    package = str(Path(agentlogsafe.__file__).parent)
    assert not [record.pathname for record in own if record.pathname.startswith(package)]


def test_a_logger_adapter(records):
    """An adapter in between does not count (24a)."""
    agent = agentlogsafe.AgentLogger("agent", logger=logging.LoggerAdapter(logging.getLogger("app"), {}))

    expected = []

    note(expected, agent.decision("go"))

    assert places(records) == expected


def test_through_structlog():
    """structlog's callsite is the caller, where its processor is told to look past this package (24a)."""
    made = []

    def keep(_, __, event_dict):
        made.append(event_dict)
        raise structlog.DropEvent

    parameters = structlog.processors.CallsiteParameter
    structlog.configure(
        processors=[
            structlog.processors.CallsiteParameterAdder(
                [parameters.PATHNAME, parameters.FUNC_NAME, parameters.LINENO], additional_ignores=["agentlogsafe"]
            ),
            keep,
        ]
    )
    agent = agentlogsafe.AgentLogger("agent", logger=structlog.get_logger())

    expected = []

    note(expected, agent.decision("go"))

    assert [(e["pathname"], e["func_name"], e["lineno"]) for e in made] == expected


def test_plain_calls_report_themselves(records):
    """What is not logged by this package is left as it is."""
    with agentlogsafe.run():
        expected = []
        note(expected, logging.getLogger("app").info("decision"))

    assert [place for place, record in zip(places(records), records, strict=True) if record.name == "app"] == expected
