"""The accounts that pipelines deploy to, as parameters of the pipelines stack.

Their roles are made by each account's bootstrap stack and get their names from CloudFormation, so
`payments pipeline deploy` reads them there and hands them over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from troposphere import Parameter, Ref

from pipelines.core.zone import Trust

if TYPE_CHECKING:
    from troposphere import Template

_ROLE = r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+$"


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
