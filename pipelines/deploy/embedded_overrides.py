"""What builds on the embedded AWS are told beyond what builds on AWS are.

Their databases are not those of the environments' files, and what they would download again and again is
on this machine already. `pipeline deploy` puts it into the projects' environment there, and there alone.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Final

from troposphere.codebuild import EnvironmentVariable, Project
from uv import find_uv_bin

from pipelines.build import dependencies
from pipelines.core.repository import CACHE, ROOT
from pipelines.deploy import deployment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from troposphere import Template

    from environments.schema import Environment
    from pipelines.aws.accounts import Aws

DATABASES: Final = "PAYMENTS_REHEARSED_DATABASES"
"""Holds, as JSON, the database of each environment."""
SHORTER: Final = 12
"""How many times faster the embedded AWS's minutes pass in a rehearsal: 5 s each, for alarms and gates."""
CLOUDFRONT_PATH: Final = "/_cloudfront/"
"""Where viewers of a distribution come in on the embedded AWS, which no name of CloudFront's leads to."""
_LONGEST_QUEUE: Final = 480
"""Minutes (CodeBuild API reference, CreateProject)."""


def variables(targets: Mapping[str, Aws]) -> dict[str, str]:
    """The variables of builds beside these accounts of an embedded AWS."""
    databases = {
        name: deployment.with_database(there).database.model_dump(mode="json")
        for name, there in targets.items()
    }
    return {
        DATABASES: json.dumps(databases, sort_keys=True),
        # No network is needed to rehearse, and so nobody may be there to ask for advisories.
        "PAYMENTS_AUDIT_UNCHECKED": "advisories history",
        "PAYMENTS_CACHE": str(CACHE),
        # Half of what a build does would be to compile the same modules as the build before it.
        "PYTHONPYCACHEPREFIX": str(CACHE / "bytecode"),
        "UV": find_uv_bin(),
        "UV_CACHE_DIR": dependencies.uv(["cache", "dir"], cwd=ROOT).strip(),
    }


def tell(template: Template, told: Mapping[str, str]) -> Template:
    """Give every project of a template these variables as well; they win over a buildspec's.

    Its time-outs become longer by as much as an AWS minute is shorter there.
    """
    for resource in template.resources.values():
        if isinstance(resource, Project) and told:
            resource.TimeoutInMinutes *= SHORTER
            resource.QueuedTimeoutInMinutes = min(resource.QueuedTimeoutInMinutes * SHORTER, _LONGEST_QUEUE)
            resource.Environment.EnvironmentVariables += [
                EnvironmentVariable(Name=name, Value=value, Type="PLAINTEXT") for name, value in told.items()
            ]
    return template


def environment(stated: Environment) -> Environment:
    """The environment as its file states it, or in a rehearsal as it is there: its database, and zips."""
    databases = json.loads(os.environ.get(DATABASES, "{}"))
    if stated.name not in databases:
        return stated
    return stated.as_zips().with_database(**databases[stated.name])
