"""The four measures, of executions that really ran: good, broken, retried, taken back, rejected."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from codepipeline_workbench import (
    Workshop,
    approve,
    commands,
    stage,
)

from pipelines.cli.main import main
from pipelines.core import branch_names
from pipelines.core.refusals import Refused
from pipelines.status import delivery
from pipelines.status.delivery import Measures
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from embedded_aws import instance
    from pipelines.aws.accounts import Aws
    from pipelines.status.deployments import Deployment


PREVIEW = "branches/" + branch_names.stack_name("feature/login")


class Shop:
    """A pipeline like the release pipeline: a version `broken` fails in production and goes back."""

    def __init__(self, workshop: Workshop) -> None:
        self.workshop, self.repository = workshop, workshop.repository(version="good")
        self.mended = self.repository.folder.parent / f"{self.repository.folder.name}-mended"
        deploy = commands(f"grep -q good version || [ -e '{self.mended}' ]", name="Deploy")
        self.pipeline = workshop.create(
            stage("Source", workshop.source(self.repository)),
            stage("Staging", commands("true", name="Try")),
            stage("Approve", approve()),
            stage("Production", deploy, onFailure={"result": "ROLLBACK"}),
            stage("Docs", commands("true", name="Publish")),
        )

    def release(self, version: str | None = None, *, status: str = "Approved") -> str:
        """Commit, release and answer; return the execution once it has ended."""
        if version is not None:
            self.repository.commit(version=version)
        execution = self.workshop.start(self.pipeline)
        self.workshop.answer(self.pipeline, self.workshop.approval(self.pipeline, execution), status=status)
        self.workshop.finished(self.pipeline, execution)
        return execution

    def rolled_back(self, times: int) -> None:
        """Wait until so many rollbacks have succeeded."""

        def done() -> bool:
            found = self.workshop.executions(self.pipeline)
            back = [one["status"] for one in found if one["executionType"] == "ROLLBACK"]
            return back == ["Succeeded"] * times

        wait_until(done, "the rollback")

    def deployed(self, tools: Aws, to: str = "Production") -> list[Deployment]:
        since = datetime.now(UTC) - timedelta(days=1)
        return delivery.read(tools, self.pipeline, to, since)


@pytest.fixture(scope="module")
def one_release(workshop: Workshop) -> Shop:
    shop = Shop(workshop)
    shop.release()
    return shop


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A site as a build makes one."""
    page = tmp_path / delivery.PAGE
    page.parent.mkdir()
    page.write_text("<h1>How</h1><!-- measures --><p>nothing yet</p><!-- /measures --><h2>What</h2>")
    (tmp_path / "index.html").write_text("<h1>Start</h1>")
    return tmp_path


def test_the_measures_are_those_of_what_the_pipeline_did(workshop: Workshop, tools: Aws) -> None:
    # Given a good release, a rejected one, one that broke and went back, and another good one
    shop = Shop(workshop)
    first = shop.release()
    shop.release("good, too", status="Rejected")
    broken = shop.release("broken")
    shop.rolled_back(1)
    mending = shop.release("good again")
    # When a person takes production back to the first
    workshop.pipelines.rollback_stage(
        pipelineName=shop.pipeline, stageName="Production", targetPipelineExecutionId=first
    )
    shop.rolled_back(2)
    # Then production has three deployments, of which two failed and were restored
    found = {one.execution: one for one in shop.deployed(tools)}
    assert list(found) == [first, broken, mending]
    assert [one.failed is not None for one in found.values()] == [False, True, True]
    assert all(one.restored > one.failed for one in found.values() if one.failed and one.restored)
    # And three changes came with the last: the rejected one, the broken one, and its own
    assert [len(one.committed) for one in found.values()] == [1, 0, 3]
    told = delivery.measure(list(found.values()), datetime.now(UTC))
    assert (told.deployments, told.ended, told.failures, told.restored) == (2, 3, 2, 2)
    assert told.failure_rate == pytest.approx(2 / 3)
    # And staging took all four, without a failure
    staging = delivery.measure(shop.deployed(tools, "Staging"), datetime.now(UTC))
    assert (staging.deployments, staging.failures, staging.changes) == (4, 0, 4)


