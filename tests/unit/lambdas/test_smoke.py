"""What a smoke run makes, and that it passes only where everything came out as it must."""

import copy
import importlib
import re
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from payment_data.client import DataApi
from payment_data.errors import (
    AccessDenied,
    ApiUnavailable,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    Problem,
)
from smoke.scenarios import scenarios, verify
from tests.unit.lambdas.conftest import FakeApi

ENDS = {
    "happy": {"status": "SUCCEEDED"},
    "out_of_stock": {"status": "FAILED", "error": "OutOfStock"},
    "declined": {"status": "FAILED", "error": "PaymentDeclined"},
    "duplicate": {"status": "REFUSED"},
}
RUN = scenarios("r-1")


class Read(DataApi):
    """The data API after a run in which everything went well, as far as `answers` leaves it so."""

    def __init__(self, state: str = "charged", method: str = "credit", spent: int = 2_500) -> None:
        paid = {"state": state, "method": method, "amount": 2_500}
        declined = {"state": "declined", "method": method, "amount": 1_000}
        self.answers: dict[str, Any] = {
            "product smoke-r-1-plenty": {"available": 3},
            "product smoke-r-1-scarce": {"available": 0},
            "user smoke-r-1-rich": {"balance": 10_000 - spent},
            "user smoke-r-1-poor": {"balance": 1},
            "payment smoke-r-1-happy": paid,
            "payment smoke-r-1-declined": declined,
            "deliveries smoke-r-1-happy": {"deliveries": [{"state": "arranged"}, {"state": "arranged"}]},
            "deliveries smoke-r-1-out_of_stock": {"deliveries": [{"state": "rejected"}]},
            "deliveries smoke-r-1-declined": {"deliveries": []},
            **_histories("happy", ["NEW", "RESERVED", "PAID", "COMPLETED"]),
            **_histories("out_of_stock", ["NEW", "CANCELLING", "FAILED"], "OutOfStock"),
            **_histories("declined", ["NEW", "RESERVED", "CANCELLING", "FAILED"], "PaymentDeclined"),
        }

    def __getattribute__(self, name: str) -> Any:
        if name in {"product", "user", "payment", "deliveries", "history", "failures"}:
            return lambda key: self._answer(f"{name} {key}")
        return super().__getattribute__(name)

    def _answer(self, what: str) -> Any:
        answer = self.answers[what]
        if isinstance(answer, Problem):
            raise answer
        return answer


def _histories(scenario: str, states: list[str], *failures: str) -> dict[str, Any]:
    return {
        f"history smoke-r-1-{scenario}": {"history": [{"to": state} for state in states]},
        f"failures smoke-r-1-{scenario}": {"failures": [{"error": error} for error in failures]},
    }


def failed(api: DataApi, ends: dict[str, Any] | None = None, method: str = "credit") -> dict[str, str]:
    checks = verify(api, RUN, ENDS if ends is None else ends, method)
    assert [check["name"] for check in checks] == [
        "happy order",
        "out_of_stock order",
        "declined order",
        "duplicate start",
        "stock",
        "money",
        "deliveries",
        "history",
    ]
    assert all(check["detail"] == "as expected" for check in checks if check["ok"])
    return {check["name"]: check["detail"] for check in checks if not check["ok"]}


@pytest.mark.parametrize(
    ("state", "method", "spent"),
    [("charged", "credit", 2_500), ("captured", "card", 0), ("captured", "bank_account", 0)],
)
def test_a_run_in_which_everything_went_well_passes(state: str, method: str, spent: int) -> None:
    assert failed(Read(state, method, spent), method=method) == {}
    # But not where the money was taken by another method, or the other way.
    assert set(
        failed(Read("captured" if state == "charged" else "charged", method, spent), method=method)
    ) == {"money"}


def _changes(answer: Any) -> list[Any]:
    """Each answer that differs in one place."""
    changed: list[Any] = []
    for key, value in answer.items():
        others: list[Any] = [value + 1] if isinstance(value, int) else []
        others += ["another"] if isinstance(value, str) else []
        changed.extend({**answer, key: other} for other in others)
        if isinstance(value, list):
            changed += [{key: value[:-1]}] if value else []
            changed.append({key: [*value, {"state": "arranged", "to": "FAILED", "error": "OutOfStock"}]})
            changed.extend({key: [*value[:-1], {name: "another"}]} for name in (value[-1] if value else ()))
    return changed


# How much is declined is on record in one place alone, and a rejected delivery says no more than none.
HARMLESS = {("payment smoke-r-1-declined", "amount"), ("deliveries smoke-r-1-out_of_stock", "deliveries")}
CHECKED_BY = {"product": "stock", "user": "money", "payment": "money", "deliveries": "deliveries"}


@pytest.mark.parametrize("what", sorted(Read().answers))
def test_whatever_came_out_otherwise_fails_its_check(what: str) -> None:
    right = Read().answers[what]
    for wrong in _changes(right):
        api = Read()
        api.answers[what] = copy.deepcopy(wrong)
        [changed] = [key for key in right if right[key] != wrong[key]]
        expected = {CHECKED_BY.get(what.partition(" ")[0], "history")}
        if (what, changed) in HARMLESS and not any(
            entry.get("state") == "arranged" for entry in wrong.get("deliveries", ())
        ):
            expected = set()
        assert set(failed(api)) == expected, wrong


