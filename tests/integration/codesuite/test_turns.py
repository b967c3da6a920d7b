"""Pushes racing on one branch: the earlier finishes, the latest goes on, the others between give way."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from codepipeline_workbench import Repository, Workshop, approve, stage

from pipelines.aws.accounts import Aws
from pipelines.definitions import branch_turns
from pipelines.promotion import branches
from tests.waiting import wait_until


@pytest.fixture
def pipeline(workshop: Workshop, repository: Repository) -> str:
    """A pipeline whose executions run side by side and wait for an answer."""
    checkout = workshop.source(repository) | {"name": "Checkout"}
    return workshop.create(stage("Source", checkout), stage("Approve", approve()), mode="PARALLEL")


Turn = Callable[[str, str, str], str]
"""Starts to wait for the turn of an execution of a pipeline on a branch; returns what waits."""


@pytest.fixture
def turn(tools: Aws, workshop: Workshop) -> Turn:
    """The branch pipeline's state machine, in a role that may look at any pipeline."""
    allowed = ["codepipeline:ListPipelineExecutions", "codepipeline:ListActionExecutions"]
    role = workshop.role("turns", "states.amazonaws.com", allowed)
    definition = json.dumps(branch_turns.definition()).replace("${Partition}", "aws")
    machine = tools.stepfunctions.create_state_machine(
        name=f"turns-{uuid.uuid4().hex[:8]}", definition=definition, roleArn=role
    )["stateMachineArn"]

    def begin(pipeline: str, execution: str, branch: str) -> str:
        text = json.dumps({"pipeline": pipeline, "execution": execution, "branch": branch})
        return tools.stepfunctions.start_execution(stateMachineArn=machine, input=text)["executionArn"]

    return begin


def ended(tools: Aws, waiting: str) -> Any:
    """How a wait ended."""

    def look() -> Any:
        described = tools.stepfunctions.describe_execution(executionArn=waiting)
        return described if described["status"] != "RUNNING" else None

    return wait_until(look, "the wait ends", seconds=60)


def _push(workshop: Workshop, pipeline: str) -> str:
    """Start an execution, and wait until it has taken its commit."""
    execution = workshop.start(pipeline)
    workshop.approval(pipeline, execution)
    return execution


def test_a_push_alone_has_its_turn_at_once(workshop: Workshop, pipeline: str, tools: Aws, turn: Turn) -> None:
    waiting = turn(pipeline, _push(workshop, pipeline), "main")
    assert ended(tools, waiting)["status"] == "SUCCEEDED"


def test_a_push_that_was_overtaken_gives_way(
    workshop: Workshop, pipeline: str, tools: Aws, turn: Turn
) -> None:
    earlier, later = _push(workshop, pipeline), _push(workshop, pipeline)
    outcome = ended(tools, turn(pipeline, earlier, "main"))
    assert (outcome["status"], outcome["error"]) == ("FAILED", "Overtaken")
    assert later in outcome["cause"]


def test_a_push_waits_until_the_earlier_one_has_ended(
    workshop: Workshop, pipeline: str, tools: Aws, turn: Turn
) -> None:
    # Given two pushes to one branch
    earlier, later = _push(workshop, pipeline), _push(workshop, pipeline)
    # When the later one waits for its turn
    waiting = turn(pipeline, later, "main")

    def waits() -> bool:
        events = tools.stepfunctions.get_execution_history(executionArn=waiting)["events"]
        return any(event["type"] == "WaitStateEntered" for event in events)

    wait_until(waits, "it waits")
    # Then it has it as soon as the earlier one has ended
    workshop.answer(pipeline, workshop.approval(pipeline, earlier))
    workshop.succeeded(pipeline, earlier)
    assert ended(tools, waiting)["status"] == "SUCCEEDED"


def test_an_execution_that_is_over_has_no_turn(
    workshop: Workshop, pipeline: str, tools: Aws, turn: Turn
) -> None:
    execution = _push(workshop, pipeline)
    workshop.answer(pipeline, workshop.approval(pipeline, execution))
    workshop.succeeded(pipeline, execution)
    outcome = ended(tools, turn(pipeline, execution, "main"))
    assert (outcome["status"], outcome["error"]) == ("FAILED", "NotUnderWay")


def test_pushes_to_two_branches_wait_for_nobody(
    workshop: Workshop, repository: Repository, tools: Aws, turn: Turn
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
        assert ended(tools, turn(name, execution, branch))["status"] == "SUCCEEDED"


def test_who_pushed_what_is_told(
    workshop: Workshop, pipeline: str, repository: Repository, tools: Aws
) -> None:
    commit = repository.git("rev-parse", "HEAD").strip()
    push = branches.push_of(tools, pipeline, _push(workshop, pipeline), "main")
    assert (push.branch, push.owner, push.commit) == ("main", "Ada", commit)
