"""What is told of a pipeline that failed, to those who may read the build's log and to those who may not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import boto3
from codepipeline_workbench import REGION, TOOLS, stage

from pipelines.aws import accounts
from pipelines.promotion import failure_report

if TYPE_CHECKING:
    from codepipeline_workbench import Workshop

    from embedded_aws.instance import Instance
    from pipelines.aws.accounts import Aws

_LOOKS = [
    "codepipeline:GetPipelineExecution",
    "codepipeline:ListActionExecutions",
    "codepipeline:ListPipelineExecutions",
    "codebuild:BatchGetBuilds",
]
_FAILS = """
version: 0.2
phases: {build: {commands: ['echo what went wrong', 'false']}}
"""


def _viewer(workshop: Workshop, embedded: Instance, may: list[str]) -> Aws:
    role = workshop.role("viewer", {"AWS": f"arn:aws:iam::{TOOLS}:root"}, may)
    given = workshop.client("sts").assume_role(RoleArn=role, RoleSessionName="viewer")["Credentials"]
    keys = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    return replace(accounts.connect_tools(embedded.endpoint), acting=boto3.Session(*keys, region_name=REGION))


def test_who_may_not_read_logs_is_told_all_the_rest(workshop: Workshop, embedded: Instance) -> None:
    # Given a pipeline whose build failed
    repository = workshop.repository(buildspec_dot_yml=_FAILS)
    name = workshop.create(
        stage("Source", workshop.source(repository)), stage("Build", workshop.build(workshop.project()))
    )
    execution = workshop.start(name)
    assert workshop.finished(name, execution)["status"] == "Failed"
    # When somebody looks who may read its log, and somebody who may not
    may, may_not = (
        failure_report.explain(_viewer(workshop, embedded, actions), name, execution)
        for actions in ([*_LOOKS, "logs:GetLogEvents"], _LOOKS)
    )
    # Then both are told where it is, and the former how it ended
    assert may.log is not None
    assert "what went wrong" in may.log.end
    assert may_not.log == replace(may.log, end=())
    assert may_not.sentences() == may.sentences()
