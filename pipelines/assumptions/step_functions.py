"""Executions, retries, versions and aliases of Step Functions."""

from __future__ import annotations

from typing import Final

from pipelines.assumptions.evidence import Assumption, Documented, Recorded

_GUIDE: Final = "https://docs.aws.amazon.com/step-functions/latest/dg"
_API: Final = "https://docs.aws.amazon.com/step-functions/latest/apireference"
_RECORDINGS: Final = "https://github.com/localstack/localstack/blob/main/tests/aws/services/stepfunctions/v2"
"""Answers of AWS that LocalStack's tests recorded and publish."""

ASSUMPTIONS: Final = (
    Assumption(
        "name-taken-while-closed",
        "The name of an execution that ended is refused for 90 days; while it runs with the same input, it "
        "is the same execution.",
        ("templates/definitions/smoke_workflow.py", "pipelines/orders/orders.py"),
        Documented(f"{_API}/API_StartExecution.html"),
        "payments smoke ENV: its fourth order is the first one again.",
    ),
    Assumption(
        "all-misses-two-errors",
        "States.ALL catches neither States.DataLimitExceeded nor States.Runtime.",
        ("templates/definitions/payment_workflow.py", "templates/definitions/sweeper.py"),
        Documented(f"{_GUIDE}/concepts-error-handling.html"),
        "Run a state with an output of 300 KB and a catcher for States.ALL; a recording of 2024-03 shows it "
        "caught. Either way is safe: the sweeper finds the order.",
    ),
    Assumption(
        "redrive-days",
        "An execution can be redriven within 14 days of its end.",
        ("lambdas/data_api/use_cases/settle.py",),
        Documented(f"{_GUIDE}/redrive-executions.html"),
        "Redrive one after 15 days.",
    ),
    Assumption(
        "redrive-goes-on-at-the-failed-state",
        "A redriven execution goes on at the state that failed, with its variables, and its context says "
        "how often.",
        ("templates/definitions/payment_workflow.py", "lambdas/record_failure/handler.py"),
        Documented(f"{_GUIDE}/redrive-executions.html"),
        "Park an order, repair its cause, payments order redrive.",
    ),
    Assumption(
        "execution-keeps-its-version",
        "An execution runs the version that it was started with, whatever its alias leads to afterwards.",
        ("templates/capabilities/workflows.py",),
        Documented(f"{_GUIDE}/concepts-state-machine-version.html"),
        "Start an order that waits, release, and read the function versions in its history.",
    ),
    Assumption(
        "events-end-an-execution",
        "An execution fails when its history would hold more than 25,000 events.",
        ("templates/definitions/time_budget.py",),
        Documented(f"{_GUIDE}/service-quotas.html"),
        "Run a loop of Pass states.",
    ),
    Assumption(
        "timeout-has-no-cause",
        "The error States.Timeout comes without a cause.",
        ("templates/definitions/payment_workflow.py",),
        Recorded(f"{_RECORDINGS}/timeouts/test_timeouts.snapshot.json", "2024-03"),
        "Let a task time out, and read its history.",
    ),
    Assumption(
        "condition-is-boolean",
        "A Choice condition in JSONata must be true or false; anything else ends the execution.",
        ("templates/definitions/payment_workflow.py", "templates/definitions/smoke_workflow.py"),
        Documented(f"{_GUIDE}/state-choice.html"),
        "TestState with a condition that is a string.",
    ),
    Assumption(
        "lambda-result-names-its-version",
        "The result of lambda:invoke holds ExecutedVersion.",
        ("templates/definitions/tasks.py",),
        Recorded(f"{_RECORDINGS}/services/test_lambda_task_service.snapshot.json", "2025-11"),
        "Read the history of an order.",
    ),
    Assumption(
        "child-failure-is-in-the-cause",
        "startExecution.sync:2 fails with States.TaskFailed, and its cause is the child's description as "
        "JSON.",
        ("templates/definitions/smoke_workflow.py",),
        Documented(f"{_GUIDE}/connect-stepfunctions.html"),
        "payments smoke ENV: two of its orders fail, and the report names their errors.",
    ),
)
