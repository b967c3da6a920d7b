"""What CodePipeline does with conditions, rollbacks, queues and change sets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from pipelines.doctor.experiments.declarations import GROUP, Json, alarm, composite_alarm, role
from pipelines.doctor.experiments.small_pipeline import (
    FIRST,
    SmallPipeline,
    action,
    approval,
    condition,
    stage,
)
from pipelines.doctor.experiments.verdicts import refusal, verdict
from pipelines.doctor.lent_account import template
from pipelines.promotion import control

if TYPE_CHECKING:
    from pipelines.doctor.findings import Diagnosis
    from pipelines.doctor.lent_account import LentAccount

_DEPLOY: Final = "Deploy"
_SECOND: Final = "second"
_QUIET: Final = {"TreatMissingData": "notBreaching"}


def composite(lent: LentAccount) -> Diagnosis:
    """Watch a metric alarm by one stage's rule, and a composite alarm by the next one's."""

    def watched(made: SmallPipeline, name: str) -> Json:
        return stage(name, made.tell(), onSuccess=_alarm_rule(made.ids[name]))

    alarms = {"Metric": alarm(**_QUIET), "Composite": composite_alarm("Metric")}
    made = SmallPipeline(lent, lambda made: [watched(made, name) for name in alarms], alarms)
    made.ended(made.first)
    seen = {name: _condition(made, name, "onSuccess") for name in alarms}
    held = (seen["Metric"].get("status"), seen["Composite"].get("status")) == ("Succeeded", "Failed")
    answers = {
        name: each.get("summary") or each.get("status", "was not checked") for name, each in seen.items()
    }
    return verdict(holds=held, seen="; ".join(f"{name}: {each}" for name, each in answers.items()))


def rollback_variables(lent: LentAccount) -> Diagnosis:
    """Roll a stage back, and read what its action was told by a variable."""
    made = SmallPipeline(lent, lambda made: [stage(_DEPLOY, made.tell())])
    made.ended(made.first)
    made.ended(made.start(_SECOND))
    rollback = made.roll_back(_DEPLOY, made.first)
    status, word = made.ended(rollback), made.word_of(rollback)
    return verdict(holds=word == FIRST, seen=f"{status}: it was told the variable of the {word} execution")


def rollback_conditions(lent: LentAccount) -> Diagnosis:
    """Roll a stage back while the alarm rings that its entry condition watches."""

    def stages(made: SmallPipeline) -> list[Json]:
        return [stage(_DEPLOY, made.tell(), beforeEntry=_alarm_rule(made.ids["Metric"]))]

    made = SmallPipeline(lent, stages, {"Metric": alarm(**_QUIET)})
    if (status := made.ended(made.first)) != "Succeeded":
        return verdict(holds=False, seen=f"the first execution ended as {status}")
    _ring(made)
    status = made.ended(made.roll_back(_DEPLOY, made.first))
    return verdict(holds=status == "Succeeded", seen=f"with its alarm ringing the rollback {status.lower()}")


def same_structure(lent: LentAccount) -> Diagnosis:
    """Change the pipeline between an execution and the rollback to it."""
    made = SmallPipeline(lent, lambda made: [stage(_DEPLOY, made.tell())])
    made.ended(made.first)
    made.declaration["stages"][1]["actions"][0]["name"] = "TellAgain"
    lent.aws.client("codepipeline").update_pipeline(pipeline=made.declaration)
    made.ended(made.start(_SECOND))
    refused = refusal(lambda: made.roll_back(_DEPLOY, made.first))
    return verdict(holds=bool(refused), seen=refused or "the rollback began")


def parallel(lent: LentAccount) -> Diagnosis:
    """Declare a stage that rolls back in a pipeline whose executions run side by side."""
    made = SmallPipeline(lent, lambda made: [stage(_DEPLOY, made.tell())])
    made.ended(made.first)
    stages = [made.declaration["stages"][0], stage(_DEPLOY, made.tell(), onFailure={"result": "ROLLBACK"})]
    changed = made.declaration | {"executionMode": "PARALLEL", "stages": stages}
    refused = refusal(lambda: lent.aws.client("codepipeline").update_pipeline(pipeline=changed))
    return verdict(holds=bool(refused), seen=refused or "it was taken")


def one_in_a_stage(lent: LentAccount) -> Diagnosis:
    """Start a second execution while the first waits for an answer, and read the stage."""
    made = SmallPipeline(lent, lambda _: [stage(_DEPLOY, approval())])
    made.wait(lambda: control.pending_approvals(made.aws, made.name, made.first), "an approval")
    second = made.start(_SECOND)

    def inbound() -> str | None:
        waiting = made.state(_DEPLOY).get("inboundExecution")
        return str(waiting["pipelineExecutionId"]) if waiting else None

    waits, holds = made.wait(inbound, "the second to wait"), made.state(_DEPLOY)["latestExecution"]
    held = (holds["pipelineExecutionId"], waits) == (made.first, second)
    return verdict(holds=held, seen=f"{holds['pipelineExecutionId']} holds the stage, {waits} waits for it")


def window(lent: LentAccount) -> Diagnosis:
    """Wait for a window that opens with the next minute but one; with the next one where all is quicker."""
    now, soonest = datetime.now(UTC), 10 if lent.aws.embedded else 60
    opens = (now + timedelta(seconds=soonest + 60)).replace(second=0, microsecond=0)
    minutes = ",".join(str((opens + timedelta(minutes=each)).minute) for each in range(10))
    rule = condition("DeploymentWindow", {"Cron": f"* {minutes} * ? * * *", "TimeZone": "UTC"})
    made = SmallPipeline(lent, lambda made: [stage(_DEPLOY, made.tell(), beforeEntry=rule)])
    status = made.ended(made.first)
    began = [each["startTime"] for each in made.actions(made.first) if each["stageName"] == _DEPLOY]
    held = status == "Succeeded" and min(began) >= opens
    seen = f"it opened at {opens:%H:%M}, it began at {', '.join(f'{each:%H:%M:%S}' for each in began)}"
    return verdict(holds=held, seen=f"{status}: {seen}")


def overridden_window(lent: LentAccount) -> Diagnosis:
    """Override a window that is far away, and read what is said of that and of an answer's summary."""
    far = (datetime.now(UTC).hour + 12) % 24
    rule = condition("DeploymentWindow", {"Cron": f"* * {far} ? * * *", "TimeZone": "UTC"})
    made = SmallPipeline(lent, lambda _: [stage(_DEPLOY, approval(), beforeEntry=rule)])
    made.wait(lambda: _condition(made, _DEPLOY, "beforeEntry").get("status") == "InProgress", "the window")
    control.override_window(made.aws, made.name, _DEPLOY)
    made.answer(made.first, yes=True, summary="because it is proven")
    ended, status = made.ended(made.first), _condition(made, _DEPLOY, "beforeEntry").get("status")
    summaries = [
        each["output"]["executionResult"].get("externalExecutionSummary")
        for each in made.actions(made.first)
        if each["stageName"] == _DEPLOY
    ]
    held = (ended, status, summaries) == ("Succeeded", "Overridden", ["because it is proven"])
    return verdict(holds=held, seen=f"{ended}: its condition is {status}, the approval's summary {summaries}")


