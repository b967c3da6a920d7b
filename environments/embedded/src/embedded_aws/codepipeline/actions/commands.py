"""Commands: shell commands over the input artifacts, with the pipeline's role and no build project.

A shell runs them as in a build, for an action or a rule, with their log in CloudWatch Logs.
https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-Commands.html
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from embedded_aws.codebuild import outputs
from embedded_aws.codebuild.environment import Reader, host_variables
from embedded_aws.codebuild.shell import Interrupted, LogStream, Shell
from embedded_aws.codepipeline import executions
from embedded_aws.codepipeline import variables as references
from embedded_aws.codepipeline.actions.action import Action, ActionFailed, Outcome
from embedded_aws.codepipeline.records import Execution
from embedded_aws.core import runtime
from embedded_aws.core.api import Json, Scope
from embedded_aws.iam import role_sessions

_SHELL = "bash"


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be run."""

    name: str
    scope: Scope
    execution: Execution
    session: role_sessions.RoleSession
    commands: list[str]
    sources: dict[str, Path]
    folder: Path
    variables: list[Json] = field(default_factory=list)
    exported: list[str] = field(default_factory=list)
    minutes: int = 60


@dataclass(frozen=True, slots=True)
class Done:
    """How it went."""

    failure: str
    variables: dict[str, str]
    log_stream: str


def run(task: Task, *, stopped: Callable[[], bool] = lambda: False) -> Done:
    """Run commands one after the other until one fails.

    Variables are not resolved inside commands, where their text would be code; they come as environment
    variables.
    """
    task.folder.mkdir(parents=True, exist_ok=True)
    home = task.folder / "home"
    home.mkdir(exist_ok=True)
    group, stream = f"/aws/codepipeline/{task.execution['pipelineName']}", task.name.rpartition("/")[2]
    log = LogStream(task.folder / "log", task.session, group, stream)
    log.open()
    deadline = time.monotonic() + runtime.current().seconds(task.minutes)
    shell = Shell(
        task.folder / "control",
        next(iter(task.sources.values()), home),
        _environment(task, home, log),
        shell=_SHELL,
        output=log.file,
        interrupted=lambda: stopped() or time.monotonic() > deadline,
    )
    try:
        failure = _run_each(shell, task.commands, log)
        values = shell.values(task.exported) if task.exported and not failure else {}
    except Interrupted:
        failure, values = f"The commands were stopped, or did not end within {task.minutes} minutes.", {}
    finally:
        shell.close()
        log.close()
    return Done(failure, values, f"{group}:{stream}")


def _chosen(sources: dict[str, Path], patterns: list[str]) -> dict[str, Path]:
    """Choose the files of an output artifact."""
    return outputs.chosen({"files": patterns}, next(iter(sources.values())))


def _run_each(shell: Shell, commands: list[str], log: LogStream) -> str:
    for command in commands:
        log.say(f"Running command {command}")
        status = shell.run(command)
        if status:
            return f"Error while executing command: {command}. Reason: exit status {status}"
    return ""


def _environment(task: Task, home: Path, log: LogStream) -> dict[str, str]:
    region = task.session.region
    reader = Reader(task.session, log.mask)
    declared = {
        variable["name"]: reader.read(
            variable.get("type", "PLAINTEXT"), references.resolve(task.execution, variable["value"])
        )
        for variable in task.variables
    }
    places = {f"CODEBUILD_SRC_DIR_{name}": str(place) for name, place in list(task.sources.items())[1:]}
    first = next(iter(task.sources.values()), home)
    own = {
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ENDPOINT_URL": runtime.current().endpoint,
        "CODEBUILD_SRC_DIR": str(first),
        "CODEPIPELINE_EXECUTION_ID": task.execution["id"],
        "HOME": str(home),
    }
    return host_variables() | declared | own | places | task.session.environment()


def perform(action: Action) -> Outcome:
    """Run the commands in the first input artifact's folder; pack the output artifact's files.

    Raises:
        ActionFailed: A command failed, or made no file for an output artifact.
    """
    declaration = action.declaration
    sources = {
        artifact["name"]: action.input_folder(artifact["name"]) for artifact in declaration["inputArtifacts"]
    }
    done = run(
        Task(
            name=f"{action.execution['pipelineName']}/{action.identifier}",
            scope=action.scope,
            execution=action.execution,
            session=action.session,
            commands=declaration["commands"],
            sources=sources,
            folder=action.folder,
            variables=declaration.get("environmentVariables") or [],
            exported=declaration.get("outputVariables") or [],
            minutes=declaration.get("timeoutInMinutes") or 60,
        ),
        stopped=lambda: _stopped(action),
    )
    action.report(externalExecutionId=done.log_stream)
    if done.failure:
        raise ActionFailed(done.failure)
    for artifact in declaration["outputArtifacts"]:
        files = _chosen(sources, artifact.get("files") or [])
        if not files:
            raise ActionFailed(f"No file matches the files of output artifact {artifact['name']}")
        action.put_output(files, artifact["name"])
    return Outcome(variables=done.variables)


def _stopped(action: Action) -> bool:
    return str(executions.find_action(action.execution, action.identifier)["status"]) != "InProgress"
