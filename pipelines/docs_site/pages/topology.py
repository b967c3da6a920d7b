"""Who reaches whom, drawn from the security groups, the endpoint and the peering of the templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipelines.docs_site.markdown import code, mermaid, page, prose, table
from pipelines.docs_site.stacks import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.docs_site.stacks import Stack

_GROUP: Final = "AWS::EC2::SecurityGroup"
_EVERYWHERE: Final = "0.0.0.0/0"


def topology_page(network: Stack, payments: Stack) -> str:
    """Return the page of the network: a diagram and a table of security groups."""
    rows = [
        [code(name), prose(group["GroupDescription"]), _asks(group)]
        for name, group in network.of_type(_GROUP).items()
    ]
    return page(
        "Topology",
        [network.source, payments.source],
        "The network of an environment and one payments stack in it. An arrow is what a security group lets"
        " pass; nothing else leaves.\n",
        mermaid(_diagram(network, payments)),
        table(["Security group", "Of what", "May open connections to"], rows),
    )


def _diagram(network: Stack, payments: Stack) -> str:
    [vpc] = network.of_type("AWS::EC2::VPC").values()
    drawn = [
        "flowchart TB",
        '    workflow(["Payment workflow"])',
        f'    subgraph vpc["VPC {vpc["CidrBlock"]}"]',
    ]
    for group in network.of_type(_GROUP):
        inside = "<br>".join([*_functions(group, payments), *_endpoints(group, network)])
        drawn.append(f'        {group}["{inside or group}"]')
    drawn.append("    end")
    routes = network.of_type("AWS::EC2::Route").values()
    [route] = (route for route in routes if "VpcPeeringConnectionId" in route)
    drawn.append(f'    subgraph database["{_database_owner(network)}"]')
    drawn += [f'        mongodb[("MongoDB<br>{route["DestinationCidrBlock"]}")]', "    end"]
    if network.of_type("AWS::EC2::NatGateway"):
        drawn.append('    internet(["The internet, by the NAT gateway"])')
    drawn += _arrows(network, route["DestinationCidrBlock"])
    drawn += [
        f"    workflow -->|invokes| {group}" for group in network.of_type(_GROUP) if _stepped(group, payments)
    ]
    [api] = payments.of_type("AWS::ApiGateway::RestApi")
    drawn += [f'    {api}["Private REST API<br>(IAM)"]']
    for group in network.of_type(_GROUP):
        if _endpoints(group, network):
            drawn.append(f"    {group} --> {api}")
        if "DataApiFunction" in _functions(group, payments):
            drawn.append(f"    {api} -->|invokes| {group}")
    return "\n".join(drawn) + "\n"


def _database_owner(network: Stack) -> str:
    """Return whose VPC the database is in; with a cluster in Atlas no connection is the stack's."""
    for peering in network.of_type("AWS::EC2::VPCPeeringConnection").values():
        return f"The database's VPC, account {peering['PeerOwnerId']}"
    return "The database's VPC, in Atlas"


def _arrows(network: Stack, database: str) -> Iterator[str]:
    for name, group in network.of_type(_GROUP).items():
        for rule in group["SecurityGroupEgress"]:
            by_cidr = {database: "mongodb", _EVERYWHERE: "internet"}
            to = by_cidr.get(rule.get("CidrIp", "")) or shown(rule.get("DestinationSecurityGroupId", ""))
            if to:
                label = f"{rule['IpProtocol']} {_ports(rule)}"
                through = ", peering" if to == "mongodb" else ""
                yield f'    {name} -->|"{label}{through}"| {to.strip("${}")}'


def _ports(rule: dict[str, Any]) -> str:
    first, last = rule["FromPort"], rule["ToPort"]
    return str(first) if first == last else f"{first} to {last}"


def _asks(group: dict[str, Any]) -> str:
    rules = [
        f"{prose(rule['Description'])}: {rule['IpProtocol']} {_ports(rule)}"
        for rule in group["SecurityGroupEgress"]
        if rule["IpProtocol"] != "icmp"
    ]
    return "<br>".join(rules) or "nothing"


def _functions(group: str, payments: Stack) -> list[str]:
    return [
        name
        for name, function in payments.of_type("AWS::Lambda::Function").items()
        if any(f"-{group}Id" in shown(group_id) for group_id in function["VpcConfig"]["SecurityGroupIds"])
    ]


def _stepped(group: str, payments: Stack) -> bool:
    return any(name != "DataApiFunction" for name in _functions(group, payments))


def _endpoints(group: str, network: Stack) -> list[str]:
    return [
        f"{name}<br>{shown(endpoint['ServiceName']).rpartition('.')[2]} endpoint"
        for name, endpoint in network.of_type("AWS::EC2::VPCEndpoint").items()
        if f"${{{group}}}" in [shown(group_id) for group_id in endpoint["SecurityGroupIds"]]
    ]
