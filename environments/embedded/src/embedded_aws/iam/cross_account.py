"""What one account asks of another is judged as on AWS; MiniStack judges as if there were one account.

* `aws:PrincipalArn` of an assumed role is the role's own ARN, with its path. MiniStack gives the session's
  (`arn:aws:sts::…:assumed-role/name/session`), so a trust policy that names roles by
  their path would refuse everybody.
* `aws:SourceAccount` of a role that a service takes on is the account it works for. Our services take roles
  on as that account's root, which on AWS cannot assume any; MiniStack gives nothing.
* `aws:ResourceAccount` of a bucket is its owner's account. MiniStack gives the caller's.
* A bucket's policy may name a role of another account. MiniStack asks a foreign bucket's policy about the
  caller's account only; AWS asks about the role itself.
* `aws:SecureTransport` is true: the loopback interface stands for TLS, so that policies which refuse plain
  HTTP can be rehearsed.
* Lambda takes code, and CloudFormation a template, from a bucket of another account. MiniStack looks in the
  caller's own.

Source: IAM user guide, "AWS global condition context keys".
"""

from collections.abc import Callable
from typing import Any

from ministack import app
from ministack.core import iam_actions, iam_evaluator, responses
from ministack.core.responses import get_account_id, get_region, request_scope

from embedded_aws.core import ministack_names as private

_BUCKETS = "arn:aws:s3:::"
_Allows = Callable[..., bool]


def install() -> None:
    """Wrap MiniStack's lookup of condition keys and of objects, and its question to foreign buckets."""
    private.iam_evaluator.resolve_condition_key = _resolving(private.iam_evaluator.resolve_condition_key)
    private.s3.get_object_data = _fetching(private.s3.get_object_data)
    private.s3.foreign_bucket_allows = _asking_about_the_role(private.s3.foreign_bucket_allows)
    app.pin_request_origin = lambda source, _secure: iam_evaluator.pin_request_origin(source, True)


def _resolving(stock: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    def resolve(key: str, context: Any) -> Any:
        value = stock(key, context)
        if key.lower() == "aws:principalarn" and ":assumed-role/" in str(value):
            name = str(value).split("/")[1]
            role = private.iam.roles.get_scoped(context.principal_account, None, name)
            return value if role is None else role["Arn"]
        if key.lower() == "aws:sourceaccount" and context.action == "sts:AssumeRole":
            by_service = context.principal_arn == f"arn:aws:iam::{context.principal_account}:root"
            return context.principal_account if by_service else value
        if key.lower() == "aws:resourceaccount" and context.resource_arn.startswith(_BUCKETS):
            bucket = context.resource_arn.removeprefix(_BUCKETS).partition("/")[0]
            return private.s3.bucket_owner_account(bucket) or value
        return value

    return resolve


def _fetching(stock: Callable[..., bytes | None]) -> Callable[..., bytes | None]:
    def fetch(bucket: str, *rest: Any, **named: Any) -> bytes | None:
        with request_scope(private.s3.bucket_owner_account(bucket) or get_account_id(), get_region()):
            return stock(bucket, *rest, **named)

    return fetch


def _asking_about_the_role(original: _Allows) -> _Allows:
    def allows(  # noqa: PLR0917 - the signature is MiniStack's
        owner: str, bucket: str, key: str, method: str, query: Any, caller: str, headers: Any = None
    ) -> bool:
        arn = iam_evaluator.caller_arn()
        policy = private.s3.bucket_policies.get_scoped(owner, None, bucket)
        if caller and policy and ":assumed-role/" in arn:
            path = f"/{bucket}/{key}" if key else f"/{bucket}"
            action = iam_actions.extract_iam_action("s3", method, path, headers or {}, b"", query or {})
            context = iam_evaluator.EvalContext(
                principal_arn=arn,
                principal_type="AssumedRole",
                principal_account=caller,
                action=action,
                resource_arn=f"arn:aws:s3::{path.replace('/', ':', 1)}",
                region=responses.get_region(),
                service_context={},
            )
            decision = iam_evaluator.evaluate_resource_policy(policy, context).decision
            if decision in ("Allow", "Deny"):
                return bool(decision == "Allow")
        return original(owner, bucket, key, method, query, caller, headers)

    return allows
