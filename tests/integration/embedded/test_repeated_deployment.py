"""A deployment that failed is repeated and ends well: nothing that stayed behind blocks it."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from environments import schema, tools
from pipelines.aws import stacks
from pipelines.aws.accounts import Aws
from pipelines.aws.stacks import StackFailed, StackRequest
from pipelines.definitions import bootstrap_stack, pipelines_stack
from pipelines.deploy import artifacts, embedded_overrides
from templates import docs, network

if TYPE_CHECKING:
    from troposphere import Template

    from embedded_aws.instance import Instance

Json = dict[str, Any]
BREAKS: Json = {
    "Type": "AWS::EC2::VPCPeeringConnection",
    "Properties": {"VpcId": "vpc-00000000000000001", "PeerVpcId": "vpc-00000000000000002"},
}
"""What no account can make."""
ROLE = "arn:aws:iam::111111111111:role/any"


def account(embedded: Instance, name: str = "prod") -> Aws:
    """Production's environment, or another, in an account that nobody used."""
    environment = schema.load(name).model_copy(update={"account": f"{uuid.uuid4().int % 10**12:012}"})
    return Aws(environment, embedded.endpoint, embedded.mongodb_uri)


def templates(aws: Aws) -> dict[str, Template]:
    """What `payments pipeline deploy` makes, by stack."""
    stated = tools.load()
    return {
        "bootstrap": bootstrap_stack.build(stated, aws.environment),
        "network": network.build(embedded_overrides.with_database(aws)),
        "docs": docs.build(),
        "pipelines": pipelines_stack.build(stated.rehearsed(), ()),
    }


def parameters(template: Json) -> dict[str, str]:
    """Something for each parameter that has no default."""
    wanted = {name: rule for name, rule in template.get("Parameters", {}).items() if "Default" not in rule}
    return {
        name: ROLE
        if name.endswith("Role")
        else "https://d.example"
        if name.endswith("Url")
        else "some-bucket"
        for name in wanted
    }


def deploy(aws: Aws, name: str, template: Json) -> str:
    url = artifacts.upload_template(aws, artifacts.template_bucket(aws), name, json.dumps(template))
    return stacks.deploy(aws, StackRequest(name, url, parameters(template), {"system": "payments"}))


@pytest.mark.parametrize("stack", ["bootstrap", "network", "docs", "pipelines"])
def test_a_first_creation_that_failed_when_all_else_was_made_is_repeated(
    embedded: Instance, stack: str
) -> None:
    # Given a stack whose first creation failed at the last resource, so that each other one could stay
    aws = account(embedded)
    template = templates(aws)[stack].to_dict()
    resources = template["Resources"]
    breaks = BREAKS | {"DependsOn": sorted(resources)}
    with pytest.raises(StackFailed, match="ended in ROLLBACK_COMPLETE"):
        deploy(aws, stack, template | {"Resources": resources | {"Breaks": breaks}})
    # When it is deployed again, without what was wrong, then it is there
    assert deploy(aws, stack, template) == "created"


@pytest.mark.parametrize("stack", ["bootstrap", "network"])
def test_an_update_that_failed_is_repeated(embedded: Instance, stack: str) -> None:
    # Given a stack that is there, and an update that fails
    aws = account(embedded)
    template = templates(aws)[stack].to_dict()
    deploy(aws, stack, template)
    broken = template | {"Resources": template["Resources"] | {"Breaks": BREAKS}}
    with pytest.raises(StackFailed, match="ended in UPDATE_ROLLBACK_COMPLETE"):
        deploy(aws, stack, broken)
    # Then the next one goes through, and has nothing to do
    assert deploy(aws, stack, template) == "unchanged"
