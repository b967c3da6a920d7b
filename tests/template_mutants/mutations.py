"""The templates that are mutated, and the mutants: each drops or changes one part of one resource."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from tests.templates.chosen import templates

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]
Path = tuple[str | int, ...]
DROP: Final = "drop"
_INTRINSIC: Final = ("Ref", "Condition")
_ATTRIBUTES: Final = ("DeletionPolicy", "UpdateReplacePolicy", "DependsOn", "Condition")
_OTHER_WORD: Final = {"true": "false", "false": "true"}
_OTHER_VALUE: Final = {"Retain": "Delete", "Delete": "Retain", "RetainExceptOnCreate": "Delete"}
_WHOLE: Final = {"Definition"}
"""Properties whose inside is a program of its own, with its own tests and, for the payment workflow, its own
mutants in the crash matrix: here they are one part."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One part of a template, dropped or changed.

    Attributes:
        stack: `network`, `payments`, `docs`, `pipelines` or `bootstrap`.
        kind: The resource's type; `Output` for an output.
        path: Where the part is in the template.
        before: What is there, as JSON.
        after: What is there instead, as JSON; `DROP` when nothing is.
    """

    stack: str
    kind: str
    path: Path
    before: str
    after: str

    @property
    def place(self) -> str:
        """The path, readable: `payments: DataApi.Properties.Policy`."""
        return f"{self.stack}: {'.'.join(str(key) for key in self.path[1:])}"

    @property
    def name(self) -> str:
        """The place and the change."""
        return f"{self.place} -> {self.after if self.after == DROP else self.after[:60]}"

    def applied(self, template: Json) -> Json | None:
        """Return the template with this change, or nothing where it does not have the part as it was."""
        *parents, last = self.path
        copied = dict(template)
        at: Any = copied
        for key in parents:
            try:
                inside = at[key]
            except (KeyError, IndexError, TypeError):
                return None
            at[key] = at = inside.copy() if isinstance(inside, (dict, list)) else inside
        present = last in at if isinstance(at, dict) else isinstance(at, list) and int(last) < len(at)
        if not present or _text(at[last]) != self.before:
            return None
        if self.after == DROP:
            del at[last]
        else:
            at[last] = json.loads(self.after)
        return copied


def stack_of(template: Json) -> str:
    """Return which of the stacks a template is of, by its description; nothing for any other."""
    return next(
        (stack for words, stack in _DESCRIBED.items() if words in template.get("Description", "")), ""
    )


_DESCRIBED: Final = {
    "Network of the payment": "network",
    "The payment system's": "payments",
    "Docs site": "docs",
    "Promotion pipelines": "pipelines",
    "What pipelines need to deploy": "bootstrap",
}


@cache
def digest() -> str:
    """Return the first 8 digits of the SHA-256 of what the templates say, whichever accounts they name."""
    said = re.sub(r"(?<![\w.-])[0-9]{12}(?![\w.-])", "ACCOUNT", _text([*templates().values()]))
    return hashlib.sha256(said.encode()).hexdigest()[:8]


def mutants() -> list[Mutant]:
    """Return every mutant of every template, each once, in the order of the templates."""
    found: dict[tuple[str, Path, str, str], Mutant] = {}
    for template in templates().values():
        for mutant in _of_template(template):
            found.setdefault((mutant.stack, mutant.path, mutant.before, mutant.after), mutant)
    return list(found.values())


def _of_template(template: Json) -> Iterator[Mutant]:
    stack = stack_of(template)
    for name, resource in template["Resources"].items():
        place: Path = ("Resources", name)
        yield Mutant(stack, resource["Type"], place, _text(resource), DROP)
        parts = {key: resource[key] for key in _ATTRIBUTES if key in resource}
        for key, value in parts.items():
            yield from _changed(stack, resource["Type"], (*place, key), value)
        for path, value in _inside(resource.get("Properties", {}), (*place, "Properties")):
            yield from _changed(stack, resource["Type"], path, value)
    for name, output in template.get("Outputs", {}).items():
        yield Mutant(stack, "Output", ("Outputs", name), _text(output), DROP)
        if "Export" in output:
            yield from _changed(stack, "Output", ("Outputs", name, "Export"), output["Export"])


def _changed(stack: str, kind: str, path: Path, value: Any) -> Iterator[Mutant]:
    before = _text(value)
    yield Mutant(stack, kind, path, before, DROP)
    other = _other(value, path[-1])
    if other is not None:
        yield Mutant(stack, kind, path, before, _text(other))


def _other(value: Any, key: str | int) -> Any:
    """Return another value of the same kind; nothing where there is none."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        policy = _OTHER_VALUE.get(value) if key in {"DeletionPolicy", "UpdateReplacePolicy"} else None
        return policy or _OTHER_WORD.get(value) or (str(int(value) + 1) if value.isdigit() else f"{value}x")
    text = value.get("Fn::Sub") if isinstance(value, dict) else None
    return {"Fn::Sub": f"{text}x"} if isinstance(text, str) else None


def _inside(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Yield every part of a value, outermost first; a function of CloudFormation is one part."""
    if isinstance(value, dict) and not _is_intrinsic(value):
        for key, part in value.items():
            yield (*path, key), part
            if key not in _WHOLE:
                yield from _inside(part, (*path, key))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            if len(value) > 1 or not isinstance(part, (dict, list)):  # an only member is as good as the list
                yield (*path, index), part
            yield from _inside(part, (*path, index))


def _is_intrinsic(value: Json) -> bool:
    return len(value) == 1 and (next(iter(value)) in _INTRINSIC or next(iter(value)).startswith("Fn::"))


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
