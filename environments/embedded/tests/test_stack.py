"""The types in CloudFormation: a stack that holds a whole pipeline, as our pipelines stack does."""

import json
import uuid

import pytest
from codepipeline_workbench import Json, Repository, Workshop
from embedded_workbench import wait_until


def _action(
    name: str, category: str, provider: str, configuration: Json, **more: Json | list[Json] | str
) -> Json:
    kind = {"Category": category, "Owner": "AWS", "Provider": provider, "Version": "1"}
    return {"Name": name, "ActionTypeId": kind, "Configuration": configuration, **more}


def _template(workshop: Workshop, repository: Repository, branches: list[str]) -> Json:
    source = {
        "ConnectionArn": {"Ref": "Connection"},
        "FullRepositoryId": repository.name,
        "BranchName": "main",
        "DetectChanges": "false",
    }
    push = [{"Branches": {"Includes": branches}}]
    stages = [
        {
            "Name": "Source",
            "Actions": [
                _action(
                    "Commit",
                    "Source",
                    "CodeStarSourceConnection",
                    source,
                    OutputArtifacts=[{"Name": "Code"}],
                    Namespace="Source",
                )
            ],
        },
        {
            "Name": "Build",
            "BeforeEntry": {
                "Conditions": [
                    {
                        "Result": "FAIL",
                        "Rules": [
                            {
                                "Name": "Branch",
                                "RuleTypeId": {
                                    "Category": "Rule",
                                    "Owner": "AWS",
                                    "Provider": "VariableCheck",
                                    "Version": "1",
                                },
                                "Configuration": {
                                    "Variable": "#{Source.BranchName}",
                                    "Operator": "MATCHES",
                                    "Value": ".+",
                                },
                            }
                        ],
                    }
                ]
            },
            "Actions": [
                _action(
                    "Build",
                    "Build",
                    "CodeBuild",
                    {"ProjectName": {"Ref": "Project"}},
                    InputArtifacts=[{"Name": "Code"}],
                )
            ],
        },
    ]
    return {
        "Resources": {
            "Connection": {
                "Type": "AWS::CodeConnections::Connection",
                "Properties": {"ConnectionName": "git", "ProviderType": "GitHub"},
            },
            "Project": {
                "Type": "AWS::CodeBuild::Project",
                "Properties": {
                    "Source": {
                        "Type": "CODEPIPELINE",
                        "BuildSpec": "version: 0.2\nphases: {build: {commands: ['true']}}\n",
                    },
                    "Artifacts": {"Type": "CODEPIPELINE"},
                    "Environment": {
                        "Type": "ARM_CONTAINER",
                        "ComputeType": "BUILD_GENERAL1_SMALL",
                        "Image": "aws/codebuild/amazonlinux-aarch64-standard:3.0",
                        "EnvironmentVariables": [{"Name": "A", "Value": "1"}],
                    },
                    "ServiceRole": workshop.build_role,
                    "TimeoutInMinutes": "15",
                },
            },
            "Tests": {
                "Type": "AWS::CodeBuild::ReportGroup",
                "Properties": {
                    "Type": "TEST",
                    "ExportConfig": {"ExportConfigType": "NO_EXPORT"},
                    "DeleteReports": True,
                },
            },
            "Domain": {"Type": "AWS::CodeArtifact::Domain", "Properties": {"DomainName": workshop.bucket}},
            "Packages": {
                "Type": "AWS::CodeArtifact::Repository",
                "Properties": {"DomainName": {"Fn::GetAtt": ["Domain", "Name"]}, "RepositoryName": "python"},
            },
            "Topic": {"Type": "AWS::SNS::Topic"},
            "Notices": {
                "Type": "AWS::CodeStarNotifications::NotificationRule",
                "Properties": {
                    "Name": "failures",
                    "DetailType": "FULL",
                    "Resource": {
                        "Fn::Sub": "arn:aws:codepipeline:${AWS::Region}:${AWS::AccountId}:${Pipeline}"
                    },
                    "EventTypeIds": ["codepipeline-pipeline-pipeline-execution-succeeded"],
                    "Targets": [{"TargetType": "SNS", "TargetAddress": {"Ref": "Topic"}}],
                },
            },
            "Pipeline": {
                "Type": "AWS::CodePipeline::Pipeline",
                "Properties": {
                    "RoleArn": workshop.pipeline_role,
                    "PipelineType": "V2",
                    "ExecutionMode": "QUEUED",
                    "ArtifactStore": {"Type": "S3", "Location": workshop.bucket},
                    "Stages": stages,
                    "DisableInboundStageTransitions": [{"StageName": "Build", "Reason": "first look"}],
                    "Triggers": [
                        {
                            "ProviderType": "CodeStarSourceConnection",
                            "GitConfiguration": {"SourceActionName": "Commit", "Push": push},
                        }
                    ],
                },
            },
        },
        "Outputs": {
            "Pipeline": {"Value": {"Ref": "Pipeline"}},
            "Version": {"Value": {"Fn::GetAtt": ["Pipeline", "Version"]}},
            "Connection": {"Value": {"Fn::GetAtt": ["Connection", "ConnectionStatus"]}},
            "Project": {"Value": {"Fn::GetAtt": ["Project", "Arn"]}},
            "Packages": {"Value": {"Fn::GetAtt": ["Packages", "Arn"]}},
            "Topic": {"Value": {"Ref": "Topic"}},
        },
    }


