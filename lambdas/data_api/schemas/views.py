"""Answer bodies, and how they are made of what storage returns."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from data_api.domain.order import Order, State
from data_api.domain.payment import STATES, Payment
from data_api.domain.requests import Document
from data_api.schemas import bodies
from data_api.storage.users import Operation
from payment_data.fields import LINES, Array, Boolean, Choice, Integer, Object, Text, Timestamp
from payment_data.money import MAX_AMOUNT

_TEXT = Text(32_768, pattern=LINES)
_AMOUNT = Integer(0, MAX_AMOUNT, "In minor units of the currency.")
_STATE = Choice([state.value for state in State])
_AT = Timestamp()
_DECISION = Object({"operation": _TEXT, "error": bodies.ERROR, "detail": _TEXT})
_HOLD = Object(
    {
        "product_id": bodies.PRODUCT_ID,
        "quantity": bodies.QUANTITY,
        "state": Choice(("none", "held", "committed", "void")),
    }
)
_DELIVERY = Object(
    {
        "line": Integer(0, bodies.MAX_LINES - 1),
        "product_id": bodies.PRODUCT_ID,
        "quantity": bodies.QUANTITY,
        "delivery_address": bodies.ADDRESS,
        "state": Choice(("arranged",)),
    }
)
_FAILURE = Object(
    {
        "step": bodies.STEP_NAME,
        "error": bodies.ERROR,
        "cause": bodies.CAUSE,
        "execution": bodies.EXECUTION,
        "at": _AT,
    }
)
_TRANSITION = Object(
    {"at": _AT, "from": _STATE, "to": _STATE, "execution": bodies.EXECUTION, "reason": _TEXT},
    ("from", "execution", "reason"),
)

PRODUCT = Object({"product_id": bodies.PRODUCT_ID, **bodies.PRODUCT.properties})
USER = Object(
    {
        "user_id": bodies.USER_ID,
        **bodies.USER.properties,
        "wallet": Array(
            Choice(tuple(bodies.WALLET.properties)), 0, 3, description="What is in it, not the ids."
        ),
    }
)
ORDER = Object(
    {
        "order_id": bodies.ORDER_ID,
        **bodies.ORDER.properties,
        "total": _AMOUNT,
        "state": _STATE,
        "created_at": _AT,
        "updated_at": _AT,
        "deadline": _AT,
        "decision": _DECISION,
        "paid_by": bodies.METHOD,
    },
    ("deadline", "decision", "paid_by"),
)
RESERVATION = Object(
    {"order_id": bodies.ORDER_ID, "lines": Array(_HOLD, 1, bodies.MAX_LINES)},
    description="What the order holds.",
)
PAYMENT = Object(
    {
        "order_id": bodies.ORDER_ID,
        "state": Choice(tuple(dict.fromkeys(("none", "charged", *STATES)))),
        "amount": _AMOUNT,
        "currency": bodies.CURRENCY,
        "method": bodies.METHOD,
        "reason": _TEXT,
        "attempt": bodies.ATTEMPT,
        "payment_intent": bodies.PAYMENT_INTENT,
        "customer": bodies.GATEWAY_ID,
        "payment_method": bodies.GATEWAY_ID,
        "adjustments": Array(bodies.ADJUSTMENT_VIEW, 0, 1000),
        "closed": Boolean("Of a void one: the gateway said that it took nothing, and never will."),
    },
    ("method", "reason", "attempt", "payment_intent", "customer", "payment_method", "closed", "adjustments"),
    "Of credit: none, charged, declined, refunded or void; through a gateway, one attempt.",
)
ADJUSTMENTS = Object(
    {
        "order_id": bodies.ORDER_ID,
        "attempt": bodies.ATTEMPT,
        "adjustments": Array(bodies.ADJUSTMENT_VIEW, 0, 1000),
    },
    (),
    "What moved money of a payment after it, without the workflow.",
)
DELIVERIES = Object({"order_id": bodies.ORDER_ID, "deliveries": Array(_DELIVERY, 0, bodies.MAX_LINES)})
FAILURES = Object({"order_id": bodies.ORDER_ID, "failures": Array(_FAILURE, 0, 1000)})
HISTORY = Object({"order_id": bodies.ORDER_ID, "history": Array(_TRANSITION, 1, 1000)})
STATE = Object(
    {"order_id": bodies.ORDER_ID, "state": Choice([*(state.value for state in State), "UNKNOWN"])},
    description="Where the order is now; UNKNOWN if there is none.",
)


class Answer(NamedTuple):
    """What a use case returns: a JSON body, None with 204, and an HTTP status."""

    body: Document | None
    status: int = 200


def moment(at: datetime) -> str:
    """Write a time as RFC 3339 in UTC with milliseconds, which is what MongoDB keeps."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def product(document: Document) -> Document:
    """Make the view of a product's document, as `PRODUCT` declares it."""
    return {"product_id": document["_id"]} | {key: document[key] for key in bodies.PRODUCT.properties}


