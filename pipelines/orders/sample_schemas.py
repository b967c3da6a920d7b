"""The schemas of sample files, and the data API's bodies made from their records.

The files use the business's words (major units, `credit`, `requested_count`), the bodies the system's (minor
units, `balance`, `quantity`). Every rule is the data API's own declaration, so what is accepted here is
accepted there.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from data_api.schemas import bodies
from payment_data import fields, money
from payment_data.errors import FieldError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Json = dict[str, Any]

_DIGITS: Final = 40


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in major units: a JSON number or string with no more decimals than the currency has.

    Attributes:
        currency: ISO 4217.
        minor: The data API's type of the same amount in minor units, whose bounds are these.
    """

    currency: str
    minor: fields.Integer

    def check(self, value: object, at: str) -> Iterator[FieldError]:
        """Yield the rules that the amount breaks; `at` is its place in the file."""
        if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) > _DIGITS:
            value = "1e…"  # written out, it could take all memory; it is out of bounds anyway
        try:
            amount = money.parse_major(value, self.currency)
        except money.AmountError as error:
            yield FieldError(at, str(error))
        else:
            if not self.minor.minimum <= amount <= self.minor.maximum:
                least, most = (
                    money.format_major(bound, self.currency)
                    for bound in (self.minor.minimum, self.minor.maximum)
                )
                yield FieldError(at, f"must be from {least} to {most} {self.currency}")

    def schema(self) -> Json:
        """Return the JSON Schema of an amount."""
        return {"type": ["number", "string"]}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record.

    Attributes:
        plural: What a list of them is called.
        key: The field that holds a record's id, and that tells the kind.
        shape: The schema of a record.
        body: Makes the data API's body of a record that has that schema.
    """

    plural: str
    key: str
    shape: fields.Object
    body: Callable[[Mapping[str, Any]], Json]

    def check(self, record: object, at: str) -> Iterator[FieldError]:
        """Yield every rule that a record breaks, those of the data API's request included."""
        broken = list(self.shape.check(record, at))
        yield from broken
        if not broken and isinstance(record, dict):
            yield from _check_request(self.body(record), at)


def kinds(currency: str) -> list[Kind]:
    """Return every kind, the most telling key first: an order, too, has a `user_id`."""
    return [_orders(currency), _products(currency), _users(currency)]


def _orders(currency: str) -> Kind:
    line: dict[str, fields.Field] = {
        **_item(currency),
        "requested_count": bodies.QUANTITY,
        "delivery_address": bodies.ADDRESS,
    }
    order: dict[str, fields.Field] = {
        "order_id": bodies.ORDER_ID,
        "user_id": bodies.USER_ID,
        "products": fields.Array(fields.Object(line), 1, bodies.MAX_LINES, unique="product_id"),
    }

    def body(record: Mapping[str, Any]) -> Json:
        lines = [_line(entry, currency) for entry in record["products"]]
        return {"user_id": record["user_id"], "currency": currency, "lines": lines}

    return Kind("orders", "order_id", fields.Object(order), body)


def _line(entry: Mapping[str, Any], currency: str) -> Json:
    kept = {key: entry[key] for key in ("product_id", "name", "type", "delivery_address")}
    price = money.parse_major(entry["price"], currency)
    return {**kept, "price": price, "quantity": entry["requested_count"]}


def _products(currency: str) -> Kind:
    product: dict[str, fields.Field] = {**_item(currency), "available_count": bodies.AVAILABLE}

    def body(record: Mapping[str, Any]) -> Json:
        kept = {key: record[key] for key in ("name", "type")}
        price = money.parse_major(record["price"], currency)
        return {**kept, "price": price, "currency": currency, "available": record["available_count"]}

    return Kind("products", "product_id", fields.Object(product), body)


def _users(currency: str) -> Kind:
    user: dict[str, fields.Field] = {
        "user_id": bodies.USER_ID,
        "username": bodies.USERNAME,
        "credit": Money(currency, bodies.BALANCE),
        "wallet": bodies.WALLET,
    }

    def body(record: Mapping[str, Any]) -> Json:
        balance = money.parse_major(record["credit"], currency)
        wallet = {"wallet": record["wallet"]} if "wallet" in record else {}
        return {"username": record["username"], "balance": balance, "currency": currency, **wallet}

    return Kind("users", "user_id", fields.Object(user, ("wallet",)), body)


def _item(currency: str) -> dict[str, fields.Field]:
    return {
        "product_id": bodies.PRODUCT_ID,
        "name": bodies.NAME,
        "price": Money(currency, bodies.PRICE),
        "type": bodies.TYPE,
    }


def _check_request(body: Json, at: str) -> Iterator[FieldError]:
    """Yield what the data API refuses in a request whose fields are all right."""
    total = sum(line["price"] * line["quantity"] for line in body.get("lines", ()))
    if total > money.MAX_AMOUNT:
        most = money.format_major(money.MAX_AMOUNT, body["currency"])
        yield FieldError(at, f"must not cost more than {most} {body['currency']} in all")
