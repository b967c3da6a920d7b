"""What a change of payment methods has to wait for: the orders that were paid by those it drops.

Undoing an order takes the rights, the key and the network of the method that it was paid by. So nothing that
drops a method is deployed while an unfinished order was paid by it: `payments deploy` asks the data API, and
the pipelines, which may not, ask the sweeper's function, which changes no order. In production the method
that new orders are paid by changes in three releases, so that neither an order that comes in meanwhile nor a
rollback meets a stack without its method: list the new one, switch, drop the old one after its last order.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from payment_data import unfinished
from payment_data.errors import Problem
from pipelines.aws import stacks
from pipelines.core.refusals import Refused
from pipelines.core.reporting import NOBODY, Reporter
from pipelines.orders import payment_stack
from templates.payments import METHODS_OUTPUT, UNFINISHED_OUTPUT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from environments.schema import Environment
    from payment_data.client import DataApi
    from pipelines.aws.accounts import Aws

_LOOK: Final = "payments order list"
_SECONDS: Final = 120
"""A person waits longer than a function may."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How many unfinished orders are paid by methods that an environment does not list.

    Attributes:
        unlisted: Their number by method.
        whole: Whether every unfinished order was looked at.
    """

    unlisted: dict[str, int]
    whole: bool

    def counts(self) -> str:
        """Return the numbers as text."""
        return ", ".join(f"{count} by {method}" for method, count in sorted(self.unlisted.items()))


def asked(api: DataApi, environment: Environment) -> Answer:
    """Return what the data API says."""
    return Answer(**unfinished.paid_by_others(api, environment.payment_methods, seconds=_SECONDS))


def check_deployment(aws: Aws, stack: str, reporter: Reporter = NOBODY) -> None:
    """Check, before a person deploys, that no unfinished order loses the method that it was paid by.

    A data API that cannot answer is no reason to refuse: what is deployed may mend it.

    Raises:
        Refused: Some would.
    """
    if stacks.status(aws, stack) is None:
        return
    try:
        answer = asked(payment_stack.connect(aws, stack).api, aws.environment)
    except (Problem, Refused, KeyError, ClientError) as error:
        reporter.say(f"Not checked by which methods unfinished orders are paid: {error}")
        return
    _refuse(aws.environment, stack, [], answer)


def check_release(aws: Aws, stack: str) -> None:
    """Check, in a pipeline and before anything is changed, that no unfinished order loses its method.

    Args:
        aws: The environment as the release will have it, seen by its inspection role.
        stack: The payments stack as it is deployed, if it is.

    Raises:
        Refused: Some would, or some may: a method is dropped, and who was paid by it cannot be found out.
    """
    if stacks.status(aws, stack) is None:
        return
    outputs = stacks.outputs(aws, stack)
    if METHODS_OUTPUT not in outputs:
        return  # deployed before releases asked
    deployed = outputs[METHODS_OUTPUT].split(",")
    answer = _ask_sweeper(aws, outputs[UNFINISHED_OUTPUT])
    dropped = [method for method in deployed if method not in aws.environment.payment_methods]
    problems = list(_switches(aws.environment, deployed)) if aws.environment.production else []
    if dropped and not answer.whole:
        problems.append(f"It drops {', '.join(dropped)}, and not every unfinished order could be looked at")
    _refuse(aws.environment, stack, problems, answer)


def _ask_sweeper(aws: Aws, function: str) -> Answer:
    """Ask the function of the sweeper that reads orders; one that cannot answer says nothing of any order."""
    event = json.dumps({"methods": aws.environment.payment_methods}).encode()
    try:
        answer = aws.functions.invoke(FunctionName=function, Payload=event)
        payload: Any = json.loads(answer["Payload"].read())
    except (BotoCoreError, ClientError):
        return Answer({}, whole=False)
    return Answer({}, whole=False) if "FunctionError" in answer else Answer(**payload)


def _switches(environment: Environment, deployed: list[str]) -> Iterator[str]:
    now, paying = environment.payment_method, deployed[0]
    if now not in deployed:
        yield (
            f"New orders would be paid by {now}, which a rollback would drop: release also_refunds: [{now}]"
            " first"
        )
    if paying not in environment.payment_methods:
        yield f"New orders are paid by {paying} until this is released: keep it in also_refunds"


def _refuse(environment: Environment, stack: str, problems: list[str], answer: Answer) -> None:
    if answer.unlisted:
        problems.append(
            f"Unfinished orders of {stack} are paid by methods that {environment.name} does not list:"
            f" {answer.counts()}. Add them to also_refunds in environments/{environment.name}.yml until those"
            " orders have ended"
        )
    if problems:
        raise Refused(f"{'. '.join(problems)}. Nothing was changed.", _LOOK)
