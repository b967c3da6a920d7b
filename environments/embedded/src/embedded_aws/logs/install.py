"""Puts our part of CloudWatch Logs into MiniStack."""

from embedded_aws.logs import embedded_metrics, filters


def install() -> None:
    """Install filter patterns and embedded metrics."""
    for part in (filters, embedded_metrics):
        part.install()
