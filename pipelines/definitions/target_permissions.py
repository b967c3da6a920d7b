"""What the roles of a target account may do there, each statement with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awacs import apigateway, awslambda, cloudwatch, iam, states
from awacs import cloudformation as cfn
from awacs.aws import Condition, StringEquals
from troposphere import Sub

from pipelines.definitions.execution_permissions import read_artifacts, stacks_of
from templates.capabilities.permissions import Permission

if TYPE_CHECKING:
    from troposphere import AWSHelperFn

    from environments.schema import Environment
    from environments.tools import Tools

_FUNCTIONS = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:"
_WORKFLOWS = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:"
_CLOUDFORMATION = "arn:${AWS::Partition}:cloudformation:${AWS::Region}:${AWS::AccountId}:"


def deployment_permissions(
    tools: Tools, environment: Environment, execution_role: AWSHelperFn
) -> list[Permission]:
    """Return what pipelines do here: change sets of our stacks, smoke executions, reads of an alarm.

    No stack of staging or production can be deleted with it: `DeleteStack` is missing. A branch's may, when
    its creation failed and it has to be replaced.
    """
    as_execution = Condition(StringEquals({"cloudformation:RoleArn": execution_role}))
    stacks = _replaceable if environment.name == "branch" else _by_change_sets
    return [
        *stacks(environment, as_execution),
        _pass(execution_role),
        Permission(
            "Smoke",
            "Runs the smoke workflow, whose name begins with its stack's, and waits for it (CodePipeline "
            'user guide, "AWS Step Functions invoke action reference").',
            [states.StartExecution, states.DescribeStateMachine, states.DescribeExecution],
            _smoke(environment),
        ),
        *([_bake()] if environment.name == "prod" else []),
        *read_artifacts(tools, environment),
    ]


def _replaceable(environment: Environment, as_execution: Condition) -> list[Permission]:
    """A branch's stack is created or updated at once, and replaced where its creation failed."""
    return [
        Permission(
            "Deploy",
            "Creates and changes branches' stacks, always as the execution role.",
            [cfn.CreateStack, cfn.UpdateStack],
            _stacks(environment),
            as_execution,
        ),
        _follow(environment, "Follows what happens."),
        _delete_branches("ReplaceBranches", environment),
    ]


def _by_change_sets(environment: Environment, as_execution: Condition) -> list[Permission]:
    return [
        Permission(
            "Deploy",
            "Prepares changes of this environment's stacks, always as the execution role.",
            [cfn.CreateChangeSet],
            _stacks(environment),
            as_execution,
        ),
        Permission(
            "Execute",
            "Executes and clears away change sets, and follows what happens.",
            [
                cfn.ExecuteChangeSet,
                cfn.DeleteChangeSet,
                cfn.DescribeChangeSet,
                cfn.DescribeStacks,
                cfn.DescribeStackEvents,
            ],
            _stacks(environment),
        ),
    ]


def _bake() -> Permission:
    return Permission(
        "Bake",
        "Watches alarms after a release. The resource is *: DescribeAlarms lists, and needs this scope for "
        "composite alarms (CloudWatch API reference, DescribeAlarms).",
        [cloudwatch.DescribeAlarms],
        ["*"],
    )


def removal_permissions(environment: Environment, execution_role: AWSHelperFn) -> list[Permission]:
    """Return what the remove-branch pipeline does: delete stacks whose name and tag are a branch's."""
    return [
        _delete_branches("RemoveBranches", environment),
        _follow(environment, "Follows the deletion."),
        _pass(execution_role),
    ]


def inspection_permissions(environment: Environment) -> list[Permission]:
    """Return what builds may read; none of it changes anything."""
    if environment.name == "branch":
        return _inspection_of_branches(environment)
    return _inspection_of_production(environment) if environment.production else _inspection_of(environment)


def _inspection_of(environment: Environment) -> list[Permission]:
    """Of what a release is in before production: what runs there, and whether its smoke passed."""
    return [
        Permission(
            "LookAtStacks",
            "Reads what is deployed, and under which names.",
            [cfn.DescribeStacks, cfn.ListStackResources],
            _stacks(environment),
        ),
        Permission(
            "LookAtSmoke",
            "Reads the report of the smoke execution.",
            [states.DescribeExecution],
            _smoke(environment)[1:],
        ),
        *_running(environment),
        _open_orders(environment),
    ]


