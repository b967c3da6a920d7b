"""Actions that invoke: a Lambda function with a job, and an execution of a state machine, until each ends.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-Lambda.html
https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-StepFunctions.html
"""

import json
from pathlib import Path

from botocore.exceptions import ClientError

from embedded_aws.codepipeline.actions.action import Action, ActionFailed, Outcome, failed
from embedded_aws.codepipeline.records import Location
from embedded_aws.core import api, runtime
from embedded_aws.core.api import ApiError, Json, Scope

KIND = "job"


def invoke_function(action: Action) -> Outcome:
    """Invoke the function; it answers with PutJobSuccessResult or PutJobFailureResult.

    Raises:
        ActionFailed: The function failed, or told the pipeline that the job did.
    """
    name = action.configuration["FunctionName"]
    job = open_job(action.scope, action.identifier)
    answer = action.call(
        "lambda", "invoke", FunctionName=name, Payload=json.dumps({"CodePipeline.job": _job(action, job)})
    )
    if answer.get("FunctionError"):
        detail = answer["Payload"].read().decode(errors="replace")[:2000]
        raise ActionFailed(f"The AWS Lambda function {name} failed: {detail}")
    result = action.until(lambda: job_result(action.scope, job))
    runtime.current().store.delete(KIND, action.scope.account, action.scope.region, job)
    if result["status"] == "Failed":
        raise ActionFailed(result["message"])
    return Outcome(variables=result["outputVariables"], summary=result["summary"])


def _job(action: Action, job: str) -> Json:
    credentials = action.store.session.environment()
    return {
        "id": job,
        "accountId": action.scope.account,
        "data": {
            "actionConfiguration": {"configuration": action.configuration},
            "inputArtifacts": [_artifact(each["name"], each["s3location"]) for each in action.run["inputs"]],
            "outputArtifacts": [],
            "artifactCredentials": {
                "accessKeyId": credentials["AWS_ACCESS_KEY_ID"],
                "secretAccessKey": credentials["AWS_SECRET_ACCESS_KEY"],
                "sessionToken": credentials.get("AWS_SESSION_TOKEN"),
            },
        },
    }


def _artifact(name: str, location: Location) -> Json:
    place = {"bucketName": location["bucket"], "objectKey": location["key"]}
    return {"name": name, "revision": None, "location": {"type": "S3", "s3Location": place}}


def open_job(scope: Scope, action_execution: str) -> str:
    """Make a job that waits for its answer."""
    identifier = api.new_id()
    runtime.current().store.put(
        KIND, scope.account, scope.region, identifier, body={"action": action_execution}
    )
    return identifier


def job_result(scope: Scope, identifier: str) -> Json | None:
    """Read a job's answer, when there is one: {status, summary, outputVariables} or {status, message}."""
    job = _find(scope, identifier)
    return job if "status" in job else None


def succeed_job(scope: Scope, request: Json) -> Json:
    """PutJobSuccessResult."""
    summary = (request.get("executionDetails") or {}).get("summary", "")
    _answer(
        scope,
        request["jobId"],
        {"status": "Succeeded", "summary": summary, "outputVariables": request.get("outputVariables") or {}},
    )
    return {}


def fail_job(scope: Scope, request: Json) -> Json:
    """PutJobFailureResult."""
    _answer(scope, request["jobId"], {"status": "Failed", "message": request["failureDetails"]["message"]})
    return {}


def _answer(scope: Scope, identifier: str, answer: Json) -> None:
    with runtime.current().store.transaction():
        job = _find(scope, identifier)
        runtime.current().store.put(KIND, scope.account, scope.region, identifier, body=job | answer)


def _find(scope: Scope, identifier: str) -> Json:
    job = runtime.current().store.get(KIND, scope.account, scope.region, identifier)
    if job is None:
        raise ApiError("JobNotFoundException", f"Job {identifier} was not found")
    return job


_OUTPUT_FILE = "output.json"


def run_state_machine(action: Action) -> Outcome:
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
