"""What a stranger does with the installed package: a pipeline of their own, started by a commit of their own.

Run outside of any checkout, by an interpreter that has the package and nothing else of this repository. Its
one argument is an empty folder.
"""

import io
import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3

from embedded_aws import instance

ACCOUNT, REGION = "111122223333", "eu-west-1"
TEMPLATE = """
Parameters: {Connection: {Type: String}}
Resources:
  Artifacts: {Type: AWS::S3::Bucket}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: codepipeline.amazonaws.com}, Action: sts:AssumeRole}]
      Policies:
        - PolicyName: all
          PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "*", Resource: "*"}]}
  Pipeline:
    Type: AWS::CodePipeline::Pipeline
    Properties:
      Name: strangers
      PipelineType: V2
      RoleArn: !GetAtt Role.Arn
      ArtifactStore: {Type: S3, Location: !Ref Artifacts}
      Stages:
        - Name: Source
          Actions:
            - Name: Checkout
              ActionTypeId: {Category: Source, Owner: AWS, Provider: CodeStarSourceConnection, Version: "1"}
              Configuration:
                ConnectionArn: !Ref Connection
                FullRepositoryId: stranger/thing
                BranchName: main
              OutputArtifacts: [{Name: Code}]
        - Name: Check
          Actions:
            - Name: Greet
              ActionTypeId: {Category: Compute, Owner: AWS, Provider: Commands, Version: "1"}
              InputArtifacts: [{Name: Code}]
              Commands: ['test "$(cat greeting)" = hello']
"""
FUNCTION = "def handler(event, context): return {'seen': event['word']}"


def main(folder: Path) -> None:
    """Start an instance, deploy a pipeline, commit, see it succeed, and call a function."""
    root, repository = folder / "aws", folder / "repository"
    running = instance.start(root, mongodb=False, cache=folder / "cache")
    try:
        _git(repository, "init", "-q", "-b", "main", made=True)
        _commit(repository, "greeting", "nothing yet")
        instance.register_repository(root, "stranger/thing", repository)
        session = boto3.Session(ACCOUNT, "any", region_name=REGION)
        client = _clients(session, running.endpoint)
        connection = client("codeconnections").create_connection(ConnectionName="git", ProviderType="GitHub")
        client("cloudformation").create_stack(
            StackName="strangers",
            TemplateBody=TEMPLATE,
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[{"ParameterKey": "Connection", "ParameterValue": connection["ConnectionArn"]}],
        )
        client("cloudformation").get_waiter("stack_create_complete").wait(
            StackName="strangers", WaiterConfig={"Delay": 0.1, "MaxAttempts": 100}
        )
        _commit(repository, "greeting", "hello")
        status = _newest_status(client("codepipeline"))
        if status != "Succeeded":
            sys.exit(f"the pipeline ended as {status}")
        print(json.dumps({"pipeline": status, "function": _call_function(client)}))  # noqa: T201 - the test reads it
    finally:
        instance.stop(root)


def _clients(session: boto3.Session, endpoint: str) -> Callable[[str], Any]:
    make: Any = session.client
    return lambda service: make(service, endpoint_url=endpoint)


def _newest_status(pipelines: Any) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        executions = pipelines.list_pipeline_executions(pipelineName="strangers")[
            "pipelineExecutionSummaries"
        ]
        pushed = [e for e in executions if e["trigger"]["triggerType"] == "WebhookV2"]
        if pushed and pushed[0]["status"] not in {"InProgress", "Stopping"}:
            return str(pushed[0]["status"])
        time.sleep(0.1)
    return "nothing"


def _call_function(client: Callable[[str], Any]) -> Any:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as package:
        package.writestr("app.py", FUNCTION)
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = client("iam").create_role(RoleName="runs", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    client("lambda").create_function(
        FunctionName="echo",
        Runtime="python3.13",
        Handler="app.handler",
        Role=role,
        Timeout=30,
        Code={"ZipFile": code.getvalue()},
    )
    answer = client("lambda").invoke(FunctionName="echo", Payload=json.dumps({"word": "stranger"}))
    return json.load(answer["Payload"])


def _commit(repository: Path, name: str, text: str) -> None:
    (repository / name).write_text(text)
    _git(repository, "add", "-A")
    _git(repository, "-c", "user.name=S", "-c", "user.email=s@example.org", "commit", "-q", "-m", text)


def _git(repository: Path, *arguments: str, made: bool = False) -> None:
    if made:
        repository.mkdir(parents=True)
    subprocess.run(["git", "-C", str(repository), *arguments], check=True)  # noqa: S607 - git


if __name__ == "__main__":
    main(Path(sys.argv[1]))
