"""What actions do: https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference.html."""

import io
import json
import uuid
import zipfile
from pathlib import Path
from typing import Any

import pytest
from codepipeline_workbench import TARGET, Json, Workshop, action, commands, stage

from embedded_aws.codepipeline.actions import stack_operation

pytestmark = pytest.mark.long

_NOTE = {
    "Parameters": {"Text": {"Type": "String", "Default": "default"}},
    "Resources": {
        "Note": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Ref": "Text"}}}
    },
    "Outputs": {"Name": {"Value": {"Ref": "Note"}}},
}
_BROKEN = {"Resources": {"Bad": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "Nonsense"}}}}


def _stack_action(name: str, mode: str, stack: str, **more: Any) -> Json:
    settings = {"ActionMode": mode, "StackName": stack} | more.pop("configuration", {})
    return action(name, "Deploy", "CloudFormation", settings, inputs=more.pop("inputs", ["Code"]), **more)


def _released(workshop: Workshop, *actions: Json, **files: str) -> tuple[str, str]:
    """Run actions over a repository's files, to the end."""
    repository = workshop.repository(**files)
    name = workshop.create(stage("Source", workshop.source(repository)), stage("Act", *actions))
    execution = workshop.start(name)
    workshop.finished(name, execution)
    return name, execution


def _text(workshop: Workshop, name: str, execution: str, action_name: str, account: str | None = None) -> str:
    note = workshop.actions(name, execution)[action_name]["output"]["outputVariables"]["Name"]
    client = workshop.client("ssm", account) if account else workshop.client("ssm")
    return str(client.get_parameter(Name=note)["Parameter"]["Value"])


@pytest.fixture
def stack() -> str:
    return f"stack-{uuid.uuid4().hex[:8]}"


def test_a_template_that_the_artifact_does_not_hold_is_refused(workshop: Workshop, stack: str) -> None:
    # Given a file that is missing, a folder, and a file beside the artifact
    paths = {"Missing": "none.json", "Folder": "folder", "Outside": "../Code.zip"}
    actions = [
        _stack_action(name, "CREATE_UPDATE", stack, configuration={"TemplatePath": f"Code::{path}"})
        for name, path in paths.items()
    ]
    # When they are to be deployed
    name, execution = _released(workshop, *actions, folder__note_dot_json="{}")
    # Then each is refused by its name
    for one, path in paths.items():
        expected = f"File [{path}] does not exist in artifact [Code]"
        assert workshop.error(name, execution, one) == expected


def test_a_stack_is_created_updated_left_alone_and_deleted(workshop: Workshop, stack: str) -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html
    template = {"TemplatePath": "Code::note.json", "TemplateConfiguration": "Code::settings.json"}
    overrides = {
        "ParameterOverrides": json.dumps({"Text": {"Fn::GetParam": ["Code", "facts.json", "colour"]}})
    }
    modes = [
        _stack_action("Create", "CREATE_UPDATE", stack, configuration=template, namespace="Made"),
        _stack_action("Again", "CREATE_UPDATE", stack, configuration=template, runOrder=2),
        _stack_action(
            "Change",
            "CREATE_UPDATE",
            stack,
            configuration=template | overrides,
            runOrder=3,
            namespace="Changed",
        ),
    ]
    files = {
        "note_dot_json": json.dumps(_NOTE),
        "settings_dot_json": json.dumps(
            {"Parameters": {"Text": "from settings"}, "Tags": {"team": "payments"}}
        ),
        "facts_dot_json": json.dumps({"colour": "green"}),
    }
    # When
    name, execution = _released(workshop, *modes, **files)
    # Then
    workshop.succeeded(name, execution)
    assert _text(workshop, name, execution, "Change") == "green"
    found = workshop.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    assert {"Key": "team", "Value": "payments"} in found["Tags"]
    # And deleting succeeds, twice
    gone = [
        _stack_action(each, "DELETE_ONLY", stack, runOrder=n + 1)
        for n, each in enumerate(("Delete", "Again"))
    ]
    workshop.succeeded(*_released(workshop, *gone))


def test_a_stack_that_could_not_be_made_is_told_and_replaced(workshop: Workshop, stack: str) -> None:
    # Given a first deployment that failed
    template = {"TemplatePath": "Code::template.json"}
    create = _stack_action("Create", "CREATE_UPDATE", stack, configuration=template)
    name, execution = _released(workshop, create, template_dot_json=json.dumps(_BROKEN))
    assert "ended in ROLLBACK_COMPLETE. Bad:" in workshop.error(name, execution, "Create")
    # When
    replace = _stack_action("Replace", "REPLACE_ON_FAILURE", stack, configuration=template, namespace="Made")
    name, execution = _released(workshop, replace, template_dot_json=json.dumps(_NOTE))
    # Then
    workshop.succeeded(name, execution)
    assert _text(workshop, name, execution, "Replace") == "default"


