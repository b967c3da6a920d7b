"""Registers the service under both of its names, and its CloudFormation types."""

from embedded_aws.codeconnections import resource_types
from embedded_aws.codeconnections.service import CODECONNECTIONS, CODESTAR
from embedded_aws.core import registration, type_table


def install() -> None:
    """Register the services with MiniStack."""
    registration.register(CODECONNECTIONS, CODESTAR)
    type_table.add(resource_types.TYPES, on_threads=True)
