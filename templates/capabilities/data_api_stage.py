"""The data API's stage `live`, and the deployments that it points to."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from troposphere import Ref
from troposphere.apigateway import AccessLogSetting, Deployment, MethodSetting, Stage

from templates.capabilities.encryption_key import add_log_group
from templates.capabilities.lint_exceptions import Except, excepted
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
