"""Jobs that Lambda functions answer: PutJobSuccessResult and PutJobFailureResult."""

from embedded_aws.core import clock, runtime
from embedded_aws.core.api import ApiError, Json, Scope

KIND = "job"


def open_job(scope: Scope, action_execution: str) -> str:
    """Make a job that waits for its answer."""
    identifier = clock.new_id()
    runtime.current().store.put(
        KIND, scope.account, scope.region, identifier, body={"action": action_execution}
    )
    return identifier


def result(scope: Scope, identifier: str) -> Json | None:
    """Read a job's answer, when there is one."""
    job = _find(scope, identifier)
    return job if "status" in job else None


def succeed(scope: Scope, request: Json) -> Json:
    """PutJobSuccessResult."""
    summary = (request.get("executionDetails") or {}).get("summary", "")
    _answer(
        scope,
        request["jobId"],
        {"status": "Succeeded", "summary": summary, "outputVariables": request.get("outputVariables") or {}},
    )
    return {}


def fail(scope: Scope, request: Json) -> Json:
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
