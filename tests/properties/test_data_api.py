"""Many interleavings of requests: the real data API and the model give the same answers and hold the same."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from data_api.storage.database import Db
from payment_data.client import DataApi
from payment_data.errors import Problem
from tests.properties import guarantees
from tests.properties.model import DONE, PRICES, Deadline, Model
from tests.properties.model_orders import Order

# Few ids, so that everything happens to the same ones again; `ghost` is never made.
ORDERS: Final = st.sampled_from(["o1", "o2", "o3", "o4"])
PRODUCTS: Final = st.sampled_from(sorted(PRICES))
USERS: Final = st.sampled_from(["ann", "bob"])
EXECUTIONS: Final = st.sampled_from(["arn:first", "arn:second"])
DEADLINES: Final = st.sampled_from(["in time", "passed", "in time", "too far"])
STEPS: Final = st.sampled_from(["reserve", "charge", "deliver"])
ATTEMPTS: Final = st.sampled_from([*[1] * 5, 2])
STOCK: Final = st.sampled_from([3, 0, 8, 1])
BALANCES: Final = st.sampled_from([10**6, 5_000, 600, 0])
QUANTITIES: Final = st.dictionaries(PRODUCTS, st.integers(1, 4), min_size=1)
ODD: Final = st.sampled_from(["", "synthetic", "", "currency", "", "price", "", "user", "", "product", ""])


ANSWERS: Final = {
    DONE,
    *("OrderNotFound", "InvalidOrder", "InvalidRequest", "OutOfStock", "PaymentDeclined", "DeliveryRejected"),
    *("IdempotencyMismatch", "IllegalTransition", "DeadlineExceeded", "OrderClosed", "OrderCompleted"),
}


def _at(deadline: Deadline) -> str:
    seconds = {"in time": 600, "passed": -1, "too far": 25 * 3600}[deadline]
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


class Shoppers(RuleBasedStateMachine):
    """Whoever asks, in any order, again and again, from several executions."""

    def __init__(self, api: DataApi, db: Db, met: set[str]) -> None:
        super().__init__()
        self.met = met
        self.api, self.db, self.model = api, db, Model()
        for collection in guarantees.COLLECTIONS:
            db[collection].delete_many({})

    def _ask(self, ask: Callable[[], Any], expected: str) -> Any:
        """Ask the real one and hold it to what the model said."""
        self.met.add(expected)
        answer, refused = None, DONE
        try:
            answer = ask()
        except Problem as problem:
            refused = type(problem).__name__
        assert refused == expected
        return answer

    @initialize(apples=STOCK, balance=BALANCES, odd=ODD)
    def open(self, apples: int, balance: int, odd: str) -> None:
        """Make a shop with three orders: none is quite like the other, and one more may come."""
        self._create("apple", apples, "ann", balance)
        self._create("pear", 9, "bob", 1_500)
        self.create_order("o1", "ann", {"apple": 2, "pear": 1}, odd)
        self.create_order("o2", "bob", {"pear": 2}, "blank")
        self.create_order("o3", "bob", {"pear": 4}, "")

    def _create(self, product: str, stock: int, user: str, balance: int) -> None:
        body = {"name": product, "type": "fruit", "price": PRICES[product], "currency": "EUR"}
        expected = self.model.create(self.model.products, product, stock)
        self._ask(lambda: self.api.put_product(product, body | {"available": stock}), expected)
        expected = self.model.create(self.model.users, user, balance)
        body = {"username": user, "balance": balance, "currency": "EUR"}
        self._ask(lambda: self.api.put_user(user, body), expected)

    @rule(key=ORDERS, user=USERS, quantities=QUANTITIES, odd=ODD)
    def create_order(self, key: str, user: str, quantities: dict[str, int], odd: str) -> None:
        order = Order.of(user, {product: (n, PRICES[product]) for product, n in quantities.items()}, odd)
        self._ask(lambda: self.api.put_order(key, order.body()), self.model.order(key, order))

    @rule(key=ORDERS, execution=EXECUTIONS, steps=st.integers(1, 3))
    def go_on(self, key: str, execution: str, steps: int) -> None:
        """Do what the workflow would do next."""
        for _ in range(steps):
            self._go_on(key, execution)

    def _go_on(self, key: str, execution: str) -> None:
        order = self.model.orders.get(key)
        if order and order.state == "RESERVED":
            self.charge(key, execution, 1, "in time")
        elif order and order.state == "PAID":
            self.deliver(key, execution, "in time")
        else:
            self.reserve(key, execution, "in time")

    @rule(step=STEPS, key=ORDERS, execution=EXECUTIONS, deadline=DEADLINES, attempt=ATTEMPTS)
    def forward(self, step: str, key: str, execution: str, deadline: Deadline, attempt: int) -> None:
        """Ask for any step, at the wrong moment as well. One rule, or Hypothesis leaves some of them out."""
        if step == "charge":
            self.charge(key, execution, attempt, deadline)
        else:
            (self.reserve if step == "reserve" else self.deliver)(key, execution, deadline)

    def reserve(self, key: str, execution: str, deadline: Deadline) -> None:
        expected = self.model.reserve(key, execution, deadline)
        asked: dict[str, Any] = {"execution": execution, "deadline": _at(deadline), "method": "credit"}
        answer = self._ask(lambda: self.api.reserve(key, **asked), expected)
        assert answer is None or {line["state"] for line in answer["lines"]} == {"held"}

    def charge(self, key: str, execution: str, attempt: int, deadline: Deadline) -> None:
        expected = self.model.charge(key, execution, attempt, deadline)
        asked: dict[str, Any] = {"execution": execution, "deadline": _at(deadline), "attempt": attempt}
        answer = self._ask(lambda: self.api.charge(key, **asked, method="credit"), expected)
        charged = answer and (answer["state"], answer["amount"])
        assert answer is None or charged == ("charged", self.model.orders[key].total)

    def deliver(self, key: str, execution: str, deadline: Deadline) -> None:
        expected = self.model.deliver(key, execution, deadline)
        asked: dict[str, Any] = {"execution": execution, "deadline": _at(deadline)}
        answer = self._ask(lambda: self.api.deliver(key, **asked), expected)
        assert answer is None or len(answer["deliveries"]) == len(self.model.orders[key].lines)

    @rule(undo=st.sampled_from(["refund", "release", "fail", "park"]), key=ORDERS, execution=EXECUTIONS)
    def back(self, undo: str, key: str, execution: str) -> None:
        asked: dict[str, Any] = {"execution": execution, "reason": "why"}
        if undo == "refund":
            expected = self.model.refund(key, execution)
            answer = self._ask(lambda: self.api.refund(key, **asked), expected)
            assert answer is None or answer["state"] == self.model.payment(key)
        elif undo == "release":
            expected = self.model.release(key, execution)
            self._ask(lambda: self.api.release(key, **asked), expected)
        else:
            self._fail(key, execution, "Release products" if undo == "park" else "Arrange delivery")

    def _fail(self, key: str, execution: str, step: str) -> None:
        compensated = step == "Arrange delivery"
        failure = {"execution": execution, "step": step, "error": "E", "cause": "because"}
        expected = self.model.fail(key, execution, step, compensated=compensated)
        answer = self.api.record_failure(key, failure | {"compensated": compensated})
        assert answer["state"] == expected

    @rule(what=st.sampled_from(["delay", "create", "order", "product", "user", "settle"]), key=ORDERS)
    def something_else(self, what: str, key: str) -> None:
        """Restock and top up, which nobody can; delete, which only synthetic orders suffer; let time pass."""
        if what == "delay":
            self._let_the_deadline_pass(key)
        elif what == "create":
            self._create("pear", 90, "bob", 10**6)
        elif what == "order":
            self._ask(lambda: self.api.delete_order(key), self.model.delete(key))
        elif what == "product":
            self._ask(lambda: self.api.delete_product("apple"), "IllegalTransition")
        elif what == "user":
            self._ask(lambda: self.api.delete_user("ann"), "IllegalTransition")
        else:
            assert self.api.settle()["disputed"] == 0

    def _let_the_deadline_pass(self, key: str) -> None:
        order = self.model.orders.get(key)
        if order and order.reached("RESERVED"):
            order.late = True
            past = datetime.now(UTC) - timedelta(seconds=1)
            self.db.orders.update_one({"_id": key}, {"$set": {"deadline": past}})

    @invariant()
    def everything_is_as_the_model_has_it_and_nothing_is_violated(self) -> None:
        found = guarantees.read(self.db)
        assert guarantees.actual(found) == guarantees.expected(self.model)
        assert list(guarantees.violations(found)) == []


def test_any_sequence_of_requests_is_answered_as_the_model_does(api: DataApi, quick_db: Db) -> None:
    # When many sequences run, each answer held to the model's, and all documents to both after each request
    met: set[str] = set()
    run_state_machine_as_test(
        lambda: Shoppers(api, quick_db, met),  # type: ignore[arg-type]  # any factory will do, says its code
        settings=settings(
            max_examples=40,
            stateful_step_count=25,
            phases=[Phase.generate],  # to shrink takes minutes here, and a sequence this short reads well
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    # Then they came to everything that can be answered
    assert met == ANSWERS
