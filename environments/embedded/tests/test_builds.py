"""Builds: https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html."""

import io
import json
import uuid
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from codepipeline_workbench import REGION, TOOLS, Json, Workshop
from embedded_workbench import wait_until

from embedded_aws import instance

pytestmark = pytest.mark.long

Run = Callable[..., Json]


@pytest.fixture
def run(workshop: Workshop) -> Run:
    """Run a build of inline text to its end: `run(buildspec)`; more are CreateProject's and StartBuild's."""

    def begin(buildspec: str, *, project: Json | None = None, wait: bool = True, **start: Any) -> Json:
        codebuild = workshop.client("codebuild")
        given = {
            "source": {"type": "NO_SOURCE", "buildspec": buildspec},
            "artifacts": {"type": "NO_ARTIFACTS"},
        }
        name = workshop.project(**{**given, **(project or {})})
        build: Json = codebuild.start_build(projectName=name, **start)["build"]

        def ended() -> Json | None:
            found: Json = codebuild.batch_get_builds(ids=[build["id"]])["builds"][0]
            return found if found["buildComplete"] else None

        return wait_until(ended, "the build's end") if wait else build

    return begin


def _exported(build: Json) -> dict[str, str]:
    return {each["name"]: each["value"] for each in build["exportedEnvironmentVariables"]}


def _phases(build: Json) -> dict[str, str]:
    return {phase["phaseType"]: phase.get("phaseStatus", "") for phase in build["phases"]}


def _log(workshop: Workshop, build: Json) -> str:
    events = workshop.client("logs").get_log_events(
        logGroupName=build["logs"]["groupName"], logStreamName=build["logs"]["streamName"], startFromHead=True
    )["events"]
    return "\n".join(event["message"] for event in events)


def test_commands_of_all_phases_share_one_shell_and_values_are_exported(run: Run) -> None:
    # https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec-ref-versions
    build = run("""
version: 0.2
env:
  shell: bash
  exported-variables: [WORD, PLACE, NEVER]
phases:
  install: {commands: ['WORD=unexported', 'mkdir -p deep && cd deep']}
  build: {commands: ['[[ $WORD == unexported ]]', 'export PLACE="${PWD##*/}"']}
""")
    assert build["buildStatus"] == "SUCCEEDED"
    assert _exported(build) == {"WORD": "unexported", "PLACE": "deep"}


def test_what_a_build_installs_goes_with_the_build(run: Run) -> None:
    # When a build asks where its Python would install something, and whose pip would
    where = "python3 -c 'import sysconfig; print(sysconfig.get_path(\\\"purelib\\\"))'"
    build = run(f"""
version: 0.2
env: {{exported-variables: [PLACE, PIP, HERE]}}
phases:
  build: {{commands: ["export HERE=$PWD PIP=$(command -v pip)", "export PLACE=$({where})"]}}
""")
    # Then it is in a folder of the build, which goes with the build, and not in the machine's Python
    assert build["buildStatus"] == "SUCCEEDED"
    exported = _exported(build)
    folder = Path(exported["HERE"]).parent
    assert Path(exported["PLACE"]).is_relative_to(folder)
    assert Path(exported["PIP"]).is_relative_to(folder)
    wait_until(lambda: not folder.exists(), "the folder's end")


@pytest.mark.parametrize(
    ("failing", "ran"),
    [
        # https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details-phases.html
        ("install", {"INSTALL"}),
        ("pre_build", {"INSTALL", "PRE_BUILD"}),
        ("build", {"INSTALL", "PRE_BUILD", "BUILD", "POST_BUILD"}),
        ("post_build", {"INSTALL", "PRE_BUILD", "BUILD", "POST_BUILD"}),
    ],
)
def test_after_a_failed_phase_only_the_documented_ones_run(run: Run, failing: str, ran: set[str]) -> None:
    # Given
    names = ("install", "pre_build", "build", "post_build")
    phases = {name: {"commands": ["exit 7" if name == failing else "true"]} for name in names}
    # When
    build = run(json.dumps({"version": 0.2, "phases": phases}) + "\n")
    # Then
    found = _phases(build)
    assert build["buildStatus"] == "FAILED"
    assert set(found) & {name.upper() for name in names} == ran
    assert found[failing.upper()] == "FAILED"
    assert "UPLOAD_ARTIFACTS" in found  # "always attempted"
    context = next(p for p in build["phases"] if p["phaseType"] == failing.upper())["contexts"][0]
    assert context == {
        "statusCode": "COMMAND_EXECUTION_ERROR",
        "message": "Error while executing command: exit 7. Reason: exit status 7",
    }


