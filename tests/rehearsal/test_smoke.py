"""The smoke workflow on a stack that works."""

from pipelines.orders import smoke
from pipelines.orders.payment_stack import PaymentStack


def test_smoke_passes_and_says_what_it_looked_at(deployed: PaymentStack) -> None:
    report = smoke.run(deployed)
    assert [check for check in report.checks if not check.ok] == []
    assert len(report.checks) >= 4
    assert report.passed
