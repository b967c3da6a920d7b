"""Deploys the pipelines: what each target account needs, then the docs site and themselves.

An explicit step of a person and never of a release, because a pipeline that rewrites itself can no longer
roll back. Doing it again changes only what changed.

An account needs service-linked roles: its first service level objective makes the role of Application
Signals. Whoever makes it needs `iam:CreateServiceLinkedRole`, a right that no pipeline has, since a branch's
code could take it. CloudWatch user guide, "Using service-linked roles for CloudWatch".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from pipelines.aws import stacks
from pipelines.aws.accounts import DOCS_STACK, PIPELINES_STACK, PREVIEWS_STACK
from pipelines.aws.stacks import StackRequest
from pipelines.core.reporting import NOBODY, Reporter
from pipelines.definitions import bootstrap_stack, pipelines_stack
from pipelines.deploy import artifacts, atlas_peering, embedded_overrides, synth
from templates import docs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from troposphere import Template

    from environments.tools import Tools
    from pipelines.aws.accounts import Aws

APPLICATION_SIGNALS: Final = "application-signals.cloudwatch.amazonaws.com"
_TAKEN: Final = {"EntityAlreadyExists", "InvalidInput"}
"""What IAM answers where there is one (API reference, CreateServiceLinkedRole); its words tell them apart."""


def ensure_service_roles(aws: Aws) -> None:
    """Make the account's service-linked roles that are missing.

    Raises:
        ClientError: IAM refused for another reason than that there is one.
    """
    try:
        aws.client("iam").create_service_linked_role(AWSServiceName=APPLICATION_SIGNALS)
    except ClientError as error:
        answer = error.response["Error"]
        taken = answer["Code"] in _TAKEN and ("taken" in answer["Message"] or "exists" in answer["Message"])
        if not taken:
            raise


def service_roles_exist(aws: Aws) -> bool:
    """Return whether the account has them."""
    path = f"/aws-service-role/{APPLICATION_SIGNALS}/"
    return bool(aws.client("iam").list_roles(PathPrefix=path)["Roles"])


_SYSTEM: Final = {"system": "payments"}
_TOOLS: Final = _SYSTEM | {"environment": "tools"}


def deploy_docs(tools: Aws, reporter: Reporter = NOBODY, *, stack: str = DOCS_STACK) -> str:
    """Deploy a docs stack to the tools account and return what happened to it."""
    return _deploy(tools, stack, docs.build(), {}, tags=_TOOLS, reporter=reporter)


def docs_url(tools: Aws, stack: str = DOCS_STACK) -> str:
    """Return the address of a docs site, without a slash at its end.

    Raises:
        Refused: The docs stack is not deployed.
    """
    outputs = stacks.outputs(tools, stack)
    if tools.embedded:  # a distribution's own name leads to AWS; the embedded AWS has a door to it
        return f"{tools.endpoint}{embedded_overrides.CLOUDFRONT_PATH}{outputs['DistributionId']}"
    return outputs["DocsUrl"]


def deploy(
    tools_aws: Aws,
    targets: Mapping[str, Aws],
    tools: Tools,
    *,
    variables: Mapping[str, str] | None = None,
    reporter: Reporter = NOBODY,
) -> dict[str, str]:
    """Deploy bootstrap and network stacks to each target account, then the docs and the pipelines stack.

    The networks come before the first release, since a change set for a payments stack imports from them;
    the docs before the pipelines, which publish there.

    Args:
        tools_aws: The tools account.
        targets: The accounts of the environments, as an administrator of each.
        tools: The settings of the pipelines.
        variables: Environment variables of builds, beside those of the pipelines.
        reporter: Shown the progress.

    Returns:
        What happened to each stack: created, updated or unchanged.
    """
    changes, outputs = dict[str, str](), dict[str, dict[str, str]]()
    for name, target in targets.items():
        ensure_service_roles(target)
        bootstrap = bootstrap_stack.build(tools, target.environment)
        stack, tags = tools.bootstrap_of(name), _SYSTEM | {"environment": name}
        changes[f"{name}: {stack}"] = _deploy(target, stack, bootstrap, {}, tags=tags, reporter=reporter)
        outputs[name] = stacks.outputs(target, stack)
        network = target.environment.network_stack
        template = synth.build(embedded_overrides.with_database(target))["network"]
        parameters = atlas_peering.network_parameters(target)
        changes[f"{name}: {network}"] = _deploy(
            target, network, template, parameters, tags=tags, reporter=reporter
        )
        embedded_overrides.connect_atlas(target, reporter)
    parameters = bootstrap_stack.pipelines_parameters(outputs)
    for name, stack in (("Docs", DOCS_STACK), ("Previews", PREVIEWS_STACK)):
        changes[f"tools: {stack}"] = deploy_docs(tools_aws, reporter, stack=stack)
        bucket = stacks.outputs(tools_aws, stack)["DocsBucket"]
        parameters |= {f"{name}Bucket": bucket, f"{name}Url": docs_url(tools_aws, stack)}
    # The embedded AWS has no Docker to build images with, and deploys zips.
    stated = (tools.rehearsed(), ()) if tools_aws.embedded else (tools, None)
    template = pipelines_stack.build(*stated)
    embedded_overrides.add_variables(template, variables or {})
    changes[f"tools: {PIPELINES_STACK}"] = _deploy(
        tools_aws, PIPELINES_STACK, template, parameters, tags=_TOOLS, reporter=reporter
    )
    return changes


def _deploy(
    aws: Aws,
    name: str,
    template: Template,
    parameters: Mapping[str, str],
    *,
    tags: Mapping[str, str],
    reporter: Reporter,
) -> str:
    body = json.dumps(template.to_dict(), separators=(",", ":"), sort_keys=True)
    url = artifacts.upload_template(aws, artifacts.template_bucket(aws), name, body)
    return stacks.deploy(aws, StackRequest(name, url, parameters, tags), reporter)
