"""The error taxonomy: what each error is to the workflow, and what it looks like to a caller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from payment_data import error_names, errors
from pipelines.docs_site.markdown import code, codes, prose, table

if TYPE_CHECKING:
    from pipelines.docs_site.drift import Drift

SOURCE: Final = "lambdas/payment_data/src/payment_data/errors.py"
PAGE: Final = "reference/errors.md"
_DONE: Final = {
    errors.Kind.BUSINESS: "Never retried; the order is undone.",
    errors.Kind.CONTRACT: "Never retried; the order is undone, and an alarm fires.",
    errors.Kind.NOT_APPLIED: "Nothing happened; retried with full jitter.",
    errors.Kind.UNKNOWN_OUTCOME: "It may have happened; asked again with the same key, then resolved.",
    errors.Kind.PENDING: "It is under way; asked again, for weeks.",
    errors.Kind.PARKED: "Waits for a person, who redrives it.",
}
_AWS: Final = {
    "Nothing happened; retried": [
        name for name in error_names.NOT_APPLIED_ERRORS if name not in errors.BY_NAME
    ],
    "It may have happened; asked again": [
        name for name in error_names.UNKNOWN_OUTCOME_ERRORS if name not in errors.BY_NAME
    ],
}


def facts(drift: Drift) -> dict[str, str]:
    """Return a table of each error's facts, by its name."""
    tables = {}
    for name, error in errors.BY_NAME.items():
        # A class without a docstring of its own has its parent's to show, which says nothing of it.
        own = error.__dict__.get("__doc__")
        meaning = drift.described(own, f"The error {name}", SOURCE, PAGE)
        rows = [
            ["Meaning", prose(meaning)],
            ["Kind", f"{error.kind.value}: {_DONE[error.kind]}"],
            ["HTTP", f"{error.status}, problem type {code(error.type_uri())}, title “{prose(error.title)}”"],
        ]
        tables[name] = table(["Fact", "Value"], rows)
    return tables


def overview() -> str:
    """Return tables of all errors by kind, and of those that AWS itself reports."""
    rows = [
        [kind.value, done, ", ".join(f"[{name}](#{name.lower()})" for name in _names(kind))]
        for kind, done in _DONE.items()
    ]
    ours = table(["Kind", "What a workflow does", "Errors"], rows)
    theirs = table(
        ["What a workflow does", "Errors that AWS reports"], [[k, codes(v)] for k, v in _AWS.items()]
    )
    return f"{ours}\n{theirs}"


def _names(kind: errors.Kind) -> list[str]:
    return [name for name, error in errors.BY_NAME.items() if error.kind is kind]
