"""What holds the roles in a target account, whatever their policies come to say.

A boundary grants nothing. The runtime boundary (`runtime_boundary.py`) is on every role that our stacks make
for functions and workflows; the boundaries here are on the roles that deploy them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from awacs.aws import Action, Allow, Condition, Deny, PolicyDocument, Statement, StringNotEquals
from troposphere import Ref, Sub
from troposphere.iam import ManagedPolicy

from pipelines.definitions import execution_actions
from pipelines.definitions.roles import PATH
from templates.capabilities.lint_exceptions import Except, excepted
from templates.capabilities.permissions import POLICY_VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from troposphere import AWSHelperFn, Template


DEPLOYING: Final = {
    "apigateway": ["GET"],
    "cloudformation": [
        "BatchDescribeTypeConfigurations",
        "CreateChangeSet",
        "CreateStack",
        "DeleteChangeSet",
        "DeleteStack",
        "DescribeChangeSet",
        "DescribeStackEvents",
        "DescribeStackDriftDetectionStatus",
        "DescribeStackResourceDrifts",
        "DescribeStacks",
        "DetectStackDrift",
        "DetectStackResourceDrift",
        "ExecuteChangeSet",
        "GetTemplate",
        "ListStackResources",
        "ListStacks",
        "UpdateStack",
    ],
    "cloudwatch": ["DescribeAlarms"],
    "iam": ["PassRole"],
    "kms": ["Decrypt", "DescribeKey"],
    "lambda": ["GetFunctionConfiguration", "InvokeFunction", "ListAliases"],
    "s3": ["GetObject", "GetObjectVersion"],
    "states": [
        "DescribeExecution",
        "DescribeStateMachine",
        "DescribeStateMachineAlias",
        "ListExecutions",
        "StartExecution",
    ],
    "sts": ["AssumeRole"],
}
"""What pipelines do themselves: CloudFormation does the rest."""

EXECUTING: Final = {
    "ecr": ["BatchGetImage", "GetDownloadUrlForLayer"],
    "iam": [*execution_actions.ROLES, *execution_actions.BOUNDED_ROLES, "AttachRolePolicy", "PassRole"],
    "s3": ["GetObject", "GetObjectVersion"],
    "sts": ["AssumeRole"],
}
"""What CloudFormation needs beside what its own list says."""


_A_BOUNDARY: Final = "A boundary grants nothing: each role's own policy names its resources."
WIDE: Final = ["CKV_AWS_107", "CKV_AWS_108", "CKV_AWS_111"]
"""checkov's rules against credentials, data and writes on any resource."""
_IDENTITIES: Final = ["CKV_AWS_109", "CKV_AWS_110"]
"""checkov's rules against managing permissions."""


def add_pipeline_boundary(template: Template) -> Ref:
    """Add the boundary of the roles that pipelines act as and return its ARN."""
    allowed = [at_most(actions_of([DEPLOYING]))]
    rules = [*WIDE, *_IDENTITIES]
    return add_boundary(template, "PipelineBoundary", "What pipelines can ever do", allowed, rules)


def add_execution_boundary(template: Template, runtime_boundary: AWSHelperFn) -> Ref:
    """Add the boundary of the role that CloudFormation acts as and return its ARN.

    It is one of its own, since a policy holds 6,144 characters. The role can neither widen itself nor make
    one that the runtime boundary does not hold.
    """
    # In one word each, since the policy has room for little more: roles and policies, and all that IAM does.
    ours = Sub(f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:*{PATH}*")
    unheld = Condition(StringNotEquals({"iam:PermissionsBoundary": runtime_boundary}))
    statements = [
        at_most(
            actions_of(
                [execution_actions.LOOK, execution_actions.CHANGE, execution_actions.UNBOUNDED, EXECUTING]
            )
        ),
        _deny("NotThemselves", ["*"], [ours]),
        _deny("OnlyHeldRoles", [*execution_actions.BOUNDED_ROLES, "AttachRolePolicy"], ["*"], unheld),
    ]
    return add_boundary(
        template,
        "ExecutionBoundary",
        "What CloudFormation can ever do",
        statements,
        [*WIDE, *_IDENTITIES],
    )


def actions_of(parts: Sequence[Mapping[str, Sequence[str]]]) -> list[Action]:
    """Return the actions of several tables, by service and sorted, each once."""
    together: dict[str, set[str]] = {}
    for part in parts:
        for service, names in part.items():
            together.setdefault(service, set()).update(names)
    return [Action(service, name) for service in sorted(together) for name in sorted(together[service])]


def at_most(actions: Sequence[Action]) -> Statement:
    """Return the statement beyond whose actions nothing goes."""
    return Statement(Sid="AtMost", Effect=Allow, Action=list(actions), Resource=["*"])


def _deny(
    sid: str, names: Sequence[str], resources: Sequence[AWSHelperFn | str], condition: Condition | None = None
) -> Statement:
    extra = {} if condition is None else {"Condition": condition}
    actions = [Action("iam", name) for name in names if not name.startswith(("Get", "List"))]
    return Statement(Sid=sid, Effect=Deny, Action=actions, Resource=list(resources), **extra)


REASONS: Final = {
    "Own": "Functions, workflows, executions and logs of the environment's own stacks.",
    "ApiGatewayLogs": "API Gateway has one role in an account, which writes the logs of every API there: the "
    "resource is *.",
    "OwnSecrets": "The secrets that the environment's file names.",
    "OtherEnvironmentsStayOut": "Ids say nothing of an environment; a tag does, so the resource is *.",
    "AtMost": "A boundary says what is possible at all, so its resource is *.",
    "NotThemselves": "What deploys cannot widen its own roles and boundaries.",
    "OnlyHeldRoles": "A role that it makes has the runtime boundary, or is not made.",
}


def add_boundary(
    template: Template, name: str, description: str, statements: Sequence[Statement], rules: Sequence[str]
) -> Ref:
    """Add a boundary, its statements' `REASONS` beside it, without checkov's `rules`; return its ARN."""
    policy = ManagedPolicy(
        name,
        Description=description,
        Path=PATH,
        PolicyDocument=PolicyDocument(Version=POLICY_VERSION, Statement=list(statements)),
        Metadata={
            "Permissions": {str(statement.Sid): REASONS[str(statement.Sid)] for statement in statements},
            **excepted(*[Except(rule, _A_BOUNDARY) for rule in rules]),
        },
    )
    template.add_resource(policy)
    return Ref(policy)
