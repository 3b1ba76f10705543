"""A block that binds context: as ``with``, as ``async with``, and as a decorator of anything that can be called."""

from __future__ import annotations

import functools
import inspect
import logging
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from agentlogsafe import context

if TYPE_CHECKING:
    from contextvars import Token
    from types import TracebackType

    from typing_extensions import Self

    from agentlogsafe.context import Frame, Stamp

F = TypeVar("F", bound=Callable[..., Any])
S = TypeVar("S", bound="Scope")

_PACKAGE = __name__.partition(".")[0]


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


def _caller_depth() -> int:
    """Return how many frames of this package lie between `log` and the application's code."""
    depth, frame = 1, sys._getframe(2)  # noqa: SLF001
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
    try:
        if isinstance(logger, (logging.Logger, logging.LoggerAdapter)):
            if logger.isEnabledFor(level):
                bound = Fields(fields)
                bound.stamp = stamp
                logger.log(level, event_type, bound, exc_info=exc_info, stacklevel=_caller_depth())
            return
        own = {str(key): value for key, value in fields.items() if key != "event"}
        if exc_info is not None:
            own["exc_info"] = exc_info
        method = getattr(logger, logging.getLevelName(level).lower(), None) or logger.info
        method(event_type, **{**own, context.STAMP: stamp})
    except Exception as error:  # noqa: BLE001 -- a log call is sacred; a filter or processor may be broken
        from agentlogsafe.delivery import report  # noqa: PLC0415 -- only where something broke

        report("a log call", f"a filter or processor raised {type(error).__name__}", event_id=str(stamp))


class Scope:
    """What `run`, `step` and `extract` share: entering, leaving, and decorating."""

    def __init__(self) -> None:
        self._token: Token[Frame | None] | None = None
        self._frame: Frame | None = None

    def _open(self) -> Frame | None:
        """Begin; return the frame to bind for the block."""
        raise NotImplementedError

    def _close(self, error: BaseException | None) -> None:
        """End; the block's frame is still bound."""

    def _fresh(self) -> Self:
        """Return an unopened scope with the same settings, for one call of a decorated function."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._frame = self._open()
        if self._frame is not None:
            self._token = context.bind(self._frame)
        self._opened()
        return self

    def _opened(self) -> None:
        """Do what must happen once the frame is bound."""

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._frame is not None and self._token is not None and not context.unbind(self._frame, self._token):
            self._misplaced()
        self._close(error)

    def _misplaced(self) -> None:
        """Note that the block ended in another context than it began in."""

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
                with self._fresh():
                    return await fn(*args, **kwargs)

        else:

            def wrapper(*args: Any, **kwargs: Any) -> Any:
                with self._fresh():
                    return fn(*args, **kwargs)

        return functools.wraps(fn)(wrapper)  # type: ignore[return-value]

    # A generator that binds a context variable leaks it to whoever consumes it, whenever it is suspended. So a
    # decorated one is bound only while its own code runs.

    def _wrap_generator(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            scope = self._fresh()
            scope.__enter__()
            inside = _Suspended(scope)
            generator = fn(*args, **kwargs)
            resume: Callable[[], Any] = functools.partial(next, generator)
            try:
                while True:
                    with inside:
                        item = resume()
                    try:
                        resume = functools.partial(generator.send, (yield item))
                    except GeneratorExit:
                        with inside:
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
            scope = self._fresh()
            scope.__enter__()
            inside = _Suspended(scope)
            generator = fn(*args, **kwargs)
            resume: Callable[[], Any] = generator.__anext__
            try:
                while True:
                    with inside:
                        item = await resume()
                    try:
                        resume = functools.partial(generator.asend, (yield item))
                    except GeneratorExit:
                        with inside:
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
    """Binds an opened scope's frame only inside ``with``, once for every time a generator is resumed."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._inner = context.current()
        if scope._frame is not None and scope._token is not None:  # noqa: SLF001
            context.unbind(scope._frame, scope._token)  # noqa: SLF001
        scope._token = None  # noqa: SLF001

    def __enter__(self) -> None:
        self._bound = self._inner
        self._token = None if self._inner is None else context.bind(self._inner)

    def __exit__(self, *_: object) -> None:
        self._inner = context.current()
        if self._token is not None and self._inner is not None:
            context.unbind(self._inner, self._token)

    def end(self, error: BaseException | None) -> None:
        self._scope.__exit__(type(error) if error else None, error, None)
