"""What a pipeline tells a build: by environment variables, and by the roles that it may take on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from environments import schema
from pipelines.aws import sessions, tools_account
from pipelines.aws.accounts import Aws
from pipelines.core.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

_INITIATED_BY = "CODEBUILD_INITIATOR"
_INITIATOR = "codepipeline/"


def told(variable: str, environ: Mapping[str, str] | None = None) -> str:
    """What the pipeline said under this name.

    Raises:
        Refused: It said nothing.
    """
    value = (os.environ if environ is None else environ).get(variable, "")
    if not value:
        raise Refused(f"{variable} is not set.", "A pipeline sets it; see pipelines/definitions.")
    return value


def by_a_pipeline() -> bool:
    """Whether a pipeline started this build, and not a person at a terminal."""
    return os.environ.get(_INITIATED_BY, "").startswith(_INITIATOR)


def pipeline_name() -> str:
    """The pipeline that started this build.

    Source: CodeBuild user guide, "Environment variables in build environments", CODEBUILD_INITIATOR.

    Raises:
        Refused: No pipeline did.
    """
    initiator = told(_INITIATED_BY)
    if not initiator.startswith(_INITIATOR):
        raise Refused(f"This build was started by {initiator}, not by a pipeline.")
    return initiator.removeprefix(_INITIATOR)


def looking_at(environment_name: str) -> Aws:
    """An environment's account, seen through its inspection role, which changes nothing there.

    The role is what `<ENVIRONMENT>_INSPECTION_ROLE` names.

    Raises:
        Refused: No role is named.
    """
    environment = schema.load(environment_name)
    role = told(f"{environment_name.upper()}_INSPECTION_ROLE")
    tools = tools_account.connect()
    given = tools.client("sts").assume_role(RoleArn=role, RoleSessionName="payments-build")["Credentials"]
    keys = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    acting = sessions.session(environment.region, *keys)
    return Aws(environment, tools.endpoint, acting=acting)
