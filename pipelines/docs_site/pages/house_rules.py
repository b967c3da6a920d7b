"""The house's lint rules: what each asks for, below why a person says it matters."""

from __future__ import annotations

from typing import Final

from pipelines.core import stack_tags
from pipelines.lint.house_rules import catalogue, tags

PAGE: Final = "reference/house-rules.md"
SOURCE: Final = "pipelines/lint/house_rules/catalogue.py"


def facts() -> dict[str, str]:
    """Each rule's title by its id."""
    titles = {rule.rule_id: rule.title for rule in catalogue.TEMPLATE_RULES} | {
        stack_tags.RULE_ID: tags.TITLE
    }
    return {rule_id: f"The rule: *{titles[rule_id]}.*" for rule_id in catalogue.IDS}


def overview() -> str:
    """How many there are."""
    return f"{len(catalogue.IDS)} rules, each an error."
