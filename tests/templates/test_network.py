from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.templates.reading import properties, ref, the

if TYPE_CHECKING:
    from environments.schema import Environment

Json = dict[str, Any]


def test_the_database_is_reached_by_a_real_peering_connection(
    network: Json, environment: Environment
) -> None:
    # Given the network of an environment whose database is a cluster of your own
    if environment.database.kind == "atlas":
        assert not properties(network, "AWS::EC2::VPCPeeringConnection")
        return
    peering = the(network, "AWS::EC2::VPCPeeringConnection")
    # Then its peering connection joins our VPC with the database's
    assert peering["VpcId"] == ref("Vpc")
    assert peering["PeerVpcId"] == environment.database.vpc_id
    assert peering["PeerOwnerId"] == environment.database.owner_account
    assert peering["PeerRegion"] == environment.database.region
    assert peering.get("PeerRoleArn") == environment.database.peer_role_arn


def test_atlas_is_routed_to_once_the_stack_knows_the_connection_that_it_asked_for(
    network: Json, environment: Environment
) -> None:
    # Given the network of an environment whose database is in Atlas
    if environment.database.kind != "atlas":
        assert "Conditions" not in network
        return
    # Then its connection is a parameter, empty until somebody connected them
    parameter = network["Parameters"]["AtlasPeeringId"]
    assert parameter["Default"] == ""
    assert re.fullmatch(parameter["AllowedPattern"], "")
    assert re.fullmatch(parameter["AllowedPattern"], "pcx-0123456789abcdef0")
    assert not re.fullmatch(parameter["AllowedPattern"], "pcx-")
    # And the route and the export are there from then on
    connected = {"Fn::Not": [{"Fn::Equals": [ref("AtlasPeeringId"), ""]}]}
    assert network["Conditions"] == {"DatabaseIsConnected": connected}
    assert network["Resources"]["DatabaseRoute"]["Condition"] == "DatabaseIsConnected"
    output = network["Outputs"]["DatabasePeeringId"]
    assert (output["Value"], output["Condition"]) == (ref("AtlasPeeringId"), "DatabaseIsConnected")


