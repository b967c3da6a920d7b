"""What was reviewed, compared with what is prepared and with what production is: any difference is named."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from pipelines.evidence.stack_changes import Change, StackChanges
from pipelines.promotion import records

_FUNCTION = Change(
    "payments-prod", "DataApiFunction", "AWS::Lambda::Function", "Modify", properties=("Code",)
)
PREPARED = StackChanges(
    "payments-prod",
    [_FUNCTION],
    before={"Resources": {}},
    after={"Resources": {"DataApiFunction": {"Type": "AWS::Lambda::Function"}}},
    parameters={"DataApiCodeKey": "lambdas/data_api/1.zip"},
    tags={"environment": "prod"},
)


@pytest.fixture
def review(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The record of what was reviewed, as it comes back from an artifact."""
    state = {"template": "0" * 64, "parameters": {"Attempt": "1"}, "tags": {}}
    monkeypatch.setattr(records, "state", lambda *_: state)
    nowhere: Any = None
    record: dict[str, Any] = json.loads(json.dumps(records.review(nowhere, [PREPARED])))
    stack: dict[str, Any] = record["payments-prod"]
    return stack


def test_what_was_reviewed_is_no_different(review: dict[str, Any]) -> None:
    assert records.change_differences(review, PREPARED) == []


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"changes": []}, "other changes, to DataApiFunction"),
        ({"changes": [replace(_FUNCTION, replacement="yes")]}, "other changes, to DataApiFunction"),
        ({"changes": [replace(_FUNCTION, properties=("Role",))]}, "other changes, to DataApiFunction"),
        ({"after": {"Resources": {}}}, "another template"),
        ({"parameters": {"DataApiCodeKey": "2.zip"}}, "other parameters: DataApiCodeKey"),
        ({"parameters": {}}, "other parameters: DataApiCodeKey"),
        ({"tags": {"environment": "dev"}}, "other tags: environment"),
    ],
)
def test_every_other_change_set_is_refused(
    review: dict[str, Any], change: dict[str, Any], difference: str
) -> None:
    assert records.change_differences(review, replace(PREPARED, **change)) == [difference]


def test_the_order_of_a_template_s_keys_does_not_count() -> None:
    first: dict[str, Any] = {"Resources": {"A": {}, "B": {}}}
    second: dict[str, Any] = {"Resources": {"B": {}, "A": {}}}
    assert records.template_digest(first) == records.template_digest(second)
    assert records.template_digest(first) != records.template_digest({"Resources": {"A": {}}})


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({}, []),
        ({"template": "1" * 64}, ["another template"]),
        ({"parameters": {"Attempt": "2"}}, ["other parameters: Attempt"]),
        ({"tags": {"owner": "x"}}, ["other tags: owner"]),
    ],
)
def test_what_moved_since_the_review_is_named(
    review: dict[str, Any], monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], difference: list[str]
) -> None:
    present = review["before"] | change
    monkeypatch.setattr(records, "state", lambda *_: present)
    nowhere: Any = None
    assert records.moved({"payments-prod": review}, nowhere) == [f"payments-prod: {d}" for d in difference]
