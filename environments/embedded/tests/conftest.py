"""An instance for all tests that want one, and what they play with on it."""

import functools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.config
import pytest
from embedded_workbench import (
    ACCOUNT,
    REGION,
    behaving,
    hurried,
    make_function,
    make_workflow,
    role,
    stack,
)

from embedded_aws import instance

__all__ = ["behaving", "hurried", "make_function", "make_workflow", "role", "stack"]


@pytest.fixture(scope="session")
def embedded() -> Iterator[instance.Instance]:
    """An embedded AWS for the whole run, without a database; it ends with this process."""
    root = Path(tempfile.mkdtemp(prefix="embedded-aws-"))
    yield instance.start(root, mongodb=False, attached=True)
    instance.stop(root)


@pytest.fixture(scope="session")
def aws(embedded: instance.Instance) -> Callable[..., Any]:
    """Make a boto3 client: `aws("lambda")`, `aws("ec2", account="1" * 12)`, or with other credentials."""
    session: Any = boto3.session.Session()  # whose `client` is typed by literal service names
    config = botocore.config.Config(retries={"max_attempts": 0}, max_pool_connections=32)

    @functools.cache  # a client takes a tenth of a second to make
    def client(service: str, account: str = ACCOUNT, region: str = REGION, **credentials: str) -> Any:
        keys = {"aws_access_key_id": account, "aws_secret_access_key": "any"} | credentials
        return session.client(
            service, region_name=region, endpoint_url=embedded.endpoint, config=config, **keys
        )

    return client
