"""Branch stacks: what is told of them, and which have expired."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.core import branch_names
from pipelines.core.refusals import Refused
from pipelines.promotion import branches
from pipelines.promotion.branches import BranchStack

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.aws.accounts import Aws

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def _stack(branch: str, days: float, tag: str | None = None) -> BranchStack:
    return BranchStack(
        stack=branch_names.stack_name(branch),
        branch=branch if tag is None else tag,
        owner="ada",
        commit="0123456789abcdef",
        pushed=NOW - timedelta(days=days),
        status="UPDATE_COMPLETE",
        last_smoke="SUCCEEDED 2026-11-20 10:00",
    )


def test_a_stack_expires_when_nobody_pushed_for_so_many_days() -> None:
    old, fresh = _stack("old", 7.1), _stack("fresh", 6.9)
    assert branches.expired([old, fresh], 7, NOW) == [old]


@pytest.mark.parametrize(
    ("branch", "tag", "nameable"),
    [("feature/one", None, True), ("feature/é", "feature/_", False), ("gone", "", False)],
)
def test_a_stack_is_only_named_by_a_tag_that_holds_the_whole_name(
    branch: str, tag: str | None, nameable: bool
) -> None:
    assert _stack(branch, 1, tag).nameable is nameable


def test_an_approver_sees_whose_stack_it_is() -> None:
    said = branches.removal_summary(_stack("feature/one", 9), NOW)
    for words in ("branch-feature-one-", "feature/one", "9 days ago, by ada", "Last smoke: SUCCEEDED"):
        assert words in said
    assert len(said) <= 1000


def test_what_an_approver_sees_fits_an_approval_whatever_the_tags_hold() -> None:
    # Given tags as long as AWS takes them
    longest = replace(_stack("feature/one", 9), branch="b" * 256, owner="o" * 256, commit="c" * 256)
    # Then every fact is there, and all of it fits CodePipeline's CustomData
    said = branches.removal_summary(longest, NOW)
    assert [line.partition(" ")[0] for line in said.splitlines()] == [
        *("Stack", "Branch:", "Last", "Commit:", "Last", "Its")
    ]
    assert len(said) <= 1000


def deployed(name: str, status: str = "UPDATE_COMPLETE", pushed: str = "", **tags: str) -> dict[str, Any]:
    kept = {"environment": "branch", **tags} | ({"pushed-at": pushed} if pushed else {})
    outputs = [{"OutputKey": "SmokeWorkflowArn", "OutputValue": f"arn:{name}"}] if tags.get("owner") else []
    return {
        "StackName": name,
        "StackStatus": status,
        "CreationTime": NOW,
        "Tags": [{"Key": key, "Value": value} for key, value in kept.items()],
    } | ({"Outputs": outputs} if outputs else {})


def test_branch_stacks_are_listed_the_longest_without_a_push_first(
    aws: Aws, answers: Callable[..., None]
) -> None:
    # Given two branches' stacks, one that is gone, another environment's, and one of another name
    older, newer = "2026-11-01T08:00:00+00:00", "2026-11-20T08:00:00+00:00"
    stacks = [
        deployed("branch-new-aaaaaaaaaa", pushed=newer, branch="new", owner="ada", commit="c0ffee"),
        deployed("branch-bare-bbbbbbbbbb"),
        deployed("branch-old-cccccccccc", pushed=older, branch="old"),
        deployed("branch-gone-dddddddddd", "DELETE_COMPLETE", pushed=older),
        deployed("branch-prod-eeeeeeeeee", pushed=older)
        | {"Tags": [{"Key": "environment", "Value": "prod"}]},
        deployed("payments-prod", pushed=older),
    ]
    answers("cloudformation", ("describe_stacks", {}, {"Stacks": stacks}), client=aws.cloudformation)
    run = {
        "executionArn": "arn:e",
        "stateMachineArn": "arn:m",
        "name": "e",
        "status": "SUCCEEDED",
        "startDate": NOW,
    }
    asked = {"stateMachineArn": "arn:branch-new-aaaaaaaaaa", "maxResults": 1}
    answers("stepfunctions", ("list_executions", asked, {"executions": [run]}), client=aws.stepfunctions)
    # When they are listed
    old, new, bare = branches.listed(aws)
    # Then what their tags say is there, and what no tag says is told as unknown
    assert [old.branch, new.branch, bare.branch] == ["old", "new", ""]
    assert (new.owner, new.commit, new.status) == ("ada", "c0ffee", "UPDATE_COMPLETE")
    assert new.last_smoke == "SUCCEEDED 2026-11-23 08:00"
    assert (old.last_smoke, old.owner, old.commit) == ("", "", "")
    assert (new.pushed, bare.pushed) == (datetime.fromisoformat(newer), NOW)


@pytest.mark.parametrize(("under_way", "refused"), [("feature/one", True), ("feature/two", False)])
def test_a_stack_s_removal_is_asked_for_once(
    aws: Aws, answers: Callable[..., None], under_way: str, refused: bool
) -> None:
    # Given a removal that is under way, and one that ended
    runs = [
        {"pipelineExecutionId": "now", "status": "InProgress"},
        {"pipelineExecutionId": "old", "status": "Succeeded"},
    ]
    variables = [{"name": "branch", "resolvedValue": under_way}]
    described = {
        "pipelineExecution": {"pipelineName": "remove", "pipelineExecutionId": "now", "variables": variables}
    }
    start = (
        "start_pipeline_execution",
        {"name": "remove", "variables": [{"name": "branch", "value": "feature/one"}]},
        {"pipelineExecutionId": "new"},
    )
    answers(
        "codepipeline",
        ("list_pipeline_executions", {"pipelineName": "remove"}, {"pipelineExecutionSummaries": runs}),
        ("get_pipeline_execution", {"pipelineName": "remove", "pipelineExecutionId": "now"}, described),
        *([] if refused else [start]),
    )
    # Then another stack's removal begins, and the same one's does not
    if refused:
        with pytest.raises(Refused, match="is under way: now"):
            branches.propose_removal(aws, "remove", "feature/one")
    else:
        assert branches.propose_removal(aws, "remove", "feature/one") == "new"


@pytest.mark.parametrize(
    ("variables", "owner", "commit"),
    [
        ({"AuthorDisplayName": "Ada", "AuthorId": "a1", "CommitId": "c0ffee"}, "Ada", "c0ffee"),
        ({"AuthorId": "a1"}, "a1", "unknown"),
        ({}, "unknown", "unknown"),
    ],
)
def test_who_pushed_is_read_from_the_source_action(
    aws: Aws, answers: Callable[..., None], variables: dict[str, str], owner: str, commit: str
) -> None:
    details = [
        {
            "stageName": "Build",
            "actionName": "Checkout",
            "output": {"outputVariables": {"CommitId": "other"}},
        },
        {"stageName": "Source", "actionName": "Checkout", "output": {"outputVariables": variables}},
    ]
    asked = {"pipelineName": "branches", "filter": {"pipelineExecutionId": "run"}}
    answers("codepipeline", ("list_action_executions", asked, {"actionExecutionDetails": details}))
    push = branches.push_of(aws, "branches", "run", "feature/one")
    assert (push.branch, push.owner, push.commit) == ("feature/one", owner, commit)
