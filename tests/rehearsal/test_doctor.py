"""`payments doctor`: each check made to fail by what it is there to find, and to pass once it is mended."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from click.testing import CliRunner

from embedded_aws.server_process import free_port
from environments import schema, tools
from pipelines.aws.accounts import Aws
from pipelines.aws.stacks import outputs, status
from pipelines.cli.main import main
from pipelines.core.reporting import NOBODY
from pipelines.core.waiting import wait_until
from pipelines.definitions import bootstrap_stack
from pipelines.deploy import embedded_overrides
from pipelines.doctor import network, quotas, reachability, run, simulation, stacks
from pipelines.doctor.findings import State

if TYPE_CHECKING:
    from pathlib import Path

    from embedded_aws.instance import Instance
    from pipelines.doctor.findings import Diagnosis
    from pipelines.orders.payment_stack import PaymentStack

OK, FAILED, UNKNOWN = State.OK, State.FAILED, State.UNKNOWN
NOWHERE = "no-such-bootstrap"
NEVER_SHOWN_HERE = {f"quota: {quota.name}" for quota in (*quotas.QUOTAS[2:], *quotas.BUILD_QUOTAS)}
"""The embedded AWS has no quotas of these."""


@dataclass
class Plot:
    """A network that is made step by step, each by EC2's own API."""

    aws: Aws
    vpc: str = ""
    table: str = ""
    database: str = ""
    peering: str = ""

    def build(self, cidr: str, *, database: str) -> None:
        """A VPC with a subnet and a route table, a database's VPC, and a connection nobody accepted."""
        ec2 = self.aws.ec2
        self.vpc = ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
        small = f"{cidr.partition('/')[0]}/24"
        subnet = ec2.create_subnet(VpcId=self.vpc, CidrBlock=small)["Subnet"]["SubnetId"]
        self.table = ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
        ec2.associate_route_table(RouteTableId=self.table, SubnetId=subnet)
        self.database = embedded_overrides.ensure_database_vpc(ec2, database)
        made = ec2.create_vpc_peering_connection(VpcId=self.vpc, PeerVpcId=self.database)
        self.peering = made["VpcPeeringConnection"]["VpcPeeringConnectionId"]
        group = ec2.create_security_group(GroupName="g", Description="g", VpcId=self.vpc)["GroupId"]
        outputs = {"VpcId": self.vpc, "PrivateSubnetIds": subnet, "DatabasePeeringId": self.peering}
        make_stack(self.aws, self.aws.environment.network_stack, outputs | {"DataApiSecurityGroupId": group})


def make_stack(aws: Aws, name: str, outputs: dict[str, str]) -> None:
    """A stack that says no more than its outputs."""
    body = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {}}},
        "Outputs": {key: {"Value": value} for key, value in outputs.items()},
    }
    aws.cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(body))
    aws.cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})


@pytest.fixture
def elsewhere(here: Aws) -> Aws:
    """An account that nobody else uses, whose network has a name of its own."""
    changes = {"account": f"{uuid.uuid4().int % 10**12:012}", "network_stack": f"net-{uuid.uuid4().hex[:8]}"}
    return replace(here, environment=here.environment.model_copy(update=changes))


@pytest.fixture
def plot(elsewhere: Aws) -> Plot:
    made = Plot(elsewhere)
    network, database = elsewhere.environment.network, elsewhere.environment.database
    made.build(network.vpc_cidr, database=database.cidr)
    return made


def states(*verdicts: Diagnosis) -> list[State]:
    return [verdict.state for verdict in verdicts]


def test_an_old_python_and_a_missing_git_are_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert states(run.python(), run.git()) == [OK, OK]
    # Given an older Python, and a PATH with nothing on it
    monkeypatch.setenv("PATH", str(tmp_path))
    # Then both are told, with what to do
    old, none = run.python((3, 10, 14)), run.git()
    assert states(old, none) == [FAILED, FAILED]
    assert "3.11 or newer" in old.says
    assert old.remedy.startswith("make PYTHON=")


