"""Peering with Atlas: the commands for its CLI, its requests, and the one that the stack routes through.

Source of the commands: MongoDB Atlas CLI documentation, "atlas networking peering create aws", "atlas
accessLists create" and "atlas dbusers create".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pipelines.aws import stacks
from pipelines.core.refusals import Refused
from templates.capabilities.peering import PEERING_ID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from environments.schema import Environment
    from pipelines.aws.accounts import Aws

PENDING: Final = "pending-acceptance"
_LIVE: Final = {"initiating-request", PENDING, "provisioning", "active"}
_ENDED: Final = {
    "rejected": "was rejected on this side",
    "expired": "expired: nobody accepted it for seven days",
    "deleting": "is being deleted by one of its owners",
    "deleted": "was deleted by one of its owners",
    "failed": "failed: AWS could not make it",
}
"""Amazon VPC peering guide, "VPC peering connection lifecycle"."""


@dataclass(frozen=True, slots=True)
class PeeringRequest:
    """A peering connection as the accepter sees it.

    Attributes:
        identifier: Its id.
        state: EC2's word for where it is.
        cidr: The addresses of the VPC that asked.
        message: EC2's sentence about its state.
    """

    identifier: str
    state: str
    cidr: str
    message: str


def to_vpc(aws: Aws, vpc: str) -> list[PeeringRequest]:
    """Return the peering connections that others asked a VPC for, as far as EC2 still shows them."""
    answer = aws.ec2.describe_vpc_peering_connections(
        Filters=[{"Name": "accepter-vpc-info.vpc-id", "Values": [vpc]}]
    )
    return [_request(connection) for connection in answer["VpcPeeringConnections"]]


def of_database(requests: Sequence[PeeringRequest], environment: Environment) -> PeeringRequest | None:
    """Return the one request that comes from the database's addresses, if it is there and not ended.

    Raises:
        Refused: It comes from other addresses than the file names, or there is more than one.
    """
    cidr = environment.database.cidr
    ours = [request for request in requests if request.state in _LIVE and request.cidr == cidr]
    if len(ours) > 1:
        listed = ", ".join(f"{request.identifier} ({request.state})" for request in ours)
        raise Refused(
            f"Several connections come from {cidr}: {listed}.",
            f"Keep the one that Atlas shows, and end the other: {_end(environment, ours)}",
        )
    if ours:
        return ours[0]
    strangers = [request for request in requests if request.state == PENDING]
    if strangers:
        stranger = strangers[0]
        raise Refused(
            f"{stranger.identifier} asks from {stranger.cidr}, and environments/{environment.name}.yml says "
            f"database.cidr {cidr}.",
            f"If that is Atlas, correct the file. If not: {_end(environment, [stranger])}",
        )
    return None


def ended(requests: Sequence[PeeringRequest], environment: Environment) -> list[str]:
    """Return what to say about the database's requests that ended, so that another has to be asked for."""
    return [
        f"{request.identifier} {_ENDED[request.state]}. {ask_again(environment)}"
        for request in requests
        if request.state in _ENDED and request.cidr == environment.database.cidr
    ]


def _end(environment: Environment, requests: Sequence[PeeringRequest]) -> str:
    pending = [request for request in requests if request.state == PENDING]
    verb = "reject" if pending else "delete"
    identifier = (pending or list(requests))[-1].identifier
    return (
        f"aws ec2 {verb}-vpc-peering-connection --region {environment.region} "
        f"--vpc-peering-connection-id {identifier}"
    )


def _request(connection: Any) -> PeeringRequest:
    status = connection["Status"]
    return PeeringRequest(
        connection["VpcPeeringConnectionId"],
        status["Code"],
        connection["RequesterVpcInfo"].get("CidrBlock", ""),
        status.get("Message", ""),
    )


def commands(environment: Environment, vpc: str, role: str) -> dict[str, str]:
    """Return the commands by what they do, in their order.

    Args:
        environment: One whose database is in Atlas.
        vpc: The id of its network's VPC.
        role: The ARN of the data API's role, which becomes the database user.
    """
    network, database = environment.network.vpc_cidr, environment.database
    return {
        "Ask for the peering connection": (
            f"atlas networking peering create aws --projectId {database.atlas_project}"
            f" --accountId {environment.account} --vpcId {vpc} --region {database.region}"
            f" --routeTableCidrBlock {network} --atlasCidrBlock {database.cidr}"
        ),
        "Let the network connect": (
            f"atlas accessLists create {network} --type cidrBlock --projectId {database.atlas_project}"
            f' --comment "payments, {environment.name}"'
        ),
        "Make the data API's role a database user": (
            f"atlas dbusers create --projectId {database.atlas_project} --username {role} --awsIAMType ROLE"
            f" {_roles(environment)}"
        ),
    }


def ask_again(environment: Environment) -> str:
    """Return how to find a connection that ended, at Atlas, before it is asked for again."""
    return (
        f"See it there: atlas networking peering list --provider AWS --projectId "
        f"{environment.database.atlas_project}; delete it there, and ask for another."
    )


def _roles(environment: Environment) -> str:
    """Return what the user may do: `dbAdmin` gives collections their validators and indexes.

    A stack's database is called like the stack. Branches are not known before, so theirs reaches all.
    """
    if environment.name == "branch":
        return "--role readWriteAnyDatabase --role dbAdminAnyDatabase"
    return f"--role readWrite@{environment.default_stack} --role dbAdmin@{environment.default_stack}"


def network_parameters(aws: Aws) -> dict[str, str]:
    """Return the parameters of an environment's network stack as they are now, by name.

    A deployment hands them over again: a change set takes a parameter's default where it is not given.
    """
    if aws.environment.database.kind != "atlas":
        return {}
    return {PEERING_ID: routed_peering(aws)}


def routed_peering(aws: Aws) -> str:
    """Return the id of the peering connection that the stack routes through; empty where there is none."""
    name = aws.environment.network_stack
    if stacks.status(aws, name) is None:
        return ""
    stated = {
        p["ParameterKey"]: p["ParameterValue"] for p in stacks.described(aws, name).get("Parameters", [])
    }
    return stated.get(PEERING_ID, "")
