"""Source: a commit of a connection's repository, as a zip or as a reference to clone.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodestarConnectionSource.html
"""

import json
import logging
from dataclasses import dataclass

from embedded_aws.codebuild.sources import CLONE_REFERENCE
from embedded_aws.codeconnections import repositories, service
from embedded_aws.codepipeline.actions.action import Action, ActionFailed, Outcome
from embedded_aws.core import api
from embedded_aws.core.api import ApiError, Json
from embedded_aws.iam import role_sessions

_log = logging.getLogger(__name__)
_ACL = "bucket-owner-full-control"
"""CodePipeline writes sources with this ACL, so the role needs s3:PutObjectAcl (aws-cdk issue 13557)."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The repository and the branch that a source action names.

    Attributes:
        provider: what the revision's summary calls the host.
        repository: as it is registered here.
        branch: what the action follows.
        polls: whether the action's own configuration starts the pipeline on a push.
    """

    provider: str
    repository: str
    branch: str
    polls: bool


def origin(declaration: Json) -> Origin | None:
    """Return what a source action names, if it reads a git repository."""
    settings = declaration["configuration"]
    polls = settings.get("PollForSourceChanges", "true") != "false"
    match declaration["actionTypeId"]["provider"]:
        case "CodeStarSourceConnection":
            detects = settings.get("DetectChanges", "true") != "false"
            return Origin("GitHub", settings["FullRepositoryId"], settings["BranchName"], detects)
        case "CodeCommit":
            return Origin("CodeCommit", settings["RepositoryName"], settings["BranchName"], polls)
        case "GitHub":
            return Origin("GitHub", f"{settings['Owner']}/{settings['Repo']}", settings["Branch"], polls)
    return None


def perform(action: Action) -> Outcome:
    """Fetch the commit of the push or of the override, else the tip of the branch.

    Raises:
        ActionFailed: It names no repository, or that has no such branch.
    """
    settings = action.configuration
    named = origin(action.declaration | {"configuration": settings})
    if named is None:
        raise ActionFailed("The action names no repository", "InvalidConfiguration")
    if "ConnectionArn" in settings:
        _check_connection(action, settings["ConnectionArn"])
    else:
        _log.warning("%s reads the registered local repository %s", named.provider, named.repository)
    name, repository = named.repository, repositories.find(named.repository)
    push = action.execution["push"]
    pushed = push if push and push["action"] == action.declaration["name"] else None
    branch = pushed["branch"] if pushed else named.branch
    wanted = _overridden(action) or (pushed["commit"] if pushed else None)
    if wanted is None and f"refs/heads/{branch}" not in repositories.references(repository):
        raise ActionFailed(f"[{named.provider}] No Branch [{branch}] found for FullRepositoryName [{name}]")
    commit = (
        repositories.commit(repository, wanted) if wanted else repositories.branch_tip(repository, branch)
    )
    action.report(externalExecutionId=commit.identifier, summary=commit.message)
    reference = {"FullRepositoryId": name, "CommitId": commit.identifier, "BranchName": branch}
    artifact = action.declaration["outputArtifacts"][0]["name"]
    action.folder.mkdir(parents=True, exist_ok=True)
    if settings.get("OutputArtifactFormat", "CODE_ZIP") == "CODEBUILD_CLONE_REF":
        file = action.folder / "reference"
        file.write_text(json.dumps(reference))
        action.put_output({CLONE_REFERENCE: file}, acl=_ACL)
    else:
        archive = action.folder / "source.zip"
        repositories.archive(repository, commit.identifier, archive)
        action.put_output_archive(archive, artifact, acl=_ACL)
    return Outcome(
        variables={
            "AuthorDate": commit.authored,
            "AuthorDisplayName": commit.author,
            "AuthorEmail": commit.email,
            "AuthorId": commit.author,
            "BranchName": branch,
            "CommitId": commit.identifier,
            "CommitMessage": commit.message,
            "FullRepositoryName": name,
            "RepositoryName": name.rpartition("/")[2],
            **({"ConnectionArn": settings["ConnectionArn"]} if "ConnectionArn" in settings else {}),
        },
        summary=commit.message,
        revision={
            "actionName": action.declaration["name"],
            "name": artifact,
            "revisionId": commit.identifier,
            "revisionSummary": json.dumps({"ProviderType": named.provider, "CommitMessage": commit.message}),
            "revisionUrl": f"https://github.com/{name}/commit/{commit.identifier}",
            "created": api.now(),
        },
    )


def _overridden(action: Action) -> str | None:
    for override in action.execution["overrides"]:
        if override["actionName"] == action.declaration["name"]:
            return str(override["revisionValue"])
    return None


def _check_connection(action: Action, arn: str) -> None:
    """The role must be allowed to use the connection, under its new or its old name, as the ARN has it."""
    try:
        connection = service.find(arn)
    except ApiError as error:
        raise ActionFailed(f"Connection {arn} does not exist: {error}", "InvalidConfiguration") from None
    if connection["ConnectionStatus"] != "AVAILABLE":
        raise ActionFailed(f"Connection {arn} is not available", "InvalidConfiguration")
    role_sessions.require_permission(action.session, f"{arn.split(':')[2]}:UseConnection", arn)
