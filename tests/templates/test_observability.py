from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from payment_data.error_names import PENDING_ERRORS
from templates.definitions import sweeper
from tests.crash_matrix.clock import Clock
from tests.crash_matrix.executor import TaskFailed
from tests.crash_matrix.sweeping import sweep
from tests.templates.reading import properties, resources

Json = dict[str, Any]
STEPS = ["Refund payment", "Release products", "Record the failure"]


def dashboards(payments: Json) -> dict[str, list[Json]]:
    found = properties(payments, "AWS::CloudWatch::Dashboard")
    return {name: json.loads(part["DashboardBody"]["Fn::Sub"])["widgets"] for name, part in found.items()}


def test_there_is_a_dashboard_for_the_business_and_one_for_operators(watched: Json) -> None:
    # Given both, as JSON that CloudWatch reads
    found = dashboards(watched)
    assert sorted(found) == ["BusinessDashboard", "TechnicalDashboard"]
    # Then no widget lies over another, and none is wider than the page
    for widgets in found.values():
        places = {(widget["x"], widget["y"]) for widget in widgets}
        assert len(places) == len(widgets)
        assert max(widget["x"] + widget["width"] for widget in widgets) <= 24


def test_dashboards_name_only_what_the_stack_has(payments: Json) -> None:
    known = {*payments["Resources"], *payments["Parameters"]}
    for part in properties(payments, "AWS::CloudWatch::Dashboard").values():
        named = re.findall(r"\$\{([^!}][^}]*)\}", part["DashboardBody"]["Fn::Sub"])
        assert {name.partition(".")[0] for name in named if not name.startswith("AWS::")} <= known


def test_both_dashboards_begin_with_what_is_deployed_and_a_line_for_each_release(watched: Json) -> None:
    for widgets in dashboards(watched).values():
        told, lines, *_ = [widget["properties"] for widget in widgets]
        assert "${PaymentWorkflowVersion}" in told["markdown"]
        assert "-${ReserveProductsVersion.Version}-" in told["markdown"]
        assert "release" in json.dumps(lines["metrics"])


def test_saved_queries_ask_the_logs_of_every_function_and_name_fields_that_are_written(watched: Json) -> None:
    queries = properties(watched, "AWS::Logs::QueryDefinition")
    functions = resources(watched, "AWS::Lambda::Function")
    source = "".join(path.read_text() for path in Path("lambdas").rglob("*.py"))
    for query in queries.values():
        logs = {group["Ref"] for group in query["LogGroupNames"]}
        assert logs == {f"{name.removesuffix('Function')}Logs" for name in functions}
        named = set(re.findall(r"(?<![@\w'])[a-z_]{4,}", query["QueryString"].split("stats")[0]))
        words = {"fields", "filter", "sort", "limit", "desc", "ispresent"}
        assert {field for field in named - words if field not in source} == set()


def test_every_alarm_is_on_the_operators_dashboard(watched: Json) -> None:
    [shown] = [w for w in dashboards(watched)["TechnicalDashboard"] if w["type"] == "alarm"]
    names = {re.search(r":alarm:\$\{(\w+)\}", arn)[1] for arn in shown["properties"]["alarms"]}  # type: ignore[index]
    assert names == set(resources(watched, "AWS::CloudWatch::Alarm"))


def test_what_the_business_is_shown_is_what_functions_measure(watched: Json) -> None:
    # Given every metric that the functions' source names
    source = "".join(path.read_text() for path in Path("lambdas").rglob("*.py"))
    measured = set(re.findall(r'(?:count|metrics\.level|milliseconds)\(\s*"(\w+)"', source))
    # Then dashboards draw each, and no other
    drawn = set()
    for widgets in dashboards(watched).values():
        text = json.dumps([w["properties"].get("metrics", []) for w in widgets])
        drawn |= set(re.findall(r'MetricName=\\+"(\w+)', text))
        drawn |= set(re.findall(r'"Payments/[^"]*", "(\w+)"', text))
    assert drawn == measured


def test_orders_are_promised_to_end_in_time_but_where_a_bank_answers_or_a_branch_is_tried(
    payments: Json, environment: Any
) -> None:
    objectives = properties(payments, "AWS::ApplicationSignals::ServiceLevelObjective")
    if environment.payment_method == "bank_account" or environment.alarms.release_only:
        assert objectives == {}
        return
    [objective] = objectives.values()
    sli = objective["RequestBasedSli"]["RequestBasedSliMetric"]
    [total], [good] = sli["TotalRequestCountMetric"], sli["MonitoredRequestCountMetric"]["GoodCountMetric"]
    # Both leave out smoke tests; an order that its execution left half-way is ended late by the sweeper.
    assert total["MetricStat"]["Metric"]["MetricName"] == "OrdersEnded"
    assert good["MetricStat"]["Metric"]["MetricName"] == "OrdersEndedInTime"
    assert objective["Goal"]["AttainmentGoal"] == 99.9


