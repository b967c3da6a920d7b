"""Commands against an account of AWS: what they ask of it, what they print, and how they end."""

from __future__ import annotations

import json
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from environments import schema
from pipelines.aws import accounts
from pipelines.aws.executions import Moment
from pipelines.cli import lint, local_aws, promotion_view, rehearse, status, terminal, views
from pipelines.cli.main import main
from pipelines.core.refusals import Refused
from pipelines.core.repository import ROOT
from pipelines.docs_site import building
from pipelines.promotion.execution import Promotion, Step
from pipelines.rehearsal import failing_releases
from tests.console.account import BEGAN, ORDER, Account, ended

if TYPE_CHECKING:
    from pathlib import Path


def payments(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(main, arguments, input=typed, env={"COLUMNS": "200"})


def test_a_pipeline_s_status_tells_what_waits_and_how_to_answer_it(account: Account) -> None:
    account.link = "https://docs.example/evidence"
    shown = payments("pipeline", "status", "release")
    assert shown.exit_code == 0, shown.output
    told = " ".join(shown.stdout.split())
    assert "Approve of run-1 waits for an answer: what would change https://docs.example/evidence" in told
    assert "payments pipeline approve release --execution run-1" in told
    assert "run-1 InProgress 2026-11-28 08:00 0123456789ab" in told


@pytest.mark.parametrize("status", ["Failed", "Succeeded"])
def test_the_last_release_is_explained_where_it_failed_whatever_rolled_back_since(
    account: Account, status: str
) -> None:
    # Given a release, and the rollback that came after it
    account.waits = False
    rollback = {"pipelineExecutionId": "back", "status": "Succeeded", "executionType": "ROLLBACK"}
    account.runs = [rollback, {"status": status, "statusSummary": "The alarm rang."}]
    # Then why it failed is told, where it did
    told = payments("pipeline", "status", "release").stdout
    assert ("0123456789ab failed in Approve. The alarm rang." in told) == (status == "Failed")


@pytest.mark.parametrize(("command", "status"), [("approve", "Approved"), ("reject", "Rejected")])
def test_an_approval_is_answered_as_it_is_told(account: Account, command: str, status: str) -> None:
    result = payments("pipeline", command, "release", "--summary", "why", "--json")
    assert json.loads(result.stdout)["approved"] is (status == "Approved")
    assert account.asked[0]["result"] == {"status": status, "summary": "why"}
    # And where several wait, one has to be chosen
    account.pending = ("run-1", "run-2")
    several = payments("pipeline", command, "release", "--summary", "why")
    assert "Several wait: run-1, run-2." in several.stderr
    chosen = payments("pipeline", command, "release", "--summary", "why", "--execution", "run-2")
    assert (chosen.exit_code, "run-2 is" in chosen.stderr) == (0, True)
    # And where nothing waits any more, that is told
    account.waits = False
    refused = payments("pipeline", command, "release", "--summary", "why")
    assert (refused.exit_code, "waits for an answer" in refused.stderr) == (1, True)


def test_branch_stacks_are_listed_with_whose_they_are(account: Account) -> None:
    tags = {"environment": "branch", "branch": "feature/tea", "owner": "ada", "pushed-at": BEGAN.isoformat()}
    account.branch_stacks = [
        {
            "StackName": "branch-feature-tea-aaaaaaaaaa",
            "StackStatus": "UPDATE_COMPLETE",
            "CreationTime": BEGAN,
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
            "Outputs": [{"OutputKey": "SmokeWorkflowArn", "OutputValue": "arn:smoke"}],
        }
    ]
    told = " ".join(payments("branch", "list").stdout.split())
    assert "branch-feature-tea-aaaaaaaaaa feature/tea" in told
    assert "ada SUCCEEDED 2026-11-28 08:00 UPDATE_COMPLETE" in told
    assert json.loads(payments("branch", "list", "--json").stdout)[0]["owner"] == "ada"


def test_an_order_is_shown_with_its_execution_and_one_that_nobody_knows_is_refused(account: Account) -> None:
    account.execution = "SUCCEEDED"
    shown = payments("order", "show", "order-1", "-e", "staging")
    assert "Order order-1: COMPLETED; execution: SUCCEEDED" in shown.stdout
    assert "ada pays 158.75 EUR; payment: charged" in shown.stdout
    account.execution = None
    refused = payments("order", "show", "order-2", "-e", "staging")
    assert refused.exit_code == 1
    assert "There is no order order-2 in payments-staging." in refused.stderr


def test_an_order_s_trace_is_what_happened_and_refused_where_nothing_did(account: Account) -> None:
    account.execution, account.happened = "FAILED", ended("Failed", "PaymentDeclined")
    told = payments("order", "trace", "order-1", "-e", "staging")
    assert told.stdout.splitlines() == [
        "2026-11-28 08:00:01.000  workflow          entered Pay",
        "2026-11-28 08:00:02.000  workflow          ended FAILED PaymentDeclined why",
    ]
    account.execution = None
    refused = payments("order", "trace", "order-1", "-e", "staging")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "No log of the last 24 hours and no execution in payments-staging knows" in refused.stderr


@pytest.mark.parametrize(
    ("events", "state", "code", "says"),
    [
        (ended("Succeeded"), "COMPLETED", 0, "Order order-1 is COMPLETED\n"),
        (ended("Failed", "OutOfStock"), "FAILED", 0, "is FAILED, everything undone (OutOfStock)"),
        (ended("Failed", "Throttled"), "NEEDS_ATTENTION", 1, "is NEEDS_ATTENTION after the redrive"),
        (ended("Succeeded"), "PAID", 0, "Order order-1 is PAID\n"),
    ],
    ids=["completed", "undone", "parked again", "on its way"],
)
def test_a_redrive_ends_well_where_the_order_does(
    account: Account, events: list[Any], state: str, code: int, says: str
) -> None:
    # Given a parked order that is in another state after its redrive
    states = iter(["NEEDS_ATTENTION", state])
    account.api["/orders/order-1"] = lambda _: ORDER | {"state": next(states)}
    account.execution, account.happened = "RUNNING", events
    # When
    result = payments("order", "redrive", "order-1", "-e", "staging")
    # Then
    assert (result.exit_code, len(account.asked)) == (code, 1), result.output
    assert says in result.stderr


def test_only_a_parked_order_is_redriven(account: Account) -> None:
    result = payments("order", "redrive", "order-1", "-e", "staging")
    assert (result.exit_code, account.asked) == (1, [])
    assert "Order order-1 is COMPLETED: there is nothing to redrive." in result.stderr


@pytest.mark.parametrize(("answer", "says"), [("n\n", "Nothing was deleted."), ("y\n", "There is no stack")])
def test_a_stack_is_deleted_only_once_somebody_said_yes(account: Account, answer: str, says: str) -> None:
    account.stacks = set()
    result = payments("remove", "staging", typed=answer)
    assert result.exit_code == 1
    assert "Delete the stack payments-staging?" in result.stderr
    assert says in result.stderr


@pytest.mark.parametrize(("ok", "code"), [(True, 0), (False, 1)])
def test_a_smoke_run_ends_as_its_checks_do(account: Account, ok: bool, code: int) -> None:
    checks = [{"name": "stock", "ok": ok, "detail": "5"}]
    account.execution, account.happened = "SUCCEEDED", ended("Succeeded")
    account.output = json.dumps({"checks": checks})
    result = payments("smoke", "staging")
    assert result.exit_code == code
    assert f"{'✓' if ok else '✗'} stock: 5" in result.stdout
    says = "Smoke of payments-staging passed" if ok else "Smoke of payments-staging failed"
    assert says in result.stderr


@pytest.mark.parametrize(
    ("commit", "made"), [("0123456789abcdef", "2026-11-28 08:00 from 0123456789ab"), ("", "2026-11-28 08:00")]
)
def test_a_status_says_what_a_stack_is_made_of_and_what_could_not_be_asked(
    account: Account, commit: str, made: str
) -> None:
    # Given an environment that no pipeline deploys to, and whose drift may not be asked for
    account.environment.name, account.commit = "local", commit
    told = [" ".join(line.split()) for line in payments("status", "local").stdout.splitlines()]
    # Then what is deployed is told shortly, and of the rest why not
    assert f"deployed UPDATE_COMPLETE, changed {made}" in told
    assert "live workflow version 7 (100 %)" in told
    assert "digests DataApi 111111111111" in told
    assert any(line.startswith("? drift of payments-staging could not be asked") for line in told)


def test_an_execution_is_told_moment_by_moment(capsys: pytest.CaptureFixture[str]) -> None:
    # Given a step that failed once and took two seconds, one that passed in one, and the end
    happened = [
        ("left", "Before", ""),
        ("entered", "Pay", ""),
        ("attempt failed", "Pay", "Throttled"),
        ("left", "Pay", ""),
        ("entered", "Deliver", ""),
        ("left", "Deliver", ""),
        ("ended", "FAILED", "Rejected"),
    ]
    moments = [
        Moment(BEGAN + timedelta(seconds=second), what, state, error, "why" * bool(error))  # type: ignore[arg-type]
        for second, (what, state, error) in enumerate(happened)
    ]
    # When each is printed
    followed = views.print_journey(moments)
    # Then
    assert capsys.readouterr().err.splitlines() == [
        "08:00:00.000    ✓ after 0.00 s",
        "08:00:01.000  → Pay",
        "08:00:02.000    ! Throttled why",
        "08:00:03.000    ✗ after 2.00 s",
        "08:00:04.000  → Deliver",
        "08:00:05.000    ✓ after 1.00 s",
        "08:00:06.000  ■ FAILED Rejected why",
    ]
    # And a machine is told the last, and all
    outcome = views.outcome("order-1", followed)
    assert (outcome["status"], outcome["error"], outcome["cause"]) == ("FAILED", "Rejected", "why")
    assert [moment["what"] for moment in outcome["moments"]] == [what for what, _, _ in happened]


def _step(build: str) -> Step:
    return Step("id", "Build", "Check", "InProgress", BEGAN, BEGAN, "", build)


def test_what_a_build_is_doing_is_asked_for_once_a_second_at_most(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a clock, and a build whose log grows
    clock = [100.0]
    monkeypatch.setattr(promotion_view, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    tools: Any = account
    phases = promotion_view.Phases(tools)
    seen = []
    for moment in (100.0, 100.9, 101.0, 101.5):
        clock[0] = moment
        seen.append(phases.now(_step("checks:1")))
    # Then the log's last line is shown without what CodeBuild puts before it
    assert seen == ["line 1", "line 1", "line 2", "line 2"]
    # And nothing of what is no build, or of one that there is not
    assert [phases.now(_step("")), phases.now(_step("checks:2"))] == ["", ""]


def test_a_build_s_last_line_is_cut_to_what_a_terminal_holds(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a log as CloudWatch Logs gives it, as many lines as are asked for, whose last one is long
    lines = [{"message": "first"}, {"message": f"[Container] 2026/11/28 08:00:00 {'x' * 100}\n"}]

    def read(limit: int, **_: Any) -> dict[str, Any]:
        return {"events": lines[len(lines) - limit :]}

    monkeypatch.setattr(account.client("logs"), "get_log_events", read)
    tools: Any = account
    assert promotion_view.last_line(tools, "checks:1") == "x" * 70


def test_where_there_is_no_terminal_a_promotion_is_told_in_lines(
    account: Account, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(promotion_view, "Durations", lambda: terminal.Durations(tmp_path / "durations.json"))
    tools: Any = account
    promotion = Promotion("release", "releases", "run-1", "c" * 40, steps=[_step("")])
    with promotion_view.watching(tools, promotion) as view:
        view.show(promotion)
    assert capsys.readouterr().out.splitlines() == [
        f"release pipeline, commit {'c' * 12}, execution run-1",
        "  … Build: Check",
    ]


@pytest.fixture
def no_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which no embedded AWS can be started."""

    def refuse(*, keep_running: bool) -> Any:
        raise Refused(f"none, {keep_running}")

    monkeypatch.setattr(rehearse, "embedded", refuse)


@pytest.mark.usefixtures("no_machine")
@pytest.mark.parametrize("place", [("--one-account",), ("--database", "scram")])
@pytest.mark.parametrize("stays", ["--hold", "--keep-running"])
def test_a_rehearsal_that_leaves_nothing_running_cannot_be_held(place: tuple[str, ...], stays: str) -> None:
    result = payments("rehearse", *place, stays)
    assert result.exit_code == 2
    assert "leave nothing running" in result.stderr


@pytest.mark.usefixtures("no_machine")
@pytest.mark.parametrize("arguments", [("--hold",), ("--one-account",), ("--database", "scram"), ()])
def test_a_rehearsal_begins_with_an_embedded_aws_that_stays_where_the_gate_is_held(
    arguments: tuple[str, ...],
) -> None:
    result = payments("rehearse", *arguments)
    assert (result.exit_code, f"none, {arguments == ('--hold',)}" in result.stderr) == (1, True)


@pytest.mark.usefixtures("no_machine")
def test_releases_that_must_fail_are_announced_before_anything_is_started() -> None:
    cases = [case.name for case in failing_releases.CASES]
    result = payments("rehearse-bad", "--times", "2")
    told = result.stdout.splitlines()
    assert told[0].startswith(f"{2 * len(cases)} releases that must fail, one after the other; ")
    assert [line.strip().partition(",")[0] for line in told[1:]] == cases


def test_without_a_database_of_its_own_a_rehearsal_starts_no_cluster() -> None:
    with rehearse._cluster(None) as cluster:
        assert cluster is None


def test_docs_are_published_only_where_a_bucket_is_named_before_anything_is_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Given a pipeline's build that names a folder and no bucket, and tools of which nothing can be asked
    monkeypatch.setattr(accounts, "connect_tools", object)
    monkeypatch.setenv("FOLDER", "staging")
    monkeypatch.setenv("CODEBUILD_INITIATOR", "codepipeline/releases")
    monkeypatch.delenv("DOCS_BUCKET", raising=False)
    result = payments("docs", "publish", str(tmp_path))
    assert (result.exit_code, "DOCS_BUCKET is not set" in result.stderr) == (1, True)


def test_docs_that_disagree_with_the_code_are_not_built(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []

    def refuse(root: Path, out: Path, cache: Path, _command: object) -> int:
        asked.extend([root, out, cache])
        raise Refused("The docs and the code disagree")

    monkeypatch.setattr(building, "build", refuse)
    result = payments("docs", "build")
    assert (result.exit_code, "disagree" in result.stderr) == (1, True)
    assert asked == [ROOT, ROOT / "site", ROOT / ".cache" / "docs"]


def test_assumptions_are_proven_only_on_an_account_without_stacks_of_ours(account: Account) -> None:
    account.branch_stacks = [{"StackName": "branch-feature-tea-aaaaaaaaaa", "StackStatus": "CREATE_COMPLETE"}]
    result = payments("prove", "staging", "--yes")
    assert (result.exit_code, account.asked) == (1, [])
    assert "Account 444444444444 has stacks of ours: branch-feature-tea-aaaaaaaaaa." in result.stderr


def test_a_console_shows_every_environment_of_the_aws_that_it_is_told() -> None:
    shown = status._console("http://127.0.0.1:1", (), allow_actions=False)
    assert set(shown.environments) == {"local", "branch", "staging", "prod"}
    assert {aws.endpoint for aws in shown.environments.values()} == {"http://127.0.0.1:1"}
    # And of the embedded AWS its buttons work, and nobody needs a key
    assert (shown.may_act, shown.keys.entry) == (True, "")


@pytest.mark.parametrize("allowed", [True, False])
def test_a_console_of_aws_acts_where_that_is_allowed_and_asks_for_a_key_that_nobody_guesses(
    account: Account, monkeypatch: pytest.MonkeyPatch, allowed: bool
) -> None:
    # Given no embedded AWS
    monkeypatch.setattr(local_aws, "running", lambda: None)
    assert not account.embedded
    # When
    first, second = (status._console(None, (), allow_actions=allowed) for _ in range(2))
    # Then each has a key of 192 bits, and production is not one of a machine's own environments
    assert (first.may_act, "local" in first.environments) == (allowed, False)
    assert [len(shown.keys.entry) for shown in (first, second)] == [32, 32]
    assert first.keys.entry != second.keys.entry


def test_environments_that_cannot_share_a_place_are_found_when_all_are_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given an environment in another region than the pipelines are in
    load = schema.load

    def elsewhere(name: str) -> schema.Environment:
        return load(name).model_copy(update={"region": "eu-west-1"} if name == "prod" else {})

    monkeypatch.setattr(schema, "load", elsewhere)
    (finding,) = lint._groupings(["branch", "staging", "prod"])
    assert (finding.rule, "eu-west-1" in str(finding)) == ("grouping", True)
    assert lint._groupings(["branch", "staging"]) == []


def test_what_the_embedded_aws_refuses_is_said_as_a_sentence() -> None:
    from embedded_aws import instance  # noqa: PLC0415

    with pytest.raises(Refused, match=r"^The port is taken$"), local_aws.refusals():
        raise instance.StartFailed("the port is taken")
