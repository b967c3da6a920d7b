"""An account of AWS as console and commands see it: a pipeline that waits at its gate, a stack, an order."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final

from botocore.exceptions import ClientError

Json = dict[str, Any]
BEGAN: Final = datetime(2026, 11, 28, 8, 0, tzinfo=UTC)
WORKFLOW: Final = "arn:aws:states:eu-central-1:1:stateMachine:workflow"
DEFINITION: Final = {
    "StartAt": "Pay",
    "States": {"Pay": {"Type": "Task", "Next": "Paid"}, "Paid": {"Type": "Succeed"}},
}
_COMMIT: Final = "0123456789abcdef"
_OUTPUTS: Final = {
    "BranchPipelineName": "branches",
    "ExpiryPipelineName": "expiries",
    "ReleasePipelineName": "releases",
    "RemoveBranchPipelineName": "removals",
    "DataApiFunctionName": "data-api",
    "PaymentWorkflowArn": WORKFLOW,
    "PaymentWorkflowAliasArn": f"{WORKFLOW}:live",
    "SmokeWorkflowArn": "arn:smoke",
    "DocsUrl": "https://docs.example",
}

ORDER: Final = {
    "order_id": "order-1",
    "state": "COMPLETED",
    "user_id": "ada",
    "total": 15875,
    "currency": "EUR",
    "lines": [],
    "updated_at": "2026-11-28T08:00:00.000Z",
}
"""What the data API says of an order that is paid and delivered."""


def _entered(state: str) -> Json:
    return {"type": "TaskStateEntered", "stateEnteredEventDetails": {"name": state, "input": "{}"}}


def ended(kind: str, error: str = "") -> list[Json]:
    """Return the events of an execution that entered one state and ended there: `kind` as Succeeded."""
    details = {f"execution{kind}EventDetails": {"error": error, "cause": "why"}} if error else {}
    return [_entered("Pay"), {"type": f"Execution{kind}", **details}]


def _denied(**_: Any) -> Json:
    message: Any = {"Code": "AccessDenied", "Message": "not allowed"}
    raise ClientError({"Error": message}, "DetectStackDrift")


@dataclass
class Account:
    """What is there, and what it was told.

    Attributes:
        link: Where the evidence of the approval is.
        waits: Whether the approval still waits, in each of the `pending` executions.
        api: What the data API answers by path; what is not there is unknown to it.
        execution: The status of the order's execution, or of any other; nothing where it was never started.
        output: What that execution put out.
        happened: What happened in it: its events' types, with their details by `GetExecutionHistory`'s name.
        stacks: The names of the stacks that exist.
        branch_stacks: The stacks of branches, as DescribeStacks lists them.
        runs: The release pipeline's executions, newest first; each is told with what `run` says of it.
        asked: What was put into it: answers to approvals, and executions that were started.
        commit: What its stack was made of, as the stack's tag says it.
        digest: The SHA-256 of the package that its stack runs.
        passes: Whether its build's report is one of success.
        logs_read: How often a log was asked for.
    """

    link: str = ""
    waits: bool = True
    pending: tuple[str, ...] = ("run-1",)
    embedded: bool = False
    api: Json = field(default_factory=dict)
    execution: str | None = None
    output: str = ""
    happened: list[Json] = field(default_factory=lambda: [_entered("Pay")])
    branch_stacks: list[Json] = field(default_factory=list)
    runs: list[Json] = field(default_factory=lambda: [{}])
    stacks: set[str] = field(default_factory=lambda: {"payments-pipelines", "payments-staging", "other"})
    asked: list[Json] = field(default_factory=list)
    commit: str = _COMMIT
    digest: str = "1" * 64
    passes: bool = True
    logs_read: int = 0

    def __post_init__(self) -> None:
        """Answer as services do, as far as pages ask."""
        self.environment = SimpleNamespace(
            name="staging",
            account="444444444444",
            region="eu-central-1",
            default_stack="payments-staging",
            network_stack="network",
            production=False,
        )
        self.endpoint, self.poll_seconds = None, 0.0
        self.cloudformation = SimpleNamespace(
            describe_stacks=self._described, get_paginator=self._pages, detect_stack_drift=_denied
        )
        self.functions = SimpleNamespace(invoke=self._invoked)
        self.stepfunctions = SimpleNamespace(
            describe_execution=self._execution,
            describe_state_machine_alias=lambda **_: {
                "routingConfiguration": [{"stateMachineVersionArn": f"{WORKFLOW}:7", "weight": 100}]
            },
            describe_state_machine=lambda **_: {"definition": json.dumps(DEFINITION)},
            describe_state_machine_for_execution=lambda **_: {"definition": json.dumps(DEFINITION)},
            get_paginator=self._pages,
            start_execution=self._begun,
            redrive_execution=self._begun,
            list_executions=lambda **_: {"executions": [{"status": "SUCCEEDED", "startDate": BEGAN}]},
            get_execution_history=lambda **_: {"events": [{"id": 0}]},
            exceptions=SimpleNamespace(
                ExecutionDoesNotExist=KeyError,
                ExecutionAlreadyExists=FileExistsError,
                ExecutionNotRedrivable=PermissionError,
            ),
        )
        self._services = {
            "codepipeline": SimpleNamespace(
                get_pipeline_state=lambda **_: {"stageStates": self._stages()},
                list_pipeline_executions=lambda **_: {"pipelineExecutionSummaries": self._runs()},
                get_pipeline_execution=lambda **_: {"pipelineExecution": self._runs()[-1]},
                list_action_executions=lambda **_: {"actionExecutionDetails": self._actions()},
                get_paginator=self._pages,
                put_approval_result=lambda **told: self.asked.append(told),
                start_pipeline_execution=self._started,
            ),
            "codebuild": SimpleNamespace(batch_get_builds=self._builds, batch_get_reports=self._reports),
            "cloudwatch": SimpleNamespace(describe_alarms=_denied),
            "logs": SimpleNamespace(get_log_events=self._log, get_paginator=self._pages),
        }

    def client(self, service: str) -> Any:
        """Return a service that is asked by its own names."""
        return self._services[service]

    def _described(self, StackName: str) -> Json:  # noqa: N803 - boto3's name
        if StackName not in self.stacks:
            message: Any = {"Code": "ValidationError", "Message": f"Stack {StackName} does not exist"}
            raise ClientError({"Error": message}, "DescribeStacks")
        outputs = [{"OutputKey": key, "OutputValue": value} for key, value in _OUTPUTS.items()]
        stack = {"StackName": StackName, "StackStatus": "UPDATE_COMPLETE", "CreationTime": BEGAN}
        tags = [{"Key": "commit", "Value": self.commit}] if self.commit else []
        key = {"ParameterKey": "DataApiCodeKey", "ParameterValue": f"lambdas/data_api/{self.digest}.zip"}
        return {"Stacks": [stack | {"Outputs": outputs, "Tags": tags, "Parameters": [key]}]}

    def _pages(self, operation: str) -> Any:
        pages: dict[str, Json] = {
            "list_action_executions": {"actionExecutionDetails": self._actions()},
            "list_pipeline_executions": {"pipelineExecutionSummaries": []},
            "get_execution_history": {"events": self._history()},
            "describe_stacks": {"Stacks": self.branch_stacks},
            "filter_log_events": {"events": []},
            "list_stack_resources": {"StackResourceSummaries": []},
        }
        return SimpleNamespace(paginate=lambda **_: [pages[operation]])

    def _runs(self) -> list[Json]:
        revision = {"name": "Source", "revisionId": _COMMIT}
        run = {
            "pipelineExecutionId": "run-1",
            "status": "InProgress",
            "startTime": BEGAN,
            "sourceRevisions": [revision],
            "artifactRevisions": [revision],
        }
        return [run | told for told in self.runs]

    def _log(self, **_: Any) -> Json:
        self.logs_read += 1
        return {"events": [{"message": f"[Container] 2026/11/28 08:00:00 line {self.logs_read}\n"}]}

    def _stages(self) -> list[Json]:
        latest = {"token": "token", "status": "InProgress"} if self.waits else {"status": "Succeeded"}
        failed = {"status": "Failed", "errorDetails": {"message": "exit status 2"}, "lastStatusChange": BEGAN}
        return [
            {
                "stageName": "Build",
                "latestExecution": {"pipelineExecutionId": "run-1", "status": "Failed"},
                "actionStates": [
                    {"actionName": "Check", "latestExecution": failed},
                    {
                        "actionName": "Package",
                        "latestExecution": {"status": "Succeeded", "summary": "packed"},
                    },
                ],
            },
            {
                "stageName": "Approve",
                "latestExecution": {"pipelineExecutionId": "run-1", "status": "InProgress"},
                "actionStates": [{"actionName": "Ask", "latestExecution": latest}],
            },
            {"stageName": "Docs", "actionStates": []},
        ]

    def _actions(self) -> list[Json]:
        asks = {"CustomData": "what would change", "ExternalEntityLink": self.link}
        kind = {"category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"}
        return [
            {
                "pipelineExecutionId": run,
                "actionExecutionId": "ask-1",
                "stageName": "Approve",
                "actionName": "Ask",
                "status": "InProgress" if self.waits else "Succeeded",
                "startTime": BEGAN,
                "lastUpdateTime": BEGAN + timedelta(seconds=3),
                "input": {"actionTypeId": kind, "configuration": asks},
                "output": {"executionResult": {}},
            }
            for run in self.pending
        ]

    def _started(self, **told: Any) -> Json:
        self.asked.append(told)
        return {"pipelineExecutionId": "removal-1"}

    def _builds(self, ids: list[str]) -> Json:
        if set(ids) != {"checks:1"}:
            return {"builds": []}
        logs = {"groupName": "/group", "streamName": "stream"}
        build = {"id": "checks:1", "projectName": "checks", "buildStatus": "IN_PROGRESS", "logs": logs}
        return {"builds": [build | {"currentPhase": "BUILD", "reportArns": ["arn:report"]}]}

    def _reports(self, reportArns: list[str]) -> Json:  # noqa: N803 - boto3's name
        counts = {"SUCCEEDED": 3, "FAILED": 0 if self.passes else 1}
        report = {"type": "TEST", "reportGroupArn": "arn:report-group/checks", "arn": reportArns[0]}
        status = "SUCCEEDED" if self.passes else "FAILED"
        return {"reports": [report | {"status": status, "testSummary": {"statusCounts": counts}}]}

    def _invoked(self, FunctionName: str, Payload: bytes) -> Json:  # noqa: N803 - boto3's names
        assert FunctionName == "data-api"
        event = json.loads(Payload)
        answer = self.api.get(event["path"])
        if callable(answer):
            answer = answer(event["queryStringParameters"])
        missing = {"name": "OrderNotFound", "status": 404, "detail": "none"}
        body = {"statusCode": 200 if answer is not None else 404, "body": json.dumps(answer or missing)}
        return {"Payload": SimpleNamespace(read=lambda: json.dumps(body))}

    def _execution(self, executionArn: str) -> Json:  # noqa: N803 - boto3's name
        if self.execution is None:
            raise KeyError(executionArn)
        told = {"executionArn": executionArn, "status": self.execution, "startDate": BEGAN}
        return told | {"output": self.output}

    def _begun(self, **told: Any) -> Json:
        self.asked.append(told)
        return {"executionArn": f"{WORKFLOW}:{told.get('name', 'smoke')}", "startDate": BEGAN}

    def _history(self) -> list[Json]:
        return [
            {"id": number, "timestamp": BEGAN + timedelta(seconds=number)} | event
            for number, event in enumerate(self.happened, 1)
        ]
