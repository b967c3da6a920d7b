"""What Lambda refuses, and when it publishes no version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipelines.doctor.experiments.declarations import function, role
from pipelines.doctor.experiments.verdicts import refusal, verdict

if TYPE_CHECKING:
    from pipelines.doctor.findings import Diagnosis
    from pipelines.doctor.lent_account import LentAccount

_UNRESERVED: Final = 100
_VARIABLES_BYTES: Final = 4096


def _function(lent: LentAccount) -> str:
    resources = {"Role": role("lambda.amazonaws.com"), "Function": function("Role")}
    return lent.physical_ids(lent.stack(resources))["Function"]


def same_version(lent: LentAccount) -> Diagnosis:
    """Publish a function twice."""
    name = _function(lent)
    versions = [lent.aws.functions.publish_version(FunctionName=name)["Version"] for _ in range(2)]
    return verdict(holds=len(set(versions)) == 1, seen=f"published twice, it has the versions {versions}")


def variables_size(lent: LentAccount) -> Diagnosis:
    """Give a function environment variables that are too large."""
    name = _function(lent)
    variables = {"LARGE": "x" * _VARIABLES_BYTES}
    refused = refusal(
        lambda: lent.aws.functions.update_function_configuration(
            FunctionName=name, Environment={"Variables": variables}
        )
    )
    return verdict(holds=bool(refused), seen=refused or f"{_VARIABLES_BYTES} bytes and a name were taken")


def unreserved(lent: LentAccount) -> Diagnosis:
    """Reserve more concurrency for a function than an account may."""
    name = _function(lent)
    settings = lent.aws.functions.get_account_settings()["AccountLimit"]
    too_many = int(settings["UnreservedConcurrentExecutions"]) - _UNRESERVED + 1
    refused = refusal(
        lambda: lent.aws.functions.put_function_concurrency(
            FunctionName=name, ReservedConcurrentExecutions=too_many
        )
    )
    return verdict(holds=bool(refused), seen=refused or f"{too_many} were reserved")
