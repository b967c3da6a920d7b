"""Outputs of stacks, always described; exports and imports by one naming rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from troposphere import Export, ImportValue, Output, Sub

if TYPE_CHECKING:
    from troposphere import AWSHelperFn, Template

NETWORK_STACK = "NetworkStack"
"""The parameter by which a payments stack names the network that it lives in."""


def add_output(template: Template, name: str, description: str, value: AWSHelperFn) -> None:
    """Add a described output."""
    template.add_output(Output(name, Description=description, Value=value))


def add_export(
    template: Template, name: str, description: str, value: AWSHelperFn, *, condition: str | None = None
) -> None:
    """Add a described output that other stacks import as `<stack name>-<name>`, maybe under a condition."""
    export = Export(Sub(f"${{AWS::StackName}}-{name}"))
    under = {} if condition is None else {"Condition": condition}
    template.add_output(Output(name, Description=description, Value=value, Export=export, **under))


def from_network(name: str) -> ImportValue:
    """Return what the network stack exports under this name."""
    return ImportValue(Sub(f"${{{NETWORK_STACK}}}-{name}"))
