"""What holds the roles in a target account, whatever their policies come to say.

A boundary grants nothing. The runtime boundary is on every role that our stacks make for functions and
workflows; the pipeline boundary on the roles that deploy them.
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

RUNTIME: Final = {
    "cloudwatch": ["PutMetricData"],
    "ec2": [
        "AssignPrivateIpAddresses",
        "CreateNetworkInterface",
        "DeleteNetworkInterface",
        "DescribeNetworkInterfaces",
        "DescribeSecurityGroups",
        "DescribeSubnets",
        "DescribeVpcs",
        "UnassignPrivateIpAddresses",
    ],
    "events": ["DeleteRule", "DescribeRule", "PutRule", "PutTargets", "RemoveTargets"],
    "execute-api": ["Invoke"],
    "kms": ["Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey"],
    "lambda": ["InvokeFunction"],
    "logs": [
        "CreateLogDelivery",
        "CreateLogGroup",
        "CreateLogStream",
        "DeleteLogDelivery",
        "DescribeLogGroups",
        "DescribeLogStreams",
        "DescribeResourcePolicies",
        "FilterLogEvents",
        "GetLogDelivery",
        "GetLogEvents",
        "ListLogDeliveries",
        "PutLogEvents",
        "PutResourcePolicy",
        "UpdateLogDelivery",
    ],
    "secretsmanager": ["DescribeSecret", "GetSecretValue"],
    "sns": ["Publish"],
    "sqs": ["SendMessage"],
    "states": ["DescribeExecution", "StartExecution", "StopExecution"],
    "sts": ["AssumeRole"],
    "xray": ["GetSamplingRules", "GetSamplingTargets", "PutTelemetryRecords", "PutTraceSegments"],
}
"""What a function or a workflow can ever do, by service: no identities, no networks, no deployments."""

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
    "lambda": ["GetFunctionConfiguration", "ListAliases"],
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
_WIDE: Final = ["CKV_AWS_107", "CKV_AWS_108", "CKV_AWS_111"]
"""checkov's rules against credentials, data and writes on any resource."""
_IDENTITIES: Final = ["CKV_AWS_109", "CKV_AWS_110"]
"""checkov's rules against managing permissions."""


def add_runtime_boundary(template: Template) -> Ref:
    """Add the boundary of functions and workflows and return its ARN."""
    allowed = [Action(service, name) for service, names in RUNTIME.items() for name in names]
    return _add(
        template, "RuntimeBoundary", "What functions and workflows can ever do", [_allow(allowed)], _WIDE
    )


def add_pipeline_boundary(template: Template) -> Ref:
    """Add the boundary of the roles that pipelines act as and return its ARN."""
    allowed = [_allow(_actions([DEPLOYING]))]
    rules = [*_WIDE, *_IDENTITIES]
    return _add(template, "PipelineBoundary", "What pipelines can ever do", allowed, rules)


def add_execution_boundary(template: Template, runtime_boundary: AWSHelperFn) -> Ref:
    """Add the boundary of the role that CloudFormation acts as and return its ARN.

    It is one of its own, since a policy holds 6,144 characters. The role can neither widen itself nor make
    one that the runtime boundary does not hold.
    """
    ours = [
        Sub(f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:{kind}{PATH}*") for kind in ("role", "policy")
    ]
    unheld = Condition(StringNotEquals({"iam:PermissionsBoundary": runtime_boundary}))
    statements = [
        _allow(
            _actions(
                [execution_actions.LOOK, execution_actions.CHANGE, execution_actions.UNBOUNDED, EXECUTING]
            )
        ),
        _deny(
            "NotThemselves",
            [*execution_actions.ROLES, *execution_actions.BOUNDED_ROLES, "AttachRolePolicy"],
            ours,
        ),
        _deny("OnlyHeldRoles", [*execution_actions.BOUNDED_ROLES, "AttachRolePolicy"], ["*"], unheld),
    ]
    return _add(
        template,
        "ExecutionBoundary",
        "What CloudFormation can ever do",
        statements,
        [*_WIDE, *_IDENTITIES],
    )


def _actions(parts: Sequence[Mapping[str, Sequence[str]]]) -> list[Action]:
    together: dict[str, set[str]] = {}
    for part in parts:
        for service, names in part.items():
            together.setdefault(service, set()).update(names)
    return [Action(service, name) for service in sorted(together) for name in sorted(together[service])]


def _allow(actions: Sequence[Action]) -> Statement:
    return Statement(Sid="AtMost", Effect=Allow, Action=list(actions), Resource=["*"])


def _deny(
    sid: str, names: Sequence[str], resources: Sequence[AWSHelperFn | str], condition: Condition | None = None
) -> Statement:
    extra = {} if condition is None else {"Condition": condition}
    actions = [Action("iam", name) for name in names if not name.startswith(("Get", "List"))]
    return Statement(Sid=sid, Effect=Deny, Action=actions, Resource=list(resources), **extra)


_REASONS: Final = {
    "AtMost": "A boundary says what is possible at all, so its resource is *.",
    "NotThemselves": "What deploys cannot widen its own roles and boundaries.",
    "OnlyHeldRoles": "A role that it makes has the runtime boundary, or is not made.",
}


def _add(
    template: Template, name: str, description: str, statements: Sequence[Statement], rules: Sequence[str]
) -> Ref:
    policy = ManagedPolicy(
        name,
        Description=description,
        Path=PATH,
        PolicyDocument=PolicyDocument(Version=POLICY_VERSION, Statement=list(statements)),
        Metadata={
            "Permissions": {str(statement.Sid): _REASONS[str(statement.Sid)] for statement in statements},
            **excepted(*[Except(rule, _A_BOUNDARY) for rule in rules]),
        },
    )
    template.add_resource(policy)
    return Ref(policy)