def test_nobody_and_somebody_elses_account_are_found(
    here: Aws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert states(run.credentials(here), run.account(here)) == [OK, OK]
    # Given the credentials of another account
    other = boto3.Session("999999999999", "any", region_name=here.environment.region)
    wrong = run.account(replace(here, acting=other))
    assert wrong.state is FAILED
    assert "of account 999999999999, and environments/branch.yml says 111111111111" in wrong.says
    # And given none at all, for AWS itself
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    found = run.credentials(Aws(here.environment))
    assert (found.state, found.says) == (FAILED, "There are no AWS credentials here")
    assert "--profile branch=PROFILE" in found.remedy


def test_a_missing_bootstrap_stack_and_an_old_one_are_found(elsewhere: Aws) -> None:
    # Given an account with nothing in it
    missing = stacks.bootstrap(elsewhere, "boot"), stacks.network(elsewhere)
    assert states(*missing) == [FAILED, FAILED]
    assert {verdict.remedy for verdict in missing} == {"payments pipeline deploy"}
    # When a bootstrap stack of an older checkout is there, and then one of this
    roles = dict.fromkeys(("DeploymentRole", "ExecutionRole", "InspectionRole"), "role")
    make_stack(elsewhere, "older", roles)
    make_stack(elsewhere, "current", roles | {"RuntimeBoundaryArn": "arn"})
    # Then
    older, current = (stacks.bootstrap(elsewhere, name) for name in ("older", "current"))
    assert states(older, current) == [FAILED, OK]
    assert "it lacks RuntimeBoundaryArn" in older.says


def test_what_an_execution_role_may_not_do_is_found_before_a_release_stops_there(elsewhere: Aws) -> None:
    # Given the bootstrap stack, as it should be
    settings, stack = tools.load(), "bootstrap"
    body = bootstrap_stack.build(settings, elsewhere.environment).to_json()
    elsewhere.cloudformation.create_stack(StackName=stack, TemplateBody=body, Capabilities=["CAPABILITY_IAM"])
    wait_until(
        lambda: status(elsewhere, stack) == "CREATE_COMPLETE",
        seconds=60,
        every=0.1,
        what="the bootstrap stack",
    )
    well = simulation.execution_role(elsewhere, stack, settings)
    assert well.state is OK, well.says
    # When somebody denies its role something
    iam = elsewhere.client("iam")
    role = outputs(elsewhere, stack)["ExecutionRole"].rpartition("/")[2]
    deny = {"Effect": "Deny", "Action": "lambda:CreateFunction", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    iam.put_role_policy(RoleName=role, PolicyName="freeze", PolicyDocument=document)
    # Then that is named, and nothing else
    found = simulation.execution_role(elsewhere, stack, settings)
    assert (found.state, found.says) == (
        FAILED,
        "A first release would stop: IAM denies lambda:CreateFunction (by its policies)",
    )


def test_a_connection_that_is_gone_or_pending_is_found(elsewhere: Aws) -> None:
    # Given no pipelines, and then pipelines with a connection
    assert states(stacks.pipelines(elsewhere), stacks.connection(elsewhere)) == [FAILED, FAILED]
    connections = elsewhere.client("codeconnections")
    arn = connections.create_connection(ConnectionName="git", ProviderType="GitHub")["ConnectionArn"]
    make_stack(elsewhere, "payments-pipelines", {"ConnectionArn": arn, "ReleasePipelineName": "release"})
    assert states(stacks.pipelines(elsewhere), stacks.connection(elsewhere)) == [OK, OK]
    # When somebody deletes the connection
    connections.delete_connection(ConnectionArn=arn)
    # Then
    gone = stacks.connection(elsewhere)
    assert (gone.state, gone.says) == (FAILED, f"The connection {arn} is gone")
    # And one whose handshake nobody completed starts nothing
    pending = stacks.handshake(arn, "PENDING")
    assert pending.state is FAILED
    assert "complete the handshake" in pending.remedy


def test_a_peering_that_nobody_accepted_or_that_is_gone_is_found(plot: Plot) -> None:
    # Given a connection that waits
    waiting = network.accepted(plot.aws)
    assert waiting.state is FAILED
    assert f"accept-vpc-peering-connection --vpc-peering-connection-id {plot.peering}" in waiting.remedy
    # When its owner accepts, and later deletes it
    plot.aws.ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=plot.peering)
    assert network.accepted(plot.aws).state is OK
    plot.aws.ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=plot.peering)
    # Then
    gone = network.accepted(plot.aws)
    assert (gone.state, gone.says) == (FAILED, f"{plot.peering} is deleted")


