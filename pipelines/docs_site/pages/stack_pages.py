"""One page for each stack: parameters, outputs and resources."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from pipelines.docs_site import annotated_pages
from pipelines.docs_site.markdown import code, codes, page, prose, table
from pipelines.docs_site.stacks import shown

if TYPE_CHECKING:
    from pipelines.docs_site.drift import Drift
    from pipelines.docs_site.stacks import Stack


def stack_page(stack: Stack, written: str, drift: Drift) -> str:
    """Return the page of one stack.

    Args:
        stack: The stack.
        written: What people wrote of its parameters; nothing for a stack without any.
        drift: Where to note what is missing or left over.
    """
    rest = "\n".join(["\n## Outputs\n", _outputs(stack, drift), "## Resources\n", _resources(stack)])
    about = f"{prose(stack.template['Description'])}.{_roles(stack)}\n"
    if not stack.parameters and not written:
        none = "It has no parameters.\n"
        return page(f"The {stack.name} stack", [stack.source], about, none, rest)
    page_text = annotated_pages.completed(
        f"reference/stack-{stack.name}.md",
        written,
        {name: _parameter(stack, name, rules, drift) for name, rules in stack.parameters.items()},
        what="parameter",
        source=stack.source,
        overview=about,
        drift=drift,
    )
    return page_text + rest


def _roles(stack: Stack) -> str:
    if not stack.has_roles:
        return ""
    return f" What its roles may do is on [its page of permissions](permissions-{stack.name}.md)."


def _parameter(stack: Stack, name: str, rules: dict[str, Any], drift: Drift) -> str:
    what = f"The parameter {name} of the {stack.name} stack"
    meaning = drift.described(
        rules.get("Description"), what, stack.source, f"reference/stack-{stack.name}.md"
    )
    limits_by_key = {key: value for key, value in sorted(rules.items()) if key not in {"Description", "Type"}}
    limits = "".join(f"; {key} {code(value)}" for key, value in limits_by_key.items())
    return f"- {code(name)}: {prose(meaning)}{limits}\n"


def _outputs(stack: Stack, drift: Drift) -> str:
    rows = [
        [
            code(name),
            prose(
                drift.described(
                    output.get("Description"),
                    f"The output {name} of the {stack.name} stack",
                    stack.source,
                    f"reference/stack-{stack.name}.md",
                )
            ),
            code(shown(output["Export"]["Name"])) if "Export" in output else "",
        ]
        for name, output in stack.outputs.items()
    ]
    return table(["Output", "What it is", "Exported as"], rows)


def _resources(stack: Stack) -> str:
    kinds = Counter(resource["Type"] for resource in stack.resources.values())
    rows = [
        [code(kind), codes(name for name, resource in stack.resources.items() if resource["Type"] == kind)]
        for kind in sorted(kinds)
    ]
    return f"{sum(kinds.values())} resources in prod.\n\n" + table(["Type", "Logical ids"], rows)
