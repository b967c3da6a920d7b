"""The synthetic shop of one run: what is made, and what each order is meant to show."""

import hashlib
import re
import uuid
from typing import Any, NamedTuple

from payment_data.payment_methods.names import BALANCE

_CURRENCY = "EUR"
_PLENTY_PRICE, _SCARCE_PRICE, _CREDIT = 1_000, 500, 10_000
# Stripe's test mode: https://docs.stripe.com/testing, "Payment methods". A live key knows none of them.
_WALLETS = {
    "rich": {"card": "pm_card_visa", "bank_account": "pm_success_de"},
    "poor": {"card": "pm_card_chargeDeclinedInsufficientFunds", "bank_account": "pm_insufficientFunds_de"},
}
_HELD_OUT_OF = {"plenty": 5, "scarce": 1}


class Scenarios(NamedTuple):
    """The documents of a run; every id begins with `smoke-`, which is what the function's role may write.

    Attributes:
        run: what names the run.
        prefix: what its ids begin with.
    """

    run: str
    prefix: str

    def id(self, name: str) -> str:
        """Return the id of something in this run."""
        return f"{self.prefix}-{name}"

    def products(self) -> dict[str, dict[str, Any]]:
        """Return five of one product and a single one of another, by id."""
        prices = {"plenty": _PLENTY_PRICE, "scarce": _SCARCE_PRICE}
        return {
            self.id(name): {
                "name": f"Smoke {name}",
                "type": "smoke",
                "price": price,
                "currency": _CURRENCY,
                "available": _HELD_OUT_OF[name],
                "synthetic": True,
            }
            for name, price in prices.items()
        }

    def users(self) -> dict[str, dict[str, Any]]:
        """Return a user who can pay and one who cannot, by id."""
        return {
            self.id(name): {
                "username": f"Smoke {name}",
                "balance": balance,
                "currency": _CURRENCY,
                "synthetic": True,
                "wallet": _WALLETS[name],
            }
            for name, balance in {"rich": _CREDIT, "poor": 1}.items()
        }

    def orders(self) -> dict[str, dict[str, Any]]:
        """Return the orders by scenario: the second wants what the first has taken the last of."""
        return {
            "happy": self._order("rich", plenty=2, scarce=1),
            "out_of_stock": self._order("rich", plenty=1, scarce=1),
            "declined": self._order("poor", plenty=1),
        }

    def left(self) -> dict[str, int]:
        """Return what must be available of each product once every order has ended."""
        return {self.id("plenty"): _HELD_OUT_OF["plenty"] - 2, self.id("scarce"): _HELD_OUT_OF["scarce"] - 1}

    def balances(self, method: str) -> dict[str, int]:
        """Return what each user must have once every order has ended, in minor units."""
        spent = self.total() if method in BALANCE else 0
        return {self.id("rich"): _CREDIT - spent, self.id("poor"): 1}

    def total(self) -> int:
        """Return what the order that succeeds costs, in minor units."""
        return 2 * _PLENTY_PRICE + _SCARCE_PRICE

    def _order(self, user: str, **quantities: int) -> dict[str, Any]:
        products = self.products()
        lines = [
            {
                "product_id": self.id(name),
                "quantity": quantity,
                "delivery_address": "1 Smoke Street",
                **{key: products[self.id(name)][key] for key in ("name", "type", "price")},
            }
            for name, quantity in quantities.items()
        ]
        return {"user_id": self.id(user), "currency": _CURRENCY, "lines": lines, "synthetic": True}


def scenarios(run: object) -> Scenarios:
    """Return a run's scenarios, always the same ones, so that a repeated create finds its own."""
    name = run if isinstance(run, str) and run else uuid.uuid4().hex
    fits = re.fullmatch(r"[A-Za-z0-9_-]{1,40}", name)
    token = name if fits else hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:24]
    return Scenarios(name, f"smoke-{token}")
