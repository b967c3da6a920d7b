"""`payments database connect`: Atlas asks from an account of its own, and each fault has its message."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from environments import schema
from pipelines.aws import stacks
from pipelines.aws.accounts import Aws
from pipelines.aws.stacks import StackRequest
from pipelines.cli import local_aws
from pipelines.cli.main import main
from pipelines.core.refusals import Refused
from pipelines.core.waiting import TimedOut
from pipelines.deploy import artifacts, atlas_peering, connect_database, embedded_overrides
from pipelines.doctor import network as doctor
from pipelines.doctor.findings import State
from templates import network

if TYPE_CHECKING:
    from embedded_aws.instance import Instance
    from pipelines.deploy.atlas_peering import PeeringRequest

ROLE = "arn:aws:iam::333333333333:role/payments-network-DataApiRole-1A2B3C"


def deploy_network(aws: Aws) -> str:
    """Deploy the network as `payments pipeline deploy` does, with the parameters that it has."""
    name = aws.environment.network_stack
    template = network.build(embedded_overrides.with_database(aws)).to_json()
    url = artifacts.upload_template(aws, artifacts.template_bucket(aws), name, template)
    request = StackRequest(name, url, atlas_peering.network_parameters(aws), {"system": "x"})
    return stacks.deploy(aws, request)


@pytest.fixture
def aws(embedded: Instance) -> Aws:
    """Production's network, in an account that nobody else uses, and not connected."""
    unique = {"account": f"{uuid.uuid4().int % 10**12:012}", "network_stack": f"net-{uuid.uuid4().hex[:8]}"}
    environment = schema.load("prod").model_copy(update=unique)
    made = Aws(environment, embedded.endpoint, embedded.mongodb_uri)
    assert deploy_network(made) == "created"
    return made


def routes(aws: Aws) -> dict[str, str]:
    """Where the private subnets' route to the database leads, by its destination."""
    subnet = stacks.outputs(aws, aws.environment.network_stack)["PrivateSubnetIds"].split(",")[0]
    tables = aws.ec2.describe_route_tables(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])
    return {
        route["DestinationCidrBlock"]: route["VpcPeeringConnectionId"]
        for route in tables["RouteTables"][0]["Routes"]
        if "VpcPeeringConnectionId" in route
    }


def requests(aws: Aws) -> list[PeeringRequest]:
    return atlas_peering.to_vpc(aws, stacks.outputs(aws, aws.environment.network_stack)["VpcId"])


class Heard:
    """A reporter that remembers."""

    def __init__(self) -> None:
        self.lines = list[str]()
        self.waited_for = ""

    def say(self, line: str) -> None:
        self.lines.append(line)

    def passing(self, line: str) -> None:
        self.waited_for = line


