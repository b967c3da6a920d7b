"""The client over real HTTP: what it sends, and what an answer, or none, means."""

import socket
import time
from typing import Any

import pytest

from payment_data.client import DataApi, SignedHttp, encoded
from payment_data.connections import ConnectionPool
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
from payment_data.timeouts import DATA_API_SECONDS
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
        answer = api.reserve("o1", execution="e", deadline="d", method="credit")
    # Then
    request = fake_api.received[0]
    assert (request.method, request.path) == ("PUT", "/live/orders/o1/reservation")
    assert request.body == {"execution": "e", "deadline": "d", "method": "credit"}
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


E = {"execution": "e"}
FORWARD = E | {"deadline": "d"}
UNDO = E | {"reason": "r"}


@pytest.mark.parametrize(
    ("call", "request_line", "body"),
    [
        (lambda api: api.put_product("p", {"name": "Tea"}), "PUT /products/p", {"name": "Tea"}),
        (lambda api: api.product("p"), "GET /products/p", None),
        (lambda api: api.delete_product("p"), "DELETE /products/p", None),
        (lambda api: api.put_user("u", {"balance": 1}), "PUT /users/u", {"balance": 1}),
        (lambda api: api.user("u"), "GET /users/u", None),
        (lambda api: api.delete_user("u"), "DELETE /users/u", None),
        (lambda api: api.put_order("o", {"lines": []}), "PUT /orders/o", {"lines": []}),
        (lambda api: api.order("o"), "GET /orders/o", None),
        (lambda api: api.delete_order("o"), "DELETE /orders/o", None),
        (
            lambda api: api.reserve("o", execution="e", deadline="d", method="card"),
            "PUT /orders/o/reservation",
            FORWARD | {"method": "card"},
        ),
        (lambda api: api.reservation("o"), "GET /orders/o/reservation", None),
        (
            lambda api: api.charge("o", execution="e", deadline="d", method="credit", attempt=1),
            "PUT /orders/o/payment",
            FORWARD | {"method": "credit", "attempt": 1},
        ),
        (lambda api: api.payment("o"), "GET /orders/o/payment", None),
        (
            lambda api: api.open_payment("o", 2, execution="e", deadline="d", method="card"),
            "PUT /orders/o/payments/2",
            FORWARD | {"method": "card"},
        ),
        (
            lambda api: api.follow_payment("o", 2, "decline", {"reason": "r"}),
            "PUT /orders/o/payments/2/decline",
            {"reason": "r"},
        ),
        (lambda api: api.refund("o", execution="e", reason="r"), "PUT /orders/o/refund", UNDO),
        (lambda api: api.release("o", execution="e", reason="r"), "PUT /orders/o/release", UNDO),
        (lambda api: api.deliver("o", execution="e", deadline="d"), "PUT /orders/o/deliveries", FORWARD),
        (lambda api: api.deliveries("o"), "GET /orders/o/deliveries", None),
        (lambda api: api.record_failure("o", {"step": "s"}), "PUT /orders/o/failure", {"step": "s"}),
        (lambda api: api.failures("o"), "GET /orders/o/failures", None),
        (lambda api: api.history("o"), "GET /orders/o/history", None),
        (lambda api: api.orders(), "GET /orders?limit=100", None),
        (
            lambda api: api.orders(state="PAID", after="a~b", limit=7),
            "GET /orders?state=PAID&after=a~b&limit=7",
            None,
        ),
        (lambda api: api.settle(), "PUT /settlement", {"limit": 100, "after": ""}),
        (lambda api: api.settle(limit=5, after="x"), "PUT /settlement", {"limit": 5, "after": "x"}),
        (lambda api: api.audit(), "GET /audit", None),
        (lambda api: api.audit_page("users"), "GET /audit/users", None),
        (
            lambda api: api.audit_page("orders", after="o 1", limit=2),
            "GET /audit/orders?after=o+1&limit=2",
            None,
        ),
    ],
)
def test_every_operation_has_its_request(
    api: DataApi, fake_api: FakeApi, call: Any, request_line: str, body: Any
) -> None:
    # Given
    fake_api.answers = [(200, {"state": "done"})]
    # When
    answer = call(api)
    # Then
    (request,) = fake_api.received
    assert f"{request.method} {request.path.removeprefix('/live')}" == request_line
    assert request.body == body
    assert request.headers.get("Content-Type") == ("application/json" if body is not None else None)
    assert answer == (None if request.method == "DELETE" else {"state": "done"})


