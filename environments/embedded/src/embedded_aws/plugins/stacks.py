"""The CloudFormation types that our stacks use and MiniStack lacks or gets wrong.

MiniStack keeps one table of types. An entry's functions are called with resolved properties, and a ValueError
of theirs fails the resource with its text. An update that returns another physical id is a replacement:
MiniStack deletes the predecessor once the update has succeeded, or keeps it where UpdateReplacePolicy says
Retain. A type that is in no table keeps MiniStack's refusal.
"""

from ministack.services.cloudformation import provisioners
from ministack.services.cloudformation import stacks as stack_engine

from embedded_aws.plugins import (
    access_logs,
    application_signals,
    stack_alarms,
    stack_boundaries,
    stack_internet,
    stack_network,
    stack_private_api,
    stack_security_groups,
    stack_workflows,
)

_TYPES = {
    **stack_network.TYPES,
    **stack_internet.TYPES,
    **stack_security_groups.TYPES,
    **stack_alarms.TYPES,
    **application_signals.TYPES,
    **stack_workflows.TYPES,
}
# These wait while they change, so they must not hold the event loop.
_WAITING = {"AWS::StepFunctions::StateMachineAlias"}


def install() -> None:
    """Add our types to MiniStack's table, and mend what its own types get wrong."""
    provisioners._RESOURCE_HANDLERS.update(_TYPES)
    stack_boundaries.mend(provisioners._RESOURCE_HANDLERS)
    stack_network.mend(provisioners._RESOURCE_HANDLERS)
    stack_private_api.mend(provisioners._RESOURCE_HANDLERS)
    access_logs.mend(provisioners._RESOURCE_HANDLERS)
    stack_workflows.mend(provisioners._RESOURCE_HANDLERS)
    stock = stack_engine._runs_on_worker_thread
    stack_engine._runs_on_worker_thread = lambda kind: kind in _WAITING or stock(kind)
