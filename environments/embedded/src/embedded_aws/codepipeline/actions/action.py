"""One action at work: what it was told, what it may use, how it tells what comes of it."""

import posixpath
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, Unpack, cast

from botocore.exceptions import ClientError

from embedded_aws.codebuild import sources
from embedded_aws.codepipeline import artifact_store, executions
from embedded_aws.codepipeline.records import ActionRun, Execution, Location, Progress
from embedded_aws.core import background, runtime
from embedded_aws.core.api import Json, Scope
from embedded_aws.iam import role_sessions

_T = TypeVar("_T")
_POLL_SECONDS = 0.15
_DEFAULT_TIMEOUT_MINUTES = 60
_TIMEOUT_MINUTES = {"CodeBuild": 8 * 60, "CloudFormation": 3 * 24 * 60}
"""Where an action has another time than most: https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html."""


class ActionFailed(Exception):  # noqa: N818 - it says what happened
    """The action did not succeed; the message is shown in the pipeline."""

    def __init__(self, message: str, code: str = "JobFailed") -> None:
        super().__init__(message)
        self.code = code


class Abandoned(Exception):  # noqa: N818 - it says what happened
    """The execution was stopped and does not wait for its actions."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an action succeeded."""

    variables: dict[str, str] = field(default_factory=dict)
    summary: str = ""
    revision: Json | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """What a provider works with.

    Attributes:
        scope: of the pipeline.
        execution: the pipeline execution's record as it was when the action began.
        run: the action execution's record.
        configuration: with all variables resolved.
        session: the action's role, or the pipeline's.
        store: the pipeline's artifact store, used with the pipeline's own role.
        folder: this action's scratch folder.
        again: whether the action was begun by a process that is gone.
    """

    scope: Scope
    execution: Execution
    run: ActionRun
    configuration: dict[str, str]
    session: role_sessions.RoleSession
    store: artifact_store.ArtifactStore
    folder: Path
    again: bool = False

    @property
    def declaration(self) -> Json:
        """The action as the pipeline declares it: an ActionDeclaration of the API."""
        declared: Json = self.run["declaration"]
        return declared

    @property
    def identifier(self) -> str:
        """The action execution's id."""
        return str(self.run["id"])

    def input_location(self, name: str) -> Location:
        """Return where an input artifact is in S3.

        Raises:
            ActionFailed: It is no input of this action.
        """
        for artifact in self.run["inputs"]:
            if artifact["name"] == name:
                return artifact["s3location"]
        raise ActionFailed(
            f"Artifact {name} is not an input artifact of this action.", "InvalidConfiguration"
        )

    def input_folder(self, name: str | None = None) -> Path:
        """Fetch and unpack an input artifact, the first one when none is named."""
        wanted = name or self.declaration["inputArtifacts"][0]["name"]
        folder = self.folder / "in" / wanted
        if not folder.exists():
            folder.mkdir(parents=True)
            sources.unpack(self._archive(wanted), folder)
        return folder

    def input_file(self, reference: str) -> Path:
        """Find `artifact::path`; nothing else of the artifact is unpacked.

        Raises:
            ActionFailed: The artifact has no such file.
        """
        name, _, path = reference.partition("::")
        with zipfile.ZipFile(self._archive(name)) as zipped:
            try:
                return Path(zipped.extract(posixpath.normpath(path), self.folder / "file" / name))
            except KeyError:
                raise ActionFailed(
                    f"File [{path}] does not exist in artifact [{name}]", "ConfigurationError"
                ) from None

    def _archive(self, name: str) -> Path:
        archive = self.folder / f"{name}.zip"
        if not archive.exists():
            self.store.fetch(self.input_location(name), archive)
        return archive

    def put_output(self, files: dict[str, Path], name: str | None = None, *, acl: str | None = None) -> None:
        """Zip files into an output artifact, the first one when none is named."""
        if not self.declaration["outputArtifacts"]:
            return
        wanted = name or self.declaration["outputArtifacts"][0]["name"]
        archive = self.store.packed(files, self.folder / f"{wanted}-out.zip")
        self.put_output_archive(archive, wanted, acl=acl)

    def put_output_archive(self, archive: Path, name: str, *, acl: str | None = None) -> None:
        """Store a zip as an output artifact."""
        self.add_output(name, self.store.put(self.execution["pipelineName"], name, archive, acl=acl))

    def add_output(self, name: str, location: Location) -> None:
        """Note an output artifact that is in S3 already."""
        self.run["outputs"].append({"name": name, "s3location": location})

    def report(self, **fields: Unpack[Progress]) -> None:
        """Show how the action comes along."""
        with runtime.current().store.transaction():
            current = executions.find_action(self.execution, self.identifier)
            if current["status"] == "InProgress":
                executions.keep_action(cast("ActionRun", {**current, **fields}))
        self.run.update(cast("ActionRun", fields))

    def until(self, ready: Callable[[], _T | None]) -> _T:
        """Ask again and again until there is an answer.

        Raises:
            Abandoned: the execution was stopped meanwhile.
            ActionFailed: the action's time is over.
        """
        usual = _TIMEOUT_MINUTES.get(self.declaration["actionTypeId"]["provider"], _DEFAULT_TIMEOUT_MINUTES)
        minutes = self.declaration.get("timeoutInMinutes") or usual
        try:
            answer = background.wait_for(
                ready, seconds=runtime.current().seconds(minutes), every=_POLL_SECONDS, pause=self._pause
            )
        except background.Interrupted:
            raise Abandoned from None
        if answer is None:
            raise ActionFailed(f"The action did not finish within {minutes} minutes.", "TimeoutError")
        return answer

    def _pause(self, seconds: float) -> bool:
        stopping = runtime.current().stopping.wait(seconds)
        return stopping or executions.find_action(self.execution, self.identifier)["status"] != "InProgress"

    def call(self, service: str, method: str, **arguments: Any) -> Json:
        """Call a service as the action's role; the answer is that of the client's `method`.

        Raises:
            ActionFailed: the service refuses.
        """
        try:
            answer: Json = getattr(self.session.client(service), method)(**arguments)
        except ClientError as error:
            raise failed(error) from None
        return answer

    def clean_up(self) -> None:
        """Remove the scratch folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def failed(error: ClientError) -> ActionFailed:
    """Tell a service's refusal as an action's failure."""
    code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
    denied = "AccessDenied" in code or "NotAuthorized" in code
    return ActionFailed(f"{code}: {message}", "PermissionError" if denied else "JobFailed")
