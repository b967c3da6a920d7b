"""A payment method that is entered and left half done fails by name, at each place that must know of it."""

from __future__ import annotations

import pytest

from data_api.domain import audited
from environments import schema
from payment_data.payment_methods import registry
from payment_data.payment_methods.names import BALANCE, NAMES
from pipelines.core.repository import ROOT
from tests.crash_matrix.scenarios import SCENARIOS
from tests.integration.card_gateway import orders
from tests.integration.card_gateway.orders import Way
from tests.unit.lambdas.audited_orders import audited_order

_PAGE = "docs/how-it-works/payment-methods.md"


@pytest.mark.parametrize("name", NAMES)
def test_the_registry_makes_it(name: str) -> None:
    assert name in registry._METHODS


@pytest.mark.parametrize("name", NAMES)
def test_the_contract_of_every_method_is_run_with_it(name: str) -> None:
    single = [way for way in vars(orders).values() if isinstance(way, Way)]
    ways = {way.name: way for way in [*single, *orders.BALANCES]}
    assert name in ways, "add a Way to tests/integration/card_gateway/orders.py"
    # A way without means is one that the data API charges to the user's balance.
    assert (name in BALANCE) == (ways[name].means is None)


@pytest.mark.parametrize("name", NAMES)
def test_faults_are_injected_into_orders_that_are_paid_by_it(name: str) -> None:
    methods = {scenario.method for scenario in SCENARIOS.values()}
    assert name in methods, "give it scenarios in tests/crash_matrix/scenarios.py"


@pytest.mark.parametrize("name", BALANCE)
def test_reconciliation_knows_what_it_charges_to_a_balance(name: str) -> None:
    # Given an order, and the record of its charge on its user's balance
    order = audited_order(paid_by=name)
    record = {"state": "charged", "fingerprint": f"{name}:1:{order.total}:{order.currency}"}
    # Then it is this order's
    assert audited.as_charged(order, record)


@pytest.mark.parametrize("name", NAMES)
def test_environments_may_choose_it_and_the_docs_explain_it(name: str) -> None:
    rule = schema.Environment.model_json_schema()["properties"]["payment_method"]
    assert name in rule.get("enum", NAMES)
    assert f"`{name}`" in (ROOT / _PAGE).read_text(encoding="utf-8"), f"explain it in {_PAGE}"