def test_a_change_set_without_changes_succeeds_and_its_execution_too(workshop: Workshop, stack: str) -> None:
    named = {"ChangeSetName": "release"}
    prepare = {"configuration": {**named, "TemplatePath": "Code::note.json"}}
    actions = []
    for turn in (0, 2):
        actions += [
            _stack_action(f"Prepare{turn}", "CHANGE_SET_REPLACE", stack, **prepare, runOrder=turn + 1),
            _stack_action(
                f"Execute{turn}", "CHANGE_SET_EXECUTE", stack, configuration=named, runOrder=turn + 2
            ),
        ]
    workshop.succeeded(*_released(workshop, *actions, note_dot_json=json.dumps(_NOTE)))


@pytest.mark.parametrize(
    ("status", "reason", "without"),
    [
        ("FAILED", "The submitted information didn't contain changes.", True),
        ("FAILED", "No updates are to be performed.", True),
        ("FAILED", "Requires capabilities : [CAPABILITY_IAM]", False),
        ("CREATE_COMPLETE", "", False),
    ],
)
def test_a_change_set_failed_for_want_of_changes_or_for_another_reason(
    status: str, reason: str, without: bool
) -> None:
    assert stack_operation.without_changes({"Status": status, "StatusReason": reason}) is without


def test_a_change_set_that_is_not_there_or_cannot_be_made_fails_its_action(
    workshop: Workshop, stack: str
) -> None:
    # Given a stack, and a template that CloudFormation refuses
    broken = {**_NOTE, "Outputs": {"Nothing": {"Value": {"Ref": "Nobody"}}}}
    configuration = {"ChangeSetName": "release", "TemplatePath": "Code::broken.json"}
    actions = [
        _stack_action("Create", "CREATE_UPDATE", stack, configuration={"TemplatePath": "Code::note.json"}),
        _stack_action(
            "Execute", "CHANGE_SET_EXECUTE", stack, configuration={"ChangeSetName": "gone"}, runOrder=2
        ),
        _stack_action("Prepare", "CHANGE_SET_REPLACE", stack, configuration=configuration, runOrder=2),
    ]
    # When a change set is executed that nobody made, and one is made of that template
    files = {"note_dot_json": json.dumps(_NOTE), "broken_dot_json": json.dumps(broken)}
    name, execution = _released(workshop, *actions, **files)
    # Then both actions fail and say why
    assert workshop.error(name, execution, "Execute") == "ChangeSet [gone] does not exist"
    assert "Nobody" in workshop.error(name, execution, "Prepare")


def test_an_action_in_another_account_assumes_its_role_there(workshop: Workshop, stack: str) -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create-cross-account.html
    # Given a deployment role that only the pipeline's account may assume
    trust = {"AWS": f"arn:aws:iam::{workshop.pipeline_role.split(':')[4]}:root"}
    allowed = ["cloudformation:*", "s3:GetObject", "iam:PassRole"]
    role = workshop.role("deployment", trust, allowed, account=TARGET)
    _let_read(workshop, role)
    execution_role = workshop.role("stack", "cloudformation.amazonaws.com", ["ssm:*"], account=TARGET)
    template = {"TemplatePath": "Code::note.json", "RoleArn": execution_role}
    create = _stack_action(
        "Create", "CREATE_UPDATE", stack, configuration=template, roleArn=role, namespace="Made"
    )
    # When
    name, execution = _released(workshop, create, note_dot_json=json.dumps(_NOTE))
    # Then the stack is there, and only there
    workshop.succeeded(name, execution)
    assert _text(workshop, name, execution, "Create", TARGET) == "default"
    here = workshop.client("cloudformation").describe_stacks()["Stacks"]
    assert stack not in [each["StackName"] for each in here]
    # And a role that does not trust the pipeline's account cannot be used
    stranger = workshop.role("stranger", {"AWS": "arn:aws:iam::999999999999:root"}, allowed, account=TARGET)
    name, execution = _released(workshop, create | {"roleArn": stranger}, note_dot_json=json.dumps(_NOTE))
    assert "is not authorized to perform: sts:AssumeRole" in workshop.error(name, execution, "Create")


