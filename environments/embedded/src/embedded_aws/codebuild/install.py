"""Registers the service and its CloudFormation types."""

from embedded_aws.codebuild import resource_types
from embedded_aws.codebuild.service import SERVICE
from embedded_aws.core import registration, type_table


def install() -> None:
    """Register the service with MiniStack."""
    registration.register(SERVICE)
    type_table.add(resource_types.TYPES, on_threads=True)
