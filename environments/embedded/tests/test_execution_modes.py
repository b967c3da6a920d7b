"""Several executions of one pipeline: https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html."""

from codepipeline_workbench import Workshop, approve, stage
from embedded_workbench import wait_until


def _gated(workshop: Workshop, mode: str) -> str:
    repository = workshop.repository()
    return workshop.create(
        stage("Source", workshop.source(repository)), stage("Approve", approve()), mode=mode
    )


def _waits(workshop: Workshop, name: str, identifier: str) -> None:
    wait_until(
        lambda: (
            identifier
            in [
                each["pipelineExecutionId"]
                for each in workshop.stage(name, "Approve").get("inboundExecutions", [])
            ]
        ),
        "the execution waits",
    )


def test_in_superseded_mode_the_newest_overtakes_those_that_wait(workshop: Workshop) -> None:
    # Given one execution in the stage and two that wait for it
    name = _gated(workshop, "SUPERSEDED")
    first = workshop.start(name)
    token = workshop.approval(name, first)
    second = workshop.start(name)
    _waits(workshop, name, second)
    third = workshop.start(name)
    # When
    superseded = workshop.finished(name, second)
    workshop.answer(name, token)
    # Then
    assert superseded["status"] == "Superseded"
    workshop.succeeded(name, first)
    workshop.answer(name, workshop.approval(name, third))
    workshop.succeeded(name, third)


def test_in_queued_mode_executions_go_one_by_one_in_their_order(workshop: Workshop) -> None:
    # Given
    name = _gated(workshop, "QUEUED")
    first = workshop.start(name)
    token = workshop.approval(name, first)
    others = [workshop.start(name), workshop.start(name)]
    for other in others:
        _waits(workshop, name, other)
    # When
    workshop.answer(name, token)
    # Then
    workshop.answer(name, workshop.approval(name, others[0]))
    workshop.answer(name, workshop.approval(name, others[1]))
    ends = [workshop.succeeded(name, other) for other in (first, *others)]
    assert [end["executionMode"] for end in ends] == ["QUEUED"] * 3


def test_in_parallel_mode_executions_do_not_wait_for_each_other(workshop: Workshop) -> None:
    # Given
    name = _gated(workshop, "PARALLEL")
    both = [workshop.start(name), workshop.start(name)]
    # When both wait for their approval at the same time
    tokens = [workshop.approval(name, each) for each in both]
    state = workshop.stage(name, "Approve")["actionStates"][0]["latestExecution"]
    # Then the tokens are the external execution ids of list-action-executions, not in the pipeline's state
    # (https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PutApprovalResult.html)
    assert "token" not in state
    workshop.answer(name, tokens[1])
    workshop.succeeded(name, both[1])
    assert workshop.execution(name, both[0])["status"] == "InProgress"
    workshop.answer(name, tokens[0], status="Rejected", summary="not today")
    assert workshop.finished(name, both[0])["status"] == "Failed"
