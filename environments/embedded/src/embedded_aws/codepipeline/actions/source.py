"""Source: a commit of a connection's repository, as a zip or as a reference to clone.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodestarConnectionSource.html
"""

import json

from embedded_aws.codebuild.sources import CLONE_REFERENCE
from embedded_aws.codeconnections import repositories, service
from embedded_aws.codepipeline.actions.action import Action, ActionFailed, Outcome
from embedded_aws.core import clock
from embedded_aws.core.api import ApiError
from embedded_aws.iam import role_sessions

_ACL = "bucket-owner-full-control"
"""CodePipeline writes sources with this ACL, so the role needs s3:PutObjectAcl (aws-cdk issue 13557)."""


def perform(action: Action) -> Outcome:
    """Fetch the commit of the push or of the override, else the tip of the branch."""
    settings = action.configuration
    _check_connection(action, settings["ConnectionArn"])
    name = settings["FullRepositoryId"]
    repository = repositories.find(name)
    push = action.execution["push"]
    pushed = push and push["action"] == action.declaration["name"]
    branch = push["branch"] if pushed else settings["BranchName"]
    wanted = _overridden(action) or (push["commit"] if pushed else None)
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
            "ConnectionArn": settings["ConnectionArn"],
            "FullRepositoryName": name,
        },
        summary=commit.message,
        revision={
            "actionName": action.declaration["name"],
            "name": artifact,
            "revisionId": commit.identifier,
            "revisionSummary": json.dumps({"ProviderType": "GitHub", "CommitMessage": commit.message}),
            "revisionUrl": f"https://github.com/{name}/commit/{commit.identifier}",
            "created": clock.now(),
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
