"""Puts everything of ours into MiniStack, in the order in which the parts build on each other.

Import this only after `server.configure_ministack`: MiniStack reads its settings when imported.
"""

from embedded_aws import cloudfront, eventbridge, logs, s3, saved_queries
from embedded_aws.apigateway import private_apis, rest_apis
from embedded_aws.cloudformation import service_role, stack_records, stack_requests
from embedded_aws.cloudwatch import alarms, service_metrics
from embedded_aws.cloudwatch import resource_types as cloudwatch_types
from embedded_aws.codeartifact import service as codeartifact
from embedded_aws.codebuild import service as codebuild
from embedded_aws.codeconnections import service as codeconnections
from embedded_aws.codepipeline import notifications, performer
from embedded_aws.codepipeline import service as codepipeline
from embedded_aws.core import ministack_names, registration, runtime, type_table
from embedded_aws.ec2 import resource_types as ec2_types
from embedded_aws.ec2 import vpc_peering
from embedded_aws.iam import call_record, decisions, request_resources
from embedded_aws.lambda_ import functions
from embedded_aws.stepfunctions import install as stepfunctions
from embedded_aws.stepfunctions import resource_types as stepfunctions_types

_SERVICES = (
    codeconnections.CODECONNECTIONS,
    codeconnections.CODESTAR,
    codeartifact.SERVICE,
    codebuild.SERVICE,
    codepipeline.SERVICE,
)
_QUICK_TYPES = {**ec2_types.TYPES, **notifications.TYPES}
# These call the endpoint or wait while they change, so they must not hold the event loop.
_SLOW_TYPES = {
    **cloudwatch_types.TYPES,
    **saved_queries.TYPES,
    **stepfunctions_types.TYPES,
    **codeconnections.TYPES,
    **codeartifact.TYPES,
    **codebuild.TYPES,
    **codepipeline.TYPES,
}
_PARTS = (
    registration,
    decisions,
    call_record,
    request_resources,
    alarms,
    service_metrics,
    cloudfront,
    s3,
    logs,
    saved_queries,
    rest_apis,
    functions,
    private_apis,
    stepfunctions,
    stepfunctions_types,
    vpc_peering,
    ec2_types,
    type_table,
    stack_records,
    service_role,
    stack_requests,
    eventbridge,
    performer,
)


def install_all() -> None:
    """Open this instance's records, and install every part, service and resource type.

    Raises:
        MiniStackUnsuitable: the installed MiniStack lacks what a part stands on.
    """
    ministack_names.check()
    runtime.open_runtime()
    for part in _PARTS:
        part.install()
    registration.register(*_SERVICES)
    type_table.add(_QUICK_TYPES)
    type_table.add(_SLOW_TYPES, on_threads=True)
