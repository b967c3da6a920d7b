"""What CloudFormation asks IAM about a resource, for the types that are listed (`stack_calls.yml`).

Whatever an identity gets is asked about: its boundary, its policies, and who it is handed to. A type that is
not listed is asked about under its own name, as `ssm:CreateParameter`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from embedded_aws.core import ministack_names as private
from embedded_aws.iam.decisions import Question

Json = dict[str, Any]

_TABLE: Json = yaml.safe_load(Path(__file__).with_name("stack_calls.yml").read_text(encoding="utf-8"))
_VERBS = {"create": "Create", "update": "Update", "delete": "Delete"}
_HANDED = {
    "AWS::ApiGateway::Account": ("CloudWatchRoleArn", "apigateway.amazonaws.com"),
    "AWS::EC2::FlowLog": ("DeliverLogsPermissionArn", "vpc-flow-logs.amazonaws.com"),
    "AWS::Lambda::Function": ("Role", "lambda.amazonaws.com"),
    "AWS::StepFunctions::StateMachine": ("RoleArn", "states.amazonaws.com"),
}
"""The property that session a role to a service."""
_NAMING = (
    "AlarmName",
    "DashboardName",
    "FunctionName",
    "LogGroupName",
    "RoleName",
    "StateMachineArn",
    "StateMachineName",
)
"""Properties that name a resource, or the one that it is a part of."""
_AFTER_LOGICAL_ID = {"AWS::StepFunctions::StateMachine", "AWS::CloudWatch::Dashboard"}
"""Types whose made-up names begin with the logical id, and say nothing of the stack."""
_PARTS_OF_ARN = (":stateMachine:", ":function:", ":log-group:", ":alarm:")


_SERVICE_LINKED = {
    "AWS::ApplicationSignals::ServiceLevelObjective": "application-signals.cloudwatch.amazonaws.com"
}
"""The service whose role the first resource of a type makes in an account.

CloudWatch user guide, "Using service-linked roles for CloudWatch"."""


@dataclass(frozen=True, slots=True)
class Resource:
    """What an operation is about.

    Attributes:
        kind: Its CloudFormation type.
        name: Its physical id; before it has one, what CloudFormation's name for it begins with.
        properties: As resolved.
        region: The stack's.
        account: The stack's.
        before: Its properties before an update; what it had then is not given to it again.
        tags: Of what the operation acts on, a part's being those of the whole.
    """

    kind: str
    name: str
    properties: Json
    region: str
    account: str
    before: Json = field(default_factory=dict)
    tags: Json = field(default_factory=dict)

    @property
    def called(self) -> str:
        """What it, or what it is a part of, is called: as stated, else its physical id's name."""
        stated = next((self.properties[key] for key in _NAMING if key in self.properties), self.name)
        name = stated if isinstance(stated, str) else self.name
        for part in _PARTS_OF_ARN:
            if part in name:
                return name.partition(part)[2]
        return name.split(":")[-1].rpartition("/")[2] if ":" in name else name


def made_up_name(kind: str, stack: str, logical_id: str) -> str:
    """Return what a name that CloudFormation makes up begins with."""
    return logical_id if kind in _AFTER_LOGICAL_ID else f"{stack}-{logical_id}"


def questions(operation: str, resource: Resource) -> Iterator[Question]:
    """What is asked before a resource is created, updated or deleted; `operation` is one of these words."""
    calls = _TABLE.get(resource.kind) or _unlisted(resource.kind)
    arn = _arn(calls["resource"], resource)
    service = calls["resource"].partition(":")[0]
    boundary = {"iam:permissionsboundary": resource.properties.get("PermissionsBoundary")}
    context = boundary if resource.kind == "AWS::IAM::Role" else {}
    context |= {f"aws:resourcetag/{key}".lower(): value for key, value in resource.tags.items()}
    for call in calls[operation]:
        yield Question(f"{service}:{call}", arn, context)
    if operation != "delete":
        yield from _given(resource, arn, context)
        yield from _handed(resource)


def _given(resource: Resource, arn: str, context: Json) -> Iterator[Question]:
    """The policies of an identity, the code of a function, and the role that a service makes for itself."""
    if resource.kind == "AWS::IAM::Role":
        if resource.properties.get("Policies", []) != resource.before.get("Policies", []):
            yield Question("iam:PutRolePolicy", arn, context)
        had = resource.before.get("ManagedPolicyArns", [])
        for policy in (
            arn_of_policy
            for arn_of_policy in resource.properties.get("ManagedPolicyArns", [])
            if arn_of_policy not in had
        ):
            yield Question("iam:AttachRolePolicy", arn, context | {"iam:policyarn": policy})
    elif resource.kind in {"AWS::IAM::Policy", "AWS::IAM::RolePolicy"}:
        names = resource.properties.get("Roles") or [resource.properties.get("RoleName", "")]
        for name in names:
            yield Question("iam:PutRolePolicy", f"arn:aws:iam::{resource.account}:role/{name}")
    elif resource.kind in _SERVICE_LINKED and not _has_service_linked_role(resource.kind):
        service = _SERVICE_LINKED[resource.kind]
        yield Question(
            "iam:CreateServiceLinkedRole", f"arn:aws:iam::{resource.account}:role{_path(service)}*"
        )
    elif resource.kind == "AWS::Lambda::Function" and "S3Bucket" in resource.properties.get("Code", {}):
        code = resource.properties["Code"]
        action = "s3:GetObjectVersion" if code.get("S3ObjectVersion") else "s3:GetObject"
        yield Question(action, f"arn:aws:s3:::{code['S3Bucket']}/{code['S3Key']}")


def _has_service_linked_role(kind: str) -> bool:
    return any(role["Path"] == _path(_SERVICE_LINKED[kind]) for role in private.iam.roles.values())


def _path(service: str) -> str:
    return f"/aws-service-role/{service}/"


def _handed(resource: Resource) -> Iterator[Question]:
    key, service = _HANDED.get(resource.kind, ("", ""))
    role = resource.properties.get(key)
    if role:
        yield Question("iam:PassRole", str(role), {"iam:passedtoservice": service})


def _arn(pattern: str, resource: Resource) -> str:
    place = f"{resource.region}:{resource.account}"
    filled_in = pattern.format(
        name=resource.called, place=place, region=resource.region, account=resource.account
    )
    return f"arn:aws:{filled_in}"


def _unlisted(kind: str) -> Json:
    service, _, thing = kind.removeprefix("AWS::").lower().partition("::")
    calls = {word: [f"{verb}{kind.rpartition('::')[2]}"] for word, verb in _VERBS.items()}
    return {"resource": f"{service}:{{place}}:{thing}/{{name}}", **calls}
