"""Orders on the command line: what is listed and shown, and which order may be completed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from pipelines.cli.main import main
from tests.console.account import ORDER

if TYPE_CHECKING:
    from tests.console.account import Account


def payments(*arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "-e", "staging"], env={"COLUMNS": "200"})


def test_orders_are_listed_in_columns_whose_ids_are_whole(account: Account) -> None:
    # Given two orders whose ids and totals differ in length
    longer: dict[str, Any] = {"order_id": "order-1000", "user_id": "bo", "total": 5, "state": "NEW"}
    account.api["/orders"] = lambda _: {"orders": [ORDER, ORDER | longer]}
    # Then
    assert payments("order", "list").stdout.splitlines() == [
        "order-1     COMPLETED  ada       158.75 EUR  2026-11-28T08:00:00",
        "order-1000  NEW        bo          0.05 EUR  2026-11-28T08:00:00",
    ]


@pytest.mark.parametrize(
    ("order_id", "says"),
    [
        ("order-1", "Order order-1: COMPLETED; execution: not placed yet"),
        ("order-2", "Order order-2: not known to the data API; execution: not placed yet"),
    ],
    ids=["one without an execution", "one of which only a failure is known"],
)
def test_an_order_is_shown_when_anything_of_it_is_known(account: Account, order_id: str, says: str) -> None:
    # Given an account in which neither order has an execution, and one of them failed before it was known
    failure = {"at": "2026-11-28", "step": "Pay", "error": "OrderNotFound", "cause": "none"}
    account.api["/orders/order-2/failures"] = {"failures": [failure]}
    # When
    shown = payments("order", "show", order_id)
    # Then
    assert (shown.exit_code, says in shown.stdout) == (0, True), shown.output


@pytest.mark.parametrize(("status", "says"), [("RUNNING", "RUNNING"), (None, "does not exist")])
def test_an_order_whose_execution_has_not_succeeded_cannot_be_completed(
    account: Account, status: str | None, says: str
) -> None:
    account.execution = status
    refused = payments("order", "complete", "order-1", "--paid-by", "credit")
    assert refused.exit_code == 1
    assert f"Order order-1 cannot be completed: its execution {says}." in refused.stderr


def test_an_order_that_was_delivered_is_completed_with_its_deliveries(account: Account) -> None:
    account.execution = "SUCCEEDED"
    account.api["/orders/order-1/completion"] = {"deliveries": [{"line": 1}, {"line": 2}]}
    done = payments("order", "complete", "order-1", "--paid-by", "credit")
    assert done.exit_code == 0, done.output
    assert "Order order-1 is COMPLETED, 2 deliveries on record" in done.stderr
    told = payments("order", "complete", "order-1", "--paid-by", "credit", "--json")
    assert json.loads(told.stdout)["deliveries"] == [{"line": 1}, {"line": 2}]
