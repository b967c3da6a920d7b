"""What is over is entered into the ledger, settled and pruned; what comes afterwards finds no way in."""

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from data_api.domain.requests import HORIZON
from data_api.storage import ledger, products, settlement, users
from payment_data.errors import (
    DeadlineExceeded,
    InvalidRequest,
    OrderClosed,
    OrderCompleted,
    OutcomeUnknown,
    PaymentDeclined,
)
from tests.integration.data_api.interleaving import Interleaving, crash
from tests.integration.data_api.shop import EXECUTION, Shop, later, line

LONG_AGO = timedelta(days=16)


def _complete(shop: Shop) -> None:
    shop.open()
    for step in (shop.reserve, shop.charge, shop.deliver):
        step()


def _undo(shop: Shop) -> None:
    shop.open()
    for step in (shop.reserve, shop.charge, shop.refund, shop.release, shop.fail):
        step()


def _decline(shop: Shop) -> None:
    shop.open()
    shop.user("poor", balance=1)
    shop.order("o2", user_id="poor", lines=[line()])
    shop.reserve("o2")
    with pytest.raises(PaymentDeclined):
        shop.charge("o2")
    shop.release("o2")
    shop.fail("o2")


def _age(shop: Shop, by: timedelta = LONG_AGO) -> None:
    """Let time pass: what happened is moved into the past."""
    for order in shop.db.orders.find():
        moved = {"updated_at": order["updated_at"] - by, "created_at": order["created_at"] - by}
        if order.get("deadline"):
            moved["deadline"] = order["deadline"] - by
        shop.db.orders.update_one({"_id": order["_id"]}, {"$set": moved})


def _settle(shop: Shop) -> dict[str, int]:
    """Settle until there is nothing more to do; return how much was done."""
    done: dict[str, int] = defaultdict(int)
    after = ""
    while True:
        answer = shop.api.settle(limit=2, after=after)
        for key in ("opened", "entered", "settled", "disputed"):
            done[key] += answer[key]
        if "next" not in answer:
            return done
        after = answer["next"]


def _balances(shop: Shop) -> dict[str, int]:
    sums: dict[str, int] = defaultdict(int)
    for leg in shop.db.ledger.find():
        sums[leg["account"]] += leg["amount"]
    return {account: amount for account, amount in sums.items() if amount}


def _unbalanced(shop: Shop) -> list[Any]:
    sums: dict[Any, int] = defaultdict(int)
    for leg in shop.db.ledger.find():
        sums[leg["_id"].rsplit(":", 1)[0], leg["unit"]] += leg["amount"]
    return [key for key, amount in sums.items() if amount]


def _records(shop: Shop) -> list[str]:
    holds = [key for product in shop.db.products.find() for key in product["holds"]]
    return holds + [key for user in shop.db.users.find() for key in user["operations"]]


def test_a_completed_order_is_entered_at_once_and_its_records_stay(shop: Shop) -> None:
    # Given
    _complete(shop)
    # When
    done = _settle(shop)
    # Then
    assert (done["opened"], done["entered"], done["settled"]) == (3, 1, 0)
    assert _balances(shop) == {
        "product:apple:opening": -10,
        "product:apple:available": 8,
        "product:apple:held": 2,
        "product:pear:opening": -10,
        "product:pear:available": 9,
        "product:pear:held": 1,
        "user:ann:opening": -10_000,
        "user:ann:balance": 9_200,
        "user:ann:charged": 800,
    }
    assert _unbalanced(shop) == []
    assert len(_records(shop)) == 3


