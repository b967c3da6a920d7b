"""What the data API should do, in dictionaries: no database, no concurrency, no retries.

Every operation returns the name of the error it is refused with, or nothing.
"""

from typing import Final, Literal

from tests.properties.diagram import CLOSED, OPEN
from tests.properties.model_orders import Account, Order

PRICES: Final = {"apple": 250, "pear": 300}
DONE: Final = ""
Deadline = Literal["in time", "passed", "too far"]


class Model:
    """Everything there is. Holds and operations are (state, amount) by (product or user, order)."""

    def __init__(self) -> None:
        self.products: dict[str, Account] = {}
        self.users: dict[str, Account] = {}
        self.orders: dict[str, Order] = {}
        self.holds: dict[tuple[str, str], tuple[str, int]] = {}
        self.operations: dict[tuple[str, str], tuple[str, int]] = {}
        self.attempts: dict[tuple[str, str], int] = {}
        self.deliveries: dict[str, int] = {}
        self.failures: set[tuple[str, str, str]] = set()

    def create(self, kind: dict[str, Account], key: str, amount: int) -> str:
        """Create a product or a user; the same again is the same one, another is refused: no restocking."""
        known = kind.setdefault(key, Account(amount, amount))
        return DONE if known.opening == amount else "IdempotencyMismatch"

    def order(self, key: str, order: Order) -> str:
        known = self.orders.setdefault(key, order)
        same = ("user", "lines", "address", "synthetic", "currency")
        return DONE if all(getattr(known, f) == getattr(order, f) for f in same) else "IdempotencyMismatch"

    def delete(self, key: str) -> str:
        order = self.orders.get(key)
        if order and not order.synthetic:
            return "IllegalTransition"
        self.orders.pop(key, None)
        if order:
            self.deliveries.pop(key, None)
            self.failures = {failure for failure in self.failures if failure[0] != key}
        return DONE

    def reserve(self, key: str, execution: str, deadline: Deadline) -> str:
        if deadline == "too far":
            return "InvalidRequest"
        if not (order := self.orders.get(key)):
            return "OrderNotFound"
        if order.state == "NEW":
            if error := self._unreservable(key, order, deadline):
                self._hold_what_fits(key, order, deadline)
                order.refuse("reservation", error, execution)
            else:
                self._hold(key, order)
                order.go("RESERVED", execution)
        if order.state in CLOSED:
            if order.state != "NEEDS_ATTENTION":
                self._void(key, order)
            return order.refusal("reservation")
        return DONE

    def _unreservable(self, key: str, order: Order, deadline: Deadline) -> str:
        fits = not order.synthetic and order.currency == "EUR"
        if not fits or any(p not in self.products or PRICES[p] != order.lines[p][1] for p in order.lines):
            return "InvalidOrder"
        if any((product, key) in self.holds for product in order.lines):
            return "OrderClosed"  # an order of this id was undone before
        if deadline == "passed":
            return "DeadlineExceeded"
        short = any(self.products[p].free < quantity for p, (quantity, _) in order.lines.items())
        return "OutOfStock" if short else DONE

    def _hold_what_fits(self, key: str, order: Order, deadline: Deadline) -> None:
        """A refused order held what it could, and returns it: its tombstones say how much that was."""
        for product, (quantity, price) in order.lines.items():
            same = PRICES.get(product) == price and not order.synthetic and order.currency == "EUR"
            fresh = product in self.products and (product, key) not in self.holds
            if deadline == "in time" and same and fresh and self.products[product].free >= quantity:
                self.products[product].free -= quantity
                self.holds[product, key] = ("held", quantity)

    def _hold(self, key: str, order: Order) -> None:
        for product, (quantity, _) in order.lines.items():
            self.products[product].free -= quantity
            self.holds[product, key] = ("held", quantity)

    def _void(self, key: str, order: Order) -> None:
        for product in order.lines:
            if product in self.products:
                state, quantity = self.holds.get((product, key), ("none", 0))
                self.products[product].free += quantity if state == "held" else 0
                self.holds[product, key] = ("void", quantity)

    def charge(self, key: str, execution: str, attempt: int, deadline: Deadline) -> str:
        if deadline == "too far":
            return "InvalidRequest"
        if not (order := self.orders.get(key)):
            return "OrderNotFound"
        if order.state == "NEW":
            return "IllegalTransition"
        if order.state == "RESERVED":
            return self._charge(key, order, execution, attempt)
        if order.state in CLOSED:
            declined = self.operations.get((order.user, key), ("", 0))[0] == "declined"
            return self._declined(key, order, attempt) if declined else "OrderClosed"
        return DONE if order.attempt == attempt else "IdempotencyMismatch"

    def _charge(self, key: str, order: Order, execution: str, attempt: int) -> str:
        if not (user := self.users.get(order.user)):
            return "InvalidOrder"
        record = (order.user, key)
        if record in self.operations:
            declined = self.operations[record][0] == "declined"
            return self._declined(key, order, attempt) if declined else "OrderClosed"
        if order.late:
            return "DeadlineExceeded"
        self.attempts[record] = attempt
        if user.free < order.total:
            self.operations[record] = ("declined", order.total)
            return "PaymentDeclined"
        user.free -= order.total
        self.operations[record] = ("charged", order.total)
        order.attempt = attempt
        order.go("PAID", execution)
        return DONE

    def _declined(self, key: str, order: Order, attempt: int) -> str:
        same = self.attempts[order.user, key] == attempt
        return "PaymentDeclined" if same else "IdempotencyMismatch"

    def deliver(self, key: str, execution: str, deadline: Deadline) -> str:
        if deadline == "too far":
            return "InvalidRequest"
        if not (order := self.orders.get(key)):
            return "OrderNotFound"
        if order.state in ("NEW", "RESERVED"):
            return "IllegalTransition"
        if order.state == "PAID":
            if not order.address.strip():
                return order.refuse("deliveries", "DeliveryRejected", execution)
            if order.late:
                return "DeadlineExceeded"
            self.deliveries[key] = len(order.lines)
            order.go("COMPLETED", execution)
        return order.refusal("deliveries") if order.state in CLOSED else DONE

    def refund(self, key: str, execution: str) -> str:
        if error := self._cancel(key, execution):
            return error
        order = self.orders[key]
        if order.reached("RESERVED"):
            self._give_back(key, order)
        return DONE

    def release(self, key: str, execution: str) -> str:
        if error := self._cancel(key, execution):
            return error
        self._void(key, self.orders[key])
        return DONE

    def _cancel(self, key: str, execution: str) -> str:
        if not (order := self.orders.get(key)):
            return "OrderNotFound"
        if order.state == "COMPLETED":
            return "OrderCompleted"
        if order.state in (*OPEN, "NEEDS_ATTENTION"):
            order.go("CANCELLING", execution, "why")
        return DONE

    def _give_back(self, key: str, order: Order) -> None:
        if user := self.users.get(order.user):
            state, amount = self.operations.get((order.user, key), ("none", 0))
            user.free += amount if state == "charged" else 0
            undone = {"none": "void", "charged": "refunded"}.get(state, state)
            self.operations[order.user, key] = (undone, amount)

    def payment(self, key: str) -> str:
        """Return what is recorded of an order's payment."""
        return self.operations.get((self.orders[key].user, key), ("none", 0))[0]

    def holding(self, key: str) -> bool:
        """Say whether anything is held for an order."""
        return any(state == "held" for (_, order), (state, _) in self.holds.items() if order == key)

    def fail(self, key: str, execution: str, step: str, *, compensated: bool) -> str:
        """Return the order's state, which is the answer: a failure is never refused."""
        self.failures.add((key, step, execution))
        if not (order := self.orders.get(key)):
            return "UNKNOWN"
        again = compensated and order.state == "NEEDS_ATTENTION"
        own = order.state in OPEN and order.history[-1][2] == execution
        if order.state == "NEW" or again or own or (order.state in OPEN and not compensated):
            order.go("CANCELLING", execution, "E")
        if compensated and order.state == "CANCELLING":
            self._void(key, order)
            if order.reached("RESERVED"):
                self._give_back(key, order)
            order.go("FAILED", execution, "E")
        elif order.state == "CANCELLING":
            order.go("NEEDS_ATTENTION", execution, "E")
        return order.state
