"""Roles made of typed statements, each with its reason.

The reason of every statement stands in the role's Metadata under `Permissions`, so a reviewer reads
it beside the policy; a statement on `*` says there why AWS offers nothing narrower.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from awacs import ec2, xray
from awacs.aws import (
    Action,
    Allow,
    Bool,
    Condition,
    Deny,
    Null,
    PolicyDocument,
    Principal,
    Statement,
    StringEquals,
)
from awacs.sts import AssumeRole
from troposphere import AccountId, GetAtt, Sub
from troposphere.iam import Policy, Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from troposphere import AWSHelperFn, Template
    from troposphere.s3 import Bucket

POLICY_VERSION = "2012-10-17"
NOT_FROM_FUNCTION_CODE = Condition(Null({"lambda:SourceFunctionArn": "true"}))
"""Holds for the Lambda service and not for a function's own code, whose calls always carry the key.

AWS documentation: Lambda developer guide, "Working with Lambda execution environment credentials".
"""


@dataclass(frozen=True, slots=True)
class Permission:
    """One statement of a role: what it may do, or never may, on what, and why."""

    sid: str
    reason: str
    actions: Sequence[Action]
    resources: Sequence[AWSHelperFn | str]
    condition: Condition | None = None
    denied: bool = False

    def statement(self) -> Statement:
        """Return it as an IAM statement."""
        condition = {} if self.condition is None else {"Condition": self.condition}
        return Statement(
            Sid=self.sid,
            Effect=Deny if self.denied else Allow,
            Action=list(self.actions),
            Resource=list(self.resources),
            **condition,
        )


def add_role(
    template: Template,
    name: str,
    service: str,
    permissions: Sequence[Permission],
    *,
    for_this_account: bool = True,
) -> GetAtt:
    """Add `<name>Role`, which one AWS service may assume, and return its ARN.

    Args:
        template: where it goes.
        name: what the role is for; its logical id begins with it.
        service: the principal, as `states.amazonaws.com`.
        permissions: what it may do.
        for_this_account: refuse the service when it acts for another account (the confused deputy).
            Lambda sends no `aws:SourceAccount` when it assumes a role, so its roles cannot ask for it.
    """
    role = Role(
        f"{name}Role",
        AssumeRolePolicyDocument=_trust(service, for_this_account=for_this_account),
        Policies=[
            Policy(
                PolicyName="permissions",
                PolicyDocument=PolicyDocument(
                    Version=POLICY_VERSION, Statement=[permission.statement() for permission in permissions]
                ),
            )
        ],
        Metadata={"Permissions": {permission.sid: permission.reason for permission in permissions}},
    )
    template.add_resource(role)
    return GetAtt(role, "Arn")


def _trust(service: str, *, for_this_account: bool) -> PolicyDocument:
    condition = (
        {"Condition": Condition(StringEquals({"aws:SourceAccount": AccountId}))} if for_this_account else {}
    )
    return PolicyDocument(
        Version=POLICY_VERSION,
        Statement=[
            Statement(Effect=Allow, Principal=Principal("Service", service), Action=[AssumeRole], **condition)
        ],
    )


def only_tls(bucket: Bucket) -> Statement:
    """Deny everybody everything over plain HTTP.

    All of S3's actions, those of next year too: a list would leave gaps (Amazon S3 user guide, "Security best
    practices", enforce encryption of data in transit).
    """
    return Statement(
        Sid="OnlyTls",
        Effect=Deny,
        Principal=Principal("AWS", "*"),
        Action=[Action("s3", "*")],
        Resource=[GetAtt(bucket, "Arn"), Sub(f"${{{bucket.title}.Arn}}/*")],
        Condition=Condition(Bool({"aws:SecureTransport": "false"})),
    )


def join_vpc() -> Permission:
    """Return what a function in a VPC needs to be there."""
    return Permission(
        "JoinVpc",
        "Lambda makes the function's network interfaces with this role; its code cannot. The resource is "
        "*: Lambda checks these actions on * when a function joins a VPC (Lambda developer guide, "
        "'Giving Lambda functions access to resources in an Amazon VPC').",
        [
            ec2.CreateNetworkInterface,
            ec2.DescribeNetworkInterfaces,
            ec2.DescribeSubnets,
            ec2.DeleteNetworkInterface,
            ec2.AssignPrivateIpAddresses,
            ec2.UnassignPrivateIpAddresses,
        ],
        ["*"],
        NOT_FROM_FUNCTION_CODE,
    )


def trace_permission() -> Permission:
    """Return the right to send traces."""
    return Permission(
        "SendTraces",
        "Sends X-Ray traces. The resource is *: these actions have no resource type "
        "(Service Authorization Reference, AWS X-Ray).",
        [xray.PutTraceSegments, xray.PutTelemetryRecords],
        ["*"],
    )
