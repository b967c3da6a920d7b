"""Peering with Atlas: which request is the database's, what is said of the others, and what Atlas is told."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from environments import schema
from pipelines.aws import stacks
from pipelines.core.refusals import Refused
from pipelines.core.waiting import TimedOut
from pipelines.deploy import atlas_peering, connect_database
from pipelines.deploy.atlas_peering import PeeringRequest
from templates.capabilities.peering import PEERING_ID

if TYPE_CHECKING:
    from pipelines.aws.stacks import StackRequest

ROLE = "arn:aws:iam::333333333333:role/payments-network-DataApiRole-1A2B3C"
PROD = schema.load("prod")
OURS = PROD.database.cidr
LIVE = ("initiating-request", "pending-acceptance", "provisioning", "active")
ENDED = ("rejected", "expired", "deleting", "deleted", "failed")
_requests = st.builds(
    PeeringRequest,
    st.sampled_from([f"pcx-{number}" for number in range(9)]),
    st.sampled_from(LIVE + ENDED),
    st.sampled_from([OURS, "10.99.0.0/21"]),
    st.just(""),
)


@given(st.lists(_requests, max_size=4, unique_by=lambda request: request.identifier))
def test_the_databases_request_is_the_one_that_lives_and_comes_from_its_addresses(
    requests: list[PeeringRequest],
) -> None:
    # Given what EC2 still shows
    ours = [request for request in requests if request.state in LIVE and request.cidr == OURS]
    strangers = [
        request for request in requests if request.state == "pending-acceptance" and request not in ours
    ]
    # When, then
    if len(ours) == 1:
        assert atlas_peering.of_database(requests, PROD) == ours[0]
    elif ours:
        with pytest.raises(Refused) as refused:
            atlas_peering.of_database(requests, PROD)
        listed = ", ".join(f"{request.identifier} ({request.state})" for request in ours)
        assert refused.value.message == f"Several connections come from {OURS}: {listed}."
    elif strangers:
        with pytest.raises(Refused, match=f"^{strangers[0].identifier} asks from 10.99.0.0/21"):
            atlas_peering.of_database(requests, PROD)
    else:
        assert atlas_peering.of_database(requests, PROD) is None
    # And each of the database's that ended is told once
    told = atlas_peering.ended(requests, PROD)
    over = [request for request in requests if request.state in ENDED and request.cidr == OURS]
    assert [notice.split()[0] for notice in told] == [request.identifier for request in over]


@pytest.mark.parametrize(
    ("states", "command"),
    [
        (
            ("active", "pending-acceptance"),
            "reject-vpc-peering-connection --region eu-central-1 --vpc-peering-connection-id pcx-1",
        ),
        (
            ("pending-acceptance", "active"),
            "reject-vpc-peering-connection --region eu-central-1 --vpc-peering-connection-id pcx-0",
        ),
        (
            ("active", "active"),
            "delete-vpc-peering-connection --region eu-central-1 --vpc-peering-connection-id pcx-1",
        ),
    ],
)
def test_of_two_requests_the_one_to_end_is_named_and_a_pending_one_is_rejected(
    states: tuple[str, ...], command: str
) -> None:
    requests = [PeeringRequest(f"pcx-{number}", state, OURS, "") for number, state in enumerate(states)]
    with pytest.raises(Refused) as refused:
        atlas_peering.of_database(requests, PROD)
    assert refused.value.hint.endswith(f"end the other: aws ec2 {command}")


class Ec2:
    """Peering connections whose state changes each time they are looked at; the last one stays."""

    def __init__(
        self, *looks: list[tuple[str, str]], vpc: tuple[str, ...] = ("10.43.0.0/16",), dns: bool = True
    ) -> None:
        self._looks, self._vpc, self._dns = list(looks), vpc, dns
        self.accepted: list[str] = []

    def describe_vpc_peering_connections(self, **asked: Any) -> Any:
        assert asked["Filters"] == [{"Name": "accepter-vpc-info.vpc-id", "Values": ["vpc-1"]}]
        look = self._looks.pop(0) if len(self._looks) > 1 else self._looks[0]
        return {
            "VpcPeeringConnections": [
                {
                    "VpcPeeringConnectionId": name,
                    "Status": {"Code": state},
                    "RequesterVpcInfo": {"CidrBlock": OURS},
                }
                for name, state in look
            ]
        }

    def accept_vpc_peering_connection(self, **asked: str) -> None:
        self.accepted.append(asked["VpcPeeringConnectionId"])

    def describe_vpcs(self, **asked: Any) -> Any:
        assert asked == {"VpcIds": ["vpc-1"]}
        more = [{"CidrBlock": block} for block in self._vpc[1:]]
        others = [{"CidrBlock": "10.143.0.0/21"}]
        return {"Vpcs": [{"CidrBlock": self._vpc[0], "CidrBlockAssociationSet": more}, *others]}

    def describe_vpc_attribute(self, **asked: str) -> Any:
        attribute = asked["Attribute"]
        assert asked == {"VpcId": "vpc-1", "Attribute": attribute}
        on = self._dns or attribute == "enableDnsSupport"
        return {attribute[0].upper() + attribute[1:]: {"Value": on}}


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> list[StackRequest]:
    """A network stack without a connection; what it is deployed with."""
    deployed: list[StackRequest] = []
    outputs = {"VpcId": "vpc-1", "DataApiRoleArn": ROLE}
    described = {"Tags": [{"Key": "system", "Value": "payments"}], "Parameters": []}
    monkeypatch.setattr(stacks, "status", lambda *_: "UPDATE_COMPLETE")
    monkeypatch.setattr(stacks, "outputs", lambda *_: outputs)
    monkeypatch.setattr(stacks, "described", lambda *_: described)

    def deploy(_: Any, request: StackRequest, __: Any) -> str:
        deployed.append(request)
        described["Parameters"] = [
            {"ParameterKey": key, "ParameterValue": value} for key, value in request.parameters.items()
        ]
        return "updated"

    monkeypatch.setattr(stacks, "deploy", deploy)
    return deployed


def _aws(ec2: Ec2, environment: Any = PROD) -> Any:
    return SimpleNamespace(environment=environment, ec2=ec2, poll_seconds=0.001)


class Heard:
    """A reporter that keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, line: str) -> None:
        self.said.append(line)

    def passing(self, line: str) -> None:
        """Hear nothing of what passes."""


