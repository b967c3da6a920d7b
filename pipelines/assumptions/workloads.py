"""What runs in a stack: Lambda and API Gateway, executions of Step Functions, and alarms on them."""

from __future__ import annotations

from typing import Final

from pipelines.assumptions.evidence import Assumed, Assumption, Documented, Recorded

_LAMBDA: Final = "https://docs.aws.amazon.com/lambda/latest/dg"
_API_GATEWAY: Final = "https://docs.aws.amazon.com/apigateway/latest/developerguide"

FUNCTIONS: Final = (
    Assumption(
        "same-code-is-no-new-version",
        "Lambda publishes no version when code and configuration are those of the last one, and "
        "CloudFormation's new version then fails.",
        ("templates/capabilities/functions.py", "templates/capabilities/stack_interface.py"),
        Documented(f"{_LAMBDA}/configuration-versions.html"),
        "Roll a release back, then release the same commit.",
    ),
    Assumption(
        "processor-follows-memory",
        "A function has one processor at 1,769 MB and its share of one below.",
        ("environments/prod.yml", "templates/capabilities/data_api.py"),
        Documented(f"{_LAMBDA}/configuration-memory.html"),
        "Measure the first request of the data API at two sizes.",
    ),
    Assumption(
        "python-runtime",
        "Lambda runs python3.13 on arm64.",
        ("environments/parts.py",),
        Documented(f"{_LAMBDA}/lambda-runtimes.html"),
        "Deploy a payments stack.",
    ),
    Assumption(
        "environment-variables-size",
        "The environment variables of a function hold at most 4 KB.",
        ("templates/capabilities/functions.py",),
        Documented(f"{_LAMBDA}/gettingstarted-limits.html"),
        "Deploy a payments stack.",
    ),
    Assumption(
        "one-request-at-a-time",
        "A sandbox of a function serves one request at a time.",
        ("lambdas/data_api/storage/connection.py",),
        Documented(f"{_LAMBDA}/lambda-concurrency.html"),
        "Read the data API's logs of a load test: no two requests of one stream overlap.",
    ),
    Assumption(
        "resource-policy-and-identity",
        "An Allow of the account in a private API's resource policy leaves the decision to the caller's own "
        "policy.",
        ("templates/capabilities/data_api.py",),
        Documented(f"{_API_GATEWAY}/apigateway-authorization-flow.html"),
        "Call the data API with a role of the account that may not; it answers 403.",
    ),
    Assumption(
        "private-api-needs-deployment",
        "A change of an API takes effect with a new deployment only.",
        ("templates/capabilities/api_gateway.py",),
        Documented(f"{_API_GATEWAY}/how-to-deploy-api.html"),
        "Change a method and call it before and after.",
    ),
    Assumption(
        "log-role-is-the-accounts",
        "The role with which API Gateway writes logs belongs to the account and region, not to an API.",
        ("templates/capabilities/api_gateway.py",),
        Documented(f"{_API_GATEWAY}/set-up-logging.html"),
        "Deploy two environments to one account, delete one network stack, and read aws apigateway "
        "get-account.",
    ),
    Assumption(
        "reserved-concurrency-leaves-hundred",
        "Of an account's concurrency, 100 must stay unreserved.",
        ("pipelines/doctor/quotas.py",),
        Documented(f"{_LAMBDA}/configuration-concurrency.html"),
        "Reserve more; it is refused.",
    ),
)


_STATES_GUIDE: Final = "https://docs.aws.amazon.com/step-functions/latest/dg"
_STATES_API: Final = "https://docs.aws.amazon.com/step-functions/latest/apireference"
_RECORDINGS: Final = "https://github.com/localstack/localstack/blob/main/tests/aws/services/stepfunctions/v2"
"""Answers of AWS that LocalStack's tests recorded and publish."""

