"""What a smoke run makes, and what must become of it: a synthetic shop, and checks of it by the data API."""

import hashlib
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from payment_data.client import DataApi
from payment_data.errors import Kind, Problem
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


Check = dict[str, Any]
Probe = Callable[[DataApi, Scenarios], tuple[object, object]]
_HAPPY = ["NEW", "RESERVED", "PAID", "COMPLETED"]
_FAILED = {
    "out_of_stock": ["NEW", "CANCELLING", "FAILED"],
    "declined": ["NEW", "RESERVED", "CANCELLING", "FAILED"],
}
_ENDS: Mapping[str, tuple[str, str]] = {
    "happy": ("SUCCEEDED", ""),
    "out_of_stock": ("FAILED", "OutOfStock"),
    "declined": ("FAILED", "PaymentDeclined"),
}
# StartExecution of a running execution with the same name and input answers with that execution; of one that
# has ended it is refused (https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html).
_DUPLICATE = {"REFUSED", "SUCCEEDED"}


def verify(api: DataApi, run: Scenarios, outcomes: Mapping[str, Any], method: str) -> list[Check]:
    """Return the checks of a run: [{name, ok, detail}].

    Args:
        api: the data API.
        run: what was made.
        outcomes: {scenario: {status, error?}} as the workflow's executions ended.
        method: how orders are paid.

    Raises:
        Problem: the data API could not be asked; a check that got another answer has failed instead.
    """
    money = partial(_money, method=method)
    probes: dict[str, Probe] = {
        "stock": _stock,
        "money": money,
        "deliveries": _deliveries,
        "history": _history,
    }
    return [*_ended(outcomes), *(_asked(name, partial(probe, api, run)) for name, probe in probes.items())]


def _ended(outcomes: Mapping[str, Any]) -> Iterator[Check]:
    for scenario, expected in _ENDS.items():
        outcome = outcomes.get(scenario) or {}
        end = (str(outcome.get("status")), str(outcome.get("error") or ""))
        yield _check(f"{scenario} order", end == expected, f"{end}, expected {expected}")
    status = (outcomes.get("duplicate") or {}).get("status")
    yield _check("duplicate start", status in _DUPLICATE, f"{status}, expected one of {sorted(_DUPLICATE)}")


def _asked(name: str, probe: Callable[[], tuple[object, object]]) -> Check:
    try:
        answer, expected = probe()
    except Problem as problem:
        if problem.kind in (Kind.NOT_APPLIED, Kind.UNKNOWN_OUTCOME):
            raise  # the workflow asks again
        return _check(name, False, f"{type(problem).__name__}: {problem}")
    return _check(name, answer == expected, f"{answer}, expected {expected}")


def _stock(api: DataApi, run: Scenarios) -> tuple[object, object]:
    return {product_id: api.product(product_id)["available"] for product_id in run.products()}, run.left()


def _money(api: DataApi, run: Scenarios, *, method: str) -> tuple[object, object]:
    """Compare what users have left and what is on record of each payment."""
    balances = {user_id: api.user(user_id)["balance"] for user_id in run.users()}
    payments = {scenario: api.payment(run.id(scenario)) for scenario in ("happy", "declined")}
    recorded = {name: (paid["state"], paid.get("method"), paid["amount"]) for name, paid in payments.items()}
    taken = ("charged" if method in BALANCE else "captured", method, run.total())
    declined = ("declined", method, payments["declined"]["amount"])
    return (balances, recorded), (run.balances(method), {"happy": taken, "declined": declined})


def _deliveries(api: DataApi, run: Scenarios) -> tuple[object, object]:
    arranged = {
        scenario: sum(d["state"] == "arranged" for d in api.deliveries(run.id(scenario))["deliveries"])
        for scenario in run.orders()
    }
    return arranged, {"happy": 2, "out_of_stock": 0, "declined": 0}


def _history(api: DataApi, run: Scenarios) -> tuple[object, object]:
    """Compare the states each order went through, and whether the failed ones have a failure on record."""
    states = {
        scenario: [entry["to"] for entry in api.history(run.id(scenario))["history"]]
        for scenario in run.orders()
    }
    failures = {
        scenario: [f["error"] for f in api.failures(run.id(scenario))["failures"]]
        for scenario in run.orders()
    }
    expected = {"happy": [], "out_of_stock": ["OutOfStock"], "declined": ["PaymentDeclined"]}
    return (states, failures), ({"happy": _HAPPY} | _FAILED, expected)


def _check(name: str, ok: bool, detail: str) -> Check:
    return {"name": name, "ok": ok, "detail": "as expected" if ok else detail}
