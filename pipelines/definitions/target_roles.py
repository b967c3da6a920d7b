"""The roles that pipelines and builds of the tools account take on in a target account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awacs.aws import Allow, ArnLike, Condition, PolicyDocument, Principal, Statement
from awacs.sts import AssumeRole
from troposphere import AWSHelperFn, GetAtt, Sub
from troposphere.iam import Policy, Role

from pipelines.definitions import roles
from templates.capabilities.lint_exceptions import Except, excepted
from templates.capabilities.permissions import POLICY_VERSION, Permission

if TYPE_CHECKING:
    from collections.abc import Sequence

    from troposphere import Template

    from environments.tools import Tools


_OTHER_ACCOUNTS = Except(
    "E9009",
    "It serves the tools account, and the database's owner where there is one: both are other accounts, "
    "named in tools.yml and in the environment's file.",
)


def add_target_role(
    template: Template,
    name: str,
    trusted: PolicyDocument,
    boundary: AWSHelperFn,
    permissions: Sequence[Permission],
) -> GetAtt:
    """Add a role that the pipeline boundary holds and return its ARN."""
    role = Role(
        name,
        Path=roles.PATH,
        AssumeRolePolicyDocument=trusted,
        PermissionsBoundary=boundary,
        Policies=[Policy(PolicyName="permissions", PolicyDocument=roles.document(permissions))],
        Metadata={"Permissions": roles.reasons(permissions), **excepted(_OTHER_ACCOUNTS)},
    )
    template.add_resource(role)
    return GetAtt(role, "Arn")


def trust_pipelines(tools: Tools) -> PolicyDocument:
    """Trust the tools account's pipeline roles, by their path.

    Their names are made up there, and a trust policy cannot name a role that does not exist yet.
    """
    account = Sub(f"arn:${{AWS::Partition}}:iam::{tools.account}:root")
    ours = Sub(f"arn:${{AWS::Partition}}:iam::{tools.account}:role{roles.PATH}*")
    return _trust(Principal("AWS", account), Condition(ArnLike({"aws:PrincipalArn": ours})))


def trust_cloudformation() -> PolicyDocument:
    """Trust CloudFormation."""
    return _trust(Principal("Service", "cloudformation.amazonaws.com"))


def _trust(principal: Principal, condition: Condition | None = None) -> PolicyDocument:
    extra = {} if condition is None else {"Condition": condition}
    statement = Statement(Effect=Allow, Principal=principal, Action=[AssumeRole], **extra)
    return PolicyDocument(Version=POLICY_VERSION, Statement=[statement])
