"""The metrics that the functions write, in a namespace of the stack's own (`payment_data.metrics`)."""

from __future__ import annotations

from troposphere import AWSHelperFn, StackName, Sub

from templates.capabilities.metrics import Metric

NAMESPACE = Sub("Payments/${AWS::StackName}")


def own(name: str, statistic: str = "Sum", **dimensions: AWSHelperFn | str) -> Metric:
    """Return one of them; Powertools adds the dimension `service`, which is the stack."""
    return Metric(NAMESPACE, name, {**dimensions, "service": StackName}, statistic)
