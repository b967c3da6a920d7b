"""`payments init`: asks what is yours, and writes the environment files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from environments import schema
from pipelines.cli import options, terminal
from pipelines.setup import answers as given
from pipelines.setup.questions import questions

if TYPE_CHECKING:
    from pipelines.setup.questions import Answers

_NEXT = (
    "payments pipeline deploy --profile tools=PROFILE --profile branch=PROFILE --profile staging=PROFILE "
    "--profile prod=PROFILE"
)


@click.command()
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
    for question in questions():
        if not question.asked(answers):
            continue
        terminal.err.print(f"[dim]{question.why}[/]")
        choices = click.Choice(question.choices) if question.choices else None
        answer = click.prompt(question.text, default=stated.get(question.name), type=choices, err=True)
        answers[question.name] = str(answer).strip()
    return answers
