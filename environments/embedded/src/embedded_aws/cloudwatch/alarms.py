"""Alarms that look at their own dimensions, over periods, with metric math; MiniStack's see the name alone.

An alarm is evaluated when somebody asks for its state, so that nothing runs while nobody looks; then every
period since the last look is judged in its turn, so that a breach that nobody looked at rings all the same.
Periods take their time, unless `ALARM_PERIOD_SCALE` shortens them as `SFN_WAIT_SCALE` does waits.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html

The little of CloudWatch's metric math that is emulated: arithmetic, comparisons, FILL and IF.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

import ast
import operator
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import cloudwatch
from ministack.services.cloudformation import provisioners

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
    cloudwatch._evaluate_alarm = evaluate
    cloudwatch._describe_alarms = _evaluated(cloudwatch._describe_alarms)
    provisioners._cw_metric_alarm_record = _with_formula(provisioners._cw_metric_alarm_record)


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
        value(expression, {name: values[index] for name, values in series.items()})
        for index in range(periods)
    ]


def _series(metric: dict[str, Any], period: int, statistic: str, periods: int) -> list[float | None]:
    dimensions = {item["Name"]: item["Value"] for item in metric.get("Dimensions") or []}
    key = (metric["Namespace"], metric["MetricName"], cloudwatch._dims_key(dimensions))
    seconds = _scaled(period)
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
        check(formulas[0])
        single = {key: value for key, value in properties.items() if key != "Metrics"} | _PLACEHOLDER
        alarm = stock(name, single)
        for key in (*_PLACEHOLDER, "Statistic", "ExtendedStatistic", "Period", "Dimensions", "Unit"):
            alarm.pop(key, None)
        return {**alarm, "Metrics": queries}

    return record


_OPERATORS: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_ARGUMENTS = {"FILL": 2, "IF": 3}


def check(expression: str) -> None:
    """Refuse what is not emulated.

    Raises:
        ValueError: the expression cannot be read, or uses something else.
    """
    _value(_parsed(expression), {})


def value(expression: str, metrics: Mapping[str, float | None]) -> float | None:
    """Compute the expression for one period; None is a missing datapoint, and so is a division by zero."""
    return _value(_parsed(expression), metrics)


def _parsed(expression: str) -> ast.expr:
    try:
        return ast.parse(expression, mode="eval").body
    except SyntaxError:
        raise ValueError(f"metric math {expression!r} is not emulated here") from None


def _value(node: ast.expr, metrics: Mapping[str, float | None]) -> float | None:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return metrics.get(name)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _both(_OPERATORS[type(op)], left, right, metrics)
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _OPERATORS:
            return _both(_OPERATORS[type(op)], left, right, metrics)
        case ast.Call(func=ast.Name(id=name), args=arguments) if len(arguments) == _ARGUMENTS.get(name):
            first, *others = (_value(argument, metrics) for argument in arguments)
            if name == "FILL":
                return others[0] if first is None else first
            return None if first is None else others[0] if first else others[1]
    raise ValueError(f"metric math {ast.unparse(node)!r} is not emulated here")


def _both(
    function: Callable[[float, float], float],
    left: ast.expr,
    right: ast.expr,
    metrics: Mapping[str, float | None],
) -> float | None:
    a, b = _value(left, metrics), _value(right, metrics)
    try:
        return None if a is None or b is None else float(function(a, b))
    except ZeroDivisionError:
        return None
