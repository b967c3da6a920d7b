"""Private doors to AWS: API Gateway for the data API, Secrets Manager where the database has a password."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from awacs.aws import Allow, Condition, PolicyDocument, Principal, Statement, StringEquals
from awacs.execute_api import Invoke
from awacs.secretsmanager import GetSecretValue
from troposphere import AccountId, Ref, Sub
from troposphere.ec2 import VPCEndpoint

from templates.capabilities.lint_exceptions import STATED_SECRET, excepted
from templates.capabilities.permissions import POLICY_VERSION

if TYPE_CHECKING:
    from troposphere import AWSHelperFn, Template

    from environments.schema import Environment
    from templates.capabilities.security_groups import SecurityGroups
    from templates.capabilities.vpc import Vpc


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