def test_a_completed_order_is_settled_when_nothing_can_reach_it_any_more(shop: Shop) -> None:
    # Given a completed order, entered, of some days ago
    _complete(shop)
    _settle(shop)
    _age(shop, timedelta(days=2))
    # When
    done = _settle(shop)
    # Then its records are gone, and what it took is counted
    assert done["settled"] == 1
    assert _records(shop) == []
    apple, ann = shop.db.products.find_one({"_id": "apple"}), shop.db.users.find_one({"_id": "ann"})
    assert apple is not None
    assert ann is not None
    assert (apple["available"], apple["sold"], ann["balance"], ann["spent"]) == (8, 2, 9_200, 800)
    balances = _balances(shop)
    assert (balances["product:apple:sold"], balances["user:ann:spent"]) == (2, 800)
    assert not any(account.endswith((":held", ":charged")) for account in balances)
    assert _unbalanced(shop) == []
    # And what is told of it is the same
    assert (shop.holds(), shop.payment(), shop.delivered()) == ({"committed"}, "charged", ["arranged"] * 2)


@pytest.mark.parametrize("story", [_complete, _undo])
def test_an_order_keeps_its_records_for_one_horizon_and_no_longer(
    shop: Shop, story: Callable[[Shop], None]
) -> None:
    # Given an order that ended
    story(shop)
    _age(shop, HORIZON - timedelta(seconds=5))
    # When something of it may still be on its way, then it keeps its records
    assert _settle(shop)["settled"] == 0
    # And afterwards it does not
    _age(shop, timedelta(seconds=5))
    assert _settle(shop)["settled"] == 1
    assert _records(shop) == []


def test_a_failed_order_leaves_everything_as_it_was(shop: Shop) -> None:
    # Given
    _undo(shop)
    _age(shop)
    # When
    assert _settle(shop)["settled"] == 1
    # Then
    assert _records(shop) == []
    assert shop.nothing_moved()
    assert (shop.holds(), shop.payment()) == ({"void"}, "refunded")
    assert {a: n for a, n in _balances(shop).items() if a.startswith("user")} == {
        "user:ann:opening": -10_000,
        "user:ann:balance": 10_000,
    }


@pytest.mark.parametrize("story", [_complete, _undo, _decline])
def test_settling_again_changes_nothing(shop: Shop, story: Callable[[Shop], None]) -> None:
    # Given
    story(shop)
    _settle(shop)
    _age(shop)
    _settle(shop)
    before = shop.everything()
    # When, then
    assert not any(_settle(shop).values())
    assert shop.everything() == before


def _asked_again(shop: Shop, order: str = "o1") -> list[Any]:
    """Ask for everything again, as a redrive or a lost request would."""
    answers: list[Any] = []
    for ask in (shop.reserve, shop.charge, shop.deliver, shop.refund, shop.release, shop.fail):
        try:
            answers.append(ask(order))
        except (OrderClosed, OrderCompleted, PaymentDeclined) as refused:
            answers.append((type(refused), str(refused)))
    return answers


@pytest.mark.parametrize(("story", "order"), [(_complete, "o1"), (_undo, "o1"), (_decline, "o2")])
def test_whatever_is_asked_of_a_settled_order_gets_the_same_answer_and_does_nothing(
    shop: Shop, story: Callable[[Shop], None], order: str
) -> None:
    # Given what every request is answered before the order is settled
    story(shop)
    shop.fail(order)
    answers = _asked_again(shop, order)
    _settle(shop)
    _age(shop)
    assert _settle(shop)["settled"] == 1
    before = shop.everything()
    # When all is asked again
    again = _asked_again(shop, order)
    # Then
    assert [_without_states(answer) for answer in again] == [_without_states(answer) for answer in answers]
    assert shop.everything() == before


def _without_states(answer: Any) -> Any:
    return {k: v for k, v in answer.items() if k != "lines"} if isinstance(answer, dict) else answer


