"""Who may talk to whom: functions to the data API's endpoint, the data API to MongoDB, and nothing else.

Where the payment method needs Stripe, the functions that pay may also go out, by a group that they have
beside the other. The endpoints are the private doors to AWS: API Gateway for the data API, Secrets Manager
where the database has a password.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from awacs.aws import Allow, Condition, PolicyDocument, Principal, Statement, StringEquals
from awacs.execute_api import Invoke
from awacs.secretsmanager import GetSecretValue
from troposphere import AccountId, Ref, Sub
from troposphere.ec2 import SecurityGroup, SecurityGroupIngress, SecurityGroupRule, VPCEndpoint

from templates.capabilities.lint_exceptions import STATED_SECRET, excepted
from templates.capabilities.permissions import POLICY_VERSION
from templates.capabilities.vpc import EVERYWHERE, name_tag

if TYPE_CHECKING:
    from troposphere import AWSHelperFn, Template

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


def add_api_endpoint(template: Template, vpc: Vpc, groups: SecurityGroups) -> Ref:
    """Add the execute-api interface endpoint and return its id.

    With private DNS on, `<api>.execute-api.<region>.amazonaws.com` resolves to it inside the VPC, so
    public APIs of API Gateway are out of reach from here: the functions need none.
    """
    endpoint = _interface(vpc, "ApiEndpoint", "execute-api", groups.endpoint, _own_account_apis())
    template.add_resource(endpoint)
    return Ref(endpoint)


def _interface(
    vpc: Vpc, name: str, service: str, group: AWSHelperFn, policy: PolicyDocument, **more: Any
) -> VPCEndpoint:
    """Return an interface endpoint in the private subnets; there the service's own name resolves to it."""
    return VPCEndpoint(
        name,
        ServiceName=Sub(f"com.amazonaws.${{AWS::Region}}.{service}"),
        VpcEndpointType="Interface",
        VpcId=vpc.vpc_id,
        SubnetIds=list(vpc.private_subnet_ids),
        SecurityGroupIds=[group],
        PrivateDnsEnabled=True,
        PolicyDocument=policy,
        **more,
    )


def _own_account_apis() -> PolicyDocument:
    # Branch stacks come and go, so the door lets this account's callers through to this account's APIs;
    # each API's own resource policy and each role say the rest.
    apis = Sub("arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:*")
    return PolicyDocument(
        Version=POLICY_VERSION,
        Statement=[
            Statement(
                Sid="ThisAccountOnly",
                Effect=Allow,
                Principal=Principal("*"),
                Action=[Invoke],
                Resource=[apis],
                Condition=Condition(StringEquals({"aws:PrincipalAccount": AccountId})),
            )
        ],
    )


def add_secrets_endpoint(
    template: Template, environment: Environment, vpc: Vpc, groups: SecurityGroups
) -> None:
    """Add the interface endpoint; through it this account reads the environment's own secrets and no others.

    AWS Secrets Manager user guide, "Using an AWS Secrets Manager VPC endpoint". Its private name leads here
    for the whole VPC, so where orders are paid by Stripe that key is read through it, too.
    """
    if groups.secrets is None:
        return
    stripe = environment.stripe
    secrets = [environment.database.secret_arn, *([] if stripe is None else [stripe.secret_arn])]
    read = Statement(
        Sid="ThisEnvironmentsSecrets",
        Effect=Allow,
        Principal=Principal("*"),
        Action=[GetSecretValue],
        Resource=secrets,
        Condition=Condition(StringEquals({"aws:PrincipalAccount": AccountId})),
    )
    policy = PolicyDocument(Version=POLICY_VERSION, Statement=[read])
    template.add_resource(
        _interface(
            vpc,
            "SecretsEndpoint",
            "secretsmanager",
            groups.secrets,
            policy,
            Metadata=excepted(STATED_SECRET),
        )
    )
