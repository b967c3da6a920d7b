"""Everyday machines: proxies, profiles, locales, closed streams and odd folders stop no local command."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from environments import schema
from pipelines.aws.accounts import Aws, LocalAws
from pipelines.cli import failures, local_aws
from pipelines.cli import main as command_line
from pipelines.cli.main import forget_what_says_nothing, main, spare_this_machine
from pipelines.core.repository import ROOT

_TICKED = """
from pipelines.cli import main
main.prepare()
from pipelines.cli import terminal
terminal.out.print('✓ → ✗ …')
"""


@pytest.fixture(autouse=True)
def outside_of_a_build(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a build is told of its AWS and of itself, a person's shell does not hold."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "CODEBUILD_")):
            monkeypatch.delenv(name)


def _python(code: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", code], env=os.environ | environment, capture_output=True, check=False, cwd=ROOT
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, "127.0.0.1,localhost,::1"),
        ({"no_proxy": "intranet"}, "intranet,127.0.0.1,localhost,::1"),
        ({"NO_PROXY": "a, 127.0.0.1"}, "a,127.0.0.1,localhost,::1"),
        ({"NO_PROXY": "*"}, "*"),
    ],
)
def test_no_proxy_sees_what_goes_to_this_machine(before: dict[str, str], after: str) -> None:
    environment = {"HTTP_PROXY": "http://proxy.example:3128", **before}
    spare_this_machine(environment)
    assert environment["NO_PROXY"] == environment["no_proxy"] == after


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_signs_that_an_encoding_lacks_are_spelled_out(encoding: str) -> None:
    ran = _python(_TICKED, PYTHONIOENCODING=encoding)
    assert ran.returncode == 0, ran.stderr
    assert b"ok -> FAILED" in ran.stdout


def test_utf_8_keeps_its_signs() -> None:
    assert "✓ → ✗ …" in _python(_TICKED, PYTHONIOENCODING="utf-8").stdout.decode()


@pytest.mark.parametrize(
    ("arguments", "closed"),
    [
        *(("--help", closed) for closed in (">&-", "2>&-", "<&-", ">&- 2>&- <&-")),
        ("branch name", ">&- 2>&- <&-"),
    ],
)
def test_a_closed_stream_is_no_traceback(arguments: str, closed: str) -> None:
    command = f"{sys.executable} -m pipelines.cli {arguments} {closed}"
    ran = subprocess.run(
        ["/bin/sh", "-c", command],
        env=os.environ | {"BRANCH": "x"},
        capture_output=True,
        check=False,
        cwd=ROOT,
    )
    assert ran.returncode == 0, ran.stderr
    assert b"Traceback" not in ran.stderr


@pytest.mark.parametrize("arguments", ["--help", "--version"])
def test_a_device_that_is_full_is_said_in_words(arguments: str) -> None:
    command = f"{sys.executable} -m pipelines.cli {arguments} > /dev/full"
    ran = subprocess.run(["/bin/sh", "-c", command], capture_output=True, check=False, cwd=ROOT)
    assert ran.returncode == 1
    assert ran.stderr == b"The output could not be written: its device is full or broken.\n"


def test_a_full_device_is_said_on_standard_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given an output that takes nothing, in a process that is prepared already
    monkeypatch.setattr(command_line, "prepare", lambda: None)
    with Path("/dev/full").open("w", encoding="utf-8") as full, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", full)
        # When a command prints
        with pytest.raises(SystemExit) as left:
            main(["--version"], prog_name="payments")
    # Then
    assert left.value.code == 1
    assert capsys.readouterr() == ("", "The output could not be written: its device is full or broken.\n")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(
            ("--endpoint-url", value)
            for value in ("nonsense", "http://", "ftp://x", "http://a b", "caf\udce9")
        ),
        *(("--stack", value) for value in ("a b", "-x", "caf\udce9", "a" * 129)),
    ],
)
def test_what_can_be_no_address_or_stack_is_refused_before_aws_is_asked(option: str, value: str) -> None:
    result = CliRunner().invoke(main, ["order", "list", f"{option}={value}"])
    assert result.exit_code == 2
    assert f"Invalid value for '{option}'" in result.stderr


def test_an_argument_that_is_no_text_is_named_where_something_needs_text() -> None:
    with pytest.raises(SystemExit) as left, failures.reported():
        "caf\udce9".encode()
    assert left.value.code == 1


def test_a_disk_that_fills_up_in_the_middle_of_a_file_is_said_in_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    # Given a write that fails after the file was opened, so that no failure names the file
    with pytest.raises(SystemExit) as left, failures.reported():
        Path("/dev/full").write_text("templates", encoding="utf-8")
    # Then
    assert left.value.code == 1
    told = capsys.readouterr().err
    assert "A file could not be written: No space left on device." in told
    assert "make clean" in told


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_a_place_where_nothing_can_be_made_is_named(
    code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Given a checkout in which no folder can be made: read-only, somebody else's, or on a full disk
    def refuse(path: Path, *_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code), str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    monkeypatch.setattr(os, "mkdir", refuse)
    # When a command begins that writes there
    result = CliRunner().invoke(main, ["synth", "local", "--out", str(tmp_path / "out")])
    # Then it says where and why, and there is no traceback
    assert result.exit_code == 1
    assert os.strerror(code) in result.stderr.replace("\n", " ")
    assert "Traceback" not in result.stderr


def test_doctor_examines_the_embedded_aws_that_runs_here(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given one that has just ended, so that each check is unknown at once
    local = LocalAws("http://127.0.0.1:1", "mongodb://127.0.0.1:1", None)
    monkeypatch.setattr(local_aws, "running", lambda: local)
    # When
    result = CliRunner().invoke(main, ["doctor", "local", "--json"])
    # Then it was asked
    findings = {finding["check"]: finding for finding in json.loads(result.stdout)["findings"]}
    assert "http://127.0.0.1:1" in findings["credentials"]["says"]


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    command = f"{sys.executable} -m pipelines.cli --help | true"
    ran = subprocess.run(["/bin/sh", "-c", command], capture_output=True, check=False, cwd=ROOT)
    assert b"Traceback" not in ran.stderr
    assert b"BrokenPipe" not in ran.stderr


def test_a_file_name_that_is_no_utf_8_is_shown_and_not_a_traceback(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/caf\xe9.json"
    with open(name, "w", encoding="utf-8") as file:  # noqa: PTH123 - a name in bytes
        file.write("[{]")
    ran = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "load", name, "--endpoint-url", "http://127.0.0.1:1"],
        capture_output=True,
        check=False,
        cwd=ROOT,
    )
    assert ran.returncode == 1
    assert b"caf" in ran.stderr
    assert b"Traceback" not in ran.stderr


@pytest.mark.parametrize("config", ["[profile other]\nregion = x\n", "no section\n"])
def test_an_unknown_profile_or_a_broken_file_keeps_nobody_from_the_embedded_aws(
    config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    (tmp_path / "config").write_text(config, encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    # When
    aws = Aws(schema.load("local"), "http://127.0.0.1:1")
    # Then a client has the account's own credentials
    credentials = aws.session.get_credentials()
    assert credentials is not None
    assert credentials.access_key == aws.environment.account
    assert aws.client("s3").meta.endpoint_url == "http://127.0.0.1:1"


def test_an_unknown_profile_is_named_where_aws_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    result = CliRunner().invoke(main, ["status", "prod"])
    assert result.exit_code == 1
    assert "The config profile (nobody) could not be found." in result.stderr
    assert "aws configure list-profiles" in result.stderr


_NOTHING_LISTENS = ("order", "list", "-e", "prod", "--endpoint-url", "http://127.0.0.1:1")


def _payments(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run `payments` with credentials of nobody, and nothing else that is AWS's but what is given."""
    keys = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing", "COLUMNS": "400"}
    return subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *arguments],
        env=os.environ | keys | environment,
        capture_output=True,
        check=False,
        cwd=ROOT,
    )


