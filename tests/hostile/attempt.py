"""An attempt of a hostile branch, as a row: the call, what refuses it, who would notice.

The calls are data, so that the same rows are judged against the template's policies (`test_policies.py`) and
made for real by a branch's builds (`attack/`). A `{word}` in them is filled in with a name or an ARN.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Attempt:
    """One thing that a hostile build tries.

    Attributes:
        name: Unique, as `overwrite-package`.
        tried: What it tries, for a reader.
        refused_by: What refuses it.
        noticed: How somebody would notice that it was tried, or had it worked.
        client: The boto3 client.
        method: Its method.
        arguments: The method's arguments.
        action: The IAM action that it needs.
        resource: The ARN that it acts on.
    """

    name: str
    tried: str
    refused_by: str
    noticed: str
    client: str
    method: str
    arguments: dict[str, Any]
    action: str
    resource: str = "*"


IAM: Final = "its role has no such permission"
STORE: Final = "its role has no such permission, and the store's policy denies all roles but Publish's"
TRAIL: Final = "CloudTrail: AccessDenied by a role of /payments-pipelines/branch/"
DATA: Final = "CloudTrail's data events of the bucket: AccessDenied by a role of /payments-pipelines/branch/"
VERIFY: Final = f"{DATA}; a changed byte would fail Verify and the comparison after deployment"
TRUST: Final = "the role trusts /payments-pipelines/release/ alone, and its own role may assume no such role"
NOT_YOURS: Final = "the role trusts its own service alone"


def s3(
    name: str, tried: str, method: str, bucket: str, key: str, *, notice: str = DATA, **more: Any
) -> Attempt:
    """Return an attempt on an object."""
    action = {
        "put_object": "s3:PutObject",
        "get_object": "s3:GetObject",
        "delete_object": "s3:DeleteObjectVersion" if "VersionId" in more else "s3:DeleteObject",
    }[method]
    body = {"Body": "evil"} if method == "put_object" else {}
    by = STORE if bucket == "{packages}" else IAM
    arguments = {"Bucket": bucket, "Key": key, **body, **more}
    return Attempt(name, tried, by, notice, "s3", method, arguments, action, f"arn:aws:s3:::{bucket}/{key}")


def call(
    name: str,
    tried: str,
    operation: str,
    action: str,
    resource: str = "*",
    /,
    *,
    by: str = IAM,
    **arguments: Any,
) -> Attempt:
    """Return an attempt by its operation, as `kms.sign`, and the action that it needs."""
    client, _, method = operation.partition(".")
    return Attempt(name, tried, by, TRAIL, client, method, arguments, action, resource)


def pipeline(
    name: str, tried: str, method: str, action: str, suffix: str = "", /, **arguments: Any
) -> Attempt:
    """Return an attempt on the release pipeline, or on what the suffix names of it."""
    resource = "arn:aws:codepipeline:{region}:{account}:{release_pipeline}" + suffix
    return call(name, tried, f"codepipeline.{method}", f"codepipeline:{action}", resource, **arguments)


@dataclass(frozen=True, slots=True)
class Contained:
    """Something that a hostile build can do to itself, and that reaches nothing else.

    Attributes:
        name: Unique.
        tried: What it does, for a reader.
        refused_by: Why it reaches nothing.
        noticed: How somebody would notice.
    """

    name: str
    tried: str
    refused_by: str
    noticed: str = field(default="nothing of a release changes; the suite compares it before and after")
