"""Pushes that start pipelines: https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-triggers.html."""

import json
from typing import Any

import pytest
from codepipeline_workbench import Json, Repository, Workshop, commands, stage
from embedded_workbench import wait_until

pytestmark = pytest.mark.long


def _watching(workshop: Workshop, repository: Repository, *push: Json, **source: Any) -> str:
    """A pipeline with push filters, or with the default change detection when there are none."""
    git = {"sourceActionName": "Commit", "push": list(push)}
    trigger = {"providerType": "CodeStarSourceConnection", "gitConfiguration": git}
    more: Json = {"triggers": [trigger]} if push else {}
    given = workshop.source(repository, configuration=source)
    return workshop.create(stage("Source", given), stage("Run", commands("true")), mode="PARALLEL", **more)


def _started(workshop: Workshop, name: str) -> list[Json]:
    found = workshop.executions(name)
    return [each for each in found if each["trigger"]["triggerType"] == "WebhookV2"]


def _source(workshop: Workshop, name: str) -> Json:
    execution = wait_until(lambda: _started(workshop, name), "the push starts the pipeline")[0]
    workshop.succeeded(name, execution["pipelineExecutionId"])
    found: Json = workshop.actions(name, execution["pipelineExecutionId"])["Commit"]["output"][
        "outputVariables"
    ]
    return found


def test_a_push_starts_the_pipelines_whose_globs_match_with_its_own_commit(workshop: Workshop) -> None:
    # Given
    repository = workshop.repository()
    branches = _watching(
        workshop, repository, {"branches": {"includes": ["**"], "excludes": ["main", "wip/*"]}}
    )
    only_main = _watching(workshop, repository, {"branches": {"includes": ["main"]}})
    docs = _watching(workshop, repository, {"filePaths": {"includes": ["docs/**"]}})
    tags = _watching(workshop, repository, {"tags": {"includes": ["v*"]}})
    # When
    ignored = repository.commit(branch="wip/idea", code="1")
    commit = repository.commit(branch="feature/cart", code="2")
    # Then
    source = _source(workshop, branches)
    assert (source["BranchName"], source["CommitId"]) == ("feature/cart", commit)
    assert ignored not in [e["sourceRevisions"][0]["revisionId"] for e in _started(workshop, branches)]
    assert [_started(workshop, name) for name in (only_main, docs, tags)] == [[], [], []]
    # And when the others are pushed
    repository.git("tag", "v1")
    changed = repository.commit(branch="main", docs__index="3")
    assert _source(workshop, tags)["CommitId"] == commit
    assert [_source(workshop, name)["CommitId"] for name in (only_main, docs)] == [changed, changed]


def test_what_a_repository_held_when_it_was_registered_starts_nothing(workshop: Workshop) -> None:
    # Given a pipeline for every branch of a repository that is not registered yet and has two
    repository = workshop.unregistered_repository()
    repository.commit(branch="old", code="1")
    name = _watching(workshop, repository, {"branches": {"includes": ["**"]}})
    # When it is registered and then pushed to
    workshop.register(repository)
    commit = repository.commit(branch="new", code="2")
    # Then the push alone starts the pipeline
    assert _source(workshop, name)["CommitId"] == commit
    pushed = [json.loads(each["trigger"]["triggerDetail"])["branch"] for each in _started(workshop, name)]
    assert pushed == ["new"]


def test_without_triggers_the_configured_branch_is_watched_unless_told_not_to(workshop: Workshop) -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodestarConnectionSource.html
    # Given
    repository = workshop.repository()
    watching = _watching(workshop, repository, DetectChanges="true")
    deaf = _watching(workshop, repository, DetectChanges="false")
    # When
    commit = repository.commit(code="1")
    # Then
    assert _source(workshop, watching)["CommitId"] == commit
    assert _started(workshop, deaf) == []


def test_a_push_from_a_worktree_of_git_s_is_noticed(workshop: Workshop) -> None:
    # Given a repository that is registered by a worktree, which keeps its references elsewhere
    main = workshop.unregistered_repository()
    repository = Repository(f"{main.name}-tree", main.folder.with_name(f"{main.folder.name}-tree"))
    main.git("worktree", "add", "-q", "-b", "side", str(repository.folder))
    workshop.register(repository)
    name = _watching(workshop, repository, BranchName="side", DetectChanges="true")
    # When somebody commits in it; Then the commit starts the pipeline
    commit = repository.commit(branch="side", code="1")
    assert _source(workshop, name)["CommitId"] == commit


def test_a_new_pipeline_starts_by_itself(workshop: Workshop) -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create.html
    repository = workshop.repository()
    name = workshop.create(
        stage("Source", workshop.source(repository)), stage("Run", commands("true")), start=True
    )
    execution = workshop.executions(name)[0]
    assert execution["trigger"]["triggerType"] == "CreatePipeline"
    workshop.succeeded(name, execution["pipelineExecutionId"])


def test_a_repository_that_is_not_registered_fails_visibly(workshop: Workshop) -> None:
    # Given
    repository = workshop.repository()
    unknown = Repository("nobody/nothing", repository.folder)
    name = workshop.create(stage("Source", workshop.source(unknown)), stage("Run", commands("true")))
    # When
    execution = workshop.start(name)
    # Then
    assert workshop.finished(name, execution)["status"] == "Failed"
    assert "No local git repository is registered for nobody/nothing" in workshop.error(
        name, execution, "Commit"
    )
