"""Puts everything of ours into MiniStack, in the order in which the parts build on each other.

Import this only after `settings.apply`: MiniStack reads its settings when imported.
"""

from embedded_aws.apigateway import install as apigateway
from embedded_aws.cloudformation import install as cloudformation
from embedded_aws.cloudfront import viewers
from embedded_aws.cloudwatch import install as cloudwatch
from embedded_aws.codeartifact import install as codeartifact
from embedded_aws.codebuild import install as codebuild
from embedded_aws.codeconnections import install as codeconnections
from embedded_aws.codepipeline import install as codepipeline
from embedded_aws.core import not_emulated, runtime
from embedded_aws.ec2 import resource_types as ec2
from embedded_aws.ec2 import vpc_peering
from embedded_aws.eventbridge import targets
from embedded_aws.iam import install as iam
from embedded_aws.lambda_ import functions
from embedded_aws.logs import install as logs
from embedded_aws.notifications import rules as notifications
from embedded_aws.stepfunctions import install as stepfunctions

_PARTS = (
    not_emulated,
    iam,
    cloudwatch,
    viewers,
    logs,
    functions,
    apigateway,
    stepfunctions,
    vpc_peering,
    ec2,
    cloudformation,
    targets,
    codeconnections,
    codeartifact,
    notifications,
    codebuild,
    codepipeline,
)


def install_all() -> None:
    """Open this instance's records and install every part."""
    runtime.open_runtime()
    for part in _PARTS:
        part.install()