def test_a_network_is_made_without_a_way_to_atlas_and_then_connected_by_one_command(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a network that leads nowhere, and Atlas's request from an account of its own
    assert routes(aws) == {}
    assert "DatabasePeeringId" not in stacks.outputs(aws, aws.environment.network_stack)
    assert doctor.accepted(aws).state is State.FAILED
    embedded_overrides.request_peering(aws)
    # When somebody connects them
    monkeypatch.setattr(local_aws, "connect", lambda *_: aws)
    command = ["database", "connect", "prod", "--json"]
    done = CliRunner().invoke(main, command)
    # Then what Atlas must be told was printed, and the route leads through the accepted connection
    assert done.exit_code == 0, done.output
    [request] = requests(aws)
    assert json.loads(done.stdout) == {"peering": request.identifier, "change": "updated"}
    assert "atlas networking peering create aws" in done.stderr
    assert (request.state, request.cidr) == ("active", "10.143.0.0/21")
    assert routes(aws) == {"10.143.0.0/21": request.identifier}
    assert stacks.outputs(aws, aws.environment.network_stack)["DatabasePeeringId"] == request.identifier
    for look in (doctor.accepted, doctor.route_to_database, doctor.names_resolve):
        assert look(aws).state is State.OK
    # And said again, it changes nothing
    again = CliRunner().invoke(main, command)
    assert json.loads(again.stdout) == {"peering": request.identifier, "change": "unchanged"}


def test_a_deployment_of_the_network_keeps_the_connection(aws: Aws) -> None:
    embedded_overrides.connect_atlas(aws, Heard())
    before = routes(aws)
    assert deploy_network(aws) == "unchanged"
    assert routes(aws) == before != {}


def test_nobody_asked_is_told_after_the_time_with_what_was_waited_for(aws: Aws) -> None:
    reporter = Heard()
    with pytest.raises(TimedOut, match="Atlas to ask vpc-") as caught:
        connect_database.connect(aws, seconds=0, reporter=reporter)
    assert "payments database connect prod" in caught.value.hint
    assert reporter.waited_for == "waiting for Atlas to ask from 10.143.0.0/21"


def test_a_request_from_other_addresses_is_not_accepted(aws: Aws) -> None:
    # Given a request from addresses that the file does not name
    embedded_overrides.request_peering(aws, cidr="10.99.0.0/21")
    # Then it is refused with both, and stays as it is
    with pytest.raises(Refused, match=r"asks from 10.99.0.0/21, and .*database.cidr 10.143.0.0/21") as caught:
        connect_database.connect(aws, seconds=0)
    assert "aws ec2 reject-vpc-peering-connection" in caught.value.hint
    assert [request.state for request in requests(aws)] == ["pending-acceptance"]
    assert routes(aws) == {}


def test_a_rejected_request_is_told_and_another_one_is_taken(aws: Aws) -> None:
    # Given a request that was rejected on our side
    embedded_overrides.request_peering(aws)
    [first] = requests(aws)
    aws.ec2.reject_vpc_peering_connection(VpcPeeringConnectionId=first.identifier)
    with pytest.raises(TimedOut, match=f"{first.identifier} was rejected on this side"):
        connect_database.connect(aws, seconds=0)
    # When Atlas asks again, then the same command goes on
    embedded_overrides.request_peering(aws)
    assert connect_database.connect(aws, seconds=5).peering != first.identifier


def test_a_connection_that_atlas_deleted_is_told_and_the_route_moves_to_the_next(aws: Aws) -> None:
    # Given a connected network whose connection Atlas deleted
    embedded_overrides.connect_atlas(aws, Heard())
    [first] = requests(aws)
    embedded_overrides.atlas_client(aws).delete_vpc_peering_connection(
        VpcPeeringConnectionId=first.identifier
    )
    assert doctor.accepted(aws).says == f"{first.identifier} is deleted"
    with pytest.raises(TimedOut, match=f"{first.identifier} was deleted by one of its owners") as caught:
        connect_database.connect(aws, seconds=0)
    assert "atlas networking peering list" in caught.value.message
    # When it asks again
    embedded_overrides.request_peering(aws)
    connected = connect_database.connect(aws, seconds=5)
    # Then the route leads through the new one
    assert connected.change == "updated"
    assert routes(aws) == {"10.143.0.0/21": connected.peering}


def test_a_second_request_from_the_same_addresses_is_told_and_neither_is_accepted(aws: Aws) -> None:
    # Given two VPCs of the database's addresses that ask
    embedded_overrides.request_peering(aws)
    other, ours = (
        embedded_overrides.atlas_client(aws),
        stacks.outputs(aws, aws.environment.network_stack)["VpcId"],
    )
    vpc = other.create_vpc(CidrBlock="10.143.0.0/21")["Vpc"]["VpcId"]
    other.create_vpc_peering_connection(VpcId=vpc, PeerVpcId=ours, PeerOwnerId=aws.environment.account)
    with pytest.raises(Refused, match=r"Several connections come from 10.143.0.0/21: pcx-.*, pcx-") as caught:
        connect_database.connect(aws, seconds=0)
    assert "aws ec2 reject-vpc-peering-connection" in caught.value.hint
    assert {request.state for request in requests(aws)} == {"pending-acceptance"}


def test_overlapping_networks_are_told_before_anybody_waits(aws: Aws) -> None:
    database = aws.environment.database.model_copy(update={"cidr": "10.43.8.0/21"})
    overlapping = replace(aws, environment=aws.environment.model_copy(update={"database": database}))
    with pytest.raises(Refused, match=r"10.43.0.0/16 overlaps the database's 10.43.8.0/21"):
        connect_database.connect(overlapping, seconds=3600)


def test_dns_that_somebody_turned_off_is_told_with_the_command_that_turns_it_on(aws: Aws) -> None:
    vpc = stacks.outputs(aws, aws.environment.network_stack)["VpcId"]
    embedded_overrides.request_peering(aws)
    aws.ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": False})
    with pytest.raises(Refused, match=f"enableDnsHostnames of {vpc} is off") as caught:
        connect_database.connect(aws, seconds=5)
    assert caught.value.hint.endswith(f"--vpc-id {vpc} --enable-dns-hostnames")
    assert doctor.names_resolve(aws).state is State.FAILED
    # And what was done stays done
    aws.ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    assert connect_database.connect(aws, seconds=0).change == "updated"


def test_a_cluster_of_your_own_and_a_missing_network_are_told(here: Aws, aws: Aws) -> None:
    with pytest.raises(Refused, match="The database of branch is a cluster of your own"):
        connect_database.commands(here)
    elsewhere = aws.environment.model_copy(update={"network_stack": "no-such-network"})
    with pytest.raises(Refused, match="prod has no network yet"):
        connect_database.commands(replace(aws, environment=elsewhere))
