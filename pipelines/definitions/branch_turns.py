"""Whose turn it is when a branch is pushed twice: a state machine that waits without holding a build.

The branch pipeline runs its executions side by side, so that two branches never wait for each other. Two
pushes to one branch do: the earlier finishes, and only the latest of those that wait goes on.

Source: CodePipeline API reference, ListPipelineExecutions and ListActionExecutions; Step Functions developer
guide, "Integrating with AWS services", SDK integrations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from awacs import codepipeline, states
from troposphere import GetAtt, Partition, Ref, Sub
from troposphere.stepfunctions import StateMachine

from pipelines.definitions import roles
from pipelines.definitions.actions import EXECUTION, run_workflow
from pipelines.definitions.artifacts import SOURCE
from templates.capabilities.lint_exceptions import Except, excepted
from templates.capabilities.permissions import Permission
from templates.definitions import tasks
from templates.definitions.tasks import jsonata

if TYPE_CHECKING:
    from troposphere import AWSHelperFn, Template
    from troposphere.codepipeline import Actions
    from troposphere.iam import Role

    from pipelines.definitions.zones import Zone

Json = dict[str, Any]
TITLE: Final = "BranchTurns"
LOOK, READ, WHOSE, WAIT, TURN, OVERTAKEN, GONE = (
    "List executions",
    "Read branches",
    "Whose turn is it",
    "Wait for the earlier one",
    "It is our turn",
    "A later push overtook this one",
    "This execution is not under way",
)
_SECONDS_BETWEEN: Final = 15
_LONGEST_SECONDS: Final = 7200
INPUT: Final = f"{tasks.EXECUTION}.Input"
SDK: Final = "arn:${Partition}:states:::aws-sdk:codepipeline:"
_NO_LOG: Final = Except(
    "CKV_AWS_285",
    "It holds ids of executions and names of branches, and Step Functions keeps its history for 90 days.",
)
_NO_TRACE: Final = Except("CKV_AWS_284", "It calls CodePipeline alone, a few times a minute.")


@dataclass(frozen=True, slots=True)
class Turns:
    """What others may use of the state machine."""

    title: str
    arn: Ref
    name: GetAtt
    role: Role

    def permissions(self) -> list[Permission]:
        """Return what the pipeline needs to run it.

        Source: CodePipeline user guide, "AWS Step Functions invoke action reference".
        """
        executions = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:execution:${Name}:*"
        return [
            Permission(
                "Turn",
                "Runs the state machine that waits for its turn.",
                [states.StartExecution, states.DescribeStateMachine, states.DescribeExecution],
                [self.arn, Sub(executions, Name=self.name)],
            )
        ]


def definition() -> Json:
    """Return the state machine: of {pipeline, execution, branch} it ends when it is that execution's turn."""
    return {
        "Comment": "Waits until no earlier push to the branch deploys any more",
        "QueryLanguage": "JSONata",
        "TimeoutSeconds": _LONGEST_SECONDS,
        "StartAt": LOOK,
        "States": {
            LOOK: {
                "Type": "Task",
                "Resource": f"{SDK}listPipelineExecutions",
                "Arguments": {"PipelineName": jsonata(f"{INPUT}.pipeline"), "MaxResults": 100},
                "Assign": {
                    "running": jsonata(
                        "[$sort($states.result.PipelineExecutionSummaries[Status = 'InProgress'],"
                        " function($a, $b) { $a.StartTime > $b.StartTime }).PipelineExecutionId]"
                    )
                },
                "Retry": retries(),
                "Next": READ,
            },
            READ: {
                "Type": "Map",
                "Items": jsonata("$running"),
                "MaxConcurrency": 2,
                "ItemProcessor": {"StartAt": "Read its branch", "States": {"Read its branch": _read()}},
                "Assign": {
                    "rivals": jsonata(f"[$states.result[branch = {INPUT}.branch].execution]"),
                },
                "Next": WHOSE,
            },
            WHOSE: {
                "Type": "Choice",
                "Choices": [
                    {"Condition": jsonata(f"$not({INPUT}.execution in $rivals)"), "Next": GONE},
                    {"Condition": jsonata(f"$rivals[-1] != {INPUT}.execution"), "Next": OVERTAKEN},
                    {"Condition": jsonata(f"$rivals[0] = {INPUT}.execution"), "Next": TURN},
                ],
                "Default": WAIT,
            },
            WAIT: {"Type": "Wait", "Seconds": _SECONDS_BETWEEN, "Next": LOOK},
            TURN: {"Type": "Succeed", "Output": {"rivals": jsonata("$rivals")}},
            OVERTAKEN: {
                "Type": "Fail",
                "Error": "Overtaken",
                "Cause": jsonata(
                    "'A later push to this branch overtook this one: execution ' & $rivals[-1] & '.'"
                ),
            },
            GONE: {
                "Type": "Fail",
                "Error": "NotUnderWay",
                "Cause": jsonata(f"'Execution ' & {INPUT}.execution & ' is not under way any more.'"),
            },
        },
    }


