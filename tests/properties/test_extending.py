"""The page on extending, followed on a copy of the tree: an order by invoice, and one checked for fraud."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.core.repository import ROOT

if TYPE_CHECKING:
    from embedded_aws.mongod import Mongod

_PAGE = ROOT / "docs" / "how-to" / "extend.md"
_COPIED = ("docs", "environments", "lambdas", "pipelines", "templates", "tests", "Makefile", "pyproject.toml")
_LEFT_BEHIND = shutil.ignore_patterns("__pycache__", ".*", "*.pyc", "node_modules")
METHODS = "lambdas/payment_data/src/payment_data/payment_methods"
INVOICE = '''"""Pay later: what an order costs comes out of the limit that was agreed with the user."""

from payment_data.payment_methods.credit import Credit


class Invoice(Credit):
    """The payment method `invoice`; see `PaymentMethod`."""

    name = "invoice"
'''
CHECK = '''"""Lambda handler of the step *Check for fraud*."""

from typing import Any

from payment_data.errors import FraudSuspected
from payment_data.step import Step, data_api, step

api = data_api()
_MOST = 2_000


@step
def handler(order: Step) -> dict[str, Any]:
    """Look at {order_id, execution, deadline} and return {order_id, state}.

    Raises:
        FraudSuspected: the order is refused; nothing is charged.
    """
    if api.order(order.order_id)["total"] > _MOST:
        raise FraudSuspected(f"more than {_MOST}")
    return {"order_id": order.order_id, "state": "checked"}
'''
FRAUD_SUSPECTED = '''class FraudSuspected(Problem):
    """The order looks like fraud."""

    kind, status, title = Kind.BUSINESS, 403, "Fraud suspected"


'''
FRAUD_SCENARIO = """    many = {"product-1": 5, "product-2": 1}
    yield order(f"{method}: fraud", "FraudSuspected", quantities=many)
"""
Edit = tuple[str, str, str]
PAY_BY_INVOICE: list[Edit] = [
    (f"{METHODS}/invoice.py", "", INVOICE),
    (f"{METHODS}/names.py", 'BALANCE = ("credit",)', 'BALANCE = ("credit", "invoice")'),
    (
        f"{METHODS}/registry.py",
        '    "credit": lambda api, _: Credit(api),\n',
        '    "credit": lambda api, _: Credit(api),\n    "invoice": lambda api, _: Invoice(api),\n',
    ),
    (
        f"{METHODS}/registry.py",
        "from payment_data.payment_methods.names",
        "from payment_data.payment_methods.invoice import Invoice\nfrom payment_data.payment_methods.names",
    ),
    ("docs/how-it-works/payment-methods.md", "", "\n`invoice` is paid later.\n"),
]
"""What the page says of a method that is charged to the user's balance; without an old text, it is added."""
CHECK_FOR_FRAUD: list[Edit] = [
    ("lambdas/check_fraud/__init__.py", "", '"""Refuses orders that look like fraud."""\n'),
    ("lambdas/check_fraud/handler.py", "", CHECK),
    (
        "lambdas/payment_data/src/payment_data/errors.py",
        "class OutOfStock(Problem):",
        f"{FRAUD_SUSPECTED}class OutOfStock(Problem):",
    ),
    (
        "templates/definitions/payment_workflow.py",
        'CHARGE = "Process',
        'CHECK = "Check for fraud"\nCHARGE = "Process',
    ),
    (
        "templates/definitions/payment_workflow.py",
        '    "process_payment": "Proc',
        '    "check_fraud": "CheckFraudVersion",\n    "process_payment": "Proc',
    ),
    (
        "templates/definitions/payment_workflow.py",
        '            "reserve_products",\n            CHARGE,',
        '            "reserve_products",\n            CHECK,',
    ),
    (
        "templates/definitions/payment_workflow.py",
        "        CHARGE: _step(",
        '        CHECK: _step("check_fraud", CHARGE, [_lost(CHECK, RELEASE)]),\n        CHARGE: _step(',
    ),
    (
        "templates/capabilities/step_functions.py",
        '    "process_payment": ["PUT',
        '    "check_fraud": ["GET/orders/*"],\n    "process_payment": ["PUT',
    ),
    (
        "templates/capabilities/step_functions.py",
        '    "process_payment": "Charges',
        '    "check_fraud": "Looks for fraud",\n    "process_payment": "Charges',
    ),
    (
        "templates/definitions/time_budget.py",
        "(RESERVE, CHARGE, DELIVER)",
        "(RESERVE, CHECK, CHARGE, DELIVER)",
    ),
    (
        "templates/definitions/time_budget.py",
        "import CHARGE,",
        "import CHARGE, CHECK,",
    ),
    (
        "tests/crash_matrix/scenarios.py",
        "    yield happy\n",
        f"    yield happy\n{FRAUD_SCENARIO}",
    ),
]
SYNTHESIZE = """
from environments import schema
from pipelines.deploy import synth
synth.build(schema.load("prod"))["payments"].to_json()
"""
RUN_ORDERS = """
import json, sys
from tests.crash_matrix.bench import Task, open_bench
from tests.crash_matrix.executor import Execution

visited = []
original = Execution._step
def seen(self, name, state):
    visited.append(name)
    return original(self, name, state)
Execution._step = seen
told = {}
with open_bench(sys.argv[1]) as bench:
    for name in sys.argv[2:]:
        visited.clear()
        result = bench.run(Task(name))
        told[name] = {"violations": result.violations, "ends": result.ends, "visited": list(visited)}
print(json.dumps(told))
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the tree, as somebody's branch."""
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=_LEFT_BEHIND)
        else:
            shutil.copy2(source, tmp_path / name)
    return tmp_path


