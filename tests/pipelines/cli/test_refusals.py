"""The command line: what it refuses it says in words, and its exit code tells a script the same."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from embedded_aws import instance
from environments import schema
from pipelines.aws.accounts import Aws
from pipelines.cli import lint, local_aws
from pipelines.cli.main import main
from pipelines.core.refusals import Refused
from pipelines.core.repository import ROOT
from pipelines.deploy import embedded_overrides

CORPUS = ROOT / "tests" / "pipelines" / "linter" / "corpus"


@pytest.fixture(autouse=True)
def nothing_running(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No embedded AWS, and no other one of the caller's."""
    monkeypatch.setattr(local_aws, "ROOT", tmp_path / "embedded")
    for name in ("AWS_ENDPOINT_URL", "MONGODB_URI", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)


def _payments(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_help_lists_every_command() -> None:
    result = _payments("--help")
    assert result.exit_code == 0
    for command in (
        *("synth", "lint", "package", "library", "up", "down", "deploy", "load", "order", "smoke"),
        *("settle", "reconcile", "pipeline", "branch", "docs", "rehearse", "check", "rehearse-bad"),
    ):
        assert f"  {command} " in result.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("fly",),
        ("up", "--port", "70000"),
        ("order", "place"),
        ("order", "redrive"),
        ("order", "list", "--state", "asleep"),
        ("order", "list", "--limit", "0"),
        ("load",),
        ("load", "no-such-file.json"),
        ("up", "x"),
        ("pipeline", "approve", "no-such-pipeline"),
        ("pipeline", "reject"),
        ("pipeline", "rollback", "Source"),
        ("pipeline", "deploy", "--profile", "mars=me"),
        ("pipeline", "deploy", "--profile", "prod="),
        ("package", "--built", ".", "--published"),
        ("lint", "no-such-file.yml"),
        ("remove", "tools"),
        ("docs", "--json", "picture"),
        ("rehearse-bad", "--times", "0"),
    ],
)
def test_a_wrong_call_ends_with_2_and_says_how_to_call(arguments: tuple[str, ...]) -> None:
    result = _payments(*arguments)
    assert result.exit_code == 2
    assert "Usage: " in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("deploy",), "The embedded AWS is not running"),
        (("order", "show", "order-1"), "The embedded AWS is not running"),
        (("settle",), "The embedded AWS is not running"),
        (("order", "list", "--parked"), "The embedded AWS is not running"),
        (("smoke", "--endpoint-url", "http://127.0.0.1:1"), "Could not connect"),
        (("deploy", "prod"), "Name the artifact bucket"),
        (("remove", "prod"), "prod is a production environment"),
        (("branch", "name"), "No branch is named"),
        (("branch", "expire"), "EXPIRY_DAYS is not set"),
        (("docs", "publish", "docs"), "FOLDER is not set"),
        (("library", "publish"), "LIBRARY_DOMAIN is not set"),
        (("package", "--built", "docs"), "manifest.json cannot be read"),
        (
            ("pipeline", "settings", "branch", "--built", "docs", "--stack", "payments-prod"),
            "payments-prod is no branch's stack",
        ),
        (
            ("pipeline", "evidence", "--built", ".", "--proven", ".", "--packages", "."),
            "PROVENANCE_KEY is not set",
        ),
        (("pipeline", "settings", "staging", "--built", "docs"), "manifest.json cannot be read"),
        (("pipeline", "verify", "--packages", ".", "--built", "."), "CHECK is not set"),
        (("pipeline", "sign", "--built", ".", "--proven", "."), "PROVENANCE_KEY is not set"),
        (("pipeline", "status", "--endpoint-url", "http://127.0.0.1:1"), "Could not connect"),
    ],
)
def test_a_refusal_ends_with_1_and_one_clear_line(arguments: tuple[str, ...], said: str) -> None:
    # When a command is asked for what cannot be done
    result = _payments(*arguments)
    # Then it says so without a traceback, and nothing goes to standard output
    assert result.exit_code == 1
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_a_password_in_mongodb_uri_is_refused_and_never_repeated(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Given a MongoDB that is named with a password
    named = "mongodb://ada:canary@127.0.0.1:1/?replicaSet=own"
    monkeypatch.setenv("MONGODB_URI", named)
    # When the embedded AWS is started with it, or a stack deployed to one
    beside = Aws(schema.load("local"), "http://127.0.0.1:1", named)
    with pytest.raises(instance.StartFailed, match="MONGODB_URI holds credentials") as ended:
        instance.start(tmp_path, attached=True)
    with pytest.raises(Refused, match="MONGODB_URI holds credentials") as refused:
        embedded_overrides.with_database(beside)
    # Then neither is done, and the password is not told
    log = (tmp_path / "server.log").read_text(encoding="utf-8")
    assert not [text for text in (str(ended.value), str(refused.value), log) if "canary" in text]


def test_synth_writes_the_templates_and_says_where(tmp_path: Path) -> None:
    result = _payments("synth", "local", "--out", str(tmp_path))
    written = [Path(line) for line in result.stdout.splitlines()]
    assert [path.relative_to(tmp_path).as_posix() for path in written] == [
        "local/network.json",
        "local/payments.json",
    ]
    assert all(json.loads(path.read_text())["Resources"] for path in written)


def test_package_tells_the_digest_of_every_function() -> None:
    result = _payments("package", "--json")
    assert result.exit_code == 0, result.stderr
    assert {len(package["sha256"]) for package in json.loads(result.stdout).values()} == {64}


@pytest.mark.parametrize(("folder", "code"), [("good", 0), ("broken", 1)])
def test_lint_judges_any_pipeline_that_is_named(folder: str, code: int) -> None:
    # Given a pipeline of somebody else's
    file = min((CORPUS / folder).glob("*.*"))
    # When it is linted
    result = _payments("lint", str(file), "--json")
    # Then the exit code says whether something is wrong, and each finding has an id and a fix
    assert result.exit_code == code, result.output
    findings = json.loads(result.stdout)
    assert bool(findings) is bool(code)
    assert all(finding["rule"] and finding["fix"] for finding in findings)


def test_the_pipelines_are_linted_though_no_environment_is_called_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given templates in which nothing is wrong
    loaded: list[str] = []
    monkeypatch.setattr(lint, "_in_ours", lambda _: [])
    monkeypatch.setattr(schema, "load", loaded.append)
    # When an environment and the pipelines are linted
    result = _payments("lint", "branch", "pipelines")
    # Then the environment's file was read, and no other was looked for
    assert "The templates of branch, pipelines: no findings" in result.stderr
    assert loaded == ["branch"]


@pytest.mark.parametrize(
    ("file", "options", "code", "says"),
    [
        ("good/commands.yml", ["--strict"], 0, "no findings"),
        ("broken/P305-empty-filter.yml", [], 0, "1 warning"),
        ("broken/P305-empty-filter.yml", ["--strict"], 1, "1 warning"),
        ("broken/P305-empty-filter.yml", ["--strict", "--ignore", "P305"], 0, "no findings"),
    ],
)
def test_a_warning_fails_lint_only_where_it_is_strict(
    file: str, options: list[str], code: int, says: str
) -> None:
    result = _payments("lint", str(CORPUS / file), *options)
    assert result.exit_code == code, result.output
    assert f"{file}: {says}" in result.stderr.replace("\n", "")


def test_a_branch_is_named_by_the_variable_and_by_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRANCH", "$(reboot); feature/ünï")
    result = _payments("branch", "name")
    assert result.exit_code == 0
    assert re.fullmatch(r"branch-[a-z0-9-]{1,31}\n", result.stdout)


def test_loading_refuses_before_it_looks_for_a_stack(tmp_path: Path) -> None:
    # Given a file with a mistake, and no such stack anywhere
    path = tmp_path / "users.json"
    path.write_text(json.dumps([{"user_id": "ada", "username": "Ada", "credit": -1}]))
    # When it is loaded
    result = _payments("load", str(path), "--endpoint-url", "http://127.0.0.1:1")
    # Then the mistake is told
    assert result.exit_code == 1
    assert "users.json: [0].credit: must be a non-negative decimal number" in result.stderr
