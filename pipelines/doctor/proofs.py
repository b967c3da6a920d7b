"""What `payments prove` asks of a lent account: assumptions of the register that a small experiment settles.

Each makes what it needs and removes it, also after a failure. Nothing of ours is deployed, and nothing that
is there is touched.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipelines.doctor.experiments import functions, networks, promotion, roles, stacks, workflows
from pipelines.doctor.experiments.alarms import alarm_types
from pipelines.doctor.findings import Diagnosis, unknown
from pipelines.doctor.lent_account import LentAccount

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.aws.accounts import Aws


@dataclass(frozen=True, slots=True)
class Proof:
    """An experiment.

    Attributes:
        assumption: The name of the register's entry.
        minutes: How long it takes on AWS, at most.
        experiment: Makes it and says what was seen.
        undecided: Why the embedded AWS cannot decide it; nothing where it does as AWS is said to.
    """

    assumption: str
    minutes: int
    experiment: Callable[[LentAccount], Diagnosis]
    undecided: str = ""


_NO_LIMIT: Final = "has no such limit"
PROOFS: Final = (
    Proof("alarm-rule-finds-metric-alarms", 4, promotion.composite),
    Proof("a-waiting-window-can-be-overridden", 3, promotion.overridden_window),
    Proof("a-rollback-checks-no-conditions", 4, promotion.rollback_conditions),
    Proof("lambda-says-no-account", 2, roles.function_role, "says the account for every service"),
    Proof("rollback-uses-the-earlier-execution", 4, promotion.rollback_variables),
    Proof("rollback-needs-the-same-structure", 4, promotion.same_structure),
    Proof("deployment-window-waits", 5, promotion.window),
    Proof("a-stage-holds-one-execution", 3, promotion.one_in_a_stage),
    Proof("parallel-cannot-roll-back", 3, promotion.parallel),
    Proof("change-set-name-while-it-is-read", 5, promotion.change_set_names),
    Proof("eventbridge-says-the-account", 3, roles.event_rule),
    Proof("step-functions-says-the-account", 2, roles.state_machine_role),
    Proof("names-begin-with-the-stack", 2, stacks.names),
    Proof("boundary-size", 1, roles.policy_size, _NO_LIMIT),
    Proof("failed-first-creation-is-deleted-only", 3, stacks.deleted_only),
    Proof("first-creation-keeps-retained", 3, stacks.kept_except_on_create),
    Proof("change-set-refuses-unknown-parameters", 2, stacks.unknown_parameter),
    Proof("executing-deletes-other-change-sets", 3, stacks.one_change_set),
    Proof("imported-exports-are-fixed", 3, stacks.imported_exports, "lets an export go that is imported"),
    Proof("deleted-stacks-are-remembered", 2, stacks.remembered),
    Proof("name-taken-while-closed", 2, workflows.name_while_closed),
    Proof("all-misses-two-errors", 2, workflows.caught, "catches both, as a recording of 2024-03 has it"),
    Proof("condition-is-boolean", 2, workflows.boolean),
    Proof("alarm-types-must-be-asked-for", 2, alarm_types),
    Proof("same-code-is-no-new-version", 2, functions.same_version),
    Proof("environment-variables-size", 2, functions.variables_size, _NO_LIMIT),
    Proof("reserved-concurrency-leaves-hundred", 2, functions.unreserved),
    Proof("peering-overlap-fails", 2, networks.overlap),
    Proof("security-group-default-egress", 2, networks.egress),
    Proof("endpoint-needs-dns-attributes", 3, networks.private_dns, "has no name resolution in a VPC"),
)
SETTLED_BY_ACCEPTANCE: Final = (
    "an-api-knows-its-callers-role",
    "connection-begins-pending",
    "connection-source-sets-an-acl",
    "endpoint-private-dns",
    "function-code-carries-its-arn",
    "handlers-make-what-schemas-say",
    "mongod-runs-in-a-build",
    "pipeline-source-ignores-source-version",
    "python-runtime",
    "slo-makes-a-service-linked-role",
    "template-by-url",
    "triggers-by-connection-only",
)
"""Assumptions without which an acceptance run on AWS ends early."""
DOLLARS: Final = 0.2
"""What they cost together, at most: log groups, pipelines, alarms and endpoints that live for minutes."""


def prove(aws: Aws, proof: Proof) -> Diagnosis:
    """Make an experiment, and remove what it made, whatever came of it."""
    if aws.embedded and proof.undecided:
        return unknown(f"the embedded AWS {proof.undecided}", "Prove it on AWS.")
    with ExitStack() as undo:
        return proof.experiment(LentAccount(aws, undo))
