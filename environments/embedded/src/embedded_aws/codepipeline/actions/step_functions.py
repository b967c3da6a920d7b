"""Step Functions: starts an execution of a state machine and waits for it.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-StepFunctions.html
"""

import json
from pathlib import Path

from botocore.exceptions import ClientError

from embedded_aws.codepipeline.actions.action import Action, ActionFailed, Outcome, failed
from embedded_aws.core.api import Json

_OUTPUT_FILE = "output.json"


def perform(action: Action) -> Outcome:
    """Run the state machine; a standard execution is named after the action execution.

    Raises:
        ActionFailed: The execution did not succeed.
    """
    settings = action.configuration
    prefix = settings.get("ExecutionNamePrefix")
    name = f"{prefix}-{action.identifier}" if prefix else action.identifier
    arn = _start(action, settings["StateMachineArn"], name, _input(action))
    action.report(externalExecutionId=arn)
    execution: Json = action.until(lambda: _ended(action, arn))
    if execution["status"] != "SUCCEEDED":
        reason = ": ".join(part for part in (execution.get("error"), execution.get("cause")) if part)
        raise ActionFailed(f"Execution {arn} ended with status {execution['status']}. {reason}".strip())
    if action.declaration["outputArtifacts"]:
        action.folder.mkdir(parents=True, exist_ok=True)
        file = action.folder / _OUTPUT_FILE
        file.write_text(execution.get("output") or "{}")
        action.put_output({_OUTPUT_FILE: file})
    return Outcome(variables={"StateMachineArn": settings["StateMachineArn"], "ExecutionArn": arn})


def _input(action: Action) -> str:
    text = action.configuration.get("Input") or "{}"
    if action.configuration.get("InputType", "Literal") == "FilePath":
        text = _file(action, text).read_text()
    try:
        json.loads(text)
    except ValueError:
        raise ActionFailed("The input of the state machine is not JSON.", "InvalidConfiguration") from None
    return text


def _file(action: Action, path: str) -> Path:
    if "::" in path:
        return action.input_file(path)
    if not action.declaration["inputArtifacts"]:
        raise ActionFailed("InputType FilePath needs an input artifact.", "InvalidConfiguration")
    return action.input_file(f"{action.declaration['inputArtifacts'][0]['name']}::{path}")


def _start(action: Action, machine: str, name: str, text: str) -> str:
    try:
        started = action.session.client("stepfunctions").start_execution(
            stateMachineArn=machine, name=name, input=text
        )
        return str(started["executionArn"])
    except ClientError as error:
        if action.again and error.response["Error"]["Code"] == "ExecutionAlreadyExists":
            return machine.replace(":stateMachine:", ":execution:") + f":{name}"
        raise failed(error) from None


def _ended(action: Action, arn: str) -> Json | None:
    execution = action.call("stepfunctions", "describe_execution", executionArn=arn)
    return None if execution["status"] in ("RUNNING", "PENDING_REDRIVE") else execution
