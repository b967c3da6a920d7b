"""What experiments on a lent account ask of AWS, and what the functions and simulations of the doctor do."""

from __future__ import annotations

import json
import shutil
import subprocess
from contextlib import ExitStack
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError

from environments import schema
from environments import tools as tools_file
from pipelines.aws import stacks
from pipelines.core.refusals import Refused
from pipelines.definitions import bootstrap_stack
from pipelines.definitions.bootstrap_stack import RUNTIME_BOUNDARY
from pipelines.doctor import lent_account, network, quotas, reachability, run, simulation
from pipelines.doctor.experiments import alarms, roles
from pipelines.doctor.findings import State

if TYPE_CHECKING:
    from collections.abc import Callable

PROD = schema.load("prod")


def _refusal(code: str, message: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Call")


class Iam:
    """IAM that takes policies of so many characters, white space not counted."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self.sizes: list[int] = []
        self.made: list[str] = []

    def create_policy(self, PolicyName: str, PolicyDocument: str) -> Any:  # noqa: N803 - boto3's names
        json.loads(PolicyDocument)
        self.sizes.append(len("".join(PolicyDocument.split())))
        if self.sizes[-1] > self._longest:
            raise _refusal("LimitExceeded", f"Cannot exceed quota for PolicySize: {self._longest}")
        self.made.append(PolicyName)
        return {"Policy": {"Arn": f"arn:{PolicyName}"}}

    def delete_policy(self, PolicyArn: str) -> None:  # noqa: N803 - boto3's name
        self.made.remove(PolicyArn.removeprefix("arn:"))


def _lent(**clients: Any) -> Any:
    names = iter(f"payments-prove-{number}" for number in range(9))
    return SimpleNamespace(
        aws=SimpleNamespace(client=clients.get), undo=ExitStack(), name=lambda: next(names)
    )


@pytest.mark.parametrize(("longest", "state"), [(6144, State.OK), (6145, State.FAILED)])
def test_a_policy_of_the_quota_is_made_and_one_character_more_is_refused(longest: int, state: State) -> None:
    # Given IAM with a quota
    iam = Iam(longest)
    lent = _lent(iam=iam)
    # When
    with lent.undo:
        diagnosis = roles.policy_size(lent)
    # Then both sizes were tried, and nothing is left
    assert diagnosis.state is state
    assert iam.sizes == [6144, 6145]
    assert iam.made == []


def test_composite_alarms_are_asked_for_beside_metric_alarms_of_this_stack_alone() -> None:
    # Given CloudWatch with alarms of others
    class CloudWatch:
        def describe_alarms(self, AlarmNames: Any = None, AlarmTypes: Any = ("MetricAlarm",)) -> Any:  # noqa: N803 - boto3's names
            named = AlarmNames or ["payments-prove-c", "of-somebody-else"]
            composite = [name for name in named if not name.endswith("-m")]
            return {"CompositeAlarms": composite if "CompositeAlarm" in AlarmTypes else []}

    templates: list[Any] = []
    lent = _lent(cloudwatch=CloudWatch())

    def stack(resources: Any) -> str:
        templates.append(resources)
        return "stack"

    lent.stack = stack
    arns = {"Metric": "payments-prove-m", "Composite": "arn:aws:cloudwatch:r:1:alarm:payments-prove-c"}
    lent.physical_ids = lambda _: arns
    # When
    diagnosis = alarms.alarm_types(lent)
    # Then
    assert (diagnosis.state, diagnosis.says) == (
        State.OK,
        "composite alarms unasked and asked for: [0, 1]",
    )
    # CloudWatch takes periods of whole minutes (API reference, PutMetricAlarm)
    [template] = templates
    assert template["Metric"]["Properties"]["Period"] % 60 == 0


def _pages(key: str, entries: list[Any]) -> Any:
    return SimpleNamespace(paginate=lambda **_: iter([{key: entries[:1]}, {key: entries[1:]}]))


def test_private_apis_are_counted_on_every_page() -> None:
    apis = [
        {"endpointConfiguration": {"types": [kind]}}
        for kind in ("PRIVATE", "EDGE", "REGIONAL", "PRIVATE", "EDGE")
    ]
    gateway = SimpleNamespace(get_paginator=lambda _: _pages("items", apis))
    aws = cast("Any", SimpleNamespace(client=lambda _: gateway))
    assert quotas._private_apis(aws) == 2


@pytest.mark.parametrize(("cidr", "addresses"), [(None, 0), ("10.43.32.0/24", 1)])
def test_an_address_is_needed_where_there_is_a_way_to_the_internet(
    monkeypatch: pytest.MonkeyPatch, cidr: str | None, addresses: int
) -> None:
    place = PROD.network.model_copy(update={"public_subnet_cidr": cidr})
    aws: Any = SimpleNamespace(environment=PROD.model_copy(update={"network": place}))
    [quota] = [quota for quota in quotas.QUOTAS if quota.name == "elastic IP addresses"]
    monkeypatch.setattr(stacks, "status", lambda *_: None)
    assert quota.needed(aws) == addresses
    # Where the network is there, it has its address
    monkeypatch.setattr(stacks, "status", lambda *_: "CREATE_COMPLETE")
    assert quota.needed(aws) == 0


def test_a_git_that_does_not_run_is_told_with_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    def ran(arguments: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        # Somebody who asks for it gets an exception instead of an answer
        assert not options.get("check")
        return subprocess.CompletedProcess(arguments, 127, "", "a library is missing\n")

    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/git")
    monkeypatch.setattr(subprocess, "run", ran)
    diagnosis = run.git()
    assert (diagnosis.state, diagnosis.says) == (
        State.FAILED,
        "/usr/bin/git does not run: a library is missing",
    )
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert run.git().says == "There is no git on the PATH"


@pytest.mark.parametrize(("environment", "promoted"), [("local", False), ("branch", True), ("prod", True)])
def test_an_environment_is_asked_everything_that_a_deployment_of_it_needs(
    environment: str, promoted: bool
) -> None:
    aws = cast("Any", SimpleNamespace(environment=schema.load(environment)))
    checks = [check for check, _ in run._checks(aws, "bootstrap")]
    bootstrap = ["bootstrap stack", "service-linked roles", "execution role"]
    always = [
        "network stack",
        "peering accepted",
        "route to the database",
        "route back",
        "names of the database",
        "payment methods",
        "addresses",
        *(f"quota: {quota.name}" for quota in quotas.QUOTAS),
        "database",
    ]
    is_promoted = any(check in checks for check in bootstrap)
    assert checks == (bootstrap if is_promoted else []) + always
    assert is_promoted or not promoted


def test_environments_that_share_a_database_are_told_apart_by_their_addresses() -> None:
    # Given a cluster that is known by its VPC, and one that is known by its project
    own = schema.load("branch")
    for mine in (PROD, own):
        twin = mine.model_copy(update={"name": "twin"})
        assert network.shared_with(mine, [mine, twin]) == twin
        elsewhere = twin.network.model_copy(update={"vpc_cidr": "10.250.0.0/16"})
        assert network.shared_with(mine, [twin.model_copy(update={"network": elsewhere})]) is None
    # Then another database at the same addresses is nobody's business
    assert network.shared_with(PROD, [own.model_copy(update={"network": PROD.network})]) is None
    other = PROD.database.model_copy(update={"atlas_project": "6543210fedcba987654321ff"})
    assert network.shared_with(PROD, [PROD.model_copy(update={"name": "twin", "database": other})]) is None


def test_what_experiments_left_is_named_and_what_is_somebody_elses_is_not() -> None:
    ours = f"{lent_account.PREFIX}1"
    listed = [
        {"StackName": ours, "StackStatus": "DELETE_FAILED"},
        {"StackName": f"{ours}-gone", "StackStatus": "DELETE_COMPLETE"},
        {"StackName": "payments-prod", "StackStatus": "CREATE_COMPLETE"},
    ]
    groups = [{"logGroupName": f"{ours}-Group"}]
    policies = [{"PolicyName": f"{ours}-policy"}, {"PolicyName": "of-somebody-else"}]
    pipelines = [{"name": "payments-release"}, {"name": f"{ours}-pipeline"}]
    clients = {
        "logs": SimpleNamespace(get_paginator=lambda _: _pages("logGroups", groups)),
        "iam": SimpleNamespace(get_paginator=lambda _: _pages("Policies", policies)),
        "codepipeline": SimpleNamespace(get_paginator=lambda _: _pages("pipelines", pipelines)),
    }
    cloudformation = SimpleNamespace(get_paginator=lambda _: _pages("Stacks", listed))
    aws = cast("Any", SimpleNamespace(cloudformation=cloudformation, client=clients.get))
    assert lent_account.left_behind(aws) == [
        ours,
        f"{ours}-Group",
        f"{ours}-pipeline",
        f"{ours}-policy",
    ]


class Simulated:
    """IAM's simulation: denies some actions, each by somebody; answers fifty at once."""

    def __init__(self, denied: dict[str, dict[str, Any]]) -> None:
        self._denied = denied
        self.asked: list[str] = []

    def simulate_principal_policy(self, **asked: Any) -> Any:
        assert 0 < len(asked["ActionNames"]) <= 50
        self.asked += asked["ActionNames"]
        return {
            "EvaluationResults": [
                {
                    "EvalActionName": action,
                    "EvalDecision": "implicitDeny" if action in self._denied else "allowed",
                    **self._denied.get(action, {}),
                }
                for action in asked["ActionNames"]
            ]
        }


def _role_actions() -> list[str]:
    """Return every action that the execution role's template allows in its own account."""
    tools = tools_file.load()
    role = bootstrap_stack.build(tools, PROD).resources["ExecutionRole"].to_dict()
    return [
        action
        for policy in role["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow" and tools.account not in str(statement)
        for action in statement["Action"]
    ]


@pytest.mark.parametrize("denied", [0, 1, 5, 7])
def test_each_action_of_the_execution_role_is_asked_and_those_denied_are_named_with_by_whom(
    monkeypatch: pytest.MonkeyPatch, denied: int
) -> None:
    # Given IAM that denies some of its actions
    actions = sorted(set(_role_actions()))
    reasons: list[dict[str, Any]] = [
        {"OrganizationsDecisionDetail": {"AllowedByOrganizations": False}},
        {"PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": False}},
        {},
    ]
    words = ("by the organization", "by its boundary", "by its policies")
    iam = Simulated({action: reasons[number % 3] for number, action in enumerate(actions[:denied])})
    outputs = {"ExecutionRole": "arn:aws:iam::1:role/Execution", "RuntimeBoundaryArn": "arn:boundary"}
    monkeypatch.setattr(stacks, "outputs", lambda *_: outputs)
    aws: Any = SimpleNamespace(environment=PROD, client=lambda _: iam)
    # When
    diagnosis = simulation.execution_role(aws, "bootstrap", tools_file.load())
    # Then all were asked
    assert set(iam.asked) == set(actions)
    if not denied:
        assert diagnosis.says == f"IAM allows all {len(_role_actions())} actions of Execution"
        return
    # And the first five are named
    named = [f"{action} ({words[number % 3]})" for number, action in enumerate(actions[:denied])][:5]
    more = f" and {denied - 5} more" if denied > 5 else ""
    assert diagnosis.says == f"A first release would stop: IAM denies {', '.join(named)}{more}"


class Functions:
    """Lambda that knows a new role after some calls; its function becomes what it is told."""

    def __init__(
        self, *refusals: str, states: tuple[str, ...] = ("Pending", "Active"), failed: bool = False
    ) -> None:
        self._refusals, self._states, self._failed = list(refusals), list(states), failed
        self.made: list[dict[str, Any]] = []
        self.calls: list[str] = []

    def create_function(self, **function: Any) -> None:
        self.calls.append("create")
        if self._refusals:
            raise _refusal("InvalidParameterValueException", self._refusals.pop(0))
        self.made.append(function)

    def get_function_configuration(self, **_: Any) -> Any:
        return {"State": self._states.pop(0), "StateReason": "no address is free"}

    def invoke(self, **asked: Any) -> Any:
        self.calls.append("invoke")
        answer = {"reached": True, "says": "", "wire_version": 21, "asked": json.loads(asked["Payload"])}
        return {
            "Payload": SimpleNamespace(read=lambda: json.dumps(answer)),
            **({"FunctionError": "Unhandled"} if self._failed else {}),
        }

    def delete_function(self, **_: Any) -> None:
        self.calls.append("delete")


class Roles:
    """IAM with one role."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.bounded: list[str | None] = []

    def create_role(self, **role: Any) -> Any:
        self.calls.append("create")
        self.bounded.append(role.get("PermissionsBoundary"))
        return {"Role": {"Arn": "arn:role"}}

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda **_: self.calls.append(name)


OUTPUTS = {"PrivateSubnetIds": "s-1,s-2", "DataApiSecurityGroupId": "sg-1"}


@pytest.fixture(autouse=True)
def no_wheels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reachability, "_package", lambda: b"zip")


def _account(functions: Functions, roles: Roles) -> Any:
    return SimpleNamespace(
        environment=PROD, functions=functions, poll_seconds=0.001, client=lambda _: roles, embedded=False
    )


def test_a_function_is_made_in_the_data_apis_place_called_and_removed() -> None:
    # Given roles that are known only after a while, in two words of Lambda's
    words = (
        "The role defined for the function cannot be assumed by Lambda.",
        "does not have permissions to call",
    )
    functions, roles = Functions(*words), Roles()
    # When
    answer = reachability.call(_account(functions, roles), OUTPUTS, "arn:boundary", {"uri": "mongodb://x"})
    # Then
    assert (answer["reached"], answer["asked"]) == (True, {"uri": "mongodb://x"})
    assert functions.calls == ["create", "create", "create", "invoke", "delete"]
    assert roles.calls == ["create", "put_role_policy", "delete_role_policy", "delete_role"]
    [function] = functions.made
    assert roles.bounded == ["arn:boundary"]
    assert function["VpcConfig"] == {"SubnetIds": ["s-1", "s-2"], "SecurityGroupIds": ["sg-1"]}
    # It waits for MongoDB as long as it is told, within its own time, in memory enough for the driver
    assert function["Timeout"] * 1000 > reachability.MILLISECONDS
    assert function["MemorySize"] == 256


@pytest.mark.parametrize(
    ("functions", "words"),
    [
        (Functions("Too many functions"), "Too many functions"),
        (Functions(states=("Pending", "Failed", "Active")), "could not be made: no address is free"),
        (Functions(failed=True), "The function failed"),
    ],
)
def test_whatever_goes_wrong_nothing_is_left(functions: Functions, words: str) -> None:
    roles = Roles()
    with pytest.raises((Refused, ClientError), match=words):
        reachability.call(_account(functions, roles), OUTPUTS, None, {})
    assert roles.bounded == [None]
    assert roles.calls[-2:] == ["delete_role_policy", "delete_role"]
    assert ("delete" in functions.calls) == bool(functions.made)


@pytest.mark.parametrize(
    ("tls", "secret", "options"),
    [
        (False, None, "tls=false"),
        (True, None, "tls=true"),
        (True, "arn:secret", "tls=true&tlsAllowInvalidCertificates=true"),
        (False, "arn:secret", "tls=false"),
    ],
)
def test_a_server_is_asked_as_the_environment_says_and_an_authority_of_its_own_is_not_checked(
    monkeypatch: pytest.MonkeyPatch, tls: bool, secret: str | None, options: str
) -> None:
    # Given a database, and a bootstrap stack that exports a boundary
    events: list[Any] = []

    def call(_: Any, network: Any, boundary: str | None, event: Any) -> Any:
        events.append((network, boundary, event))
        return {"reached": True, "says": "", "wire_version": 21}

    outputs = {"bootstrap": {RUNTIME_BOUNDARY: "arn:boundary"}, PROD.network_stack: OUTPUTS}
    monkeypatch.setattr(stacks, "status", lambda _, name: "CREATE_COMPLETE" if name in outputs else None)
    monkeypatch.setattr(stacks, "outputs", lambda _, name: outputs[name])
    monkeypatch.setattr(reachability, "call", call)
    where = {"tls": tls, "secret_arn": secret, "uri": "mongodb://db.example"}
    environment = PROD.model_copy(update={"database": PROD.database.model_copy(update=where)})
    aws: Any = SimpleNamespace(environment=environment, embedded=False)
    # When
    diagnosis = reachability.database(aws, "bootstrap", milliseconds=7)
    # Then
    assert diagnosis.says.startswith("mongodb://db.example, which is MongoDB 7.0, answers")
    [(network_outputs, boundary, event)] = events
    assert (network_outputs, boundary) == (OUTPUTS, "arn:boundary")
    assert event == {"uri": f"mongodb://db.example/?{options}", "milliseconds": 7}
    assert reachability.boundary_of(aws, "another") is None


@pytest.mark.parametrize(
    ("wire", "words"),
    [
        (16, "is older than MongoDB 6.0"),
        (17, "which is MongoDB 6.0,"),
        (20, "which is MongoDB 6.0,"),
        (21, "which is MongoDB 7.0,"),
        (25, "which is MongoDB 8.0,"),
        (26, "which is newer than MongoDB 8.0,"),
    ],
)
def test_a_servers_release_is_known_by_its_wire_version(wire: int, words: str) -> None:
    diagnosis = reachability.server("mongodb://x", wire)
    assert words in diagnosis.says
    assert (diagnosis.state is State.OK) == (wire >= 17)
