"""All in one account: an environment's roles reach what is its own, whatever a branch writes."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import pytest

from environments import groupings, schema, tools
from pipelines.definitions import bootstrap_stack, pipelines_stack
from tests.pipelines.definitions import test_least_privilege as judge

if TYPE_CHECKING:
    from environments.schema import Environment
    from environments.tools import Tools

Json = dict[str, Any]
ONE: Final = "111111111111"
PLACE: Final = f"eu-central-1:{ONE}"
GROUPINGS: Final = {
    "all in one": dict.fromkeys(("tools", *groupings.PROMOTED), ONE),
    "tools apart": dict.fromkeys(groupings.PROMOTED, ONE),
    "production apart": dict.fromkeys(("tools", "branch", "staging"), ONE),
}
OF_PRODUCTION: Final = {
    "lambda:UpdateFunctionCode": f"arn:aws:lambda:{PLACE}:function:payments-prod-DataApiFunction-1",
    "lambda:AddPermission": f"arn:aws:lambda:{PLACE}:function:payments-prod-DataApiFunction-1:live",
    "lambda:InvokeFunction": f"arn:aws:lambda:{PLACE}:function:payments-prod-DataApiFunction-1:live",
    "logs:DeleteLogGroup": f"arn:aws:logs:{PLACE}:log-group:payments-prod-DataApiLogs-1",
    "logs:GetLogEvents": f"arn:aws:logs:{PLACE}:log-group:payments-prod-DataApiLogs-1:log-stream:a",
    "logs:PutLogEvents": f"arn:aws:logs:{PLACE}:log-group:/aws/vendedlogs/states/payments-prod-1/x:*",
    "states:UpdateStateMachine": f"arn:aws:states:{PLACE}:stateMachine:payments-prod-PaymentWorkflow-1",
    "states:StartExecution": f"arn:aws:states:{PLACE}:stateMachine:payments-prod-PaymentWorkflow-1:live",
    "states:StopExecution": f"arn:aws:states:{PLACE}:execution:payments-prod-PaymentWorkflow-1:order-1",
    "cloudwatch:PutMetricAlarm": f"arn:aws:cloudwatch:{PLACE}:alarm:payments-prod-OrdersFailingAlarm-1",
    "cloudwatch:PutCompositeAlarm": f"arn:aws:cloudwatch:{PLACE}:alarm:payments-prod-Health",
    "cloudwatch:PutDashboard": f"arn:aws:cloudwatch::{ONE}:dashboard/payments-prod-BusinessDashboard",
    "events:DeleteRule": f"arn:aws:events:{PLACE}:rule/payments-prod-SettlementRule-1",
    "iam:UpdateAssumeRolePolicy": f"arn:aws:iam::{ONE}:role/payments-network-prod-DataApiRole-1",
    "iam:PassRole": f"arn:aws:iam::{ONE}:role/payments-network-prod-DataApiRole-1",
    "cloudformation:UpdateStack": f"arn:aws:cloudformation:{PLACE}:stack/payments-prod/1",
    "cloudformation:CreateChangeSet": f"arn:aws:cloudformation:{PLACE}:stack/payments-network-prod/1",
    "cloudformation:DeleteStack": f"arn:aws:cloudformation:{PLACE}:stack/payments-prod/1",
    "apigateway:PATCH": "arn:aws:apigateway:eu-central-1::/restapis/a1",
    "ec2:CreateNetworkInterface": f"arn:aws:ec2:{PLACE}:subnet/subnet-1",
    "ec2:DeleteRoute": f"arn:aws:ec2:{PLACE}:route-table/rtb-1",
    "kms:Decrypt": f"arn:aws:kms:{PLACE}:key/1",
    "secretsmanager:GetSecretValue": f"arn:aws:secretsmanager:{PLACE}:secret:payments/prod/stripe-AbCdEf",
    "s3:GetObject": "arn:aws:s3:::payments-docs-docsbucket-1/evidence/1/index.html",
    "sts:AssumeRole": f"arn:aws:iam::{ONE}:role/OrganizationAccountAccessRole",
}
"""What a role of another environment must not do, and to what; ids are of things that are tagged prod."""
BY_ID: Final = {"apigateway:PATCH", "ec2:CreateNetworkInterface", "ec2:DeleteRoute", "kms:Decrypt"}


def grouped(accounts: dict[str, str]) -> tuple[Tools, dict[str, Environment]]:
    """The settings with environments and tools in these accounts."""
    loaded = {name: schema.load(name) for name in groupings.PROMOTED}
    moved = {
        name: environment.model_copy(update={"account": accounts.get(name, environment.account)})
        for name, environment in loaded.items()
    }
    stated = tools.load()
    return stated.model_copy(update={"account": accounts.get("tools", stated.account)}), moved


def reaches(resources: Json, role: str, action: str, resource: str, tag: str) -> bool:
    """Whether a role may; of a boundary, whether a role within it may whose own policy allows anything."""
    policy = judge.evaluated([judge.document(resources[role])], action, resource, tag)
    if role == "RuntimeBoundary":
        return policy
    boundary = "ExecutionBoundary" if role == "ExecutionRole" else "PipelineBoundary"
    return policy and judge.evaluated([judge.document(resources[boundary])], action, resource, tag)


def own(resource: str, environment: str) -> str:
    """What the same thing is called in another environment."""
    if environment != "branch":
        return resource.replace("-prod", f"-{environment}")
    return resource.replace("payments-prod", "branch-x").replace("-prod", "-branch")


@pytest.mark.parametrize("environment", ["branch", "staging"])
def test_no_role_of_an_environment_reaches_production_in_its_account(environment: str) -> None:
    # Given all in one account, and every role and boundary that the environment's stacks or builds act within
    stated, environments = grouped(GROUPINGS["all in one"])
    resources = bootstrap_stack.build(stated, environments[environment]).to_dict()["Resources"]
    acting = [name for name in resources if name.endswith("Role") or name == "RuntimeBoundary"]
    assert {"ExecutionRole", "DeploymentRole", "InspectionRole", "RuntimeBoundary"} <= set(acting)
    # Then none does anything to what is production's
    reached = [
        (name, action)
        for name in acting
        for action, resource in OF_PRODUCTION.items()
        if reaches(resources, name, action, resource, "prod")
    ]
    assert reached == []


def test_the_same_things_of_their_own_are_reached_so_that_the_judge_does_not_refuse_everything() -> None:
    stated, environments = grouped(GROUPINGS["all in one"])
    for environment in ("branch", "staging"):
        resources = bootstrap_stack.build(stated, environments[environment]).to_dict()["Resources"]
        acting = [name for name in resources if name.endswith("Role") or name == "RuntimeBoundary"]
        unreached = {
            action
            for action, resource in OF_PRODUCTION.items()
            if not any(
                reaches(resources, name, action, own(resource, environment), environment) for name in acting
            )
        }
        # No file of ours names a secret, no role reads the docs or takes on a stranger's; a branch deploys no
        # network and uses no change set, and what a release made is neither deleted nor changed without one
        never = {"secretsmanager:GetSecretValue", "s3:GetObject", "sts:AssumeRole"}
        branch = {"ec2:DeleteRoute", "iam:UpdateAssumeRolePolicy", "cloudformation:CreateChangeSet"}
        release = {"cloudformation:DeleteStack", "cloudformation:UpdateStack"}
        assert unreached == never | (branch if environment == "branch" else release)


@pytest.mark.parametrize("grouping", GROUPINGS)
def test_groupings_are_accepted_and_their_templates_differ_in_account_numbers_alone(grouping: str) -> None:
    # Given the templates of our own files, which `payments lint` and cfn-lint judge
    stated, environments = grouped(GROUPINGS[grouping])
    judged = _templates(*grouped({}))
    # Then those of a grouping are the same, and so is the verdict on them
    assert list(groupings.problems(environments, stated)) == []
    assert _templates(stated, environments) == judged


def test_the_data_api_answers_roles_of_its_own_environment_alone() -> None:
    from templates import payments  # noqa: PLC0415 - the other tests here need no payments stack

    for name, pattern in {"prod": "payments-prod-*", "branch": "branch-*"}.items():
        policy = payments.build(schema.load(name)).to_dict()["Resources"]["DataApi"]["Properties"]["Policy"]
        (only,) = (part for part in policy["Statement"] if part["Sid"] == "OnlyOwnRoles")
        (allowed,) = only["Condition"]["ArnNotLike"].values()
        names = [role["Fn::Sub"].rpartition(":role/")[2] for role in allowed]
        assert names == ["${AWS::StackName}-*", pattern]


def _templates(stated: Tools, environments: dict[str, Environment]) -> dict[str, str]:
    built = {name: bootstrap_stack.build(stated, each) for name, each in environments.items()}
    built["pipelines"] = pipelines_stack.build(stated)
    return {
        name: re.sub(r"\b[0-9]{12}\b", "ACCOUNT", json.dumps(template.to_dict(), sort_keys=True))
        for name, template in built.items()
    }
