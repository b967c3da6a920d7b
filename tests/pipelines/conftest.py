"""AWS as its own client knows it: every question and every answer is held to the service's model."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import boto3
    from botocore.stub import Stubber

    from pipelines.aws.accounts import Aws

Json = dict[str, Any]
Call = tuple[str, Json, Json]
"""An operation of AWS, what it must be asked with, and what it answers."""


@pytest.fixture(scope="session")
def session() -> boto3.Session:
    """Credentials that nobody takes; a session reads the models of services once."""
    import boto3  # noqa: PLC0415 - few tests need it

    return boto3.Session("key", "secret", region_name="eu-central-1")


@pytest.fixture
def aws(session: boto3.Session) -> Aws:
    """Production's account, of which nothing is reached."""
    from environments import schema  # noqa: PLC0415 - the same
    from pipelines.aws.accounts import Aws  # noqa: PLC0415 - the same

    return Aws(schema.load("prod"), acting=session)


@pytest.fixture
def answers(aws: Aws) -> Iterator[Callable[..., None]]:
    """Let a service answer these calls, in this order; at the end all of them were made."""
    from botocore.stub import Stubber  # noqa: PLC0415 - few tests need it

    with ExitStack() as ended:
        stubs: dict[str, Stubber] = {}

        def answer(service: str, *calls: Call, client: Any = None, refused: str = "") -> None:
            if service not in stubs:
                stubs[service] = Stubber(client or aws.client(service))
                stubs[service].activate()
                ended.callback(stubs[service].assert_no_pending_responses)
            for operation, asked, answered in calls:
                stubs[service].add_response(operation, answered, asked)
            if refused:
                stubs[service].add_client_error(refused, "AccessDenied", f"no {refused}")

        answer.stubs = stubs  # type: ignore[attr-defined]  # for a refusal of a test's own
        yield answer
