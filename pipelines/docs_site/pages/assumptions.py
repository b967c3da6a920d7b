"""The register of assumptions: what nobody has proven on real AWS, the weakest evidence first."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from pipelines.assumptions import register
from pipelines.assumptions.evidence import KINDS, Assumed, Documented, Recorded
from pipelines.docs_site.markdown import code, codes, page, prose, table
from pipelines.doctor.proofs import PROOFS, SETTLED_BY_ACCEPTANCE

if TYPE_CHECKING:
    from pipelines.assumptions.evidence import Assumption, Evidence

PAGE: Final = "reference/assumptions.md"
_INTRODUCTION: Final = """\
This system has not run on live AWS, Atlas or Stripe, and the embedded AWS proves nothing about them. So
everything that it believes of them and leans on is an entry here, with its evidence, the weakest first:

- **assumed**: no page says so; the entry names the pages that were searched, and what happens if it is wrong;
- **documented**: a page of the provider's documentation says so;
- **schema**: CloudFormation's schema of the resource type says so, and a test reads it there;
- **recorded**: an answer of the service itself that somebody published.

`payments prove` settles some of them by small experiments on an account that is lent for it, and removes what
it made. With `--acceptance` it deploys everything there instead, places orders on a branch, releases twice,
rolls back and removes all of it: whatever that rests on is settled, too.
"""
_PROVEN: Final = {
    **dict.fromkeys((proof.assumption for proof in PROOFS), "`payments prove`"),
    **dict.fromkeys(SETTLED_BY_ACCEPTANCE, "`payments prove --acceptance`"),
}
_MEANINGS: Final = {
    "create-only": "can be set at creation alone",
    "has": "exists",
    "lacks": "does not exist",
}


def assumptions_page() -> str:
    """Return the page: how many there are of each kind, then all of them."""
    entries = register.weakest_first()
    counts = Counter(entry.evidence.kind for _, entry in entries)
    kinds = [kind.kind for kind in KINDS]
    summary = table(("evidence", "entries"), [(kind, str(counts[kind])) for kind in kinds])
    parts = [_INTRODUCTION, summary]
    for kind in kinds:
        parts.append(f"## {kind.capitalize()}\n")
        parts += [_section(subject, entry) for subject, entry in entries if entry.evidence.kind == kind]
    return page("What is assumed of AWS", ["pipelines/assumptions"], *parts)


def _section(subject: str, entry: Assumption) -> str:
    rows = [
        ("subject", prose(subject)),
        ("evidence", _evidence(entry.evidence)),
        ("used by", codes(entry.used)),
        ("to prove it", _PROVEN.get(entry.name) or prose(entry.proof)),
    ]
    if isinstance(entry.evidence, Assumed):
        rows.append(("if it is wrong", prose(entry.evidence.otherwise)))
    return f"### {entry.name}\n\n{prose(entry.claim)}\n\n{table(('', ''), rows)}"


def _evidence(evidence: Evidence) -> str:
    if isinstance(evidence, Assumed):
        return "assumed; searched " + ", ".join(f"<{page}>" for page in evidence.searched)
    if isinstance(evidence, Documented):
        return f"documented: <{evidence.page}>"
    if isinstance(evidence, Recorded):
        return f"recorded in {evidence.when}: <{evidence.page}>"
    return f"schema of {code(evidence.resource_type)}: {code(evidence.name)} {_MEANINGS[evidence.says]}"