def apply(copy: Path, edits: list[Edit], without: str = "") -> None:
    """Make the edits in a copy, but those of one file."""
    for name, old, new in edits:
        if name == without:
            continue
        path = copy / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        assert old in text, f"{name} has no {old!r} any more: mend this test and the page"
        path.write_text(text.replace(old, new, 1) if old else text + new, encoding="utf-8")


def run(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a copy, with the copy's own code."""
    places = (copy, copy / "lambdas", copy / "lambdas" / "payment_data" / "src")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, places)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return subprocess.run(
        [sys.executable, *arguments], cwd=copy, env=environment, capture_output=True, text=True, check=False
    )


def section(title: str) -> str:
    """A section of the page."""
    return re.split(
        r"^## ", _PAGE.read_text(encoding="utf-8").partition(f"## {title}\n")[2], flags=re.MULTILINE
    )[0]


@pytest.mark.parametrize(
    ("title", "edits"), [("A payment method", PAY_BY_INVOICE), ("A state", CHECK_FOR_FRAUD)]
)
def test_the_page_names_every_file_that_has_to_be_changed(title: str, edits: list[Edit]) -> None:
    text = section(title)
    unnamed = [
        name
        for name in {name for name, _, _ in edits}
        if name not in text and Path(name).name not in text and str(Path(name).parent) not in text
    ]
    assert unnamed == []


def test_an_order_is_paid_by_invoice_and_another_refused_as_fraud(copy: Path, mongod: Mongod) -> None:
    # Given a copy in which both sections of the page were followed
    apply(copy, PAY_BY_INVOICE)
    apply(copy, CHECK_FOR_FRAUD)
    # When an order goes through both, and one that looks like fraud
    done = run(copy, "-c", RUN_ORDERS, mongod.uri, "invoice: happy", "invoice: fraud")
    # Then the first is paid and delivered, after the check, with every guarantee held
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    happy, fraud = told["invoice: happy"], told["invoice: fraud"]
    assert (happy["violations"], fraud["violations"]) == ([], [])
    journey = ["Check order products are available", "Check for fraud", "Process order payment"]
    assert happy["visited"][:3] == journey
    assert "Order placed" in happy["visited"]
    # And the second is released before anything is charged
    assert "Process order payment" not in fraud["visited"]
    assert fraud["visited"][-1] == "Payment failed"


@pytest.mark.parametrize(
    ("forgotten", "says"),
    [
        (f"{METHODS}/registry.py", "test_the_registry_makes_it[invoice]"),
        ("docs/how-it-works/payment-methods.md", "explain it in docs/how-it-works/payment-methods.md"),
    ],
)
def test_what_is_forgotten_of_a_payment_method_fails_by_name(copy: Path, forgotten: str, says: str) -> None:
    # Given a copy in which one step was forgotten
    apply(copy, PAY_BY_INVOICE, without=forgotten)
    # Then the check of a build names it
    done = run(
        copy, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", "tests/pipelines/test_extending.py"
    )
    assert done.returncode == 1, done.stdout
    assert says in done.stdout


@pytest.mark.parametrize(
    ("forgotten", "says"),
    [
        ("lambdas/check_fraud/handler.py", "check_fraud"),
        ("templates/capabilities/step_functions.py", "check_fraud of the payment workflow is not in"),
        ("lambdas/payment_data/src/payment_data/errors.py", "FraudSuspected"),
    ],
)
def test_what_is_forgotten_of_a_state_fails_by_name(
    copy: Path, mongod: Mongod, forgotten: str, says: str
) -> None:
    # Given a copy in which one step was forgotten
    apply(copy, CHECK_FOR_FRAUD, without=forgotten)
    # When the templates are made, and an order is placed
    synthesized = run(copy, "-c", SYNTHESIZE)
    placed = run(copy, "-c", RUN_ORDERS, mongod.uri, "credit: happy")
    # Then one of them fails, and names what is missing
    assert 1 in {synthesized.returncode, placed.returncode}
    assert says in synthesized.stderr + placed.stderr
