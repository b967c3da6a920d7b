"""What each rule provider checks: it returns when its rule holds, and raises `RuleFailed` when not.

A deployment window is a cron expression of six or seven fields: seconds minutes hours day-of-month month
day-of-week [year].
https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-DeploymentWindow.html Here the
seconds must be `*`, as that page has it; `L`, `W` and `#` are not emulated.
"""

import json
import re
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from embedded_aws.codepipeline.actions import build, commands, invoke
from embedded_aws.codepipeline.rules.rule import Rule, RuleFailed
from embedded_aws.core import runtime
from embedded_aws.core.api import Json

_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_FIELDS = (6, 7)


def cron_matches(expression: str, moment: datetime) -> bool:
    """Tell whether a moment is inside the window.

    Raises:
        ValueError: the expression is not understood.
    """
    fields = expression.upper().split()
    if len(fields) not in _FIELDS:
        raise ValueError(f"it has {len(fields)} fields instead of 6 or 7")
    seconds, minutes, hours, day, month, weekday, *year = fields
    if seconds != "*":
        raise ValueError("the seconds can only be *")
    return (
        _in(minutes, moment.minute, 0, 59)
        and _in(hours, moment.hour, 0, 23)
        and _in(day, moment.day, 1, 31)
        and _in(_numbers(month, _MONTHS), moment.month, 1, 12)
        and _in(_numbers(weekday, _DAYS), moment.isoweekday() % 7 + 1, 1, 7)
        and (not year or _in(year[0], moment.year, 1970, 2199))
    )


def _in(field: str, value: int, least: int, most: int) -> bool:
    return field == "?" or any(_one(part, value, least, most) for part in field.split(","))


def _one(part: str, value: int, least: int, most: int) -> bool:
    span, _, step = part.partition("/")
    first, _, last = span.partition("-")
    if span == "*":
        low, high = least, most
    else:
        low = _number(first, least, most)
        high = _number(last, least, most) if last else (most if step else low)
    every = int(step) if step else 1
    return low <= value <= high and (value - low) % every == 0


def _number(text: str, least: int, most: int) -> int:
    if not text.isdigit() or not least <= int(text) <= most:
        raise ValueError(f"{text!r} is not a number from {least} to {most}")
    return int(text)


def _numbers(field: str, names: list[str]) -> str:
    for number, name in enumerate(names, 1):
        field = field.replace(name, str(number))
    return field


_LONGEST_WAIT_MINUTES = 1440
_BUILD_MINUTES = 60
_WINDOW_MINUTES = 24 * 60
_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "EQ": lambda value, wanted: value == wanted,
    "NE": lambda value, wanted: value != wanted,
    "CONTAINS": lambda value, wanted: wanted in value,
    "MATCHES": lambda value, wanted: re.fullmatch(wanted, value) is not None,
}


def watch_alarm(rule: Rule) -> None:
    """Watch an alarm, metric or composite.

    It fails when the alarm is, or within WaitTime (minutes) gets, in one of AlarmStates; it waits all of
    that time.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-CloudWatchAlarm.html

    Raises:
        RuleFailed: the rule does not hold.
    """
    name = rule.configuration["AlarmName"]
    bad = {state.strip() for state in rule.configuration.get("AlarmStates", "ALARM").split(",")}
    minutes = float(rule.configuration.get("WaitTime", "0"))
    if not 0 <= minutes <= _LONGEST_WAIT_MINUTES:
        raise RuleFailed(f"WaitTime {minutes} is not between 0 and {_LONGEST_WAIT_MINUTES} minutes")
    state = rule.wait(minutes, lambda: _bad_state(rule, name, bad))
    if state is not None:
        raise RuleFailed(f"Alarm {name} is in state {state}")


def _bad_state(rule: Rule, name: str, bad: set[str]) -> str | None:
    types = ["MetricAlarm"] + ["CompositeAlarm"] * runtime.current().readings().alarm_rule_sees_composites
    described = rule.session.client("cloudwatch").describe_alarms(AlarmNames=[name], AlarmTypes=types)
    alarms = [*described.get("MetricAlarms", []), *described.get("CompositeAlarms", [])]
    if not alarms:
        raise RuleFailed(f"Alarm {name} does not exist")
    state = str(alarms[0]["StateValue"])
    return state if state in bad else None


