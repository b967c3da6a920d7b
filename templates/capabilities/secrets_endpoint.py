"""The private door to Secrets Manager, only where the database has a password: there is no other way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awacs.aws import Allow, Condition, PolicyDocument, Principal, Statement, StringEquals
from awacs.secretsmanager import GetSecretValue
from troposphere import AccountId, Sub
from troposphere.ec2 import VPCEndpoint

from templates.capabilities.lint_exceptions import STATED_SECRET, excepted
from templates.capabilities.permissions import POLICY_VERSION

if TYPE_CHECKING:
    from troposphere import Template

    from environments.schema import Environment
    from templates.capabilities.security_groups import SecurityGroups
    from templates.capabilities.vpc import Vpc


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
    template.add_resource(
        VPCEndpoint(
            "SecretsEndpoint",
            ServiceName=Sub("com.amazonaws.${AWS::Region}.secretsmanager"),
            VpcEndpointType="Interface",
            VpcId=vpc.vpc_id,
            SubnetIds=list(vpc.private_subnet_ids),
            SecurityGroupIds=[groups.secrets],
            PrivateDnsEnabled=True,
            PolicyDocument=PolicyDocument(
                Version=POLICY_VERSION,
                Statement=[
                    Statement(
                        Sid="ThisEnvironmentsSecrets",
                        Effect=Allow,
                        Principal=Principal("*"),
                        Action=[GetSecretValue],
                        Resource=secrets,
                        Condition=Condition(StringEquals({"aws:PrincipalAccount": AccountId})),
                    )
                ],
            ),
            Metadata=excepted(STATED_SECRET),
        )
    )
