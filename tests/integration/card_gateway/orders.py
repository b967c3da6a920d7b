"""Orders that are to be paid, and the faults that may come in between."""

import contextlib
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import stripe

from data_api.storage.database import Db
from payment_data.client import DataApi, Response, Transport
from payment_data.errors import OutcomeUnknown, PaymentPending
from payment_data.payment_methods.names import BALANCE, VARIABLE
from payment_data.payment_methods.protocol import Charge, PaymentMethod
from payment_data.payment_methods.registry import BANK_ACCOUNT, select
from payment_data.payment_methods.registry import CARD as CARD_MEANS
from payment_data.payment_methods.stripe_intents import PaymentIntents
from payment_data.payment_methods.stripe_payment import Means, StripePayment
from payment_data.payment_methods.stripe_records import PaymentRecords
from tests.integration.card_gateway.accounts import Account, metadata, unique
from tests.waiting import wait_until


class Desk(NamedTuple):
    """Where orders are paid."""

    api: DataApi
    db: Db
    account: Account
    gateway: PaymentIntents
    stack: str


class Way(NamedTuple):
    """A payment method, and what is good for it and bad."""

    name: str
    means: Means | None
    good: str
    bad: str
    reason: str


CARD = Way(
    "card", CARD_MEANS, "pm_card_visa", "pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"
)
BANK = Way("bank_account", BANK_ACCOUNT, "pm_success_de", "pm_insufficientFunds_de", "insufficient_funds")
BALANCES = [Way(name, None, "", "", "insufficient_funds") for name in BALANCE]
"""Every method that the data API charges to the user's balance: they differ by their names."""
CREDIT = BALANCES[0]
_BALANCE, _PRICE = 10_000, 1999
_AN_HOUR = timedelta(hours=1)


