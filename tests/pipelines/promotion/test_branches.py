"""Branch stacks: what is told of them, and which have expired."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pipelines.core import branch_names
from pipelines.promotion import branches
from pipelines.promotion.branches import BranchStack

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
