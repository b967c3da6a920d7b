"""Which permissions are dead, and which calls were refused."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from tests.least_privilege.audit import schemas
from tests.least_privilege.audit.of_pipelines import OF_PIPELINES
from tests.least_privilege.audit.of_stacks import OF_STACKS
from tests.least_privilege.audit.unexercised_resources import UNREACHED, Unreached

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from embedded_aws.iam_call_log import Call
    from tests.least_privilege.audit.aws_only_permissions import Unseen
    from tests.least_privilege.audit.grants import Grant


@dataclass(frozen=True, slots=True, order=True)
class Dead:
    """Something that a role may do and that nothing needs.

    Attributes:
        role: The role's logical id.
        sid: The statement.
        what: An action, or a resource of the statement.
    """

    role: str
    sid: str
    what: str


def dead(
    grants: Iterable[Grant], calls: Sequence[Call], unreached: Sequence[Unreached] = UNREACHED
) -> list[Dead]:
    """What could be taken away and no recorded call would fail, sorted.

    An action of a statement is needed when a call that it allowed was allowed by that statement alone; a
    resource of it when it was one that such a call matched, or is known to be reached by no rehearsal.
    """
    found = (one for grant in grants for one in _dead(grant, calls))
    return sorted(
        one for one in found if not any(fnmatchcase(one.what, entry.pattern) for entry in unreached)
    )


def refused(grants: Iterable[Grant], calls: Iterable[Call]) -> list[Call]:
    """The calls of these roles that IAM refused."""
    roles = {(grant.account, grant.role) for grant in grants}
    return [call for call in calls if not call.allowed and (call.account, call.role) in roles]


def unseen(grant: Grant) -> set[str]:
    """What a statement is used for on AWS alone; CloudFormation's calls are those that its schemas name."""
    if grant.service == "cloudformation":
        return set(schemas.needed_by_ours())
    return {
        action
        for entry in (*OF_STACKS, *OF_PIPELINES)
        if (entry.service, entry.sid) == (grant.service, grant.sid)
        for action in entry.actions
    }


def wrong(entries: Iterable[Unseen], grants: Sequence[Grant], calls: Iterable[Call]) -> list[str]:
    """Entries that grant nothing, or that a call proves: what is to be taken out of the tables."""
    may = {(one.service, one.sid, action) for one in grants for action in one.actions}
    services = {(one.account, one.role): one.service for one in grants}
    seen = {
        (services.get((call.account, call.role)), sid, call.action)
        for call in calls
        if call.allowed
        for sid in call.statements
    }
    listed = [(entry.service, entry.sid, action) for entry in entries for action in entry.actions]
    return [
        *(f"{' '.join(one)}: no role may do it" for one in listed if one not in may),
        *(f"{' '.join(one)}: a call proves it" for one in listed if one in seen),
    ]


def _dead(grant: Grant, calls: Sequence[Call]) -> Iterator[Dead]:
    silent = unseen(grant)
    rested = [
        call
        for call in calls
        if (call.account, call.role) == (grant.account, grant.role)
        and call.allowed
        and call.statements == (grant.sid,)
    ]
    done = {call.action for call in rested}
    for action in grant.actions:
        if action not in done | silent:
            yield Dead(grant.title, grant.sid, action)
    reached = {pattern for call in rested for pattern in call.patterns}
    if not set(grant.actions) <= silent:
        for resource in grant.resources:
            if resource not in reached:
                yield Dead(grant.title, grant.sid, resource)
