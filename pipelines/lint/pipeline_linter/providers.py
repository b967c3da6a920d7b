"""What the action structure reference and the rule structure reference say of each provider.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference.html and, for the providers of each
category, https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-valid-providers.html.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_ANY: Final = (0, 10)


@dataclass(frozen=True, slots=True)
class ActionType:
    """A provider's action.

    Attributes:
        required: Configuration keys that it must have.
        optional: Those that it may have; None where the keys are not checked.
        inputs: The least and the most input artifacts.
        outputs: The least and the most output artifacts.
        variables: What it leaves in its namespace; None where that depends on what it runs.
        v2: Whether only V2 pipelines have it.
    """

    required: frozenset[str] = frozenset()
    optional: frozenset[str] | None = frozenset()
    inputs: tuple[int, int] = _ANY
    outputs: tuple[int, int] = _ANY
    variables: frozenset[str] | None = frozenset()
    v2: bool = False


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_COMMIT = _words("AuthorDate BranchName CommitId CommitMessage CommitterDate RepositoryName")
_CODEBUILD = ActionType(
    _words("ProjectName"),
    _words("PrimarySource BatchEnabled BuildspecOverride CombineArtifacts EnvironmentVariables"),
    (1, 5),
    (0, 5),
    None,
)
_UNCHECKED = ActionType(optional=None, variables=None)

ACTIONS: Final[dict[tuple[str, str, str], ActionType]] = {
    ("Source", "AWS", "S3"): ActionType(
        _words("S3Bucket S3ObjectKey"),
        _words("PollForSourceChanges AllowOverrideForS3ObjectKey"),
        (0, 0),
        (1, 1),
        _words("BucketName ETag ObjectKey VersionId"),
    ),
    ("Source", "AWS", "ECR"): ActionType(
        _words("RepositoryName"),
        _words("ImageTag"),
        (0, 0),
        (1, 1),
        _words("RegistryId RepositoryName ImageTag ImageDigest ImageURI"),
    ),
    ("Source", "AWS", "CodeCommit"): ActionType(
        _words("RepositoryName BranchName"),
        _words("PollForSourceChanges OutputArtifactFormat"),
        (0, 0),
        (1, 1),
        _COMMIT,
    ),
    ("Source", "AWS", "CodeStarSourceConnection"): ActionType(
        _words("ConnectionArn FullRepositoryId BranchName"),
        _words("OutputArtifactFormat DetectChanges"),
        (0, 0),
        (1, 1),
        _words(
            "AuthorDate AuthorDisplayName AuthorEmail AuthorId BranchName CommitId CommitMessage "
            "ConnectionArn FullRepositoryName ProviderType"
        ),
    ),
    ("Source", "ThirdParty", "GitHub"): ActionType(
        _words("Owner Repo Branch OAuthToken"),
        _words("PollForSourceChanges"),
        (0, 0),
        (1, 1),
        _COMMIT | {"CommitUrl"},
    ),
    ("Build", "AWS", "CodeBuild"): _CODEBUILD,
    ("Test", "AWS", "CodeBuild"): _CODEBUILD,
    ("Build", "AWS", "ECRBuildAndPublish"): ActionType(
        _words("ECRRepositoryName"),
        _words("DockerFilePath ImageTags RegistryType"),
        (1, 1),
        (0, 0),
        _words("ECRImageDigestId ECRRepositoryName"),
        v2=True,
    ),
    ("Test", "AWS", "DeviceFarm"): _UNCHECKED,
    ("Test", "ThirdParty", "GhostInspector"): _UNCHECKED,
    ("Test", "ThirdParty", "StormRunnerLoad"): _UNCHECKED,
    ("Test", "ThirdParty", "Nouvola"): _UNCHECKED,
    ("Test", "ThirdParty", "Runscope"): _UNCHECKED,
    ("Deploy", "AWS", "S3"): ActionType(
        _words("BucketName Extract"),
        _words("ObjectKey KMSEncryptionKeyARN CannedACL CacheControl"),
        (1, 1),
        (0, 0),
    ),
    ("Deploy", "AWS", "CloudFormation"): ActionType(
        _words("ActionMode StackName"),
        _words(
            "Capabilities ChangeSetName OutputFileName ParameterOverrides RoleArn TemplateConfiguration "
            "TemplatePath"
        ),
        (0, 10),
        (0, 1),
        None,
    ),
    ("Deploy", "AWS", "CloudFormationStackSet"): ActionType(
        _words("StackSetName TemplatePath"), None, variables=None
    ),
    ("Deploy", "AWS", "CloudFormationStackInstances"): ActionType(
        _words("StackSetName DeploymentTargets Regions"), None, variables=None
    ),
    ("Deploy", "AWS", "CodeDeploy"): ActionType(
        _words("ApplicationName DeploymentGroupName"), frozenset(), (1, 1), (0, 0)
    ),
    ("Deploy", "AWS", "CodeDeployToECS"): _UNCHECKED,
    ("Deploy", "AWS", "ECS"): ActionType(
        _words("ClusterName ServiceName"), _words("FileName DeploymentTimeout"), (1, 1), (0, 0)
    ),
    ("Deploy", "AWS", "EC2"): ActionType(optional=None, variables=None, v2=True),
    ("Deploy", "AWS", "EKS"): ActionType(optional=None, variables=None, v2=True),
    ("Deploy", "AWS", "ElasticBeanstalk"): ActionType(
        _words("ApplicationName EnvironmentName"), frozenset(), (1, 1), (0, 0)
    ),
    ("Deploy", "AWS", "AppConfig"): ActionType(
        _words(
            "Application ConfigurationProfile DeploymentStrategy Environment InputArtifactConfigurationPath"
        ),
        _words("ConfigurationVersion Type"),
        (1, 1),
        (0, 0),
    ),
    ("Deploy", "AWS", "Lambda"): ActionType(optional=None, variables=None, v2=True),
    ("Deploy", "AWS", "OpsWorks"): _UNCHECKED,
    ("Deploy", "AWS", "ServiceCatalog"): _UNCHECKED,
    ("Deploy", "ThirdParty", "AlexaSkillsKit"): _UNCHECKED,
    ("Approval", "AWS", "Manual"): ActionType(
        frozenset(), _words("CustomData ExternalEntityLink NotificationArn"), (0, 0), (0, 0)
    ),
    ("Invoke", "AWS", "Lambda"): ActionType(
        _words("FunctionName"), _words("UserParameters"), (0, 5), (0, 5), None
    ),
    ("Invoke", "AWS", "StepFunctions"): ActionType(
        _words("StateMachineArn"),
        _words("ExecutionNamePrefix Input InputType"),
        (0, 1),
        (0, 1),
        _words("ExecutionArn StateMachineArn"),
    ),
    ("Invoke", "AWS", "CodePipeline"): _UNCHECKED,
    ("Invoke", "ThirdParty", "Snyk"): _UNCHECKED,
    ("Invoke", "AWS", "InspectorScan"): ActionType(
        _words("InspectorRunMode"),
        _words("ECRRepositoryName ImageTag CriticalThreshold HighThreshold MediumThreshold LowThreshold"),
        (0, 1),
        (0, 1),
        None,
        v2=True,
    ),
    ("Compute", "AWS", "Commands"): ActionType(
        frozenset(),
        _words("ComputeType EnvironmentType SecurityGroupIds Subnets VpcId"),
        (1, 10),
        (0, 1),
        frozenset(),
        v2=True,
    ),
}
"""Every action by category, owner and provider. Actions of owner Custom are their owner's business."""