class Order:
    """An order that is to be paid, its products held, and what became of it.

    Args:
        desk: the data API, its database and the gateway.
        way: how it is paid.
        pays_with: the id at the gateway of what is paid with; what is good where none is given.
        short: whether the user's credit is too low.
        currency: of the order.
    """

    def __init__(
        self, desk: Desk, way: Way, pays_with: str | None = "", *, short: bool = False, currency: str = "EUR"
    ) -> None:
        self.id = unique("order")
        self.way = way
        self.desk = desk
        self.gateway = desk.gateway
        self.records: PaymentRecords = PaymentRecords(desk.api)
        pays_with = way.good if pays_with == "" else pays_with
        wallet = {way.name: pays_with} if way.means and pays_with else {}
        balance = _PRICE - 1 if short else _BALANCE
        self._user = {"username": "Ada", "balance": balance, "currency": currency, "wallet": wallet}
        self._place(currency)

    @classmethod
    def that_is_declined(cls, desk: Desk, way: Way) -> "Order":
        return cls(desk, way, way.bad, short=True)

    def _place(self, currency: str) -> None:
        api, goods = self.desk.api, {"name": "Tea", "type": "food", "price": _PRICE}
        api.put_product(self.id, goods | {"currency": currency, "available": 5})
        api.put_user(self.id, self._user)
        line = {**goods, "product_id": self.id, "quantity": 1, "delivery_address": "1 Row"}
        api.put_order(self.id, {"user_id": self.id, "currency": currency, "lines": [line]})
        api.reserve(self.id, execution="execution", deadline=self.deadline, method=self.way.name)

    @property
    def deadline(self) -> str:
        return (datetime.now(UTC) + _AN_HOUR).isoformat(timespec="milliseconds")

    def expire(self) -> None:
        """Let the order's deadline pass."""
        passed = {"$set": {"deadline": datetime.now(UTC) - _AN_HOUR}}
        self.desk.db.orders.update_one({"_id": self.id}, passed)
        self.desk.db.payments.update_many({"order_id": self.id}, passed)

    def method(
        self,
        gateway: PaymentIntents | None = None,
        records: PaymentRecords | None = None,
        api: DataApi | None = None,
    ) -> PaymentMethod:
        if self.way.means is None:
            return select({VARIABLE: self.way.name}, api or self.desk.api)
        kept = PaymentRecords(api) if api else records or self.records
        return StripePayment(self.way.means, kept, gateway or self.gateway, stack=self.desk.stack)

    def ask(self) -> Charge:
        return Charge(self.id, "execution", self.deadline)

    def charge(self, method: PaymentMethod | None = None) -> dict[str, Any]:
        """Charge as the workflow does: ask again while nobody can tell."""
        return self._insist(lambda: (method or self.method()).charge(self.ask()))

    def refund(self, method: PaymentMethod | None = None) -> dict[str, Any]:
        return self._insist(
            lambda: (method or self.method()).refund(self.id, execution="execution", reason="compensation")
        )

    def state(self) -> str:
        return str(self.desk.api.order(self.id)["state"])

    def intents(self) -> list[stripe.PaymentIntent]:
        listed = self.desk.account.client.v1.payment_intents.list({"limit": 30}).data
        return [intent for intent in listed if metadata(intent).get("order_id") == self.id]

    def kept(self) -> int:
        """Return what was taken for the order and not given back, in minor units, wherever it is."""
        spent: int = self._user["balance"] - self.desk.api.user(self.id)["balance"]
        if self.way.means is None:
            return spent
        assert spent == 0
        refunds = self.desk.account.client.v1.refunds
        return sum(
            intent.amount_received
            - sum(made.amount for made in refunds.list({"payment_intent": intent.id}).data)
            for intent in self.intents()
        )

    @property
    def means(self) -> Means:
        assert self.way.means
        return self.way.means

    def _insist(self, ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        def answers() -> list[dict[str, Any]]:
            with contextlib.suppress(OutcomeUnknown, PaymentPending):
                return [ask()]
            return []

        return wait_until(answers, "a final answer", seconds=self.desk.account.patience)[0]


def losing(api: DataApi, number: int) -> tuple[DataApi, list[str]]:
    """Return a data API whose answer to one write is lost after it was done, and the writes so far."""
    writes: list[str] = []
    ask: Transport = api._transport

    def lose(method: str, path: str, body: bytes | None) -> Response:
        answer = ask(method, path, body)
        if method == "PUT":
            writes.append(path)
            if len(writes) == number:
                raise OutcomeUnknown("lost")
        return answer

    return DataApi(lose), writes


class Losing:
    """A gateway whose answer to one call is lost, after it did what it was asked."""

    def __init__(self, gateway: PaymentIntents, call: str) -> None:
        self._gateway = gateway
        self._call = call
        self.lost = False

    def __getattr__(self, name: str) -> Any:
        ask = getattr(self._gateway, name)

        def asked(*arguments: Any) -> Any:
            answer = ask(*arguments)
            if name == self._call and not self.lost:
                self.lost = True
                raise OutcomeUnknown("lost")
            return answer

        return asked


class Freezing:
    """Stands before the records or the gateway; after one call the caller freezes until the undo is over."""

    def __init__(self, inner: Any, call: str, meanwhile: Callable[[], object]) -> None:
        self._inner = inner
        self._call = call
        self._meanwhile = meanwhile
        self.frozen = False

    def __getattr__(self, name: str) -> Any:
        ask = getattr(self._inner, name)

        def asked(*arguments: Any, **named: Any) -> Any:
            answer = ask(*arguments, **named)
            if name == self._call and not self.frozen:
                self.frozen = True
                self._meanwhile()
            return answer

        return asked


class Rekeyed:
    """A gateway that has forgotten all keys: each is new to it."""

    def __init__(self, gateway: PaymentIntents) -> None:
        self._gateway = gateway
        self._count = itertools.count()

    def __getattr__(self, name: str) -> Any:
        ask = getattr(self._gateway, name)
        if name not in ("create", "refund"):
            return ask
        return lambda key, *rest: ask(f"{key}:{next(self._count)}", *rest)
