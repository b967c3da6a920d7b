"""E9009: a template runs in any account, region and partition."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pipelines.lint.house_rules.rule import Fault, HouseRule, strings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.lint.house_rules.rule import Json

_PLACES: Final = {
    "partition": re.compile(r"\barn:aws[a-z-]*:"),
    "region": re.compile(r"\b(af|ap|ca|cn|eu|il|me|mx|sa|us)(-gov|-isob?)?-[a-z]+-\d\b"),
    "account": re.compile(r"(?<![\w.-])\d{12}(?![\w.-])"),
}


def _hard_coded(template: Json) -> Iterator[Fault]:
    for name, resource in template.get("Resources", {}).items():
        for path, text in strings(resource.get("Properties", {}), ("Resources", name, "Properties")):
            for what, pattern in _PLACES.items():
                if found := pattern.search(text):
                    message = f"{found[0]!r} is a literal {what}; use the pseudo parameter AWS::"
                    yield Fault(path, message + _PSEUDO[what])


_PSEUDO: Final = {"partition": "Partition", "region": "Region", "account": "AccountId"}

ANYWHERE: Final = HouseRule(
    "E9009",
    "No account, region or partition is written down",
    "A template that names one works there alone, and fails elsewhere after it was reviewed.",
    _hard_coded,
)
