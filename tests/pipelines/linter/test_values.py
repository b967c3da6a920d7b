"""What a template says: which resources a policy means, which buckets a pipeline has, which providers are."""

from __future__ import annotations

import pytest

from pipelines.lint.pipeline_linter.linter import lint_document
from pipelines.lint.pipeline_linter.model import Pipeline, stores
from pipelines.lint.pipeline_linter.values import covers


@pytest.mark.parametrize(
    ("pattern", "arn", "answer"),
    [
        ("*", None, True),
        ("*", "arn:aws:sqs:r:1:q", True),
        (None, "arn:aws:sqs:r:1:q", None),
        ("arn:aws:sqs:r:1:q", None, None),
        ("arn:aws:sqs:r:1:q", "arn:aws:sqs:r:1:q", True),
        ("arn:aws:sqs:r:1:q*", "arn:aws:sqs:r:1:queue", True),
        ("arn:aws:sqs:r:1:queue", "arn:aws:sqs:r:1:q", False),
        ("arn:aws:sqs:r:2:q", "arn:aws:sqs:r:1:q", False),
        ("arn:aws:sqs:${AWS.Region}:${AWS.AccountId}:q", "arn:aws:sqs:r:1:q", True),
        ("arn:aws:sqs:${AWS.Region}:${AWS.AccountId}:q", "arn:aws:sqs:r:1:other", False),
        ("arn:aws:sqs:r:1:${Queue}", "arn:aws:sqs:r:1:q", None),
        ("arn:aws:sqs:r:1:${Queue}", "arn:aws:sqs:r:2:q", False),
        # A policy on some keys of a bucket is a policy on its artifacts; one on the bucket itself is not.
        ("arn:aws:s3:::bucket/releases/*", "arn:aws:s3:::bucket/key", True),
        ("arn:aws:s3:::bucket", "arn:aws:s3:::bucket/key", False),
        ("arn:aws:s3:::other/*", "arn:aws:s3:::bucket/key", False),
        ("arn:aws:s3:::bucket/one", "arn:aws:s3:::bucket/another", False),
        ("arn:aws:logs:r:1:group/one", "arn:aws:logs:r:1:group/key", False),
        # What is no ARN is the same text, or unlike; a bracket is no pattern.
        ("name", "name", True),
        ("name", "other", False),
        ("arn:aws:sqs:r:1:q[1]", "arn:aws:sqs:r:1:q1", False),
    ],
)
def test_a_policys_resource_means_an_arn(pattern: str | None, arn: str | None, answer: bool | None) -> None:
    assert covers(pattern, arn) is answer


def pipeline(**properties: object) -> Pipeline:
    return Pipeline("file", "Pipeline", {"Stages": [], **properties})


def test_the_buckets_of_a_pipeline_are_known_by_their_regions() -> None:
    store = {"Type": "S3", "Location": "artifacts"}
    assert stores(pipeline(ArtifactStore=store)) == {"": "artifacts"}
    by_region = [
        {"Region": region, "ArtifactStore": {**store, "Location": f"in-{region}"}} for region in "ab"
    ]
    assert stores(pipeline(ArtifactStores=by_region)) == {"a": "in-a", "b": "in-b"}
    # One that says no region is nobody's.
    unknown = {"ArtifactStore": store}
    assert stores(pipeline(ArtifactStores=[*by_region, unknown])) == {"a": "in-a", "b": "in-b"}


def test_an_unknown_provider_is_answered_with_those_of_its_category() -> None:
    kind = {"Category": "Approval", "Owner": "AWS", "Provider": "Automatic", "Version": "1"}
    stage = {"Name": "Approve", "Actions": [{"Name": "Ask", "ActionTypeId": kind}]}
    unknown = {
        "Type": "AWS::CodePipeline::Pipeline",
        "Properties": {"Stages": [stage, stage | {"Name": "Again"}]},
    }
    fixes = {
        finding.fix
        for finding in lint_document({"Resources": {"Pipeline": unknown}}, "file")
        if finding.rule == "P501"
    }
    assert fixes == {"Providers of Approval: Manual"}
