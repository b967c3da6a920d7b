"""What a VPC's parts do and refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipelines.core.waiting import wait_until
from pipelines.doctor.experiments.verdicts import verdict

if TYPE_CHECKING:
    from pipelines.doctor.experiments.declarations import Json
    from pipelines.doctor.findings import Diagnosis
    from pipelines.doctor.lent_account import LentAccount

_CIDR: Final = "10.255.0.0/24"
_SECONDS: Final = 120


def _vpc(**more: bool) -> Json:
    return {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": _CIDR, **more}}


def egress(lent: LentAccount) -> Diagnosis:
    """Make a security group without rules, and read those that it has."""
    group = {"GroupDescription": "an experiment's", "VpcId": {"Ref": "Vpc"}}
    resources = {"Vpc": _vpc(), "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": group}}
    name = lent.physical_ids(lent.stack(resources))["Group"]
    (described,) = lent.aws.ec2.describe_security_groups(GroupIds=[name])["SecurityGroups"]
    rules: Any = described["IpPermissionsEgress"]
    ranges = [each["CidrIp"] for rule in rules if rule["IpProtocol"] == "-1" for each in rule["IpRanges"]]
    return verdict(holds=ranges == ["0.0.0.0/0"], seen=f"it lets everything out to {ranges}")


def overlap(lent: LentAccount) -> Diagnosis:
    """Ask for a peering connection between two VPCs of the same addresses."""
    ids = lent.physical_ids(lent.stack({"Ours": _vpc(), "Theirs": _vpc()}))
    asked = lent.aws.ec2.create_vpc_peering_connection(VpcId=ids["Ours"], PeerVpcId=ids["Theirs"])
    name = asked["VpcPeeringConnection"]["VpcPeeringConnectionId"]

    def status() -> str:
        (connection,) = lent.aws.ec2.describe_vpc_peering_connections(VpcPeeringConnectionIds=[name])[
            "VpcPeeringConnections"
        ]
        return str(connection["Status"]["Code"])

    code = wait_until(
        lambda: connection if (connection := status()) != "initiating-request" else None,
        seconds=_SECONDS,
        every=lent.aws.poll_seconds,
        what="the peering connection to be asked for",
    )
    return verdict(holds=code == "failed", seen=f"it is {code}")


def private_dns(lent: LentAccount) -> Diagnosis:
    """Make an endpoint with private DNS in a VPC without DNS host names."""
    service = {"Fn::Sub": "com.amazonaws.${AWS::Region}.execute-api"}
    endpoint = {"VpcId": {"Ref": "Vpc"}, "ServiceName": service, "VpcEndpointType": "Interface"}
    resources = {
        "Vpc": _vpc(EnableDnsHostnames=False),
        "Endpoint": {"Type": "AWS::EC2::VPCEndpoint", "Properties": {**endpoint, "PrivateDnsEnabled": True}},
    }
    why = lent.why(lent.stack(resources))
    return verdict(holds=bool(why), seen=why or "it was made")
