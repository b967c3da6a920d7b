"""What is there before a cell, and what should come of it."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from payment_data.payment_methods.names import STRIPE
from templates.definitions.payment_workflow import CHARGE
from tests.crash_matrix.faults import Kind
from tests.crash_matrix.stripe_double import GOOD

ORDER = "order-1"
RIVAL = "order-2"
USER = "user-1"
_PRICES = {"product-1": 500, "product-2": 250}
COMPLETED = "COMPLETED"


class Overtaking(Enum):
    """What may happen to an order while its execution is under way."""

    EXECUTION = "another execution of it runs, from start to end"
    CREATION = "it is created"
    BOTH = "it is created, and another execution of it runs"
    SWEEP = "the sweeper undoes it, as if its execution had ended"
    STOPPED = "another execution of it runs until it has done a step, and is stopped"
    CONFIGURATION = "the environment is released with another payment method"
    RESTORE = "a backup is made, which is restored when its execution has ended"


@dataclass(frozen=True)
class Scenario:
    """What is there before a cell, and what should come of it.

    Attributes:
        name: as reports show it.
        executions: label to order id; more than one take turns, command by command.
        ends: COMPLETED, or the error that the execution fails with; None where it depends on who is first.
        stock: product to how many are available.
        balance: the user's, minor units.
        pays_with: id at the gateway of what the user pays with; none where only credit is used.
        quantities: product to how many each order asks for.
        refused: orders whose delivery is refused.
        method: how it is paid.
        completes: of several orders, how many may complete.
        faults_in: label of the execution whose sites are struck; the other one is like it.
        overtaken_by: what a fault of that kind lets happen first.
        parks: whether it stops for a person though nothing that a retry could hide went wrong.
        stops_after: the step after which another execution is stopped.
        states: only sites in these states are struck; where a method is like another they are struck there.
        begins_with: the only kind of a first fault, where other kinds are another scenario's.
        configured: the payment method that the environment is released with, where it is.
    """

    name: str
    ends: str | None = COMPLETED
    executions: dict[str, str] = field(default_factory=lambda: {"": ORDER})
    stock: dict[str, int] = field(default_factory=lambda: {"product-1": 5, "product-2": 3})
    balance: int = 5_000
    quantities: dict[str, int] = field(default_factory=lambda: {"product-1": 2, "product-2": 1})
    refused: frozenset[str] = frozenset()
    method: str = "credit"
    pays_with: str = ""
    completes: int = 1
    faults_in: str = ""
    overtaken_by: Overtaking = Overtaking.EXECUTION
    parks: bool = False
    stops_after: str = CHARGE
    states: tuple[str, ...] = ()
    begins_with: Kind | None = None
    configured: str = ""

    def strikes(self, site: str) -> bool:
        """Tell whether faults strike at a site."""
        label, _, rest = site.partition(" / ") if self.faults_in else ("", "", site)
        return label == self.faults_in and (not self.states or rest.partition(" / ")[0] in self.states)

    @property
    def always(self) -> bool:
        """Whether faults strike every time too: with one execution alone, where retries exhaust."""
        return len(self.executions) == 1

    @property
    def orders(self) -> list[str]:
        """The orders that exist beforehand."""
        late = self.overtaken_by in (Overtaking.CREATION, Overtaking.BOTH)
        return [] if late else sorted(set(self.executions.values()))

    @property
    def total(self) -> int:
        """What an order costs, minor units."""
        return sum(_PRICES[product] * quantity for product, quantity in self.quantities.items())

    def products(self) -> dict[str, dict[str, Any]]:
        """Write the products as the data API takes them."""
        return {
            product: {
                "name": product,
                "type": "book",
                "price": _PRICES[product],
                "currency": "EUR",
                "available": available,
            }
            for product, available in self.stock.items()
        }

    def user(self) -> dict[str, Any]:
        """Write the user as the data API takes it."""
        wallet = {self.method: self.pays_with} if self.pays_with else {}
        wallet |= {self.configured: GOOD[self.configured]} if self.configured in STRIPE else {}
        user = {"username": "somebody", "balance": self.balance, "currency": "EUR"}
        return user | ({"wallet": wallet} if wallet else {})

    def order(self, order_id: str) -> dict[str, Any]:
        """Write an order as the data API takes it."""
        address = " " if order_id in self.refused else "1 High Street"
        lines = [
            {
                "product_id": product,
                "name": product,
                "type": "book",
                "price": _PRICES[product],
                "quantity": quantity,
                "delivery_address": address,
            }
            for product, quantity in self.quantities.items()
        ]
        return {"user_id": USER, "currency": "EUR", "lines": lines}
