"""Gathers everything about an environment; what cannot be asked is noted with its reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, ProfileNotFound

from payment_data.errors import Problem
from pipelines.core.refusals import Refused
from pipelines.core.reporting import NOBODY, Reporter
from pipelines.evidence import stack_changes
from pipelines.orders import orders, payment_stack
from pipelines.orders.states import PARKED
from pipelines.promotion.control import name_of
from pipelines.status import delivery
from pipelines.status.deployed import Alarms, Deployed, Gate, Release, alarms, gates, read_deployed, release

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.aws.accounts import Aws
    from pipelines.status.delivery import Measures

MOST_PARKED: Final = 100
"""How many parked orders are counted; one is too many already."""
T = TypeVar("T")


@dataclass(slots=True)
class Status:
    """How an environment does.

    Attributes:
        environment: Its name.
        account: Its account.
        region: Its region.
        stack: The payments stack.
        at: When this was asked.
        deployed: What the stack runs; nothing where it is not deployed.
        release: What the release pipeline last did there.
        smoke: How the last smoke execution ended and when it began; nothing where none ran.
        gates: Approvals that wait.
        alarms: How its alarms stand.
        parked: Ids of orders that need attention, at most `MOST_PARKED`.
        drift: By stack, what is not as it was deployed.
        delivery: The four measures, where the release pipeline goes.
        unknown: By part, why it could not be asked.
    """

    environment: str
    account: str
    region: str
    stack: str
    at: datetime
    deployed: Deployed | None = None
    release: Release | None = None
    smoke: dict[str, Any] | None = None
    gates: list[Gate] = field(default_factory=list)
    alarms: Alarms | None = None
    parked: list[str] = field(default_factory=list)
    drift: dict[str, list[str]] = field(default_factory=dict)
    delivery: Measures | None = None
    unknown: dict[str, str] = field(default_factory=dict)


def gather(aws: Aws, stack: str, tools: Aws | None, reporter: Reporter = NOBODY) -> Status:
    """Ask everything that can be asked.

    Args:
        aws: The environment's account.
        stack: Its payments stack.
        tools: The account of the pipelines; nothing for an environment that no pipeline deploys.
        reporter: Told what is being asked.

    Raises:
        NoCredentialsError: There are none to ask with.
        ProfileNotFound: The profile that should have them does not exist.
    """
    environment = aws.environment
    status = Status(environment.name, environment.account, environment.region, stack, datetime.now(UTC))

    def ask(part: str, question: Callable[[], T], otherwise: T) -> T:
        reporter.passing(f"asking for {part}")
        try:
            return question()
        except (NoCredentialsError, ProfileNotFound):
            raise  # then nothing can be asked, and that is all there is to say
        except (ClientError, BotoCoreError, Problem, Refused) as error:
            status.unknown[part] = error.message if isinstance(error, Refused) else str(error)
            return otherwise

    status.deployed = ask("deployed", lambda: read_deployed(aws, stack), None)
    if status.deployed is not None:
        status.smoke = ask("smoke", lambda: _smoke(aws, stack), None)
        status.alarms = ask("alarms", lambda: alarms(aws, stack), None)
        status.parked = ask("parked", lambda: _parked(aws, stack), [])
        for name in (environment.network_stack, stack):
            drifted = ask(f"drift of {name}", partial(_drift, aws, name), None)
            status.drift |= {} if drifted is None else {name: drifted}
    if tools is not None:
        status.release = ask("release", lambda: release(tools, environment.name), None)
        status.gates = ask("gates", lambda: gates(tools, environment.name), [])
        status.delivery = ask("delivery", lambda: _delivery(tools, environment.name), None)
    return status


def _smoke(aws: Aws, stack: str) -> dict[str, Any] | None:
    machine = payment_stack.connect(aws, stack).smoke
    runs = aws.stepfunctions.list_executions(stateMachineArn=machine, maxResults=1)["executions"]
    return {"status": runs[0]["status"], "started": runs[0]["startDate"]} if runs else None


def _parked(aws: Aws, stack: str) -> list[str]:
    api = payment_stack.connect(aws, stack).api
    return [order["order_id"] for order in orders.listed(api, PARKED, MOST_PARKED)]


def _drift(aws: Aws, stack: str) -> list[str]:
    result = stack_changes.detect_drift(aws, stack)
    if result.unknown:
        raise Refused(result.unknown)
    return list(result.drifted)


def _delivery(tools: Aws, environment: str) -> Measures | None:
    if environment not in delivery.STAGES:
        return None
    return delivery.measured(tools, name_of(tools, "release"), environment)
