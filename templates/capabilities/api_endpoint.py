"""The private door to API Gateway: functions reach the data API here, and nobody from outside does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awacs.aws import Allow, Condition, PolicyDocument, Principal, Statement, StringEquals
from awacs.execute_api import Invoke
from troposphere import AccountId, Ref, Sub
from troposphere.ec2 import VPCEndpoint

from templates.capabilities.permissions import POLICY_VERSION

if TYPE_CHECKING:
    from troposphere import Template

    from templates.capabilities.security_groups import SecurityGroups
    from templates.capabilities.vpc import Vpc


def add_api_endpoint(template: Template, vpc: Vpc, groups: SecurityGroups) -> Ref:
    """Add the execute-api interface endpoint and return its id.

    With private DNS on, `<api>.execute-api.<region>.amazonaws.com` resolves to it inside the VPC, so
    public APIs of API Gateway are out of reach from here: the functions need none.
    """
    endpoint = VPCEndpoint(
        "ApiEndpoint",
        ServiceName=Sub("com.amazonaws.${AWS::Region}.execute-api"),
        VpcEndpointType="Interface",
        VpcId=vpc.vpc_id,
        SubnetIds=list(vpc.private_subnet_ids),
        SecurityGroupIds=[groups.endpoint],
        PrivateDnsEnabled=True,
        PolicyDocument=_policy(),
    )
    template.add_resource(endpoint)
    return Ref(endpoint)


def _policy() -> PolicyDocument:
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
