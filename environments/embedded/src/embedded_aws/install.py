"""Puts everything of ours into MiniStack, in the order in which the parts build on each other.

Import this only after `server.configure_ministack`: MiniStack reads its settings when imported.
"""

from embedded_aws.apigateway import access_logs, private_apis
from embedded_aws.apigateway import resource_types as apigateway_types
from embedded_aws.cloudformation import interruptions, service_role, stack_requests
from embedded_aws.cloudfront import viewers
from embedded_aws.cloudwatch import alarms, service_metrics
from embedded_aws.cloudwatch import resource_types as cloudwatch_types
from embedded_aws.codeartifact import resource_types as codeartifact_types
from embedded_aws.codeartifact.service import SERVICE as CODEARTIFACT
from embedded_aws.codebuild import resource_types as codebuild_types
from embedded_aws.codebuild.service import SERVICE as CODEBUILD
from embedded_aws.codeconnections import resource_types as codeconnections_types
from embedded_aws.codeconnections.service import CODECONNECTIONS, CODESTAR
from embedded_aws.codepipeline import performer
from embedded_aws.codepipeline import resource_types as codepipeline_types
from embedded_aws.codepipeline.service import SERVICE as CODEPIPELINE
from embedded_aws.core import ministack_names, registration, runtime, type_table
from embedded_aws.ec2 import resource_types as ec2_types
from embedded_aws.ec2 import vpc_peering
from embedded_aws.eventbridge import targets
from embedded_aws.iam import call_record, cross_account, request_resources
from embedded_aws.iam import simulation as iam_types
from embedded_aws.lambda_ import functions
from embedded_aws.logs import metrics
from embedded_aws.logs import resource_types as logs_types
from embedded_aws.notifications import rules as notifications
from embedded_aws.stepfunctions import install as stepfunctions
from embedded_aws.stepfunctions import resource_types as stepfunctions_types

_SERVICES = (CODECONNECTIONS, CODESTAR, CODEARTIFACT, CODEBUILD, CODEPIPELINE)
_QUICK_TYPES = {**cloudwatch_types.TYPES, **ec2_types.TYPES, **notifications.TYPES}
# These call the endpoint or wait while they change, so they must not hold the event loop.
_SLOW_TYPES = {
    **stepfunctions_types.TYPES,
    **codeconnections_types.TYPES,
    **codeartifact_types.TYPES,
    **codebuild_types.TYPES,
    **codepipeline_types.TYPES,
}
_PARTS = (
    registration,
    cross_account,
    call_record,
    request_resources,
    iam_types,
    alarms,
    service_metrics,
    viewers,
    metrics,
    access_logs,
    apigateway_types,
    functions,
    private_apis,
    stepfunctions,
    logs_types,
    stepfunctions_types,
    vpc_peering,
    ec2_types,
    type_table,
    interruptions,
    service_role,
    stack_requests,
    targets,
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
