"""`payments init`, `doctor` and `completion`: an installation, and this shell."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from pipelines.cli import deferral, options
from pipelines.cli.grammar import Command
from pipelines.core.refusals import Refused
from pipelines.doctor.findings import State

with deferral.until_run():
    from click import shell_completion

    from environments import groupings, schema
    from environments import tools as tools_file
    from pipelines.aws import accounts
    from pipelines.cli import findings_view, local_aws, terminal
    from pipelines.doctor import run as examinations
    from pipelines.setup import answers as given
    from pipelines.setup import questions

if TYPE_CHECKING:
    from pipelines.aws.accounts import Aws
    from pipelines.setup.questions import Answers


@click.command(cls=Command)
@click.argument("environments", nargs=-1, metavar="[ENVIRONMENT]…", type=options.ENVIRONMENT)
@options.endpoint_url
@options.profiles
@options.machine_readable
def doctor(
    environments: tuple[str, ...], endpoint_url: str | None, profiles: tuple[str, ...], machine: bool
) -> None:
    """Examine an installation, and say how to fix each failure.

    This machine; then the pipelines; then in each ENVIRONMENT, or in branch, staging and prod, its account,
    stacks, peering, routes, addresses and quotas, and whether MongoDB answers. For that a function is made in
    the network, called and deleted. A check that could not be made is marked with a question mark. Ends with
    1 when something is wrong.

    \b
    Examples:
      payments doctor
      payments doctor branch --profile branch=DEV --profile tools=TOOLS
    """
    names, profile_names, tools = (
        environments or groupings.PROMOTED,
        options.profiles_by_account(profiles),
        tools_file.load(),
    )
    targets = [
        options.with_profile(local_aws.connect(name, endpoint_url), profile_names.get(name)) for name in names
    ]
    with terminal.progress("examining") as reporter:
        examination = examinations.examine(
            targets, _tools(names, endpoint_url, profile_names), tools.bootstrap_of, reporter
        )
    if machine:
        terminal.as_json({"findings": [asdict(finding) for finding in examination.findings]})
    else:
        findings_view.show(examination)
    failures, unsure = examination.count(State.FAILED), examination.count(State.UNKNOWN)
    not_examined = f"{unsure} could not be made" if unsure else "and each could be made"
    if failures:
        raise Refused(
            f"{failures} of {len(examination.findings)} checks failed; {not_examined}.",
            "Fix the first one first.",
        )
    terminal.done(f"None of {len(examination.findings)} checks failed, {not_examined}.")


def _tools(names: tuple[str, ...], endpoint_url: str | None, profile_names: dict[str, str]) -> Aws | None:
    if not set(names) & set(groupings.PROMOTED):
        return None
    return options.with_profile(accounts.connect_tools(endpoint_url), profile_names.get("tools"))


_NEXT = (
    "payments pipeline deploy --profile tools=PROFILE --profile branch=PROFILE --profile staging=PROFILE "
    "--profile prod=PROFILE"
)


@click.command(cls=Command)
@click.option(
    "--answers",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Answers in YAML, as `region: eu-central-1`; what it lacks stays as it is, and nothing is asked.",
)
@options.machine_readable
def init(file: Path | None, machine: bool) -> None:
    """Write the environment files, by asking what is yours.

    That is: accounts, region, repository, networks, databases, payment method. Each question is explained in
    a line, and answered already by what the files say; run again, it changes only what you change. The files
    are checked before any of them is written, and their comments stay.

    \b
    Examples:
      payments init
      payments init --answers mine.yml
    """
    stated = given.current(schema.FOLDER)
    answers = stated | given.read(file) if file else _asked(stated)
    written = given.write(answers, schema.FOLDER)
    if machine:
        terminal.as_json({"written": [f"{path.parent.name}/{path.name}" for path in written], "next": _NEXT})
        return
    for path in written:
        terminal.done(f"{path.parent.name}/{path.name} written")
    if not written:
        terminal.done("The files say so already.")
    terminal.err.print("Next, with them committed and pushed to your repository:")
    terminal.err.print(f"  {terminal.runnable(_NEXT)}", markup=False)


def _asked(stated: Answers) -> Answers:
    answers: Answers = {}
    for question in questions.questions():
        if not question.asked(answers):
            continue
        terminal.err.print(f"[dim]{question.why}[/]")
        choices = click.Choice(question.choices) if question.choices else None
        answer = click.prompt(question.text, default=stated.get(question.name), type=choices, err=True)
        answers[question.name] = str(answer).strip()
    return answers


_PLACES: Final = {
    "bash": Path(".local/share/bash-completion/completions/payments"),
    "zsh": Path(".local/share/zsh/site-functions/_payments"),
    "fish": Path(".config/fish/completions/payments.fish"),
}
"""Where each shell looks for completions, below the home folder."""
_VARIABLE: Final = "_PAYMENTS_COMPLETE"


@click.command(cls=Command)
@click.argument("shell", type=click.Choice(list(_PLACES)), required=False)
@click.option("--install", is_flag=True, help="Write it where the shell looks for it.")
def completion(shell: str | None, install: bool) -> None:
    """Print or install completion for bash, zsh or fish.

    Without SHELL it is the one that runs this command, by the variable SHELL.

    \b
    Examples:
      payments completion --install
      payments completion zsh > ~/.zfunc/_payments
    """
    name = shell or Path(os.environ.get("SHELL", "")).name
    if name not in _PLACES:
        raise Refused(f"There is no completion for the shell {name!r}.", "payments completion bash")
    root = click.get_current_context().find_root()
    source = shell_completion.get_completion_class(name)
    if source is None:
        raise Refused(f"There is no completion for the shell {name!r}.")
    script = source(root.command, {}, "payments", _VARIABLE).source()
    if not install:
        click.echo(script)
        return
    place = Path.home() / _PLACES[name]
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(script, encoding="utf-8")
    terminal.done(f"{place} completes payments in a new {name}.")
    if name == "zsh":
        terminal.err.print(f"  zsh must look there: fpath+=({place.parent}) before compinit in ~/.zshrc")
