"""Peering connections between two accounts, by EC2's own API: what each side may do and sees."""

import uuid
from collections.abc import Callable
from typing import Any

import botocore.exceptions
import pytest
from embedded_workbench import Aws


class Sides:
    """A requester and an accepter, each with a VPC."""

    def __init__(self, aws: Aws, *, accepter_cidr: str = "10.2.0.0/16") -> None:
        requester, accepter = (f"{uuid.uuid4().int % 10**12:012}" for _ in range(2))
        self.requester, self.accepter = aws("ec2", account=requester), aws("ec2", account=accepter)
        self.asking = self.requester.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
        self.asked = self.accepter.create_vpc(CidrBlock=accepter_cidr)["Vpc"]["VpcId"]
        self.owner = accepter

    def ask(self) -> str:
        made = self.requester.create_vpc_peering_connection(
            VpcId=self.asking, PeerVpcId=self.asked, PeerOwnerId=self.owner
        )
        return str(made["VpcPeeringConnection"]["VpcPeeringConnectionId"])

    def seen_by(self, ec2: Any, **filters: str) -> list[dict[str, Any]]:
        named = [{"Name": name.replace("_", "-"), "Values": [value]} for name, value in filters.items()]
        return list(ec2.describe_vpc_peering_connections(Filters=named)["VpcPeeringConnections"])


@pytest.fixture
def sides(aws: Aws) -> Sides:
    return Sides(aws)


def refused(call: Callable[..., Any], identifier: str) -> str:
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(VpcPeeringConnectionId=identifier)
    return str(caught.value.response["Error"]["Code"])


def test_a_request_shows_the_addresses_of_who_asked_and_those_of_the_accepter_once_it_accepted(
    sides: Sides,
) -> None:
    # Given a request
    identifier = sides.ask()
    [pending] = sides.seen_by(sides.accepter)
    assert (pending["VpcPeeringConnectionId"], pending["Status"]["Code"]) == (
        identifier,
        "pending-acceptance",
    )
    assert pending["RequesterVpcInfo"]["CidrBlock"] == "10.1.0.0/16"
    assert "CidrBlock" not in pending["AccepterVpcInfo"]
    assert pending["ExpirationTime"]
    # When it is accepted, then both sides show both
    sides.accepter.accept_vpc_peering_connection(VpcPeeringConnectionId=identifier)
    for side in (sides.requester, sides.accepter):
        [active] = sides.seen_by(side)
        assert active["Status"]["Code"] == "active"
        assert active["AccepterVpcInfo"]["CidrBlock"] == "10.2.0.0/16"


def test_only_who_was_asked_accepts_or_rejects_and_only_what_is_pending(sides: Sides) -> None:
    # https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html
    identifier = sides.ask()
    assert refused(sides.requester.accept_vpc_peering_connection, identifier) == "OperationNotPermitted"
    assert refused(sides.requester.reject_vpc_peering_connection, identifier) == "OperationNotPermitted"
    sides.accepter.reject_vpc_peering_connection(VpcPeeringConnectionId=identifier)
    assert refused(sides.accepter.accept_vpc_peering_connection, identifier) == "InvalidStateTransition"
    assert refused(sides.requester.delete_vpc_peering_connection, identifier) == "InvalidStateTransition"
    assert [seen["Status"]["Code"] for seen in sides.seen_by(sides.requester)] == ["rejected"]


def test_either_side_deletes_and_both_see_it(sides: Sides) -> None:
    # https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html
    identifier = sides.ask()
    sides.accepter.accept_vpc_peering_connection(VpcPeeringConnectionId=identifier)
    sides.requester.delete_vpc_peering_connection(VpcPeeringConnectionId=identifier)
    assert [seen["Status"]["Code"] for seen in sides.seen_by(sides.accepter)] == ["deleted"]


def test_overlapping_addresses_fail_and_only_who_asked_sees_it(aws: Aws) -> None:
    # https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html
    sides = Sides(aws, accepter_cidr="10.1.128.0/20")
    sides.ask()
    [failed] = sides.seen_by(sides.requester)
    assert failed["Status"]["Code"] == "failed"
    assert "overlap" in failed["Status"]["Message"]
    assert sides.seen_by(sides.accepter) == []


def test_filters_find_connections_by_what_they_join(sides: Sides) -> None:
    identifier = sides.ask()
    for filters in (
        {"accepter_vpc_info.vpc_id": sides.asked},
        {"requester_vpc_info.cidr_block": "10.1.0.0/16"},
        {"status_code": "pending-acceptance"},
    ):
        assert [seen["VpcPeeringConnectionId"] for seen in sides.seen_by(sides.accepter, **filters)] == [
            identifier
        ]
    assert sides.seen_by(sides.accepter, **{"accepter_vpc_info.vpc_id": "vpc-00000000"}) == []
    assert refused(sides.accepter.accept_vpc_peering_connection, "pcx-00000000") == (
        "InvalidVpcPeeringConnectionID.NotFound"
    )
