"""The same clean context, and the same root handler, as where context is tested without frameworks."""

from __future__ import annotations

from tests.context.conftest import _no_run_before_or_after, events  # noqa: F401 -- fixtures
