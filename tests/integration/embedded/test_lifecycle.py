"""Up and down: one at a time, nothing left behind, killed and recovered, kept when asked."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import psutil
import pymongo
import pytest
import urllib3
from embedded_workbench import definition, zipped

from embedded_aws import instance, server_process
from embedded_aws.instance import Instance
from tests.processes import living
from tests.waiting import wait_until

SESSION: Any = boto3.session.Session()  # whose `client` is typed by literal service names
TRUST = '{"Statement": [{"Effect": "Allow", "Principal": {"Service": "*"}, "Action": "sts:AssumeRole"}]}'


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "embedded"
    yield folder
    with contextlib.suppress(instance.NotRunning):
        instance.stop(folder)


def client(running: Instance, service: str) -> Any:
    return SESSION.client(
        service,
        endpoint_url=running.endpoint,
        region_name="eu-central-1",
        aws_access_key_id="000000000000",
        aws_secret_access_key="any",  # noqa: S106 - any will do
    )


def processes(session: int) -> list[psutil.Process]:
    """Living processes of a server's session: the server, mongod, sandboxes."""
    return living(lambda process: os.getsid(process.pid) == session)


def until_gone(session: int) -> None:
    wait_until(lambda: not processes(session), lambda: processes(session))


def make_function(running: Instance, name: str, code: str) -> Any:
    """Make a function, and return the client that it was made by."""
    roles, functions = client(running, "iam"), client(running, "lambda")
    role = roles.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    settings = {"Runtime": "python3.13", "Handler": "app.handler", "Role": role, "Timeout": 60}
    functions.create_function(FunctionName=name, **settings, Code={"ZipFile": zipped(code)})
    return functions


def hang_a_function(running: Instance) -> None:
    """Leave a sandbox in the middle of a call."""
    code = "import pathlib, time\ndef handler(event, context): pathlib.Path(event).touch(); time.sleep(60)"
    functions = make_function(running, "hangs", code)
    hanging = running.root / "tmp" / "hanging"
    functions.invoke(FunctionName="hangs", InvocationType="Event", Payload=json.dumps(str(hanging)))
    wait_until(hanging.exists, "the function hangs")


def test_a_second_start_is_refused_politely(embedded: Instance) -> None:
    # Given a running instance; When another is started in its folder
    with pytest.raises(instance.AlreadyRunning, match="runs already") as refused:
        instance.start(embedded.root)
    # Then the refusal says where it listens
    assert refused.value.instance == embedded
    assert instance.running(embedded.root) == embedded


def test_of_two_that_start_at_once_in_a_folder_one_runs_and_the_other_is_told(root: Path) -> None:
    # Given two callers who start an instance in one folder at the same time
    def start() -> Instance | instance.AlreadyRunning:
        try:
            return instance.start(root, mongodb=False)
        except instance.AlreadyRunning as refused:
            return refused

    with ThreadPoolExecutor(2) as pool:
        answers = [started.result() for started in [pool.submit(start) for _ in range(2)]]
    # Then one of them has it, and the other is told where it listens
    [started] = [answer for answer in answers if isinstance(answer, Instance)]
    [refused] = [answer for answer in answers if isinstance(answer, instance.AlreadyRunning)]
    assert refused.instance == started == instance.running(root)


def test_it_listens_where_told_on_loopback_only_and_leaves_nothing(root: Path) -> None:
    # Given an instance on two given ports, with a sandbox that hangs
    wanted, mongodb = server_process.free_port(), server_process.free_port()
    running = instance.start(root, port=wanted, mongodb_port=mongodb)
    hang_a_function(running)
    # Then everything of it listens on 127.0.0.1 alone
    assert running.endpoint == f"http://127.0.0.1:{wanted}"
    listening = {
        connection.laddr
        for process in processes(running.pid)
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    }
    assert {address.ip for address in listening} == {"127.0.0.1"}
    assert {wanted, mongodb} <= {address.port for address in listening}
    # When it is stopped; Then no process and no file of it is left
    instance.stop(root)
    assert processes(running.pid) == []
    assert not root.exists()
    with pytest.raises(instance.NotRunning):
        instance.stop(root)


def test_a_killed_one_is_recovered_by_the_next_start(root: Path) -> None:
    # Given an instance that is killed outright, with a hanging sandbox
    killed = instance.start(root)
    hang_a_function(killed)
    os.kill(killed.pid, signal.SIGKILL)
    wait_until(lambda: not instance.running(root), "the instance is gone", every=0.01)
    # When the next one starts in its folder
    running = instance.start(root)
    # Then it is another one, and of the first nothing lives and nothing lies about
    assert running.pid != killed.pid
    until_gone(killed.pid)
    assert not (root / "tmp" / "hanging").exists()
    assert client(running, "lambda").list_functions()["Functions"] == []


