"""SQS: who may write to queues, what other services write to them, and how many messages wait.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
"""

import fnmatch
import json
import time
from collections.abc import Iterator
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import sqs

from embedded_aws.core import ministack_names as private
from embedded_aws.core import registration
from embedded_aws.core.api import Json


def url_of(arn: str) -> str | None:
    """Return the URL of a queue of this account and region; None if there is none."""
    for url, queue in private.sqs.queues.items():
        if queue["attributes"]["QueueArn"] == arn:
            return str(url)
    return None


def lets_in(url: str, service: str, source: str) -> bool:
    """Whether the queue's own policy lets a service send messages for a source."""
    policy = json.loads(private.sqs.queues[url]["attributes"].get("Policy") or "{}")
    return any(_allows(statement, service, source) for statement in policy.get("Statement", []))


def send(url: str, body: str, attributes: dict[str, str]) -> None:
    """Send a message from a thread that runs no event loop."""
    typed = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
    request = {"QueueUrl": url, "MessageBody": body, "MessageAttributes": typed}
    registration.call_service(sqs, "AmazonSQS.SendMessage", request)


def waiting() -> Iterator[tuple[str, int]]:
    """Yield the names of this account's and region's queues, and how many messages each has to give."""
    now, place = time.time(), f":{get_region()}:{get_account_id()}:"
    for queue in list(private.sqs.queues.values()):
        if place in queue["attributes"]["QueueArn"]:
            yield queue["name"], sum(message["visible_at"] <= now for message in queue["messages"])


def _allows(statement: Json, service: str, source: str) -> bool:
    principal = statement.get("Principal")
    services = principal.get("Service", []) if isinstance(principal, dict) else []
    if statement.get("Effect") != "Allow" or service not in _list(services):
        return False
    if not {"sqs:SendMessage", "sqs:*", "*"} & set(_list(statement.get("Action"))):
        return False
    wanted = [
        pattern
        for operator, keys in statement.get("Condition", {}).items()
        for key, patterns in keys.items()
        if operator.startswith(("Arn", "String")) and key.lower() == "aws:sourcearn"
        for pattern in _list(patterns)
    ]
    return not wanted or any(fnmatch.fnmatchcase(source, pattern) for pattern in wanted)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