def _let_read(workshop: Workshop, role: str) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": role},
        "Action": ["s3:GetObject", "s3:PutObject"],
        "Resource": f"arn:aws:s3:::{workshop.bucket}/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    workshop.client("s3").put_bucket_policy(Bucket=workshop.bucket, Policy=policy)


def test_a_role_that_lacks_what_an_action_needs_fails_it_in_awss_words(
    workshop: Workshop, stack: str
) -> None:
    # Given a pipeline role that may read its artifacts but not pass the stack's role
    weak = workshop.role(
        "weak", "codepipeline.amazonaws.com", ["s3:*", "cloudformation:*", "codeconnections:UseConnection"]
    )
    template = {"TemplatePath": "Code::note.json", "RoleArn": workshop.pipeline_role}
    repository = workshop.repository(note_dot_json=json.dumps(_NOTE))
    create = _stack_action("Create", "CREATE_UPDATE", stack, configuration=template)
    build = workshop.build(workshop.project())
    name = workshop.create(
        stage("Source", workshop.source(repository)), stage("Act", create, build), roleArn=weak
    )
    # When
    execution = workshop.start(name)
    # Then
    assert workshop.finished(name, execution)["status"] == "Failed"
    assert "is not authorized to perform: iam:PassRole" in workshop.error(name, execution, "Create")
    assert "is not authorized to perform: codebuild:StartBuild" in workshop.error(name, execution, "Build")


def test_a_connection_that_the_role_may_not_use_fails_the_source(workshop: Workshop) -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/security-iam-permissions-console-connections.html
    repository = workshop.repository()
    weak = workshop.role("weak", "codepipeline.amazonaws.com", ["s3:*"])
    name = workshop.create(
        stage("Source", workshop.source(repository)), stage("Act", commands("true")), roleArn=weak
    )
    execution = workshop.start(name)
    workshop.finished(name, execution)
    assert "codeconnections:UseConnection" in workshop.error(name, execution, "Commit")


def test_actions_of_one_run_order_run_together_and_a_failure_lets_the_others_finish(
    workshop: Workshop, tmp_path: Path
) -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-pipeline-structure.html (runOrder)
    # Given two actions that wait for each other, one that fails, and one of the next order
    here = tmp_path / "met"
    meet = [
        commands(
            f"touch {here}-{mine}; until [ -e {here}-{other} ]; do sleep 0.05; done; rm {here}-{other}",
            name=mine,
        )
        for mine, other in (("Left", "Right"), ("Right", "Left"))
    ]
    # When
    name, execution = _released(
        workshop, *meet, commands("false", name="Bad"), commands("true", name="Next", runOrder=2)
    )
    # Then
    statuses = {key: value["status"] for key, value in workshop.actions(name, execution).items()}
    assert statuses == {"Commit": "Succeeded", "Left": "Succeeded", "Right": "Succeeded", "Bad": "Failed"}


def test_a_state_machine_is_run_and_its_failure_told(workshop: Workshop) -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-StepFunctions.html
    # Given
    definition = {
        "StartAt": "Choose",
        "QueryLanguage": "JSONata",
        "States": {
            "Choose": {
                "Type": "Choice",
                "Choices": [{"Condition": "{% $states.input.good %}", "Next": "Good"}],
                "Default": "Bad",
            },
            "Good": {"Type": "Succeed", "Output": {"seen": "{% $states.input.word %}"}},
            "Bad": {"Type": "Fail", "Error": "SmokeFailed", "Cause": "the stock is wrong"},
        },
    }
    role = workshop.role("states", "states.amazonaws.com", ["*"])
    machine = workshop.client("stepfunctions").create_state_machine(
        name=f"smoke-{uuid.uuid4().hex[:8]}", definition=json.dumps(definition), roleArn=role
    )["stateMachineArn"]

    def invoke(name: str, **more: str) -> Json:
        settings = {"StateMachineArn": machine, "ExecutionNamePrefix": "smoke", **more}
        return action(name, "Invoke", "StepFunctions", settings, inputs=["Code"], outputs=[name])

    good = invoke("Good", Input='{"good": true, "word": "#{Source.BranchName}"}')
    bad = invoke("Bad", InputType="FilePath", Input="input.json")
    # When
    name, execution = _released(workshop, good, bad, input_dot_json='{"good": false}')
    # Then
    actions = workshop.actions(name, execution)
    arn = actions["Good"]["output"]["outputVariables"]["ExecutionArn"]
    assert arn.endswith(f":smoke-{actions['Good']['actionExecutionId']}")
    location = actions["Good"]["output"]["outputArtifacts"][0]["s3location"]
    body = workshop.client("s3").get_object(Bucket=location["bucket"], Key=location["key"])["Body"].read()
    with zipfile.ZipFile(io.BytesIO(body)) as zipped:
        assert json.loads(zipped.read("output.json")) == {"seen": "main"}
    assert "ended with status FAILED. SmokeFailed: the stock is wrong" in workshop.error(
        name, execution, "Bad"
    )


