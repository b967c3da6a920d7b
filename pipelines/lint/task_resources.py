"""Whether a task's resource exists: a function, an activity, or an integration with a service.

Source: Step Functions developer guide, "Integrating services with Step Functions"; botocore's models for the
services and actions of AWS SDK integrations.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

import botocore.session
from botocore.exceptions import UnknownServiceError

if TYPE_CHECKING:
    from collections.abc import Iterator

_INTEGRATION: Final = re.compile(r"arn:[^:]*:states:::(?P<rest>.+)")
_PATTERNS: Final = {"sync", "sync:2", "waitForTaskToken"}
_OPTIMIZED: Final = {
    "apigateway": "invoke",
    "athena": "startQueryExecution stopQueryExecution getQueryExecution getQueryResults",
    "batch": "submitJob",
    "bedrock": "invokeModel createModelCustomizationJob",
    "codebuild": "startBuild stopBuild batchDeleteBuilds batchGetReports startBuildBatch stopBuildBatch "
    "retryBuildBatch deleteBuildBatch batchGetBuildBatches",
    "databrew": "startJobRun",
    "dynamodb": "getItem putItem deleteItem updateItem",
    "ecs": "runTask",
    "eks": "call createCluster deleteCluster createNodegroup deleteNodegroup createFargateProfile "
    "deleteFargateProfile runJob",
    "elasticmapreduce": "createCluster terminateCluster addStep cancelStep setClusterTerminationProtection "
    "modifyInstanceFleetByName modifyInstanceGroupByName",
    "emr-containers": "createVirtualCluster deleteVirtualCluster startJobRun",
    "emr-serverless": "createApplication startApplication stopApplication deleteApplication startJobRun "
    "cancelJobRun",
    "events": "putEvents",
    "glue": "startJobRun",
    "http": "invoke",
    "lambda": "invoke",
    "mediaconvert": "createJob",
    "sagemaker": "createTrainingJob createTransformJob createProcessingJob createLabelingJob "
    "createHyperParameterTuningJob createEndpoint createEndpointConfig createModel updateEndpoint",
    "sns": "publish",
    "sqs": "sendMessage",
    "states": "startExecution",
}


def problems(resource: object) -> Iterator[str]:
    """Yield what is wrong with a task's resource; one that CloudFormation fills in is right."""
    match = _INTEGRATION.fullmatch(resource) if isinstance(resource, str) else None
    if match is None or "${" in match["rest"]:
        return
    name, _, pattern = match["rest"].partition(".")
    if pattern and pattern not in _PATTERNS:
        yield f"there is no integration pattern .{pattern}"
    parts = name.split(":")
    if parts[0] == "aws-sdk":
        yield from _sdk(parts[1:])
    elif parts[0] not in _OPTIMIZED:
        yield f"there is no optimized integration {parts[0]}"
    elif parts[1:] != [""] and (len(parts) != 2 or parts[1] not in _OPTIMIZED[parts[0]].split()):  # noqa: PLR2004
        yield f"the integration {parts[0]} has no action {':'.join(parts[1:]) or 'at all'}"


def _sdk(parts: list[str]) -> Iterator[str]:
    if len(parts) != 2:  # noqa: PLR2004 - a service and its action
        yield "an AWS SDK integration names a service and an action"
        return
    service, action = parts
    actions = _actions(service)
    if actions is not None and action not in actions:
        yield f"the service {service} has no action {action}"


@cache
def _actions(service: str) -> frozenset[str] | None:
    """Return a service's actions in camelCase; None where botocore has another name for it."""
    renamed = {"sfn": "stepfunctions", "cloudwatchlogs": "logs", "eventbridge": "events"}.get(
        service, service
    )
    try:
        model = botocore.session.get_session().get_service_model(renamed)
    except UnknownServiceError:
        return None
    return frozenset(name[:1].lower() + name[1:] for name in model.operation_names)
