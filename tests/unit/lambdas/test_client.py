"""The client over real HTTP: what it sends, and what an answer, or none, means."""

import socket
import time
from typing import Any

import pytest

from payment_data.client import DataApi, SignedHttp
from payment_data.errors import (
    BY_NAME,
    AccessDenied,
    ApiUnavailable,
    ContentTooLarge,
    FieldError,
    OutcomeUnknown,
    OutOfStock,
    Throttled,
    UnexpectedResponse,
)
from tests.unit.lambdas.conftest import CREDENTIALS, FakeApi, problem


@pytest.fixture
def api(fake_api: FakeApi) -> DataApi:
    return DataApi(SignedHttp(fake_api.url))


def test_a_request_is_signed_and_holds_the_body(api: DataApi, fake_api: FakeApi) -> None:
    # Given a role's session
    fake_api.answers = [(200, {"order_id": "o1", "lines": []})]
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AWS_SESSION_TOKEN", "token")
        # When
        answer = api.reserve("o1", execution="e", deadline="d")
    # Then
    request = fake_api.received[0]
    assert (request.method, request.path) == ("PUT", "/live/orders/o1/reservation")
    assert request.body == {"execution": "e", "deadline": "d"}
    assert request.headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKID/")
    assert "/eu-central-1/execute-api/aws4_request" in request.headers["Authorization"]
    assert request.headers["X-Amz-Security-Token"] == "token"
    assert answer == {"order_id": "o1", "lines": []}


def test_a_request_carries_the_steps_trace_to_the_data_api(fake_api: FakeApi) -> None:
    # Given what Lambda tells a function that is traced
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    traced = DataApi(SignedHttp(fake_api.url, CREDENTIALS | {"_X_AMZN_TRACE_ID": trace}))
    # When
    traced.product("p")
    # Then the header goes along unsigned, since API Gateway adds to it
    headers = fake_api.received[0].headers
    assert headers["X-Amzn-Trace-Id"] == trace
    assert "trace" not in headers["Authorization"].lower()


def test_every_operation_has_its_path(api: DataApi, fake_api: FakeApi) -> None:
    # When
    api.product("p")
    api.put_user("u", {})
    api.delete_order("o")
    api.charge("o", execution="e", deadline="d", method="credit", attempt=1)
    api.payment("o")
    api.refund("o", execution="e", reason="r")
    api.release("o", execution="e", reason="r")
    api.deliver("o", execution="e", deadline="d")
    api.deliveries("o")
    api.record_failure("o", {})
    api.failures("o")
    api.history("o")
    # Then
    assert [f"{r.method} {r.path.removeprefix('/live')}" for r in fake_api.received] == [
        "GET /products/p",
        "PUT /users/u",
        "DELETE /orders/o",
        "PUT /orders/o/payment",
        "GET /orders/o/payment",
        "PUT /orders/o/refund",
        "PUT /orders/o/release",
        "PUT /orders/o/deliveries",
        "GET /orders/o/deliveries",
        "PUT /orders/o/failure",
        "GET /orders/o/failures",
        "GET /orders/o/history",
    ]


def test_an_id_cannot_leave_its_place_in_the_path(api: DataApi, fake_api: FakeApi) -> None:
    # When
    api.order("../users/ann?x=1#y")
    # Then
    assert fake_api.received[0].path == "/live/orders/..%2Fusers%2Fann%3Fx%3D1%23y"


def test_connections_are_reused(api: DataApi, fake_api: FakeApi) -> None:
    # When
    before = len(fake_api.received)
    for _ in range(3):
        api.order("o")
    # Then
    assert len(fake_api.received) - before == 3
    pool = api._transport._connections._pool.connection_from_url(fake_api.url)  # type: ignore[attr-defined] # what is measured
    assert pool.num_connections == 1


