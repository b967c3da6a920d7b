"""What a change of the source changes in the templates, and what it leaves alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from environments.schema import Environment, load
from templates.capabilities import data_api
from templates.payments import build
from tests.templates.reading import properties

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]


@pytest.fixture(scope="module")
def staging() -> Environment:
    return load("staging")


def descriptions(environment: Environment) -> dict[str, str]:
    versions = properties(build(environment).to_dict(), "AWS::Lambda::Version")
    return {name: version["Description"]["Fn::Sub"] for name, version in versions.items()}


def deployment(environment: Environment) -> list[str]:
    return list(properties(build(environment).to_dict(), "AWS::ApiGateway::Deployment"))


def with_memory(environment: Environment) -> Environment:
    more = environment.functions.model_copy(update={"memory_mb": 2048})
    return environment.model_copy(update={"functions": more})


def with_payment_method(environment: Environment) -> Environment:
    return environment.model_copy(update={"payment_method": "another"})


def with_retention(environment: Environment) -> Environment:
    longer = environment.logs.model_copy(update={"retention_days": 400})
    return environment.model_copy(update={"logs": longer})


ALL = {
    f"{name}Version"
    for name in (
        "ArrangeDelivery",
        "DataApi",
        "ProcessPayment",
        "RecordFailure",
        "RefundPayment",
        "ReleaseProducts",
        "ReserveProducts",
        "Smoke",
    )
}


@pytest.mark.parametrize(
    ("change", "published"),
    [
        (with_memory, ALL),
        (
            with_payment_method,
            {"ReserveProductsVersion", "ProcessPaymentVersion", "RefundPaymentVersion", "SmokeVersion"},
        ),
        (with_retention, set()),
    ],
)
def test_a_version_is_published_when_and_only_when_its_function_changes(
    staging: Environment, change: Callable[[Environment], Environment], published: set[str]
) -> None:
    # Given what versions are called now
    before = descriptions(staging)
    # When the environment changes
    after = descriptions(change(staging))
    # Then exactly the functions that differ get a new version
    assert {name for name in ALL if before[name] != after[name]} == published


def test_a_version_is_published_when_its_code_or_its_parameters_change(staging: Environment) -> None:
    found = descriptions(staging)
    assert all(f"${{{name.removesuffix('Version')}CodeKey}}" in text for name, text in found.items())
    assert all("${NetworkStack}" in text and "${Attempt}" in text for text in found.values())
    assert [name for name, text in found.items() if "${DatabaseName}" in text] == ["DataApiVersion"]


def test_a_versions_description_fits_lambdas_256_characters(staging: Environment) -> None:
    # Given the longest parameters that the template takes
    parameters = build(staging).to_dict()["Parameters"]
    longest = {name: "x" * part.get("MaxLength", 0) for name, part in parameters.items()}
    longest |= {"DatabaseName": "x" * 38, "Attempt": "x" * 6}
    # Then each description fits
    for text in descriptions(staging).values():
        for name, value in longest.items():
            text = text.replace(f"${{{name}}}", value)  # noqa: PLW2901 - substitution by substitution
        assert len(text) <= 256


def test_the_same_api_keeps_its_deployment(staging: Environment) -> None:
    assert deployment(staging) == deployment(with_memory(staging))


def test_a_changed_api_is_deployed_again(staging: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    before = deployment(staging)
    monkeypatch.setattr(data_api, "API_SECONDS", 2)
    assert deployment(staging) != before
