"""Typed constructors of what a pipeline does: each returns an action that `stage(...)` puts in order.

Configuration keys are those of the action structure reference
(https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference.html). Texts like
`#{Source.CommitId}` are CodePipeline's variables, filled in when the action starts.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from troposphere import Sub
from troposphere.codepipeline import Actions, ActionTypeId, InputArtifacts, OutputArtifacts

from pipelines.definitions.artifacts import SOURCE
from pipelines.definitions.enums import ActionMode, ActionProvider, Category

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from troposphere import AWSHelperFn

    from pipelines.definitions.roles import Target

EXECUTION = "#{codepipeline.PipelineExecutionId}"


def checkout(connection: AWSHelperFn, repository: str, branch: str) -> Actions:
    """Take the commit that started the execution.

    Args:
        connection: The CodeConnections connection's ARN.
        repository: `owner/name` at the provider.
        branch: What a start by hand takes; a push brings its own branch.
    """
    configuration = {
        "ConnectionArn": connection,
        "FullRepositoryId": repository,
        "BranchName": branch,
        "OutputArtifactFormat": "CODE_ZIP",
        # Pushes start executions through the trigger's filter, never through change detection as well.
        "DetectChanges": "false",
    }
    return _action(
        "Checkout",
        Category.SOURCE,
        ActionProvider.CONNECTION,
        configuration,
        outputs=[SOURCE],
        Namespace=SOURCE,
    )


def run_build(
    name: str,
    project: AWSHelperFn,
    *,
    reads: Sequence[str] = (SOURCE,),
    writes: Sequence[str] = (),
    variables: Mapping[str, str | AWSHelperFn] | None = None,
    namespace: str | None = None,
) -> Actions:
    """Run a CodeBuild project in a checkout of the source.

    Args:
        name: The action's name.
        project: The project's name.
        reads: Input artifacts; the first is the checkout that the buildspec is in.
        writes: Output artifacts.
        variables: Environment variables; values may be CodePipeline variables. They are JSON inside the
            configuration, so a value that holds a quote would break it: what people choose freely must be
            checked first (`stages.git_legal`).
        namespace: Under which later actions find what the build exports.
    """
    configuration: dict[str, Any] = {"ProjectName": project}
    if len(reads) > 1:
        configuration["PrimarySource"] = reads[0]
    if variables:
        configuration["EnvironmentVariables"] = _environment(variables)
    named = {} if namespace is None else {"Namespace": namespace}
    return _action(
        name, Category.BUILD, ActionProvider.CODEBUILD, configuration, inputs=reads, outputs=writes, **named
    )


def create_change_set(
    name: str, target: Target, *, stack: str, change_set: str, template: str, settings: str
) -> Actions:
    """Create a change set as the target's deployment role; what changes nothing succeeds too.

    Args:
        name: The action's name.
        target: The account it happens in.
        stack: The stack's name.
        change_set: The change set's name, which no other execution uses.
        template: `Artifact::path` of the template.
        settings: `Artifact::path` of the template configuration: parameters and tags.
    """
    configuration = {
        "ActionMode": ActionMode.CHANGE_SET_REPLACE.value,
        "StackName": stack,
        "ChangeSetName": change_set,
        "TemplatePath": template,
        "TemplateConfiguration": settings,
        "Capabilities": "CAPABILITY_IAM",
        "RoleArn": target.execution_role,
    }
    read = dict.fromkeys(path.partition("::")[0] for path in (template, settings))
    return _cloudformation(name, target, configuration, inputs=list(read))


def create_or_replace(
    name: str, target: Target, *, stack: str, template: str, settings: str, namespace: str
) -> Actions:
    """Create or update a stack; one whose creation failed is replaced. For stacks that hold nothing of worth.

    The arguments are those of `create_change_set`; the stack's outputs become variables of the namespace.
    """
    configuration = {
        "ActionMode": ActionMode.REPLACE_ON_FAILURE.value,
        "StackName": stack,
        "TemplatePath": template,
        "TemplateConfiguration": settings,
        "Capabilities": "CAPABILITY_IAM",
        "RoleArn": target.execution_role,
    }
    read = dict.fromkeys(path.partition("::")[0] for path in (template, settings))
    return _cloudformation(name, target, configuration, inputs=list(read), Namespace=namespace)


def execute_change_set(
    name: str, target: Target, *, stack: str, change_set: str, namespace: str | None = None
) -> Actions:
    """Execute a change set; the stack's outputs become variables of the namespace."""
    configuration = {
        "ActionMode": ActionMode.CHANGE_SET_EXECUTE.value,
        "StackName": stack,
        "ChangeSetName": change_set,
    }
    named = {} if namespace is None else {"Namespace": namespace}
    return _cloudformation(name, target, configuration, **named)