VALUES: Final[dict[str, dict[str, frozenset[str]]]] = {
    "CloudFormation": {
        "ActionMode": _words(
            "CREATE_UPDATE DELETE_ONLY REPLACE_ON_FAILURE CHANGE_SET_REPLACE CHANGE_SET_EXECUTE"
        )
    },
    "CodeStarSourceConnection": {
        "OutputArtifactFormat": _words("CODE_ZIP CODEBUILD_CLONE_REF"),
        "DetectChanges": _words("true false"),
    },
    "CodeBuild": {"BatchEnabled": _words("true false"), "CombineArtifacts": _words("true false")},
    "StepFunctions": {"InputType": _words("Literal FilePath")},
    "InspectorScan": {"InspectorRunMode": _words("SourceCodeScan ECRImageScan")},
    "S3": {
        "Extract": _words("true false"),
        "PollForSourceChanges": _words("true false"),
        "CannedACL": _words(
            "private public-read public-read-write authenticated-read aws-exec-read bucket-owner-read "
            "bucket-owner-full-control"
        ),
    },
    "CodeCommit": {
        "OutputArtifactFormat": _words("CODE_ZIP CODEBUILD_CLONE_REF"),
        "PollForSourceChanges": _words("true false"),
    },
}
"""Configuration values that are one of a few words, by provider and key."""

MODES: Final[dict[str, frozenset[str]]] = {
    "CREATE_UPDATE": _words("TemplatePath RoleArn"),
    "REPLACE_ON_FAILURE": _words("TemplatePath RoleArn"),
    "CHANGE_SET_REPLACE": _words("TemplatePath RoleArn ChangeSetName"),
    "CHANGE_SET_EXECUTE": _words("ChangeSetName"),
    "DELETE_ONLY": _words("RoleArn"),
}
"""What a CloudFormation action needs beside its stack, by ActionMode."""


@dataclass(frozen=True, slots=True)
class RuleType:
    """A condition rule's configuration keys."""

    required: frozenset[str]
    optional: frozenset[str] | None = frozenset()


RULES: Final[dict[str, RuleType]] = {
    "CloudWatchAlarm": RuleType(_words("AlarmName"), _words("AlarmStates WaitTime")),
    "CodeBuild": RuleType(
        _words("ProjectName"), _words("BatchEnabled CombineArtifacts EnvironmentVariables PrimarySource")
    ),
    "Commands": RuleType(frozenset(), None),
    "DeploymentWindow": RuleType(_words("Cron"), _words("TimeZone")),
    "LambdaInvoke": RuleType(_words("FunctionName"), _words("UserParameters")),
    "VariableCheck": RuleType(_words("Variable Value Operator")),
}
"""Every rule provider."""
