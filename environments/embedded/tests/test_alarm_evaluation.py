"""Alarms by themselves: formulas, points that come late or never, and breaches that nobody looked at."""

from types import SimpleNamespace
from typing import Any

import pytest
from ministack.services import cloudwatch

from embedded_aws.cloudwatch import alarms, metric_math


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("a + b", 5.0),
        ("a + gone", None),
        ("FILL(gone, 7)", 7.0),
        ("IF(a > b, a, b)", 3.0),
        ("a / 0", None),
        ("IF(a >= 3, 100 / 0, 0)", 0.0),
    ],
)
def test_metric_math(expression: str, value: float | None) -> None:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
    assert metric_math.value(expression, {"a": 2.0, "b": 3.0}) == value


@pytest.mark.parametrize("expression", ["FILL(a)", "FILL(a, 1, 2)", "IF(a, 1)", "MAX(a)", "a = 1", "-a"])
def test_metric_math_that_is_not_emulated_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match="is not emulated here"):
        metric_math.check(expression)


@pytest.mark.parametrize(
    ("operator", "breaches"),
    [
        ("GreaterThanThreshold", [False, False, True]),
        ("GreaterThanOrEqualToThreshold", [False, True, True]),
        ("LessThanThreshold", [True, False, False]),
        ("LessThanOrEqualToThreshold", [True, True, False]),
    ],
)
def test_a_value_breaches_as_the_operator_says(operator: str, breaches: list[bool]) -> None:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    alarm = {"ComparisonOperator": operator, "Threshold": 2.0}
    # Given a value below the threshold, at it, and above it
    assert [alarms._breach(alarm, value) for value in (1.0, 2.0, 3.0)] == breaches


@pytest.mark.parametrize(
    ("statistic", "value"),
    [("SampleCount", 5.0), ("Sum", 20.0), ("Average", 4.0), ("Minimum", 2.0), ("Maximum", 8.0), ("p50", 4.0)],
)
def test_a_statistic_counts_a_value_as_often_as_it_was_seen(statistic: str, value: float) -> None:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html
    # Given a value that came alone, and two that came twice each
    points = [{"Value": 8.0}, {"Value": 2.0, "Count": 2}, {"Value": 4.0, "Count": 2}]
    assert alarms._statistic(points, statistic) == pytest.approx(value)


def test_a_breach_that_nobody_looked_at_rings_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
    # Given an alarm that was quiet when it was looked at last, at noon
    noon, rung = 1_800_000_000.0, list[str]()
    monkeypatch.setenv("ALARM_PERIOD_SCALE", "1")
    watched = {
        "AlarmArn": "arn:unlooked",
        "AlarmName": "unlooked",
        "Namespace": "unlooked",
        "MetricName": "m",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 0.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        "StateValue": "OK",
        "StateUpdatedTimestamp": int(noon),
    }

    def change(_: Any, to: dict[str, Any], **_named: bool) -> None:
        rung.append(to["StateValue"])
        watched.update(StateValue=to["StateValue"], StateUpdatedTimestamp=int(noon))

    monkeypatch.setattr(cloudwatch, "_set_alarm_state", change)
    monkeypatch.setattr(alarms, "time", SimpleNamespace(time=lambda: noon))
    alarms.evaluate(watched)
    # When its metric breaches five minutes later, and somebody looks when ten have passed
    point = {"Timestamp": noon + 300, "Value": 1.0, "Unit": "None"}
    key = ("unlooked", "m", "")
    monkeypatch.setattr(cloudwatch, "_metrics", {key: [point]})
    monkeypatch.setattr(alarms, "time", SimpleNamespace(time=lambda: noon + 600))
    alarms.evaluate(watched)
    # Then it rang, and was over; and who looks again rings nothing
    assert rung == ["ALARM", "OK"]
    alarms.evaluate(watched)
    assert (rung, watched["StateValue"]) == (["ALARM", "OK"], "OK")


@pytest.mark.parametrize("late", [0, 2])
def test_points_come_as_late_as_told(monkeypatch: pytest.MonkeyPatch, late: int) -> None:
    # Given a point of noon, where points are so many minutes late
    noon = 1_800_000_000.0
    metric = {"Namespace": "late", "MetricName": "m"}
    key = ("late", "m", cloudwatch._dims_key({}))
    point = {"Timestamp": noon, "Value": 7.0, "Unit": "None"}
    monkeypatch.setattr(cloudwatch, "_metrics", {key: [point]})
    monkeypatch.setenv("ALARM_PERIOD_SCALE", "1")
    monkeypatch.setenv("METRIC_MINUTES_LATE", str(late))
    # Then it is there from that minute on
    for minutes in range(4):
        moment = noon + 60 * minutes
        monkeypatch.setattr(alarms, "time", SimpleNamespace(time=lambda at=moment: at))
        seen = alarms._series(metric, 60, "Sum", minutes + 1)[minutes]
        assert seen == (7.0 if minutes >= late else None)


def test_as_many_minutes_of_a_metric_never_come_as_told(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a metric with a point in each of a thousand minutes, one in five of which is lost
    noon = 1_800_000_000.0
    key = ("lost", "m", cloudwatch._dims_key({}))
    points = [{"Timestamp": noon + 60 * minute, "Value": 1.0, "Unit": "None"} for minute in range(1000)]
    monkeypatch.setattr(cloudwatch, "_metrics", {key: points})
    monkeypatch.setattr(alarms, "time", SimpleNamespace(time=lambda: noon + 60 * 999))
    monkeypatch.setenv("ALARM_PERIOD_SCALE", "1")
    monkeypatch.setenv("METRIC_SHARE_LOST", "0.2")
    # Then about so many are missing, and the same ones for whoever looks again
    seen = [alarms._series({"Namespace": "lost", "MetricName": "m"}, 60, "Sum", 1000) for _ in range(2)]
    assert 150 < seen[0].count(None) < 250
    assert seen[0] == seen[1]


def test_a_formula_over_metrics_that_never_had_a_point_has_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
    monkeypatch.setenv("ALARM_PERIOD_SCALE", "1")
    monkeypatch.setattr(cloudwatch, "_metrics", {})
    stat = {"Metric": {"Namespace": "none", "MetricName": "m"}, "Period": 60, "Stat": "Sum"}
    queries = [{"Id": "f", "Expression": "IF(FILL(m0, 0) > 0, 0, 1)"}, {"Id": "m0", "MetricStat": stat}]
    assert alarms._values({"Metrics": queries}, 3) == [None, None, None]
