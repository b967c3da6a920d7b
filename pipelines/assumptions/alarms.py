"""CloudWatch's alarms."""

from __future__ import annotations

from typing import Final

from pipelines.assumptions.evidence import Assumed, Assumption, Documented

_API: Final = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference"
_GUIDE: Final = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring"

ASSUMPTIONS: Final = (
    Assumption(
        "alarm-types-must-be-asked-for",
        "DescribeAlarms without AlarmTypes answers with metric alarms only.",
        ("pipelines/cli/status.py",),
        Documented(f"{_API}/API_DescribeAlarms.html"),
        "aws cloudwatch describe-alarms in an account with a payments stack.",
    ),
    Assumption(
        "composite-alarms-need-every-resource",
        "Reading composite alarms needs cloudwatch:DescribeAlarms on *.",
        ("pipelines/definitions/target_permissions.py",),
        Documented(f"{_API}/API_DescribeAlarms.html"),
        "Read one with a role whose permission names it.",
    ),
    Assumption(
        "missing-data-is-not-breaching",
        "An alarm with notBreaching is OK while its metric has no data.",
        ("templates/capabilities/alarms.py",),
        Documented(f"{_GUIDE}/AlarmThatSendsEmail.html"),
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
        Documented(f"{_GUIDE}/AlarmThatSendsEmail.html"),
        "On a lent account: put a metric that breaches, and measure.",
    ),
    Assumption(
        "silence-after-the-first-point",
        "A formula with FILL has a value for each minute without a point, once its metric had one.",
        ("templates/capabilities/metrics.py", "templates/capabilities/schedule_alarms.py"),
        Assumed(
            (f"{_GUIDE}/using-metric-math.html",),
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
