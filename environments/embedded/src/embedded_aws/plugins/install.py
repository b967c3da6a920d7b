"""Put every plug-in into MiniStack.

Import this only after `settings.apply`: MiniStack reads its settings when imported.
"""

from embedded_aws.codesuite import install as codesuite
from embedded_aws.plugins import (
    access_logs,
    alarms,
    call_record,
    cloudfront_viewers,
    cross_account,
    embedded_metrics,
    lambda_runtime,
    log_filters,
    not_emulated,
    private_dns,
    service_metrics,
    stack_interruptions,
    stack_roles,
    stacks,
    states,
)

_PLUGINS = (
    not_emulated,
    cross_account,
    call_record,
    alarms,
    cloudfront_viewers,
    service_metrics,
    log_filters,
    embedded_metrics,
    access_logs,
    lambda_runtime,
    private_dns,
    states,
    stacks,
    stack_interruptions,
    stack_roles,
    codesuite,
)


def install_all() -> None:
    """Install the plug-ins, in the order they build on each other."""
    for plugin in _PLUGINS:
        plugin.install()
