"""Every house rule, in the order of its id."""

from __future__ import annotations

from typing import Final

from pipelines.house_rules import alarms, buckets, functions, keeping, names, permissions, places, tags, words

TEMPLATE_RULES: Final = (
    names.NO_LITERAL_NAMES,
    functions.FUNCTIONS_IN_VPC,
    keeping.LOG_GROUPS,
    buckets.TLS_ONLY,
    keeping.DELETION_POLICIES,
    alarms.RUNBOOK,
    words.DESCRIBED,
    places.ANYWHERE,
    permissions.NO_WILDCARDS,
    permissions.REASONS,
)
IDS: Final = sorted([*(rule.rule_id for rule in TEMPLATE_RULES), tags.RULE_ID])
