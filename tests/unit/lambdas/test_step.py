"""What every step shares: its checked event, its log, its metrics, and the time it may take."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from payment_data import errors, metrics
from payment_data.metrics import invocation
from payment_data.step import Step, checked, logged
from payment_data.timeouts import CONNECT_SECONDS, DATA_API_SECONDS, FUNCTION_SECONDS, STRIPE_SECONDS, Budget

EVENT = {"order_id": "o1", "execution": "arn:e"}


@pytest.fixture(autouse=True)
def a_logger_of_its_own(fake_api: object) -> None:
    """`fake_api` names one for each test."""


def printed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("OutOfStock", "OutOfStock"),
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 200),
        ("", "compensation"),
        (None, "compensation"),
        (7, "compensation"),
        (["OutOfStock"], "compensation"),
    ],
)
def test_an_undo_has_a_reason_that_the_data_api_takes(reason: Any, shown: str) -> None:
    assert Step("o1", "arn:e", EVENT | {"reason": reason}).reason == shown


def test_an_undo_without_a_reason_has_one() -> None:
    assert Step("o1", "arn:e", EVENT).reason == "compensation"


@pytest.mark.parametrize("deadline", [None, "soon", 7, "2026-01-31T12:00:00+01:00"])
def test_a_deadline_that_is_none_is_refused(deadline: Any) -> None:
    with pytest.raises(errors.InvalidRequest, match="deadline: must be an RFC 3339 time"):
        _ = Step("o1", "arn:e", EVENT | {"deadline": deadline}).deadline


def test_a_deadline_is_passed_on_as_it_came() -> None:
    assert (
        Step("o1", "arn:e", EVENT | {"deadline": "2026-01-31T12:00:00Z"}).deadline == "2026-01-31T12:00:00Z"
    )


def test_a_checked_event_keeps_what_only_one_step_reads() -> None:
    assert checked(EVENT | {"started": "now"}) == Step("o1", "arn:e", EVENT | {"started": "now"})


@pytest.mark.parametrize("execution", [None, "", 7, "x" * 2049])
def test_an_execution_that_is_none_is_refused(execution: Any) -> None:
    with pytest.raises(errors.InvalidRequest, match="execution: must be text of 1 to 2048"):
        checked(EVENT | {"execution": execution})


def test_an_event_that_is_no_object_is_an_invalid_order() -> None:
    with pytest.raises(errors.InvalidOrder, match="the event must be an object with an order_id"):
        checked(["o1"])


def handler_that(run: Callable[[Any], dict[str, Any]]) -> Any:
    return logged(run)


@pytest.mark.parametrize(
    ("problem", "level"),
    [
        (errors.OutOfStock, "WARNING"),
        (errors.Throttled, "WARNING"),
        (errors.PaymentPending, "WARNING"),
        (errors.OutcomeUnknown, "ERROR"),
        (errors.IllegalTransition, "ERROR"),
        (errors.NeedsAttention, "ERROR"),
    ],
)
def test_a_refusal_is_logged_by_its_kind(
    capsys: pytest.CaptureFixture[str], problem: type[errors.Problem], level: str
) -> None:
    # Given
    def refuse(_: Any) -> dict[str, Any]:
        raise problem("why")

    # When
    with pytest.raises(problem):
        handler_that(refuse)(EVENT, SimpleNamespace(aws_request_id="r", function_version="7"))
    # Then
    entry = next(line for line in printed(capsys) if line.get("message") == "refused")
    assert entry["level"] == level
    assert (entry["error"], entry["kind"], entry["detail"]) == (problem.__name__, problem.kind.value, "why")


def test_what_was_done_is_logged_with_how_long_it_took(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a step that takes half a second
    times = iter([10.0, 10.5])
    monkeypatch.setattr("payment_data.step.time", SimpleNamespace(perf_counter=lambda: next(times)))
    # When
    answer = handler_that(lambda event: {"state": event["order_id"]})(EVENT, SimpleNamespace())
    # Then
    assert answer == {"state": "o1"}
    duration, entry = sorted(printed(capsys), key=lambda line: "message" in line)
    assert duration["StepDuration"] == [500.0]
    assert duration["step"] == __name__.partition(".")[0]
    assert duration["_aws"]["CloudWatchMetrics"][0]["Metrics"] == [
        {"Name": "StepDuration", "Unit": "Milliseconds"}
    ]
    assert (entry["message"], entry["outcome"], entry["level"]) == ("done", {"state": "o1"}, "INFO")
    assert (entry["order_id"], entry["execution"]) == ("o1", "arn:e")


@pytest.mark.parametrize("event", [None, ["o1"], {"order_id": 7}, {}])
def test_only_ids_that_are_text_are_logged(capsys: pytest.CaptureFixture[str], event: Any) -> None:
    handler_that(lambda _: {})(event, SimpleNamespace())
    entry = next(line for line in printed(capsys) if line.get("message") == "done")
    assert "order_id" not in entry
    assert "execution" not in entry


def test_an_invocation_is_its_request_and_its_version() -> None:
    context = SimpleNamespace(aws_request_id="r", function_version="7")
    assert invocation(context) == {"request_id": "r", "function_version": "7"}
    assert invocation(None) == {"request_id": None, "function_version": None}


def measured(capsys: pytest.CaptureFixture[str]) -> dict[str, tuple[Any, dict[str, Any]]]:
    """Return each metric's value with its unit, and its dimensions beside the service."""
    found = {}
    for line in printed(capsys):
        (entry,) = line["_aws"]["CloudWatchMetrics"]
        (metric,), (names,) = entry["Metrics"], entry["Dimensions"]
        dimensions = {name: line[name] for name in names if name != "service"}
        found[metric["Name"]] = ((line[metric["Name"]], metric["Unit"], entry["Namespace"]), dimensions)
    return found


