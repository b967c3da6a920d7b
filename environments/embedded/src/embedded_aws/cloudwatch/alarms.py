"""Alarms that look at their own dimensions, over periods, with metric math; MiniStack's see the name alone.

An alarm is evaluated when somebody asks for its state, so that nothing runs while nobody looks; then every
period since the last look is judged in its turn, so that a breach that nobody looked at rings all the same.
Periods take their time, unless `ALARM_PERIOD_SCALE` shortens them as `SFN_WAIT_SCALE` does waits. Points come
at once and all, unless `METRIC_MINUTES_LATE` says how many of an alarm's minutes later they are there, and
`METRIC_SHARE_LOST` how many of a metric's minutes never come. A formula over metrics none of which ever had a
point has no value: there is nothing to fill between.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
"""

import os
import time
import zlib
from collections.abc import Callable
from typing import Any

from ministack.services import cloudwatch

from embedded_aws.cloudwatch import metric_math, service_metrics
from embedded_aws.core import ministack_names as private
from embedded_aws.core import type_table

_BREACHES: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}
# A missing datapoint, as TreatMissingData says: breaching or not; None is "leave it out".
_MISSING = {"breaching": True, "notBreaching": False}
_MOST_BEHIND = 1440
"""A day of minutes: who looks later than that sees the last day judged."""
_looked: dict[tuple[str, Any], float] = {}
_PLACEHOLDER = {"MetricName": "-", "Namespace": "-"}


def install() -> None:
    """Take the place of MiniStack's evaluation, and give stacks alarms on formulas."""
    private.cloudwatch.evaluate_alarm = evaluate
    cloudwatch.handle_request = _evaluated(cloudwatch.handle_request)
    in_stacks = type_table.stock_handlers("AWS::CloudWatch::Alarm")
    for operation in ("create", "update"):
        in_stacks[operation] = _with_formula(in_stacks[operation])


def evaluate(alarm: dict[str, Any]) -> None:
    """Move an alarm through the states that its datapoints say, period by period since the last look."""
    periods = int(alarm["EvaluationPeriods"])
    behind = _periods_behind(alarm)
    breaches = [_breach(alarm, value) for value in _values(alarm, periods + behind)]
    for first in range(behind, -1, -1):
        _judge(alarm, breaches[first : first + periods], periods)


