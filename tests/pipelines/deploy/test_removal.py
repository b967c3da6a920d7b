"""What is removed with an environment, in which order, and what must stay."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from environments import tools
from pipelines.aws import stacks
from pipelines.deploy import kept_resources, removal
from pipelines.deploy.removal import Kept, Removal, Stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.aws.accounts import Aws

AT = datetime(2026, 11, 29, tzinfo=UTC)
ROLE = "arn:aws:iam::333333333333:role/logging"


def refused(service: str, operation: str, code: str, answers: Any, client: Any = None) -> None:
    """Let a service refuse its next call."""
    answers(service, client=client)
    answers.stubs[service].add_client_error(operation, code, f"no: {code}")


@pytest.mark.parametrize(
    ("kind", "name", "service", "operation", "asked", "answered", "absent"),
    [
        (
            "AWS::CodeArtifact::Repository",
            "arn:aws:codeartifact:r:1:repository/dom/lib",
            "codeartifact",
            "describe_repository",
            {"domain": "dom", "repository": "lib"},
            {"repository": {"name": "lib"}},
            "ResourceNotFoundException",
        ),
        (
            "AWS::CodeArtifact::Domain",
            "arn:aws:codeartifact:r:1:domain/dom",
            "codeartifact",
            "describe_domain",
            {"domain": "dom"},
            {"domain": {"name": "dom"}},
            "ResourceNotFoundException",
        ),
        (
            "AWS::CodeConnections::Connection",
            "arn:aws:codeconnections:eu-central-1:111122223333:connection/1",
            "codeconnections",
            "get_connection",
            {"ConnectionArn": "arn:aws:codeconnections:eu-central-1:111122223333:connection/1"},
            {"Connection": {"ConnectionName": "c"}},
            "ResourceNotFoundException",
        ),
        (
            "AWS::ECR::Repository",
            "images",
            "ecr",
            "list_images",
            {"repositoryName": "images"},
            {"imageIds": [{"imageTag": "1"}]},
            "RepositoryNotFoundException",
        ),
        (
            "AWS::IAM::Role",
            "logging",
            "iam",
            "get_role",
            {"RoleName": "logging"},
            {
                "Role": {
                    "RoleName": "logging",
                    "Arn": ROLE,
                    "Path": "/",
                    "RoleId": "AROAOFTHEROLEOFLOGS",
                    "CreateDate": AT,
                }
            },
            "NoSuchEntity",
        ),
        (
            "AWS::KMS::Key",
            "key-1",
            "kms",
            "describe_key",
            {"KeyId": "key-1"},
            {"KeyMetadata": {"KeyId": "key-1", "KeyState": "Enabled"}},
            "NotFoundException",
        ),
        ("AWS::S3::Bucket", "data", "s3", "head_bucket", {"Bucket": "data"}, {"BucketRegion": "r"}, "404"),
    ],
)
def test_what_is_there_is_told_from_what_is_gone(  # noqa: PLR0917 - a column each
    aws: Aws,
    answers: Callable[..., None],
    kind: str,
    name: str,
    service: str,
    operation: str,
    asked: Any,
    answered: Any,
    absent: str,
) -> None:
    client = aws.s3 if service == "s3" else None
    answers(service, (operation, asked, answered), client=client)
    assert not kept_resources.gone(aws, kind, name)
    refused(service, operation, absent, answers, client)
    assert kept_resources.gone(aws, kind, name)
    # What AWS refuses to say is not taken for gone.
    refused(service, operation, "AccessDenied", answers, client)
    with pytest.raises(ClientError, match="AccessDenied"):
        kept_resources.gone(aws, kind, name)


def test_a_key_that_waits_for_its_deletion_and_a_group_of_another_name_are_gone(
    aws: Aws, answers: Callable[..., None]
) -> None:
    pending = {"KeyMetadata": {"KeyId": "key-1", "KeyState": "PendingDeletion"}}
    answers("kms", ("describe_key", {"KeyId": "key-1"}, pending))
    assert kept_resources.gone(aws, "AWS::KMS::Key", "key-1")
    groups = {"logGroups": [{"logGroupName": "/orders-of-another"}]}
    answers("logs", ("describe_log_groups", {"logGroupNamePrefix": "/orders"}, groups))
    assert kept_resources.gone(aws, "AWS::Logs::LogGroup", "/orders")
    groups["logGroups"].append({"logGroupName": "/orders"})
    answers("logs", ("describe_log_groups", {"logGroupNamePrefix": "/orders"}, groups))
    assert not kept_resources.gone(aws, "AWS::Logs::LogGroup", "/orders")


@pytest.mark.parametrize(
    ("kind", "name", "service", "operation", "asked"),
    [
        (
            "AWS::CodeArtifact::Repository",
            "arn:aws:codeartifact:r:1:repository/dom/lib",
            "codeartifact",
            "delete_repository",
            {"domain": "dom", "repository": "lib"},
        ),
        ("AWS::CodeArtifact::Domain", "arn:x/dom", "codeartifact", "delete_domain", {"domain": "dom"}),
        (
            "AWS::CodeConnections::Connection",
            "arn:aws:codeconnections:eu-central-1:111122223333:connection/1",
            "codeconnections",
            "delete_connection",
            {"ConnectionArn": "arn:aws:codeconnections:eu-central-1:111122223333:connection/1"},
        ),
        (
            "AWS::ECR::Repository",
            "images",
            "ecr",
            "delete_repository",
            {"repositoryName": "images", "force": True},
        ),
        (
            "AWS::KMS::Key",
            "key-1",
            "kms",
            "schedule_key_deletion",
            {"KeyId": "key-1", "PendingWindowInDays": 30},
        ),
        ("AWS::Logs::LogGroup", "/orders", "logs", "delete_log_group", {"logGroupName": "/orders"}),
    ],
)
def test_each_kind_is_removed_by_its_own_call(  # noqa: PLR0917 - a column each
    aws: Aws, answers: Callable[..., None], kind: str, name: str, service: str, operation: str, asked: Any
) -> None:
    answers(service, (operation, asked, {}))
    assert kept_resources.REMOVED[kind].remove(aws, name) == ""


def test_a_bucket_is_emptied_of_every_version_before_it_goes(aws: Aws, answers: Callable[..., None]) -> None:
    mine = {"Bucket": "data"}
    first = {
        "Versions": [{"Key": "a", "VersionId": "1"}, {"Key": "a", "VersionId": "2"}],
        "DeleteMarkers": [{"Key": "b", "VersionId": "3"}],
        "IsTruncated": True,
        "NextKeyMarker": "b",
        "NextVersionIdMarker": "3",
    }
    emptied = [{"Key": "a", "VersionId": "1"}, {"Key": "a", "VersionId": "2"}, {"Key": "b", "VersionId": "3"}]
    answers(
        "s3",
        ("delete_bucket_policy", mine, {}),
        ("list_object_versions", mine, first),
        ("delete_objects", mine | {"Delete": {"Objects": emptied, "Quiet": True}}, {}),
        ("list_object_versions", mine | {"KeyMarker": "b", "VersionIdMarker": "3"}, {"IsTruncated": False}),
        ("delete_bucket", mine, {}),
        client=aws.s3,
    )
    assert kept_resources.REMOVED["AWS::S3::Bucket"].remove(aws, "data") == ""


def _role(answers: Callable[..., None]) -> None:
    described = {"RoleName": "logging", "Arn": ROLE, "Path": "/", "RoleId": "AROAOFTHEROLEOFLOGS"}
    answers("iam", ("get_role", {"RoleName": "logging"}, {"Role": described | {"CreateDate": AT}}))


def _goes(answers: Callable[..., None]) -> None:
    policy = "arn:aws:iam::aws:policy/Push"
    answers(
        "iam",
        (
            "list_attached_role_policies",
            {"RoleName": "logging"},
            {"AttachedPolicies": [{"PolicyArn": policy}]},
        ),
        ("detach_role_policy", {"RoleName": "logging", "PolicyArn": policy}, {}),
        ("delete_role", {"RoleName": "logging"}, {}),
    )


def test_the_role_that_api_gateway_logs_with_goes_after_the_last_api(
    aws: Aws, answers: Callable[..., None]
) -> None:
    remove = kept_resources.REMOVED["AWS::IAM::Role"].remove
    # Given that APIs still log with it
    _role(answers)
    answers(
        "apigateway",
        ("get_account", {}, {"cloudwatchRoleArn": ROLE}),
        ("get_rest_apis", {}, {"items": [{"id": "a"}, {"id": "b"}]}),
    )
    assert remove(aws, "logging").startswith("2 APIs of this account and region are there")
    # When none is left, the account's setting goes with it
    _role(answers)
    _goes(answers)
    change = {"op": "replace", "path": "/cloudwatchRoleArn", "value": ""}
    answers(
        "apigateway",
        ("get_account", {}, {"cloudwatchRoleArn": ROLE}),
        ("get_rest_apis", {}, {"items": []}),
        ("update_account", {"patchOperations": [change]}, {}),
    )
    assert remove(aws, "logging") == ""
    # And where the account logs with another role, that setting stays
    _role(answers)
    _goes(answers)
    answers("apigateway", ("get_account", {}, {"cloudwatchRoleArn": f"{ROLE}-of-others"}))
    assert remove(aws, "logging") == ""


def listed(*named: tuple[str, str]) -> tuple[str, dict[str, Any], dict[str, Any]]:
    summaries = [
        {
            "StackName": name,
            "StackId": f"arn:{name}:{number}",
            "CreationTime": AT,
            "StackStatus": status,
        }
        for number, (name, status) in enumerate(named)
    ]
    return ("list_stacks", {}, {"StackSummaries": summaries})


def test_stacks_go_from_the_last_to_the_first_and_all_that_they_keep_is_found(
    aws: Aws, answers: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given production's three stacks, one that somebody deleted, and another system's
    settings, environment = tools.load(), aws.environment
    payments, network = environment.default_stack, environment.network_stack
    bootstrap = settings.bootstrap_of(environment.name)
    stacks_there = listed(
        (bootstrap, "CREATE_COMPLETE"),
        (network, "UPDATE_COMPLETE"),
        (payments, "CREATE_COMPLETE"),
        (payments, "DELETE_COMPLETE"),
        ("website", "CREATE_COMPLETE"),
    )
    kept = {
        "Data": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain"},
        "Logs": {"Type": "AWS::Logs::LogGroup", "DeletionPolicy": "RetainExceptOnCreate"},
        "Gone": {"Type": "AWS::Logs::LogGroup", "DeletionPolicy": "Delete"},
        "Version": {"Type": "AWS::Lambda::Version", "DeletionPolicy": "Retain"},
    }
    templates = {
        payments: kept,
        network: {"Key": {"Type": "AWS::KMS::Key", "DeletionPolicy": "Retain"}},
        bootstrap: {},
    }

    def resources(_: Aws, identifier: str) -> list[dict[str, str]]:
        name = identifier.split(":")[1]
        return [
            {"LogicalResourceId": part, "ResourceType": body["Type"], "PhysicalResourceId": f"{part}-{name}"}
            for part, body in templates[name].items()
        ]

    monkeypatch.setattr(stacks, "resources", resources)
    monkeypatch.setattr(removal, "gone", lambda _aws, _kind, name: name == f"Logs-{payments}")
    skipped = [
        {
            "StackId": "s",
            "EventId": str(number),
            "StackName": payments,
            "Timestamp": AT,
            "ResourceStatus": status,
            "ResourceType": kind,
            "PhysicalResourceId": name,
        }
        for number, (status, kind, name) in enumerate(
            (
                ("DELETE_SKIPPED", "AWS::S3::Bucket", "left-behind"),
                ("DELETE_COMPLETE", "AWS::S3::Bucket", "really-deleted"),
                ("DELETE_SKIPPED", "AWS::S3::Bucket", f"Data-{payments}"),
                ("DELETE_SKIPPED", "AWS::SNS::Topic", "unknown kind"),
                ("DELETE_SKIPPED", "AWS::S3::Bucket", ""),
            )
        )
    ]
    template = {"TemplateBody": json.dumps({"Resources": kept})}
    described = {
        "StackName": "website",
        "CreationTime": AT,
        "StackStatus": "CREATE_COMPLETE",
        "Tags": [{"Key": "system", "Value": "website"}],
    }
    answers(
        "cloudformation",
        stacks_there,
        ("get_template", {"StackName": f"arn:{payments}:2"}, template),
        ("describe_stack_events", {"StackName": f"arn:{payments}:3"}, {"StackEvents": skipped}),
        (
            "get_template",
            {"StackName": f"arn:{network}:1"},
            {"TemplateBody": json.dumps({"Resources": templates[network]})},
        ),
        ("get_template", {"StackName": f"arn:{bootstrap}:0"}, {"TemplateBody": "{}"}),
        stacks_there,
        ("describe_stacks", {"StackName": "arn:website:4"}, {"Stacks": [described]}),
        client=aws.cloudformation,
    )
    # When
    found = removal.find(aws, settings)
    # Then
    assert [stack.name for stack in found.stacks] == [payments, network, bootstrap]
    assert [(resource.kind, resource.name, resource.stack) for resource in found.kept] == [
        ("AWS::KMS::Key", f"Key-{network}", network),
        ("AWS::S3::Bucket", f"Data-{payments}", payments),
        ("AWS::S3::Bucket", "left-behind", payments),
        ("AWS::S3::Bucket", f"payments-templates-{environment.account}-{environment.region}", ""),
    ]


def test_the_bucket_of_templates_stays_while_another_stack_of_ours_is_there(
    aws: Aws, answers: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "gone", lambda *_: False)
    ours = {
        "StackName": "payments-other",
        "CreationTime": AT,
        "StackStatus": "CREATE_COMPLETE",
        "Tags": [{"Key": "system", "Value": "payments"}],
    }
    there = listed(("payments-of-other", "CREATE_COMPLETE"))
    answers(
        "cloudformation",
        there,
        there,
        ("describe_stacks", {"StackName": "arn:payments-of-other:0"}, {"Stacks": [ours]}),
        client=aws.cloudformation,
    )
    assert removal.find(aws, tools.load()) == Removal([], [])


def test_events_that_cloudformation_has_forgotten_keep_nothing(
    aws: Aws, answers: Callable[..., None]
) -> None:
    old = Stack("payments-prod", "arn:old", live=False)
    answers("cloudformation", client=aws.cloudformation)
    stub = answers.stubs["cloudformation"]  # type: ignore[attr-defined]  # for refusals
    stub.add_client_error("describe_stack_events", "ValidationError", "Stack [arn:old] does not exist")
    assert list(removal._kept(aws, old)) == []
    stub.add_client_error("describe_stack_events", "AccessDenied", "not authorized")
    with pytest.raises(ClientError, match="not authorized"):
        list(removal._kept(aws, old))


def _removing(reason: str) -> Callable[[Aws, str], str]:
    return lambda _aws, _name: reason


def test_stacks_go_before_what_they_kept_and_what_must_stay_is_told(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    class Notes:
        def say(self, line: str) -> None:
            told.append(line)

        def passing(self, line: str) -> None:
            """Nothing worth remembering."""

    monkeypatch.setattr(stacks, "delete", lambda _aws, name, _reporter: told.append(f"delete {name}"))
    for kind, reason in (("AWS::KMS::Key", ""), ("AWS::IAM::Role", "2 APIs are there")):
        changed = kept_resources.Kind(lambda *_: True, _removing(reason))
        monkeypatch.setitem(kept_resources.REMOVED, kind, changed)
    stays = removal.remove(
        aws,
        Removal(
            [Stack("one", "arn:one", live=True), Stack("two", "arn:two", live=True)],
            [Kept("AWS::KMS::Key", "key-1", "one"), Kept("AWS::IAM::Role", "logging", "one")],
        ),
        Notes(),
    )
    assert told == [
        "delete one",
        "one is deleted",
        "delete two",
        "two is deleted",
        "AWS::KMS::Key key-1 is removed",
    ]
    assert stays == ["AWS::IAM::Role logging stays: 2 APIs are there"]


def test_the_tools_are_an_account_of_their_own() -> None:
    settings = tools.load()
    assert removal.connect("tools", settings, None).environment.account == settings.account
    assert removal.connect("prod", settings, "http://127.0.0.1:1").endpoint == "http://127.0.0.1:1"
    of_tools = removal._names(removal.connect("tools", settings, None), settings)
    assert of_tools == [tools.PIPELINES_STACK, tools.PREVIEWS_STACK, tools.DOCS_STACK]