@pytest.mark.parametrize("step", ["reserve", "charge"])
def test_a_request_that_lands_after_pruning_takes_nothing(
    shop: Shop, interleaving: Interleaving, step: str
) -> None:
    # Given a request that freezes until its deadline has passed, and its order is undone, settled and pruned
    shop.open()
    until = later(0.5)
    if step == "charge":
        shop.api.reserve("o1", execution=EXECUTION, deadline=until, method="credit")

    def meanwhile() -> None:
        _undone_and_settled(shop)
        while datetime.now(UTC) <= datetime.fromisoformat(until) + timedelta(milliseconds=5):
            pass

    interleaving.before(*{"reserve": (products, "hold"), "charge": (users, "charge")}[step], meanwhile)
    # When it goes on
    asked = {
        "reserve": lambda: shop.api.reserve("o1", execution=EXECUTION, deadline=until, method="credit"),
        "charge": shop.charge,
    }
    with pytest.raises((OrderClosed, DeadlineExceeded)):
        asked[step]()
    # Then
    assert shop.nothing_moved()
    assert _records(shop) == []


@pytest.mark.parametrize("step", ["refund", "release"])
def test_an_undo_that_lands_after_pruning_returns_nothing(
    shop: Shop, interleaving: Interleaving, step: str
) -> None:
    # Given an undo that freezes, while its order is undone by another one, settled and pruned
    shop.open()
    shop.reserve()
    shop.charge()
    place = {"refund": (users, "refund"), "release": (products, "void")}[step]
    interleaving.before(*place, lambda: _undone_and_settled(shop))
    # When it goes on
    getattr(shop, step)()
    # Then
    assert shop.nothing_moved()


def _undone_and_settled(shop: Shop) -> None:
    for step in (shop.refund, shop.release, shop.fail):
        step()
    _age(shop)
    assert _settle(shop)["settled"] == 1


EFFECTS = [
    (ledger, "append"),
    (settlement, "mark_opened"),
    (settlement, "mark_entered"),
    (settlement, "begin"),
    (settlement, "prune"),
    (settlement, "finish"),
]


@pytest.mark.parametrize("story", [_complete, _undo, _decline])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("effect", EFFECTS, ids=[name for _, name in EFFECTS])
def test_a_crash_anywhere_is_mended_by_the_next_run(
    shop: Shop, interleaving: Interleaving, story: Callable[[Shop], None], when: str, effect: tuple[Any, str]
) -> None:
    # Given what settling without a crash makes of it
    story(shop)
    _age(shop)
    # When a run crashes, and others follow
    getattr(interleaving, when)(*effect, crash)
    assert shop.db.ledger.count_documents({}) == 0
    with pytest.raises(OutcomeUnknown):
        _settle(shop)
    _settle(shop)
    _settle(shop)
    # Then
    assert _records(shop) == []
    assert _unbalanced(shop) == []
    for product in shop.db.products.find():
        assert product["available"] + product.get("sold", 0) == 10
    for user in shop.db.users.find():
        assert user["balance"] + user.get("spent", 0) == user["opening"]
    settled = shop.db.orders.count_documents({"books": "settled"})
    assert settled == shop.db.orders.count_documents({"state": {"$in": ["COMPLETED", "FAILED"]}})


def test_two_runs_at_once_count_everything_once(shop: Shop, interleaving: Interleaving) -> None:
    # Given a run that freezes between its writes, while another one goes through
    _complete(shop)
    _settle(shop)
    _age(shop)
    interleaving.before(settlement, "prune", lambda: _settle(shop))
    # When
    _settle(shop)
    # Then
    assert _unbalanced(shop) == []
    apple = shop.db.products.find_one({"_id": "apple"})
    assert apple is not None
    assert (apple["available"], apple["sold"], apple["holds"]) == (8, 2, {})


@pytest.mark.parametrize("missing", ["o1:charge:balance", "o1:hold.apple:held"])
def test_an_order_whose_legs_are_missing_is_not_settled(shop: Shop, missing: str) -> None:
    # Given
    _complete(shop)
    _settle(shop)
    shop.db.ledger.delete_one({"_id": missing})
    _age(shop)
    # When
    done = _settle(shop)
    # Then the evidence stays
    assert (done["settled"], done["disputed"]) == (0, 1)
    assert len(_records(shop)) == 3
    assert shop.db.ledger.find_one({"_id": missing}) is None


