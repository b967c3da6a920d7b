"""Lists, effects, settlement and smoke reports: read whole, a page at a time, and said in words."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payment_data.client import DataApi, Response
from payment_data.errors import OutcomeUnknown, Problem
from pipelines.aws import executions, stacks
from pipelines.core.refusals import Refused
from pipelines.orders import orders, payment_stack, samples, smoke, trace
from pipelines.orders.orders import Effect, Holdings

_PLACED = datetime(2026, 11, 30, 12, tzinfo=UTC)


class Pages:
    """A data API that lists numbered orders in pages, and settles them."""

    def __init__(self, count: int) -> None:
        self._orders = [{"order_id": f"o{number}"} for number in range(count)]
        self.asked: list[int] = []

    def __call__(self, method: str, path: str, body: bytes | None) -> Response:
        query = {key: value[0] for key, value in parse_qs(urlsplit(path).query).items()}
        told = json.loads(body) if body else query
        begin, limit = int(told.get("after") or 0), int(told["limit"])
        self.asked.append(limit)
        page: dict[str, Any] = {"orders": self._orders[begin : begin + limit]}
        if method == "PUT":
            page = {"opened": 1, "entered": len(page["orders"]), "settled": 2, "disputed": 0}
        if begin + limit < len(self._orders):
            page["next"] = str(begin + limit)
        return Response(200, json.dumps(page).encode())


@given(st.integers(0, 350), st.integers(1, 350))
def test_a_list_has_as_many_orders_as_were_asked_for_each_once(count: int, limit: int) -> None:
    # Given an API with orders in pages
    pages = Pages(count)
    # When
    listed = [order["order_id"] for order in orders.listed(DataApi(pages), None, limit)]
    # Then it lists the first ones, and asks for no more than it shows, a hundred at a time
    assert listed == [f"o{number}" for number in range(min(count, limit))]
    assert all(0 < asked <= 100 for asked in pages.asked)
    assert sum(pages.asked) <= limit


def test_settlement_goes_on_to_the_last_page_and_adds_up() -> None:
    pages = Pages(250)
    assert payment_stack.settle(DataApi(pages)) == {"opened": 3, "entered": 250, "settled": 6, "disputed": 0}
    assert pages.asked == [100, 100, 100]


@pytest.mark.parametrize(
    ("body", "kind"), [(b'{"a": "\xc3\xa4"}', ["application/json"]), (None, None)], ids=["body", "none"]
)
def test_the_function_is_asked_as_api_gateway_asks_it(body: bytes | None, kind: list[str] | None) -> None:
    event = payment_stack.proxy_event("PUT", "/orders/o%201?state=NEW", body)
    assert (event["path"], event["pathParameters"]) == ("/orders/o 1", {"proxy": "orders/o 1"})
    assert event["queryStringParameters"] == {"state": "NEW"}
    assert event["multiValueHeaders"] == ({"Content-Type": kind} if kind else {})
    # Text as it is, not in Base64
    assert (event["body"], event["isBase64Encoded"]) == (body.decode() if body else None, False)


@pytest.mark.parametrize(
    ("answer", "reads"),
    [
        ({"statusCode": 200, "body": "{}"}, Response(200, b"{}")),
        ({"statusCode": 204, "body": ""}, Response(204, b"")),
        ({"statusCode": 200, "body": "eyJhIjogMX0=", "isBase64Encoded": True}, Response(200, b'{"a": 1}')),
    ],
)
def test_an_answer_of_the_function_is_read_as_api_gateway_reads_it(
    answer: dict[str, Any], reads: Response
) -> None:
    # Given a function that answers so
    sent: list[dict[str, Any]] = []

    def transport(method: str, path: str, body: bytes | None) -> Response:
        del method, path, body
        return reads

    def invoke(FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - boto3's names
        sent.append(json.loads(Payload) | {"function": FunctionName})
        return {"Payload": SimpleNamespace(read=lambda: json.dumps(answer))}

    aws = cast("Any", SimpleNamespace(functions=SimpleNamespace(invoke=invoke)))
    # Then an order is read of it as of an answer that came over HTTP
    api = payment_stack.invoked_data_api(aws, "data-api")
    assert _read(api) == _read(DataApi(transport))
    assert (sent[0]["function"], sent[0]["path"], sent[0]["httpMethod"]) == ("data-api", "/orders/o1", "GET")


def _read(api: DataApi) -> object:
    try:
        return api.order("o1")
    except (Problem, ValueError) as error:
        return type(error)


@pytest.mark.parametrize("payload", [{"errorMessage": "out of memory"}, "out of memory"])
def test_a_function_that_failed_leaves_the_outcome_unknown(payload: object) -> None:
    answer = {"FunctionError": "Unhandled", "Payload": SimpleNamespace(read=lambda: json.dumps(payload))}
    aws = cast("Any", SimpleNamespace(functions=SimpleNamespace(invoke=lambda **_: answer)))
    with pytest.raises(OutcomeUnknown, match="GET /orders/o1: the data API's function failed: out of memory"):
        payment_stack.invoked_data_api(aws, "data-api").order("o1")


def test_effects_are_said_with_what_was_before_and_by_how_much() -> None:
    # Given a product of which two were taken and one of which nothing was, and a user who paid
    before = Holdings("EUR", {"tea": 10, "fig": 3}, {"ann": 1000})
    after = Holdings("EUR", {"tea": 8, "fig": 3, "new": 1}, {"ann": 450})
    # When, then; what nobody knew before did not change
    assert orders.effects(before, after) == [
        Effect("stock of tea", "10", "8", "-2", True),
        Effect("stock of fig", "3", "3", "+0", False),
        Effect("stock of new", "1", "1", "+0", False),
        Effect("credit of ann (EUR)", "10.00", "4.50", "-5.50", True),
    ]
    yen = [Holdings("JPY", {}, {"ann": amount}) for amount in (1000, 450)]
    assert orders.effects(*yen) == [Effect("credit of ann (JPY)", "1000", "450", "-550", True)]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_api_that_cannot_say_whether_there_is_an_order_bars_none(status: int) -> None:
    # Given an API that answers nothing useful, and an order that has no execution yet
    started: list[str] = []
    never = type("ExecutionDoesNotExist", (Exception,), {})

    def describe_execution(**_: Any) -> dict[str, Any]:
        if not started:
            raise never
        return {"status": "RUNNING", "startDate": _PLACED}

    stepfunctions = SimpleNamespace(
        exceptions=SimpleNamespace(ExecutionDoesNotExist=never, ExecutionAlreadyExists=never),
        start_execution=lambda **asked: started.append(asked["name"]),
        describe_execution=describe_execution,
    )
    stack = SimpleNamespace(
        aws=SimpleNamespace(stepfunctions=stepfunctions),
        api=DataApi(lambda *_: Response(status, b"")),
        workflow="arn:aws:states:eu-west-1:1:stateMachine:w",
        live="arn:live",
    )
    # When
    placed = orders.place(cast("Any", stack), "o1")
    # Then the workflow will ask again, for longer
    assert (started, placed.new, placed.started) == (["o1"], True, _PLACED)


CHECKS = [
    {"name": "paid", "ok": True, "detail": "yes"},
    {"name": "refunded", "ok": False, "detail": "5 missing"},
    {"name": "held", "ok": False, "detail": "2 missing"},
]


def _ran(status: str, **fields: str) -> smoke.SmokeReport:
    return smoke.report({"executionArn": "arn:1", "status": status, **fields})


def test_a_smoke_run_passed_when_it_made_checks_and_all_of_them_passed() -> None:
    good, bad = json.dumps({"checks": CHECKS[:1]}), json.dumps({"checks": CHECKS})
    passed = _ran("SUCCEEDED", output=good)
    assert (passed.passed, passed.checks) == (True, [smoke.SmokeCheck("paid", True, "yes")])
    # Without checks nothing was shown, whatever the execution says
    for nothing in ("{}", '{"checks": []}', "[]", "no JSON"):
        assert not _ran("SUCCEEDED", output=nothing).passed
    assert not _ran("SUCCEEDED", output=bad).passed
    assert not _ran("FAILED", cause=good).passed
    # Why it failed is kept, with the checks that its cause carries
    failed = _ran("FAILED", error="SmokeFailed", cause=bad)
    assert (failed.error, failed.cause, [check.ok for check in failed.checks]) == (
        "SmokeFailed",
        bad,
        [True, False, False],
    )


@pytest.mark.parametrize("message", ["", "States.Timeout", 'SmokeFailed: {"checks": []}', "{", "a {b} c"])
def test_a_message_without_failed_checks_stays_as_it_is(message: str) -> None:
    assert smoke.readable(message) == message
    good = f"SmokeFailed: {json.dumps({'checks': CHECKS[:1]})}"
    assert smoke.readable(good) == good


def test_a_message_about_failed_checks_has_a_line_for_each_of_them() -> None:
    assert smoke.readable("SmokeFailed: " + json.dumps({"checks": CHECKS})) == (
        "SmokeFailed: 2 of 3 checks failed.\n  ✗ refunded: 5 missing\n  ✗ held: 2 missing"
    )


class Put:
    """A data API that takes bodies, or refuses those of one id."""

    def __init__(self, refused: str = "", name: str = "", status: int = 0) -> None:
        self._refused, self._answer = refused, Response(status, json.dumps({"name": name}).encode())
        self.kinds: list[str] = []

    def __call__(self, method: str, path: str, body: bytes | None) -> Response:
        del method
        _, kind, key = path.split("/")
        self.kinds.append(kind)
        return self._answer if key == self._refused else Response(200, body or b"{}")


SAMPLES = samples.Samples(
    {f"p{number}": {"price": 1} for number in range(9)}, {"ann": {"balance": 1}}, {"o1": {}, "o2": {}}
)


def test_orders_are_loaded_after_what_they_name() -> None:
    api = Put()
    counts = samples.load(DataApi(api), SAMPLES)
    assert (counts, len(SAMPLES)) == ({"products": 9, "users": 1, "orders": 2}, 12)
    assert api.kinds == ["products"] * 9 + ["users"] + ["orders"] * 2


def test_what_the_data_api_refuses_stops_the_loading_and_is_named() -> None:
    differs = Put("ann", "IdempotencyMismatch", 409)
    with pytest.raises(Refused, match="user ann exists already and differs"):
        samples.load(DataApi(differs), SAMPLES)
    assert "orders" not in differs.kinds
    with pytest.raises(Refused, match="product p3 was refused: InvalidOrder"):
        samples.load(DataApi(Put("p3", "InvalidOrder", 422)), SAMPLES)


def test_an_order_is_traced_through_its_logs_in_order_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given an order without an execution, and the logs of two functions and of a workflow
    groups = (("DataApiLogs", "/aws/api"), ("PayLogs", "/aws/pay"), ("FlowLogs", "/aws/vendedlogs/states/f"))
    resources = [
        {"ResourceType": kind, "LogicalResourceId": name, "PhysicalResourceId": physical}
        for kind, named in (("AWS::Logs::LogGroup", groups), ("AWS::SQS::Queue", [("Lost", "q")]))
        for name, physical in named
    ]
    lines: dict[str, list[tuple[int, dict[str, Any]]]] = {
        "/aws/api": [
            (2500, {"message": "refused", "error": "OutOfStock", "status": 409, "request_id": "r1"})
        ],
        "/aws/pay": [(1250, {"message": "done", "outcome": {"state": "charged"}, "detail": ""})],
    }
    asked: list[dict[str, Any]] = []

    def paginate(**asks: Any) -> list[dict[str, Any]]:
        asked.append(asks)
        return [
            {"events": [{"timestamp": at, "message": json.dumps(line)}]}
            for at, line in lines[asks["logGroupName"]]
        ]

    logs = SimpleNamespace(get_paginator=lambda _: SimpleNamespace(paginate=paginate))
    monkeypatch.setattr(stacks, "resources", lambda *_: resources)
    monkeypatch.setattr(executions, "status", lambda *_: None)
    stack = SimpleNamespace(
        aws=SimpleNamespace(client=lambda _: logs),
        name="payments",
        workflow="arn:a:states:r:1:stateMachine:w",
    )
    # When
    since = datetime(2026, 11, 30, 11, tzinfo=UTC)
    happenings = trace.trace(cast("Any", stack), "o1", since=since)
    # Then each line is said with its time, its log and what it tells, the workflow's own logs left out
    began = datetime.fromtimestamp(0, UTC)
    assert happenings == [
        trace.Happening(began + timedelta(milliseconds=1250), "Pay", "done outcome=charged"),
        trace.Happening(
            began + timedelta(milliseconds=2500), "DataApi", "refused error=OutOfStock status=409", "r1"
        ),
    ]
    assert {(ask["filterPattern"], ask["startTime"]) for ask in asked} == {
        ('{ $.order_id = "o1" }', int(since.timestamp()) * 1000)
    }