@pytest.mark.parametrize(
    "environment",
    [
        {"AWS_ENDPOINT_URL": ""},
        {"AWS_ENDPOINT_URL_CLOUDFORMATION": "", "AWS_PROFILE": "", "AWS_REGION": ""},
        {"COLUMNS": "0"},
        {"COLUMNS": "-5", "LINES": "x"},
        {"COLUMNS": "", "TERM": ""},
        {"AWS_MAX_ATTEMPTS": "abc", "AWS_USE_FIPS_ENDPOINT": "abc", "AWS_CA_BUNDLE": "/nonexistent"},
    ],
)
def test_a_variable_that_says_nothing_is_as_good_as_none(environment: dict[str, str]) -> None:
    ran = _payments(*_NOTHING_LISTENS, **environment)
    assert ran.returncode == 1
    assert b"Could not connect to the endpoint URL" in ran.stderr, ran.stderr


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"AWS_ENDPOINT_URL_CLOUDFORMATION": "nonsense"}, "Invalid endpoint: nonsense"),
        (
            {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.com",
                "AWS_ACCESS_KEY_ID": "",
                "AWS_SECRET_ACCESS_KEY": "",
            },
            "Unsupported host 'example.com'",
        ),
        ({"HTTPS_PROXY": "nonsense"}, 'Failed to connect to proxy URL: "http://nonsense"'),
        ({"HTTPS_PROXY": "http://127.0.0.1:1"}, "Failed to connect to proxy URL"),
        ({"AWS_DEFAULTS_MODE": "abc"}, "invalid defaults mode: abc"),
    ],
)
def test_a_setting_that_botocore_cannot_use_is_said_in_words(environment: dict[str, str], said: str) -> None:
    ran = _payments("order", "list", "-e", "prod", AWS_MAX_ATTEMPTS="1", **environment)
    assert ran.returncode == 1
    assert said in ran.stderr.decode()
    assert b"Traceback" not in ran.stderr


