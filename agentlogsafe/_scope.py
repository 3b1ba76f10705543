"""A block that binds context: as ``with``, as ``async with``, and as a decorator of anything that can be called."""

from __future__ import annotations

import functools
import inspect
import logging
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from agentlogsafe import context
from agentlogsafe.redaction.plain import kind_of

if TYPE_CHECKING:
    from contextvars import Token
    from types import TracebackType

    from typing_extensions import Self

    from agentlogsafe.context import Defaults, Frame, Stamp

F = TypeVar("F", bound=Callable[..., Any])

# Before 3.11 a LoggerAdapter's own frame counts in stacklevel.
_ADAPTER_COUNTS = sys.version_info < (3, 11)

_PACKAGE = __name__.partition(".")[0]


_SET_APART = (
    *("self", "event", "method_name", "_record", "_from_structlog", "logger", "level", "timestamp"),
    *("exc_info", "stack_info", "stack", "positional_args"),
)
"""Fields that structlog or its processors would take for their own: they travel with the stamp."""


class Fields(dict[Any, Any]):
    """The fields of a call made by this package, as the one mapping argument of a log call.

    True even when empty: an empty mapping would reach the record as a positional argument.
    """

    __slots__ = ("stamp",)

    stamp: Stamp

    def __bool__(self) -> bool:
        return True


def default_logger() -> logging.Logger:
    """Return the logger that `run` and `step` use when given none.

    ``dictConfig`` disables loggers that existed before it, by default; a run that began earlier must not lose its
    end for that, so this logger does not stay disabled.
    """
    logger = logging.getLogger(_PACKAGE)
    logger.disabled = False
    return logger


def is_logger(given: object) -> bool:
    """Return whether one can log through an object: a stdlib or structlog logger, told by what it can do."""
    try:
        return callable(getattr(given, "info", None))
    except Exception:  # noqa: BLE001 -- an object of the caller's
        return False


def _caller_depth() -> int:
    """Return how many frames of this package lie between `log` and the application's code."""
    depth, frame = 2, sys._getframe(2)  # noqa: SLF001
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == _PACKAGE:
        depth += 1
        frame = frame.f_back
    return depth


def log(
    logger: Any,
    event_type: str,
    fields: Mapping[Any, object],
    *,
    level: int,
    stamp: Stamp,
    exc_info: BaseException | None = None,
) -> None:
    """Log one call of this package through a stdlib or structlog *logger*. Never raises.

    The record reports the caller of this package, not the package, as its place in the code.
    """
    stamp.event_type = event_type
    try:
        if isinstance(logger, (logging.Logger, logging.LoggerAdapter)):
            stamp.fields = bound = Fields(fields)
            bound.stamp = stamp
            depth = _caller_depth()
            if _ADAPTER_COUNTS and isinstance(logger, logging.LoggerAdapter):
                depth += 1
            extra = {context.STAMP: stamp}
            if exc_info is not None and not logger.hasHandlers():
                exc_info = None  # the handler of last resort would print it as it is
            logger.log(level, event_type, bound, exc_info=exc_info, stacklevel=depth, extra=extra)
            return
        stamp.fields = {name: fields[name] for name in _SET_APART if name in fields}
        own = {name: value for name, value in fields.items() if name not in stamp.fields}
        if exc_info is not None:
            own["exc_info"] = exc_info
        method = getattr(logger, logging.getLevelName(level).lower(), None) or logger.info
        method(event_type, **{**own, context.STAMP: stamp})
    except Exception as error:  # noqa: BLE001 -- a log call is sacred; a filter or processor may be broken
        from agentlogsafe.delivery import report  # noqa: PLC0415 -- only where something broke

        report("a log call", f"a filter or processor raised {kind_of(error)}", event_id=str(stamp))


class Block:
    """One entered scope: its frame, when it began, and what its end will say."""

    __slots__ = ("began", "ended", "fields", "frame", "problem", "stamp", "token")

    def __init__(self, frame: Frame | None, stamp: Stamp | None = None) -> None:
        self.frame, self.stamp = frame, stamp
        self.began = time.perf_counter()
        self.fields: dict[str, object] = {}
        self.ended: object = None
        self.problem: str | None = None
        self.token: Token[Frame | None] | None = None

    def duration_ms(self) -> float:
        """Return for how long the block has been open."""
        return round((time.perf_counter() - self.began) * 1000, 3)


