"""E9004: a bucket answers over TLS alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from pipelines.lint.house_rules.rule import Fault, HouseRule, as_list, properties, resources

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.lint.house_rules.rule import Json


def _plain(template: Json) -> Iterator[Fault]:
    guarded = [policy for _, policy in properties(template, "AWS::S3::BucketPolicy") if _denies_plain(policy)]
    held = {json.dumps(policy.get("Bucket"), sort_keys=True) for policy in guarded}
    for name, _ in resources(template, "AWS::S3::Bucket"):
        if json.dumps({"Ref": name}) not in held:
            yield Fault(
                ("Resources", name), "no bucket policy denies s3:* on it when aws:SecureTransport is false"
            )


def _denies_plain(policy: Json) -> bool:
    statements = as_list(policy.get("PolicyDocument", {}).get("Statement", []))
    return any(_is_the_denial(statement) for statement in statements)


def _is_the_denial(statement: Json) -> bool:
    """Whether it denies everybody everything, on the bucket and on its objects, over plain HTTP."""
    everybody = statement.get("Principal") in ("*", {"AWS": "*"}, {"AWS": ["*"]})
    plain = statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport")
    objects = [one for one in as_list(statement.get("Resource")) if "/*" in json.dumps(one)]
    bucket = [one for one in as_list(statement.get("Resource")) if "/*" not in json.dumps(one)]
    return (
        statement.get("Effect") == "Deny"
        and everybody
        and "s3:*" in as_list(statement.get("Action"))
        and str(plain).lower() == "false"
        and bool(objects and bucket)
    )


TLS_ONLY: Final = HouseRule(
    "E9004",
    "A bucket answers over TLS alone",
    "Artifacts and pages read over plain HTTP can be read, and changed, by whoever is in between.",
    _plain,
)
