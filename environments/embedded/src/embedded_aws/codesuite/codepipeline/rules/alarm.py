"""CloudWatchAlarm: https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-CloudWatchAlarm.html.

The rule fails when the alarm is, or within WaitTime (minutes) gets, in one of AlarmStates; it waits the whole
time.
"""

from embedded_aws.codesuite.codepipeline.rules.rule import Rule, RuleFailed

_LONGEST_WAIT_MINUTES = 1440


def check(rule: Rule) -> None:
    """Watch an alarm, metric or composite."""
    name = rule.configuration["AlarmName"]
    bad = {state.strip() for state in rule.configuration.get("AlarmStates", "ALARM").split(",")}
    minutes = float(rule.configuration.get("WaitTime", "0"))
    if not 0 <= minutes <= _LONGEST_WAIT_MINUTES:
        raise RuleFailed(f"WaitTime {minutes} is not between 0 and {_LONGEST_WAIT_MINUTES} minutes")
    state = rule.wait(minutes, lambda: _bad_state(rule, name, bad))
    if state is not None:
        raise RuleFailed(f"Alarm {name} is in state {state}")


def _bad_state(rule: Rule, name: str, bad: set[str]) -> str | None:
    found = rule.hands.client("cloudwatch").describe_alarms(
        AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    alarms = [*found.get("MetricAlarms", []), *found.get("CompositeAlarms", [])]
    if not alarms:
        raise RuleFailed(f"Alarm {name} does not exist")
    state = str(alarms[0]["StateValue"])
    return state if state in bad else None
