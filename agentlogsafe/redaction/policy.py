"""What to redact and how: `RedactionPolicy`, from code, a mapping, a TOML file or the name of a shipped policy."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from agentlogsafe.errors import ConfigurationError, check_choice, check_keys, check_type

_SHIPPED = {"standard": "1"}


@dataclass(frozen=True)
class RedactionPolicy:
    """The rules of one redactor: frozen, with a name, a version and a digest that every event carries."""

    name: str = "standard"
    version: str = "1"
    keys: Mapping[str, object] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the rules, the same for the same rules wherever they were loaded from."""
        plain = {"name": self.name, "version": self.version, "keys": dict(self.keys)}
        return hashlib.sha256(orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)).hexdigest()

    @classmethod
    def load(cls, source: RedactionPolicy | Mapping[str, object] | str | Path | None = None) -> RedactionPolicy:
        """Return the policy that *source* stands for: a policy, a mapping, a shipped name, a path, or None for the standard one.

        Raises:
            ConfigurationError: naming the key, the value, what was expected and the nearest valid name.
        """
        if isinstance(source, RedactionPolicy):
            return source
        if source is None:
            return cls()
        if isinstance(source, str) and not source.endswith(".toml"):
            check_choice("policy", source, _SHIPPED)
            return cls(name=source, version=_SHIPPED[source])
        if isinstance(source, str | Path):
            return cls.load(_read(Path(source)))
        check_type("policy", source, Mapping, "a policy, a mapping, a path to a TOML file or a name")
        check_keys("policy", source, ("name", "version", "extends", "keys"))
        return cls(name=str(source.get("name", "custom")), version=str(source.get("version", "1")), keys=dict(source.get("keys", {})))  # type: ignore[call-overload]


def _read(path: Path) -> Mapping[str, object]:
    try:
        import tomllib  # noqa: PLC0415 - only needed for files, and 3.10 has none
    except ImportError:
        import tomli as tomllib  # type: ignore[no-redef,import-not-found]  # noqa: PLC0415
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        msg = f"policy: cannot read {str(path)!r}: {error}"
        raise ConfigurationError(msg) from error
