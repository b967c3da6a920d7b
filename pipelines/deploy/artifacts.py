"""The bucket that deployments read from: keys hold digests, and deployments name versions."""

from __future__ import annotations

import base64
import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from pipelines.build.package_manifest import PACKAGES, Manifest, Package, StoredPackages
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
        raise Refused("Name the artifact bucket: --artifact-bucket, or PAYMENTS_PACKAGE_BUCKET.")
    return make_bucket(aws, f"payments-artifacts-{aws.environment.account}-{aws.environment.region}")


def template_bucket(aws: Aws) -> str:
    """Return the account's bucket for templates that are too large to be sent; made when missing."""
    return make_bucket(aws, template_bucket_name(aws))


def template_bucket_name(aws: Aws) -> str:
    """Return the name of that bucket, whether or not it is there."""
    return f"payments-templates-{aws.environment.account}-{aws.environment.region}"


def make_bucket(aws: Aws, name: str) -> str:
    """Make a bucket of this name unless there is one, and return the name. It keeps versions."""
    if not _exists(aws, name):
        region = aws.environment.region
        aws.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})  # type: ignore[typeddict-item]  # any region an environment may name, not only those the stubs know
        aws.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def store_packages(
    aws: Aws, bucket: str, manifest: Manifest, folder: Path = PACKAGES, reporter: Reporter = NOBODY
) -> StoredPackages:
    """Make sure that a bucket holds the packages, and return the versions that do.

    An object that is there is taken only when S3 computed the package's very checksum for it; another one is
    covered by a new version.

    Args:
        aws: The account.
        bucket: A bucket that keeps versions.
        manifest: The packages.
        folder: Where their files are.
        reporter: Shown the progress.

    Raises:
        Refused: A file is not what the manifest says, or the bucket keeps no versions.
    """

    def store(name: str) -> tuple[str, bool]:
        package = manifest[name]
        kept = _stored_version(aws, bucket, package)
        if kept is None:
            reporter.passing(f"uploading {package.key}")
        return kept or _upload(aws, bucket, package, folder), kept is None

    with ThreadPoolExecutor(max_workers=4) as pool:
        versions = dict(zip(manifest, pool.map(store, manifest), strict=True))
    uploaded = sum(new for _, new in versions.values())
    reporter.say(f"{uploaded} of {len(manifest)} packages uploaded to {bucket}")
    return StoredPackages(bucket, {name: version for name, (version, _) in versions.items()})


def stored_differences(aws: Aws, stored: StoredPackages, manifest: Manifest) -> list[str]:
    """Return each package that the store does not hold, in the version that is named, as it was built."""

    def difference(name: str) -> str:
        package, version = manifest[name], stored.versions.get(name, "")
        try:
            head = aws.s3.head_object(
                Bucket=stored.bucket, Key=package.key, VersionId=version, ChecksumMode="ENABLED"
            )
        except ClientError as error:
            return f"{package.key} in version {version}: {error.response['Error']['Message']}"
        checksum = head.get("ChecksumSHA256")
        expected = _checksum(package)
        return "" if checksum == expected else f"{package.key} is stored as {checksum}, not {expected}"

    with ThreadPoolExecutor(max_workers=4) as pool:
        return [line for line in pool.map(difference, manifest) if line]


def _stored_version(aws: Aws, bucket: str, package: Package) -> str | None:
    """Return the version of a package that is stored already; None when other bytes, or none, are."""
    try:
        head = aws.s3.head_object(Bucket=bucket, Key=package.key, ChecksumMode="ENABLED")
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:  # noqa: PLR2004 - HTTP: not found
            return None
        raise
    return head.get("VersionId") if head.get("ChecksumSHA256") == _checksum(package) else None


def _upload(aws: Aws, bucket: str, package: Package, folder: Path) -> str:
    content = (folder / package.file).read_bytes()
    if hashlib.sha256(content).hexdigest() != package.sha256:
        raise Refused(f"{package.file} is not what the manifest says: {package.sha256} was built.")
    put = aws.s3.put_object(Bucket=bucket, Key=package.key, Body=content, ChecksumSHA256=_checksum(package))
    version = put.get("VersionId")
    if not version:
        raise Refused(
            f"{bucket} keeps no versions, so a package in it could change under its name.",
            "Turn versioning on for it, or name another bucket.",
        )
    return version


def _checksum(package: Package) -> str:
    """Return a package's SHA-256 as S3 says it: in base 64 (API reference, PutObject, ChecksumSHA256)."""
    return base64.b64encode(bytes.fromhex(package.sha256)).decode()


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
