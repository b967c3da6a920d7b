"""A commit promoted from a branch to production and its branch removed again, for what roles do meanwhile."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from environments import schema
from environments.embedded.codesuite import configure
from pipelines import (
    aftermath,
    branch_names,
    pipeline_control,
    pipeline_deployment,
    promotion,
    rehearsed,
    scratch_repository,
    tools_account,
)
from pipelines.aws import Aws
from pipelines.definitions import tools as tools_file
from pipelines.definitions.removal_pipelines import VARIABLE
from pipelines.least_privilege import grants
from pipelines.payment_stack import default_stack
from pipelines.synth import PROMOTED
from pipelines.tools_account import DOCS_STACK, PIPELINES_STACK

if TYPE_CHECKING:
    from environments.embedded.instance import Instance
    from pipelines.least_privilege.grants import Grant

BRANCH: Final = "feature/permissions"
_MINUTE_SECONDS: Final = 20
_LONGEST_SECONDS: Final = 1800
_UNDER_WAY: Final = {"InProgress", "Stopping"}
# The roles do the same whatever a build tests.
_FEW_TESTS: Final = {"PYTEST_ADDOPTS": "tests/pipelines/branch_names"}
_moment = threading.Event()


def everything(here: Instance) -> list[Grant]:
    """Promote a commit, remove its branch, look for expired ones; return what every role may do.

    The roles are read before the branch's stack goes, which takes its own along.
    """
    settings = tools_file.load()
    tools = tools_account.connect(here.endpoint, settings)
    targets = {name: Aws(schema.load(name), here.endpoint, here.mongodb_uri) for name in PROMOTED}
    configure.minutes_take(here.root, _MINUTE_SECONDS)
    told = rehearsed.variables(targets) | _FEW_TESTS
    pipeline_deployment.deploy(tools, targets, settings, variables=told)
    for which in pipeline_control.OUTPUTS:
        promotion.stop_what_began(tools, pipeline_control.name_of(tools, which))
    repository = scratch_repository.make(here.root / "repository", settings.release_branch)
    configure.register_repository(here.root, settings.repository, repository.folder)
    pushed = repository.commit(BRANCH, "Try something", {"permissions.txt": "Tried\n"})
    _pushed(tools, "branch", pushed)
    _pushed(tools, "release", repository.merge(BRANCH, settings.release_branch))
    found = _of_every_stack(tools, targets, settings.bootstrap_stack)
    _started(tools, "expire")
    _started(tools, "remove-branch", BRANCH)
    return found


def _of_every_stack(tools: Aws, targets: dict[str, Aws], bootstrap: str) -> list[Grant]:
    found = [grant for stack in (PIPELINES_STACK, DOCS_STACK) for grant in grants.of_stack(tools, stack)]
    for name, there in targets.items():
        branch = name == "branch"
        payments = branch_names.stack_name(BRANCH) if branch else default_stack(there.environment)
        for stack in (bootstrap, there.environment.network_stack, payments):
            found += grants.of_stack(there, stack)
    return found


def _pushed(tools: Aws, which: str, commit: str) -> None:
    name = pipeline_control.name_of(tools, which)
    _ended(tools, name, promotion.started_by(tools, name, commit))


def _started(tools: Aws, which: str, branch: str | None = None) -> None:
    name = pipeline_control.name_of(tools, which)
    which_branch = {} if branch is None else {"variables": [{"name": VARIABLE, "value": branch}]}
    started = tools.client("codepipeline").start_pipeline_execution(name=name, **which_branch)
    _ended(tools, name, started["pipelineExecutionId"])


def _ended(tools: Aws, pipeline: str, execution: str) -> None:
    """Say yes to whatever it asks until it ends."""
    client, deadline = tools.client("codepipeline"), time.monotonic() + _LONGEST_SECONDS
    which = {"pipelineName": pipeline, "pipelineExecutionId": execution}
    while time.monotonic() < deadline:
        for question in pipeline_control.questions(tools, pipeline):
            if question.execution == execution:
                pipeline_control.answer(tools, pipeline, question, yes=True, summary="for its permissions")
        found = client.get_pipeline_execution(**which)["pipelineExecution"]
        if found["status"] not in _UNDER_WAY:
            if found["status"] != "Succeeded":
                after = aftermath.of(tools, pipeline, execution)
                raise AssertionError("\n".join([*(after.log.end if after.log else ()), *after.told()]))
            return
        _moment.wait(0.5)
    raise AssertionError(f"{pipeline} did not end")
