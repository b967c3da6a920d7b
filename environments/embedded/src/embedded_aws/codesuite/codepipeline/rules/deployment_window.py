"""DeploymentWindow: https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-DeploymentWindow.html."""

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from embedded_aws.codesuite.codepipeline.rules import cron
from embedded_aws.codesuite.codepipeline.rules.rule import Rule, RuleFailed


def check(rule: Rule) -> None:
    """Hold when now is inside the window that the cron expression describes."""
    name = rule.configuration.get("TimeZone", "UTC")
    try:
        now = datetime.now(ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError):
        raise RuleFailed(f"Time zone {name} is not known") from None
    try:
        inside = cron.matches(rule.configuration["Cron"], now)
    except ValueError as error:
        raise RuleFailed(f"Cron expression {rule.configuration['Cron']}: {error}") from None
    if not inside:
        raise RuleFailed(
            f"{now:%a %Y-%m-%d %H:%M %Z} is outside of the deployment window {rule.configuration['Cron']}"
        )
