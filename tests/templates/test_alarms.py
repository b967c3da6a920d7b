from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from environments.parts import Alarms
from environments.schema import load
from payment_data import error_names
from pipelines.deploy import synth
from tests import embedded_functions
from tests.drills import pages
from tests.templates.reading import properties, the

Json = dict[str, Any]

HOUSE = Path(__file__).parents[2]
RUNBOOKS = HOUSE / "docs" / "operations" / "runbooks"
_ORDERS = ("order-1", "smoke-3f2a-happy")
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


def test_an_alarm_says_what_customers_feel_and_a_first_command_that_a_drill_ran(payments: Json) -> None:
    ran = "\n".join(" ".join(block.text.replace("\\\n", " ").split()) for block in pages.every_block())
    for name, alarm in alarms(payments).items():
        told = re.fullmatch(r"(.+\.) First: `(.+)`\. Runbook: (\S+)", alarm["AlarmDescription"])
        assert told, name
        assert re.search(r"\b[Cc]ustomer", told[1]), name
        assert told[2] in ran, name
        assert len(alarm["AlarmDescription"]) <= 1024  # CloudWatch API reference, PutMetricAlarm


def test_where_the_docs_site_is_known_alarms_end_with_their_runbooks_address() -> None:
    # Given an environment that names its docs site
    environment = load("prod").model_copy(update={"alarms": Alarms(docs_url="https://docs.example.com/prod")})
    every = every_alarm(synth.build(environment)["payments"].to_dict())
    # Then each address is that of a page that is written
    for name, alarm in every.items():
        address = alarm["AlarmDescription"].split()[-1]
        page = address.removeprefix("https://docs.example.com/prod/").replace(".html", ".md")
        assert (HOUSE / "docs" / page).is_file(), name


def test_every_runbook_belongs_to_an_alarm_of_production() -> None:
    prod = synth.build(load("prod"))["payments"].to_dict()
    named = {alarm["AlarmDescription"].split()[-1] for alarm in every_alarm(prod).values()}
    written = {str(path.relative_to(HOUSE)) for path in RUNBOOKS.glob("*.md") if path.name != "index.md"}
    assert written == named


def test_every_runbook_answers_the_same_four_questions() -> None:
    for path in RUNBOOKS.glob("*.md"):
        if path.name != "index.md":
            lines = path.read_text().splitlines()
            assert [line for line in lines if line.startswith("## ")] == HEADINGS, path.name


def test_every_alarm_is_part_of_the_composite_one(payments: Json) -> None:
    rule = properties(payments, "AWS::CloudWatch::CompositeAlarm")["Health"]["AlarmRule"]["Fn::Join"]
    assert rule == [" OR ", [{"Fn::Sub": f'ALARM("${{{name}}}")'} for name in alarms(payments)]]


def test_what_pages_is_either_about_money_or_about_availability() -> None:
    # Given the two composite alarms of an environment that pages by a topic
    page = "arn:aws:sns:eu-central-1:333333333333:page"
    environment = load("prod").model_copy(update={"alarms": Alarms(page_topic_arn=page)})
    prod = synth.build(environment)["payments"].to_dict()
    every = alarms(prod)
    members = {
        name: set(re.findall(r"\{(\w+)\}", json.dumps(alarm["AlarmRule"])))
        for name, alarm in properties(prod, "AWS::CloudWatch::CompositeAlarm").items()
        if name != "Health"
    }
    # Then each alarm that pages is in one of them, and tells the topic itself
    paging = {name for name, alarm in every.items() if alarm.get("AlarmActions") == [page]}
    assert members["Money"] | members["Availability"] == paging
    assert not members["Money"] & members["Availability"]
    assert {"OrdersParkedAlarm", "SweepFailingAlarm", "UndoFailingAlarm"} <= members["Money"]


def test_quiet_minutes_do_not_ring_but_where_silence_is_the_symptom(payments: Json) -> None:
    for name, alarm in alarms(payments).items():
        silence = name in {"OrdersMissingAlarm", "ScheduleCheckSilentAlarm"}
        assert alarm["TreatMissingData"] == ("ignore" if silence else "notBreaching"), name


def test_a_percentile_is_an_extended_statistic_and_nothing_else_is(payments: Json) -> None:
    # CloudWatch API reference, PutMetricAlarm: one of the two, each with its own words
    for name, alarm in alarms(payments).items():
        if "Metrics" not in alarm:
            plain, extended = alarm.get("Statistic"), alarm.get("ExtendedStatistic", "")
            assert (plain in {"Sum", "Average", "Maximum"}) != bool(re.fullmatch(r"p\d+", extended)), name


def test_a_formula_asks_at_most_ten_metrics_and_uses_each(payments: Json) -> None:
    # CloudWatch user guide, quotas: a metric math alarm takes ten metrics.
    for name, alarm in alarms(payments).items():
        if "Metrics" in alarm:
            computed, *metrics = alarm["Metrics"]
            assert computed["ReturnData"] is True, name
            assert 0 < len(metrics) <= 10, name
            assert all(query["Id"] in computed["Expression"] for query in metrics), name
            assert not any(query["ReturnData"] for query in metrics), name


