"""The quick judges: what CloudFormation refuses by itself, and the linters' own rules, in milliseconds."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from embedded_aws.cloudformation import template_checks
from pipelines.lint.pipeline_linter.linter import lint_document
from pipelines.lint.templates import TEMPLATE_RULES, lint
from tests.template_mutants.mutations import Mutant, stack_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Json = dict[str, Any]
_REGION: Final = "eu-central-1"


def references(template: Json) -> set[str]:
    """Return what CloudFormation refuses of what a template refers to."""
    known = {**template.get("Parameters", {}), **template["Resources"]}
    return {*template_checks.problems({**template, "Parameters": known}, [], {})}


def schemas(template: Json) -> set[str]:
    """Return what resources lack that their type's schema requires, and what the schema refuses."""
    return {
        f"{name}: {fault}"
        for name, resource in template["Resources"].items()
        for schema in [_schema(resource["Type"])]
        for fault in _faults(schema, schema, resource.get("Properties", {}))
    }


def rules(template: Json) -> set[str]:
    """Return what the house's rules and those for pipelines find; exceptions of resources do not count."""
    # Without the place inside of a resource, which is another where a list lost a member.
    return {
        f"{rule.rule_id} {fault.path[:2]} {fault.message}"
        for rule in TEMPLATE_RULES
        for fault in rule.faults(template)
    } | {f"{finding.rule} {finding.problem}" for finding in lint_document(template, "mutant")}


def linters(template: Json) -> set[str]:
    """Return what cfn-lint finds: it takes seconds, so it is asked last."""
    return {f"{finding}" for finding in lint({"mutant": template}, (_REGION,))}


QUICK: Final[dict[str, Callable[[Json], set[str]]]] = {
    "references": references,
    "schemas": schemas,
    "rules": rules,
}
"""Who is asked first, in this order."""


class Quick:
    """Asks them about mutants of these templates: what they find beyond what they find anyhow."""

    def __init__(self, originals: Sequence[Json]) -> None:
        self._originals = originals
        self._faults = {check: [*map(judge, originals)] for check, judge in QUICK.items()}

    def notices(self, mutant: Mutant) -> str:
        """Return who notices a mutant; nothing where none of them does."""
        for number, original in enumerate(self._originals):
            changed = mutant.applied(original) if stack_of(original) == mutant.stack else None
            if changed is not None:
                for check, judge in QUICK.items():
                    if judge(changed) - self._faults[check][number]:
                        return check
        return ""


@cache
def _schema(kind: str) -> Json:
    return dict(PROVIDER_SCHEMA_MANAGER.get_resource_schema(_REGION, kind).schema)


def _faults(root: Json, schema: Json, value: Any) -> Iterator[str]:
    """Yield what is wrong with a value, as far as a schema says it without alternatives."""
    schema = _resolved(root, schema)
    if isinstance(value, dict) and not any(key == "Ref" or key.startswith("Fn::") for key in value):
        yield from (key for key in schema.get("required", []) if key not in value)
        known = schema.get("properties", {})
        if schema.get("additionalProperties") is False and not schema.get("patternProperties"):
            yield from (key for key in value if key not in known)
        for key, inside in value.items():
            if key in known:
                yield from _faults(root, known[key], inside)
    elif isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            yield "too few"
        for inside in value:
            yield from _faults(root, schema.get("items", {}), inside)
    elif not isinstance(value, dict):
        yield from _faults_of_a_scalar(schema, value)


def _faults_of_a_scalar(schema: Json, value: Any) -> Iterator[str]:
    allowed = schema.get("enum")
    if allowed is not None and str(value) not in map(str, allowed):
        yield f"{value} is none of {allowed}"
    if isinstance(value, str) and "pattern" in schema and not _matches(schema["pattern"], value):
        yield f"{value} is no {schema['pattern']}"
    if isinstance(value, int) and not isinstance(value, bool):
        least, most = schema.get("minimum"), schema.get("maximum")
        if (least is not None and value < least) or (most is not None and value > most):
            yield f"{value} is out of bounds"


def _matches(pattern: str, value: str) -> bool:
    try:
        return re.search(pattern, value) is not None
    except re.error:  # Java's or JavaScript's
        return True


def _resolved(root: Json, schema: Json) -> Json:
    reference = schema.get("$ref")
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return schema
    found: Any = root
    for part in reference.removeprefix("#/").split("/"):
        found = found[part.replace("~1", "/")]
    return _resolved(root, found)
