"""An order, a product and a user as the model has them."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Account:
    """A product's stock or a user's money: what it began with, what is free now."""

    opening: int
    free: int


@dataclass
class Order:
    """An order; `lines` is (quantity, price) by product."""

    user: str
    lines: dict[str, tuple[int, int]]
    address: str
    synthetic: bool
    currency: str
    state: str = "NEW"
    history: list[tuple[str | None, str, str | None, str | None]] = field(
        default_factory=lambda: [(None, "NEW", None, None)]
    )
    decision: tuple[str, str] | None = None
    attempt: int = 0
    late: bool = False

    @classmethod
    def of(cls, user: str, lines: dict[str, tuple[int, int]], odd: str) -> "Order":
        """Return an order in which at most one thing is odd."""
        if odd == "product":
            lines = {"ghost": (1, 7), **lines}
        elif odd == "price":
            lines = {product: (quantity, price + 1) for product, (quantity, price) in lines.items()}
        return cls(
            "ghost" if odd == "user" else user,
            lines,
            "  " if odd == "blank" else "1 Main Street",
            odd == "synthetic",
            "USD" if odd == "currency" else "EUR",
        )

    def body(self) -> dict[str, Any]:
        """Return the request that creates it."""
        lines = [
            {"product_id": p, "name": p, "type": "fruit", "price": price, "quantity": quantity}
            | {"delivery_address": self.address}
            for p, (quantity, price) in self.lines.items()
        ]
        terms = {"user_id": self.user, "currency": self.currency, "synthetic": self.synthetic}
        return {**terms, "lines": lines}

    @property
    def total(self) -> int:
        return sum(quantity * price for quantity, price in self.lines.values())

    def go(self, to: str, execution: str, reason: str | None = None) -> None:
        self.history.append((self.state, to, execution, reason))
        self.state = to

    def refuse(self, operation: str, error: str, execution: str) -> str:
        self.decision = (operation, error)
        self.go("CANCELLING", execution, error)
        return error

    def refusal(self, operation: str) -> str:
        decided, error = self.decision or ("", "")
        return error if decided == operation else "OrderClosed"

    def reached(self, state: str) -> bool:
        return any(entry[1] == state for entry in self.history)