def _periods_behind(alarm: dict[str, Any]) -> int:
    """Return how many periods began since the alarm was last looked at, or its state last set by hand."""
    seconds, now = _period_seconds(alarm), time.time()
    # Its own name and its configuration: what was made anew under the name is looked at from now on.
    key = (alarm["AlarmArn"], alarm.get("AlarmConfigurationUpdatedTimestamp"))
    since = max(_looked.get(key, 0.0), float(alarm.get("StateUpdatedTimestamp") or now))
    _looked[key] = now
    return max(0, min(_MOST_BEHIND, int(now // seconds) - int(since // seconds)))


def _period_seconds(alarm: dict[str, Any]) -> float:
    stats = [query["MetricStat"] for query in alarm.get("Metrics") or [] if "MetricStat" in query]
    return _scaled(int(stats[0]["Period"]) if stats else int(alarm["Period"]))


def _scaled(period: int) -> float:
    """Return how many seconds a period of so many seconds takes here."""
    return period * float(os.environ["ALARM_PERIOD_SCALE"])


def _judge(alarm: dict[str, Any], breaches: list[bool | None], periods: int) -> None:
    needed = int(alarm.get("DatapointsToAlarm") or periods)
    judged = [breach for breach in breaches if breach is not None]
    if not judged:
        return  # nothing to judge by: the state stays, a state that was set by hand too
    state = "ALARM" if sum(judged) >= needed else "OK"
    if state != alarm["StateValue"]:
        reason = f"{sum(judged)} of the last {periods} datapoints were breaching"
        change = {"AlarmName": alarm["AlarmName"], "StateValue": state, "StateReason": reason}
        private.cloudwatch.set_alarm_state({}, change, is_cbor=False, is_json=True)


def _breach(alarm: dict[str, Any], value: float | None) -> bool | None:
    if value is None:
        return _MISSING.get(alarm.get("TreatMissingData", "missing"))
    return _BREACHES[alarm["ComparisonOperator"]](value, float(alarm["Threshold"]))


def _values(alarm: dict[str, Any], periods: int) -> list[float | None]:
    """Return the alarm's value in each of the last periods, the present one included."""
    queries = alarm.get("Metrics")
    if not queries:
        statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic", "Average")
        return _series(alarm, int(alarm["Period"]), statistic, periods)
    series = {
        query["Id"]: _series(
            query["MetricStat"]["Metric"],
            int(query["MetricStat"]["Period"]),
            query["MetricStat"]["Stat"],
            periods,
        )
        for query in queries
        if "MetricStat" in query
    }
    [expression] = [query["Expression"] for query in queries if "Expression" in query]
    metrics = [query["MetricStat"]["Metric"] for query in queries if "MetricStat" in query]
    if not any(_began(metric) for metric in metrics):
        return [None] * periods
    return [
        metric_math.value(expression, {name: values[index] for name, values in series.items()})
        for index in range(periods)
    ]


def _series(metric: dict[str, Any], period: int, statistic: str, periods: int) -> list[float | None]:
    key, seconds = _key(metric), _scaled(period)
    last = int(time.time() // seconds)
    arrived = _arrived()
    binned: dict[int, list[Any]] = {}
    for point in reversed(private.cloudwatch.metrics.get(key) or []):
        index = last - int(point["Timestamp"] // seconds)
        if index >= periods:
            break
        if point["Timestamp"] <= arrived and not _lost(key, point["Timestamp"]):
            binned.setdefault(index, []).append(point)
    return [
        _statistic(points, statistic) if (points := binned.get(index)) else None for index in range(periods)
    ]


def _statistic(points: list[dict[str, Any]], name: str) -> float | None:
    """Compute a statistic of datapoints, each of which is a value seen so many times, or a set of its own."""
    sets = [point.get("_stat") or _alone(point) for point in points]
    count = sum(float(each["SampleCount"]) for each in sets)
    total = sum(float(each["Sum"]) for each in sets)
    if name.startswith("p") and name[1:].replace(".", "", 1).isdigit():
        seen = [(point["Value"], int(point.get("Count", 1))) for point in points]
        return _percentile([value for value, times in sorted(seen) for _ in range(times)], float(name[1:]))
    return {
        "SampleCount": count,
        "Sum": total,
        "Average": total / count if count else None,
        "Minimum": min(float(each["Minimum"]) for each in sets),
        "Maximum": max(float(each["Maximum"]) for each in sets),
    }[name]


def _alone(point: dict[str, Any]) -> dict[str, float]:
    value, count = float(point["Value"]), float(point.get("Count", 1))
    return {"SampleCount": count, "Sum": value * count, "Minimum": value, "Maximum": value}


def _percentile(values: list[float], percent: float) -> float:
    """Interpolate between the two nearest ranks of sorted values."""
    rank = percent / 100 * (len(values) - 1)
    low = int(rank)
    high = min(low + 1, len(values) - 1)
    return values[low] + (rank - low) * (values[high] - values[low])


def _arrived() -> float:
    """Return up to when points are there by now."""
    return time.time() - _scaled(60) * float(os.environ.get("METRIC_MINUTES_LATE", "0"))


def _began(metric: dict[str, Any]) -> bool:
    points = private.cloudwatch.metrics.get(_key(metric)) or []
    return bool(points) and points[0]["Timestamp"] <= _arrived()


def _key(metric: dict[str, Any]) -> tuple[str, str, str]:
    dimensions = {item["Name"]: item["Value"] for item in metric.get("Dimensions") or []}
    named = "|".join(f"{name}={value}" for name, value in sorted(dimensions.items()))
    return metric["Namespace"], metric["MetricName"], named


def _lost(key: tuple[str, str, str], timestamp: float) -> bool:
    """Whether a metric's points of that minute never come: always the same ones, as if drawn by lot."""
    share = float(os.environ.get("METRIC_SHARE_LOST", "0"))
    return share > 0 and zlib.crc32(repr((key, int(timestamp // _scaled(60)))).encode()) % 1000 < share * 1000


def _evaluated(stock: Callable[..., Any]) -> Callable[..., Any]:
    """Judge every alarm before somebody is told of their states, whichever protocol is spoken."""

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Any:
        action = f"{headers.get('x-amz-target', '')} {path} {query.get('Action', '')}"
        if "DescribeAlarms" in action or b"Action=DescribeAlarms" in (body or b""):
            await service_metrics.count_waiting_messages()
            for alarm in list(private.cloudwatch.alarms.values()):
                evaluate(alarm)
        return await stock(method, path, headers, body, query)

    return handle_request


def _with_formula(stock: Callable[..., Any]) -> Callable[..., Any]:
    """Give a stack's alarm its formula, in place of the single metric that MiniStack takes."""

    def made(*arguments: Any) -> Any:
        properties = [each for each in arguments if isinstance(each, dict)][-1]
        queries = properties.get("Metrics")
        if not queries:
            return stock(*arguments)
        formulas = [query["Expression"] for query in queries if "Expression" in query]
        if len(formulas) != 1:
            raise ValueError("an alarm on several metrics without exactly one formula is not emulated here")
        metric_math.check(formulas[0])
        name, attributes = stock(*(_single(each) if isinstance(each, dict) else each for each in arguments))
        alarm = private.cloudwatch.alarms[name]
        for key in (*_PLACEHOLDER, "Statistic", "ExtendedStatistic", "Period", "Dimensions", "Unit"):
            alarm.pop(key, None)
        alarm["Metrics"] = queries
        return name, attributes

    return made


def _single(properties: dict[str, Any]) -> dict[str, Any]:
    if "Metrics" not in properties:
        return properties
    return {key: value for key, value in properties.items() if key != "Metrics"} | _PLACEHOLDER
