"""A cluster of your own: the data API logs in with a secret's password over TLS, and follows its rotation."""

from __future__ import annotations

import functools
import json
import os
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from data_api.storage import connection
from embedded_aws.protected_mongod import ADMIN, Protected, protected
from tests.integration.data_api.calling import send

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from embedded_aws.instance import Instance

DATABASE = f"payments-{os.getpid()}"
USER = "data-api"
TEA = {"name": "Tea", "type": "food", "price": 100, "currency": "EUR", "available": 1}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Protected]:
    with protected() as running:
        yield running


@pytest.fixture
def secret(
    cluster: Protected, aws: Callable[..., Any], embedded: Instance, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], None]]:
    """Store another password, as a rotation does; the data API's environment names where."""
    manager = aws("secretsmanager")
    arn = manager.create_secret(Name=f"mongodb-{uuid.uuid4().hex[:8]}", SecretString="{}")["ARN"]
    for name, value in {
        connection.LOGIN_VARIABLE: arn,
        "MONGODB_URI": cluster.uri,
        "MONGODB_DATABASE": DATABASE,
        "AWS_ENDPOINT_URL": embedded.endpoint,
        "AWS_ACCESS_KEY_ID": arn.split(":")[4],
        "AWS_SECRET_ACCESS_KEY": "secret",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(connection, "_client", _fresh(connection._client))
    monkeypatch.setattr(connection, "database", _fresh(connection.database))

    def store(password: str) -> None:
        text = {"username": USER, "password": password, "ca_certificates": cluster.ca}
        manager.put_secret_value(SecretId=arn, SecretString=json.dumps(text))

    yield store
    connection._client(cluster.uri).close()


def _fresh(cached: Any) -> Any:
    """Return the same function with a memory of its own."""
    return functools.cache(cached.__wrapped__)


@contextmanager
def connections_in_use() -> Iterator[None]:
    """Let requests open new connections; those that are open stay logged in after a rotation."""
    (server,) = connection._client(os.environ["MONGODB_URI"])._topology._servers.values()
    with server.pool.checkout():
        yield


def test_it_logs_in_over_tls_and_reads_the_secret_again_when_the_password_was_rotated(
    cluster: Protected, secret: Callable[[str], None]
) -> None:
    # Given a cluster that knows a user by a password, which the secret holds
    cluster.set_user(USER, "first", DATABASE)
    secret("first")
    # When the data API is asked, then it is in
    assert send("PUT", f"/products/{uuid.uuid4().hex}", TEA).status == 201
    # When the password was rotated, and a new connection is needed
    cluster.set_user(USER, "second", DATABASE)
    secret("second")
    with connections_in_use():
        answer = send("PUT", f"/products/{uuid.uuid4().hex}", TEA)
    # Then that very request reads the secret again, and writes
    assert answer.status == 201


def test_a_password_that_is_wrong_in_the_secret_too_is_told_as_not_reached(
    cluster: Protected, secret: Callable[[str], None]
) -> None:
    cluster.set_user(USER, "right", DATABASE)
    secret("wrong")
    answer = send("PUT", f"/products/{uuid.uuid4().hex}", TEA)
    assert answer.status == 503
    assert "wrong" not in json.dumps(answer.body)


@pytest.mark.parametrize("text", ["sk_live", "[]", "{}", '{"username": "ada"}'])
def test_a_secret_that_says_no_login_is_told_and_never_repeated(text: str) -> None:
    with pytest.raises(connection.SecretMalformed, match="is not JSON with username and password") as caught:
        connection._login_options(text)
    assert text not in str(caught.value)


def test_where_no_secret_is_named_the_uri_says_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(connection.LOGIN_VARIABLE, raising=False)
    assert connection.login_options() == {}


def test_a_login_elsewhere_than_in_admin_is_the_secrets_to_say() -> None:
    text = json.dumps({"username": ADMIN, "password": "p", "auth_source": "people"})
    assert connection._login_options(text) == {
        "username": ADMIN,
        "password": "p",
        "authMechanism": "SCRAM-SHA-256",
        "authSource": "people",
    }
