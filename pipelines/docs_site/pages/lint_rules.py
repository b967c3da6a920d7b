"""The rules of both linters: the pipeline linter's, by family, and the house's own."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Final

from pipelines.definitions import configuration_file
from pipelines.docs_site.markdown import code, page, prose, table
from pipelines.lint import templates, workflow_definitions
from pipelines.lint.house_rules import descriptions
from pipelines.lint.pipeline_linter.linter import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.lint.findings import Rule
    from pipelines.lint.pipeline_linter.linter import Family

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
        configuration_file.TAGS_RULE: descriptions.TAGS_TITLE
    }
    return {rule_id: f"The rule: *{titles[rule_id]}.*" for rule_id in templates.HOUSE_RULE_IDS}


def house_overview() -> str:
    """Return how many house rules there are, in a sentence."""
    return f"{len(templates.HOUSE_RULE_IDS)} rules, each an error."
