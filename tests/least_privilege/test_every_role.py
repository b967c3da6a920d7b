"""No permission of any role is dead and none is missing: what a whole promotion did, and what roles may.

`make permissions` runs it; it takes minutes, as a promotion does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from environments.embedded import calls
from pipelines.least_privilege import judging, unseen
from tests.least_privilege import promoting

if TYPE_CHECKING:
    from environments.embedded.calls import Call
    from environments.embedded.instance import Instance
    from pipelines.least_privilege.grants import Grant


@pytest.fixture(scope="module")
def granted(embedded: Instance) -> list[Grant]:
    """What every role of every stack may do, after all of them did their work."""
    return promoting.everything(embedded)


@pytest.fixture(scope="module")
def done(granted: list[Grant], embedded: Instance) -> list[Call]:
    """What they did."""
    return calls.read(embedded.root)


def of_pipelines(granted: list[Grant]) -> list[Grant]:
    """The roles of pipelines and of bootstrap stacks; those of payments stacks need orders that fail, too.

    `tests/rehearsal/test_permissions.py` judges the latter.
    """
    return [grant for grant in granted if grant.service in {"account", *PIPELINE_SERVICES}]


PIPELINE_SERVICES = {"codebuild", "codepipeline", "scheduler", "cloudformation"}


def test_no_permission_is_dead(granted: list[Grant], done: list[Call]) -> None:
    assert judging.dead(of_pipelines(granted), done) == []


def test_no_call_of_any_role_was_refused(granted: list[Grant], done: list[Call]) -> None:
    assert judging.refused(granted, done) == []


def test_every_role_was_at_work(granted: list[Grant], done: list[Call]) -> None:
    worked = {(call.account, call.role) for call in done if call.allowed}
    idle = {grant.title for grant in of_pipelines(granted) if (grant.account, grant.role) not in worked}
    assert idle == set()


def test_the_table_of_what_aws_alone_asks_holds_nothing_else(granted: list[Grant], done: list[Call]) -> None:
    services = {(grant.account, grant.role): grant.service for grant in granted}
    seen = {(services.get((call.account, call.role)), call.action) for call in done if call.allowed}
    may = {(grant.service, action) for grant in granted for action in grant.actions}
    for entry in unseen.OF_PIPELINES:
        for action in entry.actions:
            assert (entry.service, action) in may, "no role may do it"
            assert (entry.service, action) not in seen - CACHED, "a promotion proves it"


CACHED = {("codebuild", "s3:ListBucket")}
"""Of the docs' bucket, which has a statement of its own."""
