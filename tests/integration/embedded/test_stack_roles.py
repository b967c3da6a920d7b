"""CloudFormation acts as the role that it was handed: what a branch's templates can make, and what not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, WaiterError
from embedded_workbench import unique

from environments import schema, tools
from pipelines.core import branch_names
from pipelines.definitions import bootstrap_stack

if TYPE_CHECKING:
    from collections.abc import Callable

    Aws = Callable[..., Any]
    Json = dict[str, Any]

BRANCH = schema.load("branch")
QUICKLY = {"Delay": 0.1, "MaxAttempts": 200}
ANYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


@pytest.fixture(scope="module")
def account(aws: Aws) -> dict[str, str]:
    """The branches' account as its administrator prepares it: the outputs of its bootstrap stack."""
    cloudformation = aws("cloudformation", account=BRANCH.account, region=BRANCH.region)
    name, template = unique("bootstrap"), bootstrap_stack.build(tools.load(), BRANCH)
    cloudformation.create_stack(
        StackName=name, TemplateBody=template.to_json(), Capabilities=["CAPABILITY_IAM"]
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=QUICKLY)
    (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


@pytest.fixture
def deploy(aws: Aws, account: dict[str, str]) -> Callable[[Json], tuple[str, str]]:
    """Deploy a branch's stack of one resource as the execution role; say how it ended, and why."""
    cloudformation = aws("cloudformation", account=BRANCH.account, region=BRANCH.region)

    def deployed(resource: Json) -> tuple[str, str]:
        stack = branch_names.stack_name(unique("feature/x"))
        cloudformation.create_stack(
            StackName=stack,
            TemplateBody=json.dumps({"Resources": {"Made": resource}}),
            Capabilities=["CAPABILITY_IAM"],
            RoleARN=account["ExecutionRole"],
        )
        try:
            cloudformation.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig=QUICKLY)
        except WaiterError:
            events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
            return "", next(
                e["ResourceStatusReason"] for e in events if e["ResourceStatus"] == "CREATE_FAILED"
            )
        (made,) = cloudformation.list_stack_resources(StackName=stack)["StackResourceSummaries"]
        return made["PhysicalResourceId"], ""

    return deployed


