"""The contenders, each in a process of its own: ``python contenders.py NAME FILE``.

A process reads orders from stdin, one JSON object a line (mix, size_kb, seed, number), logs that many events into FILE,
and answers with microseconds per event. Between orders it waits, so that contenders take turns on one quiet machine.

It runs as a script because one of them, an earlier release under the same import name, needs another interpreter.
"""

from __future__ import annotations

import gc
import json
import logging
import logging.config
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Fields = dict[str, object]
    Loop = Callable[[Iterable[Fields]], None]

AGENT, WORKFLOW = "pricing-agent", "margin-risk-review"
NAMES: dict[str, Any] = {"agent_name": AGENT, "workflow_name": WORKFLOW}

# The ids that a program has at hand; the arguments of the call come with each order. The standard library reserves
# the extra key "args".
IDS = {"tool_name": "warehouse.query", "tool_call_id": "call_0001", "session_id": "session-42"}
BARE_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


def stdlib_loop(config: dict[str, Any], file: str) -> Loop:
    """Log through the standard library, to a file handler."""
    handlers = {"file": {"class": "logging.FileHandler", "filename": file, "formatter": "json"}}
    handlers.update(config.pop("handlers", {}))
    audit = {"level": "INFO", "propagate": False, "handlers": [list(handlers)[-1]]}
    logging.config.dictConfig({"version": 1, "handlers": handlers, "loggers": {"bench": audit}, **config})
    info = logging.getLogger("bench").info

    def loop(calls: Iterable[Fields]) -> None:
        for arguments in calls:
            info("tool_call", extra={**IDS, "arguments": arguments})

    return loop


def bare_stdlib(file: str, _stack: ExitStack) -> Loop:
    """python-json-logger with orjson."""
    formatter = {"()": "pythonjsonlogger.orjson.OrjsonFormatter", "fmt": BARE_FORMAT}
    return stdlib_loop({"formatters": {"json": formatter}}, file)


def our_formatter(file: str, stack: ExitStack, seal: Any = "off") -> Loop:
    """Ours, in the place of python-json-logger's."""
    import agentlogsafe

    formatter = {"()": "agentlogsafe.AuditFormatter", **NAMES, "seal": seal}
    loop = stdlib_loop({"formatters": {"json": formatter}}, file)
    stack.enter_context(agentlogsafe.run(**NAMES))
    return loop


def our_sealed_formatter(file: str, stack: ExitStack) -> Loop:
    """Ours, with a chain of hashes."""
    return our_formatter(file, stack, "chain")


def our_keyed_formatter(file: str, stack: ExitStack) -> Loop:
    """Ours, with a key that moves on."""
    return our_formatter(file, stack, {"key": _key})


def _key() -> bytes:
    return b"0123456789abcdef"


def our_handler(file: str, stack: ExitStack) -> Loop:
    """Ours, around a file handler; behind it, our formatter only writes the JSON."""
    import agentlogsafe

    config = {
        "formatters": {"json": {"()": "agentlogsafe.AuditFormatter", **NAMES}},
        "handlers": {"audit": {"class": "agentlogsafe.AuditHandler", "target": "file", **NAMES}},
    }
    loop = stdlib_loop(config, file)
    stack.enter_context(agentlogsafe.run(**NAMES))
    return loop


def structlog_loop(processors: list[Any], file: str, stack: ExitStack) -> Loop:
    """Log through structlog, straight to a file."""
    import orjson
    import structlog

    stream = stack.enter_context(Path(file).open("ab"))  # noqa: SIM115 - the stack closes it
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            *processors,
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.BytesLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    info = structlog.get_logger().info

    def loop(calls: Iterable[Fields]) -> None:
        for arguments in calls:
            info("tool_call", **IDS, arguments=arguments)

    return loop


def bare_structlog(file: str, stack: ExitStack) -> Loop:
    """The processors that structlog recommends for production, with orjson."""
    import structlog

    processors = [
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    loop = structlog_loop(processors, file, stack)
    stack.enter_context(structlog.contextvars.bound_contextvars(run_id="run-0001", **NAMES))
    return loop


def our_processors(file: str, stack: ExitStack) -> Loop:
    """Ours, in the place of structlog's."""
    import agentlogsafe

    loop = structlog_loop([*agentlogsafe.processors.audit(**NAMES)], file, stack)
    stack.enter_context(agentlogsafe.run(**NAMES))
    return loop


def release_0_2_0(file: str, stack: ExitStack) -> Loop:
    """The release on PyPI, which writes to a sink of its own."""
    from agentlogsafe import AgentLogger

    log: Any = AgentLogger(**NAMES, sink=file)  # type: ignore[call-arg, unused-ignore] # another release
    stack.enter_context(log.run())
    metadata = {key: value for key, value in IDS.items() if key != "tool_name"}

    def loop(calls: Iterable[Fields]) -> None:
        for arguments in calls:
            log.tool_call(tool_name=IDS["tool_name"], args=arguments, metadata=metadata)

    return loop


CONTENDERS: dict[str, Callable[[str, ExitStack], Loop]] = {
    "stdlib": bare_stdlib,
    "formatter": our_formatter,
    "sealed": our_sealed_formatter,
    "keyed": our_keyed_formatter,
    "handler": our_handler,
    "structlog": bare_structlog,
    "processors": our_processors,
    "0.2.0": release_0_2_0,
}


def timed(loop: Loop, calls: list[Fields], file: str) -> float:
    """Time *loop*, with the garbage collector on as it is in a program, and see that it wrote what it was given."""
    os.truncate(file, 0)
    gc.collect()
    start = perf_counter()
    loop(calls)
    elapsed = perf_counter() - start
    lines = Path(file).read_bytes().splitlines()
    if len(lines) != len(calls) or json.loads(lines[-1])["tool_name"] != IDS["tool_name"]:
        msg = f"wrote {len(lines)} lines for {len(calls)} calls; the last: {lines[-1:]!r}"
        raise RuntimeError(msg)
    return elapsed / len(calls) * 1e6


def main(name: str, file: str) -> None:
    """Take orders until there are no more."""
    from payloads import payloads  # type: ignore[import-not-found, unused-ignore]

    Path(file).touch()
    with ExitStack() as stack:
        loop = CONTENDERS[name](file, stack)
        for line in sys.stdin:
            order = json.loads(line)
            made = payloads(order["mix"], order["size_kb"], order["seed"])
            number = order["number"] or _calibrated(loop, made, file)
            calls = (made * (number // len(made) + 1))[:number]
            print(json.dumps({"us": timed(loop, calls, file), "number": number}), flush=True)


def _calibrated(loop: Loop, made: list[Fields], file: str, seconds: float = 0.05) -> int:
    """Return how many calls take about *seconds*, after some to warm up."""
    timed(loop, made[:10], file)
    return max(20, min(5000, int(seconds * 1e6 / timed(loop, made[:20], file))))


if __name__ == "__main__":
    main(*sys.argv[1:])
