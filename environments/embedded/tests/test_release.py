"""A release from commit to stack: source, build, gate, deployment, all of it for real."""

import io
import json
import zipfile

from codepipeline_workbench import REGION, Workshop, action, approve, stage

_TEMPLATE = {
    "Parameters": {"Version": {"Type": "String"}},
    "Resources": {
        "Note": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Ref": "Version"}}}
    },
    "Outputs": {"NoteName": {"Value": {"Ref": "Note"}}},
}
_BUILDSPEC = r"""
version: 0.2
env:
  shell: bash
  exported-variables: [VERSION]
phases:
  build:
    commands:
      - VERSION="1-$(cat version)"
      - mkdir out && cp template.json out/
      - printf '{"Parameters":{"Version":"%s"}}' "$VERSION" > out/configuration.json
artifacts:
  base-directory: out
  files: ['**/*']
"""


def test_a_commit_is_built_approved_and_deployed(workshop: Workshop) -> None:
    # Given
    repository = workshop.repository(
        buildspec_dot_yml=_BUILDSPEC, template_dot_json=json.dumps(_TEMPLATE), version="7"
    )
    stack = {"StackName": f"app-{workshop.bucket}", "ChangeSetName": "release"}
    name = workshop.create(
        stage("Source", workshop.source(repository)),
        stage("Build", workshop.build(workshop.project(), outputs=["Built"], namespace="Build")),
        stage("Approve", approve(configuration={"CustomData": "#{Build.VERSION} of #{Source.CommitId}"})),
        stage(
            "Deploy",
            action(
                "Prepare",
                "Deploy",
                "CloudFormation",
                {
                    **stack,
                    "ActionMode": "CHANGE_SET_REPLACE",
                    "TemplatePath": "Built::template.json",
                    "TemplateConfiguration": "Built::configuration.json",
                    "RoleArn": workshop.role("deploy", "cloudformation.amazonaws.com", ["*"]),
                },
                inputs=["Built"],
            ),
            action(
                "Execute",
                "Deploy",
                "CloudFormation",
                {**stack, "ActionMode": "CHANGE_SET_EXECUTE"},
                runOrder=2,
                namespace="Stack",
            ),
        ),
    )
    # When
    execution = workshop.start(name)
    token = workshop.approval(name, execution)
    waiting = workshop.stage(name, "Approve")
    workshop.answer(name, token)
    # Then
    assert waiting["actionStates"][0]["latestExecution"]["token"] == token
    workshop.succeeded(name, execution)
    actions = workshop.actions(name, execution)
    assert actions["Approve"]["input"]["resolvedConfiguration"]["CustomData"].startswith("1-7 of ")
    note = actions["Execute"]["output"]["outputVariables"]["NoteName"]
    assert workshop.client("ssm").get_parameter(Name=note)["Parameter"]["Value"] == "1-7"
    location = actions["Build"]["output"]["outputArtifacts"][0]["s3location"]
    body = workshop.client("s3").get_object(Bucket=location["bucket"], Key=location["key"])["Body"].read()
    assert sorted(zipfile.ZipFile(io.BytesIO(body)).namelist()) == ["configuration.json", "template.json"]
    assert actions["Execute"]["input"]["region"] == REGION