def user(document: Document) -> Document:
    """Make the view of a user's document, as `USER` declares it."""
    shown = {key: document[key] for key in bodies.USER.properties}
    return {"user_id": document["_id"]} | shown | {"wallet": sorted(document["wallet"])}


def order(order: Order) -> Document:
    """Make the view of an order, as `ORDER` declares it."""
    view: dict[str, Any] = {
        "order_id": order.id,
        "user_id": order.user_id,
        "currency": order.currency,
        "lines": [line._asdict() for line in order.lines],
        "synthetic": order.synthetic,
        "total": order.total,
        "state": order.state.value,
        "created_at": moment(order.created_at),
        "updated_at": moment(order.updated_at),
    }
    if order.deadline:
        view["deadline"] = moment(order.deadline)
    if order.paid_by:
        view["paid_by"] = order.paid_by
    if order.decision:
        decision = order.decision
        view["decision"] = {
            "operation": decision.operation,
            "error": decision.error,
            "detail": str(decision.problem()),
        }
    return view


def reservation(order: Order, states: dict[str, str]) -> Document:
    """Make the view of an order's holds; `states` by product id."""
    lines = [
        {
            "product_id": line.product_id,
            "quantity": line.quantity,
            "state": states.get(line.product_id, "none"),
        }
        for line in order.lines
    ]
    return {"order_id": order.id, "lines": lines}


def payment(order: Order, operation: Operation | None) -> Document:
    """Make the view of an order's payment, as `PAYMENT` declares it."""
    view: Document = {"order_id": order.id, "state": "none", "amount": 0, "currency": order.currency}
    if operation:
        view |= {"state": operation.state, "amount": operation.amount}
        if operation.fingerprint:
            view["method"] = operation.fingerprint.split(":")[0]
        if operation.reason:
            view["reason"] = operation.reason
    return view


def gateway_payment(payment: Payment) -> Document:
    """Make the view of an attempt to pay through a gateway, as `PAYMENT` declares it."""
    shown = {key: value for key, value in payment._asdict().items() if key != "late" and value is not None}
    view = {key: value for key, value in shown.items() if key not in ("attempt", "adjustments")}
    adjusted = {"adjustments": adjustments(payment.adjustments)} if payment.adjustments else {}
    return {**view, "attempt": int(payment.attempt), **adjusted}


def adjustments(recorded: Mapping[str, Mapping[str, Any]]) -> list[Document]:
    """Make the view, [{id, kind, amount}], of what moved money of a payment later, without the workflow."""
    return [{"id": key, "kind": each["kind"], "amount": each["amount"]} for key, each in recorded.items()]


def deliveries(order: Order) -> Document:
    """Make the view of an order's deliveries, as `DELIVERIES` declares it."""
    arranged = [{"line": number, **delivery} for number, delivery in enumerate(order.deliveries)]
    return {"order_id": order.id, "deliveries": arranged}


def failures(order_id: str, documents: list[Document]) -> Document:
    """Make the view of an order's failures, as `FAILURES` declares it."""
    views = [{key: d[key] for key in ("step", "error", "cause", "execution")} for d in documents]
    for view, document in zip(views, documents, strict=True):
        view["at"] = moment(document["at"])
    return {"order_id": order_id, "failures": views}


def history(order: Order) -> Document:
    """Make the view of an order's history, oldest first, as `HISTORY` declares it."""
    entries = [{key: value for key, value in entry.items() if value is not None} for entry in order.history]
    return {
        "order_id": order.id,
        "history": [entry | {"at": moment(entry["at"])} for entry in entries],
    }