def test_finally_runs_after_a_failure_and_knows_of_it_and_post_build_too(
    run: Run, workshop: Workshop
) -> None:
    build = run("""
version: 0.2
phases:
  build:
    commands: ['echo first', 'false', 'echo never']
    finally: ['echo last']
  post_build:
    commands: ['echo "succeeding: $CODEBUILD_BUILD_SUCCEEDING"']
""")
    log = _log(workshop, build)
    lines = [line for line in log.splitlines() if not line.startswith("[Container]")]
    assert lines == ["first", "last", "succeeding: 0"]
    assert "Phase complete: BUILD State: FAILED" in log


def test_nothing_of_the_host_is_in_the_environment_and_precedence_is_as_documented(run: Run) -> None:
    # https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
    spec = """
version: 0.2
env:
  variables: {A: spec, B: spec, C: spec}
  exported-variables: [A, B, C, NAMES, CODEBUILD_INITIATOR, CODEBUILD_BUILD_ID]
phases:
  build: {commands: ['NAMES="$(env | cut -d= -f1 | sort | tr "\\n" " ")"']}
"""
    environment = {
        "type": "ARM_CONTAINER",
        "image": "aws/codebuild/amazonlinux-aarch64-standard:3.0",
        "computeType": "BUILD_GENERAL1_SMALL",
        "environmentVariables": [{"name": "B", "value": "project"}, {"name": "C", "value": "project"}],
    }
    # When
    build = run(
        spec,
        project={"environment": environment},
        environmentVariablesOverride=[{"name": "C", "value": "$(start)"}],
    )
    # Then
    found = _exported(build)
    assert (found["A"], found["B"], found["C"]) == ("spec", "project", "$(start)")
    assert found["CODEBUILD_BUILD_ID"] == build["id"]
    names = set(found["NAMES"].split())
    assert {"AWS_REGION", "AWS_ENDPOINT_URL", "CODEBUILD_SRC_DIR", "HOME"} <= names
    assert not names & {"STATE_DIR", "S3_DATA_DIR", "PERSIST_STATE", "MONGODB_URI", "VIRTUAL_ENV"}


def test_parameters_and_secrets_are_read_with_the_role_and_masked_in_the_log(
    run: Run, workshop: Workshop
) -> None:
    # Given
    unique = uuid.uuid4().hex
    workshop.client("ssm").put_parameter(Name=f"/{unique}", Value=f"p-{unique}", Type="SecureString")
    workshop.client("secretsmanager").create_secret(
        Name=unique, SecretString=json.dumps({"key": f"s-{unique}"})
    )
    spec = f"""
version: 0.2
env:
  parameter-store: {{PARAMETER: /{unique}}}
  secrets-manager: {{SECRET: '{unique}:key'}}
  exported-variables: [LENGTHS]
phases:
  build: {{commands: ['echo "$PARAMETER and $SECRET"', 'LENGTHS="${{#PARAMETER}} ${{#SECRET}}"']}}
"""
    # When
    build = run(spec)
    # Then
    assert _exported(build) == {"LENGTHS": "34 34"}
    assert "*** and ***" in _log(workshop, build)
    # And a missing one fails before any command
    missing = run(spec.replace(f"/{unique}", "/nowhere"))
    assert _phases(missing)["DOWNLOAD_SOURCE"] == "FAILED"


