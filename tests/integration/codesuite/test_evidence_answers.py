"""The evidence of a release is completed by what people answered, an emergency's who and why among it."""

from __future__ import annotations

import re
import urllib.request
from typing import TYPE_CHECKING

from codepipeline_workbench import TOOLS, Workshop, approve, commands, stage

from pipelines.evidence import answers, gather
from pipelines.promotion import records

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.aws.accounts import Aws

_MINUTE = r"\d{4}-\d\d-\d\d \d\d:\d\d\+00:00"


def test_the_page_says_who_took_a_release_past_its_window_and_why(
    workshop: Workshop, pipelines_stack: Callable[[str], None], tools: Aws, evidence: str
) -> None:
    # Given a release that was approved, and asked about again since somebody overrode its window
    asked = {"CustomData": f"{gather.EMERGENCY} Whoever approves says why."}
    name = workshop.create(
        stage("Source", workshop.source(workshop.repository())),
        stage("Approve", approve()),
        stage("ApproveAgain", approve(configuration=asked)),
        stage("Deploy", commands("true")),
    )
    pipelines_stack(name)
    execution = workshop.start(name)
    for where, why in (("Approve", "as planned"), ("ApproveAgain", "the <fix> of an outage")):
        workshop.answer(name, workshop.approval(name, execution, where), stage=where, summary=why)
    workshop.succeeded(name, execution)
    # When the execution completes its page, and does so again
    for _ in range(2):
        answers.publish(tools, "run-1", records.answers(tools, name, execution))
    # Then readers of the page see both answers once, and what was there before
    with urllib.request.urlopen(evidence) as answered:  # noqa: S310 - the embedded AWS's
        page = answered.read().decode()
    who = f"approved by arn:aws:iam::{TOOLS}:root"
    said = re.sub(_MINUTE, "NOW", page.partition("What was answered")[2].partition("</ol>")[0])
    past = "<b>EMERGENCY</b>, past the deployment window"
    assert re.findall(r"<li>(.*?)</li>", said) == [
        f"Approve, NOW: {who}: as planned",
        f"{past}: ApproveAgain, NOW: {who}: the &lt;fix&gt; of an outage",
    ]
    assert "<h2>Risks, worst first</h2>" in page
