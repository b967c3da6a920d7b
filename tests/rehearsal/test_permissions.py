"""No permission of a deployed stack is dead and none is missing: what its roles did, and what they may."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from embedded_aws.iam import call_log
from pipelines.orders import smoke
from tests.least_privilege.audit import audit, grants
from tests.least_privilege.audit.aws_only_permissions import AwsOnlyPermission
from tests.least_privilege.audit.of_stacks import OF_STACKS
from tests.rehearsal.probing import canary, worse
from tests.rehearsal.shop import Shop
from tests.rehearsal.sweeping import (
    abandon,
    await_settlement,
    await_smoke_and_check,
    await_state,
    reconcile_twice,
    sweep,
)
from tests.rehearsal.test_access import STEPS

if TYPE_CHECKING:
    from embedded_aws.iam.call_log import Call
    from embedded_aws.instance import Instance
    from pipelines.orders.payment_stack import PaymentStack
    from tests.least_privilege.audit.grants import Grant


@pytest.fixture(scope="module")
def granted(deployed: PaymentStack) -> list[Grant]:
    """What the roles of the payments stack and of its network may do."""
    network = deployed.aws.environment.network_stack
    return [*grants.of_stack(deployed.aws, deployed.name), *grants.of_stack(deployed.aws, network)]


@pytest.fixture(scope="module")
def done(deployed: PaymentStack, embedded: Instance) -> list[Call]:
    """What they did in the smoke workflow, while an order was undone from its last step on, and in sweeps."""
    # Tests of access ask, as these roles, for what they may not do.
    probed = {call.kind for call in call_log.read(embedded.root) if not call.allowed}
    assert smoke.run(deployed).passed
    shop = Shop(deployed)
    tea, ada = shop.product(price=100, available=5), shop.user(balance=10_000)
    end = shop.place(shop.order(ada, (tea, 100, 1), address=" "))
    assert end.error == "DeliveryRejected"
    abandon(deployed, left := shop.order(ada, (tea, 100, 1)), "RESERVED")
    await_state(deployed, left, "FAILED")
    sweep(deployed)
    await_settlement(deployed)
    await_smoke_and_check(deployed)
    reconcile_twice(deployed)
    with canary(deployed):
        assert worse(deployed) == 1
    return [call for call in call_log.read(embedded.root) if call.kind not in probed]


def test_no_permission_is_dead(granted: list[Grant], done: list[Call]) -> None:
    assert audit.unused_permissions(granted, done) == []


def test_no_call_was_refused(granted: list[Grant], done: list[Call]) -> None:
    assert audit.refused_calls(granted, done) == []


def test_every_recorded_call_is_allowed_by_iams_own_simulation(
    deployed: PaymentStack, granted: list[Grant], done: list[Call]
) -> None:
    # Given everything that the roles did, and IAM's answer to whether they may
    iam = deployed.aws.client("iam")
    roles = {grant.role for grant in granted}
    asked = {(call.role, call.action, call.resource) for call in done if call.role in roles}
    # Bound by `cloudwatch:namespace`, which this simulation cannot be told of; the call itself was allowed.
    asked = {question for question in asked if question[1] != "cloudwatch:PutMetricData"}
    answers = {
        (role, action, resource): iam.simulate_principal_policy(
            PolicySourceArn=iam.get_role(RoleName=role)["Role"]["Arn"],
            ActionNames=[action],
            ResourceArns=[resource],
        )["EvaluationResults"][0]["EvalDecision"]
        for role, action, resource in asked
    }
    # Then it is yes to each
    assert set(answers.values()) == {"allowed"}


def test_taking_any_statement_away_makes_a_call_fail(
    deployed: PaymentStack, granted: list[Grant], done: list[Call]
) -> None:
    # Given each statement that a call rests on, and the other statements of its role
    iam = deployed.aws.client("iam")
    resting = [grant for grant in granted if not set(grant.actions) <= audit.needed_on_aws_alone(grant)]
    workflows = (
        "PaymentWorkflow",
        "SmokeWorkflow",
        "Sweeper",
        "SweeperStart",
        "Settlement",
        "SettlementStart",
        "SmokeStart",
        "ScheduleCheck",
        "ScheduleCheckStart",
        "ReleaseProbe",
        "ReleaseProbeStart",
        "Reconciliation",
        "ReconciliationStart",
    )
    steps = {f"{step}Role" for step in (*STEPS, "Smoke", "FindUnfinished", *workflows)}
    assert {grant.title for grant in resting} == steps
    for taken in resting:
        others = [grant for grant in granted if grant.role == taken.role and grant != taken]
        rest = [
            {"Sid": one.sid, "Effect": "Allow", "Action": one.actions, "Resource": one.resources}
            for one in others
        ]
        # When it is taken away, then IAM refuses something that the role did
        answers = [
            iam.simulate_custom_policy(
                PolicyInputList=[json.dumps({"Version": "2012-10-17", "Statement": rest})],
                ActionNames=[call.action],
                ResourceArns=[call.resource],
            )["EvaluationResults"][0]["EvalDecision"]
            for call in done
            if call.role == taken.role
        ]
        assert "implicitDeny" in answers, (taken.title, taken.sid)


def test_a_permission_that_nothing_needs_is_found(granted: list[Grant], done: list[Call]) -> None:
    # Given a role that may do one thing more, and reach one thing more, than it does
    (asks,) = (one for one in granted if (one.title, one.sid) == ("ReserveProductsRole", "AskDataApi"))
    elsewhere = asks.resources[0].replace("reservation", "payment")
    wider = replace(
        asks,
        actions=(*asks.actions, "execute-api:ManageConnections"),
        resources=(*asks.resources, elsewhere),
    )
    # Then both are dead
    found = [(one.role, one.sid, one.what) for one in audit.unused_permissions([wider], done)]
    assert found == sorted(
        ("ReserveProductsRole", "AskDataApi", what) for what in ("execute-api:ManageConnections", elsewhere)
    )


def test_the_table_of_what_aws_alone_asks_holds_nothing_else(granted: list[Grant], done: list[Call]) -> None:
    assert audit.wrong_exceptions(OF_STACKS, granted, done) == []


def test_an_entry_that_is_wrong_is_found(granted: list[Grant], done: list[Call]) -> None:
    proven = AwsOnlyPermission("lambda", "AskDataApi", ("execute-api:Invoke",), "", "")
    nobodys = AwsOnlyPermission("lambda", "AskDataApi", ("execute-api:ManageConnections",), "", "")
    assert audit.wrong_exceptions([proven, nobodys], granted, done) == [
        "lambda AskDataApi execute-api:ManageConnections: no role may do it",
        "lambda AskDataApi execute-api:Invoke: a call proves it",
    ]
