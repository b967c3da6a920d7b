"""The API key comes from Secrets Manager, and from nowhere else."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from embedded_aws.instance import Instance
from payment_data.errors import AccessDenied, ApiUnavailable
from payment_data.payment_methods.stripe_http import StripeSecret
from tests.integration.card_gateway.accounts import unique


@pytest.fixture
def secrets_manager(aws: Callable[..., Any]) -> Any:
    return aws("secretsmanager")


@pytest.fixture
def arn(secrets_manager: Any) -> Iterator[str]:
    made = secrets_manager.create_secret(Name=unique("stripe"), SecretString="sk_test_canary_1\n")
    yield made["ARN"]
    secrets_manager.delete_secret(SecretId=made["ARN"], ForceDeleteWithoutRecovery=True)


def _environ(embedded: Instance, arn: str) -> dict[str, str]:
    account = arn.split(":")[4]
    return {
        "STRIPE_SECRET_ARN": arn,
        "AWS_ENDPOINT_URL": embedded.endpoint,
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": "secret",
    }


def test_the_key_is_read_once_and_again_when_it_was_rotated(
    embedded: Instance, secrets_manager: Any, arn: str
) -> None:
    # Given
    secret = StripeSecret(_environ(embedded, arn))
    first = secret()
    # When
    secrets_manager.put_secret_value(SecretId=arn, SecretString="sk_test_canary_2")
    # Then
    assert (first, secret()) == ("sk_test_canary_1", "sk_test_canary_1")
    assert (secret(fresh=True), secret()) == ("sk_test_canary_2", "sk_test_canary_2")
    assert "canary" not in repr(secret)


def test_a_secret_that_is_not_there_is_a_refusal(embedded: Instance, arn: str) -> None:
    # Given
    secret = StripeSecret(_environ(embedded, arn + "-gone"))
    # When / Then
    with pytest.raises(AccessDenied, match="ResourceNotFoundException"):
        secret()


def test_a_caller_without_permission_is_refused(embedded: Instance, arn: str) -> None:
    # Given
    secret = StripeSecret(_environ(embedded, arn) | {"AWS_ACCESS_KEY_ID": "AKIAUNKNOWN000000000"})
    # When / Then
    with pytest.raises(AccessDenied):
        secret()


def test_secrets_manager_out_of_reach_changes_nothing(embedded: Instance, arn: str) -> None:
    # Given
    secret = StripeSecret(_environ(embedded, arn) | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    # When / Then
    with pytest.raises(ApiUnavailable):
        secret()


def test_the_variable_that_names_the_secret_is_required() -> None:
    # When / Then
    with pytest.raises(KeyError, match="STRIPE_SECRET_ARN"):
        StripeSecret({})
