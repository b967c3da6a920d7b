"""CloudFormation: the network types that MiniStack lacks, made, changed and deleted through change sets."""

from typing import Any

import botocore.exceptions
import pytest
from embedded_workbench import Aws, Stack, policy, unique, vpc

OTHER_ACCOUNT = "666666666666"


def peering(peer: str, **properties: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::EC2::VPCPeeringConnection",
        "Properties": {"VpcId": {"Ref": "Vpc"}, "PeerVpcId": peer} | properties,
    }


def _network(ec2: Any, cidr: str) -> str:
    """Make a VPC to peer with, and return its id."""
    return str(ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"])


def test_a_peering_connection_connects_and_routes(aws: Aws, stack: Stack) -> None:
    # Given the database's network
    ec2 = aws("ec2")
    database_vpc = _network(ec2, "10.99.0.0/16")
    # When a stack peers with it and routes to it
    outputs = stack.deploy(
        {
            "Vpc": vpc("10.1.0.0/16"),
            "Peering": peering(database_vpc, Tags=[{"Key": "for", "Value": "mongodb"}]),
            "Routes": {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": {"Ref": "Vpc"}}},
            "ToDatabase": {
                "Type": "AWS::EC2::Route",
                "Properties": {
                    "RouteTableId": {"Ref": "Routes"},
                    "DestinationCidrBlock": "10.99.0.0/16",
                    "VpcPeeringConnectionId": {"Ref": "Peering"},
                },
            },
        },
        {
            "Peering": {"Fn::GetAtt": ["Peering", "Id"]},
            "Cidr": {"Fn::GetAtt": ["Vpc", "CidrBlock"]},
            "Table": {"Ref": "Routes"},
        },
    )
    # Then the connection is active and has its tags, and the route goes through it
    shown = ec2.describe_vpc_peering_connections(VpcPeeringConnectionIds=[outputs["Peering"]])
    [connection] = shown["VpcPeeringConnections"]
    assert connection["Status"]["Code"] == "active"
    assert connection["AccepterVpcInfo"]["VpcId"] == database_vpc
    assert {"Key": "for", "Value": "mongodb"} in connection["Tags"]
    [table] = ec2.describe_route_tables(RouteTableIds=[outputs["Table"]])["RouteTables"]
    routed = {route["DestinationCidrBlock"]: route.get("VpcPeeringConnectionId") for route in table["Routes"]}
    assert routed["10.99.0.0/16"] == outputs["Peering"]
    assert outputs["Cidr"] == "10.1.0.0/16"


def test_peering_with_another_account_goes_through_its_role(aws: Aws, stack: Stack) -> None:
    # Given a database network and an accepting role in another account
    theirs = aws("ec2", account=OTHER_ACCOUNT)
    database_vpc = _network(theirs, "10.98.0.0/16")
    role = aws("iam", account=OTHER_ACCOUNT).create_role(
        RoleName=unique("peer"), AssumeRolePolicyDocument=policy("sts:AssumeRole")
    )["Role"]["Arn"]
    network = {"Vpc": vpc("10.1.0.0/16")}
    # When the role is not named; Then it is refused
    with pytest.raises(AssertionError, match="PeerRoleArn is required"):
        stack.deploy(network | {"Peering": peering(database_vpc, PeerOwnerId=OTHER_ACCOUNT)})
    stack.delete()
    # When it is; Then the connection is active, seen from there too
    stack.deploy(network | {"Peering": peering(database_vpc, PeerOwnerId=OTHER_ACCOUNT, PeerRoleArn=role)})
    [connection] = theirs.describe_vpc_peering_connections()["VpcPeeringConnections"]
    assert connection["Status"]["Code"] == "active"


@pytest.mark.parametrize(
    ("cidr", "problem"), [("10.97.0.0/24", "CIDR blocks of the two VPCs overlap"), (None, "does not exist")]
)
def test_an_impossible_peering_is_refused(aws: Aws, stack: Stack, cidr: str | None, problem: str) -> None:
    peer = _network(aws("ec2"), cidr) if cidr else "vpc-absent"
    with pytest.raises(AssertionError, match=problem):
        stack.deploy({"Vpc": vpc("10.97.0.0/16"), "Peering": peering(peer)})


def test_rules_beside_their_group(aws: Aws, stack: Stack) -> None:
    # Given two groups, one of which may reach the other on one port only
    def group(name: str) -> dict[str, Any]:
        return {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {"GroupDescription": name, "VpcId": {"Ref": "Vpc"}},
        }

    def rule(kind: str, of: str, side: str, port: int) -> dict[str, Any]:
        ports = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port}
        other = {"Ref": "Api" if of == "Functions" else "Functions"}
        return {
            "Type": f"AWS::EC2::SecurityGroup{kind}",
            "Properties": {"GroupId": {"Ref": of}, f"{side}SecurityGroupId": other, **ports},
        }

    def resources(port: int) -> dict[str, Any]:
        return {
            "Vpc": vpc("10.1.0.0/16"),
            "Functions": group("functions"),
            "Api": group("api"),
            "Out": rule("Egress", "Functions", "Destination", port),
            "In": rule("Ingress", "Api", "Source", port),
        }

    outputs = {"Functions": {"Ref": "Functions"}, "Api": {"Ref": "Api"}}
    ids = stack.deploy(resources(443), outputs)

    def seen(group_id: str, direction: str) -> list[tuple[int, str]]:
        [found] = aws("ec2").describe_security_groups(GroupIds=[group_id])["SecurityGroups"]
        return [
            (rule.get("FromPort"), pair["GroupId"])
            for rule in found[direction]
            for pair in rule["UserIdGroupPairs"] or [{"GroupId": "anywhere"}]
        ]

    # Then that is the group's only way out, and the other's only way in
    assert seen(ids["Functions"], "IpPermissionsEgress") == [(443, ids["Api"])]
    assert seen(ids["Api"], "IpPermissions") == [(443, ids["Functions"])]
    # When the port changes; Then the old rules are gone
    stack.deploy(resources(8443), outputs)
    assert seen(ids["Functions"], "IpPermissionsEgress") == [(8443, ids["Api"])]
    assert seen(ids["Api"], "IpPermissions") == [(8443, ids["Functions"])]


def test_a_flow_log_and_a_composite_alarm(aws: Aws, stack: Stack, role: str) -> None:
    # Given a VPC with a flow log, and an alarm over an alarm
    flow_log = {"ResourceId": {"Ref": "Vpc"}, "ResourceType": "VPC", "TrafficType": "ALL"}
    alarm = {
        "Namespace": "AWS/States",
        "MetricName": "ExecutionsFailed",
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 1,
        "Period": 60,
        "Statistic": "Sum",
        "Threshold": 0,
    }
    resources = {
        "Vpc": vpc("10.1.0.0/16"),
        "FlowLog": {
            "Type": "AWS::EC2::FlowLog",
            "Properties": flow_log | {"LogGroupName": "flow", "DeliverLogsPermissionArn": role},
        },
        "Failed": {"Type": "AWS::CloudWatch::Alarm", "Properties": alarm},
        "Health": {
            "Type": "AWS::CloudWatch::CompositeAlarm",
            "Properties": {"AlarmRule": {"Fn::Sub": 'ALARM("${Failed}")'}},
        },
    }
    # When it is deployed
    outputs = stack.deploy(resources, {"FlowLog": {"Ref": "FlowLog"}, "Health": {"Ref": "Health"}})
    # Then both are there, through their own API
    [log] = aws("ec2").describe_flow_logs(FlowLogIds=[outputs["FlowLog"]])["FlowLogs"]
    assert log["FlowLogStatus"] == "ACTIVE"
    shown = aws("cloudwatch").describe_alarms(AlarmNames=[outputs["Health"]], AlarmTypes=["CompositeAlarm"])
    assert 'ALARM("' in shown["CompositeAlarms"][0]["AlarmRule"]


def test_an_unknown_type_is_refused_by_name(stack: Stack) -> None:
    with pytest.raises(botocore.exceptions.ClientError, match="AWS::Synthetics::Canary"):
        stack.deploy({"Canary": {"Type": "AWS::Synthetics::Canary", "Properties": {}}})


def test_a_nat_gateway_has_an_address_and_both_go_with_the_stack(aws: Aws, stack: Stack) -> None:
    # Given a stack whose private subnets lead out
    ec2 = aws("ec2")
    outputs = stack.deploy(
        {
            "Vpc": vpc("10.1.0.0/16"),
            "Subnet": {
                "Type": "AWS::EC2::Subnet",
                "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.1.0.0/28"},
            },
            "Address": {"Type": "AWS::EC2::EIP", "Properties": {"Domain": "vpc"}},
            "Nat": {
                "Type": "AWS::EC2::NatGateway",
                "Properties": {
                    "SubnetId": {"Ref": "Subnet"},
                    "AllocationId": {"Fn::GetAtt": ["Address", "AllocationId"]},
                },
            },
        },
        {"Nat": {"Ref": "Nat"}, "Address": {"Ref": "Address"}, "Subnet": {"Ref": "Subnet"}},
    )
    # When it is looked at
    [nat] = ec2.describe_nat_gateways(NatGatewayIds=[outputs["Nat"]])["NatGateways"]
    # Then it stands in the subnet, and the address is allocated
    assert (nat["State"], nat["SubnetId"]) == ("available", outputs["Subnet"])
    assert outputs["Address"] in {one["PublicIp"] for one in ec2.describe_addresses()["Addresses"]}
    # And nothing is left of either
    stack.delete()
    [nat] = ec2.describe_nat_gateways(NatGatewayIds=[outputs["Nat"]])["NatGateways"]
    assert nat["State"] == "deleted"
    assert outputs["Address"] not in {one["PublicIp"] for one in ec2.describe_addresses()["Addresses"]}