def add_branch_turns(template: Template, zone: Zone) -> Turns:
    """Add the state machine; `let_look` lets it see the pipeline once there is one."""
    return add_turns(template, zone, TITLE, definition())


def add_turns(template: Template, zone: Zone, title: str, waits: Json) -> Turns:
    """Add a state machine that waits for a turn, with a role that sees nothing yet."""
    role = roles.add_service_role(template, title, "states.amazonaws.com", [], path=zone.role_path)
    machine = StateMachine(
        title,
        Definition=waits,
        DefinitionSubstitutions={"Partition": Partition},
        RoleArn=roles.arn(role),
        Metadata=excepted(_NO_LOG, _NO_TRACE),
    )
    template.add_resource(machine)
    return Turns(title, Ref(machine), GetAtt(machine, "Name"), role)


def let_look(template: Template, turns: Turns, pipeline_arn: AWSHelperFn) -> None:
    """Let the state machine see the executions of the pipeline."""
    see_pushes = Permission(
        "OtherPushes",
        "Sees whether an earlier push to the branch still deploys, and whether a later one came.",
        [codepipeline.ListPipelineExecutions, codepipeline.ListActionExecutions],
        [pipeline_arn],
    )
    roles.allow_later(template, TITLE, turns.role, [see_pushes])


def await_turn(turns: Turns) -> Actions:
    """Return the action that waits; the pipeline's name comes from the build that it started."""
    text = (
        f'{{"pipeline":"#{{Name.PIPELINE}}","execution":"{EXECUTION}","branch":"#{{{SOURCE}.BranchName}}"}}'
    )
    return run_workflow("Turn", turns.arn, text)


def _read() -> Json:
    source = f"$states.result.ActionExecutionDetails[StageName = '{SOURCE}']"
    names = f"[{source}.Output.OutputVariables.BranchName]"
    return {
        "Type": "Task",
        "Resource": f"{SDK}listActionExecutions",
        "Arguments": {
            "PipelineName": jsonata(f"{INPUT}.pipeline"),
            "Filter": {"PipelineExecutionId": jsonata("$states.input")},
        },
        "Output": {
            "execution": jsonata("$states.input"),
            # Before its source action has ended, an execution has no branch.
            "branch": jsonata(f"($names := {names}; $count($names) > 0 ? $names[0] : '')"),
        },
        "Retry": retries(),
        "End": True,
    }


def retries() -> list[Json]:
    """Return how a call of CodePipeline is retried, whatever it failed with, as ASL's Retry has it."""
    return [
        {
            "ErrorEquals": ["States.ALL"],
            "IntervalSeconds": 2,
            "BackoffRate": 2,
            "MaxAttempts": 6,
            "JitterStrategy": "FULL",
        }
    ]
