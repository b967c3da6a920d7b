"""The tools account, as `tools.yml` says it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from environments.files import EnvironmentInvalid, problems_of, read_yaml
from environments.parts import (  # noqa: TC001 - pydantic reads the annotations at run time
    Account,
    Region,
    StackName,
)

FILE = Path(__file__).with_name("tools.yml")

PIPELINES_STACK: Final = "payments-pipelines"
DOCS_STACK: Final = "payments-docs"
PREVIEWS_STACK: Final = "payments-previews"

_CRON_FIELDS = 7
Text = Annotated[str, StringConstraints(min_length=1)]
Repository = Annotated[str, StringConstraints(pattern=r"^[\w.-]+(/[\w.-]+)+$")]


def _cron(value: str) -> str:
    """Source: CodePipeline user guide, rule DeploymentWindow."""
    fields = value.split()
    if len(fields) not in {_CRON_FIELDS - 1, _CRON_FIELDS} or fields[0] != "*":
        raise ValueError(f"{value!r} is not * and then minutes, hours, day, month, weekday and maybe year")
    return value


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class DeploymentWindow(_Part):
    """When production may change."""

    cron: Annotated[str, AfterValidator(_cron)]
    time_zone: Text


class Tools(_Part):
    """Where the pipelines live, what they watch, and how patient they are.

    Attributes:
        repository: `owner/name` at the provider.
        provider: Who hosts the repository (CodeConnections API reference, ProviderType).
        release_branch: The branch that goes to production; every other one gets a stack of its own.
        bootstrap_stack: What the names of the bootstrap stacks begin with; each environment has its own.
        bake_minutes: How long production is watched before a release counts as done.
        approval_hours: How long a release waits for approval.
        branch_expiry_days: How long a branch stack lives without a push.
        branch_expiry_check: When to look for expired ones (EventBridge Scheduler's cron, UTC).
    """

    account: Account
    region: Region
    repository: Repository
    provider: Literal["Bitbucket", "GitHub", "GitHubEnterpriseServer", "GitLab", "GitLabSelfManaged"]
    release_branch: Text
    bootstrap_stack: StackName
    deployment_window: DeploymentWindow
    bake_minutes: Annotated[int, Field(ge=1, le=1440)]
    approval_hours: Annotated[int, Field(ge=1, le=1440)]
    branch_expiry_days: Annotated[int, Field(ge=1, le=365)]
    branch_expiry_check: Annotated[str, StringConstraints(pattern=r"^(cron|rate)\(.+\)$")]

    def bootstrap_of(self, environment: str) -> str:
        """Return the name of an environment's bootstrap stack."""
        return f"{self.bootstrap_stack}-{environment}"

    def rehearsed(self) -> Self:
        """A copy for a rehearsal on one machine: production may change at any minute, and bakes for one."""
        window = self.deployment_window.model_copy(update={"cron": "* * * ? * * *"})
        return self.model_copy(update={"deployment_window": window, "bake_minutes": 1})


def load(file: Path = FILE) -> Tools:
    """Read and check the file.

    Raises:
        EnvironmentInvalid: It breaks rules; every one of them is listed.
    """
    try:
        return Tools.model_validate(read_yaml(file.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise EnvironmentInvalid(file.name, problems_of(error)) from error
