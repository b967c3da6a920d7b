"""Writes what the code says beside what people wrote, and refuses when the two disagree."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pipelines.docs_site import figures, markdown, navigation, repository_facts, stacks
from pipelines.docs_site.markdown import Drift, mermaid
from pipelines.docs_site.pages import (
    assumptions,
    commands,
    cost,
    data_api,
    environments,
    failures,
    promotion,
    stack_pages,
    topology,
    workflows,
)
from templates.definitions import payment_workflow, smoke_workflow

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import click

    from pipelines.docs_site.stacks import Stack

_RUNNABLE: Final = re.compile(r"^( *```sh) runnable\b.*$", re.MULTILINE)
_WORKFLOWS: Final = {
    "reference/payment-workflow.md": (payment_workflow, "templates/definitions/payment_workflow.py"),
    "reference/smoke-workflow.md": (smoke_workflow, "templates/definitions/smoke_workflow.py"),
}


def write(root: Path, docs: Path, command: click.Group) -> None:
    """Complete the pages that were copied to `docs`, and add the generated ones.

    Args:
        root: The repository, for what pages and code say of its files.
        docs: A copy of its docs/.
        command: The command line.

    Raises:
        Refused: Code and docs disagree; every place is named.
    """
    drift, stack_templates = Drift(), stacks.every()
    written = {path.relative_to(docs).as_posix(): path for path in sorted(docs.rglob("*.md"))}
    references = repository_facts.CodeReferences(root, command, drift)
    reports = figures.published_results(root / "docs" / "data")
    reports["rooms"] = {
        **repository_facts.room_tables(root, drift),
        "contracts": repository_facts.import_contracts(root),
    }
    reports |= figures.from_code(stack_templates) | figures.crash_matrix_age(reports, root)
    reports["threat_model"] = figures.threats(reports["threat_model"])
    reports["mutants"] = {"table": figures.mutants_table(reports.get("mutants", {}))}
    reports["template_mutants"] = figures.template_mutants(reports.get("template_mutants", {}), root)
    reports["conformance"] = figures.conformance(reports.get("conformance", {}))
    reports["console"] = figures.pictures_age(reports, root)
    for name, path in written.items():
        text = path.read_text(encoding="utf-8")
        references.check(f"docs/{name}", text)
        path.write_text(_RUNNABLE.sub(r"\1", figures.filled(name, text, reports, drift)), encoding="utf-8")
    readme = (root / "README.md").read_text(encoding="utf-8")
    references.check("README.md", readme)
    promotion.check_readme(readme, stack_templates["pipelines"], drift)
    pages = {**_completed(docs, drift), **_generated(root, docs, command, stack_templates, drift)}
    pages["reference/index.md"] = navigation.reference_index(pages)
    for name, text in pages.items():
        (docs / name).parent.mkdir(parents=True, exist_ok=True)
        (docs / name).write_text(text, encoding="utf-8")
    drift.raise_if_any()


def _completed(docs: Path, drift: Drift) -> dict[str, str]:
    """Return the pages that are half written and half generated, by path."""
    pages = {}
    for name, (workflow, source) in _WORKFLOWS.items():
        definition = workflow.definition()
        drawn = f"{mermaid(workflows.diagram(definition))}\n{workflows.overview(definition)}"
        facts = workflows.facts(definition)
        text = _text(docs / name)
        pages[name] = markdown.completed(
            name, text, facts, what="state", source=source, overview=drawn, drift=drift
        )
    pages[failures.ERRORS_PAGE] = markdown.completed(
        failures.ERRORS_PAGE,
        _text(docs / failures.ERRORS_PAGE),
        failures.error_facts(drift),
        what="error",
        source=failures.ERRORS_SOURCE,
        overview=failures.errors_overview(),
        drift=drift,
    )
    pages[commands.HOUSE_PAGE] = markdown.completed(
        commands.HOUSE_PAGE,
        _text(docs / commands.HOUSE_PAGE),
        commands.house_facts(),
        what="rule",
        source=commands.HOUSE_SOURCE,
        overview=commands.house_overview(),
        drift=drift,
    )
    return pages


def _generated(
    root: Path, docs: Path, command: click.Group, stack_templates: Mapping[str, Stack], drift: Drift
) -> dict[str, str]:
    """Return the pages that the code alone makes, by path, in the order of the menu."""
    return {
        "reference/commands.md": commands.commands_page(command, drift),
        "reference/environments.md": environments.environments_page(drift),
        "reference/data-api.md": data_api.data_api_page(root),
        "reference/alarms.md": failures.alarms_page(stack_templates["payments"], docs, drift),
        **promotion.pages(stack_templates["pipelines"]),
        commands.PIPELINE_PAGE: commands.pipeline_rules_page(),
        "reference/cost.md": cost.cost_page(stack_templates),
        "reference/topology.md": topology.topology_page(
            stack_templates["network"], stack_templates["payments"]
        ),
        **{
            f"reference/stack-{name}.md": stack_pages.stack_page(
                stack, _text(docs / f"reference/stack-{name}.md"), drift
            )
            for name, stack in stack_templates.items()
        },
        assumptions.PAGE: assumptions.assumptions_page(),
        **{
            f"reference/permissions-{name}.md": stack_pages.permissions_page(stack, drift)
            for name, stack in stack_templates.items()
            if stack.has_roles
        },
    }


def _text(path: Path) -> str:
    """Return a page's text; empty for a missing page, so that everything it should explain is reported."""
    return path.read_text(encoding="utf-8") if path.is_file() else ""
