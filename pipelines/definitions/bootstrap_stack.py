"""The bootstrap stack: what an environment needs in its account before pipelines can deploy to it.

It is deployed first, by an administrator of that account (`payments pipeline deploy`); its outputs are the
parameters of the pipelines stack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from troposphere import AWSHelperFn, Export, ImportValue, Output, Sub, Template
from troposphere.iam import Role

from pipelines.core.zone import Trust
from pipelines.definitions.boundaries import add_execution_boundary, add_pipeline_boundary
from pipelines.definitions.execution_permissions import execution_permissions
from pipelines.definitions.roles import add_target_role, trust_cloudformation, trust_pipelines
from pipelines.definitions.runtime_boundary import add_runtime_boundary
from pipelines.definitions.target_permissions import (
    deployment_permissions,
    inspection_permissions,
    removal_permissions,
)
from pipelines.definitions.zones import role_path

if TYPE_CHECKING:
    from environments.schema import Environment
    from environments.tools import Tools

RUNTIME_BOUNDARY = "RuntimeBoundaryArn"


def build(tools: Tools, environment: Environment) -> Template:
    """Return the environment's bootstrap stack; environments of one account have one each."""
    template = Template(Description=f"What pipelines need to deploy to {environment.name}")
    runtime = add_runtime_boundary(template, environment)
    boundary = add_pipeline_boundary(template)
    # Branches are deployed by their own zone; the release branch's code lists and removes their stacks.
    deployer = Trust.BRANCH if environment.name == "branch" else Trust.RELEASE
    readers = list(Trust) if environment.name == "branch" else [Trust.RELEASE]
    pipelines = trust_pipelines(tools, [role_path(deployer)])
    execution = add_target_role(
        template,
        "ExecutionRole",
        trust_cloudformation(),
        add_execution_boundary(template, runtime),
        execution_permissions(tools, environment, runtime),
    )
    deployment = add_target_role(
        template, "DeploymentRole", pipelines, boundary, deployment_permissions(tools, environment, execution)
    )
    inspection = add_target_role(
        template,
        "InspectionRole",
        trust_pipelines(tools, [role_path(trust) for trust in readers]),
        boundary,
        inspection_permissions(environment),
    )
    outputs = {
        "DeploymentRole": ("What pipelines act as", deployment),
        "ExecutionRole": ("What CloudFormation acts as", execution),
        "InspectionRole": ("What builds read as", inspection),
    }
    if environment.name == "branch":
        removal = add_target_role(
            template,
            "RemovalRole",
            trust_pipelines(tools, [role_path(Trust.RELEASE)]),
            boundary,
            removal_permissions(environment, execution),
        )
        outputs["RemovalRole"] = ("What deletes branch stacks", removal)
    for name, (description, value) in outputs.items():
        template.add_output(Output(name, Description=description, Value=value))
    _export(template, RUNTIME_BOUNDARY, "On every role that our stacks make", runtime)
    return template


def with_runtime_boundary(template: Template, bootstrap_stack: str) -> Template:
    """Return the template with the environment's runtime boundary on all its roles.

    The execution role may make no role without it (`execution_permissions.py`). A stack deployed by hand to
    an account without pipelines has no boundary to import, so this is done when pipelines synthesize, not in
    the templates.
    """
    for resource in template.resources.values():
        if isinstance(resource, Role):
            resource.PermissionsBoundary = ImportValue(f"{bootstrap_stack}-{RUNTIME_BOUNDARY}")
    return template


def pipelines_parameters(outputs: dict[str, dict[str, str]]) -> dict[str, str]:
    """Return the pipelines stack's role parameters by name, from the outputs of the bootstrap stacks."""
    environment_roles = {
        f"{name.title()}{role}": outputs[name][role]
        for name in ("branch", "staging", "prod")
        for role in ("DeploymentRole", "ExecutionRole", "InspectionRole")
    }
    return environment_roles | {"BranchRemovalRole": outputs["branch"]["RemovalRole"]}


def _export(template: Template, name: str, description: str, value: AWSHelperFn) -> None:
    export = Export(Sub(f"${{AWS::StackName}}-{name}"))
    template.add_output(Output(name, Description=description, Value=value, Export=export))