@pytest.fixture
def stack(workshop: Workshop) -> str:
    return f"pipelines-{uuid.uuid4().hex[:8]}"


def _outputs(workshop: Workshop, stack: str, good: str) -> dict[str, str]:
    def settled() -> Json | None:
        found: Json = workshop.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        return None if found["StackStatus"].endswith("_IN_PROGRESS") else found

    found = wait_until(settled, "the stack")
    events = workshop.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
    assert found["StackStatus"] == good, [each.get("ResourceStatusReason") for each in events]
    return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}


def test_a_stack_makes_changes_and_removes_a_pipeline(workshop: Workshop, stack: str) -> None:
    # Given
    repository = workshop.repository()
    cloudformation = workshop.client("cloudformation")
    cloudformation.create_stack(
        StackName=stack, TemplateBody=json.dumps(_template(workshop, repository, ["none"]))
    )
    made = _outputs(workshop, stack, "CREATE_COMPLETE")
    name = made["Pipeline"]
    # Then
    assert (made["Version"], made["Connection"]) == ("1", "AVAILABLE")
    project = workshop.client("codebuild").batch_get_projects(names=[made["Project"]])["projects"][0]
    assert (project["timeoutInMinutes"], project["environment"]["environmentVariables"][0]["value"]) == (
        15,
        "1",
    )
    held = workshop.stage(name, "Build")["inboundTransitionState"]
    assert (held["enabled"], held["disabledReason"]) == (False, "first look")
    # When the template changes and a commit is pushed to a branch that it now includes
    heard = workshop.listen(made["Topic"])
    changed = json.dumps(_template(workshop, repository, ["feature/*"]))
    cloudformation.update_stack(StackName=stack, TemplateBody=changed)
    assert _outputs(workshop, stack, "UPDATE_COMPLETE")["Version"] == "2"
    workshop.pipelines.enable_stage_transition(pipelineName=name, stageName="Build", transitionType="Inbound")
    commit = repository.commit(branch="feature/x", a="1")

    def pushed() -> str | None:
        found = [e for e in workshop.executions(name) if e["trigger"]["triggerType"] == "WebhookV2"]
        return str(found[0]["pipelineExecutionId"]) if found else None

    # Then
    execution = workshop.succeeded(name, wait_until(pushed, "the push"))
    assert execution["artifactRevisions"][0]["revisionId"] == commit
    told = heard()
    assert told["eventTypeId"] == "codepipeline-pipeline-pipeline-execution-succeeded"
    assert told["detail"]["pipeline"] == name
    # And when the stack is deleted, all is gone
    cloudformation.delete_stack(StackName=stack)
    wait_until(
        lambda: name not in [p["name"] for p in workshop.pipelines.list_pipelines()["pipelines"]], "deletion"
    )


def test_a_pipeline_that_aws_refuses_rolls_the_stack_back_and_says_why(
    workshop: Workshop, stack: str
) -> None:
    template = _template(workshop, workshop.repository(), ["none"])
    kept = {key: template["Resources"][key] for key in ("Connection", "Project", "Pipeline")}
    kept["Pipeline"]["Properties"]["Stages"].pop()
    kept["Pipeline"]["Properties"].pop("DisableInboundStageTransitions")
    cloudformation = workshop.client("cloudformation")
    cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps({"Resources": kept}))
    wait_until(
        lambda: (
            cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"] == "ROLLBACK_COMPLETE"
        ),
        "the rollback",
    )
    reasons = [
        e.get("ResourceStatusReason", "")
        for e in cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    ]
    assert any("There should be a minimum of 2 stages" in reason for reason in reasons)
