"""What the tests of the data API speak: a shop whose requests are short to write."""

from datetime import UTC, datetime, timedelta
from typing import Any

from data_api.storage.database import Db
from payment_data.client import DataApi

EXECUTION = "arn:aws:states:eu-central-1:111111111111:execution:payments:order-1"


def later(seconds: float = 600) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


def line(product_id: str = "apple", quantity: int = 1, **changes: Any) -> dict[str, Any]:
    fields = {"product_id": product_id, "name": product_id, "type": "fruit", "price": 250}
    return fields | {"quantity": quantity, "delivery_address": "1 Main Street"} | changes


class Shop:
    """Requests with the values that do not matter filled in, and what they changed."""

    def __init__(self, api: DataApi, db: Db) -> None:
        self.api, self.db = api, db

    def open(self) -> None:
        """Ten apples, ten pears, Ann with 100.00 EUR, and her order of two apples and a pear for 8.00 EUR."""
        self.stock()
        self.stock("pear", price=300)
        self.user()
        self.order(lines=[line(quantity=2), line("pear", price=300)])

    def stock(self, product_id: str = "apple", available: int = 10, **changes: Any) -> None:
        product = {"name": product_id, "type": "fruit", "price": 250, "currency": "EUR"}
        self.api.put_product(product_id, product | {"available": available} | changes)

    def user(self, user_id: str = "ann", balance: int = 10_000, **changes: Any) -> None:
        self.api.put_user(user_id, {"username": "Ann", "balance": balance, "currency": "EUR"} | changes)

    def order(self, order_id: str = "o1", *, lines: Any = None, **changes: Any) -> None:
        order = {"user_id": "ann", "currency": "EUR", "lines": lines or [line()]}
        self.api.put_order(order_id, order | changes)

    def reserve(self, order_id: str = "o1", seconds: float = 600, method: str = "credit") -> Any:
        return self.api.reserve(order_id, execution=EXECUTION, deadline=later(seconds), method=method)

    def charge(self, order_id: str = "o1", attempt: int = 1) -> Any:
        return self.api.charge(
            order_id, execution=EXECUTION, deadline=later(), method="credit", attempt=attempt
        )

    def deliver(self, order_id: str = "o1") -> Any:
        return self.api.deliver(order_id, execution=EXECUTION, deadline=later())

    def refund(self, order_id: str = "o1") -> Any:
        return self.api.refund(order_id, execution=EXECUTION, reason="E")

    def release(self, order_id: str = "o1") -> Any:
        return self.api.release(order_id, execution=EXECUTION, reason="E")

    def fail(self, order_id: str = "o1", *, compensated: bool = True, **changes: Any) -> str:
        failure = {"execution": EXECUTION, "step": "Arrange delivery", "error": "E", "cause": "because"}
        answer = self.api.record_failure(order_id, failure | {"compensated": compensated} | changes)
        return str(answer["state"])

    def available(self, product_id: str = "apple") -> int:
        return int(self.api.product(product_id)["available"])

    def balance(self, user_id: str = "ann") -> int:
        return int(self.api.user(user_id)["balance"])

    def state(self, order_id: str = "o1") -> str:
        return str(self.api.order(order_id)["state"])

    def payment(self, order_id: str = "o1") -> str:
        return str(self.api.payment(order_id)["state"])

    def holds(self, order_id: str = "o1") -> set[str]:
        return {line["state"] for line in self.api.reservation(order_id)["lines"]}

    def delivered(self, order_id: str = "o1") -> list[str]:
        return [delivery["state"] for delivery in self.api.deliveries(order_id)["deliveries"]]

    def states(self, order_id: str = "o1") -> list[str]:
        return [entry["to"] for entry in self.api.history(order_id)["history"]]

    def nothing_moved(self) -> bool:
        """Say whether the shop that was opened has all its stock and Ann all her money."""
        return (self.available("apple"), self.available("pear"), self.balance()) == (10, 10, 10_000)

    def everything(self) -> dict[str, Any]:
        """Return all documents, to compare before and after."""
        return {name: list(self.db[name].find().sort("_id")) for name in self.db.list_collection_names()}
