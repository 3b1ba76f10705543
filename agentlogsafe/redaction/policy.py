"""What to redact and how: `RedactionPolicy`, from code, a mapping, a TOML file or the name of a shipped policy."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

import orjson

from agentlogsafe.errors import ConfigurationError, check_choice, check_keys, check_type
from agentlogsafe.redaction.content import CONTENT, MODES, ContentRule
from agentlogsafe.redaction.custom import CustomDetector
from agentlogsafe.redaction.strategies import STRATEGIES

PolicySource: TypeAlias = "RedactionPolicy | Mapping[str, object] | str | Path | None"
Strategy: TypeAlias = "str | Callable[[str, str], object]"

_VERSION = "1"
_TOP = (
    "content",
    "detectors",
    "environment",
    "extends",
    "keys",
    "memory",
    "name",
    "network",
    "strategies",
    "token",
    "unknown",
    "version",
)


@dataclass(frozen=True)
class RedactionPolicy:
    """The rules of one redactor: frozen, with a name, a version and a digest that every event carries.

    Args:
        name: What events call it.
        version: Yours to count up.
        sensitive: Keys whose values go, with their category: ``{"tcx_ref": "SECRET"}``.
        harmless: Keys that stay although their words say otherwise.
        disabled: Names, groups or categories of detectors that are not to be used.
        detectors: Detectors of your own.
        strategies: Category → ``mask``, ``partial``, ``hash``, ``token``, ``drop``, or (in code) a function of category
            and value.
        default_strategy: The strategy of all other categories.
        token_key: In code, a function that returns the key of the ``token`` strategy and of digests. It is called
            whenever the policy is put to use, so that a key can be rotated.
        token_key_env: The environment variable that holds it.
        private_addresses: ``redact`` or ``keep``, for loopback, private and link-local network addresses.
        memory: Whether values seen under sensitive keys are recognised later in the same run.
        environment: Whether the values of environment variables with sensitive names are secrets.
        content: What is kept of content fields, by event type; a later rule overrules an earlier one.
        unknown: ``keep``, or ``digest`` for payload texts that are neither identifiers nor enumerations.
    """

    name: str = "standard"
    version: str = _VERSION
    sensitive: Mapping[str, str] = field(default_factory=dict)
    harmless: tuple[str, ...] = ()
    disabled: tuple[str, ...] = ()
    detectors: tuple[CustomDetector, ...] = ()
    strategies: Mapping[str, Strategy] = field(default_factory=dict)
    default_strategy: str = "mask"
    token_key: Callable[[], bytes | str] | None = field(default=None, repr=False)
    token_key_env: str = ""
    private_addresses: str = "redact"
    memory: bool = True
    environment: bool = False
    content: tuple[ContentRule, ...] = ()
    unknown: str = "keep"

    def __post_init__(self) -> None:
        """Check every setting.

        Raises:
            ConfigurationError: naming the key, the value, what was expected and the nearest valid name.
        """
        check_choice("policy.strategies.default", self.default_strategy, STRATEGIES)
        key: object = self.token_key
        if key is not None and not callable(key):
            msg = "policy.token_key: expected a function that returns the key"  # the value may be the key
            raise ConfigurationError(msg)
        for category, how in self.strategies.items():
            if not callable(how):
                check_choice(f"policy.strategies.{category}", how, STRATEGIES)
        check_choice("policy.network.private_addresses", self.private_addresses, ("redact", "keep"))
        check_choice("policy.unknown", self.unknown, ("keep", "digest"))
        for rule in self.content:
            check_choice("policy.content.mode", rule.mode, MODES)
        if self.disabled:
            check_disabled(self.disabled)

    @cached_property
    def digest(self) -> str:
        """Return the SHA-256 of the rules: the same for the same rules, wherever they were loaded from."""
        plain = {f.name: _plain(getattr(self, f.name)) for f in fields(self)}
        return hashlib.sha256(orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)).hexdigest()

    def key(self) -> bytes:
        """Return the key of tokens and digests: from the function, the environment, or a random one for this process.

        Raises:
            ConfigurationError: when a strategy needs the key and there is none.
        """
        raw = (
            self.token_key() if self.token_key else os.environ.get(self.token_key_env, "") if self.token_key_env else ""
        )
        if raw:
            return raw.encode() if isinstance(raw, str) else raw
        if self.default_strategy == "token" or "token" in self.strategies.values():
            what = (
                f"the environment variable {self.token_key_env!r} is empty"
                if self.token_key_env
                else "neither token.key_env nor token_key is set"
            )
            msg = f"policy.token: the strategy 'token' needs a key, but {what}"
            raise ConfigurationError(msg)
        return _PROCESS_KEY

    @classmethod
    def load(cls, source: PolicySource = None) -> RedactionPolicy:
        """Return the policy that *source* stands for, the standard one for None.

        It is a policy, a mapping, a shipped name or a path.

        Raises:
            ConfigurationError: naming the key, the value, what was expected and the nearest valid name.
        """
        if isinstance(source, RedactionPolicy):
            return source
        if source is None:
            return SHIPPED["standard"]
        if isinstance(source, str) and not source.endswith(".toml") and os.path.sep not in source:
            check_choice("policy", source, SHIPPED)
            return SHIPPED[source]
        if isinstance(source, str | Path):
            return _from_mapping(_read(Path(source)), Path(source).parent)
        check_type("policy", source, Mapping, "a policy, a mapping, a path to a TOML file or a name")
        return _from_mapping(source, Path())


_PROCESS_KEY = os.urandom(32)


def check_disabled(names: tuple[str, ...]) -> None:
    """Refuse names that are no detector's name, group or category.

    Raises:
        ConfigurationError: naming the nearest one.
    """
    # The tables are for a policy that leaves something out, and not for an import.
    from agentlogsafe.redaction.detectors import DETECTORS, NUMBERS  # noqa: PLC0415 - see above
    from agentlogsafe.redaction.vocabulary import PERSONAL, SECRET_WORDS  # noqa: PLC0415 - see above

    valid = (
        {d.name for d in DETECTORS if d.category != "PHONE"}
        | {d.group for d in DETECTORS}
        | {d.category for d in DETECTORS}
        | {n.name for n in NUMBERS}
        | {n.category for n in NUMBERS}
        | {"national", *PERSONAL, *SECRET_WORDS.values()}
    )
    for name in names:
        check_choice("policy.detectors.disable", name, valid)


def _plain(value: object) -> object:
    """Return *value* as plain data for the digest; functions by their name."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, ContentRule | CustomDetector):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if callable(value):
        return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', type(value).__name__)}"
    return value