def test_files_are_deployed_to_a_bucket(workshop: Workshop) -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3Deploy.html
    settings = {"BucketName": workshop.bucket, "Extract": "true", "ObjectKey": f"site/{uuid.uuid4().hex}"}
    name, execution = _released(
        workshop,
        action("Docs", "Deploy", "S3", settings, inputs=["Code"]),
        docs__index_dot_html="<h1>Hi</h1>",
    )
    workshop.succeeded(name, execution)
    found = workshop.client("s3").get_object(
        Bucket=workshop.bucket, Key=f"{settings['ObjectKey']}/docs/index.html"
    )
    assert (found["ContentType"], found["Body"].read()) == ("text/html", b"<h1>Hi</h1>")


def test_several_artifacts_go_in_and_out_of_a_build(workshop: Workshop) -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeBuild.html
    # Given
    first = """
version: 0.2
phases: {build: {commands: ['echo one > a; echo two > b']}}
artifacts:
  secondary-artifacts: {Left: {files: [a]}, Right: {files: [b]}}
"""
    second = """
version: 0.2
env: {exported-variables: [ALL]}
phases: {build: {commands: ['ALL="$(cat a) $(cat $CODEBUILD_SRC_DIR_Right/b) $TICKET"']}}
"""
    ticket = json.dumps([{"name": "TICKET", "value": "#{Source.BranchName}", "type": "PLAINTEXT"}])
    split = workshop.build(workshop.project(first), name="Split", outputs=["Left", "Right"])
    settings = {"PrimarySource": "Left", "EnvironmentVariables": ticket}
    join = workshop.build(
        workshop.project(second),
        name="Join",
        inputs=["Left", "Right"],
        configuration=settings,
        runOrder=2,
        namespace="Join",
    )
    # When
    name, execution = _released(workshop, split, join)
    # Then
    workshop.succeeded(name, execution)
    assert workshop.actions(name, execution)["Join"]["output"]["outputVariables"] == {"ALL": "one two main"}
    build = workshop.actions(name, execution)["Join"]["output"]["executionResult"]["externalExecutionId"]
    found = workshop.client("codebuild").batch_get_builds(ids=[build])["builds"][0]
    assert found["initiator"] == f"codepipeline/{name}"


def test_artifacts_are_kept_under_the_pipelines_and_the_projects_key(workshop: Workshop) -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_EncryptionKey.html
    # Given a pipeline and a project with a key of our own
    key = workshop.client("kms").create_key()["KeyMetadata"]["Arn"]
    spec = "version: 0.2\nphases: {build: {commands: ['echo 1 > a']}}\nartifacts: {files: [a]}\n"
    store = {"type": "S3", "location": workshop.bucket, "encryptionKey": {"id": key, "type": "KMS"}}
    name = workshop.create(
        stage("Source", workshop.source(workshop.repository())),
        stage("Build", workshop.build(workshop.project(spec, encryptionKey=key), outputs=["Built"])),
        artifactStore=store,
    )
    # When it runs
    execution = workshop.start(name)
    workshop.succeeded(name, execution)
    # Then what its source and its build made is encrypted with it
    for one in ("Commit", "Build"):
        place = workshop.actions(name, execution)[one]["output"]["outputArtifacts"][0]["s3location"]
        kept = workshop.client("s3").head_object(Bucket=place["bucket"], Key=place["key"])
        assert (kept["ServerSideEncryption"], kept["SSEKMSKeyId"]) == ("aws:kms", key), one


def test_a_build_can_clone_the_repository_with_its_history(workshop: Workshop) -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodestarConnectionSource.html
    count = {"commands": ["N=$(git rev-list --count HEAD)"]}
    spec = json.dumps({"version": 0.2, "env": {"exported-variables": ["N"]}, "phases": {"build": count}})
    repository = workshop.repository()
    repository.commit(buildspec_dot_yml=spec)
    source = workshop.source(repository, configuration={"OutputArtifactFormat": "CODEBUILD_CLONE_REF"})
    build = workshop.build(workshop.project(), namespace="Build")
    name = workshop.create(stage("Source", source), stage("Act", build))
    execution = workshop.start(name)
    workshop.succeeded(name, execution)
    assert workshop.actions(name, execution)["Build"]["output"]["outputVariables"] == {"N": "2"}
