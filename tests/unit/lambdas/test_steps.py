"""The steps' own handlers, over real HTTP, with the data API answering as told."""

import importlib
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from data_api.domain import requests
from payment_data import errors, metrics
from payment_data.client import encoded
from tests.unit.lambdas.conftest import FakeApi, problem

EVENT = {"order_id": "o1", "execution": "arn:e", "deadline": "2026-01-31T12:00:00Z", "reason": "OutOfStock"}
FAILURE = {
    "order_id": "o1",
    "execution": "arn:e",
    "execution_name": "o1",
    "step": "Arrange delivery",
    "error": "DeliveryRejected",
    "cause": "why",
    "compensated": True,
}
STEPS = ["reserve_products", "process_payment", "arrange_delivery", "refund_payment", "release_products"]
Run = Callable[..., Any]


@pytest.fixture
def run(fake_api: FakeApi) -> Run:
    """Imports a function's handler afresh, as a cold start does, and invokes it."""

    def invoke(function: str, event: Any) -> Any:
        for name in [name for name in sys.modules if name.split(".")[0] == function]:
            del sys.modules[name]
        handler = importlib.import_module(f"{function}.handler").handler
        return handler(event, SimpleNamespace(aws_request_id="r", function_version="7"))

    return invoke


def lines(capsys: pytest.CaptureFixture[str]) -> list[Any]:
    """What was logged, without the metrics."""
    return [line for line in map(json.loads, capsys.readouterr().out.splitlines()) if "_aws" not in line]


