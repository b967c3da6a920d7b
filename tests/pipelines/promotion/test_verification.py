"""The last look before production changes: any difference from what was approved is named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipelines.evidence.stack_changes import Change, StackChanges
from pipelines.promotion import verification

APPROVED = StackChanges(
    "payments-prod",
    [Change("payments-prod", "DataApiFunction", "AWS::Lambda::Function", "Modify")],
    before={"Resources": {}},
    after={"Resources": {"DataApiFunction": {"Type": "AWS::Lambda::Function"}}},
    parameters={"DataApiCodeKey": "lambdas/data_api/1.zip"},
    tags={"environment": "prod"},
)


def test_what_was_approved_is_no_different() -> None:
    assert verification.differences(APPROVED, APPROVED) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"changes": []}, "other changes than approved, to DataApiFunction"),
        ({"after": {"Resources": {}}}, "another template than approved"),
        ({"parameters": {"DataApiCodeKey": "2.zip"}}, "other parameters than approved: DataApiCodeKey"),
        ({"parameters": {}}, "other parameters than approved: DataApiCodeKey"),
        ({"tags": {"environment": "dev"}}, "other tags than approved: environment"),
    ],
)
def test_every_other_change_set_is_refused(change: dict[str, object], told: str) -> None:
    prepared = replace(APPROVED, **change)  # type: ignore[arg-type]  # each names a field with its type
    assert verification.differences(APPROVED, prepared) == [f"payments-prod: {told}"]


def test_what_a_stack_looked_like_when_it_was_reviewed_is_not_compared() -> None:
    # A network that was deployed in between changes nothing of what would be executed
    assert verification.differences(APPROVED, replace(APPROVED, before={"Resources": {"Old": {}}})) == []
