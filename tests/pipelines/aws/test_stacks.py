"""How long AWS is waited for, and what is said of stacks: each event once, the first failure, the counts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from environments import schema
from pipelines.aws import executions, stacks
from pipelines.aws.accounts import Aws
from pipelines.aws.stacks import StackFailed, StackRequest
from pipelines.core.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

ARN = "arn:aws:cloudformation:eu-central-1:333333333333:stack/payments/1"
SET = "arn:aws:cloudformation:eu-central-1:333333333333:changeSet/c/1"
AT = datetime(2026, 11, 30, tzinfo=UTC)
TEMPLATE = "https://s3.eu-central-1.amazonaws.com/b/t.json"
REQUEST = StackRequest("payments", TEMPLATE, {"A": "1"}, {"system": "payments"})


class Heard:
    """A reporter that keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.passed: list[str] = []

    def say(self, line: str) -> None:
        self.said.append(line)

    def passing(self, line: str) -> None:
        self.passed.append(line)


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, float]]:
    """How long each thing is waited for at most, and how often it is asked."""
    seen: list[tuple[float, float]] = []

    def wait_until(
        probe: Callable[[], Any], *, seconds: float, every: float, what: str, hint: str = ""
    ) -> Any:
        seen.append((seconds, every))
        for _ in range(9):
            if answer := probe():
                return answer
        raise AssertionError(f"{what} did not happen {hint}")

    for module in (stacks, executions):
        monkeypatch.setattr(module, "wait_until", wait_until)
    # Nobody else has tokens that are known before
    monkeypatch.setattr(stacks, "unique", lambda purpose: f"payments-{purpose}-1")
    return seen


def _event(
    number: int, resource: str, state: str, reason: str = "", operation: str = "payments-execute-1"
) -> dict[str, Any]:
    return {
        "EventId": str(number),
        "StackId": ARN,
        "StackName": "payments",
        "LogicalResourceId": resource,
        "PhysicalResourceId": ARN if resource == "payments" else resource,
        "ResourceType": "AWS::Lambda::Function",
        "Timestamp": AT,
        "ResourceStatus": state,
        "ClientRequestToken": operation,
        "ResourceStatusReason": reason,
    }


def _described(state: str) -> tuple[str, dict[str, Any], dict[str, Any]]:
    stack = {"StackName": "payments", "StackId": ARN, "CreationTime": AT, "StackStatus": state}
    return ("describe_stacks", {"StackName": "payments"}, {"Stacks": [stack]})


def _changes(*changes: tuple[str, str], kind: str = "UPDATE", template: bool = True) -> list[Any]:
    """Return the calls that make a change set, wait for it, and read it."""
    change = [
        {"ResourceChange": {"Action": action, "Replacement": replacement}} for action, replacement in changes
    ]
    made = {
        "StackName": "payments",
        "ChangeSetName": "payments-change-1",
        "ChangeSetType": kind,
        **({"TemplateURL": REQUEST.template_url} if template else {"UsePreviousTemplate": True}),
        "Parameters": [{"ParameterKey": "A", "ParameterValue": "1"}],
        "Tags": [{"Key": "system", "Value": "payments"}],
        "Capabilities": ["CAPABILITY_IAM"],
    }
    ready = {"ChangeSetName": SET}
    return [
        ("create_change_set", made, {"Id": SET}),
        ("describe_change_set", ready, {"Status": "CREATE_PENDING"}),
        ("describe_change_set", ready, {"Status": "CREATE_IN_PROGRESS"}),
        ("describe_change_set", ready, {"Status": "CREATE_COMPLETE"}),
        ("describe_change_set", ready, {"Changes": [*change, {"Type": "Resource"}]}),
        ("execute_change_set", {**ready, "ClientRequestToken": "payments-execute-1"}, {}),
    ]


def _events(*events: dict[str, Any]) -> tuple[str, dict[str, Any], dict[str, Any]]:
    return ("describe_stack_events", {"StackName": ARN}, {"StackEvents": list(events)})


