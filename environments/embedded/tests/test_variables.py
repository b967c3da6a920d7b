"""Variables: https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-variables.html."""

import pytest
from botocore.exceptions import ClientError
from codepipeline_workbench import Workshop, approve, commands, stage


def _echo(workshop: Workshop, *variables: dict[str, str], **environment: str) -> str:
    repository = workshop.repository()
    given = [{"name": name, "value": value} for name, value in environment.items()]
    run = commands('SAID="<$WORD>"', environmentVariables=given, outputVariables=["SAID"], namespace="Run")
    return workshop.create(
        stage("Source", workshop.source(repository)), stage("Run", run), variables=list(variables)
    )


def test_a_pipeline_variable_has_its_default_or_the_value_of_the_start(workshop: Workshop) -> None:
    # Given
    name = _echo(workshop, {"name": "word", "defaultValue": "hello"}, WORD="#{variables.word}")
    # When
    by_default = workshop.start(name)
    given = workshop.start(name, variables=[{"name": "word", "value": "goodbye"}])
    # Then
    assert workshop.succeeded(name, by_default)["variables"] == [{"name": "word", "resolvedValue": "hello"}]
    workshop.succeeded(name, given)
    assert workshop.actions(name, given)["Run"]["output"]["outputVariables"] == {"SAID": "<goodbye>"}


def test_a_start_must_name_what_has_no_default_and_nothing_else(workshop: Workshop) -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PipelineVariableDeclaration.html
    name = _echo(workshop, {"name": "branch"}, WORD="#{variables.branch}")
    assert workshop.executions(name) == []  # creating it could not start it
    with pytest.raises(ClientError, match="need a value: branch"):
        workshop.start(name)
    with pytest.raises(ClientError, match="not declared: colour"):
        workshop.start(name, variables=[{"name": "colour", "value": "red"}, {"name": "branch", "value": "x"}])


def test_what_a_person_wrote_reaches_commands_as_text_only(workshop: Workshop) -> None:
    # Given a commit message that would be a command
    repository = workshop.repository()
    repository.commit(message="$(touch /tmp/hacked) `id` \"; exit 1; '")
    given = [{"name": "MESSAGE", "value": "#{Source.CommitMessage}"}]
    run = commands('SAID="$MESSAGE"', environmentVariables=given, outputVariables=["SAID"], namespace="Run")
    name = workshop.create(stage("Source", workshop.source(repository)), stage("Run", run))
    # When
    execution = workshop.start(name)
    # Then
    workshop.succeeded(name, execution)
    said = workshop.actions(name, execution)["Run"]["output"]["outputVariables"]["SAID"]
    assert said == "$(touch /tmp/hacked) `id` \"; exit 1; '"


def test_a_variable_that_nobody_produced_fails_the_action_that_needs_it(workshop: Workshop) -> None:
    # Given a namespace that exists and a name in it that does not
    repository = workshop.repository()
    gate = approve(configuration={"CustomData": "#{Source.Nothing}"})
    name = workshop.create(stage("Source", workshop.source(repository)), stage("Approve", gate))
    # When
    execution = workshop.start(name)
    # Then
    assert workshop.finished(name, execution)["status"] == "Failed"
    assert workshop.error(name, execution, "Approve") == (
        "The variable #{Source.Nothing} could not be resolved."
    )


def test_the_same_client_token_starts_one_execution(workshop: Workshop) -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_StartPipelineExecution.html
    name = _echo(workshop, {"name": "word", "defaultValue": "hello"}, WORD="#{variables.word}")
    assert workshop.start(name, clientRequestToken="one") == workshop.start(name, clientRequestToken="one")


def test_a_source_override_takes_that_commit(workshop: Workshop) -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-trigger-source-overrides.html
    # Given
    repository = workshop.repository(note="old")
    old = repository.git("rev-parse", "HEAD").strip()
    repository.commit(note="new")
    run = commands('NOTE="$(cat note)"', outputVariables=["NOTE"], namespace="Run")
    name = workshop.create(stage("Source", workshop.source(repository)), stage("Run", run))
    # When
    override = {"actionName": "Commit", "revisionType": "COMMIT_ID", "revisionValue": old}
    execution = workshop.start(name, sourceRevisions=[override])
    # Then
    assert workshop.succeeded(name, execution)["artifactRevisions"][0]["revisionId"] == old
    assert workshop.actions(name, execution)["Run"]["output"]["outputVariables"] == {"NOTE": "old"}
