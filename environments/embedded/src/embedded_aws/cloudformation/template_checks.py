"""What CloudFormation refuses in a template and its parameters before it changes anything.

Pure over a template whose transforms are applied. The words of unresolved dependencies are recorded answers
of AWS; those of circles and of parameters are what AWS's clients report.
"""

import re
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]
_SUBSTITUTED = re.compile(r"\$\{([^!}][^}]*)\}")


def problems(template: Json, parameters: list[Json], conditions: dict[str, bool]) -> Iterator[str]:
    """Yield what AWS would refuse, in the order in which it looks.

    Args:
        template: with its transforms applied.
        parameters: those of the request: `Key`, and `UsePreviousValue` or `Value`.
        conditions: the template's conditions, evaluated; a resource whose condition is false is in no circle.
    """
    yield from unknown_parameters(template, parameters)
    yield from _unresolved(template)
    yield from _circles(template, conditions)


def conditions(template: Json, parameters: Json) -> dict[str, bool]:
    """Evaluate a template's conditions.

    Args:
        template: with its transforms applied.
        parameters: by name, each with its `Value`.
    """
    declared: Json = template.get("Conditions") or {}
    return {name: _holds(condition, declared, parameters) for name, condition in declared.items()}


def _holds(condition: Any, declared: Json, parameters: Json) -> bool:
    if not isinstance(condition, dict):
        return bool(condition)
    ((function, operands),) = condition.items()
    if function == "Condition":
        return _holds(declared[operands], declared, parameters)
    if function == "Fn::Equals":
        left, right = (_compared(operand, parameters) for operand in operands)
        return left == right
    inner = [_holds(operand, declared, parameters) for operand in operands]
    if function == "Fn::Not":
        return not inner[0]
    return all(inner) if function == "Fn::And" else any(inner)


def _compared(value: Any, parameters: Json) -> str:
    if isinstance(value, dict) and "Ref" in value:
        return str(parameters[value["Ref"]]["Value"]) if value["Ref"] in parameters else str(value["Ref"])
    if isinstance(value, dict) and "Fn::Select" in value:
        index, items = value["Fn::Select"]
        chosen = items if isinstance(items, list) else _compared(items, parameters).split(",")
        return _compared(chosen[int(index)], parameters).strip()
    return str(value)


def unknown_parameters(template: Json, parameters: list[Json]) -> Iterator[str]:
    """Yield that parameters are given which the template does not declare."""
    declared = template.get("Parameters") or {}
    unknown = [str(entry["Key"]) for entry in parameters if "Key" in entry and entry["Key"] not in declared]
    if unknown:
        yield f"Parameters: [{', '.join(unknown)}] do not exist in the template"


def missing_parameters(template: Json, parameters: list[Json]) -> Iterator[str]:
    """Yield that parameters are neither given nor have a default."""
    given_names = {entry.get("Key") for entry in parameters}
    declared: Json = template.get("Parameters") or {}
    missing = [name for name, entry in declared.items() if "Default" not in entry and name not in given_names]
    if missing:
        yield f"Parameters: [{', '.join(missing)}] must have values"


def _unresolved(template: Json) -> Iterator[str]:
    resources = template.get("Resources") or {}
    names = {*resources, *(template.get("Parameters") or {})}
    for block, prefix, members in (
        ("Resources", "Template format error: ", resources),
        ("Outputs", "", template.get("Outputs") or {}),
    ):
        used = [name for member in members.values() for name in _references(member)]
        used += [name for member in members.values() for name in _depends_on(member)]
        dangling = sorted({name for name in used if name not in names and not name.startswith("AWS::")})
        if dangling:
            yield (
                f"{prefix}Unresolved resource dependencies [{', '.join(dangling)}] "
                f"in the {block} block of the template"
            )


def _circles(template: Json, conditions: dict[str, bool]) -> Iterator[str]:
    resources = {
        name: _taken(resource, conditions)
        for name, resource in (template.get("Resources") or {}).items()
        if conditions.get(resource.get("Condition", ""), True)
    }
    needs = {
        name: {n for n in (*_references(resource), *_depends_on(resource)) if n in resources}
        for name, resource in resources.items()
    }
    while free := [name for name, needed in needs.items() if not needed & needs.keys()]:
        for name in free:
            del needs[name]
    # What only leads into a circle is in none.
    while loose := [n for n in needs if not any(n in needed for needed in needs.values())]:
        for name in loose:
            del needs[name]
    if needs:
        yield f"Circular dependency between resources: [{', '.join(sorted(needs))}]"


def _taken(value: Any, conditions: dict[str, bool]) -> Any:
    """Return a value with every Fn::If replaced by the branch that is taken."""
    if isinstance(value, dict):
        branches = value.get("Fn::If")
        if len(value) == 1 and isinstance(branches, list) and len(branches) == 3:  # noqa: PLR2004 - its form
            return _taken(branches[1 if conditions.get(branches[0], True) else 2], conditions)
        return {key: _taken(member, conditions) for key, member in value.items()}
    return [_taken(member, conditions) for member in value] if isinstance(value, list) else value


def _references(value: Any) -> Iterator[str]:
    """Yield the logical names that Ref, Fn::GetAtt and Fn::Sub in a value name."""
    if isinstance(value, list):
        for member in value:
            yield from _references(member)
    if not isinstance(value, dict):
        return
    for key, member in value.items():
        if len(value) == 1 and key == "Ref" and isinstance(member, str):
            yield member
        elif len(value) == 1 and key == "Fn::GetAtt":
            name = member[0] if isinstance(member, list) and member else member
            if isinstance(name, str):
                yield name.partition(".")[0] if isinstance(member, str) else name
        elif len(value) == 1 and key == "Fn::Sub":
            text, own = (member, {}) if isinstance(member, str) else (member[0], member[1])
            names = (name.strip() for name in _SUBSTITUTED.findall(text))
            yield from (name.partition(".")[0] for name in names if name not in own)
            yield from _references(own)
        else:
            yield from _references(member)


def _depends_on(resource: Any) -> list[str]:
    names = resource.get("DependsOn", []) if isinstance(resource, dict) else []
    return [names] if isinstance(names, str) else list(names)
