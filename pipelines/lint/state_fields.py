"""Fields of a state that can never do what they say: its task's resource, its retriers and catchers.

Source: Amazon States Language specification, "Errors"; Step Functions developer guide, "Handling errors" and
"Integrating services with Step Functions"; botocore's models for the actions of AWS SDK integrations.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import botocore.session
from botocore.exceptions import UnknownServiceError

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]

_NEVER_RETRIED: Final = {"States.DataLimitExceeded", "States.Runtime"}
_RESERVED: Final = {
    *("States.ALL", "States.BranchFailed", "States.DataLimitExceeded", "States.HeartbeatTimeout"),
    *("States.ExceedToleratedFailureThreshold", "States.Http.Socket", "States.IntrinsicFailure"),
    *("States.ItemReaderFailed", "States.NoChoiceMatched", "States.ParameterPathFailure"),
    *("States.Permissions", "States.QueryEvaluationError", "States.ResultPathMatchFailure"),
    *("States.ResultWriterFailed", "States.Runtime", "States.TaskFailed", "States.Timeout"),
}
"""Names that begin with `States.` are Step Functions' own."""
_WITH_ERRORS: Final = {"Task", "Parallel", "Map"}
_RANGES: Final = {
    "IntervalSeconds": range(1, 100_000_000),
    "MaxAttempts": range(100_000_000),
    "MaxDelaySeconds": range(1, 31_622_401),
}
_JITTER: Final = {"FULL", "NONE"}
_LONGEST_NAME: Final = 80


def retry_problems(state: Json) -> Iterator[tuple[str, str]]:
    """Yield each problem of a state's retriers and catchers, with the field that it is in."""
    for kind in ("Retry", "Catch"):
        entries = state.get(kind)
        if not isinstance(entries, list):
            continue
        if str(state.get("Type")) not in _WITH_ERRORS:
            yield kind, f"a {state.get('Type')} state has none"
        handled: set[str] = set()
        for number, entry in enumerate(entries, start=1):
            if isinstance(entry, dict):
                for problem in _entry(kind, entry, handled, last=number == len(entries)):
                    yield f"{kind}/{number - 1}", problem


def _entry(kind: str, entry: Json, handled: set[str], *, last: bool) -> Iterator[str]:
    listed = entry.get("ErrorEquals")
    errors = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
    if not errors:
        yield "ErrorEquals names no error"
    if "States.ALL" in errors and (len(errors) > 1 or not last):
        yield "States.ALL stands alone and last, or the ones after it are never asked"
    for name in errors:
        if name in handled:
            yield f"{name} was handled by an earlier one"
        if name.startswith("States.") and name not in _RESERVED:
            yield f"there is no error {name}, and names that begin with States. are reserved"
        if name in _NEVER_RETRIED and kind == "Retry":
            yield f"{name} is never retried"
    handled |= set(errors)
    if kind == "Retry":
        yield from _numbers(entry)


def _numbers(retrier: Json) -> Iterator[str]:
    for key, allowed in _RANGES.items():
        value = retrier.get(key)
        whole = isinstance(value, int) and not isinstance(value, bool)
        if value is not None and not (whole and value in allowed):
            yield f"{key} {value!r} is not {allowed.start} to {allowed.stop - 1}"
    rate = retrier.get("BackoffRate", 2.0)
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or rate < 1:
        yield f"BackoffRate {rate!r} is not 1.0 or more"
    longest, interval = retrier.get("MaxDelaySeconds"), retrier.get("IntervalSeconds", 1)
    if isinstance(longest, int) and isinstance(interval, int) and longest <= interval:
        yield f"MaxDelaySeconds {longest} is not above IntervalSeconds {interval}"
    if str(retrier.get("JitterStrategy", "NONE")) not in _JITTER:
        yield f"JitterStrategy {retrier['JitterStrategy']!r} is neither FULL nor NONE"


_INTEGRATION: Final = re.compile(r"arn:[^:]*:states:::(?P<rest>.+)")
_PATTERNS: Final = {"sync", "sync:2", "waitForTaskToken"}
_NO_JOB: Final = {"apigateway", "dynamodb", "events", "http", "lambda", "sns", "sqs"}
"""Optimized integrations of calls that are over when they answer: they have no `.sync`."""
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


def resource_problems(resource: object) -> Iterator[str]:
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
        if pattern.startswith("sync"):
            yield f"an AWS SDK integration has no pattern .{pattern}"
    elif parts[0] not in _OPTIMIZED:
        yield f"there is no optimized integration {parts[0]}"
    elif parts[1:] != [""] and (len(parts) != 2 or parts[1] not in _OPTIMIZED[parts[0]].split()):  # noqa: PLR2004
        yield f"the integration {parts[0]} has no action {':'.join(parts[1:]) or 'at all'}"
    elif pattern.startswith("sync") and (
        parts[0] in _NO_JOB or (pattern == "sync:2" and parts[0] != "states")
    ):
        yield f"the integration {parts[0]} has no pattern .{pattern}"


_MODES: Final = {"INLINE", "DISTRIBUTED"}


def shape_problems(name: str, state: Json, inherited: str) -> Iterator[str]:
    """Yield what Step Functions' schema refuses of a state that statelint lets pass."""
    if len(name) > _LONGEST_NAME:
        yield f"its name has {len(name)} characters, and {_LONGEST_NAME} are allowed"
    if inherited == "JSONata" and state.get("QueryLanguage") == "JSONPath":
        yield "QueryLanguage is JSONPath inside of a machine in JSONata"
    if state.get("Type") == "Parallel" and state.get("Branches") == []:
        yield "Branches is empty"
    processor = state.get("ItemProcessor")
    configured = processor.get("ProcessorConfig") if isinstance(processor, dict) else None
    if isinstance(configured, dict):
        mode = configured.get("Mode", "INLINE")
        if mode not in list(_MODES):
            yield f"Mode {mode!r} is neither INLINE nor DISTRIBUTED"
        if mode == "DISTRIBUTED" and "ExecutionType" not in configured:
            yield "a distributed Map says no ExecutionType"


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
