"""Lets a bucket's policy name a role of another account, as a pipeline's artifact bucket does.

MiniStack asks a foreign bucket's policy about the caller's account only; AWS asks about the role itself.
https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create-cross-account.html
"""

from collections.abc import Callable
from typing import Any

from ministack.core import iam_actions, iam_evaluator, responses
from ministack.services import s3

_Allows = Callable[..., bool]


def install() -> None:
    """Put our question before MiniStack's."""
    s3._foreign_bucket_allows = _asking_about_the_role(s3._foreign_bucket_allows)


def _asking_about_the_role(original: _Allows) -> _Allows:
    def allows(  # noqa: PLR0917 - the signature is MiniStack's
        owner: str, bucket: str, key: str, method: str, query: Any, caller: str, headers: Any = None
    ) -> bool:
        arn = iam_evaluator.caller_arn()
        policy = s3._bucket_policies.get_scoped(owner, None, bucket)
        if caller and policy and ":assumed-role/" in arn:
            path = f"/{bucket}/{key}" if key else f"/{bucket}"
            action = f"s3:{iam_actions._s3_action(method, path, query)}"
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
