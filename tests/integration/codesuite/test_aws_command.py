"""The unmodified `aws` command does with a pipeline what a release manager does."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from codepipeline_workbench import REGION, TOOLS, Json, Workshop, approve, commands, stage

from embedded_aws import instance
from pipelines.core import repository

_AWS = repository.ROOT / ".cache" / "awscli" / "bin" / "aws"


@pytest.fixture
def aws_command(embedded: instance.Instance, tmp_path: Path) -> Callable[..., Json]:
    """Run `aws codepipeline …`, unmodified, with nothing but an endpoint and an account."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ACCESS_KEY_ID": TOOLS,
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": embedded.endpoint,
    }

    def run(*arguments: str) -> Json:
        command = [str(_AWS), "codepipeline", *arguments, "--output", "json"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        found: Json = json.loads(done.stdout or "{}")
        return found

    return run


def test_the_aws_command_releases_watches_approves_rejects_and_rolls_back(
    workshop: Workshop, aws_command: Callable[..., Json]
) -> None:
    # Given a pipeline that asks before it deploys
    source = stage("Source", workshop.source(workshop.repository()))
    name = workshop.create(source, stage("Approve", approve()), stage("Deploy", commands("true")))
    gate = ["--pipeline-name", name, "--stage-name", "Approve", "--action-name", "Approve", "--token"]

    # When a release is started and watched until it asks
    first = aws_command("start-pipeline-execution", "--name", name)["pipelineExecutionId"]
    token = workshop.approval(name, first)
    state = aws_command("get-pipeline-state", "--name", name)["stageStates"][1]["actionStates"][0][
        "latestExecution"
    ]
    assert (state["status"], state["token"]) == ("InProgress", token)
    # And is approved
    aws_command("put-approval-result", *gate, token, "--result", "summary=good,status=Approved")
    # Then it goes through
    workshop.succeeded(name, first)
    found = aws_command("get-pipeline-execution", "--pipeline-name", name, "--pipeline-execution-id", first)
    assert found["pipelineExecution"]["status"] == "Succeeded"

    # When the next one is rejected, then it ends, and says why
    second = workshop.start(name)
    token = workshop.approval(name, second)
    aws_command("put-approval-result", *gate, token, "--result", "summary=prices,status=Rejected")
    assert "prices" in workshop.finished(name, second)["statusSummary"]

    # When the deployment is rolled back, then it runs again with what the first one deployed
    back = ["--pipeline-name", name, "--stage-name", "Deploy", "--target-pipeline-execution-id", first]
    third = aws_command("rollback-stage", *back)["pipelineExecutionId"]
    assert workshop.succeeded(name, third)["rollbackMetadata"]["rollbackTargetPipelineExecutionId"] == first
