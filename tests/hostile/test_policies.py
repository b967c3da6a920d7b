"""A hostile branch against the policies of the pipelines stack: each row is refused, each mutant found."""

from __future__ import annotations

import json
from typing import Any

import pytest

from environments import tools
from pipelines.definitions import pipelines_stack
from tests.hostile import policies, threat_model
from tests.hostile.attempts import ATTEMPTS, CONTAINED, Attempt, Contained
from tests.hostile.mutants import MUTANTS, SHARING, mutated

Json = dict[str, Any]


@pytest.fixture(scope="module")
def template() -> Json:
    built: Json = pipelines_stack.build(tools.load(), ()).to_dict()
    return built


@pytest.fixture(scope="module")
def stack(template: Json) -> policies.Stack:
    return policies.filled_in(template)


def allowed(stack: policies.Stack) -> list[tuple[str, str]]:
    """The attempts that some role of a branch's builds may make, with the role."""
    return [
        (role, attempt.name)
        for role in policies.BRANCH_ROLES
        for attempt in ATTEMPTS
        if policies.allows(stack, role, attempt)
    ]


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt.name)
def test_no_role_of_a_branchs_build_may_make_an_attempt(stack: policies.Stack, attempt: Attempt) -> None:
    assert [role for role in policies.BRANCH_ROLES if policies.allows(stack, role, attempt)] == []


@pytest.mark.parametrize("protection", MUTANTS)
def test_giving_a_protection_back_is_noticed(template: Json, protection: str) -> None:
    assert allowed(policies.filled_in(mutated(template, protection)))


def test_the_zones_share_no_project_store_cache_or_log(stack: policies.Stack) -> None:
    assert policies.shared(stack) == []


@pytest.mark.parametrize("what", SHARING)
def test_sharing_it_again_is_noticed(template: Json, what: str) -> None:
    assert policies.shared(policies.filled_in(mutated(template, what)))


def test_a_branchs_builds_may_do_what_they_are_for(stack: policies.Stack) -> None:
    # Given what the three builds do in their own zone, so that the judge does not refuse everything
    own = [
        ("BranchBuildRole", "s3:PutObject", "arn:aws:s3:::branchartifacts/branch/Built/1"),
        ("BranchBuildRole", "s3:PutObject", "arn:aws:s3:::branchartifacts/cache/BranchBuild/1"),
        ("NameRole", "s3:PutObject", "arn:aws:s3:::branchpackages/lambdas/x/1.zip"),
        ("PreviewRole", "s3:PutObject", "arn:aws:s3:::previewsbucket/branches/branch-x/index.html"),
    ]
    for role, action, resource in own:
        attempt = Attempt("own", "", "", "", "s3", "put_object", {}, action, resource)
        assert policies.allows(stack, role, attempt), (role, resource)


def test_publish_may_write_its_store_and_sign(stack: policies.Stack) -> None:
    for name in ("overwrite-package", "sign-provenance"):
        (attempt,) = (attempt for attempt in ATTEMPTS if attempt.name == name)
        assert policies.allows(stack, "PublishRole", attempt), name
        assert not policies.allows(stack, "VerifyRole", attempt), name


def test_the_page_of_the_threat_model_is_what_the_rows_and_the_last_run_say() -> None:
    outcomes = json.loads(threat_model.OUTCOMES.read_text())
    assert set(outcomes) == {attempt.name for attempt in ATTEMPTS}
    assert {entry["outcome"] for entry in outcomes.values()} == {"refused"}
    assert {tuple(entry["builds"]) for entry in outcomes.values()} == {("build", "name", "preview")}
    assert threat_model.PAGE.read_text() == threat_model.page(), "python -m tests.hostile.threat_model"


def test_every_row_says_what_refuses_it_and_who_would_notice() -> None:
    rows: list[Attempt | Contained] = [*ATTEMPTS, *CONTAINED]
    assert len({row.name for row in rows}) == len(rows)
    assert all(row.tried and row.refused_by and row.noticed for row in rows)
