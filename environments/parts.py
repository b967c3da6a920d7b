"""What an environment file is made of: its network, its database, how functions, logs and releases behave."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from environments import payment_rules, rules

Account = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
Region = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$")]
Zone = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9][a-z]$")]
# CloudFormation allows 128; a Lambda version's description of 256 holds this name beside others.
StackName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,63}$")]
VpcId = Annotated[str, StringConstraints(pattern=r"^vpc-([0-9a-f]{8}|[0-9a-f]{17})$")]
AtlasProject = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{24}$")]
TopicArn = Annotated[
    str, StringConstraints(pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$")
]
"""Of a standard topic."""
DocsUrl = Annotated[str, StringConstraints(pattern=r"^https://[a-z0-9.-]+(/[A-Za-z0-9._-]+)*$")]
RoleArn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+$")]
# What a tag's value may hold (Tagging AWS resources, "Tag naming limits and requirements").
Owner = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9 .:/=+@_-]{1,256}$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Cidr = Annotated[str, AfterValidator(rules.vpc_sized_cidr)]
MongoUri = Annotated[str, AfterValidator(rules.mongodb_uri)]
PaymentMethodName = Annotated[str, AfterValidator(payment_rules.known_payment_method)]

# The values CloudWatch Logs takes: API reference, PutRetentionPolicy.
# fmt: off
RetentionDays = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192,
                        2557, 2922, 3288, 3653]
# fmt: on


CONNECTIONS_OF_A_FUNCTION: Final = 3
"""That a sandbox of the data API holds to one member at most: for its request, to watch the member (in Lambda
pymongo polls, on one connection), and one that a failover or a time-out left open."""


class Part(BaseModel):
    """A part of a file: no unknown key, no value converted in silence."""

    # Each attribute's docstring is its description in the docs, which fail to build without it.
    # What was wrong is never repeated: it might hold a password.
    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True, hide_input_in_errors=True
    )


class Network(Part):
    """The environment's own VPC; it never overlaps the database's, or the peering could not route."""

    vpc_cidr: Cidr
    """The VPC's addresses."""
    private_subnet_cidrs: Annotated[tuple[Cidr, Cidr], Field(strict=False)]
    """Two subnets in two zones, where every function and the API's endpoint are."""
    zones: Annotated[tuple[Zone, Zone], Field(strict=False)]
    """The zones of those subnets, in their order; a subnet can never move to another one."""
    public_subnet_cidr: Cidr | None = None
    """Of the NAT gateway; only with a payment method that needs the internet."""


class Database(Part):
    """Where MongoDB is, who asks for the peering, and how the data API proves who it is."""

    kind: Literal["atlas", "own_cluster"]
    """Atlas asks for the peering connection and we accept it; of a cluster of your own, we ask its owner."""
    cidr: Cidr
    """The addresses of the database's VPC: the only ones that a route and a security group lead to."""
    region: Region
    """Where that VPC is."""
    atlas_project: AtlasProject | None = None
    """The id of the Atlas project; with `atlas`."""
    vpc_id: VpcId | None = None
    """The VPC to peer with; with `own_cluster`."""
    owner_account: Account | None = None
    """Whose VPC that is; with `own_cluster`."""
    peer_role_arn: RoleArn | None = None
    """The owner's role that accepts the peering; required when the owner is another account."""
    uri: MongoUri
    """The cluster's hosts; no credentials, no database."""
    authentication: Literal["MONGODB-AWS", "SCRAM-SHA-256", "none"]
    """How the data API proves who it is: with its IAM role, which Atlas alone knows; with a user name and a
    password, to a cluster of your own; or not at all, outside of production."""
    secret_arn: Annotated[str, AfterValidator(payment_rules.secret_arn)] | None = None
    """With SCRAM-SHA-256, the secret in Secrets Manager: JSON of `username`, `password`, and where they are
    needed `auth_source` and `ca_certificates` (PEM)."""
    tls: bool
    """Whether the connection is encrypted; always in production."""
    connections: Annotated[int, Field(ge=50, le=100_000)] | None = None
    """How many connections of each member are the data API's. Its concurrency is reserved for a third of
    them, taken from the account's. Without it nothing is reserved: the API's throttling bounds it."""

    @property
    def ports(self) -> tuple[int, int]:
        """The first and the last port that its servers listen on."""
        if self.kind == "atlas":
            # MongoDB Atlas documentation, "Set Up a Network Peering Connection".
            return (27015, 27017)
        return rules.ports(self.uri)

    @property
    def data_api_concurrency(self) -> int | None:
        """How many data API functions may run at once; no bound of its own without `connections`."""
        return None if self.connections is None else self.connections // CONNECTIONS_OF_A_FUNCTION

    @property
    def connection_uri(self) -> str:
        """The URI as pymongo takes it, authentication and TLS spelled out as options; no secret in it."""
        options = [f"tls={str(self.tls).lower()}"]
        if self.authentication == "MONGODB-AWS":
            # MongoDB specification "Authentication": MONGODB-AWS users live in $external.
            options += ["authMechanism=MONGODB-AWS", "authSource=%24external"]
        return rules.with_options(self.uri, options)


