"""The pipeline linter's rules, by family: what each finds, how to mend it, and where AWS says so."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Final

from pipelines.docs_site.markdown import code, page, prose, table
from pipelines.lint.pipeline_linter.linter import FAMILIES

if TYPE_CHECKING:
    from pipelines.lint.pipeline_linter.linter import Family

PAGE: Final = "reference/pipeline-rules.md"
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
    """All of them."""
    return page(
        "Pipeline rules", ["pipelines/lint/pipeline_linter/rules"], _INTRODUCTION, *map(_family, FAMILIES)
    )


def _family(family: Family) -> str:
    story = inspect.cleandoc(family.__doc__ or "")
    first, _, rest = story.partition("\n")
    ids, _, title = first.partition(": ")
    rows = [(code(rule), prose(said.finds), prose(said.mend)) for rule, said in family.RULES.items()]
    heading = f"## {ids}: {title.rstrip('.')}\n"
    told = "".join(f"{prose(part)}\n\n" for part in rest.split("\n\n") if part.strip())
    return "\n".join([heading, told + table(("rule", "finds", "mend"), rows)])
