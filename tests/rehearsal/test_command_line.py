"""The command line against a deployed stack, as a person or a script uses it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.core.repository import SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

    from tests.rehearsal.conftest import Payments
    from tests.rehearsal.shop import Shop


def _json(result: Result) -> Any:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_samples_are_loaded_as_often_as_one_likes(payments: Payments) -> None:
    files = sorted(SAMPLES.glob("*.json"))
    first = _json(payments("load", *files, "--json"))
    assert _json(payments("load", *files, "--json")) == first == {"products": 5, "users": 3, "orders": 6}


def test_an_order_is_placed_and_shown_with_its_effects(payments: Payments, shop: Shop) -> None:
    # Given an order that can be paid
    tea, ada = shop.product(price=5095, available=10), shop.user(balance=20000)
    order = shop.order(ada, (tea, 5095, 2))
    # When it is placed
    placed = _json(payments("order", "place", order, "--json"))
    # Then the states are told, and stock and credit before and after
    assert placed["status"] == "SUCCEEDED"
    entered = [moment["state"] for moment in placed["moments"] if moment["what"] == "entered"]
    assert entered[0] == "Check order products are available"
    told = {effect["what"]: (effect["before"], effect["after"]) for effect in placed["effects"]}
    assert told == {f"stock of {tea}": ("10", "8"), f"credit of {ada} (EUR)": ("200.00", "98.10")}
    # And it is shown the same way afterwards
    shown = _json(payments("order", "show", order, "--json"))
    assert (shown["order"]["state"], shown["payment"]["state"]) == ("COMPLETED", "charged")
    assert shown["execution"]["status"] == "SUCCEEDED"
    assert len(shown["deliveries"]) == 1


def test_an_orders_story_is_told_without_the_data_api(
    payments: Payments, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given an order that was placed, and a data API that answers nobody any more
    tea, ada = shop.product(price=100, available=1), shop.user(balance=100)
    order = shop.order(ada, (tea, 100, 1))
    assert payments("order", "place", order).exit_code == 0

    def down(*_: Any) -> None:
        raise AssertionError("the data API was asked")

    monkeypatch.setattr("pipelines.orders.payment_stack.DataApi.__getattribute__", down)
    # When its story is asked for
    told = _json(payments("order", "trace", order, "--json"))["happenings"]
    # Then the workflow's states, each step's outcome and the data API's answers are there, in order of time
    assert [one["at"] for one in told] == sorted(one["at"] for one in told)
    assert {"workflow", "DataApi", "ReserveProducts", "ProcessPayment", "ArrangeDelivery"} <= {
        one["where"] for one in told
    }
    assert any(one["what"] == "entered Process order payment" for one in told)
    assert any(
        "PUT /orders/{order_id}/payment" in one["what"] and "status=200" in one["what"] for one in told
    )
    assert any(one["what"].startswith("ended SUCCEEDED") for one in told)
    # And a person reads it line by line
    assert "entered Arrange delivery" in payments("order", "trace", order).stdout


def test_a_person_sees_the_states_and_what_moved(payments: Payments, shop: Shop) -> None:
    tea, ada = shop.product(price=100, available=3), shop.user(balance=500)
    order = shop.order(ada, (tea, 100, 1))
    placed = payments("order", "place", order)
    assert "→ Process order payment" in placed.stderr
    assert "■ SUCCEEDED" in placed.stderr
    assert "-1.00" in placed.stdout
    shown = payments("order", "show", order).stdout
    for word in ("COMPLETED", "History", "RESERVED", "Deliveries", "arranged"):
        assert word in shown


def test_placing_an_order_that_fails_ends_with_1_and_says_why(payments: Payments, shop: Shop) -> None:
    tea, ada = shop.product(price=100, available=1), shop.user(balance=99)
    order = shop.order(ada, (tea, 100, 1))
    result = payments("order", "place", order)
    assert result.exit_code == 1
    assert "payment failed: PaymentDeclined: insufficient_funds" in result.stderr
    assert "PaymentDeclined" in payments("order", "show", order).stdout


def test_an_order_that_was_placed_before_is_said_to_be(payments: Payments, shop: Shop) -> None:
    tea, ada = shop.product(price=100, available=1), shop.user(balance=100)
    order = shop.order(ada, (tea, 100, 1))
    assert payments("order", "place", order).exit_code == 0
    again = payments("order", "place", order)
    assert again.exit_code == 0
    assert f"Order {order} was placed before" in again.stderr
    # And one that is over is not redriven
    over = payments("order", "redrive", order)
    assert over.exit_code == 1
    assert f"Order {order} is COMPLETED: there is nothing to redrive" in over.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("order", "place", "nobody-knows-it"), "There is no order nobody-knows-it"),
        (("order", "show", "nobody-knows-it"), "There is no order nobody-knows-it"),
        (("order", "trace", "nobody-heard-of-it"), "knows order nobody-heard-of-it"),
        (("order", "show", "order-1", "--stack", "no-such-stack"), "There is no stack no-such-stack"),
        (("remove", "--stack", "no-such-stack", "--yes"), "There is no stack no-such-stack"),
    ],
)
def test_what_is_not_there_is_said_in_words(
    payments: Payments, arguments: tuple[str, ...], said: str
) -> None:
    result = payments(*arguments)
    assert (result.exit_code, said in result.stderr) == (1, True), result.output


def test_loading_another_product_under_the_same_id_is_refused(
    payments: Payments, shop: Shop, tmp_path: Path
) -> None:
    tea = shop.product(price=100, available=1)
    path = tmp_path / "products.json"
    other = {"product_id": tea, "name": "Tea", "price": 2, "available_count": 1, "type": "food"}
    path.write_text(json.dumps(other))
    result = payments("load", path)
    assert result.exit_code == 1
    assert f"product {tea} exists already and differs" in result.stderr


def test_smoke_tells_each_check(payments: Payments) -> None:
    result = payments("smoke")
    assert result.exit_code == 0
    assert "✓ stock" in result.stdout


def test_deploying_and_removing_a_stack(payments: Payments) -> None:
    deployed = _json(payments("deploy", "branch", "--stack", "payments-cli", "--json"))
    assert deployed["changes"]["payments-cli"] == "created"
    assert deployed["outputs"]["PaymentWorkflowAliasArn"].endswith(":live")
    assert payments("remove", "--stack", "payments-cli").exit_code == 1  # nobody said yes
    assert payments("remove", "--stack", "payments-cli", "--yes").exit_code == 0
