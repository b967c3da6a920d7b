"""Names that cannot be right: every command that takes one ends with 2, says which are, and asks nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click
import pytest
from click.testing import CliRunner

from environments import file_names
from pipelines.aws import accounts
from pipelines.cli import local_aws, names
from pipelines.cli.main import main
from pipelines.core.refusals import Refused
from pipelines.docs_site.pages import commands
from tests.console.account import Account

if TYPE_CHECKING:
    from pathlib import Path

_LEAVES: Final = {
    path: command for path, command in commands.every(main) if not isinstance(command, click.Group)
}


def _taking(*wanted: str) -> dict[str, tuple[list[str], click.Parameter]]:
    """Return the commands that take a parameter of these names, each with how the word before it is typed."""
    return {
        f"{path} {'/'.join(parameter.opts)}": (
            [*path.split()[1:], *(parameter.opts[:1] if isinstance(parameter, click.Option) else ())],
            parameter,
        )
        for path, command in _LEAVES.items()
        for parameter in command.params
        if parameter.name in wanted or any(f"[{name.upper()}" in (parameter.metavar or "") for name in wanted)
    }


_ENVIRONMENTS: Final = _taking("environment", "environments")
_IDS: Final = _taking("order_id", "product_id", "user_id", "restock_id", "top_up_id")
_PROFILES: Final = _taking("profiles")


@pytest.fixture(autouse=True)
def _nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the embedded AWS of this checkout nor AWS."""

    def asked(*_: object) -> None:
        raise AssertionError("somebody was asked")

    monkeypatch.setattr(local_aws, "connect", asked)
    monkeypatch.setattr(accounts, "connect_tools", asked)


@pytest.mark.parametrize("taken", _ENVIRONMENTS)
def test_an_environment_without_a_file_is_wrong_typing(taken: str) -> None:
    # When a command is given an environment that is not there, misspelt by a letter
    result = CliRunner().invoke(main, [*_ENVIRONMENTS[taken][0], "stagin"], prog_name="payments")
    # Then it ends as everything that is typed wrongly, says which there are, and which was meant
    assert result.exit_code == 2
    assert result.stderr.startswith("Usage: payments ")
    told = " ".join(result.stderr.split())
    assert "environments/stagin.yml: there is no such file; choose from branch, local, prod, staging" in told
    assert "Did you mean staging?" in told


@pytest.mark.parametrize(
    "taken", [taken for taken, (_, parameter) in _ENVIRONMENTS.items() if parameter.envvar]
)
def test_so_it_is_where_the_variable_names_it(taken: str) -> None:
    words, parameter = _ENVIRONMENTS[taken]
    words = words[:-1] if isinstance(parameter, click.Option) else words
    wanted = [param for param in _LEAVES[taken.rpartition(" ")[0]].params if param.required]
    result = CliRunner().invoke(
        main,
        [*words, *(word for param in wanted for word in _something_for(param))],
        env={"PAYMENTS_ENVIRONMENT": "mars"},
    )
    assert (result.exit_code, "environments/mars.yml: there is no such file" in result.stderr) == (2, True)


def _something_for(parameter: click.Parameter) -> list[str]:
    """Return what a required parameter takes."""
    value = {"files": __file__, "quantity": "1", "paid_by": "credit"}.get(str(parameter.name), "order-1")
    return [parameter.opts[0], value] if isinstance(parameter, click.Option) else [value]


def test_no_command_takes_an_environment_that_no_test_here_knows() -> None:
    # Given the parameters that offer a shell the environments
    offering = {
        f"{path} {'/'.join(parameter.opts)}"
        for path, command in _LEAVES.items()
        for parameter in command.params
        if {item.value for item in parameter.shell_complete(click.Context(command), "")}
        >= set(file_names.names())
    }
    # Then
    assert offering == set(_ENVIRONMENTS)
    assert len(_ENVIRONMENTS) > 20


@pytest.mark.parametrize("taken", _IDS)
def test_what_breaks_the_rule_for_ids_is_wrong_typing(taken: str) -> None:
    result = CliRunner().invoke(main, [*_IDS[taken][0], "no id/at all"])
    assert result.exit_code == 2
    assert "'no id/at all' is no id: it must be text of 1 to 64 letters" in " ".join(result.stderr.split())


@pytest.mark.parametrize("taken", _PROFILES)
@pytest.mark.parametrize("typed", ["mars=me", "prod=", "prod", "=me"])
def test_a_profile_for_no_account_is_wrong_typing(taken: str, typed: str) -> None:
    result = CliRunner().invoke(main, [*_PROFILES[taken][0], typed])
    assert result.exit_code == 2
    assert "NAME=PROFILE with NAME one of tools, branch, staging, prod" in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    "words",
    [
        ("order", "show", "order-9"),
        ("order", "trace", "order-9"),
        ("order", "redrive", "order-9"),
        ("order", "complete", "order-9", "--paid-by", "credit"),
        ("order", "place", "order-9"),
        ("stock", "add", "tea", "1", "--id", "delivery-1"),
        ("price", "set", "tea", "1.00"),
        ("credit", "add", "ada", "1.00", "--id", "transfer-1"),
        ("wallet", "set", "ada"),
        ("smoke", "prod", "--stack", "elsewhere"),
        ("remove", "staging", "--stack", "elsewhere", "--yes"),
    ],
)
def test_a_right_name_that_nobody_knows_ends_with_1(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given an account that knows no such order, product, user or stack
    account = Account()
    monkeypatch.setattr(local_aws, "connect", lambda *_: account)
    monkeypatch.setattr(accounts, "connect_tools", lambda *_: account)
    # When
    result = CliRunner().invoke(main, words)
    # Then
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit | Refused)
    assert result.stderr.startswith("✗ ")


def test_profiles_are_those_of_both_files_whatever_else_is_in_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given what the AWS command line reads its profiles from
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    (tmp_path / "config").write_text(
        "[default]\nregion = eu-central-1\n[profile live]\ns3 =\n  addressing_style = path\n"
        "[profile 'two words']\n[sso-session live-sso]\n[services dev]\n[profile live]\n",
        encoding="utf-8",
    )
    (tmp_path / "credentials").write_text("[robot]\naws_access_key_id = AKIA\n", encoding="utf-8")
    # Then
    assert names.aws_profiles() == ["default", "live", "robot", "two words"]
    # And a file that nobody can read hides only itself
    (tmp_path / "config").write_bytes(b"[profile \xff")
    assert names.aws_profiles() == ["robot"]
    (tmp_path / "config").unlink()
    assert names.aws_profiles() == ["robot"]
