"""Every rule, schedule and role of a payments stack that is disabled is noticed within a quarter of an hour.

What each of them leads to is read from the template; what that does to metrics is said here, with its source.
"""

from __future__ import annotations

import functools
import json
import re
from typing import TYPE_CHECKING, Any, Final

import pytest

from environments.schema import load
from pipelines.deploy import synth
from templates.definitions.payment_workflow import SUBSTITUTIONS
from templates.definitions.smoke_workflow import ORDER_SECONDS
from tests.templates.cloudwatch import Delivery, Samples, ringing
from tests.templates.reading import properties

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.templates.cloudwatch import Series, Value

Json = dict[str, Any]
BEGINS, NOTICED, MINUTES = 20, 15, 60
CHECK: Final = "ScheduleCheck"


@functools.cache
def production() -> Json:
    return synth.build(load("prod"))["payments"].to_dict()


def test_only_rules_start_anything_by_themselves() -> None:
    """What the tests below disable in turn is all there is: no other kind of schedule starts anything."""
    kinds = {part["Type"] for part in production()["Resources"].values()}
    services = {kind.rpartition("::")[0] for kind in kinds}
    assert not services & {"AWS::Scheduler", "AWS::Pipes"}
    assert not kinds & {"AWS::Lambda::EventSourceMapping", "AWS::Synthetics::Canary"}
    assert {len(rule["Targets"]) for rule in rules().values()} == {1}


def rules() -> dict[str, Json]:
    return properties(production(), "AWS::Events::Rule")


def machines() -> dict[str, Json]:
    return properties(production(), "AWS::StepFunctions::StateMachine")


def roles() -> list[str]:
    return sorted(properties(production(), "AWS::IAM::Role"))


def from_now(value: Value, every: int = 1, after: int = 0) -> Callable[[int], Value]:
    """A value every so many minutes once something is disabled; before, and in between, no fault."""
    first = BEGINS + after
    return lambda minute: value if minute >= first and (minute - first) % every == 0 else 0


def minutes_of(rule: str) -> int:
    """How often a rule starts something; one on events as often as there are some: each minute here."""
    told = re.fullmatch(r"rate\((\d+) minutes?\)", rules()[rule].get("ScheduleExpression", "rate(1 minute)"))
    assert told
    return int(told[1])


def silent_check() -> Series:
    return {"SchedulesSilent": lambda minute: 0 if minute < BEGINS else None}


def of_disabled(rule: str) -> Series:
    """EventBridge does nothing for a rule that is disabled; what looks at it sees that."""
    if rules()[rule]["Targets"][0]["Arn"] == {"Ref": CHECK}:
        return silent_check()
    looked_at = json.dumps(machines()[CHECK]["Definition"])
    assert f"${{{rule}}}" in looked_at
    return {"SchedulesSilent": from_now(1, after=1)}


def of_forbidden(role: str) -> Series:
    """What a role's loss does, by who takes it on."""
    used = {"Fn::GetAtt": [role, "Arn"]}
    started = [name for name, rule in rules().items() if rule["Targets"][0]["RoleArn"] == used]
    if started:
        # EventBridge user guide, "Monitoring": invocations that failed for good, as those that are refused.
        return {f"FailedInvocations@{name}": from_now(1, every=minutes_of(name)) for name in started}
    for name, machine in machines().items():
        if machine["RoleArn"] == used:
            return silent_check() if name == CHECK else _of_workflow(name)
    functions = properties(production(), "AWS::Lambda::Function")
    [function] = [name for name, part in functions.items() if part["Role"] == used]
    return _of_function(function.removesuffix("Function"))


def _of_workflow(name: str) -> Series:
    if name == "PaymentWorkflow":
        # No step runs and no order ends: the smoke test gives up each of its three orders.
        took = 3 * ORDER_SECONDS // 60 + 1
        return {"ExecutionsFailed@SmokeWorkflow": from_now(1, every=5, after=5 + took)}
    [rule] = [
        rule
        for rule, part in rules().items()
        if part["Targets"][0]["Arn"] == {"Ref": name} and rule != "CutOff"
    ]
    return {f"ExecutionsFailed@{name}": from_now(1, every=minutes_of(rule))}


def _of_function(title: str) -> Series:
    """The data API refuses a function that lost its role: AccessDenied, an error of the contract."""
    steps = {"".join(word.capitalize() for word in name.split("_")) for name in SUBSTITUTIONS}
    if title in steps:
        return {"ContractErrors": from_now(1)}
    if title == "DataApi":
        return {"5XXError": from_now(40)}
    workflow = {"FindUnfinished": "Sweeper", "Smoke": "SmokeWorkflow"}[title]
    return {f"ExecutionsFailed@{workflow}": from_now(1, every=5, after=4)}


def noticed(series: Series) -> Iterator[int]:
    """The minute at which each alarm that rings begins to."""
    healthy: Series = {"SchedulesSilent": lambda _: 0, "TechnicalFailures": lambda _: Samples(0, 1)}
    for name, alarm in properties(production(), "AWS::CloudWatch::Alarm").items():
        rings = ringing(alarm, {**healthy, **series}, MINUTES, Delivery(late=2))
        assert not rings or rings[0] >= BEGINS, name
        yield from rings[:1]


@pytest.mark.parametrize("rule", sorted(rules()))
def test_a_disabled_rule_is_noticed(rule: str) -> None:
    assert min(noticed(of_disabled(rule))) <= BEGINS + NOTICED


@pytest.mark.parametrize("role", roles())
def test_a_role_that_may_do_nothing_any_more_is_noticed(role: str) -> None:
    assert min(noticed(of_forbidden(role))) <= BEGINS + NOTICED
