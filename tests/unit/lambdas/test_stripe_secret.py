"""Stripe's API key, read from Secrets Manager over real HTTP."""

import socket
from typing import Any

import pytest

from payment_data.errors import AccessDenied, ApiUnavailable
from payment_data.payment_methods.stripe_http import VARIABLE, StripeSecret
from payment_data.timeouts import CONNECT_SECONDS, SECRET_SECONDS
from tests.unit.lambdas.conftest import CREDENTIALS, FakeApi

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:stripe-AbCdEf"


def secret(fake_api: FakeApi, **more: str) -> StripeSecret:
    return StripeSecret(
        {**CREDENTIALS, VARIABLE: ARN, "AWS_ENDPOINT_URL_SECRETS_MANAGER": fake_api.url, **more}
    )


def test_the_secret_is_read_once_and_again_when_it_must_be_fresh(fake_api: FakeApi) -> None:
    # Given
    fake_api.answers = [(200, {"SecretString": " sk_1\n"}), (200, {"SecretString": "sk_2"})]
    read = secret(fake_api, AWS_SESSION_TOKEN="token")  # noqa: S106 - no secret
    # When
    keys = [read(), read(), read(fresh=True), read()]
    # Then
    assert keys == ["sk_1", "sk_1", "sk_2", "sk_2"]
    assert len(fake_api.received) == 2
    request = fake_api.received[0]
    assert (request.method, request.path, request.body) == ("POST", "/live/", {"SecretId": ARN})
    assert request.headers["X-Amz-Target"] == "secretsmanager.GetSecretValue"
    assert request.headers["Content-Type"] == "application/x-amz-json-1.1"
    assert request.headers["X-Amz-Security-Token"] == "token"
    assert "/eu-west-1/secretsmanager/aws4_request" in request.headers["Authorization"]


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, {"__type": "com.amazonaws#AccessDeniedException"}, AccessDenied),
        (400, {"__type": "com.amazonaws#ThrottlingException"}, ApiUnavailable),
        (400, {"__type": "com.amazonaws#RequestLimitExceeded"}, ApiUnavailable),
        (429, {}, ApiUnavailable),
        (500, {"__type": "com.amazonaws#InternalServiceError"}, ApiUnavailable),
        (499, {}, AccessDenied),
        (503, b"<html>", ApiUnavailable),
        (400, b"<html>", AccessDenied),
        (400, [], AccessDenied),
    ],
)
def test_a_refusal_says_whether_to_ask_again(
    fake_api: FakeApi, status: int, body: Any, error: type[Exception]
) -> None:
    fake_api.answers = [(status, body)]
    with pytest.raises((AccessDenied, ApiUnavailable), match=f"Secrets Manager answered {status}") as raised:
        secret(fake_api)()
    assert type(raised.value) is error


@pytest.mark.parametrize("answer", ["drop", "hang"])
def test_no_answer_changed_nothing(fake_api: FakeApi, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setattr("payment_data.stored_secret.SECRET_SECONDS", 0.2)
    fake_api.answers = [answer]
    with pytest.raises(ApiUnavailable, match="Secrets Manager: no answer"):
        secret(fake_api)()


@pytest.mark.parametrize(
    ("arn", "environ", "endpoint"),
    [
        (ARN, {}, "https://secretsmanager.eu-west-1.amazonaws.com/"),
        (ARN.replace("aws:", "aws-cn:", 1), {}, "https://secretsmanager.eu-west-1.amazonaws.com.cn/"),
        (ARN, {"AWS_ENDPOINT_URL": "http://127.0.0.1:1/"}, "http://127.0.0.1:1/"),
        (
            ARN,
            {"AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_SECRETS_MANAGER": "http://b"},
            "http://b/",
        ),
    ],
)
def test_the_endpoint_is_the_secrets_regions_unless_another_is_named(
    arn: str, environ: dict[str, str], endpoint: str
) -> None:
    assert StripeSecret({VARIABLE: arn, **environ})._endpoint() == endpoint


def test_the_key_is_in_no_representation(fake_api: FakeApi) -> None:
    fake_api.answers = [(200, {"SecretString": "sk_canary"})]
    read = secret(fake_api)
    read()
    assert repr(read) == f"StripeSecret('{ARN}')"


def test_a_redirect_is_an_answer_that_is_not_followed(fake_api: FakeApi) -> None:
    fake_api.answers = [(302, {}, {"Location": fake_api.url}), (200, {"SecretString": "sk_1"})]
    with pytest.raises(AccessDenied, match="302"):
        secret(fake_api)()


def test_a_refused_connection_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given an endpoint where nobody listens
    tried: list[object] = []
    connect = socket.socket.connect

    def counted(self: socket.socket, address: Any) -> None:
        tried.append(address)
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", counted)
    endpoint = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    # When
    with pytest.raises(ApiUnavailable, match="no answer"):
        StripeSecret(CREDENTIALS | {VARIABLE: ARN} | endpoint)()
    # Then
    assert len(tried) == 1


def test_a_call_takes_at_most_two_seconds() -> None:
    assert (SECRET_SECONDS, CONNECT_SECONDS) == (2.0, 1.0)