WORKFLOWS: Final = (
    Assumption(
        "name-taken-while-closed",
        "The name of an execution that ended is refused for 90 days; while it runs with the same input, it "
        "is the same execution.",
        ("templates/definitions/smoke_workflow.py", "pipelines/orders/orders.py"),
        Documented(f"{_STATES_API}/API_StartExecution.html"),
        "payments smoke ENV: its fourth order is the first one again.",
    ),
    Assumption(
        "all-misses-two-errors",
        "States.ALL catches neither States.DataLimitExceeded nor States.Runtime.",
        ("templates/definitions/payment_workflow.py", "templates/definitions/sweeper.py"),
        Documented(f"{_STATES_GUIDE}/concepts-error-handling.html"),
        "Run a state with an output of 300 KB and a catcher for States.ALL; a recording of 2024-03 shows it "
        "caught. Either way is safe: the sweeper finds the order.",
    ),
    Assumption(
        "redrive-days",
        "An execution can be redriven within 14 days of its end.",
        ("lambdas/data_api/use_cases/settle.py",),
        Documented(f"{_STATES_GUIDE}/redrive-executions.html"),
        "Redrive one after 15 days.",
    ),
    Assumption(
        "redrive-goes-on-at-the-failed-state",
        "A redriven execution goes on at the state that failed, with its variables, and its context says "
        "how often.",
        ("templates/definitions/payment_workflow.py", "lambdas/record_failure/handler.py"),
        Documented(f"{_STATES_GUIDE}/redrive-executions.html"),
        "Park an order, repair its cause, payments order redrive.",
    ),
    Assumption(
        "execution-keeps-its-version",
        "An execution runs the version that it was started with, whatever its alias leads to afterwards.",
        ("templates/capabilities/workflows.py",),
        Documented(f"{_STATES_GUIDE}/concepts-state-machine-version.html"),
        "Start an order that waits, release, and read the function versions in its history.",
    ),
    Assumption(
        "events-end-an-execution",
        "An execution fails when its history would hold more than 25,000 events.",
        ("templates/definitions/time_budget.py",),
        Documented(f"{_STATES_GUIDE}/service-quotas.html"),
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
        Documented(f"{_STATES_GUIDE}/state-choice.html"),
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
        Documented(f"{_STATES_GUIDE}/connect-stepfunctions.html"),
        "payments smoke ENV: two of its orders fail, and the report names their errors.",
    ),
)


_CLOUDWATCH_API: Final = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference"
_CLOUDWATCH: Final = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring"

ALARMS: Final = (
    Assumption(
        "alarm-types-must-be-asked-for",
        "DescribeAlarms without AlarmTypes answers with metric alarms only.",
        ("pipelines/cli/status.py",),
        Documented(f"{_CLOUDWATCH_API}/API_DescribeAlarms.html"),
        "aws cloudwatch describe-alarms in an account with a payments stack.",
    ),
    Assumption(
        "composite-alarms-need-every-resource",
        "Reading composite alarms needs cloudwatch:DescribeAlarms on *.",
        ("pipelines/definitions/target_permissions.py",),
        Documented(f"{_CLOUDWATCH_API}/API_DescribeAlarms.html"),
        "Read one with a role whose permission names it.",
    ),
    Assumption(
        "missing-data-is-not-breaching",
        "An alarm with notBreaching is OK while its metric has no data.",
        ("templates/capabilities/alarms.py",),
        Documented(f"{_CLOUDWATCH}/AlarmThatSendsEmail.html"),
        "Deploy a payments stack and place no order.",
    ),
    Assumption(
        "shift-alarm-is-a-metric-alarm",
        "The alarms of an alias's DeploymentPreference are metric alarms, named by their names.",
        ("templates/capabilities/workflows.py",),
        Documented(
            "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/"
            "aws-properties-stepfunctions-statemachinealias-deploymentpreference.html"
        ),
        "Release to an environment with CANARY.",
    ),
    Assumption(
        "workflow-metrics-by-alias-and-version",
        "AWS/States counts executions by the version that ran, also when they were started through an alias.",
        ("templates/capabilities/alarm_metrics.py",),
        Documented("https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html"),
        "Place an order through live and list the metrics: aws cloudwatch list-metrics --namespace "
        "AWS/States.",
    ),
    Assumption(
        "alarm-looks-every-minute",
        "An alarm whose period is a minute or longer is evaluated every minute.",
        ("templates/capabilities/alarms.py", "pipelines/definitions/pipeline.py"),
        Documented(f"{_CLOUDWATCH}/AlarmThatSendsEmail.html"),
        "On a lent account: put a metric that breaches, and measure.",
    ),
    Assumption(
        "silence-after-the-first-point",
        "A formula with FILL has a value for each minute without a point, once its metric had one.",
        ("templates/capabilities/metrics.py", "templates/capabilities/schedule_alarms.py"),
        Assumed(
            (f"{_CLOUDWATCH}/using-metric-math.html",),
            "Where it has values before the first point too, alarms on silence ring in a new stack until "
            "that comes; where it has none after the last one, they keep the state that they had.",
        ),
        "Deploy a payments stack, and look at ScheduleCheckSilent; disable the rule ScheduleCheckSchedule, "
        "and look again after a quarter of an hour.",
    ),
    Assumption(
        "refused-starts-are-counted",
        "EventBridge counts a start that it was refused as FailedInvocations of the rule, within minutes.",
        ("templates/capabilities/schedule_alarms.py",),
        Documented("https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html"),
        "Deny states:StartExecution to the role SettlementStartRole, and look at EventsUndelivered.",
    ),
)
