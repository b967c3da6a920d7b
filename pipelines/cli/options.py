"""The options that many commands share, and what they mean together."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli import local_aws

if TYPE_CHECKING:
    from collections.abc import Callable

endpoint_url = click.option(
    "--endpoint-url",
    envvar="AWS_ENDPOINT_URL",
    metavar="URL",
    help="The endpoint of an embedded AWS. Without it, the environment `local` means the one that `payments "
    "up` started, and every other environment means AWS.",
)
stack_name = click.option(
    "--stack",
    envvar="PAYMENTS_STACK",
    metavar="NAME",
    help="The payments stack. [default: payments-ENVIRONMENT]",
)
machine_readable = click.option("--json", "machine", is_flag=True, help="Print the result as JSON.")


def in_stack(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `aws` and `stack`, from the options --environment, --endpoint-url and --stack."""
    variable = "PAYMENTS_ENVIRONMENT"
    option = click.option(
        "--environment",
        "-e",
        envvar=variable,
        default="local",
        show_default=True,
        help="The environment that the stack is in.",
    )
    return _in_stack(command, option)


def in_stack_of_environment(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `aws` and `stack`, where ENVIRONMENT is the command's argument."""
    return _in_stack(command, click.argument("environment", envvar="PAYMENTS_ENVIRONMENT", default="local"))


def _in_stack(command: Callable[..., Any], environment: Callable[..., Any]) -> Callable[..., Any]:
    @environment
    @endpoint_url
    @stack_name
    @wraps(command)
    def with_aws(environment: str, endpoint_url: str | None, stack: str | None, **rest: Any) -> Any:
        there = local_aws.connect(environment, endpoint_url)
        return command(aws=there, stack=stack or there.environment.default_stack, **rest)

    given: Callable[..., Any] = with_aws
    return given
