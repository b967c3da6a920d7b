"""Security group rules that stand beside their group, so that two groups may name each other."""

from typing import Any

from ministack.services import ec2

from embedded_aws.ec2 import calls

_Made = tuple[str, dict[str, Any]]
_Properties = dict[str, Any]


def _rule(properties: _Properties, group_key: str, list_key: str) -> _Properties:
    """Translate a template's rule to EC2's permission; the other side's keys depend on the direction."""
    described = {"Description": properties["Description"]} if properties.get("Description") else {}
    rule: _Properties = {
        key: properties[key] for key in ("IpProtocol", "FromPort", "ToPort") if key in properties
    }
    if "CidrIp" in properties:
        rule["IpRanges"] = [{"CidrIp": properties["CidrIp"], **described}]
    if "CidrIpv6" in properties:
        rule["Ipv6Ranges"] = [{"CidrIpv6": properties["CidrIpv6"], **described}]
    if list_key in properties:
        rule["PrefixListIds"] = [{"PrefixListId": properties[list_key], **described}]
    if group_key in properties:
        rule["Groups"] = [{"GroupId": properties[group_key], **described}]
    return rule


def _rule_type(direction: str, side: str) -> dict[str, Any]:
    """Build the handlers of SecurityGroupIngress (side Source) or SecurityGroupEgress (side Destination)."""
    keys = (f"{side}SecurityGroupId", f"{side}PrefixListId")

    def create(_logical_id: str, properties: _Properties, _stack: str) -> _Made:
        group = properties["GroupId"]
        if direction == "Egress":
            _drop_default_egress(group)
        made = calls.call(
            f"AuthorizeSecurityGroup{direction}", GroupId=group, IpPermissions=[_rule(properties, *keys)]
        )
        rule = made.findtext(".//securityGroupRuleId") or ""
        return rule, {"Id": rule}

    def update(_rule: str, old: _Properties, new: _Properties, stack: str) -> _Made:
        if {**old, "Description": None} == {**new, "Description": None}:
            delete(_rule, old)  # only the description changed: the rule stays itself
        return create("", new, stack)

    def delete(rule: str, properties: _Properties) -> None:
        if properties["GroupId"] in ec2._security_groups:
            calls.call(
                f"RevokeSecurityGroup{direction}", GroupId=properties["GroupId"], SecurityGroupRuleId=[rule]
            )

    return {"create": create, "update": update, "delete": delete}


def _drop_default_egress(group: str) -> None:
    """A group's own allow-all goes when its first egress rule comes, says the template reference."""
    rules = ec2._security_groups[group]["IpPermissionsEgress"] if group in ec2._security_groups else []
    rules[:] = [
        rule
        for rule in rules
        if not (rule["IpProtocol"] == "-1" and rule["IpRanges"] == [{"CidrIp": "0.0.0.0/0"}])
    ]


TYPES: dict[str, dict[str, Any]] = {
    "AWS::EC2::SecurityGroupIngress": _rule_type("Ingress", "Source"),
    "AWS::EC2::SecurityGroupEgress": _rule_type("Egress", "Destination"),
}
