"""Environments on the command line: what is asked before they are removed, and what is told of them."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from embedded_aws import instance
from pipelines.cli import embedded, terminal
from pipelines.cli.main import main
from pipelines.console import serving
from pipelines.deploy import connect_database, removal
from pipelines.deploy.connect_database import Connected
from pipelines.deploy.removal import Kept, Removal, Stack
from pipelines.doctor import lent_account, proofs
from pipelines.doctor import run as examinations
from pipelines.doctor.findings import State, failed, unknown, well
from pipelines.status import gather

if TYPE_CHECKING:
    from tests.console.account import Account

_ENDPOINT = "http://127.0.0.1:1"


def payments(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(main, arguments, input=typed, env={"COLUMNS": "200"})


@pytest.fixture
def removable(account: Account, monkeypatch: pytest.MonkeyPatch) -> list[Removal]:
    """What there is of staging: a stack, and what it and one before it keep; and what was removed of it."""
    kept = [
        Kept("AWS::KMS::Key", "key-1", "payments-staging"),
        Kept("AWS::IAM::Role", "gateway", ""),
    ]
    there = Removal([Stack("payments-staging", "arn:stack", live=True)], kept)
    removed: list[Removal] = []

    def remove(_aws: Any, what: Removal, _reporter: Any) -> list[str]:
        removed.append(what)
        return ["AWS::S3::Bucket logs stays: [objects] are locked"]

    monkeypatch.setattr(removal, "connect", lambda *_: account)
    monkeypatch.setattr(removal, "find", lambda *_: there)
    monkeypatch.setattr(removal, "remove", remove)
    return removed


@pytest.mark.parametrize(("typed", "code"), [("staging\n", 0), ("stagin\n", 1), ("\n", 1)])
def test_everything_of_an_environment_goes_only_once_somebody_typed_its_name(
    removable: list[Removal], typed: str, code: int
) -> None:
    # When everything of it is to go
    result = payments("remove", "staging", "--everything", typed=typed)
    # Then each thing was named first, with the stack that keeps it where one does
    assert [line for line in result.stderr.splitlines() if line.startswith("  ")] == [
        "  stack payments-staging",
        "  AWS::KMS::Key key-1, kept by payments-staging",
        "  AWS::IAM::Role gateway",
    ]
    where = "in account 444444444444, eu-central-1"
    assert f"Remove these 3 {where}, for good? Type staging: " in result.stderr
    # And it went only where the name was typed
    assert (result.exit_code, len(removable)) == (code, 1 - code)
    assert ("Nothing was removed." in result.stderr) == bool(code)
    # And what stays is told as it is
    stays = "AWS::S3::Bucket logs stays: [objects] are locked"
    assert (stays in result.stderr.splitlines()) == (not code)


def test_a_script_that_said_yes_is_not_asked(removable: list[Removal]) -> None:
    result = payments("remove", "staging", "--everything", "--yes", "--json")
    assert json.loads(result.stdout)["stacks"] == ["payments-staging"]
    assert (len(removable), "Type staging" in result.stderr) == (1, False)


def test_a_database_is_waited_for_as_many_minutes_as_are_named(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given an Atlas that asks at last
    waited: list[float] = []

    def connect(_aws: Any, *, seconds: float, **_: Any) -> Connected:
        waited.append(seconds)
        return Connected("pcx-1", "updated")

    account.environment.database = SimpleNamespace(cidr="10.9.0.0/16")
    monkeypatch.setattr(connect_database, "commands", lambda _: {"Ask": "atlas peering --tags [a]"})
    monkeypatch.setattr(connect_database, "connect", connect)
    # When
    result = payments("database", "connect", "staging", "--wait", "120")
    # Then
    assert waited == [7200]
    assert "  atlas peering --tags [a]" in result.stderr.splitlines()
    assert "staging reaches 10.9.0.0/16 through pcx-1; network updated." in result.stderr


def test_where_nothing_is_deployed_a_status_says_so_and_how_to_deploy(account: Account) -> None:
    account.stacks, account.environment.name = set(), "local"
    result = payments("status", "local")
    assert result.exit_code == 1
    assert ["deployed", "nothing"] in [line.split() for line in result.stdout.splitlines()]
    assert "There is no stack payments-staging in 444444444444, eu-central-1." in result.stderr


@pytest.mark.parametrize(
    ("count", "says"), [(0, "none"), (2, "2: order-0, order-1"), (gather.MOST_PARKED, "100 or more: order-0")]
)
def test_a_status_counts_parked_orders_as_far_as_it_reads_them(
    account: Account, count: int, says: str
) -> None:
    account.environment.name = "local"
    account.api["/orders"] = lambda _: {"orders": [{"order_id": f"order-{n}"} for n in range(count)]}
    told = [" ".join(line.split()) for line in payments("status", "local").stdout.splitlines()]
    assert any(line.startswith(f"parked {says}") for line in told), told


def test_an_id_that_a_status_shows_is_whole_however_narrow_the_terminal_is(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a parked order whose id is longer than a line
    account.environment.name, order_id = "local", f"order-{'1' * 60}"
    account.api["/orders"] = lambda _: {"orders": [{"order_id": order_id}]}
    monkeypatch.setattr(terminal.out, "width", 40)
    # Then every letter of it is there
    told = payments("status", "local").stdout
    assert order_id in "".join(told.split())


@pytest.mark.parametrize(
    ("verdict", "code", "says"),
    [
        (well("there"), 0, "None of 3 checks failed, 1 could not be made."),
        (failed("not there", "make it"), 1, "1 of 3 checks failed; 1 could not be made."),
    ],
    ids=["well", "failed"],
)
def test_an_examination_is_told_place_by_place_and_ends_as_its_checks_do(
    account: Account, monkeypatch: pytest.MonkeyPatch, verdict: Any, code: int, says: str
) -> None:
    # Given an examination of this machine and staging
    def examine(_targets: Any, tools: Any, *_: Any) -> examinations.Examination:
        assert tools is account
        examination = examinations.Examination()
        examination.ask("this machine", "git", lambda: well("2.50"))
        examination.ask("staging", "network stack", lambda: verdict)
        examination.ask("staging", "quota", lambda: unknown("not allowed", "ask"))
        return examination

    monkeypatch.setattr(examinations, "examine", examine)
    # When
    result = payments("doctor", "staging")
    # Then
    sign = "✗" if verdict.state is State.FAILED else "✓"
    assert [line for line in result.stdout.splitlines() if "→" not in line] == [
        "this machine",
        "  ✓ git: 2.50",
        "staging",
        f"  {sign} network stack: {verdict.says}",
        "  ? quota: not allowed",
    ]
    assert (result.exit_code, says in result.stderr) == (code, True), result.stderr


def test_pipelines_are_not_examined_for_an_environment_that_none_deploys(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    examined: list[Any] = []

    def examine(targets: list[Any], tools: Any, *_: Any) -> examinations.Examination:
        examined.extend([*targets, tools])
        return examinations.Examination()

    monkeypatch.setattr(examinations, "examine", examine)
    result = payments("doctor", "local")
    assert examined == [account, None]
    assert "None of 0 checks failed, and each could be made." in result.stderr


@pytest.mark.parametrize("address", ["http://127.0.0.1:2/", None])
def test_what_was_started_says_where_it_answers_and_what_to_do_next(
    monkeypatch: pytest.MonkeyPatch, address: str | None
) -> None:
    # Given an embedded AWS that starts, with a console beside it or without
    started = SimpleNamespace(endpoint=_ENDPOINT, mongodb_uri="mongodb://127.0.0.1:3", root=None, pid=7)
    monkeypatch.setattr(instance, "start", lambda *_, **__: started)
    monkeypatch.setattr(serving, "start_beside", lambda *_: address)
    # And a checkout in whose name there is markup, and a shell in which a profile is chosen
    monkeypatch.setattr(embedded, "SAMPLES", Path("tea [bold]/samples"))
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.delenv("AWS_DEFAULT_PROFILE", raising=False)
    # Then
    told = payments("up")
    assert f"The embedded AWS answers at {_ENDPOINT} (MongoDB at mongodb://127.0.0.1:3)" in told.stderr
    assert ("The console answers at" in told.stderr) == (address is not None)
    # And what is printed next can be pasted: it leaves the profile, and loads the samples
    lines = [line.strip() for line in told.stdout.splitlines()]
    assert [line for line in lines if line.startswith("unset ")] == ["unset AWS_PROFILE"]
    assert any(line.endswith("load 'tea [bold]/samples'/*.json") for line in lines)
    assert json.loads(payments("up", "--json").stdout)["console"] == address


@pytest.mark.parametrize(
    ("options", "kept", "says"),
    [
        ([], False, "Stopped; nothing is left."),
        (["--keep"], True, "Stopped; its state is kept for the next start."),
    ],
)
def test_what_was_stopped_says_what_is_left(
    monkeypatch: pytest.MonkeyPatch, options: list[str], kept: bool, says: str
) -> None:
    monkeypatch.setattr(instance, "stop", lambda *_, **__: None)
    assert says in payments("down", *options).stderr
    assert json.loads(payments("down", "--json", *options).stdout) == {"stopped": True, "kept": kept}


@pytest.mark.parametrize(
    ("verdict", "left", "end"),
    [
        (well("so it is"), [], (0, "Nothing stays, and none of 1 assumptions was refuted.")),
        (failed("not so", "read on"), [], (1, "1 of 1 assumptions do not hold.")),
        (well("so it is"), ["a stack"], (1, "These could not be removed: a stack.")),
    ],
    ids=["it holds", "it does not", "something stays"],
)
def test_a_proof_ends_well_where_all_holds_and_nothing_stays(
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
    verdict: Any,
    left: list[str],
    end: tuple[int, str],
) -> None:
    # Given one experiment, on a lent account
    monkeypatch.setattr(proofs, "PROOFS", proofs.PROOFS[:1])
    monkeypatch.setattr(proofs, "prove", lambda aws, _: verdict if aws is account else None)
    monkeypatch.setattr(lent_account, "left_behind", lambda _: left)
    # When
    result = payments("prove", "staging", typed="y\n")
    # Then
    assert "1 experiments in account 444444444444, eu-central-1" in result.stderr
    code, says = end
    assert (result.exit_code, says in result.stderr) == (code, True), result.stderr


@pytest.mark.parametrize("recorded", [True, False])
def test_a_console_notes_its_address_where_somebody_asked_for_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, recorded: bool
) -> None:
    # Given a console that ends as soon as it listens
    monkeypatch.setattr(serving, "serve", lambda _console, listener, _until: listener.close())
    record = tmp_path / "console.json"
    options = ["--record", str(record)] * recorded
    # When
    result = payments("console", "--endpoint-url", _ENDPOINT, "--json", *options)
    # Then a machine is told its address, and the file has the same
    address = json.loads(result.stdout)["address"]
    assert address.startswith("http://127.0.0.1:")
    assert record.exists() == recorded
    assert not recorded or json.loads(record.read_text())["address"] == address
