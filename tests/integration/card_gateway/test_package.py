"""What a function's package holds of Stripe's client is enough, and is only loaded where it is needed."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from embedded_aws.card_gateway import gateway as card_gateway
from pipelines.build import packaging

_PAY_AND_REFUND = """
import sys
from payment_data.payment_methods.stripe_gateway import StripeGateway
gateway = StripeGateway(lambda fresh=False: sys.argv[2], sys.argv[1])
made = gateway.create("package:1:pi", {"amount": 1999, "currency": "eur", "payment_method": "pm_card_visa"})
assert gateway.confirm(made.id, {}).status == "succeeded"
assert gateway.cancel(made.id).status == "succeeded"
gateway.refund("package:1:refund", made.id, 1999)
gateway.refund("package:1:again", made.id, 1999)
declined = {"amount": 50, "currency": "eur", "payment_method": "pm_card_chargeDeclined"}
made = gateway.create("package:2:pi", declined)
assert gateway.confirm(made.id, {}).reason == "generic_decline"
gateway.close()
print("requests" in sys.modules)
"""
_CHOOSE = """
import sys
from payment_data.payment_methods import registry
print(any(name.partition(".")[0] == "stripe" for name in sys.modules))
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that a function's zip unpacks to."""
    built, unpacked = tmp_path_factory.mktemp("built"), tmp_path_factory.mktemp("package")
    with zipfile.ZipFile(built / packaging.build(built)["process_payment"].file) as archive:
        archive.extractall(unpacked)
    return unpacked


def _run(package: Path, program: str, *arguments: str) -> str:
    """Run a program in an interpreter that knows the package and nothing else."""
    done = subprocess.run(
        [sys.executable, "-S", "-B", "-c", program, *arguments],
        env={"PYTHONPATH": os.fspath(package)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_payment_needs_no_more_of_stripe_than_its_package_holds(
    package: Path, local: card_gateway.RunningGateway
) -> None:
    # When
    loaded_requests = _run(package, _PAY_AND_REFUND, local.url, card_gateway.TEST_KEY)
    # Then
    assert loaded_requests == "False"


def test_stripe_is_not_imported_before_its_method_is_chosen(package: Path) -> None:
    # When / Then
    assert _run(package, _CHOOSE) == "False"
