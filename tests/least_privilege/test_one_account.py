"""Everything in one account: pipelines, three networks, and stacks that are made within bounds.

`make permissions` runs it: it deploys two payments stacks and pays orders in both.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any, Final

import pytest
from botocore.exceptions import ClientError

from environments import groupings, schema
from environments import tools as tools_file
from pipelines.aws import accounts, stacks
from pipelines.aws.accounts import Aws, session
from pipelines.core import branch_names
from pipelines.core.reporting import NOBODY
from pipelines.definitions import configuration_file
from pipelines.deploy import artifacts, deployment, embedded_overrides, pipelines, removal, synth
from pipelines.orders import payment_stack, smoke

if TYPE_CHECKING:
    from collections.abc import Mapping

    from embedded_aws.instance import Instance
    from environments.tools import Tools
    from tests.rehearsal.conftest import Built

STACKS: Final = {"branch": branch_names.stack_name("feature/one"), "prod": "payments-prod"}


@pytest.fixture(scope="module")
def settings() -> Tools:
    """The pipelines' settings, in an account that nobody used."""
    return tools_file.load().model_copy(update={"account": f"{uuid.uuid4().int % 10**12:012}"})


@pytest.fixture(scope="module")
def targets(embedded: Instance, settings: Tools) -> Mapping[str, Aws]:
    """The environments, all in the tools' account."""
    there = {"account": settings.account}
    return {
        name: Aws(
            schema.load(name).model_copy(update=there),
            embedded.endpoint,
            embedded.mongodb_uri,
            card_gateway=embedded.card_gateway,
        )
        for name in groupings.PROMOTED
    }


@pytest.fixture(scope="module")
def changes(embedded: Instance, settings: Tools, targets: Mapping[str, Aws]) -> dict[str, str]:
    """What `payments pipeline deploy` makes there."""
    return pipelines.deploy(accounts.connect_tools(embedded.endpoint, settings), targets, settings)


def deploy(aws: Aws, stack: str, role: str, built: Built) -> None:
    """Create a payments stack as a pipeline does, as the environment's execution role."""
    environment = embedded_overrides.with_database(aws)
    # The stores of the pipelines stack let Publish alone write; this one has a name as theirs.
    bucket = artifacts.make_bucket(aws, f"{accounts.PIPELINES_STACK}-{environment.account}")
    stored = artifacts.store_packages(aws, bucket, built.manifest, built.folder)
    parameters = deployment.parameters(environment, stack, stored, built.manifest, None)
    template = synth.build(environment)["payments"]
    aws.cloudformation.create_stack(
        StackName=stack,
        TemplateURL=artifacts.upload_template(aws, bucket, stack, template.to_json()),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Tags=[{"Key": k, "Value": v} for k, v in configuration_file.tags(environment).items()],
        Capabilities=["CAPABILITY_IAM"],
        RoleARN=role,
        ClientRequestToken=stack,
    )
    stacks.follow(aws, stacks.described(aws, stack)["StackId"], stack, "CREATE_COMPLETE", NOBODY)


def test_a_branch_and_production_work_side_by_side_and_a_branch_cannot_ask_productions_data(
    targets: Mapping[str, Aws], settings: Tools, changes: dict[str, str], built: Built
) -> None:
    # Given pipelines, and each environment's roles and network, in one account
    assert set(changes.values()) == {"created"}
    assert len(changes) == 2 * len(targets) + 3
    # When a branch and production are deployed by their own execution roles, within their boundaries
    for name, stack in STACKS.items():
        role = stacks.outputs(targets[name], settings.bootstrap_of(name))["ExecutionRole"]
        deploy(targets[name], stack, role, built)
    # Then orders are paid in each
    for name, stack in STACKS.items():
        report = smoke.run(payment_stack.connect(targets[name], stack))
        assert [check for check in report.checks if not check.ok] == []
        assert report.passed
    # And a role of the branch's that was given everything does nothing to production
    acting = any_role_of_the_branch(targets["branch"])
    prod = payment_stack.connect(targets["prod"], STACKS["prod"])
    with pytest.raises(ClientError, match="states:StartExecution"):
        acting.client("stepfunctions").start_execution(stateMachineArn=prod.workflow, input="{}")
    with pytest.raises(ClientError, match="lambda:InvokeFunction"):
        acting.client("lambda").invoke(FunctionName=data_api_function(prod.aws))
    # While what is the branch's own it may use
    own = payment_stack.connect(targets["branch"], STACKS["branch"])
    assert acting.client("lambda").invoke(FunctionName=data_api_function(own.aws, STACKS["branch"]))