def test_the_workflows_ends_are_watched(watched: Json) -> None:
    names = set()
    for alarm in alarms(watched).values():
        stats = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
        names |= {metric["MetricName"] for metric in stats or [alarm]}
    assert names - {"OrdersEndedInTime"} == {
        "ExecutionsFailed",
        "ExecutionsTimedOut",
        "ExecutionsAborted",
        "ExecutionThrottled",
        "OrdersFailed",
        "OrdersParked",
        "ParkedOrders",
        "TechnicalFailures",
        "ContractErrors",
        "Crashes",
        "DataApiUnexpected",
        "FailedInvocations",
        "ApproximateNumberOfMessagesVisible",
        "ReleaseFailures",
        "ReleaseWorse",
        "SchedulesSilent",
        "AccountsAstray",
        "5XXError",
        "Latency",
        "Errors",
        "Throttles",
    }


def test_a_problems_metric_is_counted_from_the_logs_of_its_own_stack(payments: Json) -> None:
    counting = properties(payments, "AWS::Logs::MetricFilter")
    namespaces = {str(part["MetricTransformations"][0]["MetricNamespace"]) for part in counting.values()}
    assert namespaces == {str({"Fn::Sub": "Payments/${AWS::StackName}"})}
    assert counting["RecordFailureFunctionOrdersParked"]["FilterPattern"] == '{ $.kind = "parked" }'


def test_a_late_request_that_was_refused_breaks_no_contract(payments: Json) -> None:
    # Given the lines of a step: one guard that did its work, and one wrong program
    pattern = properties(payments, "AWS::Logs::MetricFilter")["ProcessPaymentFunctionContractErrors"]
    # Then only the second counts
    lines = {
        error: json.dumps({"kind": "contract", "error": error, "order_id": "o"})
        for error in error_names.CONTRACT_ERRORS
    }
    guards = {"OrderClosed", "DeadlineExceeded"}
    assert guards < set(lines)
    counted = embedded_functions.matching_lines(pattern["FilterPattern"], list(lines.values()))
    assert {error for error, line in lines.items() if line not in counted} == guards


def test_what_the_probe_does_with_a_release_that_was_taken_back_does_not_judge_the_next(
    payments: Json,
) -> None:
    # Given a line of a step that crashed, for a customer's order and for a synthetic one
    counting = properties(payments, "AWS::Logs::MetricFilter")
    for metric, kind in (("ContractErrors", "contract"), ("Crashes", "crash")):
        pattern = counting[f"ReserveProductsFunction{metric}"]["FilterPattern"]
        lines = {order: json.dumps({"kind": kind, "error": "E", "order_id": order}) for order in _ORDERS}
        # Then the customer's alone counts
        counted = embedded_functions.matching_lines(pattern, list(lines.values()))
        assert counted == [lines["order-1"]], metric


def test_each_alarm_tells_its_own_topic_and_none_hides_behind_another() -> None:
    # Given an environment whose owner pages by one topic and writes tickets by another
    page, ticket = (f"arn:aws:sns:eu-central-1:333333333333:{name}" for name in ("page", "ticket"))
    topics = Alarms(page_topic_arn=page, ticket_topic_arn=ticket)
    environment = load("prod").model_copy(update={"alarms": topics})
    every = alarms(synth.build(environment)["payments"].to_dict())
    # Then each alarm tells one of them when it rings and when it is quiet again
    told = {name: alarm["AlarmActions"] for name, alarm in every.items()}
    assert told == {name: alarm["OKActions"] for name, alarm in every.items()}
    # And what loses money or orders now wakes somebody, the rest waits for the morning
    tickets = {name.removesuffix("Alarm") for name, actions in told.items() if actions == [ticket]}
    assert tickets == {
        "OrdersCutOff",
        "OrdersAbandoned",
        "SettlementFailing",
        "ReconciliationFailing",
        "DataApiSlow",
        "ContractBroken",
        "ScheduleCheckSilent",
        "EventsUndelivered",
        "ObjectiveBurningSlowly",
    }
    assert {tuple(actions) for actions in told.values()} == {(page,), (ticket,)}


def test_an_environment_without_topics_tells_nobody(payments: Json) -> None:
    assert not any("AlarmActions" in alarm for alarm in every_alarm(payments).values())


def test_a_branchs_stack_has_the_alarms_that_judge_it_and_nothing_to_pay_for_beside() -> None:
    # Given a branch's stack and production's
    branch, prod = (synth.build(load(name))["payments"].to_dict() for name in ("branch", "prod"))
    # Then the branch has what its deployment is judged by; nothing there compares it with the one before
    judging = {
        value["Ref"]
        for value in the(prod, "AWS::StepFunctions::StateMachineAlias")["DeploymentPreference"]["Alarms"]
    }
    assert set(alarms(branch)) == judging - {"ReleaseWorseAlarm"}
    assert judging < set(alarms(prod))
    for costly in ("AWS::CloudWatch::Dashboard", "AWS::ApplicationSignals::ServiceLevelObjective"):
        assert properties(prod, costly)
        assert not properties(branch, costly)
