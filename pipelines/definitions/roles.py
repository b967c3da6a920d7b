"""Roles of the pipelines: what one may do with each thing, and who may take it on.

They share a path, `/payments-pipelines/`, and so the target accounts can trust them before they exist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from awacs.aws import Allow, PolicyDocument, Principal, Statement
from awacs.sts import AssumeRole
from troposphere import GetAtt, Ref
from troposphere.iam import Policy, PolicyType, Role

from templates.capabilities.permissions import POLICY_VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from troposphere import Template

    from templates.capabilities.permissions import Permission

PATH = "/payments-pipelines/"


def add_service_role(template: Template, name: str, service: str, permissions: Sequence[Permission]) -> Role:
    """Add `<name>Role`, which one AWS service takes on; the reasons stand in its Metadata.

    The trust has no condition on the account that the service acts for: CodeBuild and CodePipeline do not
    promise to send one when they take on a service role.
    """
    role = Role(
        f"{name}Role",
        Path=PATH,
        AssumeRolePolicyDocument=PolicyDocument(
            Version=POLICY_VERSION,
            Statement=[Statement(Effect=Allow, Principal=Principal("Service", service), Action=[AssumeRole])],
        ),
        Policies=[Policy(PolicyName="permissions", PolicyDocument=document(permissions))],
        Metadata={"Permissions": reasons(permissions)},
    )
    template.add_resource(role)
    return role


def allow_later(template: Template, name: str, role: Role, permissions: Sequence[Permission]) -> None:
    """Allow a role something that could not be named yet when the role was made."""
    policy = PolicyType(
        f"{name}Policy",
        PolicyName=name,
        Roles=[Ref(role)],
        PolicyDocument=document(permissions),
        Metadata={"Permissions": reasons(permissions)},
    )
    template.add_resource(policy)


def arn(role: Role) -> GetAtt:
    """The role's ARN."""
    return GetAtt(role, "Arn")


def document(permissions: Sequence[Permission]) -> PolicyDocument:
    """The permissions as a policy."""
    return PolicyDocument(
        Version=POLICY_VERSION, Statement=[permission.statement() for permission in permissions]
    )


def reasons(permissions: Sequence[Permission]) -> dict[str, str]:
    """Why each permission is there, for the reviewer."""
    return {permission.sid: permission.reason for permission in permissions}
