"""An instance for all tests that want one, and what they play with on it."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from codepipeline_workbench import repository, workshop
from embedded_workbench import behaving, clients, hurried, make_function, make_workflow, role, stack

from embedded_aws import instance

__all__ = ["behaving", "hurried", "make_function", "make_workflow", "repository", "role", "stack", "workshop"]


@pytest.fixture(scope="session")
def embedded() -> Iterator[instance.Instance]:
    """An embedded AWS for the whole run, without a database; it ends with this process."""
    root = Path(tempfile.mkdtemp(prefix="embedded-aws-"))
    yield instance.start(root, mongodb=False, attached=True)
    instance.stop(root)


@pytest.fixture(scope="session")
def aws(embedded: instance.Instance) -> Callable[..., Any]:
    """What makes boto3 clients for the embedded AWS."""
    return clients(embedded.endpoint)
