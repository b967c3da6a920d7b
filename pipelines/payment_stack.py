"""A deployed payments stack, as someone who places orders needs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines import data_api, stacks

if TYPE_CHECKING:
    from environments.schema import Environment
    from payment_data.client import DataApi
    from pipelines.aws import Aws


@dataclass(frozen=True, slots=True)
class PaymentStack:
    """What a stack offers.

    Attributes:
        aws: Where it is.
        name: Its name.
        api: Its data API.
        workflow: The ARN of the payment state machine.
        live: The ARN of the alias that new orders run through.
        smoke: The ARN of the smoke state machine.
    """

    aws: Aws
    name: str
    api: DataApi
    workflow: str
    live: str
    smoke: str


def default_stack(environment: Environment) -> str:
    """The payments stack of an environment, where no other name is given."""
    return f"payments-{environment.name}"


def connect(aws: Aws, name: str) -> PaymentStack:
    """Find a payments stack.

    Raises:
        Refused: There is no such stack.
    """
    outputs = stacks.outputs(aws, name)
    return PaymentStack(
        aws,
        name,
        data_api.connect(aws, outputs["DataApiFunctionName"]),
        outputs["PaymentWorkflowArn"],
        outputs["PaymentWorkflowAliasArn"],
        outputs["SmokeWorkflowArn"],
    )
