"""The data API by its verbs: answers are dicts, refusals are raised as classes of `payment_data.errors`."""

from collections.abc import Mapping
from typing import Any

from payment_data.api_requests import Json, Response, SignedHttp, Transport, encoded, path_of, query_of
from payment_data.catalog import Catalog

__all__ = ["DataApi", "Response", "SignedHttp", "Transport", "encoded"]


class DataApi(Catalog):
    """Every operation of the data API; those on products and users are its `Catalog`.

    Each may raise `ApiUnavailable`, `Throttled` (not applied), `OutcomeUnknown` (ask again with the same
    arguments), `AccessDenied` and `UnexpectedResponse`, beside the errors it names. Repeating a call is safe.
    An answer has the shape that the OpenAPI document (docs/data/openapi.json) declares for the request.
    """

    def put_order(self, order_id: str, order: Mapping[str, Any]) -> Json:
        """Create an order {user_id, currency, lines, synthetic?}; the total is computed.

        A line is {product_id, name, type, price, quantity, delivery_address}, price in minor units.

        Raises:
            IdempotencyMismatch: another order has this id.
            InvalidRequest: a field breaks a rule.
        """
        return self._put(path_of("orders", order_id), order)

    def order(self, order_id: str) -> Json:
        """Return what `put_order` takes, with {order_id, total, state, created_at, updated_at, …}.

        Raises:
            OrderNotFound: no order has this id.
        """
        return self._send("GET", path_of("orders", order_id))

    def delete_order(self, order_id: str) -> None:
        """Delete a synthetic order with all that hangs on it. Raises `IllegalTransition` for a real one."""
        self._send("DELETE", path_of("orders", order_id))

    def reserve(self, order_id: str, *, execution: str, deadline: str, method: str) -> Json:
        """Hold every line's quantity, all or none, unless it is later than `deadline` (RFC 3339, UTC).

        The order keeps `method`: by it alone it is paid, and undone.

        Raises:
            OutOfStock, InvalidOrder, OrderNotFound: the answer, also when asked again.
            DeadlineExceeded, OrderClosed: too late.
        """
        body = {"execution": execution, "deadline": deadline, "method": method}
        return self._put(path_of("orders", order_id, "reservation"), body)

    def reservation(self, order_id: str) -> Json:
        """Return what is held: {order_id, lines: [{product_id, quantity, state}]}. Raises `OrderNotFound`."""
        return self._send("GET", path_of("orders", order_id, "reservation"))

    def charge(self, order_id: str, *, execution: str, deadline: str, method: str, attempt: int) -> Json:
        """Charge the order's total to the user's balance, once, unless it is later than `deadline`.

        Raises:
            PaymentDeclined, InvalidOrder, OrderNotFound: the answer, also when asked again.
            DeadlineExceeded, OrderClosed: too late.
            IdempotencyMismatch: charged or declined before with another method or attempt.
            IllegalTransition: nothing is reserved yet.
        """
        body = {"execution": execution, "deadline": deadline, "method": method, "attempt": attempt}
        return self._put(path_of("orders", order_id, "payment"), body)

    def payment(self, order_id: str) -> Json:
        """Return the order's payment: of credit, none, charged, declined, refunded or void; else an attempt.

        Raises `OrderNotFound`.
        """
        return self._send("GET", path_of("orders", order_id, "payment"))

    def open_payment(
        self, order_id: str, attempt: int, *, execution: str, deadline: str, method: str
    ) -> Json:
        """Open an attempt to pay through a gateway, unless it is later than `deadline`, or find it opened.

        Raises:
            PaymentDeclined, InvalidOrder, OrderNotFound: the answer, also when asked again.
            DeadlineExceeded, OrderClosed: too late, or it is over.
            IdempotencyMismatch: opened before with another method.
            IllegalTransition: nothing is reserved yet, or the attempt before was not declined.
        """
        body = {"execution": execution, "deadline": deadline, "method": method}
        return self._put(path_of("orders", order_id, "payments", str(attempt)), body)

    def follow_payment(self, order_id: str, attempt: int, event: str, body: Mapping[str, Any]) -> Json:
        """Record what became of an attempt at the gateway.

        The event is intent, processing, capture, decline, closure or refund; the body is {execution}, with
        `payment_intent` for an intent and `reason` for a decline.

        Raises:
            PaymentDeclined, OrderClosed: it is over.
            IllegalTransition: its state does not allow this.
        """
        return self._put(path_of("orders", order_id, "payments", str(attempt), event), body)

    def adjust_payment(self, order_id: str, attempt: int, adjustment: str, *, kind: str, amount: int) -> Json:
        """Record what moved money of a payment at the gateway without the workflow; return it as `payment`.

        Args:
            order_id: whose.
            attempt: which attempt to pay it.
            adjustment: the refund's or the dispute's id there.
            kind: refund or dispute, which take money away; refund_failed or dispute_won, which bring it back.
            amount: minor units of the payment's currency.

        Raises:
            IdempotencyMismatch: another kind or amount was recorded under this id.
            IllegalTransition: the payment was never captured.
        """
        path = path_of("orders", order_id, "payments", str(attempt), "adjustments", adjustment)
        return self._put(path, {"kind": kind, "amount": amount})

    def refund(self, order_id: str, *, execution: str, reason: str) -> Json:
        """Cancel the order and undo its payment; what was not charged can never be charged afterwards.

        By the way the order is paid on record: credit is returned, through a gateway nothing is. Then the
        answer is the attempt that may hold money there, and its `method` says through which.

        Raises:
            OrderCompleted: it is too late to cancel.
            OrderNotFound: no such order.
        """
        return self._put(path_of("orders", order_id, "refund"), {"execution": execution, "reason": reason})

    def release(self, order_id: str, *, execution: str, reason: str) -> Json:
        """Cancel the order and return what is held; what was not held can never be held afterwards.

        The answer is that of `reservation`.

        Raises:
            OrderCompleted: it is too late to cancel.
            OrderNotFound: no such order.
        """
        return self._put(path_of("orders", order_id, "release"), {"execution": execution, "reason": reason})

    def deliver(self, order_id: str, *, execution: str, deadline: str) -> Json:
        """Arrange one delivery per line and complete the order; the answer is that of `deliveries`.

        Raises:
            DeliveryRejected, OrderNotFound: the answer, also when asked again.
            DeadlineExceeded, OrderClosed: too late.
            IllegalTransition: the order is not paid.
        """
        return self._put(
            path_of("orders", order_id, "deliveries"), {"execution": execution, "deadline": deadline}
        )

    def deliveries(self, order_id: str) -> Json:
        """Return {order_id, deliveries: [...]}. Raises `OrderNotFound`."""
        return self._send("GET", path_of("orders", order_id, "deliveries"))

    def record_failure(self, order_id: str, failure: Mapping[str, Any]) -> Json:
        """Record {execution, step, error, cause, compensated, record_only?} and close the order.

        With `undo_failures` [{step, error, cause}] also why it could not be undone, after so many `redrives`.
        Compensated: to FAILED, else to NEEDS_ATTENTION. With `record_only` no order is touched: the id is an
        execution's name, and an order may happen to have it. No order needs to exist.

        Raises:
            PaymentNotUndone: a gateway may hold money of it, perhaps of another execution's: refund it first.
        """
        return self._put(path_of("orders", order_id, "failure"), failure)

    def complete_lost(
        self, order_id: str, *, execution: str, method: str, payment_intent: str | None = None
    ) -> Json:
        """Complete an order that was parked because its execution had succeeded, after a restore.

        The answer is that of `deliveries`.

        Args:
            order_id: which.
            execution: that execution.
            method: how it was paid.
            payment_intent: the PaymentIntent that holds its total at the gateway, where its record is lost.

        Raises:
            IllegalTransition: it was parked for another reason, is being undone, or no gateway was paid.
            OutOfStock, PaymentDeclined: what the restore took away cannot be done again.
            IdempotencyMismatch: it is paid by another method on record.
            OrderNotFound: no such order.
        """
        found = {"payment_intent": payment_intent} if payment_intent else {}
        return self._put(
            path_of("orders", order_id, "completion"), {"execution": execution, "method": method, **found}
        )

    def failures(self, order_id: str) -> Json:
        """Return {order_id, failures: [...]}, also for an order that does not exist."""
        return self._send("GET", path_of("orders", order_id, "failures"))

    def history(self, order_id: str) -> Json:
        """Return {order_id, history: [{at, from, to, execution, reason}]}. Raises `OrderNotFound`."""
        return self._send("GET", path_of("orders", order_id, "history"))

    def orders(self, *, state: str | None = None, after: str = "", limit: int = 100) -> Json:
        """Return a page of orders, longest unchanged first: {orders, next?}; go on `after` its `next`."""
        return self._send("GET", path_of("orders") + query_of(state=state, after=after, limit=limit))

    def sweep(self) -> Json:
        """Return where the last sweep stopped: {state, after}, or nothing if it came to the end."""
        return self._send("GET", path_of("sweep"))

    def keep_sweep(self, place: Mapping[str, Any]) -> Json:
        """Keep where a sweep stopped: {state, after}, or nothing if it came to the end."""
        return self._put(path_of("sweep"), place)

    def settle(self, *, limit: int = 100, after: str = "") -> Json:
        """Enter into the ledger and settle what is due: {opened, entered, settled, disputed, next?}.

        Any number of times; with `after` the last answer's `next`, until there is none.
        """
        return self._put(path_of("settlement"), {"limit": limit, "after": after})

    def audit(self) -> Json:
        """Return about how many {orders, products, users} there are."""
        return self._send("GET", path_of("audit"))

    def audit_page(self, kind: str, *, after: str = "", limit: int | None = None) -> Json:
        """Return a page of what auditors read of `kind` (orders, products, users, ledger)."""
        return self._send("GET", path_of("audit", kind) + query_of(after=after, limit=limit))
