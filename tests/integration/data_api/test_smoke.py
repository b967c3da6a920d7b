"""The smoke function: what it makes, what it judges, what it leaves."""

import importlib
from types import SimpleNamespace
from typing import Any

import pytest

from payment_data.client import DataApi
from payment_data.errors import OutOfStock, PaymentDeclined
from tests.integration.data_api.shop import Shop

OUTCOMES = {
    "happy": {"status": "SUCCEEDED"},
    "out_of_stock": {"status": "FAILED", "error": "OutOfStock"},
    "declined": {"status": "FAILED", "error": "PaymentDeclined"},
    "duplicate": {"status": "REFUSED"},
}


class Smoke:
    """The function, and the workflow's part played by the test."""

    def __init__(self, shop: Shop, handler: Any) -> None:
        self.shop, self._handler = shop, handler

    def do(self, action: str, run: Any = "run-1", **event: Any) -> Any:
        return self._handler({"action": action, "run": run} | event, SimpleNamespace(aws_request_id="r"))

    def orders_run(self, orders: dict[str, str]) -> None:
        for step in ("reserve", "charge", "deliver"):
            getattr(self.shop, step)(orders["happy"])
        with pytest.raises(OutOfStock):
            self.shop.reserve(orders["out_of_stock"])
        self.shop.fail(orders["out_of_stock"], error="OutOfStock")
        self.shop.reserve(orders["declined"])
        with pytest.raises(PaymentDeclined):
            self.shop.charge(orders["declined"])
        self.shop.release(orders["declined"])
        self.shop.fail(orders["declined"], error="PaymentDeclined")


@pytest.fixture
def smoke(shop: Shop, api: DataApi, monkeypatch: pytest.MonkeyPatch) -> Smoke:
    monkeypatch.setenv("DATA_API_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("PAYMENT_METHOD", "credit")
    module = importlib.import_module("smoke.handler")
    monkeypatch.setattr(module, "api", api)
    return Smoke(shop, module.handler)


def test_a_deployment_that_works_passes_and_nothing_is_left(smoke: Smoke) -> None:
    # Given synthetic data, made twice because the first answer was lost
    made = smoke.do("create")
    assert smoke.do("create") == made
    # When the orders run and are judged
    smoke.orders_run(made["orders"])
    judged = smoke.do("verify", outcomes=OUTCOMES)
    removed = [smoke.do("remove"), smoke.do("remove")]
    # Then
    assert [check for check in judged["checks"] if not check["ok"]] == []
    assert judged["passed"]
    assert {"stock", "money", "deliveries", "history", "duplicate start"} < {
        c["name"] for c in judged["checks"]
    }
    assert removed[0] == removed[1] == {"run": "run-1", "removed": 7}
    assert not any(smoke.shop.everything().values())


@pytest.mark.parametrize(
    ("collection", "update", "failed"),
    [
        ("products", {"$inc": {"available": 1}}, "stock"),
        ("users", {"$inc": {"balance": 1}}, "money"),
        ("orders", {"$unset": {"deliveries": ""}}, "deliveries"),
        ("failures", {"$set": {"error": "Other"}}, "history"),
    ],
)
def test_what_went_wrong_is_found(smoke: Smoke, collection: str, update: Any, failed: str) -> None:
    # Given a run of which something went wrong
    smoke.orders_run(smoke.do("create")["orders"])
    smoke.shop.db[collection].update_many({}, update)
    # When
    judged = smoke.do("verify", outcomes=OUTCOMES)
    # Then
    assert not judged["passed"]
    wrong = [check for check in judged["checks"] if not check["ok"]]
    assert [check["name"] for check in wrong] == [failed]
    assert "expected" in wrong[0]["detail"]


@pytest.mark.parametrize(
    ("scenario", "outcome"),
    [
        ("happy", {"status": "FAILED", "error": "OutOfStock"}),
        ("declined", {"status": "FAILED", "error": "States.Timeout"}),
        ("out_of_stock", {"status": "SUCCEEDED"}),
        ("duplicate", {"status": "FAILED", "error": "States.Runtime"}),
        ("happy", None),
    ],
)
def test_an_execution_that_ended_otherwise_is_found(smoke: Smoke, scenario: str, outcome: Any) -> None:
    # Given
    smoke.orders_run(smoke.do("create")["orders"])
    # When
    judged = smoke.do("verify", outcomes=OUTCOMES | {scenario: outcome})
    # Then
    assert [check["name"].split()[0] for check in judged["checks"] if not check["ok"]] == [scenario]


def test_a_run_whose_data_is_missing_fails_its_checks(smoke: Smoke) -> None:
    # When nothing was made
    judged = smoke.do("verify", outcomes={})
    # Then
    assert not any(check["ok"] for check in judged["checks"])


@pytest.mark.parametrize("run", [None, "", 5, "x" * 80, "a b/c", "é"])
def test_any_name_of_a_run_gives_ids_that_the_role_may_write(smoke: Smoke, run: Any) -> None:
    # When
    made = smoke.do("create", run)
    # Then
    assert all(order_id.startswith("smoke-") for order_id in made["orders"].values())
    smoke.do("remove", made["run"])
    assert not any(smoke.shop.everything().values())


def test_an_unknown_action_is_refused(smoke: Smoke) -> None:
    with pytest.raises(Exception, match="action: must be create, verify or remove"):
        smoke.do("destroy")
