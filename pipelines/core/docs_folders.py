"""The folders of the docs site: one for each environment and branch, and the evidence of releases."""

from typing import Final

from templates.capabilities.docs_distribution import PRODUCTION_FOLDER

ENVIRONMENTS: Final = (PRODUCTION_FOLDER, "staging")
BRANCHES: Final = "branches/"
EVIDENCE: Final = "evidence/"
VERSIONS: Final = "versions.json"
"""What the version selector of Material for MkDocs reads beside a version's folder (`provider: mike`)."""
