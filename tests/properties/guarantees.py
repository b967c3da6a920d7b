"""What must hold after every request, asked of the documents themselves."""

from collections.abc import Iterator
from typing import Any, Final

from data_api.storage.collections import VALIDATORS
from data_api.storage.database import Db
from tests.properties.diagram import LEGAL
from tests.properties.model import Model

COLLECTIONS: Final = tuple(VALIDATORS)
_READ: Final = ("products", "users", "orders", "failures")
Documents = dict[str, list[dict[str, Any]]]


def read(db: Db) -> Documents:
    """Read everything."""
    return {name: list(db[name].find()) for name in _READ}


def actual(found: Documents) -> dict[str, Any]:
    """Return what the documents say, in the form of the model."""
    return {
        "products": {p["_id"]: p["available"] for p in found["products"]},
        "users": {u["_id"]: u["balance"] for u in found["users"]},
        "holds": {
            (p["_id"], order): (hold["state"], hold["quantity"])
            for p in found["products"]
            for order, hold in p["holds"].items()
        },
        "operations": {
            (u["_id"], order): (operation["state"], operation["amount"])
            for u in found["users"]
            for order, operation in u["operations"].items()
        },
        "orders": {o["_id"]: _history(o) for o in found["orders"]},
        "deliveries": {o["_id"]: len(o["deliveries"]) for o in found["orders"] if "deliveries" in o},
        "failures": {(f["order_id"], f["step"], f["execution"]) for f in found["failures"]},
    }


def expected(model: Model) -> dict[str, Any]:
    """Return what the model says."""
    return {
        "products": {key: product.free for key, product in model.products.items()},
        "users": {key: user.free for key, user in model.users.items()},
        "holds": model.holds,
        "operations": model.operations,
        "orders": {key: order.history for key, order in model.orders.items()},
        "deliveries": model.deliveries,
        "failures": model.failures,
    }


def violations(found: Documents) -> Iterator[str]:
    """Yield a sentence for every guarantee of the money path that does not hold, whatever the model says."""
    yield from _accounts(found)
    for order in found["orders"]:
        yield from _order(order, found)


def _accounts(found: Documents) -> Iterator[str]:
    for product in found["products"]:
        held = sum(hold["quantity"] for hold in product["holds"].values() if hold["state"] == "held")
        if product["available"] + held != product["opening"] or product["available"] < 0:
            yield f"{product['_id']}: {product['available']} and {held} held of {product['opening']}"
    for user in found["users"]:
        charged = sum(o["amount"] for o in user["operations"].values() if o["state"] == "charged")
        if user["balance"] + charged != user["opening"] or user["balance"] < 0:
            yield f"{user['_id']}: {user['balance']} and {charged} charged of {user['opening']}"


def _order(order: dict[str, Any], found: Documents) -> Iterator[str]:
    key, state = order["_id"], order["state"]
    changes = [(entry["from"], entry["to"]) for entry in order["history"]]
    if illegal := set(changes) - LEGAL:
        yield f"{key} changed {illegal}"
    if [None, *(to for _, to in changes)] != [*(source for source, _ in changes), state]:
        yield f"{key} is {state}, and its history has a gap: {changes}"
    times = [entry["at"] for entry in order["history"]]
    if times != sorted(times):
        yield f"{key} has a history out of order"
    charges = [
        operation
        for user in found["users"]
        if (operation := user["operations"].get(key)) and operation["state"] == "charged"
    ]
    if len(charges) > 1 or any(charge["amount"] != order["total"] for charge in charges):
        yield f"{key} was charged {charges}"
    arranged = [(d["product_id"], d["quantity"], d["delivery_address"]) for d in order.get("deliveries", ())]
    lines = [(line["product_id"], line["quantity"], line["delivery_address"]) for line in order["lines"]]
    if arranged != (lines if state == "COMPLETED" else []):
        yield f"{key} is {state} with deliveries {arranged}"
    if arranged and not charges:
        yield f"{key} is delivered and was not charged"
    holding = any(p["holds"].get(key, {}).get("state") == "held" for p in found["products"])
    if state == "FAILED" and (holding or charges):
        yield f"{key} is over and still holds something"


def _history(order: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [tuple(entry[k] for k in ("from", "to", "execution", "reason")) for entry in order["history"]]
