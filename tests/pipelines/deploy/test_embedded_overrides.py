"""What differs on an embedded AWS, and that nothing of it reaches AWS."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from troposphere import Template
from troposphere.codebuild import Artifacts, Environment, EnvironmentVariable, Project, Source

from environments import schema
from pipelines.aws import stacks
from pipelines.aws.accounts import Aws
from pipelines.build import dependencies
from pipelines.core import zone
from pipelines.core.refusals import Refused
from pipelines.core.repository import CACHE
from pipelines.deploy import embedded_overrides

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = "http://127.0.0.1:4566"
MONGODB = "mongodb://127.0.0.1:27017/?directConnection=true"
ATLAS = schema.load("prod")


def project(name: str, minutes: int, queued: int, **variables: str) -> Project:
    return Project(
        name,
        ServiceRole="role",
        Source=Source(Type="CODEPIPELINE"),
        Artifacts=Artifacts(Type="CODEPIPELINE"),
        TimeoutInMinutes=minutes,
        QueuedTimeoutInMinutes=queued,
        Environment=Environment(
            ComputeType="BUILD_GENERAL1_SMALL",
            Image="image",
            Type="ARM_CONTAINER",
            EnvironmentVariables=[EnvironmentVariable(Name=n, Value=v) for n, v in variables.items()],
        ),
    )


def test_projects_get_variables_and_minutes_that_pass_faster() -> None:
    # Given a release's project and a branch's
    template = Template()
    release = project("Release", 10, 8, **{zone.VARIABLE: "release"})
    branch = project("Branch", 10, 60, **{zone.VARIABLE: "branch"})
    template.add_resource(release)
    template.add_resource(branch)
    # When
    changed = embedded_overrides.add_variables(template, {"UV": "/bin/uv"})
    # Then each has them, a branch's cache is its own, and nothing waits longer in the queue than AWS lets it
    variables = {
        name: {v.Name: v.Value for v in resource.Environment.EnvironmentVariables}
        for name, resource in changed.resources.items()
    }
    assert all(named["UV"] == "/bin/uv" for named in variables.values())
    assert variables["Release"]["PAYMENTS_CACHE"] == str(CACHE)
    assert variables["Branch"]["PAYMENTS_CACHE"] == str(CACHE / "branches")
    assert (release.TimeoutInMinutes, release.QueuedTimeoutInMinutes) == (120, 96)
    assert branch.QueuedTimeoutInMinutes == 480


def test_without_variables_a_template_is_left_as_it_is() -> None:
    template = Template()
    template.add_resource(project("Release", 10, 8))
    assert embedded_overrides.add_variables(template, {}).to_dict() == template.to_dict()
    assert template.resources["Release"].TimeoutInMinutes == 10


def test_an_environment_has_the_database_that_the_builds_variable_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    database = {"uri": MONGODB, "region": ATLAS.region, "authentication": "none", "tls": False}
    monkeypatch.delenv(embedded_overrides.DATABASES, raising=False)
    assert embedded_overrides.environment(ATLAS) is ATLAS
    monkeypatch.setenv(embedded_overrides.DATABASES, json.dumps({"staging": database}))
    assert embedded_overrides.environment(ATLAS) is ATLAS
    monkeypatch.setenv(embedded_overrides.DATABASES, json.dumps({ATLAS.name: database}))
    rehearsed = embedded_overrides.environment(ATLAS)
    assert (rehearsed.database.uri, rehearsed.database.tls) == (MONGODB, False)
    assert rehearsed.functions.packaging == "zip"


def test_the_database_of_an_embedded_aws_is_the_one_beside_it() -> None:
    assert embedded_overrides.with_database(Aws(ATLAS)) is ATLAS
    here = embedded_overrides.with_database(Aws(ATLAS, HERE, MONGODB))
    database = here.database
    assert (database.uri, database.region, database.authentication, database.tls) == (
        MONGODB,
        ATLAS.region,
        "none",
        False,
    )
    assert (database.kind, database.cidr) == (ATLAS.database.kind, ATLAS.database.cidr)
    with pytest.raises(Refused, match=f"No MongoDB is known beside {HERE}"):
        embedded_overrides.with_database(Aws(ATLAS, HERE))
    with pytest.raises(Refused, match=r"^MONGODB_URI "):
        embedded_overrides.with_database(Aws(ATLAS, HERE, "http://127.0.0.1"))


def test_every_build_of_a_rehearsal_is_told_of_each_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dependencies, "uv", lambda *_, **__: "/cache\n")
    variables = embedded_overrides.variables({"prod": Aws(ATLAS, HERE, MONGODB)})
    stated = json.loads(variables[embedded_overrides.DATABASES])["prod"]
    assert stated["uri"] == MONGODB
    # And a commit's own file says how many connections are the data API's
    assert "connections" not in stated
    assert variables["UV_CACHE_DIR"] == "/cache"
    assert variables["PAYMENTS_AUDIT_UNCHECKED"] == "advisories history"
    assert {"UV", "PYTHONPYCACHEPREFIX"} <= set(variables)


def _mine(*filters: tuple[str, str]) -> dict[str, Any]:
    return {"Filters": [{"Name": name, "Values": [value]} for name, value in filters]}


def test_the_databases_network_is_made_once(aws: Aws, answers: Callable[..., None]) -> None:
    looked = _mine(("tag:Name", "payment-system-database"), ("cidr", "10.64.0.0/16"))
    tags = [{"ResourceType": "vpc", "Tags": [{"Key": "Name", "Value": "payment-system-database"}]}]
    answers(
        "ec2",
        ("describe_vpcs", looked, {"Vpcs": []}),
        ("create_vpc", {"CidrBlock": "10.64.0.0/16", "TagSpecifications": tags}, {"Vpc": {"VpcId": "vpc-1"}}),
        ("describe_vpcs", looked, {"Vpcs": [{"VpcId": "vpc-1"}]}),
        client=aws.ec2,
    )
    assert embedded_overrides.ensure_database_vpc(aws.ec2, "10.64.0.0/16") == "vpc-1"
    assert embedded_overrides.ensure_database_vpc(aws.ec2, "10.64.0.0/16") == "vpc-1"


def test_the_route_back_leads_through_the_newest_connection(aws: Aws, answers: Callable[..., None]) -> None:
    def table(name: str, **route: str) -> dict[str, Any]:
        routes = [{"DestinationCidrBlock": "10.1.0.0/16", **route}] if route else []
        return {"RouteTableId": name, "Routes": routes}

    looked = _mine(("vpc-id", "vpc-1"), ("association.main", "true"))
    tables = [
        table("right", VpcPeeringConnectionId="pcx-2"),
        table("old", VpcPeeringConnectionId="pcx-1"),
        table("none"),
    ]
    there = {"DestinationCidrBlock": "10.1.0.0/16"}
    answers(
        "ec2",
        ("describe_route_tables", looked, {"RouteTables": tables}),
        ("delete_route", {"RouteTableId": "old"} | there, {}),
        ("create_route", {"RouteTableId": "old", "VpcPeeringConnectionId": "pcx-2"} | there, {}),
        ("create_route", {"RouteTableId": "none", "VpcPeeringConnectionId": "pcx-2"} | there, {}),
        client=aws.ec2,
    )
    embedded_overrides.add_return_route(aws.ec2, "vpc-1", "10.1.0.0/16", "pcx-2")


def test_atlas_asks_for_a_connection_unless_it_has_asked(
    aws: Aws, answers: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_overrides, "atlas_client", lambda _: aws.ec2)
    monkeypatch.setattr(embedded_overrides, "ensure_database_vpc", lambda _, cidr: f"vpc-of-{cidr}")
    monkeypatch.setattr(stacks, "outputs", lambda *_: {"VpcId": "vpc-ours"})
    vpc = f"vpc-of-{aws.environment.database.cidr}"
    named = {
        "requester-vpc-info.vpc-id": [vpc],
        "accepter-vpc-info.vpc-id": ["vpc-ours"],
        "status-code": ["pending-acceptance", "active"],
    }
    looked = {"Filters": [{"Name": name, "Values": values} for name, values in named.items()]}
    requested = {
        "VpcId": vpc,
        "PeerVpcId": "vpc-ours",
        "PeerOwnerId": aws.environment.account,
        "PeerRegion": aws.environment.region,
    }
    listed = "describe_vpc_peering_connections"
    answers(
        "ec2",
        (listed, looked, {"VpcPeeringConnections": []}),
        ("create_vpc_peering_connection", requested, {}),
        (listed, looked, {"VpcPeeringConnections": [{"VpcPeeringConnectionId": "pcx-1"}]}),
        client=aws.ec2,
    )
    assert embedded_overrides.request_peering(aws) == vpc
    assert embedded_overrides.request_peering(aws) == vpc


def test_the_database_joins_an_embedded_network_from_its_own_side(monkeypatch: pytest.MonkeyPatch) -> None:
    routes: list[tuple[Any, ...]] = []
    monkeypatch.setattr(embedded_overrides, "add_return_route", lambda *route: routes.append(route))
    monkeypatch.setattr(embedded_overrides, "request_peering", lambda _: "vpc-atlas")
    monkeypatch.setattr(embedded_overrides, "atlas_client", lambda _: "atlas")
    monkeypatch.setattr(embedded_overrides, "connect", lambda *_, **__: SimpleNamespace(peering="pcx-1"))
    monkeypatch.setattr(embedded_overrides, "ensure_database_vpc", lambda *_: "vpc-own")
    monkeypatch.setattr(stacks, "outputs", lambda *_: {"DatabasePeeringId": "pcx-2"})
    reporter: Any = None
    # On AWS the database's owner does it
    embedded_overrides.connect_atlas(Aws(ATLAS), reporter)
    assert routes == []
    cidr = ATLAS.network.vpc_cidr
    ways = {
        "atlas": ("atlas", "vpc-atlas", cidr, "pcx-1"),
        "own_cluster": ("ec2", "vpc-own", cidr, "pcx-2"),
    }
    for kind, expected in ways.items():
        there: Any = SimpleNamespace(
            embedded=True,
            ec2="ec2",
            environment=SimpleNamespace(
                network=ATLAS.network,
                network_stack="network",
                account=ATLAS.account,
                database=SimpleNamespace(kind=kind, cidr="10.64.0.0/16"),
            ),
        )
        embedded_overrides.connect_atlas(there, reporter)
        assert routes.pop() == expected