def test_an_update_says_what_it_changes_and_each_event_once(
    aws: Aws, answers: Callable[..., None], waited: list[tuple[float, float]]
) -> None:
    # Given a stack that is changed, and an event that an earlier operation left
    before = _event(0, "Old", "CREATE_FAILED", "long ago", operation="another")
    first, then = _event(1, "Queue", "UPDATE_IN_PROGRESS"), _event(2, "payments", "UPDATE_IN_PROGRESS")
    end = _event(3, "payments", "UPDATE_COMPLETE")
    counts = [("Add", ""), ("Modify", "True"), ("Modify", "False"), ("Remove", "")]
    answers(
        "cloudformation",
        _described("UPDATE_COMPLETE"),
        *_changes(*counts),
        _described("UPDATE_COMPLETE"),
        _events(first, before),
        _events(end, then, first, before),
        client=aws.cloudformation,
    )
    # When
    heard = Heard()
    assert stacks.deploy(aws, REQUEST, heard) == "updated"
    # Then
    assert heard.said == ["payments: 1 to add, 2 to change, 1 of them to replace, 1 to remove"]
    assert heard.passed == [
        "payments: waiting for the change set",
        "payments: Queue UPDATE_IN_PROGRESS",
        "payments: payments UPDATE_IN_PROGRESS",
        "payments: payments UPDATE_COMPLETE",
    ]
    # A stack is waited for an hour, and asked every two seconds
    assert waited[-1] == (3600, 2)


@pytest.mark.usefixtures("waited")
def test_a_stack_that_fails_names_what_failed_first_and_not_what_was_cancelled_by_it(
    aws: Aws, answers: Callable[..., None]
) -> None:
    cancelled = _event(1, "Other", "CREATE_FAILED", "Resource creation cancelled")
    broken = _event(2, "Queue", "CREATE_FAILED", "no such key")
    later = _event(3, "Later", "CREATE_FAILED", "also broken")
    rolled = _event(4, "payments", "ROLLBACK_COMPLETE")
    answers(
        "cloudformation",
        _described("REVIEW_IN_PROGRESS"),
        *_changes(kind="CREATE"),
        _described("CREATE_IN_PROGRESS"),
        _events(rolled, later, broken, cancelled),
        client=aws.cloudformation,
    )
    heard = Heard()
    with pytest.raises(StackFailed, match="payments ended in ROLLBACK_COMPLETE") as failed:
        stacks.deploy(aws, REQUEST, heard)
    first = "Queue (AWS::Lambda::Function): no such key"
    assert failed.value.message.endswith(f"First failure: {first}")
    assert heard.said == ["payments: only tags or outputs", f"payments: {first}"]


@pytest.mark.usefixtures("waited")
@pytest.mark.parametrize(
    "reason", ["The submitted information didn't contain changes.", "No updates are to be performed."]
)
def test_a_stack_that_would_stay_as_it_is_is_left_alone(
    aws: Aws, answers: Callable[..., None], reason: str
) -> None:
    # Given a stack whose own template is kept
    create, *_ = _changes(template=False)
    refused = {"Status": "FAILED", "StatusReason": reason}
    answers(
        "cloudformation",
        _described("UPDATE_COMPLETE"),
        create,
        ("describe_change_set", {"ChangeSetName": SET}, refused),
        ("delete_change_set", {"ChangeSetName": SET}, {}),
        client=aws.cloudformation,
    )
    heard = Heard()
    kept = StackRequest("payments", None, REQUEST.parameters, REQUEST.tags)
    assert stacks.deploy(aws, kept, heard) == "unchanged"
    assert heard.said == ["payments: nothing to change"]


