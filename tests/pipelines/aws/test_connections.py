"""Which AWS a command or a build speaks to, and as whom; and Stripe beside an embedded one."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from environments import schema, tools
from pipelines.aws import accounts, build_environment, embedded_stripe, stacks
from pipelines.aws.accounts import Aws, LocalAws
from pipelines.core.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = LocalAws("http://127.0.0.1:4566", "mongodb://127.0.0.1:1", "http://127.0.0.1:2")


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "MONGODB_URI", "STRIPE_API_BASE", "CODEBUILD_BUILD_ID"):
        monkeypatch.delenv(name, raising=False)


def test_the_local_environment_alone_means_the_embedded_aws_that_runs_here() -> None:
    local = accounts.connect("local", local=HERE)
    assert (local.endpoint, local.mongodb_uri, local.card_gateway) == (
        HERE.endpoint,
        HERE.mongodb_uri,
        HERE.card_gateway,
    )
    prod = accounts.connect("prod", local=HERE)
    assert (prod.endpoint, prod.mongodb_uri, prod.card_gateway) == (None, None, None)
    with pytest.raises(Refused, match="is not running"):
        accounts.connect("local")


def test_the_endpoint_asked_for_comes_before_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1111")
    assert accounts.connect("prod").endpoint == "http://127.0.0.1:1111"
    assert accounts.connect("prod", "http://127.0.0.1:2222").endpoint == "http://127.0.0.1:2222"
    assert accounts.connect_tools().endpoint == "http://127.0.0.1:1111"
    assert accounts.connect_tools("http://127.0.0.1:2222").endpoint == "http://127.0.0.1:2222"
    # What runs beside another endpoint than this one is not its database, nor its Stripe.
    elsewhere = accounts.connect("prod", local=HERE)
    assert (elsewhere.mongodb_uri, elsewhere.card_gateway) == (None, None)
    assert accounts.connect("prod", HERE.endpoint, HERE).mongodb_uri == HERE.mongodb_uri


def test_a_database_and_a_stripe_that_are_named_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONGODB_URI", "mongodb://named")
    monkeypatch.setenv("STRIPE_API_BASE", "http://named")
    named = accounts.connect("local", local=HERE)
    assert (named.mongodb_uri, named.card_gateway) == ("mongodb://named", "http://named")


def test_on_an_embedded_aws_an_account_is_its_own_root_and_impatient() -> None:
    environment = schema.load("prod")
    embedded = Aws(environment, "http://localhost:4566")
    credentials = embedded.session.get_credentials()
    assert credentials
    assert (embedded.embedded, embedded.poll_seconds) == (True, 0.1)
    assert credentials.access_key == environment.account
    assert embedded.session.region_name == environment.region
    s3: Any = embedded.s3.meta.config
    assert (s3.retries["total_max_attempts"], s3.s3["addressing_style"]) == (2, "path")


def test_on_aws_a_command_is_patient_and_whom_it_is_told_to_be(session: Any) -> None:
    acting = Aws(schema.load("prod"), acting=session)
    assert (acting.embedded, acting.poll_seconds, acting.session) == (False, 2.0, session)
    config: Any = acting.s3.meta.config
    assert (config.retries["total_max_attempts"], config.s3["addressing_style"]) == (5, "auto")
    assert config.read_timeout > 60  # the longest answer: get-activity-task
    # An endpoint that is not on this machine gets nobody's account id for an access key.
    assert not Aws(schema.load("prod"), "https://aws.example.com").embedded
    for property_name, service in (
        ("cloudformation", "cloudformation"),
        ("stepfunctions", "states"),
        ("functions", "lambda"),
        ("ec2", "ec2"),
    ):
        client = getattr(acting, property_name)
        assert client.meta.service_model.endpoint_prefix == service
    assert acting.client("sts") is acting.client("sts")


def test_the_tools_account_is_reached_by_a_builds_own_role(monkeypatch: pytest.MonkeyPatch) -> None:
    place = tools.load()
    outside = accounts.connect_tools()
    assert (outside.environment.account, outside.environment.region) == (place.account, place.region)
    assert (outside.environment.name, outside.acting) == ("tools", None)
    monkeypatch.setenv("CODEBUILD_BUILD_ID", "build:1")
    inside = accounts.connect_tools()
    assert inside.acting is not None
    assert inside.acting.region_name == place.region


def test_a_build_is_told_by_its_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    assert build_environment.variable("FOLDER", {"FOLDER": "prod"}) == "prod"
    for unset in ({}, {"FOLDER": ""}):
        with pytest.raises(Refused, match="FOLDER is not set"):
            build_environment.variable("FOLDER", unset)
    monkeypatch.setenv("CODEBUILD_INITIATOR", "codepipeline/release")
    assert build_environment.by_a_pipeline()
    assert build_environment.pipeline_name() == "release"
    monkeypatch.setenv("CODEBUILD_INITIATOR", "somebody")
    assert not build_environment.by_a_pipeline()
    with pytest.raises(Refused, match="started by somebody, not by a pipeline"):
        build_environment.pipeline_name()
    monkeypatch.delenv("CODEBUILD_INITIATOR")
    assert not build_environment.by_a_pipeline()


def test_a_build_looks_at_an_environment_as_the_role_that_is_named(
    aws: Aws, answers: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given the role's session
    monkeypatch.setenv("PROD_INSPECTION_ROLE", "arn:aws:iam::111122223333:role/inspection")
    monkeypatch.setattr(accounts, "connect_tools", lambda: aws)
    credentials = {"AccessKeyId": "ASIAKEYOFTHEROLE", "SecretAccessKey": "s", "SessionToken": "t"}
    expiry = {"Expiration": datetime(2026, 1, 1, tzinfo=UTC)}
    asked = {
        "RoleArn": "arn:aws:iam::111122223333:role/inspection",
        "RoleSessionName": "payments-build",
    }
    answers("sts", ("assume_role", asked, {"Credentials": credentials | expiry}))
    # When
    looking = build_environment.looking_at("prod")
    # Then
    assert looking.environment == schema.load("prod")
    acting = looking.session.get_credentials()
    assert acting
    assert (acting.access_key, acting.secret_key, acting.token) == ("ASIAKEYOFTHEROLE", "s", "t")
    assert looking.session.region_name == looking.environment.region


NAME, KEY = embedded_stripe.SECRET_NAME, embedded_stripe.TEST_KEY
ARN = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:payments/stripe-abcdef"


def test_stripes_key_is_made_once_beside_an_embedded_aws(aws: Aws, answers: Callable[..., None]) -> None:
    secrets = aws.client("secretsmanager")
    answers("secretsmanager", ("describe_secret", {"SecretId": NAME}, {"ARN": ARN}))
    assert embedded_stripe.ensure_secret(secrets) == ARN
    stub = answers.stubs["secretsmanager"]  # type: ignore[attr-defined]  # for a refusal
    stub.add_client_error("describe_secret", "ResourceNotFoundException")
    stub.add_response("create_secret", {"ARN": ARN}, {"Name": NAME, "SecretString": KEY})
    assert embedded_stripe.ensure_secret(secrets) == ARN


def test_an_environment_gets_the_stripe_that_is_really_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_stripe, "ensure_secret", lambda _: ARN)
    without = schema.load("prod")
    with_stripe = without.with_stripe(
        secret_arn=ARN.replace("abcdef", "others"), api_base="http://127.0.0.1:9"
    )
    on_aws = Aws(with_stripe)
    assert embedded_stripe.with_stripe(on_aws, with_stripe) is with_stripe
    embedded: Any = SimpleNamespace(
        embedded=True, card_gateway="http://127.0.0.1:2", client=lambda _: None, endpoint=HERE.endpoint
    )
    assert embedded_stripe.with_stripe(embedded, without) is without
    changed = embedded_stripe.with_stripe(embedded, with_stripe)
    assert changed.stripe
    assert (changed.stripe.secret_arn, str(changed.stripe.api_base)) == (ARN, "http://127.0.0.1:2")
    embedded.card_gateway = None
    with pytest.raises(Refused, match="No card gateway is known beside http"):
        embedded_stripe.with_stripe(embedded, with_stripe)


@pytest.mark.parametrize(
    ("environment", "command"),
    [
        ("branch", "payments pipeline status branch"),
        ("staging", "payments pipeline start release"),
        ("prod", "payments pipeline start release"),
        ("local", "payments deploy local --stack lost"),
    ],
)
def test_a_missing_stack_is_made_by_who_makes_it(environment: str, command: str) -> None:
    aws = Aws(schema.load(environment))
    assert command in stacks.how_to_deploy(aws, "lost")
    embedded = Aws(schema.load(environment), HERE.endpoint)
    at = f" --endpoint-url {HERE.endpoint}" if environment != "local" else ""
    assert stacks.how_to_deploy(embedded, "lost").endswith(f"{command}{at}")
    assert "--endpoint-url" not in stacks.how_to_deploy(aws, "lost")


def test_a_stack_that_is_not_there_has_no_outputs_and_says_where(
    aws: Aws, answers: Callable[..., None]
) -> None:
    answers("cloudformation", client=aws.cloudformation)
    stub = answers.stubs["cloudformation"]  # type: ignore[attr-defined]  # for refusals
    stub.add_client_error("describe_stacks", "ValidationError", "Stack with id lost does not exist")
    with pytest.raises(Refused, match=f"no stack lost in account {aws.environment.account}"):
        stacks.outputs(aws, "lost")
    stub.add_client_error("describe_stacks", "AccessDenied", "not authorized")
    with pytest.raises(aws.cloudformation.exceptions.ClientError, match="not authorized"):
        stacks.status(aws, "lost")


def test_the_outputs_and_resources_of_a_stack_are_told(aws: Aws, answers: Callable[..., None]) -> None:
    stack = {
        "StackName": "here",
        "CreationTime": datetime(2026, 1, 1, tzinfo=UTC),
        "StackStatus": "CREATE_COMPLETE",
        "Outputs": [{"OutputKey": "A", "OutputValue": "1"}, {"OutputKey": "B", "OutputValue": "2"}],
    }
    described = ("describe_stacks", {"StackName": "here"}, {"Stacks": [stack]})
    resource = {
        "LogicalResourceId": "X",
        "ResourceType": "AWS::SNS::Topic",
        "LastUpdatedTimestamp": datetime(2026, 1, 1, tzinfo=UTC),
        "ResourceStatus": "CREATE_COMPLETE",
    }
    listed = {"StackResourceSummaries": [resource]}
    pages = [
        ("list_stack_resources", {"StackName": "here"}, listed | {"NextToken": "2"}),
        ("list_stack_resources", {"StackName": "here", "NextToken": "2"}, listed),
    ]
    answers("cloudformation", described, described, *pages, client=aws.cloudformation)
    assert stacks.outputs(aws, "here") == {"A": "1", "B": "2"}
    assert [each["LogicalResourceId"] for each in stacks.resources(aws, "here")] == ["X", "X"]
