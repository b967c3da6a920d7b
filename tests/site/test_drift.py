"""A change of the code that its docs do not follow stops the build, and the message names both places."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click
import pytest

from payment_data import errors
from pipelines.cli.main import main
from pipelines.core.refusals import Refused
from pipelines.core.repository import ROOT
from pipelines.deploy import synth
from pipelines.docs_site import generated, navigation, repository_facts, stacks
from pipelines.docs_site.markdown import Drift
from pipelines.docs_site.pages import commands, promotion, stack_pages
from templates.capabilities import alarm_metrics
from templates.definitions import payment_workflow

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from troposphere import Template

    from environments.schema import Environment


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """The pages as people wrote them."""
    return shutil.copytree(ROOT / "docs", tmp_path / "docs")


def findings(docs: Path) -> list[str]:
    """What the build says of the code and these pages; nothing when they agree."""
    try:
        generated.write(ROOT, docs, main)
    except Refused as refusal:
        return refusal.message.splitlines()[1:]
    return []


def changed_payments(monkeypatch: pytest.MonkeyPatch, change: Callable[[Template], None]) -> None:
    build = synth.STACKS["payments"]

    def changed(environment: Environment) -> Template:
        template = build(environment)
        change(template)
        return template

    changed.__module__ = build.__module__
    monkeypatch.setitem(synth.STACKS, "payments", changed)


def test_the_docs_of_today_agree_with_the_code(docs: Path) -> None:
    assert findings(docs) == []


def test_a_parameter_that_was_renamed(docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # When somebody renames a parameter of the payments stack
    def rename(template: Template) -> None:
        template.parameters["Try"] = template.parameters.pop("Attempt")

    changed_payments(monkeypatch, rename)
    # Then both the new and the old name are told, with the template and the page
    assert findings(docs) == [
        (
            "docs/reference/stack-payments.md explains the parameter Attempt, which templates/payments.py"
            " does not have."
        ),
        (
            "The parameter Try of templates/payments.py is not explained in docs/reference/stack-payments.md:"
            " write a `### Try`."
        ),
    ]


def test_a_parameter_without_a_description(docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed_payments(
        monkeypatch, lambda template: template.parameters["Attempt"].properties.pop("Description")
    )
    assert findings(docs) == [
        (
            "The parameter Attempt of the payments stack has no description in templates/payments.py;"
            " docs/reference/stack-payments.md is made of it."
        )
    ]


def test_an_alarm_without_a_runbook(docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given one of the data API's symptoms under a new name
    known = alarm_metrics.data_api_symptoms
    monkeypatch.setattr(
        "templates.payments.data_api_symptoms",
        lambda *parts: [*(made := known(*parts)), replace(made[0], name="DataApiBored")],
    )
    # Then its runbook is asked for
    assert findings(docs) == [
        (
            "The alarm DataApiBoredAlarm of templates/capabilities/alarm_metrics.py has no runbook: write"
            " docs/operations/runbooks/data-api-bored.md."
        )
    ]


def test_a_runbook_without_an_alarm(docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = alarm_metrics.data_api_symptoms
    monkeypatch.setattr(
        "templates.payments.data_api_symptoms",
        lambda *parts: [one for one in known(*parts) if one.name != "DataApiSlow"],
    )
    # Then the page is told to be nobody's, and what it says of the alarm has no figure
    found = findings(docs)
    page = "docs/operations/runbooks/data-api-slow.md"
    assert f"{page} is the runbook of no alarm of templates/capabilities/alarm_metrics.py." in found
    assert {line.partition(" names the figure alarm.DataApiSlow.")[0] for line in found[:-1]} == {page}


def test_an_error_that_nobody_explained(docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class OutOfPatience(errors.Problem):
        """The customer went away."""

    # When the taxonomy has one more, and one less
    names = {name: error for name, error in errors.BY_NAME.items() if name != "OutOfStock"}
    monkeypatch.setattr(errors, "BY_NAME", names | {"OutOfPatience": OutOfPatience})
    # Then both are told
    assert findings(docs) == [
        (
            "docs/reference/errors.md explains the error OutOfStock, which"
            " lambdas/payment_data/src/payment_data/errors.py does not have."
        ),
        (
            "The error OutOfPatience of lambdas/payment_data/src/payment_data/errors.py is not explained in"
            " docs/reference/errors.md: write a `### OutOfPatience`."
        ),
    ]


def test_a_state_that_was_renamed(docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    renamed = json.dumps(payment_workflow.definition()).replace('"Arrange delivery"', '"Deliver"')
    monkeypatch.setattr(payment_workflow, "definition", lambda: json.loads(renamed))
    assert findings(docs) == [
        (
            "README.md draws something else than templates/definitions/payment_workflow.py and"
            " pipelines/definitions/release_pipeline.py: run `payments docs picture`."
        ),
        (
            "docs/reference/payment-workflow.md explains the state Arrange delivery, which"
            " templates/definitions/payment_workflow.py does not have."
        ),
        (
            "The state Deliver of templates/definitions/payment_workflow.py is not explained in"
            " docs/reference/payment-workflow.md: write a `### Deliver`."
        ),
    ]


def command(*path: str) -> click.Command:
    found: Any = main
    for name in path:
        found = found.get_command(click.Context(found), name)
    assert isinstance(found, click.Command)
    return found


def test_an_option_without_help(docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synthesize = command("synth")
    monkeypatch.setattr(synthesize, "params", [*synthesize.params, click.Option(["--fast"])])
    assert findings(docs) == [
        (
            "The option --fast of payments synth has no description in pipelines/cli/build.py;"
            " docs/reference/commands.md is made of it."
        )
    ]


def test_an_option_of_click_s_own_is_no_option_of_a_command() -> None:
    # Given that click keeps the --help of whoever asked first, with that one's names
    command("synth").get_help_option(click.Context(main))
    # Then no command's table has it, whoever asked
    assert commands.commands_page(main, Drift()).count("--help") == 1


def test_an_option_that_a_page_names_and_that_is_gone(docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a page that uses an option, in a block of the shell
    page = docs / "start" / "index.md"
    page.write_text(f"{page.read_text()}\n```sh\nmake up\npayments synth prod --out there | cat\n```\n")
    assert findings(docs) == []
    # When the option goes
    synthesize = command("synth")
    monkeypatch.setattr(synthesize, "params", [one for one in synthesize.params if "--out" not in one.opts])
    # Then the page and the command's file are named
    finding = "says `payments synth --out`, an option that pipelines/cli/build.py does not have."
    assert f"docs/start/index.md {finding}" in findings(docs)


@pytest.mark.parametrize(
    ("sentence", "finding"),
    [
        (
            "Run `payments order cancel`.",
            "says `payments order cancel`, a command that pipelines/cli does not have.",
        ),
        ("Run `make coffee`.", "says `make coffee`, which Makefile does not have."),
        ("See `templates/refunds.py`.", "names templates/refunds.py, which is not there."),
        (
            "There are {{ crash_matrix.holes }}.",
            "names the figure crash_matrix.holes, which docs/data/crash-matrix.json does not have.",
        ),
        (
            "There are {{\ncrash_matrix.holes }}.",
            "names the figure crash_matrix.holes, which docs/data/crash-matrix.json does not have.",
        ),
        ("There are {{ crash matrix }}.", "has braces that name no figure: {{ crash matrix }}."),
    ],
)
def test_a_page_that_names_what_is_not_there(docs: Path, sentence: str, finding: str) -> None:
    (docs / "start" / "index.md").write_text(f"# Start here\n\n{sentence}\n")
    assert f"docs/start/index.md {finding}" in findings(docs)


def test_a_statement_of_a_role_without_its_reason(monkeypatch: pytest.MonkeyPatch, docs: Path) -> None:
    def forget(template: Template) -> None:
        template.resources["SmokeRole"].resource["Metadata"]["Permissions"].pop("AskDataApi")

    changed_payments(monkeypatch, forget)
    assert findings(docs) == [
        (
            "The statement AskDataApi of SmokeRole in the payments stack has no description in"
            " templates/payments.py; docs/reference/permissions-payments.md is made of it."
        )
    ]


def test_a_readme_with_yesterdays_picture() -> None:
    # Given a README whose picture lacks a stage
    pipelines = stacks.every()["pipelines"]
    readme = (ROOT / "README.md").read_text()
    stale = readme.replace('["Production<br>', '["Somewhere<br>')
    drift = Drift()
    promotion.check_readme(stale, pipelines, drift)
    # Then that is told, and drawing it again mends it
    assert len(drift.findings) == 1
    assert promotion.readme_redrawn(stale, pipelines) == readme


def test_a_stack_with_a_parameter_and_no_page_at_all() -> None:
    drift = Drift()
    stack_pages.stack_page(stacks.every()["payments"], "", drift)
    assert any(
        "The parameter Attempt of templates/payments.py is not explained" in one for one in drift.findings
    )


def test_a_page_that_no_index_leads_to(docs: Path) -> None:
    (docs / "start" / "hidden.md").write_text("# Hidden\n")
    with pytest.raises(Refused, match=r"docs/start/index\.md does not link docs/start/hidden\.md"):
        navigation.spelled_out([{"Start here": "start/"}], docs)


def test_a_package_without_a_first_sentence(tmp_path: Path) -> None:
    # Given a house with one room that tells its story, and one that does not
    for name, story in (("told", '"""Follows orders. More."""'), ("silent", "")):
        room = tmp_path / "pipelines" / name
        room.mkdir(parents=True)
        (room / "__init__.py").write_text(story, encoding="utf-8")
    drift = Drift()
    # When
    made = repository_facts.room_tables(tmp_path, drift)["pipelines"]
    # Then the one is listed by its sentence, and the other stops the build
    assert "| <code>pipelines/told/</code> | Follows orders. |" in made
    assert drift.findings == [
        (
            "pipelines/silent/__init__.py has no docstring;"
            " docs/start/repository.md is made of its first sentence."
        )
    ]


def test_the_page_of_the_repository_shows_every_room() -> None:
    page = (ROOT / "docs" / "start" / "repository.md").read_text(encoding="utf-8")
    assert [name for name in repository_facts.PARTS if f"{{{{ rooms.{name} }}}}" not in page] == []