def run_build(rule: Rule) -> None:
    """Run a build over the input artifacts; the rule holds when it succeeds.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-CodeBuild.html

    Raises:
        RuleFailed: the rule does not hold.
    """
    names = [artifact["name"] for artifact in rule.declaration.get("inputArtifacts") or []]
    inputs = {name: rule.location(name) for name in names}
    token = f"codepipeline/{rule.execution['pipelineName']}/{rule.identifier}"
    try:
        asked = build.request(rule.configuration, inputs, token)
    except ValueError as error:
        raise RuleFailed(str(error)) from None
    codebuild = rule.session.client("codebuild")
    kept = {"artifactsOverride": {"type": "NO_ARTIFACTS"}, "secondaryArtifactsOverride": []}
    started = codebuild.start_build(**asked, **kept)["build"]["id"]

    def ended() -> Json | None:
        current: Json = codebuild.batch_get_builds(ids=[started])["builds"][0]
        return current if current["buildComplete"] else None

    minutes = rule.declaration.get("timeoutInMinutes") or _BUILD_MINUTES
    finished = rule.wait(minutes, ended)
    if finished is None:
        raise RuleFailed(f"Build {started} did not end within {minutes} minutes")
    if finished["buildStatus"] != "SUCCEEDED":
        raise RuleFailed(build.reason(finished))


def run_commands(rule: Rule) -> None:
    """Run the commands; the rule holds when all succeed.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-Commands.html

    Raises:
        RuleFailed: the rule does not hold.
    """
    names = [artifact["name"] for artifact in rule.declaration.get("inputArtifacts") or []]
    done = commands.run(
        commands.Task(
            name=f"{rule.execution['pipelineName']}/{rule.identifier}",
            scope=rule.scope,
            execution=rule.execution,
            session=rule.session,
            commands=rule.declaration["commands"],
            sources={name: rule.artifacts(name) for name in names},
            folder=rule.folder,
            minutes=rule.declaration.get("timeoutInMinutes") or 60,
        )
    )
    if done.failure:
        raise RuleFailed(done.failure)


def await_window(rule: Rule) -> None:
    """Wait until now is inside the window that the cron expression describes.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-DeploymentWindow.html

    Raises:
        RuleFailed: the expression or the time zone is not understood, or the rule's time-out came first.
    """
    expression, zone = rule.configuration["Cron"], rule.configuration.get("TimeZone", "UTC")

    def inside() -> bool | None:
        try:
            return cron_matches(expression, datetime.now(ZoneInfo(zone))) or None
        except (ZoneInfoNotFoundError, OSError):
            raise RuleFailed(f"Time zone {zone} is not known") from None
        except ValueError as error:
            raise RuleFailed(f"Cron expression {expression}: {error}") from None

    minutes = rule.declaration.get("timeoutInMinutes") or _WINDOW_MINUTES
    if not rule.wait(minutes, inside):
        raise RuleFailed(f"The deployment window {expression} ({zone}) did not open within {minutes} minutes")


def invoke_function(rule: Rule) -> None:
    """Invoke a function with a job; it holds when the function says PutJobSuccessResult.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-LambdaInvoke.html

    Raises:
        RuleFailed: the rule does not hold.
    """
    name = rule.configuration["FunctionName"]
    job = invoke.open_job(rule.scope, rule.identifier)
    event = {
        "CodePipeline.job": {
            "id": job,
            "accountId": rule.scope.account,
            "data": {
                "actionConfiguration": {"configuration": rule.configuration},
                "inputArtifacts": [],
                "outputArtifacts": [],
            },
        }
    }
    answer = rule.session.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    if answer.get("FunctionError"):
        detail = answer["Payload"].read().decode(errors="replace")[:2000]
        raise RuleFailed(f"The AWS Lambda function {name} failed: {detail}")
    minutes = rule.declaration.get("timeoutInMinutes") or 60
    result = rule.wait(minutes, lambda: invoke.job_result(rule.scope, job))
    if result is None:
        raise RuleFailed(f"The AWS Lambda function {name} did not answer within {minutes} minutes")
    if result["status"] == "Failed":
        raise RuleFailed(result["message"])


def compare_variable(rule: Rule) -> None:
    """Compare a variable's value.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-VariableCheck.html

    Raises:
        RuleFailed: the rule does not hold.
    """
    value, wanted, operator = (rule.configuration[name] for name in ("Variable", "Value", "Operator"))
    if operator not in _OPERATORS:
        raise RuleFailed(f"Operator {operator} is not one of {', '.join(_OPERATORS)}")
    if not _OPERATORS[operator](value, wanted):
        raise RuleFailed(f"Variable value '{value}' does not satisfy {operator} '{wanted}'")