def test_text_of_any_script_is_sent_in_its_own_bytes() -> None:
    assert encoded({"delivery_address": "駅前 1"}) == '{"delivery_address":"駅前 1"}'.encode()


def test_half_a_character_is_escaped_so_that_the_data_api_names_the_field() -> None:
    assert encoded({"name": "\ud800"}) == b'{"name":"\\ud800"}'


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_json_does_not_have_is_not_sent(value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        encoded({"price": value})


@pytest.mark.parametrize("status", [200, 201])
def test_what_was_done_before_or_now_is_an_answer(api: DataApi, fake_api: FakeApi, status: int) -> None:
    fake_api.answers = [(status, {"state": "held"})]
    assert api.order("o") == {"state": "held"}


def test_an_error_names_the_request_its_status_and_the_reason(api: DataApi, fake_api: FakeApi) -> None:
    fake_api.answers = [(403, {"message": "Forbidden"}), (500, {"title": "Oops"}), (500, {})]
    details = []
    for error in (AccessDenied, OutcomeUnknown, OutcomeUnknown):
        with pytest.raises(error) as raised:
            api.order("o")
        details.append(raised.value.detail)
    assert details == [
        "GET /orders/o: 403 Forbidden",
        "GET /orders/o: 500 Oops",
        "GET /orders/o: 500 without a reason",
    ]


def test_a_redirect_is_not_followed(api: DataApi, fake_api: FakeApi) -> None:
    fake_api.answers = [(302, {}, {"Location": fake_api.url + "/elsewhere"}), (200, {})]
    with pytest.raises(UnexpectedResponse):
        api.order("o")
    assert len(fake_api.received) == 1


def test_a_url_may_end_with_a_slash(fake_api: FakeApi) -> None:
    DataApi(SignedHttp(fake_api.url + "/")).order("o")
    assert fake_api.received[0].path == "/live/orders/o"


def test_the_body_is_compact_json(fake_api: FakeApi) -> None:
    assert encoded({"a": 1, "b": [1, 2]}) == b'{"a":1,"b":[1,2]}'


@pytest.mark.parametrize("status", [502, 501, 599])
def test_every_server_error_leaves_the_outcome_unknown(api: DataApi, fake_api: FakeApi, status: int) -> None:
    fake_api.answers = [(status, {})]
    with pytest.raises(OutcomeUnknown):
        api.order("o")


@pytest.mark.parametrize(("idle", "kept"), [(49, True), (51, False)])
def test_a_connection_is_kept_for_fifty_seconds(
    api: DataApi, fake_api: FakeApi, monkeypatch: pytest.MonkeyPatch, idle: float, kept: bool
) -> None:
    # Given
    api.order("o")
    connections: Any = api._transport._connections  # type: ignore[attr-defined] # what is measured
    pool = connections._pool.connection_from_url(fake_api.url)
    monkeypatch.setattr(connections, "_used_at", connections._used_at - idle)
    # When
    api.order("o")
    # Then
    assert (connections._pool.connection_from_url(fake_api.url) is pool) == kept
    assert time.time() - connections._used_at < 10


def test_a_closed_pool_has_no_connection(api: DataApi, fake_api: FakeApi) -> None:
    api.order("o")
    connections: Any = api._transport._connections  # type: ignore[attr-defined] # what is measured
    connections.close()
    assert len(connections._pool.pools) == 0


def test_time_to_connect_and_to_answer_are_those_of_the_list() -> None:
    connections: Any = ConnectionPool(DATA_API_SECONDS)
    timeout = connections._pool.connection_pool_kw["timeout"]
    assert (timeout.connect_timeout, timeout.total) == (1.0, 4.0)


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
    monkeypatch.setattr("payment_data.api_requests.DATA_API_SECONDS", 0.2)
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
