"""Evidence in every case: a first release, no change, tags alone, the network alone, a rollback, images."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from environments import schema
from pipelines.aws import docs_bucket
from pipelines.deploy import synth
from pipelines.evidence import commits, evidence, gather, page, risks, stack_changes
from pipelines.evidence.commits import Commit
from pipelines.evidence.evidence import Target
from pipelines.evidence.reports import Baseline
from pipelines.evidence.risks import FIRST, NETWORK, NEW_PERMISSIONS, UNKNOWN, Severity
from pipelines.evidence.stack_changes import Drift, StackChanges, change_of
from tests.sample_evidence import AT

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.evidence.evidence import Evidence

Json = dict[str, Any]
STACKS = {"network": "payments-network", "payments": "payments-prod"}


@pytest.fixture(scope="module")
def templates() -> dict[str, Json]:
    """The two stacks of production as they are deployed."""
    built = synth.build(schema.load("prod"))
    return {name: built[name].to_dict() for name in STACKS}


def change(name: str, kind: str, action: str = "Add", **more: Any) -> Json:
    """CloudFormation's ResourceChange."""
    return {"Action": action, "LogicalResourceId": name, "ResourceType": kind, **more}


def created(stack: str, template: Json) -> StackChanges:
    """A stack that is made of a template."""
    changes = [change(name, resource["Type"]) for name, resource in template["Resources"].items()]
    return StackChanges(stack, [change_of(stack, one) for one in changes], {}, template)


def tagged(stack: str, template: Json) -> StackChanges:
    """A stack of which nothing changes but tags, as CloudFormation reports it."""
    details = [{"Target": {"Attribute": "Tags", "RequiresRecreation": "Never"}}]
    changes = [
        change(name, resource["Type"], "Modify", Replacement="False", Scope=["Tags"], Details=details)
        for name, resource in template["Resources"].items()
    ]
    return StackChanges(stack, [change_of(stack, one) for one in changes], template, template)


def judged(make: Callable[..., Evidence], stacks: list[StackChanges], **more: Any) -> Evidence:
    """Evidence of changes, with the risks that they have."""
    return make(stacks=stacks, risks=risks.assess(stacks), **more)


def test_a_first_release_is_looked_at_closely_and_names_what_is_new(
    evidence: Callable[..., Evidence], templates: dict[str, Json]
) -> None:
    # Given production that does not exist yet
    stacks = [created(STACKS[name], template) for name, template in templates.items()]
    missing = [Drift(stack, exists=False) for stack in STACKS.values()]
    first = judged(evidence, stacks, drift=missing)
    # Then it is nothing that looks fine, and says that both stacks are new
    assert first.recommendation == "look closely"
    assert {risk.place for risk in first.risks if risk.kind == FIRST} == set(STACKS.values())
    # And each role is named with what it may do, and each opening
    roles = {
        f"{STACKS[name]}/{resource}"
        for name, template in templates.items()
        for resource, made in template["Resources"].items()
        if made["Type"] == "AWS::IAM::Role"
    }
    named = {risk.place: risk for risk in first.risks if risk.kind == NEW_PERMISSIONS}
    assert len(roles) > 5
    assert roles <= named.keys()
    assert all("assumed by Service:" in named[role].what for role in roles)
    assert "execute-api:Invoke" in " ".join(risk.what for risk in named.values())
    assert {risk.place.split("/")[0] for risk in first.risks if risk.kind == NETWORK} == {"payments-network"}
    # And nowhere is it "as deployed", and the page has all permissions
    html = page.html(first)
    assert "as deployed" not in html
    assert html.count("does not exist yet") >= 4
    assert "payments-prod does not exist yet" in evidence_text(first)
    assert all(role.rpartition("/")[2] in html for role in roles)


def evidence_text(release: Evidence) -> str:
    """The lines that the approval holds."""
    return evidence.text(release)


