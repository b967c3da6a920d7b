"""A release whose orders fail is found by its synthetic orders, however few customers there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.rehearsal.probing import canary, worse
from tests.rehearsal.shop import physical

if TYPE_CHECKING:
    from pipelines.orders.payment_stack import PaymentStack


def test_a_bad_canary_is_told_from_an_incident(deployed: PaymentStack) -> None:
    functions, name = deployed.aws.functions, physical(deployed, "DataApiFunction")
    with canary(deployed):
        # When the probe looks at a canary whose first step fails; Then it is worse than the one before
        assert worse(deployed) == 1
        # When nothing can be reserved, whichever version asks; Then it is not
        functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
        try:
            assert worse(deployed) == 0
        finally:
            functions.delete_function_concurrency(FunctionName=name)