def _open_orders(environment: Environment) -> Permission:
    return Permission(
        "LookAtOpenOrders",
        "Asks the sweeper's function, which changes no order, by which methods unfinished ones were paid.",
        [awslambda.InvokeFunction],
        # CloudFormation cuts names that are too long; no stack's name has a capital letter.
        [Sub(f"{_FUNCTIONS}{environment.stack_pattern}-Find*")],
    )


def _running(environment: Environment) -> list[Permission]:
    """Of what runs: compared between staging and production."""
    return [
        Permission(
            "LookAtFunctions",
            "Reads the digests of the code that runs, and which versions aliases lead to.",
            [awslambda.GetFunctionConfiguration, awslambda.ListAliases],
            [Sub(f"{_FUNCTIONS}{environment.names_of_payments}")],
        ),
        Permission(
            "LookAtWorkflows",
            "Reads the definitions that run, and which versions aliases lead to.",
            [states.DescribeStateMachine, states.DescribeStateMachineAlias],
            [Sub(f"{_WORKFLOWS}stateMachine:{environment.names_of_payments}")],
        ),
        Permission(
            "LookAtApi",
            "Reads what the deployed API answers: an export of its stage.",
            [apigateway.GET],
            [Sub("arn:${AWS::Partition}:apigateway:${AWS::Region}::/restapis/*/stages/*/exports/*")],
        ),
    ]


def _inspection_of_production(environment: Environment) -> list[Permission]:
    """What an approver is shown: what would change, and whether somebody else changed something."""
    return [
        Permission(
            "LookAtStacks",
            "Reads what a change set would do and what is deployed.",
            [cfn.DescribeChangeSet, cfn.DescribeStacks, cfn.GetTemplate, cfn.ListStackResources],
            _stacks(environment),
        ),
        *_running(environment),
        _open_orders(environment),
        Permission(
            "LookForDrift",
            "Compares a stack with its template; what it may not read of a resource is not compared.",
            [cfn.DetectStackDrift, cfn.DetectStackResourceDrift, cfn.DescribeStackResourceDrifts],
            _stacks(environment),
        ),
        Permission(
            "FollowDrift",
            "The resource is *: a detection is known by an id of its own, and how types are configured is "
            "the account's; neither is a resource type (Service Authorization Reference, AWS "
            "CloudFormation).",
            [cfn.DescribeStackDriftDetectionStatus, cfn.BatchDescribeTypeConfigurations],
            ["*"],
        ),
    ]


def _inspection_of_branches(environment: Environment) -> list[Permission]:
    return [
        Permission(
            "LookAtStacks",
            "Lists the branches' stacks, with their tags; what is listed is every stack of the account, "
            "which takes both (CloudFormation API reference, DescribeStacks).",
            [cfn.DescribeStacks, cfn.ListStacks],
            [Sub(_CLOUDFORMATION + "stack/*")],
        ),
        Permission(
            "LookAtSmoke",
            "Says how the last smoke execution of a branch ended.",
            [states.ListExecutions],
            _smoke(environment)[:1],
        ),
        _open_orders(environment),
    ]


def _smoke(environment: Environment) -> list[Sub]:
    """Return the smoke workflows of an environment's stacks, and their executions."""
    name = f"{environment.stack_pattern}-SmokeWorkflow-*"
    return [Sub(f"{_WORKFLOWS}stateMachine:{name}"), Sub(f"{_WORKFLOWS}execution:{name}:*")]


def _stacks(environment: Environment) -> list[Sub]:
    return [Sub(f"{_CLOUDFORMATION}stack/{name}/*") for name in stacks_of(environment)]


def _follow(environment: Environment, reason: str) -> Permission:
    return Permission("Follow", reason, [cfn.DescribeStacks, cfn.DescribeStackEvents], _stacks(environment))


def _delete_branches(sid: str, environment: Environment) -> Permission:
    tagged = Condition(StringEquals({"aws:ResourceTag/environment": "branch"}))
    return Permission(
        sid,
        "Deletes a stack only if both its name and its tag say that the branch pipeline made it.",
        [cfn.DeleteStack],
        _stacks(environment),
        tagged,
    )


def _pass(execution_role: AWSHelperFn) -> Permission:
    return Permission(
        "PassExecutionRole",
        "Hands CloudFormation this one role.",
        [iam.PassRole],
        [execution_role],
        Condition(StringEquals({"iam:PassedToService": "cloudformation.amazonaws.com"})),
    )
