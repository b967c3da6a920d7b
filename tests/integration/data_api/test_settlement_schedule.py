"""The state machine that settles every minute, run on the real data API."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from data_api.domain.requests import HORIZON
from data_api.handler import handler
from templates.definitions import settlement
from tests.crash_matrix.clock import Clock
from tests.crash_matrix.executor import Execution, Outcome
from tests.integration.data_api.shop import Shop


class Runs:
    """Runs of the definition; `refuse` answers a request instead of the data API."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.refuse: list[int] = []

    def invoke(self, _: str, arguments: dict[str, Any]) -> Any:
        assert arguments["FunctionName"] == f"${{{settlement.FUNCTION}}}"
        self.asked.append(arguments["Payload"])
        if self.refuse:
            return {"Payload": {"statusCode": self.refuse.pop(), "body": "{}"}}
        return {"Payload": handler(arguments["Payload"], SimpleNamespace(aws_request_id="r"))}

    def run(self) -> Outcome:
        clock = Clock(datetime.now(UTC))
        return Execution(settlement.definition(), "settlement", self.invoke, clock).start({})


@pytest.fixture
def runs(shop: Shop) -> Runs:
    """Twenty orders that ended a horizon ago."""
    shop.stock(available=100)
    shop.user()
    for number in range(20):
        shop.order(f"o{number}")
        for step in (shop.reserve, shop.charge, shop.deliver):
            step(f"o{number}")
    ended = {"$set": {"updated_at": datetime.now(UTC) - 2 * HORIZON}}
    shop.db.orders.update_many({}, ended)
    return Runs()


def _settled(shop: Shop) -> int:
    return shop.db.orders.count_documents({"books": "settled"})


def test_a_run_settles_page_after_page_until_nothing_is_due(
    shop: Shop, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given pages of three
    monkeypatch.setattr(settlement, "PAGE", 3)
    # When
    outcome = runs.run()
    # Then
    assert outcome.succeeded, outcome
    assert outcome.output == {"settled": 20}
    assert _settled(shop) == 20
    assert len(runs.asked) > 6
    # And the next run has nothing to do
    assert Runs().run().output == {"settled": 0}


def test_a_page_that_is_not_answered_is_asked_for_again_and_smaller(shop: Shop, runs: Runs) -> None:
    # Given a data API that does not answer twice
    runs.refuse = [504, 504]
    # When
    outcome = runs.run()
    # Then
    assert outcome.succeeded, outcome
    assert ['"limit":200' in runs.asked[0]["body"], '"limit":12' in runs.asked[2]["body"]] == [True, True]
    assert _settled(shop) == 20


def test_a_run_that_is_not_answered_at_all_says_that_orders_are_left(runs: Runs) -> None:
    runs.refuse = [503] * 20
    assert runs.run().error == "SettlementBehind"


def test_a_run_that_reaches_its_last_page_says_so_and_the_next_one_goes_on(
    shop: Shop, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given runs of two pages of three
    monkeypatch.setattr(settlement, "PAGE", 3)
    monkeypatch.setattr(settlement, "PAGES", 2)
    # When
    assert runs.run().error == "SettlementBehind"
    done = _settled(shop)
    runs.run()
    # Then
    assert done < _settled(shop)


def test_an_order_whose_records_do_not_fit_fails_the_run_and_no_other_order(shop: Shop, runs: Runs) -> None:
    # Given an order whose charge is another
    shop.db.users.update_one({"_id": "ann"}, {"$inc": {"operations.o7.amount": 1}})
    # When
    outcome = runs.run()
    # Then
    assert outcome.error == "SettlementDisputed"
    assert _settled(shop) == 19
