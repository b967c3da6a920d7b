"""Which permissions are unused, and which calls were refused."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from tests.least_privilege.audit import schemas
from tests.least_privilege.audit.of_pipelines import OF_PIPELINES
from tests.least_privilege.audit.of_stacks import OF_STACKS
from tests.least_privilege.audit.unexercised_resources import UNEXERCISED, UnexercisedResource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from embedded_aws.iam.call_log import Call
    from tests.least_privilege.audit.aws_only_permissions import AwsOnlyPermission
    from tests.least_privilege.audit.grants import Grant


@dataclass(frozen=True, slots=True, order=True)
class UnusedPermission:
    """Something that a role may do and that nothing needs.

    Attributes:
        role: The role's logical id.
        sid: The statement.
        what: An action, or a resource of the statement.
    """

    role: str
    sid: str
    what: str


def unused_permissions(
    grants: Iterable[Grant], calls: Sequence[Call], unexercised: Sequence[UnexercisedResource] = UNEXERCISED
) -> list[UnusedPermission]:
    """Return what could be taken away without failing a recorded call, sorted.

    An action of a statement is needed when a call that it allowed was allowed by that statement alone; a
    resource of it when it was one that such a call matched, or is known to be reached by no rehearsal.
    """
    unused = (permission for grant in grants for permission in _unused(grant, calls))
    return sorted(
        permission
        for permission in unused
        if not any(fnmatchcase(permission.what, entry.pattern) for entry in unexercised)
    )


def refused_calls(grants: Iterable[Grant], calls: Iterable[Call]) -> list[Call]:
    """Return the calls of these roles that IAM refused."""
    roles = {(grant.account, grant.role) for grant in grants}
    return [call for call in calls if not call.allowed and (call.account, call.role) in roles]


def needed_on_aws_alone(grant: Grant) -> set[str]:
    """Return what a statement is used for on AWS alone; for CloudFormation, what its schemas name."""
    if grant.service == "cloudformation":
        return set(schemas.needed_by_ours())
    return {
        action
        for entry in (*OF_STACKS, *OF_PIPELINES)
        if (entry.service, entry.sid) == (grant.service, grant.sid)
        for action in entry.actions
    }


def wrong_exceptions(
    entries: Iterable[AwsOnlyPermission], grants: Sequence[Grant], calls: Iterable[Call]
) -> list[str]:
    """Return entries that grant nothing, or that a call proves: what is to be taken out of the tables."""
    may = {(grant.service, grant.sid, action) for grant in grants for action in grant.actions}
    services = {(grant.account, grant.role): grant.service for grant in grants}
    seen = {
        (services.get((call.account, call.role)), sid, call.action)
        for call in calls
        if call.allowed
        for sid in call.statements
    }
    listed = [(entry.service, entry.sid, action) for entry in entries for action in entry.actions]
    return [
        *(f"{' '.join(entry)}: no role may do it" for entry in listed if entry not in may),
        *(f"{' '.join(entry)}: a call proves it" for entry in listed if entry in seen),
    ]


def _unused(grant: Grant, calls: Sequence[Call]) -> Iterator[UnusedPermission]:
    excepted = needed_on_aws_alone(grant)
    decisive = [
        call
        for call in calls
        if (call.account, call.role) == (grant.account, grant.role)
        and call.allowed
        and call.statements == (grant.sid,)
    ]
    done = {call.action for call in decisive}
    for action in grant.actions:
        if action not in done | excepted:
            yield UnusedPermission(grant.title, grant.sid, action)
    reached = {pattern for call in decisive for pattern in call.patterns}
    if not set(grant.actions) <= excepted:
        for resource in grant.resources:
            if resource not in reached:
                yield UnusedPermission(grant.title, grant.sid, resource)
