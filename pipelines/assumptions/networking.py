"""VPCs, peering connections, endpoints and zones."""

from __future__ import annotations

from typing import Final

from pipelines.assumptions.evidence import Assumption, Documented, Schema

_PEERING: Final = "https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html"

ASSUMPTIONS: Final = (
    Assumption(
        "peering-request-expires",
        "A peering request that nobody accepts expires after seven days and can then be neither accepted "
        "nor rejected.",
        ("pipelines/doctor/network.py",),
        Documented(
            "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpcPeeringConnection.html"
        ),
        "Ask for a peering connection, leave it for eight days, and accept it.",
    ),
    Assumption(
        "peering-overlap-fails",
        "A peering connection between VPCs whose addresses overlap gets the status failed.",
        ("environments/rules.py",),
        Documented(
            "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpcPeeringConnection.html"
        ),
        "Ask for one between two VPCs of 10.0.0.0/16.",
    ),
    Assumption(
        "peering-other-account-accepts",
        "A request to another account is accepted by CloudFormation only through PeerRoleArn.",
        ("templates/capabilities/peering.py", "environments/rules.py"),
        Documented(
            "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/"
            "aws-resource-ec2-vpcpeeringconnection.html"
        ),
        "Deploy the network stack of an environment whose database is another account's.",
    ),
    Assumption(
        "peering-has-no-dns-property",
        "CloudFormation cannot turn on DNS resolution over a peering connection.",
        ("templates/capabilities/peering.py",),
        Schema("AWS::EC2::VPCPeeringConnection", "lacks", "AllowDnsResolutionFromRemoteVpc"),
        "Nothing to prove: the schema is what CloudFormation checks against.",
    ),
    Assumption(
        "peering-not-transitive",
        "A peering connection carries traffic between its own two VPCs only, so a database reached through "
        "it is not reached by a third.",
        ("templates/capabilities/peering.py",),
        Documented(_PEERING),
        "Peer a third VPC with ours and connect to the database from it.",
    ),
    Assumption(
        "subnet-zone-cannot-change",
        "The zone of a subnet cannot be changed, so another order of zones would replace the subnets.",
        ("templates/capabilities/vpc.py",),
        Schema("AWS::EC2::Subnet", "create-only", "AvailabilityZone"),
        "Nothing to prove: the schema is what CloudFormation checks against.",
    ),
    Assumption(
        "security-group-default-egress",
        "A security group without egress rules gets one that allows everything.",
        ("templates/capabilities/security_groups.py",),
        Documented("https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html"),
        "Deploy the network stack and look at the endpoint's group: aws ec2 describe-security-groups.",
    ),
    Assumption(
        "endpoint-private-dns",
        "With private DNS, the names of API Gateway's APIs resolve to the interface endpoint inside the VPC.",
        ("templates/capabilities/security_groups.py",),
        Documented(
            "https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-private-apis.html"
        ),
        "Place an order: the step functions have no other way to the data API.",
    ),
    Assumption(
        "endpoint-needs-dns-attributes",
        "An interface endpoint with private DNS needs the VPC's DNS hostnames and DNS support.",
        ("templates/capabilities/vpc.py",),
        Documented("https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html"),
        "Deploy the network stack with EnableDnsHostnames off; the endpoint is refused.",
    ),
    Assumption(
        "lambda-interfaces-stay",
        "Lambda's network interfaces hold their subnets and security groups for up to an hour after the "
        "function is deleted.",
        ("templates/network.py",),
        Documented("https://docs.aws.amazon.com/lambda/latest/dg/foundation-networking.html"),
        "Delete a payments stack, then at once its network stack.",
    ),
)