def test_artifacts_are_chosen_named_and_put_into_the_bucket(run: Run, workshop: Workshop) -> None:
    # https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec.artifacts.files
    spec = """
version: 0.2
phases:
  build:
    commands:
      - mkdir -p out/a/b && touch out/one.txt out/a/b/two.txt out/a/three.md
      - chmod +x out/one.txt
artifacts:
  base-directory: out
  files: ['**/*.txt']
  secondary-artifacts:
    flat: {files: ['out/**/*'], discard-paths: yes, exclude-paths: ['out/a/**/*.md']}
"""
    place = {"type": "S3", "location": workshop.bucket, "path": uuid.uuid4().hex}
    project = {
        "artifacts": place | {"name": "tree.zip", "packaging": "ZIP"},
        "secondaryArtifacts": [place | {"name": "flat", "packaging": "NONE", "artifactIdentifier": "flat"}],
    }
    # When
    build = run(spec, project=project)
    # Then
    s3 = workshop.client("s3")
    body = s3.get_object(Bucket=workshop.bucket, Key=f"{place['path']}/tree.zip")["Body"].read()
    with zipfile.ZipFile(io.BytesIO(body)) as tree:
        assert sorted(tree.namelist()) == ["a/b/two.txt", "one.txt"]
        assert tree.getinfo("one.txt").external_attr >> 16 & 0o111
    found = s3.list_objects_v2(Bucket=workshop.bucket, Prefix=f"{place['path']}/flat")["Contents"]
    assert [each["Key"].rpartition("/")[2] for each in found] == ["one.txt", "two.txt"]
    assert build["artifacts"]["location"] == f"arn:aws:s3:::{workshop.bucket}/{place['path']}/tree.zip"
    # And when nothing matches, the build fails
    failed = run(spec.replace("*.txt", "*.exe"), project=project)
    assert (failed["buildStatus"], _phases(failed)["UPLOAD_ARTIFACTS"]) == ("FAILED", "FAILED")


def test_reports_of_tests_and_coverage_are_kept_also_of_a_failed_build(run: Run, workshop: Workshop) -> None:
    # https://docs.aws.amazon.com/codebuild/latest/userguide/test-reporting.html
    junit = (
        '<testsuite><testcase classname="m" name="good" time="0.5"/>'
        '<testcase classname="m" name="bad"><failure message="no"/></testcase></testsuite>'
    )
    cobertura = (
        '<coverage><packages><package><classes><class filename="a.py"><lines><line number="1" hits="1"/>'
        '<line number="2" hits="0" branch="true" condition-coverage="50% (1/2)"/></lines></class></classes>'
        "</package></packages></coverage>"
    )
    spec = f"""
version: 0.2
env:
  variables: {{JUNIT: '{junit}', COBERTURA: '{cobertura}'}}
phases:
  build: {{commands: ['printf %s "$JUNIT" > tests.xml; printf %s "$COBERTURA" > coverage.xml; false']}}
reports:
  tests: {{files: [tests.xml]}}
  coverage: {{files: ['*.xml'], base-directory: ., file-format: COBERTURAXML, exclude-paths: [tests.xml]}}
""".replace("base-directory: ., ", "")
    # When
    build = run(spec)
    # Then
    codebuild = workshop.client("codebuild")
    reports = codebuild.batch_get_reports(reportArns=build["reportArns"])["reports"]
    tests, coverage = sorted(reports, key=lambda report: report["type"], reverse=True)
    assert (tests["status"], tests["testSummary"]["statusCounts"]) == (
        "FAILED",
        {"FAILED": 1, "SUCCEEDED": 1},
    )
    assert coverage["codeCoverageSummary"]["lineCoveragePercentage"] == 50.0
    assert coverage["codeCoverageSummary"]["branchesMissed"] == 1
    cases = codebuild.describe_test_cases(reportArn=tests["arn"])["testCases"]
    assert [(case["name"], case["status"]) for case in cases] == [("good", "SUCCEEDED"), ("bad", "FAILED")]
    groups = codebuild.batch_get_report_groups(reportGroupArns=[tests["reportGroupArn"]])["reportGroups"]
    assert groups[0]["name"] == f"{build['projectName']}-tests"


def test_a_cached_folder_is_there_in_the_next_build_of_the_project(run: Run, workshop: Workshop) -> None:
    # https://docs.aws.amazon.com/codebuild/latest/userguide/caching-local.html
    spec = """
version: 0.2
env: {exported-variables: [FOUND]}
phases:
  build: {commands: ['FOUND="$(ls .cache)"', 'touch .cache/kept']}
cache: {paths: ['.cache/**/*']}
"""
    first = run(spec, project={"cache": {"type": "LOCAL", "modes": ["LOCAL_CUSTOM_CACHE"]}})
    again = workshop.client("codebuild").start_build(projectName=first["projectName"])["build"]
    second = wait_until(
        lambda: next(
            (
                build
                for build in workshop.client("codebuild").batch_get_builds(ids=[again["id"]])["builds"]
                if build["buildComplete"]
            ),
            None,
        ),
        "the second build's end",
    )
    assert (_exported(first), _exported(second)) == ({"FOUND": ""}, {"FOUND": "kept"})
    assert second["buildNumber"] == 2


