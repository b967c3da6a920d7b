"""A pipeline of an experiment: a source in a bucket, and stages that cost nothing.

A new pipeline starts by itself (CodePipeline user guide, "Create a pipeline"), so its first execution is
there without being started, with the default value of its variable.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any, Final

from pipelines.core.waiting import wait_until
from pipelines.doctor.experiments.declarations import Json, role, state_machine
from pipelines.promotion import control
from pipelines.promotion.execution import ENDED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipelines.doctor.lent_account import LentAccount

FIRST: Final = "first"
"""What the variable says in the execution that starts by itself."""
_SOURCE: Final = "Source"
_SECONDS: Final = 900
_MAY: Final = ("s3:*", "states:*", "cloudwatch:DescribeAlarms", "cloudformation:*", "iam:PassRole")
RESOURCES: Final[Json] = {
    "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"VersioningConfiguration": {"Status": "Enabled"}}},
    "PipelineRole": role("codepipeline.amazonaws.com", *_MAY),
    "MachineRole": role("states.amazonaws.com"),
    "Machine": state_machine("MachineRole", {"Done": {"Type": "Succeed"}}),
}


def stage(name: str, *actions: Json, **conditions: Json) -> Json:
    """Return a stage {name, actions}; `conditions` are as `beforeEntry`."""
    ordered = [{**each, "runOrder": order} for order, each in enumerate(actions, start=1)]
    return {"name": name, "actions": ordered, **conditions}


def action(name: str, category: str, provider: str, **more: Any) -> Json:
    """Return an action {name, actionTypeId} of AWS's, with more."""
    kind = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
    return {"name": name, "actionTypeId": kind, **more}


def approval() -> Json:
    """Return an action {name, actionTypeId} that waits for an answer."""
    return action("Approve", "Approval", "Manual")


def condition(provider: str, configuration: Mapping[str, str], *, minutes: int = 0) -> Json:
    """Return {conditions}: one of a single rule, without which its stage fails."""
    kind = {"category": "Rule", "owner": "AWS", "provider": provider, "version": "1"}
    rule: Json = {"name": "Rule", "ruleTypeId": kind, "configuration": dict(configuration)}
    if minutes:
        rule["timeoutInMinutes"] = minutes
    return {"conditions": [{"result": "FAIL", "rules": [rule]}]}


class SmallPipeline:
    """A pipeline on a lent account, removed with what it rests on."""

    def __init__(
        self,
        lent: LentAccount,
        stages: Callable[[SmallPipeline], list[Json]],
        resources: Json | None = None,
        files: Mapping[str, str] | None = None,
    ) -> None:
        """Make it and wait for its first execution.

        Args:
            lent: Where.
            stages: Returns what comes after the source; given this, whose `ids` it may need.
            resources: What it needs beside.
            files: What the source holds.
        """
        self.lent, self.aws = lent, lent.aws
        self.stack = lent.stack({**RESOURCES, **(resources or {})})
        self.ids = lent.physical_ids(self.stack)
        lent.undo.callback(lent.empty_bucket, self.ids["Bucket"])
        self._upload(files or {"nothing.txt": ""})
        self.name = lent.name()
        self._client = self.aws.client("codepipeline")
        self.declaration = self._declared(stages(self))
        lent.undo.callback(self._client.delete_pipeline, name=self.name)
        self._client.create_pipeline(pipeline=self.declaration)
        lent.undo.callback(self._stop)
        self.first = self._begun()

    def tell(self) -> Json:
        """Return an action {name, actionTypeId, …} that tells a state machine the execution's variable."""
        settings = {"StateMachineArn": self.ids["Machine"], "Input": '{"word": "#{variables.word}"}'}
        return action("Tell", "Invoke", "StepFunctions", configuration=settings)

    def start(self, word: str) -> str:
        """Start an execution and return it."""
        value = [{"name": "word", "value": word}]
        return str(
            self._client.start_pipeline_execution(name=self.name, variables=value)["pipelineExecutionId"]
        )

    def ended(self, execution: str) -> str:
        """Wait until an execution has ended and return its status."""

        def status() -> str | None:
            which = {"pipelineName": self.name, "pipelineExecutionId": execution}
            state = self._client.get_pipeline_execution(**which)["pipelineExecution"]["status"]
            return str(state) if state in ENDED else None

        return str(self.wait(status, f"{execution} to end"))

    def roll_back(self, stage_name: str, execution: str) -> str:
        """Roll a stage back to an execution and return the execution that does it."""
        return control.rollback(self.aws, self.name, stage_name, execution)

    def word_of(self, execution: str) -> str:
        """Return the word that the action of an execution told the state machine."""
        (arn,) = [
            each["output"]["outputVariables"]["ExecutionArn"]
            for each in self.actions(execution)
            if each["actionName"] == "Tell"
        ]
        described = self.aws.stepfunctions.describe_execution(executionArn=arn)
        return str(json.loads(described["input"])["word"])

    def actions(self, execution: str) -> list[Json]:
        """Return what the actions of an execution did, as ListActionExecutions answers it."""
        which = {"pipelineExecutionId": execution}
        answer: list[Json] = self._client.list_action_executions(pipelineName=self.name, filter=which)[
            "actionExecutionDetails"
        ]
        return answer

    def state(self, stage_name: str) -> Json:
        """Return the state of a stage, as GetPipelineState answers it."""
        (answer,) = [each for each in control.state(self.aws, self.name) if each["stageName"] == stage_name]
        return answer

    def answer(self, execution: str, *, yes: bool, summary: str = "proving") -> None:
        """Wait for the approval of an execution and answer it."""
        (question,) = self.wait(
            lambda: control.pending_approvals(self.aws, self.name, execution), "an approval"
        )
        control.answer(self.aws, self.name, question, yes=yes, summary=summary)

    def wait(self, probe: Callable[[], Any], what: str) -> Any:
        """Wait until a probe answers with something true, and return that."""
        return wait_until(probe, seconds=_SECONDS, every=self.aws.poll_seconds, what=what)

    def _declared(self, stages: list[Json]) -> Json:
        place = {"S3Bucket": self.ids["Bucket"], "S3ObjectKey": "source.zip", "PollForSourceChanges": "false"}
        fetch = action(
            "Fetch",
            "Source",
            "S3",
            configuration=place,
            outputArtifacts=[{"name": "Files"}],
            inputArtifacts=[],
        )
        return {
            "name": self.name,
            "roleArn": self.lent.role_arn(self.ids["PipelineRole"]),
            "artifactStore": {"type": "S3", "location": self.ids["Bucket"]},
            "pipelineType": "V2",
            "executionMode": "QUEUED",
            "variables": [{"name": "word", "defaultValue": FIRST}],
            "stages": [stage(_SOURCE, fetch), *stages],
        }

    def _upload(self, files: Mapping[str, str]) -> None:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for name, text in files.items():
                archive.writestr(name, text)
        self.aws.s3.put_object(Bucket=self.ids["Bucket"], Key="source.zip", Body=packed.getvalue())

    def _begun(self) -> str:
        (execution,) = self.wait(lambda: control.executions(self.aws, self.name), "the pipeline to start")
        return str(execution["pipelineExecutionId"])

    def _stop(self) -> None:
        """Stop what runs, and wait until nothing writes artifacts any more."""
        for each in control.executions(self.aws, self.name):
            if each["status"] not in ENDED:
                identifier = each["pipelineExecutionId"]
                self._client.stop_pipeline_execution(
                    pipelineName=self.name, pipelineExecutionId=identifier, abandon=True
                )
                self.ended(identifier)