def test_every_function_writes_metrics_of_its_own_stack(payments: Json) -> None:
    for function in properties(payments, "AWS::Lambda::Function").values():
        namespace = function["Environment"]["Variables"]["POWERTOOLS_METRICS_NAMESPACE"]
        assert namespace == {"Fn::Sub": "Payments/${AWS::StackName}"}


def test_orders_that_are_over_are_settled_every_minute(payments: Json) -> None:
    schedule = properties(payments, "AWS::Events::Rule")["SettlementSchedule"]
    assert schedule["ScheduleExpression"] == "rate(1 minute)"


def test_the_sweeper_starts_on_what_step_functions_cut_off_and_on_a_schedule(payments: Json) -> None:
    rules = properties(payments, "AWS::Events::Rule")
    detail = rules["CutOff"]["EventPattern"]["detail"]
    assert detail["stateMachineArn"] == [{"Ref": "PaymentWorkflow"}]
    assert detail["$or"] == [{"status": ["ABORTED", "TIMED_OUT"]}, {"error": [{"prefix": "States."}]}]
    assert rules["SweepSchedule"]["ScheduleExpression"] == "rate(5 minutes)"
    started = {name: rule["Targets"][0]["Arn"]["Ref"] for name, rule in rules.items()}
    assert (started["CutOff"], started["SweepSchedule"]) == ("Sweeper", "Sweeper")


@pytest.fixture
def order_states() -> Json:
    found: Json = sweeper.definition()["States"][sweeper.EACH]["ItemProcessor"]["States"]
    return found


def test_the_sweeper_undoes_in_the_workflows_order_and_touches_nothing_that_runs(order_states: Json) -> None:
    assert order_states[sweeper.ENDED]["Choices"][0]["Next"] == sweeper.ALONE
    path = [order_states[sweeper.ENDED]["Default"]]
    while following := order_states[path[-1]].get("Next"):
        path.append(following)
    assert path == [*STEPS, sweeper.SWEPT]


def test_an_order_whose_execution_succeeded_is_parked_unless_a_person_has_it_undone(
    order_states: Json,
) -> None:
    done = order_states[sweeper.ENDED]["Choices"][1]
    condition = "{% $states.input.status = 'SUCCEEDED' and $not($undo) %}"
    assert (done["Condition"], done["Next"]) == (condition, sweeper.PARK)
    parked = order_states[sweeper.PARK]
    assert parked["Arguments"]["Payload"]["compensated"] is False
    assert parked["Next"] == sweeper.SWEPT


def test_a_sweep_that_leaves_pages_keeps_its_place_and_fails() -> None:
    states = sweeper.definition()["States"]
    assert states[sweeper.MORE]["Default"] == sweeper.KEEP
    assert states[sweeper.KEEP]["Arguments"]["Payload"]["stopped_at"] == "{% $next %}"
    assert states[sweeper.LEFT]["Choices"][0]["Next"] == sweeper.BEHIND
    assert states[sweeper.BEHIND]["Error"] == "SweepBehind"


def test_an_order_of_an_unknown_execution_is_undone_only_when_it_is_overdue(order_states: Json) -> None:
    (unknown, _) = order_states[sweeper.LOOK]["Catch"]
    assert (unknown["ErrorEquals"], unknown["Next"]) == (["Sfn.ExecutionDoesNotExistException"], sweeper.GONE)
    (overdue,) = order_states[sweeper.GONE]["Choices"]
    assert (overdue["Condition"], overdue["Next"]) == ("{% $overdue %}", sweeper.REFUND)
    assert order_states[sweeper.GONE]["Default"] == sweeper.ALONE


@pytest.mark.parametrize("record_fails", [False, True])
@pytest.mark.parametrize("name", STEPS)
def test_what_cannot_be_undone_now_is_left_for_the_next_sweep_and_it_is_recorded_why(
    name: str, record_fails: bool
) -> None:
    # Given a step of the way back that fails, and perhaps nobody who could record that
    recorded: list[Json] = []

    def invoke(state: str, arguments: Json) -> Json:
        if state == name or (record_fails and state == sweeper.NOTE):
            raise TaskFailed("InvalidRequest", "no such thing")
        if state == sweeper.NOTE:
            recorded.append(arguments["Payload"])
        return {"Payload": {}}

    # When the sweep looks at the order
    ended = sweep("order-1", invoke, Clock(datetime(2026, 11, 23, tzinfo=UTC)))
    # Then it is left alone but for the record, which closes nothing
    assert ended == sweeper.LATER
    undo = name != sweeper.RECORD
    assert [(r["step"], r["error"], r["cause"], r["record_only"]) for r in recorded] == (
        [(f"Sweep: {name}", "InvalidRequest", "no such thing", True)] if undo and not record_fails else []
    )


@pytest.mark.parametrize("name", STEPS[:2])
def test_a_completed_order_and_an_unanswering_bank_are_no_failed_sweep(order_states: Json, name: str) -> None:
    expected = {"ErrorEquals": ["OrderCompleted", *PENDING_ERRORS], "Next": sweeper.ALONE}
    assert order_states[name]["Catch"][0] == expected
