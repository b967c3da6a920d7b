"""Stripe on an embedded AWS: the card gateway beside it, its key in that account's Secrets Manager."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipelines.core.refusals import Refused

if TYPE_CHECKING:
    from environments.schema import Environment
    from pipelines.aws.accounts import Aws

SECRET_NAME: Final = "payments/stripe"  # noqa: S105 - the name of a secret, not its value
TEST_KEY: Final = "sk_test_embedded"


def with_stripe(aws: Aws, environment: Environment) -> Environment:
    """Return the environment with the Stripe it really has here: its own on AWS, the embedded one otherwise.

    Raises:
        Refused: It pays by Stripe, and no card gateway is known.
    """
    if not aws.embedded or environment.stripe is None:
        return environment
    if aws.card_gateway is None:
        raise Refused(
            f"No card gateway is known beside {aws.endpoint}.",
            "make .cache/card-gateway/installed, or name one in STRIPE_API_BASE.",
        )
    return environment.with_stripe(
        secret_arn=ensure_secret(aws.client("secretsmanager")), api_base=aws.card_gateway
    )


def ensure_secret(secretsmanager: Any, key: str = TEST_KEY) -> str:
    """Return the ARN of the gateway's API key in Secrets Manager, making the secret where there is none.

    A secret that is there keeps its key.

    Args:
        secretsmanager: A boto3 client of the account and region that the functions run in.
        key: Any key of Stripe's test mode.
    """
    try:
        secret = secretsmanager.describe_secret(SecretId=SECRET_NAME)
    except secretsmanager.exceptions.ResourceNotFoundException:
        secret = secretsmanager.create_secret(Name=SECRET_NAME, SecretString=key)
    return str(secret["ARN"])
