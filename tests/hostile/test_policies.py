"""A hostile branch against the policies of the pipelines stack: each row is refused, each mutant found."""

from __future__ import annotations

import json
from typing import Any

import pytest

from environments import tools
from pipelines.definitions import pipelines_stack
from tests.hostile import policies, threat_model
from tests.hostile.attempt import Attempt, Contained
from tests.hostile.attempts import ATTEMPTS, CONTAINED
from tests.hostile.mutants import MUTANTS, SHARING, mutated

Json = dict[str, Any]


@pytest.fixture(scope="module")
def template() -> Json:
    built: Json = pipelines_stack.build(tools.load(), ()).to_dict()
    return built


@pytest.fixture(scope="module")
def stack(template: Json) -> policies.Stack:
    return policies.filled_in(template)


def anything_allowed(stack: policies.Stack) -> bool:
    """Whether some role of a branch's builds may make some attempt."""
    return any(
        policies.allows(stack, role, attempt) for attempt in ATTEMPTS for role in policies.BRANCH_ROLES
    )


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt.name)
def test_no_role_of_a_branchs_build_may_make_an_attempt(stack: policies.Stack, attempt: Attempt) -> None:
    assert [role for role in policies.BRANCH_ROLES if policies.allows(stack, role, attempt)] == []


@pytest.mark.parametrize("protection", MUTANTS)
def test_giving_a_protection_back_is_noticed(template: Json, protection: str) -> None:
    assert anything_allowed(policies.filled_in(mutated(template, protection)))


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt.name)
def test_a_row_notices_when_its_permission_is_given_back(stack: policies.Stack, attempt: Attempt) -> None:
    given = policies.giving_back(stack, "NameRole", attempt)
    assert policies.allows(given, "NameRole", attempt)


def test_every_role_that_there_is_has_a_row(stack: policies.Stack) -> None:
    # Given each role of the pipelines stack, and of the bootstrap stacks that it is told of
    own = {policies.role_word(role) for role in policies.BRANCH_ROLES}
    roles = {word for word in stack.names if word.endswith("_role")} - own
    # Then somebody tries to act as it, but for the one that Name looks at the branch's own stack as
    tried = {a.arguments["RoleArn"].strip("{}") for a in ATTEMPTS if a.method == "assume_role"}
    assert roles - tried == {"branch_inspection_role"}
    assert tried <= roles


def test_the_zones_share_no_project_store_cache_or_log(stack: policies.Stack) -> None:
    assert policies.shared(stack) == []


@pytest.mark.parametrize("what", SHARING)
def test_sharing_it_again_is_noticed(template: Json, what: str) -> None:
    assert policies.shared(policies.filled_in(mutated(template, what)))


def test_a_branchs_builds_may_do_what_they_are_for(stack: policies.Stack) -> None:
    # Given what the builds do in their own zone, so that the judge does not refuse everything
    own = [
        ("BranchBuildRole", "s3:PutObject", "arn:aws:s3:::branchartifacts/branch/Built/1"),
        ("BranchBuildRole", "s3:PutObject", "arn:aws:s3:::branchartifacts/cache/BranchBuild/1"),
        ("BranchMoneyPathRole", "s3:PutObject", "arn:aws:s3:::branchartifacts/cache/BranchMoneyPath/1"),
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
    assert {tuple(sorted(entry)) for entry in outcomes.values()} == {threat_model.MODES}
    made = [attempt for entry in outcomes.values() for attempt in entry.values()]
    assert {attempt["outcome"] for attempt in made} == {"refused"}
    assert {tuple(attempt["builds"]) for attempt in made} == {("build", "money-path", "name", "preview")}
    assert threat_model.ROWS.read_text() == threat_model.text(), "python -m tests.hostile.threat_model"


def test_every_row_says_what_refuses_it_and_who_would_notice() -> None:
    rows: list[Attempt | Contained] = [*ATTEMPTS, *CONTAINED]
    assert len({row.name for row in rows}) == len(rows)
    assert all(row.tried and row.refused_by and row.noticed for row in rows)
