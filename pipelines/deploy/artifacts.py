"""The bucket that deployments read from; keys hold digests, so nothing in it ever changes."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from pipelines.build.packaging import PACKAGES, Manifest
from pipelines.core.refusals import Refused
from pipelines.core.reporting import NOBODY, Reporter

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.aws.accounts import Aws


def bucket(aws: Aws, named: str | None = None) -> str:
    """Return the artifact bucket to use: the named one, or on the embedded AWS one that is made when missing.

    Raises:
        Refused: On AWS none was named; there the pipelines stack owns it.
    """
    if named:
        return named
    if not aws.embedded:
        raise Refused("Name the artifact bucket: --artifact-bucket, or PAYMENTS_ARTIFACT_BUCKET.")
    return make_bucket(aws, f"payments-artifacts-{aws.environment.account}-{aws.environment.region}")


def template_bucket(aws: Aws) -> str:
    """Return the account's bucket for templates that are too large to be sent; made when missing."""
    return make_bucket(aws, f"payments-templates-{aws.environment.account}-{aws.environment.region}")


def make_bucket(aws: Aws, name: str) -> str:
    """Make a bucket of this name unless there is one, and return the name. New buckets are private."""
    if not _exists(aws, name):
        region = aws.environment.region
        aws.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})  # type: ignore[typeddict-item]  # any region an environment may name, not only those the stubs know
    return name


def upload_packages(
    aws: Aws, bucket: str, manifest: Manifest, folder: Path = PACKAGES, reporter: Reporter = NOBODY
) -> int:
    """Upload the packages that the bucket does not have yet.

    Returns:
        How many were uploaded.
    """

    def upload(name: str) -> bool:
        package = manifest[name]
        if _exists(aws, bucket, package.key):
            return False
        reporter.passing(f"uploading {package.key}")
        aws.s3.upload_file(str(folder / package.file), bucket, package.key)
        return True

    with ThreadPoolExecutor(max_workers=4) as pool:
        return sum(pool.map(upload, manifest))


def upload_template(aws: Aws, bucket: str, name: str, body: str) -> str:
    """Upload a template, named by its content.

    Returns:
        The URL that CloudFormation reads it from.
    """
    key = f"templates/{name}/{hashlib.sha256(body.encode()).hexdigest()}.json"
    if not _exists(aws, bucket, key):
        aws.s3.put_object(Bucket=bucket, Key=key, Body=body.encode(), ContentType="application/json")
    return f"https://s3.{aws.environment.region}.amazonaws.com/{bucket}/{key}"


def _exists(aws: Aws, bucket: str, key: str | None = None) -> bool:
    try:
        if key is None:
            aws.s3.head_bucket(Bucket=bucket)
        else:
            aws.s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:  # noqa: PLR2004 - HTTP: not found
            return False
        raise
    return True
