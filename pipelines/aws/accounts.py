"""Which AWS a command speaks to, as whom, and with what patience: an environment's, or the tools account.

The embedded AWS is only another endpoint: the same boto3 clients, with an account id for an access key (that
account's root) where the endpoint is on this machine. The tools account, where the pipelines live, is no
environment, but reached like one.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config

from environments import schema
from environments import tools as tools_file
from pipelines.core.refusals import Refused

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_ec2 import EC2Client
    from types_boto3_lambda import LambdaClient
    from types_boto3_s3 import S3Client
    from types_boto3_stepfunctions import SFNClient

    from environments.tools import Tools

_THIS_MACHINE: Final = {"127.0.0.1", "::1", "localhost"}
_NO_FILES: Final = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
"""Variables of a session that reads no profile: a broken one must not keep anybody from the embedded AWS."""
_LOADER: Final = botocore.session.Session(session_vars=_NO_FILES).get_component("data_loader")
"""It keeps every service model that it has read; reading them is most of what making a client takes."""


def session(
    region: str, key: str | None = None, secret: str | None = None, token: str | None = None
) -> boto3.Session:
    """Return a session in a region, with these credentials or the machine's own; all share one loader."""
    own = botocore.session.Session(session_vars=None if key is None else _NO_FILES)
    own.register_component("data_loader", _LOADER)
    own.set_config_variable("region", region)
    if key is not None and secret is not None:
        own.set_credentials(key, secret, token)
    return boto3.Session(botocore_session=own, region_name=region)


@dataclass(frozen=True)
class Aws:
    """One environment's account and region, reached through one endpoint.

    Attributes:
        environment: What the environment's file says.
        endpoint: The address of an embedded AWS, or none for AWS itself.
        mongodb_uri: The MongoDB of the embedded AWS; on AWS the environment's file names the database.
        acting: Credentials to use instead of the caller's own, as those of a role that was taken on.
        card_gateway: The URL of the embedded AWS's Stripe; on AWS the environment's file says where it is.
        mongodb_secret: The ARN of the secret that logs in to the MongoDB beside an embedded AWS, over TLS;
            none where it asks for no password.
    """

    environment: schema.Environment
    endpoint: str | None = None
    mongodb_uri: str | None = None
    acting: boto3.Session | None = field(default=None, repr=False)
    card_gateway: str | None = None
    mongodb_secret: str | None = None

    @property
    def embedded(self) -> bool:
        """Whether this is an embedded AWS on this machine."""
        return self.endpoint is not None and urlsplit(self.endpoint).hostname in _THIS_MACHINE

    @property
    def poll_seconds(self) -> float:
        """How long to wait between two looks at something that takes its time."""
        return 0.1 if self.embedded else 2.0

    @cached_property
    def session(self) -> boto3.Session:
        """A session in the environment's region; on AWS, with the caller's own credentials."""
        if self.acting is not None:
            return self.acting
        if not self.embedded:
            return session(self.environment.region)
        # Any word is right for a secret; the embedded AWS checks ids only.
        return session(self.environment.region, self.environment.account, "embedded")

    @cached_property
    def _config(self) -> Config:
        return Config(
            connect_timeout=5,
            read_timeout=70,  # longer than get-activity-task's 60 s, the longest answer of any call we make
            # An embedded AWS that does not answer is not running; there is nothing to wait for.
            retries={"mode": "standard", "total_max_attempts": 2 if self.embedded else 5},
            s3={"addressing_style": "path" if self.embedded else "auto"},
            max_pool_connections=50,
        )

    def client(self, service: str) -> Any:
        """A client of a service that no stubs are installed for, so it is untyped."""
        if service not in self._clients:
            make: Any = self.session.client
            self._clients[service] = make(service, endpoint_url=self.endpoint, config=self._config)
        return self._clients[service]

    @cached_property
    def _clients(self) -> dict[str, Any]:
        """Clients that were made already: one takes longer to make than most calls."""
        return {}

    @cached_property
    def cloudformation(self) -> CloudFormationClient:
        """Stacks and change sets."""
        return self.session.client("cloudformation", endpoint_url=self.endpoint, config=self._config)

    @cached_property
    def stepfunctions(self) -> SFNClient:
        """State machines and executions."""
        return self.session.client("stepfunctions", endpoint_url=self.endpoint, config=self._config)

    @cached_property
    def s3(self) -> S3Client:
        """Artifact buckets."""
        return self.session.client("s3", endpoint_url=self.endpoint, config=self._config)

    @cached_property
    def functions(self) -> LambdaClient:
        """Lambda functions."""
        return self.session.client("lambda", endpoint_url=self.endpoint, config=self._config)

    @cached_property
    def ec2(self) -> EC2Client:
        """Networks."""
        return self.session.client("ec2", endpoint_url=self.endpoint, config=self._config)


@dataclass(frozen=True, slots=True)
class LocalAws:
    """An embedded AWS that runs on this machine, as the command line knows it.

    Attributes:
        endpoint: Its address.
        mongodb_uri: Its MongoDB.
        card_gateway: The URL of its Stripe, where one is installed.
    """

    endpoint: str
    mongodb_uri: str
    card_gateway: str | None


def connect(environment_name: str, endpoint_url: str | None = None, local: LocalAws | None = None) -> Aws:
    """Return the AWS of an environment.

    The endpoint is the one asked for, else AWS_ENDPOINT_URL, else, for the environment `local` alone,
    the embedded AWS that runs here. Every other environment means AWS itself, so that nothing meant for
    AWS ever lands on a laptop by accident, nor the other way round.

    Args:
        environment_name: The environment.
        endpoint_url: The endpoint asked for.
        local: The embedded AWS that `payments up` started, if it runs.

    Raises:
        EnvironmentInvalid: There is no such environment, or its file breaks a rule.
        Refused: The environment is local and no embedded AWS is running.
    """
    environment = schema.load(environment_name)
    endpoint = endpoint_url or os.environ.get("AWS_ENDPOINT_URL")
    if endpoint is None and environment_name == "local":
        if local is None:
            raise Refused("The embedded AWS is not running.", "payments up")
        endpoint = local.endpoint
    beside = local if local and local.endpoint == endpoint else None
    mongodb_uri = os.environ.get("MONGODB_URI") or (beside.mongodb_uri if beside else None)
    card_gateway = os.environ.get("STRIPE_API_BASE") or (beside.card_gateway if beside else None)
    return Aws(environment, endpoint, mongodb_uri, card_gateway=card_gateway)


PIPELINES_STACK: Final = tools_file.PIPELINES_STACK
DOCS_STACK: Final = tools_file.DOCS_STACK
PREVIEWS_STACK: Final = tools_file.PREVIEWS_STACK
"""The docs of branches, on an origin of their own."""
IN_A_BUILD: Final = "CODEBUILD_BUILD_ID"
"""CodeBuild sets it (user guide, "Environment variables in build environments")."""


def connect_tools(endpoint_url: str | None = None, tools: Tools | None = None) -> Aws:
    """Return the tools account at an endpoint, else at AWS_ENDPOINT_URL, else on AWS.

    In a build its own role is used; elsewhere the caller's credentials, or on the embedded AWS the
    account's root.
    """
    tools = tools or tools_file.load()
    # Everything that an environment says beyond account and region is the systems', not the tools'.
    place = {"name": "tools", "account": tools.account, "region": tools.region}
    environment = schema.load("branch").model_copy(update=place)
    own = session(tools.region) if IN_A_BUILD in os.environ else None
    return Aws(environment, endpoint_url or os.environ.get("AWS_ENDPOINT_URL"), acting=own)
