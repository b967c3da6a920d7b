"""The commits of a release are those since production last took one, read from the pipeline's executions."""

from __future__ import annotations

import json
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from pipelines.evidence import commits
from tests.sample_evidence import AT


class Tools:
    """A tools account whose release pipeline had these executions."""

    def __init__(self, *executions: dict[str, Any], released: tuple[str, ...] = ()) -> None:
        self._executions, self._released = executions, released

    def client(self, service: str) -> Any:
        assert service == "codepipeline"
        return SimpleNamespace(get_paginator=lambda _: SimpleNamespace(paginate=self._pages))

    def _pages(self, *, pipelineName: str, **more: Any) -> list[dict[str, Any]]:  # noqa: N803 - the API's name
        assert pipelineName == "releases"
        wanted = more.get("filter")
        if wanted is None:
            found = list(self._executions)
        else:
            assert wanted == {"succeededInStage": {"stageName": "Production"}}
            found = [each for each in self._executions if each["pipelineExecutionId"] in self._released]
        return [{"pipelineExecutionSummaries": [each]} for each in found]


def _execution(name: str, minute: int, commit: str | None = None, **more: Any) -> dict[str, Any]:
    revision = {
        "actionName": "Checkout",
        "revisionId": commit or f"c-{name}",
        "revisionSummary": f"Do {name}",
    }
    started = AT + timedelta(minutes=minute)
    return {"pipelineExecutionId": name, "startTime": started, "sourceRevisions": [revision]} | more


def _identifiers(tools: Any, execution: str) -> list[str]:
    return [each.identifier for each in commits.since_last_release(tools, "releases", execution)]


def test_a_release_has_the_commits_since_the_last_one_that_reached_production() -> None:
    # Given executions in no order, of which production took A, before it B, and not C
    runs = [_execution(name, minute) for minute, name in enumerate("BACD")]
    tools: Any = Tools(*reversed(runs), released=("A", "B"))
    # Then D releases its own commit and C's, newest first, and the list ends with what production has
    found = commits.since_last_release(tools, "releases", "D")
    assert [(each.identifier, each.released) for each in found] == [
        ("c-D", False),
        ("c-C", False),
        ("c-A", True),
    ]
    assert found[0].at == AT + timedelta(minutes=3)
    assert found[0].message == "Do D"


def test_what_began_after_a_release_is_not_in_it() -> None:
    runs = [_execution(name, minute) for minute, name in enumerate("ABC")]
    assert _identifiers(Tools(*runs, released=("A",)), "B") == ["c-B", "c-A"]


def test_a_release_that_is_repeated_is_not_its_own_predecessor() -> None:
    # Given an execution that reached production and is at its approval again
    runs = [_execution("A", 0), _execution("B", 1)]
    found = commits.since_last_release(Tools(*runs, released=("A", "B")), "releases", "B")  # type: ignore[arg-type]
    assert [(each.identifier, each.released) for each in found] == [("c-B", False), ("c-A", True)]


def test_rollbacks_and_executions_without_a_commit_and_repeats_are_left_out() -> None:
    runs = [
        _execution("A", 0),
        _execution("back", 1, executionType="ROLLBACK"),
        _execution("empty", 2, sourceRevisions=[]),
        _execution("again", 3, commit="c-B"),
        _execution("B", 4),
    ]
    assert _identifiers(Tools(*runs, released=("A",)), "B") == ["c-B", "c-A"]


@pytest.mark.parametrize(
    ("summary", "message"),
    [
        ("Add tea\n\nIt sells.", "Add tea"),
        (json.dumps({"ProviderType": "GitHub", "CommitMessage": "Add tea\n\nIt sells."}), "Add tea"),
        (json.dumps({"ProviderType": "GitHub"}), json.dumps({"ProviderType": "GitHub"})),
        ("42", "42"),
        ("", "(no message)"),
    ],
)
def test_a_commit_is_named_by_the_first_line_of_its_message(summary: str, message: str) -> None:
    # Source: action reference, CodeStarSourceConnection: the summary is JSON with the message in it
    run = _execution("A", 0)
    run["sourceRevisions"][0]["revisionSummary"] = summary
    (commit,) = commits.since_last_release(Tools(run), "releases", "A")  # type: ignore[arg-type]
    assert commit.message == message


def test_after_a_rollback_production_serves_what_it_went_back_to() -> None:
    # Given two releases, of which the second was taken back
    metadata = {"rollbackTargetPipelineExecutionId": "A"}
    runs = [
        _execution("A", 0),
        _execution("B", 1),
        _execution("back", 2, executionType="ROLLBACK", rollbackMetadata=metadata),
        _execution("C", 3),
    ]
    # Then the next one brings the second's commit again
    assert _identifiers(Tools(*runs, released=("A", "B", "back")), "C") == ["c-C", "c-B", "c-A"]


def test_only_an_address_of_the_web_becomes_a_link() -> None:
    run = _execution("A", 0)
    for url, link in (("https://github.com/x", "https://github.com/x"), ("javascript:alert(1)", "")):
        run["sourceRevisions"][0]["revisionUrl"] = url
        (commit,) = commits.since_last_release(Tools(run), "releases", "A")  # type: ignore[arg-type]
        assert commit.link == link
