"""The rules of both linters: the pipeline linter's, by family, and the house's own."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Final

from pipelines.core import stack_tags
from pipelines.docs_site.markdown import code, page, prose, table
from pipelines.lint.house_rules import catalogue, tags
from pipelines.lint.pipeline_linter.linter import FAMILIES

if TYPE_CHECKING:
    from pipelines.lint.pipeline_linter.linter import Family

PIPELINE_PAGE: Final = "reference/pipeline-rules.md"
HOUSE_PAGE: Final = "reference/house-rules.md"
HOUSE_SOURCE: Final = "pipelines/lint/house_rules/catalogue.py"
_INTRODUCTION: Final = """\
`payments lint` judges the pipelines of our own templates by these rules, and those of any file that is named:

```sh
payments lint template.yml        # CloudFormation, or the input of `aws codepipeline create-pipeline`
```

A finding is one line: the file, the pipeline with the stage and the action in it, the rule's id, what is
wrong and what to do. The exit code is 1 when there are any; `--json` gives them to machines. Each rule has a
seeded fault in `tests/pipelines/linter/corpus/broken`, named after it.
"""


def pipeline_rules_page() -> str:
    """Return the page of the pipeline linter's rules, family by family."""
    return page(
        "Pipeline rules", ["pipelines/lint/pipeline_linter/rules"], _INTRODUCTION, *map(_family, FAMILIES)
    )


def _family(family: Family) -> str:
    story = inspect.cleandoc(family.__doc__ or "")
    first, _, rest = story.partition("\n")
    ids, _, title = first.partition(": ")
    rows = [(code(rule), prose(entry.finds), prose(entry.mend)) for rule, entry in family.RULES.items()]
    heading = f"## {ids}: {title.rstrip('.')}\n"
    introduction = "".join(f"{prose(part)}\n\n" for part in rest.split("\n\n") if part.strip())
    return "\n".join([heading, introduction + table(("rule", "finds", "fix"), rows)])


def house_facts() -> dict[str, str]:
    """Return each house rule's title by its id."""
    titles = {rule.rule_id: rule.title for rule in catalogue.TEMPLATE_RULES} | {
        stack_tags.RULE_ID: tags.TITLE
    }
    return {rule_id: f"The rule: *{titles[rule_id]}.*" for rule_id in catalogue.IDS}


def house_overview() -> str:
    """Return how many house rules there are, in a sentence."""
    return f"{len(catalogue.IDS)} rules, each an error."
