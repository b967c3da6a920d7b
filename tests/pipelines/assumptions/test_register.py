"""The register of assumptions is complete, and as strong as its evidence says."""

import re
from collections import Counter
from urllib.parse import urlsplit

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from pipelines.assumptions import register
from pipelines.assumptions.evidence import KINDS, Assumed, Assumption, Documented, Recorded, Schema
from pipelines.core.repository import ROOT

ENTRIES = [entry for _, entry in register.weakest_first()]
EACH = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
PROVIDERS = {"docs.aws.amazon.com", "www.mongodb.com", "docs.stripe.com"}


def pages(entry: Assumption) -> list[str]:
    evidence = entry.evidence
    if isinstance(evidence, Assumed):
        return list(evidence.searched)
    return [evidence.page] if isinstance(evidence, Documented | Recorded) else []


@EACH
def test_what_leans_on_it_exists(entry: Assumption) -> None:
    assert entry.used
    assert [name for name in entry.used if not (ROOT / name).is_file()] == []


@EACH
def test_its_pages_are_addresses_and_documents_are_the_providers_own(entry: Assumption) -> None:
    addresses = [urlsplit(page) for page in pages(entry)]
    assert all(address.scheme == "https" and address.path.strip("/") for address in addresses)
    if isinstance(entry.evidence, Documented):
        assert {address.hostname for address in addresses} <= PROVIDERS


@EACH
def test_an_assumed_one_says_where_was_searched_and_what_if_it_is_wrong(entry: Assumption) -> None:
    if isinstance(entry.evidence, Assumed):
        assert entry.evidence.searched
        assert entry.evidence.otherwise.endswith(".")


@EACH
def test_it_is_a_sentence_that_can_be_proven(entry: Assumption) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", entry.name)
    assert entry.claim[0].isupper() or entry.claim.startswith("startExecution")
    assert entry.claim.endswith(".")
    assert entry.proof


@pytest.mark.parametrize(
    "entry", [entry for entry in ENTRIES if isinstance(entry.evidence, Schema)], ids=lambda entry: entry.name
)
def test_a_schema_says_what_the_register_says(entry: Assumption) -> None:
    # Given the type's schema, as CloudFormation publishes it
    evidence = entry.evidence
    assert isinstance(evidence, Schema)
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", evidence.resource_type).schema
    # Then it says it
    said = {
        "has": evidence.name in schema["properties"],
        "lacks": evidence.name not in schema["properties"],
        "create-only": f"/properties/{evidence.name}" in schema.get("createOnlyProperties", []),
    }
    assert said[evidence.says]


def test_names_are_unique_and_the_weakest_evidence_comes_first() -> None:
    assert [name for name, times in Counter(entry.name for entry in ENTRIES).items() if times > 1] == []
    ranks = [KINDS.index(type(entry.evidence)) for entry in ENTRIES]
    assert ranks == sorted(ranks)
