"""Puts our part of CloudFormation into MiniStack."""

from embedded_aws.cloudformation import interruptions, service_role
from embedded_aws.core import type_table


def install() -> None:
    """Install the table of types, the end of interrupted stacks, and service roles."""
    for part in (type_table, interruptions, service_role):
        part.install()