def test_a_missing_route_is_found_on_either_side(plot: Plot) -> None:
    # Given no route at all
    environment = plot.aws.environment
    there, back = network.route_to_database(plot.aws), network.route_from_database(plot.aws)
    assert states(there, back) == [FAILED, FAILED]
    assert (
        f"--route-table-id {plot.table} --destination-cidr-block {environment.database.cidr}" in there.remedy
    )
    assert f"--destination-cidr-block {environment.network.vpc_cidr}" in back.remedy
    # When one is made to somewhere else, and then the right ones
    table, cidr, ec2 = plot.table, environment.database.cidr, plot.aws.ec2
    wrong = "pcx-00000000000000000"
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=cidr, VpcPeeringConnectionId=wrong)
    assert network.route_to_database(plot.aws).state is FAILED
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=cidr, VpcPeeringConnectionId=plot.peering)
    embedded_overrides.add_return_route(ec2, plot.database, environment.network.vpc_cidr, plot.peering)
    # Then
    assert states(network.route_to_database(plot.aws), network.route_from_database(plot.aws)) == [OK, OK]


def test_routes_of_another_account_are_not_known_rather_than_well(plot: Plot, embedded: Instance) -> None:
    # Given a database whose VPC another account owns, as AWS shows it: by another name of this endpoint
    database = plot.aws.environment.database.model_copy(
        update={"owner_account": "555555555555", "vpc_id": plot.database}
    )
    environment = plot.aws.environment.model_copy(update={"database": database})
    session = boto3.Session(environment.account, "any", region_name=environment.region)
    outside = Aws(environment, embedded.endpoint.replace("127.0.0.1", "0.0.0.0"), acting=session)  # noqa: S104 - a name of this machine, asked and not bound
    # Then
    found = network.route_from_database(outside)
    assert found.state is UNKNOWN
    assert "Ask its owner for a route to 10.41.0.0/16" in found.remedy


def test_overlapping_addresses_are_found(elsewhere: Aws) -> None:
    # Given a network inside of the database's addresses
    plot, database = Plot(elsewhere), elsewhere.environment.database.cidr
    assert network.apart(elsewhere, []).state is UNKNOWN
    plot.build(database.replace("/16", "/20"), database=database)
    # Then
    found = network.apart(elsewhere, [])
    assert (found.state, "overlaps the database's 10.141.0.0/16" in found.says) == (FAILED, True)


def test_two_environments_of_one_database_may_not_overlap(plot: Plot) -> None:
    ours = plot.aws.environment
    other = ours.model_copy(update={"name": "other"})
    apart = [schema.load(name) for name in schema.names()]
    assert states(network.apart(plot.aws, apart), network.apart(plot.aws, [other])) == [OK, FAILED]


def test_a_used_up_quota_is_found(elsewhere: Aws) -> None:
    # Given an account as AWS makes it
    concurrency, roles = quotas.QUOTAS[0], quotas.QUOTAS[1]
    assert states(quotas.enough(elsewhere, concurrency), quotas.enough(elsewhere, roles)) == [OK, OK]
    # When a function reserves all concurrent executions that Lambda lets it
    role = elsewhere.client("iam").create_role(RoleName="greedy", AssumeRolePolicyDocument="{}")["Role"][
        "Arn"
    ]
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("greedy.py", "")
    about = {"Runtime": "python3.13", "Handler": "greedy.handler", "Code": {"ZipFile": code.getvalue()}}
    elsewhere.client("lambda").create_function(FunctionName="greedy", Role=role, **about)
    most = elsewhere.functions.get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    reserve = elsewhere.functions.put_function_concurrency
    reserve(FunctionName="greedy", ReservedConcurrentExecutions=most - 100)
    # Then one that would need more than is left is told
    found = quotas.enough(elsewhere, replace(concurrency, needed=lambda _: 101))
    assert found.state is FAILED
    assert found.says == "0 of 100 used, a stack needs 101"
    assert "concurrent executions of Lambda" in found.remedy


