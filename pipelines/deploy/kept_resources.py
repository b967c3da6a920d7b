"""How each kind of thing is removed that outlives its stack, and how one knows that it is gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.aws.accounts import Aws

KEY_DAYS: Final = 30
"""How long AWS KMS keeps a key that is to be deleted, so that it can be taken back; it costs nothing then."""
_ABSENT: Final = (
    "404",
    "NoSuchBucket",
    "NoSuchEntity",
    "NotFoundException",
    "RepositoryNotFoundException",
    "ResourceNotFoundException",
)


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of thing is removed.

    Attributes:
        there: Returns whether it is there; it may raise what AWS answers when it is not.
        remove: Removes it, and returns why not where it must stay.
    """

    there: Callable[[Aws, str], bool]
    remove: Callable[[Aws, str], str]


def gone(aws: Aws, kind: str, name: str) -> bool:
    """Return whether there is no such thing, or none that anybody can use any more.

    Raises:
        ClientError: AWS refused to say.
    """
    try:
        return not REMOVED[kind].there(aws, name)
    except ClientError as error:
        if error.response["Error"]["Code"] in _ABSENT:
            return True
        raise


def _key_there(aws: Aws, name: str) -> bool:
    state = aws.client("kms").describe_key(KeyId=name)["KeyMetadata"]["KeyState"]
    return bool(state != "PendingDeletion")


def _schedule_key(aws: Aws, name: str) -> str:
    aws.client("kms").schedule_key_deletion(KeyId=name, PendingWindowInDays=KEY_DAYS)
    return ""


def _group_there(aws: Aws, name: str) -> bool:
    groups = aws.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return any(group["logGroupName"] == name for group in groups)


def _remove_group(aws: Aws, name: str) -> str:
    aws.client("logs").delete_log_group(logGroupName=name)
    return ""


def _role_there(aws: Aws, name: str) -> bool:
    return bool(aws.client("iam").get_role(RoleName=name))


def _bucket_there(aws: Aws, name: str) -> bool:
    return bool(aws.s3.head_bucket(Bucket=name))


def _remove_bucket(aws: Aws, name: str) -> str:
    """Empty a bucket and delete it; its own policy may forbid that before."""
    aws.s3.delete_bucket_policy(Bucket=name)
    empty_bucket(aws, name)
    aws.s3.delete_bucket(Bucket=name)
    return ""


def empty_bucket(aws: Aws, name: str) -> None:
    """Delete each version of each object of a bucket."""
    for page in aws.s3.get_paginator("list_object_versions").paginate(Bucket=name):
        objects: Any = [
            {"Key": version["Key"], "VersionId": version["VersionId"]}
            for listed in (page.get("Versions", []), page.get("DeleteMarkers", []))
            for version in listed
        ]
        if objects:
            aws.s3.delete_objects(Bucket=name, Delete={"Objects": objects, "Quiet": True})


def _remove_role(aws: Aws, name: str) -> str:
    """Delete the role that API Gateway logs with, and the account's setting; not while its APIs use it."""
    iam, gateway = aws.client("iam"), aws.client("apigateway")
    if gateway.get_account().get("cloudwatchRoleArn") == iam.get_role(RoleName=name)["Role"]["Arn"]:
        apis = gateway.get_rest_apis()["items"]
        if apis:
            return f"{len(apis)} APIs of this account and region are there, and write their logs with it"
        change = {"op": "replace", "path": "/cloudwatchRoleArn", "value": ""}
        gateway.update_account(patchOperations=[change])
    for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
    iam.delete_role(RoleName=name)
    return ""


def _named(parameter: str) -> Callable[[str], dict[str, Any]]:
    return lambda name: {parameter: name}


def _package_names(arn: str) -> dict[str, str]:
    """Return a domain's or a repository's names, from its ARN: ...:repository/DOMAIN/NAME."""
    _, _, path = arn.partition("/")
    domain, _, repository = path.partition("/")
    return {"domain": domain} | ({"repository": repository} if repository else {})


def _by_calls(
    service: str, there: str, remove: str, arguments: Callable[[str], dict[str, Any]], **more: Any
) -> Kind:
    """Return a kind that one call describes and another one removes; both take the same arguments."""

    def is_there(aws: Aws, name: str) -> bool:
        return bool(getattr(aws.client(service), there)(**arguments(name)))

    def removed(aws: Aws, name: str) -> str:
        getattr(aws.client(service), remove)(**arguments(name), **more)
        return ""

    return Kind(is_there, removed)


REMOVED: Final = {
    "AWS::CodeArtifact::Repository": _by_calls(
        "codeartifact", "describe_repository", "delete_repository", _package_names
    ),
    "AWS::CodeArtifact::Domain": _by_calls(
        "codeartifact", "describe_domain", "delete_domain", _package_names
    ),
    "AWS::CodeConnections::Connection": _by_calls(
        "codeconnections", "get_connection", "delete_connection", _named("ConnectionArn")
    ),
    "AWS::ECR::Repository": _by_calls(
        "ecr", "list_images", "delete_repository", _named("repositoryName"), force=True
    ),
    "AWS::IAM::Role": Kind(_role_there, _remove_role),
    "AWS::KMS::Key": Kind(_key_there, _schedule_key),
    "AWS::Logs::LogGroup": Kind(_group_there, _remove_group),
    "AWS::S3::Bucket": Kind(_bucket_there, _remove_bucket),
}
"""By CloudFormation's type, what is in another first. The account's setting of API Gateway goes with the role
that it names; versions of functions and workflows went with these."""
