"""E9008: a template, its parameters and its outputs say what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipelines.lint.house_rules.rule import Fault, HouseRule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.lint.house_rules.rule import Json


def _undescribed(template: Json) -> Iterator[Fault]:
    if not template.get("Description"):
        yield Fault((), "the template has no Description")
    for kind in ("Parameters", "Outputs"):
        for name, part in template.get(kind, {}).items():
            if not part.get("Description"):
                yield Fault((kind, name), f"{kind.lower().rstrip('s')} without a Description")


DESCRIBED: Final = HouseRule(
    "E9008",
    "Templates, parameters and outputs are described",
    "The console, the reference and an approver show nothing else of them.",
    _undescribed,
)
