"""The settings that every entry takes, checked once, when logging is configured."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from os import PathLike
from pathlib import Path
from typing import Any

from agentlogsafe.errors import ConfigurationError, check_choice, check_keys, check_type, nearest
from agentlogsafe.redaction import RedactionPolicy

OTHERS = ("redact", "custom", "drop")


@dataclass(frozen=True)
class Limits:
    """How large one event may become, applied after redaction.

    Args:
        line: bytes of JSON per event. The default keeps below the 16 KB at which Docker and CRI split a line.
        string: characters per string. *items*: entries per list or mapping. *depth*: levels of nesting.
    """

    line: int = 16_000
    string: int = 12_000
    items: int = 1_000
    depth: int = 24

    def __post_init__(self) -> None:
        least = {"line": 1_024, "string": 64, "items": 1, "depth": 2}
        for name, minimum in least.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
                msg = f"limits.{name}: expected an integer of at least {minimum}, got {value!r}"
                raise ConfigurationError(msg)

    @classmethod
    def load(cls, source: Limits | Mapping[str, int] | None) -> Limits:
        """Return limits from a mapping such as a dictConfig holds.

        Raises:
            ConfigurationError: for an unknown name, or a value that is no sensible number.
        """
        if source is None:
            return cls()
        if isinstance(source, cls):
            return source
        check_type("limits", source, Mapping, "a mapping such as {'line': 16000}")
        given: dict[str, Any] = dict(source)  # type: ignore[arg-type]
        check_keys("limits", given, (item.name for item in fields(cls)))
        return cls(**given)


@dataclass(frozen=True)
class SealSettings:
    """How events are sealed.

    Args:
        key: where the first key is: ``env:NAME``, ``file:PATH`` or a callable that returns it; None for a chain
            without a key. It is asked for once, and not kept.
        checkpoint_every: events between two checkpoints.
        checkpoint_to: the path of a file, a handler, or ``{"logger": NAME}``; None for no checkpoints.
        signing_key: an Ed25519 key for the checkpoints, from the same places as *key*.

    Raises:
        ConfigurationError: for an unknown name, or a value that does not fit.
    """

    key: str | Callable[[], bytes | str] | None = field(default=None, repr=False)
    checkpoint_every: int = 1_000
    checkpoint_to: str | PathLike[str] | logging.Handler | Mapping[str, str] | None = None
    signing_key: str | Callable[[], bytes | str] | None = field(default=None, repr=False)

    @classmethod
    def load(cls, where: str, source: object) -> SealSettings | None:
        """Return the settings in *source*, None where nothing is to be sealed."""
        if isinstance(source, cls):
            made = source
        elif isinstance(source, Mapping):
            check_keys(where, source, (item.name for item in fields(cls)))
            made = cls(**source)
        else:
            # YAML reads a bare `off` as false.
            if source == "chain":
                return cls()
            if source is False or source == "off":
                return None
            # Without the value, which may be the key.
            hint = nearest(source, ("chain", "off")) if isinstance(source, str) else ""
            msg = f"{where}: expected 'chain', 'off' or a mapping such as {{'key': 'env:NAME'}}{hint}"
            raise ConfigurationError(msg)
        for name in ("key", "signing_key"):
            value = getattr(made, name)
            if value is not None and not callable(value) and not str(value).startswith(("env:", "file:")):
                msg = f"{where}.{name}: expected 'env:NAME', 'file:PATH' or a callable"  # the value may be the key
                raise ConfigurationError(msg)
        every: object = made.checkpoint_every
        if isinstance(every, bool) or not isinstance(every, int) or every < 1:
            msg = f"{where}.checkpoint_every: expected a number of events, at least 1, got {every!r}"
            raise ConfigurationError(msg)
        kinds = (str, PathLike, logging.Handler, Mapping, type(None))
        check_type(f"{where}.checkpoint_to", made.checkpoint_to, kinds, "a path, a handler or {'logger': NAME}")
        if isinstance(made.checkpoint_to, Mapping):
            check_keys(f"{where}.checkpoint_to", made.checkpoint_to, ("logger",))
            check_type(f"{where}.checkpoint_to.logger", made.checkpoint_to.get("logger"), str, "the name of a logger")
        if made.checkpoint_to is None and made.signing_key is not None:
            msg = f"{where}.signing_key: signs checkpoints, and checkpoint_to does not say where those go"
            raise ConfigurationError(msg)
        return made

    def identity(self) -> list[object]:
        """Return what tells these settings from others, fit for JSON."""
        values = (self.key, self.checkpoint_every, self.checkpoint_to, self.signing_key)
        return [value if isinstance(value, (str, int, Mapping, type(None))) else id(value) for value in values]


@dataclass(frozen=True)
class Settings:
    """What formatter, handler and processors have in common.

    Args:
        agent_name, workflow_name, agent_version: what an event says where neither call nor run does.
        metadata: added to the metadata of every event. *default_risk*: the same for risk.
        policy: a `RedactionPolicy`, a mapping, the name of a shipped policy, or the path of a TOML file.
        limits: a `Limits` or a mapping.
        seal: ``"off"``, ``"chain"``, a `SealSettings` or a mapping of its arguments.
        others: what becomes of a call whose message is no event type: ``"redact"`` (an ordinary line, redacted),
            ``"custom"`` (a ``custom`` event) or ``"drop"``.

    Raises:
        ConfigurationError: for anything that does not fit, with the key, the value and what was expected.
    """

    agent_name: str | None = None
    workflow_name: str | None = None
    agent_version: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    default_risk: Mapping[str, Any] = field(default_factory=dict)
    policy: RedactionPolicy = field(default_factory=lambda: RedactionPolicy.load(None))
    limits: Limits = field(default_factory=Limits)
    seal: SealSettings | None = None
    others: str = "redact"

    @classmethod
    def load(cls, where: str, given: Mapping[str, Any]) -> Settings:
        """Return the settings in *given*; *where* names their place in messages."""
        check_keys(where, given, SETTING_NAMES)
        values = {name: value for name, value in given.items() if value is not None}
        for name in ("agent_name", "workflow_name", "agent_version"):
            if name in values:
                check_type(f"{where}.{name}", values[name], str, "a string")
        for name in ("metadata", "default_risk"):
            if name == "default_risk" and isinstance(values.get(name), str):
                values[name] = {"level": values[name]}
            if name in values:
                check_type(f"{where}.{name}", values[name], Mapping, "a mapping")
                values[name] = dict(values[name])
        values["seal"] = SealSettings.load(f"{where}.seal", values.get("seal", "off"))
        check_choice(f"{where}.others", values.get("others", "redact"), OTHERS)
        check_type(f"{where}.policy", values.get("policy", {}), (RedactionPolicy, Mapping, str, Path), _POLICY)
        values["policy"] = RedactionPolicy.load(values.get("policy"))
        values["limits"] = Limits.load(values.get("limits"))
        return cls(**values)


_POLICY = "a RedactionPolicy, a mapping, the name of a shipped policy or the path of a TOML file"

SETTING_NAMES = frozenset(item.name for item in fields(Settings))