def _read(path: Path) -> Mapping[str, object]:
    try:
        import tomllib  # noqa: PLC0415 - optional, or only for some
    except ImportError:  # pragma: no cover - 3.10
        import tomli as tomllib  # type: ignore[no-redef,import-not-found]  # noqa: PLC0415 - optional, or only for some
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        msg = f"policy: cannot read {str(path)!r}: {error}"
        raise ConfigurationError(msg) from error


def _from_mapping(given: Mapping[str, object], base: Path) -> RedactionPolicy:
    check_keys("policy", given, _TOP)
    parent = SHIPPED["standard"]
    if "extends" in given:
        named = given["extends"]
        check_type("policy.extends", named, str, "the name of a policy or a path")
        parent = RedactionPolicy.load(
            str(named) if str(named) in SHIPPED else base / str(named) if str(named).endswith(".toml") else str(named)
        )
    changes: dict[str, object] = {
        "name": _text(given, "name", "policy", "custom"),
        "version": _text(given, "version", "policy", _VERSION),
    }
    keys = _table(given, "keys", "policy", ("harmless", "sensitive"))
    sensitive = keys.get("sensitive", {})
    if not isinstance(sensitive, Mapping):
        sensitive = dict.fromkeys(_texts(keys, "sensitive", "policy.keys"), "SECRET")
    changes["harmless"] = (
        *(k for k in parent.harmless if k not in sensitive),
        *_texts(keys, "harmless", "policy.keys"),
    )
    changes["sensitive"] = {
        **{k: c for k, c in parent.sensitive.items() if k not in _texts(keys, "harmless", "policy.keys")},
        **{str(k): str(c) for k, c in sensitive.items()},
    }
    detectors = _table(given, "detectors", "policy", ("custom", "disable"))
    changes["disabled"] = (*parent.disabled, *_texts(detectors, "disable", "policy.detectors"))
    changes["detectors"] = (*parent.detectors, *_custom(detectors.get("custom", [])))
    strategies = dict(_table(given, "strategies", "policy", None))
    changes["default_strategy"] = strategies.pop("default", parent.default_strategy)
    changes["strategies"] = {**parent.strategies, **strategies}
    if "token" in given:
        changes["token_key_env"] = _text(_table(given, "token", "policy", ("key_env",)), "key_env", "policy.token", "")
    if "network" in given:
        changes["private_addresses"] = _text(
            _table(given, "network", "policy", ("private_addresses",)), "private_addresses", "policy.network", "redact"
        )
    for flag in ("memory", "environment"):
        if flag in given:
            check_type(f"policy.{flag}", given[flag], bool, "true or false")
            changes[flag] = given[flag]
    if "unknown" in given:
        changes["unknown"] = _text(given, "unknown", "policy", "keep")
    if "content" in given:
        changes["content"] = (*parent.content, *_rules(given["content"]))
    return replace(parent, **changes)  # type: ignore[arg-type]


