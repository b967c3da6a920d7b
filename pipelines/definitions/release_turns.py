"""When production is free: a state machine that a release waits in, without holding a build.

Releases queue, and each stage holds one execution at a time (CodePipeline user guide, "How pipeline
executions work", QUEUED mode). So whoever is ahead of a release is in a stage after its own, or waits to
enter one; and a rollback is in the stage that it repairs. What production will be like is known only once
they have ended.

Source: CodePipeline API reference, GetPipelineState: `latestExecution` and `inboundExecutions` of each stage.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from awacs import codepipeline

from pipelines.definitions import roles
from pipelines.definitions.actions import EXECUTION, run_workflow
from pipelines.definitions.branch_turns import INPUT, SDK, add_turns, retries
from templates.capabilities.permissions import Permission
from templates.definitions.tasks import jsonata

if TYPE_CHECKING:
    from collections.abc import Sequence

    from troposphere import AWSHelperFn, Template
    from troposphere.codepipeline import Actions

    from pipelines.definitions.branch_turns import Turns
    from pipelines.definitions.zones import Zone

Json = dict[str, Any]
TITLE: Final = "ReleaseTurns"
LOOK, FREE, WAIT, TURN = (
    "See who is ahead",
    "Is production free",
    "Wait for those ahead",
    "It is our turn",
)
SECONDS_BETWEEN: Final = (15, 240)
"""How often it looks at first, and then: an approval that is asked again may take days."""
_QUICK_LOOKS: Final = 40
LONGEST_SECONDS: Final = 6 * 24 * 3600
"""Less than the seven days that CodePipeline gives a Step Functions action (quotas, action timeouts)."""


def definition() -> Json:
    """Return the state machine: of {pipeline, execution, stages} it ends when no other is in these stages.

    After a failure it looks a second time, because an automatic rollback begins a moment later.
    """
    seconds, later = SECONDS_BETWEEN
    ahead = (
        f"($ours := {INPUT}.execution; $named := {INPUT}.stages;"
        " $at := $states.result.StageStates[StageName in $named];"
        " [$at.InboundExecutions[PipelineExecutionId != $ours].PipelineExecutionId,"
        " $at.LatestExecution[Status in ['InProgress', 'Stopping'] and PipelineExecutionId != $ours]"
        ".PipelineExecutionId])"
    )
    failed = (
        f"($named := {INPUT}.stages; $count($states.result.StageStates[StageName in $named]"
        ".LatestExecution[Status = 'Failed' and $not(Type = 'ROLLBACK')]) > 0)"
    )
    return {
        "Comment": "Waits until no other release or rollback changes production",
        "QueryLanguage": "JSONata",
        "TimeoutSeconds": LONGEST_SECONDS,
        "StartAt": "Begin",
        "States": {
            "Begin": {"Type": "Pass", "Assign": {"looks": 0, "quiet": 0}, "Next": LOOK},
            LOOK: {
                "Type": "Task",
                "Resource": f"{SDK}getPipelineState",
                "Arguments": {"Name": jsonata(f"{INPUT}.pipeline")},
                "Assign": {
                    "ahead": jsonata(ahead),
                    "failed": jsonata(failed),
                    "looks": jsonata("$looks + 1"),
                    "quiet": jsonata(f"$count({ahead}) = 0 ? $quiet + 1 : 0"),
                },
                "Retry": retries(),
                "Next": FREE,
            },
            FREE: {
                "Type": "Choice",
                "Choices": [
                    {"Condition": jsonata("$quiet > 0 and ($not($failed) or $quiet > 1)"), "Next": TURN}
                ],
                "Default": WAIT,
            },
            WAIT: {
                "Type": "Wait",
                "Seconds": jsonata(f"$looks < {_QUICK_LOOKS} ? {seconds} : {later}"),
                "Next": LOOK,
            },
            TURN: {"Type": "Succeed", "Output": {"looks": jsonata("$looks")}},
        },
    }


def add_release_turns(template: Template, zone: Zone) -> Turns:
    """Add the state machine; `let_look` lets it see the pipeline once there is one."""
    return add_turns(template, zone, TITLE, definition())


def let_look(template: Template, turns: Turns, pipeline_arn: AWSHelperFn) -> None:
    """Let the state machine see who is in which stage of the pipeline."""
    see = Permission(
        "WhoIsAhead",
        "Sees whether another release or a rollback is in a stage.",
        [codepipeline.GetPipelineState],
        [pipeline_arn],
    )
    roles.allow_later(template, TITLE, turns.role, [see])


def await_free(turns: Turns, name: str, stages: Sequence[str]) -> Actions:
    """Return the action that waits until these stages are free; a build before told the pipeline's name.

    It never waits for the stage that it is in itself: whoever waits to enter that one waits for us.
    """
    text = json.dumps({"pipeline": "#{Evidence.PIPELINE}", "execution": EXECUTION, "stages": list(stages)})
    return run_workflow(name, turns.arn, text)
