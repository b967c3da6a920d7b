"""The database's own network: on AWS an Atlas project's or another account's VPC, here one that is made."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client

_NAME = "payment-system-database"


def ensure(ec2: "EC2Client", cidr: str) -> str:
    """Return the id of the VPC with the database's CIDR, making it when there is none.

    Args:
        ec2: a client in the account and region that own the database.
        cidr: its CIDR block, e.g. 10.64.0.0/16.
    """
    mine = [{"Name": "tag:Name", "Values": [_NAME]}, {"Name": "cidr", "Values": [cidr]}]
    for vpc in ec2.describe_vpcs(Filters=mine)["Vpcs"]:  # type: ignore[arg-type]  # lists and sequences are one on the wire
        return vpc["VpcId"]
    tags = [{"ResourceType": "vpc", "Tags": [{"Key": "Name", "Value": _NAME}]}]
    made = ec2.create_vpc(CidrBlock=cidr, TagSpecifications=tags)  # type: ignore[arg-type]  # as above
    return made["Vpc"]["VpcId"]


def route_back(ec2: "EC2Client", vpc: str, cidr: str, peering: str) -> None:
    """Add the owner's part of the way: from the database's VPC through the peering connection.

    Args:
        ec2: a client in the account and region that own the database.
        vpc: the database's VPC.
        cidr: where to, the network that asks.
        peering: the peering connection; a route through an older one is replaced.
    """
    mine = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "association.main", "Values": ["true"]}]
    for table in ec2.describe_route_tables(Filters=mine)["RouteTables"]:  # type: ignore[arg-type]  # as above
        known = {r.get("DestinationCidrBlock"): r.get("VpcPeeringConnectionId") for r in table["Routes"]}
        if known.get(cidr) == peering:
            continue
        if cidr in known:
            ec2.delete_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock=cidr)
        ec2.create_route(
            RouteTableId=table["RouteTableId"], DestinationCidrBlock=cidr, VpcPeeringConnectionId=peering
        )