@pytest.mark.parametrize(
    ("boundary", "action", "target", "severity"),
    [
        ("limit", "s3:GetObject", "arn:aws:s3:::mine/*", Severity.MEDIUM),
        ("limit", "s3:GetObject", "*", Severity.HIGH),
        ("limit", "s3:*", "arn:aws:s3:::mine/*", Severity.HIGH),
        ("", "s3:GetObject", "arn:aws:s3:::mine/*", Severity.HIGH),
    ],
)
def test_a_new_role_in_an_old_stack_is_one_risk_by_what_it_may(
    boundary: str, action: str, target: str, severity: Severity
) -> None:
    # Given a stack to which a role is added
    trust = {
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ]
    }
    may = {"Statement": [{"Effect": "Allow", "Action": action, "Resource": target}]}
    properties: Json = {"AssumeRolePolicyDocument": trust, "Policies": [{"PolicyDocument": may}]}
    properties |= {"PermissionsBoundary": boundary} if boundary else {}
    before = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    role = {"Type": "AWS::IAM::Role", "Properties": properties}
    after = {"Resources": {**before["Resources"], "Role": role}}
    stack = StackChanges(
        "payments-prod", [change_of("payments-prod", change("Role", "AWS::IAM::Role"))], before, after
    )
    # Then it is one risk
    (risk,) = risks.assess([stack])
    assert (risk.severity, risk.kind, risk.place) == (severity, NEW_PERMISSIONS, "payments-prod/Role")
    assert f"{action} on {target}" in risk.what
    assert "assumed by Service: lambda.amazonaws.com" in risk.what
    assert ("no permissions boundary" in risk.what) == (not boundary)


def test_a_release_that_changes_nothing_says_so(evidence: Callable[..., Evidence], templates: Any) -> None:
    stacks = [StackChanges(STACKS[name], [], template, template) for name, template in templates.items()]
    same = judged(evidence, stacks)
    assert (same.recommendation, same.risks) == ("looks fine", [])
    assert same.counted_changes == "nothing changes"
    assert "<dt>payments-network</dt><dd>nothing changes</dd>" in page.html(same)


def test_tags_alone_are_named_as_tags(evidence: Callable[..., Evidence], templates: Any) -> None:
    # When only tags change
    stack = tagged("payments-prod", templates["payments"])
    release = judged(evidence, [stack])
    # Then each row says so, the count says so, and nothing is a risk
    assert {one.properties for one in stack.changes} == {("tags",)}
    count = len(stack.changes)
    assert release.counted_changes == f"{count} changed, {count} of them only in their tags"
    assert release.recommendation == "looks fine"
    assert page.html(release).count('<td data-is="properties">tags</td>') == count


def test_a_change_whose_details_are_missing_is_named_by_its_scope() -> None:
    scope = change("Alarm", "AWS::CloudWatch::Alarm", "Modify", Scope=["Properties", "Tags"])
    assert change_of("payments-prod", scope).properties == ("tags",)
    details = [
        {"Target": {"Attribute": "Properties", "Name": "Threshold"}},
        {"Target": {"Attribute": "Metadata"}},
    ]
    both = change("Alarm", "AWS::CloudWatch::Alarm", "Modify", Details=details)
    assert change_of("payments-prod", both).properties == ("Threshold", "metadata")