def test_no_content_is_an_empty_answer(api: DataApi, fake_api: FakeApi) -> None:
    fake_api.answers = [(204, b"")]
    api.delete_order("o")


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_a_problem_is_raised_as_the_class_it_names(api: DataApi, fake_api: FakeApi, name: str) -> None:
    # Given
    status, body = problem(name, BY_NAME[name].status)
    fake_api.answers = [(status, body | {"errors": [{"field": "a", "rule": "b"}]})]
    # When
    with pytest.raises(BY_NAME[name]) as raised:
        api.order("o")
    # Then
    assert type(raised.value) is BY_NAME[name]
    assert raised.value.detail == "why"
    assert raised.value.errors == (FieldError("a", "b"),)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((403, {"message": "Missing Authentication Token"}), AccessDenied),
        ((403, {"Message": "User: arn:... is not authorized"}), AccessDenied),
        ((413, {"message": "Request Too Long"}), ContentTooLarge),
        ((429, {"message": "Too Many Requests"}), Throttled),
        ((500, {"message": "Internal server error"}), OutcomeUnknown),
        ((502, {"message": "Internal server error"}), OutcomeUnknown),
        ((503, {"message": "Service Unavailable"}), OutcomeUnknown),
        ((504, {"message": "Endpoint request timed out"}), OutcomeUnknown),
        ((503, b"<html>"), OutcomeUnknown),
        ((500, {"type": "about:blank", "status": 500}), OutcomeUnknown),
        ((200, b"<html>"), UnexpectedResponse),
        ((200, []), UnexpectedResponse),
        ((302, {}), UnexpectedResponse),
        ((404, b""), UnexpectedResponse),
        ((418, {"name": "OutOfStock"}), UnexpectedResponse),
        ((409, {"name": "NoSuchError"}), UnexpectedResponse),
        ((409, {"name": "__class__"}), UnexpectedResponse),
        ((409, {"name": "OutOfStock", "errors": "nonsense"}), OutOfStock),
    ],
)
def test_what_is_no_problem_of_ours_means_what_its_status_says(
    api: DataApi, fake_api: FakeApi, answer: Any, error: type[Exception]
) -> None:
    # Given
    fake_api.answers = [answer]
    # When
    with pytest.raises(error):
        api.order("o")


def test_a_port_where_nobody_listens_means_that_nothing_was_sent() -> None:
    # Given
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    api = DataApi(SignedHttp(f"http://127.0.0.1:{port}", CREDENTIALS))
    # When
    with pytest.raises(ApiUnavailable):
        api.order("o")


def test_a_name_that_does_not_resolve_means_that_nothing_was_sent() -> None:
    api = DataApi(SignedHttp("http://nowhere.invalid", CREDENTIALS))
    with pytest.raises(ApiUnavailable):
        api.order("o")


def test_a_connection_lost_after_the_request_leaves_the_outcome_unknown(
    api: DataApi, fake_api: FakeApi
) -> None:
    # Given
    fake_api.answers = ["drop"]
    # When
    with pytest.raises(OutcomeUnknown):
        api.order("o")
    # Then it was sent once: retries belong to the state machine
    assert len(fake_api.received) == 1


def test_an_answer_that_does_not_come_in_time_leaves_the_outcome_unknown(
    api: DataApi, fake_api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    fake_api.answers = ["hang"]
    monkeypatch.setattr("payment_data.transport.DATA_API_SECONDS", 0.2)
    hasty = DataApi(SignedHttp(fake_api.url))
    # When
    started = time.monotonic()
    with pytest.raises(OutcomeUnknown):
        hasty.order("o")
    # Then
    assert time.monotonic() - started < 2


def test_a_connection_that_slept_is_not_used_again(
    api: DataApi, fake_api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a connection from before the sandbox was frozen for an hour
    api.order("o")
    connections: Any = api._transport._connections  # type: ignore[attr-defined] # what is measured
    pool = connections._pool.connection_from_url(fake_api.url)
    monkeypatch.setattr(connections, "_used_at", connections._used_at - 3600)
    # When
    api.order("o")
    # Then
    assert connections._pool.connection_from_url(fake_api.url) is not pool


def test_no_secret_is_in_an_error(api: DataApi, fake_api: FakeApi) -> None:
    # Given
    fake_api.answers = ["drop"]
    # When
    with pytest.raises(OutcomeUnknown) as raised:
        api.order("o")
    # Then
    assert "secret" not in f"{raised.value!r} {raised.value.__cause__!r}"
