"""Whether a policy's resource means an ARN, as far as a template says."""

from __future__ import annotations

import pytest

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