def test_an_order_that_cannot_be_settled_keeps_none_from_it(shop: Shop) -> None:
    # Given two old orders, of which the first lacks a leg
    _complete(shop)
    shop.order("o2", lines=[line()])
    for step in (shop.reserve, shop.charge, shop.deliver):
        step("o2")
    _settle(shop)
    shop.db.ledger.delete_one({"_id": "o1:charge:balance"})
    _age(shop)
    # When they are settled one at a time
    first = shop.api.settle(limit=1)
    second = shop.api.settle(limit=1, after=first["next"])
    # Then the second is, though the first is left as it is
    assert (first["settled"], first["disputed"]) == (0, 1)
    assert (second["settled"], second["disputed"]) == (1, 0)
    assert "next" not in shop.api.settle(limit=1, after=second["next"])


def test_synthetic_orders_never_reach_the_ledger(shop: Shop) -> None:
    # Given
    shop.stock(synthetic=True)
    shop.user(synthetic=True)
    shop.order(synthetic=True)
    for step in (shop.reserve, shop.charge, shop.deliver):
        step()
    _age(shop)
    # When, then
    assert not any(_settle(shop).values())
    assert shop.db.ledger.count_documents({}) == 0


@pytest.mark.parametrize("place", ["nowhere", "0001-01-01T00:00:00+14:00~o1", "2026-02-30~o1", "~", "a~b~c"])
def test_a_place_that_no_answer_gave_is_refused(shop: Shop, place: str) -> None:
    with pytest.raises(InvalidRequest, match="after"):
        shop.api.orders(after=place)
    with pytest.raises(InvalidRequest, match="after"):
        shop.api.settle(after=f"COMPLETED~{place}")


def test_orders_are_listed_by_state_a_page_at_a_time(shop: Shop) -> None:
    # Given five new orders and one that needs attention
    shop.open()
    for number in range(5):
        shop.order(f"n{number}")
    shop.fail("o1", compensated=False)
    # When
    pages, after = list[list[str]](), ""
    while True:
        page = shop.api.orders(state="NEW", limit=2, after=after)
        pages.append([order["order_id"] for order in page["orders"]])
        if "next" not in page:
            break
        after = page["next"]
    # Then
    assert pages == [["n0", "n1"], ["n2", "n3"], ["n4"]]
    parked = shop.api.orders(state="NEEDS_ATTENTION")["orders"]
    assert [(order["order_id"], order["state"]) for order in parked] == [("o1", "NEEDS_ATTENTION")]
    assert len(shop.api.orders()["orders"]) == 6
    with pytest.raises(InvalidRequest, match="after"):
        shop.api.orders(after="nowhere")


def test_a_list_of_orders_reads_no_more_than_it_shows(shop: Shop) -> None:
    # Given
    shop.open()
    for number in range(20):
        shop.order(f"n{number}")
    condition = {"books": {"$in": [None, "entered"]}, "state": {"$in": ["NEW", "PAID"]}}
    # When
    plan = shop.db.orders.find(condition).sort([("updated_at", 1), ("_id", 1)]).limit(3).explain()
    # Then
    assert plan["executionStats"]["totalDocsExamined"] <= 3


def test_owners_of_accounts_are_read_page_by_page() -> None:
    # Given accounts of three owners, each with several
    accounts = sorted(f"{owner}:{side}" for owner in ("card", "user:ada", "user:bob") for side in ("a", "b"))

    def find_one(query: Any, *_: object, **__: object) -> dict[str, str] | None:
        beyond = query["account"]["$gt"]
        return next(({"account": account} for account in accounts if account > beyond), None)

    db: Any = SimpleNamespace(ledger=SimpleNamespace(find_one=find_one))
    # Then each owner comes once, and no page holds more than it may
    assert ledger.owners(db, "", 2) == ["card", "user:ada"]
    assert ledger.owners(db, "user:ada", 2) == ["user:bob"]
    assert ledger.owners(db, "", 3) == ["card", "user:ada", "user:bob"]
