"""The action providers that are emulated: what each must and may be told, and what it may read and make.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference.html
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from embedded_aws.codepipeline.actions import (
    approval,
    build,
    cloudformation,
    commands,
    invoke,
    s3,
    source,
)
from embedded_aws.codepipeline.actions.action import Action, Outcome
from embedded_aws.core.api import Json

_MANY = 10_000
_SHORTEST_APPROVAL_MINUTES = 5


@dataclass(frozen=True, slots=True)
class ActionProvider:
    """One action provider.

    Attributes:
        repeatable: doing it once more after the process was killed does no harm.
    """

    categories: frozenset[str]
    name: str
    perform: Callable[[Action], Outcome | None]
    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    inputs: tuple[int, int] = (0, _MANY)
    outputs: tuple[int, int] = (0, _MANY)
    repeatable: bool = False
    owner: str = "AWS"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_KNOWN = (
    ActionProvider(
        _words("Source"),
        "CodeStarSourceConnection",
        source.perform,
        _words("ConnectionArn FullRepositoryId BranchName"),
        _words("OutputArtifactFormat DetectChanges"),
        inputs=(0, 0),
        outputs=(1, 1),
        repeatable=True,
    ),
    ActionProvider(
        _words("Source"),
        "CodeCommit",
        source.perform,
        _words("RepositoryName BranchName"),
        _words("OutputArtifactFormat PollForSourceChanges"),
        inputs=(0, 0),
        outputs=(1, 1),
        repeatable=True,
    ),
    ActionProvider(
        _words("Source"),
        "GitHub",
        source.perform,
        _words("Owner Repo Branch OAuthToken"),
        _words("PollForSourceChanges"),
        inputs=(0, 0),
        outputs=(1, 1),
        repeatable=True,
        owner="ThirdParty",
    ),
    ActionProvider(
        _words("Source"),
        "S3",
        s3.fetch_object,
        _words("S3Bucket S3ObjectKey"),
        _words("PollForSourceChanges AllowOverrideForS3ObjectKey"),
        inputs=(0, 0),
        outputs=(1, 1),
        repeatable=True,
    ),
    ActionProvider(
        _words("Build Test"),
        "CodeBuild",
        build.perform,
        _words("ProjectName"),
        _words("PrimarySource EnvironmentVariables BatchEnabled BuildspecOverride CombineArtifacts"),
        inputs=(1, 5),
        outputs=(0, 5),
        repeatable=True,  # StartBuild with the same token answers with the same build
    ),
    ActionProvider(_words("Compute"), "Commands", commands.perform, inputs=(1, 10), outputs=(0, 1)),
    ActionProvider(
        _words("Deploy"),
        "CloudFormation",
        cloudformation.perform,
        _words("ActionMode StackName"),
        _words("Capabilities ChangeSetName OutputFileName ParameterOverrides RoleArn")
        | _words("TemplateConfiguration TemplatePath"),
        inputs=(0, 10),
        outputs=(0, 1),
        repeatable=True,
    ),
    ActionProvider(
        _words("Approval"),
        "Manual",
        approval.perform,
        optional=_words("CustomData ExternalEntityLink NotificationArn"),
        inputs=(0, 0),
        outputs=(0, 0),
        repeatable=True,
    ),
    ActionProvider(
        _words("Invoke"),
        "StepFunctions",
        invoke.run_state_machine,
        _words("StateMachineArn"),
        _words("ExecutionNamePrefix InputType Input"),
        inputs=(0, 1),
        outputs=(0, 1),
        repeatable=True,
    ),
    ActionProvider(
        _words("Invoke"),
        "Lambda",
        invoke.invoke_function,
        _words("FunctionName"),
        _words("UserParameters"),
        inputs=(0, 5),
        outputs=(0, 5),
    ),
    ActionProvider(
        _words("Deploy"),
        "S3",
        s3.put_artifact,
        _words("BucketName Extract"),
        _words("ObjectKey KMSEncryptionKeyARN CannedACL CacheControl"),
        inputs=(1, 1),
        outputs=(0, 0),
        repeatable=True,
    ),
)
_PROVIDERS = {(category, provider.name): provider for provider in _KNOWN for category in provider.categories}


def provider_of(action: Json) -> ActionProvider:
    """Return the provider of a declared action, which was checked when it was declared."""
    kind = action["actionTypeId"]
    return _PROVIDERS[kind["category"], kind["provider"]]


def problems(action: Json, region: str) -> Iterator[str]:
    """Say what AWS would refuse in an action's declaration."""
    kind, name = action["actionTypeId"], action["name"]
    provider = _PROVIDERS.get((kind["category"], kind["provider"]))
    if provider is None or (kind["owner"], kind["version"]) != (provider.owner, "1"):
        emulated = ", ".join(sorted({known.name for known in _KNOWN}))
        yield (
            f"ActionType (Category: '{kind['category']}', Provider: '{kind['provider']}', "
            f"Owner: '{kind['owner']}', Version: '{kind['version']}') in action '{name}' is not available in "
            f"region {region.upper().replace('-', '_')} (emulated here: {emulated})"
        )
        return
    keys = set(action["configuration"])
    for key in sorted(provider.required - keys):
        yield f"Action configuration for action '{name}' is missing required configuration '{key}'"
    for key in sorted(keys - provider.required - provider.optional):
        yield f"Action configuration for action '{name}' contains unknown configuration '{key}'"
    yield from _counts(action, provider)
    if provider.name == "Commands" and not action.get("commands"):
        yield f"Action '{name}' of provider Commands has no commands"
    minutes = action.get("timeoutInMinutes")
    if minutes and provider.name == "Manual" and minutes < _SHORTEST_APPROVAL_MINUTES:
        yield f"Action '{name}': an approval waits at least {_SHORTEST_APPROVAL_MINUTES} minutes"


def _counts(action: Json, provider: ActionProvider) -> Iterator[str]:
    for what, bounds in (("inputArtifacts", provider.inputs), ("outputArtifacts", provider.outputs)):
        count = len(action[what])
        if not bounds[0] <= count <= bounds[1]:
            yield (
                f"Action {action['name']} has {count} {what}; "
                f"{provider.name} takes from {bounds[0]} to {bounds[1]}"
            )