def test_a_database_that_does_not_answer_is_found_from_inside(deployed: PaymentStack, here: Aws) -> None:
    # Given a deployed network, and a port where no database is
    down = replace(here, mongodb_uri=f"mongodb://127.0.0.1:{free_port()}/?directConnection=true")
    # When both are asked
    found = reachability.database(here, NOWHERE), reachability.database(down, NOWHERE, milliseconds=300)
    # Then
    assert states(*found) == [OK, FAILED]
    assert "ServerSelectionTimeoutError" in found[1].says
    # And nothing is left of the functions that asked, nor of their roles
    functions = here.functions.get_paginator("list_functions").paginate()
    names = [one["FunctionName"] for page in functions for one in page["Functions"]]
    roles = [one["RoleName"] for one in here.client("iam").list_roles()["Roles"]]
    assert not [name for name in names + roles if name.startswith("payments-doctor-")]


@pytest.mark.parametrize(
    ("wire_version", "state", "says"),
    [
        (13, FAILED, "older than MongoDB 6.0"),
        (17, OK, "which is MongoDB 6.0, answers"),
        (21, OK, "which is MongoDB 7.0, answers"),
        (25, OK, "which is MongoDB 8.0, answers"),
        (29, OK, "which is newer than MongoDB 8.0, answers"),
    ],
)
def test_a_server_older_than_any_that_was_tried_is_found(wire_version: int, state: State, says: str) -> None:
    found = reachability.server("mongodb://db.example", wire_version)
    assert found.state is state
    assert says in found.says


def test_without_the_right_account_nothing_is_looked_for_in_it(here: Aws) -> None:
    other = boto3.Session("999999999999", "any", region_name=here.environment.region)
    found = run.examine([replace(here, acting=other)], None, lambda _: NOWHERE)
    assert [(one.check, one.state) for one in found.findings[2:]] == [
        ("credentials", OK),
        ("account", FAILED),
        ("everything in the account", UNKNOWN),
    ]


def test_a_person_is_told_everything_in_order_and_what_to_do(
    deployed: PaymentStack, embedded: Instance
) -> None:
    # Given an environment that was deployed without pipelines, its way to the database last of all: the
    # database's VPC has one route for these addresses, and other tests of this process deploy networks, too
    embedded_overrides.connect_atlas(deployed.aws, NOBODY)
    shell = CliRunner(
        env={"AWS_ENDPOINT_URL": embedded.endpoint, "MONGODB_URI": embedded.mongodb_uri, "COLUMNS": "300"}
    )
    # When it is examined
    seen = shell.invoke(main, ["doctor", "branch", "--json"])
    # Then what pipelines need is missing, what cannot be looked at is said, and all else is well
    findings: list[dict[str, Any]] = json.loads(seen.stdout)["findings"]
    by_state = {
        state: {one["check"] for one in findings if one["state"] == state} for state in (OK, FAILED, UNKNOWN)
    }
    assert seen.exit_code == 1
    assert by_state[FAILED] == {"pipelines", "connection", "bootstrap stack", "service-linked roles"}
    assert by_state[UNKNOWN] == NEVER_SHOWN_HERE | {"execution role"}
    assert by_state[OK] >= {"Python", "account", "peering accepted", "route back", "addresses", "database"}
    # In the order in which they build on each other, and each that is not well with what to do
    assert [one["where"] for one in findings][:3] == ["this machine", "this machine", "tools"]
    assert findings[-1]["check"] == "database"
    assert findings[-1]["says"].endswith(" answers, asked from inside the network")
    (apis,) = (one for one in findings if one["check"] == "quota: private APIs")
    assert "not emulated here" in apis["says"]
    assert apis["remedy"].endswith("private APIs; a stack needs 1")
    assert all(one["remedy"] for one in findings if one["state"] != OK)
    assert f"4 of {len(findings)} checks failed; {len(by_state[UNKNOWN])} could not be made" in seen.stderr


def test_an_environment_without_a_file_is_refused() -> None:
    refused = CliRunner().invoke(main, ["doctor", "moon"])
    assert refused.exit_code == 2
    assert "environments/moon.yml: there is no such file" in refused.stderr
