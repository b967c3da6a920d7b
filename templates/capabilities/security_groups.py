"""Who may talk to whom: functions to the data API's endpoint, the data API to MongoDB, and nothing else.

Where the payment method needs Stripe, the functions that pay may also go out, by a group that they have
beside the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from troposphere import Ref
from troposphere.ec2 import SecurityGroup, SecurityGroupIngress, SecurityGroupRule

from templates.capabilities.internet import EVERYWHERE
from templates.capabilities.vpc import name_tag

if TYPE_CHECKING:
    from troposphere import Template

    from environments.schema import Environment
    from templates.capabilities.vpc import Vpc

HTTPS = 443


@dataclass(frozen=True, slots=True)
class SecurityGroups:
    """The ids of the security groups; `payments` only where functions that pay must go out."""

    endpoint: Ref
    functions: Ref
    data_api: Ref
    payments: Ref | None = None
    secrets: Ref | None = None


def add_security_groups(template: Template, environment: Environment, vpc: Vpc) -> SecurityGroups:
    """Add the groups of the endpoint, the step functions and the data API.

    Every group says its egress, because one that says none gets AWS's default: everywhere. The endpoint's
    ingress is a resource of its own, or the two groups would name each other in a circle.
    """
    endpoint = _group("Endpoint", "The data API's interface endpoint: answers, never asks", vpc, _NO_EGRESS)
    to_endpoint = _tcp(HTTPS, HTTPS, "To the data API", DestinationSecurityGroupId=Ref(endpoint))
    functions = _group("Functions", "Functions that call the data API", vpc, to_endpoint)
    to_database = _tcp(
        *environment.database.ports, "To MongoDB, through the peering", CidrIp=environment.database.cidr
    )
    secrets = _add_secrets_group(template, environment, vpc)
    to_secrets = [] if secrets is None else [_https("To the login's secret", secrets)]
    about = "The data API's function: the only one to reach MongoDB"
    data_api = _group("DataApi", about, vpc, to_database, *to_secrets)
    from_functions = SecurityGroupIngress(
        "EndpointFromFunctions",
        GroupId=Ref(endpoint),
        IpProtocol="tcp",
        FromPort=HTTPS,
        ToPort=HTTPS,
        SourceSecurityGroupId=Ref(functions),
        Description="From functions that call the data API",
    )
    for group in (endpoint, functions, data_api):
        template.add_resource(group)
    template.add_resource(from_functions)
    groups = SecurityGroups(
        endpoint=Ref(endpoint),
        functions=Ref(functions),
        data_api=Ref(data_api),
        payments=_add_payments_group(template, environment, vpc),
        secrets=secrets,
    )
    _let_in_to_secrets(template, groups)
    return groups


def _add_secrets_group(template: Template, environment: Environment, vpc: Vpc) -> Ref | None:
    """Add the group of the Secrets Manager endpoint, which exists where the database has a password."""
    if environment.database.secret_arn is None:
        return None
    group = _group("Secrets", "The Secrets Manager endpoint: answers, never asks", vpc, _NO_EGRESS)
    template.add_resource(group)
    return Ref(group)


def _let_in_to_secrets(template: Template, groups: SecurityGroups) -> None:
    """Let in who reads a secret: with its private name the endpoint stands before AWS for the whole VPC."""
    if groups.secrets is None:
        return
    readers = {"DataApi": groups.data_api} | ({"Payments": groups.payments} if groups.payments else {})
    for name, reader in readers.items():
        template.add_resource(
            SecurityGroupIngress(
                f"SecretsFrom{name}",
                GroupId=groups.secrets,
                IpProtocol="tcp",
                FromPort=HTTPS,
                ToPort=HTTPS,
                SourceSecurityGroupId=reader,
                Description="From functions that read a secret",
            )
        )


def _add_payments_group(template: Template, environment: Environment, vpc: Vpc) -> Ref | None:
    """Add the group that lets functions out to Stripe and Secrets Manager; both have no fixed addresses."""
    if environment.stripe is None:
        return None
    out = _tcp(HTTPS, HTTPS, "To Stripe and Secrets Manager", CidrIp=EVERYWHERE)
    group = _group("Payments", "Functions that pay: the only ones to reach the internet", vpc, out)
    template.add_resource(group)
    return Ref(group)


# A rule that matches no packet. AWS adds "all traffic" to a group that says no egress at all; the AWS
# Construct Library's `allowAllOutbound: false` says this same rule.
_NO_EGRESS = SecurityGroupRule(
    IpProtocol="icmp", FromPort=252, ToPort=86, CidrIp="255.255.255.255/32", Description="Nothing"
)


def _group(name: str, description: str, vpc: Vpc, *egress: SecurityGroupRule) -> SecurityGroup:
    return SecurityGroup(
        f"{name}SecurityGroup",
        GroupDescription=description.replace("'", ""),  # EC2 allows no apostrophe here
        VpcId=vpc.vpc_id,
        SecurityGroupEgress=list(egress),
        SecurityGroupIngress=[],
        Tags=[name_tag(name.lower())],
    )


def _https(description: str, group: Ref) -> SecurityGroupRule:
    return _tcp(HTTPS, HTTPS, description, DestinationSecurityGroupId=group)


def _tcp(first: int, last: int, description: str, **target: Any) -> SecurityGroupRule:
    return SecurityGroupRule(IpProtocol="tcp", FromPort=first, ToPort=last, Description=description, **target)
