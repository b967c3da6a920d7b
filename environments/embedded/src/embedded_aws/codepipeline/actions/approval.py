"""Manual approval: waits for `put-approval-result`, at most seven days unless the action says otherwise.

https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals.html
"""

import json
import time
from typing import TYPE_CHECKING

from embedded_aws.codepipeline import engine, executions
from embedded_aws.codepipeline.actions.action import Action, Outcome
from embedded_aws.core import api, background, runtime

if TYPE_CHECKING:
    from embedded_aws.codepipeline.records import ActionResult

_SEVEN_DAYS = 7 * 24 * 60


def perform(action: Action) -> Outcome | None:
    """Make the token that an answer must carry, tell those who wait for it, and return without an outcome."""
    minutes = action.declaration.get("timeoutInMinutes") or _SEVEN_DAYS
    token = action.run.get("token") or api.new_id()
    expires = action.run.get("expires") or time.time() + runtime.current().seconds(minutes)
    with runtime.current().store.transaction():
        run = executions.find_action(action.execution, action.identifier)
        if run["status"] != "InProgress":
            return None
        run |= {"token": token, "expires": expires, "externalExecutionId": token}
        executions.keep_action(run)
    if not action.again:
        _notify(action, token, expires)
    background.later(max(0.0, expires - time.time()), "approval-timeout", lambda: _time_out(action, minutes))
    return None


def _time_out(action: Action, minutes: int) -> None:
    result: ActionResult = {
        "status": "Failed",
        "error": {"code": "JobFailed", "message": f"Approval was not given within {minutes} minutes"},
        "summary": f"Approval was not given within {minutes} minutes",
    }
    engine.action_finished(action.execution, action.identifier, result)


def _notify(action: Action, token: str, expires: float) -> None:
    """https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals-json-format.html."""
    topic = action.configuration.get("NotificationArn")
    if not topic:
        return
    region, name = action.scope.region, action.execution["pipelineName"]
    stage, own = action.run["stageName"], action.declaration["name"]
    console = f"https://console.aws.amazon.com/codesuite/codepipeline/pipelines/{name}/view?region={region}"
    message = {
        "region": region,
        "consoleLink": console,
        "approval": {
            "pipelineName": name,
            "stageName": stage,
            "actionName": own,
            "token": token,
            "expires": time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime(expires)),
            "externalEntityLink": action.configuration.get("ExternalEntityLink"),
            "approvalReviewLink": f"{console}#/{stage}/{own}/approve/{token}",
            "customData": action.configuration.get("CustomData"),
        },
    }
    subject = f"APPROVAL NEEDED: AWS CodePipeline {name} for action {own}"[:100]
    action.call("sns", "publish", TopicArn=topic, Subject=subject, Message=json.dumps(message))