def test_the_network_alone_is_told_from_the_stack_beside_it(
    evidence: Callable[..., Evidence], templates: Any
) -> None:
    # Given a group that lets more through, and a payments stack that stays
    before = templates["network"]
    group, resource = next(
        (name, made)
        for name, made in before["Resources"].items()
        if made["Type"] == "AWS::EC2::SecurityGroup"
    )
    rule = {"CidrIp": "0.0.0.0/0", "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    opened = {**resource, "Properties": {**resource["Properties"], "SecurityGroupEgress": [rule]}}
    after = {**before, "Resources": {**before["Resources"], group: opened}}
    details = [{"Target": {"Attribute": "Properties", "Name": "SecurityGroupEgress"}}]
    said = change(group, resource["Type"], "Modify", Details=details)
    network = StackChanges("payments-network", [change_of("payments-network", said)], before, after)
    release = judged(evidence, [network, StackChanges("payments-prod", [], before, before)])
    # Then both are counted apart, and the opening leads the risks
    html = page.html(release)
    assert "<dt>payments-network</dt><dd>1 changed</dd>" in html
    assert "<dt>payments-prod</dt><dd>nothing changes</dd>" in html
    assert release.recommendation == "look closely"
    assert (release.risks[0].kind, release.risks[0].severity) == (NETWORK, Severity.HIGH)
    assert "0.0.0.0/0" in release.risks[0].what


def test_functions_that_become_images_are_replaced_and_named_so(evidence: Callable[..., Evidence]) -> None:
    details = [{"Target": {"Attribute": "Properties", "Name": name}} for name in ("Code", "PackageType")]
    said = change("DataApi", "AWS::Lambda::Function", "Modify", Replacement="True", Details=details)
    template = {"Resources": {"DataApi": {"Type": "AWS::Lambda::Function"}}}
    stack = StackChanges("payments-prod", [change_of("payments-prod", said)], template, template)
    release = judged(evidence, [stack], digests={"image": "b" * 64})
    assert release.counted_changes == "1 changed, 1 of them replaced"
    assert "replaced (Code, PackageType)" in release.risks[0].what
    assert "b" * 64 in page.html(release)


def test_what_cloudformation_cannot_tell_yet_is_no_fine_release(evidence: Callable[..., Evidence]) -> None:
    template = {"Resources": {"Anything": {"Type": "AWS::SNS::Topic"}}}
    said = change("Anything", "AWS::SNS::Topic", "Dynamic")
    stack = StackChanges("payments-prod", [change_of("payments-prod", said)], template, template)
    release = judged(evidence, [stack])
    assert [risk.kind for risk in release.risks] == [UNKNOWN]
    assert release.recommendation == "look closely"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"coverage": None}, "coverage was not measured"),
        ({"commits": []}, "the commits are not known"),
        (
            {"drift": [Drift("payments-prod", unknown="AccessDenied")]},
            "the drift of payments-prod could not be",
        ),
    ],
)
def test_what_is_unknown_is_never_fine_and_is_named(
    evidence: Callable[..., Evidence], changes: dict[str, Any], words: str
) -> None:
    release = evidence(**changes)
    assert release.recommendation == "look closely"
    assert evidence_text(release).startswith("LOOK CLOSELY: " + words)
    assert words in page.html(release)
    assert "as deployed" not in page.html(release) or "drift" not in changes


TARGET = Target("example/shop", "prod", "333333333333", "eu-central-1", "payments-Release")


def test_the_page_says_what_goes_where_and_how_to_answer(evidence: Callable[..., Evidence]) -> None:
    release = evidence(target=TARGET)
    html = page.html(release)
    # Then product, environment, account and region are in the head
    assert "example/shop to prod, account 333333333333, eu-central-1" in html
    assert f"Release of {release.commit[:12]} to prod (333333333333)" in evidence_text(release)
    # And the pipeline is one click away on AWS, and both answers can be pasted
    [link] = re.findall(r'<a href="(https://[^"]+)">this execution', html)
    assert link.startswith("https://eu-central-1.console.aws.amazon.com/codesuite/codepipeline/pipelines/")
    assert f"/payments-Release/executions/{release.execution}/" in link
    assert f"payments pipeline approve release --execution {release.execution} --summary WHY" in html
    assert f"payments pipeline reject release --execution {release.execution} --summary WHY" in html


def test_on_an_embedded_aws_the_answers_reach_it_and_no_link_leaves_it(
    evidence: Callable[..., Evidence],
) -> None:
    html = page.html(evidence(target=replace(TARGET, endpoint="http://127.0.0.1:4566")))
    assert "approve release --endpoint-url http://127.0.0.1:4566 --execution" in html
    assert "console.aws.amazon.com" not in html


@pytest.mark.parametrize(
    ("baseline", "words"),
    [
        (None, "91.4% of lines covered (nothing to compare with)"),
        (Baseline(400, None), "91.4% of lines covered (nothing to compare with)"),
        (Baseline(400, 0.914), "91.4% of lines covered (as before)"),
        (Baseline(400, 0.93), "91.4% of lines covered (-1.6 points)"),
        (Baseline(400, 0.9), "91.4% of lines covered (+1.4 points)"),
    ],
)
def test_coverage_has_what_it_is_compared_with(
    evidence: Callable[..., Evidence], baseline: Baseline | None, words: str
) -> None:
    release = evidence(baseline=baseline)
    assert words in evidence_text(release)
    assert words in page.html(release)


