"""Answer bodies for auditors, and how they are made of what storage returns."""

from collections.abc import Mapping

from data_api.domain.audited import as_charged, legs_in_time, payment_in_order
from data_api.domain.order import Line, Order
from data_api.domain.requests import KEPT_PRICES, Document
from data_api.domain.transactions import Records
from data_api.schemas import accounting
from data_api.schemas.views import deliveries, moment


def leg(document: Document) -> Document:
    """Make the view of a leg, as `accounting.LEG` declares it."""
    return {"key": document["_id"]} | {
        key: document[key] for key in accounting.LEG.properties if key != "key"
    }


def audited(order: Order, records: Records, legs: list[Document], named: Mapping[str, Document]) -> Document:
    """Make the view of an order with all that hangs on it, as `accounting.AUDITED` declares it.

    Args:
        order: the order.
        records: what products, users and payments say of it.
        legs: what the ledger says of it.
        named: {currency, price?, repriced?} of payers and products that exist, by their accounts.
    """
    names = [f"user:{order.user_id}", *(f"product:{line.product_id}" for line in order.lines)]
    there = [name for name in names if name in named]
    view: Document = {
        **accounting.listed(order),
        "ledger": list(order.ledger),
        "synthetic": order.synthetic,
        "as_created": order.as_created,
        "as_paid": order.as_paid and as_charged(order, records.operation),
        "unknown": [name for name in names if name not in named],
        "other_currency": [name for name in there if named[name]["currency"] != order.currency],
        "other_price": [f"product:{line.product_id}" for line in order.lines if not _had_price(line, named)],
        "history": [_move(entry) for entry in order.history],
        "in_time": order.in_time and legs_in_time(order, records.payments, legs),
        "payments": [audited_payment(payment) for payment in records.payments],
        "lines": [_line(line, records.holds.get(line.product_id)) for line in order.lines],
        "deliveries": deliveries(order)["deliveries"],
        "legs": [leg(document) for document in legs],
    }
    if order.deadline:
        view["deadline"] = moment(order.deadline)
    if order.paid_by:
        view["paid_by"] = order.paid_by
    if order.books:
        view["books"] = order.books
    if records.operation:
        view["operation"] = {key: records.operation[key] for key in ("state", "amount")}
    return view


def _had_price(line: Line, named: Mapping[str, Document]) -> bool:
    product = named.get(f"product:{line.product_id}")
    if product is None or len(repriced := product.get("repriced", ())) >= KEPT_PRICES:
        return True
    return line.price == product["price"] or any(was["price"] == line.price for was in repriced)


def _move(entry: Document) -> Document:
    before = entry["from"]
    return {"from": str(before), "to": str(entry["to"])} if before else {"to": str(entry["to"])}


def _line(line: Line, hold: object) -> Document:
    keys = ("product_id", "quantity", "price", "delivery_address")
    view: Document = {key: getattr(line, key) for key in keys}
    if isinstance(hold, dict):
        view["hold"] = {"state": hold["state"], "amount": hold["quantity"]}
    return view


def audited_payment(payment: object) -> Document:
    """Make the view of an attempt to pay through a gateway, as `accounting.PAYMENT` declares it."""
    record = payment if isinstance(payment, dict) else {}
    keys = ("state", "amount", "attempt", "method", "currency", "payment_intent", "closed")
    adjustments = [{"id": key, **value} for key, value in record.get("adjustments", {}).items()]
    shown = [{key: entry[key] for key in ("id", "kind", "amount")} for entry in adjustments]
    view = {key: record[key] for key in keys if record.get(key) is not None}
    return view | {"adjustments": shown, "in_order": payment_in_order(record)}
