"""What each role may do and why, from the policies and the reasons that stand beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipelines.docs_site.markdown import code, lines, page, prose, table
from pipelines.docs_site.stacks import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.docs_site.drift import Drift
    from pipelines.docs_site.stacks import Stack

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
