"""The schedule check: looks whether rules are enabled and whether what they start has run.

EventBridge is best effort and tells nobody of a rule that somebody disabled. This asks each minute, and says
in one metric how many rules are silent; an alarm on that metric's own silence watches the check. It calls
neither functions nor the data API, so that it works when those do not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from templates.definitions.tasks import State, call_sdk, catch, choice, jsonata, put_point

if TYPE_CHECKING:
    from collections.abc import Mapping

METRIC = "SchedulesSilent"
RULE = "Look at the rule"
ENABLED = "Is it enabled?"
LAST_RUN = "Look at its last execution"
RECENT = "Was it lately?"
SILENT = "Silent"
RUNS = "Runs"
TELL = "Tell how many are silent"
NAMESPACE, SERVICE = "Namespace", "Service"
"""Substitutions: of the metric."""


def definition(rules: Mapping[str, int | None]) -> State:
    """Return the definition; the input is not read.

    Args:
        rules: A rule's logical id, which is also the substitution for its name, to how many seconds may be
            since the last start of what it starts (substitution `<rule>Machine`); None for a rule on events.
    """
    items = [
        {"rule": f"${{{rule}}}"} | ({"machine": f"${{{rule}Machine}}", "seconds": seconds} if seconds else {})
        for rule, seconds in rules.items()
    ]
    silent = f"$count($states.input[$ = '{SILENT}'])"
    return {
        "Comment": "Tells how many schedules do not run",
        "QueryLanguage": "JSONata",
        "StartAt": "Each rule",
        "States": {
            "Each rule": {
                "Type": "Map",
                "Items": items,
                "ItemProcessor": {"StartAt": RULE, "States": _rule()},
                "Next": TELL,
            },
            TELL: put_point(
                METRIC,
                silent,
                namespace=NAMESPACE,
                service=SERVICE,
                Output={"silent": jsonata(silent)},
                End=True,
            ),
        },
    }


def _rule() -> dict[str, State]:
    unknown = [catch(["States.ALL"], SILENT)]
    executions = "$states.result.Executions"
    lately = (
        f"$count({executions}) = 0"  # a new stack's: EventBridge tells of a start that it could not make
        f" or $millis() - $toMillis({executions}[0].StartDate) < 1000 * $states.input.seconds"
    )
    return {
        RULE: call_sdk(
            "eventbridge:describeRule",
            {"Name": jsonata("$states.input.rule")},
            Assign={"enabled": jsonata("$states.result.State = 'ENABLED'")},
            Output=jsonata("$states.input"),
            Catch=unknown,
            Next=ENABLED,
        ),
        ENABLED: choice({"$not($enabled)": SILENT, "$exists($states.input.machine)": LAST_RUN}, RUNS),
        LAST_RUN: call_sdk(
            "sfn:listExecutions",
            {"StateMachineArn": jsonata("$states.input.machine"), "MaxResults": 1},
            Assign={"lately": jsonata(lately)},
            Catch=unknown,
            Next=RECENT,
        ),
        RECENT: choice({"$lately": RUNS}, SILENT),
        **{name: {"Type": "Pass", "Output": name, "End": True} for name in (SILENT, RUNS)},
    }
