"""Every house rule, in the order of its id."""

from __future__ import annotations

from typing import Final

from pipelines.core import stack_tags
from pipelines.lint.house_rules import (
    alarms,
    buckets,
    descriptions,
    functions,
    names,
    permissions,
    portability,
    retention,
)

TEMPLATE_RULES: Final = (
    names.NO_LITERAL_NAMES,
    functions.FUNCTIONS_IN_VPC,
    retention.LOG_GROUPS,
    buckets.TLS_ONLY,
    retention.DELETION_POLICIES,
    alarms.RUNBOOK,
    descriptions.DESCRIBED,
    portability.ANYWHERE,
    permissions.NO_WILDCARDS,
    permissions.REASONS,
)
IDS: Final = sorted([*(rule.rule_id for rule in TEMPLATE_RULES), stack_tags.RULE_ID])
