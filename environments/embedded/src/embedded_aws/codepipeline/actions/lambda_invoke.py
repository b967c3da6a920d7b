"""Lambda: invokes a function with a job, and waits until the function says how the job went.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-Lambda.html
"""

import json

from embedded_aws.codepipeline import jobs
from embedded_aws.codepipeline.actions.action import Action, ActionFailed, Outcome
from embedded_aws.core import runtime
from embedded_aws.core.api import Json


def perform(action: Action) -> Outcome:
    """Invoke the function; it answers with PutJobSuccessResult or PutJobFailureResult.

    Raises:
        ActionFailed: The function failed, or told the pipeline that the job did.
    """
    name = action.configuration["FunctionName"]
    job = jobs.open_job(action.scope, action.identifier)
    answer = action.call(
        "lambda", "invoke", FunctionName=name, Payload=json.dumps({"CodePipeline.job": _job(action, job)})
    )
    if answer.get("FunctionError"):
        detail = answer["Payload"].read().decode(errors="replace")[:2000]
        raise ActionFailed(f"The AWS Lambda function {name} failed: {detail}")
    result = action.until(lambda: jobs.result(action.scope, job))
    runtime.current().store.delete(jobs.KIND, action.scope.account, action.scope.region, job)
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


def _artifact(name: str, location: Json) -> Json:
    place = {"bucketName": location["bucket"], "objectKey": location["key"]}
    return {"name": name, "revision": None, "location": {"type": "S3", "s3Location": place}}
