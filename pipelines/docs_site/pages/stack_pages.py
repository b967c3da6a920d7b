"""The two pages of each stack: its parameters, outputs and resources; and its permissions, by statement."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from pipelines.docs_site import markdown
from pipelines.docs_site.markdown import code, codes, lines, page, prose, table
from pipelines.docs_site.stacks import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.docs_site.markdown import Drift
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
    parameters = {**stack.with_other_choices, **stack.parameters}
    if not parameters and not written:
        none = "It has no parameters.\n"
        return page(f"The {stack.name} stack", [stack.source], about, none, rest)
    page_text = markdown.completed(
        f"reference/stack-{stack.name}.md",
        written,
        {name: _parameter(stack, name, rules, drift) for name, rules in parameters.items()},
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
    absent = "" if name in stack.parameters else " Not with what your environments' files choose."
    return f"- {code(name)}: {prose(meaning)}{limits}{absent}\n"


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


_KINDS: Final = ("AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")


def permissions_page(stack: Stack, drift: Drift) -> str:
    """Return the page of one stack: a table for each role and policy."""
    parts = []
    for name, resource in stack.resources.items():
        if resource["Type"] in _KINDS:
            parts += [f"## {name}\n", _about(resource), _statements(stack, name, resource, drift)]
    return page(
        f"Permissions of the {stack.name} stack",
        [stack.source],
        "As in prod. `${Name}` is what CloudFormation fills in. See also"
        f" [the stack](stack-{stack.name}.md).\n",
        *parts,
    )


def _about(resource: dict[str, Any]) -> str:
    properties, sentences = resource["Properties"], []
    if "AssumeRolePolicyDocument" in properties:
        trusted = [
            shown(who)
            for statement in properties["AssumeRolePolicyDocument"]["Statement"]
            for kind in statement["Principal"].values()
            for who in (kind if isinstance(kind, list) else [kind])
        ]
        sentences.append(f"Assumed by {lines(code(who) for who in trusted)}.")
    if "PermissionsBoundary" in properties:
        sentences.append(f"Never more than the boundary {code(shown(properties['PermissionsBoundary']))}.")
    if "ManagedPolicyArns" in properties:
        policies = ", ".join(code(shown(arn)) for arn in properties["ManagedPolicyArns"])
        sentences.append(f"Has the managed policy {policies}.")
    if "Roles" in properties:
        sentences.append(f"Added to {', '.join(code(shown(role)) for role in properties['Roles'])}.")
    return " ".join(sentences) + "\n"


def _statements(stack: Stack, name: str, resource: dict[str, Any], drift: Drift) -> str:
    reasons = resource.get("Metadata", {}).get("Permissions", {})
    rows = []
    for statement in _policies(resource["Properties"]):
        sid = statement.get("Sid", "")
        what = f"The statement {sid or '(without Sid)'} of {name} in the {stack.name} stack"
        why = drift.described(reasons.get(sid), what, stack.source, f"reference/permissions-{stack.name}.md")
        rows.append([f"{code(sid)}<br>{prose(why)}", _may(statement), _on(statement)])
    return table(["Why", "May", "On"], rows) if rows else ""


def _policies(properties: dict[str, Any]) -> Iterator[dict[str, Any]]:
    documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
    documents += [properties["PolicyDocument"]] if "PolicyDocument" in properties else []
    for document in documents:
        yield from document["Statement"]


def _may(statement: dict[str, Any]) -> str:
    actions = statement.get("Action") or statement.get("NotAction") or []
    effect = "" if statement["Effect"] == "Allow" else f"**{statement['Effect']}** "
    everything_but = "everything but " if "NotAction" in statement else ""
    return effect + everything_but + lines(code(action) for action in _listed(actions))


def _on(statement: dict[str, Any]) -> str:
    but = "everything but " if "NotResource" in statement else ""
    resources = _listed(statement.get("Resource") or statement.get("NotResource") or [])
    cell = but + lines(code(shown(resource)) for resource in resources)
    for operator, keys in statement.get("Condition", {}).items():
        for key, value in keys.items():
            wanted = ", ".join(code(shown(operand)) for operand in _listed(value))
            cell += f"<br>if {code(key)} {operator} {wanted}"
    return cell


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