def test_a_cache_in_a_bucket_is_used_only_by_a_role_that_may_read_and_write_it(
    run: Run, workshop: Workshop
) -> None:
    # https://docs.aws.amazon.com/codebuild/latest/userguide/caching-s3.html
    # Given two roles, one of which may read the cache and not write it
    actions = ["logs:CreateLogStream", "logs:CreateLogGroup", "logs:PutLogEvents", "s3:GetObject"]
    reads = workshop.role("reads", "codebuild.amazonaws.com", actions)
    writes = workshop.role("writes", "codebuild.amazonaws.com", [*actions, "s3:PutObject"])
    spec = """
version: 0.2
phases: {build: {commands: ['mkdir -p .cache']}}
cache: {paths: ['.cache/**/*']}
"""
    cache = {"type": "S3", "location": "somewhere/cache"}
    # When each builds
    said = [
        _log(workshop, run(spec, project={"cache": cache, "serviceRole": one})) for one in (writes, reads)
    ]
    # Then one has a cache, and the other is told why it has none
    assert "Cache: .cache/**/* is new" in said[0]
    assert "is not authorized to perform: s3:PutObject on resource: arn:aws:s3:::somewhere/cache/" in said[1]


def test_a_build_that_takes_too_long_is_ended(run: Run, embedded: instance.Instance) -> None:
    instance.set_minute(embedded.root, 0.8)  # five are long enough for the phases before, on any machine
    try:
        build = run(
            "version: 0.2\nphases: {build: {commands: ['sleep 60'], finally: ['sleep 60']}}\n",
            project={"timeoutInMinutes": 5},
        )
    finally:
        instance.set_minute(embedded.root, 60)
    assert (build["buildStatus"], _phases(build)["BUILD"]) == ("TIMED_OUT", "TIMED_OUT")


def test_report_groups_come_in_pages(workshop: Workshop) -> None:
    # https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ListReportGroups.html
    # Given some of them
    codebuild = workshop.client("codebuild")
    about: Json = {"type": "TEST", "exportConfig": {"exportConfigType": "NO_EXPORT"}}
    made = [codebuild.create_report_group(name=f"{workshop.bucket}-{n}", **about) for n in range(3)]
    # When they are asked for two by two
    asked = codebuild.get_paginator("list_report_groups").paginate(PaginationConfig={"PageSize": 2})
    pages = [page["reportGroups"] for page in asked]
    # Then each comes once
    assert all(len(page) == 2 for page in pages[:-1])
    found = [arn for page in pages for arn in page]
    assert {one["reportGroup"]["arn"] for one in made} <= set(found)
    assert len(found) == len(set(found))
    # And a token of nobody's is refused
    with pytest.raises(ClientError, match="InvalidInputException"):
        codebuild.list_builds(nextToken="somewhere")


def test_builds_at_once_have_a_folder_each_and_the_next_one_finds_it_empty(
    run: Run, workshop: Workshop
) -> None:
    # Given a build that has left a file in its folder and goes on until it is stopped
    def spec(last: str) -> str:
        commands = ['export FOUND="$(ls)"', "touch left", "echo it is there", last]
        phases = {"build": {"commands": commands}}
        return json.dumps({"version": 0.2, "env": {"exported-variables": ["FOUND"]}, "phases": phases}) + "\n"

    codebuild = workshop.client("codebuild")
    lasting = run(spec("sleep 60"), wait=False)

    def there() -> bool:
        phase = codebuild.batch_get_builds(ids=[lasting["id"]])["builds"][0]["currentPhase"]
        return phase == "BUILD" and "\nit is there" in _log(workshop, lasting)

    wait_until(there, "the file")
    # When others run beside it, one after the other
    beside, after = run(spec("true")), run(spec("true"))
    codebuild.stop_build(id=lasting["id"])
    # Then none sees a file of another
    assert [build["buildStatus"] for build in (beside, after)] == ["SUCCEEDED", "SUCCEEDED"]
    assert [_exported(build)["FOUND"] for build in (beside, after)] == ["", ""]