class Stripe(Part):
    """Where the API key is, and for a stand-in where the API is; both only with a method that needs Stripe.

    The secret's text is the key and nothing else, encrypted with the account's key `aws/secretsmanager`.
    """

    secret_arn: Annotated[str, AfterValidator(payment_rules.secret_arn)]
    """The secret in Secrets Manager that holds the API key."""
    api_base: Annotated[str, AfterValidator(payment_rules.api_base)] | None = None
    """Where the API is, if it is not Stripe's own."""


class Functions(Part):
    """How Lambda functions run.

    `packaging` says how code gets there: a zip for each function, or one container image for all of them
    (`lambdas/Dockerfile`), which holds the zips' files and brings the same runtime.
    """

    runtime: Literal["python3.13"]
    """The newest that every dependency has wheels for."""
    architecture: Literal["arm64", "x86_64"]
    """The processor; arm64 costs less."""
    packaging: Literal["zip", "image"]
    """What a function's code is deployed as."""
    memory_mb: Annotated[int, Field(ge=128, le=10_240)]
    """Of each function, in MiB; processor time grows with it. The data API has 1,024 at least."""


class Logs(Part):
    """How long logs are kept, and how much functions say; alarms count lines of level ERROR."""

    retention_days: RetentionDays
    """How long CloudWatch Logs keeps them."""
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"]
    """From which level functions write."""


class Alarms(Part):
    """What is watched, and the SNS topics that alarms tell when they ring and when they are quiet again.

    The topics are yours. A topic that is encrypted needs a customer managed key that lets
    `cloudwatch.amazonaws.com` use it (CloudWatch user guide, "Notifying users on alarm changes").
    """

    release_only: bool = False
    """Whether its stacks have the alarms that judge a deployment alone, no dashboards and no objective."""
    page_topic_arn: TopicArn | None = None
    """Wakes somebody: money or orders are at stake now."""
    ticket_topic_arn: TopicArn | None = None
    """Is looked at in working hours."""
    docs_url: DocsUrl | None = None
    """Where the docs site of this environment is: alarms end with their runbook's address there. Without it
    they end with its path in the repository."""
    orders_expected_within_minutes: Annotated[int, Field(ge=10, le=1438)] | None = None
    """How long no order at all may end before an alarm rings; none without it. Longer than the quietest hours
    leave between two orders: at five an hour, four hours with two at most are one in two million."""


class Deployment(Part):
    """How the `live` alias moves to a new workflow version.

    AWS documentation: AWS::StepFunctions::StateMachineAlias DeploymentPreference.
    """

    type: Literal["ALL_AT_ONCE", "CANARY", "LINEAR"]
    """At once; a share first and then all; or share after share."""
    percentage: Annotated[int, Field(ge=1, le=99)] | None = None
    """The share of new orders that a step moves."""
    interval_minutes: Annotated[int, Field(ge=1, le=2100)] | None = None
    """How long a step is watched before the next."""
