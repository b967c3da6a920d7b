"""What CodePipeline refuses, and how it says so: in the API's own errors and words."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from codepipeline_workbench import (
    REGION,
    TOOLS,
    Json,
    Repository,
    Workshop,
    action,
    approve,
    commands,
    condition,
    rule,
    stage,
)


@pytest.fixture(scope="module")
def repository(workshop: Workshop) -> Repository:
    return workshop.repository()


def _refused(ask: Any, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        ask(**request)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def _declared(workshop: Workshop, *stages: Json, **more: Any) -> Json:
    return {
        "name": "refused",
        "roleArn": workshop.pipeline_role,
        "artifactStore": {"type": "S3", "location": workshop.bucket},
        "pipelineType": "V2",
        "stages": list(stages),
        **more,
    }


def test_a_request_that_breaks_the_model_names_every_broken_place(workshop: Workshop) -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_CreatePipeline.html
    code, message = _refused(
        workshop.pipelines.create_pipeline, pipeline={"name": "a b", "roleArn": "nobody", "stages": []}
    )
    assert code == "ValidationException"
    assert message.startswith(
        "2 validation errors detected: Value 'a b' at 'pipeline.name' failed to satisfy"
    )
    assert "'pipeline.roleArn'" in message


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        # https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-pipeline-structure.html
        ({"only_source": True}, "InvalidStructureException", "has only 1 stage(s)"),
        ({"first": approve()}, "InvalidStructureException", "only contains source actions"),
        ({"second": [approve(), approve()]}, "InvalidStageDeclarationException", "Duplicate action name"),
        ({"second": [commands("true", inputs=["Nothing"])]}, "InvalidStructureException", "Nothing"),
        (
            {"second": [action("Ship", "Deploy", "CodeDeploy", {"ApplicationName": "x"})]},
            "InvalidActionDeclarationException",
            "is not available in region",
        ),
        (
            {"second": [action("Build", "Build", "CodeBuild", inputs=["Code"])]},
            "InvalidActionDeclarationException",
            "missing required configuration 'ProjectName'",
        ),
        (
            {"second": [approve(configuration={"Evidence": "x"})]},
            "InvalidActionDeclarationException",
            "unknown configuration 'Evidence'",
        ),
        # https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-variables.html
        (
            {"second": [approve(configuration={"CustomData": "#{Nobody.CommitId}"})]},
            "InvalidStructureException",
            "VariableReferenceText=[Nobody.CommitId]",
        ),
        (
            {"second": [approve(configuration={"CustomData": "#{variables.branch}"})]},
            "InvalidStructureException",
            "VariableReferenceText=[variables.branch]",
        ),
        # https://docs.aws.amazon.com/codepipeline/latest/userguide/pipeline-types.html
        ({"pipelineType": "V1", "variables": [{"name": "a"}]}, "InvalidStructureException", "type V2"),
        # https://docs.aws.amazon.com/codepipeline/latest/userguide/execution-modes.html
        (
            {"executionMode": "PARALLEL", "onFailure": {"result": "ROLLBACK"}},
            "InvalidStructureException",
            "not available for pipelines in PARALLEL mode",
        ),
        # https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-conditions.html
        (
            {"onSuccess": condition("SKIP", rule("VariableCheck", Variable="a", Value="a", Operator="EQ"))},
            "InvalidStageDeclarationException",
            "onSuccess conditions cannot have result SKIP",
        ),
        (
            {"source": {"beforeEntry": condition("FAIL", rule("VariableCheck", Variable="a", Value="a"))}},
            "InvalidStageDeclarationException",
            "cannot be rolled back and has no entry conditions",
        ),
        (
            {"source": {"onFailure": {"result": "ROLLBACK"}}},
            "InvalidStageDeclarationException",
            "cannot be rolled back and has no entry conditions",
        ),
        (
            {"beforeEntry": condition("FAIL", rule("Horoscope", Sign="leo"))},
            "InvalidStageDeclarationException",
            "rule provider Horoscope is not available",
        ),
        # https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-CodeBuild.html
        (
            {"beforeEntry": condition("SKIP", rule("DeploymentWindow", Cron="* * * * * ?"))},
            "InvalidStageDeclarationException",
            "result SKIP takes only LambdaInvoke, VariableCheck",
        ),
        (
            {"onSuccess": condition("FAIL", rule("CodeBuild", inputs=["Nothing"], ProjectName="x"))},
            "InvalidStructureException",
            "Input artifact Nothing of rule Rule is made by no earlier action",
        ),
        # https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-filter.html
        (
            {"push": [{"tags": {"includes": ["v*"]}, "branches": {"includes": ["main"]}}]},
            "InvalidStructureException",
            "tags, or branches and file paths",
        ),
    ],
)
def test_a_structure_that_aws_refuses_is_refused(
    workshop: Workshop, repository: Repository, change: Json, code: str, words: str
) -> None:
    # Given a good pipeline with one thing wrong
    wrong = dict(change)
    source = wrong.pop("first", None) or workshop.source(repository)
    conditions = {
        kind: wrong.pop(kind) for kind in ("beforeEntry", "onSuccess", "onFailure") if kind in wrong
    }
    first = stage("Source", source, **wrong.pop("source", {}))
    stages = [first, stage("Next", *wrong.pop("second", [approve()]), **conditions)]
    if "push" in wrong:
        git = {"sourceActionName": "Commit", "push": wrong.pop("push")}
        wrong["triggers"] = [{"providerType": "CodeStarSourceConnection", "gitConfiguration": git}]
    declared = _declared(workshop, *(stages[:1] if wrong.pop("only_source", False) else stages), **wrong)
    # When / Then
    found, message = _refused(workshop.pipelines.create_pipeline, pipeline=declared)
    assert (found, words in message) == (code, True), message


def test_a_role_that_does_not_trust_codepipeline_is_refused(
    workshop: Workshop, repository: Repository
) -> None:
    stages = [stage("Source", workshop.source(repository)), stage("Next", approve())]
    declared = _declared(workshop, *stages) | {"roleArn": workshop.build_role}
    code, message = _refused(workshop.pipelines.create_pipeline, pipeline=declared)
    assert code == "InvalidStructureException"
    assert message == f"CodePipeline is not authorized to perform AssumeRole on role {workshop.build_role}"


def test_a_pipeline_is_kept_changed_tagged_and_deleted(workshop: Workshop, repository: Repository) -> None:
    # Given
    name = workshop.create(stage("Source", workshop.source(repository)), stage("Next", approve()))
    found = workshop.pipelines.get_pipeline(name=name)
    arn = found["metadata"]["pipelineArn"]
    # When
    changed = workshop.pipelines.update_pipeline(pipeline=found["pipeline"] | {"executionMode": "SUPERSEDED"})
    workshop.pipelines.tag_resource(resourceArn=arn, tags=[{"key": "team", "value": "payments"}])
    # Then
    assert changed["pipeline"]["version"] == found["pipeline"]["version"] + 1
    assert name in [each["name"] for each in workshop.pipelines.list_pipelines()["pipelines"]]
    assert workshop.pipelines.list_tags_for_resource(resourceArn=arn)["tags"][0]["value"] == "payments"
    again = _refused(workshop.pipelines.create_pipeline, pipeline=found["pipeline"])
    assert again[0] == "PipelineNameInUseException"
    workshop.pipelines.delete_pipeline(name=name)
    assert _refused(workshop.pipelines.get_pipeline, name=name)[0] == "PipelineNotFoundException"


def test_long_lists_come_in_pages(workshop: Workshop, repository: Repository) -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ListPipelineExecutions.html
    # Given three executions
    name = workshop.create(stage("Source", workshop.source(repository)), stage("Next", approve()))
    started = [workshop.start(name) for _ in range(3)]
    # When they are asked for two by two, then both pages together are all of them, newest first
    pages = list(
        workshop.pipelines.get_paginator("list_pipeline_executions").paginate(
            pipelineName=name, PaginationConfig={"PageSize": 2}
        )
    )
    found = [[one["pipelineExecutionId"] for one in each["pipelineExecutionSummaries"]] for each in pages]
    assert found == [[started[2], started[1]], [started[0]]]
    assert len(workshop.pipelines.list_pipelines(maxResults=1)["pipelines"]) == 1
    # And a token of nobody's is refused
    ask = workshop.pipelines.list_pipelines
    assert _refused(ask, nextToken="somewhere")[0] == "InvalidNextTokenException"


def test_words_are_told_as_far_as_the_model_lets_them(workshop: Workshop) -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ActionExecution.html
    # Given a commit whose first line has more characters than an action's summary may have
    repository = workshop.repository()
    repository.commit("x" * 3000)
    name = workshop.create(stage("Source", workshop.source(repository)), stage("Next", approve()))
    # When it goes through a pipeline
    execution = workshop.start(name)
    workshop.approval(name, execution)
    # Then whoever asks is told as much as fits
    told = workshop.stage(name, "Source")["actionStates"][0]["latestExecution"]["summary"]
    assert told == "x" * 2048


def test_a_call_that_is_not_emulated_says_so(workshop: Workshop) -> None:
    code, message = _refused(workshop.pipelines.list_webhooks)
    assert code == "NotEmulatedException"
    assert message.startswith("codepipeline ListWebhooks is not emulated here: the embedded AWS runs what")


def test_who_may_not_use_a_pipeline_is_refused(workshop: Workshop, repository: Repository) -> None:
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodepipeline.html
    # Given a role that may see one pipeline and nothing more
    name = workshop.create(stage("Source", workshop.source(repository)), stage("Next", approve()))
    arn = workshop.pipelines.get_pipeline(name=name)["metadata"]["pipelineArn"]
    root = {"AWS": f"arn:aws:iam::{arn.split(':')[4]}:root"}
    role = workshop.role("viewer", root, ["codepipeline:GetPipelineState"], resource=arn)
    viewer = _as(workshop, role, "codepipeline")
    # When / Then
    assert viewer.get_pipeline_state(name=name)["pipelineName"] == name
    assert _refused(viewer.start_pipeline_execution, name=name)[0] == "AccessDeniedException"
    assert _refused(viewer.get_pipeline_state, name="another")[0] == "AccessDeniedException"


def test_who_may_see_every_stack_may_list_them_and_who_may_see_one_may_not(workshop: Workshop) -> None:
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
    # Given a role for every stack of the account, and one for a stack
    root = {"AWS": f"arn:aws:iam::{TOOLS}:root"}
    may = ["cloudformation:DescribeStacks", "cloudformation:ListStacks"]
    stacks = f"arn:aws:cloudformation:{REGION}:{TOOLS}:stack"
    every = workshop.role("lister", root, may, resource=f"{stacks}/*")
    one = workshop.role("reader", root, may, resource=f"{stacks}/shop/*")
    # When each asks for all of them; Then only the former gets them
    assert "Stacks" in _as(workshop, every, "cloudformation").describe_stacks()
    assert _refused(_as(workshop, one, "cloudformation").describe_stacks)[0] == "AccessDenied"


def _as(workshop: Workshop, role: str, service: str) -> Any:
    given = workshop.client("sts").assume_role(RoleArn=role, RoleSessionName="viewer")["Credentials"]
    return workshop.client(
        service,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
