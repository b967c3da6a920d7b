"""The data API by its verbs: answers are dicts, refusals are raised as classes of `payment_data.errors`."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from payment_data.answers import document_of
from payment_data.transport import Response, SignedHttp, Transport

__all__ = ["DataApi", "Response", "SignedHttp", "Transport"]

_Json = dict[str, Any]


class DataApi:
    """Every operation of the data API.

    Each may raise `ApiUnavailable`, `Throttled` (not applied), `OutcomeUnknown` (ask again with the same
    arguments), `AccessDenied` and `UnexpectedResponse`, beside the errors it names. Repeating a call is safe.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def put_product(self, product_id: str, product: Mapping[str, Any]) -> _Json:
        """Create a product {name, type, price, currency, available, synthetic?}; price in minor units.

        Raises:
            IdempotencyMismatch: another product has this id.
            InvalidRequest: a field breaks a rule.
        """
        return self._put(_path("products", product_id), product)

    def product(self, product_id: str) -> _Json:
        """Return a product. Raises `NotFound`."""
        return self._send("GET", _path("products", product_id))

    def delete_product(self, product_id: str) -> None:
        """Delete a synthetic product, if it is there. Raises `IllegalTransition` for a real one."""
        self._send("DELETE", _path("products", product_id))

    def restock(self, product_id: str, restock_id: str, *, quantity: int) -> _Json:
        """Add stock to a product, once for each restock's id; return the product.

        Raises:
            NotFound: no product has this id.
            IdempotencyMismatch: this restock was of another quantity.
            IllegalTransition: the product is synthetic.
        """
        return self._put(_path("products", product_id, "restocks", restock_id), {"quantity": quantity})

    def reprice(self, product_id: str, *, price: int) -> _Json:
        """Set a product's price in minor units; orders keep the price that they were created with.

        Raises:
            NotFound: no product has this id.
        """
        return self._put(_path("products", product_id, "price"), {"price": price})

    def put_user(self, user_id: str, user: Mapping[str, Any]) -> _Json:
        """Create a user {username, balance, currency, synthetic?, wallet?}; balance in minor units.

        A wallet is {customer?, card?, bank_account?}, ids at the gateway; a user shows which are there.

        Raises:
            IdempotencyMismatch: another user has this id.
            InvalidRequest: a field breaks a rule.
        """
        return self._put(_path("users", user_id), user)

    def user(self, user_id: str) -> _Json:
        """Return a user. Raises `NotFound`."""
        return self._send("GET", _path("users", user_id))

    def delete_user(self, user_id: str) -> None:
        """Delete a synthetic user, if it is there. Raises `IllegalTransition` for a real one."""
        self._send("DELETE", _path("users", user_id))

    def top_up(self, user_id: str, top_up_id: str, *, amount: int, currency: str) -> _Json:
        """Add credit to a user's balance, once for each top-up's id; return the user.

        Raises:
            NotFound: no user has this id.
            IdempotencyMismatch: this top-up was of another amount.
            IllegalTransition: the user is synthetic.
        """
        body = {"amount": amount, "currency": currency}
        return self._put(_path("users", user_id, "top-ups", top_up_id), body)

    def change_wallet(self, user_id: str, wallet: Mapping[str, str]) -> _Json:
        """Set what a user pays with at the gateway, {customer?, card?, bank_account?}; return the user.

        Raises:
            NotFound: no user has this id.
        """
        return self._put(_path("users", user_id, "wallet"), wallet)

    def put_order(self, order_id: str, order: Mapping[str, Any]) -> _Json:
        """Create an order {user_id, currency, lines, synthetic?}; the total is computed.

        A line is {product_id, name, type, price, quantity, delivery_address}, price in minor units.

        Raises:
            IdempotencyMismatch: another order has this id.
            InvalidRequest: a field breaks a rule.
        """
        return self._put(_path("orders", order_id), order)

    def order(self, order_id: str) -> _Json:
        """Return an order. Raises `OrderNotFound`."""
        return self._send("GET", _path("orders", order_id))

    def delete_order(self, order_id: str) -> None:
        """Delete a synthetic order with all that hangs on it. Raises `IllegalTransition` for a real one."""
        self._send("DELETE", _path("orders", order_id))

    def reserve(self, order_id: str, *, execution: str, deadline: str, method: str) -> _Json:
        """Hold every line's quantity, all or none, unless it is later than `deadline` (RFC 3339, UTC).

        The order keeps `method`: by it alone it is paid, and undone.

        Raises:
            OutOfStock, InvalidOrder, OrderNotFound: the answer, also when asked again.
            DeadlineExceeded, OrderClosed: too late.
        """
        body = {"execution": execution, "deadline": deadline, "method": method}
        return self._put(_path("orders", order_id, "reservation"), body)

    def reservation(self, order_id: str) -> _Json:
        """Return what is held: {order_id, lines: [{product_id, quantity, state}]}. Raises `OrderNotFound`."""
        return self._send("GET", _path("orders", order_id, "reservation"))

    def charge(self, order_id: str, *, execution: str, deadline: str, method: str, attempt: int) -> _Json:
        """Charge the order's total to the user's balance, once, unless it is later than `deadline`.

        Raises:
            PaymentDeclined, InvalidOrder, OrderNotFound: the answer, also when asked again.
            DeadlineExceeded, OrderClosed: too late.
            IdempotencyMismatch: charged or declined before with another method or attempt.
            IllegalTransition: nothing is reserved yet.
        """
        body = {"execution": execution, "deadline": deadline, "method": method, "attempt": attempt}
        return self._put(_path("orders", order_id, "payment"), body)

    def payment(self, order_id: str) -> _Json:
        """Return the order's payment: of credit, none, charged, declined, refunded or void; else an attempt.

        Raises `OrderNotFound`.
        """
        return self._send("GET", _path("orders", order_id, "payment"))

    def open_payment(
        self, order_id: str, attempt: int, *, execution: str, deadline: str, method: str
    ) -> _Json:
        """Open an attempt to pay through a gateway, unless it is later than `deadline`, or find it opened.

        Raises:
            PaymentDeclined, InvalidOrder, OrderNotFound: the answer, also when asked again.
            DeadlineExceeded, OrderClosed: too late, or it is over.
            IdempotencyMismatch: opened before with another method.
            IllegalTransition: nothing is reserved yet, or the attempt before was not declined.
        """
        body = {"execution": execution, "deadline": deadline, "method": method}
        return self._put(_path("orders", order_id, "payments", str(attempt)), body)

    def follow_payment(self, order_id: str, attempt: int, event: str, body: Mapping[str, Any]) -> _Json:
        """Record what became of an attempt at the gateway.

        The event is intent, processing, capture, decline, closure or refund; the body is {execution}, with
        `payment_intent` for an intent and `reason` for a decline.

        Raises:
            PaymentDeclined, OrderClosed: it is over.
            IllegalTransition: its state does not allow this.
        """
        return self._put(_path("orders", order_id, "payments", str(attempt), event), body)

    def adjust_payment(
        self, order_id: str, attempt: int, adjustment: str, *, kind: str, amount: int
    ) -> _Json:
        """Record what moved money of a payment at the gateway without the workflow.

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
        path = _path("orders", order_id, "payments", str(attempt), "adjustments", adjustment)
        return self._put(path, {"kind": kind, "amount": amount})

    def refund(self, order_id: str, *, execution: str, reason: str) -> _Json:
        """Cancel the order and undo its payment; what was not charged can never be charged afterwards.

        By the way the order is paid on record: credit is returned, through a gateway nothing is. Then the
        answer is the attempt that may hold money there, and its `method` says through which.

        Raises:
            OrderCompleted: it is too late to cancel.
            OrderNotFound: no such order.
        """
        return self._put(_path("orders", order_id, "refund"), {"execution": execution, "reason": reason})

    def release(self, order_id: str, *, execution: str, reason: str) -> _Json:
        """Cancel the order and return what is held; what was not held can never be held afterwards.

        Raises:
            OrderCompleted: it is too late to cancel.
            OrderNotFound: no such order.
        """
        return self._put(_path("orders", order_id, "release"), {"execution": execution, "reason": reason})

    def deliver(self, order_id: str, *, execution: str, deadline: str) -> _Json:
        """Arrange one delivery per line and complete the order.

        Raises:
            DeliveryRejected, OrderNotFound: the answer, also when asked again.
            DeadlineExceeded, OrderClosed: too late.
            IllegalTransition: the order is not paid.
        """
        return self._put(
            _path("orders", order_id, "deliveries"), {"execution": execution, "deadline": deadline}
        )

    def deliveries(self, order_id: str) -> _Json:
        """Return {order_id, deliveries: [...]}. Raises `OrderNotFound`."""
        return self._send("GET", _path("orders", order_id, "deliveries"))

    def record_failure(self, order_id: str, failure: Mapping[str, Any]) -> _Json:
        """Record {execution, step, error, cause, compensated, record_only?} and close the order.

        Compensated: to FAILED, else to NEEDS_ATTENTION. With `record_only` no order is touched: the id is an
        execution's name, and an order may happen to have it. No order needs to exist.

        Raises:
            PaymentNotUndone: a gateway may hold money of it, perhaps of another execution's: refund it first.
        """
        return self._put(_path("orders", order_id, "failure"), failure)

    def failures(self, order_id: str) -> _Json:
        """Return {order_id, failures: [...]}, also for an order that does not exist."""
        return self._send("GET", _path("orders", order_id, "failures"))

    def history(self, order_id: str) -> _Json:
        """Return {order_id, history: [{at, from, to, execution, reason}]}. Raises `OrderNotFound`."""
        return self._send("GET", _path("orders", order_id, "history"))

    def orders(self, *, state: str | None = None, after: str = "", limit: int = 100) -> _Json:
        """Return a page of orders, longest unchanged first: {orders, next?}; go on `after` its `next`."""
        return self._send("GET", _path("orders") + _query(state=state, after=after, limit=limit))

    def sweep(self) -> _Json:
        """Return where the last sweep stopped: {state, after}, or nothing if it came to the end."""
        return self._send("GET", _path("sweep"))

    def keep_sweep(self, place: Mapping[str, Any]) -> _Json:
        """Keep where a sweep stopped: {state, after}, or nothing if it came to the end."""
        return self._put(_path("sweep"), place)

    def settle(self, *, limit: int = 100, after: str = "") -> _Json:
        """Enter into the ledger and settle what is due: {opened, entered, settled, disputed, next?}.

        Any number of times; with `after` the last answer's `next`, until there is none.
        """
        return self._put(_path("settlement"), {"limit": limit, "after": after})

    def audit(self) -> _Json:
        """Return about how many {orders, products, users} there are."""
        return self._send("GET", _path("audit"))

    def audit_page(self, kind: str, *, after: str = "", limit: int | None = None) -> _Json:
        """Return a page of what auditors read of `kind` (orders, products, users, ledger)."""
        return self._send("GET", _path("audit", kind) + _query(after=after, limit=limit))

    def _put(self, path: str, body: Mapping[str, Any]) -> _Json:
        return self._send("PUT", path, encoded(body))

    def _send(self, method: str, path: str, body: bytes | None = None) -> _Json:
        return document_of(f"{method} {path}", self._transport(method, path, body))


def encoded(body: Mapping[str, Any]) -> bytes:
    """Return the JSON of a request's body, in UTF-8: a letter of any script takes its own bytes, not six.

    Raises:
        ValueError: a number is not finite, which JSON does not have.
    """
    try:
        return _json(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half a surrogate pair: written so that the data API names the field
        return _json(body, ensure_ascii=True).encode()


def _json(body: Mapping[str, Any], *, ensure_ascii: bool) -> str:
    return json.dumps(dict(body), separators=(",", ":"), allow_nan=False, ensure_ascii=ensure_ascii)


def _path(*segments: str) -> str:
    return "".join("/" + quote(segment, safe="") for segment in segments)


def _query(**fields: object) -> str:
    parameters = {key: value for key, value in fields.items() if value not in (None, "")}
    return "?" + urlencode(parameters) if parameters else ""
