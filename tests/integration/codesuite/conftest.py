"""The tools account of the package's workbench, as `payments` connects to it."""

import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from codepipeline_workbench import Workshop, await_stacks, delete_stacks, repository, workshop

from embedded_aws import instance
from pipelines.aws import accounts, docs_bucket, stacks
from pipelines.aws.accounts import PIPELINES_STACK, Aws
from pipelines.deploy import pipelines
from pipelines.evidence import page
from pipelines.promotion.pipeline_outputs import OUTPUTS
from tests.sample_evidence import FINE

__all__ = ["repository", "workshop"]


@pytest.fixture
def tools(embedded: instance.Instance) -> Aws:
    """The tools account, as `payments` connects to it."""
    return accounts.connect_tools(embedded.endpoint)


@pytest.fixture
def pipelines_stack(workshop: Workshop) -> Iterator[Callable[[str], None]]:
    """Let `payments` take a pipeline for each of ours: the pipelines stack's outputs name it."""
    cloudformation = workshop.client("cloudformation")

    def is_called(name: str) -> None:
        topic = {"Type": "AWS::SNS::Topic", "Properties": {}}
        outputs = {output: {"Value": name} for output in OUTPUTS.values()}
        body = json.dumps({"Resources": {"Topic": topic}, "Outputs": outputs})
        cloudformation.create_stack(StackName=PIPELINES_STACK, TemplateBody=body)
        await_stacks(cloudformation, "create", PIPELINES_STACK)

    yield is_called
    delete_stacks(cloudformation, PIPELINES_STACK)


@pytest.fixture
def evidence(tools: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a page of evidence, where a release's build publishes one."""
    site = f"docs-{uuid.uuid4().hex[:8]}"
    pipelines.deploy_docs(tools, stack=site)
    monkeypatch.setenv("DOCS_BUCKET", stacks.outputs(tools, site)["DocsBucket"])
    written = tmp_path / "index.html"
    written.write_text(page.html(FINE), encoding="utf-8")
    docs_bucket.upload(tools, written, "evidence/run-1/index.html")
    return f"{pipelines.docs_url(tools, site)}/evidence/run-1/index.html"
