"""The builds: what their files may hold, and that pipelines and files agree."""

import inspect
import pkgutil
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from environments import schema
from pipelines.build import check_cache, dependencies, packaging
from pipelines.core.repository import CACHE, ROOT
from pipelines.definitions.artifacts import template_path
from pipelines.deploy import synth
from pipelines.docs_site import building
from pipelines.lint import repository_templates
from pipelines.supply_chain import secrets, static_analysis

Json = dict[str, Any]
BUILDSPECS = [
    ROOT / "buildspec.yml",
    *sorted((ROOT / "pipelines" / "definitions" / "buildspecs").glob("*.yml")),
]
NEVER_IN_A_SMALL_BUILD = (
    # They start an embedded AWS, which no build does.
    "pipelines.cli.embedded",
    "pipelines.cli.prove",
    "pipelines.cli.rehears",
    "pipelines.rehearsal",
    # It serves pages to a person's browser.
    "pipelines.console",
    # It writes the data API's document, which is committed, from the data API's own declarations.
    "pipelines.docs_site.openapi",
)
_CALL = re.compile(
    r"""(make\ [a-z]+
      |\.venv/bin/payments\ [a-z].*
      |export\ [A-Z_]+="\$\(\.venv/bin/payments\ [a-z\ ]+\)"
      |export\ [A-Z]+="\$\(cat\ dist/(evidence|record)/[a-z]+\.txt\)"
      )""",
    re.VERBOSE,
)


def read(path: Path) -> Json:
    loaded: Json = yaml.safe_load(path.read_text())
    return loaded


def projects(template: Json) -> dict[str, Json]:
    return {
        name: resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::CodeBuild::Project"
    }


def test_what_the_check_and_the_build_keep_for_the_next_build_is_in_its_cache() -> None:
    # Given the folders in which verdicts and wheels are kept; what is found there is held to its digest
    passed = inspect.signature(static_analysis.check_templates).parameters["notes"].default
    clean = repository_templates.mark({}, "").parent
    kept = [check_cache.CHECK.records, packaging.WHEELS, secrets.NOTES, passed, clean]
    # Then the build has each of them again, and nothing that is taken as it lies there, as files from npm are
    paths = yaml.safe_load((ROOT / "buildspec.yml").read_text())["cache"]["paths"]
    assert {f".cache/{folder.relative_to(CACHE)}/**/*" for folder in kept} <= set(paths)
    npm = inspect.signature(building.fetch_asset).parameters["cache"].default
    assert f".cache/{npm.relative_to(CACHE)}/**/*" not in paths


@pytest.mark.parametrize("path", BUILDSPECS, ids=lambda path: path.name)
def test_a_buildspec_calls_make_and_payments_alone(path: Path) -> None:
    for phase in read(path)["phases"].values():
        for command in phase["commands"]:
            assert _CALL.fullmatch(command), command


@pytest.mark.parametrize("path", BUILDSPECS, ids=lambda path: path.name)
def test_no_command_holds_what_people_choose(path: Path) -> None:
    for word in ("BRANCH", "COMMIT_MESSAGE", "AUTHOR"):
        for phase in read(path)["phases"].values():
            assert f"${word}" not in " ".join(phase["commands"])
            assert f"${{{word}" not in " ".join(phase["commands"])


@pytest.mark.parametrize("path", BUILDSPECS, ids=lambda path: path.name)
def test_every_build_has_the_cache_that_its_install_fills(path: Path) -> None:
    buildspec = read(path)

    assert f"{buildspec['env']['variables']['UV_CACHE_DIR']}/**/*" in buildspec["cache"]["paths"]


def test_small_builds_install_all_that_a_command_imports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given what `make commands` installs, and the two builds that run tests, which install everything
    installing = ["sync", "--quiet", "--frozen", "--no-default-groups", "--group", "commands"]
    assert " ".join(installing) in (ROOT / "Makefile").read_text()
    asked = {path.name: read(path)["phases"]["install"]["commands"] for path in BUILDSPECS}
    large = {name for name, commands in asked.items() if commands != ["make commands"]}
    assert large == {"buildspec.yml", "money-path.yml"}
    monkeypatch.setenv("UV_PROJECT_ENVIRONMENT", str(tmp_path / "venv"))
    dependencies.uv(installing, cwd=ROOT)
    # When every module of the commands is imported there, and pip, which downloads what no cache holds
    script = """import importlib, sys
for name in sys.argv[1:]: importlib.import_module(name)
from pipelines.cli import deferral
deferral.run_imports()"""
    every = [module.name for module in pkgutil.walk_packages([str(ROOT / "pipelines")], "pipelines.")]
    names = [name for name in every if not name.startswith(NEVER_IN_A_SMALL_BUILD)]
    command = [str(tmp_path / "venv" / "bin" / "python"), "-c", script, "pip", *names]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    # Then nothing is missing
    assert (done.returncode, done.stderr) == (0, "")


def test_the_build_reports_tests_and_coverage() -> None:
    formats = {report["file-format"] for report in read(ROOT / "buildspec.yml")["reports"].values()}

    assert formats == {"JUNITXML", "COBERTURAXML"}


def test_projects_run_on_arm_but_where_mongodb_is_needed_and_their_buildspecs_exist(
    pipelines_template: Json,
) -> None:
    used = set()
    for name, project in projects(pipelines_template).items():
        environment = project["Environment"]
        expected = ("ARM_CONTAINER", "aws/codebuild/amazonlinux-aarch64-standard:3.0")
        if name in {"MoneyPath", "BranchMoneyPath"}:
            expected = ("LINUX_CONTAINER", "aws/codebuild/standard:7.0")  # Ubuntu 22.04
        assert (environment["Type"], environment["Image"]) == expected, name
        used.add(ROOT / project["Source"]["BuildSpec"])

    assert used == set(BUILDSPECS)


def test_what_pipelines_read_from_a_build_is_what_its_buildspec_exports(
    pipelines: dict[str, Json], pipelines_template: Json
) -> None:
    for pipeline in pipelines.values():
        said = repr(pipeline)
        for action in (action for stage in pipeline["Stages"] for action in stage["Actions"]):
            namespace = action.get("Namespace")
            if action["ActionTypeId"]["Provider"] == "CodeBuild" and namespace:
                project = projects(pipelines_template)[action["Configuration"]["ProjectName"]["Ref"]]
                exported = read(ROOT / project["Source"]["BuildSpec"])["env"]["exported-variables"]
                assert set(re.findall(rf"#\{{{namespace}\.(\w+)\}}", said)) <= set(exported)


def test_what_pipelines_read_from_an_artifact_is_where_synth_puts_it(tmp_path: Path) -> None:
    for environment in ("branch", "staging", "prod"):
        written = synth.synth(schema.load(environment), tmp_path / "dist" / "templates")
        for stack, path in written.items():
            said = template_path(environment, stack).partition("::")[2]
            assert said == path.relative_to(tmp_path).as_posix()
