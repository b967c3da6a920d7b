"""A tools account with roles, a bucket, a connection, repositories, and short ways to declare pipelines."""

import contextlib
import json
import subprocess
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from embedded_workbench import wait_until

from embedded_aws import instance
from embedded_aws.core.runtime import Readings

TOOLS, TARGET = "444444444444", "222222222222"
REGION = "eu-central-1"
_FINISHED = {"Succeeded", "Failed", "Stopped", "Superseded"}
Json = dict[str, Any]


def await_stacks(cloudformation: Any, operation: str, *names: str) -> None:
    """Wait until an operation, `create` or `delete`, has ended well for every stack."""
    waiter = cloudformation.get_waiter(f"stack_{operation}_complete")
    for name in names:
        waiter.wait(StackName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 400})


def delete_stacks(cloudformation: Any, *names: str) -> None:
    """Delete stacks and wait until they are gone: another test may use their names, or list what is there."""
    for name in names:
        cloudformation.delete_stack(StackName=name)
    await_stacks(cloudformation, "delete", *names)


@dataclass(frozen=True)
class Repository:
    """A git repository that is registered as `name`."""

    name: str
    folder: Path

    def commit(self, message: str = "Change", branch: str = "main", **files: str) -> str:
        """Commit files (`__` in a name is a slash, `_dot_` a dot) to a branch; return the commit's id.

        The branch appears with its commit in it, or moves to it, at once: so a push looks to whoever watches.
        """
        known = self.git("branch", "--list", branch).strip()
        self.git("checkout", "-q", "--detach", branch if known else "HEAD")
        for name, text in files.items():
            file = self.folder / name.replace("__", "/").replace("_dot_", ".")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        self.git("checkout", "-q", "-B", branch)
        return self.git("rev-parse", "HEAD").strip()

    def git(self, *arguments: str) -> str:
        """Run git in the repository."""
        command = [
            "git",
            "-C",
            str(self.folder),
            "-c",
            "user.name=Ada",
            "-c",
            "user.email=ada@example.org",
            *arguments,
        ]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Workshop:
    """What a test needs of the tools account."""

    def __init__(self, aws: Callable[..., Any], embedded: instance.Instance, folder: Path) -> None:
        self._aws, self._embedded, self._folder = aws, embedded, folder
        self._clients: dict[tuple[str, str], Any] = {}
        self.bucket = f"artifacts-{uuid.uuid4().hex[:8]}"
        self.client("s3").create_bucket(
            Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        self.pipeline_role = self.role("pipeline", "codepipeline.amazonaws.com", ["*"])
        self.build_role = self.role(
            "build", "codebuild.amazonaws.com", ["logs:*", "s3:*", "codebuild:*", "ssm:*", "secretsmanager:*"]
        )
        self.connection = self.client("codeconnections").create_connection(
            ConnectionName="git", ProviderType="GitHub"
        )["ConnectionArn"]

    @property
    def pipelines(self) -> Any:
        """The CodePipeline client."""
        return self.client("codepipeline")

    def client(self, service: str, account: str = TOOLS, **more: Any) -> Any:
        """Make, or find, a client."""
        if more:
            return self._aws(service, account=account, region=REGION, **more)
        if (service, account) not in self._clients:
            self._clients[service, account] = self._aws(service, account=account, region=REGION)
        return self._clients[service, account]

    def role(
        self,
        name: str,
        principal: str | Json,
        actions: list[str],
        account: str = TOOLS,
        resource: str | list[str] = "*",
    ) -> str:
        """Make a role; return its ARN."""
        iam = self.client("iam", account)
        full = f"{name}-{uuid.uuid4().hex[:8]}"
        who = {"Service": principal} if isinstance(principal, str) else principal
        trust = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole"}],
        }
        made = iam.create_role(RoleName=full, Path="/shop/", AssumeRolePolicyDocument=json.dumps(trust))
        policy = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": actions, "Resource": resource}],
        }
        iam.put_role_policy(RoleName=full, PolicyName="all", PolicyDocument=json.dumps(policy))
        return str(made["Role"]["Arn"])

    def listen(self, topic: str) -> Callable[[], Json]:
        """Subscribe to a topic; return what waits for the next message and reads it."""
        sqs, name = self.client("sqs"), f"heard-{uuid.uuid4().hex[:8]}"
        queue = sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = f"arn:aws:sqs:{REGION}:{TOOLS}:{name}"
        statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
        self.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

        def heard() -> Json:
            messages = wait_until(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"), "a message")
            found: Json = json.loads(json.loads(messages[0]["Body"])["Message"])
            return found

        return heard

    def repository(self, **files: str) -> Repository:
        """Make and register a repository with one commit on main."""
        repository = self.unregistered_repository(**files)
        self.register(repository)
        return repository

    def register(self, repository: Repository) -> None:
        """Let connections reach a repository."""
        instance.register_repository(self._embedded.root, repository.name, repository.folder)

    @contextlib.contextmanager
    def quick_minutes(self, seconds: float) -> Iterator[None]:
        """Make an AWS minute take `seconds` for a while."""
        instance.set_minute(self._embedded.root, seconds)
        try:
            yield
        finally:
            instance.set_minute(self._embedded.root, 60)

    @contextlib.contextmanager
    def reading(self, **readings: Any) -> Iterator[None]:
        """Let the embedded AWS behave by other readings of AWS's documentation for a while."""
        instance.choose_readings(self._embedded.root, Readings(**readings))
        try:
            yield
        finally:
            instance.choose_readings(self._embedded.root, Readings())

    def unregistered_repository(self, **files: str) -> Repository:
        """Make a repository with one commit on main, which no connection reaches yet."""
        name = f"shop/{uuid.uuid4().hex[:8]}"
        repository = Repository(name, self._folder / name)
        repository.folder.mkdir(parents=True)
        repository.git("init", "-q", "-b", "main")
        (repository.folder / "README").write_text("hello")
        repository.git("add", "-A")
        repository.git("commit", "-q", "-m", "Begin")
        if files:
            repository.commit("Begin", **files)
        return repository

    def project(self, buildspec: str = "buildspec.yml", **more: Any) -> str:
        """Make a build project; return its name."""
        name = f"project-{uuid.uuid4().hex[:8]}"
        environment = {
            "type": "ARM_CONTAINER",
            "image": "aws/codebuild/amazonlinux-aarch64-standard:3.0",
            "computeType": "BUILD_GENERAL1_SMALL",
        }
        given = {
            "source": {"type": "CODEPIPELINE", "buildspec": buildspec},
            "artifacts": {"type": "CODEPIPELINE"},
            "environment": environment,
            "serviceRole": self.build_role,
        }
        self.client("codebuild").create_project(name=name, **{**given, **more})
        return name

    def source(self, repository: Repository, **more: Any) -> Json:
        """Declare a source action on main."""
        settings = {
            "ConnectionArn": self.connection,
            "FullRepositoryId": repository.name,
            "BranchName": "main",
            "DetectChanges": "false",
        }
        return action(
            "Commit",
            "Source",
            "CodeStarSourceConnection",
            settings | more.pop("configuration", {}),
            outputs=["Code"],
            namespace="Source",
            **more,
        )

    def build(self, project: str, **more: Any) -> Json:
        """Declare a build action over the source."""
        settings = {"ProjectName": project} | more.pop("configuration", {})
        return action(
            more.pop("name", "Build"),
            "Build",
            "CodeBuild",
            settings,
            inputs=more.pop("inputs", ["Code"]),
            **more,
        )

    def create(self, *stages: Json, mode: str = "QUEUED", start: bool = False, **more: Any) -> str:
        """Create a pipeline; return its name. Unless wanted, it does not start by itself."""
        name = f"pipeline-{uuid.uuid4().hex[:8]}"
        pipeline = {
            "name": name,
            "roleArn": self.pipeline_role,
            "artifactStore": {"type": "S3", "location": self.bucket},
            "stages": list(stages),
            "executionMode": mode,
            "pipelineType": "V2",
            **more,
        }
        if start:
            self.pipelines.create_pipeline(pipeline=pipeline)
            return name
        # One that needs a value for a variable cannot start when it is created.
        needs = [*more.get("variables", []), {"name": "never"}]
        self.pipelines.create_pipeline(pipeline=pipeline | {"variables": needs})
        self.pipelines.update_pipeline(pipeline=pipeline)
        return name

    def start(self, name: str, **more: Any) -> str:
        """Start an execution; return its id."""
        return str(self.pipelines.start_pipeline_execution(name=name, **more)["pipelineExecutionId"])

    def execution(self, name: str, identifier: str) -> Json:
        """Read an execution."""
        found: Json = self.pipelines.get_pipeline_execution(pipelineName=name, pipelineExecutionId=identifier)
        execution: Json = found["pipelineExecution"]
        return execution

    def executions(self, name: str) -> list[Json]:
        """Read a pipeline's executions, newest first."""
        found: list[Json] = self.pipelines.list_pipeline_executions(pipelineName=name)[
            "pipelineExecutionSummaries"
        ]
        return found

    def finished(self, name: str, identifier: str) -> Json:
        """Wait until an execution has ended."""

        def ended() -> Json | None:
            execution = self.execution(name, identifier)
            return execution if execution["status"] in _FINISHED else None

        return wait_until(ended, f"the end of {name}/{identifier}")

    def succeeded(self, name: str, identifier: str) -> Json:
        """Wait until an execution has ended, and tell why when it did not end well."""
        execution = self.finished(name, identifier)
        assert execution["status"] == "Succeeded", execution.get("statusSummary")
        return execution

    def actions(self, name: str, identifier: str) -> dict[str, Json]:
        """Read an execution's actions, the newest attempt of each."""
        found = self.pipelines.list_action_executions(
            pipelineName=name, filter={"pipelineExecutionId": identifier}
        )["actionExecutionDetails"]
        return {detail["actionName"]: detail for detail in reversed(found)}

    def error(self, name: str, identifier: str, action_name: str) -> str:
        """Say why an action failed."""
        detail = self.actions(name, identifier)[action_name]
        return str(detail["output"]["executionResult"]["errorDetails"]["message"])

    def stage(self, name: str, stage: str) -> Json:
        """Read a stage's state."""
        states: list[Json] = self.pipelines.get_pipeline_state(name=name)["stageStates"]
        return next(state for state in states if state["stageName"] == stage)

    def approval(
        self, name: str, identifier: str, stage: str = "Approve", action_name: str = "Approve"
    ) -> str:
        """Wait until an execution waits for an approval; return the token."""

        def token() -> str | None:
            execution = self.execution(name, identifier)
            assert execution["status"] == "InProgress", execution.get("statusSummary")
            detail = self.actions(name, identifier).get(action_name)
            waiting = detail is not None and detail["status"] == "InProgress"
            return (
                detail["output"]["executionResult"].get("externalExecutionId") if detail and waiting else None
            )

        return wait_until(token, f"the approval of {name}/{identifier}")

    def answer(
        self,
        name: str,
        token: str,
        *,
        status: str = "Approved",
        summary: str = "fine",
        stage: str = "Approve",
        action_name: str = "Approve",
    ) -> Any:
        """Answer an approval."""
        return self.pipelines.put_approval_result(
            pipelineName=name,
            stageName=stage,
            actionName=action_name,
            token=token,
            result={"status": status, "summary": summary},
        )


def stage(name: str, *actions: Json, **conditions: Any) -> Json:
    """Declare a stage."""
    return {"name": name, "actions": list(actions), **conditions}


def action(
    name: str,
    category: str,
    provider: str,
    configuration: Json | None = None,
    *,
    inputs: list[str] | None = None,
    outputs: list[Any] | None = None,
    **more: Any,
) -> Json:
    """Declare an action."""
    made = [{"name": each} if isinstance(each, str) else each for each in outputs or []]
    return {
        "name": name,
        "actionTypeId": {"category": category, "owner": "AWS", "provider": provider, "version": "1"},
        **({"configuration": configuration} if configuration else {}),
        "inputArtifacts": [{"name": each} for each in inputs or []],
        "outputArtifacts": made,
        **more,
    }


def commands(*lines: str, name: str = "Run", **more: Any) -> Json:
    """Declare a Commands action over the source."""
    return action(
        name, "Compute", "Commands", inputs=more.pop("inputs", ["Code"]), commands=list(lines), **more
    )


def approve(**more: Any) -> Json:
    """Declare an approval."""
    return action("Approve", "Approval", "Manual", more.pop("configuration", None), **more)


def rule(
    provider: str, *lines: str, name: str = "Rule", inputs: list[str] | None = None, **configuration: str
) -> Json:
    """Declare a rule."""
    return {
        "name": name,
        "ruleTypeId": {"category": "Rule", "owner": "AWS", "provider": provider, "version": "1"},
        **({"configuration": configuration} if configuration else {}),
        **({"commands": list(lines)} if lines else {}),
        **({"inputArtifacts": [{"name": each} for each in inputs]} if inputs else {}),
    }


def condition(result: str, *rules: Json) -> Json:
    """Declare conditions with one result."""
    return {"conditions": [{"result": result, "rules": list(rules)}]}


@pytest.fixture(scope="session")
def workshop(
    aws: Callable[..., Any], embedded: instance.Instance, tmp_path_factory: pytest.TempPathFactory
) -> Workshop:
    return Workshop(aws, embedded, tmp_path_factory.mktemp("repositories"))


@pytest.fixture
def repository(workshop: Workshop) -> Repository:
    """A repository of the test's own."""
    return workshop.repository()