def test_a_retry_restores_a_failure_and_one_under_way_is_neither(workshop: Workshop, tools: Aws) -> None:
    # Given a first release that broke, with nothing to go back to
    shop = Shop(workshop)
    broken = shop.release("broken")
    # When it is retried, and another one waits for its answer
    shop.mended.touch()
    workshop.pipelines.retry_stage_execution(
        pipelineName=shop.pipeline,
        stageName="Production",
        pipelineExecutionId=broken,
        retryMode="FAILED_ACTIONS",
    )
    workshop.succeeded(shop.pipeline, broken)
    waiting = workshop.start(shop.pipeline)
    workshop.approval(shop.pipeline, waiting)
    # Then it is one failure and one deployment, restored when it succeeded
    (one,) = shop.deployed(tools)
    assert one.failed is not None
    assert one.restored == one.succeeded
    assert one.succeeded is not None
    assert one.succeeded > one.failed
    workshop.answer(shop.pipeline, workshop.approval(shop.pipeline, waiting), status="Rejected")


@pytest.mark.parametrize(
    ("place", "initiator", "told"),
    [
        ("prod", "codepipeline/{}", "(1 in the window)"),
        ("staging", "codepipeline/{}", "<strong>staging</strong>"),
        ("prod", "", "nothing yet"),
        (PREVIEW, "codepipeline/{}", "nothing yet"),
    ],
)
def test_a_pipelines_build_publishes_its_measures_and_nobody_else_does(
    one_release: Shop, built: Path, embedded: instance.Instance, *, place: str, initiator: str, told: str
) -> None:
    # Given a site as it was built, a pipeline with a release, and a docs bucket
    shop = one_release
    build = {
        "AWS_ENDPOINT_URL": embedded.endpoint,
        "DOCS_BUCKET": shop.workshop.bucket,
        "FOLDER": place,
        "CODEBUILD_INITIATOR": initiator.format(shop.pipeline),
    }
    # When it is published
    result = CliRunner(env=build).invoke(main, ["docs", "publish", str(built)])
    # Then the page tells the environment's measures, or says that there are none
    assert result.exit_code == 0, result.output
    page = shop.workshop.client("s3").get_object(Bucket=shop.workshop.bucket, Key=f"{place}/{delivery.PAGE}")
    assert told in page["Body"].read().decode()


def test_status_tells_the_release_its_measures_and_who_waits(
    workshop: Workshop, embedded: instance.Instance, pipelines_stack: Callable[[str], None]
) -> None:
    # Given a release in production, and another one that waits for an answer
    shop = Shop(workshop)
    first = shop.release()
    waiting = workshop.start(shop.pipeline)
    token = workshop.approval(shop.pipeline, waiting)
    pipelines_stack(shop.pipeline)
    # When somebody looks at production, whose payments stack is not there
    shell = CliRunner(env={"AWS_ENDPOINT_URL": embedded.endpoint, "COLUMNS": "200"})
    machine, person = (shell.invoke(main, ["status", "prod", *more]) for more in (["--json"], []))
    # Then what the pipelines know is told, and that there is no stack
    told = json.loads(machine.stdout)
    assert (machine.exit_code, told["deployed"], told["unknown"]) == (1, None, {})
    assert (told["release"]["execution"], told["release"]["status"]) == (first, "Succeeded")
    assert told["release"]["commit"] == shop.repository.git("rev-parse", "HEAD").strip()
    assert [(gate["stage"], gate["execution"]) for gate in told["gates"]] == [("Approve", waiting)]
    assert (told["delivery"]["deployments"], told["delivery"]["failure_rate"]) == (1, 0)
    said = " ".join(person.stdout.split())
    assert f"payments pipeline approve release --execution {waiting}" in said
    assert "Deployment frequency 0.2 a week (1 in the window)" in said
    assert "There is no stack payments-prod in 333333333333" in person.stderr
    workshop.answer(shop.pipeline, token, status="Rejected")


def test_a_built_site_gets_the_measures_and_an_older_one_is_refused(built: Path) -> None:
    # Given a site as it is built, and measures
    page = built / delivery.PAGE
    none = delivery.measure([], datetime(2026, 11, 29, tzinfo=UTC))
    # When they are written, twice
    for name in ("staging", "prod"):
        delivery.write_page(built, name, none)
    # Then the page tells the last ones and nothing else changed, and so does the document
    told = page.read_text()
    assert told.startswith("<h1>How</h1><!-- measures -->")
    assert told.endswith("<!-- /measures --><h2>What</h2>")
    assert "<strong>prod</strong>, 2026-11-01 to 2026-11-29" in told
    assert "staging" not in told
    document = json.loads((built / delivery.DATA).read_text())
    assert (document["environment"], document["deployments"], document["failure_rate"]) == ("prod", 0, None)
    assert set(Measures.__dataclass_fields__) < set(document)
    # And where there is no place for them, that is said
    page.write_text("<h1>How</h1>")
    with pytest.raises(Refused, match="no place for the measures"):
        delivery.write_page(built, "prod", none)
