"""The `aws` command line, unmodified, against the embedded AWS."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from embedded_workbench import Aws, Function, Workflow, unique

from embedded_aws.instance import Instance
from pipelines.core.repository import ROOT
from tests.waiting import wait_until

AWS = ROOT / ".cache" / "awscli" / "bin" / "aws"
Cli = Callable[..., Any]


@pytest.fixture(scope="module")
def cli(embedded: Instance, tmp_path_factory: pytest.TempPathFactory) -> Cli:
    assert AWS.exists(), "run: make .cache/awscli/installed"
    settings = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path_factory.mktemp("home")),
        "AWS_ACCESS_KEY_ID": "000000000000",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }

    def run(*arguments: str) -> Any:
        command = [str(AWS), "--endpoint-url", embedded.endpoint, "--output", "json", *arguments]
        done = subprocess.run(command, env=settings, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    return run


def test_a_workflow_is_started_and_its_history_read(cli: Cli, make_workflow: Callable[..., Workflow]) -> None:
    # Given a workflow
    workflow = make_workflow(
        {"Say": {"Type": "Pass", "Output": "hello", "Next": "End"}, "End": {"Type": "Succeed"}}
    )
    # When an execution is started
    started = cli(
        "stepfunctions", "start-execution", "--state-machine-arn", workflow.arn, "--input", '{"a": 1}'
    )
    arn = started["executionArn"]
    # Then its history says where it went
    workflow.end(arn)
    events = cli("stepfunctions", "get-execution-history", "--execution-arn", arn)["events"]
    assert [event["type"] for event in events] == [
        "ExecutionStarted",
        "PassStateEntered",
        "PassStateExited",
        "SucceedStateEntered",
        "SucceedStateExited",
        "ExecutionSucceeded",
    ]


def test_a_function_is_invoked(cli: Cli, behaving: Function, tmp_path: Path) -> None:
    event, answer = '{"do": "raise"}', tmp_path / "answer.json"
    raw = ("--cli-binary-format", "raw-in-base64-out")
    shown = cli(
        "lambda", "invoke", "--function-name", behaving.name, *_format(raw), "--payload", event, str(answer)
    )
    assert shown["FunctionError"] == "Unhandled"
    assert json.loads(answer.read_text())["errorType"] == "OutOfStock"


def _format(option: tuple[str, str]) -> tuple[str, ...]:
    """Version 2 wants to be told that the payload is no base64; version 1 knows no such option."""
    version = subprocess.run([AWS, "--version"], capture_output=True, text=True, check=True).stdout
    return option if version.startswith("aws-cli/2") else ()


def test_stacks_and_apis_are_shown(cli: Cli, aws: Aws, tmp_path: Path) -> None:
    # Given a template with an API
    template, name = tmp_path / "template.json", unique("stack")
    api = {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": name}}
    template.write_text(json.dumps({"Resources": {"Api": api}, "Outputs": {"Id": {"Value": {"Ref": "Api"}}}}))
    # When it is deployed
    cli("cloudformation", "create-stack", "--stack-name", name, "--template-body", f"file://{template}")

    def created() -> Any:
        [described] = cli("cloudformation", "describe-stacks", "--stack-name", name)["Stacks"]
        return described if described["StackStatus"] != "CREATE_IN_PROGRESS" else None

    stack = wait_until(created, "the stack's end")
    # Then stack and API are there
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    apis = {item["id"]: item["name"] for item in cli("apigateway", "get-rest-apis")["items"]}
    assert apis[stack["Outputs"][0]["OutputValue"]] == name
    aws("cloudformation").delete_stack(StackName=name)
