"""CloudWatch as alarms see it: points that come late or never, and M of the last N minutes.

CloudWatch user guide, "Alarm evaluation", "Configuring how CloudWatch alarms treat missing data" and "Using
metric math". Formulas are computed as the embedded AWS computes them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from embedded_aws.cloudwatch import alarms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

Json = dict[str, Any]
_LOST: Final = 0.2


@dataclass(frozen=True, slots=True)
class Delivery:
    """When points arrive.

    Attributes:
        late: Minutes after which a minute's points are there.
        lost: The minutes whose points never come, by metric.
    """

    late: int = 0
    lost: Mapping[str, frozenset[int]] = field(default_factory=dict)


def unreliable(draw: Random, names: list[str], minutes: int) -> Delivery:
    """Return a delivery in which points are two minutes late, and one in five is lost."""
    lost = {name: frozenset(m for m in range(minutes) if draw.random() < _LOST) for name in names}
    return Delivery(2, lost)


def metric_names(alarm: Json) -> list[str]:
    """Return the names of the metrics that an alarm is on."""
    return [metric["MetricName"] for metric in _metrics(alarm).values()]


def ringing(
    alarm: Json, series: Mapping[str, Callable[[int], float | None]], minutes: int, delivery: Delivery
) -> list[int]:
    """Return the minutes at whose end an alarm rings; a metric without a series has no points."""
    needed, window = alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"]
    rings = []
    for now in range(minutes):
        breaches = Counter(
            breaches_at(alarm, series, minute, delivery, now)
            for minute in range(max(0, now - window + 1), now + 1)
        )
        if breaches[True] >= needed:
            rings.append(now)
    return rings


def breaches_at(
    alarm: Json,
    series: Mapping[str, Callable[[int], float | None]],
    minute: int,
    delivery: Delivery,
    now: int,
) -> bool:
    """Return whether a minute breaches, as far as is known now; a missing value does not."""
    points = {
        key: _point(series.get(metric["MetricName"]), metric["MetricName"], minute, delivery, now)
        for key, metric in _metrics(alarm).items()
    }
    expression = next(
        (query["Expression"] for query in alarm.get("Metrics", []) if "Expression" in query), "m"
    )
    value = _value(expression, tuple(points.items()))
    return value is not None and value > alarm["Threshold"]


def _point(
    values: Callable[[int], float | None] | None, name: str, minute: int, delivery: Delivery, now: int
) -> float | None:
    arrived = minute + delivery.late <= now and minute not in delivery.lost.get(name, frozenset())
    return values(minute) if values and arrived else None


@cache
def _value(expression: str, points: tuple[tuple[str, float | None], ...]) -> float | None:
    return alarms.value(expression, dict(points))


def _metrics(alarm: Json) -> dict[str, Json]:
    queries = alarm.get("Metrics")
    if not queries:
        return {"m": alarm}
    return {query["Id"]: query["MetricStat"]["Metric"] for query in queries if "MetricStat" in query}