def measured(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What was measured: metric to (value, its dimensions beside the service)."""
    found = {}
    for line in map(json.loads, capsys.readouterr().out.splitlines()):
        for about in line.get("_aws", {}).get("CloudWatchMetrics", []):
            [metric], [names] = about["Metrics"], about["Dimensions"]
            found[metric["Name"]] = (line[metric["Name"]][0], {n: line[n] for n in names if n != "service"})
    return found


@pytest.mark.parametrize(
    ("function", "path", "body", "answer", "returned"),
    [
        (
            "reserve_products",
            "/orders/o1/reservation",
            {"execution": "arn:e", "deadline": "2026-01-31T12:00:00Z", "method": "credit"},
            {"order_id": "o1", "lines": [{}]},
            {"order_id": "o1", "state": "held"},
        ),
        (
            "process_payment",
            "/orders/o1/payment",
            {"execution": "arn:e", "deadline": "2026-01-31T12:00:00Z", "method": "credit", "attempt": 1},
            {"order_id": "o1", "state": "charged", "amount": 1, "currency": "EUR"},
            {"order_id": "o1", "state": "charged", "amount": 1, "currency": "EUR"},
        ),
        (
            "arrange_delivery",
            "/orders/o1/deliveries",
            {"execution": "arn:e", "deadline": "2026-01-31T12:00:00Z"},
            {"order_id": "o1", "deliveries": [{"delivery_address": "SECRET"}, {}]},
            {"order_id": "o1", "deliveries": 2},
        ),
        (
            "refund_payment",
            "/orders/o1/refund",
            {"execution": "arn:e", "reason": "OutOfStock"},
            {"order_id": "o1", "state": "refunded"},
            {"order_id": "o1", "state": "refunded"},
        ),
        (
            "release_products",
            "/orders/o1/release",
            {"execution": "arn:e", "reason": "OutOfStock"},
            {"order_id": "o1", "lines": []},
            {"order_id": "o1", "state": "void"},
        ),
    ],
)
def test_a_step_asks_for_its_operation_and_returns_what_the_next_needs(  # noqa: PLR0917 - pytest passes them
    run: Run, fake_api: FakeApi, function: str, path: str, body: Any, answer: Any, returned: Any
) -> None:
    # Given
    fake_api.answers = [(200, answer)]
    # When
    result = run(function, EVENT)
    # Then
    assert result == returned
    assert [(r.method, r.path, r.body) for r in fake_api.received] == [("PUT", f"/live{path}", body)]


@pytest.mark.parametrize("function", STEPS)
@pytest.mark.parametrize(
    "event",
    [
        {},
        {"order_id": None},
        {"order_id": 5},
        {"order_id": {"$ne": None}},
        {"order_id": ["o1"]},
        {"order_id": "o 1"},
        {"order_id": ""},
        {"order_id": "x" * 65},
        [],
        None,
        "o1",
    ],
)
def test_an_order_id_that_is_none_is_an_invalid_order_and_nothing_is_asked(
    run: Run, fake_api: FakeApi, function: str, event: Any
) -> None:
    # Given
    rest = {"execution": "arn:e", "deadline": "2026-01-31T12:00:00Z"}
    full = rest | event if isinstance(event, dict) else event
    # When
    with pytest.raises(errors.InvalidOrder, match="order_id"):
        run(function, full)
    # Then
    assert fake_api.received == []


@pytest.mark.parametrize("function", STEPS)
@pytest.mark.parametrize("name", ["OutOfStock", "OrderCompleted", "Throttled", "OutcomeUnknown"])
def test_an_error_keeps_its_name(run: Run, fake_api: FakeApi, function: str, name: str) -> None:
    # Given
    fake_api.answers = [problem(name, errors.BY_NAME[name].status)]
    # When
    with pytest.raises(errors.BY_NAME[name]) as raised:
        run(function, EVENT)
    # Then
    assert type(raised.value).__name__ == name


@pytest.mark.parametrize("function", ["refund_payment", "release_products"])
def test_an_order_that_does_not_exist_has_nothing_to_undo(run: Run, fake_api: FakeApi, function: str) -> None:
    # Given
    fake_api.answers = [problem("OrderNotFound", 404)]
    # When / Then
    assert run(function, EVENT) == {"order_id": "o1", "state": "none"}


@pytest.mark.parametrize("function", ["process_payment", "refund_payment"])
@pytest.mark.parametrize("name", ["cash", "", "Credit", None])
def test_an_unknown_payment_method_fails_at_start(
    run: Run, monkeypatch: pytest.MonkeyPatch, function: str, name: str | None
) -> None:
    # Given
    monkeypatch.delenv("PAYMENT_METHOD")
    if name is not None:
        monkeypatch.setenv("PAYMENT_METHOD", name)
    # When
    with pytest.raises(ValueError, match=r"PAYMENT_METHOD is .*choose one of .*credit") as raised:
        run(function, EVENT)
    # Then
    assert type(raised.value).__name__ == "UnknownPaymentMethod"


def test_the_log_tells_order_execution_and_what_kind_of_error(
    run: Run, fake_api: FakeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given
    fake_api.answers = [problem("IdempotencyMismatch", 409)]
    # When
    with pytest.raises(errors.IdempotencyMismatch):
        run("process_payment", EVENT)
    # Then
    entry = lines(capsys)[-1]
    assert (entry["order_id"], entry["execution"], entry["function_version"]) == ("o1", "arn:e", "7")
    assert (entry["level"], entry["kind"], entry["error"]) == ("ERROR", "contract", "IdempotencyMismatch")


def test_the_log_of_one_order_does_not_show_the_last_ones_id(
    run: Run, fake_api: FakeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given a warm sandbox
    run("release_products", EVENT)
    handler = sys.modules["release_products.handler"].handler
    # When an event without an order id comes
    with pytest.raises(errors.InvalidOrder):
        handler({}, SimpleNamespace(aws_request_id="r2"))
    # Then
    entry = lines(capsys)[-1]
    assert "order_id" not in entry
    assert entry["request_id"] == "r2"


def test_no_personal_data_is_logged(run: Run, fake_api: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
    # Given
    fake_api.answers = [(200, {"deliveries": [{"delivery_address": "SECRET"}]})]
    # When
    run("arrange_delivery", EVENT)
    # Then
    assert "SECRET" not in capsys.readouterr().out


def test_a_failure_is_recorded(run: Run, fake_api: FakeApi) -> None:
    # Given
    fake_api.answers = [(200, {"order_id": "o1", "state": "FAILED"})]
    # When
    result = run("record_failure", FAILURE)
    # Then
    assert result == {"recorded": "o1", "state": "FAILED"}
    request = fake_api.received[0]
    assert request.path == "/live/orders/o1/failure"
    assert request.body == {
        "execution": "arn:e",
        "step": "Arrange delivery",
        "error": "DeliveryRejected",
        "cause": "why",
        "compensated": True,
        "record_only": False,
    }


@pytest.mark.parametrize("order_id", [None, {"$ne": None}, 5, "a b", ["x"]])
def test_a_failure_of_what_is_no_order_id_is_recorded_under_the_executions_name_only(
    run: Run, fake_api: FakeApi, order_id: Any
) -> None:
    # Given
    fake_api.answers = [(200, {"order_id": "run-7", "state": "UNKNOWN"})]
    # When
    run("record_failure", FAILURE | {"order_id": order_id, "execution_name": "run-7"})
    # Then no order of that name is touched
    assert fake_api.received[0].path == "/live/orders/run-7/failure"
    assert fake_api.received[0].body["record_only"] is True


def test_whatever_a_failure_holds_is_recorded(run: Run, fake_api: FakeApi) -> None:
    # Given the last resort, which refuses nothing
    fake_api.answers = [(200, {"order_id": "x", "state": "UNKNOWN"})]
    odd = {"cause": "x" * 40_000 + "\ud800\0", "step": None, "error": {"a": 1}, "compensated": "yes"}
    # When
    run("record_failure", odd | {"execution_name": "with space"})
    # Then
    body = fake_api.received[0].body
    assert len(body["cause"]) == 7_000
    assert (body["step"], body["error"], body["compensated"]) == ("null", '{"a": 1}', False)
    assert fake_api.received[0].path.startswith("/live/orders/execution-")


def test_why_an_undo_failed_is_recorded_in_the_functions_words(run: Run, fake_api: FakeApi) -> None:
    # Given a function's error whose stack was cut off, and one that Step Functions raised itself
    fake_api.answers = [(200, {"order_id": "o1", "state": "NEEDS_ATTENTION"})]
    cut = '{"errorMessage": "the \\"bank\\"\tis away", "errorType": "ApiUnavailable", "stackTrace": ["  File'
    failed = {
        "Refund payment": {"error": "ApiUnavailable", "cause": cut},
        "Release products": {"error": "States.Timeout", "cause": ""},
    }
    # When
    run("record_failure", FAILURE | {"compensated": False, "undo_failures": failed, "redrives": 2})
    # Then
    body = fake_api.received[0].body
    assert body["redrives"] == 2
    assert body["undo_failures"] == [
        {"step": "Refund payment", "error": "ApiUnavailable", "cause": 'the "bank"\tis away'},
        {"step": "Release products", "error": "States.Timeout", "cause": "unknown"},
    ]


@pytest.mark.parametrize("odd", [5, ["x"], {"Refund payment": 5}, {}])
def test_odd_failures_of_an_undo_do_not_stop_the_last_resort(run: Run, fake_api: FakeApi, odd: Any) -> None:
    fake_api.answers = [(200, {"order_id": "o1", "state": "NEEDS_ATTENTION"})]
    run("record_failure", FAILURE | {"undo_failures": odd, "redrives": "many"})
    assert "undo_failures" not in fake_api.received[0].body


def test_the_longest_causes_fit_into_one_request(run: Run, fake_api: FakeApi) -> None:
    # Given every text at its longest, of characters that JSON escapes
    fake_api.answers = [(200, {"order_id": "o1", "state": "NEEDS_ATTENTION"})]
    long = {"error": "\1" * 300, "cause": "\1" * 4_000}
    # When
    whole = long | {"execution": "x" * 3_000, "step": "\1" * 300, "cause": "\1" * 32_768}
    run("record_failure", FAILURE | whole | {"undo_failures": {"\1" * 300: long, "\2" * 300: long}})
    # Then the data API, which takes 64 KiB, takes it, and each text is as long as it may be
    body = fake_api.received[0].body
    assert len(encoded(body)) < 65_536
    assert [len(body[name]) for name in ("execution", "step", "error", "cause")] == [2_048, 200, 200, 7_000]
    assert [(len(undo["error"]), len(undo["cause"])) for undo in body["undo_failures"]] == [(200, 1_000)] * 2


def test_an_order_is_parked_until_its_execution_is_redriven(
    run: Run, fake_api: FakeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    # When it comes to the state, and again after a redrive
    with pytest.raises(errors.NeedsAttention):
        run("record_failure", FAILURE | {"parked": True, "redrive_count": 0})
    entry = lines(capsys)[-1]
    again = run("record_failure", FAILURE | {"parked": True, "redrive_count": 1})
    # Then the log has the line that the alarm counts, and the execution goes on
    assert (entry["kind"], entry["error"], entry["order_id"]) == ("parked", "NeedsAttention", "o1")
    assert again == {"redriven": True}
    assert fake_api.received == []


@pytest.mark.parametrize("function", STEPS)
def test_every_step_measures_how_long_it_took_also_when_it_fails(
    run: Run, fake_api: FakeApi, capsys: pytest.CaptureFixture[str], function: str
) -> None:
    # Given
    fake_api.answers = [problem("Throttled", 429)]
    # When
    with pytest.raises(errors.Throttled):
        run(function, EVENT)
    # Then nothing else is counted
    (value, dimensions) = (found := measured(capsys))["StepDuration"]
    assert (value > 0, dimensions, list(found)) == (True, {"step": function}, ["StepDuration"])


@pytest.mark.parametrize(("seconds", "in_time"), [(0, 1), (59, 1), (61, 0), (86_400, 0), (None, 0)], ids=str)
@pytest.mark.parametrize("function", ["arrange_delivery", "record_failure"])
def test_the_step_that_ends_an_order_says_whether_it_was_in_time(  # noqa: PLR0917 - pytest passes them
    run: Run,
    fake_api: FakeApi,
    capsys: pytest.CaptureFixture[str],
    function: str,
    seconds: int | None,
    in_time: int,
) -> None:
    # Given an execution that started so long ago, or nobody knows when
    began = None if seconds is None else (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()
    fake_api.answers = [(200, {"order_id": "o1", "state": "FAILED", "deliveries": []})]
    # When
    run(function, EVENT | FAILURE | {"started": began})
    # Then
    found = measured(capsys)
    assert (found["OrdersEnded"][0], found["OrdersEndedInTime"][0]) == (1, in_time)


def test_an_order_that_could_not_be_undone_has_not_ended(
    run: Run, fake_api: FakeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_api.answers = [(200, {"order_id": "o1", "state": "NEEDS_ATTENTION"})]
    run("record_failure", FAILURE | {"compensated": False, "release": "0123abcd-1"})
    found = measured(capsys)
    assert "OrdersEnded" not in found
    # And that speaks against its release
    assert found["ReleaseFailures"] == (1, {"release": "0123abcd-1"})


@pytest.mark.parametrize("function", ["refund_payment", "release_products"])
def test_an_undo_is_counted(
    run: Run, fake_api: FakeApi, capsys: pytest.CaptureFixture[str], function: str
) -> None:
    fake_api.answers = [(200, {"order_id": "o1", "state": "refunded"})]
    run(function, EVENT)
    assert measured(capsys)["Compensations"] == (1, {"step": function})


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("OutOfStock", "OutOfStock"),
        ("States.Timeout", "States.Timeout"),
        ("Ada's card", "Other"),
        (None, "Other"),
    ],
)
def test_a_reason_is_a_name_that_we_know(error: str | None, reason: str) -> None:
    assert metrics.reason(error) == reason


def unchanged(seconds: int, state: str = "PAID") -> dict[str, Any]:
    at = datetime.now(UTC) - timedelta(seconds=seconds)
    return {"order_id": f"o{seconds}", "state": state, "updated_at": at.isoformat()}


def listed(*ages: int, after: str | None = None) -> tuple[int, dict[str, Any]]:
    """A page of orders, each unchanged for so many seconds."""
    found = [unchanged(age) for age in ages]
    return 200, {"orders": found} | ({"next": after} if after else {})


def test_unfinished_orders_are_found_state_by_state_and_page_by_page(run: Run, fake_api: FakeApi) -> None:
    # Given two pages of one state, the second with an order that changed just now, and nothing else
    pages = [listed(500, 400, after="x~o400"), listed(300, 5), *([listed()] * 4)]
    fake_api.answers = [(200, {}), *pages]
    # When one asks on as told, to the end
    found: list[str] = []
    event: dict[str, str] = {}
    while True:
        answer = run("find_unfinished", event)
        found += [order["order_id"] for order in answer["orders"]]
        if "next" not in answer:
            break
        event = answer["next"]
    # Then every state was asked, and what is on its way is left alone
    assert found == ["o500", "o400", "o300"]
    asked = [dict(parse_qsl(urlsplit(request.path).query)) for request in fake_api.received[1:]]
    states = ["CANCELLING", "CANCELLING", "PAID", "RESERVED", "NEW"]
    assert [query["state"] for query in asked] == states
    assert asked[1]["after"] == "x~o400"


@pytest.mark.parametrize(
    ("state", "orders"), [("PAID", ["o1"]), ("COMPLETED", []), ("FAILED", []), ("NEEDS_ATTENTION", [])]
)
def test_one_order_is_unfinished_or_not(run: Run, fake_api: FakeApi, state: str, orders: list[str]) -> None:
    fake_api.answers = [(200, unchanged(1, state))]
    found = run("find_unfinished", {"order_id": "o1"})["orders"]
    assert [order["order_id"] for order in found] == orders


@pytest.mark.parametrize(
    ("state", "orders"), [("PAID", ["o1"]), ("NEEDS_ATTENTION", ["o1"]), ("COMPLETED", []), ("FAILED", [])]
)
def test_a_person_may_have_a_parked_order_undone(
    run: Run, fake_api: FakeApi, state: str, orders: list[str]
) -> None:
    fake_api.answers = [(200, unchanged(1, state))]
    asked = run("find_unfinished", {"order_id": "o1", "undo": True})["orders"]
    assert [order["order_id"] for order in asked if order["undo"]] == orders


@pytest.mark.parametrize(
    ("state", "hours", "overdue"),
    [("RESERVED", 26, True), ("CANCELLING", 26, True), ("PAID", 24, False), ("NEW", 10_000, False)],
)
def test_an_order_that_was_begun_is_overdue_after_every_deadline(
    run: Run, fake_api: FakeApi, state: str, hours: int, overdue: bool
) -> None:
    fake_api.answers = [(200, order := unchanged(hours * 3600, state))]
    (found,) = run("find_unfinished", {"order_id": order["order_id"]})["orders"]
    same = {key: order[key] for key in ("order_id", "updated_at")}
    assert found == same | {"overdue": overdue, "undo": False}
    # And no forward request can come so late
    assert sys.modules["find_unfinished.handler"].OVERDUE > requests.LONGEST_DEADLINE


def test_a_sweep_goes_on_where_the_last_one_stopped(run: Run, fake_api: FakeApi) -> None:
    # Given a sweep that stopped among the reserved orders
    fake_api.answers = [(200, {"state": "RESERVED", "after": "x~o9"}), listed()]
    # When the next one begins
    run("find_unfinished", {})
    # Then
    assert [urlsplit(request.path).path for request in fake_api.received] == ["/live/sweep", "/live/orders"]
    query = dict(parse_qsl(urlsplit(fake_api.received[1].path).query))
    assert (query["state"], query["after"]) == ("RESERVED", "x~o9")


@pytest.mark.parametrize("kept", [{"state": "NEW", "after": "x~o9"}, {"state": "PAID", "new_after": "x~o9"}])
def test_orders_that_were_never_placed_hide_none_that_holds_money(
    run: Run, fake_api: FakeApi, kept: dict[str, str]
) -> None:
    # Given so many new orders that a sweep stopped among them, or in the next one before it came to them
    fake_api.answers = [(200, kept), *([listed()] * 4)]
    # When the next one runs to its end
    event: dict[str, str] | None = {}
    while event is not None:
        event = run("find_unfinished", event).get("next")
    # Then it looked at what may hold money first, and went on among the new ones
    asked = [dict(parse_qsl(urlsplit(request.path).query)) for request in fake_api.received[1:]]
    places = [(query["state"], query.get("after", "")) for query in asked]
    money = [("CANCELLING", ""), ("PAID", ""), ("RESERVED", "")]
    assert places == [*(money if kept["state"] == "NEW" else money[1:]), ("NEW", "x~o9")]


def test_a_sweep_measures_how_old_what_is_unfinished_is(
    run: Run, fake_api: FakeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given an order that has not changed for an hour, and one for a minute
    fake_api.answers = [(200, {}), listed(3600, 60)]
    # When a sweep looks at their page; Then the older one's age is on record
    run("find_unfinished", {})
    assert 3600 <= measured(capsys)["OldestUnfinishedSeconds"][0] < 3660
    # And a page without an order has none
    fake_api.answers = [listed()]
    run("find_unfinished", {"state": "PAID", "after": ""})
    assert measured(capsys)["OldestUnfinishedSeconds"][0] == 0
    # And one that was never placed is as old as it likes
    fake_api.answers = [listed(10**8)]
    run("find_unfinished", {"state": "NEW", "after": ""})
    assert "OldestUnfinishedSeconds" not in measured(capsys)


@pytest.mark.parametrize(
    "place", [{"state": "NEW", "after": "x~o1"}, {"state": "PAID", "after": "x~o1", "new_after": "y~o2"}, {}]
)
def test_where_a_sweep_stopped_is_kept(run: Run, fake_api: FakeApi, place: dict[str, str]) -> None:
    fake_api.answers = [(200, place)]
    assert run("find_unfinished", {"stopped_at": place | {"quiet_seconds": 1}, "asked": {}}) == {"orders": []}
    assert [(request.path, request.body) for request in fake_api.received] == [("/live/sweep", place)]


def test_a_sweep_of_one_order_keeps_no_place(run: Run, fake_api: FakeApi) -> None:
    assert run("find_unfinished", {"stopped_at": {}, "asked": {"order_id": "o1"}}) == {"orders": []}
    assert fake_api.received == []


def test_an_order_that_does_not_exist_is_not_unfinished(run: Run, fake_api: FakeApi) -> None:
    fake_api.answers = [problem("OrderNotFound", 404)]
    assert run("find_unfinished", {"order_id": "o1"}) == {"orders": []}
