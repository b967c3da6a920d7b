"""What one account asks of another is judged as on AWS; MiniStack judges as if there were one account.

* `aws:PrincipalArn` of an assumed role is the role's own ARN, with its path. MiniStack gives the session's
  (`arn:aws:sts::…:assumed-role/name/session`), so a trust policy that names roles by their path, as those of
  our bootstrap stacks do, would refuse everybody.
* `aws:SourceAccount` of a role that a service takes on is the account it works for. Our services take roles
  on as that account's root, which on AWS cannot assume any; MiniStack gives nothing.
* `aws:ResourceAccount` of a bucket is its owner's account. MiniStack gives the caller's.
* Lambda takes code, and CloudFormation a template, from a bucket of another account. MiniStack looks in the
  caller's own.

Source: IAM user guide, "AWS global condition context keys". Private names of MiniStack that it touches:
`iam_evaluator._resolve_condition_key`, `iam_evaluator._role_name_from_assumed_arn`, `iam._roles`,
`s3._bucket_owner_account` and `s3._get_object_data`.
"""

from collections.abc import Callable
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import iam, s3

_BUCKETS = "arn:aws:s3:::"


def install() -> None:
    """Stand before MiniStack's lookup of condition keys, and of objects that services take."""
    iam_evaluator._resolve_condition_key = _resolving(iam_evaluator._resolve_condition_key)
    s3._get_object_data = _fetching(s3._get_object_data)


def _resolving(stock: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    def resolve(key: str, context: Any) -> Any:
        found = stock(key, context)
        if key.lower() == "aws:principalarn" and ":assumed-role/" in str(found):
            name = iam_evaluator._role_name_from_assumed_arn(found)
            role = iam._roles.get_scoped(context.principal_account, None, name)
            return found if role is None else role["Arn"]
        if key.lower() == "aws:sourceaccount" and context.action == "sts:AssumeRole":
            by_service = context.principal_arn == f"arn:aws:iam::{context.principal_account}:root"
            return context.principal_account if by_service else found
        if key.lower() == "aws:resourceaccount" and context.resource_arn.startswith(_BUCKETS):
            bucket = context.resource_arn.removeprefix(_BUCKETS).partition("/")[0]
            return s3._bucket_owner_account(bucket) or found
        return found

    return resolve


def _fetching(stock: Callable[..., bytes | None]) -> Callable[..., bytes | None]:
    def fetch(bucket: str, *rest: Any, **named: Any) -> bytes | None:
        with request_scope(s3._bucket_owner_account(bucket) or get_account_id(), get_region()):
            return stock(bucket, *rest, **named)

    return fetch