def _text(given: Mapping[str, object], key: str, where: str, default: str) -> str:
    value = given.get(key, default)
    check_type(f"{where}.{key}", value, str, "a text")
    return str(value)


def _texts(given: Mapping[str, object], key: str, where: str) -> tuple[str, ...]:
    value = given.get(key, ())
    if isinstance(value, Mapping):
        return tuple(map(str, value))
    check_type(f"{where}.{key}", value, (list, tuple), "a list of texts")
    for item in value:  # type: ignore[attr-defined]
        check_type(f"{where}.{key}", item, str, "a list of texts")
    return tuple(value)  # type: ignore[arg-type]


def _table(given: Mapping[str, object], key: str, where: str, valid: tuple[str, ...] | None) -> Mapping[str, object]:
    value = given.get(key, {})
    check_type(f"{where}.{key}", value, Mapping, "a table")
    if valid is not None:
        check_keys(f"{where}.{key}", value, valid)  # type: ignore[arg-type]
    return value  # type: ignore[return-value]


def _custom(rows: object) -> tuple[CustomDetector, ...]:
    check_type("policy.detectors.custom", rows, (list, tuple), "a list of tables")
    out: list[CustomDetector] = []
    for row in rows:  # type: ignore[attr-defined]
        if isinstance(row, CustomDetector):
            out.append(row)
            continue
        check_type("policy.detectors.custom", row, Mapping, "a table")
        check_keys("policy.detectors.custom", row, ("category", "ignore_case", "keywords", "name", "pattern"))
        out.append(
            CustomDetector(
                name=_text(row, "name", "policy.detectors.custom", "custom"), category=_text(row, "category", "policy.detectors.custom", "CUSTOM"),  # noqa: E501 - one row of a table
                pattern=_text(row, "pattern", "policy.detectors.custom", ""), keywords=_texts(row, "keywords", "policy.detectors.custom"), ignore_case=bool(row.get("ignore_case", False)),  # noqa: E501 - one row of a table
            )
        )  # fmt: skip
    return tuple(out)


def _rules(rows: object) -> tuple[ContentRule, ...]:
    check_type("policy.content", rows, (list, tuple), "a list of tables")
    out: list[ContentRule] = []
    for row in rows:  # type: ignore[attr-defined]
        check_type("policy.content", row, Mapping, "a table")
        check_keys("policy.content", row, ("events", "fields", "mode", "purpose", "retention"))
        out.append(
            ContentRule(
                fields=_texts(row, "fields", "policy.content") or (CONTENT,), mode=_text(row, "mode", "policy.content", "redacted"), events=_texts(row, "events", "policy.content") or ("*",),  # noqa: E501 - one row of a table
                purpose=_text(row, "purpose", "policy.content", ""), retention=_text(row, "retention", "policy.content", ""),  # noqa: E501 - one row of a table
            )
        )  # fmt: skip
    return tuple(out)


SHIPPED: dict[str, RedactionPolicy] = {}
SHIPPED["standard"] = RedactionPolicy()
SHIPPED["strict"] = RedactionPolicy(name="strict", content=(ContentRule(mode="digest"),), unknown="digest")
