"""Orders that their execution left half-way: swept to their end, with money and stock given back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pipelines.aws import executions
from tests.rehearsal.shop import Shop, database_of, physical
from tests.rehearsal.sweeping import SWEPT_WITHIN_SECONDS, abandon, await_state, lose, sweep
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipelines.orders.payment_stack import PaymentStack


@pytest.fixture(scope="module")
def stack(deploy: Callable[[str], PaymentStack]) -> PaymentStack:
    """A stack of this module's own: nobody else's orders are swept."""
    return deploy("payments-sweeper")


@pytest.fixture
def shop(stack: PaymentStack) -> Shop:
    return Shop(stack)


def alarm(stack: PaymentStack, name: str) -> str:
    cloudwatch = stack.aws.session.client("cloudwatch", endpoint_url=stack.aws.endpoint)
    found = cloudwatch.describe_alarms(AlarmNames=[physical(stack, f"{name}Alarm")])
    return str(found["MetricAlarms"][0]["StateValue"])


@pytest.mark.parametrize("state", ["NEW", "RESERVED", "PAID"])
def test_an_order_whose_execution_is_stopped_is_undone(stack: PaymentStack, shop: Shop, state: str) -> None:
    # Given an order
    tea, ada = shop.product(price=100, available=5), shop.user(balance=1000)
    order = shop.order(ada, (tea, 100, 2))
    # When somebody stops its execution half-way
    abandon(stack, order, state)
    # Then EventBridge has it swept: it is failed, money and stock are given back, and it is told why
    await_state(stack, order, "FAILED")
    assert (shop.balance(ada), shop.available(tea)) == (1000, 5)
    failures = stack.api.failures(order)["failures"]
    assert [(each["step"], each["error"]) for each in failures] == [("Sweep", "Abandoned")]
    # And the alarm rings, once the log that counts it is read
    wait_until(
        lambda: alarm(stack, "OrdersAbandoned") == "ALARM", "the alarm rings", seconds=SWEPT_WITHIN_SECONDS
    )
    assert alarm(stack, "SweepFailing") == "OK"


def test_an_order_whose_execution_is_gone_is_undone_when_no_deadline_can_lie_ahead(
    stack: PaymentStack, shop: Shop
) -> None:
    # Given orders of executions that nobody knows, as after a stack was deleted: begun, and never placed
    tea, ada = shop.product(price=100, available=5), shop.user(balance=1000)
    begun, waiting = (shop.order(ada, (tea, 100, 1)) for _ in range(2))
    lose(stack, begun, "PAID")
    # When the sweeper looks while a deadline may lie ahead; Then it leaves both alone
    assert json.loads(sweep(stack, quiet_seconds=0)["output"]) == {"swept": 0}
    assert (shop.balance(ada), shop.available(tea)) == (900, 4)
    # When both have not changed for more than a day
    with database_of(stack) as database:
        long_ago = {"$set": {"updated_at": datetime.now(UTC) - timedelta(hours=26)}}
        database.orders.update_many({"_id": {"$in": [begun, waiting]}}, long_ago)
    # Then the one that was begun is undone, with the reason
    assert json.loads(sweep(stack)["output"]) == {"swept": 1}
    assert [stack.api.order(order)["state"] for order in (begun, waiting)] == ["FAILED", "NEW"]
    assert (shop.balance(ada), shop.available(tea)) == (1000, 5)
    (failure,) = stack.api.failures(begun)["failures"]
    assert (failure["error"], failure["cause"]) == (
        "Abandoned",
        "its execution is unknown and left it half-way",
    )


@pytest.fixture
def refused(stack: PaymentStack) -> Iterator[None]:
    """EventBridge may not start the sweeper."""
    deny = {"Effect": "Deny", "Action": "states:StartExecution", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    iam, role = stack.aws.client("iam"), physical(stack, "SweeperStartRole")
    iam.put_role_policy(RoleName=role, PolicyName="freeze", PolicyDocument=policy)
    yield
    iam.delete_role_policy(RoleName=role, PolicyName="freeze")
    sweep(stack, quiet_seconds=0)


def test_an_event_that_cannot_be_delivered_is_kept_and_rings_until_somebody_read_it(
    stack: PaymentStack, shop: Shop, refused: None
) -> None:
    # Given an order whose execution is stopped while EventBridge may not start the sweeper
    order = shop.order(shop.user(balance=1000), (shop.product(price=100, available=5), 100, 1))
    abandon(stack, order, "RESERVED")
    # Then the event is in the queue, with the rule that could not deliver it, and the alarm rings
    sqs, queue = stack.aws.client("sqs"), physical(stack, "UndeliveredEvents")
    wait_until(lambda: alarm(stack, "EventsUndelivered") == "ALARM", "the alarm rings", seconds=30)
    [message] = sqs.receive_message(QueueUrl=queue, MessageAttributeNames=["All"], WaitTimeSeconds=5)[
        "Messages"
    ]
    assert json.loads(message["Body"])["detail"]["name"] == order
    assert physical(stack, "CutOff") in message["MessageAttributes"]["RULE_ARN"]["StringValue"]
    sqs.purge_queue(QueueUrl=queue)


@pytest.fixture
def deaf(stack: PaymentStack) -> Iterator[None]:
    """EventBridge's rule tells nothing of executions."""
    events = stack.aws.session.client("events", endpoint_url=stack.aws.endpoint)
    name = physical(stack, "CutOff").split("/")[-1]
    events.disable_rule(Name=name)
    yield
    events.enable_rule(Name=name)


def test_a_scheduled_sweep_finds_what_no_event_told_of_and_leaves_the_rest_alone(
    stack: PaymentStack, shop: Shop, deaf: None
) -> None:
    # Given an order that was paid and then stopped, one that was completed and one that was never placed
    tea, ada = shop.product(price=100, available=5), shop.user(balance=1000)
    stopped, placed, waiting = (shop.order(ada, (tea, 100, 1)) for _ in range(3))
    abandon(stack, stopped, "PAID")
    assert shop.place(placed).status == "SUCCEEDED"
    # When the sweeper looks at orders that changed just now; Then it leaves them alone
    assert json.loads(sweep(stack)["output"]) == {"swept": 0}
    assert stack.api.order(stopped)["state"] == "PAID"
    # When it looks at every order; Then it undoes the stopped one alone
    assert json.loads(sweep(stack, quiet_seconds=0)["output"]) == {"swept": 1}
    states = [stack.api.order(order)["state"] for order in (stopped, placed, waiting)]
    assert states == ["FAILED", "COMPLETED", "NEW"]
    assert (shop.balance(ada), shop.available(tea)) == (900, 4)
    # And a second sweep finds nothing to do, and neither does a redrive of the stopped execution
    assert json.loads(sweep(stack, quiet_seconds=0)["output"]) == {"swept": 0}
    arn = executions.arn_of(stack.workflow, stopped)
    told = executions.last_event(stack.aws, arn)
    stack.aws.stepfunctions.redrive_execution(executionArn=arn)
    end = list(executions.follow(stack.aws, arn, after=told))[-1]
    assert end.state == "FAILED"
    assert (shop.balance(ada), shop.available(tea)) == (900, 4)