def test_private_routes_lead_to_the_database_and_where_orders_are_paid_by_stripe_to_the_nat_gateway(
    network: Json, environment: Environment
) -> None:
    # Given every route of the private subnets
    routes = [
        {key: value for key, value in route.items() if key != "RouteTableId"}
        for route in properties(network, "AWS::EC2::Route").values()
        if route["RouteTableId"] == ref("PrivateRoutes")
    ]
    # Then none leads to an internet gateway
    to_database = {
        "DestinationCidrBlock": environment.database.cidr,
        "VpcPeeringConnectionId": ref(
            "AtlasPeeringId" if environment.database.kind == "atlas" else "DatabasePeering"
        ),
    }
    to_internet = {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": ref("NatGateway")}
    assert sorted(routes, key=str) == sorted(
        [to_database, *([to_internet] if environment.stripe else [])], key=str
    )


def test_the_internet_is_there_only_where_orders_are_paid_by_stripe(
    network: Json, environment: Environment
) -> None:
    # Given what leads outside
    outside = {"InternetGateway", "NatGateway", "EIP", "VPCGatewayAttachment"}
    never = {"EgressOnlyInternetGateway", "TransitGateway"}
    kinds = [part["Type"].removeprefix("AWS::EC2::") for part in network["Resources"].values()]
    # Then there is one of each where it is needed, and nothing elsewhere
    assert sorted(kind for kind in kinds if kind in outside | never) == sorted(
        outside if environment.stripe else []
    )


def test_the_public_subnet_holds_the_nat_gateway_and_nothing_gets_in(
    network: Json, environment: Environment
) -> None:
    if environment.stripe is None:
        assert "PublicSubnet" not in network["Resources"]
        return
    assert the(network, "AWS::EC2::NatGateway")["SubnetId"] == ref("PublicSubnet")
    assert properties(network, "AWS::EC2::Subnet")["PublicSubnet"]["MapPublicIpOnLaunch"] is False
    (route,) = (
        route
        for route in properties(network, "AWS::EC2::Route").values()
        if route["RouteTableId"] == ref("PublicRoutes")
    )
    assert route["GatewayId"] == ref("InternetGateway")
    # Which CloudFormation would make before the gateway is attached (user guide, DependsOn)
    (made,) = (part for part in network["Resources"].values() if part.get("Properties") == route)
    assert made["DependsOn"] == "InternetGatewayAttachment"
    # And no function can be put there
    assert "PublicSubnet" not in str(network["Outputs"])


def test_two_private_subnets_in_two_zones_follow_the_private_routes(
    network: Json, environment: Environment
) -> None:
    subnets = properties(network, "AWS::EC2::Subnet")
    subnets.pop("PublicSubnet", None)
    assert {subnet["CidrBlock"] for subnet in subnets.values()} == set(
        environment.network.private_subnet_cidrs
    )
    assert not any(subnet["MapPublicIpOnLaunch"] for subnet in subnets.values())
    zones = [subnets[f"PrivateSubnet{letter}"]["AvailabilityZone"] for letter in "AB"]
    assert zones == list(environment.network.zones)
    associations = [
        part
        for part in properties(network, "AWS::EC2::SubnetRouteTableAssociation").values()
        if part["SubnetId"] != ref("PublicSubnet")
    ]
    assert {part["SubnetId"]["Ref"] for part in associations} == set(subnets)
    assert all(part["RouteTableId"] == ref("PrivateRoutes") for part in associations)


def egress(network: Json) -> dict[str, list[Json]]:
    rules = {
        name: [
            {key: value for key, value in rule.items() if key != "Description"}
            for rule in group["SecurityGroupEgress"]
        ]
        for name, group in properties(network, "AWS::EC2::SecurityGroup").items()
    }
    assert not properties(network, "AWS::EC2::SecurityGroupEgress")
    return rules


def test_only_the_data_api_reaches_the_database_and_on_its_ports_only(
    network: Json, environment: Environment
) -> None:
    # Given everything that every security group lets out
    allowed = egress(network)
    # Then the data API's goes to MongoDB, the functions' to the endpoint, the endpoint's nowhere, and where
    # orders are paid by Stripe the paying functions' to HTTPS anywhere
    nowhere = {"IpProtocol": "icmp", "FromPort": 252, "ToPort": 86, "CidrIp": "255.255.255.255/32"}
    tcp: Json = {"IpProtocol": "tcp"}
    assert allowed == {
        "DataApiSecurityGroup": [
            tcp
            | {
                "FromPort": 27015 if environment.database.kind == "atlas" else 27017,
                "ToPort": 27017,
                "CidrIp": environment.database.cidr,
            }
        ],
        "FunctionsSecurityGroup": [
            tcp | {"FromPort": 443, "ToPort": 443, "DestinationSecurityGroupId": ref("EndpointSecurityGroup")}
        ],
        "EndpointSecurityGroup": [nowhere],
        **(
            {"PaymentsSecurityGroup": [tcp | {"FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0"}]}
            if environment.stripe
            else {}
        ),
    }


def test_only_functions_reach_the_endpoint_and_nothing_reaches_functions(network: Json) -> None:
    groups = properties(network, "AWS::EC2::SecurityGroup").values()
    assert all(group["SecurityGroupIngress"] == [] for group in groups)
    ingress = the(network, "AWS::EC2::SecurityGroupIngress")
    assert ingress["GroupId"] == ref("EndpointSecurityGroup")
    assert ingress["SourceSecurityGroupId"] == ref("FunctionsSecurityGroup")
    assert (ingress["FromPort"], ingress["ToPort"]) == (443, 443)


def test_the_endpoint_answers_in_the_private_subnets_by_its_private_name(network: Json) -> None:
    endpoint = the(network, "AWS::EC2::VPCEndpoint")
    assert endpoint["VpcEndpointType"] == "Interface"
    assert endpoint["PrivateDnsEnabled"] is True
    assert endpoint["SecurityGroupIds"] == [ref("EndpointSecurityGroup")]
    assert endpoint["SubnetIds"] == [ref("PrivateSubnetA"), ref("PrivateSubnetB")]
    vpc = the(network, "AWS::EC2::VPC")
    assert vpc["EnableDnsSupport"] is True
    assert vpc["EnableDnsHostnames"] is True


def test_the_endpoint_serves_callers_and_apis_of_this_account_only(network: Json) -> None:
    (statement,) = the(network, "AWS::EC2::VPCEndpoint")["PolicyDocument"]["Statement"]
    assert statement["Action"] == ["execute-api:Invoke"]
    assert statement["Condition"] == {"StringEquals": {"aws:PrincipalAccount": ref("AWS::AccountId")}}
    assert "${AWS::AccountId}" in statement["Resource"][0]["Fn::Sub"]


def test_all_traffic_of_the_vpc_is_logged(network: Json) -> None:
    flow_log = the(network, "AWS::EC2::FlowLog")
    assert (flow_log["ResourceId"], flow_log["ResourceType"]) == (ref("Vpc"), "VPC")
    assert flow_log["TrafficType"] == "ALL"


def test_the_key_rotates_and_serves_log_groups_of_this_account_only(network: Json) -> None:
    key = the(network, "AWS::KMS::Key")
    assert key["EnableKeyRotation"] is True
    (logs,) = (part for part in key["KeyPolicy"]["Statement"] if part["Sid"] == "CloudWatchLogs")
    context = logs["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]["Fn::Sub"]
    assert context.endswith(":${AWS::Region}:${AWS::AccountId}:log-group:*")


def test_it_exports_what_payments_stacks_import(
    network: Json, payments: Json, environment: Environment
) -> None:
    # Given every import of the payments stack
    text = str(payments)
    exported = {output["Export"]["Name"]["Fn::Sub"] for output in network["Outputs"].values()}
    # Then the network exports it under its own name
    for name in (
        "PrivateSubnetIds",
        "FunctionsSecurityGroupId",
        "DataApiSecurityGroupId",
        "ExecuteApiEndpointId",
        "KeyArn",
        "DataApiRoleArn",
        *(["PaymentsSecurityGroupId"] if environment.stripe else []),
    ):
        assert f"${{NetworkStack}}-{name}" in text
        assert f"${{AWS::StackName}}-{name}" in exported
    assert "${AWS::StackName}-VpcId" in exported
