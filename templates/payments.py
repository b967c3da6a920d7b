"""The payments stack: one for each branch, and one each for staging and prod.

It holds no physical name, so any number of them live side by side in one network, and one that was deleted
can be made again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from troposphere import Ref, Template

from templates.capabilities import schedule_alarms
from templates.capabilities.account_audit import add_account_audit, reconciliation_symptoms
from templates.capabilities.alarm_metrics import data_api_symptoms, functions_symptoms, workflow_symptoms
from templates.capabilities.alarms import Symptom, add_alarms, add_service_level_objective
from templates.capabilities.dashboards import add_dashboards, add_saved_queries
from templates.capabilities.data_api import add_data_api
from templates.capabilities.metrics import own
from templates.capabilities.release_probe import add_release_probe, release_symptoms
from templates.capabilities.scheduled_workflows import (
    RULES,
    add_schedule_check,
    add_settlement,
    add_sweeper,
    schedule_smoke,
)
from templates.capabilities.stack_interface import add_output, add_parameters
from templates.capabilities.step_functions import ROUTES, add_step_functions
from templates.capabilities.undelivered_events import add_undelivered_events
from templates.capabilities.workflows import (
    add_live_alias,
    add_payment_workflow,
    add_smoke_workflow,
    release_id,
)
from templates.definitions.payment_workflow import SUBSTITUTIONS

if TYPE_CHECKING:
    from environments.schema import Environment
    from templates.capabilities.state_machines import Workflow

FUNCTIONS = ("data_api", *ROUTES)
"""Every Lambda function of the stack, by the name of its folder under `lambdas/`."""
METHODS_OUTPUT, UNFINISHED_OUTPUT = "PaymentMethods", "FindUnfinishedFunctionName"
"""The outputs that a release asks before it drops a payment method."""


def build(environment: Environment) -> Template:
    """Return the environment's payments stack."""
    template = Template(Description=f"The payment system's {environment.name} environment")
    add_parameters(template, environment, FUNCTIONS)
    add_undelivered_events(template)
    api = add_data_api(template, environment)
    functions = add_step_functions(template, environment, api)
    workflow = add_payment_workflow(template, environment, functions)
    sweeper = add_sweeper(template, environment, functions, workflow)
    settlement = add_settlement(template, environment, api)
    watched = not environment.alarms.release_only
    reconciliation = add_account_audit(template, environment, api) if watched else None
    symptoms = [
        *workflow_symptoms(template, workflow, functions["record_failure"], release_id(functions)),
        *_absence_symptoms(environment, sweeper, settlement),
        *([] if reconciliation is None else reconciliation_symptoms(reconciliation)),
        *data_api_symptoms(template, api.function),
        *functions_symptoms(
            template,
            {name: functions[name] for name in SUBSTITUTIONS},
            {name: part for name, part in functions.items() if name not in SUBSTITUTIONS}
            | {"data_api": api.function},
        ),
    ]
    alarms = add_alarms(template, environment, symptoms)
    alias_arn = add_live_alias(template, environment, workflow, alarms.release)
    smoke = add_smoke_workflow(template, environment, functions["smoke"], workflow, alias_arn)
    if reconciliation is not None:
        add_saved_queries(template, [api.function, *functions.values()])
        add_dashboards(template, workflow, functions, alarms.every, release_id(functions))
        add_service_level_objective(template, environment, own("OrdersEnded"), own("OrdersEndedInTime"))
        schedule_smoke(template, smoke)
        add_release_probe(template, environment, functions["smoke"], workflow, alias_arn)
        started = {
            "SweepSchedule": sweeper,
            "SettlementSchedule": settlement,
            "SmokeSchedule": smoke,
            "ReconciliationSchedule": reconciliation,
        }
        add_schedule_check(template, environment, {rule: part.arn for rule, part in started.items()})
    add_output(template, "PaymentWorkflowArn", "The payment workflow, whatever its version", workflow.arn)
    add_output(template, "PaymentWorkflowAliasArn", "What orders are placed with", alias_arn)
    add_output(template, "SmokeWorkflowArn", "Proves the deployment with synthetic orders", smoke.arn)
    add_output(template, "SweeperArn", "Undoes orders whose execution ended half-way", sweeper.arn)
    add_output(template, "SettlementArn", "Settles orders that are over", settlement.arn)
    if reconciliation is not None:
        add_output(template, "ReconciliationArn", "Compares accounts with the ledger", reconciliation.arn)
    add_output(template, "DataApiFunctionName", "The data API's live function", api.live_function_arn)
    add_output(template, "DataApiId", "The data API in API Gateway", api.api_id)
    add_output(template, "DataApiUrl", "The data API, from inside the network", api.url)
    add_output(
        template,
        METHODS_OUTPUT,
        "By which methods orders are, or were, paid: new ones by the first",
        ",".join(environment.payment_methods),
    )
    add_output(
        template,
        UNFINISHED_OUTPUT,
        "Says by which methods unfinished orders are paid",
        functions["find_unfinished"].name,
    )
    for alarm in alarms.release:
        add_output(
            template, f"{alarm.data['Ref']}Name", "Judges a release: it stops a canary and a bake", alarm
        )
    add_output(template, "HealthAlarmName", "Rings when anything is wrong that customers feel", alarms.health)
    return template


def _absence_symptoms(environment: Environment, sweeper: Workflow, settlement: Workflow) -> list[Symptom]:
    minutes = environment.alarms.orders_expected_within_minutes
    return [
        *([] if environment.alarms.release_only else release_symptoms()),
        *schedule_alarms.sweeper_symptoms(sweeper),
        *schedule_alarms.settlement_symptoms(settlement),
        *schedule_alarms.schedule_symptoms(
            [Ref("SmokeWorkflow"), Ref("ReleaseProbe")], [Ref(rule) for rule in RULES]
        ),
        *([] if minutes is None else schedule_alarms.orders_missing(minutes)),
        *schedule_alarms.objective_symptoms(environment),
    ]
