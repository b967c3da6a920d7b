"""The tools account, where the pipelines live: not an environment, but reached like one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from environments import schema
from environments import tools as tools_file
from pipelines.aws.accounts import Aws, session

if TYPE_CHECKING:
    from environments.tools import Tools

PIPELINES_STACK: Final = "payments-pipelines"
DOCS_STACK: Final = "payments-docs"
PREVIEWS_STACK: Final = "payments-previews"
"""The docs of branches, on an origin of their own."""
IN_A_BUILD: Final = "CODEBUILD_BUILD_ID"
"""CodeBuild sets it (user guide, "Environment variables in build environments")."""


def connect(endpoint_url: str | None = None, tools: Tools | None = None) -> Aws:
    """Return the tools account at an endpoint, else at AWS_ENDPOINT_URL, else on AWS.

    In a build its own role is used; elsewhere the caller's credentials, or on the embedded AWS the
    account's root.
    """
    tools = tools or tools_file.load()
    # Everything that an environment says beyond account and region is the systems', not the tools'.
    place = {"name": "tools", "account": tools.account, "region": tools.region}
    environment = schema.load("branch").model_copy(update=place)
    own = session(tools.region) if IN_A_BUILD in os.environ else None
    return Aws(environment, endpoint_url or os.environ.get("AWS_ENDPOINT_URL"), acting=own)
