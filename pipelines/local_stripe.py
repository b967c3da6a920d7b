"""Stripe on an embedded AWS: the card gateway beside it, its key in that account's Secrets Manager."""

from __future__ import annotations

from typing import TYPE_CHECKING

from environments.embedded.card_gateway import secret
from environments.embedded.card_gateway.gateway import GatewayUnavailable, installed_python
from pipelines.refusals import Refused

if TYPE_CHECKING:
    from environments.schema import Environment
    from pipelines.aws import Aws


def with_stripe(aws: Aws, environment: Environment) -> Environment:
    """The environment with the Stripe it really has here: its own on AWS, the embedded one otherwise.

    Raises:
        Refused: It pays by Stripe, and no card gateway is known or installed.
    """
    if not aws.embedded or environment.stripe is None:
        return environment
    if aws.card_gateway is None:
        raise Refused(f"No card gateway is known beside {aws.endpoint}.", "Name it in STRIPE_API_BASE.")
    try:
        installed_python()
    except GatewayUnavailable as error:
        raise Refused(str(error), "make .cache/card-gateway/installed") from error
    return environment.with_stripe(
        secret_arn=secret.ensure(aws.client("secretsmanager")), api_base=aws.card_gateway
    )
