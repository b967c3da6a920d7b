"""The state machine that compares accounts with the ledger each ten minutes, run on the real data API."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_api.handler import handler
from pipelines.orders.reconciliation.reconcile import account_differences, reconcile
from templates.definitions import account_audit
from tests.crash_matrix.clock import Clock
from tests.crash_matrix.executor import Execution, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.data_api.shop import Shop


class Runs:
    """Runs of the definition, each of which finds the one before it; what they told, and asked."""

    def __init__(self, answer: Callable[[dict[str, Any]], Any] | None = None) -> None:
        self.told: list[int] = []
        self.asked: list[dict[str, Any]] = []
        self._outputs: list[str] = []
        self._answer = answer or (lambda event: handler(event, SimpleNamespace(aws_request_id="r")))

    def invoke(self, state: str, arguments: dict[str, Any]) -> Any:
        match state:
            case account_audit.BEFORE:
                return {"Executions": [{"ExecutionArn": "before"}] if self._outputs else []}
            case account_audit.STOPPED:
                return {"Output": self._outputs[-1]}
            case account_audit.TELL:
                [point] = arguments["MetricData"]
                self.told.append(point["Value"])
                return {}
        self.asked.append(arguments["Payload"])
        return {"Payload": self._answer(arguments["Payload"])}

    def run(self) -> Outcome:
        clock = Clock(datetime.now(UTC))
        outcome = Execution(account_audit.definition(), "reconciliation", self.invoke, clock).start({})
        if outcome.succeeded:
            self._outputs.append(json.dumps(outcome.output))
        return outcome


@pytest.fixture
def books(shop: Shop) -> Shop:
    """A shop with an order that is complete and one that is paid, the first of them in the ledger."""
    shop.open()
    shop.order("paid")
    for order in ("o1", "paid"):
        shop.reserve(order)
        shop.charge(order)
    shop.deliver("o1")
    while "next" in shop.api.settle():
        pass
    return shop


def test_a_shop_whose_accounts_add_up_is_read_as_a_whole_and_only_read(books: Shop) -> None:
    # Given
    before, runs = books.everything(), Runs()
    # When it runs twice
    outcomes = [runs.run(), runs.run()]
    # Then nothing is astray, each kind was read each time, and nothing was written
    assert [outcome.succeeded for outcome in outcomes] == [True, True]
    assert runs.told == [0, 0]
    assert [event["path"] for event in runs.asked] == ["/audit/products", "/audit/users", "/audit/ledger"] * 2
    assert {event["httpMethod"] for event in runs.asked} == {"GET"}
    assert books.everything() == before


@pytest.mark.parametrize(
    ("collection", "account", "change", "name"),
    [
        ("products", "apple", {"$inc": {"available": -1}}, "product:apple"),
        ("users", "ann", {"$inc": {"balance": 1}}, "user:ann"),
        ("users", "ann", {"$set": {"books": "synthetic"}}, "user:ann"),
        ("users", "ann", {"$unset": {"opening": True}}, "user:ann"),
    ],
)
def test_an_account_that_does_not_add_up_is_told_until_it_is_put_right(
    books: Shop, collection: str, account: str, change: dict[str, Any], name: str
) -> None:
    runs, documents = Runs(), books.db[collection]
    whole = documents.find_one({"_id": account})
    assert whole
    # When somebody changes an account by hand; Then it is told and named, as reconciliation names it
    documents.update_one({"_id": account}, change)
    outcome = runs.run()
    assert name in outcome.output["astray"]
    assert runs.told == [1 + (change == {"$set": {"books": "synthetic"}})]  # its owner counts as unknown, too
    assert name in {difference.about for difference in reconcile(books.api).differences}
    # When it is put right; Then nothing is
    documents.replace_one({"_id": account}, whole)
    runs.run()
    assert runs.told[-1] == 0


def test_runs_go_on_where_the_one_before_stopped_and_tell_what_any_of_them_found(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given twenty users of whom the third is astray, and runs of two pages of three
    for number in range(20):
        shop.user(f"user-{number:02}")
    shop.db.users.update_one({"_id": "user-02"}, {"$inc": {"balance": 1}})
    monkeypatch.setattr(account_audit, "KINDS", {"products": 3, "users": 3, "ledger": 500})
    monkeypatch.setattr(account_audit, "PAGES", 2)
    runs = Runs()
    # When they read all of it, and a second time
    while sum(event["path"] == "/audit/ledger" for event in runs.asked) < 2:
        assert runs.run().succeeded
    # Then each of them told of it, however far from it they read, and no page was read twice in a round
    assert set(runs.told[1:]) == {1}
    users = [e["queryStringParameters"].get("after") for e in runs.asked if e["path"] == "/audit/users"]
    assert len(users) == 2 * len(set(users)) > 6
    # And when it is put right, a whole round later none does
    shop.db.users.update_one({"_id": "user-02"}, {"$inc": {"balance": -1}})
    for _ in range(2 * len(users)):
        runs.run()
    assert runs.told[-1] == 0


def test_a_page_that_is_not_answered_is_asked_for_again_and_smaller(books: Shop) -> None:
    # Given a data API that does not answer twice
    refused = [503, 503]

    def answer(event: dict[str, Any]) -> Any:
        if refused:
            return {"statusCode": refused.pop(), "body": "{}"}
        return handler(event, SimpleNamespace(aws_request_id="r"))

    runs = Runs(answer)
    # When
    assert runs.run().succeeded
    # Then
    assert [event["queryStringParameters"]["limit"] for event in runs.asked[:3]] == ["50", "12", "3"]
    assert runs.told == [0]


def test_where_nothing_is_answered_the_run_fails_and_tells_nothing(books: Shop) -> None:
    runs = Runs(lambda _: {"statusCode": 503, "body": "{}"})
    assert runs.run().error == "ReconciliationStopped"
    assert runs.told == []


@st.composite
def _accounts(draw: st.DrawFn) -> dict[str, Any]:
    """An account that adds up, and then perhaps not: one of its parts is another."""
    free, taken, gone = (draw(st.integers(0, 3)) for _ in range(3))
    pending, opening = draw(st.integers(0, taken)), free + taken + gone
    ledger = {"opening": -opening, "free": free + pending, "taken": taken - pending, "gone": gone}
    account: dict[str, Any] = {"id": "tea", "free": free, "taken": taken, "pending": pending, "gone": gone}
    account |= {"opening": opening, "strays": [], "as_opened": True, "ledger": ledger}
    account |= draw(st.sampled_from([{}, {"books": "entered"}, {"books": "entered"}]))
    wrong = draw(st.sampled_from([None, *account, *(f"ledger's {side}" for side in ledger)]))
    if wrong in ("strays", "as_opened", "opening", "books"):
        account |= {"strays": ["order-1"], "as_opened": False, "books": "synthetic"}
        kept = {"strays": [], "as_opened": True, "books": "entered"}
        account |= {key: value for key, value in kept.items() if key != wrong}
        if wrong == "opening":
            del account["opening"]
    elif wrong and wrong.startswith("ledger's "):
        ledger[wrong.removeprefix("ledger's ")] += 1
    elif wrong in ("free", "taken", "pending", "gone"):
        account[wrong] += 1
    return account


@settings(max_examples=200)
@given(_accounts())
def test_what_it_calls_astray_is_what_reconciliation_finds(account: dict[str, Any]) -> None:
    def answer(event: dict[str, Any]) -> Any:
        body = {"accounts": [account] if event["path"] == "/audit/products" else [], "owners": []}
        return {"statusCode": 200, "body": json.dumps(body)}

    runs = Runs(answer)
    runs.run()
    assert runs.told == [int(any(account_differences("products", account, [])))]
