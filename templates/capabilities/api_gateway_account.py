"""API Gateway's right to write access logs: one setting for a whole account and region."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from awacs.aws import Allow, PolicyDocument, Principal, Statement
from awacs.sts import AssumeRole
from troposphere import GetAtt, Sub
from troposphere.apigateway import Account
from troposphere.iam import Role

from templates.capabilities.permissions import POLICY_VERSION

if TYPE_CHECKING:
    from troposphere import Template


PUSH_LOGS: Final = "arn:${AWS::Partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
"""AWS's own policy; the one managed policy that a role of ours has."""


def add_api_gateway_account(template: Template) -> None:
    """Name the role that API Gateway writes its logs with.

    Setting and role outlive the stack: the setting belongs to the account, and other stacks of it log too.
    The role holds AWS's own policy, because API Gateway refuses a role that lacks any of that policy's
    actions (API Gateway developer guide, "Set up CloudWatch logging for REST APIs").
    """
    role = Role(
        "ApiGatewayLogsRole",
        AssumeRolePolicyDocument=PolicyDocument(
            Version=POLICY_VERSION,
            Statement=[
                Statement(
                    Effect=Allow,
                    Principal=Principal("Service", "apigateway.amazonaws.com"),
                    Action=[AssumeRole],
                )
            ],
        ),
        ManagedPolicyArns=[Sub(PUSH_LOGS)],
        DeletionPolicy="Retain",
        UpdateReplacePolicy="Retain",
    )
    account = Account(
        "ApiGatewayAccount",
        CloudWatchRoleArn=GetAtt(role, "Arn"),
        DeletionPolicy="Retain",
        UpdateReplacePolicy="Retain",
    )
    template.add_resource(role)
    template.add_resource(account)