@pytest.mark.parametrize(
    ("scenario", "wrong", "check"),
    [
        ("happy", {"status": "FAILED", "error": "OutOfStock"}, "happy order"),
        ("happy", {"status": "SUCCEEDED", "error": "OutOfStock"}, "happy order"),
        ("out_of_stock", {"status": "FAILED", "error": "PaymentDeclined"}, "out_of_stock order"),
        ("declined", {"status": "FAILED"}, "declined order"),
        ("duplicate", {"status": "FAILED"}, "duplicate start"),
        ("happy", None, "happy order"),
        ("duplicate", None, "duplicate start"),
    ],
)
def test_an_execution_that_ended_otherwise_fails_its_check(scenario: str, wrong: Any, check: str) -> None:
    [detail] = failed(Read(), {**ENDS, scenario: wrong}).values()
    assert check in failed(Read(), {**ENDS, scenario: wrong})
    assert str((wrong or {}).get("status")) in detail
    assert "expected" in detail


def test_a_second_start_may_also_be_answered_with_the_first_execution() -> None:
    assert failed(Read(), {**ENDS, "duplicate": {"status": "SUCCEEDED"}}) == {}


def test_no_answer_is_asked_for_again_and_a_refusal_fails_the_check() -> None:
    for kind in (ApiUnavailable, OutcomeUnknown):
        api = Read()
        api.answers["user smoke-r-1-rich"] = kind("down")
        with pytest.raises(kind):
            failed(api)
    for refused in (NotFound("no such user"), AccessDenied("no")):
        api = Read()
        api.answers["user smoke-r-1-rich"] = refused
        assert failed(api) == {"money": f"{type(refused).__name__}: {refused}"}


def test_a_run_is_always_the_same_and_every_id_says_that_it_is_smoke() -> None:
    for name in ("r-1", "x" * 40):
        assert scenarios(name).prefix == f"smoke-{name}"
    for odd in ("x" * 41, "a/b", "a.b", "ü"):
        named = scenarios(odd)
        assert (named.run, named) == (odd, scenarios(odd))
        assert re.fullmatch(r"smoke-[0-9a-f]{24}", named.prefix)
    assert scenarios("a.b") != scenarios("a/b")
    for nothing in (None, "", 7):
        assert re.fullmatch(r"smoke-[0-9a-f]{32}", scenarios(nothing).prefix)
        assert scenarios(nothing) != scenarios(nothing)


def test_what_is_made_ends_in_one_order_of_each_kind() -> None:
    # Given what is sold, who buys, and what is ordered
    products, users, orders = RUN.products(), RUN.users(), RUN.orders()
    everything: list[dict[str, Any]] = [*products.values(), *users.values(), *orders.values()]
    assert all(document["synthetic"] is True for document in everything)
    assert {document["currency"] for document in everything} == {"EUR"}
    wanted = {
        scenario: {line["product_id"]: line["quantity"] for line in order["lines"]}
        for scenario, order in orders.items()
    }
    cost = {
        scenario: sum(line["price"] * line["quantity"] for line in order["lines"])
        for scenario, order in orders.items()
    }
    # Then the first takes the last of one product, so that the second cannot be served
    assert wanted["happy"][RUN.id("scarce")] == products[RUN.id("scarce")]["available"]
    assert wanted["out_of_stock"][RUN.id("scarce")] > 0
    assert RUN.left() == {
        key: product["available"] - wanted["happy"].get(key, 0) for key, product in products.items()
    }
    # And the rich user can pay both, the poor one not even the least
    rich, poor = users[RUN.id("rich")], users[RUN.id("poor")]
    assert {orders[name]["user_id"] for name in ("happy", "out_of_stock")} == {RUN.id("rich")}
    assert cost["happy"] == RUN.total() < rich["balance"]
    assert orders["declined"]["user_id"] == RUN.id("poor")
    assert cost["declined"] > poor["balance"]
    assert RUN.balances("credit") == {
        RUN.id("rich"): rich["balance"] - RUN.total(),
        RUN.id("poor"): poor["balance"],
    }
    assert RUN.balances("card") == {RUN.id("rich"): rich["balance"], RUN.id("poor"): poor["balance"]}
    # And each has both methods of Stripe's
    assert set(rich["wallet"]) == set(poor["wallet"]) == {"card", "bank_account"}


def test_everything_is_made_and_removed_by_the_api_of_the_stack(
    fake_api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given the function, as a cold start imports it
    sys.modules.pop("smoke.handler", None)
    monkeypatch.setenv("PAYMENT_METHOD", "card")
    handler = importlib.import_module("smoke.handler").handler

    def do(action: str, **event: Any) -> Any:
        fake_api.received.clear()
        return handler({"action": action, "run": "r-1"} | event, SimpleNamespace(aws_request_id="r"))

    def asked(method: str) -> set[str]:
        return {request.path for request in fake_api.received if request.method == method}

    # When
    made = do("create")
    put = asked("PUT")
    removed = do("remove")
    # Then all that was made is removed
    assert made == {"run": "r-1", "orders": {name: RUN.id(name) for name in RUN.orders()}}
    assert len(put) == removed["removed"] == 7
    assert asked("DELETE") == put
    assert removed == {"run": "r-1", "removed": 7}
    # And what else is asked for is refused
    with pytest.raises(InvalidRequest, match="action: must be create, verify or remove"):
        do("repeat")
    # And a stack that answers otherwise does not pass
    fake_api.answers = [(404, {})]
    judged = do("verify", outcomes=ENDS)
    assert (judged["run"], judged["passed"]) == ("r-1", False)
    assert [check["name"] for check in judged["checks"] if check["ok"]] == [
        "happy order",
        "out_of_stock order",
        "declined order",
        "duplicate start",
    ]