def test_a_count_is_one_unless_it_is_more(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("POWERTOOLS_METRICS_NAMESPACE", raising=False)
    metrics.count("OrdersFailed", reason="OutOfStock")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Shop")
    metrics.count("Settled", 3)
    assert measured(capsys) == {
        "OrdersFailed": (([1.0], "Count", "Payments"), {"reason": "OutOfStock"}),
        "Settled": (([3.0], "Count", "Shop"), {}),
    }


@pytest.mark.parametrize(
    ("error", "technical"),
    [
        ("OutOfStock", False),
        ("PaymentDeclined", False),
        ("InvalidOrder", False),
        ("ApiUnavailable", True),
        ("IdempotencyMismatch", True),
        ("OutcomeUnknown", True),
        ("States.Timeout", True),
        ("SomethingNew", True),
        (metrics.ABANDONED, True),
        (None, True),
    ],
)
def test_an_answer_of_the_business_is_no_technical_failure(error: str | None, technical: bool) -> None:
    assert metrics.is_technical(error) is technical


@pytest.mark.parametrize(("seconds", "in_time"), [(0, 1), (60, 1), (60.001, 0)])
def test_an_order_is_in_time_within_a_minute(
    capsys: pytest.CaptureFixture[str], seconds: float, in_time: int
) -> None:
    started = datetime(2026, 1, 31, 12, tzinfo=UTC)
    event = {"order_id": "o1", "started": started.isoformat()}
    metrics.order_ended(event, now=started + timedelta(seconds=seconds))
    found = measured(capsys)
    assert (found["OrdersEnded"][0][0], found["OrdersEndedInTime"][0][0]) == ([1.0], [float(in_time)])


@pytest.mark.parametrize("started", ["soon", None, 7, {}])
def test_an_order_whose_start_nobody_knows_is_not_in_time(
    capsys: pytest.CaptureFixture[str], started: Any
) -> None:
    metrics.order_ended({"order_id": "o1", "started": started})
    assert measured(capsys)["OrdersEndedInTime"][0][0] == [0.0]


@pytest.mark.parametrize("technical", [False, True])
def test_an_order_that_failed_by_a_fault_is_not_in_time_and_speaks_against_its_release(
    capsys: pytest.CaptureFixture[str], technical: bool
) -> None:
    # Given an order that ends at once, under a release of the workflow
    started = datetime(2026, 1, 31, 12, tzinfo=UTC)
    event = {"order_id": "o1", "started": started.isoformat(), "release": "0123abcd-1-22-3"}
    # When
    metrics.order_ended(event, technical=technical, now=started)
    # Then
    found = measured(capsys)
    assert found["OrdersEndedInTime"][0][0] == [float(not technical)]
    assert found["ReleaseFailures"][0][0] == [float(technical)]
    assert found["ReleaseFailures"][1] == {"release": "0123abcd-1-22-3"}


def test_an_order_of_a_smoke_test_is_no_order_of_a_customer(capsys: pytest.CaptureFixture[str]) -> None:
    metrics.order_ended({"order_id": "smoke-1-happy", "release": "0123abcd-1"}, technical=True)
    assert measured(capsys) == {}


@pytest.mark.parametrize("release", [None, 7, "", "${Release}", "0123abcd", "0123abcd-1" + "0" * 10 + "x"])
def test_a_release_that_is_none_becomes_no_dimension(
    capsys: pytest.CaptureFixture[str], release: Any
) -> None:
    metrics.judge_release({"order_id": "o1", "release": release}, technical=True)
    assert measured(capsys) == {}


def test_a_crash_is_logged_by_its_type_and_raised(capsys: pytest.CaptureFixture[str]) -> None:
    # Given a program that is wrong, whose error quotes what is personal
    def wrong(_: Any) -> dict[str, Any]:
        raise KeyError("ada@example.com")

    # When
    with pytest.raises(KeyError):
        handler_that(wrong)(EVENT, SimpleNamespace())
    # Then its line says of what kind it is, and no more
    entry = next(line for line in printed(capsys) if line.get("message") == "crashed")
    assert (entry["level"], entry["kind"], entry["error"]) == ("ERROR", "crash", "KeyError")
    assert "ada" not in json.dumps(entry)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("Abandoned", "Abandoned"),
        ("Lambda.Unknown", "Lambda.Unknown"),
        ("States.Runtime", "States.Runtime"),
        ("Statesman", "Other"),
        ("", "Other"),
    ],
)
def test_the_reason_of_a_failure_is_of_a_short_list(error: str, reason: str) -> None:
    assert metrics.reason(error) == reason


def test_a_call_is_begun_while_it_fits_into_the_function() -> None:
    # Given eight seconds, half a second of which is kept to return
    now = [100.0]
    budget = Budget(lambda: now[0])
    # When, then
    budget.check(7.5)
    now[0] = 103.5
    budget.check(4.0)
    with pytest.raises(errors.OutcomeUnknown, match="out of time between two calls; ask again"):
        budget.check(4.01)


def test_time_outs_nest() -> None:
    times = (CONNECT_SECONDS, STRIPE_SECONDS, DATA_API_SECONDS, float(FUNCTION_SECONDS))
    assert times == (1.0, 3.0, 4.0, 8.0)
