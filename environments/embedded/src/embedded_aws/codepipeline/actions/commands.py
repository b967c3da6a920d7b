"""Commands: shell commands over the input artifacts, with the pipeline's role and no build project.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-Commands.html
"""

from embedded_aws.codepipeline import action_runs, command_run
from embedded_aws.codepipeline.actions.action import Action, ActionFailed, Outcome


def perform(action: Action) -> Outcome:
    """Run the commands in the first input artifact's folder; pack the output artifact's files.

    Raises:
        ActionFailed: A command failed, or made no file for an output artifact.
    """
    declaration = action.declaration
    sources = {
        artifact["name"]: action.input_folder(artifact["name"]) for artifact in declaration["inputArtifacts"]
    }
    done = command_run.run(
        command_run.Task(
            name=f"{action.execution['pipelineName']}/{action.identifier}",
            scope=action.scope,
            execution=action.execution,
            session=action.session,
            commands=declaration["commands"],
            sources=sources,
            folder=action.folder,
            variables=declaration.get("environmentVariables") or [],
            exported=declaration.get("outputVariables") or [],
            minutes=declaration.get("timeoutInMinutes") or 60,
        ),
        stopped=lambda: _stopped(action),
    )
    action.report(externalExecutionId=done.log_stream)
    if done.failure:
        raise ActionFailed(done.failure)
    for artifact in declaration["outputArtifacts"]:
        files = command_run.files(sources, artifact.get("files") or [])
        if not files:
            raise ActionFailed(f"No file matches the files of output artifact {artifact['name']}")
        action.put_output(files, artifact["name"])
    return Outcome(variables=done.variables)


def _stopped(action: Action) -> bool:
    return str(action_runs.find(action.execution, action.identifier)["status"]) != "InProgress"