def test_a_home_that_is_set_to_nothing_is_the_user_s_own() -> None:
    environment = {"HOME": "", "COLUMNS": "80"}
    forget_what_says_nothing(environment)
    assert environment == {"COLUMNS": "80"}


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"MONGOD": "/nonexistent"}, "MONGOD=/nonexistent is not an executable file"),
        ({"MONGODB_URI": "nonsense"}, "MONGODB_URI does not begin with mongodb://"),
    ],
)
def test_a_database_that_cannot_be_had_is_said_in_words(
    environment: dict[str, str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_aws, "ROOT", tmp_path / "embedded")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(main, ["up"])
    assert result.exit_code == 1
    assert said in result.stderr.replace("\n", " ")
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}', '{"pid": "x", "more": 1}'])
def test_a_record_of_the_embedded_aws_that_is_broken_counts_as_none(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_aws, "ROOT", tmp_path)
    (tmp_path / "state.json").write_text(content, encoding="utf-8")
    result = CliRunner().invoke(main, ["order", "list"])
    assert result.exit_code == 1
    assert "The embedded AWS is not running" in result.stderr


def test_a_file_in_the_way_of_the_embedded_aws_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_aws, "ROOT", tmp_path / ".embedded")
    (tmp_path / ".embedded").write_text("in the way", encoding="utf-8")
    result = CliRunner().invoke(main, ["up"])
    assert result.exit_code == 1
    assert ".embedded" in result.stderr
    assert "A file is in the way" in result.stderr


def test_stopping_what_does_not_run_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_aws, "ROOT", tmp_path)
    result = CliRunner().invoke(main, ["down", "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"stopped": False, "kept": False}


def test_what_python_reads_in_the_locale_s_encoding_names_no_folder_of_this_machine(tmp_path: Path) -> None:
    # Given a checkout whose folder has letters that ASCII lacks, and what uv installs there
    checkout = tmp_path / 'a "père" $HOME'
    installed = checkout / ".venv/lib/python3.11/site-packages"
    installed.mkdir(parents=True)
    (installed / "ours.pth").write_text(f"{checkout}/lambdas/", encoding="utf-8")
    (installed / "others.pth").write_text("import sys; sys.path", encoding="utf-8")
    shutil.copyfile(ROOT / "Makefile", checkout / "Makefile")
    # When
    subprocess.run(
        ["/usr/bin/env", "make", "-f", "Makefile", "--eval", "now: ; @$(RELATIVE_PATHS)", "now"],
        cwd=checkout,
        check=True,
    )
    # Then
    assert (installed / "ours.pth").read_text(encoding="utf-8") == "../../../../lambdas/\n"
    assert (installed / "others.pth").read_text(encoding="utf-8") == "import sys; sys.path"


def test_make_works_in_a_folder_with_a_space_and_a_quote(tmp_path: Path) -> None:
    # Given a checkout in such a folder, whose uv says where it installs to
    checkout = tmp_path / "it's a path"
    gateway = "environments/embedded/src/embedded_aws/card_gateway/uv.lock"
    for name in (".venv/bin/uv", ".venv/installed", gateway):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text('#!/bin/sh\necho "$UV_PROJECT_ENVIRONMENT" > said\n', encoding="utf-8")
    (checkout / ".cache" / "card-gateway").mkdir(parents=True)
    (checkout / ".venv/bin/uv").chmod(0o755)
    shutil.copyfile(ROOT / "Makefile", checkout / "Makefile")
    target = ".cache/card-gateway/installed"
    # When
    ran = subprocess.run(
        ["/usr/bin/env", "make", "-o", ".venv/installed", target],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )
    # Then
    assert ran.returncode == 0, ran.stderr
    assert (checkout / "said").read_text(encoding="utf-8") == f"{checkout}/.cache/card-gateway\n"
