"""Every house rule, in the order of its id."""

from __future__ import annotations

from typing import Final

from pipelines.definitions import configuration_file
from pipelines.lint.house_rules import descriptions, permissions, portability, protection

TEMPLATE_RULES: Final = (
    portability.NO_LITERAL_NAMES,
    protection.FUNCTIONS_IN_VPC,
    protection.LOG_GROUPS,
    protection.TLS_ONLY,
    protection.DELETION_POLICIES,
    descriptions.RUNBOOK,
    descriptions.DESCRIBED,
    portability.ANYWHERE,
    permissions.NO_WILDCARDS,
    permissions.REASONS,
)
IDS: Final = sorted([*(rule.rule_id for rule in TEMPLATE_RULES), configuration_file.TAGS_RULE])
