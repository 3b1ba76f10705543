"""The counts of `agentlogsafe.stats` for a monitor: one function for each kind."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from agentlogsafe.delivery import stats
from agentlogsafe.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_registered: weakref.WeakSet[Any] = weakref.WeakSet()
_OUTCOMES = ("delivered", "fallback", "lost")


def prometheus(registry: Any = None) -> None:
    """Register ``agentlogsafe_records_total`` (handler, outcome) and ``agentlogsafe_queued_records`` (handler).

    Also ``agentlogsafe_undelivered_records_total`` (handler, reason). Done again for a registry, it does nothing.

    Args:
        registry: a ``prometheus_client.CollectorRegistry``; by default the global one.

    Raises:
        MissingExtraError: where ``prometheus_client`` is not installed.
    """
    try:
        from prometheus_client import REGISTRY  # noqa: PLC0415 -- optional
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily  # noqa: PLC0415
    except ImportError:
        msg = "metrics.prometheus needs prometheus-client: pip install prometheus-client"
        raise MissingExtraError(msg) from None

    registry = REGISTRY if registry is None else registry
    if registry in _registered:
        return
    _registered.add(registry)

    class Collector:
        def collect(self) -> Iterator[Any]:
            records = CounterMetricFamily("agentlogsafe_records", "Records by outcome.", labels=["handler", "outcome"])
            queued = GaugeMetricFamily("agentlogsafe_queued_records", "Records that wait.", labels=["handler"])
            why = CounterMetricFamily(
                "agentlogsafe_undelivered_records", "Records that missed a target.", labels=["handler", "reason"]
            )
            for handler, counts in stats().items():
                for outcome in _OUTCOMES:
                    records.add_metric([handler, outcome], counts[outcome])
                queued.add_metric([handler], counts["queued"])
                for reason, count in counts["reasons"].items():
                    why.add_metric([handler, reason], count)
            yield records
            yield queued
            yield why

    registry.register(Collector())


def otel(meter: Any = None) -> None:
    """Create the observable instruments ``agentlogsafe.records`` and ``agentlogsafe.queued_records``.

    Also ``agentlogsafe.undelivered_records``, by reason.

    Args:
        meter: an OpenTelemetry meter; by default that of the global provider.

    Raises:
        MissingExtraError: where the OpenTelemetry API is not installed.
    """
    try:
        from opentelemetry.metrics import Observation, get_meter  # noqa: PLC0415 -- optional
    except ImportError:
        msg = "metrics.otel needs the OpenTelemetry API: pip install 'agentlogsafe[otel]'"
        raise MissingExtraError(msg) from None

    def records(_: Any) -> Iterable[Any]:
        for handler, counts in stats().items():
            for outcome in _OUTCOMES:
                yield Observation(counts[outcome], {"handler": handler, "outcome": outcome})

    def queued(_: Any) -> Iterable[Any]:
        for handler, counts in stats().items():
            yield Observation(counts["queued"], {"handler": handler})

    def why(_: Any) -> Iterable[Any]:
        for handler, counts in stats().items():
            for reason, count in counts["reasons"].items():
                yield Observation(count, {"handler": handler, "reason": reason})

    meter = meter or get_meter("agentlogsafe")
    meter.create_observable_counter("agentlogsafe.records", [records], description="Records by handler and outcome.")
    meter.create_observable_counter("agentlogsafe.undelivered_records", [why], description="Records by reason.")
    meter.create_observable_gauge("agentlogsafe.queued_records", [queued], description="Records that wait.")