def delete_stack(target: Target, *, stack: str) -> Actions:
    """Delete a stack; one that is gone already is fine."""
    configuration = {
        "ActionMode": ActionMode.DELETE_ONLY.value,
        "StackName": stack,
        "RoleArn": target.execution_role,
    }
    return _cloudformation("Delete", target, configuration)


def smoke(target: Target, *, machine: str, namespace: str) -> Actions:
    """Run the stack's smoke workflow and fail unless every check of it passes."""
    return run_workflow("Smoke", machine, "{}", RoleArn=target.deployment_role, Namespace=namespace)


def run_workflow(name: str, machine: str | AWSHelperFn, text: str, **more: Any) -> Actions:
    """Run a state machine to its end; the action fails when its execution does.

    Args:
        name: The action's name.
        machine: The state machine's ARN.
        text: Its input, which is JSON once CodePipeline filled in the variables.
        more: Properties of the action, as the role that it takes on.
    """
    configuration = {"StateMachineArn": machine, "InputType": "Literal", "Input": text}
    return _action(name, Category.INVOKE, ActionProvider.STEP_FUNCTIONS, configuration, **more)


def approve(*, topic: AWSHelperFn, evidence: AWSHelperFn | str, summary: str, minutes: int) -> Actions:
    """Wait for a person, who is shown what they decide about.

    Args:
        topic: Where the question is sent.
        evidence: The address of the whole evidence.
        summary: The evidence in a few lines; at most 1,000 characters when filled in.
        minutes: How long to wait before it counts as a no.
    """
    configuration = {"NotificationArn": topic, "ExternalEntityLink": evidence, "CustomData": summary}
    return _action(
        "Approve", Category.APPROVAL, ActionProvider.MANUAL, configuration, TimeoutInMinutes=minutes
    )


def in_folder(url: AWSHelperFn, parameter: str, folder: str) -> Sub:
    """Return an address below one that a parameter holds."""
    return Sub(f"${{{parameter}}}/{folder}", {parameter: url})


def _environment(variables: Mapping[str, str | AWSHelperFn]) -> str | Sub:
    """Return the variables as the action's JSON; those that the stack knows are substituted by name."""
    ours = {key: value for key, value in variables.items() if not isinstance(value, str)}
    texts = {key: f"${{{key}}}" if key in ours else value for key, value in variables.items()}
    listed = [{"name": key, "value": value, "type": "PLAINTEXT"} for key, value in texts.items()]
    text = json.dumps(listed, separators=(",", ":"))
    # A Sub takes letters and digits alone for the names of what it puts in.
    for key in ours:
        text = text.replace(f"${{{key}}}", f"${{{key.replace('_', '')}}}")
    return Sub(text, {key.replace("_", ""): value for key, value in ours.items()}) if ours else text


def _cloudformation(name: str, target: Target, configuration: dict[str, Any], **rest: Any) -> Actions:
    return _action(
        name,
        Category.DEPLOY,
        ActionProvider.CLOUDFORMATION,
        configuration,
        RoleArn=target.deployment_role,
        **rest,
    )


def _action(
    name: str,
    category: Category,
    provider: ActionProvider,
    configuration: Mapping[str, Any],
    *,
    inputs: Sequence[str] = (),
    outputs: Sequence[str] = (),
    **rest: Any,
) -> Actions:
    kind = ActionTypeId(Category=category.value, Owner="AWS", Provider=provider.value, Version="1")
    return Actions(
        Name=name,
        ActionTypeId=kind,
        Configuration=dict(configuration),
        InputArtifacts=[InputArtifacts(Name=artifact) for artifact in inputs],
        OutputArtifacts=[OutputArtifacts(Name=artifact) for artifact in outputs],
        **rest,
    )
