"""Nothing fails, and nothing comes: the shop starts no orders, and nobody looks at schedules any more."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from botocore.exceptions import ClientError

from environments import schema
from environments.parts import Alarms
from tests.rehearsal.shop import datapoints
from tests.waiting import let_pass, wait_until

if TYPE_CHECKING:
    from environments.schema import Environment
    from tests.drills.drill import Scene
    from tests.drills.system import System

MINUTE_SECONDS: Final = 3.0
"""Silence lasts ten minutes and more before it rings."""
_CUSTOMERS, _FEW = 40, 8
_HEALTH: Final = "runbooks/health.md"
_SWEEP: Final = "runbooks/sweep-failing.md"
_SHOP: Final = "the-shop"


@pytest.fixture(scope="module")
def environment() -> Environment:
    """One where customers come at all hours."""
    alarms = Alarms(orders_expected_within_minutes=10)
    return schema.load("branch").model_copy(update={"alarms": alarms})


def test_silence(scene: Scene) -> None:
    system = scene.system
    shop, rule = _shop(system), system.physical("ScheduleCheckSchedule")

    def fall_silent() -> None:
        statement = {"Effect": "Deny", "Action": "states:StartExecution", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        system.client("iam").put_role_policy(RoleName=_SHOP, PolicyName="freeze", PolicyDocument=policy)
        system.client("events").disable_rule(Name=rule)

    def start(order: str) -> None:
        shop.start_execution(
            stateMachineArn=system.stack.live, name=order, input=json.dumps({"order_id": order})
        )
        system.traffic.placed.append(order)

    def sell() -> None:
        """Let customers buy until the alarm on silence is quiet, as it is after a few of its minutes."""
        for sold, order in enumerate(system.traffic.prepare(_CUSTOMERS)):
            start(order)
            let_pass(MINUTE_SECONDS / 2)
            if sold > _FEW and "OrdersMissing" not in system.ringing():
                return

    # Given a shop that sells, and a check that has told something
    sell()
    wait_until(lambda: datapoints(system.stack, "SchedulesSilent"), "the check tells", seconds=60, every=0.5)
    wait_until(lambda: not system.ringing(), system.ringing, seconds=60, every=0.5)
    # When its role may start no orders, and the check of schedules is disabled
    scene.breaks("the shop may start no orders, and the check of schedules is disabled", fall_silent)
    with pytest.raises(ClientError, match="AccessDenied"):
        start(system.traffic.waiting[-1])
    # Then both silences ring, and the smoke test passes, so it is the shop
    scene.rings("OrdersMissing", "ScheduleCheckSilent")
    told = scene.follow(_HEALTH, "How to see it")
    assert "OrdersMissingAlarm" in told
    assert "ScheduleCheckSilentAlarm" in told
    scene.follow(_HEALTH, "How to know it is fixed")
    # And the check is enabled again by its page, and the shop's role by those who own it
    assert f"{rule}\tDISABLED" in scene.follow(_SWEEP, "How to see it", only=1)
    scene.follow(_SWEEP, "How to fix it", only=0, RULE=rule)
    scene.outside(
        "the shop's role may start orders again",
        lambda: system.client("iam").delete_role_policy(RoleName=_SHOP, PolicyName="freeze"),
    )
    # Then customers buy, and the system is well
    sell()
    scene.follow(_SWEEP, "How to know it is fixed")
    scene.well()


def _shop(system: System) -> Any:
    """Return Step Functions as the shop's own role, which may start orders and nothing else, has it."""
    iam, aws = system.client("iam"), system.stack.aws
    account = aws.environment.account
    trust = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
    }
    may = {"Effect": "Allow", "Action": "states:StartExecution", "Resource": system.stack.live}
    documents = [json.dumps({"Version": "2012-10-17", "Statement": [each]}) for each in (trust, may)]
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):  # an earlier run made it
        iam.create_role(RoleName=_SHOP, AssumeRolePolicyDocument=documents[0])
    iam.put_role_policy(RoleName=_SHOP, PolicyName="permissions", PolicyDocument=documents[1])
    arn = f"arn:aws:iam::{account}:role/{_SHOP}"
    keys = system.client("sts").assume_role(RoleArn=arn, RoleSessionName="shop")["Credentials"]
    return boto3.client(
        "stepfunctions",
        endpoint_url=aws.endpoint,
        region_name=aws.environment.region,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
