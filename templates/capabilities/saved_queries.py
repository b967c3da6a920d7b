"""Saved queries of CloudWatch Logs Insights: what is asked of logs when the data API does not answer.

No value of an order is in them: who asks puts its id in the place of ORDER.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from troposphere import Sub
from troposphere.logs import QueryDefinition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from troposphere import Template

    from templates.capabilities.functions import DeployedFunction

_FIELDS = "fields @timestamp, @log, message, error, kind, detail, route, status, request_id, function_version"
QUERIES = {
    "OneOrder": ("one order", f"{_FIELDS} | filter order_id = 'ORDER' | sort @timestamp asc | limit 1000"),
    "FailuresByError": (
        "failures by error",
        "fields @timestamp | filter ispresent(error) | stats count(*) as failures by error, kind, bin(5m)",
    ),
    "FailuresByVersion": (
        "failures by function version",
        "fields @timestamp | filter ispresent(error) | stats count(*) as failures by @log, function_version",
    ),
    "SlowRequests": (
        "slow requests",
        "fields @timestamp, route, status, milliseconds | filter milliseconds > 999 | sort milliseconds desc",
    ),
}
"""By logical id: what each is called after its stack's name, and its text."""


def add_saved_queries(template: Template, functions: Sequence[DeployedFunction]) -> None:
    """Add the queries over the logs of these functions, each in a folder of the stack's name."""
    for title, (name, text) in QUERIES.items():
        template.add_resource(
            QueryDefinition(
                f"{title}Query",
                Name=Sub(f"${{AWS::StackName}}/{name}"),
                QueryString=text,
                LogGroupNames=[function.logs.name for function in functions],
            )
        )
