"""CloudWatch as alarms see it: points that come late or never, and M of the last N periods.

CloudWatch user guide, "Alarm evaluation", "Configuring how CloudWatch alarms treat missing data" and "Using
metric math". Formulas are computed as the embedded AWS computes them.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from embedded_aws.cloudwatch import metric_math

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]
_LOST: Final = 0.2


class Samples(NamedTuple):
    """What was measured in a minute: so many values, and their total."""

    total: float
    number: float = 1


Value = float | Samples | None
Series = Mapping[str, Callable[[int], Value] | None]
"""A metric's name, or `name@resource` for the one of that resource, to its values by minute."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """When points arrive.

    Attributes:
        late: Minutes after which a minute's points are there.
        lost: The minutes whose points never come, by metric.
        fills: Whether FILL gives a value where no metric had a point in all of an alarm's window.
    """

    late: int = 0
    lost: Mapping[str, frozenset[int]] = field(default_factory=dict)
    fills: bool = True


def unreliable(seed: int, names: list[str], minutes: int) -> Delivery:
    """Return a delivery in which points are two minutes late, and one in five is lost."""
    draws = {name: Random(f"{seed} {name}") for name in names}  # noqa: S311 - the same points are lost tomorrow
    lost = {
        name: frozenset(m for m in range(minutes) if draw.random() < _LOST) for name, draw in draws.items()
    }
    return Delivery(2, lost)


def metric_names(alarm: Json) -> list[str]:
    """Return the names of the metrics that an alarm is on."""
    return [metric["MetricName"] for metric, _ in _metrics(alarm).values()]


def period(alarm: Json) -> int:
    """Return an alarm's period in minutes."""
    stats = [query["MetricStat"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
    return int((stats[0] if stats else alarm)["Period"]) // 60


def ringing(alarm: Json, series: Series, minutes: int, delivery: Delivery) -> list[int]:
    """Return the minutes at whose end an alarm rings; a metric without a series never had a point."""
    own = tuple(_series_of(metric, series) for metric, _ in _metrics(alarm).values())
    known = (json.dumps(alarm), own, minutes, id(delivery))
    if known not in _rings:
        # The delivery is kept, so that its id stays its own.
        _rings[known] = (_ringing(alarm, series, minutes, delivery), delivery)
    return _rings[known][0]


_rings: dict[Any, tuple[list[int], Delivery]] = {}
"""What an alarm does, by the series that it sees: most scenarios change those of a few alarms alone."""


def _ringing(alarm: Json, series: Series, minutes: int, delivery: Delivery) -> list[int]:
    needed, window, every = alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"], period(alarm)
    rings, rang = [], False

    @cache
    def value(end: int, arrived: int) -> bool | None:
        return breaches_at(alarm, series, end, delivery, arrived)

    for now in range(minutes):
        # A period's value stays as it is once the last of its points has arrived.
        ends = range(now, now - window * every, -every)
        values = [value(end, min(now, end + delivery.late)) for end in ends]
        if not delivery.fills and not any(_has_point(alarm, series, end, delivery, now) for end in ends):
            values = []
        if alarm["TreatMissingData"] == "breaching":
            values = [True if breach is None else breach for breach in values]
        judged = [breach for breach in values if breach is not None]
        if judged or alarm["TreatMissingData"] != "ignore":
            rang = sum(judged) >= needed
        if rang:
            rings.append(now)
    return rings


def _has_point(alarm: Json, series: Series, end: int, delivery: Delivery, now: int) -> bool:
    """Whether any of an alarm's metrics has a point in the period that ends with a minute."""
    minutes = range(end - period(alarm) + 1, end + 1)
    return any(
        _point(_series_of(metric[0], series), metric, minutes, delivery, now) is not None
        for metric in _metrics(alarm).values()
    )


def most_breaches(alarm: Json, series: Series, minutes: int) -> int:
    """Return in how many periods of its window an alarm breaches at most, with every point there at once."""
    every, own = period(alarm), [_series_of(metric, series) for metric, _ in _metrics(alarm).values()]
    seen: dict[Any, bool] = {}
    recent: deque[bool] = deque(maxlen=alarm["EvaluationPeriods"])
    most = now = 0
    for end in range(every - 1, minutes, every):
        values = tuple(part(m) for part in own if part for m in range(end - every + 1, end + 1))
        if values not in seen:
            seen[values] = breaches_at(alarm, series, end, Delivery(), end) or False
        now += seen[values] - (recent[0] if len(recent) == recent.maxlen else 0)
        recent.append(seen[values])
        most = max(most, now)
    return most


def breaches_at(alarm: Json, series: Series, minute: int, delivery: Delivery, now: int) -> bool | None:
    """Return whether the period that ends with a minute breaches, by what has arrived; None without value."""
    metrics = _metrics(alarm)
    own = {key: _series_of(metric, series) for key, (metric, _) in metrics.items()}
    if minute < 0 or not any(own.values()):
        return None
    points = {
        key: _point(own[key], metrics[key], range(minute - period(alarm) + 1, minute + 1), delivery, now)
        for key in metrics
    }
    expression = next(
        (query["Expression"] for query in alarm.get("Metrics", []) if "Expression" in query), "m"
    )
    value = _value(expression, tuple(points.items()))
    return None if value is None else value > alarm["Threshold"]


def _series_of(metric: Json, series: Series) -> Callable[[int], Value] | None:
    values = [str(dimension["Value"].get("Ref")) for dimension in metric["Dimensions"] if _is_ref(dimension)]
    named = [f"{metric['MetricName']}@{value}" for value in values]
    return next((series[name] for name in [*named, metric["MetricName"]] if name in series), None)


def _is_ref(dimension: Json) -> bool:
    return isinstance(dimension["Value"], dict)


def _point(
    values: Callable[[int], Value] | None,
    metric: tuple[Json, str],
    minutes: range,
    delivery: Delivery,
    now: int,
) -> float | None:
    if values is None:
        return None
    name = metric[0]["MetricName"]
    arrived = [m for m in minutes if 0 <= m <= now - delivery.late and m not in delivery.lost.get(name, ())]
    samples = [
        Samples(*value) if isinstance(value, tuple) else Samples(value) for value in _some(values, arrived)
    ]
    return _statistic(metric[1], samples) if samples else None


def _some(values: Callable[[int], Value], minutes: list[int]) -> Iterator[float | Samples]:
    for minute in minutes:
        if (value := values(minute)) is not None:
            yield value


def _statistic(name: str, samples: list[Samples]) -> float:
    total, count = sum(each.total for each in samples), sum(each.number for each in samples)
    match name:
        case "Sum":
            return total
        case "SampleCount":
            return count
        case "Average":
            return total / count
    return max(each.total / each.number for each in samples)


@cache
def _value(expression: str, points: tuple[tuple[str, float | None], ...]) -> float | None:
    return metric_math.value(expression, dict(points))


def _metrics(alarm: Json) -> dict[str, tuple[Json, str]]:
    """Return an alarm's metrics, each with its statistic, by their name in the formula."""
    queries = alarm.get("Metrics")
    if not queries:
        return {"m": (alarm, alarm.get("ExtendedStatistic") or alarm["Statistic"])}
    return {
        query["Id"]: (query["MetricStat"]["Metric"], query["MetricStat"]["Stat"])
        for query in queries
        if "MetricStat" in query
    }
