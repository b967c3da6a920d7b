"""IAM's decisions where MiniStack makes none, or makes them as if there were one account.

What a service does with a role is asked of the role's policies and its boundary (`allows`); a role that
CloudFormation makes is held by its permissions boundary, which MiniStack's forgets. Between accounts:

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

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from ministack import app
from ministack.core import iam_actions, iam_evaluator, responses
from ministack.core.responses import get_account_id, get_region, request_scope

from embedded_aws.core import ministack_names as private
from embedded_aws.core import type_table
from embedded_aws.core.api import parameter

_BUCKETS = "arn:aws:s3:::"
_Allows = Callable[..., bool]


@dataclass(frozen=True, slots=True)
class Question:
    """May this be done to that? The context holds condition keys in lower case."""

    action: str
    resource: str
    context: dict[str, Any] = field(default_factory=dict)


def session(account: str, role: str, name: str) -> str:
    """The ARN of a role that was taken on under a name."""
    return f"arn:aws:sts::{account}:assumed-role/{role}/{name}"


def allows(account: str, role: str, taken_on_as: str, question: Question, region: str) -> bool:
    """Whether a role's policies and its boundary allow it.

    Args:
        account: The role's account.
        role: Its name.
        taken_on_as: The session's name.
        question: What it is about to do.
        region: Where.
    """
    asked = iam_evaluator.EvalContext(
        principal_arn=session(account, role, taken_on_as),
        principal_type="AssumedRole",
        principal_account=account,
        action=question.action,
        resource_arn=question.resource,
        region=region,
        service_context=question.context,
    )
    policies = private.iam_evaluator.gather_role_policies(role, account)
    limits = private.iam_evaluator.permissions_boundary(private.iam.roles, role, account)
    return bool(iam_evaluator.evaluate(asked, policies, *limits).decision == "Allow")


def install() -> None:
    """Wrap MiniStack's lookups of condition keys and objects, its question to foreign buckets, and roles."""
    private.iam_evaluator.resolve_condition_key = _resolving(private.iam_evaluator.resolve_condition_key)
    private.s3.get_object_data = _fetching(private.s3.get_object_data)
    private.s3.foreign_bucket_allows = _asking_about_the_role(private.s3.foreign_bucket_allows)
    app.pin_request_origin = lambda source, _secure: iam_evaluator.pin_request_origin(source, True)
    _install_roles()


def _install_roles() -> None:
    """Keep the permissions boundary of roles that the type's own handlers create and update."""
    handlers = private.iam.IAM_HANDLERS
    handlers["SimulatePrincipalPolicy"] = _simulating(handlers["SimulatePrincipalPolicy"])
    role = type_table.stock_handlers("AWS::IAM::Role")
    role["create"], role["update"] = _bounding_new(role["create"]), _bounding(role["update"])


def _bounding_new(stock: Callable[..., Any]) -> Callable[..., Any]:
    def create(logical_id: str, props: dict[str, Any], stack: str) -> Any:
        made = stock(logical_id, props, stack)
        private.iam.roles[made[0]]["PermissionsBoundary"] = props.get("PermissionsBoundary")
        return made

    return create


def _bounding(stock: Callable[..., Any]) -> Callable[..., Any]:
    def update(physical_id: str, old: dict[str, Any], new: dict[str, Any], *rest: Any) -> Any:
        changed = stock(physical_id, old, new, *rest)
        private.iam.roles[changed[0]]["PermissionsBoundary"] = new.get("PermissionsBoundary")
        return changed

    return update


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


_DECISION = re.compile(rb"<EvalActionName>(.*?)</EvalActionName>(.*?)<EvalDecision>.*?</EvalDecision>")


def _simulating(stock: Callable[..., Any]) -> Callable[..., Any]:
    """Simulate with a role's boundary and path, and the context that the request names."""

    def simulate(params: dict[str, Any]) -> Any:
        status, headers, body = stock(params)
        *_, account, role = parameter(params, "PolicySourceArn").split(":")
        if status != HTTPStatus.OK or not role.startswith("role/"):
            return status, headers, body
        resource, context = parameter(params, "ResourceArns.member.1", "*"), _context(params)

        def decided(found: re.Match[bytes]) -> bytes:
            question = Question(found[1].decode(), resource, context)
            allowed = allows(account, role.rpartition("/")[2], "simulated", question, get_region())
            decision = b"allowed" if allowed else b"implicitDeny"
            named = b"<EvalActionName>" + found[1] + b"</EvalActionName>" + found[2]
            return named + b"<EvalDecision>" + decision + b"</EvalDecision>"

        return status, headers, _DECISION.sub(decided, body)

    return simulate


def _context(params: dict[str, Any]) -> dict[str, Any]:
    """The condition keys that a request names, in lower case, each with its one value."""
    entries, number = {}, 1
    while key := parameter(params, f"ContextEntries.member.{number}.ContextKeyName"):
        entry = f"ContextEntries.member.{number}.ContextKeyValues.member.1"
        entries[key.lower()] = parameter(params, entry)
        number += 1
    return entries
