"""No permission of any role is dead and none is missing: what a whole promotion did, and what roles may.

`make permissions` runs it; it takes minutes, as a promotion does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.least_privilege.audit import audit
from tests.least_privilege.audit.of_pipelines import OF_PIPELINES

if TYPE_CHECKING:
    from embedded_aws.iam.call_log import Call
    from tests.least_privilege.audit.grants import Grant


def of_pipelines(granted: list[Grant]) -> list[Grant]:
    """The roles of pipelines and of bootstrap stacks; those of payments stacks need orders that fail, too.

    `tests/rehearsal/test_permissions.py` judges the latter.
    """
    services = {"account", *PIPELINE_SERVICES}
    return [grant for grant in granted if grant.service in services or grant.title in STATE_MACHINES]


PIPELINE_SERVICES = {"codebuild", "codepipeline", "scheduler", "cloudformation"}
STATE_MACHINES = {"BranchTurnsRole", "ReleaseTurnsRole"}


def test_no_permission_is_dead(granted: list[Grant], done: list[Call]) -> None:
    unused = audit.unused_permissions(of_pipelines(granted), done)
    assert not unused, "\n".join(map(str, unused))


def test_no_call_of_any_role_was_refused(granted: list[Grant], done: list[Call]) -> None:
    assert audit.refused_calls(granted, done) == []


def test_every_role_was_at_work(granted: list[Grant], done: list[Call]) -> None:
    worked = {(call.account, call.role) for call in done if call.allowed}
    idle = {grant.title for grant in of_pipelines(granted) if (grant.account, grant.role) not in worked}
    assert idle == set()


def test_the_table_of_what_aws_alone_asks_holds_nothing_else(granted: list[Grant], done: list[Call]) -> None:
    assert audit.wrong_exceptions(OF_PIPELINES, granted, done) == []