def test_the_figures_of_a_release_are_what_the_next_is_compared_with(
    evidence: Callable[..., Evidence], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a bucket that holds the figures of one execution
    kept = {"evidence/one/figures.json": json.dumps(gather.figures_of(evidence()))}
    monkeypatch.setattr(docs_bucket, "read", lambda _tools, key: kept[key].encode())
    tools: Any = SimpleNamespace()
    # Then the release that production runs is compared with, and a first release with nothing
    mine, last = Commit("b" * 40, "Mine", AT, False, "two"), Commit("a" * 40, "Last", AT, True, "one")
    assert gather._baseline(tools, [mine, last]) == Baseline(412, 0.914)
    assert gather._baseline(tools, [mine]) is None


class Pipelines:
    """CodePipeline's list of executions, newest first."""

    def __init__(self, *executions: Json) -> None:
        self._executions = executions

    def client(self, _service: str) -> Pipelines:
        return self

    def get_paginator(self, _name: str) -> Pipelines:
        return self

    def paginate(self, **asked: Any) -> list[Json]:
        only = "filter" in asked
        return [{"pipelineExecutionSummaries": [run for run in self._executions if run["done"] or not only]}]


def run(number: int, *, done: bool = True, back_to: int | None = None, message: str = "") -> Json:
    """A release execution; one that is `done` reached production."""
    revision = {
        "actionName": "Source",
        "revisionId": f"{back_to or number:040x}",
        "revisionSummary": message or f"Change {number}",
        "revisionUrl": f"https://git.example/{number}",
    }
    execution: Json = {
        "pipelineExecutionId": f"run-{number}",
        "startTime": AT + timedelta(minutes=number),
        "sourceRevisions": [revision],
        "done": done,
    }
    if back_to is not None:
        target = {"rollbackTargetPipelineExecutionId": f"run-{back_to}"}
        execution |= {"executionType": "ROLLBACK", "rollbackMetadata": target}
    return execution


def listed(*executions: Json, mine: int) -> list[tuple[str, bool]]:
    """The commits' messages, and whether production has each."""
    tools: Any = Pipelines(*executions)
    return [(one.message, one.released) for one in commits.since_last_release(tools, "p", f"run-{mine}")]


def test_pushes_that_never_reached_production_are_part_of_the_release() -> None:
    runs = (run(4, done=False), run(3, done=False), run(2), run(1))
    assert listed(*runs, mine=4) == [("Change 4", False), ("Change 3", False), ("Change 2", True)]


def test_after_a_rollback_the_release_begins_where_production_went_back_to() -> None:
    # Given production that went from the second release back to the first
    runs = (run(4, done=False), run(3, back_to=1), run(2), run(1))
    # Then the next release brings the second one's change again
    assert listed(*runs, mine=4) == [("Change 4", False), ("Change 2", False), ("Change 1", True)]


def test_a_first_release_has_no_commit_in_production() -> None:
    assert listed(run(2, done=False), run(1, done=False), mine=2) == [
        ("Change 2", False),
        ("Change 1", False),
    ]


def test_the_page_says_how_to_list_every_commit_of_the_pushes(evidence: Callable[..., Evidence]) -> None:
    pushed = [Commit("b" * 40, "Mine", AT), Commit("a" * 40, "Theirs", AT, released=True)]
    html = page.html(evidence(commits=pushed, commit="b" * 40))
    assert f"git log --oneline {'a' * 12}..{'b' * 12}" in html
    assert "git log --oneline 0123456789ab<" in page.html(evidence())


def test_a_stack_that_is_only_reviewed_has_no_drift_and_does_not_exist() -> None:
    described = {"Stacks": [{"StackStatus": "REVIEW_IN_PROGRESS"}]}
    aws: Any = SimpleNamespace(cloudformation=SimpleNamespace(describe_stacks=lambda **_: described))
    assert stack_changes.detect_drift(aws, "payments-prod") == Drift("payments-prod", exists=False)
