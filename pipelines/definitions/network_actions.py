"""The EC2 actions of the network stack, and what is left to a role that deploys no network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

EC2_LOOK: Final = [
    "DescribeAddresses",
    "DescribeFlowLogs",
    "DescribeInstances",
    "DescribeInternetGateways",
    "DescribeNatGateways",
    "DescribeNetworkAcls",
    "DescribeNetworkInterfaces",
    "DescribeRouteTables",
    "DescribeSecurityGroupRules",
    "DescribeSecurityGroups",
    "DescribeSubnets",
    "DescribeTags",
    "DescribeVpcAttribute",
    "DescribeVpcEndpoints",
    "DescribeVpcPeeringConnections",
    "DescribeVpcs",
]
"""EC2's reads, none of which knows a resource."""

EC2_CHANGE: Final = [
    "AcceptVpcPeeringConnection",
    "AllocateAddress",
    "AssociateAddress",
    "AssociateRouteTable",
    "AttachInternetGateway",
    "AuthorizeSecurityGroupEgress",
    "AuthorizeSecurityGroupIngress",
    "CreateFlowLogs",
    "CreateInternetGateway",
    "CreateNatGateway",
    "CreateRoute",
    "CreateRouteTable",
    "CreateSecurityGroup",
    "CreateSubnet",
    "CreateTags",
    "CreateVpc",
    "CreateVpcEndpoint",
    "CreateVpcPeeringConnection",
    "DeleteFlowLogs",
    "DeleteInternetGateway",
    "DeleteNatGateway",
    "DeleteRoute",
    "DeleteRouteTable",
    "DeleteSecurityGroup",
    "DeleteSubnet",
    "DeleteTags",
    "DeleteVpc",
    "DeleteVpcEndpoints",
    "DeleteVpcPeeringConnection",
    "DetachInternetGateway",
    "DisassociateAddress",
    "DisassociateRouteTable",
    "ModifySubnetAttribute",
    "ModifyVpcAttribute",
    "ModifyVpcEndpoint",
    "ModifyVpcPeeringConnectionOptions",
    "ReleaseAddress",
    "ReplaceRoute",
    "ReplaceRouteTableAssociation",
    "RevokeSecurityGroupEgress",
    "RevokeSecurityGroupIngress",
    "UpdateSecurityGroupRuleDescriptionsEgress",
    "UpdateSecurityGroupRuleDescriptionsIngress",
]
"""EC2's changes."""

WORKLOAD: Final = {
    "ec2": ["DescribeNetworkInterfaces", "DescribeSecurityGroups", "DescribeSubnets", "DescribeVpcs"],
    "kms": ["CreateGrant", "Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey"],
}
"""Of services that the network stack needs more of: what the payments stack needs. A branch's pipeline
deploys no network, so it can touch none (`without_network`)."""
_NETWORK_ALONE: Final = {"autoscaling:DescribeTags", "logs:DeleteLogDelivery"}


def without_network(names: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return those actions that a stack without a network needs, by their service."""
    kept = {
        service: [
            name
            for name in listed
            if name in WORKLOAD.get(service, listed) and f"{service}:{name}" not in _NETWORK_ALONE
        ]
        for service, listed in names.items()
    }
    return {service: listed for service, listed in kept.items() if listed}