def test_a_build_can_be_stopped(run: Run, workshop: Workshop) -> None:
    # Given
    build = run("version: 0.2\nphases: {build: {commands: ['sleep 60']}}\n", wait=False)
    codebuild = workshop.client("codebuild")

    def read() -> Json:
        found: Json = codebuild.batch_get_builds(ids=[build["id"]])["builds"][0]
        return found

    wait_until(lambda: read()["currentPhase"] == "BUILD", "the build runs")
    # When
    codebuild.stop_build(id=build["id"])
    # Then
    wait_until(lambda: read()["buildComplete"], "the build's end")
    assert read()["buildStatus"] == "STOPPED"


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("version: 0.1\nphases: {}\n", "version 0.1 is not emulated here, version 0.2 is"),
        ("version: 0.2\nphases: {biuld: {commands: [a]}}\n", "biuld"),
        ("version: 0.2\nphases: {build: {commands: ['a', {echo 'x': 1}]}}\n", "commands[2] is not a string"),
        ("version: 0.2\nbatch: {fast-fail: true}\n", "batch is unknown or not emulated here"),
    ],
)
def test_a_buildspec_that_is_not_understood_fails_before_any_command(run: Run, spec: str, words: str) -> None:
    build = run(spec)
    context = next(p for p in build["phases"] if p["phaseType"] == "DOWNLOAD_SOURCE")["contexts"][0]
    assert context["statusCode"] == "YAML_FILE_ERROR"
    assert words in context["message"]
    assert "BUILD" not in _phases(build)


def test_a_role_that_may_not_write_logs_fails_the_build(run: Run, workshop: Workshop) -> None:
    role = workshop.role("mute", "codebuild.amazonaws.com", ["s3:GetObject"])
    build = run("version: 0.2\nphases: {build: {commands: ['true']}}\n", project={"serviceRole": role})
    assert (build["buildStatus"], _phases(build)["PROVISIONING"]) == ("FAILED", "FAILED")


def test_a_role_needs_no_more_than_its_own_log_group(run: Run, workshop: Workshop) -> None:
    # Given a group that is there already, and a role that may only write streams in it
    group = f"/shop/{uuid.uuid4().hex}"
    workshop.client("logs").create_log_group(logGroupName=group)
    may_write = ["logs:CreateLogStream", "logs:PutLogEvents"]
    arn = f"arn:aws:logs:{REGION}:{TOOLS}:log-group:{group}:*"
    role = workshop.role("build", "codebuild.amazonaws.com", may_write, resource=arn)
    logs = {"cloudWatchLogs": {"status": "ENABLED", "groupName": group}}
    # When
    build = run(
        "version: 0.2\nphases: {build: {commands: ['echo hello']}}\n",
        project={"serviceRole": role, "logsConfig": logs},
    )
    # Then
    assert build["buildStatus"] == "SUCCEEDED"
    assert "hello" in _log(workshop, build).splitlines()


def test_projects_are_refused_as_aws_refuses_them(workshop: Workshop) -> None:
    # https://docs.aws.amazon.com/codebuild/latest/APIReference/API_CreateProject.html
    name = workshop.project()
    codebuild = workshop.client("codebuild")
    project = codebuild.batch_get_projects(names=[name])["projects"][0]
    again = {key: project[key] for key in ("name", "source", "artifacts", "environment", "serviceRole")}
    unknown = {"type": "SOLARIS", "image": "x", "computeType": "BUILD_GENERAL1_SMALL"}
    with pytest.raises(ClientError, match="ResourceAlreadyExistsException"):
        codebuild.create_project(**again)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        codebuild.start_build(projectName="nobody")
    with pytest.raises(ClientError, match=r"InvalidInputException.*environment\.type"):
        workshop.project(environment=unknown)
    with pytest.raises(ClientError, match="CodeBuild is not authorized to perform AssumeRole"):
        workshop.project(serviceRole=workshop.pipeline_role)
    assert codebuild.batch_get_projects(names=["nobody"])["projectsNotFound"] == ["nobody"]
