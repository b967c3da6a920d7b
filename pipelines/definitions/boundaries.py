"""What holds the roles in a target account, whatever their policies come to say.

A boundary grants nothing. The runtime boundary is on every role that our stacks make for functions and
workflows; the pipeline boundary on the roles that deploy them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from awacs.aws import Action, Allow, ArnLike, Condition, Deny, PolicyDocument, Statement, StringNotEquals
from troposphere import Ref, Sub
from troposphere.iam import ManagedPolicy

from pipelines.definitions import execution_actions, execution_permissions
from pipelines.definitions.roles import PATH
from templates.capabilities.lint_exceptions import Except, excepted
from templates.capabilities.permissions import POLICY_VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from troposphere import AWSHelperFn, Template

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
    "states": ["DescribeExecution", "StartExecution", "StopExecution"],
}
"""What it can ever do to what its environment's stacks made."""

SECRETS: Final = {"secretsmanager": ["DescribeSecret", "GetSecretValue"]}
"""What it can ever do to the secrets that its environment's file names."""

_PLACE: Final = "${{AWS::Region}}:${{AWS::AccountId}}"
_LOGS: Final = f"logs:{_PLACE}:log-group:{{}}"
_OWN: Final = (
    _LOGS,
    f"lambda:{_PLACE}:function:{{}}",
    f"logs:{_PLACE}:log-group:{execution_permissions.WORKFLOW_LOGS}{{}}",
    f"states:{_PLACE}:execution:{{}}",
    f"states:{_PLACE}:stateMachine:{{}}",
)
_SYNC_RULE: Final = (
    "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/"
    "StepFunctionsGetEventsForStepFunctionsExecutionRule"
)
"""Of Step Functions itself, one in an account: how it hears of an execution that another one waits for."""

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
        _allow(_actions([ANYWHERE])),
        Statement(Sid="Own", Effect=Allow, Action=_actions([RUNTIME]), Resource=[*arns, Sub(_SYNC_RULE)]),
        Statement(
            Sid="ApiGatewayLogs",
            Effect=Allow,
            Action=_actions([{"logs": RUNTIME["logs"]}]),
            Resource=["*"],
            Condition=gateways_role,
        ),
        *(
            [Statement(Sid="OwnSecrets", Effect=Allow, Action=_actions([SECRETS]), Resource=secrets)]
            if secrets
            else []
        ),
        Statement(
            Sid="OtherEnvironmentsStayOut",
            Effect=Deny,
            Action=_actions([{"ec2": ["CreateNetworkInterface"], "kms": ANYWHERE["kms"]}]),
            Resource=["*"],
            Condition=execution_permissions.others(environment, "tools"),
        ),
    ]
    description = "What functions and workflows can ever do"
    return _add(template, "RuntimeBoundary", description, statements, _WIDE)


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
    "Own": "Functions, workflows, executions and logs of the environment's own stacks.",
    "ApiGatewayLogs": "API Gateway has one role in an account, which writes the logs of every API there: the "
    "resource is *.",
    "OwnSecrets": "The secrets that the environment's file names.",
    "OtherEnvironmentsStayOut": "Ids say nothing of an environment; a tag does, so the resource is *.",
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
