"""Alarms that look at their own dimensions, over periods, with metric math; MiniStack's see the name alone.

An alarm is evaluated when somebody asks for its state, so that nothing runs while nobody looks. Its periods
take their time, unless `ALARM_PERIOD_SCALE` shortens them as `SFN_WAIT_SCALE` does waits.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
"""

import os
import time
from collections.abc import Callable
from typing import Any

from ministack.services import cloudwatch
from ministack.services.cloudformation import provisioners

from embedded_aws.cloudwatch import metric_math

_BREACHES: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}
# A missing datapoint, as TreatMissingData says: breaching or not; None is "leave it out".
_MISSING = {"breaching": True, "notBreaching": False}
_PLACEHOLDER = {"MetricName": "-", "Namespace": "-"}


def install() -> None:
    """Take the place of MiniStack's evaluation, and give stacks alarms on formulas."""
    cloudwatch._evaluate_alarm = evaluate
    cloudwatch._describe_alarms = _evaluated(cloudwatch._describe_alarms)
    provisioners._cw_metric_alarm_record = _with_formula(provisioners._cw_metric_alarm_record)


def evaluate(alarm: dict[str, Any]) -> None:
    """Move an alarm to the state that its datapoints say."""
    periods = int(alarm["EvaluationPeriods"])
    needed = int(alarm.get("DatapointsToAlarm") or periods)
    breaches = [_breach(alarm, value) for value in _values(alarm, periods)]
    judged = [breach for breach in breaches if breach is not None]
    if not judged:
        return  # nothing to judge by: the state stays, a state that was set by hand too
    state = "ALARM" if sum(judged) >= needed else "OK"
    if state != alarm["StateValue"]:
        before, reason = alarm["StateValue"], f"{sum(judged)} of the last {periods} datapoints were breaching"
        alarm.update(StateValue=state, StateReason=reason, StateUpdatedTimestamp=int(time.time()))
        cloudwatch._record_history(alarm["AlarmName"], before, state, reason)
        cloudwatch._dispatch_alarm_actions(alarm, before, state, reason)
        cloudwatch._evaluate_parent_alarms(alarm)


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
    return [
        metric_math.value(expression, {name: values[index] for name, values in series.items()})
        for index in range(periods)
    ]


def _series(metric: dict[str, Any], period: int, statistic: str, periods: int) -> list[float | None]:
    dimensions = {item["Name"]: item["Value"] for item in metric.get("Dimensions") or []}
    key = (metric["Namespace"], metric["MetricName"], cloudwatch._dims_key(dimensions))
    seconds = period * float(os.environ["ALARM_PERIOD_SCALE"])
    last = int(time.time() // seconds)
    binned: dict[int, list[Any]] = {}
    for point in reversed(cloudwatch._metrics.get(key) or []):
        index = last - int(point["Timestamp"] // seconds)
        if index >= periods:
            break
        binned.setdefault(index, []).append(point)
    return [
        cloudwatch._stat_value(cloudwatch._calc_stats(points), statistic, points)
        if (points := binned.get(index))
        else None
        for index in range(periods)
    ]


def _evaluated(stock: Callable[..., Any]) -> Callable[..., Any]:
    def describe(*arguments: Any, **options: Any) -> Any:
        for alarm in list(cloudwatch._alarms.values()):
            evaluate(alarm)
        return stock(*arguments, **options)

    return describe


def _with_formula(stock: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def record(name: str, properties: dict[str, Any]) -> dict[str, Any]:
        queries = properties.get("Metrics")
        if not queries:
            return stock(name, properties)
        formulas = [query["Expression"] for query in queries if "Expression" in query]
        if len(formulas) != 1:
            raise ValueError("an alarm on several metrics without exactly one formula is not emulated here")
        metric_math.check(formulas[0])
        single = {key: value for key, value in properties.items() if key != "Metrics"} | _PLACEHOLDER
        alarm = stock(name, single)
        for key in (*_PLACEHOLDER, "Statistic", "ExtendedStatistic", "Period", "Dimensions", "Unit"):
            alarm.pop(key, None)
        return {**alarm, "Metrics": queries}

    return record