def test_a_request_is_waited_for_accepted_and_given_to_the_network_once(network: list[StackRequest]) -> None:
    # Given that Atlas asks at the second look, after a request that expired, and is connected later
    expired = ("pcx-0", "expired")
    ec2 = Ec2(
        [expired],
        [expired, ("pcx-1", "pending-acceptance")],
        [expired, ("pcx-1", "provisioning")],
        [expired, ("pcx-1", "active")],
    )
    heard = Heard()
    # When
    connected = connect_database.connect(_aws(ec2), seconds=5, reporter=heard)
    # Then
    assert connected == connect_database.Connected("pcx-1", "updated")
    assert ec2.accepted == ["pcx-1"]
    assert [(request.parameters, request.tags) for request in network] == [
        ({PEERING_ID: "pcx-1"}, {"system": "payments"})
    ]
    expiry, acceptance = heard.said
    assert expiry.startswith("pcx-0 expired: nobody accepted it for seven days")
    assert acceptance == f"pcx-1 from {OURS} accepted"
    # And once it is active and routed, nothing is done again
    assert connect_database.connect(_aws(ec2), seconds=5).change == "unchanged"
    assert (ec2.accepted, len(network)) == (["pcx-1"], 1)


@pytest.mark.usefixtures("network")
def test_nobody_asked_is_told_with_what_became_of_the_last_request() -> None:
    with pytest.raises(TimedOut, match="Atlas to ask vpc-1 for a peering connection") as nobody:
        connect_database.connect(_aws(Ec2([])), seconds=0.01)
    assert nobody.value.hint.endswith("payments database connect prod")
    ec2 = Ec2([("pcx-0", "rejected"), ("pcx-1", "failed")])
    with pytest.raises(TimedOut, match="pcx-1 failed: AWS could not make it"):
        connect_database.connect(_aws(ec2), seconds=0.01)


