"""The checks of a smoke run: what the data API answers about the synthetic shop, and what it must answer."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from payment_data.client import DataApi
from payment_data.errors import Kind, Problem
from payment_data.payment_methods.names import BALANCE
from smoke.scenarios import Scenarios

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
