"""The API's table of contents: each route, what it takes, what it answers, and the use case that runs it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from data_api.schemas import accounting, bodies, views
from data_api.schemas.views import Answer
from data_api.use_cases.arrange_deliveries import arrange_deliveries, complete_lost
from data_api.use_cases.audit import audit, audit_ledger, audit_orders, audit_products, audit_users
from data_api.use_cases.charge_credit import charge_credit
from data_api.use_cases.create import create_order, create_product, create_user
from data_api.use_cases.delete_synthetic import delete_order, delete_product, delete_user
from data_api.use_cases.follow_payment import (
    adjust_payment,
    await_bank,
    capture_payment,
    close_payment,
    decline_payment,
    record_refund,
    save_payment_intent,
)
from data_api.use_cases.open_payment import open_payment
from data_api.use_cases.reads import (
    keep_sweep,
    list_orders,
    show_deliveries,
    show_failures,
    show_history,
    show_order,
    show_payment,
    show_product,
    show_reservation,
    show_sweep,
    show_user,
)
from data_api.use_cases.record_failure import record_failure
from data_api.use_cases.reserve_products import reserve_products
from data_api.use_cases.settle import settle
from data_api.use_cases.supply import change_wallet, reprice_product, restock_product, top_up_user
from data_api.use_cases.undo import release_products, undo_payment
from payment_data import errors as e
from payment_data.fields import Field, Object

IDS: Mapping[str, Field] = {
    "order_id": bodies.ORDER_ID,
    "product_id": bodies.PRODUCT_ID,
    "user_id": bodies.USER_ID,
    "attempt": bodies.NUMBER,
    "restock_id": bodies.RESTOCK_ID,
    "top_up_id": bodies.TOP_UP_ID,
    "adjustment": bodies.ADJUSTMENT_ID,
}
"""Types of the ids that paths hold."""


@dataclass(frozen=True, slots=True)
class Route:
    """One operation.

    Attributes:
        method: HTTP method.
        path: with its ids in braces, as OpenAPI writes it.
        run: the use case; called with the database, the id and, if there are any, the query and the body.
        answers: status to the shape of the answer's body, None if it has none.
        body: the shape of the request's body.
        problems: what it may refuse with, beside what every route may.
        query: the shape of what its query string may say.
    """

    method: str
    path: str
    run: Callable[..., Answer]
    answers: Mapping[int, Object | None]
    body: Object | None = None
    problems: tuple[type[e.Problem], ...] = field(default=())
    query: Object | None = None

    @property
    def operation_id(self) -> str:
        """The operation's name: the use case's."""
        return self.run.__name__

    @property
    def summary(self) -> str:
        """What it does, in the first line of the use case's documentation."""
        return (self.run.__doc__ or "").partition("\n")[0]


def _create(path: str, run: Callable[..., Answer], body: Object, view: Object) -> Route:
    return Route("PUT", path, run, {200: view, 201: view}, body, (e.IdempotencyMismatch, e.Throttled))


def _show(path: str, run: Callable[..., Answer], view: Object, *missing: type[e.Problem]) -> Route:
    return Route("GET", path, run, {200: view}, None, missing)


def _delete(path: str, run: Callable[..., Answer]) -> Route:
    return Route("DELETE", path, run, {204: None}, None, (e.IllegalTransition,))


def _page(path: str, run: Callable[..., Answer], query: Object, view: Object) -> Route:
    return Route("GET", path, run, {200: view}, query=query)


def _do(
    path: str, run: Callable[..., Answer], body: Object, view: Object, *problems: type[e.Problem]
) -> Route:
    return Route("PUT", path, run, {200: view}, body, problems)


_PRODUCT, _USER, _ORDER = "/products/{product_id}", "/users/{user_id}", "/orders/{order_id}"
_ATTEMPT = f"{_ORDER}/payments/{{attempt}}"
_OVER = (e.PaymentDeclined, e.OrderClosed, e.IllegalTransition)
_TOO_LATE = (e.OrderNotFound, e.DeadlineExceeded, e.OrderClosed)

