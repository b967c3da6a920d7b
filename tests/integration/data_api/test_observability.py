"""What the data API tells an operator: a line for each request, and each order's end counted once."""

import io
import json
import logging
from collections import Counter

import pytest

from data_api.http.app import logger
from payment_data.errors import OutOfStock
from tests.integration.data_api.calling import send
from tests.integration.data_api.shop import Shop, line

Output = pytest.CaptureFixture[str]
NOW = "2026-01-01T00:00:00+00:00"


def counted(output: Output) -> Counter[tuple[str, str]]:
    """Metric and its own dimension's value, to its sum."""
    found: Counter[tuple[str, str]] = Counter()
    for entry in map(json.loads, output.readouterr().out.splitlines()):
        for about in entry.get("_aws", {}).get("CloudWatchMetrics", []):
            [metric], [names] = about["Metrics"], about["Dimensions"]
            dimension = next((entry[name] for name in names if name != "service"), "")
            found[metric["Name"], dimension] += int(entry[metric["Name"]][0])
    return found


def test_a_placed_order_and_its_amount_are_counted_once_however_often_steps_repeat(
    shop: Shop, capsys: Output
) -> None:
    # Given
    shop.open()
    # When every step runs, and each once more
    for step in (shop.reserve, shop.charge, shop.deliver):
        step()
        step()
    # Then
    assert counted(capsys) == {
        ("OrdersPlaced", ""): 1,
        ("AmountPlaced", "EUR"): 800,
        ("TechnicalFailures", ""): 0,
    }


def test_a_failed_order_is_counted_once_by_its_reason(shop: Shop, capsys: Output) -> None:
    # Given an order that asks for more than there is
    shop.stock()
    shop.user()
    shop.order(lines=[line(quantity=1000)])
    with pytest.raises(OutOfStock):
        shop.reserve()
    # When its failure is recorded, twice
    for _ in range(2):
        shop.fail(error="OutOfStock")
    # Then
    assert counted(capsys) == {("OrdersFailed", "OutOfStock"): 1, ("TechnicalFailures", ""): 0}


def test_an_order_that_fails_by_a_fault_is_counted_as_technical(shop: Shop, capsys: Output) -> None:
    shop.open()
    shop.fail(error="ApiUnavailable")
    assert counted(capsys) == {("OrdersFailed", "ApiUnavailable"): 1, ("TechnicalFailures", ""): 1}


def test_a_parked_order_is_counted(shop: Shop, capsys: Output) -> None:
    shop.open()
    shop.fail(compensated=False)
    assert counted(capsys) == {("OrdersNeedingAttention", ""): 1, ("TechnicalFailures", ""): 1}


def test_each_settlement_measures_how_many_orders_are_parked(shop: Shop, capsys: Output) -> None:
    # Given a parked order
    shop.open()
    shop.fail(compensated=False)
    counted(capsys)
    # When a run of the settlement begins; Then it is measured
    answer = shop.api.settle(limit=10, after="")
    assert counted(capsys)[("ParkedOrders", "")] == 1
    # And the run's next page measures nothing once more
    shop.api.settle(limit=10, after=answer.get("next") or f"COMPLETED~{NOW}~x")
    assert ("ParkedOrders", "") not in counted(capsys)
    # And once it is undone there is none
    shop.fail(compensated=True)
    shop.api.settle(limit=10, after="")
    measured = counted(capsys)
    assert ("ParkedOrders", "") in measured
    assert measured[("ParkedOrders", "")] == 0


def test_what_smoke_tests_place_is_no_business(shop: Shop, capsys: Output) -> None:
    shop.stock(synthetic=True)
    shop.user(synthetic=True)
    shop.order(synthetic=True)
    for step in (shop.reserve, shop.charge, shop.deliver):
        step()
    assert counted(capsys) == {}


def test_each_request_is_a_line_that_names_the_order_and_the_execution(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    shop.open()
    log = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", log)
    # When
    shop.reserve()
    send("GET", "/users/ann")
    # Then the line of one request says nothing of another, and a user is not named
    reserved, shown = map(json.loads, log.getvalue().splitlines())
    assert reserved["route"] == "PUT /orders/{order_id}/reservation"
    assert (reserved["order_id"], reserved["status"]) == ("o1", 200)
    assert (reserved["api_request_id"], "execution" in reserved) == ("r", True)
    assert not {"order_id", "execution", "user_id"} & set(shown)


def test_each_answer_is_logged_with_its_route_and_how_long_it_took(shop: Shop) -> None:
    # Given
    stream, stock = io.StringIO(), logger.handlers[0]
    written = logging.StreamHandler(stream)
    written.setFormatter(stock.formatter)
    logger.addHandler(written)
    # When
    shop.open()
    logger.handlers.remove(written)
    # Then
    answered = [
        entry for entry in map(json.loads, stream.getvalue().splitlines()) if entry["message"] == "answered"
    ]
    assert [(entry["route"], entry["status"]) for entry in answered][-1] == ("PUT /orders/{order_id}", 201)
    assert answered[-1]["order_id"] == "o1"
    assert all(0 < entry["milliseconds"] < 60_000 for entry in answered)
