"""Pushes racing on one branch: the earlier finishes, the latest goes on, the others between give way."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from embedded_aws import instance
from pipelines.aws import tools_account
from pipelines.aws.accounts import Aws
from pipelines.promotion import branch_queue
from pipelines.promotion.branch_queue import Overtaken
from tests.integration.codesuite.conftest import Repository, Workshop, approve, stage
from tests.waiting import wait_until


@pytest.fixture
def tools(embedded: instance.Instance) -> Aws:
    return tools_account.connect(embedded.endpoint)


@pytest.fixture
def repository(workshop: Workshop) -> Repository:
    return workshop.repository()


@pytest.fixture
def pipeline(workshop: Workshop, repository: Repository) -> str:
    """A pipeline whose executions run side by side and wait for an answer."""
    checkout = workshop.source(repository) | {"name": "Checkout"}
    return workshop.create(stage("Source", checkout), stage("Approve", approve()), mode="PARALLEL")


def _push(workshop: Workshop, pipeline: str) -> str:
    """Start an execution, and wait until it has taken its commit."""
    execution = workshop.start(pipeline)
    workshop.approval(pipeline, execution)
    return execution


def test_a_push_alone_has_its_turn_at_once(workshop: Workshop, pipeline: str, tools: Aws) -> None:
    branch_queue.await_turn(tools, pipeline, _push(workshop, pipeline), "main")


def test_a_push_that_was_overtaken_gives_way(workshop: Workshop, pipeline: str, tools: Aws) -> None:
    earlier, later = _push(workshop, pipeline), _push(workshop, pipeline)
    with pytest.raises(Overtaken, match=later):
        branch_queue.await_turn(tools, pipeline, earlier, "main")


def test_a_push_waits_until_the_earlier_one_has_ended(workshop: Workshop, pipeline: str, tools: Aws) -> None:
    # Given two pushes to one branch
    earlier, later = _push(workshop, pipeline), _push(workshop, pipeline)
    waited_for: list[str] = []

    class Listener:
        def say(self, line: str) -> None:
            waited_for.append(line)

        passing = say

    with ThreadPoolExecutor() as pool:
        # When the later one waits for its turn
        turn = pool.submit(branch_queue.await_turn, tools, pipeline, later, "main", Listener())
        wait_until(lambda: any(earlier in line for line in waited_for), "waiting")
        assert not turn.done()
        # Then it has it as soon as the earlier one has ended
        workshop.answer(pipeline, workshop.approval(pipeline, earlier))
        workshop.succeeded(pipeline, earlier)
        turn.result(timeout=20)


def test_pushes_to_two_branches_wait_for_nobody(
    workshop: Workshop, repository: Repository, tools: Aws
) -> None:
    # Given a pipeline for every branch, and pushes to two of them, whose executions are under way together
    checkout = workshop.source(repository) | {"name": "Checkout"}
    git = {"sourceActionName": "Checkout", "push": [{"branches": {"includes": ["feature/*"]}}]}
    trigger = {"providerType": "CodeStarSourceConnection", "gitConfiguration": git}
    name = workshop.create(
        stage("Source", checkout), stage("Approve", approve()), mode="PARALLEL", triggers=[trigger]
    )
    pushed = {branch: repository.commit(branch=branch) for branch in ("feature/one", "feature/two")}
    wait_until(lambda: len(workshop.executions(name)) == len(pushed), "both pushes start it")
    found = {}
    for one in workshop.executions(name):
        execution = one["pipelineExecutionId"]
        workshop.approval(name, execution)
        source = workshop.actions(name, execution)["Checkout"]["output"]["outputVariables"]
        found[source["BranchName"]] = (execution, source["CommitId"])
    # Then each has its own commit, and each has its turn at once
    assert {branch: commit for branch, (_, commit) in found.items()} == pushed
    for branch, (execution, _) in found.items():
        branch_queue.await_turn(tools, name, execution, branch)


def test_who_pushed_what_is_told(
    workshop: Workshop, pipeline: str, repository: Repository, tools: Aws
) -> None:
    commit = repository.git("rev-parse", "HEAD").strip()
    push = branch_queue.push_of(tools, pipeline, _push(workshop, pipeline), "main")
    assert (push.branch, push.owner, push.commit) == ("main", "Ada", commit)
