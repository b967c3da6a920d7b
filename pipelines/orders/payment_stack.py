"""A deployed payments stack, as someone who places orders needs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.aws import stacks
from pipelines.orders import data_api

if TYPE_CHECKING:
    from payment_data.client import DataApi
    from pipelines.aws.accounts import Aws


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
