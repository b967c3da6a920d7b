"""Puts our part of CloudWatch into MiniStack."""

from embedded_aws.cloudwatch import alarms, resource_types, service_metrics
from embedded_aws.core import type_table


def install() -> None:
    """Install the evaluation of alarms, the services' own metrics, and CloudFormation types."""
    for part in (alarms, service_metrics):
        part.install()
    type_table.add(resource_types.TYPES)
