"""API Gateway: the data API's stage `live`, its deployments, and the right to write access logs."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

from awacs.aws import Allow, PolicyDocument, Principal, Statement
from awacs.sts import AssumeRole
from troposphere import GetAtt, Ref, Sub
from troposphere.apigateway import AccessLogSetting, Account, Deployment, MethodSetting, Stage
from troposphere.iam import Role

from templates.capabilities.encryption_key import add_log_group
from templates.capabilities.lint_exceptions import Except, excepted
from templates.capabilities.permissions import POLICY_VERSION
from templates.capabilities.stack_interface import from_network

if TYPE_CHECKING:
    from troposphere import Template
    from troposphere.apigateway import Method, Resource, RestApi

    from environments.schema import Environment


STAGE = "live"
_NO_CACHE = Except("CKV_AWS_120", "A cached answer about an order or a balance is a wrong one.")
REQUESTS_PER_SECOND = 1000
BURST = 500

# No personal data: ids and figures only.
_ACCESS_LOG = {
    "requestId": "$context.requestId",
    "requestTime": "$context.requestTime",
    "method": "$context.httpMethod",
    "path": "$context.path",
    "status": "$context.status",
    "latency": "$context.responseLatency",
    "integrationLatency": "$context.integrationLatency",
    "caller": "$context.identity.userArn",
    "trace": "$context.xrayTraceId",
    "error": "$context.error.message",
    "integrationError": "$context.integrationErrorMessage",
}


def add_stage(template: Template, environment: Environment, parts: list[RestApi | Resource | Method]) -> None:
    """Deploy the API, whose parts these are, the RestApi first, and add its stage.

    The stage is logged, traced, measured and throttled.
    """
    logs = add_log_group(template, environment, "DataApiAccess", from_network("KeyArn"))
    stage = Stage(
        "DataApiStage",
        RestApiId=Ref(parts[0]),
        DeploymentId=Ref(_add_deployment(template, parts)),
        StageName=STAGE,
        TracingEnabled=True,
        AccessLogSetting=AccessLogSetting(DestinationArn=logs.arn, Format=json.dumps(_ACCESS_LOG)),
        MethodSettings=[
            MethodSetting(
                ResourcePath="/*",
                HttpMethod="*",
                MetricsEnabled=True,
                ThrottlingRateLimit=REQUESTS_PER_SECOND,
                ThrottlingBurstLimit=BURST,
                # Execution logs would go to a group that API Gateway makes by itself, not encrypted and kept
                # for ever; the access log says what went wrong.
                LoggingLevel="OFF",
                DataTraceEnabled=False,
            )
        ],
        Metadata=excepted(_NO_CACHE),
    )
    template.add_resource(stage)


def _add_deployment(template: Template, parts: list[RestApi | Resource | Method]) -> Deployment:
    """Add a deployment whose logical id changes with the API: API Gateway never changes a deployed one."""
    settings = json.dumps([part.to_dict() for part in parts], sort_keys=True)
    digest = hashlib.sha256(settings.encode()).hexdigest()[:12]
    deployment = Deployment(
        f"DataApiDeployment{digest}",
        RestApiId=Ref(parts[0]),
        DependsOn=[part.title for part in parts[1:]],
    )
    template.add_resource(deployment)
    return deployment


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
