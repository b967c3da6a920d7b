"""What functions and workflows of an environment can ever do, whatever the policies of their roles say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from awacs.aws import Allow, ArnLike, Condition, Deny, Statement
from troposphere import Ref, Sub

from pipelines.definitions import execution_permissions
from pipelines.definitions.boundaries import WIDE, actions_of, add_boundary, at_most
from templates.capabilities.lint_exceptions import STATED_SECRET, describe, excepted
from templates.capabilities.workflows import SYNC_RULE

if TYPE_CHECKING:
    from troposphere import Template

    from environments.schema import Environment

ANYWHERE: Final = {
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
    "execute-api": ["Invoke"],
    "kms": ["Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey"],
    "logs": [
        "CreateLogDelivery",
        "DeleteLogDelivery",
        "DescribeLogGroups",
        "DescribeResourcePolicies",
        "GetLogDelivery",
        "ListLogDeliveries",
        "PutResourcePolicy",
        "UpdateLogDelivery",
    ],
    "xray": ["GetSamplingRules", "GetSamplingTargets", "PutTelemetryRecords", "PutTraceSegments"],
}
"""What a function or a workflow can ever do to things without a name of ours: no identities, no deployments.

A private API lets in its own environment's roles alone, whatever the boundary of another's says.
"""

RUNTIME: Final = {
    "events": ["DeleteRule", "DescribeRule", "PutRule", "PutTargets", "RemoveTargets"],
    "lambda": ["InvokeFunction"],
    "logs": [
        "CreateLogGroup",
        "CreateLogStream",
        "DescribeLogStreams",
        "FilterLogEvents",
        "GetLogEvents",
        "PutLogEvents",
    ],
    "states": [
        "DescribeExecution",
        "DescribeStateMachineAlias",
        "ListExecutions",
        "ListStateMachineVersions",
        "StartExecution",
        "StopExecution",
    ],
}
"""What it can ever do to what its environment's stacks made."""

SECRETS: Final = {"secretsmanager": ["DescribeSecret", "GetSecretValue"]}
"""What it can ever do to the secrets that its environment's file names."""

_PLACE: Final = "${{AWS::Region}}:${{AWS::AccountId}}"
_LOGS: Final = f"logs:{_PLACE}:log-group:{{}}"
_OWN: Final = (
    _LOGS,
    f"events:{_PLACE}:rule/{{}}",
    f"lambda:{_PLACE}:function:{{}}",
    f"logs:{_PLACE}:log-group:{execution_permissions.WORKFLOW_LOGS}{{}}",
    f"states:{_PLACE}:execution:{{}}",
    f"states:{_PLACE}:stateMachine:{{}}",
)
_SYNC_RULE: Final = f"arn:${{AWS::Partition}}:events:${{AWS::Region}}:${{AWS::AccountId}}:rule/{SYNC_RULE}"


def add_runtime_boundary(template: Template, environment: Environment) -> Ref:
    """Add the boundary of an environment's functions and workflows and return its ARN.

    A branch writes the policies of its own roles, and may share its account with production. So what has a
    name is the environment's own, and of what has none a tag says whose it is.
    """
    payments, network = environment.names_of_payments, f"{environment.network_stack}-*"
    names = [*((own, payments) for own in _OWN), (_LOGS, network)]
    arns = [Sub(f"arn:${{AWS::Partition}}:{own.format(name)}") for own, name in names]
    gateway = f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/{environment.network_stack}"
    gateways_role = Condition(ArnLike({"aws:PrincipalArn": Sub(f"{gateway}-ApiGatewayLogsRole-*")}))
    secrets = environment.secret_arns
    statements = [
        at_most(actions_of([ANYWHERE])),
        Statement(Sid="Own", Effect=Allow, Action=actions_of([RUNTIME]), Resource=[*arns, Sub(_SYNC_RULE)]),
        Statement(
            Sid="ApiGatewayLogs",
            Effect=Allow,
            Action=actions_of([{"logs": RUNTIME["logs"]}]),
            Resource=["*"],
            Condition=gateways_role,
        ),
        *(
            [Statement(Sid="OwnSecrets", Effect=Allow, Action=actions_of([SECRETS]), Resource=secrets)]
            if secrets
            else []
        ),
        Statement(
            Sid="OtherEnvironmentsStayOut",
            Effect=Deny,
            Action=actions_of([{"ec2": ["CreateNetworkInterface"], "kms": ANYWHERE["kms"]}]),
            Resource=["*"],
            Condition=execution_permissions.others(environment, "tools"),
        ),
    ]
    description = "What functions and workflows can ever do"
    boundary = add_boundary(template, "RuntimeBoundary", description, statements, WIDE)
    if secrets:
        describe(template.resources["RuntimeBoundary"], excepted(STATED_SECRET))
    return boundary
