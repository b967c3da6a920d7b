"""The shapes that sample files hold, and the data API's bodies made from them.

The files speak the business's language (major units, `credit`, `requested_count`); the bodies speak the
system's (minor units, `balance`, `quantity`).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from payment_data import fields, money
from payment_data.errors import FieldError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Json = dict[str, Any]

_DIGITS: Final = 40
_NAME: Final = fields.Text(200, 1)
_IN_A_WALLET: Final = ("customer", "card", "bank_account")
_GATEWAY_ID: Final = fields.Text(
    68, 4, r"^(cus|pm)_[A-Za-z0-9_]{1,64}$", "must be an id of Stripe's like pm_1"
)
_COUNT: Final = fields.Integer(0, 10**9)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in major units: a JSON number or string with no more decimals than the currency has."""

    currency: str
    maximum: int

    def check(self, value: object, at: str) -> Iterator[FieldError]:
        """Yield what is wrong with the amount."""
        if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) > _DIGITS:
            value = "1e…"  # written out, it could take all memory; it is out of bounds anyway
        try:
            amount = money.parse_major(value, self.currency)
        except money.AmountError as error:
            yield FieldError(at, str(error))
        else:
            if amount > self.maximum:
                most = money.format_major(self.maximum, self.currency)
                yield FieldError(at, f"must be at most {most} {self.currency}")

    def schema(self) -> Json:
        """Describe the amount as JSON Schema."""
        return {"type": ["number", "string"]}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record.

    Attributes:
        plural: What a list of them is called.
        key: The field that holds a record's id, and that tells the kind.
        shape: What a record must look like.
        body: Makes the data API's body of a record that has that shape.
    """

    plural: str
    key: str
    shape: fields.Object
    body: Callable[[Mapping[str, Any]], Json]


def kinds(currency: str) -> list[Kind]:
    """Every kind, the most telling key first: an order, too, has a `user_id`."""
    return [_orders(currency), _products(currency), _users(currency)]


def _orders(currency: str) -> Kind:
    line: dict[str, fields.Field] = {
        **_item(currency),
        "requested_count": fields.Integer(1, 10_000),
        "delivery_address": fields.Text(500),
    }
    order: dict[str, fields.Field] = {
        "order_id": fields.identifier("The order"),
        "user_id": fields.identifier("Who pays"),
        "products": fields.Array(fields.Object(line), 1, 100, unique="product_id"),
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
    product: dict[str, fields.Field] = {**_item(currency), "available_count": _COUNT}

    def body(record: Mapping[str, Any]) -> Json:
        kept = {key: record[key] for key in ("name", "type")}
        price = money.parse_major(record["price"], currency)
        return {**kept, "price": price, "currency": currency, "available": record["available_count"]}

    return Kind("products", "product_id", fields.Object(product), body)


def _users(currency: str) -> Kind:
    user: dict[str, fields.Field] = {
        "user_id": fields.identifier("Who pays"),
        "username": _NAME,
        "credit": Money(currency, money.MAX_BALANCE),
        "wallet": fields.Object(dict.fromkeys(_IN_A_WALLET, _GATEWAY_ID), _IN_A_WALLET),
    }

    def body(record: Mapping[str, Any]) -> Json:
        balance = money.parse_major(record["credit"], currency)
        wallet = {"wallet": record["wallet"]} if "wallet" in record else {}
        return {"username": record["username"], "balance": balance, "currency": currency, **wallet}

    return Kind("users", "user_id", fields.Object(user, ("wallet",)), body)


def _item(currency: str) -> dict[str, fields.Field]:
    return {
        "product_id": fields.identifier("The product"),
        "name": _NAME,
        "price": Money(currency, money.MAX_AMOUNT),
        "type": _NAME,
    }