ROUTES: tuple[Route, ...] = (
    _create(_PRODUCT, create_product, bodies.PRODUCT, views.PRODUCT),
    _show(_PRODUCT, show_product, views.PRODUCT, e.NotFound),
    _delete(_PRODUCT, delete_product),
    _do(
        f"{_PRODUCT}/restocks/{{restock_id}}",
        restock_product,
        bodies.RESTOCK,
        views.PRODUCT,
        *(e.NotFound, e.IdempotencyMismatch, e.IllegalTransition, e.Throttled),
    ),
    _do(f"{_PRODUCT}/price", reprice_product, bodies.REPRICE, views.PRODUCT, e.NotFound),
    _create(_USER, create_user, bodies.USER, views.USER),
    _show(_USER, show_user, views.USER, e.NotFound),
    _delete(_USER, delete_user),
    _do(
        f"{_USER}/top-ups/{{top_up_id}}",
        top_up_user,
        bodies.TOP_UP,
        views.USER,
        *(e.NotFound, e.IdempotencyMismatch, e.IllegalTransition, e.Throttled),
    ),
    _do(f"{_USER}/wallet", change_wallet, bodies.WALLET, views.USER, e.NotFound),
    _create(_ORDER, create_order, bodies.ORDER, views.ORDER),
    _show(_ORDER, show_order, views.ORDER, e.OrderNotFound),
    _delete(_ORDER, delete_order),
    _do(
        f"{_ORDER}/reservation",
        reserve_products,
        bodies.RESERVATION,
        views.RESERVATION,
        *(*_TOO_LATE, e.OutOfStock, e.InvalidOrder, e.Throttled),
    ),
    _show(f"{_ORDER}/reservation", show_reservation, views.RESERVATION, e.OrderNotFound),
    _do(
        f"{_ORDER}/payment",
        charge_credit,
        bodies.PAYMENT,
        views.PAYMENT,
        *(
            *_TOO_LATE,
            e.PaymentDeclined,
            e.InvalidOrder,
            e.IdempotencyMismatch,
            e.IllegalTransition,
            e.Throttled,
        ),
    ),
    _show(f"{_ORDER}/payment", show_payment, views.PAYMENT, e.OrderNotFound),
    _do(
        f"{_ORDER}/deliveries",
        arrange_deliveries,
        bodies.STEP,
        views.DELIVERIES,
        *(*_TOO_LATE, e.DeliveryRejected, e.IllegalTransition),
    ),
    _show(f"{_ORDER}/deliveries", show_deliveries, views.DELIVERIES, e.OrderNotFound),
    Route(
        "PUT",
        _ATTEMPT,
        open_payment,
        {200: views.PAYMENT, 201: views.PAYMENT},
        bodies.OPEN_PAYMENT,
        (
            *_TOO_LATE,
            e.PaymentDeclined,
            e.InvalidOrder,
            e.IdempotencyMismatch,
            e.IllegalTransition,
            e.Throttled,
        ),
    ),
    _do(f"{_ATTEMPT}/intent", save_payment_intent, bodies.SAVE_INTENT, views.PAYMENT, *_OVER),
    _do(f"{_ATTEMPT}/processing", await_bank, bodies.EXECUTION_ONLY, views.PAYMENT, *_OVER),
    _do(
        f"{_ATTEMPT}/capture", capture_payment, bodies.EXECUTION_ONLY, views.PAYMENT, *_OVER, e.OrderNotFound
    ),
    _do(
        f"{_ATTEMPT}/decline",
        decline_payment,
        bodies.DECLINE,
        views.PAYMENT,
        *(e.OrderClosed, e.IllegalTransition),
    ),
    _do(f"{_ATTEMPT}/closure", close_payment, bodies.EXECUTION_ONLY, views.PAYMENT, e.IllegalTransition),
    _do(
        f"{_ATTEMPT}/adjustments/{{adjustment}}",
        adjust_payment,
        bodies.ADJUSTMENT,
        views.ADJUSTMENTS,
        *(e.IdempotencyMismatch, e.IllegalTransition),
    ),
    _do(f"{_ATTEMPT}/refund", record_refund, bodies.EXECUTION_ONLY, views.PAYMENT, e.IllegalTransition),
    _do(
        f"{_ORDER}/refund",
        undo_payment,
        bodies.CANCEL,
        views.PAYMENT,
        *(e.OrderNotFound, e.OrderCompleted, e.Throttled),
    ),
    _do(
        f"{_ORDER}/release",
        release_products,
        bodies.CANCEL,
        views.RESERVATION,
        *(e.OrderNotFound, e.OrderCompleted, e.Throttled),
    ),
    _do(f"{_ORDER}/failure", record_failure, bodies.FAILURE, views.STATE, e.PaymentNotUndone, e.Throttled),
    _do(
        f"{_ORDER}/completion",
        complete_lost,
        bodies.COMPLETION,
        views.DELIVERIES,
        *(e.OrderNotFound, e.IllegalTransition, e.IdempotencyMismatch, e.OutOfStock, e.PaymentDeclined),
    ),
    _show(f"{_ORDER}/failures", show_failures, views.FAILURES),
    _show(f"{_ORDER}/history", show_history, views.HISTORY, e.OrderNotFound),
    _page("/orders", list_orders, accounting.LIST, accounting.LISTED),
    _do("/sweep", keep_sweep, accounting.SWEEP, accounting.SWEEP),
    _show("/sweep", show_sweep, accounting.SWEEP),
    _do("/settlement", settle, accounting.SETTLEMENT, accounting.SETTLED),
    _show("/audit", audit, accounting.COUNTS),
    _page("/audit/orders", audit_orders, accounting.PAGE, accounting.AUDITED_ORDERS),
    _page("/audit/products", audit_products, accounting.PAGE, accounting.AUDITED_ACCOUNTS),
    _page("/audit/ledger", audit_ledger, accounting.OWNERS_PAGE, accounting.OWNERS),
    _page("/audit/users", audit_users, accounting.PAGE, accounting.AUDITED_ACCOUNTS),
)
