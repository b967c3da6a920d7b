"""What the doctor makes of AWS's answers: each state of a stack, of credentials and of a quota."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from pipelines.core.refusals import Refused
from pipelines.doctor import quotas, run, stacks
from pipelines.doctor.findings import State
from pipelines.doctor.quotas import Quota

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.aws.accounts import Aws
    from pipelines.doctor.findings import Diagnosis

Json = dict[str, Any]
AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.fixture
def stack(aws: Aws, answers: Callable[..., None]) -> Callable[..., None]:
    """Let a stack be in a state, with outputs; it is asked for so often."""

    def answer(name: str, status: str, *outputs: str, times: int = 1) -> None:
        kept = [{"OutputKey": output, "OutputValue": f"arn:{output}"} for output in outputs]
        described = {"StackName": name, "StackStatus": status, "CreationTime": AT, "Outputs": kept}
        call = ("describe_stacks", {"StackName": name}, {"Stacks": [described]})
        answers("cloudformation", *[call] * times, client=aws.cloudformation)

    return answer


NETWORK = ("VpcId", "PrivateSubnetIds", "DataApiSecurityGroupId", "DataApiRoleArn")


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"])
def test_a_stack_that_is_there_and_says_what_is_needed_is_well(
    aws: Aws, stack: Callable[..., None], status: str
) -> None:
    name = aws.environment.network_stack
    stack(name, status, *NETWORK, times=3)
    diagnosis = stacks.network(aws)
    assert (diagnosis.state, diagnosis.says) == (State.OK, f"{name} is in {status}")


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "DELETE_COMPLETE", "UPDATE_IN_PROGRESS"])
def test_a_stack_that_is_not_whole_is_told_with_its_state(
    aws: Aws, stack: Callable[..., None], status: str
) -> None:
    name = aws.environment.network_stack
    stack(name, status)
    diagnosis = stacks.network(aws)
    assert (diagnosis.state, diagnosis.says) == (State.FAILED, f"{name} is in {status}")
    assert "payments pipeline deploy" in diagnosis.remedy


def test_a_stack_that_is_older_than_the_checkout_is_told_with_what_it_lacks(
    aws: Aws, stack: Callable[..., None]
) -> None:
    stack("bootstrap", "UPDATE_COMPLETE", "DeploymentRole", "ExecutionRole", times=3)
    diagnosis = stacks.bootstrap(aws, "bootstrap")
    assert diagnosis.state is State.FAILED
    assert diagnosis.says.endswith("it lacks InspectionRole, RuntimeBoundaryArn")


def test_a_stack_that_is_missing_is_told_with_its_account(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.aws.stacks.status", lambda _aws, _name: None)
    missing = stacks.pipelines(aws)
    assert missing.says == f"There is no stack payments-pipelines in {aws.environment.account}"
    no_connection = stacks.connection(aws)
    assert (missing.state, no_connection.state) == (State.FAILED, State.FAILED)
    assert "no pipelines, so there is no connection" in no_connection.says


@pytest.mark.parametrize(("status", "state"), [("AVAILABLE", State.OK), ("PENDING", State.FAILED)])
def test_a_connection_is_well_once_somebody_shook_hands(
    aws: Aws, answers: Callable[..., None], stack: Callable[..., None], status: str, state: State
) -> None:
    stack("payments-pipelines", "UPDATE_COMPLETE", "ConnectionArn", times=3)
    asked = {"ConnectionArn": "arn:ConnectionArn"}
    answers("codeconnections", ("get_connection", asked, {"Connection": {"ConnectionStatus": status}}))
    diagnosis = stacks.connection(aws)
    assert diagnosis.state is state
    assert f"arn:ConnectionArn is {status}" in diagnosis.says
    assert ("handshake" in diagnosis.remedy) == (state is State.FAILED)


@pytest.mark.parametrize("roles", [[], ["Role"]])
def test_the_service_linked_role_is_there_or_the_command_that_makes_it_is_told(
    aws: Aws, answers: Callable[..., None], roles: list[str]
) -> None:
    path = "/aws-service-role/application-signals.cloudwatch.amazonaws.com/"
    listed = [
        {"Path": path, "RoleName": name, "RoleId": "A" * 16, "Arn": "arn:aws:iam::1:role/x", "CreateDate": AT}
        for name in roles
    ]
    answers("iam", ("list_roles", {"PathPrefix": path}, {"Roles": listed}))
    diagnosis = stacks.service_linked_roles(aws)
    assert diagnosis.state is (State.OK if roles else State.FAILED)
    assert ("create-service-linked-role" in diagnosis.remedy) == (not roles)


def caller(account: str) -> tuple[str, Json, Json]:
    return (
        "get_caller_identity",
        {},
        {"Account": account, "Arn": f"arn:aws:iam::{account}:role/r", "UserId": "u"},
    )


def test_credentials_are_of_the_account_that_the_file_names(aws: Aws, answers: Callable[..., None]) -> None:
    mine = aws.environment.account
    answers("sts", caller(mine), caller(mine), caller("999999999999"))
    assert run.credentials(aws).says == f"arn:aws:iam::{mine}:role/r"
    assert run.account(aws).state is State.OK
    other = run.account(aws)
    assert other.state is State.FAILED
    assert other.says == f"The credentials are of account 999999999999, and environments/prod.yml says {mine}"
    assert "--profile prod=PROFILE" in other.remedy


@pytest.mark.parametrize(("code", "told"), [("ExpiredToken", True), ("AccessDenied", False)])
def test_credentials_that_aws_refuses_are_told_and_another_refusal_is_raised(
    aws: Aws, answers: Callable[..., None], code: str, told: bool
) -> None:
    answers("sts")
    answers.stubs["sts"].add_client_error("get_caller_identity", code, "the reason")  # type: ignore[attr-defined]
    if told:
        diagnosis = run.credentials(aws)
        assert diagnosis.state is State.FAILED
        assert diagnosis.says == "AWS does not take the credentials: the reason"
        assert "aws sso login" in diagnosis.remedy
    else:
        with pytest.raises(ClientError):
            run.credentials(aws)


@pytest.mark.parametrize(("used", "state"), [(7, State.OK), (8, State.FAILED)])
def test_a_quota_is_enough_when_one_more_stack_fits(aws: Aws, used: int, state: State) -> None:
    diagnosis = quotas.enough(aws, Quota("roles", lambda _: 3, lambda _: 10.0, lambda _: used))
    assert (diagnosis.state, diagnosis.says) == (state, f"{used} of 10 used, a stack needs 3")
    assert ("Ask for more" in diagnosis.remedy) == (state is State.FAILED)


def test_a_quota_that_may_not_be_asked_is_unknown(aws: Aws) -> None:
    def refuse(_: Aws) -> float:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetServiceQuota")

    diagnosis = quotas.enough(aws, Quota("roles", lambda _: 3, refuse, lambda _: 0))
    assert diagnosis.state is State.UNKNOWN
    assert "a stack needs 3" in diagnosis.remedy


@pytest.mark.parametrize(("most", "state"), [(0.0, State.FAILED), (1.0, State.OK)])
def test_a_pipeline_needs_one_build_at_once_of_each_compute_type(
    aws: Aws, answers: Callable[..., None], most: float, state: State
) -> None:
    # Given an account that may have so many builds at once; a new one may have none
    codes = ["L-596BEAB4", "L-DF544FF3", "L-5ED1D25B", "L-4DDC4A99", "L-2DC20C30"]
    asked = [{"ServiceCode": "codebuild", "QuotaCode": code} for code in codes]
    answers("service-quotas", *[("get_service_quota", each, {"Quota": {"Value": most}}) for each in asked])
    # When every quota of builds is looked at
    found = {quota.name: quotas.enough(aws, quota) for quota in quotas.BUILD_QUOTAS}
    # Then each compute type that a project has is enough, or its name is told
    machines = {"ARM/Small", "ARM/Medium", "ARM/Large", "Linux/Medium", "Linux/Large"}
    assert {name.rpartition(" ")[2] for name in found} == machines
    for name, diagnosis in found.items():
        assert (diagnosis.state, diagnosis.says) == (state, f"0 of {most:.0f} used, a pipeline needs 1")
        assert (name in diagnosis.remedy) == (state is State.FAILED)


def test_what_a_stack_needs_and_an_account_has_is_counted(aws: Aws, answers: Callable[..., None]) -> None:
    # Given an account with two stacks, 40 of 1000 roles and one private API of two
    named = {quota.name: quota for quota in quotas.QUOTAS}
    some = {"StackName": "a", "StackStatus": "CREATE_COMPLETE", "CreationTime": AT}
    limits = [{"Name": "ConcurrentResourcesLimitReached", "Value": 1}, {"Name": "StackLimit", "Value": 2000}]
    answers(
        "cloudformation",
        ("describe_account_limits", {}, {"AccountLimits": limits}),
        ("describe_stacks", {}, {"Stacks": [some, some]}),
        client=aws.cloudformation,
    )
    answers(
        "iam",
        ("get_account_summary", {}, {"SummaryMap": {"Roles": 40, "RolesQuota": 1000}}),
        ("get_account_summary", {}, {"SummaryMap": {"Roles": 40, "RolesQuota": 1000}}),
    )
    apis = [{"endpointConfiguration": {"types": [kind]}} for kind in ("PRIVATE", "REGIONAL")]
    asked = {"ServiceCode": "apigateway", "QuotaCode": "L-A966AB5C"}
    answers("apigateway", ("get_rest_apis", {}, {"items": apis}))
    answers("service-quotas", ("get_service_quota", asked, {"Quota": {"Value": 600.0}}))
    settings = {"AccountLimit": {"UnreservedConcurrentExecutions": 900}}
    answers("lambda", ("get_account_settings", {}, settings), client=aws.functions)
    # Then each is compared with what the payments stack's template has of it
    stack_quota, roles = named["stacks of CloudFormation"], named["roles of IAM"]
    assert (stack_quota.quota(aws), stack_quota.used(aws), stack_quota.needed(aws)) == (2000.0, 2, 1)
    assert (roles.quota(aws), roles.used(aws)) == (1000.0, 40)
    assert (named["private APIs"].quota(aws), named["private APIs"].used(aws)) == (600.0, 1)
    assert named["private APIs"].needed(aws) == 1
    functions = named["concurrent executions of Lambda"]
    assert (functions.quota(aws), functions.used(aws)) == (900.0, 0)
    assert 8 <= functions.needed(aws) < 50
    bounded = replace(aws, environment=aws.environment.with_database(connections=1500))
    assert functions.needed(bounded) == 500 + 100
    interfaces = named["network interfaces of Lambda in the VPC"]
    assert interfaces.needed(aws) == 3 * len(aws.environment.network.private_subnet_cidrs)


@pytest.mark.parametrize(
    ("raised", "says", "remedy"),
    [
        (Refused("no such stack", "deploy it"), "no such stack", "deploy it"),
        (Refused("no such stack"), "no such stack", "Check it yourself"),
        (
            ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "X"),
            "AccessDenied",
            "Check it yourself",
        ),
    ],
)
def test_a_check_that_could_not_be_made_is_unknown_and_never_passed(
    raised: Exception, says: str, remedy: str
) -> None:
    def question() -> Diagnosis:
        raise raised

    examination = run.Examination()
    assert examination.ask("prod", "network", question) is State.UNKNOWN
    (finding,) = examination.findings
    assert (finding.check, finding.where) == ("network", "prod")
    assert says in finding.says
    assert remedy in finding.remedy