@pytest.mark.usefixtures("network")
def test_a_request_that_ends_after_it_was_accepted_is_told() -> None:
    ec2 = Ec2([("pcx-1", "pending-acceptance")], [("pcx-1", "deleted")])
    with pytest.raises(Refused, match="pcx-1 was deleted by one of its owners") as refused:
        connect_database.connect(_aws(ec2), seconds=5)
    assert refused.value.hint == "payments database connect prod"


@pytest.mark.usefixtures("network")
@pytest.mark.parametrize("vpc", [("10.143.4.0/24",), ("10.43.0.0/16", "10.128.0.0/9")])
def test_networks_that_overlap_are_refused_before_anybody_waits(vpc: tuple[str, ...]) -> None:
    with pytest.raises(Refused, match=f"The network's {vpc[-1]} overlaps the database's {OURS}"):
        connect_database.connect(_aws(Ec2([], vpc=vpc)), seconds=0)


@pytest.mark.usefixtures("network")
def test_dns_that_is_off_is_told_with_the_command_that_turns_it_on() -> None:
    with pytest.raises(Refused, match="enableDnsHostnames of vpc-1 is off") as refused:
        connect_database.connect(_aws(Ec2([("pcx-1", "active")], dns=False)), seconds=5)
    assert refused.value.hint == (
        "aws ec2 modify-vpc-attribute --region eu-central-1 --vpc-id vpc-1 --enable-dns-hostnames"
    )


def test_without_a_network_or_with_a_cluster_of_your_own_there_is_nothing_to_connect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stacks, "status", lambda *_: None)
    monkeypatch.setattr(stacks, "outputs", lambda *_: {"VpcId": "vpc-1", "DataApiRoleArn": ROLE})
    with pytest.raises(Refused, match="prod has no network yet"):
        connect_database.commands(_aws(Ec2([])))
    assert atlas_peering.network_parameters(_aws(Ec2([]))) == {PEERING_ID: ""}
    with pytest.raises(Refused, match="The database of branch is a cluster of your own"):
        connect_database.commands(_aws(Ec2([]), schema.load("branch")))
    assert atlas_peering.network_parameters(_aws(Ec2([]), schema.load("branch"))) == {}


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("expired", "expired: nobody accepted it for seven days"),
        ("failed", "failed: AWS could not make it"),
        ("deleting", "is being deleted by one of its owners"),
    ],
)
def test_every_end_of_a_request_has_its_message(state: str, words: str) -> None:
    prod = schema.load("prod")
    request = PeeringRequest("pcx-1", state, prod.database.cidr, "")
    [notice] = atlas_peering.ended([request], prod)
    assert notice.startswith(f"pcx-1 {words}. See it there: atlas networking peering list --provider AWS")
    # And one from other addresses is somebody else's
    assert atlas_peering.ended([replace(request, cidr="10.99.0.0/21")], prod) == []


def test_atlas_is_told_the_account_the_network_and_the_role_in_commands_of_its_own() -> None:
    told = list(atlas_peering.commands(schema.load("prod"), "vpc-1", ROLE).values())
    assert told == [
        (
            "atlas networking peering create aws --projectId 6543210fedcba9876543210b"
            " --accountId 333333333333 --vpcId vpc-1 --region eu-central-1 --routeTableCidrBlock 10.43.0.0/16"
            " --atlasCidrBlock 10.143.0.0/21"
        ),
        (
            "atlas accessLists create 10.43.0.0/16 --type cidrBlock --projectId 6543210fedcba9876543210b"
            ' --comment "payments, prod"'
        ),
        (
            f"atlas dbusers create --projectId 6543210fedcba9876543210b --username {ROLE} --awsIAMType ROLE"
            " --role readWrite@payments-prod --role dbAdmin@payments-prod"
        ),
    ]
    branch = schema.load("branch")
    atlas = branch.model_copy(update={"database": schema.load("prod").database})
    user = atlas_peering.commands(atlas, "vpc-1", ROLE)["Make the data API's role a database user"]
    assert user.endswith(" --role readWriteAnyDatabase --role dbAdminAnyDatabase")
