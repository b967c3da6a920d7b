from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.templates.reading import properties, the

Json = dict[str, Any]

HOUSE = Path(__file__).parents[2]
RUNBOOKS = HOUSE / "docs" / "operations" / "runbooks"
HEADINGS = [
    "## What it means for customers",
    "## How to see it",
    "## How to fix it",
    "## How to know it is fixed",
]


def alarms(payments: Json) -> dict[str, Json]:
    return properties(payments, "AWS::CloudWatch::Alarm")


def every_alarm(payments: Json) -> dict[str, Json]:
    return alarms(payments) | properties(payments, "AWS::CloudWatch::CompositeAlarm")


def test_every_alarms_description_ends_with_a_runbook_that_exists(payments: Json) -> None:
    for name, alarm in every_alarm(payments).items():
        path = alarm["AlarmDescription"].split()[-1]
        assert (HOUSE / path).is_file(), name


def test_every_runbook_belongs_to_an_alarm(payments: Json) -> None:
    named = {alarm["AlarmDescription"].split()[-1] for alarm in every_alarm(payments).values()}
    written = {str(path.relative_to(HOUSE)) for path in RUNBOOKS.glob("*.md") if path.name != "index.md"}
    assert written == named


def test_every_runbook_answers_the_same_four_questions() -> None:
    for path in RUNBOOKS.glob("*.md"):
        if path.name != "index.md":
            lines = path.read_text().splitlines()
            assert [line for line in lines if line.startswith("## ")] == HEADINGS, path.name


def test_every_alarm_is_part_of_the_composite_one(payments: Json) -> None:
    rule = the(payments, "AWS::CloudWatch::CompositeAlarm")["AlarmRule"]["Fn::Join"]
    assert rule == [" OR ", [{"Fn::Sub": f'ALARM("${{{name}}}")'} for name in alarms(payments)]]


def test_quiet_minutes_do_not_ring(payments: Json) -> None:
    assert {alarm["TreatMissingData"] for alarm in alarms(payments).values()} == {"notBreaching"}


def test_a_formula_asks_at_most_ten_metrics_and_uses_each(payments: Json) -> None:
    # CloudWatch user guide, quotas: a metric math alarm takes ten metrics.
    for name, alarm in alarms(payments).items():
        if "Metrics" in alarm:
            computed, *metrics = alarm["Metrics"]
            assert computed["ReturnData"] is True, name
            assert 0 < len(metrics) <= 10, name
            assert all(query["Id"] in computed["Expression"] for query in metrics), name
            assert not any(query["ReturnData"] for query in metrics), name


def test_the_workflows_ends_are_watched(payments: Json) -> None:
    watched = set()
    for alarm in alarms(payments).values():
        stats = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
        watched |= {metric["MetricName"] for metric in stats or [alarm]}
    assert watched == {
        "ExecutionsFailed",
        "ExecutionsTimedOut",
        "ExecutionsAborted",
        "ExecutionThrottled",
        "OrdersFailed",
        "OrdersParked",
        "TechnicalFailures",
        "ContractErrors",
        "5XXError",
        "Latency",
        "Errors",
        "Throttles",
    }


def test_a_problems_metric_is_counted_from_the_logs_of_its_own_stack(payments: Json) -> None:
    filters = properties(payments, "AWS::Logs::MetricFilter")
    namespaces = {str(part["MetricTransformations"][0]["MetricNamespace"]) for part in filters.values()}
    assert namespaces == {str({"Fn::Sub": "Payments/${AWS::StackName}"})}
    assert filters["RecordFailureFunctionOrdersParked"]["FilterPattern"] == '{ $.kind = "parked" }'
