"""SQS: who may write to queues, what other services write to them, and how many messages wait.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
"""

import fnmatch
import json
from typing import Any

from ministack.services import sqs

from embedded_aws.core import registration
from embedded_aws.core.api import Json

_TARGET, _VISIBLE = "AmazonSQS", "ApproximateNumberOfMessages"


def url_of(arn: str) -> str | None:
    """Return the URL of a queue of this account and region; None if there is none."""
    try:
        return str(_call("GetQueueUrl", {"QueueName": arn.rpartition(":")[2]})["QueueUrl"])
    except ValueError:
        return None


def lets_in(url: str, service: str, source: str) -> bool:
    """Whether the queue's own policy lets a service send messages for a source."""
    asked = {"QueueUrl": url, "AttributeNames": ["Policy"]}
    text = _call("GetQueueAttributes", asked).get("Attributes", {}).get("Policy")
    return any(
        _allows(statement, service, source) for statement in json.loads(text or "{}").get("Statement", [])
    )


def send(url: str, body: str, attributes: dict[str, str]) -> None:
    """Send a message."""
    typed = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
    _call("SendMessage", {"QueueUrl": url, "MessageBody": body, "MessageAttributes": typed})


async def waiting() -> dict[str, int]:
    """Return how many messages each queue of this account and region has to give, by its name."""
    counted = {}
    for url in (await registration.call_service_soon(sqs, f"{_TARGET}.ListQueues", {})).get("QueueUrls", []):
        asked = {"QueueUrl": url, "AttributeNames": [_VISIBLE]}
        answer = await registration.call_service_soon(sqs, f"{_TARGET}.GetQueueAttributes", asked)
        counted[url.rpartition("/")[2]] = int(answer["Attributes"][_VISIBLE])
    return counted


def _call(action: str, request: Json) -> Json:
    """Make a call from a thread that runs no event loop."""
    return registration.call_service(sqs, f"{_TARGET}.{action}", request)


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
