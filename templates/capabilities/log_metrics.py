"""Metrics counted from structured log lines, in a namespace of the stack's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from troposphere import Sub
from troposphere.logs import MetricFilter, MetricTransformation

from templates.capabilities.metrics import Metric

if TYPE_CHECKING:
    from collections.abc import Iterable

    from troposphere import Template

    from templates.capabilities.functions import DeployedFunction


def count_problems(template: Template, name: str, kind: str, functions: Iterable[DeployedFunction]) -> Metric:
    """Count the problems of one kind that functions log, and return the metric.

    Args:
        template: where the metric filters go, one for each function.
        name: the metric's name, as OrdersParked.
        kind: a value of `payment_data.errors.Kind`: the `kind` of a line that tells of a problem.
        functions: whose logs to read.
    """
    namespace = Sub("Payments/${AWS::StackName}")
    for function in functions:
        counted = MetricTransformation(
            MetricNamespace=namespace, MetricName=name, MetricValue="1", DefaultValue=0
        )
        lines = MetricFilter(
            f"{function.title}{name}",
            LogGroupName=function.logs.name,
            FilterPattern=f'{{ $.kind = "{kind}" }}',
            MetricTransformations=[counted],
        )
        template.add_resource(lines)
    return Metric(namespace, name)