def change_set_names(lent: LentAccount) -> Diagnosis:
    """Reject what a change set would do, make one of the same name again, and execute it."""
    # A stack keeps the role that changed it and is deleted with it, so the role goes after the stack.
    roles = lent.stack({"DeployRole": role("cloudformation.amazonaws.com", "logs:*")})
    deploy_role = lent.role_arn(lent.physical_ids(roles)["DeployRole"])
    deployed, name = lent.stack({"Only": GROUP}), lent.name()

    def change(mode: str, **more: str) -> Json:
        settings = {"ActionMode": mode, "StackName": deployed, "ChangeSetName": name, **more}
        reads = [{"name": "Files"}] if more else []
        return action(mode.title(), "Deploy", "CloudFormation", configuration=settings, inputArtifacts=reads)

    prepare = change("CHANGE_SET_REPLACE", TemplatePath="Files::template.json", RoleArn=deploy_role)
    stages = [stage(_DEPLOY, prepare, approval(), change("CHANGE_SET_EXECUTE"))]
    files = {"template.json": template({"Only": GROUP, "Other": GROUP})}
    made = SmallPipeline(lent, lambda _: stages, files=files)
    made.answer(made.first, yes=False)
    made.ended(made.first)
    second = made.start(_SECOND)
    made.wait(lambda: control.pending_approvals(made.aws, made.name, second), "an approval")
    again = _change_sets(made, deployed)
    made.answer(second, yes=True)
    ended, left = made.ended(second), _change_sets(made, deployed)
    held = (again, ended, left) == ([name], "Succeeded", [])
    seen = f"made again there {len(again)} of one name; the execution {ended.lower()} and left {len(left)}"
    return verdict(holds=held, seen=seen)


def _change_sets(made: SmallPipeline, stack: str) -> list[str]:
    listed: Any = made.aws.cloudformation.list_change_sets(StackName=stack)["Summaries"]
    return [str(each["ChangeSetName"]) for each in listed]


def _alarm_rule(alarm_id: str) -> Json:
    name = alarm_id.rpartition(":alarm:")[2] or alarm_id
    return condition("CloudWatchAlarm", {"AlarmName": name, "AlarmStates": "ALARM"})


def _ring(made: SmallPipeline) -> None:
    """Let the alarm ring at once, and go on: nobody writes its metric, and that breaches from now on."""
    client, name = made.aws.client("cloudwatch"), made.ids["Metric"]
    client.put_metric_alarm(AlarmName=name, **alarm(TreatMissingData="breaching")["Properties"])
    client.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="proving")


def _condition(made: SmallPipeline, stage_name: str, kind: str) -> Json:
    """Return the latest state of a stage's condition, with `summary` where a rule of it says why."""
    state = made.state(stage_name).get(f"{kind}ConditionState", {})
    latest: Json = dict(state.get("latestExecution", {}))
    for each in state.get("conditionStates", []):
        for rule in each.get("ruleStates", []):
            run = rule.get("latestExecution", {})
            why = run.get("summary") or run.get("errorDetails", {}).get("message")
            latest |= {"summary": why} if why else {}
    return latest
