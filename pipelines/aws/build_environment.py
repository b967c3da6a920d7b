"""What a pipeline hands to a build: environment variables, and roles that the build may assume."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from environments import schema
from pipelines.aws import accounts
from pipelines.aws.accounts import Aws, session
from pipelines.core.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

_INITIATED_BY = "CODEBUILD_INITIATOR"
_INITIATOR = "codepipeline/"


def variable(name: str, environ: Mapping[str, str] | None = None) -> str:
    """Return the value of an environment variable that the pipeline sets for this build.

    Raises:
        Refused: It is not set.
    """
    value = (os.environ if environ is None else environ).get(name, "")
    if not value:
        raise Refused(f"{name} is not set.", "A pipeline sets it; see pipelines/definitions.")
    return value


def by_a_pipeline() -> bool:
    """Return whether a pipeline started this build, and not a person at a terminal."""
    return os.environ.get(_INITIATED_BY, "").startswith(_INITIATOR)


def pipeline_name() -> str:
    """Return the name of the pipeline that started this build.

    Source: CodeBuild user guide, "Environment variables in build environments", CODEBUILD_INITIATOR.

    Raises:
        Refused: No pipeline did.
    """
    initiator = variable(_INITIATED_BY)
    if not initiator.startswith(_INITIATOR):
        raise Refused(f"This build was started by {initiator}, not by a pipeline.")
    return initiator.removeprefix(_INITIATOR)


def looking_at(environment_name: str) -> Aws:
    """Return an environment's account as seen by its inspection role, which changes nothing there.

    The role is what `<ENVIRONMENT>_INSPECTION_ROLE` names.

    Raises:
        Refused: No role is named.
    """
    environment = schema.load(environment_name)
    role = variable(f"{environment_name.upper()}_INSPECTION_ROLE")
    tools = accounts.connect_tools()
    credentials = tools.client("sts").assume_role(RoleArn=role, RoleSessionName="payments-build")[
        "Credentials"
    ]
    keys = (credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"])
    acting = session(environment.region, *keys)
    return Aws(environment, tools.endpoint, acting=acting)