def role(**properties: Any) -> Json:
    anybody = {"AWS": f"arn:aws:iam::{BRANCH.account}:root"}
    trust = {"Effect": "Allow", "Principal": anybody, "Action": "sts:AssumeRole"}
    document = {"Version": "2012-10-17", "Statement": [trust]}
    return {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": document, **properties}}


def inline(statement: Json) -> list[Json]:
    return [{"PolicyName": "own", "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}]


REFUSED: dict[str, tuple[Json, str]] = {
    "a role without a boundary": (role(), "iam:CreateRole"),
    "an administrator without a boundary": (role(Policies=inline(ANYTHING)), "iam:CreateRole"),
    "a role within a boundary of its own": (
        role(PermissionsBoundary=ADMINISTRATOR, Policies=inline(ANYTHING)),
        "iam:CreateRole",
    ),
    "a policy for whoever wants it": (
        {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {"PolicyDocument": {"Version": "2012-10-17", "Statement": [ANYTHING]}},
        },
        "iam:CreatePolicy",
    ),
    "a user": ({"Type": "AWS::IAM::User", "Properties": {}}, "iam:CreateUser"),
    "what our templates have nothing of": ({"Type": "AWS::S3::Bucket", "Properties": {}}, "s3:CreateBucket"),
}


PROD: dict[str, tuple[Json, str]] = {
    "its API": (
        {
            "Type": "AWS::ApiGateway::Resource",
            "Properties": {"RestApiId": "API", "ParentId": "ROOT", "PathPart": "spy"},
        },
        "apigateway:POST",
    ),
    "its function": (
        {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": "payments-prod-DataApiFunction-1",
                "Principal": "111111111111",
            },
        },
        "lambda:AddPermission",
    ),
    "its alarm": (
        {
            "Type": "AWS::CloudWatch::CompositeAlarm",
            "Properties": {"AlarmName": "payments-prod-Health", "AlarmRule": "FALSE"},
        },
        "cloudwatch:PutCompositeAlarm",
    ),
    "its logs": (
        {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {"LogGroupName": "payments-prod-DataApiLogs-1", "RetentionInDays": 1},
        },
        "logs:CreateLogGroup",
    ),
}
"""What a branch would change of production's, were they in one account; API and ROOT are filled in."""


@pytest.mark.parametrize("what", PROD)
def test_a_branch_cannot_touch_production_in_its_account(
    aws: Aws, deploy: Callable[[Json], tuple[str, str]], what: str
) -> None:
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-servicerole.html
    # Given an API of production's in the branches' account, made and tagged as releases do
    cloudformation = aws("cloudformation", account=BRANCH.account, region=BRANCH.region)
    stack, api = unique("payments-prod"), {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "prod"}}
    outputs = {"Api": {"Value": {"Ref": "Api"}}, "Root": {"Value": {"Fn::GetAtt": ["Api", "RootResourceId"]}}}
    cloudformation.create_stack(
        StackName=stack,
        TemplateBody=json.dumps({"Resources": {"Api": api}, "Outputs": outputs}),
        Tags=[{"Key": "environment", "Value": "prod"}],
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig=QUICKLY)
    (made,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    ids = {one["OutputKey"]: one["OutputValue"] for one in made["Outputs"]}
    # When a branch's template changes it, then CloudFormation's role may not
    resource, action = PROD[what]
    filled_in = json.dumps(resource).replace('"API"', f'"{ids["Api"]}"').replace('"ROOT"', f'"{ids["Root"]}"')
    _, reason = deploy(json.loads(filled_in))
    assert f"not authorized to perform: {action}" in reason


@pytest.mark.parametrize("what", REFUSED)
def test_a_branch_cannot_make_what_would_widen_it(
    deploy: Callable[[Json], tuple[str, str]], what: str
) -> None:
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-servicerole.html
    # Given a template that any push of a branch may hold
    resource, action = REFUSED[what]
    # When it is deployed as the pipeline does
    _, reason = deploy(resource)
    # Then CloudFormation's role may not, and the stack says which permission it lacks
    assert "ExecutionRole" in reason
    assert f"not authorized to perform: {action}" in reason


def test_a_managed_policy_cannot_be_attached_to_a_role(
    deploy: Callable[[Json], tuple[str, str]], account: dict[str, str]
) -> None:
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-servicerole.html
    bounded = role(PermissionsBoundary=account["RuntimeBoundaryArn"], ManagedPolicyArns=[ADMINISTRATOR])
    assert "not authorized to perform: iam:AttachRolePolicy" in deploy(bounded)[1]


def test_a_role_that_claims_everything_can_do_no_more_than_its_boundary(
    aws: Aws, deploy: Callable[[Json], tuple[str, str]], account: dict[str, str]
) -> None:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    # Given a branch's role within the boundary, whose policy allows everything
    name, reason = deploy(role(PermissionsBoundary=account["RuntimeBoundaryArn"], Policies=inline(ANYTHING)))
    assert reason == ""
    iam, sts = (aws(service, account=BRANCH.account, region=BRANCH.region) for service in ("iam", "sts"))
    arn = iam.get_role(RoleName=name)["Role"]["Arn"]
    keys = sts.assume_role(RoleArn=arn, RoleSessionName="anything")["Credentials"]
    taken_on = {
        "aws_access_key_id": keys["AccessKeyId"],
        "aws_secret_access_key": keys["SecretAccessKey"],
        "aws_session_token": keys["SessionToken"],
    }

    def answer(service: str, call: str, **arguments: str) -> str:
        client = aws(service, account=BRANCH.account, region=BRANCH.region, **taken_on)
        with pytest.raises(ClientError) as refused:
            getattr(client, call)(**arguments)
        return str(refused.value.response["Error"]["Code"])

    # When it is taken on, then it may do what functions do, and nothing else
    assert answer("lambda", "invoke", FunctionName="branch-missing") == "ResourceNotFoundException"
    assert answer("lambda", "invoke", FunctionName="payments-prod-missing") == "AccessDeniedException"
    assert answer("iam", "create_user", UserName="ada") == "AccessDenied"
    assert answer("ec2", "create_vpc", CidrBlock="10.0.0.0/16") == "UnauthorizedOperation"
    assert answer("cloudformation", "delete_stack", StackName="payments-prod") == "AccessDenied"


def test_what_is_changed_and_deleted_is_asked_about_too(aws: Aws, account: dict[str, str]) -> None:
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-servicerole.html
    # Given a stack that its account's administrator made, with something that the role may not touch
    cloudformation = aws("cloudformation", account=BRANCH.account, region=BRANCH.region)
    stack = branch_names.stack_name(unique("feature/y"))
    template = {"Resources": {"Kept": {"Type": "AWS::S3::Bucket", "Properties": {}}}}
    cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps(template))
    cloudformation.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig=QUICKLY)
    # When it is deleted as the execution role
    cloudformation.delete_stack(StackName=stack, RoleARN=account["ExecutionRole"])
    with pytest.raises(WaiterError):
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig=QUICKLY)
    # Then it is still there
    (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    assert found["StackStatus"] == "DELETE_FAILED"