@pytest.mark.usefixtures("waited")
@pytest.mark.parametrize("state", ["UPDATE_COMPLETE", "REVIEW_IN_PROGRESS"])
def test_a_change_set_that_is_refused_fails_with_the_reason(
    aws: Aws, answers: Callable[..., None], state: str
) -> None:
    create, *_ = _changes(kind="CREATE" if state == "REVIEW_IN_PROGRESS" else "UPDATE")
    # A stack that is to be made cannot have nothing to change
    reason = "No updates are to be performed." if state == "REVIEW_IN_PROGRESS" else "Template format error"
    answers(
        "cloudformation",
        _described(state),
        create,
        ("describe_change_set", {"ChangeSetName": SET}, {"Status": "FAILED", "StatusReason": reason}),
        ("delete_change_set", {"ChangeSetName": SET}, {}),
        client=aws.cloudformation,
    )
    with pytest.raises(StackFailed, match=f"The change set for payments was refused: {reason}"):
        stacks.deploy(aws, REQUEST)


@pytest.mark.parametrize("state", ["UPDATE_IN_PROGRESS", "CREATE_IN_PROGRESS", "DELETE_IN_PROGRESS"])
def test_while_another_operation_is_under_way_nothing_is_asked_for(
    aws: Aws, answers: Callable[..., None], state: str
) -> None:
    answers("cloudformation", _described(state), client=aws.cloudformation)
    with pytest.raises(Refused, match=f"payments is in {state}: another operation is under way"):
        stacks.deploy(aws, REQUEST)


@pytest.mark.usefixtures("waited")
@pytest.mark.parametrize("state", ["ROLLBACK_COMPLETE", "CREATE_FAILED"])
def test_a_stack_whose_creation_failed_is_deleted_and_made_again(
    aws: Aws, answers: Callable[..., None], state: str
) -> None:
    token = {"StackName": ARN, "ClientRequestToken": "payments-delete-1"}
    answers(
        "cloudformation",
        _described(state),
        _described(state),
        _described(state),
        ("delete_stack", token, {}),
        _events(_event(1, "payments", "DELETE_COMPLETE", operation="payments-delete-1")),
        *_changes(("Add", ""), kind="CREATE"),
        _described("CREATE_IN_PROGRESS"),
        _events(_event(2, "payments", "CREATE_COMPLETE")),
        client=aws.cloudformation,
    )
    heard = Heard()
    assert stacks.deploy(aws, REQUEST, heard) == "created"
    assert heard.said == [
        f"payments is in {state} from an earlier attempt: replacing it",
        "payments: 1 to add",
    ]


def test_an_execution_is_followed_for_as_long_as_one_may_last(
    aws: Aws, answers: Callable[..., None], waited: list[tuple[float, float]]
) -> None:
    # Given an execution that has ended
    end = {"timestamp": AT, "type": "ExecutionSucceeded", "id": 1}
    asked = {"executionArn": "arn:aws:states:eu-central-1:1:execution:w:o1"}
    answers("stepfunctions", ("get_execution_history", asked, {"events": [end]}), client=aws.stepfunctions)
    # When
    [moment] = executions.follow(aws, asked["executionArn"])
    # Then it would have been waited for a year, and the day that a leap year has more
    assert moment.what == "ended"
    assert waited == [(366 * 86_400, 2)]


@pytest.mark.parametrize(
    ("endpoint", "attempts", "style"), [(None, 5, "auto"), ("http://127.0.0.1:1", 2, "path")]
)
def test_a_client_waits_longer_than_the_longest_answer_and_tries_again(
    endpoint: str | None, attempts: int, style: str
) -> None:
    # Given an account, on AWS or embedded
    aws = Aws(schema.load("prod"), endpoint)
    for client in (aws.stepfunctions, aws.s3, aws.cloudformation, aws.functions, aws.ec2, aws.client("kms")):
        config: Any = client.meta.config
        # Then GetActivityTask may take its 60 seconds, and a server that is not there is noticed in five
        assert (config.connect_timeout, config.read_timeout) == (5, 70)
        assert config.retries["total_max_attempts"] == attempts
        assert config.retries["mode"] == "standard"
        assert config.max_pool_connections == 50
        assert config.s3["addressing_style"] == style
        assert client.meta.region_name == "eu-central-1"
    assert aws.client("kms") is aws.client("kms")


def test_an_account_is_shown_without_the_credentials_that_act_for_it(aws: Aws) -> None:
    assert aws.acting is not None
    assert "acting" not in repr(aws)
    assert "Session" not in repr(aws)
