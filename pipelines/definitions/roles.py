"""Roles of the pipelines and of the accounts that they deploy to: who assumes them, and what they may do.

They share a path, `/payments-pipelines/`, and so the target accounts can trust them before they exist. The
target accounts' own roles get their names from CloudFormation there, so `payments pipeline deploy` reads them
from each bootstrap stack and hands them over as parameters of the pipelines stack.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from awacs.aws import Allow, ArnLike, Condition, PolicyDocument, Principal, Statement
from awacs.sts import AssumeRole
from troposphere import AWSHelperFn, GetAtt, Parameter, Ref, Sub
from troposphere.iam import Policy, PolicyType, Role

from pipelines.core.zone import Trust
from templates.capabilities.lint_exceptions import Except, excepted
from templates.capabilities.permissions import POLICY_VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from troposphere import Template

    from environments.tools import Tools
    from templates.capabilities.permissions import Permission

PATH = "/payments-pipelines/"
_OTHER_ACCOUNTS = Except(
    "E9009",
    "It serves the tools account, and the database's owner where there is one: both are other accounts, "
    "named in tools.yml and in the environment's file.",
)
_ROLE = r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+$"


def add_service_role(
    template: Template, name: str, service: str, permissions: Sequence[Permission], *, path: str
) -> Role:
    """Add `<name>Role`, which one AWS service takes on; the reasons stand in its Metadata.

    The trust has no condition on the account that the service acts for: CodeBuild and CodePipeline do not
    promise to send one when they take on a service role.
    """
    role = Role(
        f"{name}Role",
        Path=path,
        AssumeRolePolicyDocument=PolicyDocument(
            Version=POLICY_VERSION,
            Statement=[Statement(Effect=Allow, Principal=Principal("Service", service), Action=[AssumeRole])],
        ),
        Metadata={"Permissions": reasons(permissions)},
    )
    if permissions:
        role.Policies = [Policy(PolicyName="permissions", PolicyDocument=document(permissions))]
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
    """Return the role's ARN."""
    return GetAtt(role, "Arn")


def document(permissions: Sequence[Permission]) -> PolicyDocument:
    """Return the permissions as a policy document."""
    return PolicyDocument(
        Version=POLICY_VERSION, Statement=[permission.statement() for permission in permissions]
    )


def reasons(permissions: Sequence[Permission]) -> dict[str, str]:
    """Return the reason of each permission by its Sid, for the reviewer."""
    return {permission.sid: permission.reason for permission in permissions}


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
        Path=PATH,
        AssumeRolePolicyDocument=trusted,
        PermissionsBoundary=boundary,
        Policies=[Policy(PolicyName="permissions", PolicyDocument=document(permissions))],
        Metadata={"Permissions": reasons(permissions), **excepted(_OTHER_ACCOUNTS)},
    )
    template.add_resource(role)
    return GetAtt(role, "Arn")


def trust_pipelines(tools: Tools, paths: Sequence[str]) -> PolicyDocument:
    """Return a policy that trusts the tools account's roles of some paths, which are those of zones.

    Their names are made up there, and a trust policy cannot name a role that does not exist yet.
    """
    account = Sub(f"arn:${{AWS::Partition}}:iam::{tools.account}:root")
    ours = [Sub(f"arn:${{AWS::Partition}}:iam::{tools.account}:role{path}*") for path in paths]
    return _trust(Principal("AWS", account), Condition(ArnLike({"aws:PrincipalArn": ours})))


def trust_cloudformation() -> PolicyDocument:
    """Return a policy that trusts CloudFormation."""
    return _trust(Principal("Service", "cloudformation.amazonaws.com"))


def _trust(principal: Principal, condition: Condition | None = None) -> PolicyDocument:
    extra = {} if condition is None else {"Condition": condition}
    statement = Statement(Effect=Allow, Principal=principal, Action=[AssumeRole], **extra)
    return PolicyDocument(Version=POLICY_VERSION, Statement=[statement])


@dataclass(frozen=True, slots=True)
class Target:
    """The roles of one target account, by ARN."""

    deployment_role: Ref
    """What actions act as in that account."""
    execution_role: Ref
    """What CloudFormation acts as in that account."""
    inspection_role: Ref
    """What builds read as there; it changes nothing."""


@dataclass(frozen=True, slots=True)
class Targets:
    """Where the system runs, as seen from the tools account."""

    branch: Target
    staging: Target
    prod: Target
    removal: Target
    """The branches' account again, but as a role that deletes branch stacks and does nothing else."""

    def readers(self, trust: Trust) -> list[Ref]:
        """Return every role that acts in a target account and reads artifacts of a zone."""
        read_by = [self.branch] if trust is Trust.BRANCH else [self.staging, self.prod]
        return [role for target in read_by for role in (target.deployment_role, target.execution_role)]

    def strangers(self, trust: Trust) -> list[Ref]:
        """Return every role that acts in a target account and must not read artifacts of a zone.

        Their own policies name buckets and keys of the tools account, whose names nobody knows there; where
        one account is both, only a refusal of the zone itself keeps them apart.
        """
        other = Trust.RELEASE if trust is Trust.BRANCH else Trust.BRANCH
        return self.readers(other)


def add_targets(template: Template) -> Targets:
    """Add the parameters that name the roles."""
    branch, staging, prod = (_add_target(template, name) for name in ("Branch", "Staging", "Prod"))
    removal = _add_role(template, "BranchRemovalRole", "Deletes branch stacks, and nothing else")
    return Targets(branch, staging, prod, Target(removal, branch.execution_role, branch.inspection_role))


def _add_target(template: Template, name: str) -> Target:
    place = f"in the account of {name.lower()}"
    return Target(
        _add_role(template, f"{name}DeploymentRole", f"What pipelines act as {place}"),
        _add_role(template, f"{name}ExecutionRole", f"What CloudFormation acts as {place}"),
        _add_role(template, f"{name}InspectionRole", f"What builds read as {place}"),
    )


def _add_role(template: Template, name: str, description: str) -> Ref:
    parameter = Parameter(name, Type="String", Description=f"{description}; an ARN", AllowedPattern=_ROLE)
    template.add_parameter(parameter)
    return Ref(parameter)
