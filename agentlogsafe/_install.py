"""For applications that are configured already: wrap what is there, and check what it amounts to."""

from __future__ import annotations

import logging
from typing import Any

from agentlogsafe.chain import chain_for
from agentlogsafe.errors import check_keys, check_type
from agentlogsafe.handler import OWN_SETTINGS, AuditHandler, audits, bare_handlers, describe
from agentlogsafe.redaction import redact
from agentlogsafe.settings import SETTING_NAMES


def install(logger: logging.Logger | str | None = None, **settings: Any) -> list[AuditHandler]:
    """Wrap, in place, the handlers that an application already has.

    Args:
        logger: only this logger's handlers; by default those of the root logger and of every other logger there is.
        **settings: those of `AuditHandler`, except ``target``.

    Returns:
        The new handlers, one for each wrapped one, empty where nothing was left to wrap. Calling it again wraps only
        what has been added since.

    Raises:
        ConfigurationError: for an unknown or unfit setting.
    """
    check_type("install.logger", logger, (logging.Logger, str, type(None)), "a logger or its name")
    check_keys("install", settings, SETTING_NAMES | OWN_SETTINGS)
    chain_for("install", {name: value for name, value in settings.items() if name in SETTING_NAMES})
    if logger is None:
        known = list(logging.getLogger().manager.loggerDict.values())
        loggers = [logging.getLogger(), *(item for item in known if isinstance(item, logging.Logger))]
    else:
        loggers = [logging.getLogger(logger) if isinstance(logger, str) else logger]
    wrappers: dict[int, AuditHandler] = {}
    for owner in loggers:
        for place, handler in enumerate(owner.handlers):
            if isinstance(handler, (AuditHandler, logging.NullHandler)):
                continue
            if id(handler) not in wrappers:
                wrapper = wrappers[id(handler)] = AuditHandler(handler, **settings)
                if handler.name:
                    wrapper.name = f"audit:{handler.name}"
            owner.handlers[place] = wrappers[id(handler)]
    return list(wrappers.values())


def self_check() -> list[str]:
    """Return what in the logging configuration keeps events from being recorded or redacted, one sentence each.

    To be called once logging is configured, at start-up or in a test: loggers that ``dictConfig`` disabled, loggers
    whose level swallows events, and bare handlers that raw records reach.
    """
    known = logging.getLogger().manager.loggerDict
    loggers = [logging.getLogger(), *(item for item in known.values() if isinstance(item, logging.Logger))]
    watched = [logging.getLogger("agentlogsafe"), *(item for item in loggers if any(map(audits, item.handlers)))]
    findings = [
        f"logger {logger.name!r} is disabled: it existed before dictConfig, which disables such loggers unless "
        f"disable_existing_loggers is false"
        for logger in loggers
        if logger.disabled
    ]
    for logger in watched:
        if logger.getEffectiveLevel() > logging.INFO:
            level = logging.getLevelName(logger.getEffectiveLevel())
            findings.append(f"logger {logger.name!r} has level {level}: events are logged at INFO and do not pass")
        for owner, handler in bare_handlers(logger.name, logging.CRITICAL):
            findings.append(f"raw records of logger {logger.name!r} reach {describe(handler)} of logger {owner!r}")
    return [str(redact(finding)) for finding in dict.fromkeys(findings)]  # a name can be anything
