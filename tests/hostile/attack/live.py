"""Releases on a live pipeline that stop between their stages, so that something can be changed there.

Whoever changes it has every right: no permission is tried here, but what is found without one.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

import pytest

from pipelines.core.reporting import NOBODY
from pipelines.core.repository import ROOT
from pipelines.deploy import embedded_overrides
from pipelines.promotion import control, execution, failure_report, records, running_stack
from pipelines.rehearsal import rehearsal
from tests.proofs import small_builds
from tests.waiting import wait_until

if TYPE_CHECKING:
    from embedded_aws.instance import Instance
    from pipelines.promotion.execution import Promotion
    from pipelines.promotion.running_stack import Running

Json = dict[str, Any]
SHIPPED: Final = "lambdas/data_api/handler.py"
"""A file that ships; each release has another line at its end."""
_STEP: Final = "lambdas/reserve_products/handler.py"
"""The same of a step function, so that each release has a workflow of its own, too."""
_BRANCH: Final = "feature/release"
_SECONDS: Final = 600


class Moment(IntEnum):
    """When something is changed, in the order of a release."""

    BUILT = 0
    PUBLISHED = 1
    STAGED = 2
    WAITING = 3
    APPROVED = 4
    VERIFIED = 5
    DEPLOYED = 6


_HELD: Final = {
    "Publish": Moment.BUILT,
    "Staging": Moment.PUBLISHED,
    "Approve": Moment.STAGED,
    "Verify": Moment.APPROVED,
    "Production": Moment.VERIFIED,
}
"""The stages that are closed to a release, by what is done when it waits to enter them."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a release stands.

    Attributes:
        how: `held`, `asked`, `failed` or `ended`.
        stage: The stage.
    """

    how: str
    stage: str

    @property
    def moment(self) -> Moment:
        """Return what is done when it stands here: a stage that failed can be entered again."""
        if self.how == "ended":
            return Moment.DEPLOYED
        return Moment.WAITING if self.how == "asked" else _HELD[self.stage]


class Pipeline:
    """The release pipeline of an embedded AWS of its own, with a genuine release in production."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        with pytest.MonkeyPatch.context() as patch:  # what is changed in caches is not this checkout's
            patch.setattr(embedded_overrides, "CACHE", instance.root / "caches")
            self.prepared = rehearsal.prepare(instance, NOBODY)
        self.tools, self.prod = self.prepared.aws, self.prepared.targets["prod"]
        self.name = control.name_of(self.tools, "release")
        self._client = self.tools.client("codepipeline")
        self._answered: set[str] = set()
        self._texts: dict[str, str] = {}
        self.genuine = self.release("genuine", held=False)
        while (place := self.stands(self.genuine)).how == "asked":
            self.let_in(place, self.genuine)

    def release(self, word: str, *, held: bool = True) -> Promotion:
        """Begin a release of another byte than the one before; it stops before every stage that may."""
        texts = {file: f"{(ROOT / file).read_text(encoding='utf-8')}# {word}\n" for file in (SHIPPED, _STEP)}
        for stage in _HELD if held else ():
            self._client.disable_stage_transition(
                pipelineName=self.name, stageName=stage, transitionType="Inbound", reason="to look"
            )
        branch = self.prepared.commit(_BRANCH, word, small_builds.files("page") | texts)
        self._client.stop_pipeline_execution(
            pipelineName=branch.pipeline, pipelineExecutionId=branch.execution, abandon=True
        )
        release = self.prepared.merge(_BRANCH)
        self._texts[release.execution] = texts[SHIPPED]
        return release

    def reach(self, release: Promotion, moment: Moment) -> Place:
        """Let a release go on until this moment, or a later one when it is past that."""
        place = self.stands(release)
        while place.moment < moment and place.how != "ended":
            place = self.go_on(release, place)
        return place

    def go_on(self, release: Promotion, place: Place) -> Place:
        """Let a release enter the stage it waits for, or try it again; return where it stands then."""
        self.let_in(place, release)
        return self.stands(release)

    def let_in(self, place: Place, release: Promotion) -> None:
        """Answer, retry, or open the way."""
        if place.how == "failed":
            control.retry(self.tools, self.name, place.stage)
        elif place.how == "asked":
            for question in control.pending_approvals(self.tools, self.name, release.execution):
                self._answered.add(question.token)
                control.answer(self.tools, self.name, question, yes=True, summary="as it was reviewed")
        else:
            self._client.enable_stage_transition(
                pipelineName=self.name, stageName=place.stage, transitionType="Inbound"
            )

    def stands(self, release: Promotion) -> Place:
        """Wait until a release stands somewhere, and return where."""
        return wait_until(
            lambda: self.place(release), lambda: self.explained(release), seconds=_SECONDS, every=0.3
        )

    def place(self, release: Promotion) -> Place | None:
        """Return where a release stands; None while it goes on."""
        for state in control.state(self.tools, self.name):
            closed = not state["inboundTransitionState"]["enabled"]
            inbound = [each["pipelineExecutionId"] for each in state.get("inboundExecutions", [])]
            if closed and release.execution in inbound:
                return Place("held", state["stageName"])
        for question in control.pending_approvals(self.tools, self.name, release.execution):
            if question.token not in self._answered:
                return Place("asked", question.stage)
        status = self._client.get_pipeline_execution(
            pipelineName=self.name, pipelineExecutionId=release.execution
        )["pipelineExecution"]["status"]
        if status == "Failed":
            return Place("failed", self._steps(release)[-1].stage)
        return Place("ended", status) if status in execution.ENDED else None

    def _steps(self, release: Promotion) -> list[execution.Step]:
        return execution.pipeline_steps(self.tools, self.name, release.execution)

    def await_deployment(self, release: Promotion) -> None:
        """Wait until production runs a release, and nothing has compared it yet."""

        def deployed() -> bool:
            return any(
                (step.stage, step.action, step.status) == ("Production", "Deploy-payments", "Succeeded")
                for step in self._steps(release)
            )

        wait_until(deployed, lambda: self.explained(release), seconds=_SECONDS, every=0.02)

    def await_rollback(self, release: Promotion) -> str:
        """Wait until the automatic rollback after a failure has ended, and return how."""

        def ended() -> str | None:
            for run in control.executions(self.tools, self.name):
                if run["trigger"].get("triggerDetail", "").endswith(f":{release.execution}"):
                    return str(run["status"]) if run["status"] in execution.ENDED else None
            return None

        return wait_until(ended, "the rollback", seconds=_SECONDS, every=0.5)

    def artifact(self, release: Promotion, name: str) -> tuple[str, str]:
        """Return bucket and key of the artifact of this name that a release made last."""
        details = self._client.list_action_executions(
            pipelineName=self.name, filter={"pipelineExecutionId": release.execution}
        )["actionExecutionDetails"]
        places = [
            made["s3location"]
            for detail in details
            for made in detail.get("output", {}).get("outputArtifacts", [])
            if made["name"] == name
        ]
        return places[0]["bucket"], places[0]["key"]

    def strange_files(self, release: Promotion) -> list[str]:
        """Return the files of the data API's package of a release that its source does not make."""
        genuine, made = self._package(self.genuine), self._package(release)
        shipped = SHIPPED.removeprefix("lambdas/")
        genuine[shipped] = self._texts[release.execution].encode()
        return sorted(name for name in genuine.keys() | made.keys() if genuine.get(name) != made.get(name))

    def _package(self, release: Promotion) -> dict[str, bytes]:
        bucket, key = self.artifact(release, "Packages")
        body = self.tools.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        with zipfile.ZipFile(io.BytesIO(body)) as artifact:
            (name,) = [each for each in artifact.namelist() if each.endswith("/data_api.zip")]
            with zipfile.ZipFile(io.BytesIO(artifact.read(name))) as package:
                return {each: package.read(each) for each in package.namelist()}

    def running(self) -> Running:
        """Return what production runs."""
        return running_stack.read(self.prod, self.prod.environment.default_stack)

    def recorded(self, release: Promotion) -> Running:
        """Return what staging ran of a release."""
        staging: Running = records.read(self.tools, self.name, release.execution, records.RECORD_STAGING)[
            "staging"
        ]
        return staging

    def logs_of_failures(self, release: Promotion) -> str:
        """Return what the builds that failed in a release logged."""
        failed = [step.build for step in self._steps(release) if step.status == "Failed" and step.build]
        if not failed:
            return self.explained(release)
        logs, builds = self.tools.client("logs"), self.tools.client("codebuild")
        places = [build["logs"] for build in builds.batch_get_builds(ids=failed)["builds"]]
        events = [
            event["message"]
            for place in places
            for event in logs.get_log_events(
                logGroupName=place["groupName"], logStreamName=place["streamName"]
            )["events"]
        ]
        return "\n".join(events)

    def explained(self, release: Promotion) -> str:
        """Return why a release ended as it did."""
        report = failure_report.explain(self.tools, self.name, release.execution)
        return "\n".join([*(report.log.end if report.log else ()), *report.sentences()])