def any_role_of_the_branch(branch: Aws) -> Aws:
    """Act as a role that the branch's stack made, after a hostile template opened it to all and for all."""
    iam, sts = branch.client("iam"), branch.client("sts")
    roles = [role for page in iam.get_paginator("list_roles").paginate() for role in page["Roles"]]
    name, arn = next(
        (role["RoleName"], role["Arn"])
        for role in roles
        if role["RoleName"].startswith(f"{STACKS['branch']}-SmokeRole")
    )
    iam.put_role_policy(RoleName=name, PolicyName="anything", PolicyDocument=policy(Action="*", Resource="*"))
    iam.update_assume_role_policy(
        RoleName=name, PolicyDocument=policy(Action="sts:AssumeRole", Principal={"AWS": "*"})
    )
    keys = sts.assume_role(RoleArn=arn, RoleSessionName="hostile")["Credentials"]
    taken_on = (keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    return Aws(branch.environment, branch.endpoint, acting=session(branch.environment.region, *taken_on))


def policy(**allowed: Any) -> str:
    """A policy document of one statement."""
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **allowed}]})


def data_api_function(aws: Aws, stack: str = STACKS["prod"]) -> str:
    """The ARN of a stack's data API function."""
    pages = aws.functions.get_paginator("list_functions").paginate()
    return next(
        function["FunctionArn"]
        for page in pages
        for function in page["Functions"]
        if function["FunctionName"].startswith(f"{stack}-DataApi")
    )


def test_deploying_again_changes_nothing(
    embedded: Instance, targets: Mapping[str, Aws], settings: Tools, changes: dict[str, str]
) -> None:
    assert changes
    tools_aws = accounts.connect_tools(embedded.endpoint, settings)
    assert set(pipelines.deploy(tools_aws, targets, settings).values()) == {"unchanged"}


def test_everything_is_removed_environment_by_environment_and_nothing_stays(
    embedded: Instance, targets: Mapping[str, Aws], settings: Tools, changes: dict[str, str]
) -> None:
    # Given all that, and an environment after the other, with what its stacks keep; of one nothing is left
    # of the stacks alone, since somebody deleted them by hand
    assert changes
    tools_aws = accounts.connect_tools(embedded.endpoint, settings)
    prod = targets["prod"]
    for stack in removal.find(prod, settings).stacks:
        stacks.delete(prod, stack.name)
    assert removal.find(prod, settings).stacks == []
    assert {resource.kind for resource in removal.find(prod, settings).kept} == {
        "AWS::IAM::Role",
        "AWS::KMS::Key",
        "AWS::Logs::LogGroup",
    }
    # When its leavings are removed, then the role that the others' APIs log with stays
    (reason,) = removal.remove(prod, removal.find(prod, settings))
    assert "1 APIs of this account and region are there" in reason
    # When each other environment is removed, and then the tools, nothing else stays
    for aws in (targets["branch"], targets["staging"], prod, tools_aws):
        assert removal.remove(aws, removal.find(aws, settings)) == []
    # And the account is empty, but for keys that wait to be deleted and the store that this test made
    assert [
        stack for aws in (*targets.values(), tools_aws) for stack in removal.find(aws, settings).kept
    ] == []
    store = f"{accounts.PIPELINES_STACK}-{settings.account}"
    assert [bucket["Name"] for bucket in tools_aws.s3.list_buckets()["Buckets"]] == [store]
    assert tools_aws.client("logs").describe_log_groups()["logGroups"] == []
    assert tools_aws.client("apigateway").get_account().get("cloudwatchRoleArn") in {None, ""}
    ours = [role["RoleName"] for role in tools_aws.client("iam").list_roles()["Roles"]]
    assert [name for name in ours if name.startswith(("payments-", "branch-"))] == []
