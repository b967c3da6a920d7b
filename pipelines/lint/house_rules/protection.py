"""E9002 to E9005, E9010, E9011: functions in the VPC, data kept, TLS alone, permissions with reasons."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from pipelines.evidence.risks import HOLDS_DATA
from pipelines.lint.house_rules.rule import Fault, HouseRule, as_list, properties, resources

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.lint.house_rules.rule import Json


def _functions_outside(template: Json) -> Iterator[Fault]:
    for name, function in properties(template, "AWS::Lambda::Function"):
        path = ("Resources", name, "Properties")
        network = function.get("VpcConfig")
        if not network:
            yield Fault(path, "the function has no VpcConfig, so it is not in the VPC")
            continue
        for key in ("SubnetIds", "SecurityGroupIds"):
            if not network.get(key):
                yield Fault((*path, "VpcConfig"), f"the function has no {key}, so it is not in the VPC")


FUNCTIONS_IN_VPC: Final = HouseRule(
    "E9002",
    "Every Lambda function is in the VPC",
    "A function outside of it reaches the internet, and the private data API does not answer it.",
    _functions_outside,
)


_POLICIES: Final = ("DeletionPolicy", "UpdateReplacePolicy")


def _log_groups(template: Json) -> Iterator[Fault]:
    for name, group in properties(template, "AWS::Logs::LogGroup"):
        for key, lacking in (("RetentionInDays", "is kept forever"), ("KmsKeyId", "has no key of ours")):
            if not group.get(key):
                yield Fault(("Resources", name, "Properties"), f"the log group {lacking}; say {key}")


def _without_deletion_policy(template: Json) -> Iterator[Fault]:
    for name, resource in resources(template, *HOLDS_DATA):
        for policy in _POLICIES:
            if policy not in resource:
                message = f"holds data and does not say its {policy}; the default deletes it"
                yield Fault(("Resources", name), message)


LOG_GROUPS: Final = HouseRule(
    "E9003",
    "Every log group has a retention and a key",
    "Without a retention logs are kept, and paid for, forever; without a key nobody can be shut out of them.",
    _log_groups,
)
DELETION_POLICIES: Final = HouseRule(
    "E9005",
    "What holds data says what becomes of it",
    "CloudFormation deletes by default, also when an update replaces a resource.",
    _without_deletion_policy,
)


def _buckets_without_tls(template: Json) -> Iterator[Fault]:
    policies = [policy for _, policy in properties(template, "AWS::S3::BucketPolicy")]
    guarded = {
        json.dumps(policy.get("Bucket"), sort_keys=True) for policy in policies if _denies_plain_http(policy)
    }
    for name, _ in resources(template, "AWS::S3::Bucket"):
        if json.dumps({"Ref": name}) not in guarded:
            yield Fault(
                ("Resources", name), "no bucket policy denies s3:* on it when aws:SecureTransport is false"
            )


def _denies_plain_http(policy: Json) -> bool:
    statements = as_list(policy.get("PolicyDocument", {}).get("Statement", []))
    return any(_is_denial_of_plain_http(statement) for statement in statements)


def _is_denial_of_plain_http(statement: Json) -> bool:
    """Return whether it denies everybody everything, on the bucket and on its objects, over plain HTTP."""
    everybody = statement.get("Principal") in ("*", {"AWS": "*"}, {"AWS": ["*"]})
    over_tls = statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport")
    objects = [arn for arn in as_list(statement.get("Resource")) if "/*" in json.dumps(arn)]
    bucket = [arn for arn in as_list(statement.get("Resource")) if "/*" not in json.dumps(arn)]
    return (
        statement.get("Effect") == "Deny"
        and everybody
        and "s3:*" in as_list(statement.get("Action"))
        and str(over_tls).lower() == "false"
        and bool(objects and bucket)
    )


TLS_ONLY: Final = HouseRule(
    "E9004",
    "A bucket answers over TLS alone",
    "Artifacts and pages read over plain HTTP can be read, and changed, by whoever is in between.",
    _buckets_without_tls,
)


_Place = tuple[str | int, ...]
_GRANTING: Final = ("AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")


def _statements(name: str, resource: Json) -> Iterator[tuple[_Place, Json]]:
    """Yield each statement of a resource's policies, of every kind but the trust, with its place."""
    unread: list[tuple[_Place, object]] = [
        (("Resources", name, "Properties"), resource.get("Properties", {})),
    ]
    while unread:
        path, value = unread.pop()
        if isinstance(value, dict):
            if "Statement" in value and path[-1] != "AssumeRolePolicyDocument":
                for index, statement in enumerate(as_list(value["Statement"])):
                    yield (*path, "Statement", index), statement
            else:
                unread += [((*path, key), inside) for key, inside in value.items()]
        elif isinstance(value, list):
            unread += [((*path, index), inside) for index, inside in enumerate(value)]


def _wildcards(template: Json) -> Iterator[Fault]:
    for name, resource in resources(template):
        for path, statement in _statements(name, resource):
            if statement.get("Effect") != "Allow":
                continue  # a denial of everything is the narrowest there is
            for key in ("NotAction", "NotResource", "NotPrincipal"):
                if key in statement:
                    yield Fault((*path, key), f"{key} allows what nobody has thought of yet")
            for action in as_list(statement.get("Action", [])):
                if "*" in str(action):
                    yield Fault((*path, "Action"), f"{action} allows what AWS has not invented yet")


def _unexplained(template: Json) -> Iterator[Fault]:
    for name, resource in resources(template, *_GRANTING):
        reasons = resource.get("Metadata", {}).get("Permissions", {})
        for path, statement in _statements(name, resource):
            if statement.get("Effect") != "Allow":
                continue
            reason = reasons.get(statement.get("Sid"), "")
            if not reason:
                yield Fault(path, f"Metadata.Permissions does not say why {statement.get('Sid')} is there")
            elif "*" in as_list(statement.get("Resource")) and "*" not in reason:
                yield Fault(path, f"the reason of {statement['Sid']} does not say why its resource is *")


NO_WILDCARDS: Final = HouseRule(
    "E9010",
    "No statement allows a wildcard action",
    "It allows what the service learns next year, to whoever holds the role.",
    _wildcards,
)
REASONS: Final = HouseRule(
    "E9011",
    "Every statement of a role says why it is there",
    "A permission without a reason is never taken away again; one on * has to say why nothing is narrower.",
    _unexplained,
)