class Scope:
    """What `run`, `step` and `extract` share: entering, leaving, and decorating.

    One object may be entered many times, also inside itself and by several tasks at the same time: each time it has a
    `Block` of its own, which is found again by the frame that is current.
    """

    _logger: Any = None
    _defaults: Defaults | None = None

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self._last: Block | None = None

    def _take_logger(self, given: Any) -> dict[str, object]:
        """Log through what was given as ``logger``; what is none is a field, as it is in any other call."""
        if given is None or is_logger(given):
            self._logger = given
            return {}
        return {"logger": given}

    def log_as(self, logger: Any, defaults: Defaults) -> Self:
        """Log as a logger object does: under its settings, and through its logger where the block was given none."""
        # Not by arguments, which are among the caller's fields.
        self._defaults = defaults
        if self._logger is None:
            self._logger = logger
        return self

    def _open(self) -> Block:
        """Begin; return the block, with the frame to bind for it."""
        raise NotImplementedError

    def _opened(self, block: Block) -> None:
        """Do what must happen once the frame is bound."""

    def _close(self, block: Block, error: BaseException | None) -> None:
        """End; the block's frame is no longer bound."""

    def _block(self) -> Block | None:
        """Return the block that the calling code is in, else the last one."""
        frame = context.current()
        while frame is not None:
            for block in self._blocks:
                if block.frame is frame:
                    return block
            frame = frame.outer
        return self._last

    def __enter__(self) -> Self:
        self._enter()
        return self

    def _enter(self) -> Block:
        block = self._last = self._open()
        self._blocks.append(block)
        if block.frame is not None:
            block.token = context.bind(block.frame)
        self._opened(block)
        return block

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        block = self._block()
        if block in self._blocks:
            self._exit(block, error)
        elif self._blocks:
            self._exit(self._blocks[-1], error)

    def _exit(self, block: Block, error: BaseException | None) -> None:
        self._blocks.remove(block)
        if block.frame is not None and not context.unbind(block.frame, block.token):
            block.problem = MISPLACED
        self._close(block, error)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(exc_type, error, traceback)

    def __call__(self, fn: F) -> F:
        """Decorate *fn*: every call of it is one such block, a generator's whole life too."""
        if inspect.isasyncgenfunction(fn):
            wrapper: Any = self._wrap_async_generator(fn)
        elif inspect.isgeneratorfunction(fn):
            wrapper = self._wrap_generator(fn)
        elif inspect.iscoroutinefunction(fn):

            async def wrapper(*args: Any, **kwargs: Any) -> Any:
                with self:
                    return await fn(*args, **kwargs)

        else:

            def wrapper(*args: Any, **kwargs: Any) -> Any:
                with self:
                    return fn(*args, **kwargs)

        return functools.wraps(fn)(wrapper)  # type: ignore[return-value]

    # A generator that binds a context variable leaks it to whoever consumes it, whenever it is suspended. So a
    # decorated one is bound only while its own code runs.

    def _wrap_generator(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            inside = _Suspended(self)
            generator = fn(*args, **kwargs)
            resume: Callable[[], Any] = functools.partial(next, generator)
            try:
                while True:
                    with inside.resumed():
                        item = resume()
                    try:
                        resume = functools.partial(generator.send, (yield item))
                    except GeneratorExit:
                        with inside.resumed():
                            generator.close()
                        raise
                    except BaseException as error:  # noqa: BLE001 -- thrown in by the consumer: the generator's to handle
                        resume = functools.partial(generator.throw, error)
            except StopIteration as stop:
                inside.end(None)
                return stop.value
            except BaseException as error:
                inside.end(error)
                raise

        return wrapper

    def _wrap_async_generator(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            inside = _Suspended(self)
            generator = fn(*args, **kwargs)
            resume: Callable[[], Any] = generator.__anext__
            try:
                while True:
                    with inside.resumed():
                        item = await resume()
                    try:
                        resume = functools.partial(generator.asend, (yield item))
                    except GeneratorExit:
                        with inside.resumed():
                            await generator.aclose()
                        raise
                    except BaseException as error:  # noqa: BLE001 -- thrown in by the consumer: the generator's to handle
                        resume = functools.partial(generator.athrow, error)
            except StopAsyncIteration:
                inside.end(None)
            except BaseException as error:
                inside.end(error)
                raise

        return wrapper


class _Suspended:
    """An entered scope that is bound only while a generator's own code runs."""

    def __init__(self, scope: Scope) -> None:
        before = context.current()
        self._scope = scope
        with context.resumed(before):
            self._block = scope._enter()  # noqa: SLF001
        self._block.token = None  # it may be consumed anywhere
        self._inner = self._block.frame if self._block.frame is not None else before

    @contextmanager
    def resumed(self) -> Iterator[None]:
        """Bind what the generator had bound when it was suspended."""
        with context.resumed(self._inner):
            try:
                yield
            finally:
                self._inner = context.current()

    def end(self, error: BaseException | None) -> None:
        """Leave the scope, whatever is bound now."""
        with context.resumed(self._block.frame):
            self._scope._exit(self._block, error)  # noqa: SLF001


MISPLACED = "run: ended in another context than it began in"
