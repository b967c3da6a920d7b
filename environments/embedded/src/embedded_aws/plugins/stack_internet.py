"""The way out to the internet: NAT gateways and their addresses, which exist and lead nowhere here."""

from collections.abc import Callable
from typing import Any

from ministack.services import ec2

from embedded_aws.plugins import ec2_calls

_Made = tuple[str, dict[str, Any]]
_Properties = dict[str, Any]


def _create_address(_logical_id: str, properties: _Properties, _stack: str) -> _Made:
    made = ec2_calls.call(
        "AllocateAddress", Domain="vpc", **ec2_calls.tag_specification("elastic-ip", properties)
    )
    allocation = made.findtext("allocationId") or ""
    address = made.findtext("publicIp") or ""
    return address, {"AllocationId": allocation, "PublicIp": address}


def _delete_address(address: str, _properties: _Properties) -> None:
    for allocation, found in list(ec2._addresses.items()):
        if found["PublicIp"] == address:
            ec2_calls.call("ReleaseAddress", AllocationId=allocation)


def _create_nat_gateway(_logical_id: str, properties: _Properties, _stack: str) -> _Made:
    made = ec2_calls.call(
        "CreateNatGateway",
        SubnetId=properties["SubnetId"],
        AllocationId=properties["AllocationId"],
        **ec2_calls.tag_specification("natgateway", properties),
    )
    gateway = made.findtext(".//natGatewayId") or ""
    return gateway, {"NatGatewayId": gateway}


def _delete_nat_gateway(gateway: str, _properties: _Properties) -> None:
    if gateway in ec2._nat_gateways:
        ec2_calls.call("DeleteNatGateway", NatGatewayId=gateway)


def _replaced(create: Callable[..., _Made]) -> Callable[..., _Made]:
    """Update by replacement."""

    def update(_physical_id: str, _old: _Properties, new: _Properties, stack: str) -> _Made:
        return create("", new, stack)

    return update


TYPES: dict[str, dict[str, Any]] = {
    "AWS::EC2::EIP": {
        "create": _create_address,
        "update": _replaced(_create_address),
        "delete": _delete_address,
    },
    "AWS::EC2::NatGateway": {
        "create": _create_nat_gateway,
        "update": _replaced(_create_nat_gateway),
        "delete": _delete_nat_gateway,
    },
}
