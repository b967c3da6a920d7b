"""Figures and tables of written pages that the code must agree with."""

import re
from typing import Any

import pytest
import yaml

from data_api.domain import requests
from data_api.domain.order import TRANSITIONS
from environments.parts import Alarms
from environments.schema import Environment
from pipelines.core.repository import ROOT
from pipelines.docs_site import figures
from pipelines.docs_site.pages import cost
from pipelines.docs_site.stacks import Stack, every
from templates.capabilities import api_gateway
from templates.definitions import payment_workflow, time_budget


def stack(*resources: dict[str, Any]) -> Stack:
    named = {f"R{number}": resource for number, resource in enumerate(resources)}
    return Stack("network", "templates/network.py", {"Resources": named})


def test_what_stands_in_a_stack_costs_its_count_times_the_list_price() -> None:
    # Given two keys at a dollar, and something that costs nothing by standing there
    standing = cost.monthly_items(
        stack({"Type": "AWS::KMS::Key"}, {"Type": "AWS::KMS::Key"}, {"Type": "AWS::EC2::VPC"})
    )
    # When
    dollars = cost.total(standing)
    # Then
    assert [(item.what, item.count) for item in standing] == [("AWS::KMS::Key", 2)]
    assert dollars == pytest.approx(2.00)


def test_an_alarm_on_a_formula_costs_as_many_as_the_metrics_in_it() -> None:
    # Given
    queries = [{"Expression": "a / b"}, {"MetricStat": {}}, {"MetricStat": {}}]
    alarm = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Metrics": queries}}
    # When
    [item] = cost.monthly_items(stack(alarm))
    # Then
    assert item.count == 2


def test_filters_that_count_into_one_metric_cost_one_metric() -> None:
    # Given
    counted = {
        "Type": "AWS::Logs::MetricFilter",
        "Properties": {"MetricTransformations": [{"MetricName": "M"}]},
    }
    # When
    [item] = cost.monthly_items(stack(counted, counted))
    # Then
    assert (item.what, item.count) == ("custom metric", 1)


def test_an_order_without_a_failure_uses_what_the_states_on_its_way_use() -> None:
    # When
    used = {item.what: item.count for item in cost.order_items()}
    # Then: its tasks, the end and the start; and each task is two functions with a request between them
    tasks = len(time_budget.FORWARD)
    assert used["state transition"] == tasks + 2
    assert (used["API request"], used["function request"]) == (tasks, 2 * tasks)


def test_every_figure_that_pages_may_name_has_a_value() -> None:
    # When
    values = figures.from_code(every())
    # Then
    assert values["workflow"]["deadline_minutes"] == 15
    assert all(float(dollars) > 0 for dollars in values["cost"].values())


def test_how_long_an_undo_is_retried_is_told_in_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a workflow that asks for ten days to give money back
    budget = time_budget.figures()
    states = budget["states"] | {payment_workflow.REFUND: {"seconds": 10 * 24 * 3600}}
    monkeypatch.setattr(time_budget, "figures", lambda: budget | {"states": states})
    # Then pages say so, to a tenth of an hour
    assert figures.from_code(every())["workflow"]["undo_hours"] == "240.0"


def test_the_page_of_an_order_s_journey_tells_the_states_that_an_order_has() -> None:
    # Given
    page = (ROOT / "docs" / "how-it-works" / "order.md").read_text(encoding="utf-8")
    # When
    rows = re.findall(r"^\| `([A-Z_]+)` \| .+? \| ?(.*?) \|$", page, re.MULTILINE)
    told = {state: set(re.findall(r"`([A-Z_]+)`", following)) for state, following in rows}
    # Then
    assert told == {state.value: {one.value for one in following} for state, following in TRANSITIONS.items()}


# A handler is not imported here: it asks for its environment.
_SWEEPER = (ROOT / "lambdas" / "find_unfinished" / "handler.py").read_text(encoding="utf-8")
OVERDUE_HOURS = re.findall(r"^OVERDUE = timedelta\(hours=(\d+)\)", _SWEEPER, re.MULTILINE)[0]


@pytest.mark.parametrize(
    ("page", "sentence"),
    [
        ("how-it-works/money.md", f"{requests.HORIZON.seconds} seconds after the order's end"),
        ("decisions/ledger-and-settlement.md", f"Records stay {requests.HORIZON.seconds} seconds"),
        ("decisions/ledger-and-settlement.md", f"at most {requests.WRITE_WINDOW.seconds} seconds after its"),
        ("how-it-works/order.md", f"undone {OVERDUE_HOURS} hours after it changed last"),
        ("operations/disaster-recovery.md", f"within {OVERDUE_HOURS} hours"),
        ("operations/runbooks/orders-failing.md", f"rateLimit,value={api_gateway.REQUESTS_PER_SECOND}'"),
        ("operations/runbooks/orders-failing.md", f"burstLimit,value={api_gateway.BURST}'"),
    ],
)
def test_what_a_page_says_in_figures_is_what_the_code_does(page: str, sentence: str) -> None:
    assert sentence in " ".join((ROOT / "docs" / page).read_text(encoding="utf-8").split())


def test_every_part_of_an_environment_file_that_the_docs_show_is_a_valid_one() -> None:
    # Given the blocks of YAML in the docs
    blocks = [
        block
        for page in (ROOT / "docs").rglob("*.md")
        for block in re.findall(r"^```yaml\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    ]
    assert blocks
    for block in blocks:
        # Then production's file with each of them in it names no field that does not exist
        part = yaml.safe_load(block)
        assert set(part) <= set(Environment.model_fields), block
        if "alarms" in part:
            Alarms.model_validate(part["alarms"])


def test_who_noticed_changed_templates_is_summarized_in_figures() -> None:
    # Given what was published
    published = {
        "mutants": 14106,
        "refused_by_cloudformation": 2204,
        "found_by_linters": 1902,
        "without_effect": 378,
        "said_by_tests": 70,
        "drawn": 100,
        "date": "2026-11-30",
        "templates": figures.templates_digest(ROOT),
    }
    # Then a page says all of it; of tests only where they were asked; and that nothing was published
    summary = figures.template_mutants(published, ROOT)["summary"]
    assert summary.startswith(
        "of 14,106 CloudFormation refuses 2,204, linters find 1,902, 378 have no effect;"
    )
    assert summary.endswith("tests fail at 70 of 100 of these (2026-11-30)")
    assert "tests fail" not in figures.template_mutants(published | {"drawn": 0}, ROOT)["summary"]
    # And that it is of other templates than today's
    earlier = figures.template_mutants(published | {"templates": "00000000"}, ROOT)["summary"]
    assert earlier.endswith("(2026-11-30, of earlier templates)")
    assert figures.template_mutants({}, ROOT) == {"summary": "not measured yet"}