def test_state_and_ports_are_kept_when_asked(root: Path) -> None:
    # Given an instance with something in MiniStack, in our plug-ins' parts of it, and in MongoDB
    first = instance.start(root)
    workflows = client(first, "stepfunctions")
    role = client(first, "iam").create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    said = definition({"Say": {"Type": "Succeed", "Output": "kept"}})
    machine = workflows.create_state_machine(name="m", definition=said, roleArn=role)["stateMachineArn"]
    version = workflows.publish_state_machine_version(stateMachineArn=machine)["stateMachineVersionArn"]
    routing = [{"stateMachineVersionArn": version, "weight": 100}]
    alias = workflows.create_state_machine_alias(name="live", routingConfiguration=routing)
    ec2 = client(first, "ec2")
    vpcs = [ec2.create_vpc(CidrBlock=f"10.{n}.0.0/16")["Vpc"]["VpcId"] for n in (1, 2)]
    peering = ec2.create_vpc_peering_connection(VpcId=vpcs[0], PeerVpcId=vpcs[1])
    make_function(first, "kept", "def handler(event, context): return event")
    with pymongo.MongoClient[dict[str, Any]](first.mongodb_uri) as mongo:
        mongo.shop.orders.insert_one({"_id": "order-1"})
    # When it is stopped with its state kept, and started again
    instance.stop(root, keep=True)
    assert processes(first.pid) == []
    second = instance.start(root)
    # Then all is there, at the same ports
    assert (second.endpoint, second.mongodb_uri) == (first.endpoint, first.mongodb_uri)
    started = client(second, "stepfunctions").start_execution(stateMachineArn=alias["stateMachineAliasArn"])

    def ended() -> dict[str, Any] | None:
        execution: dict[str, Any] = workflows.describe_execution(executionArn=started["executionArn"])
        return execution if execution["status"] != "RUNNING" else None

    shown = wait_until(ended, "the execution's end")
    assert (shown["output"], shown["stateMachineVersionArn"]) == ('"kept"', version)
    [connection] = client(second, "ec2").describe_vpc_peering_connections()["VpcPeeringConnections"]
    assert connection["VpcPeeringConnectionId"] == peering["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    assert client(second, "lambda").invoke(FunctionName="kept", Payload=b"42")["Payload"].read() == b"42"
    with pymongo.MongoClient[dict[str, Any]](second.mongodb_uri) as mongo:
        assert mongo.shop.orders.find_one() == {"_id": "order-1"}
    # When it is stopped without; Then nothing is kept
    instance.stop(root)
    assert not root.exists()


def test_a_reset_forgets_what_our_own_services_hold_too(root: Path) -> None:
    # Given an instance with a connection, and a function whose package can be had
    running = instance.start(root, mongodb=False)
    connections = client(running, "codeconnections")
    connections.create_connection(ConnectionName="git", ProviderType="GitHub")
    code = "def handler(event, context): return event"
    functions = make_function(running, "downloaded", code)
    place = functions.get_function(FunctionName="downloaded")["Code"]["Location"]
    package = zipfile.ZipFile(io.BytesIO(urllib3.request("GET", place).data))
    assert package.read("app.py").decode() == code
    # When MiniStack is reset
    assert urllib3.request("POST", f"{running.endpoint}/_ministack/reset").status == 200
    # Then both are gone
    assert connections.list_connections()["Connections"] == []
    assert functions.list_functions()["Functions"] == []


def test_a_taken_port_fails_the_start_and_leaves_nothing(root: Path, embedded: Instance) -> None:
    taken = int(embedded.endpoint.rpartition(":")[2])
    with pytest.raises(instance.StartFailed, match=f"port {taken} cannot be used"):
        instance.start(root, port=taken)


def test_an_attached_instance_ends_with_who_started_it(root: Path) -> None:
    # Given a process that starts an instance for itself
    code = (
        "import pathlib, sys, time; from embedded_aws import instance;"
        f"print(instance.start(pathlib.Path({str(root)!r}), attached=True).pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        # When that process is killed outright
        starter.kill()
    # Then the instance ends by itself and cleans up
    until_gone(pid)
    assert not root.exists()
