"""Role sessions: clients with the credentials of the role that a customer named."""

import json
import threading
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError
from ministack.core import iam_evaluator

from embedded_aws.core import runtime
from embedded_aws.core.api import ApiError, Json, Scope

_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 3},
    s3={"addressing_style": "path"},
    connect_timeout=5,
    read_timeout=960,  # a Lambda function may take its fifteen minutes
    parameter_validation=True,
)

_making = threading.Lock()
_LOADER = botocore.session.Session().get_component("data_loader")
"""It keeps every model that it has read; reading them is most of what making a client takes."""


class NotAuthorized(Exception):  # noqa: N818 - it says what happened
    """A role cannot be assumed, or may not do what an action needs."""


@dataclass(frozen=True, slots=True)
class RoleSession:
    """Credentials at work in a region."""

    boto3_session: boto3.Session
    account: str
    clients: dict[str, Any] = field(default_factory=dict, compare=False)

    @property
    def region(self) -> str:
        """The region that the session works in."""
        return str(self.boto3_session.region_name)

    def client(self, service: str) -> Any:
        """Return a client of this instance's own endpoint; making one costs 20 ms, so it is kept."""
        with _making:  # a boto3 session cannot make two clients at once, and root's are everybody's
            if service in self.clients:
                return self.clients[service]
            make: Any = self.boto3_session.client  # its stubs want each service's name as a literal
            self.clients[service] = make(service, endpoint_url=runtime.current().endpoint, config=_CONFIG)
        return self.clients[service]

    def environment(self) -> dict[str, str]:
        """Say the credentials as the environment variables that every SDK reads.

        Raises:
            NotAuthorized: The session has no credentials.
        """
        held = self.boto3_session.get_credentials()
        if held is None:
            raise NotAuthorized("no credentials")
        frozen = held.get_frozen_credentials()
        token = {"AWS_SESSION_TOKEN": frozen.token} if frozen.token else {}
        return {
            "AWS_ACCESS_KEY_ID": str(frozen.access_key),
            "AWS_SECRET_ACCESS_KEY": str(frozen.secret_key),
        } | token

    def in_region(self, region: str) -> "RoleSession":
        """Return this session at work in another region.

        Raises:
            NotAuthorized: The session has no credentials.
        """
        if region == self.region:
            return self
        held = self.boto3_session.get_credentials()
        if held is None:
            raise NotAuthorized("no credentials")
        frozen = held.get_frozen_credentials()
        session = _boto3_session(region, str(frozen.access_key), str(frozen.secret_key), frozen.token)
        return RoleSession(session, self.account)

    def assume(self, role_arn: str, session_name: str, region: str | None = None) -> "RoleSession":
        """Take on another role, as this one is allowed to and as the other trusts it.

        Raises:
            NotAuthorized: one of the two says no.
        """
        try:
            credentials = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName=session_name[:64])[
                "Credentials"
            ]
        except ClientError as error:
            raise NotAuthorized(error.response["Error"]["Message"]) from None
        session = _boto3_session(
            region or self.region,
            credentials["AccessKeyId"],
            credentials["SecretAccessKey"],
            credentials["SessionToken"],
        )
        return RoleSession(session, role_arn.split(":")[4])


@lru_cache(maxsize=64)
def root_session(scope: Scope) -> RoleSession:
    """Act as the account itself: what the service does on its own account, without a role."""
    # A twelve digit key is that account's root, whatever the secret is.
    return RoleSession(_boto3_session(scope.region, scope.account, "service"), scope.account)


def assume_for_service(scope: Scope, role_arn: str, principal: str, session_name: str) -> RoleSession:
    """Act as a service in the role that a customer gave it.

    Args:
        scope: where the service works.
        role_arn: the service role.
        principal: the service, such as `codepipeline.amazonaws.com`; the role's trust policy must name it.
        session_name: shown in the role's CloudTrail and in error messages.

    Raises:
        NotAuthorized: the role does not exist or does not trust the service.
    """
    owner = root_session(Scope(role_arn.split(":")[4], scope.region))
    if not trusts(scope, role_arn, principal):
        raise NotAuthorized(f"{principal} is not authorized to perform AssumeRole on role {role_arn}")
    return owner.assume(role_arn, session_name, scope.region)


def trusts(scope: Scope, role_arn: str, principal: str) -> bool:
    """Tell whether a role exists and its trust policy names a service."""
    owner = root_session(Scope(role_arn.split(":")[4], scope.region))
    try:
        role = owner.client("iam").get_role(RoleName=role_arn.rpartition("/")[2])["Role"]
    except ClientError:
        return False
    trust: Json = role["AssumeRolePolicyDocument"]
    document = json.loads(trust) if isinstance(trust, str) else trust
    statements = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    return any(
        statement["Effect"] == "Allow" and principal in _services(statement.get("Principal"))
        for statement in statements
    )


def _services(principal: Any) -> list[str]:
    services = principal.get("Service", []) if isinstance(principal, dict) else []
    return services if isinstance(services, list) else [services]


def require_permission(
    session: RoleSession, action: str, resource: str, context: dict[str, str] | None = None
) -> None:
    """Refuse what a role's policies do not allow; for permissions that MiniStack does not enforce by itself.

    Args:
        session: the role at work.
        action: such as `iam:PassRole`.
        resource: the ARN of what it is done to.
        context: condition keys of the request, in lower case.

    Raises:
        NotAuthorized: in AWS's words.
    """
    key = session.environment()["AWS_ACCESS_KEY_ID"]
    principal = iam_evaluator.resolve_principal(key, session.account)
    if principal.policies is None:
        return  # the account itself
    asked = iam_evaluator.EvalContext(
        principal_arn=principal.arn,
        principal_type=principal.type,
        principal_account=principal.account,
        action=action,
        resource_arn=resource,
        region=session.region,
        service_context=dict(context or {}),
        principal_keys=principal.keys,
    )
    if iam_evaluator.evaluate(asked, principal.policies, *principal.limits).decision != "Allow":
        raise NotAuthorized(
            f"User: {principal.arn} is not authorized to perform: {action} on resource: {resource} "
            f"because no identity-based policy allows the {action} action"
        )


def role_arn(scope: Scope, name_or_arn: str) -> str:
    """Return the ARN of a role of the account; that of no role is refused by whoever uses it."""
    if name_or_arn.startswith("arn:"):
        return name_or_arn
    try:
        role = root_session(scope).client("iam").get_role(RoleName=name_or_arn.rpartition("/")[2])
    except ClientError:
        return f"arn:aws:iam::{scope.account}:role/{name_or_arn}"
    return str(role["Role"]["Arn"])


def check_trust(scope: Scope, role_arn: str, service: str, refusal: str) -> None:
    """Refuse a resource whose service role the service cannot assume, as `create` calls do.

    Raises:
        ApiError: with the code `refusal`.
    """
    if not trusts(scope, role_arn, f"{service.lower()}.amazonaws.com"):
        raise ApiError(refusal, f"{service} is not authorized to perform AssumeRole on role {role_arn}")


def caller(scope: Scope) -> str:
    """Name whoever makes the current request."""
    return iam_evaluator.caller_arn() or f"arn:aws:iam::{scope.account}:root"


def _boto3_session(region: str, key: str, secret: str, token: str | None = None) -> boto3.Session:
    """Return a session with these credentials; each by itself would read botocore's service models again."""
    session = botocore.session.Session()
    session.register_component("data_loader", _LOADER)
    session.set_config_variable("region", region)
    session.set_credentials(key, secret, token)
    return boto3.Session(botocore_session=session, region_name=region)
