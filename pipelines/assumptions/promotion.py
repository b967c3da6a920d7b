"""CodePipeline, CodeBuild, CodeConnections and CodeArtifact."""

from __future__ import annotations

from typing import Final

from pipelines.assumptions.evidence import Assumed, Assumption, Documented, Recorded

_GUIDE: Final = "https://docs.aws.amazon.com/codepipeline/latest/userguide"

ASSUMPTIONS: Final = (
    Assumption(
        "alarm-rule-reaches-another-account",
        "A rule with a role of another account watches that account's alarm.",
        ("pipelines/definitions/pipeline.py",),
        Assumed(
            (
                f"{_GUIDE}/rule-reference-CloudWatchAlarm.html",
                f"{_GUIDE}/pipelines-create-cross-account.html",
            ),
            "A release fails in its bake: production runs the new version, and a person decides.",
        ),
        "On two lent accounts.",
    ),
    Assumption(
        "alarm-rule-finds-metric-alarms",
        "The rule CloudWatchAlarm finds metric alarms, and no composite ones.",
        ("pipelines/definitions/pipeline.py", "pipelines/definitions/release_stages.py"),
        Assumed(
            (
                f"{_GUIDE}/rule-reference-CloudWatchAlarm.html",
                "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html",
            ),
            "Where it finds composite ones, too, nothing breaks: one rule could watch them all. Where it "
            "found no metric alarm, a release would fail in its bake.",
        ),
        "On a lent account: a stage that watches each kind.",
    ),
    Assumption(
        "a-rollback-checks-no-conditions",
        "The rollback of a stage checks none of its conditions.",
        ("pipelines/definitions/release_pipeline.py",),
        Assumed(
            (f"{_GUIDE}/stage-rollback.html", f"{_GUIDE}/concepts-how-it-works-conditions.html"),
            "No condition stands before production, so that a rollback never waits for the window; one that "
            "watches the alarms after it would take longer, and fail where they ring again.",
        ),
        "On a lent account: roll a stage back while the alarm of its entry condition rings.",
    ),
    Assumption(
        "deployment-window-waits",
        "The rule DeploymentWindow waits for its window to open, until the rule times out.",
        ("pipelines/definitions/pipeline.py",),
        Documented(f"{_GUIDE}/rule-reference-DeploymentWindow.html"),
        "On a lent account: a pipeline of one stage with a window that opens in two minutes.",
    ),
    Assumption(
        "a-waiting-window-can-be-overridden",
        "OverrideStageCondition lets an execution enter a stage whose DeploymentWindow it waits for; "
        "GetPipelineState says Overridden then; an approval's summary is its externalExecutionSummary.",
        ("pipelines/promotion/control.py", "pipelines/evidence/gather.py", "pipelines/promotion/records.py"),
        Assumed(
            (
                "https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_OverrideStageCondition.html",
                f"{_GUIDE}/stage-conditions.html",
            ),
            "An emergency waits for the window, or is asked about again without its reason being "
            "found, and production is not changed: open the window in tools.yml by a reviewed commit.",
        ),
        "On a lent account: a stage whose window never opens; override it, and read the stage's state.",
    ),
    Assumption(
        "rollback-uses-the-earlier-execution",
        "A stage that is rolled back runs with the variables and artifacts of the execution it is rolled "
        "back to.",
        ("pipelines/definitions/release_pipeline.py",),
        Documented(f"{_GUIDE}/stage-rollback.html"),
        "On a lent account: release twice, roll back, and read the deployed versions.",
    ),
    Assumption(
        "a-stage-holds-one-execution",
        "In QUEUED mode a stage holds one execution at a time, those that wait enter in their order, and "
        "GetPipelineState shows both.",
        ("pipelines/definitions/release_turns.py", "pipelines/definitions/release_stages.py"),
        Documented(f"{_GUIDE}/concepts-how-it-works.html"),
        "Start two releases; read the state while the first waits for its approval.",
    ),
    Assumption(
        "change-set-replace-deletes",
        "CHANGE_SET_REPLACE deletes a change set of that name before it makes the new one.",
        ("pipelines/definitions/release_stages.py",),
        Documented(f"{_GUIDE}/action-reference-CloudFormation.html"),
        "Run the action twice; list the stack's change sets.",
    ),
    Assumption(
        "rollback-needs-the-same-structure",
        "A stage can be rolled back only to an execution of the pipeline's current structure.",
        ("pipelines/lint/pipeline_linter/rules/release_practice.py",),
        Documented(f"{_GUIDE}/stage-rollback.html"),
        "Change the pipeline between two releases, then roll back.",
    ),
    Assumption(
        "parallel-cannot-roll-back",
        "A pipeline in PARALLEL mode cannot roll stages back.",
        ("pipelines/lint/pipeline_linter/rules/versions.py",),
        Documented(f"{_GUIDE}/concepts-how-it-works.html"),
        "Declare one; CreatePipeline refuses it.",
    ),
    Assumption(
        "triggers-by-connection-only",
        "Push filters on branches work for sources of CodeConnections and no others.",
        ("pipelines/definitions/branch_pipelines.py",),
        Documented(f"{_GUIDE}/pipelines-triggers.html"),
        "Push a branch.",
    ),
    Assumption(
        "connection-source-sets-an-acl",
        "A source of CodeConnections writes its artifact with an ACL, so its role needs s3:PutObjectAcl.",
        ("pipelines/definitions/artifacts.py",),
        Recorded("https://github.com/aws/aws-cdk/issues/13557", "2021-03"),
        "Push a branch; the source action ends in Access Denied without it.",
    ),
    Assumption(
        "connection-begins-pending",
        "A connection that CloudFormation makes is pending until a person completes it in the console.",
        ("pipelines/definitions/shared_resources.py",),
        Documented("https://docs.aws.amazon.com/dtconsole/latest/userguide/connections-update.html"),
        "Deploy the pipelines stack and look.",
    ),
    Assumption(
        "connection-unavailable-pipeline-is-made",
        "A pipeline whose connection is still pending is created, and only its source action fails.",
        ("pipelines/definitions/pipelines_stack.py",),
        Recorded("https://github.com/aws/copilot-cli/pull/1922", "2021-02"),
        "On a lent account: deploy the pipelines stack before the connection is completed.",
    ),
    Assumption(
        "pipeline-source-ignores-source-version",
        "A CodeBuild project with source CODEPIPELINE builds its input artifact, whatever its SourceVersion "
        "says.",
        ("pipelines/definitions/projects.py",),
        Documented("https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StartBuild.html"),
        "Push a branch and read the build's resolved source version.",
    ),
    Assumption(
        "mongod-runs-in-a-build",
        "CodeBuild's image standard:7.0 is Ubuntu 22.04 with Python 3.13, and runs the MongoDB server for it "
        "among the Python packages.",
        ("pipelines/definitions/projects.py", "pipelines/definitions/buildspecs/money-path.yml"),
        Documented("https://docs.aws.amazon.com/codebuild/latest/userguide/available-runtimes.html"),
        "Push a branch and read the log of its build MoneyPath.",
    ),
    Assumption(
        "builds-queue-by-compute-type",
        "Builds of one platform and compute type queue for their own quota, whatever builds of others do.",
        ("pipelines/definitions/projects.py",),
        Documented("https://docs.aws.amazon.com/codebuild/latest/userguide/builds-working.html"),
        "Start more medium builds than their quota, then a small one; it runs at once.",
    ),
    Assumption(
        "package-version-is-fixed",
        "A version that CodeArtifact published cannot be published again with other content.",
        ("pipelines/definitions/packages.py",),
        Documented("https://docs.aws.amazon.com/codeartifact/latest/ug/packages-overview.html"),
        "Publish a version twice with different files.",
    ),
    Assumption(
        "parallel-source-of-one-commit",
        "Two pushes to one branch run two executions, each with its own commit.",
        ("pipelines/definitions/branch_turns.py",),
        Documented(f"{_GUIDE}/concepts-how-it-works.html"),
        "Push twice in ten seconds and read both source revisions.",
    ),
)
