"""Sources of a stranger's pipeline: CodeCommit, GitHub (version 1) and S3, over what is here."""

import io
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError
from codepipeline_workbench import TOOLS, Json, Workshop, action, commands, stage
from embedded_workbench import wait_until

pytestmark = pytest.mark.long


def _source(provider: str, configuration: Json, owner: str = "AWS") -> Json:
    declared = action("Commit", "Source", provider, configuration, outputs=["Code"], namespace="Source")
    declared["actionTypeId"]["owner"] = owner
    return declared


def _of(provider: str, name: str) -> Json:
    if provider == "CodeCommit":
        polled = {"PollForSourceChanges": "true", "OutputArtifactFormat": "CODE_ZIP"}
        return _source(provider, {"RepositoryName": name, "BranchName": "main", **polled})
    owner, _, repo = name.partition("/")
    settings = {"Owner": owner, "Repo": repo, "Branch": "main", "OAuthToken": "hidden"}
    return _source(provider, settings, "ThirdParty")


@pytest.mark.parametrize("provider", ["CodeCommit", "GitHub"])
def test_a_push_to_a_registered_repository_starts_a_pipeline_of_version_one(
    workshop: Workshop, provider: str
) -> None:
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeCommit.html
    # Given a pipeline whose source names a repository that is registered here
    repository = workshop.repository(word="old")
    check = commands("grep -q new word")
    name = workshop.create(stage("Source", _of(provider, repository.name)), stage("Check", check))
    # When somebody pushes
    commit = repository.commit(word="new")
    # Then it starts, reads that commit, and says whose revision it is
    started = wait_until(lambda: workshop.executions(name), "the execution")[0]["pipelineExecutionId"]
    execution = workshop.succeeded(name, started)
    (revision,) = execution["artifactRevisions"]
    assert revision["revisionId"] == commit
    assert f'"ProviderType": "{provider}"' in revision["revisionSummary"]


def test_an_object_of_a_bucket_is_a_source(workshop: Workshop) -> None:
    # Given a zip in a bucket
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("word", "from S3")
    s3 = workshop.client("s3")
    s3.put_object(Bucket=workshop.bucket, Key="sources/code.zip", Body=archive.getvalue())
    settings = {"S3Bucket": workshop.bucket, "S3ObjectKey": "sources/code.zip"}
    name = workshop.create(
        stage("Source", _source("S3", settings)), stage("Check", commands("grep -q 'from S3' word"))
    )
    # When, then
    execution = workshop.succeeded(name, workshop.start(name))
    assert execution["artifactRevisions"][0]["revisionId"]


def test_a_branch_that_is_not_there_is_named(workshop: Workshop) -> None:
    repository = workshop.repository()
    source = workshop.source(repository, configuration={"BranchName": "nowhere"})
    name = workshop.create(stage("Source", source), stage("Check", commands("true")))
    execution = workshop.start(name)
    workshop.finished(name, execution)
    words = f"[GitHub] No Branch [nowhere] found for FullRepositoryName [{repository.name}]"
    assert workshop.error(name, execution, "Commit") == words


@pytest.mark.parametrize("branch", ["feature/a\u2028b", "feature/a\u00a0b", "feature/a\u3000b"])
def test_a_branch_with_an_odd_name_starts_its_pipelines_and_blinds_nobody(
    workshop: Workshop, branch: str
) -> None:
    # Given a pipeline for every branch
    repository = workshop.repository()
    pushes = {"sourceActionName": "Commit", "push": [{"branches": {"includes": ["**"]}}]}
    triggers = [{"providerType": "CodeStarSourceConnection", "gitConfiguration": pushes}]
    name = workshop.create(
        stage("Source", workshop.source(repository)), stage("Check", commands("true")), triggers=triggers
    )
    # When a branch whose name holds another kind of space is pushed, and then an ordinary one
    repository.commit(branch=branch)
    wait_until(lambda: len(workshop.executions(name)) == 1, "the first execution")
    repository.commit(branch="feature/plain")
    # Then both start
    wait_until(lambda: len(workshop.executions(name)) == 2, "the second execution")


def test_a_project_names_its_role_by_name_and_a_version_of_its_own_source(workshop: Workshop) -> None:
    # Given a project as a template makes it with `ServiceRole: !Ref Role`, whose own source has a version
    repository = workshop.repository(
        buildspec_dot_yml="version: 0.2\nphases: {build: {commands: ['true']}}\n"
    )
    role = workshop.build_role.rpartition("/")[2]
    project = workshop.project(serviceRole=role, sourceVersion="refs/heads/main")
    name = workshop.create(
        stage("Source", workshop.source(repository)), stage("Build", workshop.build(project))
    )
    # When a pipeline builds it, then the version is not the artifact's
    workshop.succeeded(name, workshop.start(name))
    (shown,) = workshop.client("codebuild").batch_get_projects(names=[project])["projects"]
    assert shown["serviceRole"] == workshop.build_role


@pytest.mark.parametrize(
    ("spec", "variables", "words"),
    [
        ("version: 0.1\n", "[]", "version 0.1 is not emulated here, version 0.2 is"),
        ("version: 0.2\n", "NAME=value", "EnvironmentVariables is not JSON"),
    ],
)
def test_what_a_build_cannot_read_is_named(workshop: Workshop, spec: str, variables: str, words: str) -> None:
    repository = workshop.repository(buildspec_dot_yml=spec)
    build = workshop.build(workshop.project(), configuration={"EnvironmentVariables": variables})
    name = workshop.create(stage("Source", workshop.source(repository)), stage("Build", build))
    execution = workshop.start(name)
    workshop.finished(name, execution)
    assert words in workshop.error(name, execution, "Build")


def test_what_aws_refuses_of_a_structure_is_refused(workshop: Workshop) -> None:
    repository = workshop.repository()

    def refused(*stages: Json) -> str:
        with pytest.raises(ClientError) as caught:
            workshop.create(stage("Source", workshop.source(repository)), *stages)
        error: Any = caught.value.response["Error"]
        return f"{error['Code']}: {error['Message']}"

    # An action of another region without an artifact store there
    elsewhere = commands("true") | {"region": "us-west-2"}
    assert "no artifact store there" in refused(stage("Elsewhere", elsewhere))
    # More stages than a pipeline has
    many = [stage(f"Stage{number}", commands("true")) for number in range(51)]
    assert "maximum of 50" in refused(*many)
    assert TOOLS in workshop.pipeline_role
