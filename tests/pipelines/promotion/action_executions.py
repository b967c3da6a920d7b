"""What CodePipeline's ListActionExecutions says of an action, as tests give it."""

from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]
AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
"""When each action began; it took 90 seconds."""


def failed_action(name: str, provider: str, result: Json, stage: str = "Build") -> Json:
    """Return an action that failed: {actionExecutionId, stageName, actionName, status, …}.

    Args:
        name: Its name, and its execution's id.
        provider: CodeBuild, CloudFormation.
        result: What its provider says: {externalExecutionId, …}.
        stage: The stage it is in.
    """
    kind = {"category": "Build", "owner": "AWS", "provider": provider, "version": "1"}
    return {
        "actionExecutionId": name,
        "stageName": stage,
        "actionName": name,
        "status": "Failed",
        "startTime": AT,
        "lastUpdateTime": AT + timedelta(seconds=90),
        "input": {"actionTypeId": kind},
        "output": {"executionResult": result},
    }
