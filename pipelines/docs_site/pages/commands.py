"""The command line, from its own help; and the rules of the pipeline linter and of the house's linter."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Final

import click

from pipelines.definitions import configuration_file
from pipelines.docs_site.markdown import code, lines, page, prose, table
from pipelines.lint import templates, workflow_definitions
from pipelines.lint.house_rules import conventions
from pipelines.lint.pipeline_linter.linter import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipelines.docs_site.markdown import Drift
    from pipelines.lint.findings import Rule
    from pipelines.lint.pipeline_linter.linter import Family


_PAGE: Final = "reference/commands.md"


def every(group: click.Group) -> Iterator[tuple[str, click.Command]]:
    """Yield every command below a group with its whole name."""
    yield from _below(group, "payments", click.Context(group))


def _below(group: click.Group, path: str, context: click.Context) -> Iterator[tuple[str, click.Command]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from _below(command, f"{path} {name}", context)


def commands_page(group: click.Group, drift: Drift) -> str:
    """Return the page of commands; a command or an option without help is drift."""
    commands = list(every(group))
    leaves = [(path, command) for path, command in commands if not isinstance(command, click.Group)]
    index = [
        [f"[{code(path)}](#{path.replace(' ', '-')})", prose(_first(command))] for path, command in leaves
    ]
    parts = [table(["Command", "What it does"], index)]
    for path, command in commands:
        defined = source(command)
        drift.described(command.help, f"The command {path}", defined, _PAGE)
        if not isinstance(command, click.Group):
            parts += [f"## {path}\n", *_command(path, command, defined, drift)]
    return page(
        "The command line",
        ["pipelines/cli"],
        "Every command prints this with `--help`, and its result for machines with `--json`. A command ends"
        " with 0 when it did what was asked, with 1 when it could not, and with 2 when it was typed wrongly."
        " An environment without a file is typed wrongly; an order that the data API does not know is not."
        " `payments completion --install` completes commands, environments and AWS profiles in bash, zsh and"
        " fish.\n",
        *parts,
    )


def _command(path: str, command: click.Command, defined: str, drift: Drift) -> Iterator[str]:
    context = click.Context(command, info_name=path)
    pieces = " ".join(command.collect_usage_pieces(context))
    yield f"```text\n{path} {pieces}\n```\n"
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        yield _paragraph(paragraph)
    rows = []
    # Its own, without --help: click makes and keeps that for whoever asks first, with that one's names.
    for option in command.params:
        if isinstance(option, click.Option) and not option.hidden:
            what = f"The option {option.opts[0]} of {path}"
            meaning = drift.described(option.help, what, defined, _PAGE)
            rows.append(
                [lines(code(name) for name in [*option.opts, *option.secondary_opts]), prose(meaning)]
            )
    if rows:
        yield table(["Option", "What it does"], rows)


def _paragraph(text: str) -> str:
    """Return a paragraph of a help text; what click leaves unwrapped are lines of examples."""
    verbatim, _, lines_of_text = text.partition("\b\n")
    if verbatim or not lines_of_text:
        return f"{prose(text)}\n"
    title, *examples = lines_of_text.splitlines()
    return f"{prose(title)}\n\n```text\n{inspect.cleandoc(chr(10).join(examples))}\n```\n"


def _first(command: click.Command) -> str:
    return inspect.cleandoc(command.help or "").partition("\n\n")[0]


def source(command: click.Command) -> str:
    """Return the file that a command is in."""
    module = getattr(command.callback, "__module__", "pipelines.cli")
    return module.replace(".", "/") + ".py"


PIPELINE_PAGE: Final = "reference/pipeline-rules.md"
HOUSE_PAGE: Final = "reference/house-rules.md"
HOUSE_SOURCE: Final = "pipelines/lint/templates.py"
_INTRODUCTION: Final = """\
`payments lint` judges the pipelines and state machines of our own templates by these rules, and those of any
file that is named:

```sh
payments lint template.yml        # CloudFormation, create-pipeline input, or a state machine
```

A finding is one line: the file, the pipeline with the stage and the action in it, the rule's id, what is
wrong and what to do; `--json` gives them to machines. It is an *error* where AWS refuses the pipeline or
fails when it runs, a *warning* where that is likely but the file does not tell for certain, or *advice*.
Errors alone make the exit code 1, unless you ask for `--strict`.

`--ignore P402` passes a rule over. A pipeline that has to break a rule says so in the Metadata of its
resource, with the reason: `{"pipeline-linter": {"ignore": {"P402": "read by hand after each release"}}}`.

Conditions of a template are followed: a pipeline is judged under every combination that can hold, and a
finding says under which. Loops (`Fn::ForEach`) are unrolled. What CloudFormation fills in and the file does
not say is not guessed at. Each rule has a seeded fault in `tests/pipelines/linter/corpus/broken`, named
after it.
"""


def pipeline_rules_page() -> str:
    """Return the page of the pipeline linter's rules, family by family."""
    return page(
        "Pipeline rules",
        ["pipelines/lint/pipeline_linter/rules"],
        _INTRODUCTION,
        *map(_family, FAMILIES),
        _section(workflow_definitions.__doc__, workflow_definitions.RULES),
    )


def _family(family: Family) -> str:
    return _section(family.__doc__, family.RULES)


def _section(doc: str | None, rules: Mapping[str, Rule]) -> str:
    """Return the table of a family's rules under the heading that its module's docstring begins with."""
    story = inspect.cleandoc(doc or "")
    first, _, rest = story.partition("\n")
    ids, _, title = first.partition(": ")
    rows = [
        (code(rule), str(entry.level), prose(entry.finds), prose(entry.fix)) for rule, entry in rules.items()
    ]
    heading = f"## {ids}: {title.rstrip('.')}\n"
    introduction = "".join(f"{prose(part)}\n\n" for part in rest.split("\n\n") if part.strip())
    return "\n".join([heading, introduction + table(("rule", "level", "finds", "what to do"), rows)])


def house_facts() -> dict[str, str]:
    """Return each house rule's title by its id."""
    titles = {rule.rule_id: rule.title for rule in templates.TEMPLATE_RULES} | {
        configuration_file.TAGS_RULE: conventions.TAGS_TITLE
    }
    return {rule_id: f"The rule: *{titles[rule_id]}.*" for rule_id in templates.HOUSE_RULE_IDS}


def house_overview() -> str:
    """Return how many house rules there are, in a sentence."""
    return f"{len(templates.HOUSE_RULE_IDS)} rules, each an error."
